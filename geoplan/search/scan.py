"""Kernels that walk edges over the rows of a grid: cell centres inside, exact covered shares, cells within a distance.

Each adds to an array of differences along the row: what is added at column ``c`` holds from there to the east, so a
run of cells costs two additions whatever its length, and one running sum turns the array into the answer. Coordinates
are cells: ``u`` east from the west edge, ``v`` south from the north edge. Arrays have one column more than the grid.
"""

from __future__ import annotations

import math

from numba import njit

_OUTWARD = 1e-9
"""How much wider (cells) a distance is taken, so that rounding never leaves a cell out."""


@njit(cache=True, nogil=True)
def add_centres(xy, parts, turns, which, west, north, cell, out):  # type: ignore[no-untyped-def]
    """+1 per polygon over the cells whose centre it holds: GDAL's rule (row line half open, column edge ``u + ½``)."""
    for i in which:
        if turns[i] == 0:
            continue
        for k in range(parts[i], parts[i + 1] - 1):
            u0, v0 = (xy[k, 0] - west) / cell, (north - xy[k, 1]) / cell
            u1, v1 = (xy[k + 1, 0] - west) / cell, (north - xy[k + 1, 1]) / cell
            if v0 < v1:
                _crossings(u0, v0, u1, v1, turns[i], out)
            elif v1 < v0:
                _crossings(u1, v1, u0, v0, -turns[i], out)


@njit(cache=True, nogil=True)
def _crossings(u0, v0, u1, v1, sign, out):  # type: ignore[no-untyped-def]
    rows, columns = out.shape[0], out.shape[1] - 1
    first = max(0, math.ceil(v0 - 0.5))
    last = min(rows, math.ceil(v1 - 0.5))
    for row in range(first, last):
        u = (row + 0.5 - v0) * (u1 - u0) / (v1 - v0) + u0
        out[row, min(max(math.floor(u + 0.5), 0), columns)] += sign


@njit(cache=True, nogil=True)
def add_shares(xy, parts, turns, which, west, north, cell, out):  # type: ignore[no-untyped-def]
    """The area of every cell that lies east of an edge, signed: summed over a ring, the covered share (Green)."""
    rows = out.shape[0]
    for i in which:
        if turns[i] == 0:
            continue
        for k in range(parts[i], parts[i + 1] - 1):
            u0, v0 = (xy[k, 0] - west) / cell, (north - xy[k, 1]) / cell
            u1, v1 = (xy[k + 1, 0] - west) / cell, (north - xy[k + 1, 1]) / cell
            sign = float(turns[i])
            if v1 < v0:
                u0, v0, u1, v1, sign = u1, v1, u0, v0, -sign
            if v0 == v1:
                continue
            slope = (u1 - u0) / (v1 - v0)
            for row in range(max(0, math.floor(v0)), min(rows, math.ceil(v1))):
                top, bottom = max(v0, float(row)), min(v1, row + 1.0)
                a = u0 if top == v0 else u0 + (top - v0) * slope
                b = u1 if bottom == v1 else u0 + (bottom - v0) * slope
                _spread(out[row], min(a, b), max(a, b), sign * (bottom - top))


@njit(cache=True, nogil=True)
def _spread(line, a, b, height):  # type: ignore[no-untyped-def]
    """What an edge from column ``a`` to ``b`` of one row, of a signed height, adds to each cell and all beyond."""
    columns = len(line) - 1
    if b <= 0:
        line[0] += height
        return
    if a >= columns:
        return
    rate = height / (b - a) if b > a else 0.0
    left = height
    if a < 0:
        line[0] -= a * rate
        left += a * rate
        a = 0.0
    column = math.floor(a)
    while column < columns:
        end = min(b, column + 1.0)
        piece = left if end == b else (end - a) * rate
        mean = 0.5 * (a + end) - column
        line[column] += piece * (1.0 - mean)
        line[column + 1] += piece * mean
        left -= piece
        if end == b:
            return
        a = end
        column += 1


