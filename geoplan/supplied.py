"""What a facts file says of policies, held against the policies at hand: classes, answers, exceptions."""

from __future__ import annotations

from geoplan.errors import InputRefused
from geoplan.facts import Facts
from geoplan.messages import Message, catalogue
from geoplan.policy import PolicyBook

_TYPE = "word.type."


def held_against(facts: Facts, book: PolicyBook, file: str) -> tuple[Message, ...]:
    """Refuse what can only be a slip; say which answers go to policies that are not at hand.

    A misspelt class or type would make rules not applicable, a misspelt answer would be left aside, both in silence.

    Raises
    ------
    InputRefused
        A type that neither the catalogue nor a policy knows; a class that the policy does not have; an answer to a
        rule that the policy does not have, or to a rule that is measured: there only a written exception may stand.
    """
    policies = {policy.id: policy for policy in book}
    _require_types(facts, book, file)
    for policy_id, name in facts.classes.items():
        known = list(policies[policy_id].classes) if policy_id in policies else []
        if known and name not in known:
            where = f"industry.class.{policy_id}"
            raise InputRefused("facts-choice", file=file, where=where, value=name, known=known)
    unused: list[str] = []
    for key, answer in facts.answers.items():
        policy_id, _, rule_id = key.partition(".")
        if policy_id not in policies:
            unused.append(key)
            continue
        rule, where = policies[policy_id].rule(rule_id), f'answers."{key}"'
        if rule is None:
            known = [each.id for each in policies[policy_id].rules]
            raise InputRefused("facts-answer-rule", file=file, where=where, policy=policy_id, known=known)
        if answer.verdict != "exception" and rule.kind != "manual":
            raise InputRefused("facts-answer-measured", file=file, where=where, verdict=answer.verdict)
    return (Message("warning.answers-unused", {"answers": unused}),) if unused else ()


def town_types(book: PolicyBook) -> tuple[str, ...]:
    """The types that a town may declare: those that the catalogue has words for, and those that a policy names."""
    words = (key.removeprefix(_TYPE) for key in catalogue() if key.startswith(_TYPE))
    named = (name for policy in book for rule in policy.rules for name in (*rule.types, *getattr(rule, "relaxed", ())))
    classes = (name for policy in book for name in policy.classes)
    return tuple(dict.fromkeys([*words, *named, *classes]))


def _require_types(facts: Facts, book: PolicyBook, file: str) -> None:
    known = town_types(book) if facts.types else ()
    for name in sorted(facts.types or ()):
        if name not in known:
            raise InputRefused("facts-type", file=file, where="industry.types", value=name[:80], known=list(known))
