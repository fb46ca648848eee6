"""Defects of single rings, each told with its place and its effect on the area: before anything is made valid.

A ring is an array of vertices as read, closing vertex included. What is found here is told one by one, because GEOS
names only the first defect of a shape and its repair names none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Array

Kind = Literal[
    "duplicates",
    "spike",
    "collapsed",
    "bow-tie",
    "ring-touching",
    "ring-order",
    "hole-outside",
    "hole-across",
    "hole-touching",
    "holes-overlapping",
    "interior-split",
    "nested-parts",
    "parts-overlapping",
    "parts-touching",
    "ring",
]
MOST_LOBES = 200
"""Self-crossings of one ring that are told one by one; a ring with more of them is told as one defect."""
FEWEST = 4
"""Vertices of the smallest ring, the closing one counted."""
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect: where (coordinates as read), how many places it stands for, and what its repair adds to the area."""

    kind: Kind
    at: tuple[float, float]
    change: float = 0.0
    count: int = 1


def suspect(xy: Array, ring: NDArray[np.intp], tolerance: float) -> NDArray[np.intp]:
    """Rings, of many laid end to end, that have a duplicate vertex or a spike: the only ones worth a closer look."""
    same = ring[1:] == ring[:-1]
    step = np.diff(xy, axis=0)
    doubled = same & (step == 0).all(axis=1)
    inner = same[1:] & same[:-1]
    back = _turns_back(step[:-1], step[1:], tolerance) & inner
    first = np.flatnonzero(np.concatenate(([True], ~same)))
    last = np.append(first[1:], len(ring)) - 1
    long = last - first >= FEWEST - 1
    at_start = np.zeros(len(first), dtype=bool)
    at_start[long] = _turns_back(xy[first[long]] - xy[last[long] - 1], xy[first[long] + 1] - xy[first[long]], tolerance)
    return np.unique(np.concatenate((ring[1:][doubled], ring[1:-1][back], ring[first[at_start]])))


def _turns_back(going: Array, coming: Array, tolerance: float) -> NDArray[np.bool_]:
    """Whether the line runs back over itself at a vertex: the shorter arm ends within the tolerance of the longer."""
    cross = np.abs(going[:, 0] * coming[:, 1] - going[:, 1] * coming[:, 0])
    dot = (going * coming).sum(axis=1)
    a, b = np.hypot(going[:, 0], going[:, 1]), np.hypot(coming[:, 0], coming[:, 1])
    return np.asarray((dot < 0) & (cross <= tolerance * np.maximum(a, b)) & (np.minimum(a, b) > 10 * tolerance))


def without_duplicates(xy: Array) -> tuple[Array, list[Defect]]:
    """A ring without vertices that repeat the one before; a closing vertex that stands twice is no defect."""
    repeats = np.concatenate(([False], (np.diff(xy, axis=0) == 0).all(axis=1)))
    if not repeats.any():
        return xy, []
    told = repeats & (xy != xy[-1]).any(axis=1)
    kept = xy[~repeats]
    if not told.any():
        return kept, []
    x, y = xy[np.argmax(told)]
    return kept, [Defect("duplicates", (float(x), float(y)), 0.0, int(told.sum()))]


def without_spikes(xy: Array, tolerance: float) -> tuple[Array, list[Defect]]:
    """A ring without vertices at which the line runs back over itself, each spike told by its tip.

    A spike of several vertices is taken down from its tip and told once.
    """
    points = xy[:-1]
    tip = np.full(len(points), -1)
    changes: list[Defect] = []
    while len(points) >= FEWEST - 1:
        before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
        doubled = (points == after).all(axis=1)
        found = np.flatnonzero(doubled | _turns_back(points - before, after - points, tolerance))
        if not len(found):
            break
        gone = np.zeros(len(points), dtype=bool)
        for i in found:
            ahead, behind = (i + 1) % len(points), i - 1
            if gone[ahead] or gone[behind]:
                continue
            gone[i] = True
            if doubled[i]:
                tip[ahead] = max(tip[ahead], tip[i])
                continue
            change = -_triangle(points[behind], points[i], points[ahead]) * _sign(points)
            if tip[i] >= 0:
                changes[tip[i]] = replace(changes[tip[i]], change=changes[tip[i]].change + change)
            else:
                tip[i] = len(changes)
                changes.append(Defect("spike", (float(points[i, 0]), float(points[i, 1])), change))
            tip[ahead] = tip[behind] = tip[i]
        points, tip = points[~gone], tip[~gone]
    return np.vstack((points, points[:1])) if len(points) else points, changes


