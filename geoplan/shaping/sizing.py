"""Bringing the area of a shape to a value: whole patches first, and the last of it along a straight line.

The area that is given or taken is met to `EXACT` m². Of several ways the one is chosen whose ground weighs least and
that leaves the outline shortest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from geoplan.measure import polygons_of
from geoplan.prohibited import less, shared
from geoplan.shaping.clear import GRID
from geoplan.shaping.pieces import LEAST_PIECE, opened
from geoplan.shaping.units import Land, Unit, beside, inside

EXACT = 0.05
"""m²: how exactly an area is met."""
OUTLINE = 2.0
"""m² that a metre of outline weighs: what keeps an edit from fraying."""
_TOUCH = 0.05
"""m: grounds this near lie beside each other."""
_DIRECTIONS = 24
_MOST_STEPS = 60
_MOST_TRIES = 12
_MOST_SLICES = 8
_BISECTIONS = 60

Area = Callable[[shapely.Geometry], float]


@dataclass(frozen=True, slots=True)
class _Way:
    shape: shapely.MultiPolygon
    cost: float


def smaller(
    shape: shapely.MultiPolygon,
    by: float,
    land: Land,
    *,
    keep: shapely.Geometry | None = None,
    counted: shapely.Geometry | None = None,
    pieces: int | None = 1,
    width: float = 10.0,
) -> shapely.MultiPolygon | None:
    """A shape with so many square metres less.

    Parameters
    ----------
    by
        m², planar.
    keep
        Ground that must stay.
    counted
        Ground of which so many m² must go; none counts every m².
    pieces
        In at most so many pieces; none for any number.
    width
        No piece or passage is left narrower, m.

    Returns
    -------
    MultiPolygon or None
        None where what may go is less than asked for, or nothing keeps it together.
    """
    keep = shapely.Polygon() if keep is None else keep
    free = less(shape, keep)
    going = free if counted is None else shared(free, counted)
    if going.area < by:
        return None
    units = inside(free, land) if len(land.shapes) else [Unit(p, 1.0) for p in free.geoms]
    peeled = units if counted is None else inside(going, land)
    cut = _Cut(shape, by, keep, counted, pieces, width)
    ways = [_peeled(cut, peeled, units), *_chords(cut, units)]
    ways = ways if any(ways) else [_sliced(cut, units)]
    found = [way for way in ways if way is not None]
    return min(found, key=lambda way: way.cost).shape if found else None


def _holds(shape: shapely.MultiPolygon, pieces: int | None, width: float) -> bool:
    """Whether a shape is still of so many pieces, none a splinter, and holds together over its wide parts."""
    parts = shape.geoms
    if not parts or any(p.area < LEAST_PIECE for p in parts):
        return False
    if pieces is None:
        return True
    return len(parts) <= pieces and len(_bodies(shape, width)) <= pieces


def _bodies(shape: shapely.Geometry, width: float) -> list[shapely.Geometry]:
    inner = shapely.buffer(shape, -width / 2 * 0.99, join_style="mitre", mitre_limit=5.0)
    return [p for p in polygons_of(inner).geoms if p.area > LEAST_PIECE / 10]


@dataclass(frozen=True, slots=True)
class _Cut:
    """What is asked of a cut: the parameters of `smaller`."""

    shape: shapely.MultiPolygon
    by: float
    keep: shapely.Geometry
    counted: shapely.Geometry | None
    pieces: int | None
    width: float


def _chords(cut: _Cut, units: list[Unit]) -> list[_Way]:
    """The shape cut by one straight line, in each of several directions."""
    found = []
    for angle in np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS:
        gone = part_of(cut.shape, cut.by, (float(np.cos(angle)), float(np.sin(angle))), cut.counted)
        if gone is None or shapely.area(shapely.intersection(gone, cut.keep)) > EXACT:
            continue
        left = less(cut.shape, gone)
        if _holds(left, cut.pieces, cut.width):
            found.append(_Way(left, _weighed(gone, units) + OUTLINE * (left.length - cut.shape.length)))
    return found


def _sliced(cut: _Cut, units: list[Unit]) -> _Way | None:
    """The shape cut from several sides, each time as far as what must stay: the side that gives most for its area."""
    left, missing = cut.shape, cut.by
    for _ in range(_MOST_SLICES):
        if missing <= EXACT:
            gone = less(cut.shape, left)
            return _Way(left, _weighed(gone, units) + OUTLINE * (left.length - cut.shape.length))
        best: tuple[float, shapely.MultiPolygon, float] | None = None
        for angle in np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS:
            slice_ = _slice(replace(cut, shape=left, by=missing), (float(np.cos(angle)), float(np.sin(angle))))
            if slice_ is not None and (best is None or slice_[0] < best[0]):
                best = slice_
        if best is None:
            return None
        left, missing = best[1], missing - best[2]
    return None


def _slice(cut: _Cut, direction: tuple[float, float]) -> tuple[float, shapely.MultiPolygon, float] | None:
    """One cut before what must stay: m² gone for each that counts, what is left, and the m² that count."""
    middle, size = _frame(cut.shape)
    gone = polygons_of(cut.shape)
    if not shapely.is_empty(cut.keep):
        nearest = float(((shapely.get_coordinates(cut.keep) - middle) @ np.array(direction)).min())
        gone = polygons_of(shapely.intersection(cut.shape, _half(middle, direction, nearest, 2 * size)))
    counted = gone if cut.counted is None else shared(gone, cut.counted)
    holds = float(shapely.area(counted))
    if holds < min(cut.by, 0.05 * cut.by + 1.0):
        return None
    if holds > cut.by:
        gone, holds = part_of(gone, cut.by, direction, cut.counted) or gone, cut.by
    left = less(cut.shape, gone)
    return (gone.area / holds, left, holds) if _holds(left, cut.pieces, cut.width) else None


def _weighed(gone: shapely.Geometry, units: list[Unit]) -> float:
    shapes = np.array([u.shape for u in units], dtype=object)
    shapely.prepare(gone)
    hit = np.flatnonzero(shapely.intersects(gone, shapes))
    areas = shapely.area(shapely.intersection(shapes[hit], gone))
    return float(areas @ np.array([units[i].weight for i in hit])) if len(hit) else float(shapely.area(gone))


def part_of(
    shape: shapely.Geometry, area: float, direction: tuple[float, float], counted: shapely.Geometry | None = None
) -> shapely.MultiPolygon | None:
    """The part of a shape that lies farthest against a direction, cut by a straight line.

    It holds ``area`` m², of the ground that counts where that is given.
    """
    if counted is not None:
        counted = shared(shape, counted)
    if shapely.area(shape if counted is None else counted) < area:
        return None
    middle, size = _frame(shape)
    low, high = -size, size
    cut = polygons_of(shape)
    for _ in range(_BISECTIONS):
        at = (low + high) / 2
        cut = polygons_of(shapely.intersection(shape, _half(middle, direction, at, 2 * size)))
        holds = cut.area if counted is None else float(shapely.area(shapely.intersection(cut, counted)))
        if abs(holds - area) <= EXACT:
            break
        low, high = (at, high) if holds < area else (low, at)
    return cut


def _frame(shape: shapely.Geometry) -> tuple[np.ndarray, float]:
    """The middle of a shape's bounds, and a length that reaches across all of it from there."""
    low_x, low_y, high_x, high_y = shapely.bounds(shape)
    return np.array([(low_x + high_x) / 2, (low_y + high_y) / 2]), float(np.hypot(high_x - low_x, high_y - low_y)) + 1.0


