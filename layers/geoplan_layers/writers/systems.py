"""Moving coordinates from one system to another, within what the datum rule allows.

Same datum: an exact change of projection. CGCS2000 and WGS 84 degrees are one (they differ by far less than any
boundary's accuracy). Everything else PROJ would only guess, so it is refused (`geoplan.crs`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geoplan.crs import Array, Frame, recognise
from geoplan.errors import CallRefused, InputRefused
from geoplan.plane import Plane
from geoplan.shifted import Shifted, to_wgs84

_ONE = frozenset({"cgcs2000", "wgs84"})
_REACH = 3.0
"""Degrees outside a system's area of use up to which data may be put into it: one neighbouring zone."""


def degrees_frame() -> Frame:
    """EPSG:4326, which KML and GeoJSON prescribe."""
    frame = recognise(4326)
    assert frame is not None
    return frame


def plane_frame(plane: Plane) -> Frame:
    """The plane of a check as a frame; without a code where China has no such zone."""
    return Frame(plane.crs, plane.epsg, "cgcs2000")


_TWINS = ((4513, 4534, 25, 21), (4491, 4502, 13, 11), (2349, 2370, 25, 21), (2327, 2338, 13, 11), (2401, 2422, 25, 21),
          (21413, 21453, 13, 11))  # fmt: skip
"""Zones of one width and datum: first code with and without the number in eastings, first number, how many."""


def numbered_zone(frame: Frame) -> Frame | None:
    """The CGCS2000 zone of a frame with its number in the eastings; none where it is no such zone.

    >>> [recognise(code) and numbered_zone(recognise(code)).label for code in (4549, 4528, 4508)]
    ['EPSG:4528', 'EPSG:4528', 'EPSG:4497']
    """
    for with_number, without, _, count in _TWINS[:2]:
        for first in (with_number, without):
            if frame.epsg is not None and first <= frame.epsg < first + count:
                return recognise(with_number + frame.epsg - first)
    return None


def _number_shift(source: Frame, target: Frame) -> float | None:
    """What to add to eastings between a zone with its number and the same without; none for any other change."""
    a, b = source.epsg or 0, target.epsg or 0
    for with_number, without, number, count in _TWINS:
        if 0 <= a - with_number < count and b - without == a - with_number:
            return -1e6 * (number + a - with_number)
        if 0 <= b - with_number < count and a - without == b - with_number:
            return 1e6 * (number + b - with_number)
    return None


def same_system(a: Frame, b: Frame) -> bool:
    """Whether two frames are one system; shifted degrees are not those that they are shifted from."""
    return a.is_shifted == b.is_shifted and (a.epsg == b.epsg if a.epsg or b.epsg else a.crs == b.crs)


def set_right(frame: Frame) -> Frame:
    """The frame itself, for shifted degrees the true ones: no code tells shifted degrees, so none are written."""
    true = recognise(frame.epsg) if frame.is_shifted and frame.epsg else None
    return true or frame


def moved(shapes: NDArray[np.object_], source: Frame, target: Frame, file: str | None) -> NDArray[np.object_]:
    """Shapes of one system in another, vertex by vertex; the very same shapes where both are one.

    A zone with its number in the eastings and the same zone without differ by whole millions, added exactly.

    Raises
    ------
    InputRefused
        The datum would have to be changed by guess, or the coordinates do not fit their system.
    CallRefused
        The target's zone is far from the data.
    """
    if same_system(source, target):
        return shapes
    shift = _number_shift(source, target)
    if shift is not None:
        return np.asarray(shapely.transform(shapes, lambda xy: xy + np.array([shift, 0.0])), dtype=object)
    _allowed(source, target, file)
    lon, lat = _finite(_step(source.crs.to_wkt(), inverse=True), shapely.get_coordinates(shapes), file, source)
    if source.is_shifted:
        lon, lat = to_wgs84(lon, lat, cast("Shifted", source.datum))
    _near(target, lon)
    xy = np.column_stack(_finite(_step(target.crs.to_wkt()), np.column_stack([lon, lat]), file, target))
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy), dtype=object)


def _allowed(source: Frame, target: Frame, file: str | None) -> None:
    if {source.datum, target.datum} <= _ONE or (source.is_shifted and target.datum in _ONE):
        return
    known = source.datum == target.datum and source.datum != "unknown"
    if known and (source.datum != "other" or source.crs.geodetic_crs == target.crs.geodetic_crs):
        return
    raise InputRefused("datum-change-refused", file=file, source=source.label, target=target.label)


def _finite(step: Transformer | None, xy: Array, file: str | None, frame: Frame) -> tuple[Array, Array]:
    x, y = (xy[:, 0], xy[:, 1]) if step is None else step.transform(xy[:, 0], xy[:, 1])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputRefused("coordinates-do-not-fit", file=file, crs=frame.label)
    return x, y


@lru_cache(maxsize=64)
def _step(wkt: str, *, inverse: bool = False) -> Transformer | None:
    """Between a system and the degrees of its own datum; none where it is degrees itself."""
    crs = CRS.from_wkt(wkt)
    if crs.is_geographic:
        return None
    base = crs.geodetic_crs
    assert base is not None, "a projected system has a geographic base"
    return (
        Transformer.from_crs(crs, base, always_xy=True) if inverse else Transformer.from_crs(base, crs, always_xy=True)
    )


def _near(target: Frame, lon: Array) -> None:
    area = target.crs.area_of_use
    if target.is_geographic or area is None or len(lon) == 0 or area.west > area.east:
        return
    if lon.min() < area.west - _REACH or lon.max() > area.east + _REACH:
        near = Plane.around(float((lon.min() + lon.max()) / 2))
        raise CallRefused(
            "target-far", crs=target.label, west=area.west, east=area.east, lon=float(lon.min()), near=suggested(near)
        )


def suggested(plane: Plane) -> str:
    """What to write behind ``--to-crs`` for a plane."""
    return f"EPSG:{plane.epsg}" if plane.epsg else "EPSG:N"
