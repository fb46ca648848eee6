"""Sheets of an XLSX workbook, read as values: an XLSX is a zip, so it is looked at with an archive's limits first."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.limits import MB, Limits
from geoplan_layers.files.point_columns import HEAD_ROWS, Cell, Row

MOST_UNPACKED = 200 * MB
"""Bytes that a workbook may unpack to: its texts are held in memory."""
MOST_ROWS = 1_048_576
"""Rows of a sheet, which is what the format allows."""
MOST_COLUMNS = 64
_RATIO_FROM = 1 << 20


def checked(path: Path, shown: str, limits: Limits) -> None:
    """Look at a workbook's parts before anything unpacks them.

    The sizes that the archive states bind: reading stops there, whatever the packed bytes would give.

    Raises
    ------
    InputRefused
        Not a zip, or encrypted.
    TooLarge
        More parts or bytes than allowed, or a bomb's ratio.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            entries = opened.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as wrong:
        raise InputRefused("table-broken", file=shown, detail=str(wrong)[:120]) from None
    if len(entries) > limits.entries:
        raise TooLarge("zip-entries", file=shown, count=len(entries), most=limits.entries)
    most = min(limits.unpacked_bytes, MOST_UNPACKED)
    if sum(entry.file_size for entry in entries) > most:
        raise TooLarge("zip-bytes", file=shown, most=most)
    for entry in entries:
        if entry.flag_bits & 1:
            raise InputRefused("zip-encrypted", file=shown, name=entry.filename)
        if entry.file_size > _RATIO_FROM and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise TooLarge("zip-ratio", file=shown, name=entry.filename, ratio=limits.ratio)


@contextmanager
def _opened(path: Path, shown: str, *, values: bool) -> Iterator[Any]:
    """The workbook without links to others; whatever the library raises for a damaged file is one refusal."""
    try:
        with path.open("rb") as stream, closing(_load(stream, values=values)) as book:
            yield book
    except InputRefused:
        raise
    except Exception as wrong:  # the library lets KeyError, TypeError, ParseError and more through for damaged parts
        detail = f"{type(wrong).__name__}: {wrong}"[:120]
        raise InputRefused("table-broken", file=shown, detail=detail) from None


def _load(stream: Any, *, values: bool) -> Any:
    return openpyxl.load_workbook(stream, read_only=True, data_only=values, keep_links=False)


def sheet_heads(path: Path, shown: str) -> dict[str, list[Row]]:
    """The first rows of each sheet, by the sheet's name."""
    with _opened(path, shown, values=True) as book:
        return {sheet.title: list(_rows(sheet, HEAD_ROWS)) for sheet in book.worksheets}


def sheet_rows(path: Path, shown: str, sheet: str) -> list[Row]:
    """All rows of a sheet: numbers, texts, or None; formulas by their stored results."""
    with _opened(path, shown, values=True) as book:
        return list(_rows(book[sheet], MOST_ROWS))


def _rows(sheet: Any, most: int) -> Iterator[Row]:
    sheet.reset_dimensions()
    found = sheet.iter_rows(max_row=most, max_col=MOST_COLUMNS, values_only=True)
    blank = False
    for order, values in enumerate(found, 1):
        end = len(values)
        if values.count(None) == end:  # of many empty rows the first is enough: a sheet may have a million
            if not blank:
                yield order, []
            blank = True
            continue
        blank = False
        while end and values[end - 1] is None:
            end -= 1
        yield order, [_cell(value) for value in values[:end]]


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1 << 53 else str(value)
    return str(value).strip()


def uncomputed(path: Path, shown: str, sheet: str, empty: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The first of some empty cells (row from 1, column from 0) that holds a formula."""
    wanted: dict[int, list[int]] = {}
    for row, column in empty:
        wanted.setdefault(row, []).append(column)
    with _opened(path, shown, values=False) as book:
        found = book[sheet]
        found.reset_dimensions()
        cells = found.iter_rows(max_row=max(wanted), max_col=MOST_COLUMNS)
        for order, row_cells in enumerate(cells, 1):
            for column in wanted.get(order, ()):
                if column < len(row_cells) and row_cells[column].data_type == "f":
                    return order, column
    return None


def cell_place(sheet: str, row: int, column: int) -> str:
    """A cell as spreadsheets name it: ``Sheet1!C12``."""
    return f"{sheet}!{get_column_letter(column + 1)}{row}"
