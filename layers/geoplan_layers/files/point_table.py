"""Tables of points (界址点坐标表) as CSV or XLSX: one row a point, read as plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.plots import PlotRows, number, ring_starts, within_limits
from geoplan_layers.files.plots_table import by_numbers, table_of
from geoplan_layers.files.point_columns import Cell, Layout, Row, layout_of, meaning
from geoplan_layers.files.survey_frame import Stated, frame_of_survey, looks_swapped, north_first
from geoplan_layers.files.survey_header import hectares
from geoplan_layers.files.table import Table

_DELIMITERS = ",;\t，|"
_AREA, _CODE = "面积", "EPSG"
_PLOT_COLUMNS = {
    "plot": "地块编号",
    "plot-name": "地块名称",
    "sheet": "图幅号",
    "use": "地块用途",
    "class": "地类编码",
    "area": _AREA,
    "epsg": _CODE,
}
Place = Callable[[int, int], str]
"""Row (from 1) and column (from 0) → how messages name a cell."""


@dataclass(frozen=True)
class Cells:
    """A table as it lies in its file, with the way its cells are named there.

    ``uncomputed`` picks, of cells that look empty (row, column), one that holds a formula without a stored result.
    """

    rows: Sequence[Row]
    place: Place
    uncomputed: Callable[[Sequence[tuple[int, int]]], tuple[int, int] | None] = lambda _: None


@dataclass
class _Reading:
    """What has been read so far, row by row."""

    file: str
    layout: Layout
    cells: Cells
    plots: list[PlotRows] = field(default_factory=list)
    key: tuple[str, ...] = ()
    ring: str | None = None
    blank: bool = False
    passed: list[int] = field(default_factory=list)
    empty: list[tuple[int, int]] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    watched: tuple[int, ...] = ()
    attributes: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        columns = self.layout.columns
        self.watched = tuple(columns[each] for each in ("plot", "plot-name", "ring") if each in columns)
        named = [(name, columns[key]) for key, name in _PLOT_COLUMNS.items() if key in columns]
        self.attributes = (*named, *self.layout.others.items())


def csv_rows(text: str, source: Source) -> list[Row]:
    """The rows of a CSV, or of columns parted by tabs or blanks, by their line numbers.

    Raises
    ------
    InputRefused
        A value longer than any table has.
    """
    head = text[: 1 << 14]
    delimiter = max(_DELIMITERS, key=head.count)
    lines = io.StringIO(text, newline="")
    if delimiter not in head:
        return [(order, line.split()) for order, line in enumerate(lines, 1)]
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as wrong:
        raise InputRefused(
            "table-broken", file=source.file, where=f"line {reader.line_num}", detail=str(wrong)
        ) from None


def line_place(row: int, column: int) -> str:
    """How a cell of a text table is named."""
    return f"line {row}, column {column + 1}"


def read_point_table(cells: Cells, source: Source, layer: str, limits: Limits, encoding: str = "utf-8") -> Table:
    """One row per plot; its rings by 圈号, else by where they close.

    Raises
    ------
    InputRefused
        No coordinate columns, a cell that is no number or an uncomputed formula, a coordinate without the other,
        X and Y that the figures do not tell apart, a ring with too few points.
    TooLarge
        More points than allowed.
    """
    layout = layout_of(cells.rows)
    if layout is None:
        raise InputRefused("table-without-coordinates", file=source.file, where=layer)
    reading = _Reading(source.file, layout, cells)
    within_limits(len(cells.rows) - layout.begins, limits.vertices, source.file)
    for row, values in cells.rows[layout.begins :]:
        _read_row(reading, row, values)
    _check(reading)
    first = np.array([value for plot in reading.plots for value in plot.first])
    second = np.array([value for plot in reading.plots for value in plot.second])
    east_second, notes = _order(reading, first, second)
    frame, more = _frame(reading, first, second, east_second=east_second)
    if reading.passed:
        more = (*more, Message("read.table-rows-passed", {"rows": reading.passed[:12], "count": len(reading.passed)}))
    return table_of(reading.plots, frame, source, layer, encoding, (*notes, *more), east_second=east_second)


def _cell(values: Sequence[Cell], column: int | None) -> Cell:
    cell = values[column] if column is not None and column < len(values) else None
    return None if cell == "" else cell


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _read_row(reading: _Reading, row: int, values: Sequence[Cell]) -> None:
    first, second = _cell(values, reading.layout.first), _cell(values, reading.layout.second)
    one, other = _figure(first), _figure(second)
    if reading.plots:
        reading.empty += [(row, column) for column in reading.watched if _cell(values, column) is None]
    if one is None or other is None:
        _without_point(reading, row, values, first, second)
        return
    columns = reading.layout.columns
    plot = _plot(reading, row, values)
    ring = _cell(values, columns.get("ring"))
    reading.ring = _text(ring) if ring is not None else reading.ring
    if reading.blank and len(plot) and reading.ring is None:
        plot.breaks.append(len(plot))
    reading.blank = False
    plot.add(row, _text(_cell(values, columns.get("name", columns.get("order")))), reading.ring, one, other)


def _figure(cell: Cell) -> float | None:
    if cell is None:
        return None
    return number(cell) if isinstance(cell, str) else number(repr(cell))


def _without_point(reading: _Reading, row: int, values: Sequence[Cell], first: Cell, second: Cell) -> None:
    """Pass over a row that has no coordinates; refuse one that has half a point, or something else in its place."""
    layout, place = reading.layout, reading.cells.place
    reading.empty += [(row, column) for column in (layout.first, layout.second) if _cell(values, column) is None]
    if first is None and second is None:
        filled = any(cell not in (None, "") for cell in values)
        reading.blank = reading.blank or not filled
        if filled:
            reading.passed.append(row)
        return
    if meaning(first) is not None and meaning(second) is not None:  # the names again, at the top of a printed page
        return
    if first is None or second is None:
        _refuse_formula(reading)
        column = layout.first if first is None else layout.second
        raise InputRefused("table-value-missing", file=reading.file, where=place(row, column))
    column, wrong = (layout.first, first) if _figure(first) is None else (layout.second, second)
    raise InputRefused("table-value", file=reading.file, where=place(row, column), given=_text(wrong)[:40])


def _plot(reading: _Reading, row: int, values: Sequence[Cell]) -> PlotRows:
    """The plot of a row: a new one where its number or name changes; empty cells repeat those above."""
    if reading.plots and not reading.watched and not reading.attributes:
        return reading.plots[-1]
    columns = reading.layout.columns
    given = [_text(_cell(values, columns.get(each))) for each in ("plot", "plot-name")]
    before = reading.key or ("", "")
    key = tuple(new or old for new, old in zip(given, before, strict=True))
    if not reading.plots or key != before:
        reading.plots.append(PlotRows(row))
        reading.key, reading.ring = key, None
    plot = reading.plots[-1]
    if reading.attributes:
        _take(reading, plot, values)
    return plot


def _take(reading: _Reading, plot: PlotRows, values: Sequence[Cell]) -> None:
    """What a row says of its plot; what differs within a plot is said of points, and left out."""
    for name, column in reading.attributes:
        cell = _cell(values, column)
        if cell is None:
            continue
        value = hectares(f"{_text(cell)}{reading.layout.area_unit}") if name == _AREA else _text(cell)
        if name == _CODE:
            reading.codes.add(_text(cell))
        elif plot.attributes.setdefault(name, value) != value:
            plot.attributes[name] = ""


def _check(reading: _Reading) -> None:
    _refuse_formula(reading)
    for plot in reading.plots:
        plot.attributes = {name: value for name, value in plot.attributes.items() if value != ""}
        torn = sorted(set(plot.breaks) - set(ring_starts(plot))) if plot.breaks else []
        if torn:
            raise InputRefused("survey-blank", file=reading.file, where=f"row {plot.lines[torn[0]] - 1}")


def _refuse_formula(reading: _Reading) -> None:
    found = reading.cells.uncomputed(reading.empty) if reading.empty else None
    if found is not None:
        raise InputRefused("table-formula", file=reading.file, where=reading.cells.place(*found))


def _order(reading: _Reading, first: Any, second: Any) -> tuple[bool, Iterable[Message]]:
    """Whether the second column is east, and how that was found."""
    if not len(first):
        return True, ()
    layout = reading.layout
    if layout.decided:
        args = {"first": float(first[0]), "second": float(second[0])}
        return True, [Message("read.survey-looks-swapped", args)] if looks_swapped(first, second) else ()
    decided = north_first(first, second)
    if decided is None:
        raise InputRefused(
            "columns-undecided",
            file=reading.file,
            where=reading.cells.place(reading.plots[0].lines[0], layout.first),
            first=float(first[0]),
            second=float(second[0]),
        )
    return decided, [by_numbers(east_second=decided)]


def _frame(
    reading: _Reading, first: Any, second: Any, *, east_second: bool
) -> tuple[Frame | None, tuple[Message, ...]]:
    """The system that a column or the rows above the names state."""
    if len(reading.codes) > 1:
        raise InputRefused("table-system", file=reading.file, codes=sorted(reading.codes)[:8])
    stated = reading.layout.stated
    for code in reading.codes:
        frame = recognise(int(code)) if code.isdecimal() and len(code) < 9 else recognise(code)
        if frame is not None:
            return frame, ()
        stated = Stated(code, stated.width, stated.zone, stated.unit)
    north, east = (first, second) if east_second else (second, first)
    frame, notes = frame_of_survey(stated, north, east, reading.file)
    return frame, tuple(note for note in notes if note.id != "read.survey-looks-swapped")
