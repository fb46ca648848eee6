# mypy: disable-error-code="no-untyped-def,attr-defined,operator,arg-type,union-attr,misc"
"""Shapes that are cut, joined and sized: what holds for every one of them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import box
from geoplan.measure import polygons_of
from geoplan.shaping.clear import CLEARANCE, settled, without
from geoplan.shaping.pieces import count_holes, few_holes, joined, opened, wide_enough
from geoplan.shaping.sizing import larger, part_of, smaller
from geoplan.shaping.units import Land
from random_proposals import outline

SEEDS = st.integers(0, 100_000)


@settings(max_examples=60)
@given(seed=SEEDS)
def test_what_is_cut_and_settled_keeps_two_millimetres_and_the_vertices_that_were_drawn(seed):
    rng = np.random.default_rng(seed)
    drawn = outline(rng, 0, 0, 2e6)
    ground = shapely.union_all(
        [outline(rng, rng.uniform(-900, 900), rng.uniform(-900, 900), rng.uniform(1e3, 3e5)) for _ in range(4)]
    )
    made = settled(without(drawn, ground), drawn)
    assert made.is_valid
    assert made.is_empty or shapely.distance(made, ground) >= CLEARANCE
    before = {tuple(xy) for xy in shapely.get_coordinates(drawn).tolist()}
    for x, y in shapely.get_coordinates(made).tolist():
        assert (x, y) in before or (round(x, 3) == x and round(y, 3) == y)


def test_a_shape_apart_from_forbidden_ground_is_left_as_it_is():
    drawn = polygons_of(box(0.12345, 0, 100, 100))
    assert settled(without(drawn, box(200, 0, 10, 10)), drawn).equals_exact(drawn)


def test_an_edit_leaves_no_neck_and_no_splinter_but_drawn_ones_stay():
    drawn = shapely.union_all([box(0, 0, 300, 300), box(300, 100, 200, 4), box(500, 0, 300, 300)])
    field = box(-10, 30, 200, 100)
    made = wide_enough(without(drawn, field), drawn, 10.0)
    assert shapely.covers(made, box(310, 101, 180, 2))
    left = wide_enough(without(box(0, 0, 300, 300), box(-5, 5, 310, 100)), box(0, 0, 300, 300), 10.0)
    assert len(left.geoms) == 1
    assert opened(left, 10.0).area == pytest.approx(left.area)


@settings(max_examples=15)
@given(seed=SEEDS, share=st.floats(0.02, 0.6), patches=st.booleans())
def test_a_smaller_shape_has_the_area_asked_for_in_one_piece(seed, share, patches):
    rng = np.random.default_rng(seed)
    shape = polygons_of(outline(rng, 0, 0, 3e6))
    keep = shapely.intersection(shapely.buffer(shape.representative_point(), 150), shape)
    made = smaller(shape, share * shape.area, _squares(rng) if patches else Land.plain(), keep=keep)
    assert made is not None
    assert made.area == pytest.approx(shape.area * (1 - share), abs=0.5)
    assert len(made.geoms) == 1
    assert shapely.area(shapely.difference(keep, made)) < 0.5
    assert shapely.area(shapely.difference(made, shape)) < 1e-3


@settings(max_examples=12)
@given(seed=SEEDS, share=st.floats(0.01, 0.3), patches=st.booleans())
def test_a_larger_shape_takes_allowed_ground_only(seed, share, patches):
    rng = np.random.default_rng(seed)
    shape = polygons_of(outline(rng, 0, 0, 2e6))
    allowed = shapely.difference(box(-3000, -3000, 6000, 6000), without(outline(rng, 900, 0, 4e5), shape))
    made = larger(shape, share * shape.area, allowed, _squares(rng) if patches else Land.plain(), reach=500)
    assert made is not None
    assert made.area == pytest.approx(shape.area * (1 + share), abs=0.5)
    assert len(made.geoms) == 1
    assert shapely.area(shapely.difference(shapely.difference(made, shape), allowed)) < 1e-3


def _squares(rng: np.random.Generator) -> Land:
    shapes = [box(x, y, 150, 150) for x in range(-3000, 3000, 150) for y in range(-3000, 3000, 150)]
    return Land(
        np.array(shapes, dtype=object),
        rng.choice([0.6, 1.0, 1.3], len(shapes)),
        rng.choice([0.8, 1.0, 2.0], len(shapes)),
    )


def test_pieces_are_joined_by_a_corridor_or_dropped():
    strip = box(500, -100, 20, 900)
    drawn = polygons_of(box(0, 0, 1000, 1000))
    across = without(drawn, box(500, -100, 20, 1200))
    around = shapely.difference(box(-500, -500, 2000, 2000), strip.buffer(0.01))
    kept, dropped = joined(across, around, 10.0)
    assert len(kept.geoms) == 1
    assert dropped.is_empty
    assert shapely.distance(kept, strip) > 0
    alone, lost = joined(across, shapely.MultiPolygon(), 10.0)
    assert len(alone.geoms) == 1
    assert lost.area == pytest.approx(480_000, rel=1e-3)


def test_holes_are_counted_and_limited():
    field = polygons_of(
        shapely.difference(box(0, 0, 1000, 1000), shapely.union_all([box(100 * i, 400, 40, 40) for i in range(1, 9)]))
    )
    assert count_holes(field) == 8
    fewer = few_holes(field, 3, 10.0)
    assert count_holes(fewer) == 3
    assert len(fewer.geoms) == 1


def test_a_part_is_cut_by_a_straight_line_and_counts_what_is_asked():
    shape = box(0, 0, 100, 100)
    cut = part_of(shape, 2500, (1.0, 0.0))
    assert shapely.area(cut) == pytest.approx(2500, abs=0.05)
    assert shapely.area(shapely.symmetric_difference(cut, box(0, 0, 25, 100))) < 0.1
    counted = part_of(shape, 500, (1.0, 0.0), box(50, 0, 50, 100))
    assert shapely.bounds(counted)[2] == pytest.approx(shapely.bounds(shape)[0] + 55, abs=0.01)
    assert part_of(shape, 20_000, (1.0, 0.0)) is None
