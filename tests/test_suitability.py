"""Suitability, weights and trust, with pymcdm as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given as cases
from hypothesis import settings
from hypothesis import strategies as st
from pymcdm.methods import TOPSIS
from pymcdm.normalizations import vector_normalization
from pymcdm.weights import entropy_weights
from pymcdm.weights.subjective import AHP

from geoplan.errors import CallRefused
from geoplan.search import weights
from geoplan.search.regions import Field, RegionRules
from geoplan.search.selection import Spacing, locate
from geoplan.search.suitability import Classes, Gaussian, Linear, Logistic, Piecewise, topsis, weighted_sum
from geoplan.search.trust import factor_means, rank_stability, why

EVERY = (Classes(((1, 0.5),)), Linear(0, 9), Piecewise(((0, 0), (5, 1))), Gaussian(4, 2), Logistic(4, 1.5))


@pytest.mark.parametrize("transformation", EVERY)
def test_a_transformation_keeps_shape_range_and_what_is_not_known(transformation: Any) -> None:
    figures = np.array([[np.nan, 1.0], [-50.0, 1e4]], np.float32)
    found = transformation(figures)
    assert found.shape == (2, 2)
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[0, 1])
    known = found[~np.isnan(found)]
    assert ((known >= 0) & (known <= 1)).all()


def test_the_curves_go_through_their_points() -> None:
    assert Gaussian(4, 2)(np.array([2.0, 6.0])) == pytest.approx([np.exp(-0.5)] * 2)
    assert Logistic(4, 2)(np.array([4.0, 5.0])) == pytest.approx([0.5, 1 / (1 + np.exp(-2))])
    assert Linear(10, 2)(np.array([10, 4])) == pytest.approx([0, 0.75])


@settings(max_examples=40)
@cases(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 40))
def test_topsis_and_entropy_agree_with_pymcdm(seed: int, factors: int, cells: int) -> None:
    random = np.random.default_rng(seed)
    matrix, given = random.random((cells, factors)) + 0.01, random.dirichlet(np.ones(factors))
    columns = [matrix[:, i] for i in range(factors)]
    theirs = TOPSIS(normalization_function=vector_normalization)(matrix, given, np.ones(factors), validation=False)
    assert topsis(columns, given) == pytest.approx(theirs, abs=1e-6)
    assert weights.by_entropy(columns).values == pytest.approx(entropy_weights(matrix), abs=1e-9)
    assert weighted_sum(columns, given) == pytest.approx(matrix @ given, abs=1e-6)


@settings(max_examples=40)
@cases(st.integers(0, 10_000), st.integers(2, 8))
def test_ahp_agrees_with_pymcdm(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    scale = random.choice([1, 2, 3, 5, 7, 9], (count, count)).astype(float)
    matrix = np.triu(scale, 1) + np.tril(1 / scale.T, -1) + np.eye(count)
    found = weights.by_comparison(matrix.tolist(), accept_inconsistent=True)
    assert found.values.sum() == pytest.approx(1)
    assert found.values == pytest.approx(AHP(matrix=matrix)(), abs=1e-6)


def test_saatys_consistency_ratio() -> None:
    consistent: list[list[float]] = [[1, 2, 4], [1 / 2, 1, 2], [1 / 4, 1 / 2, 1]]
    assert weights.by_comparison(consistent).consistency == pytest.approx(0, abs=1e-9)
    assert weights.by_comparison(consistent).values == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    circular: list[list[float]] = [[1, 3, 1 / 3], [1 / 3, 1, 3], [3, 1 / 3, 1]]
    with pytest.raises(CallRefused, match=r"ratio is 1\.149, above 0\.1"):
        weights.by_comparison(circular)
    accepted = weights.by_comparison(circular, accept_inconsistent=True)
    assert accepted.consistency == pytest.approx((13 / 3 - 3) / 2 / 0.58)
    assert accepted.values == pytest.approx([1 / 3] * 3)


def test_what_is_not_known_has_no_suitability() -> None:
    factors = [np.array([0.2, 0.9, np.nan, 0.4]), np.array([0.1, np.nan, 0.5, 0.8])]
    for joined in (weighted_sum, topsis):
        found = joined(factors, np.array([0.5, 0.5]))
        assert np.isnan(found).tolist() == [False, True, True, False]
        assert found.dtype == np.float32
    assert topsis([np.zeros(3)], np.array([1.0])).tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: weights.given([1, -1]), "0 or more"),
        (lambda: weights.given([0, 0]), "not all 0"),
        (lambda: weights.by_comparison([[1, 2]]), "square matrix"),
        (lambda: weights.by_comparison([[1, -2], [-0.5, 1]]), "above 0"),
        (lambda: weights.by_comparison([[1, 2], [2, 1]]), "row 1, column 2"),
        (lambda: weights.by_entropy([np.array([1.0, np.nan])]), "only 1 cell has"),
        (lambda: weights.by_entropy([np.array([1.0, 2.0]), np.array([0.0, 0.0])]), "factor 2 is negative"),
        (lambda: Linear(1, 1), r"are the same \(1\)"),
        (lambda: Piecewise(((1, 0), (1, 1))), "their figures rising; given: 1, 1"),
        (lambda: Gaussian(0, 0), "above 0"),
        (lambda: Logistic(0, 0), "not 0"),
        (lambda: weighted_sum([np.ones(2)], np.ones(2)), "1 factor and 2 weights"),
        (lambda: topsis([np.ones(2), np.ones(3)], np.ones(2)), "differ in shape"),
        (lambda: rank_stability(np.full((1, 1), np.nan), np.ones(1), 1, seed=0), "factor is not known"),
        (lambda: rank_stability(np.ones((1, 1)), np.ones(1), 0, seed=0), "top 0, 10000 draws"),
        (lambda: rank_stability(np.ones((1, 1)), np.ones(2), 1, seed=0), "1 factor and 2 weights"),
    ],
)
def test_what_cannot_be_weighed_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(CallRefused, match=said):
        wrong()


def test_stability_is_the_share_of_draws() -> None:
    # The first is better by factor 1, the second by factor 2: which leads is which weight is greater.
    factors = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    even = rank_stability(factors, np.array([0.5, 0.5]), 1, seed=7, draws=50_000)
    assert even.stays == pytest.approx([0.5, 0.5, 0.0], abs=0.01)
    assert even.stays.sum() == pytest.approx(1)
    tilted = rank_stability(factors, np.array([0.7, 0.3]), 2, seed=7)
    assert tilted.stays.tolist() == [1, 1, 0]
    assert tilted.first[0] > 0.98
    again = rank_stability(factors, np.array([0.7, 0.3]), 2, seed=7)
    assert again.first.tobytes() == tilted.first.tobytes()
    # A weight of 0 stays 0, however the others move.
    assert rank_stability(factors, np.array([0.0, 1.0]), 1, seed=7).stays.tolist() == [0, 1, 0]


def test_why_names_the_scores_and_what_beats_the_cell() -> None:
    random = np.random.default_rng(2)
    road, slope = random.random((30, 30)), np.tile(np.linspace(1, 0, 30), (30, 1))
    suitability = weighted_sum([road, slope], np.array([0.25, 0.75]))
    eligible = np.ones((30, 30), bool)
    eligible[0, 0] = False
    field, rules = Field.of(suitability, eligible, 10.0), RegionRules(2000, 2000, 2200)
    chosen = locate(field, rules, 3, Spacing(20.0)).regions
    factors, weighed = {"road": road, "slope": slope}, {"road": 0.25, "slope": 0.75}
    far = why((15, 28), field, rules, factors, weighed, chosen)
    assert far.beaten_by == (1, 2, 3)
    assert far.inside == ()
    assert far.contributions["slope"] == pytest.approx(0.75 * slope[15, 28])
    assert sum(far.contributions.values()) == pytest.approx(far.suitability, abs=1e-6)
    best = why((chosen[0].seed // 30, chosen[0].seed % 30), field, rules, factors, weighed, chosen)
    assert (best.beaten_by, best.inside) == ((), (1,))
    closed = why((0, 0), field, rules, factors, weighed, chosen)
    assert (closed.eligible, closed.region, closed.beaten_by) == (False, None, (1, 2, 3))
    means = factor_means([road, slope], chosen)
    assert means @ [0.25, 0.75] == pytest.approx([each.score for each in chosen], abs=1e-6)
