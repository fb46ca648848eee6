"""Rules of size: areas, contiguity, areas by class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import shapely

from geoplan.judgement import Evidence, Judgement, Turn, needs_layer, not_assessed
from geoplan.land import existing_construction
from geoplan.landuse import groups
from geoplan.measure import Measurement, area_error, generalised, nearest, necks, survey_area
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.plane import Plane
from geoplan.policy.rule import AreaReading, AreaRule, ClassAreaRule, ContiguityRule, Limit
from geoplan.rules.bands import Held, Scale, band, hold_between
from geoplan.rules.case import Case
from geoplan.rules.classes import class_notes
from geoplan.rules.turns import area_turns, land_turns, shape_turns
from geoplan.site import Site
from geoplan.verdict import Verdict, breach

_SHOWN_AS = {"m2": "km2s", "m": "distance"}
_ONE_SIDED: tuple[Literal["min", "max", "above", "below"], ...] = ("min", "max", "above", "below")


def area(rule: AreaRule, case: Case) -> Judgement:
    """The area of planning, construction or construction land against the clause's figures."""
    site = case.site
    if rule.of != "planning" and site.construction is None:
        return not_assessed(Message("finding.needs-construction", {"of": rule.of}))
    is_relaxed = case.is_of(rule.relaxed) if rule.relaxed and rule.of == "planning" else False
    scale = Scale(rule.limits, rule.strength, rule.reading, bool(is_relaxed))
    shape = site.planning if rule.of == "planning" else site.construction
    assert shape is not None
    error = area_error(_counted(rule, case, shape), site.accuracy)
    low, high = _bounds(rule, case)
    held = hold_between(scale, low, high, error)
    found = _told(rule, held, scale, low, high)
    notes = (*found.notes, *_relaxation(rule, is_relaxed, scale, held, low))
    if rule.of == "construction-land" and low != high:
        notes = (
            *notes,
            Message("note.construction-land-lower-bound", {"low": half_up(low, 2), "high": half_up(high, 2)}),
        )
    plus = low - site.area("construction") if rule.of == "construction-land" else 0.0
    turns: tuple[Turn, ...] = ()
    if low == high and not site.fast:
        planar = rule.reading.decides == "planar"
        offsets = site.offsets("planning" if rule.of == "planning" else "construction")
        turns = area_turns(offsets, site.plane, scale, plus=plus, planar=planar)
    return replace(
        found,
        measured=Measurement(low, "m2", _method(rule), error),
        limit=rule.limits[0],
        notes=notes,
        turns=turns,
        change=_change(held, scale, low),
        layers=("land-use",) if rule.of == "construction-land" else (),
    )


def _counted(rule: AreaRule, case: Case, shape: shapely.Geometry) -> shapely.Geometry:
    """The ground whose lines bound the error: with construction land, the stock in the rest of planning as well."""
    if rule.of != "construction-land" or not case.site.has("land-use"):
        return shape
    return shapely.union(shape, existing_construction(case.site, "rest"))


def _bounds(rule: AreaRule, case: Case) -> tuple[float, float]:
    """The area that decides; for construction land without whole land use what it is at least and at most."""
    site = case.site
    if rule.of == "construction-land":
        land = case.land
        assert land.at_least is not None
        assert land.at_most is not None
        return land.at_least, land.at_most
    if rule.reading.decides == "planar":
        planar = float(shapely.area(site.shape(rule.of)))
        return planar, planar
    return site.area(rule.of), site.area(rule.of)


def _method(rule: AreaRule) -> str:
    return "planar" if rule.reading.decides == "planar" else "survey-ellipsoid"


