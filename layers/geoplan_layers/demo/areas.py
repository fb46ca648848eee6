"""The two areas, drawn and fitted to their towns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import shapely
from shapely import Geometry, Polygon, STRtree

from geoplan_layers.demo import farmland, huzhou, liuzhou, plans
from geoplan_layers.demo.classes import is_farmed
from geoplan_layers.demo.landscape import Landscape, drawn
from geoplan_layers.demo.mesh import Patch
from geoplan_layers.demo.tables import Source
from geoplan_layers.demo.towns import GEAR, ROCK, SILK, TEA, Town, fitted, town
from geoplan_layers.demo.zones import Plane, border, divided


def _named(township: str, kind: str, names: str) -> tuple[str, ...]:
    return tuple(f"{township}{name}{kind}" for name in names.split())


HUZHOU = Source(
    "layers/huzhou",
    "330502",
    "示例区（演示）",
    _named(
        "示例", "村", "丝岭 荻浦 菱塘 桑园 石桥 南圩 北圩 竹墩 新港 柳溪 塘湾 荷塘 渔港 鹤鸣 东浜 西兜 陆家漾 钱家潭"
    ),
)
LIUZHOU = Source(
    "layers/liuzhou",
    "450206",
    "示例县（演示）",
    _named("示例", "屯", "茶山 石门 大榕 百朋 龙潭 古亭 蔗园 上峒 下峒 江湾 岩口 竹鹅 凤山 田心 六道 拉堡 水源"),
)


Shape = TypeVar("Shape", bound=Geometry)


@dataclass(frozen=True)
class Area:
    """An area ready to be written: its land, the patches fitted to its towns, and its zone."""

    key: str
    source: Source
    land: Landscape
    patches: list[Patch]
    towns: list[Town]
    plane: Plane

    def on_plane(self, shapes: Sequence[Shape]) -> list[Shape]:
        """Shapes in the delivered zone of the area (m, zone number before the easting)."""
        return [shapely.transform(shape, self.plane) for shape in shapes]


def areas() -> list[Area]:
    """Both areas, drawn."""
    found: list[Area] = []
    for key, source, scene, drafts, zone in (
        ("huzhou", HUZHOU, huzhou.SCENE, (SILK, GEAR), 40),
        ("liuzhou", LIUZHOU, liuzhou.SCENE, (TEA, ROCK), 36),
    ):
        land = drawn(scene)
        towns = [town(land, draft) for draft in drafts]
        patches = numbered(fitted(land, towns))
        found.append(Area(key, source, land, patches, towns, Plane(zone)))
    return found


def numbered(patches: list[Patch]) -> list[Patch]:
    """In the order in which a survey numbers them: village by village, from north to south."""

    def place(patch: Patch) -> tuple[int, int, float]:
        middle = patch.shape.centroid
        return patch.unit, -int(middle.y / 150.0), round(middle.x, 3)

    return sorted(patches, key=place)


@dataclass(frozen=True)
class Zone:
    """The patches of an area in one zone: plane, ending of the file names, patches in order of their numbers."""

    plane: Plane
    ending: str
    patches: list[Patch]

    def basic(self, area: Area, chosen: Sequence[int]) -> list[int]:
        """Which of these patches are basic farmland, when ``chosen`` are those of the undivided area."""
        fields = [i for i, patch in enumerate(self.patches) if is_farmed(patch.use)]
        tree = STRtree([area.patches[i].shape for i in chosen])
        points = np.array([self.patches[i].shape.representative_point() for i in fields], dtype=object)
        return sorted({fields[i] for i in tree.query(points, predicate="within")[0].tolist()})


def zones(area: Area) -> list[Zone]:
    """An area by zone; Liuzhou is cut at 109.5E."""
    if area.key == "huzhou":
        return [Zone(area.plane, "", area.patches)]
    bounds = shapely.total_bounds([patch.shape for patch in area.patches])
    west, east = divided(area.patches, border(bounds[1] - 600.0, bounds[3] + 600.0))
    return [Zone(Plane(36), "-36", numbered(west)), Zone(Plane(37), "-37", numbered(east))]


@dataclass(frozen=True)
class Farmland:
    """Basic farmland of an undivided area: patch indices, and the area that the delivery covers."""

    chosen: list[int]
    covered: Polygon


def basic_farmland(area: Area) -> Farmland:
    """Basic farmland: none in the silk, tea and rock towns, much in the gear town; part of the rock town is unknown."""
    free = [town.planning for town in area.towns if town.key != "huzhou-gear"]
    rich = [town.planning for town in area.towns if town.key == "huzhou-gear"]
    covered = farmland.outline(area.patches)
    if area.key == "liuzhou":
        rock = next(town for town in area.towns if town.key == "liuzhou-rock")
        covered = farmland.handed_over(area.patches, rock.planning, 0.62)
    chosen = farmland.basic_farmland(area.patches, area.land.origin, 20221001, rich, free)
    inside = covered.buffer(0.5)
    return Farmland([i for i in chosen if inside.covers(area.patches[i].shape)], covered)


def red_line(area: Area) -> set[int]:
    """Patches in the ecological red line."""
    return plans.red_line(
        area.patches, area.towns, 150_000.0 if area.key == "huzhou" else 60_000.0, shore=area.key == "huzhou"
    )
