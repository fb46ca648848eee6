"""Well-known binary of many polygons to ragged arrays, compiled: no GEOS object is made.

Only little-endian two-dimensional polygons and multipolygons are taken; what is otherwise is re-written by GEOS first
(`plain`). Every length is checked against the bytes that are there.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely

from geoplan_layers.prepared.compiling import compiled, inner

TAKEN, FOREIGN = 0, 1
_POLYGON, _MULTIPOLYGON = 3, 6
_POINT = 16


class Ragged(NamedTuple):
    """Polygons as arrays: vertices, and offsets of rings, parts and patches (see `Pack`)."""

    xy: Any
    rings: Any
    parts: Any
    patches: Any


@inner
def _number(data, at):
    return (
        np.int64(data[at])
        | (np.int64(data[at + 1]) << 8)
        | (np.int64(data[at + 2]) << 16)
        | (np.int64(data[at + 3]) << 24)
    )


@inner
def _polygon_size(data, at, end, size):
    """Where a polygon ends, its rings and vertices added to ``size``; −1 where it is none that is taken."""
    if at + 9 > end or data[at] != 1 or _number(data, at + 1) != _POLYGON:
        return np.int64(-1)
    count = _number(data, at + 5)
    at += 9
    for _ in range(count):
        if at + 4 > end:
            return np.int64(-1)
        vertices = _number(data, at)
        at += 4 + vertices * _POINT
        if at > end:
            return np.int64(-1)
        size[1] += 1
        size[2] += vertices
    size[0] += 1
    return np.int64(at)


@compiled
def sizes(data, starts, found, status):
    """Parts, rings and vertices of each row into ``found``, and whether it is taken into ``status``."""
    size = np.zeros(3, np.int64)
    for i in range(len(starts) - 1):
        at, end = starts[i], starts[i + 1]
        size[:] = 0
        status[i] = FOREIGN
        if at + 9 <= end and data[at] == 1 and _number(data, at + 1) == _MULTIPOLYGON:
            count = _number(data, at + 5)
            at += 9
            for _ in range(count):
                at = _polygon_size(data, at, end, size)
                if at < 0:
                    break
        else:
            at = _polygon_size(data, at, end, size)
        if at == end:
            status[i] = TAKEN
        for k in range(3):
            found[i, k] = size[k]


@inner
def _put_polygon(data, at, xy, rings, parts, filled):
    count = _number(data, at + 5)
    at += 9
    for _ in range(count):
        vertices = _number(data, at)
        at += 4
        first = filled[2] * _POINT
        for k in range(vertices * _POINT):
            xy[first + k] = data[at + k]
        at += vertices * _POINT
        filled[1] += 1
        filled[2] += vertices
        rings[filled[1]] = filled[2]
    filled[0] += 1
    parts[filled[0]] = filled[1]
    return at


@compiled
def fill(data, starts, xy, rings, parts, patches):
    """Write the rows, all of them taken, into arrays of the right size; ``xy`` as bytes."""
    filled = np.zeros(3, np.int64)
    for i in range(len(starts) - 1):
        at = starts[i]
        if _number(data, at + 1) == _MULTIPOLYGON:
            count = _number(data, at + 5)
            at += 9
            for _ in range(count):
                at = _put_polygon(data, at, xy, rings, parts, filled)
        else:
            at = _put_polygon(data, at, xy, rings, parts, filled)
        patches[i + 1] = filled[0]


@compiled
def orient(xy, rings, parts):
    """Turn shells counterclockwise and holes clockwise, each from the vertex it began with."""
    for p in range(len(parts) - 1):
        for r in range(parts[p], parts[p + 1]):
            first, last = rings[r], rings[r + 1] - 1
            x0, y0, total = xy[first, 0], xy[first, 1], 0.0
            for k in range(first + 1, last - 1):
                total += (xy[k, 0] - x0) * (xy[k + 1, 1] - y0) - (xy[k + 1, 0] - x0) * (xy[k, 1] - y0)
            if (total > 0) != (r == parts[p]) and total != 0:
                a, b = first, last
                while a < b:
                    for axis in range(2):
                        kept = xy[a, axis]
                        xy[a, axis] = xy[b, axis]
                        xy[b, axis] = kept
                    a += 1
                    b -= 1


@compiled
def box_each(xy, rings, parts, patches, boxes):
    """West, south, east, north of each patch."""
    for i in range(len(patches) - 1):
        first, last = rings[parts[patches[i]]], rings[parts[patches[i + 1]]]
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for k in range(first, last):
            west, east = min(west, xy[k, 0]), max(east, xy[k, 0])
            south, north = min(south, xy[k, 1]), max(north, xy[k, 1])
        boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3] = west, south, east, north


def bytes_of(column: Any) -> tuple[Any, Any]:
    """The bytes of an Arrow column of large binaries, and where each row begins (one more at the end)."""
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), starts


def plain(column: Any) -> tuple[Any, Any]:
    """Which rows are little-endian two-dimensional polygons, and (n, 3) parts, rings and vertices of each."""
    data, starts = bytes_of(column)
    found, status = np.zeros((len(column), 3), np.int64), np.zeros(len(column), np.int8)
    sizes(data, starts, found, status)
    return status == TAKEN, found


def ragged_of(column: Any) -> Ragged:
    """The ragged arrays of a column of which every row is a polygon or multipolygon, rings as written.

    Parameters
    ----------
    column
        Arrow large binary without nulls.
    """
    taken, found = plain(column)
    if not taken.all():
        column = rewritten(column)
        _, found = plain(column)
    data, starts = bytes_of(column)
    parts, rings, vertices = (int(v) for v in found.sum(axis=0))
    made = Ragged(
        np.empty((vertices, 2)),
        np.zeros(rings + 1, np.int64),
        np.zeros(parts + 1, np.int64),
        np.zeros(len(column) + 1, np.int64),
    )
    fill(data, starts, made.xy.view(np.uint8).reshape(-1), made.rings, made.parts, made.patches)
    return made


def rewritten(column: Any) -> Any:
    """The same shapes as little-endian two-dimensional binary, by GEOS."""
    import pyarrow as pa

    shapes = shapely.from_wkb(np.asarray(column.to_pylist(), dtype=object))
    return pa.array(shapely.to_wkb(shapes, byte_order=1, output_dimension=2), pa.large_binary())
