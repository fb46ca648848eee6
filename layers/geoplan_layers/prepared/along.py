"""Green's theorem along two outlines, compiled: the patch's inside the proposal, the proposal's inside the patch.

A few edges are tried against each other one by one. Where both outlines are long, edges are tried against those alone
that lie in the same cells of the proposal's grid, each crossing is found once for both outlines, and whether an edge
begins inside is carried from the one before.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan_layers.prepared.compiling import inner
from geoplan_layers.prepared.grid import apart, in_proposal, sort, span


class Density(NamedTuple):
    """F = x (w0 + x (w1/2 + x w2/6)), x from ``origin``: the area density and its first two derivatives there."""

    origin: Any
    w0: Any
    w1: Any
    w2: Any


@inner
def in_patch(work, a, b, x, y):
    """Even–odd rule over all rings of a patch."""
    inside = False
    for r in range(a, b):
        for k in range(work.rings[r], work.rings[r + 1] - 1):
            if (work.xy[k, 1] > y) != (work.xy[k + 1, 1] > y):
                part = (y - work.xy[k, 1]) / (work.xy[k + 1, 1] - work.xy[k, 1])
                if x < work.xy[k, 0] + part * (work.xy[k + 1, 0] - work.xy[k, 0]):
                    inside = not inside
    return inside


@inner
def _crossing(ax, ay, dx, dy, ux, uy, vx, vy):
    """Where edge u→v crosses the edge from a by d, as a share of d; −1 where they do not cross."""
    if max(ux, vx) < min(ax, ax + dx) or min(ux, vx) > max(ax, ax + dx):
        return -1.0
    if max(uy, vy) < min(ay, ay + dy) or min(uy, vy) > max(ay, ay + dy):
        return -1.0
    if (dx * (uy - ay) - dy * (ux - ax) > 0) == (dx * (vy - ay) - dy * (vx - ax) > 0):
        return -1.0
    ex, ey = vx - ux, vy - uy
    d3, d4 = ex * (ay - uy) - ey * (ax - ux), ex * (ay + dy - uy) - ey * (ax + dx - ux)
    return -1.0 if (d3 > 0) == (d4 > 0) else d3 / (d3 - d4)


@inner
def _integral(u, du, dy, start, end, at):
    """∫ F dy along a part of an edge: F is a cubic of x − origin, for which Simpson's rule is exact."""
    total = 0.0
    for k in range(3):
        x = u + (start + k * (end - start) / 2) * du
        total += (4.0 if k == 1 else 1.0) * (x * (at.w0 + x * (at.w1 / 2 + x * at.w2 / 6)))
    return total / 6 * (end - start) * dy


@inner
def inside_parts(cuts, count, inside, u, du, dy, at):
    """The integral over the parts of an edge that lie inside, and whether its end does."""
    sort(cuts, count)
    total, start = 0.0, 0.0
    for i in range(count + 1):
        end = cuts[i] if i < count else 1.0
        if inside:
            total += _integral(u, du, dy, start, end, at)
        if i < count:
            inside, start = not inside, end
    return total, inside


@inner
def along_patch(grid, work, a, b, near, count, cuts, at):
    """The integral along the patch's outline where it runs inside the proposal."""
    total = 0.0
    for r in range(a, b):
        first = work.rings[r]
        inside = in_proposal(grid, work.xy[first, 0], work.xy[first, 1])
        for k in range(first, work.rings[r + 1] - 1):
            ax, ay = work.xy[k, 0], work.xy[k, 1]
            dx, dy = work.xy[k + 1, 0] - ax, work.xy[k + 1, 1] - ay
            found = 0
            for w in range(count):
                e = near[w]
                share = _crossing(
                    ax, ay, dx, dy, grid.edges[e, 0], grid.edges[e, 1], grid.edges[e, 2], grid.edges[e, 3]
                )
                if share >= 0:
                    cuts[found] = share
                    found += 1
            part, inside = inside_parts(cuts, found, inside, ax - at.origin, dx, dy, at)
            total += part
    return total


@inner
def along_proposal(grid, work, a, b, i, near, count, cuts, at):
    """The integral along the proposal's outline where it runs inside patch i."""
    total = 0.0
    for w in range(count):
        e = near[w]
        ax, ay = grid.edges[e, 0], grid.edges[e, 1]
        dx, dy = grid.edges[e, 2] - ax, grid.edges[e, 3] - ay
        found = 0
        for r in range(a, b):
            for k in range(work.rings[r], work.rings[r + 1] - 1):
                share = _crossing(ax, ay, dx, dy, work.xy[k, 0], work.xy[k, 1], work.xy[k + 1, 0], work.xy[k + 1, 1])
                if share >= 0:
                    cuts[found] = share
                    found += 1
        inside = not apart(work.boxes, i, ax, ay, ax, ay) and in_patch(work, a, b, ax, ay)
        part, inside = inside_parts(cuts, found, inside, ax - at.origin, dx, dy, at)
        total += part
    return total


