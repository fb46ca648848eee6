"""The search itself: ground, regions, boundaries, checks, ranking; no file is opened here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.errors import CallRefused, GeoplanError
from geoplan.measure import survey_area
from geoplan.messages import Message
from geoplan.progress import Progress
from geoplan.repair.answer import failing
from geoplan.report import Report
from geoplan.search.drawing import Drawn, draw, free_ground
from geoplan.search.evaluation import figures
from geoplan.search.exclusion import Exclusions, exclude
from geoplan.search.factors import factors, joined, weights_of
from geoplan.search.found import Boundaries, Candidate, Dropped, Found, Ground, Judge, Mend, Method, Study
from geoplan.search.outline import keeps_clear
from geoplan.search.regions import Field, Region, RegionRules
from geoplan.search.selection import Selection, Spacing, distance_to, locate
from geoplan.search.towns import distance_to_towns
from geoplan.search.trust import Stability, factor_means, rank_stability

MOST_CELLS = 200_000_000
_TRIES_EACH = 6
"""Regions tried at most for each candidate that is wanted."""
_TOGETHER = 30_000_000
"""Cells of all seeds' regions up to which a set of regions is chosen as a whole; past it one after another."""


def survey(study: Study, progress: Progress) -> Ground:
    """The study area cell by cell: excluded, not known, suitable.

    Raises
    ------
    CallRefused
        Too many cells, or a layer or raster that the criteria name was not given.
    Cancelled
        The user asked for it.
    """
    if study.grid.rows * study.grid.columns > MOST_CELLS:
        raise CallRefused("search-grid", cells=study.grid.rows * study.grid.columns, most=MOST_CELLS)
    exclusions = _excluded(study, "planning", progress)
    building = _excluded(study, "construction", progress) if _has(study, "construction") else None
    found = factors(study.grid, study.criteria, study.sources, progress)
    weights = weights_of(study.criteria, found, exclusions.eligible & _all_known(found))
    return Ground(exclusions, building, found, weights, joined(study.criteria, found, weights, exclusions.eligible))


def _has(study: Study, part: str) -> bool:
    return any(each.part == part for each in study.reasons)


def _excluded(study: Study, part: str, progress: Progress) -> Exclusions:
    constraints = [each.constraint for each in study.reasons if each.part == part]
    stage = f"search-exclusions-{part}"
    progress(stage, 0, 0)
    return exclude(
        study.grid,
        constraints,
        area=study.area,
        approved=study.approved if part == "planning" else (),
        tick=lambda done, total: progress(stage, done, total),
    )


def _all_known(found: Any) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.logical_and.reduce([~np.isnan(each) for each in found.values()])
    return known


def search(study: Study, judge: Judge, count: int, progress: Progress, mend: Mend | None = None) -> Found:
    """The best ``count`` towns of a study area that no rule fails.

    Parameters
    ----------
    judge
        The check of a boundary: what it fails is no candidate.
    mend
        What repairs a boundary that fails; what it gives must keep all that was asked for, or is dropped.

    Raises
    ------
    CallRefused
        What was asked does not fit the ground (areas, spacing, layers).
    Cancelled
        The user asked for it.
    """
    ground = survey(study, progress)
    areas = study.planning
    rules = study.criteria.region.rules(areas.target, areas.minimum, areas.maximum)
    chosen = _Choice(study, ground, rules, judge, progress, mend)
    chosen.fill(count)
    chosen.drop_lonely()
    order = sorted(chosen.accepted, key=lambda each: (-each.region.score, each.region.seed))
    candidates = tuple(replace(each, rank=rank) for rank, each in enumerate(order, 1))
    runners = chosen.runners_up(count) if candidates else ()
    return Found(
        study,
        ground,
        rules,
        candidates,
        tuple(chosen.dropped),
        chosen.method,
        sum(each.region.score for each in candidates),
        chosen.bound(len(candidates)),
        chosen.ceiling,
        chosen.seeds,
        chosen.grown,
        runners,
        _stability(study, ground, [*(each.region for each in candidates), *runners], count),
    )


