"""The ways to mend a proposal, and what one of them comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import shapely

Kind = Literal["shrink", "extend", "shift", "split-off"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to mend: whether pieces are joined or dropped, construction gets back elsewhere what it lost, planning
    takes in construction that was drawn outside it, and planning that is too large leaves out existing construction
    land, which counts with construction, before anything else.
    """

    join: bool = True
    regain: bool = False
    take_in: bool = False
    stock_first: bool = False


STRATEGIES = (
    Strategy(),
    Strategy(regain=True),
    Strategy(join=False),
    Strategy(take_in=True),
    Strategy(stock_first=True),
)


@dataclass(frozen=True)
class Edit:
    """An edited pair of areas on the plane, new vertices on the grid, and the parts that were dropped whole."""

    planning: shapely.MultiPolygon
    construction: shapely.MultiPolygon | None
    dropped: shapely.MultiPolygon
    strategy: Strategy
