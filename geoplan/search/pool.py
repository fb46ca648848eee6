"""All regions that seeds can grow into, found best bound first and only as far as asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.search.regions import EVALUATIONS, Field, Region, RegionRules, grow, radius, region_from

_BATCH_CELLS = 3_000_000
"""Cells grown between two calls of ``progress``: a quarter of a second's work."""


class Pool:
    """The regions of a field, in the order of their scores; blocks of seeds are grown when they may matter."""

    def __init__(
        self,
        field: Field,
        rules: RegionRules,
        threads: int | None = None,
        progress: Callable[[float], None] | None = None,
        seeds: NDArray[np.bool_] | None = None,
    ) -> None:
        self.field = field
        self.rules = rules
        self._threads = threads
        self._progress = progress
        usable = field.eligible if seeds is None else field.eligible & seeds
        self._seed_list = np.flatnonzero(usable).astype(np.int64)
        self.seeds = int(self._seed_list.size)
        self.grown = 0
        self._seeds, self._starts, self._limits = self._by_block()
        self._next = 0
        self._found_seeds = np.empty(0, np.int64)
        self._found_scores = np.empty(0, np.float64)
        self._found_marks = np.empty(0, np.uint64)
        self._regions: dict[int, Region] = {}

    def _by_block(self) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.float64]]:
        """Seeds sorted by their block's bound, best first; where each block starts; the bounds."""
        if self.seeds == 0:
            return self._seed_list, np.zeros(1, np.intp), np.empty(0)
        from geoplan.search import ceiling

        rows, columns = self.field.value.shape
        across = math.ceil(columns / ceiling.BLOCK)
        block = (self._seed_list // columns) // ceiling.BLOCK * across + self._seed_list % columns // ceiling.BLOCK
        if self.rules.evaluation in ("mean", "sum", "worst"):
            bounds = self._bounds(ceiling).ravel()
        else:
            bounds = np.full(math.ceil(rows / ceiling.BLOCK) * across, np.inf)
        place = np.argsort(-bounds, kind="stable")
        rank = np.empty(place.size, np.intp)
        rank[place] = np.arange(place.size)
        order = np.argsort(rank[block], kind="stable")
        counts = np.bincount(rank[block], minlength=place.size)
        held = (counts > 0) & (bounds[place] > -np.inf)
        starts = np.concatenate([[0], np.cumsum(counts[held])])
        return self._seed_list[order][: starts[-1]], starts, bounds[place][held]

    def _bounds(self, ceiling: Any) -> NDArray[np.float64]:
        low, high = self.field.span
        unit = self.field.cell**2
        blocks = math.ceil(max(1, math.ceil(self.rules.reach * radius(self.field, self.rules))) / ceiling.BLOCK)
        share = np.ones((1, 1), np.float32) if self.field.share is None else self.field.share
        found = ceiling.ceilings(
            self.field.value,
            share,
            low,
            high,
            blocks,
            self.rules.minimum / unit * (1 - 1e-9),
            self.rules.maximum / unit * (1 + 1e-9),
            EVALUATIONS.index(self.rules.evaluation),
        )
        # The bound is summed in another order than the score: a hair above every rounding.
        hair = 1e-9 * (np.abs(np.where(np.isfinite(found), found, 0.0)) + high - low)
        return np.asarray(found + hair, np.float64)

    def _more(self) -> None:
        """Grow the next blocks, more of them where much is found already (which is sorted again)."""
        batch = max(1, int(_BATCH_CELLS / max(1.0, self.rules.target / self.field.cell**2)))
        enough = self.grown + max(batch, len(self._found_seeds) // 8)
        scores, seeds, marks = [self._found_scores], [self._found_seeds], [self._found_marks]
        while self._next < len(self._limits) and self.grown < enough:
            upto = self._starts[self._next] + batch
            end = max(self._next + 1, int(np.searchsorted(self._starts, upto, side="right")) - 1)
            some = self._seeds[self._starts[self._next] : self._starts[end]]
            result = grow(self.field, self.rules, some, threads=self._threads)
            there = ~np.isnan(result.scores)
            scores.append(result.scores[there])
            seeds.append(result.seeds[there])
            marks.append(result.marks[there])
            self.grown += int(some.size)
            self._next = end
            self._tick()
        order = np.lexsort([np.concatenate(seeds), -np.concatenate(scores)])
        self._found_scores = np.concatenate(scores)[order]
        self._found_seeds = np.concatenate(seeds)[order]
        self._found_marks = np.concatenate(marks)[order]

    def _settled(self) -> int:
        """How many of the regions found are known to be the best of all."""
        left = self._limits[self._next] if self._next < len(self._limits) else -np.inf
        return (
            int(np.searchsorted(-self._found_scores, -left, side="left")) if left > -np.inf else len(self._found_scores)
        )

    @property
    def ceiling(self) -> float:
        """No region of the wanted area and reach scores more, whatever its shape; infinite without a bound."""
        return float(self._limits[0]) if self._limits.size else -math.inf

    def best_score(self) -> float:
        """The best score of any seed; −inf where no seed grows."""
        while self._next < len(self._limits) and self._settled() == 0:
            self._more()
        return float(self._found_scores[0]) if self._found_scores.size else -math.inf

    def mark_of(self, seed: int) -> int:
        """The mark of a region that was found."""
        return int(self._found_marks[np.flatnonzero(self._found_seeds == seed)[0]])

    def region(self, seed: int) -> Region:
        """The region of a seed that was found."""
        if seed not in self._regions:
            found = region_from(self.field, self.rules, seed)
            assert found is not None, "a seed that was grown grows again"
            self._regions[seed] = found
        return self._regions[seed]

    def best(self, zones: NDArray[np.uint8], closed: int, need: int, banned: frozenset[int]) -> Region | None:
        """The best region that meets no ``closed`` bit of the zones and every bit of ``need``; none is left: None."""
        at, bits, size = 0, zones.ravel(), 64
        outside = np.array(sorted(banned), np.uint64)
        while True:
            while at >= self._settled():
                if self._next >= len(self._limits):
                    return None
                self._more()
            # A region holds its seed, so a closed seed needs no growing.
            upto = self._settled()
            open_ = (bits[self._found_seeds[at:upto]] & closed) == 0
            open_ &= ~np.isin(self._found_marks[at:upto], outside)
            places = at + np.flatnonzero(open_)
            for start in range(0, len(places), size):
                some = self._found_seeds[places[start : start + size]]
                met = grow(self.field, self.rules, some, zones, self._threads).met
                fits = np.flatnonzero(((met & closed) == 0) & ((met & need) == need))
                if fits.size:
                    return self.region(int(some[fits[0]]))
                self._tick()
            at = upto

    def _tick(self) -> None:
        if self._progress is not None:
            self._progress(float(self._starts[self._next]) / max(1, self.seeds))

    def distinct(self, score: float, most: int) -> tuple[Region, ...] | None:
        """Every distinct region of this score or better; None where there are more than ``most``."""
        hair = 1e-9 * max(1.0, abs(score)) if math.isfinite(score) else 0.0
        while True:
            upto = int(np.searchsorted(-self._found_scores, -(score - hair), side="right"))
            _, first = np.unique(self._found_marks[:upto], return_index=True)
            if first.size > most:
                return None
            if self._next >= len(self._limits) or self._limits[self._next] < score - hair:
                break
            self._more()
        return tuple(self.region(int(self._found_seeds[place])) for place in np.sort(first))
