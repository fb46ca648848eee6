"""The demo's data: drawn again from its seeds, clean, marked as invented, and made as its manifest says."""

from __future__ import annotations

import sqlite3
import struct
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from geoplan.facts import parse_facts
from geoplan_layers.demo import __main__ as command
from geoplan_layers.demo import build
from geoplan_layers.demo.classes import KEPT, PLANNED, SURVEY, is_built, is_farmed
from geoplan_layers.demo.measure import half_up
from geoplan_layers.demo.mesh import densified
from geoplan_layers.demo.noise import Field
from geoplan_layers.demo.zones import border, to_zone_37

DATA = Path(__file__).resolve().parents[1] / "data"
PLANES = {"huzhou": 4528, "liuzhou": 4524}
KEYS = ("huzhou-silk", "huzhou-gear", "liuzhou-tea", "liuzhou-rock")
REMARKED = {"DLTB", "YJJBNTTB", "STBHHX", "GHYT", "PWHY", "DXYD"}
AREAS = {"TBMJ", "KCMJ", "TBDLMJ", "YJJBNTTBMJ", "YJJBNTMJ", "MJ", "GZQMJ"}
HECTARE = 10_000.0


@dataclass(frozen=True)
class Pair:
    """A town's two boundaries on the plane of its area, and their rows."""

    planning: shapely.Polygon
    construction: shapely.Polygon
    rows: tuple[Any, Any]

    @property
    def rest(self) -> shapely.Geometry:
        return self.planning.difference(self.construction)


def read(path: Path, **options: Any) -> Any:
    """A table with its shapes; untyped, as its columns are."""
    return gpd.read_file(path, **options)


def layer_names(path: Path) -> list[str]:
    with sqlite3.connect(path) as store:
        return [name for (name,) in store.execute("select table_name from gpkg_contents order by table_name")]


@cache
def layer(area: str, file: str, name: str | None = None) -> Any:
    """A layer of an area on the area's plane."""
    frame = read(
        DATA / "layers" / area / f"{file}.gpkg", layer=name or layer_names(DATA / "layers" / area / f"{file}.gpkg")[0]
    )
    return frame.to_crs(PLANES[area])


@cache
def split(area: str, file: str) -> Any:
    """A layer that lies in one file, or in one per zone, on the area's plane."""
    import pandas as pd

    paths = sorted((DATA / "layers" / area).glob(f"{file}*.gpkg"))
    return pd.concat([layer(area, path.stem) for path in paths], ignore_index=True)


def members(path: Path) -> list[tuple[bytes, bool, bytes]]:
    """Raw name, whether it is flagged as UTF-8, and content of every file in a ZIP."""
    with zipfile.ZipFile(path) as archive:
        return [
            (
                info.filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"),
                bool(info.flag_bits & 0x800),
                archive.read(info),
            )
            for info in archive.infolist()
        ]


