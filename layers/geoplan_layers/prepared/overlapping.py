"""Patches of one layer that lie over each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import DEFAULT_ACCURACY, PRINTS_AS_ZERO, is_sliver, polygons_of
from geoplan.progress import Progress
from geoplan_layers.prepared.edges import Edges
from geoplan_layers.prepared.kernel import HEAVY, shared_areas
from geoplan_layers.prepared.pack import Pack

_AT_ONCE, _LONG_AT_ONCE, _THREADS = 4_096, 64, 2
"""Patches whose neighbours are looked for together: a long one has many whose boxes touch its own."""
_WORST = 10
_LONG = 300
"""Vertices past which a patch asks for its neighbours and is not asked by shorter ones: the kernel looks at each vertex
of the patch that is asked, and at those of the one that asks only where the other is."""
_SHIFTED = 4e-7
"""What the kernel's shift may add to a shared area, m² for each metre of a common line."""


@dataclass
class Overlapping:
    """Pairs of patches that share ground: how many, their area (m²), those that vanish within the lines' accuracy."""

    pairs: int = 0
    area_m2: float = 0.0
    slivers: int = 0
    worst: list[tuple[float, int, int, float, float]] = field(default_factory=list)

    def add(self, found: Overlapping) -> None:
        """Add the pairs of another part of the layer; the worst ten are kept."""
        self.pairs += found.pairs
        self.area_m2 += found.area_m2
        self.slivers += found.slivers
        self.worst = sorted([*self.worst, *found.worst], reverse=True)[:_WORST]


def overlapping(pack: Pack, edges: Edges, progress: Progress) -> Overlapping:
    """Every pair of patches that share ground of at least 0.01 m², found by the overlap kernel.

    Two patches of more than 20,000 vertices each are not compared.

    Raises
    ------
    Cancelled
        The user stopped it.
    """
    long = _vertices(pack) > _LONG
    is_asked = (edges.alone > 0) | _stacked(pack.boxes) | long
    total, done, whole = Overlapping(), 0, int(is_asked.sum())
    kinds = ((is_asked & long, HEAVY, _LONG_AT_ONCE), (is_asked & ~long, _LONG, _AT_ONCE))
    for asked, most, at_once in kinds:
        for portion in _portions(np.flatnonzero(asked), at_once):
            total.add(_of(pack, portion, is_asked, long, most))
            done += len(portion)
            progress("overlaps", done, whole)
    return total


def _vertices(pack: Pack) -> NDArray[np.int64]:
    """Vertices of each patch."""
    return np.diff(np.asarray(pack.rings)[np.asarray(pack.parts)[np.asarray(pack.patches)]])


def _portions(asked: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for at in range(0, len(asked), size):
        yield asked[at : at + size]


def _stacked(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Patches whose box another one has: shapes drawn twice cancel each other's neighbours."""
    found = np.zeros(len(boxes), dtype=bool)
    order = np.lexsort((boxes[:, 2], boxes[:, 1], boxes[:, 0]))
    same = (np.diff(boxes[order], axis=0) == 0).all(axis=1)
    found[order[1:][same]] = True
    found[order[:-1][same]] = True
    return found


def _of(
    pack: Pack, asked: NDArray[np.int64], is_asked: NDArray[np.bool_], long: NDArray[np.bool_], most: int
) -> Overlapping:
    """Pairs of some patches with all others, each once: the long one asks, else the one that comes first."""
    found = shared_areas(pack.shapes(asked), pack, threads=_THREADS, heavy=most, cut=False)
    one, other = asked[found.proposals], found.patches
    once = (one < other) | ~is_asked[other]
    once = np.where(long[one] != long[other], long[one], once) & (one != other)
    one, other, areas = one[once], other[once], found.areas[once]
    real = areas >= PRINTS_AS_ZERO + _SHIFTED * np.minimum(_lengths(pack, one), _lengths(pack, other))
    one, other, areas = one[real], other[real], areas[real]
    largest = np.argsort(-areas, kind="stable")[:_WORST]
    worst = [_told(pack, float(areas[i]), int(one[i]), int(other[i])) for i in largest]
    return Overlapping(len(one), float(areas.sum()), _slivers(pack, one, other), worst)


def _lengths(pack: Pack, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Length of the outline of patches, m; each is drawn once, since a long one may stand in many pairs."""
    each, at = np.unique(index, return_inverse=True)
    return np.asarray(shapely.length(pack.shapes(each)), dtype=np.float64)[at]


def _slivers(pack: Pack, one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many of the shared pieces vanish within the accuracy of the lines."""
    pieces = np.asarray(shapely.intersection(pack.shapes(one), pack.shapes(other)), dtype=object)
    return sum(is_sliver(polygons_of(each), DEFAULT_ACCURACY) for each in pieces)


def _told(pack: Pack, area: float, one: int, other: int) -> tuple[float, int, int, float, float]:
    a, b = pack.shapes(np.array([one, other], dtype=np.int64))
    near = shapely.intersection(shapely.box(*shapely.bounds(a)), shapely.box(*shapely.bounds(b)))
    point = shapely.point_on_surface(polygons_of(shapely.intersection(shapely.intersection(a, near), b)))
    if shapely.is_empty(point):
        point = shapely.point_on_surface(near)
    lon, lat = pack.plane.to_lonlat(np.array([point.x]), np.array([point.y]))
    return area, one, other, float(lon[0]), float(lat[0])
