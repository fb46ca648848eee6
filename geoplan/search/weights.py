"""Weights of factors: given, from pairwise comparison (AHP), or from how much the cells differ (entropy)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused

_RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
"""Mean consistency index of random comparisons of 1 to 15 factors (Saaty 1980)."""
CONSISTENT = 0.1
"""Consistency ratio up to which Saaty takes comparisons as consistent."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One weight a factor, sum 1.

    Parameters
    ----------
    values
        In the order of the factors.
    method
        ``given``, ``comparison`` or ``entropy``.
    consistency
        Consistency ratio of the comparisons; none for the other methods.
    """

    values: NDArray[np.float64]
    method: str
    consistency: float | None = None


def given(values: Sequence[float]) -> Weights:
    """Weights as given, brought to a sum of 1.

    Raises
    ------
    CallRefused
        When one is negative or not a number, or all are 0.

    >>> given([3, 1]).values.tolist()
    [0.75, 0.25]
    """
    found = np.asarray(values, np.float64)
    if found.size == 0 or not np.isfinite(found).all() or (found < 0).any() or found.sum() == 0:
        raise CallRefused("search-weights", given=", ".join(f"{value:g}" for value in values))
    return Weights(found / found.sum(), "given")


def by_comparison(matrix: Sequence[Sequence[float]], accept_inconsistent: bool = False) -> Weights:
    """Weights by the analytic hierarchy process: the principal eigenvector of the pairwise comparisons.

    Parameters
    ----------
    matrix
        ``(n, n)``: how many times factor i matters more than factor j (Saaty's 1/9..9); ``a[j][i] = 1 / a[i][j]``.
    accept_inconsistent
        Whether a consistency ratio above 0.1 is taken all the same.

    Raises
    ------
    CallRefused
        When the matrix is not square, positive and reciprocal, has more than 15 factors, or is not consistent.

    >>> by_comparison([[1, 3], [1 / 3, 1]]).values.tolist()
    [0.75, 0.25]
    """
    if len({len(row) for row in matrix} | {len(matrix)}) != 1 or len(matrix) > len(_RANDOM_INDEX):
        raise CallRefused("search-comparison-shape", rows=len(matrix), most=len(_RANDOM_INDEX))
    compared = np.asarray(matrix, np.float64)
    if not np.isfinite(compared).all() or (compared <= 0).any():
        raise CallRefused("search-comparison-positive")
    wrong = np.argwhere(~np.isclose(compared * compared.T, 1.0, rtol=1e-3))
    if wrong.size:
        row, column = int(wrong[0][0]), int(wrong[0][1])
        raise CallRefused("search-comparison-reciprocal", row=row + 1, column=column + 1)
    found: Any = np.linalg.eig(compared)
    values, vectors = found.eigenvalues, found.eigenvectors
    principal = int(np.argmax(values.real))
    # Signs and sizes of eigenvectors are free: the sum of 1 settles both.
    weights = vectors[:, principal].real / vectors[:, principal].real.sum()
    ratio = _consistency(float(values[principal].real), len(matrix))
    if ratio > CONSISTENT and not accept_inconsistent:
        raise CallRefused("search-comparison-inconsistent", ratio=f"{ratio:.3f}", limit=f"{CONSISTENT:g}")
    return Weights(np.round(weights, 12) / np.round(weights, 12).sum(), "comparison", ratio)


def _consistency(greatest: float, count: int) -> float:
    """Saaty's consistency ratio ``((λ − n) / (n − 1)) / RI``; 0 for two factors, which are always consistent."""
    if count < 3:
        return 0.0
    return max(0.0, (greatest - count) / (count - 1) / _RANDOM_INDEX[count - 1])


def by_entropy(factors: Sequence[NDArray[np.floating[Any]]]) -> Weights:
    """Weights by Shannon's entropy: a factor that differs little between cells weighs little.

    Each factor's share of its own sum over the cells whose every factor is known gives the entropy; the weight is
    proportional to 1 − entropy / ln(cells). Where no factor differs, all weigh the same.

    Raises
    ------
    CallRefused
        When a factor is negative somewhere, is 0 everywhere, or fewer than two cells are known.
    """
    known = np.logical_and.reduce([~np.isnan(factor) for factor in factors])
    if known.sum() < 2:
        raise CallRefused("search-entropy-cells", cells=int(known.sum()))
    spread = []
    for number, factor in enumerate(factors, 1):
        cells = factor[known].astype(np.float64)
        if (cells < 0).any() or cells.sum() == 0:
            raise CallRefused("search-entropy-negative", number=number)
        part = cells / cells.sum()
        logs = np.log(np.where(part > 0, part, 1.0))
        spread.append(max(0.0, 1.0 + float((part * logs).sum()) / float(np.log(cells.size))))
    total = np.asarray(spread)
    even = total.sum() < 1e-12
    return Weights(np.full(len(spread), 1 / len(spread)) if even else total / total.sum(), "entropy")
