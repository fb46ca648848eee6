"""Curves of a drawing as points: no chord lies farther from its curve than a stated distance.

ezdxf flattens arcs by way of Bézier curves, which leave 27 mm on a radius of 100 m; arcs, circles and ellipses are
therefore stroked here by their own equations. Splines are flattened by ezdxf, which halves until it is near enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import TooLarge

SAGITTA = 0.001
"""Greatest distance between a chord and its curve, metres on the ground."""
MOST_POINTS = 20_000
"""Points of one curve; a curve that needs more is refused."""

Points = NDArray[np.float64]
"""Coordinates, shape (n, 2) or (n, 3)."""


def steps(radius: float, angle: float, within: float = SAGITTA) -> int:
    """How many chords keep an arc of that radius and angle (radians) that near to it.

    >>> steps(100.0, 2 * math.pi)
    703
    """
    if radius <= within:
        return 4
    count = math.ceil(abs(angle) / (4 * math.asin(math.sqrt(within / (2 * radius)))))
    if count > MOST_POINTS:
        raise TooLarge("curve-too-long", radius=radius, most=MOST_POINTS)
    return max(count, 4)


def arc(centre: tuple[float, float], radius: float, start: float, end: float, within: float) -> Points:
    """Points of an arc from ``start`` to ``end`` (radians), counter-clockwise when ``end`` is the greater."""
    at = np.linspace(start, end, steps(radius, end - start, within) + 1)
    return np.column_stack([centre[0] + radius * np.cos(at), centre[1] + radius * np.sin(at)])


def ellipse(
    centre: tuple[float, float],
    major: tuple[float, float],
    minor: tuple[float, float],
    start: float,
    end: float,
    within: float,
) -> Points:
    """Points of an elliptic arc by its half axes as vectors, from parameter ``start`` to ``end`` (radians).

    A chord between parameters t ± d lies within a(1 − cos d) of the curve, as on the circle of the longer half axis.
    """
    longest = max(math.hypot(*major), math.hypot(*minor))
    at = np.linspace(start, end, steps(longest, end - start, within) + 1)[:, None]
    return np.asarray(np.asarray(centre) + np.cos(at) * np.asarray(major) + np.sin(at) * np.asarray(minor))


def bulged(vertices: Sequence[tuple[float, float, float]] | Points, closed: bool, within: float) -> Points:
    """Points of a polyline of (x, y, bulge): a bulge is the tangent of a quarter of its arc's angle.

    >>> len(bulged([(0, 0, 1.0), (2, 0, 0.0)], closed=False, within=0.001)) > 30
    True
    """
    rows = np.asarray(vertices, dtype=np.float64).reshape(-1, 3)
    if closed and len(rows):
        rows = np.vstack([rows, rows[:1]])
    if len(rows) < 2 or not rows[:-1, 2].any():
        return rows[:, :2]
    parts: list[Points] = []
    for first, second in pairwise(rows):
        parts.append(_bulge(first, second, within)[:-1])
    return np.vstack([*parts, rows[-1:, :2]])


def _bulge(first: Points, second: Points, within: float) -> Points:
    """Points from one vertex to the next along its bulge, both ends kept exactly."""
    start, end, bulge = first[:2], second[:2], float(first[2])
    chord = end - start
    length = float(np.hypot(*chord))
    if bulge == 0 or length == 0:
        return np.vstack([start, end])
    angle = 4 * math.atan(bulge)
    radius = length / (2 * math.sin(abs(angle) / 2))
    away = length * (1 - bulge**2) / (4 * bulge)
    centre = (start + end) / 2 + away * np.array([-chord[1], chord[0]]) / length
    begin = math.atan2(start[1] - centre[1], start[0] - centre[0])
    points = arc((float(centre[0]), float(centre[1])), radius, begin, begin + angle, within)
    points[0], points[-1] = start, end
    return points
