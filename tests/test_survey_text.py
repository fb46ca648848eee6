# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The land survey's coordinate TXT: every variant that is met, what is refused and where, and what is written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import LANGUAGES, say
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.plots import PlotRows, even_odd, number, ring_starts
from geoplan_layers.files.survey_text import read_survey_text
from geoplan_layers.files.table import Table
from geoplan_layers.files.text import whole_text
from geoplan_layers.selector import parse_selector
from geoplan_layers.vector import read_table
from geoplan_layers.writers.numbered import Parcel
from geoplan_layers.writers.survey_text import SurveyTextOptions, write_survey_text

HEAD = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n计量单位=米\n带号=40\n[地块坐标]\n"
PLOT = "5,90.0000,DK1,甲,面,,,,@\n"
SQUARE = """J1,1,3544000.000,40581000.000
J2,1,3544900.000,40581000.000
J3,1,3544900.000,40582000.000
J4,1,3544000.000,40582000.000
J1,1,3544000.000,40581000.000
"""
ONE = HEAD + PLOT + SQUARE


def frame(code: int) -> Frame:
    found = recognise(code)
    assert found is not None
    return found


def parsed(text: str, limits: Limits = BOUNDARY) -> Table:
    return read_survey_text(text, Source("a.txt", "0" * 64), "a", limits)


def said(table: Table) -> list[str]:
    """Ids of the notes, each of which can be said in both languages."""
    assert all(say(note, lang) for note in table.notes for lang in LANGUAGES)
    return [note.id.removeprefix("read.") for note in table.notes]


def refused(text: str, id: str, **args: object) -> InputRefused:
    with pytest.raises(InputRefused, match="a.txt") as caught:
        parsed(text)
    assert caught.value.id == id
    assert args.items() <= {**caught.value.message.args, "where": caught.value.where}.items()
    assert all(caught.value.say(lang) for lang in LANGUAGES)
    return caught.value


def code_of(table: Table) -> int | None:
    return table.frame.epsg if table.frame else None


# --- the samples -------------------------------------------------------------------------------------------------

SAMPLES: dict[str, tuple[int, list[float], list[str]]] = {
    "made_13_fields_gbk.txt": (4528, [900_000.0], []),
    "made_fullwidth_gbk.txt": (4528, [900_000.0], []),
    "made_hole_gbk.txt": (4528, [890_000.0], []),
    "made_minimal_header_gbk.txt": (4528, [900_000.0], []),
    "made_no_zone_prefix_gbk.txt": (4549, [900_000.0], ["survey-no-prefix"]),
    "made_not_closed_gbk.txt": (4528, [900_000.0], ["ring-closed"]),
    "made_pdf_degree_gbk.txt": (4490, [0.0001], []),
    "made_single_gbk.txt": (4528, [900_000.0], []),
    "made_swapped_xy_gbk.txt": (4528, [900_000.0], ["survey-looks-swapped"]),
    "made_two_outer_rings_same_plot_utf8.txt": (4528, [940_000.0], ["plot-parts"]),
    "made_two_plots_utf8bom.txt": (4528, [900_000.0, 40_000.0], []),
    "made_utf16le_nobom.txt": (4528, [900_000.0], []),
    "made_wrong_count_gbk.txt": (4528, [900_000.0], ["survey-count"]),
    "made_xian80_gbk.txt": (2364, [900_000.0], []),
    "zhaoqing_44120000072.txt": (4526, [12_247.0957], ["survey-placeholders"]),
    "zhaoqing_44120000120.txt": (4526, [26_707.7653], ["survey-placeholders"]),
}


def test_every_sample_gives_what_it_holds(real_data: Path) -> None:
    folder = real_data / "data" / "boundary-files"
    assert {path.name for path in folder.glob("*.txt")} == set(SAMPLES)
    for name, (code, areas, notes) in SAMPLES.items():
        table = read_table(parse_selector(str(folder / name)), BOUNDARY)
        assert (code_of(table), said(table)) == (code, notes), name
        assert shapely.area(table.shapes).tolist() == pytest.approx(areas, abs=1e-3), name
        assert shapely.is_valid(table.shapes).all(), name


