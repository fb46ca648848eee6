"""The towns around as CSV with ``lon`` and ``lat``, parsed in a reader process."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.digests import sha256
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.table import Table
from geoplan_layers.files.text import decided, decode

_PLACE = ("lon", "lat")


def towns_table(path: Path, shown: str, limits: Limits) -> Table:
    """A table of points in CGCS2000 degrees, each field beside ``lon`` and ``lat`` a column of texts.

    Raises
    ------
    InputRefused
        No such file, no columns ``lon`` and ``lat``, a value there that is no place.
    TooLarge
        More bytes or rows than allowed.
    """
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise TooLarge("file-too-large", file=shown, size=size, most=limits.file_bytes)
    lines = _lines(path, shown, limits)
    head = [name.strip().lower() for name in lines[0]] if lines else []
    if not set(_PLACE) <= set(head):
        raise InputRefused("towns-csv", file=shown, known=head[:40] or None)
    rows = [dict(zip(head, _padded(line, len(head)), strict=True)) for line in lines[1:]]
    shapes = np.array([_point(row, i, shown) for i, row in enumerate(rows, 2)], dtype=object)
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in head if name not in _PLACE}
    return Table(shapes, columns, np.arange(2, len(rows) + 2), recognise(4490), Source(shown, sha256(path)), path.stem)


def _lines(path: Path, shown: str, limits: Limits) -> list[list[str]]:
    raw = path.read_bytes()
    text = decode(raw.removeprefix(b"\xef\xbb\xbf"), decided(raw.splitlines()))
    found: list[list[str]] = []
    try:
        for line in csv.reader(io.StringIO(text, newline="")):
            if line:
                found.append(line)
            if len(found) > limits.features + 1:
                raise TooLarge("features", file=shown, count=len(found) - 1, most=limits.features)
    except csv.Error as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None
    return found


def _padded(line: list[str], count: int) -> list[str]:
    """A line with as many fields as the head: trailing commas cut off, missing fields empty."""
    return [*(field.strip() for field in line[:count]), *[""] * (count - len(line))]


def _point(row: dict[str, str], line: int, shown: str) -> shapely.Point:
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
    except (TypeError, ValueError):
        raise _no_place(row, line, shown) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise _no_place(row, line, shown)
    return shapely.Point(lon, lat)


def _no_place(row: dict[str, str], line: int, shown: str) -> InputRefused:
    lon, lat = row["lon"][:40], row["lat"][:40]
    return InputRefused("towns-csv-number", file=shown, where=f"line {line}", lon=lon, lat=lat)
