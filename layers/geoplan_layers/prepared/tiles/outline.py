"""Outlines of patches as drawing commands of a vector tile, compiled.

Each vertex is moved to the tile, each ring clipped to the tile and its margin (Sutherland–Hodgman), and rounded to
whole units. Rounding is the only simplification: it depends on the vertex alone, so neighbours that share a side
share it still. Vertices that the rounding puts on one point or one line go.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.grid import box_of
from geoplan_layers.prepared.tiles.varint import put, room_for, signed

MOVE_TO, LINE_TO, CLOSE = 1, 2, 15


class Rings(NamedTuple):
    """The arrays of a pack that are drawn from."""

    xy: Any
    rings: Any
    parts: Any
    patches: Any


class Pencil(NamedTuple):
    """Room to work in: two lists of vertices of a ring, one of whole units, and where the last command ended."""

    a: Any
    b: Any
    whole: Any
    cursor: Any


@compiled
def commands(work, index, way, low, high, ends, out):
    """Commands of each patch, one after another in ``out``, which is given back (it may have had to grow).

    ``ends[k]`` is where those of patch ``index[k]`` end; a patch of which nothing is left has none.
    """
    pencil, at = _pencil(work, index), 0
    for k in range(len(index)):
        pencil.cursor[0], pencil.cursor[1] = 0, 0
        for p in range(work.patches[index[k]], work.patches[index[k] + 1]):
            out, at = _part(work, p, way, low, high, pencil, out, at)
        ends[k] = at
    return out


@inner
def _pencil(work, index):
    """Room for the longest ring: each of eight cuts can make it half as long again. What is not used costs nothing."""
    most = 0
    for k in range(len(index)):
        for r in range(work.parts[work.patches[index[k]]], work.parts[work.patches[index[k] + 1]]):
            most = max(most, work.rings[r + 1] - work.rings[r])
    most = 26 * most + 64
    return Pencil(np.empty((most, 2)), np.empty((most, 2)), np.empty((most, 2), np.int64), np.zeros(2, np.int64))


@inner
def _part(work, p, way, low, high, pencil, out, at):
    """One polygon: shell with positive area, holes with negative (in the tile, y goes down).

    Nothing where nothing is left of the shell, or where a hole takes all of it.
    """
    begin, x, y, left = at, pencil.cursor[0], pencil.cursor[1], 0
    for r in range(work.parts[p], work.parts[p + 1]):
        shell = r == work.parts[p]
        count, area = ring_of(work, r, way, low, high, pencil)
        if count < 3:
            if shell:
                break
            continue
        left += abs(area) if shell else -abs(area)
        out = room_for(out, at, 4 * count + 16)
        at = written(pencil.whole, count, (area > 0) != shell, pencil.cursor, out, at)
    if left <= 0:
        pencil.cursor[0], pencil.cursor[1] = x, y
        return out, begin
    return out, at


@inner
def ring_of(work, r, way, low, high, pencil):
    """Vertices of a ring in the tile, and twice its area; no vertices where nothing is left of it."""
    count = _near(work, r, way, pencil)
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for k in range(count):
        x, y = placed(way, pencil.a[k, 0], pencil.a[k, 1])
        pencil.a[k, 0], pencil.a[k, 1] = x, y
        west, east, south, north = min(west, x), max(east, x), min(south, y), max(north, y)
    if count == 0 or east < low or west > high or north < low or south > high:
        return 0, 0
    if west < low or east > high or south < low or north > high:
        count = _window(pencil, count, low, low, high, high)
    count = _rounded(pencil.a, count, pencil.whole)
    area = 0
    for k in range(count):
        j = k + 1 if k + 1 < count else 0
        area += pencil.whole[k, 0] * pencil.whole[j, 1] - pencil.whole[j, 0] * pencil.whole[k, 1]
    return (count if area != 0 else 0), area


@inner
def _near(work, r, way, pencil):
    """The vertices of a ring on the plane, cut to where the way to the tile holds: some reach far beyond a tile."""
    west, south, east, north = box_of(work.xy, work.rings[r], work.rings[r + 1])
    if east < way.west or west > way.east or north < way.south or south > way.north:
        return 0
    count = work.rings[r + 1] - work.rings[r] - 1
    for k in range(count):
        pencil.a[k, 0], pencil.a[k, 1] = work.xy[work.rings[r] + k, 0], work.xy[work.rings[r] + k, 1]
    if west < way.west or east > way.east or south < way.south or north > way.north:
        count = _window(pencil, count, way.west, way.south, way.east, way.north)
    return count


@inner
def _window(pencil, count, west, south, east, north):
    """Cut the ring in the first list to a box, there and back again."""
    count = _cut(pencil.a, count, pencil.b, 0, west, 1.0)
    count = _cut(pencil.b, count, pencil.a, 0, east, -1.0)
    count = _cut(pencil.a, count, pencil.b, 1, south, 1.0)
    return _cut(pencil.b, count, pencil.a, 1, north, -1.0)


@inner
def placed(way, x, y):
    """A point of the plane in units of the tile: Horner's rule in both directions."""
    u, v = (x - way.x0) * way.sx, (y - way.y0) * way.sy
    across, down = 0.0, 0.0
    last = len(way.across) - 1
    for i in range(last, -1, -1):
        p, q = 0.0, 0.0
        for j in range(last - i, -1, -1):
            p, q = p * v + way.across[i, j], q * v + way.down[i, j]
        across, down = across * u + p, down * u + q
    return across, down


