"""The record of a repair, ``geoplan/repair/1``: what came of it, the bound, the conflict, and each answer's figures.

Areas are in m² to 0.01, half up. ``/1`` grows by added members only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geoplan.messages import Lang
from geoplan.messages.units import half_up
from geoplan.repair.answer import Answer, Outcome, Repaired, failing
from geoplan.repair.change import Change, Part
from geoplan.report import Report


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PartChange(_Part):
    """What an edit does to one part: m² before and after, kept, removed and added."""

    part: Literal["planning", "construction"]
    before_m2: float
    after_m2: float
    kept_m2: float
    removed_m2: float
    added_m2: float


class BalanceRow(_Part):
    """Area of a class of land use in one part before and after; each column adds up."""

    part: Literal["planning", "construction"]
    code: str
    name: str
    before_m2: float
    after_m2: float


class AnswerRecord(_Part):
    """One answer: its kind, what it changes, how near the bound that is, and the report on the written file.

    ``cost_m2`` is the area changed by weight of the land; ``ratio`` the area changed to the bound, none where nothing
    need change; ``holes`` those of planning (天窗). ``folder`` holds the answer's files, beside the record for the
    first.
    """

    rank: int
    kind: Literal["shrink", "extend", "shift", "split-off", "unchanged"]
    changed_m2: float
    cost_m2: float
    ratio: float | None
    holes: int
    parts: list[PartChange]
    balance: list[BalanceRow]
    report_id: str
    verdict: str
    failing: list[str]
    folder: str = ""


class RepairContent(_Part):
    """A repair.

    ``broken`` are the rules that failed before; ``left`` those that no line was moved for; ``conflict`` rules that
    cannot hold together here, none of which can be left out; ``bound_m2`` what any answer must change at least.
    ``titles`` name the rules of the checked policies, by ``POLICY.RULE``, in every language.
    """

    schema_: Literal["geoplan/repair/1"] = Field(default="geoplan/repair/1", alias="schema")
    outcome: Outcome
    name: str | None
    invented: bool
    checked_on: str
    before_report_id: str
    broken: list[str]
    left: list[str]
    conflict: list[str]
    bound_m2: float | None
    move_for_readings: bool
    answers: list[AnswerRecord]
    titles: dict[str, dict[str, str]] = Field(default_factory=dict)
    software: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as written."""
        return self.model_dump(by_alias=True, mode="json")


def content_of(found: Repaired, answers: list[AnswerRecord], *, move_for_readings: bool) -> RepairContent:
    """The record of a repair with the answers that were written."""
    before = found.before.content
    return RepairContent(
        outcome=found.outcome if answers or found.outcome != "repaired" else "not-found",
        name=before.proposal.name,
        invented=before.invented,
        checked_on=before.checked_on,
        before_report_id=before.id,
        broken=list(failing(found.before)),
        left=list(found.left),
        conflict=list(found.conflict),
        bound_m2=None if found.bound_m2 is None else half_up(found.bound_m2, 2),
        move_for_readings=move_for_readings,
        answers=answers,
        titles=_titles(found.before),
        software=before.software,
    )


def _titles(report: Report) -> dict[str, dict[str, str]]:
    """Titles of the spatial rules with the paper, by ``POLICY.RULE``."""
    named = {
        f"{policy.id}.{each.rule}": {
            lang: f"{title} ({policy.number or policy.title})" for lang, title in each.title.items()
        }
        for policy in report.content.policies
        for each in policy.findings
        if each.group == "spatial"
    }
    return named | {f"structure.{s.rule}": dict(s.title) for s in report.content.structure}


def named(ids: Iterable[str], titles: Mapping[str, Mapping[str, str]], lang: Lang) -> str:
    """Rules by their titles in one language, in a row."""
    joint = "；" if lang == "zh" else "; "
    return joint.join(titles.get(each, {}).get(lang, each) for each in ids) or "—"


def record_of(answer: Answer, report: Report, bound: float | None, rank: int, folder: str) -> AnswerRecord:
    """The record of one answer with the report on its written file."""
    change = answer.change
    return AnswerRecord(
        rank=rank,
        kind=change.kind,
        changed_m2=half_up(change.area, 2),
        cost_m2=half_up(change.cost, 2),
        ratio=round(change.area / bound, 4) if bound else None,
        holes=change.holes,
        parts=_parts(change),
        balance=[
            BalanceRow(part=row.part, code=row.code, name=row.name, before_m2=row.before, after_m2=row.after)
            for row in change.balance
        ],
        report_id=report.content.id,
        verdict=report.content.verdict,
        failing=list(failing(report)),
        folder=folder,
    )


def unchanged_record(report: Report) -> AnswerRecord:
    """The record of boundaries that are left as they were drawn."""
    return AnswerRecord(
        rank=1,
        kind="unchanged",
        changed_m2=0.0,
        cost_m2=0.0,
        ratio=None,
        holes=0,
        parts=[],
        balance=[],
        report_id=report.content.id,
        verdict=report.content.verdict,
        failing=list(failing(report)),
    )


def _parts(change: Change) -> list[PartChange]:
    parts: dict[Part, None] = {g.part: None for g in change.grounds}
    found = []
    for part in parts:
        kept, removed, added = (change.total(part, did) for did in ("kept", "removed", "added"))
        figures = {
            "before_m2": kept + removed,
            "after_m2": kept + added,
            "kept_m2": kept,
            "removed_m2": removed,
            "added_m2": added,
        }
        found.append(PartChange(part=part, **{key: half_up(value, 2) for key, value in figures.items()}))
    return found
