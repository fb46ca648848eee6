"""Repairs of random failing proposals: how many are repaired, how near the lower bound, how long, and what is refused.

    .venv/bin/python benchmarks/repair.py                      300 proposals: half on invented ground, half on the demo
    .venv/bin/python benchmarks/repair.py --count 40 --first 0

Each is seeded. A refusal for a conflict is verified by exhaustive search over 4 m cells: every cell that any part of
an allowed ground may hold counts as free, and no connected set of free cells can hold what the named rules ask for.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import shapely
from scipy import ndimage

from geoplan.boundary import Boundary, Proposal, Source
from geoplan.check import Options, with_readings
from geoplan.crs import Frame
from geoplan.measure import polygons_of
from geoplan.plane import Plane
from geoplan.policy import PolicyBook
from geoplan.prohibition import prohibitions
from geoplan.repair.answer import Repaired
from geoplan.repair.problem import Problem, problem_of
from geoplan.shaping.pieces import LEAST_PIECE
from geoplan.site import Site
from geoplan_api import demo
from geoplan_api.inquiry import Grounds, boundary_of, grounds
from geoplan_api.repairing import repaired_on
from geoplan_layers.sandbox.session import reading

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from builders import ON, X0, Y0
from random_proposals import case, outline

CELL = 4.0


@dataclass
class Tally:
    """What came of the proposals that failed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    ratios: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    several: int = 0

    def add(self, found: Repaired, seconds: float, problem: Callable[[], Problem]) -> None:
        """Count one."""
        self.outcomes[found.outcome] += 1
        self.seconds.append(seconds)
        if found.answers and found.bound_m2:
            self.ratios.append(found.answers[0].change.area / found.bound_m2)
            self.kinds[found.answers[0].kind] += 1
            self.several += len(found.answers) > 1
        if found.outcome == "conflict" and len(self.verified) < 10:
            self.verified.append(is_conflict(problem(), found.conflict))
            print(f"  conflict of {', '.join(found.conflict)}: verified {self.verified[-1]}", flush=True)

    def told(self, name: str) -> str:
        """One row of the table."""
        asked = sum(n for outcome, n in self.outcomes.items() if outcome not in ("unchanged", "no-edit"))
        share = self.outcomes["repaired"] / asked if asked else 1.0
        ordered = sorted(self.ratios) or [float("nan")]
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        return (
            f"{name}: {dict(self.outcomes)}\n  repaired {share:.1%} of {asked}; to the bound: median "
            f"{statistics.median(ordered):.4f}, p95 {p95:.4f}, worst {ordered[-1]:.3f}; seconds: median "
            f"{statistics.median(self.seconds):.2f}, worst {max(self.seconds):.2f}\n  kinds of the least answer "
            f"{dict(self.kinds)}; with an alternative {self.several}; conflicts verified {sum(self.verified)} of "
            f"{len(self.verified)}"
        )


def is_conflict(problem: Problem, rules: tuple[str, ...]) -> bool:
    """Whether the rules leave no room, by every cell of the window."""
    named = [p for p in problem.rules if p.id in rules]
    spans = {of: problem.span(of, named) for of in ("planning", "construction", "construction-land")}
    if any(span.is_empty for span in spans.values()) or spans["construction"].low > spans["planning"].high:
        return True
    bans = problem.bans(named)
    low_x, low_y, high_x, high_y = shapely.bounds(problem.window)
    x, y = np.meshgrid(np.arange(low_x, high_x, CELL), np.arange(low_y, high_y, CELL))
    cells = shapely.box(x, y, x + CELL, y + CELL)
    free = _not_inside(bans.planning, cells)
    room = free & _not_inside(bans.construction, cells)
    stock = np.zeros_like(free)
    if problem.construction is not None:
        drawn = shapely.union(problem.planning, problem.construction)
        shapely.prepare(drawn)
        room &= shapely.intersects(drawn, cells)
        shapely.prepare(problem.stock)
        stock = shapely.intersects(problem.stock, cells) & shapely.intersects(problem.planning, cells)
    labels, count = ndimage.label(free, np.ones((3, 3)))
    for number in range(1, count + 1):
        here = labels == number
        enough = here.sum() * CELL**2 >= spans["planning"].low
        built = (here & room).sum() * CELL**2 >= max(spans["construction"].low, LEAST_PIECE)
        counted = (here & (room | stock)).sum() * CELL**2 >= spans["construction-land"].low
        if enough and (problem.construction is None or (built and counted)):
            return False
    return True


