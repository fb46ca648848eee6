"""A smaller connected area inside a region: the construction area of a town, on land that may be built on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.search.pool import Pool
from geoplan.search.regions import Field, Region, RegionRules


def inner_region(
    region: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    score: NDArray[np.floating[Any]],
    cell: float,
    rules: RegionRules,
    share: NDArray[np.floating[Any]] | None = None,
    threads: int | None = None,
    seeds: NDArray[np.bool_] | None = None,
) -> Region | None:
    """The best connected area inside a region.

    Parameters
    ----------
    region
        ``(rows, columns)`` the region.
    allowed
        Cells that may be built on.
    score
        What to take first, more is better: minus the cultivated share, for cultivated land least.
    cell
        Edge of a cell, m.
    rules
        Area, shape and neighbours of the area inside.
    share
        Usable share of each cell, or none.
    seeds
        Cells that may be seeds; by default all of the region.

    Returns
    -------
    Region or None
        By the rules' evaluation the best of all seeds in the region; None where no allowed land is connected enough.

    Raises
    ------
    CallRefused
        When the arrays differ in shape or hold what a field may not hold.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if rows.size == 0:
        return None
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = None if share is None else np.where((region & allowed)[box], share[box], 0)
    field = Field.of(score[box], (region & allowed)[box], cell, part)
    pool = Pool(field, rules, threads, seeds=None if seeds is None else seeds[box])
    found = pool.best(np.zeros(field.value.shape, np.uint8), 1, 0, frozenset())
    if found is None:
        return None
    down, across = np.divmod(found.cells, field.value.shape[1])
    places = (down + rows[0]) * region.shape[1] + across + columns[0]
    seed = divmod(found.seed, field.value.shape[1])
    start = (seed[0] + int(rows[0])) * region.shape[1] + seed[1] + int(columns[0])
    return replace(found, cells=places, seed=start)