@cache
def boundary(key: str, part: str) -> Any:
    """A zipped boundary, read by its parts as they stand, in its own zone."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, _, content in members(DATA / "boundaries" / f"{key}-{part}.zip"):
            if not name.endswith(b"/"):
                (Path(folder) / f"boundary{name[-4:].decode()}").write_bytes(content)
        return read(Path(folder) / "boundary.shp", encoding="GBK")


@cache
def pair(key: str) -> Pair:
    plane = PLANES[key.partition("-")[0]]
    planning, construction = (boundary(key, part) for part in ("planning", "construction"))
    shapes = [frame.to_crs(plane).geometry.iloc[0] for frame in (planning, construction)]
    return Pair(shapes[0], shapes[1], (planning.iloc[0], construction.iloc[0]))


def inside(frame: Any, area: shapely.Geometry) -> Any:
    """Overlap in m² of each row with an area."""
    return shapely.area(shapely.intersection(frame.geometry.to_numpy(), area))


def built_in(key: str, area: shapely.Geometry) -> float:
    """Existing construction land in an area, m²."""
    land = split(key.partition("-")[0], "dltb")
    return float(inside(land, area)[[is_built(code) for code in land.DLBM]].sum())


def farmed_in(key: str, area: shapely.Geometry) -> dict[str, float]:
    """Cultivated land in an area by class, m²; land that can be turned back (K) counts with the rest here."""
    land = split(key.partition("-")[0], "dltb")
    overlaps = inside(land, area)
    codes = {code for code in land.DLBM if is_farmed(code) or code.endswith("K")}
    return {code: float(overlaps[code == land.DLBM].sum()) for code in codes if overlaps[code == land.DLBM].sum() > 0.0}


def coverage(area: str, role: str) -> Any:
    return layer(area, "coverage", role).geometry.iloc[0]


# the generator ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    build(folder)
    return folder


def files(folder: Path, pattern: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(pattern))


@pytest.mark.parametrize("pattern", ["*.gpkg", "*.zip", "*.toml"])
def test_it_writes_the_committed_files_and_no_other(drawn: Path, pattern: str) -> None:
    by_hand = {"search/huzhou.criteria.toml", "search/template.criteria.toml"}
    assert files(drawn, pattern) == [each for each in files(DATA, pattern) if each not in by_hand]


def test_it_draws_the_committed_layers(drawn: Path) -> None:
    for file in files(drawn, "*.gpkg"):
        assert layer_names(drawn / file) == layer_names(DATA / file), file
        for name in layer_names(drawn / file):
            made, kept = read(drawn / file, layer=name), read(DATA / file, layer=name)
            assert made.crs.to_epsg() == kept.crs.to_epsg()
            assert list(made.columns) == list(kept.columns), file
            assert len(made) == len(kept), file
            assert shapely.equals_identical(made.geometry.to_numpy(), kept.geometry.to_numpy()).all(), file
            for column in made.columns.drop("geometry"):
                if column in AREAS:  # the last digit hangs on a machine's sine
                    assert np.abs(made[column] - kept[column]).max() < 0.015, (file, column)
                else:
                    assert (made[column] == kept[column]).all(), (file, column)


def test_it_draws_the_committed_boundaries(drawn: Path) -> None:
    for file in files(drawn, "*.zip"):
        made, kept = members(drawn / file), members(DATA / file)
        assert [name for name, _, _ in made] == [name for name, _, _ in kept]
        for (name, _, left), (_, _, right) in zip(made, kept, strict=True):
            assert left == right or name.endswith(b".prj"), (file, name)


def test_it_writes_the_committed_facts_and_manifest(drawn: Path) -> None:
    for file in files(drawn, "*.toml"):
        assert (drawn / file).read_text("utf-8") == (DATA / file).read_text("utf-8"), file


def test_outside_a_checkout_it_asks_for_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_CHECKOUT", tmp_path)
    monkeypatch.setattr("sys.argv", ["demo"])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert "name the folder to write into" in capsys.readouterr().err


def test_it_writes_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(command, "build", asked.append)
    for words, folder in (([str(tmp_path)], tmp_path), ([], DATA)):
        monkeypatch.setattr("sys.argv", ["demo", *words])
        command.main()
        assert asked.pop() == folder


def test_a_field_gives_the_same_values_for_the_same_seed() -> None:
    first, second = (Field(np.random.Generator(np.random.PCG64(7)), 900.0, 700.0, 150.0) for _ in range(2))
    x, y = np.linspace(-50.0, 1000.0, 40), np.linspace(-50.0, 800.0, 40)
    assert (first(x, y) == second(x, y)).all()
    assert np.abs(first(x, y)).max() <= 1.6


POINTS = st.tuples(st.floats(-5e5, 5e5), st.floats(-5e5, 5e5))


@settings(max_examples=200)
@given(POINTS, POINTS, st.floats(5.0, 500.0))
def test_an_edge_is_divided_the_same_from_either_end(
    a: tuple[float, float], b: tuple[float, float], step: float
) -> None:
    step = max(step, float(np.hypot(a[0] - b[0], a[1] - b[1])) / 500.0)
    there, back = densified(np.array([a, b]), step), densified(np.array([b, a]), step)
    assert np.array_equal(there, back[::-1])
    assert np.hypot(*np.diff(there, axis=0).T).max(initial=0.0) <= step * (1.0 + 1e-9)


@pytest.mark.parametrize(("value", "rounded"), [(0.005, 0.01), (2.675, 2.68), (1.0049, 1.0), (12.345, 12.35)])
def test_areas_round_half_up(value: float, rounded: float) -> None:
    assert half_up(value) == rounded


# the planes ---------------------------------------------------------------------------------------------------------


def test_zone_36_turns_into_zone_37_as_proj_does_it() -> None:
    rng = np.random.default_rng(3)
    xy = np.array([652_223.0, 2_694_876.0]) + rng.uniform(-6_000.0, 6_000.0, (500, 2))
    proj = np.stack(Transformer.from_crs(4545, 4546, always_xy=True).transform(*xy.T), axis=1)
    assert np.abs(to_zone_37(xy) - proj).max() < 1e-7


def test_the_border_is_the_meridian() -> None:
    xy = shapely.get_coordinates(border(2_688_000.0, 2_702_000.0))
    lon, _ = Transformer.from_crs(4545, 4490, always_xy=True).transform(*xy.T)
    assert np.abs(lon - 109.5).max() < 1e-8  # 1 mm


def test_the_two_zones_meet_at_the_meridian() -> None:
    for file, zone in (("dltb-36", 4524), ("dltb-37", 4525), ("yjjbnttb-36", 4524), ("yjjbnttb-37", 4525)):
        frame = read(DATA / "layers" / "liuzhou" / f"{file}.gpkg")
        assert frame.crs.to_epsg() == zone
        lon = frame.to_crs(4490).geometry.bounds
        assert lon.maxx.max() < 109.5 + 2e-8 if zone == 4524 else lon.minx.min() > 109.5 - 2e-8
    west, east = (
        shapely.union_all(layer("liuzhou", f"dltb-{zone}").geometry.to_numpy(), grid_size=0.001) for zone in (36, 37)
    )
    assert west.intersection(east).area < 5.0
    assert west.distance(east) < 0.002
    assert abs(west.area + east.area - coverage("liuzhou", "land-use").area) < 20.0


# the layers ---------------------------------------------------------------------------------------------------------

LAND = [("huzhou", "dltb"), ("liuzhou", "dltb-36"), ("liuzhou", "dltb-37")]


@pytest.mark.parametrize(("area", "file"), LAND)
def test_land_use_is_a_clean_coverage_on_the_millimetre_grid(area: str, file: str) -> None:
    frame = read(DATA / "layers" / area / f"{file}.gpkg")
    shapes = frame.geometry.to_numpy()
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    xy = shapely.get_coordinates(shapes)
    assert (xy == np.round(xy, 3)).all()
    assert len(frame) <= 3500


@pytest.mark.parametrize(("area", "file"), LAND)
def test_most_fields_are_of_a_real_size(area: str, file: str) -> None:
    frame = layer(area, file)
    fields = frame[frame.DLBM.str[:2].isin(["01", "02"])].geometry.area
    assert ((fields > 0.15 * HECTARE) & (fields < 4.0 * HECTARE)).mean() > 0.8
    assert frame.geometry.area.min() > (100.0 if area == "huzhou" else 10.0)


@pytest.mark.parametrize(("area", "file"), LAND)
def test_the_land_use_table_is_a_bureaus(area: str, file: str) -> None:
    frame = read(DATA / "layers" / area / f"{file}.gpkg")
    assert list(frame.columns.drop("geometry")) == [
        "BSM", "YSDM", "TBBH", "DLBM", "DLMC", "QSXZ", "QSDWMC", "ZLDWMC", "TBMJ", "KCDLBM", "KCXS", "KCMJ",
        "TBDLMJ", "SJNF", "BZ",
    ]  # fmt: skip
    assert layer_names(DATA / "layers" / area / f"{file}.gpkg") == ["DLTB"]
    assert [SURVEY[code] for code in frame.DLBM] == list(frame.DLMC)
    assert frame.BSM.is_unique
    assert set(frame.BSM.str.len()) == {18}
    assert frame.SJNF.dtype == np.int32
    dry = frame.DLBM == "0103"
    assert frame[dry].KCXS.between(0.08, 0.12).all()
    assert (frame[~dry].KCXS == 0.0).all()
    assert np.abs(frame.TBMJ - frame.KCMJ - frame.TBDLMJ).max() < 0.006
    assert np.abs(frame.KCMJ - frame.TBMJ * frame.KCXS).max() < 0.006


@pytest.mark.parametrize(("area", "file"), LAND)
def test_patch_areas_are_ellipsoidal(area: str, file: str) -> None:
    frame = read(DATA / "layers" / area / f"{file}.gpkg")
    excess = frame.geometry.area.sum() / frame.TBMJ.sum() - 1.0
    assert excess == pytest.approx({"huzhou": 2.3e-6, "liuzhou": 5.7e-4}[area], rel=0.2)


def test_every_class_of_the_brief_occurs() -> None:
    found = set(split("huzhou", "dltb").DLBM) | set(split("liuzhou", "dltb").DLBM)
    wanted = "0101 0102 0103 0201 0201K 0202 0301 0305 0404 05H1 0601 0701 0703 1003 1006 1101 1104 1106 1107 1202 1206"
    assert set(wanted.split()) <= found
    assert set(KEPT) == set(SURVEY)
    assert set(KEPT.values()) <= set(PLANNED)


@pytest.mark.parametrize("area", PLANES)
def test_basic_farmland_is_a_clumped_part_of_the_cultivated_land(area: str) -> None:
    land, basic = split(area, "dltb"), split(area, "yjjbnttb")
    farmed = land[[is_farmed(code) for code in land.DLBM]]
    assert 0.45 < basic.geometry.area.sum() / farmed.geometry.area.sum() < 0.65
    same = dict(zip(zip(land.TBBH, land.TBMJ, strict=True), land.geometry, strict=True))
    for row in basic.itertuples():
        assert row.geometry.equals_exact(same[row.TBBH, row.YJJBNTTBMJ], 0.0)
    clumps = shapely.get_parts(shapely.union_all(shapely.buffer(basic.geometry.to_numpy(), 12.0)))
    assert len(clumps) < len(basic) / 5


@pytest.mark.parametrize("area", PLANES)
def test_plans_are_clean(area: str) -> None:
    uses = layer(area, "ghyt")
    assert shapely.coverage_is_valid(uses.geometry.to_numpy())
    assert [PLANNED[code] for code in uses.YDYHFLDM] == list(uses.YDYHFLMC)
    zones = layer(area, "jsydgzq")
    assert shapely.coverage_is_valid(zones.geometry.to_numpy())
    assert set(zones.GZQLXDM) == {"010", "020", "030", "040"}
    assert abs(zones.geometry.area.sum() - coverage(area, "construction-control-zones").area) < 1.0
    urban = layer(area, "czkfbj")
    assert set(urban.GHFQMC) == {"城镇集中建设区", "城镇弹性发展区", "特别用途区"}
    heart, rest = (urban[(urban.GHFQMC == "城镇集中建设区") == wanted] for wanted in (True, False))
    assert shapely.union_all(heart.geometry).intersection(shapely.union_all(rest.geometry)).area < 1.0
    crossed = shapely.intersection(
        split(area, "yjjbnttb").geometry.to_numpy(), shapely.union_all(layer(area, "stbhhx").geometry)
    )
    assert shapely.area(crossed).max() < 10.0  # crumbs at the border of the zones
    assert shapely.area(crossed).sum() < 50.0


def test_everything_says_that_it_is_invented() -> None:
    for file in files(DATA / "layers", "*.gpkg"):
        for name in layer_names(DATA / "layers" / file):
            frame = read(DATA / "layers" / file, layer=name)
            words = frame.drop(columns="geometry").astype(str).agg("".join, axis=1)
            assert words.str.contains("演示|示例").all(), (file, name)
            if name in REMARKED:
                assert (frame.BZ == "演示数据，虚构").all(), file
    for key in KEYS:
        assert "虚构" in (DATA / "boundaries" / f"{key}.facts.toml").read_text("utf-8").splitlines()[0]
        assert all(row.BZ == "演示数据，虚构" and row.NAME.startswith("示例·") for row in pair(key).rows)
    readme = (DATA / "README.md").read_text("utf-8")
    assert "虚构" in readme
    assert "invented" in readme


def test_files_stay_small() -> None:
    sizes = {path: path.stat().st_size for path in DATA.rglob("*") if path.is_file()}
    assert max(sizes.values()) < 1_400_000
    assert sum(sizes.values()) < 9_000_000


# the towns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_a_boundary_is_one_piece_without_necks_and_holds_its_construction_area(key: str) -> None:
    town = pair(key)
    for shape in (town.planning, town.construction):
        assert shape.is_valid
        assert not shape.interiors
        assert shapely.get_type_id(shape.buffer(-15.5)) == shapely.GeometryType.POLYGON
    assert town.construction.within(town.planning)
    assert town.construction.distance(town.planning.exterior) > 7.0


@pytest.mark.parametrize("key", KEYS)
def test_a_boundary_follows_parcels_here_and_cuts_them_there(key: str) -> None:
    area = key.partition("-")[0]
    line = pair(key).planning.exterior
    land = split(area, "dltb").geometry
    parcels = land[land.intersects(line.buffer(1.0))].to_numpy()
    edges = shapely.union_all(shapely.boundary(parcels)).buffer(0.003)
    assert 0.2 < line.intersection(edges).length / line.length < 0.8


def test_liuzhou_towns_lie_across_the_zones() -> None:
    for key, zone, side in (("liuzhou-tea", 4524, -1.0), ("liuzhou-rock", 4525, 1.0)):
        frame = boundary(key, "planning")
        assert frame.crs.to_epsg() == zone
        west, _, east, _ = frame.to_crs(4490).total_bounds
        assert west < 109.495 < 109.505 < east
        centre = frame.geometry.centroid.to_crs(4490).iloc[0].x
        assert side * (centre - 109.5) > 0.0012  # over 100 m off the middle: the plane of the check is not in doubt


@pytest.mark.parametrize(
    ("key", "planning", "construction", "land"),
    [
        ("huzhou-silk", (2.90, 3.05), (0.93, 1.02), (0.85, 1.08)),
        ("huzhou-gear", (3.80, 4.00), (1.20, 1.30), (1.20, 1.50)),
        ("liuzhou-tea", (3.38, 3.46), (0.90, 1.02), (0.85, 1.07)),
        ("liuzhou-rock", (2.88, 3.02), (0.90, 1.00), (0.85, 1.07)),
    ],
)
def test_areas(
    key: str, planning: tuple[float, float], construction: tuple[float, float], land: tuple[float, float]
) -> None:
    town = pair(key)
    stock = built_in(key, town.rest)
    measured = (town.planning.area, town.construction.area, town.construction.area + stock)
    for value, (low, high) in zip(measured, (planning, construction, land), strict=True):
        assert low < value / 1e6 < high


@pytest.mark.parametrize("key", KEYS)
def test_declared_areas_are_planar_in_the_zone_of_the_file(key: str) -> None:
    facts = tomllib.loads((DATA / "boundaries" / f"{key}.facts.toml").read_text("utf-8"))
    for part in ("planning", "construction"):
        row = boundary(key, part).iloc[0]
        assert pytest.approx(row.geometry.area, abs=0.006) == row.MJ
        assert facts["declared"][f"{part}_area_m2"] == row.MJ


@pytest.mark.parametrize("key", ["huzhou-silk", "liuzhou-tea", "liuzhou-rock"])
def test_no_basic_farmland_and_no_red_line_near_the_clean_towns(key: str) -> None:
    area, town = key.partition("-")[0], pair(key)
    for file in ("yjjbnttb", "stbhhx"):
        assert split(area, file).geometry.distance(town.planning).min() > 7.0


def test_the_silk_town_takes_no_farmland_and_little_open_land() -> None:
    town = pair("huzhou-silk")
    assert farmed_in("huzhou-silk", town.construction) == {}
    built = built_in("huzhou-silk", town.construction)
    assert built > 33 * HECTARE
    assert town.construction.area - built < 64 * HECTARE
    assert built_in("huzhou-silk", town.rest) < 8 * HECTARE
    assert farmed_in("huzhou-silk", town.rest)


@pytest.mark.parametrize("key", ["huzhou-silk", "liuzhou-tea", "liuzhou-rock"])
def test_construction_of_the_clean_towns_lies_in_the_built_up_zone(key: str) -> None:
    urban = layer(key.partition("-")[0], "czkfbj")
    zone = shapely.union_all(urban[urban.GHFQMC == "城镇集中建设区"].geometry)
    assert pair(key).construction.difference(zone).area == 0.0


def test_the_gear_town_builds_on_basic_farmland() -> None:
    town, basic = pair("huzhou-gear"), layer("huzhou", "yjjbnttb")
    share = inside(basic, town.construction) / basic.geometry.area.to_numpy()
    assert (share > 0.01).sum() >= 10
    assert (share > 0.999).sum() >= 3
    assert ((share > 0.05) & (share < 0.95)).sum() >= 3
    urban = layer("huzhou", "czkfbj")
    zone = shapely.union_all(urban[urban.GHFQMC == "城镇集中建设区"].geometry)
    assert town.construction.difference(zone).area > 10 * HECTARE


def test_more_basic_farmland_of_the_gear_town_is_planned_for_other_uses_or_has_no_planned_use() -> None:
    town, basic, uses = pair("huzhou-gear"), layer("huzhou", "yjjbnttb"), layer("huzhou", "ghyt")
    rest = shapely.union_all(basic.geometry).intersection(town.rest)
    overlaps = inside(uses, rest)
    for start in ("01", "02", "03", "14", "17"):
        assert overlaps[uses.YDYHFLDM.str[:2] == start].sum() > 1 * HECTARE, start
    undrawn = rest.difference(shapely.union_all(uses.geometry))
    assert undrawn.area > 5 * HECTARE
    assert coverage("huzhou", "planned-land-use").buffer(0.1).contains(town.planning)


def test_the_tea_town_takes_a_little_farmland() -> None:
    town = pair("liuzhou-tea")
    farmed = farmed_in("liuzhou-tea", town.construction)
    assert {"0101", "0103"} <= set(farmed) <= {"0101", "0102", "0103"}
    assert 1 * HECTARE < sum(farmed.values()) < 6 * HECTARE
    built = built_in("liuzhou-tea", town.construction)
    assert built > 30 * HECTARE
    assert town.construction.area - built < 64 * HECTARE
    land = layer("liuzhou", "dltb-36")
    assert inside(land[land.DLBM.isin(["1105", "1106"])], town.planning).sum() == 0.0


def test_the_rock_town_is_covered_in_part() -> None:
    known, town = coverage("liuzhou", "permanent-basic-farmland"), pair("liuzhou-rock")
    assert 0.60 < known.intersection(town.planning).area / town.planning.area < 0.64
    assert 0.3 < known.intersection(town.construction).area / town.construction.area < 0.95
    basic = split("liuzhou", "yjjbnttb")
    assert inside(basic, known).sum() == pytest.approx(basic.geometry.area.sum(), abs=5.0)


@pytest.mark.parametrize("key", KEYS)
def test_declared_coverage_reaches_600_m_beyond_the_town(key: str) -> None:
    area = key.partition("-")[0]
    around = pair(key).planning.buffer(600.0)
    for name in layer_names(DATA / "layers" / area / "coverage.gpkg"):
        whole = coverage(area, name).buffer(0.1).contains(around)
        assert whole != (key == "liuzhou-rock" and name == "permanent-basic-farmland"), name


# the registers ------------------------------------------------------------------------------------------------------


def away(key: str, live: bool) -> dict[str, float]:
    """Distance in m of a town's planning boundary to the towns of its register."""
    towns = layer(key.partition("-")[0], "towns")
    chosen = towns[(towns.stage != "eliminated") == live]
    return dict(zip(chosen.id, chosen.geometry.distance(pair(key).planning), strict=True))


