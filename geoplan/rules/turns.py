"""How far a boundary is from another verdict: mitred offsets within 500 m, outward positive, nominal."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    found = _crossings(offsets, measure, own, plus, scale, _grows_to(own, REACH))
    return tuple(Turn(each, shift, area + plus) for each, (shift, area) in sorted(found.items()))


def land_turns(offsets: Offsets, land: shapely.Geometry, plane: Plane, scale: Scale) -> tuple[Turn, ...]:
    """For each other verdict of the area of some land inside a boundary, the nearest offset that gives it."""

    def measure(moved: shapely.Geometry) -> float:
        return survey_area(shapely.intersection(land, moved), plane)

    if not offsets.wanted:
        return ()
    found = _crossings(offsets, measure, measure(offsets.shape), 0.0, scale, 0.0)
    return tuple(Turn(each, shift, survey_area(offsets.at(shift), plane)) for each, (shift, _) in sorted(found.items()))


def _crossings(
    offsets: Offsets, measure: Measure, own: float, plus: float, scale: Scale, surely: float
) -> dict[Verdict, tuple[float, float]]:
    """The nearest offset for each other verdict, and the value there; ``surely``: what the value grows to at least."""
    now = scale.verdict(own + plus)
    found: dict[Verdict, tuple[float, float]] = {}
    for limit in scale.turning_values:
        for probe in (limit * (1 - 1e-9), limit, limit * (1 + 1e-9)):
            verdict = scale.verdict(probe)
            if verdict == now or probe <= plus:
                continue
            there = _offset_with(offsets, measure, own, limit - plus, surely)
            if there and (verdict not in found or abs(there[0]) < abs(found[verdict][0])):
                found[verdict] = there
    return found


def _offset_with(
    offsets: Offsets, measure: Measure, own: float, wanted: float, surely: float
) -> tuple[float, float] | None:
    """The offset at which a value is reached, and the value: the root of a function that grows with the offset.

    By secants, and by halving where one leaves the offsets between which the root lies.
    """
    low, high = (0.0, REACH) if wanted >= own else (-REACH, 0.0)
    if low == 0.0 and surely < wanted and measure(offsets.at(high)) < wanted:
        return None
    whole = float(shapely.area(offsets.shape))
    slope = float(shapely.length(offsets.shape)) * (own / whole if own else 1.0)
    distance, value = 0.0, own
    for _ in range(_ROUNDS):
        step = distance + (wanted - value) / slope if slope > 0 else low
        before, value_before = distance, value
        distance = step if low < step < high else (low + high) / 2
        value = measure(offsets.at(distance))
        if value < wanted:
            low = distance
        else:
            high = distance
        if abs(value - wanted) <= 1e-7 * wanted or high - low < _FINE:
            break
        slope = (value - value_before) / (distance - before)
    return distance, value


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
        signs = (-1.0 if now == grown else 1.0,)
    found: dict[Verdict, float] = {}
    for sign in signs:
        _nearest(offsets, judge, now, sign, found, once=grown is not None)
    found.pop("not-assessed", None)
    return tuple(Turn(each, found[each], survey_area(offsets.at(found[each]), plane)) for each in sorted(found))


def _nearest(
    offsets: Offsets,
    judge: Callable[[shapely.Geometry], Verdict],
    now: Verdict,
    sign: float,
    found: dict[Verdict, float],
    *,
    once: bool,
) -> None:
    """Put the nearest offset of a direction for each other verdict into ``found``, where it is nearer than that there.

    Between two steps a change is looked for only if it leads to a verdict that has none yet.
    """
    before, at = now, 0.0
    for step in offsets.steps(sign):
        last = judge(offsets.at(step))
        while last != before and last != now and not abs(found.get(last, math.inf)) <= abs(at):

            def holds(moved: shapely.Geometry, verdict: Verdict = before) -> bool:
                return judge(moved) == verdict

            at = offsets.last_with(holds, at, step)[1]
            before = judge(offsets.at(at))
            if before != now and abs(at) < abs(found.get(before, math.inf)):
                found[before] = at
        if once and last != now:
            return
        before, at = last, step


def meets(shape: shapely.Geometry, ground: Objects) -> bool:
    """Whether any piece of ground shares more than contact (0.00 m²) with a shape."""
    shapely.prepare(shape)
    hit = ground[shapely.intersects(shape, ground)]
    if not len(hit):
        return False
    if bool(np.any(shapely.contains_properly(shape, hit))):
        return True
    return bool(np.any(shapely.area(shapely.intersection(hit, shape)) >= PRINTS_AS_ZERO))
