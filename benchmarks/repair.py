"""Repairs of random failing proposals: how many are repaired, how near the lower bound, how long, and what is refused.

    .venv/bin/python benchmarks/repair.py                      300 proposals: half on invented ground, half on the demo
    .venv/bin/python benchmarks/repair.py --ground demo --count 20 --first 700

Each is seeded. A refusal for a conflict is verified by exhaustive search over 4 m cells, at the edge of allowed ground
quartered down to 0.25 m: every cell that any part of an allowed ground may hold counts as free, and no connected set of
free cells can hold what the named rules ask for.
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
from random_proposals import case, construction_within, outline

CELL = 4.0
VERIFIED = 10
"""Conflicts verified on each ground: it takes longer than to find them."""
FINEST = 0.25
"""m: cells at the edge of allowed ground are quartered down to this."""


@dataclass
class Tally:
    """What came of the proposals that failed; seconds are the processor's, which a busy machine does not lengthen."""

    outcomes: Counter[str] = field(default_factory=Counter)
    ratios: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    several: int = 0

    def add(self, seed: int, found: Repaired, seconds: float, problem: Callable[[], Problem]) -> None:
        """Count one, and print what came of it."""
        self.outcomes[found.outcome] += 1
        self.seconds.append(seconds)
        told = f"{sum(self.outcomes.values())}: seed {seed}, {found.outcome}, {seconds:.1f} s"
        if found.answers and found.bound_m2:
            self.ratios.append(found.answers[0].change.area / found.bound_m2)
            self.kinds[found.answers[0].kind] += 1
            self.several += len(found.answers) > 1
            told += f", {', '.join(a.kind for a in found.answers)}, ratio {self.ratios[-1]:.4f}"
        if found.outcome == "conflict":
            told += f", of {', '.join(found.conflict)}"
        if found.outcome == "conflict" and len(self.verified) < VERIFIED:
            self.verified.append(is_conflict(problem(), found.conflict))
            told += f": verified {self.verified[-1]}"
        print(told, flush=True)

    def told(self, name: str) -> str:
        """One row of the table."""
        asked = sum(n for outcome, n in self.outcomes.items() if outcome not in ("unchanged", "no-edit"))
        share = self.outcomes["repaired"] / asked if asked else 1.0
        ordered = sorted(self.ratios) or [float("nan")]
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        return (
            f"{name}: {dict(self.outcomes)}\n  repaired {share:.1%} of {asked}; to the bound: median "
            f"{statistics.median(ordered):.4f}, p95 {p95:.4f}, worst {ordered[-1]:.3f}; seconds of one core: median "
            f"{statistics.median(self.seconds):.2f}, worst {max(self.seconds):.2f}\n  kinds of the least answer "
            f"{dict(self.kinds)}; with an alternative {self.several}; conflicts verified {sum(self.verified)} of "
            f"{len(self.verified)}"
        )


@dataclass(frozen=True)
class Room:
    """Ground that may be used: what lies on one of the pairs' first ground (anywhere if none) and not on its second."""

    ways: tuple[tuple[shapely.Geometry | None, shapely.Geometry], ...]

    def may_lie_in(self, cells: np.ndarray) -> np.ndarray:
        """Cells of which any part may be used."""
        return self._any(cells, shapely.intersects, shapely.covers)

    def holds(self, cells: np.ndarray) -> np.ndarray:
        """Cells that may be used as a whole."""
        return self._any(cells, shapely.covers, shapely.intersects)

    def _any(self, cells: np.ndarray, on: Callable[..., np.ndarray], off: Callable[..., np.ndarray]) -> np.ndarray:
        found = np.zeros(cells.shape, dtype=bool)
        for ground, barred in self.ways:
            shapely.prepare(barred)
            fits = ~off(barred, cells)
            if ground is not None:
                shapely.prepare(ground)
                fits &= on(ground, cells)
            found |= fits
        return found

    def area_at_most(self, cells: np.ndarray, finest: float = FINEST) -> float:
        """m² of some cells that may be used, at most: cells that are cut are quartered, the finest count as whole."""
        total = 0.0
        grounds = [ground for ground, _ in self.ways]
        if all(ground is not None for ground in grounds):
            cells = cells[shapely.intersects(shapely.box(*shapely.total_bounds(grounds)), cells)]
        while True:
            cells = cells[self.may_lie_in(cells)]
            low_x, low_y, high_x, _ = shapely.bounds(cells).T
            if not len(cells) or high_x[0] - low_x[0] <= finest:
                return total + float(shapely.area(cells).sum())
            whole = self.holds(cells)
            total += float(shapely.area(cells[whole]).sum())
            x, y, half = low_x[~whole], low_y[~whole], (high_x[0] - low_x[0]) / 2
            corners = [(x + i * half, y + j * half) for i in (0, 1) for j in (0, 1)]
            cells = np.concatenate([shapely.box(a, b, a + half, b + half) for a, b in corners])


