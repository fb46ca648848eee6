"""Ground on which no town can lie: constraints on a grid, cell by cell, with who takes what.

The grid is worked off in strips of rows, several at once, each reading what it needs of every layer, so memory does
not grow with the layers. Strips do not depend on each other and sums are added in their order: the answer is the same
for any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.errors import CallRefused
from geoplan.search.account import Bits, Counts, count, mark
from geoplan.search.constraint import Approval, Constraint
from geoplan.search.cover import Mask, apart, beyond, covered_share
from geoplan.search.features import Features
from geoplan.search.grid import Grid
from geoplan.search.taking import Method, Strip, Taken, take

MOST = 31
"""Constraints that a grid can tell apart."""
_ROWS = 512
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Taking:
    """Ground of the study area that one constraint takes, m² on the plane.

    Parameters
    ----------
    alone
        What it takes, whatever others do: shares of cells for polygons, whole cells for distances and rasters.
    only
        What no other constraint takes. In a cell that several cover in part, what is certain (a lower bound).
    unknown
        Cells of which its layer does not know what it says there.
    waived
        What approved sites win back from it.
    """

    constraint: str
    alone: float
    only: float
    unknown: float
    waived: float

    @property
    def overlap(self) -> float:
        """What it takes together with others, m²."""
        return self.alone - self.only


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The answer: every cell is eligible, excluded (with reasons), or not known (never free).

    Parameters
    ----------
    reasons, doubts
        Bit ``i`` of a cell: constraint ``i`` excludes it, or does not know it. The bit after the last constraint:
        outside the study area.
    usable
        Percent of the cell that is left at least, rounded down; 0 where it is excluded or not known.
    area, excluded_area, unknown_area, eligible_area, usable_area
        m² of the study area; the middle three add up to the first.
    """

    grid: Grid
    constraints: tuple[str, ...]
    reasons: Bits
    doubts: Bits
    usable: Mask
    takings: tuple[Taking, ...]
    area: float
    excluded_area: float
    unknown_area: float
    eligible_area: float
    usable_area: float

    @property
    def excluded(self) -> NDArray[np.bool_]:
        """Cells that some constraint excludes or that lie outside the study area."""
        return np.asarray(self.reasons != 0)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Cells that nothing excludes but some layer does not know."""
        return np.asarray((self.reasons == 0) & (self.doubts != 0))

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Cells that every layer knows and nothing excludes."""
        free = np.asarray(self.reasons == 0)
        free &= self.doubts == 0
        return free

    def outside(self, row: int, column: int) -> bool:
        """Whether a cell lies outside the study area."""
        return bool(int(self.reasons[row, column]) >> len(self.constraints))

    def why(self, row: int, column: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The constraints that exclude a cell, and those whose layer does not know it."""
        reasons, doubts = int(self.reasons[row, column]), int(self.doubts[row, column])
        named = list(enumerate(self.constraints))
        return tuple(n for i, n in named if reasons >> i & 1), tuple(n for i, n in named if doubts >> i & 1)


def exclude(
    grid: Grid,
    constraints: Sequence[Constraint],
    *,
    area: shapely.Geometry | None = None,
    approved: Sequence[Approval] = (),
    method: Method = "legal",
    workers: int = 2,
    tick: Callable[[int, int], None] | None = None,
) -> Exclusions:
    """Which cells of a grid are excluded, by whom, and what is not known.

    Parameters
    ----------
    area
        The study area on the plane; none for the whole grid. A cell belongs to it that it covers by half or more.
    approved
        Sites that win over named constraints; an absolute constraint cannot be named.
    tick
        Told strips done and strips in all after each strip; what it raises ends the work.

    Raises
    ------
    CallRefused
        More constraints than :data:`MOST`, two of one name, or an approval over a constraint that is absolute or that
        does not exist.
    """
    _require(constraints, approved)
    kind = np.uint16 if len(constraints) < 16 else np.uint32
    reasons, doubts = np.zeros(grid.shape, dtype=kind), np.zeros(grid.shape, dtype=kind)
    usable = np.zeros(grid.shape, dtype=np.uint8)
    ground = None if area is None else Features.of(apart([area]))
    sites = [(Features.of(apart([each.area])), each.over) for each in approved]

    def work(strip: Strip) -> tuple[Counts, NDArray[np.float64]]:
        rows = slice(strip.first, strip.last)
        counts, waived, usable[rows] = _strip(strip, constraints, ground, sites, method, reasons[rows], doubts[rows])
        return counts, waived

    strips = _strips(grid)
    done: list[tuple[Counts, NDArray[np.float64]]] = []
    pool = ThreadPoolExecutor(max(1, workers))
    try:
        for each in pool.map(work, strips):
            done.append(each)
            if tick:
                tick(len(done), len(strips))
    finally:
        pool.shutdown(cancel_futures=True)
    return _result(grid, constraints, reasons, doubts, usable, done)


def _require(constraints: Sequence[Constraint], approved: Sequence[Approval]) -> None:
    names = [each.id for each in constraints]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CallRefused("constraint-twice", ids=twice)
    if len(names) > MOST:
        raise CallRefused("constraints-too-many", count=len(names), most=MOST)
    over = {name for each in approved for name in each.over}
    if over - set(names):
        raise CallRefused("approval-over-nothing", ids=sorted(over - set(names)), known=names)
    absolute = sorted(each.id for each in constraints if each.absolute and each.id in over)
    if absolute:
        raise CallRefused("approval-over-absolute", ids=absolute)


def _strips(grid: Grid) -> list[Strip]:
    """Strips of a height that depends on the grid alone, in step with the blocks of usual rasters."""
    height = max(64, min(_ROWS, _CELLS // max(grid.columns, 1) // 64 * 64))
    return [Strip(grid, first, min(first + height, grid.rows)) for first in range(0, grid.rows, height)]


def _strip(
    strip: Strip,
    constraints: Sequence[Constraint],
    ground: Features | None,
    sites: list[tuple[Features, frozenset[str]]],
    method: Method,
    reasons: Bits,
    doubts: Bits,
) -> tuple[Counts, NDArray[np.float64], Mask]:
    """Fill the bits of a strip; its counts, what approvals win back per constraint (cells), the usable percent."""
    outside = len(constraints)
    shares: dict[int, NDArray[np.float32]] = {}
    if ground is not None:
        shares[outside] = (1 - covered_share(ground, strip.grid)).astype(np.float32)
        mark(shares[outside] > 0.5, outside, reasons)
    waived = np.zeros(outside)
    approved = [(1 - beyond(site, strip.grid), over) for site, over in sites]
    for i, constraint in enumerate(constraints):
        taken = take(constraint, strip, method)
        for site, over in approved:
            if constraint.id in over:
                taken, won = _waived(taken, site, reasons >> outside == 0)
                waived[i] += won
        mark(taken.hit, i, reasons)
        if taken.doubt is not None:
            mark(taken.doubt, i, doubts)
        if taken.share is not None:
            shares[i] = taken.share
    counts, usable = count(reasons, doubts, shares, outside)
    return counts, waived, usable


def _waived(taken: Taken, site: Mask, inside: NDArray[np.bool_]) -> tuple[Taken, float]:
    """What is left of a constraint where an approved site does not lie, and the cells that the site wins back."""
    ground = taken.hit if taken.share is None else taken.share
    won = float(ground[(site == 1) & inside].sum(dtype=float))
    other = 1 - site
    share = None if taken.share is None else taken.share * other
    return Taken(taken.hit & other, share, None if taken.doubt is None else taken.doubt & other), won


def _result(
    grid: Grid,
    constraints: Sequence[Constraint],
    reasons: Bits,
    doubts: Bits,
    usable: Mask,
    done: list[tuple[Counts, NDArray[np.float64]]],
) -> Exclusions:
    ids = tuple(each.id for each in constraints)

    def total(each: Callable[[Counts], float | NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(sum(each(counts) for counts, _ in done)) * grid.cell_area

    per = [total(lambda c: c.alone), total(lambda c: c.only), total(lambda c: c.unknown)]
    per.append(np.asarray(sum(won for _, won in done)) * grid.cell_area)
    takings = tuple(Taking(name, *(float(figure[i]) for figure in per)) for i, name in enumerate(ids))
    parts = (lambda c: c.area, lambda c: c.excluded, lambda c: c.undecided, lambda c: c.eligible, lambda c: c.usable)
    areas = [float(total(part)) for part in parts]
    return Exclusions(grid, ids, reasons, doubts, usable, takings, *areas)