def _triangle(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2


def _sign(points: Array) -> float:
    return 1.0 if signed_area(np.vstack((points, points[:1]))) >= 0 else -1.0


def signed_area(xy: Array) -> float:
    """Shoelace area of a closed ring, counter-clockwise positive, in the square of its unit."""
    return float(_crosses(xy - xy[:1]).sum() / 2)


def _crosses(local: Array) -> Array:
    return np.asarray(local[:-1, 0] * local[1:, 1] - local[1:, 0] * local[:-1, 1])


def self_meetings(xy: Array) -> list[Defect]:
    """Where a ring crosses or touches itself, each with what making it valid adds to the area as drawn.

    The ring is cut into loops at the points where it meets itself; the largest is the boundary, the others are the
    lobes of a bow-tie (other way round, outside), curls (same way round, inside: counted twice as drawn), or loops
    that only touch (no effect).
    """
    nodes = _meeting_points(xy)
    if not 0 < len(nodes) <= MOST_LOBES:
        return []
    loops = [loop for loop in _loops(xy, nodes) if len(loop) >= FEWEST]
    if len(loops) < 2:
        return [Defect("ring-touching", (float(x), float(y))) for x, y in nodes[:1]]
    areas = [signed_area(loop) for loop in loops]
    largest = max(range(len(loops)), key=lambda i: abs(areas[i]))
    main = _whole(loops[largest])
    shapely.prepare(main)
    return [
        _lobe(loop, area, areas[largest], main)
        for i, (loop, area) in enumerate(zip(loops, areas, strict=True))
        if i != largest
    ]


def _whole(loop: Array) -> shapely.Geometry:
    return shapely.make_valid(shapely.Polygon(loop), method="structure", keep_collapsed=False)


def _lobe(loop: Array, area: float, main_area: float, main: shapely.Geometry) -> Defect:
    lobe = _whole(loop)
    inside = not shapely.is_empty(lobe) and bool(shapely.intersects(main, shapely.point_on_surface(lobe)))
    at = (float(loop[0, 0]), float(loop[0, 1]))
    if (area > 0) == (main_area > 0):
        return Defect("bow-tie", at, -abs(area)) if inside else Defect("ring-touching", at)
    return Defect("ring-touching", at) if inside else Defect("bow-tie", at, 2 * abs(area))


def _meeting_points(xy: Array) -> Array:
    """Points where more than two edges of the noded ring end."""
    noded = shapely.get_parts(shapely.union_all(np.array([shapely.LineString(xy)], dtype=object)))
    ends = np.concatenate(
        (shapely.get_coordinates(shapely.get_point(noded, 0)), shapely.get_coordinates(shapely.get_point(noded, -1)))
    )
    found, count = np.unique(ends, axis=0, return_counts=True)
    return np.asarray(found[count > 2])


def _loops(xy: Array, nodes: Array) -> Iterator[Array]:
    """The simple loops that a ring makes between its visits to the same point."""
    visits = _visits(xy, nodes)
    if len(visits) < 2:
        return
    stack: list[tuple[int, list[Array]]] = [(visits[0][1], [])]
    for (here, _), (there, node) in zip(visits, [*visits[1:], visits[0]], strict=True):
        stack[-1][1].append(_path(xy, here, there))
        start = next((i for i, (open_node, _) in enumerate(stack) if open_node == node), None)
        if start is None:
            stack.append((node, []))
            continue
        closed = nodes[node]
        between = [step for _, steps in stack[start:] for step in steps]
        corners = [nodes[each] for each, _ in stack[start:]]
        yield np.vstack([closed, *_with_corners(between, corners), closed])
        del stack[start + 1 :]
        stack[start][1].clear()


def _with_corners(steps: list[Array], corners: list[Array]) -> list[Array]:
    """Paths between meeting points with the points themselves where one path ends and the next begins."""
    found: list[Array] = []
    for i, step in enumerate(steps):
        if i and i < len(corners):
            found.append(corners[i][None])
        found.append(step)
    return found


def _visits(xy: Array, nodes: Array) -> list[tuple[float, int]]:
    """Positions along the ring (edge number plus share of it) at which it visits a meeting point, in order."""
    start, end = xy[:-1], xy[1:]
    edges: NDArray[np.object_] = np.asarray(shapely.linestrings(np.stack((start, end), axis=1)), dtype=object)
    reach = _NEAR * max(1.0, float(np.abs(xy).max()))
    node, edge = shapely.STRtree(edges).query(shapely.points(nodes), predicate="dwithin", distance=reach)
    step = end[edge] - start[edge]
    length = np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)
    share = np.clip(((nodes[node] - start[edge]) * step).sum(axis=1) / length, 0.0, 1.0)
    margin = np.minimum(reach / np.sqrt(length), 0.5)
    share = np.where(share <= margin, 0.0, np.where(share >= 1 - margin, 1.0, share))
    position = (edge + share) % len(start)
    return sorted({(float(p), int(n)) for p, n in zip(position, node, strict=True)})


def _path(xy: Array, here: float, there: float) -> Array:
    """The vertices strictly between two positions along a ring, going on past its start where need be."""
    count = len(xy) - 1
    first, last = int(np.floor(here)) + 1, int(np.ceil(there)) - 1
    if there <= here:
        last += count
    return np.asarray(xy[np.arange(first, last + 1) % count])
