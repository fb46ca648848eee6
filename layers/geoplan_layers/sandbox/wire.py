"""What crosses between a reader process and this one: never a pickle, only data of a closed set.

A message is two lengths, a header in JSON and, for a table, an Arrow stream: one column of WKB, one of row numbers,
one for each field. Values beside plain numbers and texts are tagged (``{"$": "message", …}``); an unknown tag, a
column of another length, an offset outside its buffer are a `WireBroken`, and the process that sent them is ended.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geoplan.boundary import Repair, Source
from geoplan.crs import Frame
from geoplan.errors import CallRefused, CannotFinish, GeoplanError, InputRefused, TooLarge
from geoplan.messages import Message, catalogue
from geoplan.shifted import SHIFTED
from geoplan_layers.files.batch import ROW, SHAPE, Batch, Head
from geoplan_layers.files.table import Column, Table

MOST_HEADER = 16_000_000
_LENGTHS = struct.Struct(">QQ")
_ARRAYS = frozenset({"shapes", "columns", "rows"})
_OF_A_FILE = ("epsg", "datum", "guessed")
"""What a file can say of its system beside the system itself."""
_REFUSALS: Mapping[str, type[GeoplanError]] = {
    each.__name__: each for each in (InputRefused, TooLarge, CallRefused, CannotFinish)
}


class WireBroken(Exception):
    """What arrived is not what a reader sends."""


def send(pipe: IO[bytes], header: Mapping[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one message."""
    text = json.dumps(header).encode()
    pipe.write(_LENGTHS.pack(len(text), len(body)))
    pipe.write(text)
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes], most_body: int) -> tuple[dict[str, Any], memoryview]:
    """Read one message.

    Raises
    ------
    EOFError
        The other side has gone.
    WireBroken
        Longer than allowed, or no message.
    """
    head, body = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    if head > MOST_HEADER or body > most_body:
        raise WireBroken(f"a message of {head} + {body} bytes")
    try:
        header = json.loads(_exactly(pipe, head).tobytes())
    except (ValueError, RecursionError) as wrong:
        raise WireBroken(f"no header: {wrong}") from None
    if not isinstance(header, dict):
        raise WireBroken("no header")
    return header, _exactly(pipe, body)


def _exactly(pipe: IO[bytes], count: int) -> memoryview:
    buffer = memoryview(bytearray(count))
    at = 0
    while at < count:
        got = cast(Any, pipe).readinto(buffer[at:])
        if not got:
            raise EOFError("the other side has gone")
        at += got
    return buffer


