"""Exclusion under planned uses: orchards, woods or ponds planned on ground that must stay as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geoplan.judgement import Evidence, Judgement, Turn, needs_layer, not_assessed
from geoplan.measure import PRINTS_AS_ZERO, Measurement, is_sliver, polygons_of, survey_area
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.pieces import Piece
from geoplan.policy.rule import ExclusionRule
from geoplan.rules.bands import Held
from geoplan.rules.case import Case
from geoplan.rules.turns import meets, shape_turns
from geoplan.site import Known, Site
from geoplan.verdict import Verdict, breach

PLANNED = "planned-land-use"


def under_planned_uses(rule: ExclusionRule, case: Case) -> Judgement:
    """Overlap that lies under planned uses of certain classes, over the whole planning area.

    Where the layer lies nowhere inside, the rule passes at once, without the planned uses; else they must be known
    on all of its ground.
    """
    site, role = case.site, rule.layer
    if not site.has(role):
        return needs_layer(role, "planning")
    known = site.known(role, "planning")
    inside = site.pieces(role, "planning")
    coverage = {"planning": known.share}
    args = {"role": role, "lacking": role, "uses": list(rule.planned), "coverage": known.share, "part": "planning"}
    if not inside:
        held = _absent(known)
        key = {"pass": "none", "attention": "none-assumed"}.get(held.verdict, "not-covered")
        return Judgement(held.verdict, Message(f"finding.exclusion.{key}", args), coverage=coverage, layers=(role,))
    if not site.has(PLANNED):
        message = Message("finding.exclusion.needs-planned-use", args)
        return not_assessed(message, layers=(PLANNED, role), coverage=coverage)
    site.generation(PLANNED)
    drawn = _drawn_on(site, inside)
    answer = _judged(rule, site, _hits(rule, site, inside), known, drawn)
    return replace(answer, turns=_turns(rule, site, known)) if drawn.is_whole and known.is_whole else answer


def _absent(known: Known) -> Held:
    if not known.is_whole:
        return Held("not-assessed")
    return Held("attention" if known.origin == "assumed" else "pass")


def _drawn_on(site: Site, inside: tuple[Piece, ...]) -> Known:
    """How much of the layer's ground inside planning has a planned use drawn on it."""
    ground = shapely.union_all(np.array([p.shape for p in inside], dtype=object))
    return site.known_classes_in(PLANNED, "planning", ground)


def _hits(rule: ExclusionRule, site: Site, inside: tuple[Piece, ...]) -> tuple[Evidence, ...]:
    uses = [u.shape for u in site.pieces(PLANNED, "planning") if u.groups & set(rule.planned)]
    ground = shapely.union_all(np.array(uses, dtype=object))
    found: list[Evidence] = []
    for piece in inside:
        shared = polygons_of(shapely.intersection(piece.shape, ground))
        area = survey_area(shared, site.plane)
        if area >= PRINTS_AS_ZERO:
            hit = replace(
                piece,
                id=f"{rule.layer}.planned.{len(found) + 1}",
                drawn=shared,
                area=area,
                net_area=area * (piece.net_area / piece.area),
                share=area / site.area("planning"),
                sliver=is_sliver(shared, site.accuracy),
            )
            found.append(Evidence.of(hit))
    return tuple(found)


def _turns(rule: ExclusionRule, site: Site, known: Known) -> tuple[Turn, ...]:
    """Offsets of the planning boundary at which the layer's ground under such a use is met, or no longer met."""
    uses = site.patches(PLANNED).of(rule.planned, site.generation(PLANNED)).shapes
    ground = shapely.union_all(uses)
    shared = shapely.intersection(site.patches(rule.layer).shapes, ground)
    there = shared[shapely.area(shared) >= PRINTS_AS_ZERO]

    def judge(shape: shapely.Geometry) -> Verdict:
        return breach(rule.strength) if meets(shape, there) else _absent(known).verdict

    return shape_turns(site.offsets("planning"), site.plane, judge, grown=breach(rule.strength))


def _judged(rule: ExclusionRule, site: Site, hits: tuple[Evidence, ...], known: Known, drawn: Known) -> Judgement:
    area = sum(e.area_m2 or 0.0 for e in hits)
    lacking, share = (PLANNED, drawn.share) if drawn.share < known.share else (rule.layer, known.share)
    args: dict[str, Any] = {
        "role": rule.layer,
        "lacking": lacking,
        "uses": list(rule.planned),
        "count": len(hits),
        "area": half_up(area, 2),
        "coverage": share,
    }
    absent = Held("not-assessed") if not drawn.is_whole else _absent(known)
    if any(not e.sliver for e in hits):
        held, key = Held(breach(rule.strength)), "planned"
    elif absent.verdict == "not-assessed":
        held, key = absent, "planned-not-covered"
    elif hits:
        held, key = Held("attention", False, (absent.verdict, breach(rule.strength))), "planned"
    else:
        held, key = absent, "planned-none"
    error = site.accuracy * float(sum(shapely.length(e.shape) for e in hits))
    return Judgement(
        held.verdict,
        Message(f"finding.exclusion.{key}", args),
        held.firm,
        held.sides,
        Measurement(area, "m2", "survey-ellipsoid", error),
        coverage={"planning": share},
        layers=(lacking, PLANNED if lacking == rule.layer else rule.layer),
        evidence=hits,
    )
