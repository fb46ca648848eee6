"""What plans draw over the survey: planned uses (规划用地布局), control zones, the urban boundary, the red line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from geoplan_layers.demo.classes import KEPT, LANES, is_built
from geoplan_layers.demo.mesh import Patch, dissolved
from geoplan_layers.demo.towns import Town

CORE = 640.0  # m around a planning boundary; as far as the planned uses are drawn
_NEW = (("1001", 0.42), ("0901", 0.1), ("0902", 0.08), ("0802", 0.12), ("0803", 0.06), ("0701", 0.1), ("1401", 0.08), ("1403", 0.04))
_GREEN = (("keep", 0.62), ("1401", 0.14), ("0201", 0.07), ("0301", 0.09), ("1704", 0.08))
_KEEP_INSIDE = frozenset({"0701", "05H1", "08H2", "0810", "1003", "1001", "1101", "1107", "1102"})
_OPEN = frozenset({"0101", "0102", "0103", "0204", "0404", "1206", "0307", "0201"})


@dataclass(frozen=True)
class Overlap:
    """How much of each patch lies in a town's planning and construction boundary, as shares of the patch."""

    planning: list[float]
    construction: list[float]


def overlap(patches: Sequence[Patch], town: Town) -> Overlap:
    """Shares of all patches in the two boundaries of a town."""
    shapes = np.array([patch.shape for patch in patches], dtype=object)
    whole = shapely.area(shapes)
    return Overlap(
        (shapely.area(shapely.intersection(shapes, town.planning)) / whole).tolist(),
        (shapely.area(shapely.intersection(shapes, town.construction)) / whole).tolist(),
    )


def planned_uses(
    patches: Sequence[Patch], towns: Sequence[Town], seed: int, blank: Callable[[Town, Patch], bool]
) -> tuple[list[tuple[str, Polygon]], Polygon | MultiPolygon]:
    """Planned uses by 用地用海 code around the towns, and the area that the plan covers, blank places included.

    ``blank``: patches of a town's planning area for which no use is drawn.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    codes: dict[int, tuple[str, str]] = {}
    core: set[int] = set()
    for town in towns:
        shares = overlap(patches, town)
        near = [i for i, patch in enumerate(patches) if patch.shape.dwithin(town.planning, CORE)]
        core |= set(near)
        dice = {block: rng.random(2).tolist() for block in sorted({patches[i].block for i in near})}
        for i in near:
            patch = patches[i]
            if shares.planning[i] > 0.0 and shares.construction[i] == 0.0 and blank(town, patch):
                continue
            building, resting = dice[patch.block]
            code = _code(patch.use, shares.planning[i], shares.construction[i], building, resting)
            codes[i] = (code, f"{town.key} {patch.block}")
    uses = dissolved(patches, lambda i: codes.get(i))
    covered = shapely.coverage_union_all([patches[i].shape for i in sorted(core)])
    return [(code, part) for (code, _), part in uses], covered


def _code(use: str, planning: float, construction: float, building: float, resting: float) -> str:
    kept = KEPT[use]
    if construction > 0.3 and use not in _KEEP_INSIDE:
        return "1207" if use in LANES or use == "1004" else _drawn(_NEW, building)
    if planning > 0.5 and construction < 0.05 and use in _OPEN:
        drawn = _drawn(_GREEN, resting)
        return kept if drawn == "keep" else drawn
    return kept


def _drawn(table: tuple[tuple[str, float], ...], dice: float) -> str:
    for code, share in table:
        dice -= share
        if dice < 0.0:
            return code
    return table[0][0]


def urban_zones(
    patches: Sequence[Patch], towns: Sequence[Town], basic: set[int], narrow: frozenset[str]
) -> list[tuple[str, Polygon]]:
    """The three zones of the urban boundary as (name, polygon).

    The built-up zone takes every patch within 12 m of a town's construction boundary; for towns in ``narrow`` only
    what is built there already, so that part of their construction lies outside.
    """
    names: dict[int, str] = {}
    for i, patch in enumerate(patches):
        if is_built(patch.use) and patch.use not in {"0703", "1001", "1003"}:
            names[i] = "城镇集中建设区"
    for town in towns:
        for i, patch in enumerate(patches):
            away = patch.shape.distance(town.construction)
            if away < 12.0 and (town.key not in narrow or (patch.use in {"1206", "1004"} and i not in basic)):
                names[i] = "城镇集中建设区"
            elif away < 160.0 and i not in names and i not in basic and patch.use in _OPEN | LANES and town.planning.contains(patch.shape.centroid):
                names[i] = "城镇弹性发展区"
            elif i not in names and patch.use in {"1102", "0301", "0302", "0202"} and town.planning.contains(patch.shape):
                names[i] = "特别用途区"
    return [(name, part) for name, part in dissolved(patches, names.get) if part.area > 4_000.0]


def control_zones(
    patches: Sequence[Patch], towns: Sequence[Town], basic: set[int], red: set[int]
) -> list[tuple[str, Polygon]]:
    """管制区 codes over the whole area: 010 allowed, 020 conditional, 030 restricted, 040 prohibited."""
    heart = shapely.union_all([town.construction for town in towns])

    def zone(i: int) -> tuple[str, int]:
        patch = patches[i]
        if i in red:
            return "040", patch.unit
        if is_built(patch.use) or (i not in basic and patch.shape.dwithin(heart, 12.0)):
            return "010", patch.unit
        near = i not in basic and patch.use not in {"1101", "1102"} and patch.shape.dwithin(heart, 220.0)
        return ("020" if near else "030"), patch.unit

    return [(code, part) for (code, _), part in dissolved(patches, zone)]


def red_line(patches: Sequence[Patch], towns: Sequence[Town], least: float, shore: bool) -> set[int]:
    """Indices of patches in the ecological red line: connected hill woods over ``least`` m², and a lake with its shore.

    Nothing within 60 m of a planning boundary.
    """
    def open_to_it(i: int, uses: frozenset[str]) -> bool:
        return patches[i].use in uses and not any(patches[i].shape.dwithin(town.planning, 60.0) for town in towns)

    woods = frozenset({"0301", "0302", "0305", "1207"})
    members = {i for i in range(len(patches)) if open_to_it(i, woods)}
    massifs = [part for _, part in dissolved(patches, lambda i: 0 if i in members else None) if part.area > least]
    whole = shapely.union_all(massifs)
    found = {i for i in members if whole.covers(patches[i].shape.representative_point())}
    if shore:
        lake = max((i for i in range(len(patches)) if open_to_it(i, frozenset({"1102"}))), key=lambda i: patches[i].shape.area)
        soft = frozenset({"1102", "1104", "0204", "0301", "0307", "0201", "0404", "1107"})
        found |= {i for i in range(len(patches)) if open_to_it(i, soft) and patches[i].shape.dwithin(patches[lake].shape, 1.0)}
    return found
