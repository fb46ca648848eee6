"""The rows of the screen table: one for each proposal and rule, in long form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geoplan.errors import GeoplanError
from geoplan.messages import Lang
from geoplan.report import FindingRecord, StructureRecord, Verdicts

COLUMNS: Mapping[str, str] = {
    "proposal": "text",
    "policy": "text",
    "rule": "text",
    "kind": "text",
    "group": "text",
    "strength": "text",
    "subject": "text",
    "verdict": "text",
    "firm": "truth",
    "value": "number",
    "unit": "text",
    "limit_min": "number",
    "limit_about": "number",
    "limit_max": "number",
    "coverage": "number",
    "report_id": "text",
    "message": "text",
}
"""Columns in their order. ``coverage`` is the least known share of the boundaries that the rule needs."""
METHOD = {"method": "text"}
"""The column that a fast table has besides: how the value was measured, ``kernel`` or as reports measure."""
REFUSED = "refused"
"""The verdict of a proposal that could not be read or checked; its message says why."""
STRUCTURE = "structure"
"""Stands for the policy in rows of what holds whatever the policy."""
_WORST_FIRST = (2, 1, 3, 0)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What screening says of one proposal: its rows, the exit status that ``check`` has, and its verdict."""

    name: str
    rows: list[Row]
    status: int
    verdict: str


def worst_status(statuses: set[int]) -> int:
    """The exit status of a whole table: a refused proposal before a failing one before one not assessed.

    >>> worst_status({0, 3}), worst_status({0, 1, 3}), worst_status({1, 2}), worst_status(set())
    (3, 1, 2, 0)
    """
    return next((each for each in _WORST_FIRST if each in statuses), 0)


def answer_rows(name: str, found: Verdicts, lang: Lang) -> Answer:
    """The rows of what every rule says."""
    rows = [_structure_row(name, found, each, lang) for each in found.structure]
    for policy in found.policies:
        rows.extend(_finding_row(name, found, policy.id, each, lang) for each in policy.findings)
    return Answer(name, rows, found.exit_status, found.verdict)


def columns(*, fast: bool) -> Mapping[str, str]:
    """The columns of a table in their order, with their kinds."""
    return {**COLUMNS, **METHOD} if fast else COLUMNS


def refused_rows(name: str, refused: GeoplanError, lang: Lang) -> Answer:
    """The one row of a proposal that was refused."""
    return Answer(name, [_row(proposal=name, verdict=REFUSED, message=refused.say(lang))], 2, REFUSED)


def _row(**given: Any) -> Row:
    return {column: given.get(column) for column in (*COLUMNS, *METHOD)}


def _finding_row(name: str, content: Verdicts, policy: str, finding: FindingRecord, lang: Lang) -> Row:
    measured, limit = finding.measured, finding.limit
    return _row(
        proposal=name,
        policy=policy,
        rule=finding.rule,
        kind=finding.kind,
        group=finding.group,
        strength=finding.strength,
        subject=finding.subject,
        verdict=finding.verdict,
        firm=finding.firm,
        value=measured.value if measured else None,
        unit=measured.unit if measured else limit.unit if limit else None,
        limit_min=limit.min if limit else None,
        limit_about=limit.about if limit else None,
        limit_max=limit.max if limit else None,
        coverage=min(finding.coverage.values(), default=None),
        report_id=content.id,
        message=finding.says[lang],
        method=measured.method if measured else None,
    )


def _structure_row(name: str, content: Verdicts, found: StructureRecord, lang: Lang) -> Row:
    return _row(
        proposal=name,
        policy=STRUCTURE,
        rule=found.rule,
        kind=STRUCTURE,
        group="spatial",
        verdict=found.verdict,
        firm=found.firm,
        value=found.measured.value if found.measured else None,
        unit=found.measured.unit if found.measured else None,
        report_id=content.id,
        message=found.says[lang],
        method=found.measured.method if found.measured else None,
    )
