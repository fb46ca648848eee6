"""Areas shared with patches by Green's theorem, compiled: no polygon is ever built.

The area of P ∩ Q is the integral of F dy over the pieces of P's outline inside Q and of Q's outline inside P, where
dF/dx is the density of area on the plane: 1 for planar areas, 1/k² (k: the scale of the transverse Mercator) for areas
on the ellipsoid. Patches in cells of the proposal's grid that no edge crosses are taken whole or passed over without
looking at a vertex; only those on the border are integrated.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geoplan.plane import FALSE_EASTING
from geoplan_layers.prepared.compiling import compiled, inner
from geoplan_layers.prepared.grid import (
    BORDER,
    INSIDE,
    OUTSIDE,
    apart,
    box_of,
    edges_of,
    gridded,
    in_proposal,
    kind_of,
    near_edges,
    sort,
    span,
)
from geoplan_layers.prepared.pack import GROUP

UNMEASURED = -1.0
"""Area of a border patch that is left to GEOS."""


class Patchwork(NamedTuple):
    """The arrays of a pack that the kernel looks at; ``upper`` are boxes of 64 groups."""

    xy: Any
    rings: Any
    parts: Any
    patches: Any
    boxes: Any
    groups: Any
    upper: Any
    areas: Any


class Density(NamedTuple):
    """F = x (w0 + x (w1/2 + x w2/6)), x from ``origin``: the area density and its first two derivatives there."""

    origin: Any
    w0: Any
    w1: Any
    w2: Any


@compiled
def ring_sums(work):
    """Planar area of each patch: shells counterclockwise and holes clockwise add up by themselves."""
    areas = np.empty(len(work.patches) - 1)
    for i in range(len(areas)):
        total = 0.0
        for r in range(work.parts[work.patches[i]], work.parts[work.patches[i + 1]]):
            x0, y0 = work.xy[work.rings[r], 0], work.xy[work.rings[r], 1]
            for k in range(work.rings[r] + 1, work.rings[r + 1] - 2):
                total += (work.xy[k, 0] - x0) * (work.xy[k + 1, 1] - y0)
                total -= (work.xy[k + 1, 0] - x0) * (work.xy[k, 1] - y0)
        areas[i] = total / 2
    return areas


@compiled
def candidates(outlines, work, first, last, base, found):
    """Patches whose box touches that of each proposal: counted into ``base`` if ``found`` is empty, else written."""
    for q in range(first, last):
        west, south, east, north = box_of(
            outlines.xy, outlines.rings[outlines.owners[q]], outlines.rings[outlines.owners[q + 1]]
        )
        at = base[q] if len(found) else 0
        for u in range(len(work.upper)):
            if not apart(work.upper, u, west, south, east, north):
                at = _of_groups(work, u, west, south, east, north, at, found)
        if len(found) == 0:
            base[q] = at


@inner
def _of_groups(work, u, west, south, east, north, at, found):
    for g in range(u * GROUP, min((u + 1) * GROUP, len(work.groups))):
        if apart(work.groups, g, west, south, east, north):
            continue
        for i in range(g * GROUP, min((g + 1) * GROUP, len(work.boxes))):
            if not apart(work.boxes, i, west, south, east, north):
                if len(found):
                    found[at] = i
                at += 1
    return at


@compiled
def measured(outlines, work, densities, first, last, base, which, found, whole, heavy):
    """Area that proposals ``first:last`` share with their candidates ``which[base[q]:base[q + 1]]``."""
    for q in range(first, last):
        if base[q + 1] == base[q]:
            continue
        grid = gridded(edges_of(outlines, q))
        seen, near = np.full(len(grid.edges), -1, np.int64), np.empty(len(grid.edges), np.int64)
        for at in range(base[q], base[q + 1]):
            found[at], whole[at] = _shared(grid, work, which[at], densities[q], seen, near, heavy)


@inner
def _shared(grid, work, i, density, seen, near, heavy):
    """Area that patch i shares with the proposal, and whether it lies wholly inside."""
    a, b = work.parts[work.patches[i]], work.parts[work.patches[i + 1]]
    c0, c1 = span(work.boxes[i, 0], work.boxes[i, 2], grid.west, grid.wide, grid.n)
    r0, r1 = span(work.boxes[i, 1], work.boxes[i, 3], grid.south, grid.high, grid.n)
    kind = kind_of(grid, work.boxes, i, c0, c1, r0, r1)
    if kind == BORDER:
        touching = near_edges(grid, work.boxes, i, c0, c1, r0, r1, seen, near)
        if touching and work.rings[b] - work.rings[a] > heavy:
            return UNMEASURED, False
        if touching:
            cuts = np.empty(max(touching, work.rings[b] - work.rings[a]))
            at = _density(work.xy[work.rings[a], 0], density)
            area = _along_patch(grid, work, a, b, near, touching, cuts, at)
            return area + _along_proposal(grid, work, a, b, i, near, touching, cuts, at), False
        k = work.rings[a]
        kind = INSIDE if in_proposal(grid, work.xy[k, 0], work.xy[k, 1]) else OUTSIDE
    return (work.areas[i], True) if kind == INSIDE else (0.0, False)


@inner
def _density(origin, density):
    """1/k² = 1 − s + 2/3 s² with s = x²/(M·N), x from the central meridian, and its derivatives at ``origin``."""
    x = origin - FALSE_EASTING
    s = density * x * x
    return Density(origin, 1 - s + 2 / 3 * s * s, -2 * density * x * (1 - 4 / 3 * s), -2 * density * (1 - 4 * s))


@inner
def _in_patch(work, a, b, x, y):
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
def _inside_parts(cuts, count, inside, u, du, dy, at):
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
def _along_patch(grid, work, a, b, near, count, cuts, at):
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
            part, inside = _inside_parts(cuts, found, inside, ax - at.origin, dx, dy, at)
            total += part
    return total


@inner
def _along_proposal(grid, work, a, b, i, near, count, cuts, at):
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
        inside = not apart(work.boxes, i, ax, ay, ax, ay) and _in_patch(work, a, b, ax, ay)
        part, inside = _inside_parts(cuts, found, inside, ax - at.origin, dx, dy, at)
        total += part
    return total