def test_the_declared_area_is_the_header_s_hectares(real_data: Path) -> None:
    path = real_data / "data" / "boundary-files" / "zhaoqing_44120000072.txt"
    boundary = read_boundary(parse_selector(str(path)), ReadOptions())
    assert boundary.declared_area_m2 == pytest.approx(12_247)
    assert boundary.polygons.area == pytest.approx(boundary.declared_area_m2, abs=0.5)


def test_xian_1980_is_never_turned_into_cgcs2000(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(ONE.replace("2000国家", "1980西安"), encoding="gbk")
    with pytest.raises(InputRefused, match="EPSG:2364 is on another datum"):
        read_boundary(parse_selector(str(path)), ReadOptions(anywhere=True))


# --- text and grammar --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(ONE.replace("甲", "甪直镇").replace("\n", end).encode(encoding))
    table = read_table(parse_selector(str(path)), BOUNDARY)
    assert table.columns["地块名称"].tolist() == ["甪直镇"]
    assert shapely.area(table.shapes).tolist() == [900_000.0]


def test_text_of_each_encoding_is_told_by_its_bytes() -> None:
    assert whole_text(b"") == ("", "utf-8")
    assert whole_text("a,b\n".encode("utf-16-be"))[0] == "a,b\n".strip("\x00 ")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("5,90,DK1,甲,面,@", {"地块编号": "DK1", "地块名称": "甲"}),
        ("5,90,DK1,甲,面,T,商业,@", {"图幅号": "T", "地块用途": "商业"}),
        ("5,90,DK1,甲,面,T,商业,0101,@", {"地类编码": "0101"}),
        ("5,90,DK1,甲,面,T,商业,0101@", {"地类编码": "0101"}),
        ("5,90,DK1,甲,面,T,商业,0101,a,b,c,d,e,@", {"TBLX": "a", "BZ": "e"}),
        ("5,90,DK1,甲,面,T,商业,0101,a,b,@", {"附加1": "a", "附加2": "b"}),
        ("5，90，DK1，甲，面，T，商业，0101，＠", {"地块编号": "DK1", "地类编码": "0101"}),
        ("5,90,DK1,甲，乙,面,,,,@", {"地块名称": "甲，乙"}),
        ("5,90,甲,面,T,商业,0101,@", {"地块名称": "甲", "图幅号": "T"}),
        ("5\t90\tDK1\t甲\t面\t\t\t\t@", {"地块名称": "甲", "面积": 90.0}),
        ("5,90,DK1,甲,Polygon,,,,@", {"图形类型": "面"}),
        ("5,90,DK1,甲,面,,,,", {"地块名称": "甲"}),
        ("5,0.7655公顷,DK1,甲,面,,,,@", {"面积": 0.7655}),
        ("5,900000平方米,DK1,甲,面,,,,@", {"面积": 90.0}),
        ("5,1350亩,DK1,甲,面,,,,@", {"面积": 90.0}),
        ("5,约九十,DK1,甲,面,,,,@", {"面积": "约九十"}),
    ],
)
def test_headers_of_plots(header: str, columns: dict[str, object]) -> None:
    table = parsed(HEAD + header + "\n" + SQUARE)
    assert columns.items() <= {name: column[0] for name, column in table.columns.items()}.items()
    assert shapely.area(table.shapes).tolist() == [900_000.0]


def test_points_as_exporters_write_them() -> None:
    whole = shapely.box(40581000, 3544000, 40582000, 3544900)
    corners = [line.split(",")[2:] for line in SQUARE.split()]
    for text in (
        ONE,
        ONE.replace(",", "，").replace("．", "."),
        HEAD + PLOT + SQUARE.replace(",", "\t"),
        HEAD + PLOT + SQUARE.replace("J", "J0"),
        HEAD + PLOT + SQUARE.replace("J", ""),
        HEAD + PLOT + SQUARE.replace("000.000", "000．000"),
        HEAD + "导出面数据0\n" + SQUARE,
        "导出面数据0\n" + SQUARE,
        "导出面数据0\n" + PLOT + SQUARE,
        "".join(f"{i},DK7,1,J{i},{x},{y}\n" for i, (x, y) in enumerate(corners, 1)),
        "".join(f"{x},{y}\n" for x, y in corners),
        "".join(f"{y},{x}\n" for x, y in corners),
        "".join(f"J{i},{x},{y}\n" for i, (x, y) in enumerate(corners, 1)),
        "".join(f"  {x}   {y}\n" for x, y in corners),
        PLOT + SQUARE + HEAD,
        "某项目勘测定界\n[项目]\n项目名称=乙\n" + ONE,
    ):
        table = parsed(text)
        assert table.shapes[0].equals(whole), text
        said(table)


