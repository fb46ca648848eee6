"""Declared facts of a proposal: a facts file, strictly read, and the figures that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, get_args

from geoplan.errors import InputRefused
from geoplan.messages.units import MU_PER_M2
from geoplan.policy.figures import Figure, figures
from geoplan.policy.rule import Tier

TOWN_STAGES = ("plan", "cultivate", "create", "named", "eliminated", "cancelled")
_TOP = {"id": str, "name": str, "county": str, "tier": str, "listed_on": date, "stage": str}
_SECTIONS = ("industry", "declared", "investment", "county_figures", "features", "operation", "land", "pilot")
_ANSWER = {"verdict": str, "by": str, "on": date, "reason": str, "number": str, "type": str, "area_m2": float}
_PARTS = (
    *((f"investment.{part}", "investment.total") for part in ("housing", "featured", "technology", "non_government")),
    ("investment.first_year_total", "investment.total"),
    ("investment.first_year_housing", "investment.first_year_total"),
    ("investment.first_year_featured", "investment.first_year_total"),
)
"""Figures that are part of another: one larger than its whole is a slip of the pen."""
_BEYOND = 10**300
"""Whole numbers from here on are no figures; far larger ones have no float."""
ANSWERS = ("pass", "fail", "attention", "not-applicable", "exception")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reviewer's answer to a question, or a written exception (例外说明): who, when, number, reason."""

    verdict: str
    by: str
    on: date
    reason: str
    number: str | None = None
    type: str | None = None
    area_m2: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The answer for a report."""
        plain = {name: getattr(self, name) for name in _ANSWER}
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in plain.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by the path of their figure; ``classes`` by policy, ``answers`` by ``POLICY.RULE``."""

    id: str | None = None
    name: str | None = None
    county: str | None = None
    tier: str | None = None
    listed_on: date | None = None
    stage: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def types(self) -> frozenset[str] | None:
        """The town's types, or none where they are not given."""
        given = self.values.get("industry.types")
        return None if given is None else frozenset(given)


def parse_facts(content: Mapping[str, Any], file: str) -> Facts:
    """Facts from the content of a facts file.

    Raises
    ------
    InputRefused
        An unknown key or section, a value of the wrong kind: the message names the key and what belongs there.
    """
    top = {key: _typed(content[key], kind, key, file) for key, kind in _TOP.items() if key in content}
    for key in content:
        if key not in _TOP and key not in _SECTIONS and key != "answers":
            raise InputRefused("facts-unknown-key", file=file, where=key, known=[*_TOP, *_SECTIONS, "answers"])
    if "tier" in top and top["tier"] not in get_args(Tier):
        raise InputRefused("facts-choice", file=file, where="tier", value=top["tier"], known=get_args(Tier))
    if "stage" in top and top["stage"] not in TOWN_STAGES:
        raise InputRefused("facts-choice", file=file, where="stage", value=top["stage"], known=TOWN_STAGES)
    sections = {section: _typed(content.get(section, {}), dict, section, file) for section in (*_SECTIONS, "answers")}
    classes = _classes(sections["industry"].get("class", {}), file)
    given = {f"{section}.{key}": value for section in _SECTIONS for key, value in sections[section].items()}
    values = {path: _figure_value(path, value, file) for path, value in given.items() if path != "industry.class"}
    for part, whole in _PARTS:
        if values.get(part, 0.0) > values.get(whole, float("inf")):
            args = {"part": part, "whole": whole, "value": values[part], "most": values[whole]}
            raise InputRefused("facts-part-exceeds", file=file, where=part, **args)
    answers = {rule: _answer(rule, given, file) for rule, given in sections["answers"].items()}
    return Facts(**top, values=values, classes=classes, answers=answers)


def _classes(given: Any, file: str) -> dict[str, str]:
    """The town's class by policy."""
    table = _typed(given, dict, "industry.class", file)
    return {policy: _typed(name, str, f"industry.class.{policy}", file) for policy, name in table.items()}


