"""What keeps a town off the ground: a layer, and the rule by which it excludes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.search.cover import apart
from geoplan.search.features import Box, Features, Shapes
from geoplan.search.grid import Grid

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rule:
    """How far or at which values a layer excludes.

    Parameters
    ----------
    distance
        Ground within this many metres of the layer's features (or of the excluded cells of a raster) is excluded too.
    share
        Polygons at distance 0: a cell is excluded when they cover more than this share of it. Cells covered less stay
        eligible, with the rest of their ground usable.
    low, high
        Raster: values from ``low`` to ``high``, both included, are excluded.
    classes
        Raster: these codes are excluded, instead of a span of values.
    """

    distance: float = 0.0
    share: float = 0.5
    low: float = -math.inf
    high: float = math.inf
    classes: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Land:
    """Features of a vector layer on the plane of the grid.

    Parameters
    ----------
    features
        The features that touch a box; polygons that do not overlap each other (:func:`geoplan.search.cover.apart`).
    coverage
        Polygons where the layer knows the ground; none where it is known everywhere.
    outside
        What lies **outside** the polygons is excluded: zones in which a town must lie.
    """

    features: Callable[[Box], Features]
    coverage: Features | None = None
    outside: bool = False

    @classmethod
    def of(cls, shapes: Shapes, coverage: shapely.Geometry | None = None, *, outside: bool = False) -> Land:
        """A layer of shapes in memory, overlapping or not; classes are chosen before, by ``Patches.of``."""
        everything = np.asarray(shapely.get_parts(shapely.get_parts(shapes)), dtype=object)
        polygons = shapely.get_type_id(everything) == 3
        held = Features.of(np.concatenate([apart(everything[polygons]), everything[~polygons]]))
        known = None if coverage is None else Features.of(apart([coverage]))
        return cls(lambda _: held, known, outside)


@dataclass(frozen=True, slots=True)
class Raster:
    """Values on a grid.

    Parameters
    ----------
    values
        Values of the cells of any grid of the same plane, float32; NaN where the raster does not know.
    """

    values: Callable[[Grid], Values]


@dataclass(frozen=True, slots=True)
class Local:
    """Another rule inside an area of the plane, such as a county's own distance."""

    area: shapely.Geometry
    rule: Rule


@dataclass(frozen=True, slots=True)
class Constraint:
    """One reason why ground is excluded.

    Parameters
    ----------
    id
        Name in results.
    ground, rule
        The layer, and how it excludes.
    local
        Where another rule holds. A cell that lies in several of these areas, or partly in one, is under all of them.
    absolute
        No approved site wins over it: basic farmland, the ecological redline.

    Raises
    ------
    ValueError
        A distance from outside of polygons, a negative distance.
    """

    id: str
    ground: Land | Raster
    rule: Rule = Rule()
    local: tuple[Local, ...] = ()
    absolute: bool = False

    def __post_init__(self) -> None:
        for rule in (self.rule, *(each.rule for each in self.local)):
            if rule.distance < 0 or (rule.distance and isinstance(self.ground, Land) and self.ground.outside):
                raise ValueError(f"constraint {self.id}: no such distance: {rule.distance}")


@dataclass(frozen=True, slots=True)
class Approval:
    """An approved site: wins over the named constraints in the cells that lie wholly in it."""

    area: shapely.Geometry
    over: frozenset[str]
