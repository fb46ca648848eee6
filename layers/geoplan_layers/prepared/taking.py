"""The first pass of an import: rows stream in, are looked at one by one, and are kept on the disk.

Nothing is mended. A row that cannot be used as it stands is left out with its reason; its ground, so far as anything
is known of it, counts as not known.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Source
from geoplan.crs import Frame, from_lonlat, to_lonlat
from geoplan.errors import InputRefused
from geoplan.progress import Progress
from geoplan_layers.fields import fields_of
from geoplan_layers.files.batch import Batch, Head
from geoplan_layers.files.dataset import box_of
from geoplan_layers.files.limits import LAYER
from geoplan_layers.files.rings import built as closed
from geoplan_layers.layer_file import LINES_TOO, of_layer
from geoplan_layers.locate import Located, ReadOptions, settle
from geoplan_layers.prepared.ragged import plain
from geoplan_layers.prepared.soundness import look
from geoplan_layers.prepared.spill import Spill
from geoplan_layers.selector import LayerSpec
from geoplan_layers.vector import opened

Bounds = NDArray[np.float64]
_Way = Callable[[Any], Any]
_THREADS = 2
"""Batches that are looked at together: bounds the memory."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is left out: its place among all rows, the reason (a word of the catalogue), what GEOS says of it."""

    at: int
    reason: str
    detail: str = ""


