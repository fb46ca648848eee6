"""How good can one region be at all: the exact optimum of small fields, and a bound for larger ones.

The best connected region of ``k`` cells is an integer programme: the region's best cell is its root, from which one
unit of flow goes to every other cell of the region, through cells of the region only (single-commodity flow
formulation of connectivity; Shirabe 2005, "A model of contiguity for spatial unit allocation", Geographical
Analysis 37). That the root is the best cell settles which of ``k`` equal solutions is meant and lets most roots be
ruled out by the sum of the best cells within reach. Solved by HiGHS through SciPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused


@dataclass(frozen=True, slots=True)
class Optimum:
    """What the solver found.

    Parameters
    ----------
    region
        The best region found on the field's grid, or none where time ran out before one.
    total
        Its sum of suitability; NaN without one.
    bound
        No connected region of that many cells has a greater sum.
    exact
        Whether ``total`` is the optimum; else ``bound`` is a bound and no more.
    """

    region: NDArray[np.bool_] | None
    total: float
    bound: float
    exact: bool

    def gap(self, total: float) -> float:
        """By how much a sum falls short of the bound, as a share of it (a bound on the gap where not exact)."""
        return (self.bound - total) / abs(self.bound) if self.bound else 0.0


def best_region(
    value: NDArray[np.floating[Any]],
    count: int,
    neighbours: Literal[4, 8] = 4,
    known: float | None = None,
    seconds: float = 60.0,
) -> Optimum | None:
    """The connected region of ``count`` cells with the greatest sum of suitability.

    Parameters
    ----------
    value
        ``(rows, columns)`` suitability; NaN where a region may not go.
    count
        Cells of the region, at least 2.
    neighbours
        4 or 8.
    known
        The sum of a region that is known to exist: worse ones are not looked at.
    seconds
        Time for the solver; after it the answer is a bound. Fields up to 14 × 14 are solved in seconds.

    Returns
    -------
    Optimum or None
        None where no connected region has that many cells (or none reaches ``known``).

    Raises
    ------
    CallRefused
        When ``count`` is below 2.
    """
    from scipy.optimize import Bounds, milp

    bounds: Any = Bounds

    if count < 2:
        raise CallRefused("search-bound-cells", given=count)
    joins = _joins(~np.isnan(value), neighbours)
    worth = value[~np.isnan(value)].astype(np.float64)
    roots = _possible_roots(worth, joins, count, known)
    if not roots.any():
        return None
    cells, arcs = worth.size, len(joins)
    found = milp(
        np.concatenate([-worth, np.zeros(cells + arcs)]),
        constraints=_constraints(worth, joins, count, known),
        integrality=np.concatenate([np.ones(2 * cells), np.zeros(arcs)]),
        bounds=bounds(0, np.concatenate([np.ones(cells), roots.astype(float), np.full(arcs, count - 1.0)])),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.status == 2:
        return None
    simple = float(np.sort(worth)[::-1][:count].sum())
    bound = simple if found.mip_dual_bound is None else min(simple, -float(found.mip_dual_bound))
    if found.x is None:
        return Optimum(None, float("nan"), bound, False)
    region = np.zeros(value.shape, np.bool_)
    region[~np.isnan(value)] = found.x[:cells] > 0.5
    total = float(worth[found.x[:cells] > 0.5].sum())
    exact = found.status == 0
    return Optimum(region, total, total if exact else max(bound, total), exact)


def _joins(usable: NDArray[np.bool_], neighbours: int) -> NDArray[np.intp]:
    """``(n, 2)`` ordered pairs of usable cells that join, numbered row by row."""
    number = np.full(usable.shape, -1, np.intp)
    number[usable] = np.arange(int(usable.sum()))
    padded = np.pad(number, 1, constant_values=-1)
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)][:neighbours]
    rows, columns = usable.shape
    pairs = []
    for down, right in moves:
        other = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        both = usable & (other >= 0)
        pairs.append(np.column_stack([number[both], other[both]]))
    return np.concatenate(pairs)


def _steps(joins: NDArray[np.intp], cells: int) -> NDArray[np.float64]:
    """Steps between any two cells over joined cells."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    joined = csr_array((np.ones(len(joins)), (joins[:, 0], joins[:, 1])), shape=(cells, cells))
    return np.asarray(shortest_path(joined, unweighted=True))


def _order(worth: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rank of each cell, best first; of equal ones the earlier."""
    rank = np.empty(worth.size, np.intp)
    rank[np.argsort(-worth, kind="stable")] = np.arange(worth.size)
    return rank


def _possible_roots(
    worth: NDArray[np.float64], joins: NDArray[np.intp], count: int, known: float | None
) -> NDArray[np.bool_]:
    """Cells that may be the best of an optimal region: enough worse cells within reach, and good enough together."""
    steps, rank = _steps(joins, worth.size), _order(worth)
    possible = np.zeros(worth.size, np.bool_)
    for cell in range(worth.size):
        near = np.sort(worth[(steps[cell] < count) & (rank >= rank[cell])])[::-1][:count]
        possible[cell] = near.size == count and (known is None or near.sum() >= known - 1e-9 * max(1, abs(known)))
    return possible


def _constraints(worth: NDArray[np.float64], joins: NDArray[np.intp], count: int, known: float | None) -> list[Any]:
    """Rows over the variables: cell taken, cell is the root, flow on each join."""
    from scipy.optimize import LinearConstraint
    from scipy.sparse import csr_array, hstack, identity

    cells, arcs, most = worth.size, len(joins), count - 1
    each, no_flow = identity(cells), csr_array((cells, arcs))
    number = np.arange(arcs)
    leaves = csr_array((np.ones(arcs), (joins[:, 0], number)), shape=(cells, arcs))
    enters = csr_array((np.ones(arcs), (joins[:, 1], number)), shape=(cells, arcs))
    beside = csr_array((np.ones(arcs), (joins[:, 0], joins[:, 1])), shape=(cells, cells))
    rank, steps = _order(worth), _steps(joins, cells)
    worse = csr_array((rank[None, :] > rank[:, None]).astype(float))
    within = csr_array((steps < count).astype(float))
    ones, zeros, still = np.ones(cells), np.zeros(cells), np.zeros(arcs)

    def rows(taken: Any, root: Any, flow: Any, least: float, most: float) -> Any:
        return LinearConstraint(csr_array(hstack([taken, root, flow])), least, most)

    def row(taken: Any, root: Any, least: float, most: float) -> Any:
        return LinearConstraint(csr_array(np.concatenate([taken, root, still])[None, :]), least, most)

    found = [
        row(ones, zeros, count, count),
        row(zeros, ones, 1, 1),
        rows(-each, each, no_flow, -np.inf, 0),  # the root belongs to the region
        rows(-each, count * each, enters - leaves, 0, 0),  # every cell keeps one unit, the root sends them all
        rows(-most * each, most * each, enters, -np.inf, 0),  # flow enters cells of the region, never the root
        rows(-most * leaves.T, csr_array((arcs, cells)), identity(arcs), -np.inf, 0),  # and leaves them only
        rows(each, worse, no_flow, -np.inf, 1),  # the root is the best cell
        rows(each, -within, no_flow, -np.inf, 0),  # no cell lies farther from the root than the region is long
        rows(each - beside, -each, no_flow, -np.inf, 0),  # a cell other than the root has a neighbour
    ]
    if known is not None:
        found.append(row(worth, zeros, known - 1e-9 * max(1, abs(known)), np.inf))
    return [*found[:2], *[each for each in found[2:] if each.A.shape[0]]]
