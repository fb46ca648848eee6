"""The open form of a prepared layer: GeoParquet 1.1 with a box for each row, in Hilbert order, zstd.

Source: https://geoparquet.org/releases/v1.1.0/. Every attribute keeps its name and type; ``geoplan_row`` is the place
of a row in the file or files it came from, and all that the index beside it needs beyond the rows themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geoplan.crs import Frame

GEOMETRY, BOX, ROW = "geometry", "bbox", "geoplan_row"
GROUP_ROWS = 16_384
"""Rows of a row group."""
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class OpenFile:
    """One GeoParquet file that is being written, and the hash of all that it holds.

    Parameters
    ----------
    schema
        Of the rows: shape, row number, then fields whose names begin with ``=``.
    frame
        The system of the coordinates.
    kinds
        Geometry types without Multi.
    bounds
        West, south, east, north of all rows in ``frame``.
    extra
        Names of further text columns, given with each group.
    """

    def __init__(
        self,
        path: Path,
        schema: Any,
        frame: Frame,
        kinds: Iterable[str],
        bounds: tuple[float, ...] | None,
        extra: tuple[str, ...] = (),
    ) -> None:
        taken = {GEOMETRY, BOX, ROW, *extra}
        names = []
        for field in list(schema)[2:]:
            name = field.name.removeprefix("=")
            while name in taken:
                name = f"{name}_"
            taken.add(name)
            names.append(name)
        self.names = dict(zip((each.name.removeprefix("=") for each in list(schema)[2:]), names, strict=True))
        fields = [pa.field(name, each.type) for name, each in zip(names, list(schema)[2:], strict=True)]
        box = pa.struct([pa.field(each, pa.float64(), nullable=False) for each in _CORNERS])
        last = [pa.field(GEOMETRY, pa.large_binary()), pa.field(BOX, box), pa.field(ROW, pa.int64())]
        self._schema = pa.schema([*fields, *(pa.field(each, pa.large_string()) for each in extra), *last])
        described = self._schema.with_metadata({"geo": json.dumps(_geo(frame, kinds, bounds), ensure_ascii=False)})
        self._path, self._hash = path, hashlib.sha256()
        self._writer = pq.ParquetWriter(path, described, compression="zstd", compression_level=3)
        self._hash.update(json.dumps([[each.name, str(each.type)] for each in self._schema]).encode())

    def add(self, rows: Any, numbers: NDArray[np.int64], boxes: NDArray[np.float64], *extra: list[str]) -> None:
        """Write one row group."""
        columns = [rows.column(i) for i in range(2, rows.num_columns)]
        columns += [pa.array(each, pa.large_string()) for each in extra]
        corners = [pa.array(np.ascontiguousarray(boxes[:, i])) for i in range(4)]
        box = pa.StructArray.from_arrays(corners, fields=list(self._schema.field(BOX).type))
        columns += [rows.column(0), box, pa.array(numbers)]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._count(table)
        self._writer.write_table(table, row_group_size=GROUP_ROWS)

    def _count(self, table: Any) -> None:
        """What is written goes into the hash: buffers of every column, with their lengths."""
        for column in table.columns:
            for array in column.chunks:
                for buffer in array.buffers():
                    size = -1 if buffer is None else buffer.size
                    self._hash.update(size.to_bytes(8, "little", signed=True))
                    if buffer is not None:
                        self._hash.update(memoryview(buffer))

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, *wrong: object) -> None:
        self._writer.close()

    def close(self) -> str:
        """End the file, see that it is on the disk; the hash of its content."""
        self._writer.close()
        with self._path.open("rb") as written:
            os.fsync(written.fileno())
        return self._hash.hexdigest()


def _geo(frame: Frame, kinds: Iterable[str], bounds: tuple[float, ...] | None) -> dict[str, Any]:
    types = sorted(f"{multi}{kind}" for kind in kinds for multi in ("", "Multi"))
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": types,
        "crs": json.loads(frame.crs.to_json()),
        "covering": {"bbox": {each: [BOX, each] for each in _CORNERS}},
    }
    if bounds is not None:
        column["bbox"] = list(bounds)
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
