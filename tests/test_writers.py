# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The formats out, each read with another library than wrote it; what is refused, cut, renamed and rounded."""

from __future__ import annotations

import csv
import errno
import json
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from importlib import import_module
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.errors
import pyogrio.raw
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FRAME, X0, Y0, box
from geoplan.crs import recognise
from geoplan.errors import CallRefused, CannotFinish, InputRefused
from geoplan.messages import LANGUAGES, Message, say
from geoplan.plane import Plane
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.formats import format_of
from geoplan_layers.selector import Selector
from geoplan_layers.writers import dxf, geojson, geopackage, kml, shapefile
from geoplan_layers.writers.columns import LONGEST_TEXT, OWN_NAMES, TRADE_NAMES, cut, dbf_names, typed
from geoplan_layers.writers.deliver import deliver
from geoplan_layers.writers.formats import WRITERS, Writer, known_suffixes, writer_of
from geoplan_layers.writers.prepare import fitted
from geoplan_layers.writers.rounding import on_grid
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions, Written
from geoplan_layers.writers.systems import degrees_frame, moved, plane_frame, same_system
from outlines import random_boundary

ElementTree, ezdxf = import_module("defusedxml.ElementTree"), import_module("ezdxf")
OPTIONS = WriteOptions("en", "试验小镇")
FORMATS = [pytest.param(writer, id=writer.key) for writer in WRITERS]
KML = "{http://www.opengis.net/kml/2.2}"
HOLED = shapely.Polygon(
    [(X0, Y0), (X0 + 300, Y0), (X0 + 300.0004, Y0 + 200.123456789), (X0, Y0 + 200)],
    [[(X0 + 50, Y0 + 50), (X0 + 50, Y0 + 90), (X0 + 90, Y0 + 90), (X0 + 90, Y0 + 50)]],
)


def column(*values: object) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = list(values)
    return made


def layer(*shapes: shapely.Geometry, name: str = "planning", **columns: Sequence[object]) -> SheetLayer:
    names = column(*(f"地块{i}" for i in range(1, len(shapes) + 1)))
    return SheetLayer(name, names, column(*shapes), {key: column(*values) for key, values in columns.items()})


def sheet(*layers: SheetLayer, **more) -> Sheet:
    return Sheet(layers or (layer(HOLED, 名称=["甲"]),), more.pop("frame", FRAME), **more)


def made(writer: Writer, what: Sheet, folder: Path, name: str = "out") -> Written:
    fitting, notes = fitted(what, writer, None, "in.gpkg")
    done = deliver(fitting, writer, folder / f"{name}{writer.suffixes[0]}", OPTIONS)
    return Written(done.paths, (*notes, *done.notes))


def ids(notes: tuple[Message, ...]) -> list[str]:
    for note in notes:
        for lang in LANGUAGES:
            assert say(note, lang)
    return [note.id for note in notes]


