"""Rules of figures: what the applicant declares, or what follows from it, against the clause's figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geoplan.judgement import Judgement, not_applicable
from geoplan.measure import Measurement
from geoplan.messages import Message
from geoplan.policy.figures import figures
from geoplan.policy.rule import FactsRule, Limit
from geoplan.rules.bands import Scale
from geoplan.rules.case import Case
from geoplan.rules.size import limit_phrase
from geoplan.verdict import Verdict, breach, worst


def facts(rule: FactsRule, case: Case) -> Judgement:
    """Declared figures against limits; what is missing is "to be supplied", never a pass."""
    outside = _outside(rule, case)
    if outside:
        return outside
    if not rule.limits:
        return not_applicable(Message("finding.facts.information"))
    held = [_held(rule, limit, case) for limit in rule.limits]
    verdict = worst(v for v, _ in held)
    rows = tuple(row for _, row in held)
    bites, missing = _bites(rule, case)
    if bites is False:
        return Judgement("pass", Message("finding.facts.does-not-bite", {"conditions": _conditions(rule)}), facts=rows)
    if bites is None and verdict in ("fail", "attention"):
        return Judgement("not-assessed", Message("finding.facts.missing", {"figures": list(missing)}), facts=rows)
    return _told(rule, case, verdict, rows, missing if bites is None else ())


def _outside(rule: FactsRule, case: Case) -> Judgement | None:
    """Whether the rule binds this town at all: its tier, its type, the rule that stands instead."""
    if rule.strength == "may":
        return not_applicable(Message("finding.facts.information"))
    if rule.tiers:
        if case.facts.tier is None:
            return Judgement("not-assessed", Message("finding.facts.tier-missing", {"tiers": list(rule.tiers)}))
        if case.facts.tier not in rule.tiers:
            return not_applicable(
                Message("finding.facts.other-tier", {"tiers": list(rule.tiers), "tier": case.facts.tier})
            )
    instead = case.replaced_by(rule)
    if instead is not None:
        return not_applicable(Message("finding.facts.replaced", {"rule": instead.title.model_dump()}))
    if rule.types:
        is_of = case.is_of(rule.types)
        if is_of is None and rule.instead_of is None:
            return Judgement("not-assessed", Message("finding.facts.type-missing", {"types": list(rule.types)}))
        if is_of is None:
            general = case.policy.rule(rule.instead_of or "")
            args = {"types": list(rule.types), "rule": general.title.model_dump() if general else ""}
            return not_applicable(Message("finding.facts.type-not-given", args))
        if not is_of:
            return not_applicable(Message("finding.facts.other-type", {"types": list(rule.types)}))
    return None


def _bites(rule: FactsRule, case: Case) -> tuple[bool | None, tuple[str, ...]]:
    """Whether every condition holds; none where a condition cannot be told and no other is broken."""
    missing: list[str] = []
    for limit in rule.when:
        value, wanted = case.ledger.value(limit.figure, case.policy.id)
        if wanted:
            missing.extend(wanted)
        elif _meets(limit, value, "must") != "pass":
            return False, ()
    return (None, tuple(dict.fromkeys(missing))) if missing else (True, ())


def _conditions(rule: FactsRule) -> list[Mapping[str, Any]]:
    return [
        Message("finding.facts.condition", {"figure": limit.figure, "limit": _phrase(limit)}).as_dict()
        for limit in rule.when
    ]


def _held(rule: FactsRule, limit: Limit, case: Case) -> tuple[Verdict, Mapping[str, Any]]:
    value, missing = case.ledger.value(limit.figure, case.policy.id)
    figure = figures()[limit.figure]
    verdict: Verdict = "not-assessed" if missing else _meets(limit, value, limit.strength or rule.strength)
    shown = list(value) if isinstance(value, tuple) else round(value, 9) if isinstance(value, float) else value
    row = {
        "figure": limit.figure,
        "value": shown,
        "unit": figure.unit,
        "limit": _phrase(limit),
        "verdict": verdict,
        "missing": list(missing),
        "declared": not figure.measured,
    }
    return verdict, row


def _meets(limit: Limit, value: Any, strength: str) -> Verdict:
    if limit.given:
        return "pass" if value not in (None, "", (), 0, 0.0, False) else breach(strength)
    if limit.is_ is not None:
        return "pass" if value is limit.is_ else breach(strength)
    if limit.one_of is not None:
        return "pass" if value in limit.one_of else breach(strength)
    return Scale((limit,), strength).verdict(float(value))


def limit_words(limit: Limit) -> Message:
    """Any limit as a message: a bound with its unit, a truth value, a choice, or that it is to be given."""
    if limit.given:
        return Message("limit.given", {})
    if limit.is_ is not None:
        return Message("limit.is", {"value": limit.is_})
    if limit.one_of is not None:
        return Message("limit.one-of", {"names": list(limit.one_of)})
    return limit_phrase(limit)


def _phrase(limit: Limit) -> dict[str, Any]:
    return limit_words(limit).as_dict()


def _told(
    rule: FactsRule, case: Case, verdict: Verdict, rows: tuple[Mapping[str, Any], ...], unknown: tuple[str, ...]
) -> Judgement:
    missing = list(dict.fromkeys([*unknown, *(name for row in rows for name in row["missing"])]))
    deciding = next((row for row in rows if row["verdict"] == verdict), rows[0])
    limit = next((each for each in rule.limits if each.figure == deciding["figure"]), rule.limits[0])
    error = case.ledger.error(deciding["figure"], case.policy.id)
    method = "declared" if all(row["declared"] for row in rows) and not error else "measured-and-declared"
    measured = None
    if isinstance(deciding["value"], int | float) and not isinstance(deciding["value"], bool):
        measured = Measurement(float(deciding["value"]), deciding["unit"], method, error)
    if verdict == "not-assessed":
        return Judgement(verdict, Message("finding.facts.missing", {"figures": missing}), facts=rows, limit=limit)
    says = [
        _row_says(row).as_dict()
        for row in rows
        if row["verdict"] in (verdict, "pass" if verdict == "pass" else verdict)
    ]
    key = {"pass": "met", "fail": "broken", "attention": "short"}[verdict]
    change = (
        Message("change.facts", {"figures": [r["figure"] for r in rows if r["verdict"] == verdict]})
        if verdict != "pass"
        else None
    )
    return Judgement(
        verdict,
        Message(f"finding.facts.{key}", {"rows": says}),
        measured=measured,
        limit=limit if limit.unit else None,
        facts=rows,
        change=change,
    )


def _row_says(row: Mapping[str, Any]) -> Message:
    """One figure as it is told: name, value in its unit, limit."""
    unit = {"m2": "area", "choice": "type"}.get(row["unit"], row["unit"])
    args = {"figure": row["figure"], "value": row["value"], "unit": unit, "limit": row["limit"]}
    return Message("finding.facts.row", args)