def test_provincial_lines_tell_plots_apart() -> None:
    lines = [f"{i},{plot},1,J{i},{3544000 + 10 * (i > 2)},{40581000 + east + 10 * (i in (2, 3))}"
             for plot, east in (("1", 0), ("2", 500)) for i in (1, 2, 3, 4)]  # fmt: skip
    table = parsed("\n".join([*lines[:4], "", *lines[4:], ""]))
    assert table.columns["地块编号"].tolist() == ["1", "2"]
    assert shapely.area(table.shapes).tolist() == [100.0, 100.0]


def test_what_the_header_says_besides_is_kept_as_a_note() -> None:
    table = parsed("说明\n[项目]\n项目名称=乙\n面积单位=公顷\n" + ONE)
    assert said(table) == ["survey-keys", "survey-lines-passed"]
    assert "项目名称=乙" in say(table.notes[0], "zh")


def test_two_plots_with_equal_headers_are_two_plots() -> None:
    table = parsed(ONE + PLOT + SQUARE.replace("4058", "4059"))
    assert len(table) == 2
    assert table.columns["地块编号"].tolist() == ["DK1", "DK1"]


def test_one_plot_of_several_is_chosen_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(ONE + PLOT.replace("DK1", "DK2") + SQUARE.replace("4058", "4059"), encoding="gbk")
    boundary = read_boundary(parse_selector(f"{path}[地块编号=DK2]"), ReadOptions())
    assert boundary.polygons.bounds[0] == 40591000
    assert boundary.name == "甲"


# --- rings -------------------------------------------------------------------------------------------------------


def ring(number: int, x: float, y: float, side: float, close: bool = True) -> str:
    corners = [(x, y), (x, y + side), (x + side, y + side), (x + side, y)]
    return "".join(f"J{i},{number},{b},{a}\n" for i, (a, b) in enumerate([*corners, *corners[: int(close)]], 1))


E0, N0 = 40_500_000.0, 3_400_000.0


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize(
    ("squares", "area", "parts", "holes"),
    [
        ([(0, 0, 100), (10, 10, 20)], 9_600, 1, 1),
        ([(0, 0, 100), (200, 0, 20)], 10_400, 2, 0),
        ([(10, 10, 20), (0, 0, 100)], 9_600, 1, 1),
        ([(0, 0, 100), (10, 10, 50), (20, 20, 10)], 7_600, 2, 1),
        ([(0, 0, 100), (10, 10, 20), (200, 0, 50), (210, 10, 10)], 12_000, 2, 2),
        ([(0, 0, 100), (0, 0, 20)], 9_600, 1, 1),
    ],
)
def test_containment_tells_holes_from_parts(squares, area, parts, holes, close) -> None:
    text = "".join(ring(i, E0 + x, N0 + y, side, close) for i, (x, y, side) in enumerate(squares, 1))
    count = text.count("\n")
    table = parsed(HEAD + PLOT.replace("5,", f"{count},", 1) + text)
    shape = table.shapes[0]
    assert shape.area == pytest.approx(area)
    found = shapely.get_parts(shape)
    assert (len(found), sum(len(each.interiors) for each in found)) == (parts, holes)
    assert said(table).count("ring-closed") == (0 if close else len(squares))


def test_a_second_ring_of_the_same_number_begins_behind_the_closing_point() -> None:
    table = parsed(HEAD + PLOT.replace("5,", "10,", 1) + ring(1, E0, N0, 100) + ring(1, E0 + 10, N0 + 10, 20))
    assert table.shapes[0].area == pytest.approx(9_600)


