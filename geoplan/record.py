"""Writing judgements down: from what a rule answered to what the report holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Literal

import shapely

from geoplan.balance import adding_up
from geoplan.boundary import Boundary, Source
from geoplan.facts import Facts
from geoplan.judgement import Evidence, Judgement
from geoplan.land import LandAccount
from geoplan.measure import area_error, survey_area
from geoplan.messages import Message, both
from geoplan.messages.units import floor_to, half_up
from geoplan.policy import Cited, Limit, Policy, PolicyBook, Rule
from geoplan.report import (
    BoundaryRecord,
    ClauseRecord,
    DeclaredRecord,
    EvidenceRecord,
    FindingRecord,
    LayerRecord,
    LimitRecord,
    MeasuredValue,
    MessageRef,
    SaidMessage,
    SliverRecord,
    SourceFile,
    StructureRecord,
    SumTable,
    TurnRecord,
)
from geoplan.site import Site
from geoplan.structure import Structural
from geoplan.verdict import is_waivable


def said(message: Message) -> SaidMessage:
    """A message with its words."""
    return SaidMessage(id=message.id, args=dict(message.args), says=both(message))


def boundary_record(boundary: Boundary, shape: shapely.Geometry, site: Site) -> BoundaryRecord:
    """A boundary as measured on the plane of the check."""
    parts = shapely.get_parts(shape)
    area, planar = survey_area(shape, site.plane), float(shapely.area(shape))
    declared = _declared(boundary, site, "planning" if shape is site.planning else "construction", area, planar)
    return BoundaryRecord(
        area_m2=half_up(area, 2),
        planar_area_m2=half_up(planar, 2),
        declared_area_m2=declared[0].area_m2 if declared else None,
        declared_areas=declared,
        error_m2=half_up(area_error(shape, site.accuracy), 2),
        crs=boundary.frame.label,
        parts=len(parts),
        vertices=boundary.vertices,
        holes=int(shapely.get_num_interior_rings(parts).sum()),
        perimeter_m=half_up(float(shapely.length(shape)), 2),
        source=source_file(boundary.source),
        repairs=[said(repair.message) for repair in boundary.repairs],
        notes=[said(note) for note in boundary.notes],
    )


def source_file(source: Source) -> SourceFile:
    """A file for the report."""
    return SourceFile(file=source.file, sha256=source.sha256, select=source.select)


def _declared(boundary: Boundary, site: Site, part: str, area: float, planar: float) -> list[DeclaredRecord]:
    """What the facts and the file itself declare, beside both measures; the facts, which a person gave, first."""
    found: tuple[tuple[Literal["facts", "file"], Any], ...] = (
        ("facts", site.proposal.facts.values.get(f"declared.{part}_area_m2")),
        ("file", boundary.declared_area_m2),
    )
    return [
        DeclaredRecord(
            source=source,
            area_m2=half_up(float(value), 2),
            difference_m2=half_up(float(value) - area, 2),
            planar_difference_m2=half_up(float(value) - planar, 2),
        )
        for source, value in found
        if value is not None
    ]


def land_record(land: LandAccount) -> dict[str, float | None]:
    """The account of construction land for the report: new, existing and approved are a table that adds up."""
    figures = {
        "new_construction_m2": land.new,
        "existing_construction_m2": land.existing,
        "approved_unused_m2": land.approved,
        "construction_land_m2": land.construction_land,
    }
    printed = {key: None if value is None else half_up(value, 2) for key, value in figures.items()}
    parts = [key for key in figures if key != "construction_land_m2" and figures[key] is not None]
    table = adding_up([figures[key] or 0.0 for key in parts])
    return {**printed, **dict(zip(parts, table, strict=True))}


def finding_record(
    rule: Rule,
    policy: Policy,
    answer: Judgement,
    book: PolicyBook,
    day: date,
    facts: Facts,
    evidence: dict[str, Evidence],
) -> FindingRecord:
    """A rule's answer with its clause, reading and evidence; new evidence is added to ``evidence``."""
    clause, *also = book.cited(policy, rule)
    waivable = answer.verdict == "fail" and (is_waivable(rule.strength) or bool(getattr(rule, "exception", None)))
    granted = facts.answers.get(f"{policy.id}.{rule.id}")
    exception = granted.as_dict() if granted and granted.verdict == "exception" and waivable else None
    notes = answer.notes
    if granted and granted.verdict == "exception":
        key = (
            "note.exception"
            if waivable
            else "note.exception-not-possible"
            if answer.verdict == "fail"
            else "note.exception-not-needed"
        )
        notes = (
            *notes,
            Message(
                key,
                {
                    "by": granted.by,
                    "number": granted.number,
                    "reason": granted.reason,
                    "on": granted.on.isoformat(),
                },
            ),
        )
    reading = rule.reading if isinstance(rule.reading, dict) else rule.reading.model_dump()
    return FindingRecord(
        rule=rule.id,
        kind=rule.kind,
        title=rule.title.model_dump(),
        subject=rule.subject,
        stage=rule.stage,
        group=rule.judged_group,
        strength=rule.strength,
        verdict=answer.verdict,
        firm=answer.firm,
        sides=list(answer.sides) if answer.sides and not answer.firm else None,
        waivable=waivable,
        exception=exception,
        message=MessageRef(**answer.message.as_dict()),
        says=both(answer.message),
        notes=[said(note) for note in notes],
        change=said(answer.change) if answer.change else None,
        measured=_measured(answer),
        limit=_limit(answer.limit),
        turns_at=[
            TurnRecord(verdict=t.verdict, shift_m=half_up(t.shift_m, 3), area_m2=half_up(t.area_m2, 2))
            for t in answer.turns
        ],
        clause=_clause(clause, day),
        also=[_clause(each, day) for each in also],
        reading=reading,
        reading_note=rule.note.model_dump() if rule.note else None,
        coverage={part: floor_to(share, 4) for part, share in answer.coverage.items()},
        layers=list(answer.layers),
        evidence=[evidence_record(piece, evidence) for piece in answer.evidence],
        slivers=_slivers(answer),
        balance=[dict(row) for row in answer.balance],
        sums=[SumTable.model_validate(each) for each in answer.sums],
        facts=[dict(row) for row in answer.facts],
    )


