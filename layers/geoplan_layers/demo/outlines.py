"""Boundaries of towns: they follow parcel edges for a stretch, then cut across parcels, as drawn ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely import LineString, Polygon, STRtree

from geoplan_layers.demo.mesh import Patch
from geoplan_layers.demo.noise import FloatArray

SHORTCUT = 45.0  # m; a detour between points nearer than this is cut off: no slots, no spikes, no necks
CHORD = 75.0  # m; how far a cut may leave the parcel edges
STRETCHES = 9  # pieces of an outline that follow and cut in turn


@dataclass(frozen=True)
class Sketch:
    """What a planner roughs out: an outline on the working plane (m) and the area (m²) that it should reach."""

    shape: Polygon
    area: float
    inside: Polygon | None = None
    inset: float = 8.0


def outlined(patches: Sequence[Patch], sketch: Sketch) -> Polygon:
    """The boundary nearest to the wanted area among those of the sketch scaled by 0.8 to 1.25."""
    shapes = np.array([patch.shape for patch in patches], dtype=object)
    near = shapes[STRtree(shapes).query(sketch.shape.buffer(600.0), predicate="intersects")]
    low, high = 0.8, 1.25
    tried: dict[float, Polygon] = {}
    for _ in range(6):
        middle = (low + high) / 2.0
        tried[middle] = _drawn(near, _scaled(sketch.shape, middle), sketch)
        low, high = (middle, high) if tried[middle].area < sketch.area else (low, middle)
    for step in range(-8, 9):
        scale = (low + high) / 2.0 + 0.004 * step
        tried[scale] = _drawn(near, _scaled(sketch.shape, scale), sketch)
    return min(tried.values(), key=lambda drawn: abs(drawn.area - sketch.area))


def _scaled(shape: Polygon, factor: float) -> Polygon:
    middle = np.array(shape.centroid.coords[0])
    return shapely.transform(shape, lambda xy: middle + factor * (xy - middle))


def _drawn(shapes: FloatArray, target: Polygon, sketch: Sketch) -> Polygon:
    ring = _without_detours(shapely.get_coordinates(_chosen(shapes, target).exterior)[:-1])
    outline = Polygon(_without_spikes(_cutting(ring)))
    if sketch.inside is not None:
        outline = _largest(outline.intersection(sketch.inside.buffer(-sketch.inset, join_style="mitre")))
    rounded = _largest(shapely.set_precision(outline, 0.001))
    return Polygon(rounded.exterior)


def _chosen(shapes: FloatArray, target: Polygon) -> Polygon:
    """Union of the patches that lie mostly inside; a road or canal comes along where both its sides do."""
    share = shapely.area(shapely.intersection(shapes, target)) / shapely.area(shapes)
    bulky = 2.0 * shapely.area(shapes) > 16.0 * shapely.length(shapes)
    fields = shapes[bulky & (share > 0.5)]
    closed = shapely.union_all(fields).buffer(20.0, join_style="mitre").buffer(-20.0, join_style="mitre")
    lanes = shapes[~bulky]
    between = lanes[shapely.area(shapely.intersection(lanes, closed)) > 0.7 * shapely.area(lanes)]
    return _largest(shapely.coverage_union_all(np.concatenate([fields, between])))


def _without_detours(ring: FloatArray) -> FloatArray:
    """Leave out stretches that come back to within ``SHORTCUT`` m after a way of over 2.5 times that distance."""
    points = ring
    done = False
    while not done:
        done = True
        steps = np.roll(points, -1, axis=0) - points
        lengths = _lengths(steps)
        total = float(lengths.sum())
        way = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
        for i in range(len(points)):
            ahead = (way - way[i]) % total
            straight = _lengths(points - points[i])
            spare = (straight < SHORTCUT) & (ahead > 2.5 * straight) & (ahead < 0.4 * total) & (ahead > 0.0)
            if spare.any():
                j = int(np.flatnonzero(spare)[np.argmax(ahead[spare])])
                if (j - i) % len(points) > 1:
                    points = np.array([points[(j + k) % len(points)] for k in range((i - j) % len(points) + 1)])
                    done = False
                    break
    return points


def _cutting(ring: FloatArray) -> FloatArray:
    """Every other stretch drawn with few, long edges between parcel corners."""
    marks = np.linspace(0, len(ring), STRETCHES + 1).astype(np.int64)
    closed = np.vstack([ring, ring[:1]])
    pieces: list[FloatArray] = []
    for number, (a, b) in enumerate(pairwise(marks.tolist())):
        stretch = closed[a : b + 1]
        if number % 2 == 0:
            stretch = shapely.get_coordinates(LineString(stretch).simplify(CHORD, preserve_topology=False))
        pieces.append(stretch[:-1])
    return np.vstack(pieces)


def _without_spikes(ring: FloatArray) -> FloatArray:
    """Leave out horns and notches over twice as deep as wide, then corners sharper than 60 degrees."""
    points = ring
    while len(points) > 8:
        deep = _horn(points)
        if deep is not None:
            points = np.delete(points, [(deep + 1) % len(points), (deep + 2) % len(points)], axis=0)
            continue
        before, after = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
        dot = before[:, 0] * after[:, 0] + before[:, 1] * after[:, 1]
        cosine = dot / (_lengths(before) * _lengths(after))
        sharpest = int(np.argmax(cosine))
        if cosine[sharpest] < 0.5:
            break
        points = np.delete(points, sharpest, axis=0)
    return points


def _horn(points: FloatArray) -> int | None:
    """Where the way over the next two corners is longest against its mouth, if over three times and under 250 m."""
    steps = _lengths(np.roll(points, -1, axis=0) - points)
    way = steps + np.roll(steps, -1) + np.roll(steps, -2)
    mouth = _lengths(np.roll(points, -3, axis=0) - points)
    depth = np.where(mouth < 250.0, way / mouth, 0.0)
    deepest = int(np.argmax(depth))
    return deepest if depth[deepest] > 3.0 else None


def _lengths(steps: FloatArray) -> FloatArray:
    return np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1])


def _largest(shape: shapely.Geometry) -> Polygon:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area)


def placed(
    points: Sequence[tuple[float, float]], bend: Callable[[FloatArray], FloatArray], origin: tuple[int, int]
) -> Polygon:
    """A sketch in design coordinates, moved to the working plane (m)."""
    line = LineString([*points, points[0]]).segmentize(80.0)
    return Polygon(bend(shapely.get_coordinates(line)) + np.array(origin))
