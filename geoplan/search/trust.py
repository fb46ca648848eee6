"""How far a ranking can be trusted: its stability under other weights, and why a place is not a candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused
from geoplan.search.regions import Field, Region, RegionRules, region_from

_AT_ONCE = 20_000
"""Draws held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How candidates fare when the weights change.

    Parameters
    ----------
    stays
        ``(candidates,)`` share of draws in which each is among the ``top`` best.
    first
        ``(candidates,)`` share of draws in which each is the best.
    top, draws, seed, concentration
        With what this was found.
    """

    stays: NDArray[np.float64]
    first: NDArray[np.float64]
    top: int
    draws: int
    seed: int
    concentration: float


def rank_stability(
    factors: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    top: int,
    *,
    seed: int,
    draws: int = 10_000,
    concentration: float = 50.0,
) -> Stability:
    """Draw weights around the given ones and rank the candidates by each draw.

    Weights are drawn from the Dirichlet distribution with parameters ``concentration · weights``: the given weights are
    their mean, a weight ``w`` has the standard deviation √(w (1 − w) / (concentration + 1)). A factor of weight 0
    stays at 0. The ranking is by weighted sum; of equal candidates the one ranked before stays before.

    Parameters
    ----------
    factors
        ``(candidates, factors)`` mean of each factor over each candidate, 0..1, in the order of the ranking.
    weights
        One a factor.
    top
        How many candidates are wanted.
    seed
        Of the random numbers; the same seed gives the same shares.

    Raises
    ------
    CallRefused
        When the shapes do not agree, a figure is unknown, or a number is out of range.

    >>> rank_stability(np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0.5, 0.5]), 1, seed=1).stays.tolist()
    [1.0, 0.0]
    """
    given = np.asarray(weights, np.float64)
    if factors.ndim != 2 or factors.shape[1] != given.size:
        raise CallRefused("search-weights-number", factors=factors.shape[-1], weights=given.size)
    if np.isnan(factors).any() or (given < 0).any() or given.sum() <= 0:
        raise CallRefused("search-stability-unknown")
    if top < 1 or draws < 1 or concentration <= 0:
        raise CallRefused("search-stability", top=top, draws=draws, concentration=concentration)
    random = np.random.default_rng(seed)
    used = given > 0
    stays, first = np.zeros(len(factors), np.int64), np.zeros(len(factors), np.int64)
    for start in range(0, draws, _AT_ONCE):
        drawn = random.dirichlet(concentration * given[used] / given.sum(), min(_AT_ONCE, draws - start))
        # Rounded, so that sums which differ only by the order of adding count as equal.
        scores = np.round(drawn @ factors[:, used].astype(np.float64).T, 12)
        order = np.argsort(-scores, axis=1, kind="stable")
        stays += np.bincount(order[:, :top].ravel(), minlength=len(factors))
        first += np.bincount(order[:, 0], minlength=len(factors))
    return Stability(stays / draws, first / draws, top, draws, seed, concentration)


def factor_means(factors: Sequence[NDArray[np.floating[Any]]], regions: Sequence[Region]) -> NDArray[np.float64]:
    """``(regions, factors)`` mean of each factor over the cells of each region."""
    return np.array(
        [[float(factor.ravel()[region.cells].mean(dtype=np.float64)) for factor in factors] for region in regions]
    )


@dataclass(frozen=True, slots=True)
class Why:
    """Why the best region does not lie at a cell.

    Parameters
    ----------
    eligible
        Whether a region may hold the cell at all (else its exclusions say why not).
    factors
        Factor → its suitability at the cell; NaN where it is not known.
    contributions
        Factor → weight · suitability.
    suitability
        Of the cell; NaN where it is not known.
    region
        The region grown from the cell; none where none of the wanted area can be.
    inside
        Numbers (1 = best) of the candidates that hold the cell.
    beaten_by
        Numbers of the candidates whose score is better than that of ``region``; all of them without one.
    """

    eligible: bool
    factors: Mapping[str, float]
    contributions: Mapping[str, float]
    suitability: float
    region: Region | None
    inside: tuple[int, ...]
    beaten_by: tuple[int, ...]


def why(
    cell: tuple[int, int],
    field: Field,
    rules: RegionRules,
    factors: Mapping[str, NDArray[np.floating[Any]]],
    weights: Mapping[str, float],
    candidates: Sequence[Region],
) -> Why:
    """What speaks for and against a cell.

    Parameters
    ----------
    cell
        Row and column.
    field, rules
        On what the candidates were grown, and what they must be.
    factors, weights
        The factors (0..1) by name, and their weights.
    candidates
        Best first.
    """
    at = int(np.ravel_multi_index(cell, field.value.shape))
    scores = {name: float(factor[cell]) for name, factor in factors.items()}
    eligible = bool(~np.isnan(field.value[cell]))
    region = region_from(field, rules, at) if eligible else None
    return Why(
        eligible,
        scores,
        {name: weights[name] * score for name, score in scores.items()},
        float(field.value[cell]),
        region,
        tuple(number for number, each in enumerate(candidates, 1) if at in each.cells),
        tuple(number for number, each in enumerate(candidates, 1) if region is None or each.score > region.score),
    )
