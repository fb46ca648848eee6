"""Units that a boundary grows or shrinks by: patches of land use where a layer gives them, else strips at its edges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from geoplan.layer import Objects
from geoplan.measure import polygons_of
from geoplan.shaping.pieces import opened

_LONGEST_EDGES = 24
_THIN = 0.5


@dataclass(frozen=True, slots=True)
class Land:
    """Patches that tell land apart: shapes on the plane, and the weight of a square metre of each.

    Parameters
    ----------
    shapes
        Polygons; their lines are those that an edit follows.
    gives, takes
        Weight of a m² given up, and of one taken in; 1 is plain.
    """

    shapes: Objects
    gives: np.ndarray
    takes: np.ndarray

    @classmethod
    def plain(cls) -> Land:
        """No land told apart."""
        return cls(np.array([], dtype=object), np.array([]), np.array([]))


@dataclass(frozen=True, slots=True)
class Unit:
    """Ground that may be taken or given as a whole, with the weight of a square metre of it."""

    shape: shapely.Polygon
    weight: float

    @property
    def area(self) -> float:
        """m², planar."""
        return float(self.shape.area)


def inside(shape: shapely.Geometry, land: Land) -> list[Unit]:
    """A shape cut by the patches; what lies on none is a unit of its own."""
    shapely.prepare(shape)
    hit = np.flatnonzero(shapely.intersects(shape, land.shapes))
    pieces = shapely.intersection(land.shapes[hit], shape)
    found = [
        Unit(part, float(weight))
        for piece, weight in zip(pieces, land.gives[hit], strict=True)
        for part in polygons_of(piece).geoms
        if part.area >= 1.0
    ]
    bare = polygons_of(shapely.difference(shape, shapely.union_all(land.shapes[hit])))
    return found + [Unit(part, 1.0) for part in bare.geoms if part.area >= 1.0]


def beside(shape: shapely.Geometry, allowed: shapely.Geometry, land: Land, reach: float, width: float) -> list[Unit]:
    """Ground beside a shape that it may grow by: wide patches, and strips along its longest edges."""
    ring = shapely.buffer(shape, reach, join_style="mitre", mitre_limit=2.0)
    free = polygons_of(shapely.difference(shapely.intersection(allowed, ring), shape))
    shapely.prepare(free)
    hit = np.flatnonzero(shapely.intersects(free, land.shapes))
    pieces = shapely.intersection(land.shapes[hit], free)
    found = [
        Unit(wide, float(weight))
        for piece, weight in zip(pieces, land.takes[hit], strict=True)
        for wide in _wide(piece, width)
    ]
    return found + strips(shape, free, land, reach, width)


def _wide(piece: shapely.Geometry, width: float) -> list[shapely.Polygon]:
    """The polygons of a piece that are no strips of road or ditch."""
    parts: list[shapely.Polygon] = [p for p in polygons_of(piece).geoms if p.area >= width * width]
    return [p for p in parts if opened(p, width).area >= _THIN * p.area]


def strips(shape: shapely.Geometry, free: shapely.Geometry, land: Land, reach: float, width: float) -> list[Unit]:
    """Rectangles set on the outer side of the longest edges of a shape, as far as free ground goes."""
    found = []
    for start, end in _edges(shape):
        along = end - start
        length = float(np.hypot(*along))
        if length < width:
            break
        out = np.array([along[1], -along[0]]) / length * reach
        block = shapely.Polygon([start, end, end + out, start + out])
        ground = polygons_of(shapely.intersection(block, free))
        edge = shapely.LineString([start, end])
        for part in ground.geoms:
            if part.area >= width * width and shapely.dwithin(part, edge, 0.01):
                found.append(Unit(part, _weight(part, land)))
    return found


def _edges(shape: shapely.Geometry) -> list[tuple[np.ndarray, np.ndarray]]:
    """The longest edges of the outlines, walked with the ground to the left."""
    found = []
    for part in shapely.get_parts(shapely.simplify(shape, 2.0)):
        ring = shapely.get_coordinates(shapely.orient_polygons(part).exterior)
        found += list(pairwise(ring))
    return sorted(found, key=lambda edge: -float(np.hypot(*(edge[1] - edge[0]))))[:_LONGEST_EDGES]


def _weight(part: shapely.Polygon, land: Land) -> float:
    """Mean weight of taking some ground."""
    if not len(land.shapes):
        return 1.0
    shapely.prepare(part)
    hit = np.flatnonzero(shapely.intersects(part, land.shapes))
    areas = shapely.area(shapely.intersection(land.shapes[hit], part))
    bare = max(part.area - float(areas.sum()), 0.0)
    return float((areas @ land.takes[hit] + bare) / (areas.sum() + bare))
