"""Geometry as the map's page carries it: every vertex once, shapes as lists of numbers of vertices.

Patches of a survey share their sides with their neighbours, and layers cut from one another share them again, so
most vertices of a page would stand in it four to six times. Here they stand in one table, and a ring is the
numbers of its vertices. Both are written as differences in Base64 VLQ, the number format of source maps
(https://tc39.es/ecma426/#sec-base64-vlq): along a ring that was met first here, each difference is 1, and such a run
is written as ``*`` and its length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
PRECISION = 1_000_000
"""Coordinates are whole millionths of a degree: 0.1 m, for the eye only."""

Vertex = tuple[int, int]


def vlq(numbers: Iterable[int]) -> str:
    """Whole numbers as Base64 VLQ: five bits a digit, least first, the sign in the lowest bit.

    >>> vlq([0, 1, -1, 16])
    'ACDgB'
    """
    found: list[str] = []
    for value in numbers:
        left = -value << 1 | 1 if value < 0 else value << 1
        while left > 31:
            found.append(_DIGITS[left & 31 | 32])
            left >>= 5
        found.append(_DIGITS[left])
    return "".join(found)


class PointTable:
    """The vertices of a page, numbered in the order in which shapes first need them.

    Shapes are in degrees. They are written as text: rings parted by spaces and polygons by semicolons; a line
    begins with ``-``, a point with ``.``. A ring that has fewer than three vertices at this precision is left out, as
    is a line with one; a shape of which nothing is left becomes a point, so that a sliver is never lost.
    """

    def __init__(self) -> None:
        self._numbers: dict[Vertex, int] = {}

    def write(self, shape: shapely.Geometry) -> str:
        """A shape as text."""
        dimensions, parts = shapely.get_dimensions(shape), shapely.get_parts(shape)
        if dimensions == 0:
            return self._point(parts[0])
        write = self._line if dimensions == 1 else self._polygon
        written = (write(part) for part in parts if shapely.get_dimensions(part) == dimensions)
        return ";".join(filter(None, written)) or self._point(shapely.point_on_surface(shape))

    def text(self) -> str:
        """The table: differences of longitude and latitude from vertex to vertex."""
        table = np.array(list(self._numbers), dtype=np.int64).reshape(-1, 2)
        return vlq(np.diff(table, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel().tolist())

    def _polygon(self, polygon: shapely.Geometry) -> str:
        rings = [_vertices(ring)[:-1] for ring in shapely.get_rings(polygon)]
        if len(set(rings[0])) < 3:
            return ""
        return " ".join(self._run(ring) for ring in rings if len(set(ring)) > 2)

    def _line(self, line: shapely.Geometry) -> str:
        vertices = _vertices(line)
        return "-" + self._run(vertices) if len(vertices) > 1 else ""

    def _point(self, point: shapely.Geometry) -> str:
        return "." + self._run(_vertices(point))

    def _run(self, vertices: list[Vertex]) -> str:
        numbers = [self._numbers.setdefault(vertex, len(self._numbers)) for vertex in vertices]
        steps = (after - before for before, after in zip([0, *numbers], numbers, strict=False))
        return "".join(_steps(step, sum(1 for _ in run)) for step, run in itertools.groupby(steps))


def _steps(step: int, count: int) -> str:
    """A difference that many times over; a longer run of the next vertices shortly.

    >>> _steps(1, 2), _steps(1, 9), _steps(0, 1)
    ('CC', '*S', 'A')
    """
    return f"*{vlq([count])}" if step == 1 and count > 2 else vlq([step]) * count


def _vertices(shape: shapely.Geometry) -> list[Vertex]:
    """Vertices of a ring, line or point at the page's precision, none twice in a row."""
    xy: NDArray[np.int64] = np.rint(shapely.get_coordinates(shape) * PRECISION).astype(np.int64)
    moved = np.ones(len(xy), dtype=bool)
    moved[1:] = (xy[1:] != xy[:-1]).any(axis=1)
    return [(int(x), int(y)) for x, y in xy[moved]]
