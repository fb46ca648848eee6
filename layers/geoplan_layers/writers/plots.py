"""The land survey's two tables, coordinate TXT and XLSX, as formats of a sheet: every polygon part a plot."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
from openpyxl import load_workbook

from geoplan.crs import Array
from geoplan.messages import Message
from geoplan_layers.boundary_file import NAME_FIELDS
from geoplan_layers.fields import texts
from geoplan_layers.writers.numbered import Parcel
from geoplan_layers.writers.point_table import PointTableOptions, write_point_table
from geoplan_layers.writers.sheet import Column, Sheet, SheetLayer, WriteOptions, Written
from geoplan_layers.writers.survey_text import SurveyTextOptions, write_survey_text

DECIMALS = 3
_HEADER = {
    "number": ("DKBH", "地块编号"),
    "sheet": ("TFH", "图幅号"),
    "use": ("DKYT", "地块用途", "YT", "用途"),
    "class_code": ("DLBM", "地类编码"),
}
"""What a plot's header says, by the fields that hold it."""
_POINT = re.compile(r"J\d+,\d+,(\d+\.\d{3}),(\d+\.\d{3})")
_NORTH, _EAST = 6, 7
_MOMENT = (1980, 1, 1, 0, 0, 0)
_CLOCK = re.compile(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ</dcterms:")


def write_text(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All plots as coordinate TXT: in GBK, or in UTF-8 (said) where GBK lacks a character of their names."""
    del options
    parcels = _parcels(sheet)
    plain = all(_in_gbk("".join((each.name, each.number, each.sheet, each.use, each.class_code))) for each in parcels)
    how = SurveyTextOptions(encoding="gbk" if plain else "utf-8")
    notes = write_survey_text(parcels, sheet.frame, path, how)
    told = () if plain else (Message("write.text-utf8"),)
    return Written([path], (*notes, *told, *_left(sheet)))


def write_table(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All plots as a table to print; the workbook's dates are fixed, so the same sheet gives the same bytes."""
    notes = write_point_table(
        _parcels(sheet), sheet.frame, path, PointTableOptions(options.lang, heading=options.title)
    )
    _without_clock(path)
    return Written([path], notes)


def text_coordinates(path: Path) -> Array:
    """Every point of a coordinate TXT that the product made, x = east, y = north."""
    raw = path.read_bytes()
    found = [(float(east), float(north)) for north, east in _POINT.findall(raw.decode("gb18030", errors="replace"))]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def table_coordinates(path: Path) -> Array:
    """Every point of a workbook that the product made, x = east, y = north."""
    book = load_workbook(path, read_only=True)
    try:
        rows = book.worksheets[0].iter_rows(min_row=4, min_col=_NORTH, max_col=_EAST, values_only=True)
        found = [(float(str(east)), float(str(north))) for north, east in rows if north is not None]
    finally:
        book.close()
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _parcels(sheet: Sheet) -> list[Parcel]:
    return [parcel for layer in sheet.layers for parcel in _of_layer(layer)]


def _left(sheet: Sheet) -> tuple[Message, ...]:
    """The fields that a plot's header has no place for."""
    known = {name for names in _HEADER.values() for name in names} | set(NAME_FIELDS)
    fields = sorted({name for layer in sheet.layers for name in layer.columns if name not in known})
    return (Message("write.attributes-left", {"fields": fields}),) if fields else ()


def _of_layer(layer: SheetLayer) -> list[Parcel]:
    count = len(layer.shapes)
    by_name = {name.upper(): column for name, column in layer.columns.items()}
    told = {key: texts(_first(by_name, names), count) for key, names in _HEADER.items()}
    return [
        Parcel(shape, str(name), **{key: str(values[row]) for key, values in told.items()})
        for row, (shape, name) in enumerate(zip(layer.shapes, layer.names, strict=True))
    ]


def _first(columns: dict[str, Column], names: tuple[str, ...]) -> Column | None:
    return next((columns[name] for name in names if name in columns), None)


def _in_gbk(text: str) -> bool:
    try:
        text.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _without_clock(path: Path) -> None:
    """Pack a workbook again with fixed times, in the archive and in its properties."""
    with zipfile.ZipFile(path) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if name == "docProps/core.xml":
                content = _CLOCK.sub(b">1980-01-01T00:00:00Z</dcterms:", content)
            archive.writestr(entry, content)
