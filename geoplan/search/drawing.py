"""A region's two boundaries: the planning area, and in it the construction area on land that may be built on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import polygons_of, survey_area
from geoplan.messages import Message
from geoplan.search.assembly import Reason
from geoplan.search.cover import apart, covered_share
from geoplan.search.features import Features
from geoplan.search.found import Ground, Study
from geoplan.search.grid import Grid
from geoplan.search.inner import inner_region
from geoplan.search.limits import Areas
from geoplan.search.outline import boundary_of, faces
from geoplan.search.regions import Field, Region, RegionRules, region_from

_AROUND = 300.0
"""Metres round a region in which lines to follow are looked for."""
_TRIES = 4
_MOST_SEEDS = 1500
"""Seeds of a construction area; a lattice of the region's cells where there are more."""
_SUITABILITY = 0.1
"""How much suitability counts in a construction area beside the land that it is to spare."""


@dataclass(frozen=True)
class Drawn:
    """Boundaries of a region, the region that they were drawn from, or why there are none."""

    region: Region
    planning: shapely.Polygon | None = None
    construction: shapely.Polygon | None = None
    why: Message | None = None


def draw(
    study: Study, ground: Ground, field: Field, rules: RegionRules, region: Region, taken: shapely.Geometry
) -> Drawn:
    """The boundaries of a region; it is grown larger or smaller where cutting leaves it outside its limits.

    Parameters
    ----------
    taken
        Ground that other candidates have taken, with the distance to be kept from them.
    """
    limits, wanted = study.planning, rules.target
    drawn: Drawn = Drawn(region, why=Message("search.dropped.no-outline"))
    for _ in range(_TRIES):
        drawn = _planning(study, ground, region, taken)
        if drawn.planning is None:
            return drawn
        area = survey_area(drawn.planning, study.grid.plane)
        if limits.holds(area):
            break
        drawn = Drawn(
            region, why=Message("search.dropped.area", {"area": area, "low": limits.low, "high": limits.high})
        )
        wanted *= limits.target / area
        resized = replace(rules, target=wanted, minimum=min(rules.minimum, wanted), maximum=max(rules.maximum, wanted))
        again = region_from(field, resized, region.seed)
        if again is None or np.array_equal(again.cells, region.cells):
            return drawn
        region = again
    if drawn.planning is None:
        return drawn
    return _with_construction(study, ground, drawn)


def _planning(study: Study, ground: Ground, region: Region, taken: shapely.Geometry) -> Drawn:
    window = _window(study.grid, region)
    cells = _cells(study.grid, region)
    free = free_ground(study, ground, region, taken)
    planning = boundary_of(cells, free, _along(study, window), study.criteria.outline, study.grid.cell)
    return Drawn(region, planning, why=None if planning else Message("search.dropped.no-outline"))


def free_ground(study: Study, ground: Ground, region: Region, taken: shapely.Geometry) -> shapely.MultiPolygon:
    """The ground round a region that nothing excludes and no other candidate has taken, exactly."""
    window = _window(study.grid, region)
    open_ = polygons_of(shapely.difference(shapely.intersection(study.area, window), taken))
    return _without(study, ground, open_, window, "planning")


def _window(grid: Grid, region: Region) -> shapely.Polygon:
    rows, columns = np.divmod(region.cells, grid.columns)
    west, east = grid.west + columns.min() * grid.cell, grid.west + (columns.max() + 1) * grid.cell
    north, south = grid.north - rows.min() * grid.cell, grid.north - (rows.max() + 1) * grid.cell
    window: shapely.Polygon = shapely.box(west - _AROUND, south - _AROUND, east + _AROUND, north + _AROUND)
    return window


def _cells(grid: Grid, region: Region) -> shapely.Geometry:
    rows, columns = np.divmod(region.cells, grid.columns)
    west, north = grid.west + columns * grid.cell, grid.north - rows * grid.cell
    return shapely.union_all(shapely.box(west, north - grid.cell, west + grid.cell, north))


def _along(study: Study, window: shapely.Polygon) -> NDArray[np.object_]:
    """The pieces of ground whose edges a boundary may follow, where layers of that kind are given."""
    shapes = [
        study.sources.near(role, window).shapes for role in study.criteria.outline.along if study.sources.site.has(role)
    ]
    if not shapes:
        return np.array([], dtype=object)
    every = np.concatenate(shapes)
    flat = shapely.get_dimensions(every) < 2
    parts = shapely.get_parts(every[~flat])
    return faces(np.asarray(parts[shapely.get_type_id(parts) == 3], dtype=object), every[flat], window)


def _without(
    study: Study, ground: Ground, free: shapely.Geometry, window: shapely.Polygon, part: str
) -> shapely.MultiPolygon:
    """Free ground without what the reasons of a part exclude: exactly where they have geometry, else by cells."""
    taken: list[shapely.Geometry] = [
        _not_approved(study, each, each.exact(window))
        for each in study.reasons
        if each.part == part and each.exact is not None
    ]
    cells = _excluded_cells(study, ground, window, part)
    if cells is not None:
        taken.append(cells)
    return polygons_of(shapely.difference(free, shapely.union_all(np.array(taken, dtype=object))))