# --- what every format holds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", FORMATS)
def test_the_same_sheet_gives_the_same_bytes(writer: Writer, tmp_path: Path) -> None:
    what = sheet(layer(HOLED, box(900, 0, 10, 10), 名称=["甲", "乙"], n=[1, None]))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first, second = (made(writer, what, tmp_path / folder) for folder in ("a", "b"))
    assert [each.name for each in first.paths] == [each.name for each in second.paths]
    for a, b in zip(first.paths, second.paths, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


@pytest.mark.parametrize("writer", FORMATS)
def test_a_wrong_file_is_not_kept(writer: Writer, tmp_path: Path) -> None:
    """A format that loses a vertex is found out when the file is read back, and nothing is left of it."""
    fitting, _ = fitted(sheet(), writer, None, "in.gpkg")

    def writes_less(what: Sheet, path: Path, options: WriteOptions) -> Written:
        shapes = [shapely.simplify(each.shapes, 1.0 if writer.system != "degrees" else 1e-4) for each in what.layers]
        moved_off = [shapely.transform(each, lambda xy: xy + 1e-3) for each in shapes]
        return writer.write(what.with_shapes(moved_off, what.frame), path, options)

    with pytest.raises(CannotFinish, match="the coordinates read back differ"):
        deliver(fitting, replace(writer, write=writes_less), tmp_path / f"out{writer.suffixes[0]}", OPTIONS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", FORMATS)
def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(writer: Writer, tmp_path: Path) -> None:
    fitting, _ = fitted(sheet(), writer, None, "in.gpkg")
    out = tmp_path / f"out{writer.suffixes[0]}"
    out.write_text("the file of yesterday")

    def full(what: Sheet, path: Path, options: WriteOptions) -> Written:
        writer.write(what, path, options)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CannotFinish, match="cannot write to .*No space left on device"):
        deliver(fitting, replace(writer, write=full), out, OPTIONS)
    assert [each.name for each in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "the file of yesterday"


def test_what_gdal_cannot_write_is_told(tmp_path: Path) -> None:
    writer = writer_of(Path("a.gpkg"))

    def fails(what: Sheet, path: Path, options: WriteOptions) -> Written:
        raise pyogrio.errors.DataSourceError("sqlite3_exec failed: database or disk is full")

    with pytest.raises(CannotFinish, match="could not be written .*disk is full"):
        deliver(sheet(), replace(writer, write=fails), tmp_path / "a.gpkg", OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_there_is_not_is_told(tmp_path: Path) -> None:
    writer = writer_of(Path("a.gpkg"))
    with pytest.raises(CannotFinish, match="cannot write to .*no.*No such file or directory"):
        deliver(sheet(), writer, tmp_path / "no" / "a.gpkg", OPTIONS)
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotFinish, match="cannot write to .*Not a directory"):
        deliver(sheet(), writer, tmp_path / "file" / "a.gpkg", OPTIONS)
    (tmp_path / "a.gpkg").mkdir()
    with pytest.raises(CannotFinish, match="cannot write to .*directory"):
        deliver(sheet(), writer, tmp_path / "a.gpkg", OPTIONS)


def test_an_input_is_not_written_over(tmp_path: Path) -> None:
    writer = writer_of(Path("a.shp"))
    (path,) = [each for each in deliver(sheet(), writer, tmp_path / "a.shp", OPTIONS).paths if each.suffix == ".shp"]
    before = path.read_bytes()
    for out in (path, tmp_path / "." / "a.shp"):
        with pytest.raises(CallRefused, match="the output is the input itself"):
            deliver(sheet(), writer, out, OPTIONS, [path])
    (tmp_path / "link.shp").symlink_to(path)
    with pytest.raises(CallRefused, match="the output is the input itself"):
        deliver(sheet(), writer, tmp_path / "link.shp", OPTIONS, [path])
    assert path.read_bytes() == before


def test_indexes_of_the_shapefile_that_was_there_go(tmp_path: Path) -> None:
    for name in ("a.sbn", "a.qix", "a.fields.csv", "b.sbn"):
        (tmp_path / name).write_text("old")
    deliver(sheet(layer(HOLED, NAME=["甲"])), writer_of(Path("a.shp")), tmp_path / "a.shp", OPTIONS)
    assert {each.name for each in tmp_path.iterdir()} == {*(f"a{suffix}" for suffix in shapefile.PARTS), "b.sbn"}


def test_suffixes_are_found_whatever_their_case() -> None:
    assert [writer_of(Path(f"试验{suffix.upper()}")).suffixes.count(suffix) for suffix in known_suffixes()] == [
        1
    ] * len(known_suffixes())
    with pytest.raises(CallRefused, match=r"a\.dwg: \.dwg cannot be written\. There are: \.shp"):
        writer_of(Path("a.dwg"))
    with pytest.raises(CallRefused, match="a: — cannot be written"):
        writer_of(Path("a"))


# --- what each format says -----------------------------------------------------------------------------------------


def test_a_shapefile_as_esri_spells_it(tmp_path: Path) -> None:
    done = made(
        writer_of(Path("a.shp")),
        sheet(layer(HOLED, 名称=["南通开发区"], TBBH=["1"], 批准文号=["浙政〔2018〕1号"])),
        tmp_path,
    )
    assert [each.name for each in done.paths] == [f"out{suffix}" for suffix in (*shapefile.PARTS, ".fields.csv")]
    assert (tmp_path / "out.cpg").read_text() == "UTF-8"
    prj = (tmp_path / "out.prj").read_text()
    assert prj.startswith('PROJCS["CGCS2000_3_Degree_GK_CM_120E"')
    assert 'DATUM["D_China_2000"' in prj
    assert 'PROJECTION["Gauss_Kruger"]' in prj
    meta, _, _, columns = pyogrio.raw.read(tmp_path / "out.shp")
    assert dict(zip(meta["fields"], (each[0] for each in columns), strict=True)) == {
        "MC": "南通开发区",
        "TBBH": "1",
        "F03": "浙政〔2018〕1号",
    }
    with (tmp_path / "out.fields.csv").open(encoding="utf-8-sig", newline="") as opened:
        assert list(csv.reader(opened)) == [
            ["field", "original"],
            ["MC", "名称"],
            ["TBBH", "TBBH"],
            ["F03", "批准文号"],
        ]
    assert ids(done.notes) == ["write.fields-renamed"]


def test_the_table_of_renamed_fields_is_no_data_set(tmp_path: Path) -> None:
    for suffix in (".shp", ".shp.zip"):
        done = made(writer_of(Path(f"a{suffix}")), sheet(layer(HOLED, 名称=["试验小镇"])), tmp_path)
        assert "write.fields-renamed" in ids(done.notes)
        read = read_boundary(Selector(done.paths[0]), ReadOptions())
        assert (read.name, read.vertices) == ("试验小镇", 8)


def test_rings_of_a_shapefile_turn_as_its_standard_says(tmp_path: Path) -> None:
    for ring in (HOLED, shapely.orient_polygons(HOLED, exterior_cw=True)):
        made(writer_of(Path("a.shp")), sheet(layer(ring, N=[1])), tmp_path)
        raw = (tmp_path / "out.shp").read_bytes()[100 + 8 :]
        parts, points = struct.unpack("<2i", raw[36:44])
        starts = struct.unpack(f"<{parts}i", raw[44 : 44 + 4 * parts])
        xy = np.frombuffer(raw[44 + 4 * parts :], dtype="<f8", count=2 * points).reshape(-1, 2)
        rings = np.split(xy, starts[1:])
        assert [shapely.LinearRing(each).is_ccw for each in rings] == [False, True]


def test_text_is_cut_between_characters_and_said(tmp_path: Path) -> None:
    long = "浙" * 100
    done = made(writer_of(Path("a.shp")), sheet(layer(HOLED, HOLED, NAME=["短", long])), tmp_path)
    assert ids(done.notes) == ["write.text-cut"]
    assert done.notes[0].args["rows"] == [2]
    assert pyogrio.raw.read(tmp_path / "out.shp")[3][0].tolist() == ["短", "浙" * (LONGEST_TEXT // 3)]


def test_numbers_texts_dates_and_nothing_keep_their_kind(tmp_path: Path) -> None:
    what = sheet(
        layer(
            HOLED,
            HOLED,
            n=[7, None],
            x=[1.5, float("nan")],
            big=[40_520_000.123, 123_456_789_012.5],
            yes=[True, False],
            day=[date(2026, 11, 21), None],
            mixed=["0101", 11],
            none=[None, None],
        )
    )
    for suffix in (".gpkg", ".shp"):
        made(writer_of(Path(f"a{suffix}")), what, tmp_path)
        frame = pyogrio.read_dataframe(tmp_path / f"out{suffix}")
        assert frame["n"].tolist()[0] == 7
        assert frame["n"].isna().tolist() == [False, True]
        assert frame["x"].isna().tolist() == [False, True]
        assert frame["big"].tolist() == [40_520_000.123, 123_456_789_012.5]
        assert frame["yes"].tolist() == [1, 0]
        assert frame["day"].tolist()[0] == "2026-11-21"
        assert frame["mixed"].tolist() == ["0101", "11"]
        assert frame["none"].isna().all()


@given(st.lists(st.text(min_size=1, max_size=14), min_size=1, max_size=30, unique=True))
@settings(max_examples=100)
def test_names_of_a_dbf_are_short_plain_and_different(names: list[str]) -> None:
    found = dbf_names(names)
    assert list(found) == names
    assert all(1 <= len(each) <= 10 and each.isascii() and each.isidentifier() for each in found.values())
    assert len({each.upper() for each in found.values()}) == len(names)


def test_own_and_trade_names_fit_a_dbf() -> None:
    for short in (*OWN_NAMES.values(), *TRADE_NAMES.values()):
        assert len(short) <= 10
        assert short.isascii()
    assert dbf_names(["名称", "MC"]) == {"名称": "MC_1", "MC": "MC"}


@given(st.text(max_size=200), st.integers(0, 300))
@settings(max_examples=100)
def test_cutting_keeps_whole_characters(text: str, most: int) -> None:
    assert text.startswith(cut(text, most))
    assert len(cut(text, most).encode()) <= most


def test_a_column_of_huge_integers_is_text() -> None:
    assert typed(column(10**20, 1)).values.tolist() == ["100000000000000000000", "1"]
    assert typed(column(b"\x01\xff")).values.tolist() == ["01ff"]
    assert typed(column(np.datetime64("2026-01-01"), np.datetime64("NaT"))).missing.tolist() == [False, True]


def test_layers_of_several_kinds_go_into_one_zip_and_one_geopackage(tmp_path: Path) -> None:
    line = shapely.LineString([(X0, Y0), (X0 + 1, Y0)])
    what = sheet(layer(HOLED, name="规划"), layer(line, name="规划"), layer(HOLED, name="a/b:c"))
    made(writer_of(Path("a.zip")), what, tmp_path)
    with zipfile.ZipFile(tmp_path / "out.shp.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert all(each.date_time == (1980, 1, 1, 0, 0, 0) for each in archive.infolist())
    assert {Path(name).stem for name in names} == {"规划", "规划_1", "a_b_c"}
    made(writer_of(Path("a.gpkg")), what, tmp_path)
    tables = {str(name): kind for name, kind in pyogrio.list_layers(tmp_path / "out.gpkg")}
    assert tables == {"规划": "Polygon", "规划_1": "LineString", "a_b:c": "Polygon"}


def test_a_geopackage_keeps_names_that_its_own_columns_have(tmp_path: Path) -> None:
    made(writer_of(Path("a.gpkg")), sheet(layer(HOLED, fid=["x"], GEOM=[1], Name=["a"], NAME=["b"])), tmp_path)
    meta, _, _, columns = pyogrio.raw.read(tmp_path / "out.gpkg")
    assert dict(zip(meta["fields"], (each[0] for each in columns), strict=True)) == {
        "fid_1": "x",
        "GEOM_1": 1,
        "Name": "a",
        "NAME_1": "b",
    }


def kml_shapes(path: Path) -> list[shapely.MultiPolygon]:
    """Polygons of a KML file by another parser than wrote it."""

    def ring(element) -> list[list[float]]:
        text = element.find(f".//{KML}coordinates").text
        return [[float(v) for v in each.split(",")[:2]] for each in text.split()]

    found = []
    for placemark in ElementTree.parse(path).iter(f"{KML}Placemark"):
        parts = [
            shapely.Polygon(
                ring(polygon.find(f"{KML}outerBoundaryIs")),
                [ring(each) for each in polygon.findall(f"{KML}innerBoundaryIs")],
            )
            for polygon in placemark.iter(f"{KML}Polygon")
        ]
        found.append(shapely.MultiPolygon(parts))
    return found


def dxf_shape(path: Path) -> shapely.Geometry:
    """The ground inside an odd number of closed polylines."""
    lines = ezdxf.readfile(path).modelspace().query("LWPOLYLINE")
    assert all(line.closed for line in lines)
    rings: list[shapely.Geometry] = [shapely.Polygon(list(line.get_points("xy"))) for line in lines]
    return reduce(lambda a, b: shapely.symmetric_difference(a, b), rings)


def test_kml_and_dxf_say_the_same_to_other_libraries(tmp_path: Path) -> None:
    for seed in range(200):
        shape = random_boundary(seed)
        what = sheet(layer(shape))
        made(writer_of(Path("a.kml")), what, tmp_path)
        (found,) = kml_shapes(tmp_path / "out.kml")
        back = moved(column(found), degrees_frame(), FRAME, None)[0]
        assert (
            np.abs(
                shapely.get_coordinates(shapely.normalize(back)) - shapely.get_coordinates(shapely.normalize(shape))
            ).max()
            < 1e-6
        )
        made(writer_of(Path("a.dxf")), what, tmp_path)
        assert shapely.area(shapely.symmetric_difference(dxf_shape(tmp_path / "out.dxf"), shape)) == 0


def test_kml_folders_styles_and_hostile_names(tmp_path: Path) -> None:
    what = replace(
        layer(HOLED, HOLED, 备注=["]]><b>&\x00\x0b", None]),
        names=column("<script>", "乙"),
        groups=column("规划范围", "基本农田"),
    )
    made(writer_of(Path("a.kml")), sheet(what, colours={"规划范围": "1d4ed8"}), tmp_path)
    root = ElementTree.parse(tmp_path / "out.kml").getroot()
    folders = {each.find(f"{KML}name").text: each for each in root.iter(f"{KML}Folder")}
    assert list(folders) == ["规划范围", "基本农田"]
    styles = {f"#{each.get('id')}": each.find(f"{KML}LineStyle/{KML}color").text for each in root.iter(f"{KML}Style")}
    placed = {name: styles[each.find(f".//{KML}styleUrl").text] for name, each in folders.items()}
    assert placed["规划范围"] == "ffd84e1d", "KML writes blue before green before red"
    assert folders["规划范围"].find(f"{KML}Placemark/{KML}name").text == "<script>"
    assert [each.text for each in root.iter(f"{KML}value")] == ["]]><b>&"]


def test_dxf_layers_colours_labels_and_data(tmp_path: Path) -> None:
    what = replace(layer(HOLED, shapely.Point(X0, Y0), 名称=["甲" * 200, "乙"]), groups=column("规划 <范围>", "0"))
    done = made(writer_of(Path("a.dxf")), sheet(what, colours={"规划 <范围>": "1d4ed8"}), tmp_path)
    drawing = ezdxf.readfile(tmp_path / "out.dxf")
    assert (drawing.dxfversion, drawing.units) == ("AC1024", 6)
    assert {each.dxf.name for each in drawing.layers} >= {"规划 _范围_", "0_1"}
    assert drawing.layers.get("规划 _范围_").rgb == (0x1D, 0x4E, 0xD8)
    space = drawing.modelspace()
    assert [text.dxf.text for text in space.query("TEXT")] == ["地块1", "地块2"]
    rings = space.query("LWPOLYLINE")
    assert [(each.dxf.layer, len(each)) for each in rings] == [("规划 _范围_", 4), ("规划 _范围_", 4)]
    (value,) = [tag.value for tag in rings[0].get_xdata("GEOPLAN") if tag.code == 1000]
    assert value.startswith("名称=甲甲")
    assert len(value.encode()) <= LONGEST_TEXT
    assert ids(done.notes) == ["write.attributes-extended"]
    assert drawing.audit().errors == []


def test_geojson_as_its_standard_says(tmp_path: Path) -> None:
    clockwise = shapely.orient_polygons(HOLED, exterior_cw=True)
    done = made(writer_of(Path("a.geojson")), sheet(layer(clockwise, x=[float("inf")], 名=["甲"])), tmp_path)
    content = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    assert set(content) == {"type", "name", "features"}
    (feature,) = content["features"]
    assert feature["properties"] == {"x": "inf", "名": "甲"}
    outer, hole = (shapely.LinearRing(ring) for ring in feature["geometry"]["coordinates"])
    assert (outer.is_ccw, hole.is_ccw) == (True, False)
    text = json.dumps(feature["geometry"])
    assert (
        max(len(each.partition(".")[2]) for each in text.replace("]", ",").split(",") if "." in each)
        <= geojson.DECIMALS
    )
    assert ids(done.notes) == ["write.system-changed", "write.datum-step", "write.rounded", "write.display-only"]


def test_a_survey_text_as_the_bureaus_write_it(tmp_path: Path) -> None:
    what = sheet(layer(HOLED, DKBH=["7"], 用途=["公园"], 备注=["x"]))
    done = made(writer_of(Path("a.txt")), what, tmp_path)
    text = (tmp_path / "out.txt").read_bytes().decode("gbk")
    assert "带号=40\r\n" in text
    assert "10,5.8418,7,地块1,面,,公园,,@\r\n" in text
    assert ids(done.notes) == ["write.system-changed", "write.rounded", "write.survey-area", "write.attributes-left"]
    odd = made(writer_of(Path("a.txt")), sheet(replace(layer(HOLED), names=column("𠮷镇"))), tmp_path, "odd")
    assert "write.text-utf8" in ids(odd.notes)
    assert "𠮷镇" in (tmp_path / "odd.txt").read_text(encoding="utf-8")


def test_tables_of_the_survey_need_a_zone() -> None:
    for frame in (recognise(3857), recognise(2364), recognise(32651)):
        assert frame is not None
        with pytest.raises(CallRefused, match=r"\.txt needs coordinates in a 3- or 6-degree zone of CGCS2000"):
            fitted(replace(sheet(), frame=frame), writer_of(Path("a.txt")), None, "in")


@pytest.mark.parametrize(
    ("bare", "numbered", "zone"), [(4549, 4528, 40), (4508, 4497, 19), (2385, 2364, 40), (21459, 21419, 19)]
)
def test_the_number_of_a_zone_is_added_exactly(bare: int, numbered: int, zone: int) -> None:
    a, b = recognise(bare), recognise(numbered)
    assert a is not None
    assert b is not None
    there = moved(column(HOLED), a, b, None)
    assert np.array_equal(shapely.get_coordinates(there), shapely.get_coordinates(HOLED) + np.array([zone * 1e6, 0.0]))
    assert shapely.get_coordinates(moved(there, b, a, None)) == pytest.approx(shapely.get_coordinates(HOLED), abs=1e-8)


# --- systems and rounding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [(2364, 4528), (4528, 2364), (2416, 4490), (4610, 4326), (4610, 4214)])
def test_another_datum_is_refused(source: int, target: int) -> None:
    a, b = recognise(source), recognise(target)
    assert a is not None
    assert b is not None
    xy = (40_520_000, Y0) if not a.is_geographic else (120.2, 30.9)
    with pytest.raises(InputRefused, match=f"^f: EPSG:{source} and EPSG:{target} are on different datums"):
        moved(column(shapely.Point(xy)), a, b, "f")


@pytest.mark.parametrize(("source", "target", "easting"), [(2364, 2365, 40_520_000.0), (2416, 2437, 40_520_000.0)])
def test_zones_of_one_old_datum_are_changed(source: int, target: int, easting: float) -> None:
    a, b = recognise(source), recognise(target)
    assert a is not None
    assert b is not None
    there = moved(column(shapely.Point(easting, Y0)), a, b, None)
    back = moved(there, b, a, None)
    assert shapely.get_coordinates(back)[0] == pytest.approx([easting, Y0], abs=1e-6)


def test_a_far_zone_is_refused_with_the_near_one() -> None:
    far = recognise(4524)
    assert far is not None
    with pytest.raises(CallRefused, match=r"EPSG:4524 is for 106\.5 to 109\.51.*Use --to-crs EPSG:4549"):
        moved(column(HOLED), FRAME, far, None)


def test_coordinates_that_fit_no_system_are_refused() -> None:
    with pytest.raises(InputRefused, match="do not fit"):
        moved(column(shapely.Point(1e9, 1e9)), FRAME, degrees_frame(), "f")


def test_a_plane_without_a_code_is_a_system(tmp_path: Path) -> None:
    """A check abroad: its plane has no EPSG code; files say it by its parameters."""
    frame = plane_frame(Plane(9))
    assert frame.epsg is None
    assert same_system(frame, plane_frame(Plane(9)))
    what = sheet(layer(shapely.box(500_000, 5_000_000, 500_100, 5_000_100)), frame=frame)
    for writer in WRITERS:
        if writer.system != "cgcs2000-zone":
            assert made(writer, what, tmp_path).paths


def test_formats_refuse_what_they_cannot_hold(tmp_path: Path) -> None:
    mixed = sheet(layer(HOLED, shapely.Point(X0, Y0)))
    with pytest.raises(InputRefused, match=r"in: planning: \.shp cannot hold this geometry \(Point, Polygon\).*\.gpkg"):
        fitted(mixed, writer_of(Path("a.shp")), None, "in")
    with pytest.raises(CallRefused, match="holds one layer alone"):
        fitted(sheet(layer(HOLED), layer(HOLED)), writer_of(Path("a.shp")), None, "in")
    degrees = replace(sheet(layer(shapely.box(120, 30, 120.1, 30.1))), frame=degrees_frame())
    with pytest.raises(CallRefused, match=r"\.dxf needs projected coordinates in metres.*Add --to-crs EPSG:4549"):
        fitted(degrees, writer_of(Path("a.dxf")), None, "in")
    with pytest.raises(CallRefused, match=r"\.kml prescribes EPSG:4326 and cannot be written in EPSG:4549"):
        fitted(sheet(), writer_of(Path("a.kml")), FRAME, "in")
    feet = recognise(2263)
    assert feet is not None
    with pytest.raises(CallRefused, match="needs projected coordinates in metres"):
        fitted(replace(sheet(), frame=feet), writer_of(Path("a.dxf")), None, "in")


def test_what_a_grid_swallows_is_refused_or_left_out_and_said() -> None:
    thin = shapely.box(X0, Y0, X0 + 0.00002, Y0 + 0.00002)
    what = sheet(layer(HOLED, thin, n=[1, 2]))
    writer = writer_of(Path("a.geojson"))
    with pytest.raises(InputRefused, match="in: planning: the shapes of rows 2 are thinner than 9 decimals"):
        fitted(what, writer, None, "in")
    left, notes = fitted(what, writer, None, "in", leave_out=True)
    assert left.layers[0].columns["n"].tolist() == [1]
    assert ids(notes)[-1] == "write.left-out"


@given(st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=30)
def test_rounded_polygons_stay_valid_and_near(seed: int, decimals: int) -> None:
    shape = shapely.transform(random_boundary(seed), lambda xy: xy + np.pi / 7)
    found = on_grid(column(shape), decimals)
    assert found.shapes[0].is_valid
    assert np.array_equal(shapely.get_coordinates(found.shapes), shapely.get_coordinates(found.shapes).round(decimals))
    away = shapely.distance(shapely.points(shapely.get_coordinates(shape)), found.shapes[0].boundary)
    assert away.max() <= 2 * found.shift
    assert abs(found.shapes[0].area - shape.area) <= found.area * 1.5


def test_a_ring_that_rounding_would_cross_is_laid_on_the_grid_as_a_whole() -> None:
    needle = shapely.Polygon([(0, 0), (10, 0.6), (20, 0), (20, 8), (10, 0.9), (0, 8)])
    found = on_grid(column(needle), 0)
    assert found.mended.tolist() == [0]
    assert found.shapes[0].is_valid


def test_layers_of_unequal_columns_are_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="'x': names, shapes and columns are of different lengths"):
        SheetLayer("x", column("a"), column(HOLED, HOLED))


def test_the_readers_know_every_suffix_that_is_theirs() -> None:
    """What is written as .shp, .gpkg and .geojson is read by the product; modules of the formats are all registered."""
    assert {each.suffixes[0] for each in WRITERS} >= {".shp", ".shp.zip", ".gpkg", ".kml", ".dxf", ".geojson"}
    assert all(format_of(suffix) for suffix in (".shp", ".gpkg", ".geojson"))
    assert {each.write for each in WRITERS} >= {module.write for module in (dxf, geojson, geopackage, kml, shapefile)}
