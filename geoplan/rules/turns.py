"""How far a boundary is from another verdict: mitred offsets within 500 m, outward positive, nominal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import shapely

from geoplan.judgement import Turn
from geoplan.measure import survey_area
from geoplan.plane import Plane
from geoplan.rules.bands import Scale
from geoplan.site import REACH
from geoplan.verdict import Verdict

MITRE_LIMIT = 5.0
_FINE = 0.001
_STEPS = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 250.0, REACH)
_ROUNDS = 30


def offset(shape: shapely.Geometry, distance: float) -> shapely.Geometry:
    """The mitred offset of a boundary by a distance in metres, outward positive."""
    return shapely.buffer(shape, distance, join_style="mitre", mitre_limit=MITRE_LIMIT)


Measure = Callable[[shapely.Geometry], float]


def area_turns(
    shape: shapely.Geometry, plane: Plane, scale: Scale, *, plus: float = 0.0, planar: bool = False
) -> tuple[Turn, ...]:
    """For each other verdict of an area, the nearest offset that gives it.

    ``plus`` is area that counts beside the boundary's own (existing construction land in the rest of planning);
    ``planar`` says that the planar area decides.
    """

    def measure(moved: shapely.Geometry) -> float:
        return float(shapely.area(moved)) if planar else survey_area(moved, plane)

    own = measure(shape)
    now = scale.verdict(own + plus)
    found: dict[Verdict, Turn] = {}
    for limit in scale.turning_values:
        for probe in (limit * (1 - 1e-9), limit, limit * (1 + 1e-9)):
            verdict = scale.verdict(probe)
            if verdict == now or probe <= plus:
                continue
            turn = _offset_for_area(shape, measure, own, limit - plus, verdict)
            turn = turn and replace(turn, area_m2=turn.area_m2 + plus)
            if turn and (verdict not in found or abs(turn.shift_m) < abs(found[verdict].shift_m)):
                found[verdict] = turn
    return tuple(found[each] for each in sorted(found))


def _offset_for_area(
    shape: shapely.Geometry, measure: Measure, own: float, wanted: float, verdict: Verdict
) -> Turn | None:
    """The offset at which the area reaches a value: the root of a function that grows with the offset."""
    low, high = (0.0, REACH) if wanted >= own else (-REACH, 0.0)
    if low == 0.0 and measure(offset(shape, high)) < wanted:
        return None
    distance, area = (wanted - own) / float(shapely.length(shape)), own
    for _ in range(_ROUNDS):
        distance = min(max(distance, low), high)
        moved = offset(shape, distance)
        area = measure(moved)
        if area < wanted:
            low = distance
        else:
            high = distance
        if abs(area - wanted) <= 1e-7 * wanted or high - low < _FINE / 10:
            return Turn(verdict, distance, area)
        slope = float(shapely.length(moved))
        step = distance + (wanted - area) / slope if slope else (low + high) / 2
        distance = step if low < step < high else (low + high) / 2
    return Turn(verdict, distance, area)


def shape_turns(
    shape: shapely.Geometry, plane: Plane, judge: Callable[[shapely.Geometry], Verdict]
) -> tuple[Turn, ...]:
    """For each other verdict that an offset within ±500 m reaches, the nearest such offset, to 1 mm.

    ``judge`` gives the nominal verdict of an offset boundary; between two steps tried it is taken to go one way.
    """
    now = judge(shape)
    found: dict[Verdict, Turn] = {}
    for sign in (1.0, -1.0):
        before, at = now, 0.0
        for step in _STEPS:
            moved = offset(shape, sign * step)
            far = _last_of(shape, at, sign * step) if shapely.is_empty(moved) else sign * step
            last = judge(offset(shape, far))
            while last != before:
                at = _edge(shape, judge, at, far, before)
                there = offset(shape, at)
                before = judge(there)
                if before != now and (before not in found or abs(at) < abs(found[before].shift_m)):
                    found[before] = Turn(before, at, survey_area(there, plane))
            at = far
            if shapely.is_empty(moved):
                break
    return tuple(found[each] for each in sorted(found))


def _last_of(shape: shapely.Geometry, near: float, far: float) -> float:
    """The offset furthest inward at which something of the shape is left."""
    while abs(far - near) > _FINE:
        middle = (near + far) / 2
        if shapely.is_empty(offset(shape, middle)):
            far = middle
        else:
            near = middle
    return near


def _edge(
    shape: shapely.Geometry,
    judge: Callable[[shapely.Geometry], Verdict],
    near: float,
    far: float,
    before: Verdict,
) -> float:
    """The offset nearest to ``near`` whose verdict is no longer ``before``."""
    while abs(far - near) > _FINE:
        middle = (near + far) / 2
        if judge(offset(shape, middle)) == before:
            near = middle
        else:
            far = middle
    return far
