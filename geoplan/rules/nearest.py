"""Rules of distance: to other live towns, and to the features of any layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geoplan.judgement import Evidence, Judgement, Turn, needs_layer, not_assessed
from geoplan.layer import Patches
from geoplan.measure import PRINTS_AS_ZERO, Measurement, generalised, nearest, survey_area
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.offsets import REACH, Offsets
from geoplan.policy.rule import Limit, ProximityRule, SeparationRule
from geoplan.register import Neighbour
from geoplan.rules.bands import Held, Scale, hold, hold_between
from geoplan.rules.case import Case
from geoplan.rules.size import limit_phrase
from geoplan.rules.turns import shape_turns
from geoplan.site import Known, Site
from geoplan.verdict import Verdict, worst

SHOWN = 20
"""How many of the nearest neighbours a finding lists."""


def separation(rule: SeparationRule, case: Case) -> Judgement:
    """Boundary-to-boundary distance to the nearest other live town; overlap is 0 m, with its area."""
    site = case.site
    if site.register is None:
        return not_assessed(Message("finding.needs-towns"), layers=("towns",))
    near = rule.reading.near_m
    whole = () if site.register.whole_for else (Message("note.register-assumed-whole", {}),)
    notes = (*whole, *site.left_out)
    if not site.neighbours:
        return Judgement("pass", Message("finding.separation.none", {"near": near}), layers=("towns",), notes=notes)
    ranked = _ranked(site)
    distance, closest, _ = ranked[0]
    scale = Scale((Limit.model_validate({"figure": "distance", "min_m": near}),), rule.strength)
    error = 2 * site.accuracy
    held = hold(scale, distance, error)
    args = _args(site, closest, distance, near, sum(d < near for d, _, _ in ranked))
    key = "not-firm" if not held.firm else "overlap" if args["overlap"] else "far" if held.verdict == "pass" else "near"
    change = (
        Message("change.farther", {"by": half_up(near - distance, 2), "town": closest.town.label})
        if key in ("near", "overlap")
        else None
    )
    return Judgement(
        held.verdict,
        Message(f"finding.separation.{key}", args),
        held.firm,
        held.sides,
        Measurement(distance, "m", "geodesic", error),
        limit=scale.limits[0],
        layers=("towns",),
        turns=_distance_turns(
            site, site.offsets("planning"), np.array([n.shape for n in site.neighbours], dtype=object), scale
        ),
        evidence=tuple(_line(site, i, *entry) for i, entry in enumerate(ranked[:SHOWN], 1)),
        notes=notes,
        change=change,
    )


def _ranked(site: Site) -> list[tuple[float, Neighbour, shapely.LineString]]:
    found = [(*nearest(site.planning, n.shape, site.plane), n) for n in site.neighbours]
    return sorted(((d, n, line) for d, line, n in found), key=lambda each: (each[0], each[1].town.label))


def _args(site: Site, closest: Neighbour, distance: float, near: float, count: int) -> dict[str, Any]:
    shared = survey_area(shapely.intersection(site.planning, closest.shape), site.plane)
    return {
        "town": closest.town.label,
        "distance": half_up(distance, 2),
        "near": near,
        "count": count,
        "overlap": half_up(shared, 2) if shared >= PRINTS_AS_ZERO else 0,
        "is_point": bool(shapely.get_type_id(closest.shape) == shapely.GeometryType.POINT),
    }


def _line(site: Site, i: int, distance: float, neighbour: Neighbour, line: shapely.LineString) -> Evidence:
    shared = survey_area(shapely.intersection(site.planning, neighbour.shape), site.plane)
    return Evidence(
        f"towns.planning.{i}",
        "towns",
        "planning",
        neighbour.town.label,
        neighbour.town.stage or "",
        line,
        area_m2=shared if shared >= PRINTS_AS_ZERO else None,
        distance_m=distance,
    )


def _distance_turns(site: Site, offsets: Offsets, others: np.ndarray, scale: Scale) -> tuple[Turn, ...]:
    """Offsets of the boundary at which the nearest distance crosses the limit."""
    if not len(others):
        return ()
    tree = shapely.STRtree(others)

    def judge(moved: shapely.Geometry) -> Verdict:
        closest = others[int(tree.nearest(moved))]
        return scale.verdict(nearest(moved, closest, site.plane)[0])

    return shape_turns(offsets, site.plane, judge)


def proximity(rule: ProximityRule, case: Case) -> Judgement:
    """Distance from a boundary to the nearest feature of a layer, at least or at most so many metres."""
    site, role = case.site, rule.layer
    if rule.of == "construction" and site.construction is None:
        return not_assessed(Message("finding.needs-construction", {"of": "construction"}))
    if not site.has(role):
        return needs_layer(role, rule.of)
    shape = site.shape(rule.of)
    scale, error = Scale(rule.limits, rule.strength), 2 * site.accuracy
    reach = max(scale.turning_values) + error
    ground = shapely.buffer(generalised(shape, site.accuracy), reach, quad_segs=64)
    farther = _features(rule, site, shapely.buffer(site.offsets(rule.of).at(REACH), reach))
    patches = farther.take(shapely.intersects(_window(ground, site), farther.shapes))
    known = site.known_in(role, ground)
    if not len(patches):
        none = _none_near(rule, scale, known)
        return (
            replace(none, turns=_distance_turns(site, site.offsets(rule.of), farther.shapes, scale))
            if known.is_whole
            else none
        )
    distance, line, i = min((*nearest(shape, each, site.plane), i) for i, each in enumerate(patches.shapes))
    held = _held(rule, scale, site, known, distance)
    evidence = Evidence(
        f"{role}.nearest.1",
        role,
        rule.of,
        str(patches.ids[i]),
        str(patches.codes[i]),
        line,
        name=str(patches.names[i]),
        distance_m=distance,
    )
    args = {**_said(rule, known), "distance": half_up(distance, 2), "patch": evidence.patch}
    return Judgement(
        held.verdict,
        Message(f"finding.proximity.{_key(held, scale, distance)}", args),
        held.firm,
        held.sides if not held.firm else None,
        Measurement(distance, "m", "geodesic", error),
        limit=rule.limits[0],
        coverage={str(rule.of): known.share},
        layers=(role,),
        turns=_distance_turns(site, site.offsets(rule.of), farther.shapes, scale),
        evidence=(evidence,),
    )


def _held(rule: ProximityRule, scale: Scale, site: Site, known: Known, distance: float) -> Held:
    """The verdict of the nearest known feature; ground that is not known may hold one as near as that ground is."""
    nearest_unknown = distance
    if not known.is_whole:
        nearest_unknown = min(distance, nearest(site.shape(rule.of), known.uncovered, site.plane)[0])
    held = hold_between(scale, nearest_unknown, distance, 2 * site.accuracy)
    if held.verdict == "pass" and _wants_absence(rule) and known.origin == "assumed":
        return Held("attention")
    return held


def _key(held: Held, scale: Scale, distance: float) -> str:
    if not held.firm:
        return "not-firm"
    if held.verdict in ("pass", "not-assessed"):
        return "pass" if held.verdict == "pass" else "not-covered"
    return "breach" if scale.verdict(distance) != "pass" else "assumed"


def _said(rule: ProximityRule, known: Known) -> dict[str, Any]:
    """What every message of a proximity says."""
    phrase = limit_phrase(rule.limits[0]).as_dict()
    return {"role": rule.layer, "of": rule.of, "limit": phrase, "coverage": known.share}


def _features(rule: ProximityRule, site: Site, ground: shapely.Geometry) -> Patches:
    """Features of the layer within reach, of the classes that the rule names."""
    patches = site.near(rule.layer, _window(ground, site))
    if not rule.classes:
        return patches
    generation = site.generation(rule.layer)
    return patches.of(rule.classes, generation)


def _window(ground: shapely.Geometry, site: Site) -> shapely.Polygon:
    return shapely.box(*shapely.bounds(shapely.union(ground, site.window)))


def _wants_absence(rule: ProximityRule) -> bool:
    return any(limit.bound("min") is not None or limit.bound("above") is not None for limit in rule.limits)


def _none_near(rule: ProximityRule, scale: Scale, known: Known) -> Judgement:
    """No feature within reach: a pass where distance is asked for, a breach where nearness is."""
    reach = max(scale.turning_values)
    args = {**_said(rule, known), "reach": reach}
    coverage: dict[str, float] = {rule.of: known.share}
    beyond = scale.verdict(reach * (1 + 1e-6))
    if not known.is_whole:
        return not_assessed(
            Message("finding.proximity.none-not-covered", args), layers=(rule.layer,), coverage=coverage
        )
    verdict: Verdict = worst([beyond, "attention"]) if known.origin == "assumed" and beyond == "pass" else beyond
    key = "none" if verdict == "pass" else "none-assumed" if beyond == "pass" else "none-breach"
    return Judgement(
        verdict,
        Message(f"finding.proximity.{key}", args),
        limit=rule.limits[0],
        coverage=coverage,
        layers=(rule.layer,),
    )
