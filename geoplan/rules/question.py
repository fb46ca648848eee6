"""Questions that only a person can answer, and rules that need the register of towns."""

from __future__ import annotations

import shapely

from geoplan.judgement import Judgement, not_assessed
from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.policy.figures import figures
from geoplan.policy.rule import ManualRule, RegisterRule
from geoplan.rules.case import Case
from geoplan.verdict import Verdict, breach


def manual(rule: ManualRule, case: Case) -> Judgement:
    """A reviewer's question: answered in the facts file, settled by what is drawn, or still to be answered.

    An answer that a wording is not met gives what breaking that wording gives: 尽量 or 鼓励 never fails.
    """
    answer = case.facts.answers.get(f"{case.policy.id}.{rule.id}")
    notes = _shown(rule, case)
    if answer is not None and answer.verdict != "exception":
        given: Verdict = answer.verdict  # type: ignore[assignment]
        verdict = breach(rule.strength) if given == "fail" else given
        args = {"by": answer.by, "on": answer.on.isoformat(), "reason": answer.reason, "verdict": given}
        return Judgement(verdict, Message("finding.manual.answered", args), notes=notes)
    if rule.settled_by == "construction-boundary":
        drawn = case.site.construction is not None
        key = "finding.manual.construction-drawn" if drawn else "finding.manual.construction-missing"
        return Judgement("pass" if drawn else "not-assessed", Message(key, {}), notes=notes)
    return Judgement(
        "not-assessed", Message("finding.manual.open", {"question": rule.question.model_dump()}), notes=notes
    )


def _shown(rule: ManualRule, case: Case) -> tuple[Message, ...]:
    """The figures that help the reviewer: measured areas, and the 四至 of the boundary."""
    notes: list[Message] = []
    for path in rule.shows:
        if path == "extent":
            notes.append(_extent(case))
            continue
        if case.site.has(path):
            notes.append(_by_zone(path, case))
        if path not in figures():
            continue
        value, missing = case.ledger.value(path, case.policy.id)
        if not missing:
            notes.append(
                Message(
                    "note.shown-area" if path.endswith("_m2") else "note.shown",
                    {"figure": path, "value": value},
                )
            )
    return tuple(notes)


def _by_zone(role: str, case: Case) -> Message:
    """The areas of a layer's zones inside the part that is judged."""
    zones: dict[str, float] = {}
    for piece in case.site.pieces(role, case.site.judged):
        zone = piece.name or piece.code
        zones[zone] = zones.get(zone, 0.0) + piece.area
    rows = [
        Message("note.shown-zone", {"zone": zone, "area": half_up(area, 2)}).as_dict()
        for zone, area in sorted(zones.items())
    ]
    return Message("note.shown-zones", {"role": role, "rows": rows})


def _extent(case: Case) -> Message:
    """The 四至: the outermost coordinates of the planning area, in degrees."""
    west, south, east, north = shapely.bounds(case.site.plane.lonlat_shapes(case.site.planning))
    return Message(
        "note.extent",
        {"west": f"{west:.6f}", "east": f"{east:.6f}", "south": f"{south:.6f}", "north": f"{north:.6f}"},
    )


def needs_register(rule: RegisterRule, case: Case) -> Judgement:
    """Rules over the city's towns are judged with the register, which a check of a boundary does not hold."""
    del rule, case
    return not_assessed(Message("finding.needs-register"))
