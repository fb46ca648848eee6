"""Compiled growth of regions: a heap of frontier cells in a window around the seed.

Imported only when a search runs (the first call compiles for some seconds; the result is kept on disk). Nothing here
depends on the order of threads: each seed is grown alone, in whole numbers, with ties settled by place.

A cell's key is ``tradeoff · D − (100 − tradeoff) · U`` in whole steps of 2⁻²⁴, where ``D`` is its distance from the
seed in radii of the target area and ``U`` its suitability between the least and greatest of the field. The frontier
cell with the least key is taken next; of equal keys the northernmost, then the westernmost.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

STEP = 1 << 24
"""Steps of a utility of 1 and of a distance of one radius."""
OFFSET = 100 * STEP
PLACE_BITS = 24
"""Bits of a heap entry that hold the place in the window; the window has at most 4,096 cells a side."""
PLACE = (1 << PLACE_BITS) - 1

MEAN, SUM, MEDIAN, WORST, CORE, EDGE = range(6)

_DOWN = (0, 0, 1, -1, 1, 1, -1, -1)
_RIGHT = (1, -1, 0, 0, 1, -1, 1, -1)


@njit(cache=True)
def _push(heap, count, entry):  # type: ignore[no-untyped-def]
    at = count
    while at > 0:
        above = (at - 1) >> 2
        if heap[above] <= entry:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = entry


@njit(cache=True)
def _pop(heap, count):  # type: ignore[no-untyped-def]
    """The least entry of a heap of four children each; ``count`` is the number before."""
    least, last, at, size = heap[0], heap[count - 1], 0, count - 1
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        best = child
        for other in range(child + 1, min(child + 4, size)):
            if heap[other] < heap[best]:
                best = other
        if heap[best] >= last:
            break
        heap[at] = heap[best]
        at = best
    heap[at] = last
    return least


@njit(cache=True)
def _spread(value, share, seed, low, scale, form, tradeoff, moves, target, maximum, state, heap, cells):  # type: ignore[no-untyped-def]
    """Take cells from the frontier until the area is reached; ``(count, area)`` in cells, ``state`` 2 = taken."""
    side = form.shape[0]
    half = side // 2
    rows, columns = value.shape
    top, left = seed // columns - half, seed % columns - half
    weighted = share.size > 1
    flat = form.ravel()
    state[:] = 0
    start = half * side + half
    heap[0] = np.int64(start)
    state[start] = 1
    waiting, count, area = 1, 0, 0.0
    while waiting > 0 and area < target:
        place = _pop(heap, waiting) & PLACE
        waiting -= 1
        row, column = place // side, place % side
        part = float(share[top + row, left + column]) if weighted else 1.0
        if area + part > maximum:
            continue
        state[place] = 2
        cells[count] = place
        count += 1
        area += part
        for move in range(moves):
            r, c = row + _DOWN[move], column + _RIGHT[move]
            if r < 0 or c < 0 or r >= side or c >= side:
                continue
            y, x = top + r, left + c
            if y < 0 or x < 0 or y >= rows or x >= columns:
                continue
            near = r * side + c
            if state[near] != 0:
                continue
            state[near] = 1
            given = value[y, x]
            distance = flat[near]
            if given != given or distance < 0:
                continue
            utility = np.int64((float(given) - low) * scale + 0.5)
            key = tradeoff * distance - (100 - tradeoff) * utility + OFFSET
            _push(heap, waiting, (key << PLACE_BITS) | near)
            waiting += 1
    return count, area


@njit(cache=True)
def _islands(cells, count, side, moves, state, stack):  # type: ignore[no-untyped-def]
    """Mark in ``state``: 2 = the first ``count`` cells, 3 = reached from outside, else an island; the box searched.

    Of a region joined by edges the outside also passes corners, of one joined by corners it passes edges only.
    """
    state[:] = 0
    low_r, high_r, low_c, high_c = side, -1, side, -1
    for i in range(count):
        state[cells[i]] = 2
        low_r, high_r = min(low_r, cells[i] // side), max(high_r, cells[i] // side)
        low_c, high_c = min(low_c, cells[i] % side), max(high_c, cells[i] % side)
    size = 0
    for r in range(low_r, high_r + 1):
        for c in range(low_c, high_c + 1):
            rim = r in (low_r, high_r) or c in (low_c, high_c)
            if rim and state[r * side + c] == 0:
                state[r * side + c] = 3
                stack[size] = r * side + c
                size += 1
    while size > 0:
        size -= 1
        r, c = stack[size] // side, stack[size] % side
        for move in range(12 - moves):
            y, x = r + _DOWN[move], c + _RIGHT[move]
            if low_r <= y <= high_r and low_c <= x <= high_c and state[y * side + x] == 0:
                state[y * side + x] = 3
                stack[size] = y * side + x
                size += 1
    return low_r, high_r, low_c, high_c


@njit(cache=True)
def _filled(value, share, seed, cells, count, side, moves, state, stack):  # type: ignore[no-untyped-def]
    """Put the usable cells of the islands of the first ``count`` cells behind them; ``(count, area)`` with them."""
    columns = value.shape[1]
    half = side // 2
    top, left = seed // columns - half, seed % columns - half
    weighted = share.size > 1
    low_r, high_r, low_c, high_c = _islands(cells, count, side, moves, state, stack)
    area, added, size = 0.0, count, count
    for i in range(count):
        y, x = top + cells[i] // side, left + cells[i] % side
        area += float(share[y, x]) if weighted else 1.0
        stack[i] = cells[i]
    # Usable land of an island that only excluded land surrounds does not join the region.
    while size > 0:
        size -= 1
        row, column = stack[size] // side, stack[size] % side
        for move in range(moves):
            r, c = row + _DOWN[move], column + _RIGHT[move]
            if r < low_r or r > high_r or c < low_c or c > high_c or state[r * side + c] != 0:
                continue
            if value[top + r, left + c] == value[top + r, left + c]:
                state[r * side + c] = 4
                stack[size] = r * side + c
                size += 1
    for r in range(low_r, high_r + 1):
        for c in range(low_c, high_c + 1):
            if state[r * side + c] == 4:
                area += float(share[top + r, left + c]) if weighted else 1.0
                stack[added] = r * side + c
                added += 1
    return added, area


@njit(cache=True)
def _without_islands(value, share, seed, cells, count, side, moves, limits, state, stack):  # type: ignore[no-untyped-def]
    """The shortest start of the growth that reaches the target with its islands filled, or the one before it.

    The area with islands filled grows with every cell taken, so the length is found by halving.
    """
    minimum, target, maximum = limits
    added, area = _filled(value, share, seed, cells, count, side, moves, state, stack)
    low, high, step = 1, count, 1 + added - count
    # Islands are few as a rule: look near the end first.
    while area >= target and low < high:
        middle = max(low, high - step) if step > 0 else (low + high) // 2
        if _filled(value, share, seed, cells, middle, side, moves, state, stack)[1] >= target:
            high, step = middle, 2 * step
        else:
            low, step = middle + 1, 0
    low = high
    added, area = _filled(value, share, seed, cells, low, side, moves, state, stack)
    if area > maximum and low > 1:
        low -= 1
        added, area = _filled(value, share, seed, cells, low, side, moves, state, stack)
    if area < minimum or area > maximum:
        return 0, area
    for i in range(low, added):
        cells[i] = stack[i]
    for i in range(added):
        state[cells[i]] = 2
    return added, area


@njit(cache=True)
def grow_one(value, share, seed, low, scale, form, tradeoff, moves, fill, limits, state, heap, cells):  # type: ignore[no-untyped-def]
    """Grow one region; ``(count, area)`` in cells, ``count`` 0 where the limits cannot be met from this seed."""
    minimum, target, maximum = limits
    count, area = _spread(value, share, seed, low, scale, form, tradeoff, moves, target, maximum, state, heap, cells)
    if fill and count > 0:
        return _without_islands(value, share, seed, cells, count, form.shape[0], moves, limits, state, heap)
    return (count, area) if minimum <= area <= maximum else (0, area)


@njit(cache=True)
def _outline(cells, count, side, state, share, top, left, core):  # type: ignore[no-untyped-def]
    """Usable area of the cells with all eight neighbours in the region, or the number of outer cell edges."""
    total = 0.0
    for i in range(count):
        row, column = cells[i] // side, cells[i] % side
        missing = 0
        for move in range(8 if core else 4):
            r, c = row + _DOWN[move], column + _RIGHT[move]
            if r < 0 or c < 0 or r >= side or c >= side or state[r * side + c] != 2:
                missing += 1
        if not core:
            total += missing
        elif missing == 0:
            total += float(share[top + row, left + column]) if share.size > 1 else 1.0
    return total


@njit(cache=True)
def _score(value, share, seed, cells, count, area, side, state, method):  # type: ignore[no-untyped-def]
    """The measure that regions are ranked by; more is better."""
    columns = value.shape[1]
    top, left = seed // columns - side // 2, seed % columns - side // 2
    if method == CORE:
        return _outline(cells, count, side, state, share, top, left, True)
    if method == EDGE:
        return -_outline(cells, count, side, state, share, top, left, False)
    if method == MEDIAN:
        given = np.empty(count, np.float64)
        for i in range(count):
            given[i] = value[top + cells[i] // side, left + cells[i] % side]
        return np.median(given)
    total, worst = 0.0, np.inf
    for i in range(count):
        y, x = top + cells[i] // side, left + cells[i] % side
        total += float(value[y, x]) * (float(share[y, x]) if share.size > 1 else 1.0)
        worst = min(worst, float(value[y, x]))
    if method == WORST:
        return worst
    return total / area if method == MEAN else total


@njit(cache=True)
def _mark(seed, cells, count, side, columns):  # type: ignore[no-untyped-def]
    """A number that stands for the set of cells, whatever their order (splitmix64, summed)."""
    top, left = seed // columns - side // 2, seed % columns - side // 2
    total = np.uint64(0)
    for i in range(count):
        z = np.uint64((top + cells[i] // side) * columns + left + cells[i] % side) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        total += z ^ (z >> np.uint64(31))
    return total


@njit(cache=True)
def _zones(seed, cells, count, side, columns, zones):  # type: ignore[no-untyped-def]
    """All the zones' bits that the region meets."""
    met = np.uint8(0)
    if zones.size > 1:
        top, left = seed // columns - side // 2, seed % columns - side // 2
        for i in range(count):
            met |= zones[top + cells[i] // side, left + cells[i] % side]
    return met


@njit(parallel=True, cache=True)
def grow_many(value, share, zones, seeds, low, scale, form, tradeoff, moves, fill, limits, method, tasks):  # type: ignore[no-untyped-def]
    """Grow every seed; score (NaN where none), usable area in cells, mark of the cell set, zones met."""
    side, columns = form.shape[0], value.shape[1]
    scores, areas = np.empty(len(seeds)), np.empty(len(seeds))
    marks, met = np.empty(len(seeds), np.uint64), np.empty(len(seeds), np.uint8)
    for task in prange(tasks):
        state = np.empty(side * side, np.uint8)
        heap = np.empty(side * side, np.int64)
        cells = np.empty(side * side, np.int32)
        for i in range(task, len(seeds), tasks):
            seed = seeds[i]
            count, area = grow_one(
                value, share, seed, low, scale, form, tradeoff, moves, fill, limits, state, heap, cells
            )
            areas[i] = area
            if count == 0:
                scores[i], marks[i], met[i] = np.nan, np.uint64(0), np.uint8(0)
                continue
            scores[i] = _score(value, share, seed, cells, count, area, side, state, method)
            marks[i] = _mark(seed, cells, count, side, columns)
            met[i] = _zones(seed, cells, count, side, columns, zones)
    return scores, areas, marks, met
