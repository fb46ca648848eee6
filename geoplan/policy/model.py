"""A policy: one paper, its clauses, and the rules that cite them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from geoplan.policy.document import Clause, Document, Slug, Strict, TownClass, Words
from geoplan.policy.figures import figure_names
from geoplan.policy.rule import FactsRule, Rule


class Policy(Strict):
    """A policy file ``geoplan/policy/1`` after strict reading; equal files give equal values.

    ``adcode`` is the administrative area whose proposals the paper binds (GB/T 2260; ``100000`` the whole
    country). ``classes`` are the town classes that the paper itself names.
    """

    schema_: Literal["geoplan/policy/1"] = Field(alias="schema")
    id: Slug
    adcode: str = Field(pattern=r"^\d{6}$")
    place: Words
    document: Document
    classes: Mapping[Slug, TownClass] = {}
    clauses: Mapping[Slug, Clause] = {}
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _refers_to_known_things(self) -> Policy:
        ids = [rule.id for rule in self.rules]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ValueError(f"two rules share the id {', '.join(twice)}")
        for rule in self.rules:
            self._known_clauses(rule)
            if rule.instead_of and rule.instead_of not in ids:
                raise ValueError(
                    f"rule {rule.id!r} stands instead of {rule.instead_of!r}, which this file does not hold"
                )
            if isinstance(rule, FactsRule):
                self._known_figures(rule)
        unused = set(self.clauses) - {key for rule in self.rules for key in self._cited(rule)}
        if unused:
            raise ValueError(f"no rule cites the clause {', '.join(sorted(unused))}: take it out or give it a rule")
        return self

    @staticmethod
    def _cited(rule: Rule) -> tuple[str, ...]:
        relaxed = getattr(rule, "relaxed_clause", None)
        return (rule.clause, *rule.also, *((relaxed,) if relaxed else ()))

    def _known_clauses(self, rule: Rule) -> None:
        for key in self._cited(rule):
            if ":" not in key and key not in self.clauses:
                raise ValueError(
                    f"rule {rule.id!r} cites the clause {key!r}; the file has {', '.join(sorted(self.clauses))}"
                )

    @staticmethod
    def _known_figures(rule: FactsRule) -> None:
        for limit in (*rule.limits, *rule.when):
            if limit.figure not in figure_names():
                raise ValueError(
                    f"rule {rule.id!r} asks for the figure {limit.figure!r}, which figures.toml does not hold"
                )

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or none."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def as_dict(self) -> dict[str, Any]:
        """The policy as plain data, keys as in the file."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @property
    def sha256(self) -> str:
        """SHA-256 of the policy's content: two files that say the same have the same."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
