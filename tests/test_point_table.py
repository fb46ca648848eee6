# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Tables of boundary points as CSV and XLSX: which column is which, what is refused and where, and what is written."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import LANGUAGES, say
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.point_columns import meaning
from geoplan_layers.files.table import Table
from geoplan_layers.selector import parse_selector
from geoplan_layers.towns_file import read_register
from geoplan_layers.vector import read_table
from geoplan_layers.writers.numbered import Parcel
from geoplan_layers.writers.point_table import PointTableOptions, write_point_table

WHOLE = shapely.box(40581000, 3544000, 40582000, 3544900)
CORNERS = [(3544000, 40581000), (3544900, 40581000), (3544900, 40582000), (3544000, 40582000), (3544000, 40581000)]


def frame(code: int) -> Frame:
    found = recognise(code)
    assert found is not None
    return found


def read(path: Path | str, limits: Limits = BOUNDARY) -> Table:
    table = read_table(parse_selector(str(path)), limits)
    assert all(say(note, lang) for note in table.notes for lang in LANGUAGES)
    return table


def csv_file(folder: Path, text: str, encoding: str = "gbk", name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def book(folder: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    path = folder / "a.xlsx"
    made.save(path)
    return path


def rows(first: str = "X", second: str = "Y") -> list[list[Any]]:
    return [["点号", first, second], *([f"J{i % 4 + 1}", x, y] for i, (x, y) in enumerate(CORNERS))]


def refused(path: Path | str, id: str, where: str | None = None, limits: Limits = BOUNDARY) -> InputRefused:
    with pytest.raises(InputRefused, match="a\\.") as caught:
        read(path, limits)
    assert caught.value.id == id
    assert where is None or caught.value.where == where
    assert all(caught.value.say(lang) for lang in LANGUAGES)
    return caught.value


def said(table: Table) -> list[str]:
    return [note.id.removeprefix("read.") for note in table.notes]


# --- columns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("X", "x"), ("x坐标(m)", "x"), ("X坐标（米）", "x"), ("X/m", "x"), ("POINT_X", "x"), ("Y坐标", "y"),
        ("纵坐标", "north"), ("纵坐标X", "north"), ("北坐标", "north"), ("X（北）", "north"), ("Northing", "north"), ("N", "north"),
        ("横坐标", "east"), ("横坐标(Y)", "east"), ("东坐标", "east"), ("Y（东）", "east"), ("EASTING", "east"), ("E", "east"),
        ("经度", "lon"), ("东经", "lon"), ("lon", "lon"), ("Longitude", "lon"), ("纬度(°)", "lat"), ("北纬", "lat"), ("lat", "lat"),
        ("点号", "name"), ("界址点号", "name"), ("拐点编号", "name"), ("序号", "order"), ("圈号", "ring"),
        ("地块编号", "plot"), ("宗地号", "plot"), ("地块名称", "plot-name"), ("面积（平方米）", "area"), ("地块面积(公顷)", "area"),
        ("边长(m)", "side"), ("坐标系", "epsg"), ("备注", None), ("东至", None), (None, None), (3.0, None),
    ],
)  # fmt: skip
def test_names_of_columns(name: Any, expected: str | None) -> None:
    assert meaning(name) == expected


