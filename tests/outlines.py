"""Random boundaries for tests: several parts, holes, vertices on the 1 mm grid."""

from __future__ import annotations

import numpy as np
import shapely

from builders import X0, Y0

GRID = 3
"""Decimals of a metre."""


def random_boundary(seed: int) -> shapely.MultiPolygon:
    """One to four parts apart from each other, each a star with up to three holes, EPSG:4549, vertices to 1 mm."""
    draw = np.random.default_rng(seed)
    parts: list[shapely.Polygon] = []
    for i in range(int(draw.integers(1, 5))):
        x, y = X0 + 3000.0 * i + draw.uniform(0, 500), Y0 + draw.uniform(-1000, 1000)
        outline = _star(draw, x, y, draw.uniform(300, 1200), int(draw.integers(4, 40)))
        holes: list[shapely.Polygon] = []
        for k in range(int(draw.integers(0, 4))):
            angle = 2 * np.pi * k / 3
            hole = _star(draw, x + 90 * np.cos(angle), y + 90 * np.sin(angle), draw.uniform(5, 30), 5)
            if outline.contains_properly(hole):
                holes.append(hole)
        parts.append(shapely.Polygon(outline.exterior, [hole.exterior for hole in holes]))
    found = shapely.MultiPolygon(parts)
    assert found.is_valid, shapely.is_valid_reason(found)
    return found


def _star(draw: np.random.Generator, x: float, y: float, radius: float, corners: int) -> shapely.Polygon:
    """A ring around a point whose corners lie at even angles, 60 to 100 % of the radius away."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + draw.uniform(0, 1)
    far = radius * draw.uniform(0.6, 1.0, corners)
    xy = np.column_stack([x + far * np.cos(angles), y + far * np.sin(angles)])
    return shapely.Polygon(np.round(xy, GRID))
