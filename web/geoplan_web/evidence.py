"""The pieces of ground that a report rests on: each once, with every finding that cites it.

Several rules judge the same patch, and each finding lists it. Page and map show a patch once, and lead from it
to all its findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote

from geoplan.messages import Lang, Message, catalogue, say, word
from geoplan.messages.units import MU_PER_M2, format_unit, number
from geoplan.verdict import WORST_FIRST
from geoplan_web.finding import FindingView, ReportView
from geoplan_web.wording import Json

FARMLAND = "permanent-basic-farmland"
FARMLAND_KINDS = frozenset(f"{FARMLAND}.{part}" for part in ("construction", "planning", "rest"))
"""Kinds of evidence that are farmland itself, not a use drawn on it."""


class Citing(NamedTuple):
    """A finding that rests on a piece: its id on the page, its title and paper, its verdict, and that on this piece."""

    anchor: str
    title: str
    paper: str
    verdict: str
    here: str


class Figures(NamedTuple):
    """An area as it is printed: m² and 亩, both to two decimals."""

    m2: str
    mu: str


def figures(value: float | None) -> Figures | None:
    """An area in both units, or none.

    >>> figures(1000.0)
    Figures(m2='1,000.00', mu='1.50')
    """
    if value is None:
        return None
    return Figures(number(value, 2), number(Decimal(repr(float(value))) * MU_PER_M2, 2))


@dataclass(frozen=True)
class PieceView:
    """One piece of evidence in one language."""

    record: Json
    lang: Lang
    citing: tuple[Citing, ...]

    @property
    def id(self) -> str:
        """Id in the report and in the overlaps file."""
        return str(self.record["id"])

    @property
    def layer(self) -> str:
        """Role of the layer that the piece comes from; ``boundary`` for the proposal's own lines."""
        return str(self.record["layer"])

    @property
    def kind(self) -> str:
        """The id without its number: ``permanent-basic-farmland.rest``, ``towns.planning``."""
        return self.id.rsplit(".", 1)[0] if self.id.rsplit(".", 1)[-1].isdigit() else self.id

    @property
    def part(self) -> str:
        """The boundary that was cut, in words."""
        return word("part", str(self.record["part"]), self.lang)

    @property
    def patch(self) -> str:
        """Number of the patch; for ground outside every patch, what is known of it."""
        given = str(self.record["patch"])
        if f"word.zone.{given}" in catalogue():
            return word("zone", given, self.lang)
        return "" if self.layer == "boundary" else given

    @property
    def label(self) -> str:
        """Class or zone: code and name; the stage of a town."""
        code = str(self.record["class"])
        if self.layer == "towns":
            return word("town-stage", code, self.lang)
        return " ".join(dict.fromkeys(filter(None, (code, str(self.record.get("name") or "")))))

    @property
    def area(self) -> Figures | None:
        """What the piece measures, with ridges."""
        return figures(self.record["area_m2"])

    @property
    def net(self) -> Figures | None:
        """What it measures without the ridges of its patch (扣除田坎)."""
        return figures(self.record["net_area_m2"])

    @property
    def share(self) -> str | None:
        """Its share of the part that was judged, always to two decimals, so that a column lines up."""
        share = self.record["share"]
        return None if share is None else f"{number(share * 100, 2)} %"

    @property
    def distance(self) -> str | None:
        """Length of a line to a neighbour."""
        distance = self.record.get("distance_m")
        return None if distance is None else format_unit(distance, "distance", self.lang)

    @property
    def is_sliver(self) -> bool:
        """Whether it vanishes within the freedom of the lines."""
        return bool(self.record["sliver"])

    @property
    def verdict(self) -> str:
        """The worst that a finding says of this very piece."""
        said = {cited.here for cited in self.citing}
        return next((verdict for verdict in WORST_FIRST if verdict in said), "not-applicable")

    @property
    def uses(self) -> list[str]:
        """Drawn uses that decide about the piece, each with its area."""
        return [
            say(Message("view.use", {"use": f"{use['class']} {use['name']}", "area": use["area_m2"]}), self.lang)
            for use in self.record.get("uses", [])
        ]


def pieces(report: ReportView) -> dict[str, PieceView]:
    """Every piece of a report by its id, with the findings that cite it, in the order of the report."""
    records: dict[str, Json] = {}
    citing: dict[str, list[Citing]] = {}
    for cited, record in _cited(report):
        records.setdefault(record["id"], record)
        citing.setdefault(record["id"], []).append(cited)
    return {key: PieceView(record, report.lang, tuple(citing[key])) for key, record in records.items()}


