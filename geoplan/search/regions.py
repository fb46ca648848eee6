"""Regions grown from seeds: contiguous cells of a wanted area and shape where suitability is best.

Parameterised region growing (Brookes 1997, "A parameterized region-growing programme for site allocation on raster
suitability maps", IJGIS 11(4)), with the parameters of ArcGIS Pro's *Locate Regions*. Every eligible cell may be a
seed, at the full resolution of the field; each seed is grown alone, so the answer is the same for any number of
threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import CallRefused

Shape = Literal["circle", "square", "free"]
Evaluation = Literal["mean", "sum", "median", "worst", "core", "edge"]
EVALUATIONS: tuple[Evaluation, ...] = ("mean", "sum", "median", "worst", "core", "edge")
SHAPES: tuple[Shape, ...] = ("circle", "square", "free")

_WIDEST = 4095
"""Cells a side of the largest window of one seed (places in it are packed into 24 bits)."""


@dataclass(frozen=True, slots=True)
class Field:
    """What regions are grown on.

    Parameters
    ----------
    value
        ``(rows, columns)`` float32 suitability, more is better; NaN where a region may not go.
    share
        ``(rows, columns)`` float32, usable share 0..1 of each cell, or none where every cell is whole.
    cell
        Edge of a cell, m.
    """

    value: NDArray[np.float32]
    share: NDArray[np.float32] | None
    cell: float

    @classmethod
    def of(
        cls,
        suitability: NDArray[np.floating[Any]],
        eligible: NDArray[np.bool_],
        cell: float,
        share: NDArray[np.floating[Any]] | None = None,
    ) -> Field:
        """A field of the eligible cells whose suitability is known and whose usable share is above 0.

        Raises
        ------
        CallRefused
            When the arrays differ in shape, a share is not in 0..1, or a suitability is infinite.
        """
        if suitability.shape != eligible.shape or (share is not None and share.shape != eligible.shape):
            raise CallRefused("search-shapes", first=str(suitability.shape), second=str(eligible.shape))
        if np.isinf(suitability).any():
            raise CallRefused("search-infinite")
        usable = eligible & ~np.isnan(suitability)
        if share is not None:
            if ((share < 0) | (share > 1)).any():
                raise CallRefused("search-share", least=float(np.nanmin(share)), greatest=float(np.nanmax(share)))
            usable &= share > 0
        value = np.where(usable, suitability, np.nan).astype(np.float32)
        return cls(value, None if share is None else np.ascontiguousarray(share, np.float32), float(cell))

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Where a region may go."""
        return ~np.isnan(self.value)

    def without(self, blocked: NDArray[np.bool_]) -> Field:
        """The field with further cells closed."""
        return Field(np.where(blocked, np.float32(np.nan), self.value), self.share, self.cell)

    @property
    def span(self) -> tuple[float, float]:
        """Least and greatest suitability; equal to 0 and 1 where no cell is eligible or all are alike."""
        known = self.value[self.eligible]
        if known.size == 0 or known.min() == known.max():
            least = float(known.min()) if known.size else 0.0
            return least, least + 1.0
        return float(known.min()), float(known.max())


@dataclass(frozen=True, slots=True)
class RegionRules:
    """What a region must be.

    Parameters
    ----------
    target
        Area of each region, m²; growth stops with the cell that reaches it.
    minimum, maximum
        Limits of the usable area, m²; a seed whose region cannot keep them gives none.
    shape
        ``circle``, ``square`` (sides along the grid) or ``free`` (suitability alone).
    tradeoff
        0 to 100: how much the shape weighs against suitability; ignored for ``free``.
    neighbours
        4 (cells join by edges) or 8 (by corners too).
    islands
        ``filled`` (usable land inside is taken, excluded land stays a hole) or ``kept``.
    evaluation
        What regions are ranked by, more is better: ``mean``, ``sum``, ``median``, ``worst`` suitability, ``core``
        (m² of cells all of whose eight neighbours are inside) or ``edge`` (minus the outline's length, m: the
        shortest outline is best).
    reach
        How far a region may go from its seed, in radii of the circle (half sides of the square) of its target area.
    """

    target: float
    minimum: float
    maximum: float
    shape: Shape = "circle"
    tradeoff: int = 50
    neighbours: Literal[4, 8] = 4
    islands: Literal["filled", "kept"] = "filled"
    evaluation: Evaluation = "mean"
    reach: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.minimum <= self.target <= self.maximum:
            raise CallRefused("search-areas", minimum=self.minimum, target=self.target, maximum=self.maximum)
        if self.shape not in SHAPES or self.evaluation not in EVALUATIONS:
            raise CallRefused("search-words", shapes=", ".join(SHAPES), evaluations=", ".join(EVALUATIONS))
        if not 0 <= self.tradeoff <= 100 or self.tradeoff != int(self.tradeoff):
            raise CallRefused("search-tradeoff", given=self.tradeoff)
        if self.neighbours not in (4, 8) or self.islands not in ("filled", "kept"):
            raise CallRefused("search-joining", neighbours=self.neighbours, islands=self.islands)
        if self.reach < 1.5:
            raise CallRefused("search-reach", given=self.reach)

    @classmethod
    def of_total(cls, total: float, count: int, slack: float = 0.1, **rest: Any) -> RegionRules:
        """Rules for ``count`` equal regions of a total area, each within ``slack`` of its part.

        >>> RegionRules.of_total(9e6, 3).target
        3000000.0
        """
        each = total / count
        return cls(each, each * (1 - slack), each * (1 + slack), **rest)


