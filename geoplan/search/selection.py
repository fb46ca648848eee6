"""Which N regions: the best set that keeps its distances, chosen exactly where that is small.

Every eligible seed counts. Blocks of seeds are grown best bound first, and a block whose bound cannot matter is never
grown: the answer is that of growing all. A set is better that has more regions, then one whose scores sum to more;
of equal ones that with the earlier seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused
from geoplan.search.pool import Pool
from geoplan.search.regions import Field, Region, RegionRules

_MOST_SETS = 20_000
"""Sets that branch and bound looks at before it gives up."""
_CLOSED, _NEAR, _SERVED = 1, 2, 4
"""Bits of a cell: too near to a chosen region; near enough to one; near enough to an existing place."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances to keep, m, between the outlines of cells.

    Parameters
    ----------
    minimum
        Between any two regions; at 0 they may touch, never overlap.
    maximum
        From each region to the nearest other one, or none.
    existing
        ``(rows, columns)`` distance of each cell to the nearest existing place, m, or none.
    existing_minimum, existing_maximum
        Limits of a region's distance to the nearest existing place.
    """

    minimum: float = 0.0
    maximum: float | None = None
    existing: NDArray[np.floating[Any]] | None = None
    existing_minimum: float = 0.0
    existing_maximum: float | None = None

    def __post_init__(self) -> None:
        if self.minimum < 0 or (self.maximum is not None and self.maximum < self.minimum):
            raise CallRefused("search-spacing", minimum=self.minimum, maximum=self.maximum)
        wanted = self.existing_minimum > 0 or self.existing_maximum is not None
        if wanted and self.existing is None:
            raise CallRefused("search-existing")


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen regions and how they were chosen.

    Parameters
    ----------
    regions
        Best score first; fewer than asked where the distances leave no room.
    method
        ``exact``: no other set is better; ``greedy-swaps``: the best region first, then the best of what remains,
        with exchanges.
    total
        Sum of the scores.
    bound
        No set of as many regions, each grown from one seed, has a greater sum.
    seeds
        Eligible seeds.
    grown
        Seeds that were grown; the others cannot matter by their bound.
    ceiling
        No single region of the wanted area and reach scores more, whatever its shape; infinite where the evaluation
        has no bound.
    """

    regions: tuple[Region, ...]
    method: Literal["exact", "greedy-swaps"]
    total: float
    bound: float
    seeds: int
    grown: int
    ceiling: float


def distance_to(mask: NDArray[np.bool_], cell: float) -> NDArray[np.float64]:
    """Distance between the outlines of each cell and of the nearest cell of a mask, m; 0 where they touch.

    Two cells that are ``dr`` rows and ``dc`` columns apart lie ``hypot(max(dr − 1, 0), max(dc − 1, 0))`` cells
    from each other, which is the distance to the mask widened by one cell to all sides.
    """
    from scipy.ndimage import binary_dilation, distance_transform_edt

    if not mask.any():
        return np.full(mask.shape, np.inf)
    wide: Any = binary_dilation(mask, np.ones((3, 3), np.bool_))
    return np.asarray(distance_transform_edt(~wide), np.float64) * cell


def locate(
    field: Field,
    rules: RegionRules,
    count: int,
    spacing: Spacing | None = None,
    *,
    exact_up_to: int = 150,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    seeds: NDArray[np.bool_] | None = None,
) -> Selection:
    """The best ``count`` regions of a field.

    Parameters
    ----------
    field, rules
        On what, and what each region must be.
    count
        How many.
    spacing
        Distances; by default regions only do not overlap.
    exact_up_to
        Most distinct regions among which all sets are searched; with more, greedy with exchanges.
    threads
        The answer does not depend on it.
    progress
        Called with the share of seeds settled several times a second; what it raises ends the search.
    seeds
        Cells that may be seeds; by default every eligible one.

    Raises
    ------
    CallRefused
        When ``count`` is not positive or the rules cannot be grown on this field.
    """
    if count < 1:
        raise CallRefused("search-count", given=count)
    spacing = spacing or Spacing()
    if spacing.existing is not None and spacing.existing_minimum > 0:
        field = field.without(spacing.existing < spacing.existing_minimum)
    pool = Pool(field, rules, threads, progress, seeds)
    search = _Search(pool, spacing)
    chosen = search.greedy(count)
    best = pool.best_score()
    # A member of a better set scores at least what the others, each at best the best, leave for it.
    worth = -np.inf if len(chosen) < count else _value(chosen)[1] - (count - 1) * best
    candidates = pool.distinct(worth, exact_up_to) if count > 1 else None
    exact = search.exact(candidates, count, chosen) if candidates is not None else None
    if exact is None and count > 1:
        chosen = search.exchanged(chosen, count)
    chosen = exact or chosen
    total = sum(region.score for region in chosen)
    proved = exact is not None or count == 1
    bound = total if proved else len(chosen) * best
    return Selection(chosen, "exact" if proved else "greedy-swaps", total, bound, pool.seeds, pool.grown, pool.ceiling)


class _TooMany(Exception):
    """More sets than are searched one by one."""