@inner
def _crossing_of_both(ax, ay, bx, by, ux, uy, vx, vy):
    """Where the edges a→b and u→v cross, as shares of both; −1 where they do not."""
    if max(ux, vx) < min(ax, bx) or min(ux, vx) > max(ax, bx) or max(uy, vy) < min(ay, by) or min(uy, vy) > max(ay, by):
        return -1.0, -1.0
    dx, dy, ex, ey = bx - ax, by - ay, vx - ux, vy - uy
    d1, d2 = dx * (uy - ay) - dy * (ux - ax), dx * (vy - ay) - dy * (vx - ax)
    if (d1 > 0) == (d2 > 0):
        return -1.0, -1.0
    d3, d4 = ex * (ay - uy) - ey * (ax - ux), ex * (by - uy) - ey * (bx - ux)
    if (d3 > 0) == (d4 > 0):
        return -1.0, -1.0
    return d3 / (d3 - d4), d1 / (d1 - d2)


@inner
def _longer(values, count):
    """The same rows in an array of more."""
    made = np.empty((count, 2))
    for n in range(len(values)):
        made[n, 0], made[n, 1] = values[n, 0], values[n, 1]
    return made


@inner
def along_both(grid, work, a, b, i, near, count, near_at, tried, at):
    """The integral along both outlines; ``near`` are the proposal's edges that touch the box of patch i."""
    sort(near, count)
    for w in range(count):
        near_at[near[w]] = w
    crossed, ends = np.empty((256, 2)), np.zeros(count + 1, np.int64)
    cuts, total, found = np.empty(max(count, work.rings[b] - work.rings[a])), 0.0, 0
    for r in range(a, b):
        first = work.rings[r]
        inside = in_proposal(grid, work.xy[first, 0], work.xy[first, 1])
        for k in range(first, work.rings[r + 1] - 1):
            begun = found
            if len(crossed) < found + count:
                crossed = _longer(crossed, 2 * (found + count))
            found = _cut_by_near(grid, work, k, tried, cuts, crossed, found)
            ax, ay = work.xy[k, 0], work.xy[k, 1]
            dx, dy = work.xy[k + 1, 0] - ax, work.xy[k + 1, 1] - ay
            part, inside = inside_parts(cuts, found - begun, inside, ax - at.origin, dx, dy, at)
            total += part
    for n in range(found):
        ends[near_at[int(crossed[n, 0])] + 1] += 1
    for w in range(count):
        ends[w + 1] += ends[w]
    order = np.empty(found)
    for n in range(found):
        w = near_at[int(crossed[n, 0])]
        order[ends[w]] = crossed[n, 1]
        ends[w] += 1
    return total + _along_near(grid, work, a, b, i, near, count, order, ends, cuts, at)


@inner
def _cut_by_near(grid, work, k, tried, cuts, crossed, found):
    """Where edge k of a patch crosses the proposal: into ``cuts``; the other edge and its share into ``crossed``."""
    ax, ay, bx, by = work.xy[k, 0], work.xy[k, 1], work.xy[k + 1, 0], work.xy[k + 1, 1]
    c0, c1 = span(ax, bx, grid.west, grid.wide, grid.n)
    r0, r1 = span(ay, by, grid.south, grid.high, grid.n)
    n = 0
    for r in range(r0, r1 + 1 if c0 <= c1 else r0):
        for w in range(grid.cell_ends[r * grid.n + c0], grid.cell_ends[r * grid.n + c1 + 1]):
            e = grid.in_cells[w]
            if tried[e] == k:
                continue
            tried[e] = k
            x0, y0, x1, y1 = grid.edges[e, 0], grid.edges[e, 1], grid.edges[e, 2], grid.edges[e, 3]
            here, there = _crossing_of_both(ax, ay, bx, by, x0, y0, x1, y1)
            if here >= 0:
                cuts[n] = here
                crossed[found, 0], crossed[found, 1] = e, there
                n += 1
                found += 1
    return found


@inner
def _along_near(grid, work, a, b, i, near, count, shares, ends, cuts, at):
    """The integral along the proposal's edges; crossings of edge w of ``near`` are ``shares[ends[w - 1]:ends[w]]``."""
    total, inside = 0.0, False
    for w in range(count):
        e = near[w]
        ax, ay = grid.edges[e, 0], grid.edges[e, 1]
        goes_on = w > 0 and near[w - 1] == e - 1 and grid.edges[e - 1, 2] == ax and grid.edges[e - 1, 3] == ay
        if not goes_on:
            inside = not apart(work.boxes, i, ax, ay, ax, ay) and in_patch(work, a, b, ax, ay)
        begin = ends[w - 1] if w > 0 else 0
        for n in range(begin, ends[w]):
            cuts[n - begin] = shares[n]
        dx, dy = grid.edges[e, 2] - ax, grid.edges[e, 3] - ay
        part, inside = inside_parts(cuts, ends[w] - begin, inside, ax - at.origin, dx, dy, at)
        total += part
    return total
