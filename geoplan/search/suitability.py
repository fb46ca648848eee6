"""Suitability of cells: factors brought to 0..1 by transformations, weighed, and joined.

NaN is "not known" all the way: a transformation keeps it, and a cell with one unknown factor has no suitability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused

Floats = NDArray[np.floating[Any]]
Transformation = Callable[[Floats], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Classes:
    """Each class of a raster has its own suitability; a class that is not listed is not known.

    >>> Classes(((10, 0.2), (40, 1.0)))(np.array([40.0, 10.0, 99.0])).tolist()
    [1.0, 0.2, nan]
    """

    scores: tuple[tuple[float, float], ...]

    def __call__(self, given: Floats) -> NDArray[np.float64]:
        """Suitability of each class."""
        found = np.full(given.shape, np.nan)
        for code, score in self.scores:
            found[given == code] = score
        return found


@dataclass(frozen=True, slots=True)
class Linear:
    """0 at ``worst``, 1 at ``best``, straight between, level outside; ``worst`` may be the greater.

    >>> Linear(worst=3000, best=0)(np.array([0.0, 1500.0, 9000.0])).tolist()
    [1.0, 0.5, 0.0]
    """

    worst: float
    best: float

    def __post_init__(self) -> None:
        if self.worst == self.best:
            raise CallRefused("search-linear", given=self.worst)

    def __call__(self, given: Floats) -> NDArray[np.float64]:
        """Suitability of each figure."""
        return np.clip((given.astype(np.float64) - self.worst) / (self.best - self.worst), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Piecewise:
    """Straight between given points ``(figure, suitability)``, level outside; figures rise strictly.

    >>> Piecewise(((0, 0.0), (100, 1.0), (500, 0.5)))(np.array([50.0, 300.0, 900.0])).tolist()
    [0.5, 0.75, 0.5]
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        figures = [figure for figure, _ in self.points]
        if len(figures) < 2 or any(b <= a for a, b in pairwise(figures)):
            raise CallRefused("search-piecewise", figures=", ".join(f"{figure:g}" for figure in figures))

    def __call__(self, given: Floats) -> NDArray[np.float64]:
        """Suitability of each figure."""
        figures, scores = zip(*self.points, strict=True)
        return np.asarray(np.interp(given.astype(np.float64), figures, scores), np.float64)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """1 at ``middle``, e^(−1/2) at ``width`` to either side.

    >>> Gaussian(500, 200)(np.array([500.0])).tolist()
    [1.0]
    """

    middle: float
    width: float

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise CallRefused("search-width", given=self.width)

    def __call__(self, given: Floats) -> NDArray[np.float64]:
        """Suitability of each figure."""
        away = (given.astype(np.float64) - self.middle) / self.width
        return np.asarray(np.exp(-0.5 * away * away), np.float64)


@dataclass(frozen=True, slots=True)
class Logistic:
    """1/2 at ``middle``, rising (falling with a negative ``steepness``) by steepness/4 a unit there.

    >>> Logistic(10, -0.5)(np.array([10.0, 1e6])).tolist()
    [0.5, 0.0]
    """

    middle: float
    steepness: float

    def __post_init__(self) -> None:
        if self.steepness == 0:
            raise CallRefused("search-steepness")

    def __call__(self, given: Floats) -> NDArray[np.float64]:
        """Suitability of each figure."""
        rise = np.clip(self.steepness * (given.astype(np.float64) - self.middle), -700.0, 700.0)
        found = 1.0 / (1.0 + np.exp(-rise))
        return np.asarray(np.where(found < 1e-300, 0.0, found), np.float64)


def weighted_sum(factors: Sequence[Floats], weights: Floats) -> NDArray[np.float32]:
    """Σ weight · factor of every cell; NaN where any factor is not known.

    Parameters
    ----------
    factors
        Arrays of one shape, 0..1.
    weights
        One a factor, sum 1.

    >>> weighted_sum([np.array([1.0, 0.0]), np.array([0.5, np.nan])], np.array([0.5, 0.5])).tolist()
    [0.75, nan]
    """
    _agree(factors, weights)
    total = np.zeros(factors[0].shape)
    for factor, weight in zip(factors, weights, strict=True):
        total += weight * factor.astype(np.float64)
    return total.astype(np.float32)


def topsis(factors: Sequence[Floats], weights: Floats) -> NDArray[np.float32]:
    """Closeness to the best cell and distance from the worst (Hwang and Yoon 1981), 0..1, more is better.

    Each factor is divided by its Euclidean norm over the cells whose every factor is known (*vector normalisation*)
    and weighed; the ideal and the anti-ideal are the greatest and least of each over the same cells; closeness is
    ``d⁻ / (d⁺ + d⁻)``, and 1/2 where all cells are alike. A factor that is 0 everywhere weighs nothing.
    """
    _agree(factors, weights)
    known = np.logical_and.reduce([~np.isnan(factor) for factor in factors])
    to_best, to_worst = np.zeros(int(known.sum())), np.zeros(int(known.sum()))
    for factor, weight in zip(factors, weights, strict=True):
        given = factor[known].astype(np.float64)
        norm = float(np.sqrt((given * given).sum()))
        scaled = weight * given / norm if norm > 0 else np.zeros_like(given)
        if scaled.size:
            to_best += (scaled - scaled.max()) ** 2
            to_worst += (scaled - scaled.min()) ** 2
    best, worst = np.sqrt(to_best), np.sqrt(to_worst)
    alike = best + worst == 0
    found = np.full(known.shape, np.nan)
    found[known] = np.where(alike, 0.5, worst / np.where(alike, 1.0, best + worst))
    return found.astype(np.float32)


def _agree(factors: Sequence[Floats], weights: Floats) -> None:
    """One weight a factor, and one shape.

    Raises
    ------
    CallRefused
        When there is no factor, the numbers differ, or shapes do.
    """
    if not factors or len(factors) != len(weights):
        raise CallRefused("search-weights-number", factors=len(factors), weights=len(weights))
    for factor in factors:
        if factor.shape != factors[0].shape:
            raise CallRefused("search-shapes", first=str(factors[0].shape), second=str(factor.shape))
