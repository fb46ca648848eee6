"""Areas brought into their limits: planning, construction, construction land, and land of a class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geoplan.measure import area_error, polygons_of, survey_area
from geoplan.offsets import REACH
from geoplan.prohibited import less, shared, union
from geoplan.repair.problem import Bans, Problem, cleared
from geoplan.repair.strategy import Edit
from geoplan.shaping.pieces import LEAST_PIECE, WIDTH, usable, wide_enough
from geoplan.shaping.sizing import EXACT, larger, part_of, smaller
from geoplan.shaping.units import Land

_SHARES = (1.0, 0.6, 0.3, 0.1, 0.02)
"""Shares of what construction lost that it may get back, the largest first for which there is room."""
_GIVEN = (0.9, 0.6, 0.3)
"""Shares of new construction that are given up where neither it nor existing land alone can give enough."""
_MARGINS = 1.3
"""How many times its own error an area that is brought to a limit ends inside it: its outline may grow yet."""


def sized(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
    """Sizes brought one step nearer to their limits; the very same edit where all are met, none where one cannot be."""
    for step in (_construction_land, _planning_size, _class_limits, _construction_size):
        after = step(problem, bans, open_ground, now)
        if after is None or after is not now:
            return after
    return now


def _off(problem: Problem, shape: shapely.Geometry, low: float, high: float) -> float:
    """How much too small (+) or too large (−) an area is, m² on the plane; 0 within its limits.

    A limit is met so far inside that no freedom of the lines (accuracy × perimeter) turns the verdict.
    """
    area, error = survey_area(shape, problem.site.plane), area_error(shape, problem.site.accuracy)
    margin = _MARGINS * error + 1.0
    scale = float(shapely.area(shape)) / area if area else 1.0
    aim_low, aim_high = low + margin if low else 0.0, high - margin
    if aim_low > aim_high:
        aim_low = aim_high = (low + high) / 2
    if area < low + error and area < aim_low:
        return (aim_low - area) * scale
    return -(area - aim_high) * scale if area > high - error and area > aim_high else 0.0


def _planning_size(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
    span = problem.span("planning")
    off = _off(problem, now.planning, span.low, span.high)
    if off == 0.0:
        return now
    if off > 0:
        nice = shared(cleared(problem.window, bans.any_part), open_ground)
        rough = shared(
            cleared(problem.window, union(np.array([bans.planning, bans.closed], dtype=object))), open_ground
        )
        for allowed in (nice, rough):
            grown = larger(now.planning, off, allowed, problem.land, reach=REACH)
            if grown is not None:
                return replace(now, planning=grown)
        return None
    return _trimmed(problem, now, -off)


def _trimmed(problem: Problem, now: Edit, by: float) -> Edit | None:
    """Planning made smaller outside construction; construction gives way only where that does not suffice."""
    land = _with_stock_first(problem) if now.strategy.stock_first else problem.land
    keeps = [now.construction, None] if now.construction is not None else [None]
    for keep in keeps:
        left = smaller(now.planning, by, land, keep=keep, pieces=problem.pieces, width=WIDTH)
        if left is None:
            continue
        if now.construction is None:
            return replace(now, planning=left)
        inside = now.construction if keep is not None else _inside(now.construction, left)
        return replace(now, planning=left, construction=inside)
    return None


def _with_stock_first(problem: Problem) -> Land:
    """The land with existing construction land weighing less by the m² of construction that each m² of it spares."""
    land = problem.land
    shapely.prepare(problem.stock)
    hit = np.flatnonzero(shapely.intersects(problem.stock, land.shapes))
    gives = land.gives.copy()
    gives[hit] -= shapely.area(shapely.intersection(problem.stock, land.shapes[hit])) / shapely.area(land.shapes[hit])
    return replace(land, gives=gives)


def _inside(construction: shapely.MultiPolygon, planning: shapely.MultiPolygon) -> shapely.MultiPolygon:
    return wide_enough(shared(construction, planning), construction, WIDTH)


def _class_limits(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
    """Land of a class beyond its limit goes from what is judged, as far as the limit asks."""
    del bans, open_ground
    judged = now.construction if now.construction is not None else now.planning
    for land, most in problem.land_limits():
        held = shared(judged, land)
        off = -_off(problem, held, 0.0, most)
        if off <= 0:
            continue
        rest = less(judged, held)
        fewer = smaller(held, off, Land.plain(), pieces=None)
        if fewer is None:
            return None
        left = wide_enough(union(np.array([rest, fewer], dtype=object)), judged, WIDTH)
        if now.construction is not None:
            return replace(now, construction=left)
        return replace(now, planning=left) if len(left.geoms) <= problem.pieces else None
    return now


def _construction_land(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
    """Construction land (as drawn, with existing land in the rest of planning) brought to its limits."""
    span, construction = problem.span("construction-land"), now.construction
    if construction is None or not (span.low or np.isfinite(span.high)):
        return now
    stock = shared(problem.stock, now.planning)
    counted = union(np.array([construction, stock], dtype=object))
    off = -_off(problem, counted, 0.0, span.high)
    if off <= 0:
        return _construction_land_grown(problem, bans, open_ground, now, counted)
    if now.strategy.stock_first and _planning_over(problem, now):
        return _planning_size(problem, bans, open_ground, now)
    if less(construction, stock).area > off:
        left = _new_given_up(problem, construction, stock, off)
        if left is not None:
            return replace(now, construction=left)
    return _both_given_up(problem, now, stock, off) or _stock_left_out(problem, now, stock, off)


def leaves_out_stock(problem: Problem, now: Edit) -> bool:
    """Whether planning is too large and, with existing land in it, construction land too: one cut may serve both."""
    if now.construction is None or not _planning_over(problem, now):
        return False
    counted = union(np.array([now.construction, shared(problem.stock, now.planning)], dtype=object))
    return _off(problem, counted, 0.0, problem.span("construction-land").high) < 0


def _planning_over(problem: Problem, now: Edit) -> bool:
    return _off(problem, now.planning, 0.0, problem.span("planning").high) < 0


def _new_given_up(
    problem: Problem, construction: shapely.MultiPolygon, stock: shapely.Geometry, by: float
) -> shapely.MultiPolygon | None:
    """Construction with so many m² less of what is not built on yet: around what is, else whatever goes with it."""
    built, new = shared(construction, stock), less(construction, stock)
    return smaller(construction, by, problem.land, keep=built, pieces=None, width=WIDTH) or smaller(
        construction, by, problem.land, counted=new, pieces=None, width=WIDTH
    )


def _both_given_up(problem: Problem, now: Edit, stock: shapely.MultiPolygon, by: float) -> Edit | None:
    """Construction gives what it can, and existing land left out of planning the rest."""
    assert now.construction is not None
    new = less(now.construction, stock).area
    for share in _GIVEN:
        give = min(share * new, 0.95 * by)
        left = _new_given_up(problem, now.construction, stock, give) if give > EXACT else None
        if left is None or not left.geoms:
            continue
        rest = _stock_left_out(problem, replace(now, construction=left), stock, by - give)
        if rest is not None:
            return rest
    return None


def _construction_land_grown(
    problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit, counted: shapely.MultiPolygon
) -> Edit | None:
    """Construction land up to its lower limit, on ground that does not count yet."""
    span = problem.span("construction-land")
    off = _off(problem, counted, span.low, span.high)
    return now if off <= 0 else _construction_grown(problem, bans, open_ground, now, off, counted)


def _stock_left_out(problem: Problem, now: Edit, stock: shapely.MultiPolygon, by: float) -> Edit | None:
    """Existing construction land outside the construction area left out of planning."""
    pieces = problem.pieces
    left = smaller(now.planning, by, problem.land, keep=now.construction, counted=stock, pieces=pieces, width=WIDTH)
    return None if left is None else replace(now, planning=left)


def _construction_size(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
    """Construction brought to its limits; asked to regain what it lost, it takes as much of that as there is room."""
    construction = now.construction
    if construction is None or problem.construction is None:
        return now
    span = problem.span("construction")
    off = _off(problem, construction, span.low, span.high)
    if off < 0:
        left = smaller(construction, -off, problem.land, pieces=None, width=WIDTH)
        return None if left is None else replace(now, construction=left)
    if off > 0 and span.low > 0:
        return _construction_grown(problem, bans, open_ground, now, off)
    if not now.strategy.regain and construction.geoms:
        return now
    return _regained(problem, bans, open_ground, now, span.high)


def _regained(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit, high: float) -> Edit | None:
    """Construction with what it lost taken in elsewhere; an area that lost all of it begins anew."""
    assert problem.construction is not None
    assert now.construction is not None
    done = replace(now, strategy=replace(now.strategy, regain=False))
    lost = min(problem.construction.area, high * 0.99) - now.construction.area
    if lost < LEAST_PIECE and now.construction.geoms:
        return None
    for share in _SHARES:
        grown = _construction_grown(problem, bans, open_ground, done, share * lost)
        if grown is not None:
            return grown
    return None


def _construction_grown(
    problem: Problem,
    bans: Bans,
    open_ground: shapely.MultiPolygon,
    now: Edit,
    by: float,
    counted: shapely.Geometry | None = None,
) -> Edit | None:
    """Construction made larger inside planning; where there is none left, begun anew at the widest place.

    ``counted`` is ground that may not be taken because it counts already.
    """
    barred = union(np.array([bans.construction, bans.closed_to_construction], dtype=object))
    room = shared(cleared(problem.window, barred), shared(now.planning, open_ground))
    if counted is not None:
        room = less(room, counted)
    construction = now.construction
    if construction is None or not construction.geoms:
        construction = _begun(room, by)
        if construction is None:
            return None
        by -= construction.area
    if by <= EXACT:
        return replace(now, construction=construction)
    grown = larger(construction, by, room, problem.land, reach=REACH) or _with_plots(construction, room, by)
    return None if grown is None else replace(now, construction=grown)


def _with_plots(
    construction: shapely.MultiPolygon, room: shapely.MultiPolygon, by: float
) -> shapely.MultiPolygon | None:
    """Construction with further plots, the largest first and the last one cut, where there is not enough beside it."""
    plots, missing = [construction], by
    for plot in sorted(usable(less(room, construction)).geoms, key=lambda p: -p.area):
        part = polygons_of(plot) if plot.area <= missing else part_of(plot, missing, (0.0, 1.0))
        if part is not None:
            plots.append(part)
            missing -= part.area
        if missing <= EXACT:
            return union(np.array(plots, dtype=object))
    return None


def _begun(room: shapely.MultiPolygon, most: float) -> shapely.MultiPolygon | None:
    """A square of at most so many m² at the widest place of some ground."""
    if not room.geoms:
        return None
    widest = max(room.geoms, key=lambda p: p.area)
    radius = shapely.maximum_inscribed_circle(widest, tolerance=1.0)
    if radius.length < WIDTH:
        return None
    x, y = shapely.get_coordinates(radius)[0]
    half = min(radius.length / 2**0.5, max(most, LEAST_PIECE) ** 0.5 / 2)
    return polygons_of(shapely.intersection(shapely.box(x - half, y - half, x + half, y + half), widest))