def _cited(report: ReportView) -> Iterator[tuple[Citing, Json]]:
    for found in report.structural:
        for record in found.evidence:
            yield Citing(found.anchor, found.title, "", found.verdict, found.verdict), record
    for policy in report.policies:
        for finding in policy.findings:
            zones = {row["zone"]: row["verdict"] for row in finding.record["balance"] if "zone" in row}
            for record in finding.evidence:
                zone = record.get("name") or record["class"] or record["patch"]
                here = zones.get(zone, finding.verdict)
                yield Citing(finding.anchor, finding.title, policy.short, finding.verdict, here), record


@dataclass(frozen=True)
class PatchTable:
    """Farmland patches that are hit in one part of the proposal, largest first, with their sums as printed."""

    part: str
    pieces: list[PieceView]
    sums: tuple[str, ...]


def farmland_tables(report: ReportView) -> list[PatchTable]:
    """Farmland that is hit, by part. The sums are the finding's own: rounded rows may add up to a hundredth more."""
    gross, net = _farmland_totals(report)
    found: dict[str, list[PieceView]] = {"construction": [], "planning": []}
    for piece in pieces(report).values():
        if piece.kind in FARMLAND_KINDS:
            found[str(piece.record["part"])].append(piece)
    return [
        PatchTable(
            part,
            sorted(several, key=lambda piece: -(piece.record["area_m2"] or 0.0)),
            _sums(gross.get(part, _added(several, "area_m2")), net.get(part, _added(several, "net_area_m2"))),
        )
        for part, several in found.items()
        if several
    ]


def _farmland_totals(report: ReportView) -> tuple[dict[str, float], dict[str, float]]:
    """Gross and net areas by part, as the first rule against the farmland itself measured them."""
    for finding in (each for policy in report.policies for each in policy.findings):
        measured, args = finding.record["measured"], finding.record["message"]["args"]
        if finding.record["kind"] != "exclusion" or FARMLAND not in finding.record["layers"]:
            continue
        if measured is None or "net" not in args:
            continue
        if measured["elsewhere"] is None:
            return {"planning": measured["value"]}, {"planning": args["net"]}
        gross = {"construction": measured["value"], "planning": measured["elsewhere"]}
        return gross, {"construction": args["net"]}
    return {}, {}


def _added(several: list[PieceView], key: str) -> float:
    return float(sum(Decimal(repr(float(piece.record[key] or 0.0))) for piece in several))


def _sums(*areas: float) -> tuple[str, ...]:
    return tuple(printed for area in areas for printed in figures(area) or ())


def lacks(finding: FindingView) -> str | None:
    """The layer for want of which a finding is not assessed: missing, or not covering the ground."""
    record = finding.record
    if finding.verdict != "not-assessed" or not record["layers"]:
        return None
    is_short = any(share < 1 for share in record["coverage"].values())
    return str(record["layers"][0]) if is_short or record["message"]["id"] == "finding.needs-layer" else None


def lacking(report: ReportView) -> dict[str, tuple[Citing, ...]]:
    """The findings that lack a layer, by its role."""
    found: dict[str, tuple[Citing, ...]] = {}
    for policy in report.policies:
        for finding in policy.findings:
            if role := lacks(finding):
                cited = Citing(finding.anchor, finding.title, policy.short, finding.verdict, finding.verdict)
                found[role] = (*found.get(role, ()), cited)
    return found


def decisive(finding: FindingView) -> list[str] | None:
    """Of a finding of distances, the lines that break its limit, or the nearest where none does; else none."""
    lines = [
        (piece["distance_m"], str(piece["id"])) for piece in finding.evidence if piece.get("distance_m") is not None
    ]
    if not lines:
        return None
    limit = finding.record.get("limit") or {}
    least, most = limit.get("min"), limit.get("max")
    broken = [
        line
        for distance, line in lines
        if (least is not None and distance < least) or (most is not None and distance > most)
    ]
    return broken or [min(lines)[1]]


def shown_by(finding: FindingView) -> str | None:
    """What the map's address asks for a finding: what it rests on or lacks, else the boundary that was measured."""
    if finding.evidence or lacks(finding):
        return f"finding={quote(finding.anchor)}"
    part = finding.record["message"]["args"].get("of")
    if part in ("planning", "construction"):
        return f"evidence=boundary.{part}"
    return "evidence=boundary.construction" if part == "construction-land" else None
