"""Which pairs of patches may share ground, compiled: those that meet where something is not covered exactly once.

Where every edge is drawn twice, once in each direction, the layer covers the ground once. Ground that is covered twice
is bounded by edges that do not cancel, and the two patches that lie over it there touch the cell of such an edge with
their common box. So pairs whose common box touches no such cell need not be looked at; where a pair does share ground,
the cells of its common box count from then on (`overlapping`), so that ground covered twice is followed to its end.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.grid import apart
from geoplan_layers.prepared.pack import GROUP

_LOOKED = 8
"""What a vertex of the shorter patch costs beside one of the longer: each is held against some edges of the other."""


class Cells(NamedTuple):
    """How many cells are marked south-west of each node of a grid, now and when pairs were last looked at."""

    now: Any
    before: Any
    west: Any
    south: Any
    size: Any


def summed(cells: Any) -> Any:
    """Marked cells south-west of each node: ``(rows + 1, columns + 1)``."""
    sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(cells, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    return sums


@inner
def _cell(value, origin, size, count):
    return min(max(int((value - origin) / size), 0), count - 1)


@inner
def _marked(sums, cells, west, south, east, north):
    """Whether a box touches a marked cell."""
    rows, columns = sums.shape[0] - 1, sums.shape[1] - 1
    c0, c1 = _cell(west, cells.west, cells.size, columns), _cell(east, cells.west, cells.size, columns) + 1
    r0, r1 = _cell(south, cells.south, cells.size, rows), _cell(north, cells.south, cells.size, rows) + 1
    return sums[r1, c1] - sums[r0, c1] - sums[r1, c0] + sums[r0, c0] > 0


@inner
def _due(work, cells, vertices, i, k):
    """Whether patch i has to be held against patch k, which has fewer vertices or as many and a smaller number."""
    if k == i or vertices[k] > vertices[i] or (vertices[k] == vertices[i] and k > i):
        return False
    west, south = max(work.boxes[i, 0], work.boxes[k, 0]), max(work.boxes[i, 1], work.boxes[k, 1])
    east, north = min(work.boxes[i, 2], work.boxes[k, 2]), min(work.boxes[i, 3], work.boxes[k, 3])
    if not _marked(cells.now, cells, west, south, east, north):
        return False
    return not _marked(cells.before, cells, west, south, east, north)


@inner
def _cost(work, vertices, i, k):
    """What holding patch i against patch k costs, in vertices: those of k, and those of i that lie near it."""
    across = min(work.boxes[i, 2], work.boxes[k, 2]) - max(work.boxes[i, 0], work.boxes[k, 0])
    up = min(work.boxes[i, 3], work.boxes[k, 3]) - max(work.boxes[i, 1], work.boxes[k, 1])
    whole = (work.boxes[i, 2] - work.boxes[i, 0]) * (work.boxes[i, 3] - work.boxes[i, 1])
    return vertices[k] * _LOOKED + int(vertices[i] * min(across * up / whole, 1.0)) if whole > 0 else vertices[k]


@compiled
def touching(work, cells, found):
    """Which patches touch a marked cell with their box."""
    for i in range(len(found)):
        found[i] = _marked(cells.now, cells, work.boxes[i, 0], work.boxes[i, 1], work.boxes[i, 2], work.boxes[i, 3])


@compiled
def pairs(work, cells, vertices, asked, base, which, costs):
    """Patches that each of ``asked`` has to be held against: counted, with their cost; written where there is room."""
    for q in range(len(asked)):
        i = asked[q]
        at, cost = base[q] if len(which) else 0, 0
        for u in range(len(work.upper)):
            if _touch(work.upper, u, work.boxes, i):
                at, cost = _of_groups(work, cells, vertices, i, u, at, cost, which)
        if len(which) == 0:
            base[q], costs[q] = at, cost + vertices[i] if at else 0


@inner
def _touch(boxes, n, others, i):
    return not apart(boxes, n, others[i, 0], others[i, 1], others[i, 2], others[i, 3])


@inner
def _of_groups(work, cells, vertices, i, u, at, cost, which):
    for g in range(u * GROUP, min((u + 1) * GROUP, len(work.groups))):
        if not _touch(work.groups, g, work.boxes, i):
            continue
        for k in range(g * GROUP, min((g + 1) * GROUP, len(work.boxes))):
            if _touch(work.boxes, k, work.boxes, i) and _due(work, cells, vertices, i, k):
                if len(which):
                    which[at] = k
                at += 1
                cost += _cost(work, vertices, i, k)
    return at, cost


@compiled
def mark(boxes, cells, west, south, size):
    """Mark the cells that boxes touch."""
    rows, columns = cells.shape
    for n in range(len(boxes)):
        c0, c1 = _cell(boxes[n, 0], west, size, columns), _cell(boxes[n, 2], west, size, columns)
        for r in range(_cell(boxes[n, 1], south, size, rows), _cell(boxes[n, 3], south, size, rows) + 1):
            for c in range(c0, c1 + 1):
                cells[r, c] = True


@compiled
def outlined(work, index, lengths):
    """Length of the outline of some patches, m."""
    for n in range(len(index)):
        i, total = index[n], 0.0
        for r in range(work.parts[work.patches[i]], work.parts[work.patches[i + 1]]):
            for k in range(work.rings[r], work.rings[r + 1] - 1):
                total += np.hypot(work.xy[k + 1, 0] - work.xy[k, 0], work.xy[k + 1, 1] - work.xy[k, 1])
        lengths[n] = total
