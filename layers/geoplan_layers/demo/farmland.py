"""Permanent basic farmland (永久基本农田): clumps of the cultivated patches, and how far a bureau handed it over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely import Polygon

from geoplan_layers.demo.classes import is_farmed
from geoplan_layers.demo.mesh import Patch, dissolved
from geoplan_layers.demo.noise import Field

SHARE = 0.6  # of all cultivated land, by area
CLEAR = 8.0  # m; how far basic farmland keeps from land that shall be free of it
LANE = 16.0  # m; a delivery does not end in the middle of a road


def basic_farmland(
    patches: Sequence[Patch], origin: tuple[int, int], seed: int, rich: Sequence[Polygon], free: Sequence[Polygon]
) -> list[int]:
    """Indices of the patches that are basic farmland: about ``SHARE`` of the cultivated land, in clumps.

    ``rich``: areas (m, working plane) that are basic farmland first. ``free``: areas that it keeps ``CLEAR`` m from.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    clump = Field(rng, 10_000.0, 10_000.0, 900.0)
    farmed = [i for i, patch in enumerate(patches) if is_farmed(patch.use)]
    wanted = SHARE * sum(patches[i].shape.area for i in farmed)
    scored: list[tuple[float, int]] = []
    for i in farmed:
        shape = patches[i].shape
        if any(shape.dwithin(area, CLEAR) for area in free):
            continue
        bonus = 0.8 if any(area.contains(shape.centroid) for area in rich) else 0.0
        scored.append((round(clump.at(shape.centroid.x - origin[0], shape.centroid.y - origin[1]), 6) + bonus, i))
    chosen: list[int] = []
    for _, i in sorted(scored, reverse=True):
        if wanted <= 0.0:
            break
        chosen.append(i)
        wanted -= patches[i].shape.area
    return sorted(chosen)


def handed_over(patches: Sequence[Patch], town: Polygon, share: float) -> Polygon:
    """The part of an area that a delivery covers when the townships north-east of a line are still missing.

    The line follows parcel edges and leaves about ``share`` of the town (working plane, m) inside.
    """
    south, low, high = town.bounds[1] + 300.0, town.bounds[0], town.bounds[2] + 600.0
    best: tuple[float, Polygon] | None = None
    for _ in range(9):
        line = (low + high) / 2.0
        covered = _west_of(patches, line, south)
        part = float(covered.intersection(town).area / town.area)
        if best is None or abs(part - share) < best[0]:
            best = (abs(part - share), covered)
        low, high = (line, high) if part < share else (low, line)
    assert best is not None
    return best[1]


def _west_of(patches: Sequence[Patch], line: float, south: float) -> Polygon:
    def inside(index: int) -> bool | None:
        middle = patches[index].shape.centroid
        return None if middle.y > south and middle.x + 0.3 * (middle.y - south) > line else True

    parts = [part for _, part in dissolved(patches, inside)]
    rough = max(parts, key=lambda part: part.area)
    opened = rough.buffer(-LANE, join_style="mitre").buffer(LANE, join_style="mitre")
    return Polygon(max(shapely.get_parts(shapely.set_precision(opened, 0.001)), key=shapely.area).exterior)


def outline(patches: Sequence[Patch]) -> Polygon:
    """The outer edge of a coverage."""
    return Polygon(max((part for _, part in dissolved(patches, lambda _: 0)), key=shapely.area).exterior)
