"""The grid over one proposal, compiled: which cells its edges cross, and which of the others lie inside."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import inner

OUTSIDE, INSIDE, BORDER = 0, 1, 2
_MOST_CELLS = 160


class Outlines(NamedTuple):
    """Proposals as ragged arrays: vertices, offsets of rings, offsets of the rings of each; shells counterclockwise."""

    xy: Any
    rings: Any
    owners: Any


class Grid(NamedTuple):
    """The edges of one proposal (x, y of both ends) by cell and by row of an n × n grid, and the state of each cell."""

    edges: Any
    cell_ends: Any
    in_cells: Any
    row_ends: Any
    in_rows: Any
    states: Any
    west: Any
    south: Any
    wide: Any
    high: Any
    n: Any


@inner
def edges_of(outlines, q):
    """Edges of proposal q: x, y of both ends."""
    first, last = outlines.owners[q], outlines.owners[q + 1]
    edges = np.empty((outlines.rings[last] - outlines.rings[first] - (last - first), 4))
    k = 0
    for r in range(first, last):
        for v in range(outlines.rings[r], outlines.rings[r + 1] - 1):
            edges[k, 0], edges[k, 1] = outlines.xy[v, 0], outlines.xy[v, 1]
            edges[k, 2], edges[k, 3] = outlines.xy[v + 1, 0], outlines.xy[v + 1, 1]
            k += 1
    return edges


@inner
def box_of(xy, first, last):
    """Bounds of some vertices."""
    west, south, east, north = xy[first, 0], xy[first, 1], xy[first, 0], xy[first, 1]
    for k in range(first, last):
        west, east = min(west, xy[k, 0]), max(east, xy[k, 0])
        south, north = min(south, xy[k, 1]), max(north, xy[k, 1])
    return west, south, east, north


@inner
def apart(boxes, i, west, south, east, north):
    """Whether box i has no point in common with another."""
    return boxes[i, 2] < west or boxes[i, 0] > east or boxes[i, 3] < south or boxes[i, 1] > north


@inner
def span(a, b, origin, size, count):
    """First and last cell that the interval between two numbers touches."""
    first, last = int((min(a, b) - origin) / size), int((max(a, b) - origin) / size)
    return max(first, 0), min(last, count - 1)


@inner
def gridded(edges):
    """The grid of a proposal: members of cells and rows counted, then written from the back."""
    west, south, east, north = edges[0, 0], edges[0, 1], edges[0, 0], edges[0, 1]
    for k in range(len(edges)):
        west, east = min(west, edges[k, 0]), max(east, edges[k, 0])
        south, north = min(south, edges[k, 1]), max(north, edges[k, 1])
    n = int(min(max(np.sqrt(len(edges)) * 3, 24), _MOST_CELLS))
    wide, high = (east - west) / n * (1 + 1e-12) + 1e-9, (north - south) / n * (1 + 1e-12) + 1e-9
    cell_ends, row_ends = np.zeros(n * n + 1, np.int64), np.zeros(n + 1, np.int64)
    _enter(edges, west, south, wide, high, n, cell_ends, row_ends, row_ends, row_ends, False)
    for i in range(n * n):
        cell_ends[i + 1] += cell_ends[i]
    for i in range(n):
        row_ends[i + 1] += row_ends[i]
    in_cells, in_rows = np.empty(cell_ends[n * n], np.int64), np.empty(row_ends[n], np.int64)
    _enter(edges, west, south, wide, high, n, cell_ends, row_ends, in_cells, in_rows, True)
    grid = Grid(edges, cell_ends, in_cells, row_ends, in_rows, np.empty(n * n, np.uint8), west, south, wide, high, n)
    _mark(grid)
    return grid


@inner
def _enter(edges, west, south, wide, high, n, cell_ends, row_ends, in_cells, in_rows, write):
    """Count the edges of each cell i at ``i``, or write them: then offset ``i`` goes down to the cell's first."""
    for k in range(len(edges)):
        c0, c1 = span(edges[k, 0], edges[k, 2], west, wide, n)
        r0, r1 = span(edges[k, 1], edges[k, 3], south, high, n)
        for r in range(r0, r1 + 1):
            row_ends[r] += -1 if write else 1
            if write:
                in_rows[row_ends[r]] = k
            for i in range(r * n + c0, r * n + c1 + 1):
                cell_ends[i] += -1 if write else 1
                if write:
                    in_cells[cell_ends[i]] = k


@inner
def _mark(grid):
    """Whether each cell is outside, inside or on the border: one line through the middle of each row."""
    crossings = np.empty(len(grid.edges) + 1)
    for r in range(grid.n):
        y, count = grid.south + (r + 0.5) * grid.high, 0
        for w in range(grid.row_ends[r], grid.row_ends[r + 1]):
            k = grid.in_rows[w]
            if (grid.edges[k, 1] > y) != (grid.edges[k, 3] > y):
                crossings[count] = x_at(grid.edges, k, y)
                count += 1
        sort(crossings, count)
        passed = 0
        for c in range(grid.n):
            x, i = grid.west + (c + 0.5) * grid.wide, r * grid.n + c
            while passed < count and crossings[passed] < x:
                passed += 1
            grid.states[i] = BORDER if grid.cell_ends[i + 1] > grid.cell_ends[i] else passed & 1


@inner
def x_at(edges, k, y):
    """Where edge k crosses the line of one y."""
    part = (y - edges[k, 1]) / (edges[k, 3] - edges[k, 1])
    return edges[k, 0] + part * (edges[k, 2] - edges[k, 0])


@inner
def sort(values, count):
    """Shell's sort: a few values nearly always, and numba's own takes seconds to compile."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, count):
            value, j = values[i], i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@inner
def kind_of(grid, boxes, i, c0, c1, r0, r1):
    """What the cells under a patch say: outside, inside, or border where they differ."""
    east, north = grid.west + grid.n * grid.wide, grid.south + grid.n * grid.high
    enclosed = boxes[i, 0] >= grid.west and boxes[i, 2] <= east and boxes[i, 1] >= grid.south and boxes[i, 3] <= north
    state = grid.states[r0 * grid.n + c0] if enclosed else OUTSIDE
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            if grid.states[r * grid.n + c] != state or state == BORDER:
                return BORDER
    return state


@inner
def near_edges(grid, boxes, i, c0, c1, r0, r1, seen, near):
    """Edges of the proposal whose box touches that of patch i: how many, and which."""
    count = 0
    for r in range(r0, r1 + 1):
        for w in range(grid.cell_ends[r * grid.n + c0], grid.cell_ends[r * grid.n + c1 + 1]):
            k = grid.in_cells[w]
            if seen[k] == i:
                continue
            seen[k] = i
            x0, y0, x1, y1 = grid.edges[k, 0], grid.edges[k, 1], grid.edges[k, 2], grid.edges[k, 3]
            if not apart(boxes, i, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)):
                near[count] = k
                count += 1
    return count


@inner
def in_proposal(grid, x, y):
    """Even–odd rule over the edges of one row."""
    r = int((y - grid.south) / grid.high) if y >= grid.south else grid.n
    inside = False
    if r < grid.n:
        for w in range(grid.row_ends[r], grid.row_ends[r + 1]):
            k = grid.in_rows[w]
            if (grid.edges[k, 1] > y) != (grid.edges[k, 3] > y) and x < x_at(grid.edges, k, y):
                inside = not inside
    return inside
