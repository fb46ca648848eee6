"""Which patches are plainly valid, compiled: decided on the bytes as they came, no GEOS object made.

Most patches of a survey are one ring of some dozen vertices that stays clear of itself. This is proved here, with room
for rounding; whatever is not proved (holes, several parts, long rings, a ring that comes near to touching itself) is
left to GEOS, so that what is called valid is valid by GEOS as well.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.ragged import bytes_of, plain

_RING = 13
"""Bytes before the vertices of a polygon of one ring."""
_MOST = 200
"""Vertices past which a ring is left to GEOS: pairs of edges grow with their square."""
_ROUNDING = 4e-16
"""Part of the two products of a determinant within which its sign is not sure (Shewchuk 1997: 3.33e-16)."""


class Looked(NamedTuple):
    """What was seen of the rows of a column.

    ``sound`` are plainly valid polygons, ``plain`` those that are little-endian and two-dimensional; ``boxes`` are
    west, south, east, north of the sound ones (not a number for the others), ``vertices`` what the bytes say, and
    ``keys`` a hash of the bytes.
    """

    sound: Any
    plain: Any
    boxes: Any
    vertices: Any
    keys: Any


def look(column: Any) -> Looked:
    """Look at the rows of an Arrow column of large binaries, of which some may be null."""
    data, starts = bytes_of(column)
    taken, sizes = plain(column)
    vertices = np.ascontiguousarray(sizes[:, 2])
    one = taken & (sizes[:, 0] == 1) & (sizes[:, 1] == 1) & (np.diff(starts) == _RING + 16 * vertices)
    sound, boxes = one & (vertices <= _MOST), np.full((len(column), 4), np.nan)
    xy = np.empty((_MOST, 2))
    _prove(data, starts, vertices, sound, boxes, xy, xy.view(np.uint8).reshape(-1))
    keys = np.empty(len(column), np.int64)
    _hash(data, starts, keys)
    return Looked(sound, taken, boxes, vertices, keys)


@compiled
def _prove(data, starts, vertices, sound, boxes, xy, raw):
    """Leave of the rows that are ``sound`` those whose ring is plainly simple, and give their boxes."""
    for i in range(len(vertices)):
        if not sound[i]:
            continue
        at, count = starts[i] + _RING, vertices[i]
        for k in range(count * 16):
            raw[k] = data[at + k]
        sound[i] = count >= 4 and _boxed(xy, count, boxes, i) and _simple(xy, count - 1)
        if not sound[i]:
            boxes[i, 0] = boxes[i, 1] = boxes[i, 2] = boxes[i, 3] = np.nan


@inner
def _boxed(xy, count, boxes, i):
    """The box of a ring; whether it is closed and every number finite."""
    west, south, east, north = xy[0, 0], xy[0, 1], xy[0, 0], xy[0, 1]
    finite = True
    for k in range(count):
        x, y = xy[k, 0], xy[k, 1]
        finite = finite and np.isfinite(x) and np.isfinite(y)
        west, east = min(west, x), max(east, x)
        south, north = min(south, y), max(north, y)
    boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3] = west, south, east, north
    return finite and xy[0, 0] == xy[count - 1, 0] and xy[0, 1] == xy[count - 1, 1]


@inner
def _simple(xy, edges):
    """Whether no two edges of a closed ring have a point in common but neighbours the vertex between them."""
    for i in range(edges):
        if not _goes_on(xy, i, (i + 1) % edges, (i + 1) % edges + 1):
            return False
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        west, east, south, north = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
        for j in range(i + 2, edges if i > 0 else edges - 1):
            cx, cy, dx, dy = xy[j, 0], xy[j, 1], xy[j + 1, 0], xy[j + 1, 1]
            if max(cx, dx) < west or min(cx, dx) > east or max(cy, dy) < south or min(cy, dy) > north:
                continue
            if not (_aside(ax, ay, bx, by, cx, cy, dx, dy) or _aside(cx, cy, dx, dy, ax, ay, bx, by)):
                return False
    return True


@inner
def _side(ax, ay, bx, by, px, py):
    """On which side of the line a→b a point lies: 1 left, −1 right, 0 not sure."""
    left, right = (ax - px) * (by - py), (ay - py) * (bx - px)
    within = _ROUNDING * (abs(left) + abs(right)) + 1e-300
    return 1 if left - right > within else (-1 if right - left > within else 0)


@inner
def _aside(ax, ay, bx, by, cx, cy, dx, dy):
    """Whether c and d surely lie on one side of the line through a and b."""
    side = _side(ax, ay, bx, by, cx, cy)
    return side != 0 and side == _side(ax, ay, bx, by, dx, dy)


@inner
def _goes_on(xy, a, b, c):
    """Whether edges a→b and b→c surely share b alone: they bend, or go on."""
    if _side(xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]) != 0:
        return True
    across = (xy[b, 0] - xy[a, 0]) * (xy[c, 0] - xy[b, 0])
    up = (xy[b, 1] - xy[a, 1]) * (xy[c, 1] - xy[b, 1])
    return across + up > _ROUNDING * (abs(across) + abs(up)) + 1e-300


@inner
def _word(data, at):
    """Eight bytes as a number."""
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return word


@compiled
def _hash(data, starts, keys):
    """A hash of the bytes of each row: rows of one hash are compared byte by byte by those who ask."""
    for i in range(len(keys)):
        at, end = starts[i], starts[i + 1]
        value = np.uint64(end - at)
        while at + 8 <= end:
            value = (value ^ _word(data, at)) * np.uint64(0x9E3779B97F4A7C15)
            value ^= value >> np.uint64(29)
            at += 8
        while at < end:
            value = (value ^ np.uint64(data[at])) * np.uint64(0xBF58476D1CE4E5B9)
            value ^= value >> np.uint64(32)
            at += 1
        keys[i] = np.int64(value)
