"""Coordinates as a format's decimals can hold them, kept valid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import polygons_of

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Rounded:
    """Shapes on a grid.

    ``shift`` is how far rounding alone can move a vertex (units of the coordinates), ``area`` the largest change of
    any shape's area that this can cause (perimeter × shift, squared units), ``changed`` the number of shapes with any
    coordinate moved, ``mended`` the rows whose rings would have crossed and were laid on the grid as a whole, ``lost``
    those thinner than the grid, of which nothing is left (empty in ``shapes``).
    """

    shapes: Shapes
    shift: float
    area: float
    changed: int
    mended: NDArray[np.int64]
    lost: NDArray[np.int64]


def on_grid(shapes: Shapes, decimals: int) -> Rounded:
    """Each coordinate to a number of decimals, half to even; polygons that were valid stay valid.

    >>> on_grid(np.array([shapely.box(0, 0, 1.0004, 1)]), 3).shapes[0].bounds
    (0.0, 0.0, 1.0, 1.0)
    """
    made = np.asarray(shapely.transform(shapes, lambda xy: np.round(xy, decimals) + 0.0), dtype=object)
    broken = np.flatnonzero(shapely.is_valid(shapes) & ~shapely.is_valid(made))
    for i in broken:
        snapped = shapely.set_precision(shapes[i], 10.0**-decimals, mode="valid_output")
        surface = snapped.geom_type.removeprefix("Multi") == "Polygon" or snapped.geom_type == "GeometryCollection"
        made[i] = polygons_of(snapped) if surface else snapped
        made[i] = shapely.transform(made[i], lambda xy: np.round(xy, decimals) + 0.0)
    lost = np.flatnonzero(shapely.is_empty(made))
    shift = 10.0**-decimals / np.sqrt(2)
    moved = [
        not np.array_equal(shapely.get_coordinates(a), shapely.get_coordinates(b))
        for a, b in zip(shapes, made, strict=True)
    ]
    area = float(shapely.length(shapes).max(initial=0.0)) * shift
    return Rounded(made, float(shift), area, sum(moved), np.setdiff1d(broken, lost), lost)