def _not_inside(ground: shapely.Geometry, cells: np.ndarray) -> np.ndarray:
    shapely.prepare(ground)
    return np.asarray(~shapely.covers(ground, cells), dtype=bool)


def _problem(site: Site, ids: tuple[str, ...], options: Options, book: PolicyBook) -> Problem:
    rules = prohibitions(with_readings(book.chosen(ids), options.readings), site, options.on, book)
    construction = None if site.construction is None else polygons_of(site.construction)
    return problem_of(site, polygons_of(site.planning), construction, rules, move_for_readings=False)


def on_invented_ground(seeds: Iterator[int], count: int) -> Tally:
    """Proposals of `tests/random_proposals.py` that fail."""
    tally = Tally()
    while sum(tally.outcomes.values()) < count:
        its = case(next(seeds))
        started = time.perf_counter()
        found = its.repaired()
        seconds = time.perf_counter() - started
        if found.outcome in ("unchanged", "no-edit"):
            continue
        site = Site(its.proposal, its.layers, its.towns, accuracy=0.05, anywhere=False)
        tally.add(found, seconds, partial(_problem, site, its.policies, Options(on=ON), PolicyBook()))
    return tally


def on_the_demo(seeds: Iterator[int], count: int) -> Tally:
    """Random outlines in the demo county near Huzhou, under its layers and towns."""
    tally = Tally()
    with reading():
        town = next(each for each in demo.towns() if each.key == "huzhou-gear").inquiry()
        basis = grounds(town)
        plane = Plane(120)
        middle = boundary_of(town.planning, town.reading).on(plane).centroid  # type: ignore[attr-defined]
        while sum(tally.outcomes.values()) < count:
            proposal = _drawn(np.random.default_rng(next(seeds)), middle, plane)
            started = time.perf_counter()
            found = repaired_on(basis, proposal)
            seconds = time.perf_counter() - started
            if found.outcome not in ("unchanged", "no-edit"):
                tally.add(found, seconds, partial(_problem_on, basis, proposal))
    return tally


def _problem_on(basis: Grounds, proposal: Proposal) -> Problem:
    layers = [each.afresh() for each in basis.layers]
    site = Site(proposal, layers, basis.register, accuracy=0.05, anywhere=False)
    return _problem(site, basis.policies, Options(on=basis.on), basis.book)


def _drawn(rng: np.random.Generator, middle: shapely.Point, plane: Plane) -> Proposal:
    x, y = rng.uniform(-900, 900, 2).tolist()
    planning = outline(rng, middle.x + x - X0, middle.y + y - Y0, rng.uniform(1.2e6, 4.8e6))
    inner = planning.representative_point()
    construction = outline(rng, inner.x - X0, inner.y - Y0, rng.uniform(0.4e6, 1.5e6), 7)
    inside = max(shapely.get_parts(construction.intersection(planning)), key=lambda p: p.area)
    frame = Frame(plane.crs, plane.epsg, "cgcs2000")
    planning_drawn, construction_drawn = (
        Boundary(shapely.MultiPolygon([shape]), frame, Source("random", "0" * 64)) for shape in (planning, inside)
    )
    return Proposal(planning_drawn, construction_drawn, "随机方案")


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    given = parser.parse_args()
    half = given.count // 2
    print(on_invented_ground(iter(range(given.first, 10**9)), half).told("invented ground"), flush=True)
    print(on_the_demo(iter(range(given.first, 10**9)), given.count - half).told("demo county"), flush=True)


if __name__ == "__main__":
    main()
