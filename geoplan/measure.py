"""Measuring on the ellipsoid as the land survey does.

Areas follow 国土调查办发〔2008〕32号《图幅理论面积与图斑椭球面积计算公式及要求》 with the CGCS2000 constants of the
third survey: an edge is straight on the Gauss–Krüger plane and is divided evenly, and each piece contributes the
trapezoid between it, the parallels of its ends and a fixed meridian:

    S = 2 b² ΔL [ A sin(ΔB/2) cos(Bm) − B sin(3ΔB/2) cos(3Bm) + C sin(5ΔB/2) cos(5Bm)
                  − D sin(7ΔB/2) cos(7Bm) + E sin(9ΔB/2) cos(9Bm) ]

The practice of the survey divides edges over 70 m; pieces of up to 70 m leave up to 0.07 m² on 3 km², since a piece
is taken as straight in longitude and latitude. Pieces here are at most 10 m and coordinates are not rounded on the
way, so the result lies within 0.01 m² of the geodesic area of the densified outline (shown by the tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Array
from geoplan.plane import GEOD, Plane

LONGEST_PIECE = 10.0
"""Metres beyond which an edge is divided evenly for the computation; the third survey's practice is 70 m."""
DEFAULT_ACCURACY = 0.05
"""Metres that a line may lie from the truth where nobody says otherwise: half a decimetre, a land survey's."""
PRINTS_AS_ZERO = 0.005
"""m² below which an area prints as 0.00: contact, not overlap."""

_A = 6378137.0
_B = 6356752.31414036
_E2 = 0.00669438002290
_TERMS = (
    1 + 3 / 6 * _E2 + 30 / 80 * _E2**2 + 35 / 112 * _E2**3 + 630 / 2304 * _E2**4,
    -(1 / 6 * _E2 + 15 / 80 * _E2**2 + 21 / 112 * _E2**3 + 420 / 2304 * _E2**4),
    3 / 80 * _E2**2 + 7 / 112 * _E2**3 + 180 / 2304 * _E2**4,
    -(1 / 112 * _E2**3 + 45 / 2304 * _E2**4),
    5 / 2304 * _E2**4,
)

MANY_VERTICES = 20_000
"""Vertices past which a shape is generalised before it is offset."""

