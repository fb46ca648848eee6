"""Minimise: as little as possible of a land, or as much as can be of another; by class, gross and net of ridges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely

from geoplan.balance import adding_up
from geoplan.judgement import Evidence, Judgement, Turn, needs_layer
from geoplan.landuse import Generation
from geoplan.layer import Patches
from geoplan.measure import Measurement
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.pieces import Piece
from geoplan.policy.rule import MinimiseRule
from geoplan.rules.case import Case
from geoplan.rules.classes import class_notes
from geoplan.rules.sums import sums_of
from geoplan.rules.turns import meets, shape_turns
from geoplan.site import Site
from geoplan.verdict import Verdict

_RIDGES: Mapping[Generation | None, str] = {"third-survey": "1203", "second-survey": "123"}
"""Class code of field ridges by generation; other generations have none."""


def minimise(rule: MinimiseRule, case: Case) -> Judgement:
    """Land taken by class, gross and net of ridges; a rule that wants more of a land is turned round."""
    site, role, part = case.site, rule.layer, case.site.judged
    if not site.has(role):
        return needs_layer(role, part)
    if rule.classes:
        site.generation(role)
    here = site.pieces(role, part) if rule.wants == "more" else site.amounts(role, part)
    wanted = [p for p in here if not rule.classes or p.groups & set(rule.classes)]
    known = site.known_classes(role, part) if rule.classes else site.known(role, part)
    coverage: dict[str, float] = {part: known.share}
    elsewhere = None
    if site.construction is not None:
        elsewhere = sum(p.area for p in site.pieces(role, "rest") if not rule.classes or p.groups & set(rule.classes))
    gross = sum(p.area for p in wanted)
    error = 0.0 if site.fast else site.accuracy * float(sum(shapely.length(p.shape) for p in wanted))
    method = "survey-ellipsoid" if rule.wants == "more" else site.method(role, part)
    measured = Measurement(gross, "m2", method, error)
    verdict, key = (
        _more(rule, site, wanted, gross, known.is_whole)
        if rule.wants == "more"
        else _less(wanted, known.is_whole, known.origin)
    )
    firm = key != "finding.minimise.slivers" or known.origin == "assumed"
    notes = class_notes(site, role, part) if rule.classes else ()
    if site.construction is None and wanted:
        notes = (*notes, Message("note.planning-in-place", {}))
    notes = (*notes, *_sliver_note(wanted, rule, key))
    return Judgement(
        verdict,
        Message(key, _minimise_args(rule, site, wanted, known.share)),
        firm,
        None if firm else ("pass", "attention"),
        measured,
        elsewhere,
        coverage=coverage,
        layers=(role,),
        evidence=() if site.fast else tuple(Evidence.of(p) for p in wanted),
        balance=_balance(wanted, rule, {layer.generation for layer in site.layers if layer.role == role}),
        sums=() if site.fast else sums_of(wanted, classes=False),
        notes=notes,
        turns=_turns(rule, site, known.origin) if known.is_whole and not site.fast else (),
    )


def _turns(rule: MinimiseRule, site: Site, origin: str) -> tuple[Turn, ...]:
    """Offsets of the judged boundary at which land begins or ceases to be taken, or enough of it is used."""
    patches = site.patches(rule.layer)
    if not rule.classes:
        wanted, careful = patches, Patches.none()
    else:
        generation = site.generation(rule.layer)
        wanted, careful = patches.of(rule.classes, generation), patches.of(rule.careful, generation)

    def less(shape: shapely.Geometry) -> Verdict:
        return "attention" if meets(shape, wanted.shapes) else "pass"

    if rule.wants != "more" and origin != "declared":
        return ()  # ground that may lie beyond what is known asks for attention wherever the boundary is
    if rule.wants != "more":
        return shape_turns(site.offsets(site.judged), site.plane, less, grown="attention")
    whole, doubtful = shapely.union_all(wanted.shapes), shapely.union_all(careful.shapes)

    def more(shape: shapely.Geometry) -> Verdict:
        plain = shapely.difference(shapely.intersection(shape, whole), doubtful)
        enough = float(shapely.area(plain)) > rule.reading.least_share * float(shapely.area(shape))
        return "pass" if enough else "attention"

    return shape_turns(site.offsets(site.judged), site.plane, more)


def _sliver_note(wanted: list[Piece], rule: MinimiseRule, key: str) -> tuple[Message, ...]:
    """Slivers among what is taken: counted in the sums, told apart."""
    slivers = [p for p in wanted if p.sliver]
    if not slivers or rule.wants == "more" or key == "finding.minimise.slivers":
        return ()
    return (Message("note.slivers", {"count": len(slivers), "area": half_up(sum(p.area for p in slivers), 2)}),)


def _less(taken: list[Piece], is_whole: bool, origin: str) -> tuple[Verdict, str]:
    if any(not p.sliver for p in taken):
        return (
            ("attention", "finding.minimise.taken")
            if is_whole
            else ("not-assessed", "finding.minimise.taken-not-covered")
        )
    if not is_whole:
        return "not-assessed", "finding.minimise.not-covered"
    if taken:
        return "attention", "finding.minimise.slivers"
    return ("pass", "finding.minimise.none") if origin == "declared" else ("attention", "finding.minimise.none-assumed")


def _more(rule: MinimiseRule, site: Site, used: list[Piece], gross: float, is_whole: bool) -> tuple[Verdict, str]:
    whole = site.area(site.judged)
    plain = sum(p.area for p in used if not p.groups & set(rule.careful))
    if plain / whole > rule.reading.least_share:
        return "pass", "finding.minimise.used"
    if gross / whole > rule.reading.least_share:
        return "attention", "finding.minimise.used-careful"
    return ("attention", "finding.minimise.not-used") if is_whole else ("not-assessed", "finding.minimise.not-covered")


def _minimise_args(rule: MinimiseRule, site: Site, wanted: list[Piece], share: float) -> dict[str, Any]:
    worst_land = [p for p in wanted if p.groups & set(rule.worst)]
    return {
        "role": rule.layer,
        "part": site.judged,
        "classes": list(rule.classes) or [],
        "count": len(wanted),
        "area": half_up(sum(p.area for p in wanted), 2),
        "net": half_up(sum(p.net_area for p in wanted), 2),
        "share": round(sum(p.area for p in wanted) / site.area(site.judged), 6),
        "worst": list(rule.worst),
        "worst_area": half_up(sum(p.area for p in worst_land), 2),
        "least": rule.reading.least_share,
        "coverage": share,
    }


def _balance(
    wanted: list[Piece], rule: MinimiseRule, generations: set[Generation | None]
) -> tuple[Mapping[str, Any], ...]:
    """The account by class code: patches, gross and net area, whether it is among the worst.

    The ridges (田坎) that 扣除系数 takes off are booked in a row of their own, so that the net column sums to the gross
    one (largest remainder).
    """
    codes: dict[str, list[Piece]] = {}
    for piece in wanted:
        codes.setdefault(piece.code, []).append(piece)
    listed = sorted(codes.items())
    gross = [sum(p.area for p in pieces) for _, pieces in listed]
    net = [sum(p.net_area for p in pieces) for _, pieces in listed]
    ridges = max(sum(gross) - sum(net), 0.0)
    areas, nets = adding_up(gross), adding_up([*net, ridges], total=sum(gross))
    rows: list[Mapping[str, Any]] = [
        {
            "class": code,
            "name": pieces[0].name,
            "patches": len(pieces),
            "area_m2": area,
            "net_area_m2": own,
            "worst": bool(pieces[0].groups & set(rule.worst)),
        }
        for (code, pieces), area, own in zip(listed, areas, nets, strict=False)
    ]
    if nets[-1]:
        code = _RIDGES.get(next(iter(generations)) if len(generations) == 1 else None, "")
        rows.append(
            {"class": code, "name": "田坎", "patches": 0, "area_m2": 0.0, "net_area_m2": nets[-1], "worst": False}
        )
    return tuple(rows)