@dataclass
class Taken:
    """What the first pass found, rows of all files counted through from 0.

    ``boxes`` are west, south, east, north of each row as read (not a number where it has no shape), ``rows`` its place
    in its file, ``keys`` the hash of its shape.
    """

    spill: Spill
    boxes: list[Bounds] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    keys: list[NDArray[np.int64]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    vertices: int = 0
    count: int = 0


@dataclass(frozen=True)
class Read:
    """One file of an import: what it is, how its numbers were read, and its rows, numbered from ``first_row`` on."""

    source: Source
    name: str
    head: Head
    located: Located
    first_row: int
    count: int
    last_row: int


def take_in(
    spec: LayerSpec, options: ReadOptions, taken: Taken, first_row: int, into: Frame | None, progress: Progress
) -> Read:
    """Read one file into the spill.

    Parameters
    ----------
    first_row
        What is added to the row numbers of this file, so that those of several files differ.
    into
        The system of the layer, to which vertices of a file in another one are brought; none for its first file.

    Raises
    ------
    InputRefused
        The file cannot be read, its system is not known, or it holds lines where polygons are needed.
    Cancelled
        The user stopped it.
    """
    with opened(spec.selector, LAYER) as dataset, contextlib.closing(dataset.batches()) as batches:
        batch = next(batches, None)
        if batch is None:
            raise InputRefused("no-features", file=dataset.source.file, where=dataset.name)
        box = dataset.extent() if dataset.extent else box_of(shapely.from_wkb(_objects(batch), on_invalid="ignore"))
        head = batch.head
        located = settle(box, head.frame, of_layer(spec, options), dataset.source.file, dataset.name)
        taken.spill.begin(head.fields, _schema(batch))
        begun, last = taken.count, 0
        way = _way(located, into, dataset.source.file)
        with contextlib.closing(_looked_at(_chosen(_and_rest(batch, batches), spec), way, spec)) as looked:
            for seen in looked:
                last, head = max(last, _keep(seen, taken, first_row)), seen.head
                progress("reading", taken.count - begun, head.count)
        return Read(dataset.source, dataset.name, head, located, first_row, taken.count - begun, last)


@dataclass
class _Seen:
    """What was seen of one batch; rows that are left out are counted from its first."""

    head: Head
    rows: Any
    boxes: Bounds
    keys: NDArray[np.int64]
    years: list[int]
    vertices: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


def _way(located: Located, into: Frame | None, file: str) -> _Way | None:
    """How shapes come to the system of the layer, by their vertices only; none where they are in it as they stand."""
    frame = located.frame
    if into is None or into.label == frame.label:
        return located.shapes if located.swapped else None
    there, back = to_lonlat(frame, anywhere=True, file=file), from_lonlat(into, anywhere=True, file=file)

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(back(*there(xy[:, 0], xy[:, 1])))

    return lambda shapes: np.asarray(shapely.transform(located.shapes(shapes), moved))


def _looked_at(batches: Iterator[Batch], way: _Way | None, spec: LayerSpec) -> Generator[_Seen]:
    """Batches in their order, two of them looked at together: a patch of many holes takes GEOS seconds."""
    with ThreadPoolExecutor(_THREADS, "geoplan-looking") as pool:
        waiting: deque[Future[_Seen]] = deque()
        for batch in batches:
            waiting.append(pool.submit(_look, batch, way, spec))
            if len(waiting) >= _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _and_rest(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def _chosen(batches: Iterator[Batch], spec: LayerSpec) -> Iterator[Batch]:
    """The rows that ``[FIELD=VALUE]`` leaves."""
    selector, found = spec.selector, False
    for batch in batches:
        if selector.field is None:
            yield batch
            continue
        upper = [name.upper() for name in batch.head.fields]
        if selector.field.upper() not in upper:
            known = list(batch.head.fields)
            raise InputRefused("column-unknown", file=selector.name, field=selector.field, known=known)
        column = batch.rows.column(2 + upper.index(selector.field.upper())).to_pylist()
        mask = np.array([_text(value) == selector.value for value in column], dtype=bool)
        found = found or bool(mask.any())
        if mask.any():
            yield Batch(batch.head, batch.rows.filter(pa.array(mask)))
    if selector.field is not None and not found:
        raise InputRefused("value-unknown", file=selector.name, where=selector.field, value=selector.value, known="—")


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _look(batch: Batch, way: _Way | None, spec: LayerSpec) -> _Seen:
    """Look at the rows of a batch."""
    rows = _undictionaried(batch.rows)
    column = rows.column(0)
    found = look(column)
    asked = np.arange(len(column)) if way else np.flatnonzero(~found.sound)
    usable, vertices = np.ones(len(column), dtype=bool), found.vertices
    seen = _Seen(batch.head, rows, found.boxes, found.keys, _years(batch, spec.role))
    if len(asked) < len(column):
        seen.kinds.add("Polygon")
    if len(asked):
        raw = np.array(column.take(pa.array(asked)).to_pylist(), dtype=object)
        shapes, usable[asked] = _asked(raw, asked, spec, seen)
        good = usable[asked]
        foreign = good & ~found.plain[asked]
        if way:
            shapes, foreign = _moved(raw, shapes, way)
        seen.boxes[asked] = np.nan
        seen.boxes[asked[good]] = shapely.bounds(shapes[good])
        seen.kinds.update(_kinds(shapes[good]))
        if foreign.any():
            column = _written(column, asked[foreign], shapes[foreign])
            vertices = plain(column)[1][:, 2]
            seen.rows = rows.set_column(0, rows.schema.field(0), column)
    seen.vertices = int(vertices[usable].sum())
    return seen


def _keep(seen: _Seen, taken: Taken, first_row: int) -> int:
    """Keep the rows of a batch; the largest row number."""
    numbers = seen.rows.column(1).to_numpy() + first_row
    taken.spill.add(seen.rows)
    taken.boxes.append(seen.boxes)
    taken.rows.append(numbers)
    taken.keys.append(seen.keys)
    taken.left_out += [replace(each, at=taken.count + each.at) for each in seen.left_out]
    taken.kinds |= seen.kinds
    taken.vertices += seen.vertices
    taken.years.update(seen.years)
    taken.count += seen.rows.num_rows
    return int(numbers.max())


def _asked(
    raw: NDArray[np.object_], asked: NDArray[np.int64], spec: LayerSpec, seen: _Seen
) -> tuple[Any, NDArray[np.bool_]]:
    """Some rows as GEOS reads them, and which of them can be used; the others are left out with their reason."""
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(raw, on_invalid="ignore")
    usable = np.ones(len(shapes), dtype=bool)

    def leave(which: NDArray[np.bool_], reason: str, details: list[str] | None = None) -> None:
        for k, i in enumerate(np.flatnonzero(which & usable)):
            seen.left_out.append(LeftOut(int(asked[i]), reason, details[k] if details else ""))
        usable[which] = False

    missing = np.array([each is None for each in raw])
    leave(missing | shapely.is_empty(shapes), "empty")
    leave(shapely.is_missing(shapes), "unreadable")
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    odd = np.zeros(len(shapes), dtype=bool)
    odd[owner[~np.isfinite(xy).all(axis=1)]] = True
    leave(odd, "not-finite")
    if not may_be_lines(spec.role):
        leave(~_surfaces(shapes), "no-polygon")
    broken = usable & ~shapely.is_valid(shapes)
    leave(broken, "invalid", [str(each) for each in shapely.is_valid_reason(shapes[broken])])
    return shapes, usable


def _moved(raw: NDArray[np.object_], shapes: Any, way: _Way) -> tuple[Any, NDArray[np.bool_]]:
    """Shapes in the system of the layer, and which were moved: broken ones too, whose ground counts as not known."""
    found = shapes.copy()
    for i in np.flatnonzero(shapely.is_missing(shapes)):
        with contextlib.suppress(shapely.errors.GEOSException, ValueError, IndexError):  # nothing tells where it lies
            found[i] = closed([raw[i]])[0][0]
    xy, owner = shapely.get_coordinates(found, return_index=True)
    movable = ~shapely.is_missing(found)
    movable[owner[~np.isfinite(xy).all(axis=1)]] = False
    found[movable] = way(found[movable])
    return found, movable


def _years(batch: Batch, role: str) -> list[int]:
    """Plausible years of a 数据年份 column."""
    name = fields_of(batch.head.fields, role).get("year")
    if name is None:
        return []
    values = batch.rows.column(2 + batch.head.fields.index(name)).unique().to_pylist()
    return [int(v) for v in values if isinstance(v, int | float) and v == v and 1990 <= v <= 2100]


def may_be_lines(role: str) -> bool:
    """Whether the features of a role may be lines or points as well."""
    return role in LINES_TOO or role.startswith("custom:")


def _surfaces(shapes: Any) -> NDArray[np.bool_]:
    kinds = shapely.get_type_id(shapes)
    return np.asarray((kinds == shapely.GeometryType.POLYGON) | (kinds == shapely.GeometryType.MULTIPOLYGON))


_KINDS = ("Point", "LineString", "LineString", "Polygon", "Point", "LineString", "Polygon", "GeometryCollection")
"""Names of GEOS's geometry types without Multi, by their numbers."""


def _kinds(shapes: Any) -> set[str]:
    return {_KINDS[int(each)] for each in np.unique(shapely.get_type_id(shapes))}


def _written(column: Any, which: NDArray[np.int64], shapes: Any) -> Any:
    """The column with some rows written anew, as little-endian two-dimensional binary."""
    values = column.to_pylist()
    for i, made in zip(which, shapely.to_wkb(shapes, byte_order=1, output_dimension=2), strict=True):
        values[i] = made
    return pa.array(values, pa.large_binary())


def _objects(batch: Batch) -> NDArray[np.object_]:
    return np.asarray(batch.rows.column(0).to_numpy(zero_copy_only=False), dtype=object)


def _undictionaried(rows: Any) -> Any:
    columns = [each.cast(each.type.value_type) if pa.types.is_dictionary(each.type) else each for each in rows.columns]
    return pa.record_batch(columns, names=rows.schema.names)


def _schema(batch: Batch) -> Any:
    return _undictionaried(batch.rows.slice(0, 0)).schema
