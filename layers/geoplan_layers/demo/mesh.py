"""From overlapping parts to a clean planar coverage: shared edges have identical vertices, nothing overlaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import shapely
from shapely import Polygon, STRtree

from geoplan_layers.demo.noise import FloatArray

Key = TypeVar("Key")
GRID = 0.001  # m; every coordinate of the demo lies on it


@dataclass(frozen=True)
class Part:
    """A piece of the landscape as drawn: the first of those that cover a place decides.

    ``group``: pieces of one group that touch become one patch. ``crosses``: village units cut it, as they cut
    roads and rivers.
    """

    shape: Polygon
    use: str
    group: str
    unit: int = -1
    block: int = -1
    crosses: bool = False


@dataclass(frozen=True)
class Patch:
    """One patch of the coverage: outline (m), class code, village unit, block of the fields under it."""

    shape: Polygon
    use: str
    unit: int
    block: int


def coverage(over: Sequence[Part], ground: Sequence[Part]) -> list[Patch]:
    """Node all outlines, polygonise, and give each face to the topmost part (``over`` in order, then ``ground``)."""
    parts = [*over, *ground]
    shapes = np.array([part.shape for part in parts], dtype=object)
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=GRID)
    faces = np.array(shapely.get_parts(shapely.polygonize([lines])), dtype=object)
    points, owners = STRtree(shapes).query(shapely.point_on_surface(faces), predicate="within")
    top = np.full(len(faces), len(parts))
    base = np.full(len(faces), len(parts))
    np.minimum.at(top, points, owners)
    on_ground = owners >= len(over)
    np.minimum.at(base, points[on_ground], owners[on_ground])
    groups: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for face in range(len(faces)):
        if base[face] < len(parts):
            owner = parts[top[face]]
            unit = parts[base[face]].unit if owner.crosses else -1
            groups[owner.use, owner.group, unit].append(face)
    found: list[Patch] = []
    for (use, _, _), members in groups.items():
        under = parts[base[members[int(np.argmax(shapely.area(faces[members])))]]]
        found += _dissolved(faces[members], Patch(Polygon(), use, under.unit, under.block))
    return found


def _dissolved(faces: Iterable[Polygon], like: Patch) -> list[Patch]:
    union = shapely.coverage_union_all(list(faces))
    return [replace(like, shape=shapely.normalize(part)) for part in shapely.get_parts(union)]


def rings(shape: Polygon) -> list[FloatArray]:
    """All rings of a polygon, closed, n x 2."""
    return [shapely.get_coordinates(ring) for ring in (shape.exterior, *shape.interiors)]


def neighbours(patches: Sequence[Patch]) -> list[dict[int, float]]:
    """For each patch the length (m) of the border that it shares with each neighbour."""
    seen: dict[tuple[float, float, float, float], int] = {}
    shared: list[dict[int, float]] = [defaultdict(float) for _ in patches]
    for index, patch in enumerate(patches):
        for ring in rings(patch.shape):
            for (ax, ay), (bx, by) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
                key = (ax, ay, bx, by) if (ax, ay) < (bx, by) else (bx, by, ax, ay)
                other = seen.setdefault(key, index)
                if other != index:
                    length = float(np.sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by)))
                    shared[index][other] += length
                    shared[other][index] += length
    return shared


def absorb(
    patches: list[Patch],
    small: Callable[[Patch], bool],
    takes: Callable[[Patch, Patch], bool],
    passes: int = 3,
) -> list[Patch]:
    """Give each ``small`` patch to the neighbour with the longest common border that ``takes`` it."""
    for _ in range(passes):
        shared = neighbours(patches)
        heir: dict[int, int] = {}
        taking: set[int] = set()
        order = sorted((i for i, patch in enumerate(patches) if small(patch)), key=lambda i: patches[i].shape.area)
        for index in order:
            willing = [(n, -j) for j, n in shared[index].items() if j not in heir and takes(patches[j], patches[index])]
            if willing and index not in taking:
                heir[index] = -max(willing)[1]
                taking.add(heir[index])
        if not heir:
            break
        patches = _joined(patches, heir)
    return patches


def _joined(patches: list[Patch], heir: dict[int, int]) -> list[Patch]:
    members: dict[int, list[int]] = defaultdict(list)
    for small, large in heir.items():
        members[large].append(small)
    found: list[Patch] = []
    for index, patch in enumerate(patches):
        if index in members:
            found += _dissolved([patch.shape, *(patches[i].shape for i in members[index])], patch)
        elif index not in heir:
            found.append(patch)
    return found


def bent(
    patches: Sequence[Patch],
    warp: Callable[[FloatArray], FloatArray],
    step: float,
    ease: float,
    origin: tuple[int, int],
) -> list[Patch]:
    """Divide edges to at most ``step`` m, warp, simplify together by ``ease`` m, and move to ``origin`` (m)."""
    outlines = [[densified(ring, step) for ring in rings(patch.shape)] for patch in patches]
    flat = [ring for outline in outlines for ring in outline]
    ends = np.cumsum([len(ring) for ring in flat])
    moved = iter(np.split(np.round(warp(np.vstack(flat)), 3), ends[:-1]))
    shapes: list[Polygon] = []
    for outline in outlines:
        outer, *holes = [next(moved) for _ in outline]
        shapes.append(Polygon(outer, holes))
    eased = shapely.coverage_simplify(shapes, ease, simplify_boundary=True)
    placed = shapely.transform(eased, lambda xy: np.round(xy + np.array(origin), 3))
    return [replace(patch, shape=shape) for patch, shape in zip(patches, placed, strict=True)]


def densified(ring: FloatArray, step: float) -> FloatArray:
    """Points on every edge, at most ``step`` m apart (n x 2, closed as given).

    They are computed from the lower end of an edge whichever way it runs: neighbours get the same ones.
    """
    start, end = ring[:-1], ring[1:]
    across, along = end[:, 0] - start[:, 0], end[:, 1] - start[:, 1]
    counts = (np.sqrt(across * across + along * along) / step).astype(np.int64) + 1
    edge = np.repeat(np.arange(len(start)), counts)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    forward = ((across > 0.0) | ((across == 0.0) & (along > 0.0)))[edge]
    share = (np.where(forward, number, counts[edge] - number) / counts[edge]).reshape(-1, 1)
    low = np.where(forward.reshape(-1, 1), start[edge], end[edge])
    high = np.where(forward.reshape(-1, 1), end[edge], start[edge])
    points = low + (high - low) * share
    points[number == 0] = start
    return np.vstack([points, ring[-1:]])


def dissolved(patches: Sequence[Patch], key: Callable[[int], Key | None]) -> list[tuple[Key, Polygon]]:
    """Patches of one key that touch, as one polygon each; those without a key are left out."""
    groups: dict[Key, list[Polygon]] = defaultdict(list)
    for index, patch in enumerate(patches):
        name = key(index)
        if name is not None:
            groups[name].append(patch.shape)
    return [
        (name, shapely.normalize(part))
        for name, members in groups.items()
        for part in shapely.get_parts(shapely.coverage_union_all(members))
    ]