def _told(rule: AreaRule, held: Held, scale: Scale, low: float, high: float) -> Judgement:
    args = {
        "of": rule.of,
        "area": half_up(low, 2),
        "limit": limit_phrase(rule.limits[0], rule.reading).as_dict(),
    }
    if held.verdict == "not-assessed":
        assert held.sides is not None
        message = Message("finding.area.unknown", {**args, "most": half_up(high, 2), "sides": list(held.sides)})
        return Judgement("not-assessed", message)
    if not held.firm:
        assert held.sides is not None
        return Judgement(
            "attention",
            Message("finding.area.not-firm", {**args, "sides": list(held.sides)}),
            False,
            held.sides,
        )
    if held.verdict == "pass":
        return Judgement("pass", Message("finding.area.pass", args))
    over = low > min(scale.turning_values) * (1 + 1e-9) and low > _middle(rule.limits[0])
    return Judgement(held.verdict, Message(f"finding.area.{'over' if over else 'under'}", args))


def _middle(limit: Limit) -> float:
    """A value inside the passing band: what lies above it is too large, what lies below too small."""
    about = limit.bound("about")
    if about is not None:
        return about
    return limit.bound("min") if limit.bound("max") is None else limit.bound("max") or 0.0  # type: ignore[return-value]


def _change(held: Held, scale: Scale, value: float) -> Message | None:
    """What would bring the area to a pass: by how much smaller or larger."""
    if held.verdict not in ("fail", "attention") or not scale.turning_values:
        return None
    passing = [v for v in scale.turning_values if scale.verdict(v) == "pass"]
    if not passing:
        return None
    target = min(passing, key=lambda v: abs(v - value))
    by = half_up(abs(target - value), 2)
    return (
        Message("change.area-smaller" if target < value else "change.area-larger", {"by": by, "to": target})
        if by
        else None
    )


def _relaxation(rule: AreaRule, is_relaxed: bool | None, scale: Scale, held: Held, value: float) -> tuple[Message, ...]:
    """What the bracket on relaxed types gives, or would give if the town were of such a type."""
    if not rule.relaxed or rule.of != "planning" or held.verdict in ("pass", "not-assessed"):
        return ()
    if is_relaxed:
        return (Message("note.relaxed", {}),) if value > _middle(rule.limits[0]) else ()
    if held.verdict != "fail" or value < _middle(rule.limits[0]):
        return ()
    other = replace(scale, relaxed=True).verdict(value)
    key = "note.relaxed-if-type" if is_relaxed is None else "note.relaxed-other-type"
    return (Message(key, {"types": list(rule.relaxed), "verdict": other}),)


def limit_phrase(limit: Limit, reading: AreaReading | None = None, *, unit: str | None = None) -> Message:
    """A bound as a message: about 3 km² with its band, 3 to 5 km², at least …, in its unit."""
    about, low, high = limit.bound("about"), limit.bound("min"), limit.bound("max")
    args: dict[str, Any] = {"unit": unit or _SHOWN_AS.get(limit.unit or "", limit.unit)}
    if about is not None:
        lowest, passing, failing = band(about, reading or AreaReading())
        return Message(
            "limit.about", args | {"about": about, "about_low": lowest, "about_pass": passing, "about_fail": failing}
        )
    if low is not None and high is not None:
        return Message("limit.exactly" if low == high else "limit.range", args | {"min": low, "max": high})
    for which in _ONE_SIDED:
        if limit.bound(which) is not None:
            return Message(f"limit.{which}", args | {which: limit.bound(which)})
    raise ValueError(f"a limit without a bound: {limit}")


def contiguity(rule: ContiguityRule, case: Case) -> Judgement:
    """Whether the planning space is one piece: parts within the reading's gap count as connected."""
    return replace(_contiguity(rule, case.site), turns=_contiguity_turns(rule, case.site))


