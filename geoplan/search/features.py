"""Shapes as flat arrays: what the kernels of a search walk over.

A part is a ring, a line or a point. Which shape a part came from does not matter to a grid: rings carry the sense in
which they turn, so that signed sums over all of them give the ground inside, holes taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geoplan.crs import Array

Box = tuple[float, float, float, float]
Integers = NDArray[np.int64]
Shapes = NDArray[np.object_] | Sequence[shapely.Geometry]

_POLYGON = 3


@dataclass(frozen=True, slots=True)
class Features:
    """Rings, lines and points on the plane of a grid.

    Parameters
    ----------
    xy
        ``(n, 2)`` vertices, x = east, y = north, m.
    parts
        ``(p + 1)`` offsets: part ``i`` is ``xy[parts[i]:parts[i + 1]]``. A part of one vertex is a point.
    turns
        ``(p)`` +1 for a ring that has its polygon on its left, −1 on its right, 0 for lines and points.
    bounds
        ``(p, 4)`` west, south, east, north of each part.
    """

    xy: Array
    parts: Integers
    turns: NDArray[np.int8]
    bounds: Array

    def __len__(self) -> int:
        return len(self.turns)

    @classmethod
    def of(cls, shapes: Shapes) -> Features:
        """Flat arrays of shapes of any kind; empty ones are left out.

        >>> ring = shapely.box(0, 0, 2, 1)
        >>> Features.of([ring, shapely.Point(3, 4)]).turns.tolist()
        [1, 0]
        """
        simple = shapely.get_parts(np.asarray(shapes, dtype=object).ravel())
        while len(simple) and (shapely.get_num_geometries(simple) > 1).any():
            simple = shapely.get_parts(simple)
        simple = simple[~shapely.is_empty(simple)]
        is_polygon = shapely.get_type_id(simple) == _POLYGON
        xy, rings, polygons = _rings(simple[is_polygon])
        others = simple[~is_polygon]
        ends = len(xy) + np.cumsum(shapely.get_num_coordinates(others))
        parts = np.concatenate([rings, ends]).astype(np.int64)
        outer = np.zeros(len(parts) - 1, dtype=np.int8)
        outer[: len(rings) - 1] = -1
        outer[polygons[:-1]] = 1
        return cls.from_parts(np.concatenate([xy, shapely.get_coordinates(others)]), parts, outer)

    @classmethod
    def from_parts(cls, xy: Array, parts: Integers, outer: NDArray[np.int8]) -> Features:
        """Features of parts whose ``outer`` is +1 for the outer ring of a polygon, −1 for a hole, 0 for others."""
        turns = np.zeros(len(parts) - 1, dtype=np.int8)
        bounds = np.empty((len(parts) - 1, 4))
        _measure(xy, parts, outer, turns, bounds)
        return cls(xy, parts, turns, bounds)

    def near(self, box: Box) -> Integers:
        """Indices of the parts whose bounds touch a box."""
        west, south, east, north = box
        of = self.bounds
        return np.flatnonzero((of[:, 0] <= east) & (of[:, 2] >= west) & (of[:, 1] <= north) & (of[:, 3] >= south))


def _rings(polygons: NDArray[np.object_]) -> tuple[Array, Integers, Integers]:
    """Vertices, offsets of rings into them, and offsets of polygons into the rings."""
    if not len(polygons):
        return np.empty((0, 2)), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    _, xy, (rings, of_polygons) = shapely.to_ragged_array(polygons, include_z=False)
    return xy, rings.astype(np.int64), of_polygons.astype(np.int64)


@njit(cache=True, nogil=True)
def _measure(xy, parts, outer, turns, bounds):  # type: ignore[no-untyped-def]
    """Bounds of every part, and on which side of a ring its polygon lies."""
    for i in range(len(turns)):
        first, last = parts[i], parts[i + 1]
        west = east = xy[first, 0]
        south = north = xy[first, 1]
        twice = 0.0
        for k in range(first + 1, last):
            x, y = xy[k, 0], xy[k, 1]
            twice += (xy[k - 1, 0] - xy[first, 0]) * (y - xy[first, 1])
            twice -= (x - xy[first, 0]) * (xy[k - 1, 1] - xy[first, 1])
            west, east, south, north = min(west, x), max(east, x), min(south, y), max(north, y)
        bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3] = west, south, east, north
        if outer[i] != 0:
            turns[i] = outer[i] if twice >= 0 else -outer[i]
