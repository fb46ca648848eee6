"""What a search is asked and what it finds, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.messages import Message
from geoplan.report import Report
from geoplan.search.assembly import Reason
from geoplan.search.constraint import Approval
from geoplan.search.criteria import Criteria
from geoplan.search.evaluation import Figures
from geoplan.search.exclusion import Exclusions
from geoplan.search.grid import Grid
from geoplan.search.limits import Areas
from geoplan.search.regions import Region, RegionRules
from geoplan.search.sources import Sources
from geoplan.search.trust import Stability
from geoplan.search.weights import Weights

Floats = NDArray[np.float32]
Judge = Callable[[shapely.Polygon, shapely.Polygon | None, int], Report]
"""The check of a boundary on the plane of the search, given its planning and construction area and a number."""
Boundaries = tuple[shapely.Polygon, shapely.Polygon | None]
Mend = Callable[[shapely.Polygon, shapely.Polygon | None, int], tuple[Boundaries, Report] | None]
"""The smallest edit of boundaries after which no rule fails, with the check of it; none where there is none."""


Method = Literal["exact", "greedy-swaps", "greedy"]
"""How the regions of a set were chosen (docs/search.md)."""


@dataclass(frozen=True)
class Study:
    """What a search is asked.

    Parameters
    ----------
    grid, area
        The cells, and the study area on their plane.
    reasons
        Why ground is excluded; those of the part ``construction`` bind the construction area alone.
    planning, construction
        How large the parts of a candidate may be; without ``construction`` none is drawn.
    """

    grid: Grid
    area: shapely.Geometry
    criteria: Criteria
    sources: Sources
    reasons: Sequence[Reason]
    approved: Sequence[Approval]
    planning: Areas
    construction: Areas


@dataclass(frozen=True)
class Ground:
    """The study area cell by cell.

    Parameters
    ----------
    exclusions
        What keeps a town off.
    building
        What keeps the construction area off besides; none where nothing does.
    factors, weights, suitability
        Factors 0..1 by id, their weights, and both joined; NaN where not known.
    """

    exclusions: Exclusions
    building: Exclusions | None
    factors: Mapping[str, Floats]
    weights: Weights
    suitability: Floats

    @property
    def buildable(self) -> NDArray[np.bool_]:
        """Cells that may lie in a construction area."""
        return self.exclusions.eligible if self.building is None else self.exclusions.eligible & self.building.eligible


@dataclass(frozen=True)
class Candidate:
    """A town that no rule fails.

    Parameters
    ----------
    rank
        1 is the best.
    region
        The cells that it was drawn from.
    planning, construction
        Boundaries on the plane of the search.
    figures
        Of the region.
    means
        Mean of each factor over the region.
    report
        What ``check`` says of it.
    """

    rank: int
    region: Region
    planning: shapely.Polygon
    construction: shapely.Polygon | None
    figures: Figures
    means: Mapping[str, float]
    report: Report


@dataclass(frozen=True)
class Dropped:
    """A region that became no candidate: where, how good it was, and why."""

    at: tuple[float, float]
    score: float
    why: Message


@dataclass(frozen=True)
class Found:
    """The answer of a search.

    Parameters
    ----------
    method
        ``exact``, ``greedy-swaps``: the regions were chosen as a set, as `Selection` says; ``greedy``: the best one
        after another, each grown on what the ones before leave. After a drop always the latter.
    total, bound
        Sum of the chosen scores, and what no set of as many regions exceeds.
    ceiling
        What no single region of that area exceeds, whatever its shape.
    runners_up
        The next best regions, which the ranking is tested against.
    """

    study: Study
    ground: Ground
    rules: RegionRules
    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...]
    method: Method
    total: float
    bound: float
    ceiling: float
    seeds: int
    grown: int
    runners_up: tuple[Region, ...]
    stability: Stability | None