def _contiguity(rule: ContiguityRule, site: Site) -> Judgement:
    parts = shapely.get_parts(site.planning)
    gap = rule.reading.gap_m
    gaps_between = _gaps(parts, site.plane, gap + 2 * site.accuracy)
    clusters, gaps = _clusters(len(parts), gaps_between, gap)
    wider, _ = _clusters(len(parts), gaps_between, gap + 2 * site.accuracy)
    narrower, _ = _clusters(len(parts), gaps_between, max(gap - 2 * site.accuracy, 0.0))
    measured = Measurement(float(clusters), "count", "count")
    passages = necks(generalised(site.planning, site.accuracy), rule.reading.neck_m)
    notes = tuple(Message("note.gap", {"gap": half_up(length, 2), "limit": gap}) for length, _ in gaps)
    if passages:
        notes = (*notes, Message("note.necks", {"count": len(passages), "width": rule.reading.neck_m}))
    evidence = _marks(gaps, passages)
    args = {"parts": len(parts), "pieces": clusters, "gap": gap}
    if wider != narrower and (wider == 1 or narrower == 1):
        sides: tuple[Verdict, Verdict] = ("pass", breach(rule.strength))
        return Judgement(
            "attention",
            Message("finding.contiguity.not-firm", args),
            False,
            sides,
            measured,
            evidence=evidence,
            notes=notes,
        )
    if clusters == 1:
        key = "finding.contiguity.pass" if len(parts) == 1 else "finding.contiguity.pass-with-gaps"
        return Judgement("pass", Message(key, args), measured=measured, evidence=evidence, notes=notes)
    change = Message("change.join-parts", {"pieces": clusters, "gap": gap})
    return Judgement(
        breach(rule.strength),
        Message("finding.contiguity.apart", args),
        measured=measured,
        evidence=evidence,
        notes=notes,
        change=change,
    )


_Gap = tuple[float, int, int, shapely.Geometry]


def _gaps(parts: Any, plane: Plane, widest: float) -> list[_Gap]:
    """Pairs of parts at most ``widest`` apart by the geodesic length of the shortest line between them, shortest first.

    They are looked up by distances on the plane, which are longer than geodesics by less than a thousandth.
    """
    first, second = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=widest * 1.001)
    pairs = [(i, j) for i, j in zip(first.tolist(), second.tolist(), strict=True) if i < j]
    found = [(*nearest(parts[i], parts[j], plane), i, j) for i, j in pairs]
    return sorted(((length, i, j, line) for length, line, i, j in found), key=lambda each: each[:3])


def _clusters(count: int, gaps: list[_Gap], widest: float) -> tuple[int, list[tuple[float, shapely.Geometry]]]:
    """Groups of parts that lie within ``widest`` of each other, and the gaps that join them (length, line)."""
    group = list(range(count))
    joints: list[tuple[float, shapely.Geometry]] = []

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for length, i, j, line in gaps:
        if length > widest:
            break
        if root(i) != root(j):
            group[root(j)] = root(i)
            joints.append((length, line))
    return len({root(i) for i in range(count)}), joints


def _contiguity_turns(rule: ContiguityRule, site: Site) -> tuple[Turn, ...]:
    """Offsets of the planning boundary at which its parts grow together, or a passage breaks."""
    gap = rule.reading.gap_m

    def judge(shape: shapely.Geometry) -> Verdict:
        parts = shapely.get_parts(shape)
        return "pass" if _clusters(len(parts), _gaps(parts, site.plane, gap), gap)[0] == 1 else breach(rule.strength)

    parts = shapely.get_num_geometries(site.planning)
    signs = (-1.0,) if parts == 1 else (1.0, -1.0)  # what is one part stays one when it grows
    return shape_turns(site.offsets("planning"), site.plane, judge, signs=signs)


def _marks(gaps: list[tuple[float, shapely.Geometry]], passages: tuple[shapely.Polygon, ...]) -> tuple[Evidence, ...]:
    lines = [
        Evidence(f"gap.{i + 1}", "boundary", "planning", f"gap {i + 1}", "", line, distance_m=length)
        for i, (length, line) in enumerate(gaps)
    ]
    narrow = [
        Evidence(f"neck.{i + 1}", "boundary", "planning", f"neck {i + 1}", "", p, area_m2=float(p.area))
        for i, p in enumerate(passages)
    ]
    return (*lines, *narrow)


