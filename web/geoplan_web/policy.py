"""How a policy is shown so that a planner can read it: rules beside their clauses, figures and readings in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from geoplan.messages import Lang, Message, catalogue, say, word
from geoplan.messages.units import format_unit
from geoplan.policy import Cited, Limit, Policy, PolicyBook, Rule, Words
from geoplan.rules.figure import limit_words
from geoplan.rules.size import limit_phrase
from geoplan_web.wording import reading_lines

_PARTS = ("planning", "construction", "construction-land")


def in_language(words: Words, lang: Lang) -> str:
    """A text of the file in one of its two languages."""
    return words.zh if lang == "zh" else words.en


@dataclass(frozen=True)
class ClauseSheet:
    """A clause with its place, paper and words."""

    cited: Cited
    lang: Lang

    @property
    def at(self) -> str:
        """Paper and place."""
        return f"{self.cited.clause.paper or self.cited.paper} {self.cited.clause.at}"

    @property
    def words(self) -> str:
        """The quote, or the summary where the wording was not seen."""
        return self.cited.clause.quote or self.cited.clause.summary or ""

    @property
    def mark(self) -> str:
        """原文, or 摘要，非原文."""
        return say(Message("view.quote" if self.cited.clause.quote else "view.summary"), self.lang)

    @property
    def trust(self) -> str:
        """How far the wording held is trusted: A to C."""
        return self.cited.clause.trust

    @property
    def line(self) -> str:
        """The clause on one line."""
        return say(Message("cli.clause", {"at": self.at, "mark": self.mark, "words": self.words}), self.lang)


@dataclass(frozen=True)
class RuleSheet:
    """One rule in one language."""

    policy: Policy
    rule: Rule
    book: PolicyBook
    lang: Lang

    @property
    def id(self) -> str:
        """Rule id."""
        return self.rule.id

    @property
    def title(self) -> str:
        """Name of the rule."""
        return in_language(self.rule.title, self.lang)

    @property
    def kind(self) -> str:
        """Kind in words."""
        return word("kind", self.rule.kind, self.lang)

    @property
    def strength(self) -> str:
        """Wording in words."""
        return word("strength", self.rule.strength, self.lang)

    @property
    def subject(self) -> str:
        """Whom it binds."""
        return word("subject", self.rule.subject, self.lang)

    @property
    def stage(self) -> str:
        """When it binds."""
        return word("stage", self.rule.stage, self.lang)

    @property
    def note(self) -> str | None:
        """The tool's remark."""
        return in_language(self.rule.note, self.lang) if self.rule.note else None

    @property
    def question(self) -> str | None:
        """The question put to a reviewer."""
        question = getattr(self.rule, "question", None)
        return in_language(question, self.lang) if question else None

    @cached_property
    def clauses(self) -> list[ClauseSheet]:
        """The clause that decides and those that say the same."""
        return [ClauseSheet(each, self.lang) for each in self.book.cited(self.policy, self.rule)]

    @property
    def limits(self) -> list[str]:
        """Figures of the text in words."""
        limits: tuple[Limit, ...] = getattr(self.rule, "limits", ())
        return [self._limit(limit) for limit in limits]

    def _limit(self, limit: Limit) -> str:
        """A limit after the name of its figure; a kind's own figure is what the rule judges, told elsewhere."""
        by_class = self.rule.kind == "class-area"  # the law counts land by class in hectares
        said = say(limit_phrase(limit, unit="ha_short") if by_class else limit_words(limit), self.lang)
        known = f"word.figure.{limit.figure}" in catalogue()
        return f"{word('figure', limit.figure, self.lang)}{self._colon}{said}" if known else said

    @property
    def readings(self) -> list[str]:
        """The tool's reading in words."""
        reading = self.rule.reading
        values = reading if isinstance(reading, dict) else reading.model_dump()
        return [f"{key}{self._colon}{value}" for key, value in reading_lines(values, self.lang)]

    @property
    def _colon(self) -> str:
        return say(Message("page.colon"), self.lang)

    @property
    def terms(self) -> list[tuple[str, list[str]]]:
        """How the tool judges, as named lines: what is judged, on which layer, for whom, against what."""
        rule: Any = self.rule
        layer = getattr(rule, "layer", None)
        found = {
            "question": [self.question or ""],
            "of": [self._word("part" if getattr(rule, "of", "") in _PARTS else "within", getattr(rule, "of", ""))],
            "layer": [self._word("role", layer or "")],
            "classes": [self._word("class", each) for each in getattr(rule, "classes", ())],
            "limits": self.limits,
            "types": [self._word("type", each) for each in rule.types],
            "tiers": [self._word("tier", each) for each in rule.tiers],
            "readings": self.readings,
            "note": [self.note or ""],
        }
        return [(say(Message(f"page.term-{key}"), self.lang), lines) for key, lines in found.items() if any(lines)]

    def _word(self, kind: str, name: str) -> str:
        return word(kind, name, self.lang) if name else ""


@dataclass(frozen=True)
class PolicySheet:
    """One policy in one language."""

    policy: Policy
    book: PolicyBook
    lang: Lang

    @property
    def title(self) -> str:
        """Number and title of the paper."""
        return " ".join(filter(None, (self.policy.document.number, self.policy.document.title)))

    @property
    def place(self) -> str:
        """Whose paper it is."""
        return in_language(self.policy.place, self.lang)

    @property
    def standing(self) -> str:
        """Standing in words."""
        return word("standing", self.policy.document.status, self.lang)

    @property
    def issued(self) -> str:
        """Date of issue, or that it is not known."""
        issued = self.policy.document.issued
        return format_unit(issued, "", self.lang) if issued else say(Message("policies.no-date"), self.lang)

    @property
    def note(self) -> str | None:
        """What is known of the paper's standing."""
        return in_language(self.policy.document.note, self.lang) if self.policy.document.note else None

    def group(self, name: str) -> list[RuleSheet]:
        """The rules of one group, in the paper's order."""
        rules = [rule for rule in self.policy.rules if rule.judged_group == name]
        return [RuleSheet(self.policy, rule, self.book, self.lang) for rule in rules]
