"""The report: what ``geoplan/report/1`` holds; the hash that names it is made by `geoplan.identity`.

Areas are in m² to 0.01, half up; shares 0..1; dates civil in Asia/Shanghai, instants UTC. The ``id`` is the SHA-256 of
the canonical JSON (RFC 8785) without ``id``, ``software``, ``made_at``, file names and ``says``, so the same question
has the same id on every machine that computes the same. ``/1`` grows by added members only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field

from geoplan.judgement import Evidence
from geoplan.plane import Plane
from geoplan.verdict import Verdict

SCHEMA: Literal["geoplan/report/1"] = "geoplan/report/1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


def _is_empty(value: object) -> bool:
    """Whether a member that was added later is left out, so that a report without it keeps its id."""
    return not value


class SaidMessage(_Part):
    """A message of the catalogue with its words in both languages."""

    id: str
    args: dict[str, Any]
    says: dict[str, str]


class MessageRef(_Part):
    """A message of the catalogue."""

    id: str
    args: dict[str, Any]


class SourceFile(_Part):
    """A file that was read, and what was chosen from it: ``#LAYER[FIELD=VALUE]``, empty for the whole."""

    file: str
    sha256: str
    select: str = ""


class DeclaredRecord(_Part):
    """A declared area beside the measured ones: declared minus ellipsoidal, declared minus planar, m²."""

    source: Literal["facts", "file"]
    area_m2: float
    difference_m2: float
    planar_difference_m2: float


class BoundaryRecord(_Part):
    """A boundary as measured."""

    area_m2: float
    planar_area_m2: float
    declared_area_m2: float | None
    declared_areas: list[DeclaredRecord] = []
    error_m2: float
    crs: str
    parts: int
    vertices: int
    holes: int = 0
    perimeter_m: float = 0.0
    source: SourceFile
    repairs: list[SaidMessage] = []
    notes: list[SaidMessage] = []


class CountyShare(_Part):
    """The share of the planning area that lies in a county."""

    adcode: str
    name: str = ""
    share: float


class ProposalRecord(_Part):
    """The proposal: boundaries and the account of construction land (m²)."""

    name: str | None
    planning: BoundaryRecord
    construction: BoundaryRecord | None
    new_construction_m2: float | None
    existing_construction_m2: float | None
    approved_unused_m2: float | None
    construction_land_m2: float | None
    counties: list[CountyShare]


class MeasuredValue(_Part):
    """A measured (or declared) value with unit, method and error; ``elsewhere``: in the rest of planning."""

    value: float
    elsewhere: float | None
    unit: str
    method: str
    error: float


class LimitRecord(_Part):
    """The limit that decided, in the unit of the measure."""

    min: float | None = None
    about: float | None = None
    max: float | None = None
    unit: str | None = None


class TurnRecord(_Part):
    """The nearest offset of the boundary that gives another verdict."""

    verdict: Verdict
    shift_m: float
    area_m2: float


class ClauseRecord(_Part):
    """A clause: place, words (or summary, 摘要，非原文), trust, and the paper it stands in."""

    at: str
    quote: str | None
    summary: str | None
    trust: str
    policy: str = ""
    paper: str = ""
    decides: bool = True


class EvidenceRecord(_Part):
    """One piece of evidence, keyed into the overlaps file by ``id``."""

    id: str
    layer: str
    part: Literal["construction", "planning"]
    patch: str
    class_: str = Field(alias="class")
    name: str = ""
    area_m2: float | None
    net_area_m2: float | None
    share: float | None
    sliver: bool
    distance_m: float | None = None
    uses: list[dict[str, Any]] = []
    attributes: dict[str, str] = Field(default={}, exclude_if=_is_empty)


class SumRow(_Part):
    """What is taken of one class, ownership, owner or village; ``key`` '' where the layer's file says nothing."""

    key: str
    name: str = ""
    patches: int
    area_m2: float
    net_area_m2: float


class SumTable(_Part):
    """What is taken in one part of the proposal; its columns sum to the part's total."""

    by: str
    part: Literal["construction", "planning"]
    rows: list[SumRow]


class SliverRecord(_Part):
    """Pieces that vanish within the accuracy of their lines (2·area/perimeter < 2·accuracy), counted in the sums."""

    pieces: int
    area_m2: float


