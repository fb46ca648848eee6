"""Coordinate tables as data sets: .txt and .csv by what they hold, .xlsx by its sheets."""

from __future__ import annotations

from functools import partial

from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files import workbook
from geoplan_layers.files.dataset import Box, Dataset, Item
from geoplan_layers.files.limits import MB, Limits
from geoplan_layers.files.point_columns import HEAD_ROWS, layout_of
from geoplan_layers.files.point_table import Cells, csv_rows, line_place, read_point_table
from geoplan_layers.files.signature import require
from geoplan_layers.files.survey_text import is_points_text, is_survey_text, read_survey_text
from geoplan_layers.files.table import Table
from geoplan_layers.files.text import whole_text

MOST_TEXT = 200 * MB
"""Bytes of a text that is read at once."""


def text_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The table in a .txt or .csv: survey grammar, named columns or bare figures.

    In an archive a text that is none of them (a read-me) is passed over.

    Raises
    ------
    InputRefused
        A text given by itself that is none of them, or whose first bytes are another format's.
    """
    if (size := item.path.stat().st_size) > MOST_TEXT:
        raise TooLarge("file-too-large", file=item.source.file, size=size, most=MOST_TEXT)
    if not _in_archive(item):
        require(item.path, item.source.file, None, item.suffix, "not-a-coordinate-text")
    text, encoding = whole_text(item.path.read_bytes())
    if is_survey_text(text):
        return [_survey(item, limits, text, encoding)]
    rows = csv_rows(text, item.source) if _may_be_table(text, item) else []
    if rows:
        cells = Cells(rows, line_place)
        return [
            Dataset(item.stem, item.source, lambda _: read_point_table(cells, item.source, item.stem, limits, encoding))
        ]
    if is_points_text(text):
        return [_survey(item, limits, text, encoding)]
    if _in_archive(item):
        return []
    key = "table-without-coordinates" if item.suffix == ".csv" else "not-a-coordinate-text"
    raise InputRefused(key, file=item.source.file)


def _survey(item: Item, limits: Limits, text: str, encoding: str) -> Dataset:
    def read(_: Box | None) -> Table:
        return read_survey_text(text, item.source, item.stem, limits, encoding)

    return Dataset(item.stem, item.source, read)


def _may_be_table(text: str, item: Item) -> bool:
    """Whether the first lines name columns of coordinates; in a .csv, figures alone will do."""
    head = "\n".join(text[: 1 << 16].splitlines()[:HEAD_ROWS])
    layout = layout_of(csv_rows(head, item.source))
    return layout is not None and (item.suffix == ".csv" or layout.named)


def _in_archive(item: Item) -> bool:
    return item.name != item.source.file


def workbook_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The sheets of a workbook that hold coordinates.

    Raises
    ------
    InputRefused
        Damaged, or given by itself without any such sheet.
    TooLarge
        It unpacks to more than allowed.
    """
    shown = item.source.file
    workbook.checked(item.path, shown, limits)
    heads = workbook.sheet_heads(item.path, shown)
    found = [_sheet(item, limits, name) for name, head in heads.items() if layout_of(head) is not None]
    if not found and not _in_archive(item):
        raise InputRefused("table-without-coordinates", file=shown, where=next(iter(heads), None))
    return found


def _sheet(item: Item, limits: Limits, sheet: str) -> Dataset:
    shown = item.source.file

    def read(_: Box | None) -> Table:
        cells = Cells(
            workbook.sheet_rows(item.path, shown, sheet),
            partial(workbook.cell_place, sheet),
            lambda empty: workbook.uncomputed(item.path, shown, sheet, empty),
        )
        return read_point_table(cells, item.source, sheet, limits)

    return Dataset(sheet, item.source, read)
