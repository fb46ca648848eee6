# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Offsets that rules share: in one go or step by step, nested, and each made once."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HUZHOU, X0, Y0, box
from geoplan.offsets import FINE, STEPWISE, Offsets
from geoplan.rules import turns
from geoplan.rules.turns import meets, shape_turns

_SLACK = 0.5
"""Area by which an offset may leave the next one, m² for each metre of offset: GEOS drops what is small beside it."""


def blob(seed: int, corners: int, radius: float) -> shapely.Polygon:
    """A star-shaped boundary with bays of many sizes."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = radius * (1 + sum(random.normal(0, 0.2 / k) * np.sin(k * angle + random.uniform(0, 6)) for k in (2, 3, 7)))
    reach = np.maximum(reach, radius * 0.2) * (1 + random.normal(0, 0.01, corners))
    return shapely.Polygon(np.column_stack([X0 + reach * np.cos(angle), Y0 + reach * np.sin(angle)]))


@settings(max_examples=40)
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


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), corners=st.integers(4, 400), radius=st.floats(30, 480))
def test_steps_inward_end_where_nothing_is_left_of_a_boundary(seed: int, corners: int, radius: float) -> None:
    offsets = Offsets(blob(seed, corners, radius), 0.05)
    end = list(offsets.steps(-1.0))[-1]
    assert -500 <= end < 0
    assert not shapely.is_empty(offsets.at(end))
    assert end == -500 or shapely.is_empty(offsets.at(end - FINE))


def test_an_offset_is_made_once_for_all_who_ask() -> None:
    offsets = Offsets(blob(1, 40, 300), 0.05)
    assert offsets.at(-30.0) is offsets.at(-30.0)
    assert offsets.at(0.0) is offsets.shape
    assert list(offsets.steps(1.0)) == [1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 250.0, 500.0]


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), corners=st.integers(4, STEPWISE - 1), distance=st.floats(-200, 500).filter(bool))
def test_an_offset_is_one_mitred_buffer_where_vertices_are_few(seed: int, corners: int, distance: float) -> None:
    shape = blob(seed, corners, 600)
    plain = shapely.buffer(shape, distance, join_style="mitre", mitre_limit=5.0)
    assert shapely.equals_exact(Offsets(shape, 0.05).at(distance), plain)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31), corners=st.integers(STEPWISE, 1200), small=st.floats(1, 500), more=st.floats(0.01, 200)
)
def test_an_offset_made_step_by_step_holds_every_smaller_one(
    seed: int, corners: int, small: float, more: float
) -> None:
    """Nested in both directions, and never nearer to the boundary than the distance asked for."""
    offsets = Offsets(blob(seed, corners, 600), 0.05)
    large = min(small + more, 500.0)
    for inner, outer in ((small, large), (-large, -small)):
        assert shapely.area(shapely.difference(offsets.at(inner), offsets.at(outer))) <= _SLACK * large
    grown = offsets.at(small)
    assert shapely.distance(shapely.boundary(grown), offsets.shape) >= small * 0.98


@settings(max_examples=60)
@given(seed=st.integers(0, 2**31), corners=st.integers(4, 200), distance=st.floats(1, 500))
def test_an_area_grows_at_least_as_the_bound_says(seed: int, corners: int, distance: float) -> None:
    shape = blob(seed, corners, 700)
    assert shapely.area(Offsets(shape, 0.05).at(distance)) >= turns._grows_to(float(shape.area), distance)
