"""Distance of cells to the live towns of the register."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geoplan.search.cover import touched
from geoplan.search.features import Features
from geoplan.search.found import Study

_ROWS = 256


def distance_to_towns(study: Study, farthest: float) -> NDArray[np.float32]:
    """Metres between the outlines of each cell and of the nearest town, up to somewhat more than ``farthest``.

    Towns outside the grid count. A cell that a town touches has distance 0.

    Raises
    ------
    CallRefused
        No register was given.
    """
    from scipy.ndimage import distance_transform_edt

    grid = study.grid
    towns = Features.of(study.sources.towns("spacing"))
    reach = math.ceil(farthest / grid.cell) + 2
    found = np.empty(grid.shape, np.float32)
    for first in range(0, grid.rows, _ROWS):
        last = min(first + _ROWS, grid.rows)
        # Cells that come within one cell of a town: their outlines touch those of the town's cells.
        near = touched(towns, grid.strip(first - reach, last + reach, reach), grid.cell)
        if near.any():
            away = np.asarray(distance_transform_edt(near == 0), np.float32)[reach:-reach, reach:-reach]
            found[first:last] = away * np.float32(grid.cell)
        else:
            found[first:last] = np.float32(reach * grid.cell)
    return found