def test_one_live_town_lies_near_the_gear_town_and_no_other_near_any() -> None:
    near = away("huzhou-gear", live=True)
    assert 1_700.0 < near.pop("hz-demo-01") < 1_900.0
    rest = [near, *(away(key, live=True) for key in KEYS if key != "huzhou-gear")]
    assert min(distance for each in rest for distance in each.values()) > 3_200.0


def test_an_eliminated_town_lies_near_the_silk_town() -> None:
    assert list(away("huzhou-silk", live=False)) == ["hz-demo-02"]
    assert away("huzhou-silk", live=False)["hz-demo-02"] < 2_000.0


def test_demo_towns_lie_apart() -> None:
    assert pair("huzhou-silk").planning.distance(pair("huzhou-gear").planning) > 3_200.0
    assert pair("liuzhou-tea").planning.distance(pair("liuzhou-rock").planning) > 3_200.0


@pytest.mark.parametrize(("area", "codes"), [("huzhou", ["330502", "330521"]), ("liuzhou", ["450206", "450226"])])
def test_registers_are_in_degrees_and_counties_cover_their_area(area: str, codes: list[str]) -> None:
    for file in ("counties", "towns"):
        assert read(DATA / "layers" / area / f"{file}.gpkg").crs.to_epsg() == 4490
    counties = layer(area, "counties")
    assert list(counties.adcode) == codes
    assert shapely.union_all(counties.geometry).contains(coverage(area, "land-use"))
    assert counties.geometry.iloc[0].intersection(counties.geometry.iloc[1]).area < 1.0
    kinds = set(shapely.get_type_id(layer(area, "towns").geometry.to_numpy()).tolist())
    assert kinds == {shapely.GeometryType.POINT, shapely.GeometryType.POLYGON}
    for key in (key for key in KEYS if key.startswith(area)):
        facts = tomllib.loads((DATA / "boundaries" / f"{key}.facts.toml").read_text("utf-8"))
        home = counties[counties.adcode == facts["county"]].geometry.iloc[0]
        assert home.contains(pair(key).planning)


