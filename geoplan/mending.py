"""Mending what was read: each defect named with its place and its effect on the area, or the shape refused.

Rings are looked at first, one by one, then holes against their shell, then parts against each other. Coordinates are
kept as read: a repair takes vertices away or cuts at points where lines cross, it moves none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Repair
from geoplan.crs import Array, Frame
from geoplan.errors import InputRefused
from geoplan.measure import PRINTS_AS_ZERO, polygons_of
from geoplan.messages import Message
from geoplan.rings import (
    FEWEST,
    Defect,
    self_meetings,
    signed_area,
    suspect,
    without_duplicates,
    without_spikes,
)

MOST_CHANGED = 0.001
"""Largest share of the area that a repair may change; past it the shape is refused and a person decides."""
DEGREE = 111_320.0
"""Metres in a degree of latitude, for telling the size of a repair."""
CLUSTER_M, CLUSTER_DEGREES = 1e-4, 1e-9
"""Width below which a line that runs back is a spike: the cluster tolerance of survey software."""
TOLD = 20
"""Repairs of one kind that are told one by one for each row; the rest are summed in one sentence."""


def mend(
    shapes: NDArray[np.object_], frame: Frame | None, file: str, layer: str, places: list[str]
) -> tuple[NDArray[np.object_], tuple[Repair, ...]]:
    """Make each polygon valid, saying what was wrong, where, and what it does to the area.

    Parameters
    ----------
    shapes
        Polygons or multipolygons as read.
    frame
        Their coordinate system, so that the change in area is told in m² where they are in degrees.
    layer, places
        The layer, and the row of each in it. A repair is told by its row alone: a layer may bear the file's name, and
        what a file is called is no part of what was found in it.

    Raises
    ------
    InputRefused
        A repair would change the area by more than ``MOST_CHANGED``, or leave nothing (a bow-tie); a coordinate is
        no number.
    """
    for shape, place in zip(shapes, places, strict=True):
        if not np.isfinite(shapely.get_coordinates(shape)).all():
            raise InputRefused("coordinates-not-finite", file=file, where=f"{layer} {place}")
    degrees = frame is not None and frame.is_geographic
    scale = square_metres(shapes) if degrees else 1.0
    tolerance = CLUSTER_DEGREES if degrees else CLUSTER_M
    mended, repairs = shapes.copy(), list[Repair]()
    for i in _worth_a_look(shapes, tolerance):
        whole, found = _mended(shapes[i], tolerance)
        before, after = _drawn_area(shapes[i]), float(shapes_area(whole))
        found = _with_the_rest(found, shapes[i], after - before, scale)
        _refuse_large(found, before, after, scale, file, f"{layer} {places[i]}")
        mended[i] = whole
        repairs.extend(_told(found, scale, places[i]))
    return mended, tuple(repairs)


def shapes_area(shape: shapely.Geometry) -> float:
    """Planar area in the square of the unit of the coordinates."""
    return float(shapely.area(shape))


def _worth_a_look(shapes: NDArray[np.object_], tolerance: float) -> list[int]:
    """Rows that are invalid, or have a duplicate vertex, a spike, or a hole that runs the way of its shell."""
    rings, part_of_ring, row_of_part = _all_rings(shapes)
    if not len(rings):
        return []
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    counter = shapely.is_ccw(rings)
    shell = np.searchsorted(part_of_ring, part_of_ring)
    same_way = np.flatnonzero((counter == counter[shell]) & (shell != np.arange(len(rings))))
    odd = np.union1d(suspect(xy, ring, tolerance), same_way)
    rows = row_of_part[part_of_ring[odd]]
    return [int(i) for i in np.union1d(rows, np.flatnonzero(~shapely.is_valid(shapes)))]


def _all_rings(
    shapes: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.intp], NDArray[np.intp]]:
    parts, row_of_part = shapely.get_parts(shapes, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    return rings, part_of_ring, row_of_part


def _mended(shape: shapely.Geometry, tolerance: float) -> tuple[shapely.Geometry, list[Defect]]:
    """One row made valid, with every defect found on the way."""
    found: list[Defect] = []
    parts: list[shapely.Geometry] = []
    for polygon in shapely.get_parts(shape):
        part = _polygon(polygon, tolerance, found)
        if not shapely.is_empty(part):
            parts.append(part)
    together = _as_drawn(parts)
    if shapely.is_valid(together):
        return together, found
    found.extend(_between_parts(parts))
    return polygons_of(shapely.union_all(np.array(parts, dtype=object))), found


def _as_drawn(parts: list[shapely.Geometry]) -> shapely.Geometry:
    polygons = [p for part in parts for p in shapely.get_parts(part)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _polygon(polygon: shapely.Polygon, tolerance: float, found: list[Defect]) -> shapely.Geometry:
    """One polygon made valid: its rings, then its holes against its shell."""
    drawn_rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]
    rings = [_clean(xy, tolerance, found) for xy in drawn_rings if len(xy)]
    if not rings or len(rings[0]) < FEWEST:
        return shapely.Polygon()
    shell, holes = rings[0], [ring for ring in rings[1:] if len(ring) >= FEWEST]
    drawn = shapely.Polygon(shell, holes)
    way = signed_area(shell) > 0
    wrong = [hole for hole in holes if (signed_area(hole) > 0) == way]
    found.extend(Defect("ring-order", (float(hole[0, 0]), float(hole[0, 1]))) for hole in wrong)
    if shapely.is_valid(drawn):
        return drawn
    before = len(found)
    outer = _ring_made_valid(shell, found)
    inner = [each for hole in holes if not shapely.is_empty(each := _ring_made_valid(hole, found, hole=True))]
    found.extend(_between_holes(outer, inner))
    if len(found) == before:
        found.append(Defect("interior-split", _named_by_geos(drawn)))
    return polygons_of(shapely.difference(outer, shapely.union_all(np.array(inner, dtype=object))))


def _clean(xy: Array, tolerance: float, found: list[Defect]) -> Array:
    """A ring without duplicate vertices and spikes; one that encloses nothing is dropped."""
    at = (float(xy[0, 0]), float(xy[0, 1]))
    cleaned, repeats = without_duplicates(xy)
    cleaned, spikes = without_spikes(cleaned, tolerance)
    if len(cleaned) < FEWEST or (signed_area(cleaned) == 0 and not _meets_itself(cleaned)):
        found.append(Defect("collapsed", at))
        return cleaned[:0]
    found.extend([*repeats, *spikes])
    return cleaned


def _meets_itself(xy: Array) -> bool:
    """Whether a ring without area still encloses some: the even lobes of a bow-tie."""
    return not shapely.is_empty(shapely.make_valid(shapely.Polygon(xy), method="structure", keep_collapsed=False))


def _ring_made_valid(xy: Array, found: list[Defect], *, hole: bool = False) -> shapely.Geometry:
    """The ground that a ring encloses; where it crosses or touches itself is told."""
    polygon = shapely.Polygon(xy)
    if shapely.is_valid(polygon):
        return polygon
    sign = -1.0 if hole else 1.0
    found.extend(Defect(each.kind, each.at, sign * each.change) for each in self_meetings(xy))
    return polygons_of(shapely.make_valid(polygon, method="structure", keep_collapsed=False))


def _between_holes(shell: shapely.Geometry, holes: list[shapely.Geometry]) -> Iterable[Defect]:
    """What is wrong between holes and their shell, and between holes."""
    shapely.prepare(shell)
    edge = shapely.boundary(shell)
    kept: list[shapely.Geometry] = []
    for hole in holes:
        outside = shapely.difference(hole, shell)
        if shapely.area(outside) == shapely.area(hole):
            yield Defect("hole-outside", _point(hole), shapes_area(hole))
            continue
        if shapely.area(outside) > 0:
            yield Defect("hole-across", _point(outside), shapes_area(outside))
            kept.append(polygons_of(shapely.intersection(hole, shell)))
            continue
        if shapely.intersects(hole, edge):
            shared = shapely.intersection(shapely.boundary(hole), edge)
            if shapely.length(shared) > 0 or shapely.get_num_geometries(shared) > 1:
                yield Defect("hole-touching", _point(shared))
        kept.append(hole)
    for both, _ in _shared(kept):
        if shapely.area(both) > 0:
            yield Defect("holes-overlapping", _point(both), shapes_area(both))
        elif shapely.length(both) > 0:
            yield Defect("hole-touching", _point(both))


def _between_parts(parts: list[shapely.Geometry]) -> Iterable[Defect]:
    """What is wrong between the parts of one row."""
    for shared, within in _shared(parts):
        if shapely.area(shared) > 0:
            yield Defect("nested-parts" if within else "parts-overlapping", _point(shared), -shapes_area(shared))
        elif shapely.length(shared) > 0:
            yield Defect("parts-touching", _point(shared))


def _shared(shapes: list[shapely.Geometry]) -> list[tuple[shapely.Geometry, bool]]:
    """What each two shapes share, and whether one lies within the other."""
    array = np.array(shapes, dtype=object)
    first, second = shapely.STRtree(array).query(array, predicate="intersects")
    first, second = first[first < second], second[first < second]
    within = shapely.covers(array[first], array[second]) | shapely.covers(array[second], array[first])
    return list(zip(shapely.intersection(array[first], array[second]), within.tolist(), strict=True))


def _point(shape: shapely.Geometry) -> tuple[float, float]:
    """The westernmost vertex, of several the southernmost: a place that does not hang on how GEOS orders its output."""
    x, y = min(shapely.get_coordinates(shape).tolist())
    return float(x), float(y)


def _with_the_rest(found: list[Defect], shape: shapely.Geometry, change: float, scale: float) -> list[Defect]:
    """The defects, and what of the change in area none of them explains, at the place that GEOS names."""
    rest = change - sum(each.change for each in found)
    if (found or shapely.is_valid(shape)) and abs(rest) * scale < PRINTS_AS_ZERO:
        return found
    return [*found, Defect("ring", _named_by_geos(shape), rest)]


def _named_by_geos(shape: shapely.Geometry) -> tuple[float, float]:
    """The place of the first thing that GEOS finds wrong with a shape, or its westernmost vertex."""
    inside = shapely.is_valid_reason(shape).partition("[")[2].rstrip("]").split()
    return (float(inside[0]), float(inside[1])) if len(inside) > 1 else _point(shape)


def _refuse_large(found: list[Defect], before: float, after: float, scale: float, file: str, place: str) -> None:
    """Refuse a shape of which a repair would change too much: that is for a person to decide."""
    most = MOST_CHANGED * max(after, before)
    worst = max(found, key=lambda each: abs(each.change), default=None)
    if worst is None or (after > 0 and abs(after - before) <= most and abs(worst.change) <= most):
        return
    raise InputRefused(
        "ring-refused",
        file=file,
        where=place,
        reason=Message(f"word.defect.{worst.kind}").as_dict(),
        at=spelt(worst.at),
        before=before * scale,
        after=after * scale,
    )


def _told(found: list[Defect], scale: float, place: str) -> list[Repair]:
    """The defects as messages: one by one, and past ``TOLD`` of a kind in one sentence."""
    kinds: dict[str, list[Defect]] = defaultdict(list)
    for each in found:
        kinds[each.kind].append(each)
    repairs: list[Repair] = []
    for kind, several in kinds.items():
        for each in several[:TOLD]:
            args = {"place": place, "at": spelt(each.at), "count": each.count}
            repairs.append(Repair(Message(f"repair.{kind}", args | {"change_m2": round(each.change * scale, 4) + 0.0})))
        if more := several[TOLD:]:
            change = round(sum(each.change for each in more) * scale, 4)
            args = {"place": place, "count": len(more), "kind": Message(f"word.defect.{kind}").as_dict()}
            repairs.append(Repair(Message("repair.more", args | {"change_m2": change + 0.0})))
    return repairs


def spelt(at: tuple[float, float]) -> str:
    """Coordinates as they stand in the file, in the fewest figures (0.1 mm in degrees at the least)."""
    return ", ".join(np.format_float_positional(value, precision=9, trim="-") for value in at)


def square_metres(shapes: NDArray[np.object_]) -> float:
    """About how many m² one square degree has where the shapes lie."""
    _, south, _, north = shapely.total_bounds(shapes)
    return DEGREE**2 * float(np.cos(np.radians((south + north) / 2)))


def _drawn_area(shape: shapely.Geometry) -> float:
    """Area that the rings enclose as drawn, lobes of a bow-tie counting against each other."""
    total = 0.0
    for part in shapely.get_parts(shape):
        outer, *holes = (abs(signed_area(shapely.get_coordinates(ring))) for ring in shapely.get_rings(part))
        total += outer - sum(holes)
    return total
