"""The edits: cut off what is forbidden, keep in one piece, bring the sizes into their limits."""

from __future__ import annotations

from dataclasses import replace

import shapely

from geoplan.measure import polygons_of
from geoplan.progress import Progress
from geoplan.prohibited import less, shared
from geoplan.repair.problem import Bans, Problem, cleared
from geoplan.repair.sizes import leaves_out_stock, sized
from geoplan.repair.strategy import Edit, Strategy
from geoplan.shaping.clear import CUT, GRID, settled, without
from geoplan.shaping.pieces import WIDTH, few_holes, joined, wide_enough, without_crumbs

MOST_HOLES = 12
"""Holes (天窗) that an edited area may have, unless more were drawn."""
_ROUNDS = 8
_ASTRAY = 1e-3
"""m²: construction outside planning that is dust."""


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
    if first is None or (strategy.stock_first and not leaves_out_stock(problem, first)):
        return None
    progress("repair-edit", 1, 3)
    now = first
    for _ in range(_ROUNDS):
        after = sized(problem, bans, open_ground, now)
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
