"""Loading policies: the shipped ones, an office's own, and the resolution of clauses across papers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from geoplan.errors import CallRefused, PolicyRefused
from geoplan.policy.document import Clause, frozen
from geoplan.policy.model import Policy
from geoplan.policy.quotes import stated_figures
from geoplan.policy.rule import Limit, Rule

ALWAYS = "land-law"
"""The policy that every check evaluates, first, whatever is asked for."""
DEFAULT = "common"
"""The policy used, and said so, when none is named."""


MOST_TOLD = 50
"""Faults of one policy file that are told at once."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A clause as a finding shows it: the paper it stands in and its words."""

    policy: str
    paper: str
    clause: Clause

    def as_dict(self) -> dict[str, Any]:
        """The clause for a report: place, quote or summary, trust, paper."""
        return {
            "at": self.clause.at,
            "quote": self.clause.quote,
            "summary": self.clause.summary,
            "trust": self.clause.trust,
            "policy": self.policy,
            "paper": self.clause.paper or self.paper,
        }


def parse_policy(text: str, file: str) -> Policy:
    """Read one policy file.

    Raises
    ------
    PolicyRefused
        Not TOML, an unknown key, a missing part, a rule that cites a clause the file does not hold: the message
        names the file, the place in it and how to mend it.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise PolicyRefused("policy-not-toml", file=file, detail=str(wrong)) from None
    return policy_of(content, file)


def policy_of(parsed: Mapping[str, Any], file: str) -> Policy:
    """A policy from the content of its file.

    Raises
    ------
    PolicyRefused
        As `parse_policy`; ``others`` are up to `MOST_TOLD` further faults.
    """
    content = frozen(dict(parsed))
    try:
        return Policy.model_validate(content)
    except ValidationError as wrong:
        first, *others = (_refusal(error, content, file) for error in wrong.errors()[:MOST_TOLD])
        first.others = tuple(others)
        raise first from None


def _refusal(error: Any, content: Mapping[str, Any], file: str) -> PolicyRefused:
    """One thing that is wrong with a policy file: its place, and what to write instead."""
    place = _place(error["loc"], content)
    known = _KNOWN_FAULTS.get(error["type"])
    if known:
        context = {key: str(value) for key, value in (error.get("ctx") or {}).items()}
        return PolicyRefused(known, file=file, where=place, given=str(error.get("input"))[:80], **context)
    return PolicyRefused("policy-wrong", file=file, where=place, detail=str(error["msg"]).removeprefix("Value error, "))


_KNOWN_FAULTS = {
    "extra_forbidden": "policy-unknown-key",
    "missing": "policy-missing-key",
    "literal_error": "policy-choice",
    "union_tag_invalid": "policy-kind",
    "union_tag_not_found": "policy-kind-missing",
    "model_type": "policy-table-expected",
    "dict_type": "policy-table-expected",
    "tuple_type": "policy-list-expected",
    "string_type": "policy-text-expected",
    "float_type": "policy-number-expected",
    "int_type": "policy-number-expected",
    "date_type": "policy-date-expected",
    "string_pattern_mismatch": "policy-pattern",
}


def _place(loc: tuple[int | str, ...], content: Mapping[str, Any]) -> str:
    """``rules.3.area.limits`` as a planner finds it: ``rules[planning-area].limits``."""
    steps: list[str] = []
    node: Any = content
    for step in loc:
        if isinstance(step, int) and isinstance(node, tuple) and step < len(node):
            node = node[step]
            name = node.get("id", step + 1) if isinstance(node, dict) else step + 1
            steps[-1] = f"{steps[-1]}[{name}]"
        elif isinstance(node, dict) and step in node:
            node = node[step]
            steps.append(str(step))
        elif not (isinstance(node, dict) and node.get("kind") == step):
            steps.append(str(step))
    return ".".join(steps) or "file"


@cache
def shipped() -> Mapping[str, Policy]:
    """The ten policies of the product by id, in the order of their files."""
    found: dict[str, Policy] = {}
    for path in sorted(files("geoplan.policies").iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            policy = parse_policy(path.read_text(encoding="utf-8"), path.name)
            if f"{policy.id}.toml" != path.name:
                raise PolicyRefused("policy-misnamed", file=path.name, id=policy.id)
            found[policy.id] = policy
    return found


class PolicyBook:
    """All policies at hand: the shipped ones and an office's own.

    Parameters
    ----------
    own
        An office's policies; one with the id of a shipped policy is refused, since a report's id must name one text.
    """

    def __init__(self, own: tuple[Policy, ...] = ()) -> None:
        self._policies = dict(shipped())
        for policy in own:
            if policy.id in self._policies:
                raise CallRefused("policy-id-taken", id=policy.id)
            self._policies[policy.id] = policy
        for policy in own:
            for rule in policy.rules:
                self.cited(policy, rule)

    def __iter__(self) -> Any:
        return iter(self._policies.values())

    def get(self, policy_id: str) -> Policy:
        """The policy of that id.

        Raises
        ------
        CallRefused
            No policy has that id; the message lists those that there are.
        """
        try:
            return self._policies[policy_id]
        except KeyError:
            raise CallRefused("policy-unknown", id=policy_id, known=sorted(self._policies)) from None

    def chosen(self, ids: tuple[str, ...]) -> tuple[Policy, ...]:
        """``land-law`` first, then the policies asked for in their order, else ``common``."""
        asked = dict.fromkeys(ids or (DEFAULT,))
        return tuple(self.get(each) for each in (ALWAYS, *(i for i in asked if i != ALWAYS)))

    def decides(self, policy: Policy, rule: Rule, day: date) -> bool:
        """Whether a rule counts on a day: its paper is in force, and its clause by then confirmed."""
        effective = policy.document.effective
        in_force = effective is None or effective <= day
        return in_force and self.clause(policy, rule.clause).clause.decides_on(day)

    def cited(self, policy: Policy, rule: Rule) -> tuple[Cited, ...]:
        """The clause of a rule and the further ones (``also``), resolved across papers."""
        return tuple(self.clause(policy, key) for key in (rule.clause, *rule.also))

    def clause(self, policy: Policy, key: str) -> Cited:
        """A clause by ``KEY`` of the policy itself or ``POLICY:KEY`` of another."""
        owner_id, _, name = key.rpartition(":")
        owner = self._policies.get(owner_id) if owner_id else policy
        if owner is None or name not in owner.clauses:
            raise PolicyRefused("policy-clause-unknown", file=policy.id, clause=key)
        paper = " ".join(filter(None, (owner.document.number, owner.document.title)))
        return Cited(owner.id, paper, owner.clauses[name])


@dataclass(frozen=True, slots=True)
class Misquote:
    """A figure of a rule that its clauses do not state."""

    rule: str
    figure: float
    unit: str
    words: str


def misquotes(policy: Policy, book: PolicyBook) -> tuple[Misquote, ...]:
    """Every limit of a policy that does not stand in the words of its clauses, as ``policies lint`` tells it."""
    found: list[Misquote] = []
    for rule in policy.rules:
        words = " ".join(
            filter(None, (w for c in book.cited(policy, rule) for w in (c.clause.quote, c.clause.summary)))
        )
        stated = stated_figures(words)
        limits: tuple[Limit, ...] = (*getattr(rule, "limits", ()), *getattr(rule, "when", ()))
        for limit in limits:
            for value, unit in limit.figures:
                if not _is_stated(value, unit, stated):
                    found.append(Misquote(rule.id, value, unit, words))
    return tuple(found)


def _is_stated(value: float, unit: str, stated: frozenset[tuple[float, str]]) -> bool:
    """Whether a text states a figure; zero as a plain condition (``above_m2 = 0``) needs no words."""
    if value == 0:
        return True
    return any(abs(value - known) <= 1e-9 * abs(value) and unit == its for known, its in stated)
