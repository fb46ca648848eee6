"""Rows kept on the disk between two passes: written as they come, taken out in any order."""

from __future__ import annotations

import mmap
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geoplan_layers.files.batch import ROW, SHAPE


class Spill:
    """Batches of one or more layers in temporary files, mapped when they are read.

    Fields of one name in several files are one column, of the wider type (text where types do not agree).

    Parameters
    ----------
    folder
        Where the files are made; the caller removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[tuple[Path, tuple[str, ...]]] = []
        self._sink: Any = None
        self._writer: Any = None
        self._maps: list[tuple[Any, Any]] = []
        self._batches: list[tuple[Any, tuple[str, ...]]] = []
        self._starts = np.zeros(1, np.int64)
        self.schema: Any = None

    def begin(self, fields: tuple[str, ...], schema: Any) -> None:
        """Begin the rows of one file."""
        self._end()
        path = self._folder / f"rows-{len(self._parts)}.arrow"
        self._parts.append((path, fields))
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, schema)

    def add(self, batch: Any) -> None:
        """Add rows of the file that was begun."""
        self._writer.write_batch(batch)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._sink.close()
            self._writer = None

    def finish(self) -> None:
        """All rows are there; they can be taken from now on."""
        self._end()
        counts = [0]
        for path, fields in self._parts:
            with path.open("rb") as opened:
                mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            reader = pa.ipc.open_file(pa.py_buffer(mapped))
            self._maps.append((mapped, reader))
            for i in range(reader.num_record_batches):
                batch = reader.get_batch(i)
                self._batches.append((batch, fields))
                counts.append(batch.num_rows)
        self._starts = np.cumsum(counts)
        self.schema = _common(
            [(reader.schema, fields) for (_, reader), (_, fields) in zip(self._maps, self._parts, strict=True)]
        )

    def take(self, index: NDArray[np.int64]) -> Any:
        """Rows by their place in the order in which they were added, as one Arrow table of the common schema."""
        order = np.argsort(index, kind="stable")
        wanted = index[order]
        which = np.searchsorted(self._starts, wanted, side="right") - 1
        edges = np.flatnonzero(np.diff(which, prepend=-1))
        parts = []
        for first, last in zip(edges, [*edges[1:], len(wanted)], strict=True):
            batch, fields = self._batches[which[first]]
            local = wanted[first:last] - self._starts[which[first]]
            parts.append(_cast(batch.take(pa.array(local)), fields, self.schema))
        found = pa.concat_tables(parts) if parts else self.schema.empty_table()
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return found.take(pa.array(back)).combine_chunks()

    def let_go(self) -> None:
        """Let go of the pages that were read: they stay in the system's cache, not in this process."""
        for mapped, _ in self._maps:
            if hasattr(mapped, "madvise"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._batches.clear()
        self._maps.clear()


def _common(schemas: list[tuple[Any, tuple[str, ...]]]) -> Any:
    """The columns of all files by name: shape, row, then every field in the order of its first file."""
    kinds: dict[str, Any] = {}
    for schema, fields in schemas:
        for i, name in enumerate(fields):
            kind = schema.field(2 + i).type
            kinds[name] = _wider(kinds[name], kind) if name in kinds else kind
    first = [pa.field(SHAPE, pa.large_binary()), pa.field(ROW, pa.int64())]
    return pa.schema([*first, *(pa.field(f"={name}", kind) for name, kind in kinds.items())])


def _wider(one: Any, other: Any) -> Any:
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numeric = all(pa.types.is_integer(t) or pa.types.is_floating(t) for t in (one, other))
    if numeric:
        return pa.int64() if pa.types.is_integer(one) and pa.types.is_integer(other) else pa.float64()
    return pa.large_string()


def _cast(batch: Any, fields: tuple[str, ...], schema: Any) -> Any:
    own = dict(zip(fields, batch.columns[2:], strict=True))
    columns = [batch.column(0), batch.column(1)]
    for field in list(schema)[2:]:
        column = own.get(field.name.removeprefix("="))
        columns.append(pa.nulls(batch.num_rows, field.type) if column is None else _as(column, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _as(column: Any, kind: Any) -> Any:
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if each is None else str(each) for each in column.to_pylist()], pa.large_string())