@njit(cache=True, nogil=True)
def add_near(xy, parts, which, west, north, cell, radius, out):  # type: ignore[no-untyped-def]
    """+1 over the cells any part of which lies within ``radius`` (cells) of a vertex or edge; touching counts."""
    for i in which:
        first, last = parts[i], parts[i + 1]
        for k in range(first, max(last - 1, first + 1)):
            n = min(k + 1, last - 1)
            u0, v0 = (xy[k, 0] - west) / cell, (north - xy[k, 1]) / cell
            u1, v1 = (xy[n, 0] - west) / cell, (north - xy[n, 1]) / cell
            _capsule(u0, v0, u1, v1, radius + _OUTWARD, out)


@njit(cache=True, nogil=True)
def _capsule(u0, v0, u1, v1, radius, out):  # type: ignore[no-untyped-def]
    """The cells that a segment widened by a radius touches, row by row: its reach east and west within the row."""
    rows, columns = out.shape[0], out.shape[1] - 1
    length = math.hypot(u1 - u0, v1 - v0)
    across, along = ((v1 - v0) / length, (u1 - u0) / length) if length > 0 else (0.0, 0.0)
    east = v0 if u0 > u1 else v1
    west = v0 if u0 < u1 else v1
    first = max(0, math.floor(min(v0, v1) - radius))
    last = min(rows - 1, math.floor(max(v0, v1) + radius))
    for row in range(first, last + 1):
        high = min(max(east, float(row)), row + 1.0)
        low = min(max(west, float(row)), row + 1.0)
        right = _reach(u0, v0, u1, v1, radius, across, along, high)
        left = -_reach(-u0, v0, -u1, v1, radius, across, -along, low)
        if right < 0 or left >= columns or left > right:
            continue
        out[row, max(0, math.floor(left))] += 1
        out[row, min(columns, math.floor(right) + 1)] -= 1


@njit(cache=True, nogil=True)
def _reach(u0, v0, u1, v1, radius, across, along, v):  # type: ignore[no-untyped-def]
    """The easternmost point at ``v`` of the two discs and the offset edge that make up a widened segment."""
    best = -math.inf
    if abs(v - v0) <= radius:
        best = u0 + math.sqrt(radius * radius - (v - v0) * (v - v0))
    if abs(v - v1) <= radius:
        best = max(best, u1 + math.sqrt(radius * radius - (v - v1) * (v - v1)))
    if v0 != v1:
        side = 1.0 if across >= 0 else -1.0
        share = (v - (v0 - side * along * radius)) / (v1 - v0)
        if 0 <= share <= 1:
            best = max(best, u0 + side * across * radius + share * (u1 - u0))
    return best


@njit(cache=True, nogil=True)
def add_walks(xy, parts, turns, which, west, north, cell, mask):  # type: ignore[no-untyped-def]
    """Set the cells of points, and of lines by the integer walk between their vertices' cells, as GDAL burns them."""
    for i in which:
        if turns[i] != 0:
            continue
        first, last = parts[i], parts[i + 1]
        for k in range(first, max(last - 1, first + 1)):
            n = min(k + 1, last - 1)
            x0, y0 = math.floor((xy[k, 0] - west) / cell), math.floor((north - xy[k, 1]) / cell)
            x1, y1 = math.floor((xy[n, 0] - west) / cell), math.floor((north - xy[n, 1]) / cell)
            _walk(x0, y0, x1, y1, mask)


@njit(cache=True, nogil=True)
def _walk(x, y, x1, y1, mask):  # type: ignore[no-untyped-def]
    rows, columns = mask.shape
    dx, dy = abs(x1 - x), abs(y1 - y)
    right, down = (-1 if x > x1 else 1), (-1 if y > y1 else 1)
    flat = dx >= dy
    long, short = (dx, dy) if flat else (dy, dx)
    error = 2 * short - long
    for _ in range(long + 1):
        if 0 <= x < columns and 0 <= y < rows:
            mask[y, x] = 1
        aside = error >= 0
        error += 2 * short - 2 * long if aside else 2 * short
        if flat or aside:
            x += right
        if not flat or aside:
            y += down


@njit(cache=True, nogil=True)
def add_runs(differences, mask):  # type: ignore[no-untyped-def]
    """Set the cells whose running sum along the row is above zero."""
    for row in range(mask.shape[0]):
        run = 0
        for column in range(mask.shape[1]):
            run += differences[row, column]
            if run > 0:
                mask[row, column] = 1
