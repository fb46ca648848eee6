"""The edits: cut off what is forbidden, keep in one piece, bring the sizes into their limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely

from geoplan.measure import area_error, polygons_of, survey_area
from geoplan.progress import Progress
from geoplan.prohibited import less, shared, union
from geoplan.repair.problem import Bans, Problem, cleared
from geoplan.shaping.clear import CUT, GRID, settled, without
from geoplan.shaping.pieces import LEAST_PIECE, WIDTH, few_holes, joined, usable, wide_enough, without_crumbs
from geoplan.shaping.sizing import EXACT, larger, part_of, smaller
from geoplan.shaping.units import Land
from geoplan.site import REACH

Kind = Literal["shrink", "extend", "shift", "split-off"]
MOST_HOLES = 12
"""Holes (天窗) that an edited area may have, unless more were drawn."""
_ROUNDS = 8
_SHARES = (1.0, 0.6, 0.3, 0.1, 0.02)
"""Shares of what construction lost that it may get back, the largest first for which there is room."""
_ASTRAY = 1e-3
"""m²: construction outside planning that is dust."""
_MARGINS = 1.3
"""How many times its own error an area that is brought to a limit ends inside it: its outline may grow yet."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to mend: whether pieces are joined or dropped, construction gets back elsewhere what it lost, and
    planning takes in construction that was drawn outside it.
    """

    join: bool = True
    regain: bool = False
    take_in: bool = False


STRATEGIES = (Strategy(), Strategy(regain=True), Strategy(join=False), Strategy(take_in=True))


@dataclass(frozen=True)
class Edit:
    """An edited pair of areas on the plane, new vertices on the grid, and the parts that were dropped whole."""

    planning: shapely.MultiPolygon
    construction: shapely.MultiPolygon | None
    dropped: shapely.MultiPolygon
    strategy: Strategy


def edit(problem: Problem, ground: shapely.Geometry, strategy: Strategy, progress: Progress) -> Edit | None:
    """The edit of a problem on one connected ground by one strategy; none where it leads nowhere.

    Parameters
    ----------
    ground
        Where planning may lie: of `geoplan.repair.bound.bounds`.
    """
    progress("repair-edit", 0, 3)
    bans = problem.bans()
    open_ground = shared(cleared(problem.window, bans.planning), ground)
    first = _cut(problem, bans, open_ground, strategy)
    if first is None:
        return None
    progress("repair-edit", 1, 3)
    now = first
    for _ in range(_ROUNDS):
        after = _sized(problem, bans, open_ground, now)
        if after is None:
            return None
        if after is now:
            break
        now = after
    progress("repair-edit", 2, 3)
    return _settled(problem, bans, now)


def _cut(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, strategy: Strategy) -> Edit | None:
    """What is left on allowed ground, in one piece, with construction inside planning."""
    drawn = problem.planning
    if strategy.take_in:
        if problem.construction is None:
            return None
        astray = less(shared(problem.construction, open_ground), shapely.union(bans.construction, drawn))
        if astray.area < 1.0:
            return None
        drawn = polygons_of(shapely.union(drawn, less(astray, bans.closed)))
    planning = _planning(problem, bans, open_ground, drawn, strategy)
    if planning is None:
        return None
    kept, dropped = planning
    if problem.construction is None:
        return Edit(kept, None, dropped, strategy)
    held = without(shared(problem.construction, kept), bans.construction)
    construction = _few(wide_enough(held, problem.construction, WIDTH), problem.construction)
    return Edit(kept, construction, dropped, strategy)


def _planning(
    problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, drawn: shapely.MultiPolygon, strategy: Strategy
) -> tuple[shapely.MultiPolygon, shapely.MultiPolygon] | None:
    """Planning on allowed ground in no more pieces than drawn, and the parts dropped.

    None where nothing is left, or where parts are to be dropped and there are none.
    """
    held = without(shared(drawn, open_ground), bans.planning)
    if shapely.equals(held, drawn):
        return (drawn, shapely.MultiPolygon()) if strategy.join else None
    held = _few(wide_enough(held, drawn, WIDTH), drawn)
    if not held.geoms:
        return None
    if len(held.geoms) <= problem.pieces:
        return (held, shapely.MultiPolygon()) if strategy.join else None
    way = cleared(problem.window, bans.any_part)
    way = shared(way, open_ground) if strategy.join else shapely.MultiPolygon()
    return joined(held, way, WIDTH, pieces=problem.pieces)


def _few(shape: shapely.MultiPolygon, drawn: shapely.Geometry) -> shapely.MultiPolygon:
    holes = int(shapely.get_num_interior_rings(shapely.get_parts(drawn)).sum())
    return few_holes(shape, max(MOST_HOLES, holes), WIDTH)


def _sized(problem: Problem, bans: Bans, open_ground: shapely.MultiPolygon, now: Edit) -> Edit | None:
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
    keeps = [now.construction, None] if now.construction is not None else [None]
    for keep in keeps:
        left = smaller(now.planning, by, problem.land, keep=keep, pieces=problem.pieces, width=WIDTH)
        if left is None:
            continue
        if now.construction is None:
            return replace(now, planning=left)
        inside = now.construction if keep is not None else _inside(now.construction, left)
        return replace(now, planning=left, construction=inside)
    return None


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
    new = less(construction, stock)
    if new.area > off:
        left = smaller(construction, off, problem.land, keep=shared(construction, stock), pieces=None, width=WIDTH)
        if left is not None:
            return replace(now, construction=left)
    return _stock_left_out(problem, now, stock, off)


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


def _settled(problem: Problem, bans: Bans, now: Edit) -> Edit | None:
    """The edit with new vertices on the grid, still clear of what is forbidden."""
    planning = without_crumbs(settled(now.planning, problem.planning))
    if not 0 < len(planning.geoms) <= problem.pieces:
        return None
    if now.construction is None:
        return replace(now, planning=planning)
    drawn = shapely.union_all([problem.planning.boundary, problem.construction.boundary])  # type: ignore[union-attr]
    construction = without_crumbs(settled(without(now.construction, bans.construction), drawn))
    planning, construction = _fitted(planning, construction, drawn)
    return replace(now, planning=planning, construction=construction) if construction.geoms else None


def _fitted(
    planning: shapely.MultiPolygon, construction: shapely.MultiPolygon, drawn: shapely.Geometry
) -> tuple[shapely.MultiPolygon, shapely.MultiPolygon]:
    """Construction inside planning after rounding: common lines get common vertices, else construction draws back."""
    if shapely.area(shapely.difference(construction, planning)) < _ASTRAY:
        return planning, construction
    common = shapely.snap(planning, construction, 1.5 * GRID)
    whole = shapely.is_valid(common) and len(polygons_of(common).geoms) == len(planning.geoms)
    if whole and shapely.area(shapely.difference(construction, common)) < _ASTRAY:
        return polygons_of(common), construction
    inner = shapely.buffer(planning, -CUT, join_style="mitre")
    return planning, without_crumbs(settled(shapely.intersection(construction, inner), drawn))
