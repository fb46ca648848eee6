"""Esri file geodatabases (a .gdb folder, on the disk or out of a zip): every feature class is a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from geoplan.boundary import Source
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.batch import Batch
from geoplan_layers.files.batches import of_table, through_gdal
from geoplan_layers.files.dataset import Box, Dataset, Item
from geoplan_layers.files.gdal import extent_of, heard, layer_names, read_rows, told
from geoplan_layers.files.geopackage import CURVES, head_of, table_of
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.ogr import ARC_STEP, pyogrio
from geoplan_layers.files.table import Table

_CATALOG = "a00000001.gdbtable"
_MAGICS = (b"\x03\x00\x00\x00", b"\x04\x00\x00\x00")
"""How a .gdbtable begins: 3 for the usual tables, 4 for those with 64-bit row numbers."""


def geodatabase_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """One data set for each feature class; tables without geometry are no data sets, and views do not exist in it.

    Raises
    ------
    InputRefused
        Not a file geodatabase, one that lacks files, or one that is made of links.
    """
    folder, shown = item.path, item.source.file
    _genuine(folder, shown)

    def one(layer: str) -> Dataset:
        return Dataset(
            layer,
            item.source,
            lambda box: read_geodatabase(folder, layer, item.source, limits, box),
            lambda: extent_of(folder, layer, shown),
            stream=lambda start: _batches(folder, layer, item.source, limits, start),
        )

    return [one(layer) for layer in layer_names(folder, shown)]


def _genuine(folder: Path, shown: str) -> None:
    catalog = folder / _CATALOG
    if not catalog.is_file():
        raise InputRefused("not-a-geodatabase", file=shown, missing=_CATALOG)
    if any(each.is_symlink() or not each.is_file() for each in folder.iterdir()):
        raise InputRefused("not-a-geodatabase", file=shown, missing="*.gdbtable")
    for table in folder.glob("*.gdbtable"):
        with table.open("rb") as opened:
            if opened.read(4) not in _MAGICS:
                raise InputRefused("geodatabase-broken", file=shown, where=table.name)


def read_geodatabase(folder: Path, layer: str, source: Source, limits: Limits, box: Box | None = None) -> Table:
    """One feature class; polygons come as multipolygons, curves are stroked."""
    meta, rows, shapes, raw = read_rows(folder, layer, source.file, limits, box=box)
    table = table_of(meta, rows, shapes, raw, source, layer)
    if not _curved(folder, layer, source.file, box):
        return table
    return replace(table, notes=(*table.notes, Message("read.curves-by-angle", {"degrees": ARC_STEP})))


def _batches(folder: Path, layer: str, source: Source, limits: Limits, start: int) -> Iterator[Batch]:
    if _curved(folder, layer, source.file, None):
        return of_table(read_geodatabase(folder, layer, source, limits), start)
    return through_gdal(folder, layer, source.file, limits, start, head=head_of)


def _curved(folder: Path, layer: str, shown: str, box: Box | None) -> bool:
    """Whether rows hold curves: GDAL's Arrow stream gives them as they are, where reading rows strokes them."""
    try:
        with heard(folder, shown):
            _, table = pyogrio.raw.read_arrow(folder, layer=layer, columns=[], bbox=box)
    except Exception as wrong:
        raise told(wrong, shown, folder) from None
    if table.num_columns == 0:
        return False
    shapes = table.column(table.num_columns - 1)
    return any(
        int.from_bytes(head[1:5], "little" if head[0] else "big") % 1000 in CURVES
        for each in shapes
        if (head := bytes((each.as_py() or b"")[:5])) and len(head) == 5
    )
