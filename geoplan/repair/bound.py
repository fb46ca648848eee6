"""The lower bound of a repair: what any answer must change at least, and the rules that leave no answer.

An answer is a pair of areas within the window in which no rule fails and construction lies inside planning. Planning is
in no more pieces than it was drawn in. A repair moves no town: construction, and the existing land that counts with it,
lies on ground that was drawn as one or the other; what construction takes in is known to every layer that bars ground,
no narrower than `WIDTH` and no smaller than `LEAST_PIECE`. Then, for the connected ground K of the window that planning
may lie on (each answer of one piece lies in one such K), these hold for the area changed:

- what was drawn outside K goes from planning, and what was drawn on ground barred to construction goes from it;
- what is left too large goes down to its limit, what is too small comes up to it;
- construction drawn outside planning either goes, or planning takes it in;
- construction land, with existing land in the rest of planning, comes into its limits by ground of either.

The bound is the least sum over all K. It counts each m² that planning and construction change, once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geoplan.prohibited import less, shared, union
from geoplan.prohibition import Prohibition
from geoplan.repair.problem import Bans, Problem, Span
from geoplan.shaping.pieces import LEAST_PIECE, usable

_MOST_GROUNDS = 8


@dataclass(frozen=True)
class Bound:
    """The least change on one connected ground: m² of planning and construction, and the ground itself."""

    area: float
    ground: shapely.Geometry


def bounds(problem: Problem, rules: Iterable[Prohibition] | None = None) -> tuple[Bound, ...]:
    """The bound on each connected ground that can hold an answer, least first; none where no answer exists.

    Parameters
    ----------
    rules
        Some of the problem's rules, to ask whether they can hold together; all by default.
    """
    chosen = tuple(problem.rules if rules is None else rules)
    bans = problem.bans(chosen)
    free = less(problem.window, bans.planning)
    spans = {of: problem.span(of, chosen) for of in ("planning", "construction", "construction-land")}
    if any(span.is_empty for span in spans.values()):
        return ()
    grounds = _grounds(problem, free)
    found = [_on(problem, ground, bans, spans) for ground in grounds]
    return tuple(sorted((b for b in found if b is not None), key=lambda b: b.area))


def _grounds(problem: Problem, free: shapely.MultiPolygon) -> list[shapely.Geometry]:
    """Connected grounds by what they hold of planning as drawn; all together where it was drawn in several pieces."""
    if problem.pieces > 1:
        return [free]
    parts = np.array(list(free.geoms), dtype=object)
    if not len(parts):
        return []
    held = shapely.area(shapely.intersection(parts, problem.planning))
    order = np.lexsort((-shapely.area(parts), -held))
    return list(parts[order][:_MOST_GROUNDS])


def _on(problem: Problem, ground: shapely.Geometry, bans: Bans, spans: dict[str, Span]) -> Bound | None:
    """The bound on one connected ground; none where the sizes do not fit in it."""
    planning, construction = problem.planning, problem.construction
    span = spans["planning"]
    if shapely.area(ground) < span.low:
        return None
    kept = float(shapely.area(shapely.intersection(planning, ground)))
    gone = planning.area - kept
    trim, add = max(0.0, kept - span.high), max(0.0, span.low - kept)
    if construction is None:
        return Bound(gone + trim + add, ground)
    its, land = spans["construction"], spans["construction-land"]
    drawn = shapely.union(planning, construction)
    held = shared(construction, less(ground, bans.construction))
    beside = less(less(shared(ground, drawn), bans.construction), bans.closed_to_construction)
    room = union(np.array([held, usable(beside)], dtype=object))
    stock = shared(problem.stock, planning)
    if max((p.area for p in room.geoms), default=0.0) < LEAST_PIECE or room.area < its.low or its.low > span.high:
        return None
    if float(shapely.union(room, shared(stock, ground)).area) < land.low:
        return None
    lost = construction.area - held.area
    trim_c, add_c = max(0.0, held.area - its.high), max(0.0, its.low - held.area)
    astray = float(shapely.area(shapely.difference(held, planning)))
    counts = float(shapely.union(held, shared(stock, ground)).area)
    over, under = max(0.0, counts - land.high), max(0.0, land.low - counts)
    plain = trim + max(astray, add + trim_c) + add_c
    more = max(over + add + add_c, trim + trim_c + max(add + add_c, under))
    return Bound(gone + lost + max(plain, more), ground)


def conflict(problem: Problem) -> tuple[str, ...]:
    """The ids of rules that cannot hold together near the site: none of them can be left out (deletion filter).

    Returns
    -------
    tuple of str
        An irreducible set, in the order of the rules; empty where the bound leaves room for an answer.

    Notes
    -----
    Chinneck, Dravnieks (1991), ORSA Journal on Computing 3, 157–168.
    """
    needed: list[Prohibition] = list(problem.rules)
    if bounds(problem, needed):
        return ()
    for rule_id in dict.fromkeys(p.id for p in problem.rules):
        rest = [p for p in needed if p.id != rule_id]
        if not bounds(problem, rest):
            needed = rest
    return _ids(needed)


def _ids(rules: Sequence[Prohibition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.id for p in rules))
