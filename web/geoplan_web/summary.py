"""What a reader has to know first: what does not pass, why, and what would have to change.

Several papers often hold the same rule; what they say of one fact is told once, with all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from geoplan_web.finding import FindingView, PolicyView, ReportView


class PointRule(NamedTuple):
    """A rule that a fact breaks: its place on the page, its title, its paper, and whether its clause is a quote."""

    anchor: str
    title: str
    paper: str
    is_quote: bool


@dataclass
class Point:
    """One fact and the rules that it breaks."""

    sentence: str
    change: str | None
    verdict: str
    icon: str
    rules: list[PointRule] = field(default_factory=list)


@dataclass(frozen=True)
class Summary:
    """Facts by how they weigh; application requirements only where they are broken."""

    fails: list[Point]
    unknown: list[Point]
    attention: list[Point]


def summary(report: ReportView) -> Summary:
    """The findings that do not pass, each fact once, in the order of the papers."""
    spatial = [(policy, finding) for policy in report.policies for finding in policy.group("spatial")]
    applied = [(policy, finding) for policy in report.policies for finding in policy.group("application")]
    broken = [each for each in (*spatial, *applied) if each[1].verdict == "fail"]
    return Summary(
        fails=[*_structural(report, "fail"), *_points(broken)],
        unknown=[*_structural(report, "not-assessed"), *_points(e for e in spatial if e[1].verdict == "not-assessed")],
        attention=[*_structural(report, "attention"), *_points(e for e in spatial if e[1].verdict == "attention")],
    )


def _points(several: Iterable[tuple[PolicyView, FindingView]]) -> list[Point]:
    found: dict[str, Point] = {}
    for policy, finding in several:
        new = Point(finding.sentence, finding.change, finding.verdict, finding.icon)
        rule = PointRule(finding.anchor, finding.title, policy.short, finding.clause.is_quote)
        found.setdefault(finding.sentence, new).rules.append(rule)
    return list(found.values())


def _structural(report: ReportView, verdict: str) -> list[Point]:
    return [
        Point(found.sentence, None, verdict, found.icon, [PointRule(found.anchor, found.title, "", True)])
        for found in report.structural
        if found.verdict == verdict
    ]
