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
from geoplan_layers.prepared.along import Density, along_both, along_patch, along_proposal
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
    span,
)
from geoplan_layers.prepared.pack import GROUP

_FEW = 2_048
"""Edges of a patch times edges of a proposal near it up to which all of them are tried against each other."""


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
def measured(outlines, work, densities, first, last, base, which, found, whole):
    """Area that proposals ``first:last`` share with their candidates ``which[base[q]:base[q + 1]]``."""
    for q in range(first, last):
        if base[q + 1] == base[q]:
            continue
        grid = gridded(edges_of(outlines, q))
        count = len(grid.edges)
        seen, near = np.full(count, -1, np.int64), np.empty(count, np.int64)
        near_at, tried = np.empty(count, np.int64), np.full(count, -1, np.int64)
        for at in range(base[q], base[q + 1]):
            found[at], whole[at] = _shared(grid, work, which[at], densities[q], seen, near, near_at, tried)


@inner
def _shared(grid, work, i, density, seen, near, near_at, tried):
    """Area that patch i shares with the proposal, and whether it lies wholly inside."""
    a, b = work.parts[work.patches[i]], work.parts[work.patches[i + 1]]
    c0, c1 = span(work.boxes[i, 0], work.boxes[i, 2], grid.west, grid.wide, grid.n)
    r0, r1 = span(work.boxes[i, 1], work.boxes[i, 3], grid.south, grid.high, grid.n)
    kind = kind_of(grid, work.boxes, i, c0, c1, r0, r1)
    if kind == BORDER:
        touching, vertices = near_edges(grid, work.boxes, i, c0, c1, r0, r1, seen, near), work.rings[b] - work.rings[a]
        at = _density(work.xy[work.rings[a], 0], density)
        if touching * vertices > _FEW:
            return along_both(grid, work, a, b, i, near, touching, near_at, tried, at), False
        if touching:
            cuts = np.empty(max(touching, vertices))
            area = along_patch(grid, work, a, b, near, touching, cuts, at)
            return area + along_proposal(grid, work, a, b, i, near, touching, cuts, at), False
        k = work.rings[a]
        kind = INSIDE if in_proposal(grid, work.xy[k, 0], work.xy[k, 1]) else OUTSIDE
    return (work.areas[i], True) if kind == INSIDE else (0.0, False)


@inner
def _density(origin, density):
    """1/k² = 1 − s + 2/3 s² with s = x²/(M·N), x from the central meridian, and its derivatives at ``origin``."""
    x = origin - FALSE_EASTING
    s = density * x * x
    return Density(origin, 1 - s + 2 / 3 * s * s, -2 * density * x * (1 - 4 / 3 * s), -2 * density * (1 - 4 * s))
