"""What a region is like: its figures, whatever it was chosen by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.search.regions import Field


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one region.

    Parameters
    ----------
    area
        Usable area, m².
    mean
        Suitability, weighed by the usable share of the cells.
    sum
        Suitability times usable area in cells.
    median, worst
        Suitability over the cells.
    core
        Usable area of the cells all of whose eight neighbours are inside, m².
    edge
        Length of the outline along the cells, islands included, m.
    islands
        Holes of the region.
    """

    area: float
    mean: float
    sum: float
    median: float
    worst: float
    core: float
    edge: float
    islands: int


def figures(field: Field, region: NDArray[np.bool_], neighbours: int = 4) -> Figures:
    """The figures of a region of a field.

    Parameters
    ----------
    field
        What it was grown on.
    region
        ``(rows, columns)``, at least one cell.
    neighbours
        How cells of the region join; islands join the outside the other way.
    """
    from scipy.ndimage import binary_erosion, label

    unit = field.cell**2
    value = field.value[region].astype(np.float64)
    share = np.ones(value.size) if field.share is None else field.share[region].astype(np.float64)
    total, area = float((value * share).sum()), float(share.sum())
    inside: Any = binary_erosion(region, np.ones((3, 3), np.bool_))
    core = float(inside.sum() if field.share is None else field.share[inside].sum(dtype=np.float64))
    framed = np.pad(region, 1)
    sides = int((framed[1:] != framed[:-1]).sum() + (framed[:, 1:] != framed[:, :-1]).sum())
    outside = np.ones((3, 3), np.bool_) if neighbours == 4 else None
    labelled: Any = label(~framed, outside)
    holes = int(labelled[1]) - 1
    median, worst = float(np.median(value)), float(value.min())
    return Figures(area * unit, total / area, total, median, worst, core * unit, sides * field.cell, holes)
