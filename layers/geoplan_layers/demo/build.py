"""Writes every file of the demo: layers, registers, boundaries, facts and the manifest."""

from __future__ import annotations

from pathlib import Path

import shapely
from shapely import Geometry, Polygon

from geoplan_layers.demo import plans, register, tables
from geoplan_layers.demo.areas import Area, Farmland, areas, basic_farmland, red_line, zones
from geoplan_layers.demo.classes import LANES
from geoplan_layers.demo.facts import facts
from geoplan_layers.demo.farmland import outline
from geoplan_layers.demo.manifest import ENTRIES, Entry, manifest, roles
from geoplan_layers.demo.measure import half_up
from geoplan_layers.demo.mesh import Patch, dissolved
from geoplan_layers.demo.store import Outline, shapefile, write_tables, zipped
from geoplan_layers.demo.tables import INVENTED, Table
from geoplan_layers.demo.towns import Town
from geoplan_layers.demo.zones import Plane

_NAMES = {
    "huzhou-silk": ("gbk", "示例丝创小镇{kind}"),
    "huzhou-gear": ("gbk", "示例齿轮小镇/{kind}"),
    "liuzhou-tea": ("gbk", "{part}"),
    "liuzhou-rock": ("utf-8", "奇石小镇{kind}（演示）"),
}
_KINDS = {"planning": "规划范围", "construction": "建设范围"}


def build(folder: Path) -> None:
    """Write the demo below ``folder``: ``boundaries/`` and ``layers/``; the geometry is the same on every machine."""
    (folder / "boundaries").mkdir(parents=True, exist_ok=True)
    for area in areas():
        land = basic_farmland(area)
        uses, planned = _planned_uses(area)
        written = [*_survey(area, land), *_plans(area, land), uses, *_plots(area), *_register(area)]
        whole = outline(area.patches)
        covers: dict[str, Geometry] = {role: whole for role, _ in roles(area.key)}
        covers |= {"planned-land-use": planned, "permanent-basic-farmland": land.covered}
        write_tables(folder, [*written, *_coverage(area, covers)])
        for town in area.towns:
            _write_town(folder / "boundaries", town, next(entry for entry in ENTRIES if entry.key == town.key))
    (folder / "boundaries" / "demo.toml").write_text(manifest(), encoding="utf-8")


def _survey(area: Area, land: Farmland) -> list[Table]:
    """Land use and basic farmland, one file each per zone."""
    found: list[Table] = []
    for zone in zones(area):
        shapes = [shapely.transform(patch.shape, zone.plane) for patch in zone.patches]
        start = f"{area.source.folder}/dltb{zone.ending}.gpkg"
        uses = tables.land_use(area.source, start, zone.plane.epsg, zone.patches, shapes)
        rows = zone.basic(area, land.chosen)
        farms = f"{area.source.folder}/yjjbnttb{zone.ending}.gpkg"
        found += [uses, tables.basic_farmland(area.source, farms, uses, rows, zone.patches)]
    return found


def _plans(area: Area, land: Farmland) -> list[Table]:
    """Red line, control zones and urban boundary."""
    source, epsg, basic, red = area.source, area.plane.epsg, set(land.chosen), red_line(area)
    lines = [part for _, part in dissolved(area.patches, lambda i: 0 if i in red else None)]
    controls = plans.control_zones(area.patches, area.towns, basic, red)
    urban = plans.urban_zones(area.patches, area.towns, basic, frozenset({"huzhou-gear"}))
    kind = "丘陵湖荡" if area.key == "huzhou" else "峰林石山"
    return [
        tables.red_line(source, epsg, area.on_plane(lines), kind),
        tables.control_zones(
            source, epsg, [code for code, _ in controls], area.on_plane([part for _, part in controls])
        ),
        tables.urban_boundary(source, epsg, [name for name, _ in urban], area.on_plane([part for _, part in urban])),
    ]


def _planned_uses(area: Area) -> tuple[Table, Geometry]:
    """Planned uses around the towns; the eastern rim of the gear town has none drawn."""

    def blank(town: Town, patch: Patch) -> bool:
        west, _, east, _ = town.planning.bounds
        return (
            town.key == "huzhou-gear"
            and patch.use not in LANES
            and patch.shape.centroid.x > east - 0.24 * (east - west)
        )

    uses, covered = plans.planned_uses(area.patches, area.towns, 20230101, blank)
    codes = [code for code, _ in uses]
    return tables.planned_uses(area.source, area.plane.epsg, codes, area.on_plane([part for _, part in uses])), covered


def _plots(area: Area) -> list[Table]:
    """Approved plots that nothing stands on, and works due for redevelopment, in and around the towns."""
    approved: list[Polygon] = []
    for town in area.towns:
        free = [p.shape for p in area.patches if tables.free_to_build(p) and town.construction.contains(p.shape)]
        approved += free[::4][:5]
    works = [patch.shape for patch in area.patches if patch.use == "0601"][::5]
    return [
        tables.approved_land(area.source, area.plane.epsg, area.on_plane(approved)),
        tables.inefficient_land(area.source, area.plane.epsg, area.on_plane(works)),
    ]


def _register(area: Area) -> list[Table]:
    folder, epsg, origin = area.source.folder, area.plane.epsg, area.land.origin
    if area.key == "huzhou":
        return [
            register.counties(folder, register.HUZHOU_COUNTIES, epsg, origin),
            register.towns(folder, "huzhou_2018", register.HUZHOU_TOWNS, epsg, origin),
        ]
    return [
        register.counties(folder, register.LIUZHOU_COUNTIES, epsg, origin),
        register.towns(folder, "liuzhou_2018", register.LIUZHOU_TOWNS, epsg, origin),
    ]


def _coverage(area: Area, covers: dict[str, Geometry]) -> list[Table]:
    """One layer per role: the area for which the delivery of that role is complete."""
    file = f"{area.source.folder}/coverage.gpkg"
    return [
        Table(file, role, area.plane.epsg, {"role": [role], "BZ": [INVENTED]}, area.on_plane([shape]))
        for role, shape in covers.items()
    ]


def _write_town(folder: Path, town: Town, entry: Entry) -> None:
    """The pair of zipped shapefiles and the facts; declared areas are planar, in the zone of the files."""
    plane, declared = Plane(town.zone), []
    encoding, pattern = _NAMES[town.key]
    for part, shape in (("planning", town.planning), ("construction", town.construction)):
        outline = shapely.transform(shape, plane)
        area = half_up(outline.area)
        declared.append(area)
        files = shapefile(Outline(outline, plane.epsg, entry.zh, _KINDS[part], area, INVENTED))
        stem = pattern.format(kind=_KINDS[part], part=part)
        members = {f"{stem.split('/')[0]}/": b""} if "/" in stem else {}
        members |= {stem + end: data for end, data in files.items()}
        (folder / f"{town.key}-{part}.zip").write_bytes(zipped(members, encoding))
    (folder / f"{town.key}.facts.toml").write_text(facts(town.key, *declared), encoding="utf-8")