def class_area(rule: ClassAreaRule, case: Case) -> Judgement:
    """The area of named classes inside construction (or planning in its place) against a limit."""
    site, role, part = case.site, rule.layer, case.site.judged
    if not site.has(role):
        return needs_layer(role, part)
    site.generation(role)
    taken = [p for p in site.pieces(role, part) if counts(rule, p.groups)]
    known = site.known_classes(role, part)
    coverage: dict[str, float] = {part: known.share}
    low = high = sum(p.area for p in taken)
    if rule.outside:
        low, high = _outside(rule, case, [p.shape for p in taken], high)
    high += 0.0 if known.is_whole else survey_area(known.uncovered, site.plane)
    scale = Scale(rule.limits, rule.strength)
    error = site.accuracy * float(sum(shapely.length(p.shape) for p in taken))
    held = hold_between(scale, low, high, error)
    if held.verdict == "pass" and known.origin == "assumed":
        held = Held("attention")
    limit = rule.limits[0]
    args = {
        "area": half_up(low, 2),
        "most": half_up(high, 2),
        "limit": limit_phrase(limit, unit="ha_short").as_dict(),
        "part": part,
        "land": _land_words(rule).as_dict(),
    }
    key = {"pass": "within", "not-assessed": "unknown"}.get(
        held.verdict, "over" if low > scale.turning_values[0] else "assumed"
    )
    key = key if held.firm else "not-firm"
    return Judgement(
        held.verdict,
        Message(f"finding.class-area.{key}", args),
        held.firm,
        held.sides if not held.firm else None,
        Measurement(low, "m2", "survey-ellipsoid", error),
        limit=limit,
        coverage=coverage,
        layers=(role, *((rule.outside,) if rule.outside else ())),
        evidence=tuple(Evidence.of(p) for p in taken),
        notes=class_notes(site, role, part),
        turns=_class_turns(rule, site, scale) if low == high and not site.fast else (),
    )


def _class_turns(rule: ClassAreaRule, site: Site, scale: Scale) -> tuple[Turn, ...]:
    """Offsets of the judged boundary at which the area of the classes inside it crosses a limit."""
    patches, generation = site.patches(rule.layer), site.generation(rule.layer)
    counted = np.array([counts(rule, groups(str(code), generation)) for code in patches.codes], dtype=bool)
    land = shapely.union_all(patches.shapes[counted])
    if rule.outside:
        land = shapely.difference(land, shapely.union_all(site.patches(rule.outside).shapes))
    if shapely.is_empty(land):
        return ()

    return land_turns(site.offsets(site.judged), land, site.plane, scale)


def _land_words(rule: ClassAreaRule) -> Message:
    """The land that a rule counts, in words."""
    if rule.all_but:
        return Message("finding.class-area.land-but", {"classes": list(rule.all_but)})
    if rule.outside:
        return Message("finding.class-area.land-of-outside", {"classes": list(rule.classes), "outside": rule.outside})
    return Message("finding.class-area.land-of", {"classes": list(rule.classes)})


def counts(rule: ClassAreaRule, groups: frozenset[str]) -> bool:
    """Whether land of these groups counts against the limits of the rule."""
    if rule.reading.existing_construction == "does-not-count" and "construction" in groups:
        return False
    if rule.all_but:
        return bool(groups) and not groups & set(rule.all_but)
    return bool(groups & set(rule.classes))


def _outside(rule: ClassAreaRule, case: Case, shapes: list[shapely.Geometry], whole: float) -> tuple[float, float]:
    """What of some land lies outside a layer: at least and at most, where the layer is missing or not whole."""
    site, role = case.site, rule.outside
    assert role is not None
    if not site.has(role):
        return 0.0, whole
    inside = shapely.union_all(np.array([p.shape for p in site.pieces(role, site.judged)], dtype=object))
    left = survey_area(shapely.difference(shapely.union_all(np.array(shapes, dtype=object)), inside), site.plane)
    unknown = survey_area(site.known(role, site.judged).uncovered, site.plane)
    return max(left - unknown, 0.0), left
