"""Shapes that are not ruled: rivers and roads along curves, lakes and hills, the cells of a hillside."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from shapely import MultiPoint, Polygon, make_valid, voronoi_polygons
from shapely.geometry.base import BaseGeometry

from geoplan_layers.demo.noise import FloatArray

_TURNS = 48
# Rounded, so that the last bit of a machine's cosine cannot reach a coordinate.
_DIRECTIONS: FloatArray = np.array(
    [
        (round(math.cos(2 * math.pi * i / _TURNS), 9), round(math.sin(2 * math.pi * i / _TURNS), 9))
        for i in range(_TURNS)
    ]
)


def curve(points: Sequence[tuple[float, float]], step: float = 60.0) -> FloatArray:
    """A Catmull-Rom line through ``points`` (m), one vertex about every ``step`` m; n x 2."""
    p = np.array([points[0], *points, points[-1]], dtype=np.float64)
    found: list[FloatArray] = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        length = float(np.sqrt((c[0] - b[0]) * (c[0] - b[0]) + (c[1] - b[1]) * (c[1] - b[1])))
        count = max(2, int(length / step))
        t = np.arange(count).reshape(-1, 1) / count
        found.append(
            0.5
            * (
                2.0 * b
                + (c - a) * t
                + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                + (3.0 * b - a - 3.0 * c + d) * t * t * t
            )
        )
    return np.vstack([*found, p[-1:]])


def ribbon(points: Sequence[tuple[float, float]], widths: Sequence[float], step: float = 60.0) -> Polygon:
    """A river or road along ``points`` (m); ``widths`` (m) are spread evenly along it."""
    line = curve(points, step)
    ahead = np.vstack([line[1:2] - line[0:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]])
    ahead = ahead / np.sqrt(ahead[:, 0] * ahead[:, 0] + ahead[:, 1] * ahead[:, 1]).reshape(-1, 1)
    along = np.linspace(0.0, len(widths) - 1.0, len(line))
    half = np.interp(along, np.arange(len(widths)), np.array(widths)).reshape(-1, 1) / 2.0
    left = line + half * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    right = line - half * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    return whole(Polygon(np.vstack([left, right[::-1]])))


def blob(
    rng: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float], rough: float = 0.25
) -> Polygon:
    """A lake or hill: an ellipse of ``radii`` (m) whose radius varies by ``rough`` (share), smoothly."""
    knots = 1.0 + rough * (2.0 * rng.random(8) - 1.0)
    steps = np.arange(_TURNS) * (len(knots) / _TURNS)
    low = steps.astype(np.int64)
    t = steps - low
    ease = t * t * (3.0 - 2.0 * t)
    scale = knots[low] * (1.0 - ease) + knots[(low + 1) % len(knots)] * ease
    return Polygon(np.array(centre) + _DIRECTIONS * np.array(radii) * scale.reshape(-1, 1))


def shrunk(shape: Polygon, share: float) -> Polygon:
    """The outline drawn towards its centroid: ``share`` of its size."""
    middle = np.array(shape.centroid.coords[0])
    return Polygon(middle + share * (np.array(shape.exterior.coords) - middle))


def hillside(rng: np.random.Generator, hill: Polygon, spacing: float) -> list[Polygon]:
    """Irregular cells of about ``spacing`` m that fill ``hill`` (Voronoi cells of a jittered grid)."""
    x0, y0, x1, y1 = hill.bounds
    columns, rows = int((x1 - x0) / spacing) + 2, int((y1 - y0) / spacing) + 2
    jitter = 0.8 * (rng.random((rows, columns, 2)) - 0.5)
    seeds = [
        (round(x0 + (i + jitter[j, i, 0]) * spacing, 3), round(y0 + (j + jitter[j, i, 1]) * spacing, 3))
        for j in range(rows)
        for i in range(columns)
    ]
    cells = voronoi_polygons(MultiPoint(seeds), extend_to=hill, ordered=True)
    parts = [whole(cell.intersection(hill)) for cell in cells.geoms if cell.intersects(hill)]
    return [part for part in parts if part.area > 1.0]


def whole(shape: BaseGeometry) -> Polygon:
    """The largest polygon of a shape after repair; an empty polygon where there is none."""
    repaired = shape if shape.is_valid else make_valid(shape)
    parts = [part for part in getattr(repaired, "geoms", [repaired]) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area, default=Polygon())
