"""Slope from elevation on the cells of a grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geoplan.search.constraint import Values
from geoplan.search.grid import Grid


def slope_of(elevation: Callable[[Grid], Values]) -> Callable[[Grid], Values]:
    """Slope in degrees by Horn's formula (1981), from elevations in metres over the eight neighbours.

    Rise and run are both metres of the grid's plane, whatever the system of the elevation file. A cell with an unknown
    neighbour has no slope (NaN).

    >>> from geoplan.plane import Plane
    >>> def plain(grid):
    ...     return np.tile(np.arange(grid.columns, dtype=np.float32) * grid.cell, (grid.rows, 1))
    >>> slope_of(plain)(Grid(Plane(120), 0.0, 20.0, 10.0, 2, 3)).tolist()
    [[45.0, 45.0, 45.0], [45.0, 45.0, 45.0]]
    """

    def values(grid: Grid) -> Values:
        z = elevation(grid.strip(-1, grid.rows + 1, 1)).astype(np.float64)
        north, south = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:], z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
        west, east = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2], z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
        rise = np.hypot(east - west, north - south) / (8 * grid.cell)
        rise[np.isnan(z[1:-1, 1:-1])] = np.nan
        return np.degrees(np.arctan(rise)).astype(np.float32)

    return values
