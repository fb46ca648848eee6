"""A large layer as a stream of Arrow batches: never whole in memory, in the order of the file.

A batch has the shapes as well-known binary (as the file has them, M and Z included), the row numbers, and every
attribute with its own Arrow type. Formats whose rows are small in number are read whole and handed on in slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geoplan.errors import TooLarge
from geoplan_layers.files.batch import ROW, ROWS, SHAPE, Batch, Head
from geoplan_layers.files.gdal import heard, told
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.files.table import Column, Table
from geoplan_layers.files.text import decide_on, decode

_RAW = "ISO-8859-1"


def of_table(table: Table, start: int) -> Iterator[Batch]:
    """The batches of a table that was read whole."""
    head = Head(tuple(table.columns), table.frame, table.encoding, table.notes, len(table))
    shapes = pa.array(shapely.to_wkb(table.shapes), pa.large_binary())
    columns = [shapes, pa.array(table.rows, pa.int64()), *(_plain(each) for each in table.columns.values())]
    whole = pa.table(columns, names=_names(len(table.columns)))
    for at in range(start, len(table), ROWS):
        yield Batch(head, whole.slice(at, ROWS).combine_chunks().to_batches()[0])


def through_gdal(
    path: Path,
    layer: str | None,
    shown: str,
    limits: Limits,
    start: int,
    *,
    head: Callable[[Any], Head],
    first_row: int = 0,
    encoding: str | None = None,
) -> Iterator[Batch]:
    """The batches of a layer as GDAL streams it; curves are not stroked on this way.

    Parameters
    ----------
    head
        Makes the head of GDAL's description of the layer.
    first_row
        The number of the row whose feature id is 0.

    Raises
    ------
    InputRefused
        GDAL cannot read it.
    TooLarge
        More features than allowed.
    """
    try:
        with heard(path, shown) as notes:
            count = pyogrio.read_info(path, layer=layer, encoding=encoding)["features"]
            if count > limits.features:
                raise TooLarge("features", file=shown, count=int(count), most=limits.features)
            stream = pyogrio.raw.open_arrow(
                path,
                layer=layer,
                encoding=encoding,
                return_fids=True,
                skip_features=start,
                batch_size=ROWS,
                use_pyarrow=True,
            )
            with stream as (meta, reader):
                found = head(meta)
                found = replace(found, notes=(*found.notes, *notes), count=max(int(count), 0))
                for batch in reader:
                    yield Batch(found, _ordered(batch, meta, first_row))
    except Exception as wrong:
        raise told(wrong, shown, path) from None


def _ordered(batch: Any, meta: Any, first_row: int) -> Any:
    """GDAL's batch with shape and row number first and every field by its number."""
    ids = pc.add(  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        batch.column(meta["fid_column"]).cast(pa.int64()), first_row
    )
    shape = batch.column(meta["geometry_name"] or "wkb_geometry").cast(pa.large_binary())
    fields = [batch.column(batch.schema.get_field_index(str(name))) for name in meta["fields"]]
    return pa.record_batch([shape, ids, *fields], names=_names(len(fields)))


def _names(count: int) -> list[str]:
    return [SHAPE, ROW, *(str(i) for i in range(count))]


def _plain(column: Column) -> Any:
    """A column of Python values as one Arrow type; as text where it holds several."""
    values = column.tolist()
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])


class Decoder:
    """Texts that came as raw bytes (each byte a character), decoded by what those bytes show.

    The encoding is decided by the first batch that has a byte beyond ASCII, with the names of the fields, and holds
    for all that follow.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = [name.encode(_RAW, errors="replace") for name in names]
        self.encoding = decide_on(self._names)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(decode(name, self.encoding or "utf-8") for name in self._names)

    def batch(self, rows: Any) -> Any:
        """The rows with their texts decoded."""
        columns = [rows.column(i) for i in range(rows.num_columns)]
        raw = {i: column.dictionary_encode() for i, column in enumerate(columns) if _beyond_ascii(column)}
        values = {i: _bytes(each.dictionary.to_pylist()) for i, each in raw.items()}
        if self.encoding is None:
            self.encoding = decide_on([*self._names, *(each for of in values.values() for each in of)])
        for i, encoded in raw.items():
            plain = pa.array([decode(each, self.encoding or "utf-8") for each in values[i]], pa.large_string())
            columns[i] = plain.take(encoded.indices)
        columns = [each.cast(pa.large_string()) if pa.types.is_string(each.type) else each for each in columns]
        return pa.record_batch(columns, names=rows.schema.names)


def _bytes(values: list[str]) -> list[bytes]:
    return [each.encode(_RAW, errors="replace") for each in values]


def _beyond_ascii(column: Any) -> bool:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    data = column.buffers()[2]
    return data is not None and bool(len(data)) and int(np.frombuffer(data, np.uint8).max()) > 127