def is_conflict(problem: Problem, rules: tuple[str, ...]) -> bool:
    """Whether the rules leave no room, by every cell of the window."""
    named = [p for p in problem.rules if p.id in rules]
    spans = {of: problem.span(of, named) for of in ("planning", "construction", "construction-land")}
    if any(span.is_empty for span in spans.values()) or spans["construction"].low > spans["planning"].high:
        return True
    bans = problem.bans(named)
    free = Room(((None, bans.planning),))
    wanted = [(free, spans["planning"].low)]
    if problem.construction is not None:
        drawn = shapely.union(problem.planning, problem.construction)
        barred = shapely.union(bans.planning, bans.construction)
        kept, taken = (problem.construction, barred), (drawn, shapely.union(barred, bans.closed_to_construction))
        stock = (shapely.intersection(problem.stock, problem.planning), bans.planning)
        wanted.append((Room((kept, taken)), max(spans["construction"].low, LEAST_PIECE)))
        wanted.append((Room((kept, taken, stock)), spans["construction-land"].low))
    low_x, low_y, high_x, high_y = shapely.bounds(problem.window)
    x, y = np.meshgrid(np.arange(low_x, high_x, CELL), np.arange(low_y, high_y, CELL))
    cells = shapely.box(x, y, x + CELL, y + CELL)
    labels, count = ndimage.label(free.may_lie_in(cells), np.ones((3, 3)))
    connected = (cells[labels == number] for number in range(1, count + 1))
    return not any(all(least == 0 or room.area_at_most(each) >= least for room, least in wanted) for each in connected)


def _problem(site: Site, ids: tuple[str, ...], options: Options, book: PolicyBook) -> Problem:
    rules = prohibitions(with_readings(book.chosen(ids), options.readings), site, options.on, book)
    construction = None if site.construction is None else polygons_of(site.construction)
    return problem_of(site, polygons_of(site.planning), construction, rules, move_for_readings=False)


def on_invented_ground(seeds: Iterator[int], count: int) -> Tally:
    """Proposals of `tests/random_proposals.py` that fail."""
    tally = Tally()
    while sum(tally.outcomes.values()) < count:
        seed = next(seeds)
        its = case(seed)
        started = time.process_time()
        found = its.repaired()
        seconds = time.process_time() - started
        if found.outcome in ("unchanged", "no-edit"):
            continue
        site = Site(its.proposal, its.layers, its.towns, accuracy=0.05, anywhere=False)
        tally.add(seed, found, seconds, partial(_problem, site, its.policies, Options(on=ON), PolicyBook()))
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
            seed = next(seeds)
            proposal = _drawn(np.random.default_rng(seed), middle, plane)
            started = time.process_time()
            found = repaired_on(basis, proposal)
            seconds = time.process_time() - started
            if found.outcome not in ("unchanged", "no-edit"):
                tally.add(seed, found, seconds, partial(_problem_on, basis, proposal))
    return tally


def _problem_on(basis: Grounds, proposal: Proposal) -> Problem:
    layers = [each.afresh() for each in basis.layers]
    site = Site(proposal, layers, basis.register, accuracy=0.05, anywhere=False)
    return _problem(site, basis.policies, Options(on=basis.on), basis.book)


def _drawn(rng: np.random.Generator, middle: shapely.Point, plane: Plane) -> Proposal:
    x, y = rng.uniform(-900, 900, 2).tolist()
    planning = outline(rng, middle.x + x - X0, middle.y + y - Y0, rng.uniform(1.2e6, 4.8e6))
    inside = construction_within(planning, rng, (0.4e6, 1.5e6))
    frame = Frame(plane.crs, plane.epsg, "cgcs2000")
    planning_drawn, construction_drawn = (
        Boundary(shapely.MultiPolygon([shape]), frame, Source("random", "0" * 64)) for shape in (planning, inside)
    )
    return Proposal(planning_drawn, construction_drawn, "随机方案")


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="proposals that fail, half on each ground")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--ground", choices=GROUNDS, action="append", help="one ground alone, all the count on it")
    given = parser.parse_args()
    chosen = given.ground or list(GROUNDS)
    for name in chosen:
        told = GROUNDS[name](iter(range(given.first, 10**9)), given.count // len(chosen)).told(name)
        print(told, flush=True)


GROUNDS = {"invented": on_invented_ground, "demo": on_the_demo}


if __name__ == "__main__":
    main()
