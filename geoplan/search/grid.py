"""The grid of a search: square cells on one plane, aligned to multiples of the cell size.

Row 0 is the northernmost, as in rasters; cell (r, c) covers x from ``west + c·cell`` and y down from
``north − r·cell``. Everything that a search computes is an array of the grid's shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.plane import Plane


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells on a plane.

    Parameters
    ----------
    plane
        x = east, y = north, metres.
    west, north
        The outer corner of the first cell, multiples of ``cell``.
    cell
        Edge of a cell, m.
    rows, columns
        Shape of every array on the grid.
    """

    plane: Plane
    west: float
    north: float
    cell: float
    rows: int
    columns: int

    @classmethod
    def over(cls, area: shapely.Geometry, cell: float, plane: Plane) -> Grid:
        """The smallest aligned grid that holds an area of the plane.

        >>> Grid.over(shapely.box(95, 5, 205, 95), 10, Plane(120)).shape
        (10, 12)
        """
        west, south, east, north = shapely.bounds(area)
        first, last = np.floor(west / cell), np.ceil(east / cell)
        top, bottom = np.ceil(north / cell), np.floor(south / cell)
        return cls(plane, float(first * cell), float(top * cell), cell, int(top - bottom), int(last - first))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def cell_area(self) -> float:
        """Planar area of a cell, m²."""
        return self.cell * self.cell

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.west, self.north - self.rows * self.cell, self.west + self.columns * self.cell, self.north

    def centres(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
        """``(n, 2)`` centres of some cells."""
        x = self.west + (columns + 0.5) * self.cell
        y = self.north - (rows + 0.5) * self.cell
        return np.column_stack([x, y]).astype(np.float64)

    def cell_of(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the cell that holds a point; none outside the grid."""
        row, column = int(np.floor((self.north - y) / self.cell)), int(np.floor((x - self.west) / self.cell))
        return (row, column) if 0 <= row < self.rows and 0 <= column < self.columns else None

    def outline(self, mask: NDArray[np.bool_]) -> shapely.Geometry:
        """The cells of a mask as one shape with stair-step edges."""
        rows, columns = np.nonzero(mask)
        west, north = self.west + columns * self.cell, self.north - rows * self.cell
        return shapely.union_all(shapely.box(west, north - self.cell, west + self.cell, north))

    def strip(self, first: int, last: int, beside: int = 0) -> Grid:
        """Rows ``first`` to ``last`` of this grid as a grid, ``beside`` columns wider on both sides.

        Rows below 0 and beyond the last lie outside this grid, on the same raster of cells.

        >>> Grid(Plane(120), 0.0, 90.0, 30.0, 3, 4).strip(-1, 2, 1).bounds
        (-30.0, 30.0, 150.0, 120.0)
        """
        west, north = self.west - beside * self.cell, self.north - first * self.cell
        return Grid(self.plane, west, north, self.cell, last - first, self.columns + 2 * beside)