@dataclass
class _Choice:
    """Candidates one after another: regions located, drawn, checked; what fails makes room for the next best."""

    study: Study
    ground: Ground
    rules: RegionRules
    judge: Judge
    progress: Progress
    mend: Mend | None = None
    accepted: list[Candidate] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    method: Method = "exact"
    ceiling: float = float("-inf")
    seeds: int = 0
    grown: int = 0
    _best: float = 0.0

    def __post_init__(self) -> None:
        share = self.ground.exclusions.usable.astype(np.float32) / 100
        suitability, grid = self.ground.suitability, self.study.grid
        self.field = Field.of(suitability, self.ground.exclusions.eligible, grid.cell, share)
        self._open = self.field
        self._may_hold = _may_hold_construction(self.study, self.ground)
        asked = self.study.criteria.spacing
        existing = None
        if asked.towns_max_m is not None:
            existing = distance_to_towns(self.study, asked.towns_max_m)
        self._spacing = Spacing(asked.between_min_m, asked.between_max_m, existing, 0.0, asked.towns_max_m)
        self._taken: shapely.Geometry = shapely.Polygon()

    def fill(self, count: int) -> None:
        """Accept up to ``count`` candidates."""
        tries = _TRIES_EACH * count
        while len(self.accepted) < count and tries > 0:
            regions = self._locate(count - len(self.accepted)).regions
            if not regions:
                return
            for region in regions:
                tries -= 1
                if not self._try(region):
                    self.method = "greedy"
                    self._open = self._open.without(_heart(self.field, region, self.rules))
                if tries == 0:
                    return

    def _locate(self, count: int) -> Selection:
        """The next best regions: the best set where that is small work, else the best one of what is left."""
        self.progress("search-regions", 0, 1)
        seeds = int((self._open.eligible & self._may_hold).sum())
        work = seeds * self.rules.target / self.study.grid.cell_area
        together = work <= _TOGETHER
        found = locate(
            self._open,
            self.rules,
            count if together else 1,
            self._spacing_now(),
            progress=lambda share: self.progress("search-regions", share, 1),
            seeds=self._may_hold,
        )
        if not self.seeds:
            self.seeds, self.ceiling, self._best = found.seeds, found.ceiling, found.bound / max(1, len(found.regions))
            self.method = found.method if together or count == 1 else "greedy"
        self.grown += found.grown
        return found

    def _spacing_now(self) -> Spacing:
        """The distances to keep, those to the candidates so far among them where they must not be too great."""
        farthest = self._spacing.maximum
        if not self.accepted or farthest is None or self._spacing.existing is not None:
            return self._spacing
        mask = np.logical_or.reduce([each.region.mask(self.field.value.shape) for each in self.accepted])
        return Spacing(self._spacing.minimum, farthest, distance_to(mask, self.study.grid.cell), 0.0, farthest)

    def drop_lonely(self) -> None:
        """Leave out candidates that lie farther from every other one than is allowed."""
        farthest = self._spacing.maximum
        if farthest is None or len(self.accepted) < 2:
            return
        shapes = np.array([each.planning for each in self.accepted], dtype=object)
        away = shapely.distance(shapes[:, None], shapes[None, :])
        np.fill_diagonal(away, np.inf)
        for candidate, nearest in list(zip(self.accepted, away.min(axis=1), strict=True)):
            if nearest > farthest:
                self.accepted.remove(candidate)
                self._drop(candidate.region, Message("search.dropped.far", {"limit": farthest}))

    def _try(self, region: Region) -> bool:
        """Draw and check a region; whether it became a candidate."""
        number = len(self.accepted) + len(self.dropped) + 1
        self.progress("search-boundaries", len(self.accepted), self.study.criteria.count)
        drawn = draw(self.study, self.ground, self._open, self.rules, region, self._taken)
        if drawn.planning is None or drawn.why is not None:
            return self._drop(region, drawn.why or Message("search.dropped.no-outline"))
        self.progress("search-checks", len(self.accepted), self.study.criteria.count)
        try:
            report = self.judge(drawn.planning, drawn.construction, number)
        except GeoplanError as refused:
            if not refused.file:
                raise
            return self._drop(region, refused.message)
        planning, construction = drawn.planning, drawn.construction
        if report.content.verdict == "fail":
            mended = self._mended(drawn, number)
            if mended is None:
                return self._drop(region, Message("search.dropped.check", {"rules": list(failing(report))}))
            (planning, construction), report = mended
        self._accept(drawn.region, planning, construction, report)
        return True

    def _mended(self, drawn: Drawn, number: int) -> tuple[Boundaries, Report] | None:
        """Repaired boundaries that keep what was asked for; none where there are none."""
        assert drawn.planning is not None
        mended = self.mend(drawn.planning, drawn.construction, number) if self.mend else None
        if mended is None:
            return None
        (planning, construction), _ = mended
        free = free_ground(self.study, self.ground, drawn.region, self._taken)
        sized = self.study.planning.holds(survey_area(planning, self.study.grid.plane))
        built = construction is not None and self.study.construction.holds(
            survey_area(construction, self.study.grid.plane)
        )
        return mended if sized and built and keeps_clear(planning, free) else None

    def _accept(
        self, found: Region, planning: shapely.Polygon, construction: shapely.Polygon | None, report: Report
    ) -> None:
        mask = found.mask(self.field.value.shape)
        means = factor_means(list(self.ground.factors.values()), [found])[0]
        self.accepted.append(
            Candidate(
                0,
                found,
                planning,
                construction,
                figures(self.field, mask, self.rules.neighbours),
                dict(zip(self.ground.factors, means.tolist(), strict=True)),
                report,
            )
        )
        self._close(mask, planning)

    def _drop(self, region: Region, why: Message) -> bool:
        row, column = divmod(region.seed, self.study.grid.columns)
        x, y = self.study.grid.centres(np.array([row]), np.array([column]))[0]
        self.dropped.append(Dropped((float(x), float(y)), region.score, why))
        return False

    def _close(self, mask: NDArray[np.bool_], planning: shapely.Polygon) -> None:
        """Close the ground of a candidate and what lies too near to it."""
        least, cell = self._spacing.minimum, self.study.grid.cell
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        margin = int(np.ceil(least / cell)) + 2
        box = np.s_[
            max(0, rows[0] - margin) : rows[-1] + margin + 1, max(0, columns[0] - margin) : columns[-1] + margin + 1
        ]
        near = np.zeros_like(mask)
        near[box] = mask[box] | (distance_to(mask[box], cell) < least - 1e-9)
        self._open = self._open.without(near)
        # Circles outside the true ones, so that no corner comes too near.
        kept = shapely.buffer(planning, least / np.cos(np.pi / 64) + 0.01, quad_segs=16) if least else planning
        self._taken = shapely.union(self._taken, kept)

    def bound(self, count: int) -> float:
        """What no set of as many regions as there are candidates exceeds."""
        return self._best * count

    def runners_up(self, count: int) -> tuple[Region, ...]:
        """The next best regions of what is left."""
        found: list[Region] = []
        field = self._open
        while len(found) < count:
            best = locate(field, self.rules, 1, seeds=self._may_hold, progress=self._counted).regions
            if not best:
                break
            found += best
            field = field.without(best[0].mask(field.value.shape))
        return tuple(found)

    def _counted(self, share: float) -> None:
        self.progress("search-runners-up", share, 1)


