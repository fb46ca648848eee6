"""Draws both areas and writes every file of the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely import Geometry, Polygon

from geoplan_layers.demo import farmland, huzhou, liuzhou, plans, register, tables
from geoplan_layers.demo.facts import facts
from geoplan_layers.demo.landscape import Landscape, drawn
from geoplan_layers.demo.manifest import ENTRIES, Entry, manifest, roles
from geoplan_layers.demo.measure import half_up
from geoplan_layers.demo.mesh import Patch
from geoplan_layers.demo.store import Outline, shapefile, write_tables, zipped
from geoplan_layers.demo.tables import INVENTED, Source, Table
from geoplan_layers.demo.towns import GEAR, ROCK, SILK, TEA, Town, fitted, town
from geoplan_layers.demo.zones import Plane, border, divided

HUZHOU = Source(
    "layers/huzhou",
    "330502",
    "示例区（演示）",
    ("示例镇丝岭村", "示例镇荻浦村", "示例镇菱塘村", "示例镇桑园村", "示例镇石桥村", "示例镇南圩村", "示例镇北圩村", "示例镇竹墩村", "示例镇新港村", "示例镇柳溪村", "示例镇塘湾村", "示例镇荷塘村", "示例镇渔港村", "示例镇鹤鸣村", "示例镇东浜村", "示例镇西兜村", "示例镇陆家漾村", "示例镇钱家潭村"),
)  # fmt: skip
LIUZHOU = Source(
    "layers/liuzhou",
    "450206",
    "示例县（演示）",
    ("示例乡茶山屯", "示例乡石门屯", "示例乡大榕屯", "示例乡百朋屯", "示例乡龙潭屯", "示例乡古亭屯", "示例乡蔗园屯", "示例乡上峒屯", "示例乡下峒屯", "示例乡江湾屯", "示例乡岩口屯", "示例乡竹鹅屯", "示例乡凤山屯", "示例乡田心屯", "示例乡六道屯", "示例乡拉堡屯", "示例乡盘龙屯", "示例乡水源屯"),
)  # fmt: skip


@dataclass(frozen=True)
class Area:
    """An area ready to be written: its land, the patches fitted to its towns, and its zone."""

    key: str
    source: Source
    land: Landscape
    patches: list[Patch]
    towns: list[Town]
    plane: Plane

    def on_plane(self, shapes: Sequence[Geometry]) -> list[Polygon]:
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
        patches = _numbered(fitted(land, towns))
        found.append(Area(key, source, land, patches, towns, Plane(zone)))
    return found


def _numbered(patches: list[Patch]) -> list[Patch]:
    """In the order in which a survey numbers them: village by village, from north to south."""
    def place(patch: Patch) -> tuple[int, int, float]:
        middle = patch.shape.centroid
        return patch.unit, -int(middle.y / 150.0), round(middle.x, 3)

    return sorted(patches, key=place)


def build(folder: Path) -> None:
    """Write the demo below ``folder``: ``boundaries/`` and ``layers/``; same input, same geometry to the byte."""
    for area in areas():
        split = _split(area)
        basic, covered = _farmland(area, split)
        written = _survey(area, split, basic) + _plans(area, split, basic)
        uses, planned = _planned(area, split, basic)
        written += [uses, *_register(area)]
        whole = farmland.outline(area.patches)
        coverages = {role: whole for role, _ in roles(area.key)} | {"planned-land-use": planned, "permanent-basic-farmland": covered}
        write_tables(folder, [*written, *_coverage(area, coverages)])
        for each in area.towns:
            _write_town(folder / "boundaries", each, next(entry for entry in ENTRIES if entry.key == each.key))
    (folder / "boundaries" / "demo.toml").write_text(manifest(), encoding="utf-8")


def _split(area: Area) -> list[tuple[Plane, str, list[Patch]]]:
    """The patches by zone: (plane, ending of the file name, patches)."""
    if area.key == "huzhou":
        return [(area.plane, "", area.patches)]
    bounds = shapely.total_bounds([patch.shape for patch in area.patches])
    west, east = divided(area.patches, border(bounds[1] - 600.0, bounds[3] + 600.0))
    return [(Plane(36), "-36", _numbered(west)), (Plane(37), "-37", _numbered(east))]