# --- values ------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as JSON, with a tag where JSON has no such type.

    Raises
    ------
    TypeError
        A type that readers do not send: a fault of the program.

    >>> plain((1, None, "边界"))
    {'$': 'tuple', 'of': [1, None, '边界']}
    """
    if isinstance(value, np.generic):
        value = _python(value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [plain(each) for each in value]
    for tag, kind, pack in _PACKED:
        if isinstance(value, kind):
            return {"$": tag, "of": pack(value)}
    raise TypeError(f"a reader sends no {type(value).__name__}")


def _python(value: np.generic) -> Any:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else value.astype("datetime64[us]").item()
    return value.item()


def _frame(frame: Frame) -> dict[str, Any]:
    """A frame as a file says it; what the user says of it (their parameters, a shift) stays in the parent."""
    rest = {name: plain(getattr(frame, name)) for name in _OF_A_FILE}
    return {**rest, "crs": frame.epsg or frame.crs.to_json()}


def _pairs(mapping: Mapping[Any, Any]) -> list[list[Any]]:
    return [[plain(key), plain(each)] for key, each in mapping.items()]


_PACKED: tuple[tuple[str, type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ("tuple", tuple, lambda v: [plain(each) for each in v]),
    ("set", (set, frozenset), lambda v: [plain(each) for each in sorted(v, key=str)]),
    ("map", Mapping, _pairs),
    ("datetime", datetime, lambda v: v.isoformat()),
    ("date", date, lambda v: v.isoformat()),
    ("time", time, lambda v: v.isoformat()),
    ("bytes", bytes, lambda v: base64.b64encode(v).decode()),
    ("message", Message, lambda v: [v.id, _pairs(v.args)]),
    ("repair", Repair, lambda v: [v.message.id, _pairs(v.message.args)]),
    ("source", Source, lambda v: [v.file, v.sha256]),
    ("frame", Frame, _frame),
    ("shape", shapely.Geometry, lambda v: base64.b64encode(shapely.to_wkb(v)).decode()),
    ("array", np.ndarray, lambda v: [plain(each) for each in v.tolist()]),
    ("text", (str, int, float), str),  # subclasses, as text
)


def _message(of: list[Any]) -> Message:
    id, args = of
    if id not in catalogue():
        raise WireBroken(f"no message {str(id)[:80]!r}")
    return Message(id, _mapping(args))


def _mapping(of: list[Any]) -> dict[Any, Any]:
    return {value_of(key): value_of(each) for key, each in of}


def _frame_of(of: dict[str, Any]) -> Frame:
    if set(of) != {"crs", *_OF_A_FILE} or of["datum"] in SHIFTED:
        raise WireBroken("no frame of a file")
    crs = of["crs"]
    return Frame(
        CRS.from_epsg(crs) if isinstance(crs, int) else CRS.from_json(crs),
        **{key: value_of(each) for key, each in of.items() if key != "crs"},
    )


_UNPACKED: Mapping[str, Callable[[Any], Any]] = {
    "tuple": lambda of: tuple(value_of(each) for each in of),
    "set": lambda of: frozenset(value_of(each) for each in of),
    "map": _mapping,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "bytes": base64.b64decode,
    "message": _message,
    "repair": lambda of: Repair(_message(of)),
    "source": lambda of: Source(str(of[0]), str(of[1])),
    "frame": _frame_of,
    "shape": lambda of: shapely.from_wkb(base64.b64decode(of)),
    "array": lambda of: np.array([value_of(each) for each in of]),
    "text": str,
}


def value_of(packed: Any) -> Any:
    """A value from its JSON.

    >>> value_of(plain((1, Message("read.prj-unreadable"))))[1].id
    'read.prj-unreadable'
    """
    if isinstance(packed, list):
        return [value_of(each) for each in packed]
    if not isinstance(packed, dict):
        return packed
    unpack = _UNPACKED.get(str(packed.get("$")))
    if unpack is None:
        raise WireBroken(f"no type {str(packed.get('$'))[:80]!r}")
    return unpack(packed["of"])


# --- refusals ----------------------------------------------------------------------------------------------------


def refusal(error: GeoplanError) -> dict[str, Any]:
    """A refusal as a header: its class, its message's id and arguments, the file and the place."""
    kind = next(each.__name__ for each in type(error).__mro__ if each.__name__ in _REFUSALS)
    args = [[key, plain(value)] for key, value in error.message.args.items()]
    return {"kind": "refused", "class": kind, "id": error.id, "file": error.file, "where": error.where, "args": args}


def refusal_of(header: Mapping[str, Any]) -> GeoplanError:
    """The refusal that a header tells; its words come from our own catalogue."""
    with _checked():
        kind, id = _REFUSALS[header["class"]], str(header["id"])
        if f"error.{id}" not in catalogue():
            raise WireBroken(f"no refusal {id[:80]!r}")
        args = {str(key): value_of(value) for key, value in header["args"]}
        return kind(id, file=header["file"], where=header["where"], **args)


# --- tables ------------------------------------------------------------------------------------------------------


