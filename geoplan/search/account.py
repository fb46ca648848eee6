"""Counting a strip: who takes each cell, alone, with others, or as the only one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geoplan.crs import Array
from geoplan.search.cover import Mask

Bits = NDArray[np.uint16 | np.uint32]


@dataclass(frozen=True, slots=True)
class Counts:
    """Ground in cells (shares of a cell count as such); arrays hold one figure per constraint."""

    alone: Array
    only: Array
    unknown: Array
    area: float
    excluded: float
    undecided: float
    eligible: float
    usable: float


def count(reasons: Bits, doubts: Bits, shares: dict[int, NDArray[np.float32]], outside: int) -> tuple[Counts, Mask]:
    """Counts of a strip, and the usable percent of each cell, rounded down.

    Parameters
    ----------
    reasons, doubts
        Bit ``i`` is set where constraint ``i`` excludes, or does not know, a cell.
    shares
        By constraint: the share of a cell that it covers, where that is not only 0 or 1.
    outside
        The bit of what lies outside the study area; such cells are not counted.
    """
    partial = np.zeros(reasons.shape, dtype=np.uint8)
    for share in shares.values():
        _mark_partial(share, partial)
    alone, only, unknown = (np.zeros(outside + 1) for _ in range(3))
    sums = np.zeros(5)
    usable = np.zeros(reasons.shape, dtype=np.uint8)
    _whole_cells(reasons, doubts, partial, outside, alone, only, unknown, sums, usable)
    if shares and partial.any():
        _partial_cells(reasons, doubts, shares, np.nonzero(partial), (alone, only, unknown, sums, usable))
    area, excluded, undecided, eligible, free = (float(each) for each in sums)
    return Counts(alone[:outside], only[:outside], unknown[:outside], area, excluded, undecided, eligible, free), usable


def _partial_cells(
    reasons: Bits,
    doubts: Bits,
    shares: dict[int, NDArray[np.float32]],
    at: tuple[NDArray[np.intp], ...],
    into: tuple[Array, Array, Array, Array, Mask],
) -> None:
    """Cells that something covers in part: who takes what is bounded, since shares do not say where in the cell.

    ``only`` is what a constraint takes at least that no other does, and the usable share is what is left at least.
    """
    alone, only, unknown, sums, usable = into
    outside = len(alone) - 1
    bits, open_ = reasons[at].astype(np.int64), doubts[at].astype(np.int64)
    bit = np.arange(outside + 1)[:, None]
    taken = ((bits >> bit) & 1).astype(float)
    for i, share in shares.items():
        taken[i] = share[at]
    counted = (bits >> outside) & 1 == 0
    ground = np.where(counted, 1 - taken[outside], 0.0)
    total = taken[:outside].sum(axis=0)
    for i in range(outside):
        alone[i] += np.minimum(taken[i], ground).sum()
        only[i] += np.clip(ground - (total - taken[i]), 0, np.minimum(taken[i], ground)).sum()
        unknown[i] += (((open_ >> i) & 1) * ground).sum()
    excluded, undecided = bits != 0, (bits == 0) & (open_ != 0)
    eligible = (bits == 0) & (open_ == 0)
    left = np.where(eligible, np.clip(ground - total, 0, 1), 0.0)
    sums += [ground.sum(), ground[excluded].sum(), ground[undecided].sum(), ground[eligible].sum(), left.sum()]
    usable[at] = np.floor(100 * left + 1e-4).astype(np.uint8)


@njit(cache=True, nogil=True)
def mark(mask, bit, bits):  # type: ignore[no-untyped-def]
    """Set a bit where a mask is set."""
    one = bits.dtype.type(1 << bit)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            bits[row, column] |= one * (mask[row, column] != 0)


@njit(cache=True, nogil=True)
def _mark_partial(share, partial):  # type: ignore[no-untyped-def]
    for row in range(share.shape[0]):
        for column in range(share.shape[1]):
            if 0 < share[row, column] < 1:
                partial[row, column] = 1


@njit(cache=True, nogil=True)
def _whole_cells(reasons, doubts, partial, outside, alone, only, unknown, sums, usable):  # type: ignore[no-untyped-def]
    """Count the cells that nothing covers in part, in runs of equal ones along the row."""
    rows, columns = reasons.shape
    for row in range(rows):
        column = 0
        while column < columns:
            bits, open_, skip = reasons[row, column], doubts[row, column], partial[row, column]
            first = column
            while (
                column < columns
                and reasons[row, column] == bits
                and doubts[row, column] == open_
                and partial[row, column] == skip
            ):
                column += 1
            if skip or bits >> outside:
                continue
            run = column - first
            _add_bits(bits, run, alone)
            _add_bits(open_, run, unknown)
            if bits & (bits - 1) == 0:
                _add_bits(bits, run, only)
            sums[0] += run
            sums[1 if bits else (2 if open_ else 3)] += run
            if not bits and not open_:
                sums[4] += run
                usable[row, first:column] = 100


@njit(cache=True, nogil=True)
def _add_bits(bits, run, counts):  # type: ignore[no-untyped-def]
    for i in range(len(counts)):
        if (bits >> i) & 1:
            counts[i] += run