def _not_approved(study: Study, reason: Reason, ground: shapely.Geometry) -> shapely.Geometry:
    """What a reason excludes where no approved site wins over it."""
    won = [each.area for each in study.approved if reason.constraint.id in each.over]
    return shapely.difference(ground, shapely.union_all(np.array(won, dtype=object))) if won else ground


def _excluded_cells(study: Study, ground: Ground, window: shapely.Polygon, part: str) -> shapely.Geometry | None:
    """Cells near a window that a reason without geometry excludes or does not know, their steps smoothed outward."""
    exclusions = ground.exclusions if part == "planning" else ground.building
    bits = [
        i for i, each in enumerate([reason for reason in study.reasons if reason.part == part]) if each.exact is None
    ]
    if exclusions is None or not bits:
        return None
    grid = study.grid
    rows, columns = _range(grid, window)
    wanted = sum(1 << i for i in bits)
    inside = np.s_[rows[0] : rows[1], columns[0] : columns[1]]
    hit = ((exclusions.reasons[inside] | exclusions.doubts[inside]) & wanted) != 0
    sub = Grid(grid.plane, grid.west + columns[0] * grid.cell, grid.north - rows[0] * grid.cell, grid.cell, *hit.shape)
    cells = sub.outline(hit)
    # Simplified by less than it was widened, the outline lies outside the cells everywhere, without their steps.
    wide = shapely.buffer(cells, grid.cell, join_style="mitre", mitre_limit=2.0)
    return shapely.make_valid(shapely.simplify(wide, grid.cell * 0.99))


def _range(grid: Grid, window: shapely.Polygon) -> tuple[tuple[int, int], tuple[int, int]]:
    west, south, east, north = shapely.bounds(window)
    first = max(0, int(np.floor((grid.north - north) / grid.cell)))
    last = min(grid.rows, int(np.ceil((grid.north - south) / grid.cell)))
    left = max(0, int(np.floor((west - grid.west) / grid.cell)))
    right = min(grid.columns, int(np.ceil((east - grid.west) / grid.cell)))
    return (first, max(last, first)), (left, max(right, left))


def _with_construction(study: Study, ground: Ground, drawn: Drawn) -> Drawn:
    assert drawn.planning is not None
    limits, grid = study.construction, study.grid
    window = shapely.box(*shapely.bounds(drawn.planning))
    (first, last), (left, right) = _range(grid, window)
    sub = Grid(
        grid.plane, grid.west + left * grid.cell, grid.north - first * grid.cell, grid.cell, last - first, right - left
    )
    inside = np.s_[first:last, left:right]
    planned = covered_share(Features.of([drawn.planning]), sub) == 1
    share = ground.exclusions.usable[inside].astype(np.float32) / 100
    if ground.building is not None:
        share = np.minimum(share, ground.building.usable[inside].astype(np.float32) / 100)
    score = _sparing(study, sub, ground.suitability[inside])
    allowed = ground.buildable[inside] & ~np.isnan(score)
    region = inner_region(
        planned, allowed, score, grid.cell, _rules(study, limits), share, seeds=_lattice(planned & allowed)
    )
    why = Message("search.dropped.no-construction", {"low": limits.low})
    if region is None:
        return Drawn(drawn.region, why=why)
    cells = _cells(sub, region)
    free = _without(study, ground, drawn.planning, window, "construction")
    built = boundary_of(cells, free, _along(study, window), study.criteria.outline, grid.cell)
    if built is None:
        return Drawn(drawn.region, why=why)
    area = survey_area(built, grid.plane)
    if not limits.holds(area):
        more = {"area": area, "low": limits.low, "high": limits.high}
        return Drawn(drawn.region, why=Message("search.dropped.construction-area", more))
    return replace(drawn, construction=built)


def _rules(study: Study, limits: Areas) -> RegionRules:
    asked = study.criteria.construction
    return RegionRules(limits.target, limits.minimum, limits.maximum, asked.shape, asked.tradeoff)


def _lattice(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells, or every k-th row and column of them where they are many."""
    step = max(1, int(np.ceil(np.sqrt(cells.sum() / _MOST_SEEDS))))
    found = np.zeros_like(cells)
    found[::step, ::step] = cells[::step, ::step]
    return found if found.any() else cells


def _sparing(study: Study, grid: Grid, suitability: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a construction area takes first: land of no ``avoid`` group, the first of them last, then suitability."""
    site, avoid = study.sources.site, study.criteria.construction.avoid
    score = 1 + np.float32(_SUITABILITY) * suitability
    if not site.has("land-use") or not avoid:
        return score
    generation = site.generation("land-use")
    patches = study.sources.near("land-use", shapely.box(*grid.bounds))
    for place, group in enumerate(avoid):
        shapes = patches.of((group,), generation).shapes
        weight = (len(avoid) - place) / (len(avoid) * (len(avoid) + 1) / 2)
        score = score - np.float32(weight) * covered_share(Features.of(apart(shapes)), grid).astype(np.float32)
    return score
