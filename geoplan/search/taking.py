"""What one constraint takes of a strip: cells it excludes, cells it covers in part, cells that it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geoplan.search.constraint import Constraint, Land, Raster, Rule, Values
from geoplan.search.cover import Mask, beyond, burned, covered_share, crossed, touched
from geoplan.search.distance import cell_widths, centre_widths, halo, widened
from geoplan.search.features import Box, Features
from geoplan.search.grid import Grid

Method = Literal["legal", "raster"]
"""``legal``: shares and distances measured to the geometry, no cell left that lies partly within a distance.
``raster``: cells burned and distances taken between cell centres, as programs built on GDAL and SciPy do."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows ``first`` to ``last`` of a whole grid."""

    whole: Grid
    first: int
    last: int

    @property
    def grid(self) -> Grid:
        """The strip as a grid."""
        return self.whole.strip(self.first, self.last)

    def box(self, distance: float) -> Box:
        """Bounds of the strip with a distance on all sides."""
        west, south, east, north = self.grid.bounds
        return west - distance, south - distance, east + distance, north + distance

    def inner(self, reach: int) -> Strip:
        """The strip with as many rows above and below as there are in the grid."""
        return Strip(self.whole, max(self.first - reach, 0), min(self.last + reach, self.whole.rows))


@dataclass(frozen=True, slots=True)
class Taken:
    """Arrays of a strip: cells excluded; share covered (none: 0 or 1 as excluded); cells not known (none: nowhere)."""

    hit: Mask
    share: NDArray[np.float32] | None = None
    doubt: Mask | None = None


def take(constraint: Constraint, strip: Strip, method: Method) -> Taken:
    """What a constraint takes of a strip, under its rule and the local ones."""
    ground = constraint.ground
    base = _under(ground, constraint.rule, strip, method)
    if not constraint.local:
        return base
    elsewhere = [Features.of([each.area]) for each in constraint.local]
    taken = _within(base, _shared(elsewhere, strip.grid))
    for local, area in zip(constraint.local, elsewhere, strict=True):
        here = touched(area, strip.grid)
        if here.any():
            taken = _both(taken, _within(_under(ground, local.rule, strip, method), here))
    return taken


def _shared(areas: list[Features], grid: Grid) -> Mask:
    """Cells that do not lie wholly in one of some areas."""
    ground = np.ones(grid.shape, dtype=np.uint8)
    for area in areas:
        ground &= beyond(area, grid)
    return ground


def _within(taken: Taken, here: Mask) -> Taken:
    return Taken(
        taken.hit & here,
        None if taken.share is None else taken.share * here,
        None if taken.doubt is None else taken.doubt & here,
    )


def _both(one: Taken, other: Taken) -> Taken:
    share = one.share if other.share is None else other.share
    if one.share is not None and other.share is not None:
        share = np.maximum(one.share, other.share)
    elif share is not None:
        share = np.maximum(share, (other.hit if one.share is not None else one.hit).astype(np.float32))
    doubt = one.doubt if other.doubt is None else other.doubt
    if one.doubt is not None and other.doubt is not None:
        doubt = one.doubt | other.doubt
    return Taken(one.hit | other.hit, share, doubt)


def _under(ground: Land | Raster, rule: Rule, strip: Strip, method: Method) -> Taken:
    if isinstance(ground, Raster):
        return _raster(ground, rule, strip, method)
    known = None if ground.coverage is None else beyond(ground.coverage, strip.grid, rule.distance)
    if method == "raster":
        return Taken(_burned(ground, rule, strip), None, known)
    features = ground.features(strip.box(rule.distance))
    if rule.distance:
        return Taken(touched(features, strip.grid, rule.distance), None, known)
    share = covered_share(features, strip.grid)
    if ground.outside:
        share = 1 - share
    hit = ((share > rule.share) | (share == 1)).astype(np.uint8)
    if not ground.outside:
        hit |= crossed(features, strip.grid)
    return Taken(hit, share.astype(np.float32), known)


def _burned(ground: Land, rule: Rule, strip: Strip) -> Mask:
    widths = centre_widths(rule.distance, strip.whole.cell)
    wide = strip.inner(halo(widths)) if rule.distance else strip
    mask = burned(ground.features(wide.box(0.0)), wide.grid)
    if rule.distance:
        mask = widened(mask, widths, strip.first - wide.first, strip.last - strip.first)
    return 1 - mask if ground.outside else mask


def _raster(ground: Raster, rule: Rule, strip: Strip, method: Method) -> Taken:
    """Excluded values, and the cells around them; around cells that are not known nothing is known either.

    A legal distance looks beyond the edges of the grid, since what lies there excludes as well.
    """
    if not rule.distance:
        hit, doubt = _classified(ground.values(strip.grid), rule)
        return Taken(hit, None, doubt)
    legal = method == "legal"
    widths = cell_widths(rule.distance, strip.whole.cell) if legal else centre_widths(rule.distance, strip.whole.cell)
    reach, rows = halo(widths), strip.last - strip.first
    wide = strip.inner(reach)
    if legal:
        wide = Strip(strip.whole, strip.first - reach, strip.last + reach)
    beside = reach if legal else 0
    hit, doubt = _classified(ground.values(strip.whole.strip(wide.first, wide.last, beside)), rule)
    inside = slice(beside, beside + strip.whole.columns)
    around = [None if each is None else widened(each, widths, strip.first - wide.first, rows) for each in (hit, doubt)]
    assert around[0] is not None
    return Taken(around[0][:, inside], None, None if around[1] is None else around[1][:, inside])


def _classified(values: Values, rule: Rule) -> tuple[Mask, Mask | None]:
    hit, doubt = np.empty(values.shape, dtype=np.uint8), np.empty(values.shape, dtype=np.uint8)
    unknown = _in_span(values, rule.low, rule.high, hit, doubt)
    if rule.classes is not None:
        hit = np.isin(values, np.array(sorted(rule.classes), dtype=values.dtype)).astype(np.uint8)
    return hit, doubt if unknown else None


@njit(cache=True, nogil=True)
def _in_span(values, low, high, hit, doubt):  # type: ignore[no-untyped-def]
    """Set what lies in a span and what is NaN; the number of the latter."""
    unknown = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            hit[row, column] = (value >= low) & (value <= high)
            nan = value != value
            doubt[row, column] = nan
            unknown += nan
    return unknown