class _Search:
    """Sets of regions of one pool under one spacing."""

    def __init__(self, pool: Pool, spacing: Spacing) -> None:
        self.pool = pool
        self.spacing = spacing
        self.shape = pool.field.value.shape
        self._around: dict[int, tuple[tuple[slice, slice], NDArray[np.uint8]]] = {}

    def greedy(
        self,
        count: int,
        first: tuple[Region, ...] = (),
        left_out: Region | None = None,
        vicinity: bool = False,
    ) -> tuple[Region, ...]:
        """Add the best region that keeps its distances until there are ``count``.

        ``left_out`` is not taken; with ``vicinity`` neither is any region that meets it.
        """
        chosen = list(first)
        banned = frozenset([self.pool.mark_of(left_out.seed)] if left_out else [])
        while len(chosen) < count:
            need = _SERVED if self.spacing.existing_maximum is not None else 0
            need |= _NEAR if self.spacing.maximum is not None and chosen else 0
            zones = self._zones(chosen)
            if left_out is not None and vicinity:
                zones.ravel()[left_out.cells] |= _CLOSED
            found = self.pool.best(zones, _CLOSED, need, banned)
            if found is None:
                break
            chosen.append(found)
        return tuple(sorted(chosen, key=_rank))

    def exchanged(self, chosen: tuple[Region, ...], count: int) -> tuple[Region, ...]:
        """Leave one region out, complete the set without it, keep what is better; until nothing is."""
        tried = self._exchange(chosen, count)
        while tried is not None:
            chosen = tried
            tried = self._exchange(chosen, count)
        return chosen

    def _exchange(self, chosen: tuple[Region, ...], count: int) -> tuple[Region, ...] | None:
        for out in chosen:
            others = tuple(each for each in chosen if each is not out)
            for kept, vicinity in (((), False), ((), True), (others, False)):
                tried = self.greedy(count, kept, out, vicinity)
                if self._holds(tried) and _value(tried) > _value(chosen):
                    return tried
        return None

    def exact(self, candidates: tuple[Region, ...], count: int, known: tuple[Region, ...]) -> tuple[Region, ...] | None:
        """The best set among some regions, by branch and bound from a known one; None after too many sets."""
        usable = [each for each in candidates if self._served(each)]
        apart = np.array([[not self._meets(one, other, _CLOSED) for other in usable] for one in usable], np.bool_)
        best: list[tuple[Region, ...]] = [known]
        nodes = [_MOST_SETS]

        def extend(chosen: list[int], open_: NDArray[np.intp]) -> None:
            nodes[0] -= 1
            if nodes[0] < 0:
                raise _TooMany
            members = tuple(usable[i] for i in chosen)
            if members and _value(members) > _value(best[0]) and self._holds(members):
                best[0] = members
            room, total = count - len(chosen), sum(each.score for each in members)
            if room == 0:
                return
            for position, candidate in enumerate(open_):
                rest = open_[position : position + room]
                if (len(chosen) + len(rest), total + sum(usable[i].score for i in rest)) <= _value(best[0]):
                    return
                later = open_[position + 1 :]
                extend([*chosen, int(candidate)], later[apart[candidate, later]])

        try:
            extend([], np.arange(len(usable)))
        except _TooMany:
            return None
        return tuple(sorted(best[0], key=_rank))

    def _served(self, region: Region) -> bool:
        """Whether the region lies within the maximum distance of an existing place, where one is asked for."""
        limit, existing = self.spacing.existing_maximum, self.spacing.existing
        return limit is None or existing is None or bool((existing.ravel()[region.cells] <= limit).any())

    def _holds(self, chosen: tuple[Region, ...]) -> bool:
        """Whether each region has another within the maximum distance."""
        if self.spacing.maximum is None or len(chosen) < 2:
            return True
        return all(any(self._meets(other, each, _NEAR) for other in chosen if other is not each) for each in chosen)

    def _meets(self, region: Region, other: Region, bit: int) -> bool:
        """Whether a cell of ``other`` has this bit of the surroundings of ``region``."""
        (down, across), bits = self._bits(region)
        rows, columns = np.divmod(other.cells, self.shape[1])
        inside = (rows >= down.start) & (rows < down.stop) & (columns >= across.start) & (columns < across.stop)
        return bool((bits[rows[inside] - down.start, columns[inside] - across.start] & bit).any())

    def _zones(self, chosen: list[Region]) -> NDArray[np.uint8]:
        """Bits of every cell under some chosen regions."""
        found = np.zeros(self.shape, np.uint8)
        if self.spacing.existing_maximum is not None and self.spacing.existing is not None:
            found[self.spacing.existing <= self.spacing.existing_maximum] = _SERVED
        for region in chosen:
            place, bits = self._bits(region)
            found[place] |= bits
        return found

    def _bits(self, region: Region) -> tuple[tuple[slice, slice], NDArray[np.uint8]]:
        """The window around a region and its cells' bits, kept for the next time."""
        if region.seed not in self._around:
            cell = self.pool.field.cell
            margin = int(np.ceil(max(self.spacing.minimum, self.spacing.maximum or 0.0) / cell)) + 2
            rows, columns = np.divmod(region.cells, self.shape[1])
            top, left = max(0, int(rows.min()) - margin), max(0, int(columns.min()) - margin)
            bottom, right = int(rows.max()) + margin + 1, int(columns.max()) + margin + 1
            window = np.zeros((min(bottom, self.shape[0]) - top, min(right, self.shape[1]) - left), np.bool_)
            window[rows - top, columns - left] = True
            away = distance_to(window, cell)
            bits = np.where(window | (away < self.spacing.minimum - 1e-9), _CLOSED, 0)
            if self.spacing.maximum is not None:
                bits = bits | np.where(away <= self.spacing.maximum + 1e-9, _NEAR, 0)
            place = (slice(top, top + window.shape[0]), slice(left, left + window.shape[1]))
            self._around[region.seed] = place, bits.astype(np.uint8)
        return self._around[region.seed]


def _rank(region: Region) -> tuple[float, int]:
    return -region.score, region.seed


def _value(chosen: tuple[Region, ...]) -> tuple[int, float]:
    """A set's worth: more regions, then a greater sum of scores (to 12 digits: sums in another order are equal)."""
    return len(chosen), float(f"{sum(region.score for region in chosen):.12g}")
