"""Which systems bare coordinates may be in: shown with a refusal, chosen by the user's place, never in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from geoplan.crs import WEB_MERCATOR, Frame, lies_in_china, own_degrees, recognise
from geoplan_layers.places import Place, nearest

DEGREES = (4490, 4326, 4610, 4214)
THREE_DEGREE = {"CGCS2000": 4488, "Xian 1980": 2324, "Beijing 1954": 2376}
SIX_DEGREE = {"CGCS2000": 4478, "Xian 1980": 2314, "Beijing 1954": 21400}
"""Base of the codes of zones with prefix: the code of zone z is base + z."""
MERIDIANS = {"CGCS2000": 4509, "Xian 1980": 2345, "Beijing 1954": 2397}
"""Base of the codes without prefix: that of central meridian 3z is base + z."""
_MERCATOR = (8.12e6, 3.3e5, 15.15e6, 7.18e6)
"""Web Mercator of China: west, south, east, north."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A system that coordinates may be in: its code, where it puts their middle (degrees), and what lies there.

    ``swapped`` says that x and y have to be exchanged first.
    """

    epsg: int
    lon: float
    lat: float
    swapped: bool = False

    @property
    def place(self) -> Place | None:
        """The prefecture there."""
        return nearest(self.lon, self.lat)

    @property
    def said(self) -> dict[str, str]:
        """What the code means, with the place, in both languages."""
        zh, en = _said(self.epsg)
        near = self.place
        there = [near.name] if near else []
        return {
            "zh": f"EPSG:{self.epsg}（{'，'.join([zh, *there])}）",
            "en": f"EPSG:{self.epsg} ({', '.join([en, *there])})",
        }

    def as_dict(self) -> dict[str, Any]:
        """The candidate as plain data: code, meaning, the middle in degrees, the place."""
        near = self.place
        zh, en = _said(self.epsg)
        return {
            "epsg": self.epsg,
            "zh": zh,
            "en": en,
            "lon": round(self.lon, 5),
            "lat": round(self.lat, 5),
            "swapped": self.swapped,
            "place": {"adcode": near.adcode, "name": near.name} if near else None,
        }


def candidates(box: Box) -> list[str]:
    """EPSG codes that coordinates within ``box`` (west, south, east, north as read) may be in.

    Degrees could be any of four systems; eight digits of easting carry a zone prefix (25–45: 3-degree, 13–23:
    6-degree; Web Mercator of eastern China looks like zones 13–15); six digits leave the central meridian open.

    >>> candidates((40520000.0, 3400000.0, 40523000.0, 3403000.0))
    ['EPSG:4528', 'EPSG:2364', 'EPSG:2416']
    >>> candidates((120.1, 30.7, 120.2, 30.8))
    ['EPSG:4490', 'EPSG:4326', 'EPSG:4610', 'EPSG:4214']
    """
    if looks_swapped(box):
        return ["X/Y swapped"]
    return [f"EPSG:{code}" for code in _codes(box)]


def possible(box: Box) -> tuple[Candidate, ...]:
    """The candidates of ``box``, or of it with x and y exchanged, that put its middle in China.

    >>> [each.epsg for each in possible((13454074.0, 3765936.0, 13455074.0, 3766936.0))]
    [4491, 2327, 21413, 3857]
    """
    swapped = looks_swapped(box)
    west, south, east, north = flipped(box) if swapped else box
    found = []
    for code in _codes((west, south, east, north)):
        lonlat = decoded(code, (west + east) / 2, (south + north) / 2)
        if lonlat is not None:
            found.append(Candidate(code, *lonlat, swapped))
    return tuple(found)


def decoded(code: int, x: float, y: float) -> tuple[float, float] | None:
    """Where a system puts a point, in degrees of its own datum; none outside China."""
    lon, lat = own_degrees(known_frame(code))(np.array([x]), np.array([y]))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all() and lies_in_china(lon, lat)):
        return None
    return float(lon[0]), float(lat[0])


@lru_cache(maxsize=256)
def known_frame(code: int) -> Frame:
    """The frame of a code that EPSG has."""
    frame = recognise(code)
    assert frame is not None, f"EPSG has {code}"
    return frame


def looks_swapped(box: Box) -> bool:
    """Whether numbers can only be coordinates of China with x and y exchanged."""
    return not _codes(box) and bool(_codes(flipped(box)))


def flipped(box: Box) -> Box:
    """A box with x and y exchanged."""
    west, south, east, north = box
    return south, west, north, east


def zone_of(easting: float) -> int | None:
    """The zone prefix that an easting carries (13–23: 6-degree, 25–45: 3-degree), or none.

    >>> zone_of(40520000.0), zone_of(520000.0), zone_of(24500000.0)
    (40, None, None)
    """
    zone = int(easting // 1e6) if 1e6 <= easting < 1e8 else 0
    return zone if 13 <= zone <= 23 or 25 <= zone <= 45 else None


def _codes(box: Box) -> list[int]:
    return list(_found(box)) if all(np.isfinite(box)) and box[0] <= box[2] and box[1] <= box[3] else []


def _found(box: Box) -> Iterator[int]:
    west, south, east, north = box
    if _in(box, (73, 3, 136, 54)):
        yield from DEGREES
    elif south >= 3.0e5 and south >= 1.8e6 and north <= 6.0e6:
        zone = zone_of((west + east) / 2)
        if zone is not None and zone == zone_of(west) == zone_of(east):
            yield from (base + zone for base in (THREE_DEGREE if zone >= 25 else SIX_DEGREE).values())
        elif west >= 1e5 and east <= 9e5:
            yield from range(4534, 4555)
    if _in(box, _MERCATOR):
        yield WEB_MERCATOR


def _in(box: Box, whole: Box) -> bool:
    return box[0] >= whole[0] and box[1] >= whole[1] and box[2] <= whole[2] and box[3] <= whole[3]


def described(box: Box) -> list[dict[str, str]]:
    """The candidates with what each is and where it lies, in both languages; legacy datums say what they need.

    >>> described((40520000.0, 3400000.0, 40523000.0, 3403000.0))[0]["en"]
    'EPSG:4528 (CGCS2000, 3-degree zone 40, 湖州市)'
    """
    if looks_swapped(box):
        return [{"zh": "东、北坐标颠倒", "en": "east and north swapped"}]
    return [each.said for each in possible(box)] or [{"zh": "—", "en": "—"}]


def _said(code: int) -> tuple[str, str]:
    degrees = {4490: "CGCS2000", 4326: "WGS 84", 4610: "Xian 1980", 4214: "Beijing 1954"}
    if code in degrees:
        chinese = {4610: "1980西安，须先转换", 4214: "1954北京，须先转换"}
        return f"{chinese.get(code, degrees[code])} 经纬度", f"{degrees[code]} degrees"
    if code == WEB_MERCATOR:
        return "Web 墨卡托", "Web Mercator"
    if 4534 <= code <= 4554:
        return f"中央经线{3 * (code - 4509)}°", f"central meridian {3 * (code - 4509)}°"
    for tables, zh, en in ((THREE_DEGREE, "3度带", "3-degree zone"), (SIX_DEGREE, "6度带", "6-degree zone")):
        for datum, base in tables.items():
            if 13 <= code - base <= 45:
                name = {"Xian 1980": "1980西安", "Beijing 1954": "1954北京"}.get(datum)
                legacy = "，须先转换" if name else ""
                return f"{name or datum} {zh} {code - base}带{legacy}", f"{datum}, {en} {code - base}"
    return "", ""