def _heart(field: Field, region: Region, rules: RegionRules) -> NDArray[np.bool_]:
    """The cells of a region within half its radius of its seed: those that the next tries must do without."""
    rows, columns = np.divmod(region.cells, field.value.shape[1])
    row, column = divmod(region.seed, field.value.shape[1])
    near = np.hypot(rows - row, columns - column) <= np.sqrt(rules.target / np.pi) / field.cell / 2
    found = np.zeros(field.value.shape, np.bool_)
    found.ravel()[region.cells[near]] = True
    found[row, column] = True
    return found


def _may_hold_construction(study: Study, ground: Ground) -> NDArray[np.bool_]:
    """Seeds from which a region may hold a construction area.

    They lie on a connected piece of ground that may be built on and is large enough, wide enough everywhere, with as
    much of such ground round them as the construction area needs.
    """
    from scipy.ndimage import binary_opening, label, uniform_filter

    cell, least = study.grid.cell, study.construction.minimum
    wide = max(1, int(np.ceil(study.criteria.outline.neck_m / cell)))
    open_: Any = binary_opening(ground.buildable, np.ones((wide, wide), np.bool_)) if wide > 1 else ground.buildable
    labelled: Any = label(open_)
    pieces: NDArray[np.int32] = labelled[0]
    large = np.bincount(pieces.ravel()) * study.grid.cell_area >= least
    large[0] = False
    held = large[pieces]
    side = 2 * int(np.ceil(np.sqrt(study.planning.target / np.pi) / cell)) + 1
    around = uniform_filter(held.astype(np.float32), side, mode="constant") * side * side
    return np.asarray(held & (around * study.grid.cell_area >= least))


def _stability(study: Study, ground: Ground, regions: Sequence[Region], count: int) -> Stability | None:
    if not regions:
        return None
    means = factor_means(list(ground.factors.values()), regions)
    asked = study.criteria.stability
    return rank_stability(
        means,
        ground.weights.values,
        count,
        seed=study.criteria.seed,
        draws=asked.draws,
        concentration=asked.concentration,
    )
