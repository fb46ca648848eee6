"""The one way to a verdict: a proposal, policies, layers and a register give a report."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pydantic
import pyproj
import shapely

from geoplan import __version__
from geoplan.boundary import Proposal, Source
from geoplan.context import around
from geoplan.displaced import looks_displaced
from geoplan.errors import CallRefused
from geoplan.identity import evidence_hash, report_id
from geoplan.judgement import Evidence, Judgement, not_applicable
from geoplan.land import LandAccount, account
from geoplan.layer import Layer
from geoplan.layer_age import MOST_YEARS, outdated
from geoplan.measure import DEFAULT_ACCURACY
from geoplan.messages import Message
from geoplan.policy import ALWAYS, Policy, PolicyBook, Rule
from geoplan.record import (
    application,
    boundary_record,
    finding_record,
    land_record,
    layer_records,
    said,
    source_file,
    structure_record,
)
from geoplan.register import Register
from geoplan.report import Content, PlaneRecord, PolicyRecord, ProposalRecord, Report, SourceFile, Verdicts
from geoplan.rules.case import Case
from geoplan.rules.exclusion import exclusion
from geoplan.rules.figure import facts
from geoplan.rules.minimise import minimise
from geoplan.rules.nearest import proximity, separation
from geoplan.rules.question import manual, needs_register
from geoplan.rules.size import area, class_area, contiguity
from geoplan.rules.within import within
from geoplan.site import Site
from geoplan.structure import applied_outside, county_shares, structural
from geoplan.supplied import held_against
from geoplan.verdict import worst

Judge = Callable[[Any, Case], Judgement]
_JUDGES: Mapping[str, Judge] = {
    "area": area,
    "contiguity": contiguity,
    "within": within,
    "exclusion": exclusion,
    "minimise": minimise,
    "class-area": class_area,
    "separation": separation,
    "proximity": proximity,
    "facts": facts,
    "manual": manual,
    "rivalry": needs_register,
    "portfolio": needs_register,
    "schedule": needs_register,
    "lifecycle": needs_register,
}
_OF_THE_REGISTER = frozenset({"rivalry", "portfolio", "schedule", "lifecycle"})


@dataclass(frozen=True, slots=True)
class Options:
    """How a check is made: the civil date it is made for, the accuracy of lines (m), readings overridden.

    ``readings`` maps ``POLICY.RULE.KEY`` to a value; ``anywhere`` allows data outside China. ``read`` says with which
    options each file was read that could not be read as it is (``planning``, ``layer.ROLE.N``): reports record it.
    Without ``turns`` no finding says how far another verdict is: such a report serves to try an edit and is not kept.
    ``layer_max_age_years`` is after how long a land-use or farmland layer is called old.
    """

    on: date
    accuracy: float = DEFAULT_ACCURACY
    anywhere: bool = False
    readings: Mapping[str, Any] = field(default_factory=dict)
    read: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    turns: bool = True
    layer_max_age_years: int = MOST_YEARS


def check(
    proposal: Proposal,
    policies: tuple[str, ...],
    layers: Sequence[Layer],
    register: Register | None,
    options: Options,
    book: PolicyBook | None = None,
    *,
    facts_source: Source | None = None,
) -> Report:
    """Judge a proposal under policies and write the report.

    Parameters
    ----------
    policies
        Ids; ``land-law`` is always evaluated first, and ``common`` when none is named.

    Raises
    ------
    InputRefused
        A boundary or layer cannot be used as it stands; the facts name a class or rule that a policy does not have.
    CallRefused
        An unknown policy, or a reading that no rule has.
    """
    book = book or PolicyBook()
    chosen = with_readings(book.chosen(policies), options.readings)
    unused = held_against(proposal.facts, book, facts_source.file if facts_source else "facts")
    site = Site(
        proposal,
        layers,
        register,
        accuracy=options.accuracy,
        anywhere=options.anywhere,
        turns=options.turns,
    )
    land = account(site)
    evidence: dict[str, Evidence] = {}
    found = _verdicts(chosen, site, land, options, book, evidence)
    records, structure, verdict = found.policies, found.structure, found.verdict
    shown = tuple(evidence.values())
    used = layer_records(site)  # before warnings look farther around, so that notes are of what was judged by
    content = Content(
        id="",
        verdict=verdict,
        invented=any(layer.invented for layer in site.layers),
        checked_on=options.on.isoformat(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        options={
            "accuracy_m": options.accuracy,
            "anywhere": options.anywhere,
            "readings": dict(options.readings),
            "policies": [p.id for p in chosen],
            **({"read": {name: dict(used) for name, used in options.read.items()}} if options.read else {}),
            **_aging(options),
        },
        plane=PlaneRecord(central_meridian=site.plane.central_meridian, epsg=site.plane.epsg),
        proposal=ProposalRecord(
            name=proposal.title,
            planning=boundary_record(proposal.planning, site.planning, site),
            construction=boundary_record(proposal.construction, site.construction, site)
            if proposal.construction and site.construction is not None
            else None,
            counties=county_shares(site),
            **land_record(land),
        ),
        structure=structure,
        policies=records,
        warnings=[said(w) for w in (*_warnings(site, policies, options), *unused)],
        towns=_file(register.source if register else None),
        facts=_file(facts_source),
        layers=used,
        evidence_sha256=evidence_hash(shown),
        software=software(),
    )
    named = content.model_copy(update={"id": report_id(content.as_dict())})
    boundaries = {"planning": site.planning}
    if site.construction is not None:
        boundaries["construction"] = site.construction
    return Report(named, site.plane, boundaries, shown, around(site))


def _aging(options: Options) -> dict[str, int]:
    """The age that is allowed, where it is not the usual one: the id of other reports stays as it was."""
    years = options.layer_max_age_years
    return {} if years == MOST_YEARS else {"layer_max_age_years": years}


def verdicts(
    proposal: Proposal,
    policies: tuple[str, ...],
    layers: Sequence[Layer],
    register: Register | None,
    options: Options,
    book: PolicyBook,
) -> Verdicts:
    """The verdicts that `check` has, without what a report tells besides: evidence, offsets, surroundings, an id.

    Areas that no verdict rests on are a kernel's where the layer gives them (``method: kernel``). What comes near a
    limit or rests on slivers is not firm here: whoever tells it checks it.

    Raises
    ------
    InputRefused, CallRefused
        As `check` does.
    """
    chosen = with_readings(book.chosen(policies), options.readings)
    held_against(proposal.facts, book, "facts")
    site = Site(proposal, layers, register, accuracy=options.accuracy, anywhere=options.anywhere, fast=True)
    return _verdicts(chosen, site, account(site), options, book, {})


def _verdicts(
    chosen: tuple[Policy, ...],
    site: Site,
    land: LandAccount,
    options: Options,
    book: PolicyBook,
    evidence: dict[str, Evidence],
) -> Verdicts:
    records = [_policy_record(policy, site, land, options, book, evidence) for policy in chosen]
    structure = [structure_record(each, evidence) for each in structural(site)]
    verdict = worst([*(p.verdict for p in records), *(s.verdict for s in structure)])
    return Verdicts(verdict, records, structure)


def _file(source: Source | None) -> SourceFile | None:
    return source_file(source) if source else None


def software() -> dict[str, str]:
    """Versions of what computed a report."""
    return {
        "geoplan": __version__,
        "python": platform.python_version(),
        "shapely": shapely.__version__,
        "geos": shapely.geos_version_string,
        "pyproj": pyproj.__version__,
        "proj": pyproj.proj_version_str,
    }


def with_readings(policies: tuple[Policy, ...], readings: Mapping[str, Any]) -> tuple[Policy, ...]:
    """The policies with the readings of one check put in place of their own.

    Raises
    ------
    CallRefused
        A reading that no rule has, or a value that it cannot take.
    """
    unused = dict(readings)
    changed: list[Policy] = []
    for policy in policies:
        rules = tuple(_read_anew(policy, rule, unused) for rule in policy.rules)
        changed.append(policy.model_copy(update={"rules": rules}))
    if unused:
        raise CallRefused("reading-unknown", reading=next(iter(unused)))
    return tuple(changed)


def _read_anew(policy: Policy, rule: Rule, unused: dict[str, Any]) -> Rule:
    prefix = f"{policy.id}.{rule.id}."
    given = {key.removeprefix(prefix): unused.pop(key) for key in list(unused) if key.startswith(prefix)}
    if not given:
        return rule
    if isinstance(rule.reading, dict) or not set(given) <= set(type(rule.reading).model_fields):
        known = [] if isinstance(rule.reading, dict) else list(type(rule.reading).model_fields)
        raise CallRefused("reading-key-unknown", rule=f"{policy.id}.{rule.id}", key=next(iter(given)), known=known)
    try:
        reading = type(rule.reading).model_validate({**rule.reading.model_dump(), **given})
    except pydantic.ValidationError as wrong:
        first = wrong.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else next(iter(given))
        raise CallRefused("reading-wrong", reading=prefix + key, detail=first["msg"]) from None
    return rule.model_copy(update={"reading": reading})


def _policy_record(
    policy: Policy,
    site: Site,
    land: LandAccount,
    options: Options,
    book: PolicyBook,
    evidence: dict[str, Evidence],
) -> PolicyRecord:
    case = Case(site, policy, land)
    findings = []
    for rule in policy.rules:
        if rule.subject != "proposal" and rule.kind not in _OF_THE_REGISTER:
            continue
        answer = _judge(rule, case, book, options)
        findings.append(finding_record(rule, policy, answer, book, options.on, case.facts, evidence))
    spatial = worst(f.verdict for f in findings if f.group == "spatial")
    document = policy.document
    return PolicyRecord(
        id=policy.id,
        title=document.title,
        number=document.number,
        status=document.status,
        issued=document.issued.isoformat() if document.issued else None,
        until=document.until.isoformat() if document.until else None,
        place=policy.place.model_dump(),
        note=document.note.model_dump() if document.note else None,
        sha256=policy.sha256,
        verdict=spatial,
        application=application(findings),
        warnings=[said(w) for w in _standing(policy, site, options.on)],
        findings=findings,
    )


def _judge(rule: Rule, case: Case, book: PolicyBook, options: Options) -> Judgement:
    if case.policy.id == ALWAYS and not case.site.in_china:
        return not_applicable(Message("finding.outside-china"))
    if not book.decides(case.policy, rule, options.on):
        return not_applicable(Message("finding.not-yet-in-force"))
    return _JUDGES[rule.kind](rule, case)


def _standing(policy: Policy, site: Site, day: date) -> list[Message]:
    """What is to be said of a paper before its findings: its standing, its dates, its own area."""
    document, found = policy.document, []
    if document.status != "in-force":
        found.append(Message("warning.standing", {"status": document.status}))
    if document.issued and day < document.issued:
        found.append(Message("warning.before-issue", {"issued": document.issued.isoformat()}))
    if document.effective and day < document.effective:
        found.append(Message("warning.before-effective", {"effective": document.effective.isoformat()}))
    if document.superseded_by:
        found.append(Message("warning.superseded", {"by": document.superseded_by}))
    if document.until and day > document.until:
        found.append(Message("warning.period-over", {"until": document.until.isoformat()}))
    return [*found, *applied_outside(policy, site)]


def _warnings(site: Site, asked: tuple[str, ...], options: Options) -> list[Message]:
    found: list[Message] = []
    if not asked:
        found.append(Message("warning.common-policy", {}))
    if any(layer.invented for layer in site.layers):
        found.append(Message("warning.invented"))
    if options.anywhere and not site.in_china:
        found.append(Message("warning.outside-china", {}))
    found += [
        Message("warning.shifted-degrees", {"part": part, "crs": each.frame.label, "accuracy": options.accuracy})
        for part, each in (("planning", site.proposal.planning), ("construction", site.proposal.construction))
        if each is not None and each.frame.is_shifted
    ]
    found += looks_displaced(site)
    county = site.proposal.facts.county
    lies_in = [each.adcode for each in county_shares(site)]
    if county and lies_in and county not in lies_in:
        found.append(Message("warning.county-differs", {"given": county, "found": lies_in}))
    if site.construction is None:
        found.append(Message("warning.no-construction", {}))
    assumed = dict.fromkeys(layer.role for layer in site.layers if layer.declared(site.plane) is None)
    if assumed:
        found.append(Message("warning.coverage-assumed", {"roles": list(assumed)}))
    found += outdated(site.layers, options.on, options.layer_max_age_years)
    undated = dict.fromkeys(layer.role for layer in site.layers if layer.day is None)
    if undated:
        found.append(Message("warning.layer-undated", {"roles": list(undated)}))
    return found
