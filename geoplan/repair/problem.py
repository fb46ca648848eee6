"""What a repair has to meet: the boundaries as drawn, the ground that may not be used, and the bounds of sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geoplan.landuse import groups
from geoplan.prohibited import construction_stock, union
from geoplan.prohibition import Prohibition
from geoplan.shaping.clear import widened
from geoplan.shaping.units import Land
from geoplan.site import Site

GIVES = {"paddy": 0.6, "cultivated": 0.7, "construction": 1.3}
"""Weight of a m² given up, by group of land: farmland first, what is built last; other land 1."""
TAKES = {"paddy": 2.0, "cultivated": 1.6, "construction": 0.8, "waste": 0.8}
"""Weight of a m² taken in: built-up and waste land first, paddy last; other land 1."""
_GROUND_ROLES = frozenset({"exclusion", "within", "separation", "overlap"})


@dataclass(frozen=True, slots=True)
class Span:
    """Areas (m²) between which no rule fails; ``rules`` are those that set the ends."""

    low: float = 0.0
    high: float = float("inf")
    rules: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no area is left."""
        return self.low > self.high


@dataclass(frozen=True)
class Bans:
    """Forbidden ground near a site by part: what must go, and what moreover may not be taken in.

    ``planning`` binds the construction area too. ``closed`` is ground that an edit may not add to planning though it
    need not leave it: what is not known, and what only a reading forbids.
    """

    planning: shapely.Geometry
    construction: shapely.Geometry
    closed: shapely.Geometry
    closed_to_construction: shapely.Geometry

    @property
    def any_part(self) -> shapely.Geometry:
        """Ground that some part may not lie on, or that is closed: what planning does better not to grow onto."""
        return union(np.array([self.planning, self.construction, self.closed], dtype=object))


@dataclass(frozen=True)
class Problem:
    """One proposal to be repaired, on the plane of its check.

    Parameters
    ----------
    rules
        The hard prohibitions that must hold; those of a reading only if they were asked for.
    shy
        Hard prohibitions of a reading, which move nothing: one that holds is kept holding.
    gap
        m: parts of planning this near count as one piece.
    """

    site: Site
    planning: shapely.MultiPolygon
    construction: shapely.MultiPolygon | None
    window: shapely.Polygon
    rules: tuple[Prohibition, ...]
    shy: tuple[Prohibition, ...]
    stock: shapely.MultiPolygon
    land: Land
    gap: float = 30.0

    @property
    def pieces(self) -> int:
        """In how many pieces planning was drawn: an answer has no more."""
        return len(self.planning.geoms)

    def bans(self, rules: Iterable[Prohibition] | None = None) -> Bans:
        """The forbidden ground of some rules (all of the problem's by default)."""
        chosen = self.rules if rules is None else tuple(rules)
        placed = [p for p in chosen if p.kind in _GROUND_ROLES]
        of_planning = [p for p in placed if p.part != "construction" or self.construction is None]
        planning = _forbidden(of_planning, self.window)
        construction = _forbidden([p for p in placed if p.part == "construction"], self.window)
        every = (*placed, *self.shy)
        closed = union(
            np.array(
                [
                    *(p.ground(self.window).unknown for p in every if _binds_planning(p, self) and p.unknown_forbids),
                    *(ground for p in self.shy if not shapely.intersects(ground := _near(p, self), self.planning)),
                ],
                dtype=object,
            )
        )
        doubtful = [p.ground(self.window).unknown for p in every if p.unknown_forbids]
        return Bans(planning, construction, closed, union(np.array(doubtful, dtype=object)))

    def span(self, of: str, rules: Iterable[Prohibition] | None = None) -> Span:
        """The areas of planning, construction or construction land that no rule fails."""
        chosen = self.rules if rules is None else tuple(rules)
        mine = [p for p in chosen if p.kind == "area" and p.of == of and p.bounds is not None]
        if of != "planning" and self.construction is None:
            return Span()
        lows = [(p.bounds.low, p.id) for p in mine if p.bounds and p.bounds.low is not None]
        highs = [(p.bounds.high, p.id) for p in mine if p.bounds and p.bounds.high is not None]
        low, lowest = max(lows, default=(0.0, ""))
        high, highest = min(highs, default=(float("inf"), ""))
        return Span(low, high, tuple(dict.fromkeys(r for r in (lowest, highest) if r)))

    def land_limits(self) -> list[tuple[shapely.MultiPolygon, float]]:
        """Land of which construction may hold at most so many m²."""
        return [
            (p.ground(self.window).forbidden, p.bounds.high)
            for p in self.rules
            if p.kind == "class-area" and p.bounds is not None and p.bounds.high is not None
        ]


def _near(rule: Prohibition, problem: Problem) -> shapely.MultiPolygon:
    return rule.ground(problem.window).forbidden


def _binds_planning(rule: Prohibition, problem: Problem) -> bool:
    return rule.part != "construction" or problem.construction is None


def _forbidden(rules: Sequence[Prohibition], window: shapely.Polygon) -> shapely.MultiPolygon:
    return union(np.array([p.ground(window).forbidden for p in rules], dtype=object))


def problem_of(
    site: Site,
    planning: shapely.MultiPolygon,
    construction: shapely.MultiPolygon | None,
    every: Sequence[Prohibition],
    *,
    move_for_readings: bool,
) -> Problem:
    """The problem of a proposal under prohibitions.

    Parameters
    ----------
    move_for_readings
        Whether a rule that fails only by a reading (邻近 as 3 km) is to be mended too.
    """
    hard = [p for p in every if p.is_hard]
    rules = tuple(p for p in hard if move_for_readings or not p.by_reading)
    shy = tuple(p for p in hard if p.by_reading and not move_for_readings)
    has_land = site.has("land-use")
    needs_stock = any(p.of == "construction-land" for p in rules)
    stock = construction_stock(site, site.window) if has_land and needs_stock else shapely.MultiPolygon()
    gaps = [p.distance for p in every if p.kind == "contiguity" and p.distance is not None]
    return Problem(site, planning, construction, site.window, rules, shy, stock, land_of(site), min(gaps, default=30.0))


def land_of(site: Site) -> Land:
    """The patches of land use near a site with their weights; none where the layer or its classes are missing."""
    if not site.has("land-use"):
        return Land.plain()
    patches = site.patches("land-use")
    generations = {layer.generation for layer in site.layers if layer.role == "land-use"}
    generation = generations.pop() if len(generations) == 1 else None
    kinds = [groups(str(code), generation) if generation else frozenset[str]() for code in patches.codes]
    return Land(
        patches.shapes,
        np.array([min((GIVES[group] for group in its if group in GIVES), default=1.0) for its in kinds]),
        np.array([max((TAKES[group] for group in its if group in TAKES), default=1.0) for its in kinds]),
    )


def cleared(window: shapely.Polygon, ground: shapely.Geometry) -> shapely.MultiPolygon:
    """What of a window is clear of some ground."""
    return union(np.array([shapely.difference(window, widened(ground))], dtype=object))
