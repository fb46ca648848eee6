"""How much of each cell polygons cover, and which cells lines and points touch."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Array
from geoplan.search.features import Features, Shapes
from geoplan.search.grid import Grid
from geoplan.search.scan import add_centres, add_near, add_runs, add_shares, add_walks

Mask = NDArray[np.uint8]

NOISE = 1e-10
"""Shares (of a cell) this close to 0 or 1 are 0 or 1: what is left of rounding in sums of edges."""


def covered_share(features: Features, grid: Grid) -> Array:
    """Share of each cell that polygons cover, exact: edges clipped at the cells, areas summed by Green's theorem.

    Lines and points cover nothing. Where polygons overlap each other their shares add up, so the answer is at most
    what they cover together times their number: take them through :func:`apart` first.

    Returns
    -------
    ``(rows, columns)`` float64, 0 to 1, within 1e-9.

    >>> from geoplan.plane import Plane
    >>> covered_share(Features.of([shapely.box(5, 0, 20, 10)]), Grid(Plane(120), 0.0, 10.0, 10.0, 1, 2)).tolist()
    [[0.5, 1.0]]
    """
    sums = np.zeros((grid.rows, grid.columns + 1))
    add_shares(
        features.xy, features.parts, features.turns, _beside(features, grid), grid.west, grid.north, grid.cell, sums
    )
    shares: Array = np.cumsum(sums, axis=1, out=sums)[:, :-1]
    shares[shares < NOISE] = 0.0
    shares[shares > 1 - NOISE] = 1.0
    return shares


def apart(shapes: Shapes) -> NDArray[np.object_]:
    """The same ground as polygons that do not overlap; unchanged where they already do not."""
    polygons: NDArray[np.object_] = np.asarray(shapely.get_parts(shapely.get_parts(shapes)), dtype=object)
    polygons = polygons[(shapely.get_type_id(polygons) == 3) & ~shapely.is_empty(polygons)]
    one, other = shapely.STRtree(polygons).query(polygons)
    doubtful = np.unique(one[one != other])
    if not len(doubtful) or shapely.coverage_is_valid(polygons[doubtful]):
        return polygons
    alone = np.setdiff1d(np.arange(len(polygons)), doubtful)
    whole = np.asarray(shapely.get_parts(shapely.union_all(polygons[doubtful])), dtype=object)
    together: NDArray[np.object_] = np.concatenate([polygons[alone], whole[shapely.get_type_id(whole) == 3]])
    return together


def touched(features: Features, grid: Grid, distance: float = 0.0) -> Mask:
    """Cells any part of which lies within a distance (m) of a feature: for a legal distance none is missed.

    Measured between the closed cell and the feature's geometry, inside of polygons included; a cell that only touches
    the distance is counted. Features beyond the grid's edge count.

    Returns
    -------
    ``(rows, columns)`` uint8, 1 where within.
    """
    sums = np.zeros((grid.rows, grid.columns + 1), dtype=np.int32)
    which = _beside(features, grid, distance)
    frame = (grid.west, grid.north, grid.cell)
    add_centres(features.xy, features.parts, features.turns, which, *frame, sums)
    add_near(features.xy, features.parts, which, *frame, distance / grid.cell, sums)
    return _above_zero(sums)


def crossed(features: Features, grid: Grid) -> Mask:
    """Cells that lines and points touch; polygons are left out.

    Returns
    -------
    ``(rows, columns)`` uint8.
    """
    which = _beside(features, grid)
    return _near(features, grid, which[features.turns[which] == 0], 0.0)


def beyond(features: Features, grid: Grid, distance: float = 0.0) -> Mask:
    """Cells any part of which lies within a distance (m) of the ground that polygons do **not** cover.

    At distance 0 these are the cells that are not wholly covered; sharing an edge with other ground is no part of it.

    Returns
    -------
    ``(rows, columns)`` uint8.
    """
    if distance == 0:
        return (covered_share(features, grid) < 1).astype(np.uint8)
    sums = np.zeros((grid.rows, grid.columns + 1), dtype=np.int32)
    which = _beside(features, grid)
    add_centres(features.xy, features.parts, features.turns, which, grid.west, grid.north, grid.cell, sums)
    rim = _beside(features, grid, distance)
    return (1 - _above_zero(sums)) | _near(features, grid, rim[features.turns[rim] != 0], distance)


def burned(features: Features, grid: Grid) -> Mask:
    """Cells as rasterising programs burn them: centre in a polygon, integer walk along a line, cell of a point.

    Equal to ``rasterio.features.rasterize`` with ``all_touched=False``; for comparison with those programs only, since
    a cell whose centre lies outside may hold protected land.

    Returns
    -------
    ``(rows, columns)`` uint8.
    """
    sums = np.zeros((grid.rows, grid.columns + 1), dtype=np.int32)
    which = _beside(features, grid)
    frame = (grid.west, grid.north, grid.cell)
    add_centres(features.xy, features.parts, features.turns, which, *frame, sums)
    mask = _above_zero(sums)
    add_walks(features.xy, features.parts, features.turns, which, *frame, mask)
    return mask


def _near(features: Features, grid: Grid, which: NDArray[np.int64], distance: float) -> Mask:
    sums = np.zeros((grid.rows, grid.columns + 1), dtype=np.int32)
    add_near(features.xy, features.parts, which, grid.west, grid.north, grid.cell, distance / grid.cell, sums)
    return _above_zero(sums)


def _above_zero(sums: NDArray[np.int32]) -> Mask:
    mask = np.zeros((sums.shape[0], sums.shape[1] - 1), dtype=np.uint8)
    add_runs(sums, mask)
    return mask


def _beside(features: Features, grid: Grid, distance: float = 0.0) -> NDArray[np.int64]:
    """The parts that can change a cell: those in the rows and not wholly east of the grid, a distance added."""
    _, south, east, north = grid.bounds
    reach = distance + grid.cell
    return features.near((-np.inf, south - reach, east + reach, north + reach))
