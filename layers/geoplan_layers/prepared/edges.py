"""Edges that no neighbour shares, compiled: where a layer ends, overlaps itself or does not fit together.

In a clean mesh every edge between two patches is drawn twice, once in each direction, and the two cancel. What does
not cancel bounds everything that is not covered exactly once, so that only patches with such an edge have to be looked
at. Edges are counted by a hash of their ends; two that do not belong together fall together far too rarely for a whole
patch to be missed.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any

import numpy as np

from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.pack import Pack

_LEAST, _MOST = 16, 28
"""Bits of the hash: 65,536 to 268 million counters of one byte."""


@inner
def _mixed(value):
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@inner
def _place(bits, k, mask):
    """Where an edge is counted, and +1 or −1 by its direction."""
    a = _mixed(bits[k, 0] + np.uint64(0x9E3779B97F4A7C15)) + bits[k, 1]
    b = _mixed(bits[k + 1, 0] + np.uint64(0x9E3779B97F4A7C15)) + bits[k + 1, 1]
    a, b = _mixed(a), _mixed(b)
    if a < b:
        return np.int64(_mixed(a * np.uint64(3) + b) & mask), 1
    return np.int64(_mixed(b * np.uint64(3) + a) & mask), -1


@compiled
def count(bits, rings, first, last, counters):
    """Count the edges of rings ``first:last``; ``bits`` are the vertices' numbers as they are kept."""
    mask = np.uint64(len(counters) - 1)
    for r in range(first, last):
        for k in range(rings[r], rings[r + 1] - 1):
            at, way = _place(bits, k, mask)
            counters[at] += way


@compiled
def alone(bits, rings, parts, patches, first, last, counters, found):
    """How many edges of patches ``first:last`` nobody shares."""
    mask = np.uint64(len(counters) - 1)
    for i in range(first, last):
        total = 0
        for r in range(parts[patches[i]], parts[patches[i + 1]]):
            for k in range(rings[r], rings[r + 1] - 1):
                at, _ = _place(bits, k, mask)
                if counters[at] != 0:
                    total += 1
        found[i] = total


@compiled
def mark(xy, bits, rings, parts, patches, index, counters, west, south, size, cells):
    """Mark the cells of a grid that the edges alone of some patches touch by their boxes."""
    mask = np.uint64(len(counters) - 1)
    rows, columns = cells.shape
    for n in range(len(index)):
        i = index[n]
        for r in range(parts[patches[i]], parts[patches[i + 1]]):
            for k in range(rings[r], rings[r + 1] - 1):
                at, _ = _place(bits, k, mask)
                if counters[at] == 0:
                    continue
                x0, x1 = min(xy[k, 0], xy[k + 1, 0]), max(xy[k, 0], xy[k + 1, 0])
                y0, y1 = min(xy[k, 1], xy[k + 1, 1]), max(xy[k, 1], xy[k + 1, 1])
                for row in range(
                    max(int(np.floor((y0 - south) / size)), 0), min(int(np.floor((y1 - south) / size)), rows - 1) + 1
                ):
                    for column in range(
                        max(int(np.floor((x0 - west) / size)), 0),
                        min(int(np.floor((x1 - west) / size)), columns - 1) + 1,
                    ):
                        cells[row, column] = True


class Edges:
    """The edges of a pack, counted."""

    _STEP = 50_000

    def __init__(self, pack: Pack) -> None:
        self._arrays = tuple(_plain(each) for each in (pack.rings, pack.parts, pack.patches))
        self._xy = _plain(pack.xy)
        self._bits = self._xy.view(np.uint64)
        size = int(np.ceil(np.log2(max(2 * len(self._xy), 1))))
        self._counters = np.zeros(1 << min(max(size, _LEAST), _MOST), np.int8)
        count(self._bits, self._arrays[0], 0, len(self._arrays[0]) - 1, self._counters)
        self.alone = np.zeros(len(pack), np.int64)
        alone(self._bits, *self._arrays, 0, len(pack), self._counters, self.alone)

    def cells(self, west: float, south: float, size: float, shape: tuple[int, int]) -> Any:
        """Which cells of a grid an edge touches that nobody shares."""
        found = np.zeros(shape, np.bool_)
        index = np.flatnonzero(self.alone)
        mark(self._xy, self._bits, *self._arrays, index, self._counters, west, south, size, found)
        return found


def _plain(array: Any) -> Any:
    view = np.ascontiguousarray(array).view(np.ndarray)[:]
    view.flags.writeable = False
    return view