@pytest.mark.parametrize(
    ("head", "turned"),
    [
        ("点号,X,Y", False), ("点号,X,Y", True), ("点号,纵坐标,横坐标", False), ("点号,东坐标,北坐标", True),
        ("点号,northing,easting", False), ("点号,e,n", True), ("id,x,y", True), ("点号,Y(东),X(北)", True), (None, False), (None, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["csv", "tab", "xlsx", "semicolon"])
def test_which_column_is_north_is_told_by_names_or_by_figures(tmp_path: Path, head, turned, kind) -> None:
    points = [[f"J{i % 4 + 1}", *((y, x) if turned else (x, y))] for i, (x, y) in enumerate(CORNERS)]
    table: list[list[Any]] = [*([head.split(",")] if head else []), *points]
    if kind == "xlsx":
        path = book(tmp_path, 一=table)
    else:
        mark = {"csv": ",", "tab": "\t", "semicolon": ";"}[kind]
        path = csv_file(tmp_path, "\n".join(mark.join(map(str, row)) for row in table))
    found = read(path)
    assert found.shapes[0].equals(WHOLE)
    by_names = head is not None and not {"X", "x"} & set(head.split(","))
    assert said(found) == ([] if by_names else ["columns-by-numbers"])
    assert found.frame is None


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_of_a_csv(tmp_path: Path, encoding: str) -> None:
    text = "地块名称,点号,X,Y\r\n" + "".join(f"甪直镇,J{i},{x},{y}\r\n" for i, (x, y) in enumerate(CORNERS))
    assert read(csv_file(tmp_path, text, encoding)).columns["地块名称"].tolist() == ["甪直镇"]


def test_degrees_by_name_and_by_figures(tmp_path: Path) -> None:
    for head, one in (
        ("lon,lat", "120.1,31.1"),
        ("纬度,经度", "31.1,120.1"),
        ("x,y", "120.1,31.1"),
        ("X,Y", "31.1,120.1"),
    ):
        other = [part.replace(".1", ".2") for part in one.split(",")]
        first, second = one.split(",")
        text = f"{head}\n{one}\n{other[0]},{second}\n{other[0]},{other[1]}\n{first},{other[1]}\n{one}\n"
        assert read(csv_file(tmp_path, text)).shapes[0].bounds == (120.1, 31.1, 120.2, 31.2), head


@pytest.mark.parametrize("text", ["X,Y\n1,2\n3,4\n5,1\n", "1,2\n3,4\n5,1\n", "x,y\n10.5,45.3\n10.6,45.3\n10.6,45.4\n"])
def test_figures_that_do_not_decide_are_refused(tmp_path: Path, text: str) -> None:
    refused(csv_file(tmp_path, text), "columns-undecided")


def test_named_north_with_eastings_is_kept_as_read_and_told(tmp_path: Path) -> None:
    table = read(book(tmp_path, 一=rows("东坐标", "北坐标")))
    assert said(table) == ["survey-looks-swapped"]
    assert table.shapes[0].bounds[0] == 3_544_000


def test_a_txt_with_named_columns_is_a_table(tmp_path: Path) -> None:
    text = "点号 X Y\n" + "".join(f"J{i} {x} {y}\n" for i, (x, y) in enumerate(CORNERS))
    assert read(csv_file(tmp_path, text, name="a.txt")).shapes[0].equals(WHOLE)


def test_the_survey_s_grammar_in_a_csv_is_read_as_such(tmp_path: Path) -> None:
    text = "[属性描述]\n坐标系=2000国家大地坐标系\n带号=40\n[地块坐标]\n5,90,DK1,甲,面,,,,@\n"
    text += "".join(f"J{i},1,{x},{y}\n" for i, (x, y) in enumerate(CORNERS))
    table = read(csv_file(tmp_path, text))
    assert table.frame is not None
    assert (table.frame.epsg, table.columns["地块名称"][0]) == (4528, "甲")


# --- rings and plots ---------------------------------------------------------------------------------------------


def test_plots_and_rings_by_their_columns_empty_cells_repeat_those_above(tmp_path: Path) -> None:
    table: list[list[Any]] = [["地块编号", "地块名称", "面积(平方米)", "圈号", "点号", "X", "Y", "备注"]]
    plots: list[tuple[str, str, int]] = [("1", "甲", 0), ("2", "乙", 5000)]
    for plot, name, east in plots:
        for ring, side, start in (("1", 100, 0), ("2", 10, 20)):
            for i, (a, b) in enumerate([(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]):
                first = i == 0
                head = [plot, name, 9900] if first and ring == "1" else [None, None, None]
                table.append([*head, ring if first else None, f"J{i + 1}", 3_544_000 + start + side * a,
                              40_581_000 + east + start + side * b, "荒" if plot == "1" else f"{i}"])  # fmt: skip
    found = read(book(tmp_path, 一=table))
    assert shapely.area(found.shapes).tolist() == [9_900.0, 9_900.0]
    assert found.columns["地块名称"].tolist() == ["甲", "乙"]
    assert found.columns["面积"].tolist() == [0.99, 0.99]
    assert found.columns["备注"].tolist() == ["荒", None]
    assert read(f"{tmp_path / 'a.xlsx'}[地块编号=2]").shapes[0].bounds[0] == 40_586_000


def test_rings_without_numbers_end_where_they_close(tmp_path: Path) -> None:
    hole = [(3544100, 40581100), (3544200, 40581100), (3544200, 40581200), (3544100, 40581100)]
    text = "X,Y\n" + "".join(f"{x},{y}\n" for x, y in [*CORNERS, *hole])
    assert read(csv_file(tmp_path, text)).shapes[0].area == 900_000 - 5_000
    blank = "X,Y\n" + "".join(f"{x},{y}\n" for x, y in CORNERS) + "\n" + "".join(f"{x},{y}\n" for x, y in hole)
    assert read(csv_file(tmp_path, blank)).shapes[0].area == 900_000 - 5_000


def test_a_numbering_that_begins_anew_begins_a_ring(tmp_path: Path) -> None:
    points = [*CORNERS[:4], (3544100, 40581100), (3544200, 40581100), (3544200, 40581200)]
    names = ["J1", "J2", "J3", "J4", "J1", "J2", "J3"]
    text = "点号,X,Y\n" + "".join(f"{n},{x},{y}\n" for n, (x, y) in zip(names, points, strict=True))
    table = read(csv_file(tmp_path, text))
    assert table.shapes[0].area == 900_000 - 5_000
    assert said(table).count("ring-closed") == 2


def test_a_printed_result_table_is_read(tmp_path: Path) -> None:
    """Titles, a head in two rows, sides between the points, the head again on the next page, a signature below."""
    table: list[list[Any]] = [
        ["界址点成果表"], ["坐标系：2000国家大地坐标系", None, "带号", 40], ["点号", "坐标", None, "边长"], [None, "X(m)", "Y(m)", None],
    ]  # fmt: skip
    for i, (x, y) in enumerate(CORNERS):
        table += [[f"J{i % 4 + 1}", x, y], [None, None, None, 900.0]]
        if i == 2:
            table.append([None, "X(m)", "Y(m)", None])
    table.append(["制表：某某"])
    found = read(book(tmp_path, 一=table))
    assert found.shapes[0].equals(WHOLE)
    assert found.frame is not None
    assert (found.frame.epsg, said(found)) == (4528, ["columns-by-numbers", "table-rows-passed"])


# --- systems -----------------------------------------------------------------------------------------------------


def test_a_table_without_a_system_asks_for_one_with_the_candidates(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="EPSG:4528") as caught:
        read_boundary(parse_selector(str(book(tmp_path, 一=rows()))), ReadOptions())
    assert caught.value.id == "crs-missing"
    given_one = read_boundary(parse_selector(str(tmp_path / "a.xlsx")), ReadOptions(frame(4528)))
    assert given_one.polygons.area == 900_000


def test_a_system_may_stand_in_a_column(tmp_path: Path) -> None:
    text = "X,Y,EPSG\n" + "".join(f"{x},{y},4528\n" for x, y in CORNERS)
    table = read(csv_file(tmp_path, text))
    assert table.frame is not None
    assert table.frame.epsg == 4528
    refused(csv_file(tmp_path, text.replace(",4528\n", ",4527\n", 1)), "table-system")


def test_towns_as_csv_are_read_as_before(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,name,lon,lat,stage\n1,甲镇,120.1,30.9,named\n", "utf-8", "towns.csv")
    register = read_register(parse_selector(str(path)))
    assert [(town.name, str(town.shape)) for town in register.towns] == [("甲镇", "POINT (120.1 30.9)")]


# --- refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "id", "where"),
    [
        ({(3, 1): "三五四"}, "table-value", "一!B4"),
        ({(3, 1): None}, "table-value-missing", "一!B4"),
        ({(3, 1): "=B2+900"}, "table-formula", "一!B4"),
        ({(3, 1): "=B2+900", (3, 2): "=C2"}, "table-formula", "一!B4"),
        ({(3, 1): True}, "table-value", "一!B4"),
        ({(3, 2): 1e300}, "table-value", "一!C4"),
        ({(0, 1): "甲", (0, 2): "乙"}, "table-without-coordinates", "一"),
    ],
)
def test_a_wrong_cell_is_refused_by_its_name(tmp_path: Path, change, id, where) -> None:
    table = rows()
    for (row, column), value in change.items():
        table[row][column] = value
    refused(book(tmp_path, 一=table), id, where)


def test_formulas_are_read_by_their_stored_results(tmp_path: Path) -> None:
    path = book(tmp_path, 一=rows())
    stored = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(stored, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                assert content.count(b'<c r="B3" t="n"><v>3544900</v>') == 1
                content = content.replace(b'<c r="B3" t="n"><v>', b'<c r="B3"><f>B2+900</f><v>')
            new.writestr(entry, content)
    path.write_bytes(stored.getvalue())
    assert read(path).shapes[0].equals(WHOLE)


@pytest.mark.parametrize(
    ("text", "id", "where"),
    [
        ("点号,X,Y\nJ1,3544000,40581000\nJ2,,40581000\n", "table-value-missing", "line 3, column 2"),
        ("点号,X,Y\nJ1,3544000,40581000\nJ2,35 44,40581000\n", "table-value", "line 3, column 2"),
        ("名称,备注\n甲,乙\n", "table-without-coordinates", None),
        ("X,Y\n3544000,40581000\n3544900,40581000\n", "ring-too-few", "line 2"),
        ("X,Y\n3544000,40581000\n3544900,40581000\n\n3544900,40582000\n", "survey-blank", "row 4"),
        ('X,Y\n"' + "9" * 200_000 + '",1\n', "table-broken", None),
        ("", "table-without-coordinates", None),
    ],
)
def test_what_a_csv_is_refused_for_and_where(tmp_path: Path, text: str, id: str, where: str | None) -> None:
    refused(csv_file(tmp_path, text), id, where)


def test_several_sheets_are_layers_and_those_without_coordinates_are_none(tmp_path: Path) -> None:
    path = book(tmp_path, 封面=[["某项目"]], 规划=rows(), 建设=rows())
    assert refused(path, "layer-ambiguous").message.args["known"] == ["规划", "建设"]
    assert read(f"{path}#建设").layer == "建设"
    assert read(book(tmp_path, 封面=[["某项目"]], 规划=rows())).layer == "规划"
    refused(book(tmp_path, 封面=[["某项目"]]), "table-without-coordinates")


def test_in_an_archive_tables_without_coordinates_are_passed_over(tmp_path: Path) -> None:
    cover = book(tmp_path, 封面=[["某项目"]]).read_bytes()
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("封面.xlsx", cover)
        opened.writestr("清单.csv", "名称,备注\n甲,乙\n")
        opened.writestr("点/规划.csv", "X,Y\n" + "".join(f"{x},{y}\n" for x, y in CORNERS))
    assert read(archive).layer == "规划"


@pytest.mark.parametrize("suffix", [".xls", ".et", ".ods"])
def test_other_workbooks_are_refused_with_what_to_save(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    assert ".xlsx" in refused(path, "export-instead.workbook").say("en")


# --- hostile -----------------------------------------------------------------------------------------------------


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    """A workbook with some of its parts replaced."""
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, parts.pop(entry.filename, b"") or old.read(entry))
        for name, content in parts.items():
            new.writestr(name, content)
    path.write_bytes(changed.getvalue())
    return path


SHEET = "xl/worksheets/sheet1.xml"
_NS = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def sheet_xml(cells: bytes) -> bytes:
    return b'<?xml version="1.0"?>' + _NS + cells + b"</sheetData></worksheet>"


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = packed(book(tmp_path, 一=rows()), {SHEET: sheet_xml(b" " * 50_000_000)})
    assert path.stat().st_size < 100_000
    refused(path, "zip-ratio")
    refused(path, "zip-bytes", limits=Limits(10**8, 10**7, 200, 10, 10**6))
    many = packed(book(tmp_path, 一=rows()), {f"x{i}": b"x" for i in range(300)})
    refused(many, "zip-entries")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    content = (
        b'<?xml version="1.0"?>' + laughs + _NS + b'<row r="1"><c t="str"><v>&b;</v></c></row></sheetData></worksheet>'
    )
    refused(packed(book(tmp_path, 一=rows()), {SHEET: content}), "table-broken")
    outside = content.replace(b'<!ENTITY b "&a;&a;&a;&a;">', b'<!ENTITY b SYSTEM "file:///etc/hostname">')
    refused(packed(book(tmp_path, 一=rows()), {SHEET: outside}), "table-broken")


@pytest.mark.parametrize("row", [b"1048576", b"2000000000"])
def test_a_row_far_below_takes_no_time(tmp_path: Path, row: bytes) -> None:
    cells = b'<row r="1"><c r="A1" t="str"><v>X</v></c><c r="B1" t="str"><v>Y</v></c></row>'
    cells += b'<row r="' + row + b'"><c r="A' + row + b'"><v>3544000</v></c><c r="XFD' + row + b'"><v>1</v></c></row>'
    began = time.monotonic()
    with pytest.raises(InputRefused, match="a.xlsx"):
        read_boundary(parse_selector(str(packed(book(tmp_path, 一=rows()), {SHEET: sheet_xml(cells)}))), ReadOptions())
    assert time.monotonic() - began < 5


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"X,Y\n1,2\n", b"\xd0\xcf\x11\xe0" * 100):
        path = tmp_path / "a.xlsx"
        path.write_bytes(content)
        refused(path, "table-broken")


def test_limits_hold(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="vertices"):
        read(book(tmp_path, 一=rows()), Limits(10**7, 10**7, 100, 10, 4))


# --- written -----------------------------------------------------------------------------------------------------

PLOT = shapely.Polygon(
    [(510_000.1234, 3_416_000), (510_100, 3_416_000), (510_100, 3_416_100), (510_000, 3_416_100)],
    [[(510_010, 3_416_010), (510_020, 3_416_010), (510_020, 3_416_020)]],
)


def test_the_table_can_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_point_table([Parcel(PLOT, "=甲", "DK7")], frame(4549), path)
    sheet = load_workbook(path).worksheets[0]
    assert [cell.value for cell in sheet[2]] == [
        "坐标系",
        "2000国家大地坐标系",
        "几度分带",
        3,
        "带号",
        40,
        "计量单位",
        "米",
    ]
    assert [cell.value for cell in sheet[3]] == [
        "地块编号",
        "地块名称",
        "面积（公顷）",
        "圈号",
        "点号",
        "X（北）",
        "Y（东）",
        "边长（米）",
    ]
    assert [cell.value for cell in sheet[4]] == ["DK7", "=甲", 0.9944, 1, "J1", 3416100, 40510000, 100]
    assert [cell.value for cell in sheet[8]] == [None, None, None, 1, "J1", 3416100, 40510000, None]
    assert [sheet.cell(row, 5).value for row in range(4, 13)] == ["J1", "J2", "J3", "J4", "J1", "J5", "J6", "J7", "J5"]
    assert sheet.cell(4, 2).data_type == "s"
    assert (sheet.print_title_rows, sheet.page_setup.fitToWidth, sheet.freeze_panes) == ("$1:$3", 1, "A4")
    assert all(sheet.column_dimensions[each].width >= 7 for each in "ABCDEFGH")
    assert sheet.cell(3, 1).font.bold


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("code", [4549, 4528, 4509, 4498])
def test_what_is_written_reads_back(tmp_path: Path, lang, suffix, code) -> None:
    path = tmp_path / f"a{suffix}"
    own = {4528: 40_000_000, 4498: 20_000_000}.get(code, 0)
    shape = shapely.transform(PLOT, lambda x, y: (x + own, y), interleaved=False)  # type: ignore[arg-type]
    write_point_table([Parcel(shape, "甲,乙")], frame(code), path, PointTableOptions(lang=lang))
    table = read(path)
    assert table.frame is not None
    assert table.frame.epsg == {4549: 4528, 4509: 4498}.get(code, code)
    assert (said(table), table.columns["地块名称"].tolist(), table.columns["面积"].tolist()) == (
        [],
        ["甲,乙"],
        [0.9944],
    )
    zone = 40_000_000 if code in (4528, 4549) else 20_000_000
    back = shapely.transform(table.shapes[0], lambda x, y: (x - zone, y), interleaved=False)  # type: ignore[arg-type]
    assert shapely.equals_exact(shapely.normalize(back), shapely.normalize(PLOT), 0.00071)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5)), min_size=1, max_size=4),
    st.sampled_from([".csv", ".xlsx"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=10),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_plots_read_back_to_a_millimetre_whatever_their_names(tmp_path: Path, squares, suffix, name) -> None:
    path = tmp_path / f"a{suffix}"
    shapes = [
        shapely.box(4e5 + x / 1e4, 3e6 + y / 1e4, 4e5 + (x + w) / 1e4 + 9, 3e6 + (y + w) / 1e4 + 9)
        for x, y, w in squares
    ]
    write_point_table([Parcel(each, name) for each in shapes], frame(4549), path)
    table = read(path)
    assert len(table) == len(shapes)
    for found, drawn in zip(table.shapes, shapes, strict=True):
        assert np.allclose(np.array(found.bounds) - [4e7, 0, 4e7, 0], drawn.bounds, atol=0.00051)


# --- mutated -----------------------------------------------------------------------------------------------------


def outcome(path: Path) -> Table | InputRefused:
    try:
        return read_table(parse_selector(str(path)), BOUNDARY)
    except InputRefused as refusal:
        return refusal


def judged(found: Table | InputRefused, name: str) -> None:
    if isinstance(found, InputRefused):
        assert found.file == name
        assert all(found.say(lang) for lang in LANGUAGES)
    else:
        assert np.isfinite(shapely.get_coordinates(found.shapes)).all()
        assert all(say(note, lang) for note in found.notes for lang in LANGUAGES)


_CELLS = st.sampled_from(["X", "Y", "点号", "圈号", "地块编号", "面积", "EPSG", "坐标系", "J1", "1", "2", "", "3544000", "3544900", "40581000",
                          "40582000", "581000", "120.1", "31.2", "nan", "1e999", "=A1", '"', "，", "4528", "2000国家大地坐标系"])  # fmt: skip


@given(st.lists(st.lists(_CELLS | st.text(max_size=4), max_size=7), max_size=12), st.sampled_from([",", "\t", ";"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_csv_is_read_or_refused_with_words(tmp_path: Path, cells, mark) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(mark.join(row) for row in cells).encode("gb18030", errors="replace"))
    judged(outcome(path), "a.csv")


@given(st.lists(st.lists(_CELLS | st.floats() | st.booleans() | st.none() | st.dates(), max_size=6), max_size=10))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sheet_is_read_or_refused_with_words(tmp_path: Path, cells) -> None:
    judged(outcome(book(tmp_path, 一=[["X", "Y"], *cells] if len(cells) % 2 else cells)), "a.xlsx")


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_workbook_is_read_or_refused_with_words(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes of a part, or of the packed file, cut out or exchanged."""
    path = book(tmp_path, 一=rows())
    with zipfile.ZipFile(path) as opened:
        parts = {entry.filename: opened.read(entry) for entry in opened.infolist()}
    name = data.draw(st.sampled_from([None, *sorted(parts)]))
    raw = path.read_bytes() if name is None else parts[name]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 65_535)) % (len(raw) + 1)  # the packed length differs from run to run
        raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 6)) :]
    if name is None:
        path.write_bytes(raw)
    else:
        packed(path, {name: raw})
    judged(outcome(path), "a.xlsx")
