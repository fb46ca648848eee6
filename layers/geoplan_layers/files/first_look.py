"""What a large file says of all its rows without reading them: kinds of geometry, and rows that have none.

A layer is read around the boundary only, and a row without geometry lies nowhere: it would be missed without a word.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoplan.errors import InputRefused

_KINDS = {1: "Point", 8: "Point", 3: "LineString", 5: "Polygon"}
_HEADER, _NULL_LENGTH = 100, 2
_MOST_NAMED = 20
_INDEXED = """SELECT o.feature_count FROM gpkg_ogr_contents o JOIN gpkg_extensions e ON e.table_name = o.table_name
    WHERE o.table_name = ? AND e.extension_name = 'gpkg_rtree_index'"""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Kinds of geometry, without Multi (none where the file leaves them open), and rows without geometry."""

    kinds: frozenset[str] = frozenset()
    bare_rows: tuple[int, ...] = ()
    bare_count: int = 0


def look_at_shapefile(parts: Mapping[str, Path]) -> FirstLook:
    """By the header of the .shp and the record lengths of the .shx; without a .shx only the kind is known."""
    with parts[".shp"].open("rb") as opened:
        code = int.from_bytes(opened.read(36)[32:36], "little") % 10
    kinds = frozenset({_KINDS[code]}) if code in _KINDS else frozenset[str]()
    if ".shx" not in parts:
        return FirstLook(kinds)
    index = np.frombuffer(parts[".shx"].read_bytes()[_HEADER:], dtype=">i4")
    bare = np.flatnonzero(index[: len(index) // 2 * 2].reshape(-1, 2)[:, 1] <= _NULL_LENGTH) + 1
    return FirstLook(kinds, tuple(bare[:_MOST_NAMED].tolist()), len(bare))


def look_at_geopackage(path: Path, layer: str, shown: str) -> FirstLook:
    """By its tables; where a spatial index holds as many rows as the table, none is without geometry."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            named = "SELECT column_name, geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?"
            column, kind = opened.execute(named, (layer,)).fetchone() or ("geom", "GEOMETRY")
            plain = str(kind).upper().removeprefix("MULTI")
            by_name = {"POLYGON": "Polygon", "SURFACE": "Polygon", "LINESTRING": "LineString", "POINT": "Point"}
            kinds = frozenset({by_name[plain]}) if plain in by_name else frozenset[str]()
            if _wholly_indexed(opened, layer, str(column)):
                return FirstLook(kinds)
            bare = f'FROM "{_quoted(layer)}" WHERE "{_quoted(str(column))}" IS NULL'
            (count,) = opened.execute(f"SELECT count(*) {bare}").fetchone()
            rows = opened.execute(f"SELECT rowid {bare} LIMIT {_MOST_NAMED}").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None
    return FirstLook(kinds, tuple(int(row) for (row,) in rows), int(count))


def _wholly_indexed(opened: sqlite3.Connection, layer: str, column: str) -> bool:
    try:
        stated = opened.execute(_INDEXED, (layer,)).fetchone()
        indexed = f'SELECT count(*) FROM "{_quoted(f"rtree_{layer}_{column}_rowid")}"'
        return stated is not None and stated[0] == opened.execute(indexed).fetchone()[0]
    except sqlite3.Error:  # a file of another program, without these tables
        return False


def _quoted(name: str) -> str:
    return name.replace('"', '""')