@inner
def _cut(points, count, kept, axis, limit, side):
    """The part of a ring on one side of a line: coordinate ≥ limit where side is 1, ≤ where it is −1."""
    n = 0
    for k in range(count):
        j = k - 1 if k > 0 else count - 1
        before, here = side * (points[j, axis] - limit), side * (points[k, axis] - limit)
        if (before < 0) != (here < 0):
            part = before / (before - here)
            kept[n, 0] = points[j, 0] + part * (points[k, 0] - points[j, 0])
            kept[n, 1] = points[j, 1] + part * (points[k, 1] - points[j, 1])
            kept[n, axis] = limit
            n += 1
        if here >= 0:
            kept[n, 0], kept[n, 1] = points[k, 0], points[k, 1]
            n += 1
    return n


@inner
def _rounded(points, count, whole):
    """Vertices in whole units, without those on the line between their neighbours and without spikes."""
    n = 0
    for k in range(count):
        n = _added(whole, n, np.int64(np.floor(points[k, 0] + 0.5)), np.int64(np.floor(points[k, 1] + 0.5)))
    first = 0
    while n - first > 2:  # the same where the ring closes
        if _straight(whole, n - 2, n - 1, first):
            n -= 1
        elif _straight(whole, n - 1, first, first + 1):
            first += 1
        else:
            break
    for k in range(n - first):
        whole[k, 0], whole[k, 1] = whole[first + k, 0], whole[first + k, 1]
    return n - first


@inner
def _added(whole, n, x, y):
    whole[n, 0], whole[n, 1] = x, y
    while n > 1 and _straight(whole, n - 2, n - 1, n):
        n -= 1
        whole[n, 0], whole[n, 1] = x, y
    if n > 0 and whole[n - 1, 0] == x and whole[n - 1, 1] == y:
        return n
    return n + 1


@inner
def _straight(whole, i, j, k):
    """Whether vertex j adds nothing between i and k."""
    ax, ay = whole[j, 0] - whole[i, 0], whole[j, 1] - whole[i, 1]
    bx, by = whole[k, 0] - whole[j, 0], whole[k, 1] - whole[j, 1]
    return ax * by - ay * bx == 0


@inner
def written(whole, count, reverse, cursor, out, at):
    """A ring as commands: move, lines, close. Reversed, it begins at its last vertex."""
    for k in range(count):
        i = count - 1 - k if reverse else k
        if k == 0:
            at = put(out, at, MOVE_TO | 1 << 3)
        elif k == 1:
            at = put(out, at, LINE_TO | (count - 1) << 3)
        at = put(out, at, signed(whole[i, 0] - cursor[0]))
        at = put(out, at, signed(whole[i, 1] - cursor[1]))
        cursor[0], cursor[1] = whole[i, 0], whole[i, 1]
    return put(out, at, CLOSE)
