"""GeoParquet 1.0 and 1.1 through pyarrow: geometry by its metadata, read by row group and window.

Source: https://geoparquet.org/releases/v1.1.0/ (metadata, encodings, bbox covering, ``crs`` absent = OGC:CRS84).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.batch import ROW, ROWS, SHAPE, Batch, Head
from geoplan_layers.files.dataset import EMPTY, Box, Dataset, Item
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Column, Table

_CRS84 = 4326
_NATIVE = {
    "point": shapely.GeometryType.POINT,
    "linestring": shapely.GeometryType.LINESTRING,
    "polygon": shapely.GeometryType.POLYGON,
    "multipoint": shapely.GeometryType.MULTIPOINT,
    "multilinestring": shapely.GeometryType.MULTILINESTRING,
    "multipolygon": shapely.GeometryType.MULTIPOLYGON,
}
_FAULTS = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, shapely.errors.GEOSException)
"""What pyarrow and shapely raise for files that are damaged or lie about their content."""
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def geoparquet_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The one data set of a GeoParquet file.

    Raises
    ------
    InputRefused
        Not Parquet, or Parquet without the metadata that says which column is geometry.
    TooLarge
        More rows or bytes than allowed.
    """
    file = _File(item.path, item.source, item.stem, limits)
    file.check()
    extent = file.extent if file.covering else None
    return [Dataset(item.stem, item.source, file.read, extent, stream=file.batches)]


