"""What an edit changes: ground kept, removed and added, its cost by kind of land, and the balance of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from geoplan.balance import adding_up
from geoplan.measure import PRINTS_AS_ZERO, survey_area
from geoplan.pieces import cut
from geoplan.prohibited import less, shared
from geoplan.repair.problem import Problem
from geoplan.repair.strategy import Edit, Kind
from geoplan.shaping.pieces import count_holes

Part = Literal["planning", "construction"]
Did = Literal["kept", "removed", "added"]
_NOTED = 1.0
"""m²: an addition below this names no kind of edit."""


@dataclass(frozen=True)
class Ground:
    """Ground of one part with what an edit did to it; m² by the survey's formula."""

    part: Part
    did: Did
    shape: shapely.MultiPolygon
    area: float


@dataclass(frozen=True)
class ClassChange:
    """Area of one class within a part before and after, m²; classes of a column add up."""

    part: Part
    code: str
    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Change:
    """All that an edit changes: area and cost (m², and m² by weight), holes left in planning, and the accounts."""

    kind: Kind
    area: float
    cost: float
    holes: int
    grounds: tuple[Ground, ...]
    balance: tuple[ClassChange, ...]

    def total(self, part: Part, did: Did) -> float:
        """m² of one part that were kept, removed or added."""
        return sum(g.area for g in self.grounds if g.part == part and g.did == did)


def change_of(problem: Problem, made: Edit) -> Change:
    """The change that an edit makes to a problem's boundaries."""
    pairs: list[tuple[Part, shapely.MultiPolygon, shapely.MultiPolygon]] = [
        ("planning", problem.planning, made.planning)
    ]
    if problem.construction is not None and made.construction is not None:
        pairs.append(("construction", problem.construction, made.construction))
    grounds = tuple(g for part, before, after in pairs for g in _grounds(problem, part, before, after))
    changed = [g for g in grounds if g.did != "kept"]
    cost = sum(_cost(problem, g) for g in changed)
    area = sum(g.area for g in changed)
    balance = tuple(row for part, before, after in pairs for row in _balance(problem, part, before, after))
    return Change(_kind(grounds, made), area, cost, count_holes(made.planning), grounds, balance)


def _grounds(problem: Problem, part: Part, before: shapely.MultiPolygon, after: shapely.MultiPolygon) -> list[Ground]:
    plane = problem.site.plane
    shapes: list[tuple[Did, shapely.MultiPolygon]] = [
        ("kept", shared(before, after)),
        ("removed", less(before, after)),
        ("added", less(after, before)),
    ]
    return [
        Ground(part, did, shape, area) for did, shape in shapes if (area := survey_area(shape, plane)) >= PRINTS_AS_ZERO
    ]


def _kind(grounds: tuple[Ground, ...], made: Edit) -> Kind:
    added = {
        part: sum(g.area for g in grounds if g.part == part and g.did == "added")
        for part in ("planning", "construction")
    }
    if added["construction"] > _NOTED:
        return "shift"
    if added["planning"] > _NOTED:
        return "extend"
    return "split-off" if made.dropped.geoms else "shrink"


def _cost(problem: Problem, ground: Ground) -> float:
    land = problem.land
    weights = land.gives if ground.did == "removed" else land.takes
    shapely.prepare(ground.shape)
    hit = np.flatnonzero(shapely.intersects(ground.shape, land.shapes))
    areas = shapely.area(shapely.intersection(land.shapes[hit], ground.shape))
    return float(areas @ weights[hit]) + max(ground.area - float(areas.sum()), 0.0)


def _balance(
    problem: Problem, part: Part, before: shapely.MultiPolygon, after: shapely.MultiPolygon
) -> list[ClassChange]:
    """Area by class of land use before and after; ground on no patch has no class. Each column adds up."""
    site = problem.site
    if not site.has("land-use"):
        return []
    columns = [_by_class(problem, shape) for shape in (before, after)]
    keys = sorted(set(columns[0]) | set(columns[1]))
    sums = [adding_up([column.get(key, 0.0) for key in keys]) for column in columns]
    return [
        ClassChange(part, code, name, first, second)
        for (code, name), first, second in zip(keys, sums[0], sums[1], strict=True)
    ]


def _by_class(problem: Problem, shape: shapely.MultiPolygon) -> dict[tuple[str, str], float]:
    site = problem.site
    patches, _, areas = cut(site.patches("land-use"), shape, site.plane)
    found: dict[tuple[str, str], float] = {}
    for code, name, area in zip(patches.codes, patches.names, areas, strict=True):
        key = (str(code), str(name))
        found[key] = found.get(key, 0.0) + float(area)
    bare = survey_area(shape, site.plane) - sum(found.values())
    if bare >= PRINTS_AS_ZERO:
        found["", ""] = bare
    return found
