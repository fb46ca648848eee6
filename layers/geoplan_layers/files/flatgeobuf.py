"""FlatGeobuf: one layer, its own spatial index."""

from __future__ import annotations

from pathlib import Path

from geoplan.boundary import Source
from geoplan_layers.files.batches import through_gdal
from geoplan_layers.files.dataset import Box, Dataset, Item
from geoplan_layers.files.gdal import extent_of, read_rows
from geoplan_layers.files.geopackage import head_of, table_of
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Table


def flatgeobuf_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The one data set of a .fgb.

    Raises
    ------
    InputRefused
        Not a FlatGeobuf file.
    """
    require(item.path, item.source.file, "flatgeobuf", item.suffix, "not-a-flatgeobuf")
    return [
        Dataset(
            item.stem,
            item.source,
            lambda box: read_flatgeobuf(item.path, item.source, item.stem, limits, box),
            lambda: extent_of(item.path, None, item.source.file),
            stream=lambda start: through_gdal(
                item.path, None, item.source.file, limits, start, head=head_of, first_row=1
            ),
        )
    ]


def read_flatgeobuf(path: Path, source: Source, layer: str, limits: Limits, box: Box | None = None) -> Table:
    """The rows of a FlatGeobuf file; those before a cut are not taken for the whole."""
    meta, rows, shapes, raw = read_rows(path, None, source.file, limits, box=box)
    return table_of(meta, rows + 1, shapes, raw, source, layer)
