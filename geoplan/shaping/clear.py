"""Clear of forbidden ground, on a grid: what the product draws can be written in any format without turning a verdict.

What is cut keeps `CUT` away from forbidden ground; rounding a vertex to the grid takes at most 0.71 mm of that, and a
vertex that two boundaries come to share 1.5 mm, so at least 2 mm are left. Vertices that were drawn stay exactly
where they were.
"""

from __future__ import annotations

import numpy as np
import shapely

from geoplan.measure import polygons_of
from geoplan.prohibited import less

GRID = 0.001
"""m: grid of all vertices that the product makes."""
CLEARANCE = 0.002
"""m: what is kept between a made boundary and every forbidden ground, at least."""
CUT = CLEARANCE + 3 * GRID
"""m: how far off forbidden ground is cut: rounding and common vertices of two boundaries take a part of it."""
_DUST = 1e-9
_ROUNDS = 5


def widened(ground: shapely.Geometry) -> shapely.Geometry:
    """Forbidden ground with its clearance: what a boundary is cut by."""
    if shapely.is_empty(ground):
        return ground
    return shapely.buffer(ground, CUT, join_style="mitre", mitre_limit=2.0)


def without(shape: shapely.Geometry, ground: shapely.Geometry) -> shapely.MultiPolygon:
    """A shape cut clear of forbidden ground, as polygons; the very shape where the two lie apart."""
    if shapely.is_empty(ground) or not shapely.dwithin(shape, ground, CUT):
        return polygons_of(shape)
    return less(shape, widened(ground))


def settled(shape: shapely.Geometry, drawn: shapely.Geometry | None = None) -> shapely.MultiPolygon:
    """A shape whose new vertices lie on the grid.

    Parameters
    ----------
    shape
        Polygons of the plane, m.
    drawn
        Boundary whose vertices are to stay as they are; none rounds every vertex.

    Returns
    -------
    MultiPolygon
        Valid. A ring that rounding makes touch itself is taken apart there; where that does not end, all of the shape
        is put on the grid (GEOS's snap rounding).
    """
    kept = _keys(drawn)

    def rounded(xy: np.ndarray) -> np.ndarray:
        new = np.fromiter(((x, y) not in kept for x, y in xy.tolist()), dtype=bool, count=len(xy))
        out = xy.copy()
        out[new] = np.round(xy[new], 3)
        return out

    found: shapely.Geometry = polygons_of(shape)
    for _ in range(_ROUNDS):
        found = without_repeats(shapely.transform(found, rounded))
        if shapely.is_valid(found):
            return polygons_of(found)
        found = polygons_of(shapely.make_valid(found, method="structure"))
    return polygons_of(shapely.set_precision(shape, GRID))


def without_repeats(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape without vertices that stand twice in a row."""
    return shapely.remove_repeated_points(shape, _DUST)


def _keys(drawn: shapely.Geometry | None) -> frozenset[tuple[float, float]]:
    if drawn is None:
        return frozenset()
    return frozenset((x, y) for x, y in shapely.get_coordinates(drawn).tolist())
