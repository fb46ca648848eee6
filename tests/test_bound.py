"""The exact optimum of one region, against every connected set of cells."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geoplan.errors import CallRefused
from geoplan.search.bound import best_region
from geoplan.search.regions import Field, RegionRules, grow

JOINED: dict[int, Any] = {4: None, 8: np.ones((3, 3))}


def best_of_all(value: np.ndarray[Any, Any], count: int, neighbours: int) -> float:
    """The greatest sum over every connected set, each grown cell by cell from smaller ones."""
    usable = {(int(y), int(x)) for y, x in np.argwhere(~np.isnan(value))}
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)][:neighbours]
    sets = {frozenset([cell]) for cell in usable}
    for _ in range(count - 1):
        sets = {
            each | {(y + down, x + right)}
            for each in sets
            for y, x in each
            for down, right in moves
            if (y + down, x + right) in usable - each
        }
    return max((sum(float(value[cell]) for cell in each) for each in sets), default=-np.inf)


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([4, 8]))
def test_the_optimum_is_the_best_of_every_connected_set(seed: int, count: int, neighbours: Literal[4, 8]) -> None:
    random = np.random.default_rng(seed)
    value = random.random((4, 5)) - 0.2
    value[random.random((4, 5)) < 0.3] = np.nan
    found, wanted = best_region(value, count, neighbours), best_of_all(value, count, neighbours)
    if found is None:
        assert wanted == -np.inf
        return
    assert found.exact
    assert found.region is not None
    assert found.total == pytest.approx(wanted, abs=1e-6)
    assert found.region.sum() == count
    labelled: Any = ndimage.label(found.region, JOINED[neighbours])
    assert labelled[1] == 1
    assert not np.isnan(value[found.region]).any()


def test_no_grown_region_is_better_than_the_optimum() -> None:
    random = np.random.default_rng(5)
    value = ndimage.gaussian_filter(random.random((9, 9)), 1)
    field = Field.of(value, np.ones((9, 9), bool), 1.0)
    grown = float(np.nanmax(grow(field, RegionRules(10, 10, 10, "free", islands="kept"), np.arange(81)).scores)) * 10
    found = best_region(field.value, 10, known=grown)
    assert found is not None
    assert found.exact
    assert found.total >= grown - 1e-6
    assert 0 <= found.gap(grown) < 0.05


def test_without_time_there_is_a_bound_and_it_is_said_to_be_one() -> None:
    value = np.random.default_rng(1).random((14, 14))
    found = best_region(value, 30, seconds=0.0)
    assert found is not None
    assert not found.exact
    assert found.bound >= 0.9 * np.sort(value.ravel())[-30:].sum()
    assert found.bound <= np.sort(value.ravel())[-30:].sum() + 1e-9


def test_what_cannot_be() -> None:
    apart = np.array([[1.0, np.nan, 1.0], [np.nan, 1.0, np.nan]])
    assert best_region(apart, 2) is None
    assert best_region(apart, 3, neighbours=8) is not None
    assert best_region(np.ones((3, 3)), 2, known=3.0) is None
    with pytest.raises(CallRefused, match="2 cells or more; given: 1"):
        best_region(apart, 1)
