"""Factors of suitability on a grid, strip by strip: figures of the ground, brought to 0..1."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.progress import Progress
from geoplan.search.constraint import Values
from geoplan.search.cover import apart, beyond, covered_share, touched
from geoplan.search.criteria import Criteria, FactorCriterion
from geoplan.search.criteria import Features as Chosen
from geoplan.search.features import Features
from geoplan.search.grid import Grid
from geoplan.search.sources import Sources
from geoplan.search.suitability import topsis, weighted_sum
from geoplan.search.weights import Weights, by_comparison, by_entropy, given

_ROWS = 256
Floats = NDArray[np.float32]


def factors(grid: Grid, criteria: Criteria, sources: Sources, progress: Progress) -> dict[str, Floats]:
    """Each factor on the grid, 0..1, NaN where it is not known, by id.

    Memory is 4 bytes a cell and factor, and a strip with what lies within the factor's distance.

    Raises
    ------
    CallRefused
        A layer or raster that a factor names was not given.
    """
    found: dict[str, Floats] = {}
    strips = [(first, min(first + _ROWS, grid.rows)) for first in range(0, grid.rows, _ROWS)]
    for number, criterion in enumerate(criteria.factors):
        reader = _reader(criterion, grid, sources)
        transformed = criterion.transformation
        whole = np.empty(grid.shape, np.float32)
        for done, (first, last) in enumerate(strips):
            progress("search-factors", number * len(strips) + done, len(criteria.factors) * len(strips))
            whole[first:last] = transformed(reader.values(first, last))
        found[criterion.id] = whole
    return found


class _Reader(Protocol):
    """Figures of one factor on rows of the grid."""

    def values(self, first: int, last: int) -> Values: ...


class _Distance:
    """Metres between the centres of a cell and of the nearest cell that a feature touches, up to a limit."""

    def __init__(self, grid: Grid, features: Features, coverage: Features | None, farthest: float) -> None:
        self.grid = grid
        self.features, self.coverage, self.farthest = features, coverage, farthest
        self.reach = math.ceil(farthest / grid.cell) + 1

    def values(self, first: int, last: int) -> Values:
        from scipy.ndimage import distance_transform_edt

        reach = self.reach
        near = touched(self.features, self.grid.strip(first - reach, last + reach, reach))
        if near.any():
            away = np.asarray(distance_transform_edt(near == 0), np.float32)[reach:-reach, reach:-reach]
            found = np.minimum(away * np.float32(self.grid.cell), np.float32(self.farthest))
        else:
            found = np.full((last - first, self.grid.columns), self.farthest, np.float32)
        return _unknown_outside(found, self.coverage, self.grid.strip(first, last))


class _Share:
    """Share of a cell that polygons cover."""

    def __init__(self, grid: Grid, features: Features, coverage: Features | None) -> None:
        self.grid = grid
        self.features, self.coverage = features, coverage

    def values(self, first: int, last: int) -> Values:
        strip = self.grid.strip(first, last)
        return _unknown_outside(covered_share(self.features, strip).astype(np.float32), self.coverage, strip)


class _Cells:
    """Values of a raster."""

    def __init__(self, grid: Grid, role: str, sources: Sources, asked_by: str) -> None:
        self.grid = grid
        self.read = sources.raster(role, asked_by)

    def values(self, first: int, last: int) -> Values:
        return self.read(self.grid.strip(first, last))


def _reader(criterion: FactorCriterion, grid: Grid, sources: Sources) -> _Reader:
    if criterion.raster is not None:
        return _Cells(grid, criterion.raster, sources, criterion.id)
    if criterion.distance_to is not None:
        reach = criterion.farthest + 2 * grid.cell
        return _Distance(grid, *_features(criterion.distance_to, sources, reach, criterion.id), criterion.farthest)
    assert criterion.share_of is not None
    return _Share(grid, *_features(criterion.share_of, sources, grid.cell, criterion.id))


def _features(chosen: Chosen, sources: Sources, reach: float, asked_by: str) -> tuple[Features, Features | None]:
    """The features of a choice, polygons apart from each other, and the ground that their layer knows."""
    shapes = sources.patches(chosen, reach, asked_by).shapes
    flat = shapely.get_dimensions(shapes) < 2
    known = sources.known(chosen.layer)
    features = Features.of(np.concatenate([apart(shapes[~flat]), shapes[flat]]))
    return features, None if known is None else Features.of(apart([known]))


def _unknown_outside(values: Floats, coverage: Features | None, grid: Grid) -> Floats:
    if coverage is not None:
        values[beyond(coverage, grid) == 1] = np.nan
    return values


def weights_of(criteria: Criteria, found: dict[str, Floats], eligible: NDArray[np.bool_]) -> Weights:
    """The weights of the factors; by entropy over the eligible cells.

    Raises
    ------
    CallRefused
        Comparisons that are not consistent or do not fit the factors; too little known for entropy.
    """
    chosen = criteria.weights
    if chosen.method == "ahp":
        return by_comparison(chosen.comparison, chosen.accept_inconsistent)
    if chosen.method == "entropy":
        return by_entropy([factor[eligible] for factor in found.values()])
    return given([each.weight or 0.0 for each in criteria.factors])


def joined(criteria: Criteria, found: dict[str, Floats], weights: Weights, eligible: NDArray[np.bool_]) -> Floats:
    """Suitability of every cell; by TOPSIS that of the eligible cells among themselves, NaN elsewhere.

    Raises
    ------
    CallRefused
        The number of weights is not that of the factors.
    """
    if criteria.weights.join == "topsis":
        whole = np.full(eligible.shape, np.nan, np.float32)
        whole[eligible] = topsis([factor[eligible] for factor in found.values()], weights.values)
        return whole
    whole = np.empty(eligible.shape, np.float32)
    for first in range(0, len(whole), _ROWS):
        rows = slice(first, first + _ROWS)
        whole[rows] = weighted_sum([factor[rows] for factor in found.values()], weights.values)
    return whole