@dataclass(frozen=True, slots=True)
class Region:
    """A region: its cells as sorted flat indices of the grid (row-major), seed, usable area (m²) and score."""

    cells: NDArray[np.int64]
    seed: int
    area: float
    score: float

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The region on the grid."""
        found = np.zeros(shape, np.bool_)
        found.ravel()[self.cells] = True
        return found


@dataclass(frozen=True, slots=True)
class Grown:
    """What some seeds grew into, one entry a seed.

    Parameters
    ----------
    seeds
        Flat indices of the seeds.
    scores
        By the rules' evaluation; NaN where the limits cannot be met from the seed.
    areas
        Usable area, m².
    marks
        One number for each set of cells: equal sets have equal marks.
    met
        All the bits of the zones that the region meets.
    """

    seeds: NDArray[np.int64]
    scores: NDArray[np.float64]
    areas: NDArray[np.float64]
    marks: NDArray[np.uint64]
    met: NDArray[np.uint8]


def radius(field: Field, rules: RegionRules) -> float:
    """Radius of the circle, or half side of the square, of the target area, in cells."""
    area = rules.target / field.cell**2
    return math.sqrt(area) / 2 if rules.shape == "square" else math.sqrt(area / math.pi)


def _form(field: Field, rules: RegionRules) -> NDArray[np.int64]:
    """Distance from the seed in radii, in steps of 2⁻²⁴; −1 beyond reach."""
    size = radius(field, rules)
    half = max(1, min(math.ceil(rules.reach * size), max(field.value.shape)))
    if 2 * half + 1 > _WIDEST:
        raise CallRefused("search-window", cells=round(math.pi * size * size), cell=field.cell)
    away = np.abs(np.arange(-half, half + 1, dtype=np.float64))
    down, right = away[:, None], away[None, :]
    distance = np.maximum(down, right) if rules.shape == "square" else np.sqrt(down * down + right * right)
    scaled = distance / size
    steps = np.floor(scaled * (1 << 24) + 0.5).astype(np.int64)
    # A target of a few cells has a reach below one cell: the seed's neighbours always belong.
    return np.where((scaled <= rules.reach) | (distance <= 1), steps, -1)


def _limits(field: Field, rules: RegionRules) -> tuple[float, float, float]:
    """Minimum, target and maximum in cells; a hair of freedom for sums of shares."""
    unit = field.cell**2
    return rules.minimum / unit - 1e-9, rules.target / unit - 1e-9, rules.maximum / unit + 1e-9


def _arguments(field: Field, rules: RegionRules) -> tuple[Any, ...]:
    """What the kernels take after the seeds."""
    least, greatest = field.span
    tradeoff = 0 if rules.shape == "free" else int(rules.tradeoff)
    fill = rules.islands == "filled"
    steps = (1 << 24) / (greatest - least)
    return least, steps, _form(field, rules), tradeoff, rules.neighbours, fill, _limits(field, rules)


def _share(field: Field) -> NDArray[np.float32]:
    return np.ones((1, 1), np.float32) if field.share is None else field.share


def grow(
    field: Field,
    rules: RegionRules,
    seeds: NDArray[np.integer[Any]],
    zones: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> Grown:
    """Grow a region from every seed.

    Parameters
    ----------
    field, rules
        On what, and what a region must be.
    seeds
        Flat indices of eligible cells.
    zones
        Bits of each cell (``Grown.met`` tells which a region meets), or none.
    threads
        How many threads, at most those that numba may use now (the default). The answer does not depend on it.

    Raises
    ------
    CallRefused
        When a seed is not eligible or the target area has too many cells for one window.
    """
    import numba

    from geoplan.search import growing

    kernels: Any = growing

    flat = np.asarray(seeds, np.int64)
    if np.isnan(field.value.ravel()[flat]).any():
        raise CallRefused("search-seed")
    method, unit = EVALUATIONS.index(rules.evaluation), field.cell**2
    before = numba.get_num_threads()
    wanted = max(1, min(threads or before, before))
    numba.set_num_threads(wanted)
    try:
        bits = np.zeros((1, 1), np.uint8) if zones is None else zones
        scores, areas, marks, met = kernels.grow_many(
            field.value, _share(field), bits, flat, *_arguments(field, rules), method, wanted
        )
    finally:
        numba.set_num_threads(before)
    return Grown(flat, scores * score_unit(rules, field.cell), areas * unit, marks, met)


def score_unit(rules: RegionRules, cell: float) -> float:
    """What a score in cells is worth: m² for core, m for edge, 1 for suitability (a sum is in suitability · cells)."""
    return {"core": cell**2, "edge": cell}.get(rules.evaluation, 1.0)


def region_from(field: Field, rules: RegionRules, seed: int) -> Region | None:
    """The region of one seed with its cells; none where the limits cannot be met from it."""
    from geoplan.search import growing

    kernels: Any = growing
    grown = grow(field, rules, np.array([seed], np.int64), threads=1)
    if np.isnan(grown.scores[0]):
        return None
    arguments = _arguments(field, rules)
    side = arguments[2].shape[0]
    state, heap = np.empty(side * side, np.uint8), np.empty(side * side, np.int64)
    places = np.empty(side * side, np.int32)
    count, _ = kernels.grow_one(field.value, _share(field), seed, *arguments, state, heap, places)
    columns = field.value.shape[1]
    rows, across = places[:count].astype(np.int64) // side, places[:count].astype(np.int64) % side
    cells = (seed // columns - side // 2 + rows) * columns + seed % columns - side // 2 + across
    return Region(np.sort(cells), int(seed), float(grown.areas[0]), float(grown.scores[0]))