Offsets = NDArray[np.int64]
Unit = Literal["m2", "m", "share", "count"] | str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with its unit, the method that gave it and a bound on its error (same unit)."""

    value: float
    unit: Unit
    method: str
    error: float = 0.0


def survey_areas(polygons: NDArray[np.object_], plane: Plane) -> Array:
    """Ellipsoidal area of each polygon or multipolygon on the plane.

    Parameters
    ----------
    polygons
        Shapely polygons or multipolygons on ``plane`` (metres); others count 0.

    Returns
    -------
    Array
        m², one per input, unrounded; holes subtracted.
    """
    parts, owner = shapely.get_parts(polygons, return_index=True)
    surfaces = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = parts[surfaces], owner[surfaces]
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    if len(rings) == 0:
        return np.zeros(len(polygons))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    return _summed(ring_areas(xy, ring, len(rings), plane), part_of_ring, owner[part_of_ring], len(polygons))


def ragged_areas(xy: Array, rings: Offsets, parts: Offsets, patches: Offsets, plane: Plane) -> Array:
    """The same for polygons as ragged arrays: equal to `survey_areas` of their shapes to the last bit.

    Parameters
    ----------
    xy
        ``(v, 2)`` vertices on ``plane``, rings closed, one after another.
    rings, parts, patches
        Offsets: ring r has vertices ``rings[r]:rings[r+1]``, part p rings ``parts[p]:parts[p+1]`` (shell first),
        patch i parts ``patches[i]:patches[i+1]``.
    """
    ring = np.repeat(np.arange(len(rings) - 1), np.diff(rings))
    part_of_ring = np.repeat(np.arange(len(parts) - 1), np.diff(parts))
    patch_of_part = np.repeat(np.arange(len(patches) - 1), np.diff(patches))
    if len(part_of_ring) == 0:
        return np.zeros(len(patches) - 1)
    found = ring_areas(xy, ring, len(rings) - 1, plane)
    return _summed(found, part_of_ring, patch_of_part[part_of_ring], len(patches) - 1)


def _summed(rings: Array, part: Offsets, owner: Offsets, count: int) -> Array:
    """Areas of rings added up by owner: the first of each part counts, the others are holes."""
    areas = np.abs(rings)
    outer = np.diff(part, prepend=-1) > 0
    return np.asarray(np.bincount(owner, weights=np.where(outer, areas, -areas), minlength=count), dtype=np.float64)


def survey_area(polygon: shapely.Geometry, plane: Plane) -> float:
    """Ellipsoidal area of one polygon or multipolygon, m², unrounded."""
    return float(survey_areas(np.array([polygon], dtype=object), plane)[0])


def ring_areas(xy: Array, ring: Offsets, count: int, plane: Plane) -> Array:
    """Signed survey area of each of ``count`` closed rings, m²; ``ring`` says which one a vertex is of, ascending."""
    edge = np.flatnonzero(ring[1:] == ring[:-1])
    start, step = xy[edge], xy[edge + 1] - xy[edge]
    pieces = (np.hypot(step[:, 0], step[:, 1]) / LONGEST_PIECE).astype(np.int64) + 1
    which = np.repeat(np.arange(len(edge)), pieces)
    first = np.concatenate(([0], np.cumsum(pieces)[:-1]))
    ordinal = np.arange(len(which)) - first[which]
    begin = start[which] + step[which] * (ordinal / pieces[which])[:, None]
    last = ordinal == pieces[which] - 1
    end = np.roll(begin, -1, axis=0)
    end[last] = xy[edge + 1][which[last]]
    lon, lat = plane.to_lonlat(begin[:, 0], begin[:, 1])
    lon_end, lat_end = plane.to_lonlat(end[last][:, 0], end[last][:, 1])
    lon2, lat2 = np.roll(lon, -1), np.roll(lat, -1)
    lon2[last], lat2[last] = lon_end, lat_end
    trapezoids = _trapezoids(
        *(np.radians(each) for each in (lon - plane.central_meridian, lat, lon2 - plane.central_meridian, lat2))
    )
    return np.asarray(np.bincount(ring[edge][which], weights=trapezoids, minlength=count), dtype=np.float64)


def _trapezoids(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """Signed area between each edge, the parallels of its ends and the meridian 0 (radians → m²)."""
    half, middle = (lat2 - lat1) / 2, (lat2 + lat1) / 2
    series = sum(term * np.sin(n * half) * np.cos(n * middle) for term, n in zip(_TERMS, (1, 3, 5, 7, 9), strict=True))
    return np.asarray(2 * _B**2 * (lon1 + lon2) / 2 * series)


def is_sliver(polygon: shapely.Geometry, accuracy: float) -> bool:
    """Whether a piece vanishes within the freedom of its lines: 2·area/perimeter < 2·accuracy for every part.

    Parameters
    ----------
    polygon
        Polygon or multipolygon, metres.
    accuracy
        How far any line may lie from the truth, m.
    """
    parts = shapely.get_parts(polygon)
    lengths = shapely.length(parts)
    return bool(np.all(2 * shapely.area(parts) < 2 * accuracy * lengths))


def area_error(polygon: shapely.Geometry, accuracy: float) -> float:
    """Bound on the error of an area, m²: accuracy × perimeter, unchanged by adding vertices."""
    return accuracy * float(shapely.length(polygon))


def nearest(a: shapely.Geometry, b: shapely.Geometry, plane: Plane) -> tuple[float, shapely.LineString]:
    """Distance between two shapes of the plane: geodesic length (m) between their nearest points, and that line."""
    line = shapely.shortest_line(a, b)
    (x1, y1), (x2, y2) = shapely.get_coordinates(line)
    lon, lat = plane.to_lonlat(np.array([x1, x2]), np.array([y1, y2]))
    return float(GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]), line


def polygons_of(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The polygons of any shape as one multipolygon: what an overlay leaves of points and lines is contact."""
    parts = shapely.get_parts(shape)
    while np.any(shapely.get_type_id(parts) > shapely.GeometryType.POLYGON):
        parts = shapely.get_parts(parts)
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon" and not part.is_empty])


def generalised(shape: shapely.Geometry, accuracy: float) -> shapely.Geometry:
    """A shape for offsets: itself, or past ``MANY_VERTICES`` its lines within half the accuracy (Douglas–Peucker).

    An offset of a line that trembles by less than its own accuracy is a matter of chance, and the offset of a million
    vertices takes minutes. Areas and overlaps are never measured on it.
    """
    if shapely.get_num_coordinates(shape) <= MANY_VERTICES:
        return shape
    simple = shapely.simplify(shape, accuracy / 2, preserve_topology=False)
    return simple if shapely.is_valid(simple) else shapely.simplify(shape, accuracy / 2, preserve_topology=True)


def necks(polygon: shapely.Geometry, width: float) -> tuple[shapely.Polygon, ...]:
    """Passages narrower than ``width`` metres that hold two pieces together, each as the polygon of the passage."""
    opened = shapely.buffer(polygon, -width / 2, join_style="mitre")
    wide = shapely.get_parts(opened)
    if len(wide) < 2:
        return ()
    grown = shapely.buffer(wide, width / 2 * 1.0001, join_style="mitre")
    between = shapely.get_parts(polygons_of(shapely.difference(polygon, shapely.union_all(grown))))
    touching = [int(np.count_nonzero(shapely.dwithin(grown, piece, 0.01))) for piece in between]
    return tuple(piece for piece, count in zip(between, touching, strict=True) if count >= 2)
