"""A grid of classes as polygons, compiled: the outline of each patch of equal cells that share sides."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.tiles.outline import written
from geoplan_layers.prepared.tiles.varint import room_for

UP, RIGHT, DOWN, LEFT = 0, 1, 2, 3


@compiled
def labelled(cells):
    """Number of the patch of equal cells that each cell belongs to: that of its first cell in reading order."""
    rows, columns = cells.shape
    roots = np.arange(rows * columns)
    for r in range(rows):
        for c in range(columns):
            i = r * columns + c
            if c > 0 and cells[r, c] == cells[r, c - 1]:
                _join(roots, i, i - 1)
            if r > 0 and cells[r, c] == cells[r - 1, c]:
                _join(roots, i, i - columns)
    for i in range(len(roots)):
        roots[i] = roots[roots[i]]  # a root comes before all that it stands for
    return roots


@inner
def _join(roots, i, j):
    i, j = _root(roots, i), _root(roots, j)
    roots[max(i, j)] = min(i, j)


@inner
def _root(roots, i):
    while roots[i] != i:
        roots[i] = roots[roots[i]]
        i = roots[i]
    return i


class Traced(NamedTuple):
    """Where rings are written: vertices, where those of each ring end, a cell of its patch, twice its area."""

    vertices: Any
    ends: Any
    cells: Any
    areas: Any


class Loop(NamedTuple):
    """The way around that is under way: its vertices, and the place of each corner of the grid among them, plus 1."""

    vertices: Any
    places: Any


@compiled
def rings(cells, traced):
    """Outlines of all patches of cells that are not 0: how many rings and vertices, written if there is room.

    Cells lie on the right of the way around them, so shells have positive area and holes negative (y goes down). A way
    that comes back to a corner is divided there: no ring touches itself.
    """
    rows, columns = cells.shape
    corners = (rows + 1) * (columns + 1)
    loop = Loop(np.empty((corners, 2), np.int64), np.zeros(corners, np.int64))
    seen = np.zeros(cells.shape, np.bool_)
    count, at = 0, 0
    for r in range(rows):
        for c in range(columns):
            if cells[r, c] != 0 and not seen[r, c] and _at(cells, r, c - 1) != cells[r, c]:
                count, at = _around(cells, r, c, seen, loop, traced, count, at)
    return count, at


@inner
def _at(cells, r, c):
    """The class of a cell; none outside."""
    return cells[r, c] if 0 <= r < cells.shape[0] and 0 <= c < cells.shape[1] else cells.dtype.type(0)


@inner
def _around(cells, r, c, seen, loop, traced, count, at):
    """Go once around, up the left side of a cell first; a vertex stands where the way turns."""
    value, x, y, way, n, wide = cells[r, c], c, r, UP, 0, cells.shape[1] + 1
    cell = r * cells.shape[1] + c
    seen[r, c] = True
    while True:
        right, left = _ahead(cells, x, y, way)
        if right != value or left == value:
            way = (way + 1) % 4 if right != value else (way + 3) % 4
            before = loop.places[y * wide + x]
            if before:
                count, at = _closed(loop, before - 1, n, wide, cell, traced, count, at)
                n = before - 1
            loop.vertices[n, 0], loop.vertices[n, 1] = x, y
            n += 1
            loop.places[y * wide + x] = n
        if way == UP:
            if y - 1 == r and x == c:
                return _closed(loop, 0, n, wide, cell, traced, count, at)
            seen[y - 1, x] = True
        x += (way == RIGHT) - (way == LEFT)
        y += (way == DOWN) - (way == UP)


@inner
def _closed(loop, first, last, wide, cell, traced, count, at):
    """A ring of the last vertices of the way, which are taken from it."""
    area = 0
    for k in range(first, last):
        j = k + 1 if k + 1 < last else first
        x, y = loop.vertices[k, 0], loop.vertices[k, 1]
        area += x * loop.vertices[j, 1] - loop.vertices[j, 0] * y
        loop.places[y * wide + x] = 0
        if len(traced.ends):
            traced.vertices[at, 0], traced.vertices[at, 1] = x, y
        at += 1
    if len(traced.ends):
        traced.ends[count], traced.cells[count], traced.areas[count] = at, cell, area
    return count + 1, at


@inner
def _ahead(cells, x, y, way):
    """Classes of the two cells ahead of a corner: on the right and on the left of the way."""
    north_west, north_east = _at(cells, y - 1, x - 1), _at(cells, y - 1, x)
    south_west, south_east = _at(cells, y, x - 1), _at(cells, y, x)
    if way == UP:
        return north_east, north_west
    if way == RIGHT:
        return south_east, north_east
    return (south_west, south_east) if way == DOWN else (north_west, south_west)


@compiled
def ring_commands(vertices, starts, ends, order, breaks, feature_ends, out):
    """Commands of rings in an order; feature k has rings ``order[breaks[k]:breaks[k + 1]]``. See `outline.commands`."""
    cursor, at = np.zeros(2, np.int64), 0
    for k in range(len(breaks) - 1):
        cursor[0], cursor[1] = 0, 0
        for i in range(breaks[k], breaks[k + 1]):
            a, b = starts[order[i]], ends[order[i]]
            out = room_for(out, at, 8 * (b - a) + 16)
            at = written(vertices[a:b], b - a, False, cursor, out, at)
        feature_ends[k] = at
    return out