# the files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("part", ["planning", "construction"])
def test_a_zip_holds_one_shapefile_in_gbk_that_does_not_say_so(key: str, part: str) -> None:
    found = {
        name[-4:]: content
        for name, _, content in members(DATA / "boundaries" / f"{key}-{part}.zip")
        if not name.endswith(b"/")
    }
    assert set(found) == {b".shp", b".shx", b".dbf", b".prj"}
    assert found[b".dbf"][29] == 0
    assert "演示数据，虚构".encode("gbk") in found[b".dbf"]
    assert (
        CRS.from_wkt(found[b".prj"].decode()).to_epsg()
        == {"h": 4528, "t": 4524, "r": 4525}[key[0] if key[0] == "h" else key[8]]
    )


@pytest.mark.parametrize(
    ("key", "encoding", "flagged", "folder"),
    [
        ("huzhou-silk", "gbk", False, False),
        ("huzhou-gear", "gbk", False, True),
        ("liuzhou-tea", "ascii", False, False),
        ("liuzhou-rock", "utf-8", True, False),
    ],
)
def test_member_names(key: str, encoding: str, flagged: bool, folder: bool) -> None:
    for part in ("planning", "construction"):
        path = DATA / "boundaries" / f"{key}-{part}.zip"
        assert path.name.isascii()
        for name, flag, _ in members(path):
            text = name.decode(encoding)
            assert flag == flagged
            assert ("/" in text) == folder
            assert text.isascii() == (encoding == "ascii")
            if encoding == "gbk":
                with pytest.raises(UnicodeDecodeError, match="utf-8"):
                    name.decode("utf-8")
        with zipfile.ZipFile(path) as archive:
            assert {info.date_time for info in archive.infolist()} == {(2026, 1, 5, 8, 0, 0)}