def _half(middle: np.ndarray, direction: tuple[float, float], at: float, size: float) -> shapely.Polygon:
    """The half plane before a line, as a large rectangle."""
    u = np.array(direction)
    across = np.array([-u[1], u[0]]) * size
    foot, far = middle + u * at, middle - u * size
    return shapely.Polygon([foot + across, foot - across, far - across, far + across])


def _peeled(cut: _Cut, peel: list[Unit], units: list[Unit]) -> _Way | None:
    """The shape without whole units from its edge, the last one cut; where they do not suffice, a straight cut ends it.

    Parameters
    ----------
    peel
        Units that may go one by one.
    units
        All ground that may go, to weigh the straight cut.
    """
    left, cost, missing = cut.shape, 0.0, cut.by
    for _ in range(_MOST_STEPS):
        if missing <= EXACT:
            break
        step = _next_peel(left, missing, peel, cut.pieces, cut.width)
        if step is None:
            break
        gone, unit = step
        peel = [u for u in peel if u is not unit]
        after = less(left, gone)
        taken = left.area - after.area
        if taken <= 0:
            continue
        left, cost, missing = after, cost + unit.weight * taken, missing - taken
    if left is cut.shape:
        return None
    so_far = _Way(left, cost + OUTLINE * (left.length - cut.shape.length))
    if missing <= EXACT:
        return so_far
    ends = _chords(replace(cut, shape=left, by=missing), units)
    return min((_Way(end.shape, so_far.cost + end.cost) for end in ends), key=lambda way: way.cost, default=None)


