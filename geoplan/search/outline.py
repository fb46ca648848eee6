"""From cells to a boundary: edges along lines of the ground, cut by the exact exclusions, on the product's grid.

A region of cells has stair-step edges and knows of exclusions only by shares of cells. Its boundary is drawn anew:
steps are smoothed, patches go in or stay out whole where they are small, exact exclusions are cut out with a
clearance, passages too narrow and edges too short are taken off, and every coordinate lies on a grid of 1 mm.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import polygons_of
from geoplan.search.criteria import OutlineCriterion
from geoplan.shaping.clear import CLEARANCE, CUT, GRID

_SMALL = 0.05
"""Share of a region up to which a patch goes in or stays out whole."""
_MOST_DROPS = 20_000


def faces(polygons: NDArray[np.object_], lines: NDArray[np.object_], window: shapely.Polygon) -> NDArray[np.object_]:
    """The pieces of ground that patches and lines make in a window: edges of a boundary may run between them."""
    if not len(lines):
        return polygons
    drawn = np.concatenate(
        [np.asarray(shapely.boundary(polygons)), lines, np.array([shapely.boundary(window)], dtype=object)]
    )
    noded = shapely.union_all(shapely.intersection(drawn, window))
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))), dtype=object)


def boundary_of(
    cells: shapely.Geometry,
    free: shapely.Geometry,
    along: NDArray[np.object_],
    rules: OutlineCriterion,
    cell: float,
) -> shapely.Polygon | None:
    """The boundary of a region of cells.

    Parameters
    ----------
    cells
        The cells as one shape.
    free
        Ground that nothing excludes, near the region, as polygons.
    along
        Pieces of ground whose edges the boundary may follow (:func:`faces`).
    cell
        Edge of a cell, m.

    Returns
    -------
    Polygon or None
        One piece, inside ``free`` and at least :data:`CLEARANCE` from its edge; none where nothing of the width
        asked for is left.
    """
    room = polygons_of(_offset(free, -CUT))
    smooth = shapely.make_valid(shapely.simplify(cells, cell, preserve_topology=True))
    drawn = _largest(shapely.intersection(_whole_patches(smooth, along), room))
    if drawn is None:
        return None
    drawn = _largest(shapely.intersection(shapely.Polygon(drawn.exterior), room))
    drawn = None if drawn is None else _without_necks(drawn, rules.neck_m, room)
    if drawn is None:
        return None
    return _on_the_grid(_longer_edges(drawn, rules.edge_m, room), free)


def _largest(shape: shapely.Geometry) -> shapely.Polygon | None:
    parts = shapely.get_parts(polygons_of(shape))
    return None if not len(parts) else parts[int(np.argmax(shapely.area(parts)))]


def _whole_patches(smooth: shapely.Geometry, along: NDArray[np.object_]) -> shapely.Geometry:
    """A shape with each small patch that it holds by half or more, and without those that it holds by less."""
    if not len(along):
        return smooth
    shapely.prepare(smooth)
    near = along[shapely.intersects(smooth, along)]
    whole = shapely.area(near)
    held = shapely.area(shapely.intersection(near, smooth)) / np.where(whole > 0, whole, 1.0)
    small = whole <= _SMALL * shapely.area(smooth)
    # A hair of width closes the seams that snapping between patches leaves.
    taken = shapely.buffer(shapely.union_all(near[small & (held >= 0.5)]), GRID, join_style="mitre")
    left = shapely.union_all(near[small & (held < 0.5)])
    return shapely.union(shapely.difference(smooth, left), taken)


def _without_necks(shape: shapely.Polygon, width: float, room: shapely.Geometry) -> shapely.Polygon | None:
    """The largest piece of what a square of that width can reach, with inlets narrower than it filled where free."""
    if width <= 0:
        return shape
    closed = _offset(_offset(shape, width / 2), -width / 2)
    filled = _largest(shapely.intersection(shapely.union(closed, shape), room)) or shape
    core = _largest(_offset(filled, -width / 2))
    if core is None:
        return None
    return _largest(shapely.intersection(_offset(core, width / 2), filled))


def _offset(shape: shapely.Geometry, by: float) -> shapely.Geometry:
    """A shape grown, or shrunk by a negative distance, its corners sharp."""
    return shapely.buffer(shape, by, join_style="mitre", mitre_limit=2.0)


def _longer_edges(shape: shapely.Polygon, least: float, room: shapely.Geometry) -> shapely.Polygon:
    """A polygon whose short edges are gone where the boundary may give way: inward always, outward inside the room."""
    if least <= 0:
        return shape
    shapely.prepare(room)
    rings = [_ring(np.asarray(shape.exterior.coords)[:-1, :2], least, room, outer=True)]
    rings += [_ring(np.asarray(hole.coords)[:-1, :2], least, room, outer=False) for hole in shape.interiors]
    whole = shapely.make_valid(shapely.Polygon(rings[0], [ring for ring in rings[1:] if len(ring) >= 3]))
    return _largest(shapely.intersection(whole, room)) or shape


def _ring(xy: NDArray[np.float64], least: float, room: shapely.Geometry, *, outer: bool) -> NDArray[np.float64]:
    """A ring without the vertices beside short edges, as far as the triangle that each cuts off may go."""
    points = [tuple(each) for each in xy]
    ccw = shapely.is_ccw(shapely.LinearRing(xy))
    place = dropped = 0
    while place < len(points) and len(points) > 4 and dropped < _MOST_DROPS:
        a, b, c = points[place - 1], points[place], points[(place + 1) % len(points)]
        short = min(np.hypot(b[0] - a[0], b[1] - a[1]), np.hypot(c[0] - b[0], c[1] - b[1])) < least
        turn = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
        shrinks = ((turn > 0) == ccw) == outer
        if short and abs(turn) / 2 <= least * least and (shrinks or _is_free(a, b, c, room)):
            del points[place]
            dropped += 1
            place = max(place - 1, 0)
        else:
            place += 1
    return np.array(points)


def _is_free(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...], room: shapely.Geometry) -> bool:
    return bool(shapely.covers(room, shapely.LineString([a, c]))) and bool(
        shapely.covers(room, shapely.Polygon([a, b, c]))
    )


def _on_the_grid(shape: shapely.Polygon, free: shapely.Geometry) -> shapely.Polygon | None:
    """A polygon with its vertices on the grid, that keeps its clearance; cut back where rounding took it."""
    for back in (0.0, CUT, 2 * CUT):
        inner = shape if not back else _offset(shape, -back)
        rounded = _largest(shapely.set_precision(inner, GRID))
        if rounded is not None and keeps_clear(rounded, free):
            return shapely.set_precision(rounded, 0.0)
    return None


def keeps_clear(shape: shapely.Geometry, free: shapely.Geometry) -> bool:
    """Whether a shape lies inside free ground and at least :data:`CLEARANCE` from its edge."""
    return bool(shapely.covers(free, shape) and shapely.distance(shapely.boundary(free), shape) >= CLEARANCE - 1e-9)