class _File:
    """One GeoParquet file: its metadata read once, its rows as asked for."""

    def __init__(self, path: Path, source: Source, layer: str, limits: Limits) -> None:
        self._path, self._source, self._layer, self._limits = path, source, layer, limits
        require(path, source.file, "geoparquet", path.suffix.lower(), "not-parquet")

    def check(self) -> None:
        """Refuse what has no geometry metadata or is past the limits, before any row is read."""
        meta = self._opened.metadata
        if meta.num_rows > self._limits.features:
            raise TooLarge("features", file=self._source.file, count=meta.num_rows, most=self._limits.features)
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if size > self._limits.unpacked_bytes:
            raise TooLarge("unpacks-to", file=self._source.file, size=size, most=self._limits.unpacked_bytes)
        if self._column.get("encoding") not in {"WKB", *_NATIVE}:
            raise self._wrong(f"encoding {self._column.get('encoding')!r}")
        if self._name not in self._opened.schema_arrow.names:
            raise self._wrong(f"column {self._name!r}")

    @cached_property
    def _opened(self) -> Any:
        try:
            return pq.ParquetFile(self._path)
        except _FAULTS as wrong:
            raise self._wrong(str(wrong)) from None

    @cached_property
    def _geo(self) -> Mapping[str, Any]:
        raw = (self._opened.schema_arrow.metadata or {}).get(b"geo")
        if raw is None:
            raise InputRefused("parquet-without-geo", file=self._source.file)
        try:
            geo = json.loads(raw)
            columns, primary = geo["columns"], geo["primary_column"]
            if not isinstance(columns[primary], dict):
                raise TypeError("columns")
        except (*_FAULTS, RecursionError) as wrong:
            raise self._wrong(f"geo: {wrong}") from None
        return dict(geo)

    @property
    def _name(self) -> str:
        return str(self._geo["primary_column"])

    @property
    def _column(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._geo["columns"][self._name]
        return found

    @cached_property
    def covering(self) -> tuple[tuple[str, ...], ...] | None:
        """The paths of xmin, ymin, xmax, ymax of each row, where the file has them."""
        bbox = (self._column.get("covering") or {}).get("bbox")
        if not isinstance(bbox, dict):
            return None
        paths = tuple(tuple(str(part) for part in bbox.get(corner) or ()) for corner in _CORNERS)
        leaves = {self._opened.metadata.schema.column(i).path for i in range(self._opened.metadata.num_columns)}
        return paths if all(len(p) == 2 and ".".join(p) in leaves for p in paths) else None

    def extent(self) -> Box:
        """Bounds of all rows by their covering; inverted infinities when empty."""
        boxes = self._boxes(range(self._opened.metadata.num_row_groups))
        if len(boxes) == 0 or np.isnan(boxes).all():
            return EMPTY
        west, south = np.nanmin(boxes[:, :2], axis=0)
        east, north = np.nanmax(boxes[:, 2:], axis=0)
        return float(west), float(south), float(east), float(north)

    def read(self, box: Box | None) -> Table:
        """The rows, or those whose own box meets ``box``: row groups apart from it are not read."""
        meta = self._opened.metadata
        starts = np.cumsum([0, *(meta.row_group(i).num_rows for i in range(meta.num_row_groups))])
        parts, numbers = [], []
        for i in range(meta.num_row_groups):
            which = self._meets(i, box)
            if which is not None and not which.any():
                continue
            part = self._group(i)
            parts.append(part if which is None else part.filter(pa.array(which)))
            chosen = np.arange(part.num_rows) if which is None else np.flatnonzero(which)
            numbers.append(chosen + starts[i] + 1)
        rows = np.concatenate(numbers).astype(np.int64) if numbers else np.zeros(0, dtype=np.int64)
        empty = self._opened.schema_arrow.empty_table()
        table = self._table(pa.concat_tables(parts) if parts else empty, rows)
        if box is None or self.covering:
            return table
        return table.take(shapely.intersects(shapely.box(*box), table.shapes))

    def batches(self, start: int) -> Iterator[Batch]:
        """The rows from the n-th on, batch by batch; a row group is decoded once, page by page."""
        frame, notes = self._told()
        hidden = {self._name, *(path[0] for path in self.covering or ())}
        names = [str(name) for name in self._opened.schema_arrow.names if name not in hidden]
        head, at = Head(tuple(names), frame, notes=notes, count=self._opened.metadata.num_rows), 0
        named = [SHAPE, ROW, *(str(k) for k in range(len(names)))]
        for i in range(self._opened.metadata.num_row_groups):
            count = self._opened.metadata.row_group(i).num_rows
            if at + count <= start:
                at += count
                continue
            for part in self._parts(i, [*names, self._name]):
                skipped = max(start - at, 0)
                rows, at = part.slice(skipped), at + part.num_rows
                if rows.num_rows == 0:
                    continue
                numbers = pa.array(np.arange(at - rows.num_rows, at) + 1, pa.int64())
                shapes = pa.array(self._binary(rows.column(self._name)), pa.large_binary())
                columns = [rows.column(name) for name in names]
                yield Batch(head, pa.record_batch([shapes, numbers, *columns], names=named))

    def _parts(self, group: int, names: list[str]) -> Iterator[Any]:
        try:
            yield from self._opened.iter_batches(ROWS, row_groups=[group], columns=names)
        except _FAULTS as wrong:
            raise self._wrong(str(wrong)) from None

    def _binary(self, column: Any) -> Any:
        """Shapes as well-known binary, whatever their encoding in the file."""
        if str(self._column["encoding"]) != "WKB":
            return shapely.to_wkb(self._shapes(pa.chunked_array([column])))
        return column.cast(pa.large_binary())

    def _group(self, index: int) -> Any:
        try:
            return self._opened.read_row_group(index)
        except _FAULTS as wrong:
            raise self._wrong(str(wrong)) from None

    def _meets(self, index: int, box: Box | None) -> NDArray[np.bool_] | None:
        """Which rows of a group may meet a box; none where the file does not tell."""
        if box is None or self.covering is None:
            return None
        west, south, east, north = self._boxes([index]).T
        apart = (west > box[2]) | (east < box[0]) | (south > box[3]) | (north < box[1])
        return np.asarray(~apart, dtype=np.bool_)

    def _boxes(self, groups: Sequence[int] | range) -> NDArray[np.float64]:
        assert self.covering is not None
        column, inner = self.covering[0][0], [path[-1] for path in self.covering]
        try:
            table = self._opened.read_row_groups(list(groups), columns=[".".join(p) for p in self.covering])
            structs = table.column(column).combine_chunks()
            parts = [np.asarray(structs.field(name).to_numpy(zero_copy_only=False), dtype=float) for name in inner]
        except _FAULTS as wrong:
            raise self._wrong(f"covering: {wrong}") from None
        return np.column_stack(parts)

    def _table(self, rows: Any, numbers: NDArray[np.int64]) -> Table:
        shapes = self._shapes(rows.column(self._name))
        hidden = {self._name, *(path[0] for path in self.covering or ())}
        columns = {str(name): self._plain(rows.column(name)) for name in rows.column_names if name not in hidden}
        frame, notes = self._told()
        return Table(shapes, columns, numbers, frame, self._source, self._layer, "utf-8", notes)

    def _plain(self, column: Any) -> Column:
        try:
            values = column.to_pylist()
        except _FAULTS as wrong:  # a text of a damaged page
            raise self._wrong(str(wrong)) from None
        plain = [str(v) if isinstance(v, bytes | dict | list) else v for v in values]
        found = np.empty(len(plain), dtype=object)
        found[:] = plain
        return found

    def _shapes(self, column: Any) -> NDArray[np.object_]:
        encoding = str(self._column["encoding"])
        try:
            if encoding == "WKB":
                raw = np.array(column.to_pylist(), dtype=object)
                return np.asarray(shapely.force_2d(shapely.from_wkb(raw, on_invalid="raise")), dtype=object)
            return _native(column, encoding)
        except _FAULTS as wrong:
            raise self._wrong(str(wrong)) from None

    def _told(self) -> tuple[Frame | None, tuple[Message, ...]]:
        frame, notes = self._frame()
        if self._column.get("edges", "planar") != "planar":
            notes = (*notes, Message("read.edges-spherical", {}))
        return frame, notes

    def _frame(self) -> tuple[Frame | None, tuple[Message, ...]]:
        if "crs" not in self._column:
            return recognise(_CRS84), ()
        crs = self._column["crs"]
        if crs is None:
            return None, ()
        frame = recognise(json.dumps(crs)) if isinstance(crs, dict) else None
        if frame is None:
            raise self._wrong("crs")
        return frame, (Message("read.prj-by-numbers", {"crs": frame.label}),) if frame.guessed else ()

    def _wrong(self, detail: str) -> InputRefused:
        lines = detail.splitlines() or ["—"]
        return InputRefused("cannot-be-read", file=self._source.file, detail=lines[0][:160])


def _native(column: Any, encoding: str) -> NDArray[np.object_]:
    """Shapes of a GeoArrow column: nested lists of points, each a struct of x and y."""
    array = column.combine_chunks()
    missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False))
    array = array.filter(pa.array(~missing))
    offsets = []
    while pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        marks = np.asarray(array.offsets.to_numpy(), dtype=np.int64)
        offsets.append(marks - marks[0])
        array = array.flatten()
    xy = np.column_stack([np.asarray(array.field(axis).to_numpy(zero_copy_only=False)) for axis in ("x", "y")])
    found = np.full(len(missing), None, dtype=object)
    found[~missing] = shapely.from_ragged_array(_NATIVE[encoding], xy.astype(float), tuple(reversed(offsets)) or None)
    return found