def _next_peel(
    left: shapely.MultiPolygon, missing: float, units: list[Unit], pieces: int | None, width: float
) -> tuple[shapely.Geometry, Unit] | None:
    """The unit at the edge that weighs least and leaves the shortest outline, whole or cut to what is missing."""
    outline = shapely.union_all([p.exterior for p in left.geoms])
    zone = shapely.buffer(outline, 0.05)
    ranked: list[tuple[float, int, Unit, shapely.Geometry]] = []
    for unit in units:
        rim: shapely.Geometry = shapely.intersection(shapely.boundary(unit.shape), zone, grid_size=GRID)
        length = float(shapely.length(rim))
        if length >= width / 2:
            frays = unit.shape.length - 2 * length
            ranked.append((unit.weight + OUTLINE * frays / unit.area, len(ranked), unit, rim))
    for _, _, unit, rim in sorted(ranked, key=lambda each: each[:2])[:_MOST_TRIES]:
        whole = unit.area <= missing
        gone = polygons_of(unit.shape) if whole else part_of(unit.shape, missing, _inward(rim, unit))
        if gone is None:
            continue
        after = less(left, gone)
        if _holds(after, pieces, width):
            return gone, unit
    return None


def larger(
    shape: shapely.MultiPolygon,
    by: float,
    allowed: shapely.Geometry,
    land: Land,
    *,
    reach: float,
    width: float = 10.0,
) -> shapely.MultiPolygon | None:
    """A shape with so many square metres more, on allowed ground beside it.

    Parameters
    ----------
    by
        m², planar.
    allowed
        Ground that may be taken, with its clearance already off.
    reach
        How far out it may grow, m.

    Returns
    -------
    MultiPolygon or None
        In no more pieces than before; none where there is not enough ground.
    """
    now, missing = shape, by
    touching = [p.area for p in less(allowed, shape).geoms if shapely.dwithin(p, shape, _TOUCH)]
    if sum(touching) < by:
        return None
    for _ in range(_MOST_STEPS):
        if missing <= EXACT:
            return now
        step = _next_growth(now, missing, beside(now, allowed, land, reach, width), width)
        if step is None:
            return None
        after = polygons_of(shapely.union(now, step))
        gained = after.area - now.area
        if gained <= EXACT / 10:
            return None
        now, missing = after, missing - gained
    return None


def _next_growth(now: shapely.MultiPolygon, missing: float, units: list[Unit], width: float) -> shapely.Geometry | None:
    outline = shapely.union_all([p.exterior for p in now.geoms])
    rim_zone = shapely.buffer(outline, 0.05)
    ranked: list[tuple[float, int, shapely.Geometry]] = []
    for unit in units:
        rim = shapely.intersection(shapely.boundary(unit.shape), rim_zone, grid_size=GRID)
        if shapely.length(rim) < width:
            continue
        part = unit.shape if unit.area <= missing else part_of(unit.shape, missing, _inward(rim, unit))
        if part is None:
            continue
        frays = part.length - 2 * float(
            shapely.length(shapely.intersection(shapely.boundary(part), rim_zone, grid_size=GRID))
        )
        ranked.append((unit.weight + OUTLINE * frays / part.area, len(ranked), part))
    for _, _, taken in sorted(ranked, key=lambda each: each[:2]):
        after = polygons_of(shapely.union(now, taken))
        if len(after.geoms) <= len(now.geoms) and after.area - now.area > EXACT / 10:
            lost = shapely.area(shapely.difference(taken, opened(after, width)))
            if lost <= 0.02 * shapely.area(taken) + 1.0:
                return taken
    return None


def _inward(rim: shapely.Geometry, unit: Unit) -> tuple[float, float]:
    """From the line of contact into the unit: across its longest straight, else to the unit's middle."""
    aim = shapely.get_coordinates(unit.shape.centroid)[0] - shapely.get_coordinates(shapely.centroid(rim))[0]
    xy = shapely.get_coordinates(shapely.minimum_rotated_rectangle(rim))
    if len(xy) >= 4:
        sides = np.diff(xy[:3], axis=0)
        longest = sides[int(np.argmax(np.hypot(*sides.T)))]
        across = np.array([-longest[1], longest[0]])
        if float(np.hypot(*across)) > 0:
            aim = across if float(across @ aim) >= 0 else -across
    norm = float(np.hypot(*aim)) or 1.0
    return float(aim[0] / norm), float(aim[1] / norm)