class FindingRecord(_Part):
    """One rule's answer."""

    rule: str
    kind: str
    title: dict[str, str]
    subject: str
    stage: str
    group: Literal["spatial", "application", "city"]
    strength: str
    verdict: Verdict
    firm: bool
    sides: list[Verdict] | None = None
    waivable: bool
    exception: dict[str, Any] | None = None
    message: MessageRef
    says: dict[str, str]
    notes: list[SaidMessage] = []
    change: SaidMessage | None = None
    measured: MeasuredValue | None
    limit: LimitRecord | None
    turns_at: list[TurnRecord]
    clause: ClauseRecord
    also: list[ClauseRecord]
    reading: dict[str, Any]
    reading_note: dict[str, str] | None = None
    coverage: dict[str, float]
    layers: list[str]
    evidence: list[EvidenceRecord]
    slivers: SliverRecord | None = None
    balance: list[dict[str, Any]] = []
    sums: list[SumTable] = Field(default=[], exclude_if=_is_empty)
    facts: list[dict[str, Any]] = []


class PolicyRecord(_Part):
    """A policy's findings; ``verdict`` is that of its spatial group."""

    id: str
    title: str
    number: str | None
    status: str
    issued: str | None
    until: str | None
    place: dict[str, str] = {}
    note: dict[str, str] | None = None
    sha256: str = ""
    verdict: Verdict
    application: Literal["complete", "to-be-supplied", "broken"]
    warnings: list[SaidMessage] = []
    findings: list[FindingRecord]


class StructureRecord(_Part):
    """A structural finding of every check, whatever the policy."""

    rule: str
    title: dict[str, str]
    verdict: Verdict
    firm: bool
    message: MessageRef
    says: dict[str, str]
    measured: MeasuredValue | None = None
    evidence: list[EvidenceRecord] = []


class LayerRecord(_Part):
    """A layer version that was used."""

    role: str
    file: str
    sha256: str
    date: str | None
    coverage_from: Literal["declared", "assumed"]
    coverage_sha256: str | None = None
    coverage_source: SourceFile | None = None
    select: str = ""
    crs: str = ""
    generation: str | None = None
    invented: bool = False
    notes: list[SaidMessage] = []


class PlaneRecord(_Part):
    """The plane of the check."""

    central_meridian: int
    epsg: int | None


class Content(_Part):
    """The report ``geoplan/report/1``."""

    schema_: Literal["geoplan/report/1"] = Field(default=SCHEMA, alias="schema")
    id: str
    verdict: Verdict
    invented: bool = False
    checked_on: str
    made_at: str
    options: dict[str, Any]
    plane: PlaneRecord
    proposal: ProposalRecord
    structure: list[StructureRecord]
    policies: list[PolicyRecord]
    warnings: list[SaidMessage]
    towns: SourceFile | None
    facts: SourceFile | None
    layers: list[LayerRecord]
    evidence_sha256: str
    software: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON data."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True)
class Verdicts:
    """What every rule says of a proposal: the findings by policy, and those of every check."""

    verdict: Verdict
    policies: list[PolicyRecord]
    structure: list[StructureRecord]
    id: str | None = None

    @property
    def exit_status(self) -> int:
        """0 nothing failed · 1 a rule or a supplied fact failed · 3 something could not be assessed."""
        if self.verdict == "fail" or any(p.application == "broken" for p in self.policies):
            return 1
        return 3 if self.verdict == "not-assessed" else 0

    @property
    def all_firm(self) -> bool:
        """Whether no limit lies within the error of a figure, and no verdict rests on slivers alone."""
        return all(s.firm for s in self.structure) and all(f.firm for p in self.policies for f in p.findings)


@dataclass(frozen=True)
class Context:
    """Patches and neighbours within reach of the boundaries, for the map."""

    role: str
    patch: str
    code: str
    name: str
    shape: shapely.Geometry
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A report with the geometry that it rests on, all on the plane of the check; immutable."""

    content: Content
    plane: Plane
    boundaries: Mapping[str, shapely.Geometry]
    evidence: tuple[Evidence, ...]
    context: tuple[Context, ...]

    @property
    def id(self) -> str:
        """``sha256:…``: the same question has the same id."""
        return self.content.id

    @property
    def verdict(self) -> Verdict:
        """The worst of the policies asked for, the land law and the structural rules."""
        return self.content.verdict

    @property
    def exit_status(self) -> int:
        """0 nothing failed · 1 a rule or a supplied fact failed · 3 something could not be assessed."""
        return self.verdicts.exit_status

    @property
    def verdicts(self) -> Verdicts:
        """What every rule says."""
        return Verdicts(self.verdict, self.content.policies, self.content.structure, self.id)
