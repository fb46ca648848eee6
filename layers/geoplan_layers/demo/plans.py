"""What plans draw over the survey: planned uses (规划用地布局), control zones, the urban boundary, the red line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Geometry, Polygon
from shapely.geometry.base import BaseGeometry

from geoplan_layers.demo.classes import KEPT, LANES, is_built
from geoplan_layers.demo.mesh import GRID, Patch, dissolved
from geoplan_layers.demo.towns import Town

CORE = 640.0  # m around a planning boundary; as far as the planned uses are drawn
_NEW = (
    ("1001", 0.42),
    ("0901", 0.1),
    ("0902", 0.08),
    ("0802", 0.12),
    ("0803", 0.06),
    ("0701", 0.1),
    ("1401", 0.08),
    ("1403", 0.04),
)
_GREEN = (("keep", 0.62), ("1401", 0.14), ("0201", 0.07), ("0301", 0.09), ("1704", 0.08))
_KEEP_INSIDE = frozenset({"0701", "05H1", "08H2", "0810", "1003", "1001", "1101", "1107", "1102"})
_RURAL = frozenset({"0703", "1001", "1003"})
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


def _near(patches: Sequence[Patch], area: Polygon, metres: float) -> list[int]:
    shapes = np.array([patch.shape for patch in patches], dtype=object)
    return np.flatnonzero(shapely.dwithin(shapes, area, metres)).tolist()


def planned_uses(
    patches: Sequence[Patch], towns: Sequence[Town], seed: int, blank: Callable[[Town, Patch], bool]
) -> tuple[list[tuple[str, Polygon]], Geometry]:
    """Planned uses by 用地用海 code around the towns, and the area that the plan covers, blank places included.

    ``blank``: patches of a town's planning area for which no use is drawn.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    codes: dict[int, tuple[str, str]] = {}
    core: set[int] = set()
    for town in towns:
        shares = overlap(patches, town)
        near = _near(patches, town.planning, CORE)
        core |= set(near)
        block = {number: rng.random(2).tolist() for number in sorted({patches[i].block for i in near})}
        for i in near:
            patch, chance, own = patches[i], float(rng.random()), float(rng.random())
            if shares.planning[i] > 0.5 and shares.construction[i] == 0.0 and blank(town, patch):
                continue
            building, resting = block[patch.block]
            dice = (own, own) if chance < 0.45 else (building, resting)
            code = _code(patch.use, shares.planning[i], shares.construction[i], dice)
            codes[i] = (code, f"{town.key} {patch.block}")
    uses = dissolved(patches, lambda i: codes.get(i))
    covered = shapely.coverage_union_all([patches[i].shape for i in sorted(core)])
    return [(code, part) for (code, _), part in uses], covered


def _code(use: str, planning: float, construction: float, dice: tuple[float, float]) -> str:
    kept = KEPT[use]
    if construction > 0.3 and use not in _KEEP_INSIDE:
        return "1207" if use in LANES or use == "1004" else _drawn(_NEW, dice[0])
    if planning > 0.5 and construction < 0.05 and use in _OPEN:
        drawn = _drawn(_GREEN, dice[1])
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

    The built-up zone takes every patch within 12 m of a town's construction boundary (of roads and canals the part
    within 40 m); for towns in ``narrow`` only waste land and streets, so that part of their construction lies outside.
    """
    town_land = {i for i, patch in enumerate(patches) if is_built(patch.use) and patch.use not in _RURAL}
    heart: list[BaseGeometry] = [patches[i].shape for i in sorted(town_land)]
    names: dict[int, str] = {}
    for town in towns:
        fence = town.construction.buffer(40.0, join_style="mitre")
        for i in _near(patches, town.planning, 0.0):
            patch = patches[i]
            away = patch.shape.distance(town.construction)
            if _urban(patch, town, away, i in basic, town.key in narrow):
                heart.append(patch.shape.intersection(fence) if patch.use in LANES else patch.shape)
                names[i] = "城镇集中建设区"
            elif i not in town_land and i not in basic and town.planning.contains(patch.shape.centroid):
                names |= _soft(i, patch.use, away)
    core = shapely.get_parts(shapely.union_all(heart, grid_size=GRID))
    soft = dissolved(patches, lambda i: None if names.get(i) == "城镇集中建设区" else names.get(i))
    zones = [("城镇集中建设区", part) for part in core] + soft
    return [(name, shapely.normalize(part)) for name, part in zones if part.area > 4_000.0]


def _soft(index: int, use: str, away: float) -> dict[int, str]:
    if away < 160.0 and use in _OPEN:
        return {index: "城镇弹性发展区"}
    return {index: "特别用途区"} if use in {"1102", "0301", "0302", "0202"} else {}


def _urban(patch: Patch, town: Town, away: float, basic: bool, narrow: bool) -> bool:
    if narrow:
        return away < 12.0 and patch.use in {"1206", "1004"} and not basic
    if patch.use == "1102":
        return bool(patch.shape.intersection(town.construction).area > 1.0)
    return away < 12.0


def control_zones(
    patches: Sequence[Patch], towns: Sequence[Town], basic: set[int], red: set[int]
) -> list[tuple[str, Polygon]]:
    """管制区 codes over the whole area: 010 allowed, 020 conditional, 030 restricted, 040 prohibited."""
    beside = {i for town in towns for i in _near(patches, town.construction, 12.0)}
    around = {i for town in towns for i in _near(patches, town.construction, 220.0)}

    def zone(i: int) -> tuple[str, int]:
        patch = patches[i]
        if i in red:
            return "040", patch.unit
        if is_built(patch.use) or (i not in basic and i in beside):
            return "010", patch.unit
        near = i not in basic and patch.use not in {"1101", "1102"} and i in around
        return ("020" if near else "030"), patch.unit

    return [(code, part) for (code, _), part in dissolved(patches, zone)]


def red_line(patches: Sequence[Patch], towns: Sequence[Town], least: float, shore: bool) -> set[int]:
    """Indices of patches in the ecological red line: connected hill woods over ``least`` m², and a lake with its shore.

    Nothing within 60 m of a planning boundary.
    """
    kept = {i for town in towns for i in _near(patches, town.planning, 60.0)}

    def open_to_it(i: int, uses: frozenset[str]) -> bool:
        return patches[i].use in uses and i not in kept

    woods = frozenset({"0301", "0302", "0305", "1207"})
    members = {i for i in range(len(patches)) if open_to_it(i, woods)}
    massifs = [part for _, part in dissolved(patches, lambda i: 0 if i in members else None) if part.area > least]
    whole = shapely.union_all(massifs)
    found = {i for i in members if whole.covers(patches[i].shape.representative_point())}
    if shore:
        lake = max(
            (i for i in range(len(patches)) if open_to_it(i, frozenset({"1102"}))), key=lambda i: patches[i].shape.area
        )
        soft = frozenset({"1102", "1104", "0204", "0301", "0307", "0201", "0404"})
        found |= {
            i for i in range(len(patches)) if open_to_it(i, soft) and patches[i].shape.dwithin(patches[lake].shape, 1.0)
        }
    return found
