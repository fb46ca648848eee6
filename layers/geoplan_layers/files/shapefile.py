"""Shapefiles with the habits of Chinese files met and mended: companions missing or lying, GBK without a mark."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.batch import Batch, Head
from geoplan_layers.files.batches import Decoder, through_gdal
from geoplan_layers.files.dataset import EMPTY, Box, Dataset, Item
from geoplan_layers.files.first_look import look_at_shapefile
from geoplan_layers.files.gdal import read_rows
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.rings import told_open, told_order
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Column, Table
from geoplan_layers.files.text import decided, decode

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix")
RAW = "ISO-8859-1"
"""Passed to GDAL so that texts come as the bytes they are."""
_HEADER = 100
_MULTIPATCH = 31


def shapefile_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The one data set of a .shp and what belongs to it."""
    parts = {".shp": item.path, **item.companions}
    return [
        Dataset(
            item.stem,
            item.source,
            lambda box: read_shapefile(parts, item.source, item.stem, limits, box),
            lambda: _extent(item.path, item.source.file),
            look=lambda: look_at_shapefile(parts),
            stream=lambda start: shapefile_batches(parts, item.source, limits, start),
        )
    ]


@contextmanager
def staged(parts: Mapping[str, Path], main: str) -> Iterator[Path]:
    """Files that belong together under one ASCII name in their own folder: GDAL writes nothing beside the user's."""
    with TemporaryDirectory(prefix="geoplan-") as folder:
        for suffix, path in parts.items():
            (Path(folder) / f"data{suffix}").symlink_to(path.resolve())
        yield Path(folder) / f"data{main}"


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
        Not a shapefile, cut short, or of multipatches.
    TooLarge
        More features than allowed.
    """
    _whole(parts[".shp"], source.file)
    with staged(parts, ".shp") as path:
        meta, rows, shapes, raw = read_rows(path, None, source.file, limits, box=box, encoding=RAW, columns=columns)
    fields, encoding = decoded(meta["fields"], raw)
    frame, notes = _prj_frame(parts)
    rows = rows + 1
    repairs = (*told_open(meta["open"], rows, frame), *told_order(shapes, rows))
    return Table(shapes, fields, rows, frame, source, layer, encoding, (*meta["notes"], *notes), repairs)


def shapefile_batches(parts: Mapping[str, Path], source: Source, limits: Limits, start: int) -> Iterator[Batch]:
    """The rows of a shapefile from the n-th on, batch by batch, texts decoded.

    Raises
    ------
    InputRefused
        Not a shapefile, cut short, or of multipatches.
    TooLarge
        More features than allowed.
    """
    _whole(parts[".shp"], source.file)
    frame, notes = _prj_frame(parts)
    decoder: list[Decoder] = []

    def head(meta: Any) -> Head:
        decoder[:] = [Decoder([str(name) for name in meta["fields"]])]
        return Head((), frame, notes=notes)

    with staged(parts, ".shp") as path:
        for batch in through_gdal(path, None, source.file, limits, start, head=head, first_row=1, encoding=RAW):
            rows = decoder[0].batch(batch.rows)
            fields, encoding = decoder[0].fields, decoder[0].encoding or "utf-8"
            yield Batch(replace(batch.head, fields=fields, encoding=encoding), rows)


def decoded(names: NDArray[np.object_], raw: Sequence[Column]) -> tuple[dict[str, Column], str]:
    """Columns whose names and texts came as raw bytes, decoded by what those bytes show; and the encoding."""
    plain = [str(name).encode(RAW, errors="replace") for name in names]
    values = [value.encode(RAW, errors="replace") for column in raw for value in column if isinstance(value, str)]
    encoding = decided([*plain, *values])
    return {decode(n, encoding): _decoded(c, encoding) for n, c in zip(plain, raw, strict=True)}, encoding


def _decoded(column: Column, encoding: str) -> Column:
    if column.dtype != object:
        return column.astype(object)
    return np.array([decode(v.encode(RAW), encoding) if isinstance(v, str) else v for v in column], dtype=object)


def _prj_frame(parts: Mapping[str, Path]) -> tuple[Frame | None, tuple[Message, ...]]:
    if ".prj" not in parts:
        return None, ()
    raw = parts[".prj"].read_bytes()[:20_000]
    text = decode(raw, decided([raw]))
    frame = recognise(text) if text.strip() else None
    if frame is None:
        return None, (Message("read.prj-unreadable", {}),)
    return frame, (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame.guessed else ()


def _whole(shp: Path, shown: str) -> None:
    """The header's length against the file's: a cut .shp would give rows without geometry and no warning."""
    require(shp, shown, "shapefile", ".shp", "not-a-shapefile")
    with shp.open("rb") as opened:
        head = opened.read(_HEADER)
    if len(head) < _HEADER:
        raise InputRefused("not-a-shapefile", file=shown)
    stated = struct.unpack(">i", head[24:28])[0] * 2
    if stated > shp.stat().st_size:
        raise InputRefused("shp-truncated", file=shown, stated=stated, size=shp.stat().st_size)
    if struct.unpack("<i", head[32:36])[0] == _MULTIPATCH:
        raise InputRefused("multipatch", file=shown)


def _extent(shp: Path, shown: str) -> Box:
    """Bounds of a shapefile by its header, so that GDAL writes no index beside it; inverted infinities when empty."""
    _whole(shp, shown)
    with shp.open("rb") as opened:
        west, south, east, north = struct.unpack("<4d", opened.read(68)[36:])
    if shp.stat().st_size <= _HEADER:
        return EMPTY
    return west, south, east, north
