"""Patches of one layer that lie over each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import DEFAULT_ACCURACY, PRINTS_AS_ZERO, is_sliver, polygons_of
from geoplan.progress import Progress
from geoplan_layers.prepared.edges import Edges
from geoplan_layers.prepared.kernel import areas_of_pairs, patchwork
from geoplan_layers.prepared.meeting import Cells, mark, outlined, pairs, summed, touching
from geoplan_layers.prepared.pack import Pack

_THREADS, _AHEAD = 2, 4
_COST, _MOST = 1_000_000, 4_096
"""Vertices held against each other in a portion, about, and patches that ask in it at most."""
_MOST_CELLS = 4_000_000
_WORST = 10
_SHIFTED = 4e-7
"""What the kernel's shift may add to a shared area, m² for each metre of a common line."""


@dataclass
class Overlapping:
    """Pairs of patches that share ground: how many, their area (m²), those that vanish within the lines' accuracy.

    ``worst`` are the ten largest: area, both patches, longitude and latitude of a place.
    """

    pairs: int = 0
    area_m2: float = 0.0
    slivers: int = 0
    worst: list[tuple[float, int, int, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """Pairs that share ground, and the area that each shares, m²."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    areas: NDArray[np.float64]
    slivers: int


def overlapping(pack: Pack, edges: Edges, progress: Progress) -> Overlapping:
    """Every pair of patches that share ground of at least 0.01 m², found by the overlap kernel.

    Progress counts vertices that are held against each other.

    Raises
    ------
    Cancelled
        The user stopped it.
    """
    total, largest = Overlapping(), list[tuple[float, int, int]]()
    search = _Search(pack, edges)
    while search.look():
        for found in search.found(progress):
            total.pairs += len(found.one)
            total.area_m2 += float(found.areas.sum())
            total.slivers += found.slivers
            order = np.argsort(-found.areas, kind="stable")[:_WORST]
            largest += [(float(found.areas[i]), int(found.one[i]), int(found.other[i])) for i in order]
            largest = sorted(largest, reverse=True)[:_WORST]
    total.worst = [_told(pack, *each) for each in largest]
    return total


class _Search:
    """Ground that may be covered more than once, followed to its end; pairs of patches over it, each once."""

    def __init__(self, pack: Pack, edges: Edges) -> None:
        self._pack, self._work = pack, patchwork(pack)
        boxes = np.asarray(pack.boxes)
        self._vertices = np.diff(np.asarray(pack.rings)[np.asarray(pack.parts)[np.asarray(pack.patches)]])
        west, south = boxes[:, :2].min(axis=0)
        wide, high = boxes[:, 2:].max(axis=0) - (west, south)
        size = max((wide * high / len(pack)) ** 0.5, (wide * high / _MOST_CELLS) ** 0.5, max(wide, high) / 20_000, 1e-3)
        self._at = (float(west), float(south), float(size))
        self._cells = edges.cells(*self._at, (int(high / size) + 1, int(wide / size) + 1))
        twice = boxes[_stacked(boxes)]
        mark(np.ascontiguousarray(np.hstack((twice[:, :2], twice[:, :2]))), self._cells, *self._at)
        self._before = summed(np.zeros_like(self._cells))
        self._done = self._whole = 0
        self._asked = self._base = self._costs = np.zeros(0, np.int64)

    def look(self) -> bool:
        """Whether there are pairs that have not been looked at; they are counted."""
        self._now = Cells(summed(self._cells), self._before, *self._at)
        near = np.zeros(len(self._pack), np.bool_)
        touching(self._work, self._now, near)
        asked = np.flatnonzero(near).astype(np.int64)
        counts, costs = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
        self._count(asked, counts, np.empty(0, np.int64), costs)
        due = np.flatnonzero(counts)
        due = due[np.argsort(-np.where(costs[due] > _COST, costs[due], 0), kind="stable")]
        self._asked, self._counts, self._costs = asked[due], counts[due], costs[due]
        self._whole += int(self._costs.sum())
        self._before = self._now.now
        return len(due) > 0

    def _count(self, asked: Any, base: Any, which: Any, costs: Any) -> None:
        pairs(self._work, self._now, self._vertices, asked, base, which, costs)

    def found(self, progress: Progress) -> Iterator[_Found]:
        """The pairs of each portion that share ground; the cells of their common boxes are marked for the next look."""
        for cost, found in self._in_threads():
            self._done += cost
            progress("overlaps", self._done, self._whole)
            if len(found.one):
                one, other = self._pack.boxes[found.one], self._pack.boxes[found.other]
                common = np.hstack((np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])))
                mark(np.ascontiguousarray(common), self._cells, *self._at)
                yield found

    def _in_threads(self) -> Iterator[tuple[int, _Found]]:
        """Portions with their cost, in their order; a few are worked on at a time, which bounds the memory."""
        with ThreadPoolExecutor(_THREADS, "geoplan-overlaps") as pool:
            waiting: deque[tuple[int, Future[_Found]]] = deque()
            for first, last in self._portions():
                waiting.append((int(self._costs[first:last].sum()), pool.submit(self._of, first, last)))
                if len(waiting) >= _AHEAD:
                    cost, future = waiting.popleft()
                    yield cost, future.result()
            for cost, future in waiting:
                yield cost, future.result()

    def _portions(self) -> Iterator[tuple[int, int]]:
        ends, first = np.cumsum(self._costs), 0
        while first < len(ends):
            spent = ends[first - 1] if first else 0
            last = min(max(int(np.searchsorted(ends, spent + _COST, "right")), first + 1), first + _MOST)
            yield first, last
            first = last

    def _of(self, first: int, last: int) -> _Found:
        """Some of the patches that ask, held against those that they have to be."""
        asked, counts = self._asked[first:last], self._counts[first:last]
        base = np.concatenate(([0], np.cumsum(counts)))
        other = np.empty(base[-1], np.int64)
        self._count(asked, base, other, counts)
        areas = areas_of_pairs(self._pack, self._work, asked, base, other)
        some = np.flatnonzero(areas >= PRINTS_AS_ZERO)
        one, other, areas = np.repeat(asked, counts)[some], other[some], areas[some]
        lengths = self._lengths(one), self._lengths(other)
        real = areas >= PRINTS_AS_ZERO + _SHIFTED * np.minimum(*lengths)
        one, other, areas = one[real], other[real], areas[real]
        doubtful = areas < DEFAULT_ACCURACY * (lengths[0][real] + lengths[1][real])
        return _Found(one, other, areas, _slivers(self._pack, one[doubtful], other[doubtful]))

    def _lengths(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Length of the outline of patches, m; each is measured once, since a long one may stand in many pairs."""
        each, at = np.unique(index, return_inverse=True)
        found = np.empty(len(each))
        outlined(self._work, each, found)
        return found[at]


def _stacked(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Patches whose box another one has: shapes drawn twice cancel each other's neighbours."""
    found = np.zeros(len(boxes), dtype=bool)
    order = np.lexsort((boxes[:, 2], boxes[:, 1], boxes[:, 0]))
    same = (np.diff(boxes[order], axis=0) == 0).all(axis=1)
    found[order[1:][same]] = True
    found[order[:-1][same]] = True
    return found


def _slivers(pack: Pack, one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many of the shared pieces vanish within the accuracy of the lines."""
    pieces = np.asarray(shapely.intersection(_drawn(pack, one), _drawn(pack, other)), dtype=object)
    return sum(is_sliver(polygons_of(each), DEFAULT_ACCURACY) for each in pieces)


def _drawn(pack: Pack, index: NDArray[np.int64]) -> NDArray[np.object_]:
    """Shapes of patches, each drawn once."""
    each, at = np.unique(index, return_inverse=True)
    return pack.shapes(each)[at]


def _told(pack: Pack, area: float, one: int, other: int) -> tuple[float, int, int, float, float]:
    a, b = pack.shapes(np.array([one, other], dtype=np.int64))
    near = shapely.intersection(shapely.box(*shapely.bounds(a)), shapely.box(*shapely.bounds(b)))
    point = shapely.point_on_surface(polygons_of(shapely.intersection(shapely.intersection(a, near), b)))
    if shapely.is_empty(point):
        point = shapely.point_on_surface(near)
    lon, lat = pack.plane.to_lonlat(np.array([point.x]), np.array([point.y]))
    return area, one, other, float(lon[0]), float(lat[0])
