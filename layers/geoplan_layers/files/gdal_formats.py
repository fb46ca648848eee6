"""Shapefile and GeoPackage through GDAL, with the habits of Chinese files met and mended."""

from __future__ import annotations

import hashlib
import math
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.dataset import Box
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.files.rings import built, told_open, told_order
from geoplan_layers.files.table import Column, Table
from geoplan_layers.files.text import decided, decode

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix")
_HASHED = (".shp", ".dbf", ".prj", ".cpg")
_INDEXES = frozenset({".shx", ".sbn", ".sbx", ".qix"})
_RAW = "ISO-8859-1"
_SHP_MAGIC = b"\x00\x00\x27\x0a"
EMPTY: Box = (math.inf, math.inf, -math.inf, -math.inf)
_SHP_HEADER = 100
_SQLITE = b"SQLite format 3\x00"
_COMPUTED = """SELECT name FROM sqlite_master
    WHERE type = 'view' OR (sql LIKE 'create virtual%' AND sql NOT LIKE '%using%rtree%')"""
_SPECIFIED_VIEWS = frozenset({"st_spatial_ref_sys", "spatial_ref_sys", "st_geometry_columns", "geometry_columns"})
"""Views that early versions of the GeoPackage standard put into every file (annex C); nothing reads them."""


def sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def shapefile_hash(parts: Mapping[str, Path]) -> str:
    """Hash of what a file and its companions say, in the order of their suffixes, names aside, indexes left out."""
    digest = hashlib.sha256()
    order = sorted(parts, key=lambda suffix: (_HASHED.index(suffix) if suffix in _HASHED else len(_HASHED), suffix))
    for suffix in order:
        if suffix not in _INDEXES:
            digest.update(suffix.encode() + bytes.fromhex(sha256(parts[suffix])))
    return digest.hexdigest()


@contextmanager
def _staged(parts: Mapping[str, Path]) -> Any:
    """A shapefile under one ASCII name in a folder of its own, so that GDAL writes nothing beside the user's file."""
    with TemporaryDirectory(prefix="geoplan-") as folder:
        for suffix, path in parts.items():
            (Path(folder) / f"data{suffix}").symlink_to(path.resolve())
        yield Path(folder) / "data.shp"


