"""Upper bounds on the score of a region, block of seeds by block, so that seeds which cannot matter are not grown.

A region stays within reach of its seed, so its mean is at most that of the best cells within reach whose area makes up
the minimum; likewise its sum and its worst cell. For the other evaluations there is no bound, and every seed is grown.
Compiled; imported only when a search runs.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

BLOCK = 16
"""Cells a side of a block of seeds."""
BINS = 128


@njit(parallel=True, cache=True)
def _histograms(value, share, low, scale, down, right):  # type: ignore[no-untyped-def]
    """Usable area and area · value of each block by bin of value."""
    rows, columns = value.shape
    mass, worth = np.zeros((down, right, BINS)), np.zeros((down, right, BINS))
    for y in prange(down):
        for r in range(y * BLOCK, min(rows, (y + 1) * BLOCK)):
            for c in range(columns):
                given = float(value[r, c])
                if given == given:
                    part = float(share[r, c]) if share.size > 1 else 1.0
                    of = min(BINS - 1, int((given - low) * scale))
                    mass[y, c // BLOCK, of] += part
                    worth[y, c // BLOCK, of] += part * given
    return mass, worth


@njit(parallel=True, cache=True)
def ceilings(value, share, low, high, blocks, minimum, maximum, method):  # type: ignore[no-untyped-def]
    """Upper bound of the score for the seeds of each block; −inf where no region can have the minimum area.

    ``blocks`` is how many blocks the reach goes; ``method`` 0 mean, 1 sum, 3 worst.
    """
    rows, columns = value.shape
    down, right = (rows + BLOCK - 1) // BLOCK, (columns + BLOCK - 1) // BLOCK
    scale = BINS / (high - low)
    mass, worth = _histograms(value, share, low, scale, down, right)
    found = np.empty((down, right))
    for y in prange(down):
        for x in range(right):
            near, sums = np.zeros(BINS), np.zeros(BINS)
            for j in range(max(0, y - blocks), min(down, y + blocks + 1)):
                for i in range(max(0, x - blocks), min(right, x + blocks + 1)):
                    near += mass[j, i]
                    sums += worth[j, i]
            found[y, x] = _best(near, sums, low, scale, minimum, maximum, method)
    return found


@njit(cache=True)
def _best(near, sums, low, scale, minimum, maximum, method):  # type: ignore[no-untyped-def]
    """The bound of one block from the histogram of all that is within its reach."""
    if near.sum() < minimum:
        return -np.inf
    area, total = 0.0, 0.0
    limit = maximum if method == 1 else minimum
    for of in range(BINS - 1, -1, -1):
        top = low + (of + 1) / scale
        if method == 1 and top <= 0:
            # Cells below 0 only lessen a sum; down to the minimum area they must be taken all the same.
            limit = max(area, minimum)
        if area + near[of] >= limit:
            return top if method == 3 else _whole(total + (limit - area) * top, limit, method)
        area += near[of]
        total += sums[of]
    return low if method == 3 else _whole(total, area, method)


@njit(cache=True)
def _whole(total, area, method):  # type: ignore[no-untyped-def]
    return total if method == 1 or area == 0 else total / area