def packed_table(table: Table) -> tuple[dict[str, Any], memoryview]:
    """A table as a header and an Arrow stream."""
    about = {
        each.name: plain(getattr(table, each.name)) for each in dataclasses.fields(table) if each.name not in _ARRAYS
    }
    arrays = [pa.array(shapely.to_wkb(table.shapes), pa.large_binary()), pa.array(table.rows, pa.int64())]
    kinds: list[str] = []
    for column in table.columns.values():
        kind, array = _packed_column(column)
        kinds.append(kind)
        arrays.append(array)
    batch = pa.record_batch(arrays, [str(i) for i in range(len(arrays))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    header = {"kind": "table", "about": about, "columns": list(table.columns), "kinds": kinds}
    return header, memoryview(sink.getvalue())


_ARROW: Mapping[type, tuple[str, Any]] = {
    int: ("plain", pa.int64()),
    float: ("plain", pa.float64()),
    str: ("plain", pa.large_string()),
    bool: ("plain", pa.bool_()),
}


def _packed_column(column: Column) -> tuple[str, Any]:
    """One column: of one plain type as that type, else each value as JSON."""
    values = column.tolist()
    types = {type(value) for value in values} - {type(None)}
    if len(types) <= 1:
        kind, arrow = _ARROW.get(next(iter(types), str), ("json", None))
        if arrow is not None:
            try:
                return kind, pa.array(values, arrow, from_pandas=False)
            except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid):
                pass  # numbers beyond 64 bits and half characters, which JSON can write
    return "json", pa.array([None if v is None else json.dumps(plain(v)) for v in values], pa.large_string())


def table_of(header: Mapping[str, Any], body: memoryview) -> Table:
    """The table of a header and its stream, every length and offset checked.

    Raises
    ------
    WireBroken
        It is not what `packed_table` makes.
    """
    with _checked():
        content = pa.ipc.open_stream(pa.py_buffer(body)).read_all()
        content.validate(full=True)
        names, kinds = header["columns"], header["kinds"]
        if content.num_columns != len(names) + 2 or len(kinds) != len(names) or len(set(names)) != len(names):
            raise WireBroken("columns and names differ")
        arrays = [column.combine_chunks() for column in content.columns]
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are the caller's to refuse
            shapes = shapely.from_wkb(_objects(arrays[0]), on_invalid="raise")
        rows = np.from_dlpack(arrays[1]).astype(np.int64)
        columns = {
            str(name): _column_of(array, kind) for name, kind, array in zip(names, kinds, arrays[2:], strict=True)
        }
        about = {key: value_of(each) for key, each in header["about"].items()}
        return Table(shapes=shapes, columns=columns, rows=rows, **about)


def packed_batch(batch: Batch) -> tuple[dict[str, Any], memoryview]:
    """A batch as a header and an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.rows.schema) as stream:
        stream.write_batch(batch.rows)
    about = {each.name: plain(getattr(batch.head, each.name)) for each in dataclasses.fields(batch.head)}
    return {"kind": "batch", "about": about}, memoryview(sink.getvalue())


def batch_of(header: Mapping[str, Any], body: memoryview) -> Batch:
    """The batch of a header and its stream, every length and offset checked.

    Raises
    ------
    WireBroken
        It is not what `packed_batch` makes.
    """
    with _checked():
        content = pa.ipc.open_stream(pa.py_buffer(body)).read_all()
        content.validate(full=True)
        head = Head(**{key: value_of(each) for key, each in header["about"].items()})
        named = [SHAPE, ROW, *(str(i) for i in range(len(head.fields)))]
        if content.column_names != named or len(set(head.fields)) != len(head.fields):
            raise WireBroken("columns and names differ")
        if content.schema.types[:2] != [pa.large_binary(), pa.int64()]:
            raise WireBroken("no shapes or no row numbers")
        if content.num_rows == 0:
            raise WireBroken("a batch without rows")
        return Batch(head, content.combine_chunks().to_batches()[0])


def _column_of(array: Any, kind: str) -> Column:
    if kind == "plain":
        return _objects(array)
    if kind != "json":
        raise WireBroken(f"no column of kind {kind[:80]!r}")
    values = [None if text is None else value_of(json.loads(text)) for text in array.to_pylist()]
    return _filled(values)


def _objects(array: Any) -> NDArray[np.object_]:
    if array.null_count == 0 and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        return np.from_dlpack(array).astype(object)  # what pyarrow itself has for it loads pandas: most of a second
    return _filled(array.to_pylist())


def _filled(values: list[Any]) -> NDArray[np.object_]:
    return np.fromiter(values, dtype=object, count=len(values))


class _checked:  # noqa: N801 - read as a word
    """Whatever unpacking raises means that what arrived is broken."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, wrong: BaseException | None, trace: object) -> None:
        if wrong is not None and isinstance(wrong, Exception) and not isinstance(wrong, WireBroken | MemoryError):
            raise WireBroken(f"{type(wrong).__name__}: {str(wrong)[:120]}") from None
