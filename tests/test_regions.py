"""Regions: the compiled growth against the plain one, and what every region must keep."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geoplan.errors import CallRefused
from geoplan.search.evaluation import figures
from geoplan.search.inner import inner_region
from geoplan.search.pool import Pool
from geoplan.search.regions import EVALUATIONS, Field, RegionRules, grow, region_from
from geoplan.search.selection import Spacing, distance_to, locate
from growing_reference import Reference

SIDE = 22
WIDE = Field.of(np.ones((2, 2100)), np.ones((2, 2100), bool), 10.0)
JOINED: dict[int, Any] = {4: None, 8: np.ones((3, 3))}


def pieces(mask: Any, neighbours: int) -> Any:
    return ndimage.label(mask, JOINED[neighbours])


def a_field(seed: int, weighted: bool = False, side: int = SIDE, open_share: float = 0.8) -> Field:
    random = np.random.default_rng(seed)
    value = ndimage.gaussian_filter(random.random((side, side)), 1.5) + 0.02 * random.random((side, side))
    if seed % 3 == 0:
        value = np.round(value * 8) / 8  # many ties
    value[random.random((side, side)) < 0.05] = np.nan
    eligible = random.random((side, side)) < open_share
    share = random.integers(0, 9, (side, side)) / 8 if weighted else None
    return Field.of(value, eligible, 10.0, share)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Field, RegionRules]:
    field = a_field(draw(st.integers(0, 10_000)), draw(st.booleans()))
    target = draw(st.integers(1, 60)) * 100.0
    rules = RegionRules(
        target,
        target * draw(st.sampled_from([0.5, 0.9, 1.0])),
        target * draw(st.sampled_from([1.0, 1.1, 1.6])),
        draw(st.sampled_from(["circle", "square", "free"])),
        draw(st.integers(0, 100)),
        draw(st.sampled_from([4, 8])),
        draw(st.sampled_from(["filled", "kept"])),
        draw(st.sampled_from(EVALUATIONS)),
        draw(st.sampled_from([1.5, 3.0])),
    )
    return field, rules


def regions_of(field: Field, rules: RegionRules, every: int = 7) -> list[np.ndarray[Any, Any]]:
    seeds = np.flatnonzero(field.eligible)[::every]
    found = [region_from(field, rules, int(seed)) for seed in seeds]
    return [each.mask(field.value.shape) for each in found if each is not None]


@settings(max_examples=60)
@given(cases())
def test_the_compiled_growth_takes_the_cells_of_the_plain_one(case: tuple[Field, RegionRules]) -> None:
    field, rules = case
    plain = Reference(field, rules)
    for seed in np.flatnonzero(field.eligible)[::9]:
        ours = region_from(field, rules, int(seed))
        theirs = sorted(y * SIDE + x for y, x in plain.grow(*divmod(int(seed), SIDE)))
        assert theirs == ([] if ours is None else ours.cells.tolist())


@settings(max_examples=60)
@given(cases())
def test_regions_are_connected_of_the_area_asked_on_usable_land_with_islands_as_asked(
    case: tuple[Field, RegionRules],
) -> None:
    field, rules = case
    for region in regions_of(field, rules):
        share = np.ones(region.shape) if field.share is None else field.share
        assert pieces(region, rules.neighbours)[1] == 1
        assert not (region & ~field.eligible).any()
        assert rules.minimum - 1e-6 <= share[region].sum(dtype=np.float64) * 100 <= rules.maximum + 1e-6
        if rules.islands == "filled":
            filled: Any = ndimage.binary_fill_holes(region, JOINED[12 - rules.neighbours])
            joined = pieces(filled & field.eligible, rules.neighbours)[0]
            assert not (joined == joined[region][0])[~region].any()


@settings(max_examples=40)
@given(cases())
def test_scores_are_the_figures_of_the_regions(case: tuple[Field, RegionRules]) -> None:
    field, rules = case
    seeds = np.flatnonzero(field.eligible)[::11]
    grown = grow(field, rules, seeds)
    for seed, score, area in zip(seeds, grown.scores, grown.areas, strict=True):
        region = region_from(field, rules, int(seed))
        assert (region is None) == math.isnan(score)
        if region is not None:
            its = figures(field, region.mask(field.value.shape), rules.neighbours)
            wanted = -its.edge if rules.evaluation == "edge" else getattr(its, rules.evaluation)
            assert score == pytest.approx(wanted, rel=1e-12)
            assert area == pytest.approx(its.area, rel=1e-12)


def test_any_number_of_threads_gives_the_same_answer() -> None:
    field, rules = a_field(4, weighted=True, side=60), RegionRules(6000, 5500, 6600)
    seeds = np.flatnonzero(field.eligible)
    one, two = grow(field, rules, seeds, threads=1), grow(field, rules, seeds, threads=2)
    for name in ("scores", "areas", "marks", "met"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    first, second = (locate(field, rules, 3, Spacing(50.0), threads=threads) for threads in (1, 2))
    assert [each.cells.tolist() for each in first.regions] == [each.cells.tolist() for each in second.regions]


def test_equal_cells_are_taken_from_the_north_and_the_west() -> None:
    field = Field.of(np.ones((9, 9)), np.ones((9, 9), bool), 1.0)
    region = region_from(field, RegionRules(3, 3, 3, "free"), 40)
    assert region is not None
    assert region.cells.tolist() == [22, 31, 40]


def test_shapes() -> None:
    field = Field.of(np.ones((61, 61)), np.ones((61, 61), bool), 1.0)
    square = region_from(field, RegionRules(441, 441, 441, "square", 100), 30 * 61 + 30)
    circle = region_from(field, RegionRules(441, 441, 441, "circle", 100), 30 * 61 + 30)
    assert square is not None
    assert circle is not None
    rows, columns = np.divmod(square.cells, 61)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 40, 20, 40)
    assert np.hypot(*(np.array(np.divmod(circle.cells, 61)) - 30)).max() < math.sqrt(441 / math.pi) + 1


def test_an_excluded_cell_inside_stays_a_hole_and_is_counted() -> None:
    eligible = np.ones((21, 21), bool)
    eligible[10, 11] = False
    field = Field.of(np.ones((21, 21)), eligible, 1.0)
    region = region_from(field, RegionRules(80, 80, 80, "circle", 100), 10 * 21 + 10)
    assert region is not None
    assert 10 * 21 + 11 not in region.cells
    assert figures(field, region.mask((21, 21))).islands == 1


def brute_force(field: Field, rules: RegionRules, count: int, spacing: Spacing) -> tuple[int, float]:
    """The best set of all, by looking at every one."""
    grown = grow(field, rules, np.flatnonzero(field.eligible))
    _, first = np.unique(grown.marks[~np.isnan(grown.scores)], return_index=True)
    seeds = grown.seeds[~np.isnan(grown.scores)][first]
    regions = [region for region in (region_from(field, rules, int(seed)) for seed in seeds) if region is not None]
    masks = [region.mask(field.value.shape) for region in regions]
    away = [distance_to(mask, field.cell) for mask in masks]
    gaps = np.array([[float(near[mask].min()) for mask in masks] for near in away])
    overlaps = np.array([[bool((one & other).any()) for other in masks] for one in masks])
    best = (0, 0.0)
    for number in range(1, count + 1):
        for chosen in combinations(range(len(regions)), number):
            pairs = list(combinations(chosen, 2))
            if any(overlaps[i, j] or gaps[i, j] < spacing.minimum for i, j in pairs):
                continue
            far = spacing.maximum is not None and number > 1
            if far and any(min(gaps[i, j] for j in chosen if j != i) > (spacing.maximum or 0) for i in chosen):
                continue
            best = max(best, (number, sum(regions[i].score for i in chosen)))
    return best


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([0.0, 20.0, 45.0]), st.sampled_from([None, 60.0]), st.integers(1, 3))
@example(68, 0.0, None, 3)
def test_the_exact_choice_is_the_best_of_all_sets(seed: int, minimum: float, maximum: float | None, count: int) -> None:
    field = a_field(seed, side=10, open_share=0.6)
    rules, spacing = RegionRules(600, 600, 700, "free"), Spacing(minimum, maximum)
    found = locate(field, rules, count, spacing)
    number, total = brute_force(field, rules, count, spacing)
    assert found.method == "exact"
    assert len(found.regions) == number
    assert found.total == pytest.approx(total, abs=1e-9)
    greedy = locate(field, rules, count, spacing, exact_up_to=0)
    assert greedy.total <= total + 1e-9 or len(greedy.regions) < number
    assert greedy.bound >= greedy.total


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([0.0, 30.0, 75.0]), st.sampled_from(["mean", "sum", "worst", "core"]))
def test_chosen_regions_keep_their_distances(seed: int, minimum: float, evaluation: Any) -> None:
    field = a_field(seed, weighted=True, side=48)
    existing = np.zeros(field.value.shape, bool)
    existing[5:8, 5:8] = True
    spacing = Spacing(minimum, None, distance_to(existing, 10.0), 55.0, 250.0)
    found = locate(field, RegionRules(3000, 2500, 3500, evaluation=evaluation), 3, spacing)
    masks = [each.mask(field.value.shape) for each in found.regions]
    assert masks
    assert [each.score for each in found.regions] == sorted((each.score for each in found.regions), reverse=True)
    assert spacing.existing is not None
    assert all(55.0 <= spacing.existing[mask].min() <= 250.0 for mask in masks)
    for one, other in combinations(masks, 2):
        assert not (one & other).any()
        assert distance_to(one, 10.0)[other].min() >= minimum


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from(["mean", "sum", "worst"]), st.booleans())
def test_seeds_that_are_not_grown_could_not_matter(seed: int, evaluation: Any, weighted: bool) -> None:
    field = a_field(seed, weighted, side=90)
    rules = RegionRules(3000, 2700, 3300, evaluation=evaluation, reach=1.5)
    pool = Pool(field, rules)
    every = grow(field, rules, np.flatnonzero(field.eligible))
    assert pool.best_score() == np.nanmax(every.scores)
    distinct = pool.distinct(float(np.nanquantile(every.scores, 0.99)), 10**6)
    assert distinct is not None
    wanted = every.scores >= np.nanquantile(every.scores, 0.99)
    assert len(distinct) == np.unique(every.marks[wanted]).size


def test_distance_to_is_the_distance_between_outlines() -> None:
    mask = np.zeros((12, 12), bool)
    mask[2, 3] = True
    away = distance_to(mask, 10.0)
    assert away[3, 4] == 0
    assert away[2, 7] == 30
    assert away[6, 6] == pytest.approx(10 * math.hypot(3, 2))
    assert np.isinf(distance_to(np.zeros((2, 2), bool), 1.0)).all()


def test_a_search_can_be_ended_while_it_runs() -> None:
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="^$"):
        locate(a_field(1, side=60), RegionRules(2000, 2000, 2200), 2, progress=stop)
    assert len(shares) == 1


def test_nothing_is_chosen_where_nothing_fits() -> None:
    found = locate(Field.of(np.ones((5, 5)), np.zeros((5, 5), bool), 10.0), RegionRules(500, 500, 500), 2)
    assert (found.regions, found.method, found.seeds) == ((), "exact", 0)


def test_the_construction_area_lies_inside_on_allowed_land_with_least_cultivated() -> None:
    random = np.random.default_rng(3)
    region = np.zeros((40, 50), bool)
    region[5:25, 8:38] = True
    allowed = random.random((40, 50)) < 0.85
    cultivated = ndimage.gaussian_filter(random.random((40, 50)), 2)
    rules = RegionRules(15_000, 15_000, 16_000, "circle", 20)
    found = inner_region(region, allowed, -cultivated, 10.0, rules)
    assert found is not None
    mask = found.mask(region.shape)
    assert not (mask & ~(region & allowed)).any()
    assert mask.sum() == 150
    assert pieces(mask, 4)[1] == 1
    assert mask.ravel()[found.seed]
    assert found.score == pytest.approx(-cultivated[mask].mean(), rel=1e-6)
    assert cultivated[mask].mean() < cultivated[region & allowed].mean()
    assert inner_region(region & False, allowed, -cultivated, 10.0, rules) is None
    assert inner_region(region, allowed, -cultivated, 10.0, RegionRules(90_000, 90_000, 90_000)) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: RegionRules(100, 200, 300), "0 < minimum ≤ target ≤ maximum"),
        (lambda: RegionRules(1, 1, 1, "triangle"), "no such shape"),  # type: ignore[arg-type]
        (lambda: RegionRules(1, 1, 1, tradeoff=101), "0 to 100; given: 101"),
        (lambda: RegionRules(1, 1, 1, neighbours=6), "neighbours are 4 or 8"),  # type: ignore[arg-type]
        (lambda: RegionRules(1, 1, 1, reach=1), "at least 1.5"),
        (lambda: Spacing(10, 5), "0 ≤ minimum ≤ maximum"),
        (lambda: Spacing(existing_minimum=5), "no places are given"),
        (lambda: Field.of(np.ones((2, 2)), np.ones((2, 3), bool), 1.0), "differ in shape"),
        (lambda: Field.of(np.full((2, 2), np.inf), np.ones((2, 2), bool), 1.0), "infinite"),
        (lambda: Field.of(np.ones((2, 2)), np.ones((2, 2), bool), 1.0, np.full((2, 2), 2.0)), "given: 2 to 2"),
        (lambda: grow(WIDE, RegionRules(2e8, 2e8, 2e8), np.array([5])), "more than one region may have"),
        (lambda: locate(a_field(1), RegionRules(500, 500, 500), 0), "1 or more; given: 0"),
        (
            lambda: grow(Field.of(np.ones((2, 2)), np.zeros((2, 2), bool), 1.0), RegionRules(1, 1, 1), np.array([0])),
            "not an eligible cell",
        ),
    ],
)
def test_what_cannot_be_grown_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(CallRefused, match=said):
        wrong()
