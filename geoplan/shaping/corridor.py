"""The cheapest corridor between two pieces over allowed ground: least-cost path on a raster (Dijkstra, 1959)."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geoplan.measure import polygons_of

_MOST_CELLS = 160_000
_FARTHEST = 1_500.0
"""m: how far round the smaller piece a way is looked for."""
_INSIDE = 0.01
"""Cost of a metre over ground that belongs to the pieces already, beside 1 elsewhere."""


def corridor(
    a: shapely.Geometry, b: shapely.Geometry, allowed: shapely.Geometry, width: float, most: float
) -> shapely.MultiPolygon | None:
    """The ground that joins two shapes by a passage of a width over allowed ground.

    Parameters
    ----------
    allowed
        Ground that may be taken, with its clearance already off.
    most
        m²: no corridor that adds more is returned.

    Returns
    -------
    MultiPolygon or None
        It reaches into both shapes and lies on allowed ground between them; none where there is no way, or only
        dearer ones.
    """
    reach = min(most / width, _FARTHEST) + width
    if shapely.distance(a, b) > reach:
        return None
    low_x, low_y, high_x, high_y = shapely.bounds(b)
    window = shapely.box(low_x - reach, low_y - reach, high_x + reach, high_y + reach)
    middle = shapely.buffer(shapely.intersection(allowed, window), -width / 2, join_style="mitre")
    path = _path(a, b, middle, width)
    if path is None:
        return None
    strip = shapely.buffer(path, width / 2, cap_style="square", join_style="mitre", mitre_limit=2.0)
    held = polygons_of(shapely.intersection(strip, shapely.union_all([allowed, a, b])))
    new = float(shapely.area(shapely.difference(held, shapely.union(a, b))))
    return held if new <= most else None


def _path(a: shapely.Geometry, b: shapely.Geometry, middle: shapely.Geometry, width: float) -> shapely.Geometry | None:
    """The cheapest line from one shape to the other inside the ground that a passage's middle may lie on."""
    if shapely.is_empty(middle):
        return None
    low_x, low_y, high_x, high_y = shapely.bounds(middle)
    cell = max(width / 2, ((high_x - low_x) * (high_y - low_y) / _MOST_CELLS) ** 0.5)
    x = np.arange(low_x, high_x + cell, cell)
    y = np.arange(low_y, high_y + cell, cell)
    free = _holds(middle, x, y)
    in_a, in_b = _holds(a, x, y) & free, _holds(b, x, y) & free
    if not in_a.any() or not in_b.any():
        return None
    cost = np.where(in_a | in_b, _INSIDE, 1.0)
    places = _cheapest(free, cost, in_a.ravel(), in_b.ravel())
    if places is None:
        return None
    row, column = np.divmod(places, len(x))
    line = shapely.LineString(np.column_stack((x[column], y[row])))
    return _straightened(line, middle, cell)


def _holds(shape: shapely.Geometry, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    shapely.prepare(shape)
    xx, yy = np.meshgrid(x, y)
    return np.asarray(shapely.contains_xy(shape, xx, yy), dtype=bool)


def _cheapest(
    free: NDArray[np.bool_], cost: NDArray[np.float64], start: NDArray[np.bool_], goal: NDArray[np.bool_]
) -> NDArray[np.intp] | None:
    """Cells of the cheapest way from any start to any goal, eight neighbours; none where there is none."""
    rows, columns = free.shape
    number = np.arange(free.size).reshape(free.shape)
    froms, tos, lengths = [], [], []
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one = np.s_[: rows - down, max(-across, 0) : columns - max(across, 0)]
        two = np.s_[down:, max(across, 0) : columns - max(-across, 0)]
        both = free[one] & free[two]
        froms.append(number[one][both])
        tos.append(number[two][both])
        lengths.append((cost[one][both] + cost[two][both]) / 2 * float(np.hypot(down, across)))
    graph = coo_array(
        (np.concatenate(lengths), (np.concatenate(froms), np.concatenate(tos))), shape=(free.size, free.size)
    ).tocsr()
    far, before, _ = dijkstra(
        graph, directed=False, indices=np.flatnonzero(start), return_predecessors=True, min_only=True
    )
    goals = np.flatnonzero(goal)
    end = int(goals[np.argmin(far[goals])])
    if not np.isfinite(far[end]):
        return None
    way = [end]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.array(way[::-1], dtype=np.intp) if len(way) > 1 else None


def _straightened(line: shapely.Geometry, inside: shapely.Geometry, cell: float) -> shapely.Geometry:
    """The line with as few turns as stay on the ground that its middle may lie on."""
    for tolerance in (4 * cell, 2 * cell, cell, cell / 2):
        simple = shapely.simplify(line, tolerance)
        if shapely.covers(inside, simple):
            return simple
    return line
