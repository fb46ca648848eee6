"""GeoPackage: plain tables only, several layers, curves stroked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from geoplan.boundary import Source
from geoplan.crs import recognise
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.batch import Batch, Head
from geoplan_layers.files.batches import of_table, through_gdal
from geoplan_layers.files.dataset import Box, Dataset, Item
from geoplan_layers.files.first_look import look_at_geopackage
from geoplan_layers.files.gdal import extent_of, layer_names, read_rows
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.ogr import ARC_STEP
from geoplan_layers.files.rings import told_open
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Table

_COMPUTED = """SELECT name FROM sqlite_master
    WHERE type = 'view' OR (sql LIKE 'create virtual%' AND sql NOT LIKE '%using%rtree%')"""
_SPECIFIED_VIEWS = frozenset({"st_spatial_ref_sys", "spatial_ref_sys", "st_geometry_columns", "geometry_columns"})
"""Views that early versions of the GeoPackage standard put into every file (annex C); nothing reads them."""
CURVES = frozenset(range(8, 15))
"""ISO WKB types 8 (CIRCULARSTRING) to 14 (SURFACE): what is drawn with arcs, or may hold such."""


def geopackage_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """One data set for each layer with geometry.

    Raises
    ------
    InputRefused
        Not a GeoPackage, or one that computes its tables.
    """
    shown = item.source.file
    require(item.path, shown, "geopackage", item.suffix, "not-a-geopackage")
    _only_tables(item.path, shown)

    def one(layer: str) -> Dataset:
        return Dataset(
            layer,
            item.source,
            lambda box: read_geopackage(item.path, layer, item.source, limits, box),
            lambda: extent_of(item.path, layer, shown),
            look=lambda: look_at_geopackage(item.path, layer, shown),
            stream=lambda start: _batches(item.path, layer, item.source, limits, start),
        )

    return [one(layer) for layer in layer_names(item.path, shown)]


def read_geopackage(path: Path, layer: str, source: Source, limits: Limits, box: Box | None = None) -> Table:
    """One layer of a GeoPackage, its curves stroked."""
    meta, rows, shapes, raw = read_rows(path, layer, source.file, limits, box=box)
    curved = _curved(path, layer, source.file)
    return table_of(meta, rows, shapes, raw, source, layer, curved=curved)


def _batches(path: Path, layer: str, source: Source, limits: Limits, start: int) -> Iterator[Batch]:
    """The rows from the n-th on; of a layer with curves out of the whole of it, since GDAL streams none stroked."""
    if _curved(path, layer, source.file):
        return of_table(read_geopackage(path, layer, source, limits), start)
    return through_gdal(path, layer, source.file, limits, start, head=head_of)


def head_of(meta: Any) -> Head:
    """The head of the batches of a format that says its texts and its system itself."""
    frame = recognise(meta["crs"]) if meta["crs"] else None
    notes = (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame and frame.guessed else ()
    return Head(tuple(str(name) for name in meta["fields"]), frame, notes=notes)


def table_of(
    meta: Any, rows: Any, shapes: Any, raw: Iterable[Any], source: Source, layer: str, *, curved: bool = False
) -> Table:
    """What GDAL gave of a format that says its texts and its system itself."""
    fields = {str(name): column.astype(object) for name, column in zip(meta["fields"], raw, strict=True)}
    frame = recognise(meta["crs"]) if meta["crs"] else None
    notes = (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame and frame.guessed else ()
    stroked = (Message("read.curves-by-angle", {"degrees": ARC_STEP}),) if curved else ()
    repairs = told_open(meta["open"], rows, frame)
    return Table(shapes, fields, rows, frame, source, layer, "utf-8", (*meta["notes"], *notes, *stroked), repairs)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _only_tables(path: Path, shown: str) -> None:
    """Refuse a file whose layers are computed: a view may never end, a virtual table may read other files."""
    try:
        with closing(_opened(path)) as opened:
            computed = {str(name).lower() for (name,) in opened.execute(_COMPUTED)}
            harmless = computed & _SPECIFIED_VIEWS
            if harmless == computed:  # so that gpkg_contents is a table itself
                named = opened.execute("SELECT table_name FROM gpkg_contents")
                computed = {str(name).lower() for (name,) in named} & harmless
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None
    if computed:
        raise InputRefused("geopackage-views", file=shown, where=min(computed - harmless or computed))


def _curved(path: Path, layer: str, shown: str) -> bool:
    """Whether a layer holds curves: by the extension that the standard has such a file declare, then by its rows."""
    try:
        with closing(_opened(path)) as opened:
            has = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'gpkg_extensions'").fetchone()
            declared = (
                has
                and opened.execute(
                    "SELECT 1 FROM gpkg_extensions WHERE table_name = ? AND extension_name LIKE 'gpkg_geom_%'", (layer,)
                ).fetchone()
            )
            if not declared:
                return False
            (column,) = opened.execute(
                "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)
            ).fetchone()
            name, geometry = (each.replace('"', '""') for each in (layer, str(column)))
            blobs = opened.execute(f'SELECT substr("{geometry}", 1, 96) FROM "{name}"')
            return any(_is_curve(blob) for (blob,) in blobs)
    except (sqlite3.Error, UnicodeDecodeError) as wrong:
        raise InputRefused("cannot-be-read", file=shown, detail=str(wrong)) from None


def _is_curve(blob: object) -> bool:
    """Whether a GeoPackage geometry is of a curved type (GeoPackageBinary header, annex 2.1.3)."""
    if not isinstance(blob, bytes) or len(blob) < 8:
        return False
    start = 8 + {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}.get(blob[3] >> 1 & 7, 0)
    wkb = blob[start:]
    if len(wkb) < 5:
        return False
    return int.from_bytes(wkb[1:5], "little" if wkb[0] else "big") % 1000 in CURVES
