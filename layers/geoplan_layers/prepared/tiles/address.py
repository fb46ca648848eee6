"""Where a tile lies: its place in Web Mercator, its window on the plane of a layer, and the way from there to it.

Tiles are those of web maps (https://www.ogc.org/standard/tms/, WebMercatorQuad): at zoom z the world is 2^z × 2^z
squares, counted from the north-west. CGCS2000 and WGS 84 degrees are one here, for the eye only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoplan.plane import Plane

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
DEEPEST = 18
"""The last zoom that is drawn: a unit is 4 cm there. Maps enlarge it from there on."""
DEGREE = 4
"""Degree of the polynomial from the plane to a tile: within 1/50 of a unit from a sheet to a province."""
_LOWEST = 85.0511287798066
_EDGE = np.linspace(0.0, 1.0, 9)
_NODES = np.cos(np.pi * (np.arange(8) + 0.5) / 8)


class Way(NamedTuple):
    """From the plane to units of a tile: u = (x − x0)·sx, v = (y − y0)·sy, then a sum of terms u^i v^j.

    It holds inside the box from west to north, and means nothing far outside. ``across`` and ``down`` are ``(5, 5)``
    coefficients by i and j, those with i + j over `DEGREE` zero.
    """

    west: float
    south: float
    east: float
    north: float
    x0: float
    y0: float
    sx: float
    sy: float
    across: Floats
    down: Floats


@dataclass(frozen=True)
class Tile:
    """One tile: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """Whether there is such a tile, and it is drawn."""
        return 0 <= self.z <= DEEPEST and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z

    def degrees(self, margin: float = 0.0) -> Box:
        """West, south, east, north, with a margin as a share of the tile's side."""
        side = 2.0**-self.z
        west, east = (self.x - margin) * side, (self.x + 1 + margin) * side
        north, south = (self.y - margin) * side, (self.y + 1 + margin) * side
        return west * 360 - 180, _latitude(south), east * 360 - 180, _latitude(north)

    def window(self, plane: Plane, within: Box, margin: float) -> Box | None:
        """Bounds on the plane of what the tile shows of some ground; none where they are apart.

        Parameters
        ----------
        within
            Bounds of the ground in degrees: a tile may be larger than the plane can be.
        margin
            As a share of the tile's side.
        """
        own = self.degrees(margin)
        west, south = max(own[0], within[0]), max(own[1], within[1])
        east, north = min(own[2], within[2]), min(own[3], within[3])
        if west > east or south > north:
            return None
        lon, lat = np.meshgrid(west + _EDGE * (east - west), south + _EDGE * (north - south))
        x, y = plane.from_lonlat(lon.ravel(), lat.ravel())
        spare = (max(np.ptp(x), np.ptp(y)) + 1) / 256
        return float(x.min() - spare), float(y.min() - spare), float(x.max() + spare), float(y.max() + spare)

    def way(self, plane: Plane, box: Box, extent: int) -> Way:
        """The way from a box of the plane to units of the tile, of which its side has ``extent``."""
        return way(plane, box, 2.0**self.z * extent, (self.x * extent, self.y * extent))


def way(plane: Plane, box: Box, across_world: float, origin: tuple[int, int]) -> Way:
    """The way from a box of a plane to units of Web Mercator, fitted at 64 points of the box.

    Parameters
    ----------
    across_world
        Units along a side of the world's square.
    origin
        Units from its north-west corner at which counting begins.
    """
    west, south, east, north = box
    x0, y0, half_x, half_y = (west + east) / 2, (south + north) / 2, (east - west) / 2, (north - south) / 2
    px, py = mercator(plane, x0 + _basis.u * half_x, y0 + _basis.v * half_y)
    found = _basis.solver @ np.stack([px * across_world - origin[0], py * across_world - origin[1]], axis=1)
    across, down = np.zeros((DEGREE + 1, DEGREE + 1)), np.zeros((DEGREE + 1, DEGREE + 1))
    across[_basis.i, _basis.j], down[_basis.i, _basis.j] = found[:, 0], found[:, 1]
    return Way(*box, x0, y0, 1 / half_x, 1 / half_y, across, down)


def mercator(plane: Plane, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Points of a plane as shares of the world's square in Web Mercator, from its north-west."""
    lon, lat = plane.to_lonlat(x, y)
    sine = np.sin(np.radians(np.clip(lat, -_LOWEST, _LOWEST)))
    return lon / 360 + 0.5, 0.5 - np.arctanh(sine) / (2 * np.pi)


def ground(plane: Plane, box: Box) -> Box:
    """Bounds in degrees of a box of a plane."""
    x, y = np.meshgrid(box[0] + _EDGE * (box[2] - box[0]), box[1] + _EDGE * (box[3] - box[1]))
    lon, lat = plane.to_lonlat(x.ravel(), y.ravel())
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _latitude(row: float) -> float:
    return float(np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * row)))))


class _Basis:
    """The points at which a way is fitted, and the least-squares solution for values there: the same for all tiles."""

    def __init__(self) -> None:
        u, v = np.meshgrid(_NODES, _NODES)
        self.u, self.v = u.ravel(), v.ravel()
        pairs = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
        self.i, self.j = np.array(pairs).T

    @cached_property
    def solver(self) -> Floats:
        """``(15, 64)``: values at the points to coefficients."""
        terms = self.u[:, None] ** self.i * self.v[:, None] ** self.j
        return np.asarray(np.linalg.pinv(terms))


_basis = _Basis()