def _typed(value: Any, kind: type, where: str, file: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < _BEYOND else math.inf
    if not isinstance(value, kind) or isinstance(value, datetime):
        raise InputRefused("facts-kind", file=file, where=where, value=str(value), wanted=kind.__name__)
    return value


def _figure_value(path: str, value: Any, file: str) -> Any:
    figure = figures().get(path)
    if figure is None or figure.derived or figure.measured:
        known = [
            each.partition(".")[2]
            for each, its in figures().items()
            if each.startswith(path.split(".")[0] + ".") and not its.derived
        ]
        raise InputRefused("facts-unknown-figure", file=file, where=path, known=known)
    if figure.unit == "truth":
        return _typed(value, bool, path, file)
    if figure.unit in ("text", "choice"):
        return _typed(value, str, path, file)
    if figure.unit == "list":
        return tuple(_typed(each, str, path, file) for each in _typed(value, list, path, file))
    amount = _typed(value, float, path, file)
    if figure.unit == "share" and figure.most < amount < math.inf:
        percent, remedy = f"{amount * 100:g}", f"{amount / 100:g}"
        args = {"value": f"{amount:g}", "most": f"{figure.most:g}", "percent": percent, "remedy": remedy}
        raise InputRefused("facts-share", file=file, where=path, **args)
    if not 0 <= amount < math.inf:
        raise InputRefused("facts-out-of-range", file=file, where=path, value=f"{amount:g}", unit=figure.unit)
    return amount


def _answer(rule: str, given: Any, file: str) -> Answer:
    where = f'answers."{rule}"'
    _typed(given, dict, where, file)
    for key in given:
        if key not in _ANSWER:
            raise InputRefused("facts-unknown-key", file=file, where=f"{where}.{key}", known=list(_ANSWER))
    for key in ("verdict", "by", "on", "reason"):
        if key not in given:
            raise InputRefused("facts-answer-incomplete", file=file, where=where, key=key)
    typed = {key: _typed(value, _ANSWER[key], f"{where}.{key}", file) for key, value in given.items()}
    if typed["verdict"] not in ANSWERS:
        raise InputRefused("facts-choice", file=file, where=f"{where}.verdict", value=typed["verdict"], known=ANSWERS)
    return Answer(**typed)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Facts and measured figures together: what a figure is worth, or which inputs it still wants."""

    facts: Facts
    measured: Mapping[str, float | None]
    errors: Mapping[str, float] = field(default_factory=dict)

    def error(self, path: str, policy: str) -> float:
        """Bound on the error of a figure from what was measured for it; what is only declared has none of its own."""
        found = 0.0
        for name, error in self.errors.items():
            own = self.measured.get(name)
            if own is None:
                continue
            ends = [
                Ledger(self.facts, {**self.measured, name: own + sign * error}).value(path, policy)[0]
                for sign in (-1, 1)
            ]
            if all(isinstance(end, float) for end in ends):
                found += abs(ends[1] - ends[0]) / 2
        return found

    def value(self, path: str, policy: str) -> tuple[Any, tuple[str, ...]]:
        """The value of a figure and the figures missing for it (either of the two is empty)."""
        if path == "industry.class":
            given = self.facts.classes.get(policy)
            return given, () if given else (path,)
        figure = figures()[path]
        if figure.derived:
            return self._derived(figure, policy)
        found = self.measured.get(path) if figure.measured else self.facts.values.get(path)
        return found, () if found is not None else (path,)

    def _derived(self, figure: Figure, policy: str) -> tuple[Any, tuple[str, ...]]:
        rule = figure.derived
        assert rule is not None
        worth, missing = zip(*(self.value(path, policy) for path in rule.inputs), strict=True)
        wanted = tuple(path for each in missing for path in each)
        if wanted:
            return None, wanted
        if rule.count_of:
            return float(len(worth[0])), ()
        first, second = worth
        if rule.minus:
            return first - second, ()
        divisor = second * _scale(rule.per_km2, rule.per_mu)
        return (first / divisor, ()) if divisor > 0 else (None, rule.inputs)


def _scale(per_km2: object, per_mu: object) -> float:
    """From m² to the area unit of a ratio."""
    if per_km2:
        return 1e-6
    return float(MU_PER_M2) if per_mu else 1.0
