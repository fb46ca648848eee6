"""Villages strung along a road or canal: where they stand and which plots they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geoplan_layers.demo.cells import Cell, Leaf, Strip, refine
from geoplan_layers.demo.mesh import Part

PLOT = 1500.0  # m²; the plots that a village outline steps along


@dataclass(frozen=True)
class Village:
    """A village: its middle (m), half length along its road, half depth, and which way it runs."""

    x: float
    y: float
    length: float
    depth: float
    upright: bool

    def reach(self, x: float, y: float) -> float:
        """0 in the middle, 1 at the edge of the built-up ground."""
        along, across = (y - self.y, x - self.x) if self.upright else (x - self.x, y - self.y)
        u, v = along / self.length, across / self.depth
        return u * u + v * v

    def nearest(self, cell: Cell) -> float:
        """The smallest ``reach`` inside a cell."""
        return self.reach(min(max(self.x, cell.x0), cell.x1), min(max(self.y, cell.y0), cell.y1))


def settle(
    rng: np.random.Generator,
    strips: Sequence[Strip],
    allowed: Callable[[float, float], bool],
    apart: float,
    sizes: tuple[float, float],
) -> list[Village]:
    """Villages on strips of 160 to 1,100 m, at least ``apart`` m from each other; half lengths within ``sizes``."""
    found: list[Village] = []
    for index in rng.permutation(len(strips)).tolist():
        cell = strips[index].cell
        long = max(cell.width, cell.height)
        place, size, depth = (float(value) for value in rng.random(3))
        if not 160.0 < long < 1100.0:
            continue
        upright = cell.height > cell.width
        x = cell.centre[0] if upright else cell.x0 + (0.2 + 0.6 * place) * cell.width
        y = cell.y0 + (0.2 + 0.6 * place) * cell.height if upright else cell.centre[1]
        if not allowed(x, y) or any((x - v.x) ** 2 + (y - v.y) ** 2 < apart * apart for v in found):
            continue
        half = sizes[0] + (sizes[1] - sizes[0]) * size
        found.append(Village(x, y, half, half * (0.3 + 0.35 * depth), upright))
    return found


def built(
    rng: np.random.Generator,
    leaf: Leaf,
    villages: Sequence[Village],
    ground: Callable[[Leaf], str],
    garden: Callable[[np.random.Generator], str],
) -> list[Part] | None:
    """The parts of a field that a village reaches: house plots, a garden or two, the rest of the field; else none."""
    number, near = min(
        ((i, v.nearest(leaf.cell)) for i, v in enumerate(villages)), key=lambda pair: pair[1], default=(0, 9.0)
    )
    if near > 1.2:
        return None
    name = f"{leaf.cell.x0:.1f}/{leaf.cell.y0:.1f}"
    rest, green = ground(leaf), garden(rng)
    parts: list[Part] = []
    for plot in refine(rng, leaf, PLOT):
        reach = villages[number].reach(*plot.cell.centre) + 0.4 * (float(rng.random()) - 0.5)
        if reach < 1.0:
            use, group = "0703", f"village {number}"
        elif reach < 1.6:
            use, group = green, f"garden {number} {name}"
        else:
            use, group = rest, f"field {name}"
        parts.append(Part(plot.cell.polygon(), use, group, leaf.unit, leaf.block))
    return parts
