# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Offsets that rules share: what is found by way of an offset of an offset is what plain halving finds."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HUZHOU, X0, Y0, box
from geoplan.offsets import Offsets
from geoplan.rules import turns
from geoplan.rules.turns import meets, shape_turns


def blob(seed: int, corners: int, radius: float) -> shapely.Polygon:
    """A star-shaped boundary with bays of many sizes."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = radius * (1 + sum(random.normal(0, 0.2 / k) * np.sin(k * angle + random.uniform(0, 6)) for k in (2, 3, 7)))
    reach = np.maximum(reach, radius * 0.2) * (1 + random.normal(0, 0.01, corners))
    return shapely.Polygon(np.column_stack([X0 + reach * np.cos(angle), Y0 + reach * np.sin(angle)]))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), corners=st.integers(5, 160), radius=st.floats(60, 900))
def test_one_direction_alone_gives_what_both_directions_give(seed: int, corners: int, radius: float) -> None:
    """On ground that boundary meets or not: the same turns as the scan that assumes nothing, to the last digit."""
    shape = blob(seed, corners, radius)
    random = np.random.default_rng(seed)
    west, south = random.uniform(-1.2, 0.8, 2) * radius
    ground = np.array([box(west, south, random.uniform(5, radius), random.uniform(5, radius)), box(5000, 0, 9, 9)])

    def judge(moved: shapely.Geometry):
        return "fail" if meets(moved, ground) else "pass"

    assert shape_turns(shape, HUZHOU, judge, grown="fail") == shape_turns(shape, HUZHOU, judge)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), corners=st.integers(4, 120), radius=st.floats(30, 480))
def test_where_nothing_is_left_of_a_boundary(seed: int, corners: int, radius: float) -> None:
    offsets, plain = Offsets(blob(seed, corners, radius), 0.05), Offsets(blob(seed, corners, radius), 0.05)
    last, gone = offsets.last_with(lambda moved: not shapely.is_empty(moved), 0.0, -1000.0)
    near, far = 0.0, -1000.0
    while abs(far - near) > 0.001:
        middle = (near + far) / 2
        near, far = (near, middle) if shapely.is_empty(plain.at(middle)) else (middle, far)
    assert (last, gone) == (near, far)
    assert not shapely.is_empty(plain.at(last))
    assert shapely.is_empty(plain.at(gone))
    assert offsets.steps(-1.0)[-1] >= -500


def test_an_offset_is_made_once_for_all_who_ask() -> None:
    offsets = Offsets(blob(1, 40, 300), 0.05)
    assert offsets.at(-30.0) is offsets.at(-30.0)
    assert offsets.at(0.0) is offsets.shape
    assert offsets.steps(1.0) == [1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 250.0, 500.0]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), corners=st.integers(4, 200), distance=st.floats(1, 500))
def test_an_area_grows_at_least_as_the_bound_says(seed: int, corners: int, distance: float) -> None:
    shape = blob(seed, corners, 700)
    assert shapely.area(Offsets(shape, 0.05).at(distance)) >= turns._grows_to(float(shape.area), distance)