def test_a_last_point_that_only_bears_the_first_one_s_name_is_told() -> None:
    table = parsed(
        HEAD + PLOT + SQUARE.replace("J1,1,3544000.000,40581000.000\n", "J1,1,3544000.030,40581000.040\n", 1)
    )
    assert said(table) == ["ring-ends-apart"]
    assert table.notes[0].args["gap"] == pytest.approx(0.05)


def test_rings_that_cross_stay_invalid_for_the_repair_to_judge(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(HEAD + PLOT.replace("5,", "10,", 1) + ring(1, E0, N0, 100) + ring(2, E0 + 50, N0 + 50, 99))
    with pytest.raises(InputRefused, match="invalid"):
        read_boundary(parse_selector(str(path)), ReadOptions())


def test_even_odd_is_the_same_in_every_order() -> None:
    boxes = [shapely.box(0, 0, 100, 100), shapely.box(1, 1, 99, 99), shapely.box(2, 2, 98, 98), shapely.box(5, 5, 6, 6)]
    rings = [shapely.get_coordinates(each) for each in boxes]
    areas = {
        round(float(shapely.area(even_odd([rings[i] for i in order])[0])), 6)
        for order in np.array([[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
    }
    assert areas == {10_000.0 - 98**2 + 96**2 - 1}


def test_many_rings_are_sorted_out_quickly() -> None:
    rings = [shapely.get_coordinates(shapely.box(-i, -i, i, i)) for i in range(1, 801)]
    shape, holes = even_odd(rings)
    assert (len(shapely.get_parts(shape)), holes) == (400, 400)


# --- systems -----------------------------------------------------------------------------------------------------


def headed(system: str = "2000国家大地坐标系", width: str = "3", zone: str = "40", unit: str = "米") -> str:
    return (
        f"[属性描述]\n坐标系={system}\n几度分带={width}\n计量单位={unit}\n带号={zone}\n转换参数=,,,,,,\n[地块坐标]\n"
        + PLOT
    )


@pytest.mark.parametrize(
    ("head", "prefix", "code", "notes"),
    [
        (headed(), "40", 4528, []),
        (headed(width="3度带"), "40", 4528, []),
        (headed(width="", zone=""), "40", 4528, []),
        (headed(zone=""), "40", 4528, []),
        (headed(zone="3"), "40", 4528, ["survey-zone-is-width"]),
        (headed(), "", 4549, ["survey-no-prefix"]),
        (headed(width=""), "", 4549, ["survey-no-prefix"]),
        (headed(zone=""), "", None, ["survey-no-zone"]),
        (headed(zone="3"), "", None, ["survey-zone-is-width", "survey-no-zone"]),
        (headed(width="6", zone="20"), "20", 4498, []),
        (headed(width="6", zone="20"), "", 4509, ["survey-no-prefix"]),
        (headed("80国家大地坐标系"), "40", 2364, []),
        (headed("1980西安国家大地坐标系"), "", 2385, ["survey-no-prefix"]),
        (headed("1954北京坐标系"), "40", 2416, []),
        (headed("1954北京坐标系", "6", "20"), "20", 21420, []),
        (headed("1954北京坐标系", "6", "20"), "", 21460, ["survey-no-prefix"]),
        (headed("1980西安坐标系", "6", "20"), "", 2345, ["survey-no-prefix"]),
        (headed("CGCS2000"), "40", 4528, []),
        (headed("２０００国家大地坐标系"), "40", 4528, []),
        (headed(""), "40", None, []),
        (headed("某市独立坐标系"), "40", None, ["survey-system-unknown"]),
    ],
)
def test_systems_by_header_and_eastings(head: str, prefix: str, code: int | None, notes: list[str]) -> None:
    table = parsed(head + SQUARE.replace(",4058", f",{prefix}58"))
    assert (code_of(table), said(table)) == (code, notes)
    if table.frame is not None:
        authority = recognise(int(code or 0))
        assert authority is not None
        assert table.frame.datum == authority.datum


def test_the_codes_are_those_of_the_authority() -> None:
    for code, zone in ((4498, 20), (4509, 20), (4528, 40), (4549, 40), (2364, 40), (2385, 40), (2416, 40), (2437, 40)):
        crs = frame(code).crs
        meridian = next(p.value for p in crs.coordinate_operation.params if "Longitude" in p.name)  # type: ignore[union-attr]
        assert meridian == (3 * zone if zone > 24 else 6 * zone - 3)


@pytest.mark.parametrize(
    ("head", "points", "id"),
    [
        (headed(zone="39"), SQUARE, "survey-zone-contradiction"),
        (headed(width="6"), SQUARE, "survey-zone-contradiction"),
        (headed(zone="20"), SQUARE.replace(",40", ","), "survey-zone-contradiction"),
        (headed(zone="50"), SQUARE.replace(",40", ","), "survey-zone-contradiction"),
        (headed(), SQUARE.replace(",4058", ",58").replace("1000.000", "1.000"), "survey-eastings"),
        (headed(), SQUARE.replace("J3,1,3544900.000,40", "J3,1,3544900.000,39"), "survey-zones-mixed"),
        (headed(unit="度"), SQUARE, "survey-unit"),
        (headed(unit="米"), "J1,1,32.1,120.1\nJ2,1,32.2,120.1\nJ3,1,32.2,120.2\nJ1,1,32.1,120.1\n", "survey-unit"),
    ],
)
def test_header_and_numbers_that_contradict_each_other_are_refused_with_both(head: str, points: str, id: str) -> None:
    refused(head + points, id)


def test_degrees_are_read_north_first() -> None:
    points = "J1,1,32.1,120.1\nJ2,1,32.2,120.1\nJ3,1,32.2,120.2\nJ1,1,32.1,120.1\n"
    for unit in ("度", ""):
        table = parsed(headed(unit=unit, zone="") + points)
        assert (code_of(table), table.shapes[0].bounds) == (4490, (120.1, 32.1, 120.2, 32.2))
    swapped = "".join(",".join([a, r, y, x]) + "\n" for a, r, x, y in (line.split(",") for line in points.split()))
    table = parsed(headed(unit="度").replace("5,", "4,", 1) + swapped)
    assert (said(table)[0], table.shapes[0].bounds) == ("survey-looks-swapped", (32.1, 120.1, 32.2, 120.2))


def test_easting_first_is_never_turned_in_silence() -> None:
    for text in (SQUARE, SQUARE.replace(",40", ",")):
        lines = [line.split(",") for line in text.split()]
        table = parsed(headed() + "".join(f"{a},{r},{y},{x}\n" for a, r, x, y in lines))
        assert "survey-looks-swapped" in said(table)
        assert table.shapes[0].bounds[0] == 3_544_000


# --- refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "id", "args"),
    [
        (ONE + "\n合计：90公顷\n", "survey-line", {"where": "line 14"}),
        (ONE + "J5,1,3544000.000\n", "survey-line", {"where": "line 13", "count": 3}),
        (ONE.replace("3544900.000,40582000", "3544900.000,4058A000"), "survey-line", {"where": "line 10", "count": 4}),
        (ONE.replace("J3,1,3544900.000,", "J3,1,nan,"), "survey-line", {"where": "line 10"}),
        (ONE.replace("J3,1,3544900.000,", "J3,1,3_544_900,"), "survey-line", {"where": "line 10"}),
        (ONE.replace("J3,1,3544900.000,", "J3,1,1e308,"), "survey-line", {"where": "line 10"}),
        (HEAD + "5,90,DK1,甲,体,,,,@\n" + SQUARE, "survey-kind", {"where": "line 7", "given": "体"}),
        (ONE + PLOT, "plot-without-points", {"where": "line 13", "plot": "甲"}),
        (HEAD + PLOT + "\n".join(SQUARE.splitlines()[:2]), "survey-cut-short", {"stated": 5, "count": 2}),
        (HEAD + PLOT.replace("5,", "2,", 1) + "\n".join(SQUARE.splitlines()[:2]), "ring-too-few", {"where": "line 8"}),
        (HEAD + PLOT + SQUARE + "J9,2,3544000.000,40581000.000\n", "ring-too-few", {"where": "line 13", "count": 1}),
        (ONE.replace("带号=40", "带号=40\n带号=39"), "survey-two-systems", {"one": "40", "other": "39"}),
        ("100,200\n200,200\n200,300\n", "columns-undecided", {}),
        ("3544000,40581000\n3544900,40581000\n\n3544900,40582000\n3544000,40582000\n", "survey-blank", {"where": "line 3"}),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(text: str, id: str, args: dict[str, object]) -> None:
    refused(text, id, **args)


def test_a_blank_line_among_numbered_points_is_nothing() -> None:
    assert said(parsed(ONE.replace("J3,", "\n\nJ3,"))) == []


def test_a_count_that_is_wrong_is_told_with_both_numbers() -> None:
    table = parsed(ONE.replace("5,90", "9,90"))
    assert table.notes[0].args == {"plot": "甲", "stated": 9, "count": 5}


@pytest.mark.parametrize(("kind", "type"), [("线", "LineString"), ("点", "MultiPoint")])
def test_lines_and_points_are_no_boundary(tmp_path: Path, kind: str, type: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(ONE.replace("面", kind), encoding="gbk")
    assert read_table(parse_selector(str(path)), BOUNDARY).shapes[0].geom_type == type
    with pytest.raises(InputRefused, match="polygon"):
        read_boundary(parse_selector(str(path)), ReadOptions())


def test_transformation_parameters_are_never_shown(tmp_path: Path) -> None:
    secret = "123.456,-98.765,4.321,0.111,0.222,0.333,5.4321"
    variants = [f"转换参数={secret}", f"转换参数：{secret}", f"七参数 = {secret}", f"转换参数=\n{secret}"]
    for line in variants:
        text = ONE.replace("带号=40\n", f"带号=40\n{line}\n")
        try:
            table = parsed(text)
            shown = "".join(say(note, lang) for note in table.notes for lang in LANGUAGES) + str(table)
        except InputRefused as refusal:
            shown = str(refusal.as_dict())
        assert not any(part in shown for part in secret.split(",")), line
    assert said(parsed(ONE.replace("带号=40\n", f"带号=40\n{variants[0]}\n"))) == ["survey-parameters"]
    assert said(parsed(ONE.replace("带号=40\n", "带号=40\n转换参数=0,0,0.0,0,0,0,0\n"))) == []


def test_limits_hold() -> None:
    with pytest.raises(TooLarge, match="vertices") as caught:
        parsed(ONE, Limits(10**6, 10**6, 10, 10, 4))
    assert caught.value.message.args == {"count": 5, "most": 4}


def test_a_text_that_is_no_table_is_refused_alone_and_passed_over_in_an_archive(tmp_path: Path) -> None:
    readme = tmp_path / "说明.txt"
    readme.write_text("本压缩包含规划范围。\n联系人：某某\n", encoding="gbk")
    with pytest.raises(InputRefused, match="not a text of coordinates"):
        read_table(parse_selector(str(readme)), BOUNDARY)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("说明.txt", readme.read_bytes())
        opened.writestr("规划.txt", ONE.encode("gbk"))
    assert read_table(parse_selector(str(archive)), BOUNDARY).layer == "规划"


def test_a_text_beside_a_table_of_the_same_name_is_told_apart_by_its_suffix(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("规划.txt", ONE.encode("gbk"))
        opened.writestr("规划.csv", "X,Y\n3544000,40581000\n3544900,40581000\n3544900,40582000\n")
    with pytest.raises(InputRefused, match="several data sets") as caught:
        read_table(parse_selector(str(archive)), BOUNDARY)
    assert caught.value.message.args["known"] == ["规划.txt", "规划.csv"]
    assert shapely.area(read_table(parse_selector(f"{archive}#规划.txt"), BOUNDARY).shapes).tolist() == [900_000.0]


# --- written -----------------------------------------------------------------------------------------------------


def test_what_is_written_is_the_format_to_the_letter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    plot = shapely.Polygon(
        [(510_000, 3_416_000), (510_100, 3_416_000), (510_100, 3_416_100), (510_000, 3_416_100)],
        [[(510_010, 3_416_010), (510_020, 3_416_010), (510_020, 3_416_020)]],
    )
    notes = write_survey_text([Parcel(plot, "甲,乙\n镇", use="商业")], frame(4549), path)
    assert [note.id for note in notes] == ["write.survey-prefix", "write.survey-area", "write.survey-names"]
    assert path.read_bytes().decode("gbk").split("\r\n") == [
        "[属性描述]", "格式版本号=1.01版本", "数据产生单位=", "数据产生日期=", "坐标系=2000国家大地坐标系", "几度分带=3",
        "投影类型=高斯克吕格", "计量单位=米", "带号=40", "精度=0.001", "转换参数=,,,,,,", "[地块坐标]",
        "9,0.9950,DK1,甲，乙 镇,面,,商业,,@",
        "J1,1,3416100.000,40510000.000", "J2,1,3416100.000,40510100.000", "J3,1,3416000.000,40510100.000",
        "J4,1,3416000.000,40510000.000", "J1,1,3416100.000,40510000.000",
        "J5,2,3416010.000,40510010.000", "J6,2,3416010.000,40510020.000", "J7,2,3416020.000,40510020.000",
        "J5,2,3416010.000,40510010.000", "",
    ]  # fmt: skip


def test_a_name_that_gbk_lacks_is_refused_with_its_characters_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(InputRefused, match="𠮷") as caught:
        write_survey_text([Parcel(shapely.box(5e5, 3e6, 5e5 + 9, 3e6 + 9), "𠮷村")], frame(4528 + 21), path)
    assert caught.value.message.args == {"characters": ["𠮷"]}
    assert not path.exists()
    write_survey_text(
        [Parcel(shapely.box(5e5, 3e6, 5e5 + 9, 3e6 + 9), "𠮷村")], frame(4549), path, SurveyTextOptions("utf-8")
    )
    assert read_table(parse_selector(str(path)), BOUNDARY).columns["地块名称"].tolist() == ["𠮷村"]


def test_headers_never_are_equal(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    same = [Parcel(shapely.box(5e5, 3e6 + i, 5e5 + 9, 3e6 + i + 1), "甲", "DK1") for i in (0, 5, 10)]
    write_survey_text(same, frame(4549), path)
    assert read_table(parse_selector(str(path)), BOUNDARY).columns["地块编号"].tolist() == ["DK1", "DK1-2", "DK1-3"]


@pytest.mark.parametrize("code", [4490, 2364, 3857, 32650])
def test_other_systems_are_not_written(tmp_path: Path, code: int) -> None:
    with pytest.raises(InputRefused, match="CGCS2000"):
        write_survey_text([Parcel(shapely.box(0, 0, 1, 1))], frame(code), tmp_path / "a.txt")


def test_a_polygon_finer_than_a_millimetre_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="1 mm"):
        write_survey_text([Parcel(shapely.box(5e5, 3e6, 5e5 + 0.0004, 3e6 + 9))], frame(4549), tmp_path / "a.txt")


def test_areas_are_planar_or_by_the_survey_s_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    plot = shapely.box(640_000, 3_416_000, 641_000, 3_417_000)
    for options, expected in ((SurveyTextOptions(), 100.0), (SurveyTextOptions(area="ellipsoidal"), 99.9514)):
        write_survey_text([Parcel(plot)], frame(4549), path, options)
        assert read_table(parse_selector(str(path)), BOUNDARY).columns["面积"][0] == pytest.approx(expected, abs=1e-3)


@st.composite
def boundaries(draw: st.DrawFn) -> shapely.MultiPolygon:
    """Several parts with holes, and islands in the holes: stars around the points of a grid, coordinates to 0.1 mm."""
    parts = []
    for cell in range(draw(st.integers(1, 3))):
        east, north = 500_000 + 3_000 * cell + draw(st.floats(-50, 50)), 3_416_000 + draw(st.floats(-50, 50))
        count = draw(st.integers(3, 9))
        radii = draw(st.lists(st.floats(800, 1_200), min_size=count, max_size=count))
        angle = np.arange(count) * 2 * np.pi / count
        star = (np.array([east, north]) + np.array(radii)[:, None] * np.array([np.cos(angle), np.sin(angle)]).T).round(
            4
        )
        holes = [
            shapely.get_coordinates(shapely.box(*(np.array([east, north, east, north]) + np.array(each)).round(4)))
            for each in draw(st.sampled_from([[], [(-90, -90, 90, 90)], [(-90, -90, -10, -10), (10, 10, 90, 90)]]))
        ]
        parts.append(shapely.Polygon(star, holes))
        if len(holes) == 1 and draw(st.booleans()):
            parts.append(shapely.box(*(np.array([east - 9, north - 9, east + 9, north + 9]))))
    return shapely.MultiPolygon(parts)


def moved(shape: shapely.MultiPolygon, east: float) -> shapely.MultiPolygon:
    return shapely.transform(shape, lambda x, y: (x + east, y), interleaved=False)  # type: ignore[arg-type]


@given(boundaries(), st.sampled_from([4528, 4549, 4498, 4509]), st.sampled_from(["gbk", "utf-8"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back_to_a_millimetre(tmp_path: Path, shape, code, encoding) -> None:
    path = tmp_path / "a.txt"
    own = {4528: 40_000_000, 4498: 20_000_000}.get(code, 0)
    write_survey_text([Parcel(moved(shape, own), "甲")], frame(code), path, SurveyTextOptions(encoding))
    table = read_table(parse_selector(str(path)), BOUNDARY)
    assert code_of(table) == {4549: 4528, 4509: 4498}.get(code, code)
    assert [each for each in said(table) if each != "plot-parts"] == []
    back = shapely.MultiPolygon(list(shapely.get_parts(table.shapes)))
    back = moved(back, -40_000_000 if code in (4528, 4549) else -20_000_000)
    assert shapely.equals_exact(shapely.normalize(back), shapely.normalize(shape), 0.00051 * 2**0.5)
    for row in range(len(table)):
        assert table.columns["面积"][row] == pytest.approx(table.shapes[row].area / 1e4, abs=5.1e-5)


# --- mutated -----------------------------------------------------------------------------------------------------

_SEEDS = [
    ONE,
    HEAD + PLOT.replace("5,", "10,", 1) + ring(1, E0, N0, 100) + ring(2, E0 + 10, N0 + 10, 20),
    "导出面数据0\n" + SQUARE,
    "3544000,40581000\n3544900,40581000\n3544900,40582000\n3544000,40581000\n",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid text with lines and characters taken out, doubled, exchanged or replaced."""
    text = draw(st.sampled_from(_SEEDS))
    pieces = draw(st.sampled_from([text.splitlines(keepends=True), list(text)]))
    for _ in range(draw(st.integers(1, 5))):
        i, j = (draw(st.integers(0, max(len(pieces) - 1, 0))) for _ in range(2))
        kind = draw(st.integers(0, 4))
        if not pieces:
            break
        if kind == 0:
            del pieces[i]
        elif kind == 1:
            pieces.insert(j, pieces[i])
        elif kind == 2:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        elif kind == 3:
            pieces[i] = draw(st.text(max_size=12))
        else:
            pieces[i] = draw(st.sampled_from(["@", ",", "\t", "=", "[地块坐标]\n", "转换参数=9", "NaN", "1e999", "-0", "，", "\x00", "٣", "面"]))  # fmt: skip
    raw = "".join(pieces).encode(draw(st.sampled_from(["gbk", "utf-8", "utf-16-le"])), errors="replace")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=3)) + raw[at + draw(st.integers(0, 2)) :]
    return raw


def outcome(path: Path) -> Table | InputRefused:
    try:
        return read_table(parse_selector(str(path)), BOUNDARY)
    except InputRefused as refusal:
        return refusal


@given(mutated())
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_is_read_or_refused_with_words(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    found = outcome(path)
    if isinstance(found, InputRefused):
        assert found.file == "a.txt"
        assert all(found.say(lang) for lang in LANGUAGES)
    else:
        assert np.isfinite(shapely.get_coordinates(found.shapes)).all()
        said(found)


@given(st.text(max_size=12))
def test_a_number_is_a_number_or_none(text: str) -> None:
    value = number(text)
    assert value is None or abs(value) < 1e9


@given(st.lists(st.tuples(st.sampled_from(["1", "2", None]), st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_rings_begin_in_order_and_cover_every_point(points) -> None:
    plot = PlotRows(1)
    for line, (ring_number, x, y) in enumerate(points, 1):
        plot.add(line, f"J{line}", ring_number, float(x), float(y))
    starts = ring_starts(plot)
    assert starts == sorted(set(starts))
    assert (starts[:1] == [0]) == bool(points)
