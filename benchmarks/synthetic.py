"""Invented data of the size and shape of a land-use survey, the same every time: a layer and proposals on it.

The layer is an irregular mesh with exactly shared, wiggly edges: patches of half a hectare on average, 8 to 56 vertices,
46 % of them farmland in clumps. `marred` puts into it what real surveys have and a mesh has not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geoplan.plane import Plane

PLANE = Plane(120)
SIDE = 70.0
"""Mean length of a patch's side, m."""
_X0, _Y0 = 400_000.0, 3_500_000.0


@dataclass(frozen=True)
class Layer:
    """Farmland patches: their places in the whole layer, and which of them are broken."""

    shapes: np.ndarray
    numbers: np.ndarray
    broken: np.ndarray
    bounds: tuple[float, float, float, float]


def whole(count: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Every patch of a layer of about ``count``, all valid, one ring each; and which of them are farmland."""
    random = np.random.default_rng(seed)
    rows = round(count**0.5)
    columns = -(-count // rows)
    x, y = _nodes(random, rows, columns)
    flat = _edges(random, x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:])
    upright = _edges(random, x[:-1], y[:-1], x[1:], y[1:])
    shapes = _cells(flat, upright, x, y, rows, columns)
    return shapes, _farmland(random, rows, columns)


def clean(count: int, seed: int = 7) -> Layer:
    """The farmland of a layer of about ``count`` patches."""
    shapes, farmland = whole(count, seed)
    chosen = np.flatnonzero(farmland)
    bounds = tuple(float(v) for v in shapely.total_bounds(shapes))
    return Layer(shapes[chosen], chosen, np.zeros(len(chosen), dtype=bool), bounds)  # type: ignore[arg-type]


def codes(farmland: np.ndarray, seed: int = 5) -> np.ndarray:
    """Class codes of the third survey: paddy and dry land for farmland, the others as they come."""
    random = np.random.default_rng(seed)
    own = random.choice(np.array(["0101", "0103"], dtype=object), len(farmland))
    other = random.choice(np.array(["0301", "0702", "1101", "1006", "0201", "1003"], dtype=object), len(farmland))
    return np.where(farmland, own, other)


def marred(layer: Layer, share: float = 0.02, seed: int = 3) -> Layer:
    """The same with a share of patches made hard: with holes, in two parts, slivers, broken rings, a quarter each."""
    random = np.random.default_rng(seed)
    shapes, broken = layer.shapes.copy(), layer.broken.copy()
    chosen = random.permutation(len(shapes))[: round(share * len(shapes))]
    holed, parted, thin, crossed = np.array_split(chosen, 4)
    for i in holed:
        shapes[i] = shapes[i].difference(shapely.buffer(shapely.point_on_surface(shapes[i]), 5.0, quad_segs=4))
    for i in parted:
        west, south, east, north = shapes[i].bounds
        slit = shapely.box((west + east) / 2 - 1, south - 1, (west + east) / 2 + 1, north + 1)
        shapes[i] = shapes[i].difference(slit)
    for i in thin:
        west, south, _, north = shapes[i].bounds
        shapes[i] = shapely.box(west, south, west + random.uniform(0.004, 0.08), north)
    for i in crossed:
        ring = shapely.get_coordinates(shapes[i].exterior)
        ring[[1, len(ring) // 2]] = ring[[len(ring) // 2, 1]]
        shapes[i] = shapely.Polygon(ring)
    broken[crossed] = ~shapely.is_valid(shapes[crossed])
    return Layer(shapes, layer.numbers, broken, layer.bounds)


def proposals(count: int, bounds: tuple[float, float, float, float], seed: int = 11) -> np.ndarray:
    """Irregular boundaries of 2.55 to 3.3 km² with 200 to 2000 vertices, all valid."""
    random = np.random.default_rng(seed)
    west, south, east, north = bounds
    margin = min(1600.0, (east - west) / 3)
    made = np.empty(count, dtype=object)
    for i in range(count):
        corners = int(random.integers(200, 2001))
        angle = np.sort(random.random(corners) * 0.5 / corners + np.arange(corners) / corners) * 2 * np.pi
        reach = np.ones(corners)
        for wave in (2, 3, 5, 8, 13, 21, 34):
            reach += random.normal(0, 0.35 / wave**0.8) * np.sin(wave * angle + random.uniform(0, 6.28)) * 0.8
        reach = np.clip(reach, 0.25, None) * (1 + random.normal(0, 0.004, corners))
        shape = np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
        scale = (3e6 * random.uniform(0.85, 1.1) / shapely.Polygon(shape).area) ** 0.5
        centre = [random.uniform(west + margin, east - margin), random.uniform(south + margin, north - margin)]
        made[i] = shapely.Polygon(shape * scale + centre)
    return made


def _nodes(random: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the mesh: uneven spacing, then each moved by up to a quarter of the gaps beside it."""
    grid = []
    for count in (columns, rows):
        steps = random.lognormal(0, 0.45, count)
        grid.append(np.concatenate([[0], np.cumsum(steps)]) * SIDE / steps.mean())
    gx, gy = grid
    dx = np.minimum(np.diff(gx, prepend=-SIDE), np.diff(gx, append=gx[-1] + SIDE))
    dy = np.minimum(np.diff(gy, prepend=-SIDE), np.diff(gy, append=gy[-1] + SIDE))
    x = _X0 + gx[None, :] + random.uniform(-0.25, 0.25, (rows + 1, columns + 1)) * dx[None, :]
    y = _Y0 + gy[:, None] + random.uniform(-0.25, 0.25, (rows + 1, columns + 1)) * dy[:, None]
    return x, y


def _edges(
    random: np.random.Generator, ax: np.ndarray, ay: np.ndarray, bx: np.ndarray, by: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Wiggly lines from a to b without b: coordinates and offsets. The wiggle is small enough to keep cells valid."""
    points = np.clip(random.lognormal(1.7, 0.55, ax.size).astype(int), 2, 14)
    offsets = np.concatenate([[0], np.cumsum(points)])
    edge = np.repeat(np.arange(ax.size), points)
    order = np.arange(offsets[-1]) - offsets[edge]
    part = order / points[edge]
    ax, ay, bx, by = ax.ravel(), ay.ravel(), bx.ravel(), by.ravel()
    ex, ey = (bx - ax)[edge], (by - ay)[edge]
    most = np.minimum(0.035, np.minimum(1.2, 4 * np.minimum(part, 1 - part)) / np.hypot(ex, ey))
    aside = np.where(order == 0, 0, random.uniform(-1, 1, offsets[-1])) * most
    return np.stack([ax[edge] + part * ex - aside * ey, ay[edge] + part * ey + aside * ex], axis=1), offsets


def _cells(
    flat: tuple[np.ndarray, np.ndarray],
    upright: tuple[np.ndarray, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    rows: int,
    columns: int,
) -> np.ndarray:
    """Rings of four lines each: bottom and right forwards, top and left backwards, and the first point again."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    sides = (
        (flat, row * columns + column, None),
        (upright, row * (columns + 1) + column + 1, None),
        (flat, (row + 1) * columns + column, np.stack([x[1:, 1:].ravel(), y[1:, 1:].ravel()], axis=1)),
        (upright, row * (columns + 1) + column, np.stack([x[1:, :-1].ravel(), y[1:, :-1].ravel()], axis=1)),
    )
    counts = [np.diff(lines[1])[edge] for lines, edge, _ in sides]
    ends = np.concatenate([[0], np.cumsum(sum(counts) + 1)])
    ring = np.empty((ends[-1], 2))
    start = ends[:-1].copy()
    for (lines, edge, end), count in zip(sides, counts, strict=True):
        cell = np.repeat(np.arange(len(count)), count)
        order = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
        if end is None:
            ring[start[cell] + order] = lines[0][lines[1][edge][cell] + order]
        else:
            points = lines[0][lines[1][edge][cell] + (count[cell] - order) % count[cell]]
            points[order == 0] = end
            ring[start[cell] + order] = points
        start += count
    ring[ends[1:] - 1] = ring[ends[:-1]]
    offsets = (ends, np.arange(rows * columns + 1))
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, ring, offsets), dtype=object)


def _farmland(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """46 % of the patches, in clumps."""
    cells = max(4, columns // 40)
    values = random.random((cells + 2, cells + 2))
    across, up = np.linspace(0, cells, columns, endpoint=False), np.linspace(0, cells, rows, endpoint=False)
    i, j = across.astype(int), up.astype(int)
    fx, fy = across - i, (up - j)[:, None]
    low = values[j][:, i] * (1 - fx) + values[j][:, i + 1] * fx
    high = values[j + 1][:, i] * (1 - fx) + values[j + 1][:, i + 1] * fx
    noise = (low * (1 - fy) + high * fy + 0.25 * random.random((rows, columns))).ravel()
    return (noise > np.quantile(noise, 0.42)) & (random.random(rows * columns) < 0.8)
