"""Within: one area inside another, by zone where the layer has zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import shapely

from geoplan.balance import adding_up
from geoplan.judgement import Evidence, Judgement, Turn, needs_layer, not_assessed
from geoplan.land import existing_construction
from geoplan.measure import PRINTS_AS_ZERO, Measurement, is_sliver, polygons_of, survey_area
from geoplan.messages import Message
from geoplan.messages.units import floor_to, half_up
from geoplan.pieces import Part
from geoplan.policy.rule import WithinRule
from geoplan.rules.bands import Held
from geoplan.rules.case import Case
from geoplan.rules.turns import shape_turns
from geoplan.site import Site
from geoplan.verdict import Verdict, breach, worst

ZoneVerdict = Literal["pass", "attention", "fail"]


@dataclass(frozen=True, slots=True)
class _Ground:
    """A piece of ground with the verdict of its zone; ``unknown`` where nothing says what zone it lies in."""

    piece: Evidence
    verdict: ZoneVerdict | Literal["unknown"]
    zone: str

    @property
    def area(self) -> float:
        """m²."""
        return self.piece.area_m2 or 0.0


def within(rule: WithinRule, case: Case) -> Judgement:
    """One area inside the patches, or the passing zones, of a layer."""
    site = case.site
    role = rule.layer if site.has(rule.layer) or not rule.stand_in or not site.has(rule.stand_in) else rule.stand_in
    part: Part = "planning" if rule.of == "planning" else site.judged
    if not site.has(role):
        return needs_layer(role, part)
    if rule.zones:
        site.require_codes(role)
    stand_in = (Message("note.stand-in", {"role": role, "wanted": rule.layer}),) if role != rule.layer else ()
    old = _old_ground(rule, site, part)
    ground = _zoned(rule, site, role, part, old)
    answer = _within_answer(rule, site, role, part, ground, stand_in)
    if rule.of != "planning" and site.construction is None and answer.verdict != "pass":
        message = Message("finding.within.needs-construction", {"role": role})
        return not_assessed(message, layers=(role,), coverage=answer.coverage)
    return replace(answer, turns=_turns(rule, site, role, part, old is not None))


def _turns(rule: WithinRule, site: Site, role: str, part: Part, stock_known: bool) -> tuple[Turn, ...]:
    """Offsets of the judged boundary at which it begins or ceases to lie within what the layer allows."""
    patches = site.patches(role)
    verdicts = np.array(
        [zone_verdict(rule, str(code), str(name)) for code, name in zip(patches.codes, patches.names, strict=True)],
        dtype=object,
    )
    zones = {each: shapely.union_all(patches.shapes[verdicts == each]) for each in ("attention", "fail")}
    every = shapely.union_all(patches.shapes)
    stock: shapely.Geometry = shapely.Polygon()
    if stock_known:
        land = site.patches("land-use").of(("construction",), site.generation("land-use"))
        stock = shapely.union_all(land.shapes)

    def real(shape: shapely.Geometry) -> bool:
        return bool(shapely.area(shape) >= PRINTS_AS_ZERO)

    def judge(shape: shapely.Geometry) -> Verdict:
        new = shapely.difference(shape, stock)
        known = shapely.difference(shape, every)
        unknown = site.known_in(role, polygons_of(known), slivers=True).uncovered if real(known) else shapely.Polygon()
        known = shapely.difference(known, unknown)
        stock_verdict: Verdict = "pass"
        if rule.stock_outside:
            if real(shapely.intersection(known, stock)):
                stock_verdict = rule.stock_outside
            unknown, known = (unknown, shapely.difference(known, stock)) if stock_known else (known, shapely.Polygon())
        if real(shapely.intersection(new, zones["fail"])) or real(known):
            return breach(rule.strength)
        soft: Verdict = "attention" if real(shapely.intersection(new, zones["attention"])) else "pass"
        return "not-assessed" if real(unknown) else worst([soft, stock_verdict])

    return shape_turns(site.offsets(part), site.plane, judge)


def _zoned(rule: WithinRule, site: Site, role: str, part: Part, old: shapely.Geometry | None) -> list[_Ground]:
    """The judged area cut by zone, with what lies outside every patch."""
    found: list[_Ground] = []
    pieces = site.pieces(role, part)
    for piece in pieces:
        verdict = zone_verdict(rule, piece.code, piece.name)
        if verdict in ("attention", "fail") and rule.of == "new-construction" and old is not None:
            new = polygons_of(shapely.difference(piece.shape, old))
            verdict = (
                verdict
                if survey_area(new, site.plane) >= PRINTS_AS_ZERO and not is_sliver(new, site.accuracy)
                else "pass"
            )
        found.append(_Ground(Evidence.of(piece), verdict, piece.name or piece.code))
    outside = polygons_of(
        shapely.difference(site.shape(part), shapely.union_all(np.array([p.shape for p in pieces], dtype=object)))
    )
    found.extend(_outside(rule, site, role, part, outside, old))
    return found


def _old_ground(rule: WithinRule, site: Site, part: Part) -> shapely.Geometry | None:
    """Existing construction land in the judged area; none where land use does not cover it."""
    if rule.of != "new-construction" or not site.has("land-use"):
        return None
    site.generation("land-use")
    return existing_construction(site, part) if site.known_classes("land-use", part).is_whole else None


def zone_verdict(rule: WithinRule, code: str, name: str) -> ZoneVerdict | Literal["unknown"]:
    """What a zone gives by its code or name; ``unknown`` where neither says what zone it is."""
    if rule.zones is None:
        return "pass"
    lists: tuple[tuple[ZoneVerdict, tuple[str, ...]], ...] = (
        ("pass", rule.zones.passes),
        ("attention", rule.zones.attention),
        ("fail", rule.zones.fail),
    )
    for verdict, zones in lists:
        if any(_is_zone(zone, code, name) for zone in zones):
            return verdict
    by_code = all(zone.isdigit() for _, zones in lists for zone in zones)
    return "fail" if (code if by_code else name) else "unknown"


def _is_zone(zone: str, code: str, name: str) -> bool:
    """Whether a piece lies in a zone: by code (a sub-code such as 011 with its parent 010), else by name.

    A code kept as a number has lost its leading zero: 10 is 010.
    """
    if zone.isdigit():
        code = code.zfill(len(zone)) if code else ""
        return code == zone or (len(code) == len(zone) and code[:-1] + "0" == zone)
    return zone in name or zone in code


def _outside(
    rule: WithinRule,
    site: Site,
    role: str,
    part: Part,
    outside: shapely.Geometry,
    old: shapely.Geometry | None,
) -> list[_Ground]:
    """What lies outside every patch: known to be outside, unknown, or existing construction land."""
    if shapely.is_empty(outside):
        return []
    unknown = site.known_in(role, outside).uncovered
    known = polygons_of(shapely.difference(outside, unknown))
    kinds: list[tuple[shapely.Geometry, ZoneVerdict | Literal["unknown"], str]] = [(unknown, "unknown", "unknown")]
    if rule.stock_outside and old is not None:
        kinds.append((polygons_of(shapely.intersection(known, old)), rule.stock_outside, "stock"))
        known = polygons_of(shapely.difference(known, old))
    kinds.append((known, "unknown" if rule.stock_outside and old is None else "fail", "outside"))
    found: list[_Ground] = []
    for shape, verdict, zone in kinds:
        area = survey_area(shape, site.plane)
        if area >= PRINTS_AS_ZERO:
            where = "construction" if part == "construction" else "planning"
            evidence = Evidence(
                f"{role}.{zone}.{where}",
                role,
                where,
                zone,
                "",
                shape,
                area,
                None,
                area / site.area(part),
                is_sliver(shape, site.accuracy),
            )
            found.append(_Ground(evidence, verdict, zone))
    return found


def _within_answer(
    rule: WithinRule, site: Site, role: str, part: Part, ground: list[_Ground], notes: tuple[Message, ...]
) -> Judgement:
    by = {kind: [g for g in ground if g.verdict == kind] for kind in ("pass", "attention", "fail", "unknown")}
    held = _held(rule, by)
    broken, soft = by["fail"], by["attention"]
    missing = sum(g.area for g in by["unknown"] if not g.piece.sliver)
    share = max(min(floor_to(1 - missing / site.area(part), 4), 0.9999), 0.0) if missing else 1.0
    area = sum(g.area for g in broken)
    args = {
        "role": role,
        "of": rule.of,
        "part": part,
        "area": half_up(area, 2),
        "share": round(area / site.area(part), 6),
        "soft_area": half_up(sum(g.area for g in soft), 2),
        "zones": sorted({g.zone for g in broken or soft}),
        "coverage": share,
        "unknown_area": half_up(missing, 2),
    }
    error = site.accuracy * float(sum(shapely.length(g.piece.shape) for g in broken))
    return Judgement(
        held.verdict,
        Message(f"finding.within.{_key(held, broken, soft)}", args),
        held.firm,
        held.sides,
        Measurement(area, "m2", "survey-ellipsoid", error),
        coverage={part: share},
        layers=(role,),
        evidence=tuple(g.piece for g in ground if g.verdict != "pass"),
        notes=(*notes, *_sliver_note(held, ground)),
        change=Message("change.move-inside", {"area": args["area"], "role": role}) if broken else None,
        balance=_by_zone(ground),
    )


def _sliver_note(held: Held, ground: list[_Ground]) -> tuple[Message, ...]:
    """Slivers outside what is allowed: counted in the sums, told apart."""
    slivers = [g for g in ground if g.piece.sliver and g.verdict not in ("pass", "unknown")]
    if not slivers:
        return ()
    args = {"count": len(slivers), "area": half_up(sum(g.area for g in slivers), 2)}
    return (Message("note.slivers" if held.firm else "note.slivers-only", args),)


def _held(rule: WithinRule, by: Mapping[str, list[_Ground]]) -> Held:
    """The verdict of the ground by zone; what rests on slivers alone is not firm."""
    if any(not g.piece.sliver for g in by["fail"]):
        return Held(breach(rule.strength))
    if any(not g.piece.sliver for g in by["unknown"]):
        return Held("not-assessed")
    plain: Verdict = "attention" if any(not g.piece.sliver for g in by["attention"]) else "pass"
    if by["fail"]:
        return Held("attention", False, (plain, breach(rule.strength)))
    if by["attention"] and plain == "pass":
        return Held("attention", False, ("pass", "attention"))
    return Held(plain)


def _key(held: Held, broken: list[_Ground], soft: list[_Ground]) -> str:
    if not held.firm:
        return "not-firm"
    if held.verdict in ("pass", "not-assessed"):
        return held.verdict
    return "soft" if soft and not broken else "outside"


def _by_zone(ground: list[_Ground]) -> tuple[Mapping[str, Any], ...]:
    zones: dict[tuple[str, str], float] = {}
    for g in ground:
        zones[g.zone, g.verdict] = zones.get((g.zone, g.verdict), 0.0) + g.area
    listed = sorted(zones.items())
    areas = adding_up([area for _, area in listed])
    return tuple(
        {"zone": zone, "verdict": verdict, "area_m2": area}
        for ((zone, verdict), _), area in zip(listed, areas, strict=True)
    )