def read_shapefile(
    parts: Mapping[str, Path],
    source: Source,
    layer: str,
    limits: Limits,
    box: Box | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """One shapefile, with or without .shx, .dbf, .prj and .cpg.

    Raises
    ------
    InputRefused
        Not a shapefile, or cut short.
    TooLarge
        More features than allowed.
    """
    _whole_shapefile(parts[".shp"], source.file)
    with _staged(parts) as path:
        meta, rows, shapes, raw = _read(path, None, source, limits, bbox=box, encoding=_RAW, columns=columns)
    names = [str(name) for name in meta["fields"]]
    texts = [name.encode(_RAW) for name in names]
    texts += [value.encode(_RAW) for column in raw for value in column if isinstance(value, str)]
    encoding = decided(texts)
    fields = {
        decode(name.encode(_RAW), encoding): _decoded(column, encoding) for name, column in zip(names, raw, strict=True)
    }
    frame, notes = _prj_frame(parts)
    repairs = (*told_open(meta["open"], rows, layer, frame), *told_order(shapes, rows, layer))
    return Table(shapes, fields, rows, frame, source, layer, encoding, notes, repairs)


def _decoded(column: Column, encoding: str) -> Column:
    if column.dtype != object:
        return column.astype(object)
    return np.array([decode(v.encode(_RAW), encoding) if isinstance(v, str) else v for v in column], dtype=object)


def _prj_frame(parts: Mapping[str, Path]) -> tuple[Frame | None, tuple[Message, ...]]:
    if ".prj" not in parts:
        return None, ()
    raw = parts[".prj"].read_bytes()[:20_000]
    text = decode(raw, decided([raw]))
    frame = recognise(text) if text.strip() else None
    if frame is None:
        return None, (Message("read.prj-unreadable", {}),)
    return frame, (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame.guessed else ()


def _whole_shapefile(shp: Path, shown: str) -> None:
    """The header's length against the file's: a cut .shp would give rows without geometry and no warning."""
    with shp.open("rb") as opened:
        head = opened.read(_SHP_HEADER)
    if len(head) < _SHP_HEADER or head[:4] != _SHP_MAGIC:
        raise InputRefused("not-a-shapefile", file=shown)
    stated = struct.unpack(">i", head[24:28])[0] * 2
    if stated > shp.stat().st_size:
        raise InputRefused("shp-truncated", file=shown, stated=stated, size=shp.stat().st_size)


def geopackage_layers(path: Path, shown: str) -> list[str]:
    """Names of the layers with geometry in a GeoPackage.

    Raises
    ------
    InputRefused
        Not a GeoPackage, or one that computes its tables.
    """
    with path.open("rb") as opened:
        if opened.read(16) != _SQLITE:
            raise InputRefused("not-a-geopackage", file=shown)
    _only_tables(path, shown)
    try:
        found = pyogrio.list_layers(path)
    except Exception as wrong:
        raise _told(wrong, shown) from None
    return [str(name) for name, kind in found if kind is not None]


def _only_tables(path: Path, shown: str) -> None:
    """Refuse a file whose layers are computed: a view may never end, a virtual table may read other files."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            computed = {str(name).lower() for (name,) in opened.execute(_COMPUTED)}
            harmless = computed & _SPECIFIED_VIEWS
            if harmless == computed:  # so that gpkg_contents is a table itself
                named = opened.execute("SELECT table_name FROM gpkg_contents")
                computed = {str(name).lower() for (name,) in named} & harmless
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None
    if computed:
        raise InputRefused("geopackage-views", file=shown, where=min(computed - harmless or computed))


def read_geopackage(
    path: Path,
    layer: str,
    source: Source,
    limits: Limits,
    box: Box | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """One layer of a GeoPackage."""
    meta, rows, shapes, raw = _read(path, layer, source, limits, bbox=box, columns=columns)
    fields = {str(name): column.astype(object) for name, column in zip(meta["fields"], raw, strict=True)}
    frame = recognise(meta["crs"]) if meta["crs"] else None
    notes = (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame and frame.guessed else ()
    return Table(
        shapes, fields, rows, frame, source, layer, "utf-8", notes, told_open(meta["open"], rows, layer, frame)
    )


def _read(path: Path, layer: str | None, source: Source, limits: Limits, **how: Any) -> tuple[Any, Any, Any, Any]:
    how = {key: value for key, value in how.items() if value is not None}
    try:
        count = pyogrio.read_info(path, layer=layer, encoding=how.get("encoding"))["features"]
        if count > limits.features:
            raise TooLarge("features", file=source.file, count=int(count), most=limits.features)
        with catch_warnings():
            # said for a ring that is not closed, which is closed and told here
            filterwarnings("ignore", "Non closed ring detected", RuntimeWarning)
            meta, fids, wkb, raw = pyogrio.raw.read(path, layer=layer, force_2d=True, return_fids=True, **how)
        shapes, meta["open"] = built(wkb)
    except Exception as wrong:
        raise _told(wrong, source.file) from None
    first = 1 if layer is None else 0
    return meta, np.asarray(fids, dtype=np.int64) + first, shapes, raw


def _told(wrong: Exception, shown: str) -> Exception:
    """GDAL's failure as a refusal; anything that is not GDAL's is passed on.

    pyogrio 0.13 itself stumbles (UnboundLocalError) over a coordinate system that GDAL cannot write as WKT, and over
    names that are not in the encoding they are said to be in.
    """
    if isinstance(wrong, InputRefused):
        return wrong
    stumbled = isinstance(wrong, shapely.errors.GEOSException | UnboundLocalError | UnicodeDecodeError)
    if stumbled or type(wrong).__module__.startswith("pyogrio"):
        return InputRefused("cannot-be-read", file=shown, detail=str(wrong).splitlines()[0][:200])
    return wrong


def shapefile_extent(shp: Path, shown: str) -> Box:
    """Bounds of a shapefile by its header, so that GDAL writes no index beside it; inverted infinities when empty."""
    _whole_shapefile(shp, shown)
    with shp.open("rb") as opened:
        west, south, east, north = struct.unpack("<4d", opened.read(68)[36:])
    if shp.stat().st_size <= _SHP_HEADER:
        return EMPTY
    return west, south, east, north


def geopackage_extent(path: Path, layer: str, shown: str) -> Box:
    """Bounds of a layer of a GeoPackage by its index; inverted infinities when empty."""
    try:
        bounds = pyogrio.read_info(path, layer=layer, force_total_bounds=True)["total_bounds"]
    except Exception as wrong:
        raise _told(wrong, shown) from None
    if bounds is None:
        return EMPTY
    return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])
