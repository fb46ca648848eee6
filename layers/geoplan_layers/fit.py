"""Whether coordinates fit the system that they are said to be in: kinds of numbers, zone prefixes, zones, places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from geoplan.crs import Frame, lies_in_china, own_degrees
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.candidates import (
    MERIDIANS,
    SIX_DEGREE,
    THREE_DEGREE,
    Box,
    Candidate,
    described,
    possible,
    zone_of,
)
from geoplan_layers.places import nearest

MOST_OUTSIDE = 3.0
"""Degrees that data may lie outside the area of use of their zone: offices draw one zone further, across a border."""
_WEB_MERCATOR = 3857
_LAST_LIKE_MERCATOR = 15
_SIX_MERIDIANS = {"CGCS2000": 4489, "Xian 1980": 2325, "Beijing 1954": 21440}
Zone = tuple[str, int, bool, bool]
"""Datum, number of the zone, whether it is 3 degrees wide, whether its eastings carry the number."""


def zone_code(frame: Frame) -> Zone | None:
    """The Gauss–Krüger zone of China that a code stands for; none for any other system.

    >>> from geoplan.crs import recognise
    >>> zone_code(recognise(4528)), zone_code(recognise(4549)), zone_code(recognise(21453)), zone_code(recognise(3857))
    (('CGCS2000', 40, True, True), ('CGCS2000', 40, True, False), ('Beijing 1954', 13, False, False), None)
    """
    code = frame.epsg or 0
    for bases, wide, prefix in (
        (THREE_DEGREE, True, True),
        (MERIDIANS, True, False),
        (SIX_DEGREE, False, True),
        (_SIX_MERIDIANS, False, False),
    ):
        first, last = (25, 45) if wide else (13, 23)
        for datum, base in bases.items():
            if first <= code - base <= last:
                return datum, code - base, wide, prefix
    return None


def misfit(frame: Frame, box: Box, file: str, where: str, *, anywhere: bool) -> InputRefused | None:
    """Why a system cannot be that of these numbers, with how to mend it; none where it can.

    Parameters
    ----------
    box
        West, south, east, north as read, in the order x = east.
    anywhere
        Data outside China are meant.
    """
    west, south, east, north = box
    small = max(abs(west), abs(east)) <= 360 and max(abs(south), abs(north)) <= 90
    if frame.crs.geodetic_crs is None:
        return None
    if small != frame.is_geographic:
        return _told("crs-does-not-fit", frame, box, file, where)
    zone = zone_code(frame)
    if zone is not None:
        found = _prefix_fault(zone, frame, box, file, where)
        if found:
            return found
    lon, lat = _corners(frame, box)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return _told("crs-does-not-fit", frame, box, file, where)
    elsewhere = not lies_in_china(lon, lat)
    if elsewhere and not anywhere and any(each.epsg != frame.epsg for each in possible(box)):
        return _told("crs-does-not-fit", frame, box, file, where)
    if not anywhere and zone is not None and _is_mercator(zone, lon, lat, box):
        return _told("crs-does-not-fit", frame, box, file, where)
    return None


def _is_mercator(zone: Zone, lon: np.ndarray, lat: np.ndarray, box: Box) -> bool:
    """Whether eastings of zones 13 to 15 are Web Mercator's: by the zone no county lies there, by Mercator one does."""
    _, number, wide, prefix = zone
    if wide or not prefix or number > _LAST_LIKE_MERCATOR or nearest(float(lon.mean()), float(lat.mean())) is not None:
        return False
    return any(each.epsg == _WEB_MERCATOR and each.place is not None for each in possible(box))


def _told(key: str, frame: Frame, box: Box, file: str, where: str, **more: Any) -> InputRefused:
    return InputRefused(
        key, file=file, where=where, crs=frame.label, x=box[0], y=box[1], candidates=described(box), **more
    )


def _prefix_fault(zone: Zone, frame: Frame, box: Box, file: str, where: str) -> InputRefused | None:
    """A prefix that the code asks for and the eastings lack, or the reverse, or that of another zone."""
    datum, number, wide, prefix = zone
    easting = (box[0] + box[2]) / 2
    carried = zone_of(easting)
    if prefix and carried is None and 0 < easting < 1e6:
        remedy = (MERIDIANS if wide else _SIX_MERIDIANS)[datum] + number
        return _told("zone-prefix-missing", frame, box, file, where, zone=number, remedy=f"EPSG:{remedy}")
    if carried is not None and (not prefix or carried != number):
        remedy = (THREE_DEGREE if carried >= 25 else SIX_DEGREE)[datum] + carried
        key = "zone-differs" if prefix else "zone-prefix-present"
        return _told(key, frame, box, file, where, zone=carried, remedy=f"EPSG:{remedy}")
    return None


def _corners(frame: Frame, box: Box) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = box
    x, y = np.array([west, west, east, east]), np.array([south, north, south, north])
    return own_degrees(frame)(x, y)


def middle(frame: Frame, box: Box) -> tuple[float, float]:
    """The middle of a box, degrees of the frame's own datum."""
    lon, lat = _corners(frame, box)
    return float(lon.mean()), float(lat.mean())


def reach_km(frame: Frame, box: Box) -> float:
    """How far a box reaches from its middle, km, roughly."""
    half = float(np.hypot(box[2] - box[0], box[3] - box[1])) / 2
    return half * 111.2 if frame.is_geographic else half / 1000


def beyond_zone(frame: Frame, box: Box) -> float:
    """How many degrees data reach outside the area of use of their Gauss–Krüger zone; 0 inside, or in other systems."""
    zone = zone_code(frame)
    if zone is None:
        return 0.0
    _, number, wide, _ = zone
    meridian, half = (3.0 * number, 1.5) if wide else (6.0 * number - 3.0, 3.0)
    lon, _ = _corners(frame, box)
    return max(float(np.abs(lon - meridian).max()) - half, 0.0)


def outside_zone(frame: Frame, box: Box, file: str, where: str, *, refuse: bool) -> tuple[Message, ...]:
    """A note where data reach outside their zone; past `MOST_OUTSIDE` a refusal, if ``refuse``.

    Raises
    ------
    InputRefused
        The data lie so far out that the zone must be wrong.
    """
    beyond = beyond_zone(frame, box)
    if beyond > MOST_OUTSIDE and refuse:
        lon, lat = middle(frame, box)
        raise InputRefused("zone-too-far", file=file, where=where, crs=frame.label, lon=lon, lat=lat, degrees=beyond)
    if beyond < 0.005:
        return ()
    return (Message("read.outside-zone", {"crs": frame.label, "degrees": round(beyond, 2)}),)


def as_data(found: Iterable[Candidate]) -> list[dict[str, Any]]:
    """Candidates as plain data, for the arguments of a refusal."""
    return [each.as_dict() for each in found]
