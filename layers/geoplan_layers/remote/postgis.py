"""A table of PostGIS as a GeoParquet file: read once, in one snapshot, in bounded memory.

Only ``SELECT`` is sent, in a transaction that may not write; names of schema, table and columns are those that the
catalogue of the database holds, and are quoted by the driver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from pyproj.exceptions import CRSError

from geoplan.errors import CannotFinish, InputRefused
from geoplan.progress import Progress
from geoplan_layers.remote.allowed import Table

_BATCH = 5_000
_CONNECT_S = 10
_KINDS: Mapping[str, tuple[pa.DataType, str]] = {
    "bool": (pa.bool_(), ""),
    "int2": (pa.int64(), ""),
    "int4": (pa.int64(), ""),
    "int8": (pa.int64(), ""),
    "float4": (pa.float64(), "::float8"),
    "float8": (pa.float64(), ""),
    "numeric": (pa.float64(), "::float8"),
}
"""Types of PostgreSQL that stay numbers, and how they are asked for; any other column is asked for as text."""
_GEOMETRY = ("geometry", "geography")

_COLUMNS = """
SELECT a.attname, t.typname, COALESCE(a.attnum = ANY(i.indkey), false)
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TABLE = """
SELECT c.oid, GREATEST(c.reltuples, 0)::float8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
"""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a table holds: its geometry column, the others with their types, the columns of its key, rows about."""

    geometry: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    rows: float


def fetch_table(table: Table, into: Path, progress: Progress) -> Path:
    """Copy a table into ``layer.parquet`` of a folder: every row and column, the geometry as it is stored.

    Raises
    ------
    InputRefused
        There is no such table, it has no geometry or several, systems or arcs that a layer cannot have.
    CannotFinish
        The database cannot be reached, refuses, or breaks off; or the driver is not installed.
    Cancelled
        The user stopped it.
    """
    target = into / "layer.parquet"
    with _connected(table) as connection:
        shape = _shape(connection, table)
        frame = _system(connection, table, shape)
        schema = pa.schema(
            [pa.field(name, _KINDS.get(kind, (pa.string(), ""))[0]) for name, kind in shape.columns.items()]
            + [pa.field(shape.geometry, pa.binary())],
            metadata={b"geo": json.dumps(_geo(shape.geometry, frame)).encode()},
        )
        done = 0
        progress("fetching", 0, shape.rows)
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for rows in _rows(connection, table, shape):
                arrays = [
                    pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                done += len(rows)
                progress("fetching", done, max(shape.rows, done))
    return target


@contextmanager
def _connected(table: Table) -> Iterator[Any]:
    """A connection that can only read, in one snapshot; whatever it refuses is told without a word of its secrets."""
    try:
        import psycopg
    except ModuleNotFoundError:
        raise CannotFinish("remote-without-driver", extra="postgres") from None
    host, port, name = table.database.place
    password = table.database.password
    try:
        with psycopg.connect(
            host=host, port=port, dbname=name, user=table.database.user, sslmode=table.database.tls,
            password=password.get_secret_value() if password else None,
            connect_timeout=_CONNECT_S, application_name="geoplan",
        ) as connection:  # fmt: skip
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
    except psycopg.Error as wrong:
        said = wrong.diag.message_primary or (str(wrong).strip().splitlines() or [type(wrong).__name__])[0]
        if password and password.get_secret_value():
            said = said.replace(password.get_secret_value(), "…")
        raise CannotFinish("remote-failed", file=table.shown, detail=said[:200]) from None


def _shape(connection: Any, table: Table) -> _Shape:
    found = connection.execute(_TABLE, (table.schema, table.name)).fetchone()
    if found is None:
        raise InputRefused("remote-table-missing", file=table.shown)
    columns = connection.execute(_COLUMNS, (found[0],)).fetchall()
    shapes = [name for name, kind, _ in columns if kind in _GEOMETRY and table.column in (None, name)]
    if len(shapes) != 1:
        known = [name for name, kind, _ in columns if kind in _GEOMETRY]
        raise InputRefused("remote-table-geometry", file=table.shown, known=known or "—")
    others = {name: kind for name, kind, _ in columns if kind not in _GEOMETRY}
    return _Shape(shapes[0], others, tuple(name for name, _, key in columns if key), float(found[1]))


def _system(connection: Any, table: Table, shape: _Shape) -> dict[str, Any] | None:
    """The coordinate system of a table as PROJJSON; none where it does not say one."""
    from psycopg import sql

    asked = sql.SQL("SELECT DISTINCT ST_SRID({g}::geometry), ST_HasArc({g}::geometry) FROM {t} WHERE {g} IS NOT NULL")
    found = connection.execute(asked.format(g=sql.Identifier(shape.geometry), t=_named(table))).fetchall()
    if any(arcs for _, arcs in found):
        raise InputRefused("remote-table-arcs", file=table.shown)
    numbers = sorted({number for number, _ in found})
    if len(numbers) > 1:
        raise InputRefused("remote-table-systems", file=table.shown, known=numbers)
    if not numbers or numbers[0] <= 0:
        return None
    row = connection.execute(
        "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s", (numbers[0],)
    ).fetchone()
    try:
        authority, code, text = row or ("", 0, "")
        crs = CRS.from_epsg(code) if (authority or "").upper() == "EPSG" else CRS.from_wkt(text or "")
    except CRSError:
        raise InputRefused("remote-table-systems", file=table.shown, known=numbers) from None
    described: dict[str, Any] = crs.to_json_dict()
    return described


def _rows(connection: Any, table: Table, shape: _Shape) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows in batches, in the order of the key where there is one; a server's cursor holds the rest."""
    from psycopg import sql

    asked = [
        sql.SQL("{}" + _KINDS.get(kind, (None, "::text"))[1]).format(  # pyright: ignore[reportArgumentType]  # of a fixed list
            sql.Identifier(name)
        )
        for name, kind in shape.columns.items()
    ]
    asked.append(sql.SQL("ST_AsBinary({}::geometry)").format(sql.Identifier(shape.geometry)))
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(asked), _named(table))
    if shape.key:
        query += sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(map(sql.Identifier, shape.key)))
    with connection.cursor(name="geoplan", binary=True) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(_BATCH):
            yield rows


def _named(table: Table) -> Any:
    from psycopg import sql

    return sql.Identifier(table.schema, table.name)


def _geo(column: str, crs: dict[str, Any] | None) -> dict[str, Any]:
    """The metadata of GeoParquet 1.1; a system that nobody knows is null, not the default of the format."""
    about: dict[str, Any] = {"encoding": "WKB", "geometry_types": [], "crs": crs}
    return {"version": "1.1.0", "primary_column": column, "columns": {column: about}}
