"""Writing the table of boundary points (界址点坐标表) as XLSX, laid out to be printed, or as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from geoplan.crs import Frame
from geoplan.messages import Lang, Message
from geoplan.messages.units import half_up
from geoplan_layers.writers.numbered import AreaMethod, NumberedPlot, Parcel, Zone, metres, numbered, zone_of

Value = str | int | float | Decimal | None
_TITLES: dict[Lang, tuple[str, ...]] = {
    "zh": ("地块编号", "地块名称", "面积（公顷）", "圈号", "点号", "X（北）", "Y（东）", "边长（米）"),
    "en": ("Plot no", "Plot name", "Area (ha)", "Ring", "Point", "Northing", "Easting", "Side (m)"),
}
_HEADINGS: dict[Lang, str] = {"zh": "界址点坐标表", "en": "Boundary points"}
_WIDTHS = (12, 24, 13, 7, 8, 16, 17, 12)
_FORMATS = ("@", "@", "0.0000", "0", "@", "0.000", "0.000", "0.00")
_HEAD_ROW = 3


@dataclass(frozen=True, slots=True)
class PointTableOptions:
    """The language of the titles, the method of areas, a heading of one's own."""

    lang: Lang = "zh"
    area: AreaMethod = "planar"
    heading: str = ""


def write_point_table(
    parcels: Sequence[Parcel], frame: Frame, path: Path, options: PointTableOptions | None = None
) -> tuple[Message, ...]:
    """Write the points of some plots, one row each: plot, area, ring, J-number, X (north), Y (east), side to the next.

    A path that ends in .csv gets a CSV (UTF-8 with its mark, which spreadsheets need, and a column EPSG); any other an
    XLSX. Sides are planar, to 0.01 m.

    Parameters
    ----------
    parcels
        Polygons in ``frame``, metres, x = east, y = north.
    frame
        CGCS2000 in a 3- or 6-degree zone; eastings without the zone number get it.

    Raises
    ------
    InputRefused
        Another system, or a polygon that rounding to 1 mm makes invalid.
    """
    options = options or PointTableOptions()
    plots, notes = numbered(parcels, frame, path.name, options.area)
    zone = zone_of(frame, path.name)
    if path.suffix.lower() == ".csv":
        _write_csv(plots, zone, path, options)
    else:
        _write_workbook(plots, zone, path, options)
    return notes


def _rows(plot: NumberedPlot) -> Iterator[tuple[Value, ...]]:
    """One row a point, plot and area on the first alone; the closing point has no side."""
    head: tuple[Value, ...] = (plot.number, plot.name, plot.hectares)
    for ring in plot.rings:
        sides: list[float | None] = [half_up(side, 2) for side in ring.sides.tolist()]
        for name, (north, east), side in zip(ring.names, ring.millimetres.tolist(), [*sides, None], strict=True):
            yield (*head, ring.number, name, Decimal(metres(north)), Decimal(metres(east)), side)
            head = (None, None, None)


def _write_csv(plots: Sequence[NumberedPlot], zone: Zone, path: Path, options: PointTableOptions) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow([*_TITLES[options.lang], "EPSG"])
        for plot in plots:
            for _, _, _, *point in _rows(plot):
                writer.writerow([plot.number, plot.name, plot.hectares, *point, zone.epsg])


def _write_workbook(plots: Sequence[NumberedPlot], zone: Zone, path: Path, options: PointTableOptions) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = _HEADINGS[options.lang]
    _text(sheet.cell(1, 1), options.heading or _HEADINGS[options.lang])
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    sheet.cell(1, 1).alignment = Alignment(horizontal="center")
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(_WIDTHS))
    stated = ("坐标系", "2000国家大地坐标系", "几度分带", zone.width, "带号", zone.number, "计量单位", "米")
    for column, value in enumerate(stated, 1):
        sheet.cell(2, column, value)
    thin = Side(style="thin")
    box = Border(left=thin, right=thin, top=thin, bottom=thin)
    for column, title in enumerate(_TITLES[options.lang], 1):
        cell = sheet.cell(_HEAD_ROW, column, title)
        cell.font, cell.border = Font(bold=True), box
        cell.fill = PatternFill("solid", fgColor="DDE6F0")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    row = _HEAD_ROW
    for plot in plots:
        for values in _rows(plot):
            row += 1
            for column, (value, form) in enumerate(zip(values, _FORMATS, strict=True), 1):
                cell = sheet.cell(row, column)
                cell.border, cell.number_format = box, form
                _text(cell, value) if isinstance(value, str) else setattr(cell, "value", value)
    _laid_out(sheet, row)
    book.save(path)


def _text(cell: Any, text: str) -> None:
    """A text stays one: a name that begins with = is no formula."""
    cell.value = text
    cell.data_type = "s"


def _laid_out(sheet: Any, last: int) -> None:
    """A4 upright, one page wide, the titles on every page."""
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = sheet.cell(_HEAD_ROW + 1, 1)
    sheet.print_title_rows = f"1:{_HEAD_ROW}"
    sheet.print_area = f"A1:{get_column_letter(len(_WIDTHS))}{max(last, _HEAD_ROW)}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.center.text = "&P / &N"
