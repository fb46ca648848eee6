"""The answer to a proposal that fails: edits, each judged by the same check, the least first; or the conflict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import shapely

from geoplan.boundary import Boundary, Proposal
from geoplan.check import Options, with_readings
from geoplan.crs import Frame
from geoplan.layer import Layer
from geoplan.measure import polygons_of
from geoplan.plane import Plane
from geoplan.policy import PolicyBook
from geoplan.progress import Progress, unwatched
from geoplan.prohibition import prohibitions
from geoplan.register import Register
from geoplan.repair.bound import bounds, conflict
from geoplan.repair.change import Change, change_of
from geoplan.repair.edit import edit
from geoplan.repair.problem import Problem, problem_of
from geoplan.repair.strategy import STRATEGIES, Edit, Kind, Strategy
from geoplan.report import Report
from geoplan.site import Site

Judge = Callable[[Proposal], Report]
Outcome = Literal["unchanged", "repaired", "no-edit", "beyond-lines", "conflict", "not-found"]
MOST = 3
"""Answers given: the least, and others of another kind."""
_GROUNDS = 2


@dataclass(frozen=True)
class Answer:
    """One edit after which no rule fails: what it is, what it changes, and the report on it."""

    kind: Kind
    proposal: Proposal
    change: Change
    report: Report


@dataclass(frozen=True)
class Repaired:
    """What a repair came to.

    Parameters
    ----------
    outcome
        ``unchanged`` nothing failed; ``repaired``; ``no-edit`` what fails is of a reading, which moves nothing;
        ``beyond-lines`` what fails no repair mends; ``conflict`` the rules of ``conflict`` leave no answer near the
        site; ``not-found`` the bound leaves room, but no edit that was tried passes.
    bound_m2
        The area that any answer must change; none where there is no answer.
    left
        Rules that still fail after the first answer, and were not to be mended: by a reading, or not by lines on a
        map.
    """

    outcome: Outcome
    before: Report
    answers: tuple[Answer, ...] = ()
    bound_m2: float | None = None
    conflict: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def failing(report: Report) -> tuple[str, ...]:
    """The spatial and structural rules that fail, ``POLICY.RULE``."""
    found = [
        f"{policy.id}.{each.rule}"
        for policy in report.content.policies
        for each in policy.findings
        if each.group == "spatial" and each.verdict == "fail"
    ]
    return (*(f"structure.{s.rule}" for s in report.content.structure if s.verdict == "fail"), *found)


def repair(
    proposal: Proposal,
    policies: tuple[str, ...],
    layers: Sequence[Layer],
    register: Register | None,
    options: Options,
    book: PolicyBook,
    judge: Judge,
    *,
    move_for_readings: bool = False,
    progress: Progress = unwatched,
) -> Repaired:
    """The smallest edit found of a proposal after which no rule fails.

    Parameters
    ----------
    judge
        The check, with everything but the proposal fixed and without turns: every answer has passed it.
    move_for_readings
        Also mend what fails only by the tool's reading of 邻近.

    Raises
    ------
    InputRefused
        As in the check of the proposal.
    Cancelled
        From ``progress``.
    """
    progress("repair-check", 0, 1)
    before = judge(proposal)
    broken = failing(before)
    if not broken:
        return Repaired("unchanged", before)
    site = Site(proposal, layers, register, accuracy=options.accuracy, anywhere=options.anywhere)
    chosen = with_readings(book.chosen(policies), options.readings)
    every = prohibitions(chosen, site, options.on, book)
    problem = problem_of(
        site,
        polygons_of(site.planning),
        None if site.construction is None else polygons_of(site.construction),
        every,
        move_for_readings=move_for_readings,
    )
    left = _left(broken, problem)
    if set(broken) <= set(left):
        of_reading = set(left) <= {p.id for p in problem.shy}
        return Repaired("no-edit" if of_reading else "beyond-lines", before, left=left)
    progress("repair-bound", 0, 1)
    grounds = bounds(problem)
    if not grounds:
        return Repaired("conflict", before, conflict=conflict(problem), left=left)
    may_fail = frozenset(left) | {p.id for p in problem.shy}
    answers = _answers(problem, [b.ground for b in grounds[:_GROUNDS]], proposal, judge, may_fail, progress)
    if not answers:
        return Repaired("not-found", before, bound_m2=grounds[0].area, left=left)
    return Repaired("repaired", before, answers, grounds[0].area, left=failing(answers[0].report))


def _left(broken: tuple[str, ...], problem: Problem) -> tuple[str, ...]:
    """Failing rules that lines are not moved for."""
    mended = {p.id for p in problem.rules if p.kind != "nearness"} | {"structure.construction-inside-planning"}
    return tuple(rule for rule in broken if rule not in mended or _only_near(rule, problem))


def _only_near(rule: str, problem: Problem) -> bool:
    """Whether a rule of neighbourhoods fails though no town is overlapped: then it fails by its reading alone."""
    if rule not in {p.id for p in problem.shy}:
        return False
    own = [p for p in problem.rules if p.id == rule]
    return not any(
        shapely.area(shapely.intersection(p.ground(problem.window).forbidden, problem.planning)) > 0.005 for p in own
    )


def _answers(
    problem: Problem,
    grounds: Sequence[shapely.Geometry],
    proposal: Proposal,
    judge: Judge,
    may_fail: frozenset[str],
    progress: Progress,
) -> tuple[Answer, ...]:
    """Edits that pass, the least first, one of each kind."""
    found: list[Answer] = []
    tries = [(ground, strategy) for ground in grounds for strategy in STRATEGIES]
    seen: list[Edit] = []
    for i, (ground, strategy) in enumerate(tries):
        progress("repair", i, len(tries))
        made = _tried(problem, ground, strategy, progress)
        if made is None or any(_same(made, other) for other in seen):
            continue
        seen.append(made)
        answer = _judged(problem, made, proposal, judge, may_fail)
        if answer is not None:
            found.append(answer)
        if i + 1 >= len(STRATEGIES) and found:
            break
    kinds: dict[str, Answer] = {}
    for each in sorted(found, key=lambda a: (a.change.area, a.change.cost)):
        kinds.setdefault(each.kind, each)
    return tuple(list(kinds.values())[:MOST])


def _tried(problem: Problem, ground: shapely.Geometry, strategy: Strategy, progress: Progress) -> Edit | None:
    """An edit, or none where GEOS finds no consistent overlay of lines that all but coincide: another way is tried."""
    try:
        return edit(problem, ground, strategy, progress)
    except shapely.errors.GEOSException:
        return None


def _same(a: Edit, b: Edit) -> bool:
    pairs = ((a.planning, b.planning), (a.construction, b.construction))
    return all(
        (x is None and y is None)
        or (x is not None and y is not None and shapely.area(shapely.symmetric_difference(x, y)) < 1.0)
        for x, y in pairs
    )


def _judged(problem: Problem, made: Edit, proposal: Proposal, judge: Judge, may_fail: frozenset[str]) -> Answer | None:
    """The edit with the report on it; none where a rule fails that was to be mended."""
    mended = Proposal(
        _boundary(proposal.planning, made.planning, problem.site.plane),
        None
        if proposal.construction is None or made.construction is None
        else _boundary(proposal.construction, made.construction, problem.site.plane),
        proposal.name,
        proposal.facts,
    )
    report = judge(mended)
    if set(failing(report)) - may_fail:
        return None
    change = change_of(problem, made)
    return Answer(change.kind, mended, change, report)


def _boundary(drawn: Boundary, shape: shapely.MultiPolygon, plane: Plane) -> Boundary:
    """A boundary of edited polygons, in the plane's own system."""
    frame = Frame(plane.crs, plane.epsg, "cgcs2000")
    return replace(drawn, polygons=shape, frame=frame, repairs=(), declared_area_m2=None, notes=(), read_with={})
