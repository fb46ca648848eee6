"""The towns around: GeoPackage, GeoJSON or any vector format, or CSV with ``lon`` and ``lat``."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import recognise
from geoplan.errors import InputRefused
from geoplan.facts import TOWN_STAGES
from geoplan.register import Register, Town
from geoplan_layers.files.digests import sha256
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.table import Table
from geoplan_layers.files.text import decided, decode
from geoplan_layers.locate import ReadOptions, locate
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table

_PLACE = ("lon", "lat")
_TEXTS = ("id", "name", "county", "tier", "stage", "listed_on", "leading", "sub_industry")


def read_register(selector: Selector, options: ReadOptions | None = None, limits: Limits = BOUNDARY) -> Register:
    """The register of towns of a file.

    Raises
    ------
    InputRefused
        No shapes, lines, a stage that is none, a CSV without lon and lat.
    """
    table = _csv(selector) if selector.path.suffix.lower() == ".csv" else read_table(selector, limits)
    table.require_shapes()
    others = table.kinds - {"Polygon", "Point"}
    if others:
        raise InputRefused("towns-kinds", file=table.source.file, where=table.layer, kinds=sorted(others))
    table, located = locate(table, options or ReadOptions(anywhere=True, strict=False))
    towns = tuple(_town(table, i) for i in range(len(table)))
    return Register(towns, located.frame, table.source, read_with=located.used)


def _town(table: Table, i: int) -> Town:
    given = {name: _text(column[i]) for name in _TEXTS if (column := table.column(name)) is not None}
    stage = given.get("stage")
    if stage and stage not in TOWN_STAGES:
        raise InputRefused(
            "town-stage",
            file=table.source.file,
            where=f"row {table.rows[i]}",
            stage=stage,
            known=list(TOWN_STAGES),
        )
    classes = {
        name[6:].replace("_", "-"): text
        for name, column in table.columns.items()
        if name.lower().startswith("class_") and (text := _text(column[i]))
    }
    shape = table.shapes[i]
    whole = shape if shapely.is_valid(shape) else shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return Town(shape=whole, classes=classes, **{"id": None, "name": None, **given})


def _text(value: object) -> str | None:
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, datetime | date | np.datetime64):
        return str(value)[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _csv(selector: Selector) -> Table:
    path, shown = selector.path, selector.name
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    raw = path.read_bytes()
    try:
        text = decode(raw.removeprefix(b"\xef\xbb\xbf"), decided(raw.splitlines()))
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except csv.Error as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None
    head = [name.strip().lower() for name in lines[0]] if lines else []
    if not set(_PLACE) <= set(head):
        raise InputRefused("towns-csv", file=shown, known=head or None)
    rows = [dict(zip(head, _padded(line, len(head)), strict=True)) for line in lines[1:]]
    shapes = np.array([_point(row, i, shown) for i, row in enumerate(rows, 2)], dtype=object)
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in head if name not in _PLACE}
    return Table(shapes, columns, np.arange(2, len(rows) + 2), recognise(4490), Source(shown, sha256(path)), path.stem)


def _padded(line: list[str], count: int) -> list[str]:
    """A line with as many fields as the head: trailing commas cut off, missing fields empty."""
    return [*(field.strip() for field in line[:count]), *[""] * (count - len(line))]


def _point(row: dict[str, str], line: int, shown: str) -> shapely.Point:
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
    except (TypeError, ValueError):
        raise InputRefused(
            "towns-csv-number", file=shown, where=f"line {line}", lon=row["lon"], lat=row["lat"]
        ) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputRefused("towns-csv-number", file=shown, where=f"line {line}", lon=lon, lat=lat)
    return shapely.Point(lon, lat)
