"""Ground of the declared coverage that no patch covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geoplan.measure import DEFAULT_ACCURACY, PRINTS_AS_ZERO, is_sliver, polygons_of, survey_areas
from geoplan.progress import Progress
from geoplan_layers.prepared.edges import Edges
from geoplan_layers.prepared.pack import Pack

_IN_A_CELL = 300
"""Patches in a cell, about: as many as are joined at a time."""
_MOST_CELLS = 4_000_000
_WORST = 10


@dataclass(frozen=True)
class Gaps:
    """Gaps: how many, their area (m²), those that vanish within the lines' accuracy, the largest with their places."""

    count: int
    area_m2: float
    slivers: int
    worst: list[tuple[float, float, float]]


def gaps(pack: Pack, coverage: Any, edges: Edges, progress: Progress) -> Gaps:
    """The gaps of a layer that should cover its declared coverage.

    A cell of a grid that lies in the coverage, that some patch touches, and that no edge touches which belongs to one
    patch alone, is covered throughout; only the other cells are looked at.

    Raises
    ------
    Cancelled
        The user stopped it.
    """
    west, south, east, north = shapely.bounds(coverage)
    size = max(((east - west) * (north - south) * _IN_A_CELL / max(len(pack), 1)) ** 0.5, 1.0)
    size = max(size, ((east - west) * (north - south) / _MOST_CELLS) ** 0.5)
    shape = int((north - south) / size) + 1, int((east - west) / size) + 1
    marked = edges.cells(west, south, size, shape)
    shapely.prepare(coverage)
    found = []
    for row in range(shape[0]):
        bottom = south + row * size
        across = west + np.arange(shape[1]) * size
        cells = np.asarray(shapely.box(across, bottom, across + size, bottom + size))
        within, touched = shapely.contains_properly(coverage, cells), shapely.intersects(coverage, cells)
        for column in np.flatnonzero(touched):
            near = pack.near(shapely.bounds(cells[column]).tolist())
            if within[column] and not marked[row, column] and len(near):
                continue
            asked = cells[column] if within[column] else shapely.intersection(coverage, cells[column])
            left = shapely.difference(asked, shapely.union_all(pack.shapes(near)))
            if not shapely.is_empty(left):
                found.append(polygons_of(left))
        progress("gaps", row + 1, shape[0])
    return _summed(found, pack)


def _summed(found: list[Any], pack: Pack) -> Gaps:
    parts = shapely.get_parts(polygons_of(shapely.union_all(np.array(found, dtype=object))))
    areas = survey_areas(parts, pack.plane)
    real = np.flatnonzero(areas >= PRINTS_AS_ZERO)
    slivers = sum(is_sliver(parts[i], DEFAULT_ACCURACY) for i in real)
    worst = []
    for i in real[np.argsort(-areas[real], kind="stable")][:_WORST]:
        point: shapely.Point = shapely.point_on_surface(parts[i])  # pyright: ignore[reportAssignmentType]
        lon, lat = pack.plane.to_lonlat(np.array([point.x]), np.array([point.y]))
        worst.append((float(areas[i]), float(lon[0]), float(lat[0])))
    return Gaps(len(real), float(areas[real].sum()), slivers, worst)
