"""How far a boundary is from another verdict: mitred offsets within 500 m, outward positive, nominal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import shapely

from geoplan.judgement import Turn
from geoplan.layer import Objects
from geoplan.measure import DEFAULT_ACCURACY, PRINTS_AS_ZERO, survey_area
from geoplan.offsets import REACH, Offsets
from geoplan.plane import Plane
from geoplan.rules.bands import Scale
from geoplan.verdict import Verdict

_FINE = 0.0001
_ROUNDS = 30
Measure = Callable[[shapely.Geometry], float]


def area_turns(
    shape: shapely.Geometry | Offsets,
    plane: Plane,
    scale: Scale,
    *,
    plus: float = 0.0,
    planar: bool = False,
    accuracy: float = DEFAULT_ACCURACY,
) -> tuple[Turn, ...]:
    """For each other verdict of an area, the nearest offset that gives it.

    ``plus`` is area that counts beside the boundary's own (existing construction land in the rest of planning);
    ``planar`` says that the planar area decides.
    """

    def measure(moved: shapely.Geometry) -> float:
        return float(shapely.area(moved)) if planar else survey_area(moved, plane)

    offsets = shape if isinstance(shape, Offsets) else Offsets(shape, accuracy)
    if not offsets.wanted:
        return ()
    own = measure(offsets.shape)
    plus += measure(offsets.drawn) - own
    now = scale.verdict(own + plus)
    found: dict[Verdict, Turn] = {}
    for limit in scale.turning_values:
        for probe in (limit * (1 - 1e-9), limit, limit * (1 + 1e-9)):
            verdict = scale.verdict(probe)
            if verdict == now or probe <= plus:
                continue
            turn = _offset_for_area(offsets, measure, own, limit - plus, verdict)
            turn = turn and replace(turn, area_m2=turn.area_m2 + plus)
            if turn and (verdict not in found or abs(turn.shift_m) < abs(found[verdict].shift_m)):
                found[verdict] = turn
    return tuple(found[each] for each in sorted(found))


def _offset_for_area(offsets: Offsets, measure: Measure, own: float, wanted: float, verdict: Verdict) -> Turn | None:
    """The offset at which the area reaches a value: the root of a function that grows with the offset."""
    low, high = (0.0, REACH) if wanted >= own else (-REACH, 0.0)
    if low == 0.0 and _grows_to(own, high) < wanted and measure(offsets.at(high)) < wanted:
        return None
    distance, area = (wanted - own) / float(shapely.length(offsets.shape)), own
    for _ in range(_ROUNDS):
        distance = min(max(distance, low), high)
        moved = offsets.at(distance)
        area = measure(moved)
        if area < wanted:
            low = distance
        else:
            high = distance
        if abs(area - wanted) <= 1e-7 * wanted or high - low < _FINE:
            return Turn(verdict, distance, area)
        slope = float(shapely.length(moved))
        step = distance + (wanted - area) / slope if slope else (low + high) / 2
        distance = step if low < step < high else (low + high) / 2
    return Turn(verdict, distance, area)


def _grows_to(area: float, distance: float) -> float:
    """What an area grows to at the least when its boundary is offset outward, with a margin (Brunn and Minkowski)."""
    return 0.99 * (math.sqrt(area) + math.sqrt(math.pi) * distance) ** 2


def shape_turns(
    shape: shapely.Geometry | Offsets,
    plane: Plane,
    judge: Callable[[shapely.Geometry], Verdict],
    *,
    accuracy: float = DEFAULT_ACCURACY,
    grown: Verdict | None = None,
    signs: tuple[float, ...] = (1.0, -1.0),
) -> tuple[Turn, ...]:
    """For each other verdict that an offset within ±500 m reaches, the nearest such offset, to 1 mm.

    ``judge`` gives the nominal verdict of an offset boundary; between two steps tried it is taken to go one way. An
    offset at which nothing is known gives no verdict and is left out. ``grown`` says that there are two verdicts, and
    that a boundary which has this one keeps it when it grows: then one direction alone can turn it, and once.
    ``signs`` are the directions in which it can change at all.
    """
    offsets = shape if isinstance(shape, Offsets) else Offsets(shape, accuracy)
    if not offsets.wanted:
        return ()
    now = judge(offsets.shape)
    if grown is not None:
        at = _only_edge(offsets, judge, now, -1.0 if now == grown else 1.0)
        return () if at is None else _turned(offsets, plane, judge, now, [at])
    edges = [at for sign in signs for at in _edges(offsets, judge, now, sign)]
    return _turned(offsets, plane, judge, now, edges)


def _turned(
    offsets: Offsets, plane: Plane, judge: Callable[[shapely.Geometry], Verdict], now: Verdict, edges: list[float]
) -> tuple[Turn, ...]:
    """The nearest of the offsets at which each other verdict begins; what is not known is none."""
    found: dict[Verdict, Turn] = {}
    for at in edges:
        there = offsets.at(at)
        verdict = judge(there)
        nearer = verdict not in found or abs(at) < abs(found[verdict].shift_m)
        if verdict not in (now, "not-assessed") and nearer:
            found[verdict] = Turn(verdict, at, survey_area(there, plane))
    return tuple(found[each] for each in sorted(found))


def _edges(offsets: Offsets, judge: Callable[[shapely.Geometry], Verdict], now: Verdict, sign: float) -> list[float]:
    """Every offset of a direction at which the verdict is another than just before."""
    found: list[float] = []
    before, at = now, 0.0
    for step in offsets.steps(sign):
        last = judge(offsets.at(step))
        while last != before:

            def holds(moved: shapely.Geometry, verdict: Verdict = before) -> bool:
                return judge(moved) == verdict

            at = offsets.last_with(holds, at, step)[1]
            found.append(at)
            before = judge(offsets.at(at))
        at = step
    return found


def _only_edge(
    offsets: Offsets, judge: Callable[[shapely.Geometry], Verdict], now: Verdict, sign: float
) -> float | None:
    """The one offset of a direction at which the verdict changes for good, or none within reach."""

    def holds(moved: shapely.Geometry) -> bool:
        return judge(moved) == now

    if sign < 0 and (last := offsets.furthest(sign)) is not None and holds(offsets.at(last)):
        return None
    at = 0.0
    for step in offsets.steps(sign):
        if not holds(offsets.at(step)):
            return offsets.last_with(holds, at, step)[1]
        at = step
    return None


def meets(shape: shapely.Geometry, ground: Objects) -> bool:
    """Whether any piece of ground shares more than contact (0.00 m²) with a shape."""
    shapely.prepare(shape)
    hit = ground[shapely.intersects(shape, ground)]
    if not len(hit):
        return False
    if bool(np.any(shapely.contains_properly(shape, hit))):
        return True
    return bool(np.any(shapely.area(shapely.intersection(hit, shape)) >= PRINTS_AS_ZERO))
