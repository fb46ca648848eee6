# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""``geoplan convert`` as a command: what it writes, what it says, what it refuses, and its exit statuses."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from builders import X0, Y0, box
from geoplan.crs import recognise
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.selector import Selector, parse_selector
from geoplan_layers.writers.convert import convert
from geoplan_layers.writers.sheet import WriteOptions
from test_cli import geoplan

TRIANGLE = shapely.Polygon([(X0 + 0.123456789, Y0), (X0 + 700, Y0), (X0 + 300.0000001, Y0 + 450)])


@pytest.fixture(name="town")
def fixture_town(tmp_path: Path) -> Path:
    """Two layers in one file; the planning layer has both boundaries, told apart by a field."""
    path = tmp_path / "小镇.gpkg"
    rows = {"类型": ["规划", "建设"], "项目名称": ["试验小镇", "试验小镇"], "TBMJ": [1.5, 2.5]}
    gpd.GeoDataFrame(rows, geometry=[box(0, 0, 1700, 1700), TRIANGLE], crs=4549).to_file(path, layer="范围")
    line = shapely.LineString([(X0, Y0), (X0 + 10, Y0)])
    gpd.GeoDataFrame({"NAME": ["路"]}, geometry=[line], crs=4549).to_file(path, layer="道路")
    return path


def test_rows_of_a_layer_become_a_file_that_reads_the_same(town: Path, tmp_path: Path) -> None:
    out = tmp_path / "建设.shp"
    done = geoplan("convert", f"{town}#范围[类型=建设]", out, lang="zh")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"已写出 {out}" in done.stdout
    assert "类型 → LX、项目名称 → XMMC" in done.stdout
    read = read_boundary(Selector(out), ReadOptions())
    assert read.frame.epsg == 4549
    assert read.name == "试验小镇"
    assert np.array_equal(
        shapely.get_coordinates(read.polygons.normalize()), shapely.get_coordinates(TRIANGLE.normalize())
    )


def test_another_system_is_said_and_comes_back(town: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.gpkg"
    done = geoplan("convert", f"{town}#范围[类型=建设]", out, "--to-crs", "EPSG:4528")
    assert done.returncode == 0
    assert "coordinates were changed from EPSG:4549 to EPSG:4528, vertex by vertex" in done.stdout
    read = read_boundary(Selector(out), ReadOptions())
    assert read.frame.epsg == 4528
    bare = shapely.transform(read.polygons, lambda xy: xy - np.array([40_000_000, 0]))
    assert shapely.hausdorff_distance(bare, shapely.MultiPolygon([TRIANGLE])) < 1e-6


def test_rounding_is_said_with_what_it_can_cause(town: Path, tmp_path: Path) -> None:
    done = geoplan("convert", f"{town}#范围", tmp_path / "a.geojson")
    assert done.returncode == 0
    assert "rounded to 9 decimals of a degree: a vertex moves by 0.08 mm at most" in done.stdout
    assert "for display only" in done.stdout


@pytest.mark.parametrize(
    ("source", "out", "more", "status", "says"),
    [
        ("{town}", "a.shp", (), 2, "several data sets: 范围, 道路. Name one as FILE#NAME"),
        ("{town}#范围", "a.dwg", (), 2, "a.dwg: .dwg cannot be written. There are: .shp"),
        ("{town}#范围", "a.kml", ("--to-crs", "EPSG:4528"), 2, ".kml prescribes EPSG:4326"),
        ("{town}#范围", "a.shp", ("--to-crs", "EPSG:2364"), 2, "on different datums"),
        ("{town}#范围", "a.shp", ("--to-crs", "EPSG:4524"), 2, "Use --to-crs EPSG:4549"),
        ("{town}#范围", "a.shp", ("--to-crs", "moon"), 2, "moon"),
        ("{town}#范围", "a.shp", ("--crs", "EPSG:4528"), 2, "EPSG:4528"),
        ("{town}#范围", "no/a.shp", (), 4, "cannot write to"),
        ("{town}#范围", "/proc/a.shp", (), 4, "cannot write to /proc"),
        ("{town}#范围", "小镇.gpkg", (), 2, "the output is the input itself"),
        ("{town}#道路", "a.txt", (), 2, ".txt cannot hold this geometry (LineString)"),
        ("none.gpkg", "a.shp", (), 2, "none.gpkg"),
    ],
)
def test_refusals_leave_nothing(
    town: Path, tmp_path: Path, source: str, out: str, more: tuple[str, ...], status: int, says: str
) -> None:
    before = town.read_bytes()
    done = geoplan("convert", source.format(town=town), out, *more, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["小镇.gpkg"]
    assert town.read_bytes() == before


def test_lines_pass_where_a_format_holds_them(town: Path, tmp_path: Path) -> None:
    for suffix in (".shp", ".zip", ".gpkg", ".kml", ".dxf", ".geojson"):
        made = convert(parse_selector(f"{town}#道路"), tmp_path / f"路{suffix}", WriteOptions("en"))
        assert made.paths[0].exists()
    with zipfile.ZipFile(tmp_path / "路.zip") as archive:
        assert "道路.shp" in archive.namelist()


def test_a_file_without_a_system_needs_one(tmp_path: Path) -> None:
    bare = gpd.GeoDataFrame({"NAME": ["甲"]}, geometry=[TRIANGLE])
    with pytest.warns(UserWarning, match="crs"):
        bare.to_file(tmp_path / "bare.shp")
    done = geoplan("convert", tmp_path / "bare.shp", tmp_path / "a.gpkg")
    assert done.returncode == 2
    assert "EPSG:4549" in done.stderr
    assert geoplan("convert", tmp_path / "bare.shp", tmp_path / "a.gpkg", "--crs", "EPSG:4549").returncode == 0
    wrong = geoplan("convert", tmp_path / "bare.shp", tmp_path / "b.gpkg", "--crs", "EPSG:4490")
    assert wrong.returncode == 2
    assert "EPSG:4490" in wrong.stderr
    assert not (tmp_path / "b.gpkg").exists()


def test_old_datums_change_their_zone_but_not_their_datum(tmp_path: Path) -> None:
    source, xian = tmp_path / "xian.gpkg", recognise(2365)
    moved_east = shapely.transform(TRIANGLE, lambda xy: xy + np.array([40_000_000, 0]))
    gpd.GeoDataFrame({"NAME": ["甲"]}, geometry=[moved_east], crs=2364).to_file(source)
    made = convert(Selector(source), tmp_path / "zone41.shp", WriteOptions("en"), target=xian)
    assert "Xian_1980_3_Degree_GK_Zone_41" in made.paths[3].read_text()
    done = geoplan("convert", source, tmp_path / "a.kml")
    assert done.returncode == 2
    assert "EPSG:2364 and EPSG:4326 are on different datums" in done.stderr


def test_an_invalid_ring_is_written_as_read_and_said(tmp_path: Path) -> None:
    bow = shapely.Polygon([(X0, Y0), (X0 + 10, Y0 + 10), (X0 + 10, Y0), (X0, Y0 + 10)])
    gpd.GeoDataFrame({"NAME": ["甲"]}, geometry=[bow], crs=4549).to_file(tmp_path / "bow.gpkg")
    done = geoplan("convert", tmp_path / "bow.gpkg", tmp_path / "bow.shp")
    assert done.returncode == 0
    assert "1 invalid shape (rows 1) written as read" in done.stdout
