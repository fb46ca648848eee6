"""Exclusion: no ground of a layer under construction, and none put to another use in the rest of planning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from geoplan.judgement import Evidence, Judgement, Turn, needs_layer
from geoplan.measure import PRINTS_AS_ZERO, Measurement, is_sliver, polygons_of, survey_area
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.pieces import Piece
from geoplan.policy.rule import ExclusionRule
from geoplan.rules.case import Case
from geoplan.rules.planned import PLANNED, under_planned_uses
from geoplan.rules.sums import sums_of
from geoplan.rules.turns import meets, shape_turns
from geoplan.site import Site
from geoplan.verdict import Verdict, breach, worst


@dataclass(frozen=True, slots=True)
class _Hit:
    """A piece with the drawn uses on it that break the rule, and the part of it that counts."""

    piece: Piece
    uses: tuple[Mapping[str, Any], ...]
    counts: bool
    sliver: bool


def exclusion(rule: ExclusionRule, case: Case) -> Judgement:
    """Overlap with a layer: under construction it fails; in the rest of planning it depends on the drawn use."""
    if rule.planned:
        return under_planned_uses(rule, case)
    site, role = case.site, rule.layer
    if not site.has(role):
        return needs_layer(role, *_parts(site))
    judged = [_Hit(p, (), True, p.sliver) for p in site.amounts(role, site.judged)]
    rest = [] if site.construction is None else [_drawn(rule, site, p) for p in site.pieces(role, "rest")]
    return _answer(rule, site, judged, rest)


def _parts(site: Site) -> tuple[str, ...]:
    return ("planning",) if site.construction is None else ("construction", "planning")


def _drawn(rule: ExclusionRule, site: Site, piece: Piece) -> _Hit:
    """A piece of the rest of planning with the drawn uses that are not allowed on it."""
    if not site.has(PLANNED):
        return _Hit(piece, (), False, piece.sliver)
    site.generation(PLANNED)
    uses: list[Mapping[str, Any]] = []
    broken: list[shapely.Geometry] = []
    for use in site.pieces(PLANNED, "rest"):
        if not breaks(rule, use.groups) or not shapely.intersects(use.shape, piece.shape):
            continue
        shared = polygons_of(shapely.intersection(use.shape, piece.shape))
        area = survey_area(shared, site.plane)
        if area >= PRINTS_AS_ZERO:
            uses.append({"class": use.code, "name": use.name, "area_m2": half_up(area, 2)})
            broken.append(shared)
    sliver = piece.sliver or (
        bool(broken) and is_sliver(shapely.union_all(np.array(broken, dtype=object)), site.accuracy)
    )
    return _Hit(piece, tuple(uses), bool(broken), sliver)


def breaks(rule: ExclusionRule, use: frozenset[str]) -> bool:
    """Whether a drawn use, by its groups of land, breaks the rule on ground of its layer."""
    if not use:  # a use without a known class is as good as none drawn
        return False
    if rule.rest_fails == "not-farming":
        return "farming" not in use
    return "construction" in use


def _answer(rule: ExclusionRule, site: Site, judged: list[_Hit], rest: list[_Hit]) -> Judgement:
    known = {
        part: site.known(rule.layer, "construction" if part == "construction" else "planning") for part in _parts(site)
    }
    whole = all(each.is_whole for each in known.values())
    assumed = any(each.origin == "assumed" for each in known.values())
    absent: Verdict = "not-assessed" if not whole else "attention" if assumed else "pass"
    broken = [h for h in (*judged, *rest) if h.counts]
    held_back: list[Verdict] = ["attention"] if any(not h.counts and not h.sliver for h in rest) else []
    drawn: Verdict = worst([absent, *held_back])
    firm, verdict = True, drawn
    sides: tuple[Verdict, Verdict] | None = None
    if any(not h.sliver for h in broken):
        verdict = breach(rule.strength)
    elif (broken or any(h.sliver for h in rest)) and drawn in ("pass", "attention"):
        other: Verdict = breach(rule.strength) if broken else "attention"
        sides = (drawn, other)
        firm, verdict = False, "attention"
    shares = {part: each.share for part, each in known.items()}
    answer = Judgement(
        verdict,
        _message(rule, site, verdict, judged, rest, shares),
        firm,
        sides,
        Measurement(
            sum(h.piece.area for h in judged), "m2", site.method(rule.layer, site.judged), _error(site, judged)
        ),
        None if site.construction is None else sum(h.piece.area for h in rest),
        coverage=shares,
        layers=(rule.layer, *((PLANNED,) if site.has(PLANNED) and rest else ())),
        evidence=() if site.fast else tuple(Evidence.of(h.piece, h.uses) for h in (*judged, *rest)),
        sums=() if site.fast else sums_of([h.piece for h in (*judged, *rest)], classes=True),
        notes=_notes(rule, site, judged, rest, firm, assumed),
        change=_change(rule, judged, rest),
    )
    return replace(answer, turns=_turns(rule, site)) if whole and not site.fast else answer


def _error(site: Site, hits: list[_Hit]) -> float:
    if site.fast:
        return 0.0  # no verdict of this kind rests on it, and it would take every piece drawn
    return site.accuracy * float(sum(shapely.length(h.piece.shape) for h in hits))


def _message(
    rule: ExclusionRule,
    site: Site,
    verdict: Verdict,
    judged: list[_Hit],
    rest: list[_Hit],
    shares: dict[str, float],
) -> Message:
    args: dict[str, Any] = {
        "role": rule.layer,
        "part": site.judged,
        "count": len(judged),
        "area": half_up(sum(h.piece.area for h in judged), 2),
        "net": half_up(sum(h.piece.net_area for h in judged), 2),
        "rest_count": len(rest),
        "rest_area": half_up(sum(h.piece.area for h in rest), 2),
        "used_count": sum(h.counts for h in rest),
        "used_area": half_up(sum(use["area_m2"] for h in rest for use in h.uses), 2),
        "coverage": min(shares.values()),
    }
    if verdict == "not-assessed":
        return Message("finding.exclusion.not-covered" + ("-hit" if judged or rest else ""), args)
    if judged:
        return Message(
            "finding.exclusion.construction" if site.construction is not None else "finding.exclusion.planning",
            args,
        )
    if any(h.counts for h in rest):
        return Message("finding.exclusion.rest-used", args)
    if rest:
        return Message(
            "finding.exclusion.rest-farm" if rule.rest_fails == "not-farming" else "finding.exclusion.rest",
            args,
        )
    return Message("finding.exclusion.none" if verdict == "pass" else "finding.exclusion.none-assumed", args)


def _notes(
    rule: ExclusionRule, site: Site, judged: list[_Hit], rest: list[_Hit], firm: bool, assumed: bool
) -> tuple[Message, ...]:
    notes: list[Message] = []
    if site.construction is None and judged:
        notes.append(Message("note.planning-in-place", {}))
    if judged and rest:
        notes.append(
            Message("note.rest-too", {"count": len(rest), "area": half_up(sum(h.piece.area for h in rest), 2)})
        )
    slivers = [h.piece for h in (*judged, *rest) if h.sliver]
    if slivers:
        area = half_up(sum(p.area for p in slivers), 2)
        notes.append(Message("note.slivers" if firm else "note.slivers-only", {"count": len(slivers), "area": area}))
    if rest and rule.rest_fails == "not-farming" and not site.has(PLANNED):
        notes.append(Message("note.no-drawn-use", {}))
    if assumed and (judged or rest):
        notes.append(Message("note.coverage-assumed", {"role": rule.layer}))
    return tuple(notes)


def _change(rule: ExclusionRule, judged: list[_Hit], rest: list[_Hit]) -> Message | None:
    taken = [h.piece for h in judged]
    if taken:
        args = {"count": len(taken), "area": half_up(sum(p.area for p in taken), 2), "role": rule.layer}
        return Message("change.give-back", args)
    used = [h for h in rest if h.counts]
    if used:
        return Message(
            "change.keep-use",
            {
                "count": len(used),
                "area": half_up(sum(u["area_m2"] for h in used for u in h.uses), 2),
                "role": rule.layer,
            },
        )
    return Message("change.stay", {"role": rule.layer}) if rest else None


def _turns(rule: ExclusionRule, site: Site) -> tuple[Turn, ...]:
    """Offsets of the judged boundary that touch, or no longer touch, the layer; the planning boundary stays."""
    patches = site.patches(rule.layer).shapes
    if site.construction is None:
        near = patches
        bad_verdict = breach(rule.strength)
        offsets = site.offsets("planning")
        return shape_turns(offsets, site.plane, lambda shape: _nominal(shape, near, rule), grown=bad_verdict)
    near = patches
    planning = site.planning
    inside = near[shapely.area(shapely.intersection(near, planning)) >= PRINTS_AS_ZERO] if len(near) else near
    bad = _bad_ground(rule, site, inside)

    def judge(shape: shapely.Geometry) -> Verdict:
        if meets(shape, near):
            return breach(rule.strength)
        if meets(shapely.difference(planning, shape), bad):
            return breach(rule.strength)
        return "attention" if len(inside) else "pass"

    grown = None if len(bad) else breach(rule.strength)
    return shape_turns(site.offsets("construction"), site.plane, judge, grown=grown)


def _bad_ground(rule: ExclusionRule, site: Site, inside: np.ndarray) -> np.ndarray:
    """Ground of the layer inside planning whose drawn use breaks the rule."""
    if not site.has(PLANNED) or not len(inside):
        return np.array([], dtype=object)
    uses = [p.shape for part in ("rest", "construction") for p in site.pieces(PLANNED, part) if breaks(rule, p.groups)]
    if not uses:
        return np.array([], dtype=object)
    ground = np.array(
        [polygons_of(g) for g in shapely.intersection(inside, shapely.union_all(np.array(uses, dtype=object)))]
    )
    return ground[shapely.area(ground) >= PRINTS_AS_ZERO]


def _nominal(shape: shapely.Geometry, near: np.ndarray, rule: ExclusionRule) -> Verdict:
    return breach(rule.strength) if meets(shape, near) else "pass"
