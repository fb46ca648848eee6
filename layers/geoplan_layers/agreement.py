"""Whether the files of one call lie at one place, and with which options each was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoplan.boundary import Boundary
from geoplan.crs import Frame, own_degrees
from geoplan.errors import InputRefused
from geoplan.register import Register
from geoplan_layers.candidates import Box, Candidate, possible
from geoplan_layers.files.dataset import box_of
from geoplan_layers.fit import as_data
from geoplan_layers.places import apart
from geoplan_layers.read_layer import ReadLayer

APART_KM = 100.0
"""Past this files of one call contradict each other; no rule asks for anything farther away."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A file with its system, its bounds in it, and its bounds in degrees."""

    file: str
    frame: Frame
    box: Box
    degrees: Box

    @property
    def middle(self) -> tuple[float, float]:
        west, south, east, north = self.degrees
        return (west + east) / 2, (south + north) / 2


def agree(
    planning: Boundary,
    construction: Boundary | None,
    layers: Iterable[ReadLayer],
    register: Register | None,
    *,
    anywhere: bool,
) -> None:
    """Refuse files of one call that lie apart because the system of one is wrong.

    The construction boundary may not lie `APART_KM` from the planning boundary. A layer or a register of towns may,
    unless its numbers fit another system too that puts it near: then its own is taken for the wrong zone, and "no
    overlap" would be an answer to a mistake.

    Raises
    ------
    InputRefused
        Names both places, and the systems that would bring the file near.
    """
    here = _spot(planning.source.file, planning.frame, box_of([planning.polygons]))
    if here is None:
        return
    if construction is not None:
        there = _spot(construction.source.file, construction.frame, box_of([construction.polygons]))
        if there is not None and (away := _away(here.degrees, there.degrees)) > APART_KM:
            raise _told(here, there, away, _nearer(here, there))
    others = [(each.source.file, each.frame, each.box) for each in layers]
    if register is not None:
        others.append((register.source.file, register.frame, box_of([town.shape for town in register.towns])))
    for file, frame, box in () if anywhere else others:
        there = _spot(file, frame, box)
        if there is None or (away := _away(here.degrees, there.degrees)) <= APART_KM:
            continue
        if found := _nearer(here, there):
            raise _told(here, there, away, found)


def _spot(file: str, frame: Frame, box: Box) -> _Spot | None:
    """Where a file lies; none where it is empty or its system puts it nowhere (which is refused elsewhere)."""
    if not np.isfinite(box).all() or frame.crs.geodetic_crs is None:
        return None
    west, south, east, north = box
    lon, lat = own_degrees(frame)(np.array([west, west, east, east]), np.array([south, north, south, north]))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return _Spot(file, frame, box, (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())))


def _away(one: Box, other: Box) -> float:
    """How far two boxes of degrees lie from each other, km; 0 where they meet.

    >>> _away((120, 30, 121, 31), (120.5, 30.5, 122, 32)), round(_away((120, 30, 121, 30), (123, 30, 124, 30)))
    (0.0, 193)
    """
    lon = max(one[0] - other[2], other[0] - one[2], 0.0)
    lat = max(one[1] - other[3], other[1] - one[3], 0.0)
    middle = (one[1] + one[3]) / 2
    return apart(0.0, middle, lon, middle + lat)


def _nearer(here: _Spot, there: _Spot) -> tuple[Candidate, ...]:
    """Other systems that the numbers of a file fit and that put it near the planning area, CGCS2000 before the rest."""
    half = float(np.hypot(there.degrees[2] - there.degrees[0], there.degrees[3] - there.degrees[1])) / 2 * 111.2
    lon, lat = here.middle
    if there.frame.is_geographic:
        return ()
    return tuple(
        each
        for each in possible(there.box)
        if each.epsg != there.frame.epsg and apart(lon, lat, each.lon, each.lat) <= APART_KM + half
    )


def _told(here: _Spot, there: _Spot, away: float, found: Sequence[Candidate]) -> InputRefused:
    (lon, lat), (other_lon, other_lat) = there.middle, here.middle
    return InputRefused(
        "files-apart",
        file=there.file,
        crs=there.frame.label,
        lon=lon,
        lat=lat,
        other=here.file,
        other_crs=here.frame.label,
        other_lon=other_lon,
        other_lat=other_lat,
        distance=round(away),
        candidates=[each.said for each in found] or "—",
        found=as_data(found),
    )


def read_with(
    planning: Boundary, construction: Boundary | None, layers: Iterable[ReadLayer], register: Register | None = None
) -> dict[str, Mapping[str, Any]]:
    """The options that counted in reading each file: ``planning``, ``construction``, ``towns``, ``layer.ROLE.N``
    and ``coverage.ROLE.N`` (N from 1).

    Files that were read as they are do not appear, so that a report's id changes only where its reading may.
    """
    found: dict[str, Mapping[str, Any]] = {"planning": planning.read_with}
    if construction is not None:
        found["construction"] = construction.read_with
    if register is not None:
        found["towns"] = register.read_with
    count: dict[str, int] = {}
    for layer in layers:
        count[layer.role] = count.get(layer.role, 0) + 1
        found[f"layer.{layer.role}.{count[layer.role]}"] = layer.read_with
        found[f"coverage.{layer.role}.{count[layer.role]}"] = layer.coverage_read_with
    return {name: dict(used) for name, used in found.items() if used}