def _slivers(answer: Judgement) -> SliverRecord | None:
    """The account of slivers among the evidence; they count in every sum and are never dropped."""
    found = [piece for piece in answer.evidence if piece.sliver]
    if not found:
        return None
    return SliverRecord(pieces=len(found), area_m2=half_up(sum(piece.area_m2 or 0.0 for piece in found), 2))


def _measured(answer: Judgement) -> MeasuredValue | None:
    found = answer.measured
    if found is None:
        return None
    digits = 2 if found.unit in ("m2", "m", "yuan") else 6
    return MeasuredValue(
        value=half_up(found.value, digits),
        elsewhere=None if answer.elsewhere is None else half_up(answer.elsewhere, 2),
        unit=found.unit,
        method=found.method,
        error=half_up(found.error, digits),
    )


def _limit(limit: Limit | None) -> LimitRecord | None:
    if limit is None or limit.unit is None:
        return None
    low, high = limit.bound("min"), limit.bound("max")
    return LimitRecord(
        min=low if low is not None else limit.bound("above"),
        about=limit.bound("about"),
        max=high if high is not None else limit.bound("below"),
        unit=limit.unit,
    )


def _clause(cited: Cited, day: date) -> ClauseRecord:
    return ClauseRecord(**cited.as_dict(), decides=cited.clause.decides_on(day))


def evidence_record(piece: Evidence, evidence: dict[str, Evidence]) -> EvidenceRecord:
    """A piece as the report lists it; its geometry is kept once, by its id."""
    piece = _kept(piece, evidence)

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else half_up(value, digits)

    return EvidenceRecord.model_validate(
        {
            "id": piece.id,
            "layer": piece.layer,
            "part": piece.part,
            "patch": piece.patch,
            "class": piece.code,
            "name": piece.name,
            "area_m2": rounded(piece.area_m2, 2),
            "net_area_m2": rounded(piece.net_area_m2, 2),
            "share": rounded(piece.share, 6),
            "sliver": piece.sliver,
            "distance_m": rounded(piece.distance_m, 2),
            "uses": [dict(use) for use in piece.uses],
            "attributes": {name: text for name, text in piece.attributes.items() if text},
        }
    )


def _kept(piece: Evidence, evidence: dict[str, Evidence]) -> Evidence:
    """The piece under an id of its own: two rules may mean different ground by the same name (outside a layer)."""
    name, count = piece.id, 1
    while name in evidence and not shapely.equals_exact(evidence[name].shape, piece.shape):
        count += 1
        name = f"{piece.id}.{count}"
    named = replace(piece, id=name)
    evidence.setdefault(name, named)
    return named


def structure_record(found: Structural, evidence: dict[str, Evidence]) -> StructureRecord:
    """A structural finding for the report."""
    answer = found.answer
    return StructureRecord(
        rule=found.rule,
        title=both(Message(f"structure.{found.rule}")),
        verdict=answer.verdict,
        firm=answer.firm,
        message=MessageRef(**answer.message.as_dict()),
        says=both(answer.message),
        measured=_measured(answer),
        evidence=[evidence_record(piece, evidence) for piece in answer.evidence],
    )


def application(findings: list[FindingRecord]) -> Literal["complete", "to-be-supplied", "broken"]:
    """Whether the application requirements of a policy are met, still to be supplied, or broken by what is supplied."""
    verdicts = {f.verdict for f in findings if f.group == "application"}
    if "fail" in verdicts:
        return "broken"
    return "to-be-supplied" if "not-assessed" in verdicts else "complete"


def layer_records(site: Site) -> list[LayerRecord]:
    """The layer versions that a check used."""
    found: list[dict[str, Any]] = []
    for layer in site.layers:
        found.append(
            {
                "role": layer.role,
                "file": layer.source.file,
                "sha256": layer.source.sha256,
                "date": layer.day.isoformat() if layer.day else None,
                "coverage_from": "assumed" if layer.declared(site.plane) is None else "declared",
                "coverage_sha256": layer.coverage_source.sha256 if layer.coverage_source else None,
                "coverage_source": source_file(layer.coverage_source) if layer.coverage_source else None,
                "select": layer.source.select,
                "crs": layer.crs,
                "generation": layer.generation,
                "invented": layer.invented,
                "notes": [said(note) for note in layer.notes],
            }
        )
    return [LayerRecord(**each) for each in found]
