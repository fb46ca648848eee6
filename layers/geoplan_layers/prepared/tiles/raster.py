"""Patches burnt into a grid of classes, compiled: a cell has the class of the patch that holds its centre."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.grid import sort
from geoplan_layers.prepared.tiles.outline import placed


@compiled
def burn(work, first, last, way, values, cells):
    """Burn patches ``first:last`` with their ``values[i]``; ``way`` leads to columns and rows of ``cells``."""
    rows = np.zeros(len(cells) + 2, np.int64)
    crossings, points = np.empty(1024), np.empty((1024, 2))
    for i in range(first, last):
        a, b = work.parts[work.patches[i]], work.parts[work.patches[i + 1]]
        if work.rings[b] - work.rings[a] > len(points):
            points = np.empty((2 * (work.rings[b] - work.rings[a]), 2))
        low, high = _placed(work, a, b, way, points)
        top, bottom = max(_after(low), 0), min(_after(high), len(cells))
        if top >= bottom:
            continue
        for r in range(top, bottom + 1):
            rows[r + 1] = 0
        _cross(work, a, b, points, rows, crossings, top, bottom, False)
        rows[top] = 0
        for r in range(top, bottom):
            rows[r + 1] += rows[r]
        if rows[bottom] > len(crossings):
            crossings = np.empty(2 * rows[bottom])
        _cross(work, a, b, points, rows, crossings, top, bottom, True)
        _fill(cells, values[i], rows, crossings, top, bottom)


@inner
def _placed(work, a, b, way, points):
    """Vertices of rings ``a:b`` on the grid, and the lowest and highest row coordinate."""
    low, high, start = np.inf, -np.inf, work.rings[a]
    for k in range(start, work.rings[b]):
        x, y = placed(way, work.xy[k, 0], work.xy[k, 1])
        points[k - start, 0], points[k - start, 1] = x, y
        low, high = min(low, y), max(high, y)
    return low, high


@inner
def _after(x):
    """The first cell whose centre is not before a coordinate."""
    return np.int64(np.ceil(x - 0.5))


@inner
def _cross(work, a, b, points, rows, crossings, top, bottom, write):
    """Count the crossings of each row r at ``r + 1``, or write them: then offset ``r`` moves on to the end of row r."""
    start = work.rings[a]
    for ring in range(a, b):
        for k in range(work.rings[ring] - start, work.rings[ring + 1] - start - 1):
            x0, y0, x1, y1 = points[k, 0], points[k, 1], points[k + 1, 0], points[k + 1, 1]
            if y0 > y1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            for r in range(max(_after(y0), top), min(_after(y1), bottom)):
                if write:
                    crossings[rows[r]] = x0 + (r + 0.5 - y0) / (y1 - y0) * (x1 - x0)
                    rows[r] += 1
                else:
                    rows[r + 1] += 1


@inner
def _fill(cells, value, rows, crossings, top, bottom):
    """Cells between each two crossings of a row; row r now ends at ``rows[r]`` and begins where the row before ends."""
    begin = 0
    for r in range(top, bottom):
        count = rows[r] - begin
        sort(crossings[begin : rows[r]], count)
        for k in range(begin, begin + count - 1, 2):
            for c in range(max(_after(crossings[k]), 0), min(_after(crossings[k + 1]), cells.shape[1])):
                cells[r, c] = value
        begin = rows[r]
