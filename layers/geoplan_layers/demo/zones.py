"""The planes of the demo: CGCS2000 3-degree Gauss-Kruger zones 36, 37 and 40, and the border at 109.5E.

Zone 36 turns into zone 37 by a polynomial in the complex plane: both projections are conformal, so the change from
one to the other is an analytic function, and near Liuzhou five coefficients give it to 2e-9 m. They were fitted to
PROJ 9.5 (EPSG:4545 to EPSG:4546) on a square of 16 km; tests hold them to it. Sums and products alone give
the same last bit on every machine, which a projection library does not promise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import LineString, STRtree

from geoplan_layers.demo.mesh import GRID, Patch, absorb
from geoplan_layers.demo.noise import FloatArray

_CENTRE = (652_223.0, 2_694_876.0)  # m in zone 36, near 109.5E 24.35N
_CENTRE_37 = (347_777.0, 2_694_876.0)
_SERIES = (
    (-1.2006151531236497, 0.012962726788734606),
    (9997.668925908147, -215.9095881992398),
    (-0.3755659282132342, 0.012168459631766382),
    (1.0184906784616032e-05, -9.136466934478449e-05),
    (-7.793641998432577e-08, 1.2764303392032161e-08),
)  # of (E + iN) in units of 10 km from the centre
_MERIDIAN = (652223.6003775534, -107.96736884946522, -0.18791433397900048)  # easting of 109.5E by northing, 10 km


@dataclass(frozen=True)
class Plane:
    """A zone of CGCS2000 / 3-degree Gauss-Kruger with the zone number before the easting."""

    zone: int

    @property
    def epsg(self) -> int:
        """EPSG code: 4513 for zone 25 and so on."""
        return 4488 + self.zone

    def __call__(self, xy: FloatArray) -> FloatArray:
        """Coordinates of an area's working plane (m, no zone number) in this zone, to 1 mm, x east and y north."""
        moved = to_zone_37(xy) if self.zone == 37 else xy
        placed: FloatArray = np.round(moved + np.array([self.zone * 1_000_000.0, 0.0]), 3)
        return placed


def to_zone_37(xy: FloatArray) -> FloatArray:
    """Zone 36 to zone 37, both without zone number, n x 2 in m; good to 1e-8 m within 8 km of 109.5E 24.35N."""
    u, v = (xy[:, 0] - _CENTRE[0]) / 10_000.0, (xy[:, 1] - _CENTRE[1]) / 10_000.0
    east, north = np.zeros_like(u), np.zeros_like(v)
    for real, imaginary in reversed(_SERIES):
        east, north = east * u - north * v + real, east * v + north * u + imaginary
    return np.stack([east + _CENTRE_37[0], north + _CENTRE_37[1]], axis=1)


def border(south: float, north: float) -> LineString:
    """The meridian 109.5E on the plane of zone 36 (m, no zone number), a vertex each 500 m; good to 0.01 mm."""
    y = np.arange(south, north + 500.0, 500.0)
    s = (y - _CENTRE[1]) / 10_000.0
    x = _MERIDIAN[0] + s * (_MERIDIAN[1] + s * _MERIDIAN[2])
    return LineString(np.round(np.stack([x, y], axis=1), 3))


def divided(patches: list[Patch], line: LineString) -> tuple[list[Patch], list[Patch]]:
    """Patches west and east of a border line.

    Crumbs under 120 m² go to a neighbour of their class on their own side, those under 10 m² to any there.
    """
    shapes = np.array([patch.shape for patch in patches], dtype=object)
    lines = shapely.union_all([*shapely.boundary(shapes), line], grid_size=GRID)
    faces = np.array(shapely.get_parts(shapely.polygonize([lines])), dtype=object)
    points, owners = STRtree(shapes).query(shapely.point_on_surface(faces), predicate="within")
    pieces = [
        replace(patches[owner], shape=shapely.normalize(faces[face]))
        for face, owner in zip(points, owners, strict=True)
    ]
    west = [piece for piece in pieces if is_west(piece, line)]
    east = [piece for piece in pieces if not is_west(piece, line)]
    return _tidied(west), _tidied(east)


def is_west(patch: Patch, line: LineString) -> bool:
    """Whether a patch lies west of the border line."""
    xy = shapely.get_coordinates(line)
    point = patch.shape.representative_point()
    return bool(point.x < np.interp(point.y, xy[:, 1], xy[:, 0]))


def _tidied(patches: list[Patch]) -> list[Patch]:
    same = absorb(patches, lambda patch: patch.shape.area < 120.0, lambda large, small: large.use == small.use)
    return absorb(same, lambda patch: patch.shape.area < 10.0, lambda _large, _small: True)
