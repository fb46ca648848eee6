"""What a facts file says of policies, held against the policies at hand: classes, answers, exceptions."""

from __future__ import annotations

from geoplan.errors import InputRefused
from geoplan.facts import Facts
from geoplan.messages import Message
from geoplan.policy import PolicyBook


def held_against(facts: Facts, book: PolicyBook, file: str) -> tuple[Message, ...]:
    """Refuse what can only be a slip; say which answers go to policies that are not at hand.

    A misspelt class would make rules not applicable, and a misspelt answer would be left aside, both in silence.

    Raises
    ------
    InputRefused
        A class that the policy does not have; an answer to a rule that the policy does not have, or to a rule that is
        measured: there only a written exception may stand.
    """
    policies = {policy.id: policy for policy in book}
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
