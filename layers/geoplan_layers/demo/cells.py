"""Rectangles split again and again: polders, blocks and fields with the strips (roads, canals) between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from shapely import Polygon, box


@dataclass(frozen=True)
class Cell:
    """A rectangle in design coordinates (m)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """East-west size in m."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """North-south size in m."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in m²."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in m."""
        return (self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0

    def polygon(self, inset: float = 0.0) -> Polygon:
        """The outline, ``inset`` metres inside the rectangle."""
        return box(self.x0 + inset, self.y0 + inset, self.x1 - inset, self.y1 - inset)


@dataclass(frozen=True)
class Leaf:
    """A field: its rectangle, the block between strips and the village unit that it lies in."""

    cell: Cell
    block: int
    unit: int


@dataclass(frozen=True)
class Strip:
    """A road or canal between two halves: its rectangle, class code and village unit."""

    cell: Cell
    use: str
    unit: int


StripRule = Callable[[np.random.Generator, float, float, float], tuple[str, float] | None]


@dataclass(frozen=True)
class Grain:
    """How fine a place is cut: field size in m² at (x, y), and the strip where a cell of that longer side is split.

    ``unit_side`` and ``block_side`` (m): a cell whose longer side falls below becomes a village unit or a block.
    """

    leaf_area: Callable[[float, float], float]
    strip: StripRule
    unit_side: float = 2400.0
    block_side: float = 430.0


@dataclass
class Division:
    """What dividing a rectangle gives."""

    leaves: list[Leaf] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)


@dataclass(frozen=True)
class _Task:
    cell: Cell
    unit: int
    block: int


def divide(rng: np.random.Generator, extent: Cell, grain: Grain) -> Division:
    """Split ``extent`` until every cell has its field size; deterministic for one seed."""
    found = Division()
    units = blocks = 0
    stack = [_Task(extent, -1, -1)]
    while stack:
        task = stack.pop()
        longer = max(task.cell.width, task.cell.height)
        unit, block = task.unit, task.block
        if unit < 0 and longer <= grain.unit_side:
            unit, units = units, units + 1
        if block < 0 and longer <= grain.block_side:
            block, blocks = blocks, blocks + 1
        goal = grain.leaf_area(*task.cell.centre) * (0.8 + 0.5 * float(rng.random()))
        if task.cell.area <= goal and unit >= 0:
            if block < 0:
                block, blocks = blocks, blocks + 1
            found.leaves.append(Leaf(task.cell, block, unit))
            continue
        strip = grain.strip(rng, longer, *task.cell.centre)
        first, second = _split(rng, task.cell, strip, unit, found)
        stack += [_Task(second, unit, block), _Task(first, unit, block)]
    return found


def _split(
    rng: np.random.Generator, cell: Cell, strip: tuple[str, float] | None, unit: int, found: Division
) -> tuple[Cell, Cell]:
    share = 0.36 + 0.28 * float(rng.random())
    slender = cell.width / cell.height
    upright = slender > 1.0 if not 0.8 < slender < 1.25 else bool(rng.random() < 0.5)
    half = strip[1] / 2.0 if strip else 0.0
    if upright:
        at = cell.x0 + share * cell.width
        first, second = Cell(cell.x0, cell.y0, at - half, cell.y1), Cell(at + half, cell.y0, cell.x1, cell.y1)
        between = Cell(at - half, cell.y0, at + half, cell.y1)
    else:
        at = cell.y0 + share * cell.height
        first, second = Cell(cell.x0, cell.y0, cell.x1, at - half), Cell(cell.x0, at + half, cell.x1, cell.y1)
        between = Cell(cell.x0, at - half, cell.x1, at + half)
    if strip:
        found.strips.append(Strip(between, strip[0], unit))
    return first, second


def in_lengths(strips: list[Strip], leaves: list[Leaf], longest: float) -> list[Strip]:
    """Strips cut to pieces of at most ``longest`` m; those between village units go to the unit beside them."""
    pieces: list[Strip] = []
    for strip in strips:
        cell, upright = strip.cell, strip.cell.height > strip.cell.width
        low, high = (cell.y0, cell.y1) if upright else (cell.x0, cell.x1)
        count = int((high - low) / longest) + 1
        for i in range(count):
            a, b = low + (high - low) * i / count, low + (high - low) * (i + 1) / count
            piece = Cell(cell.x0, a, cell.x1, b) if upright else Cell(a, cell.y0, b, cell.y1)
            beside = (cell.x0 - 1.0, (a + b) / 2.0) if upright else ((a + b) / 2.0, cell.y0 - 1.0)
            pieces.append(Strip(piece, strip.use, strip.unit if strip.unit >= 0 else _unit_at(leaves, *beside)))
    return pieces


def _unit_at(leaves: list[Leaf], x: float, y: float) -> int:
    def away(leaf: Leaf) -> float:
        cell = leaf.cell
        return max(cell.x0 - x, x - cell.x1, cell.y0 - y, y - cell.y1)

    return min(leaves, key=away).unit


def refine(rng: np.random.Generator, leaf: Leaf, area: float) -> list[Leaf]:
    """Cut one field into plots of at most about ``area`` m²."""
    done: list[Leaf] = []
    stack = [leaf.cell]
    while stack:
        cell = stack.pop()
        if cell.area <= area * (0.8 + 0.6 * float(rng.random())):
            done.append(Leaf(cell, leaf.block, leaf.unit))
            continue
        stack += list(_split(rng, cell, None, leaf.unit, Division()))
    return done