def test_a_zip_can_be_read_by_its_records() -> None:
    raw = (DATA / "boundaries" / "huzhou-silk-planning.zip").read_bytes()
    count, size, start = struct.unpack("<HII", raw[-12:-2])
    assert count == 4
    assert start + size + 22 == len(raw)


# the manifest and the facts -----------------------------------------------------------------------------------------

ROLES = {
    "land-use", "permanent-basic-farmland", "ecological-redline", "planned-land-use", "construction-control-zones",
    "urban-development-boundary", "counties", "approved-construction-land", "inefficient-land",
}  # fmt: skip


def test_the_manifest_names_files_that_exist() -> None:
    manifest = tomllib.loads((DATA / "boundaries" / "demo.toml").read_text("utf-8"))
    assert manifest["schema"] == "geoplan/demo/1"
    assert manifest["invented"] is True
    assert [town["key"] for town in manifest["towns"]] == list(KEYS)
    assert [town["expected"] for town in manifest["towns"]] == ["pass", "fail", "attention", "not-assessed"]
    for town in manifest["towns"]:
        assert set(town["name"]) == {"zh", "en"}
        assert all((DATA / town[part]).is_file() for part in ("planning", "construction", "facts", "towns"))
        assert {each["role"] for each in town["layers"]} == ROLES
        for each in town["layers"]:
            file, _, name = each["coverage"].partition("#")
            assert (DATA / each["file"]).is_file()
            assert name == each["role"]
            assert name in layer_names(DATA / file)
    both = [each["file"] for each in manifest["towns"][2]["layers"] if each["role"] == "land-use"]
    assert both == ["layers/liuzhou/dltb-36.gpkg", "layers/liuzhou/dltb-37.gpkg"]


@pytest.mark.parametrize("key", KEYS)
def test_facts_are_read(key: str) -> None:
    content = tomllib.loads((DATA / "boundaries" / f"{key}.facts.toml").read_text("utf-8"))
    facts = parse_facts(content, f"{key}.facts.toml")
    assert facts.id == key
    assert facts.name is not None
    assert facts.name.startswith("示例·")
    assert facts.classes
    if key == "huzhou-silk":
        assert facts.listed_on == date(2026, 3, 20)
        assert facts.values["investment.total"] == 5.6e9
        assert {answer.verdict for answer in facts.answers.values()} == {"pass"}
