# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Constraints on a grid: what is excluded, by whom, what is not known, and how much each takes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from geoplan.errors import CallRefused
from geoplan.plane import Plane
from geoplan.search.constraint import Approval, Constraint, Land, Local, Raster, Rule
from geoplan.search.exclusion import exclude
from geoplan.search.features import Features
from geoplan.search.grid import Grid

GRID = Grid(Plane(120), 0.0, 1000.0, 100.0, 10, 10)
LEFT, TOP = shapely.box(0, 0, 400, 1000), shapely.box(0, 700, 1000, 1000)
CELL = GRID.cell_area


def rest(result):
    return {each.constraint: each for each in result.takings}


def raster(array, grid=GRID):
    """A raster of a grid's cells; NaN beyond."""

    def values(window):
        row, column = round((grid.north - window.north) / grid.cell), round((window.west - grid.west) / grid.cell)
        padded = np.pad(array.astype(np.float32), 50, constant_values=np.nan)
        return padded[row + 50 : row + 50 + window.rows, column + 50 : column + 50 + window.columns].copy()

    return Raster(values)


def cells(grid):
    rows, columns = np.indices(grid.shape)
    west, north = grid.west + columns * grid.cell, grid.north - rows * grid.cell
    return shapely.box(west, north - grid.cell, west + grid.cell, north)


def test_land_taken_alone_by_no_other_and_together():
    result = exclude(GRID, [Constraint("farm", Land.of([LEFT])), Constraint("redline", Land.of([TOP]))])
    farm, redline = rest(result)["farm"], rest(result)["redline"]
    assert (farm.alone, farm.only, farm.overlap) == (400_000, 280_000, 120_000)
    assert (redline.alone, redline.only, redline.overlap) == (300_000, 180_000, 120_000)
    assert (result.area, result.excluded_area, result.eligible_area) == (1_000_000, 580_000, 420_000)
    assert result.why(0, 0) == (("farm", "redline"), ())
    assert result.why(9, 9) == ((), ())
    assert result.eligible.sum() == 42
    assert not (result.eligible & result.excluded).any()


def test_a_cell_covered_in_part_stays_with_the_rest_of_its_ground():
    strip = [shapely.box(0, 0, 30, 1000), shapely.box(900, 0, 960, 1000), shapely.box(20, 0, 30, 100)]
    result = exclude(GRID, [Constraint("farm", Land.of(strip))])
    assert result.eligible[:, 0].all()
    assert result.excluded[:, 9].all()
    assert (result.usable[:, 0] == 70).all()
    assert (result.usable[:, 9] == 0).all()
    assert result.usable_area == pytest.approx(870_000)
    assert rest(result)["farm"].alone == pytest.approx(90_000)
    strict = exclude(GRID, [Constraint("farm", Land.of(strip), Rule(share=0.0))])
    assert strict.excluded[:, 0].all()


def test_shares_of_several_in_one_cell_are_bounded_from_the_careful_side():
    one, other = shapely.box(0, 0, 40, 1000), shapely.box(30, 0, 50, 1000)
    result = exclude(GRID, [Constraint("a", Land.of([one])), Constraint("b", Land.of([other]))])
    assert rest(result)["a"].alone == pytest.approx(40_000)
    assert (result.usable[:, 0] == 40).all()  # half is free in truth; never more is promised
    assert result.usable_area <= 950_000


def test_ground_that_a_layer_does_not_know_is_excluded_and_counted_apart():
    known = shapely.box(0, 0, 1000, 450)
    layer = Land.of([shapely.box(0, 0, 200, 200)], known)
    result = exclude(GRID, [Constraint("farm", layer), Constraint("redline", Land.of([TOP]))])
    assert result.unknown[3:6].all()
    assert result.excluded[:3].all()
    assert not result.unknown[:3].any()
    assert (result.unknown_area, result.excluded_area, result.eligible_area) == (300_000, 340_000, 360_000)
    assert rest(result)["farm"].unknown == 600_000
    assert result.why(4, 0) == ((), ("farm",))
    assert (result.usable[3:6] == 0).all()


def test_near_unknown_ground_a_distance_is_not_known_either():
    known = shapely.box(-500, -500, 1000, 1500)
    result = exclude(GRID, [Constraint("towns", Land.of([], known), Rule(distance=250.0))])
    assert result.unknown[:, 7:].all()
    assert result.eligible[:, :7].all()


def test_nodata_is_not_known_and_so_is_what_lies_within_the_distance_of_it():
    array = np.zeros(GRID.shape)
    array[4, 4], array[9, 9] = np.nan, 30.0
    result = exclude(GRID, [Constraint("slope", raster(array), Rule(low=25.0))])
    assert np.argwhere(result.unknown).tolist() == [[4, 4]]
    assert np.argwhere(result.excluded).tolist() == [[9, 9]]
    wide = exclude(GRID, [Constraint("cover", raster(array), Rule(distance=100.0, classes=frozenset({30})))])
    assert np.argwhere(wide.excluded).tolist() == [[7, 8], [7, 9], [8, 7], [8, 8], [8, 9], [9, 7], [9, 8], [9, 9]]
    assert wide.unknown[2:7, 3:6].all()
    assert wide.unknown[3:6, 2:7].all()
    assert wide.eligible[2, 2]
    assert wide.unknown[0].all()  # beyond the raster's edge nothing is known
    assert not wide.eligible[:, 0].any()


def test_zones_exclude_what_lies_outside_of_them():
    result = exclude(GRID, [Constraint("zone", Land.of([LEFT, TOP], outside=True))])
    assert result.eligible.sum() == 58
    assert rest(result)["zone"].alone == pytest.approx(420_000)
    with pytest.raises(ValueError, match="no such distance"):
        Constraint("zone", Land.of([LEFT], outside=True), Rule(distance=3.0))


def test_a_county_has_its_own_distance_and_cells_across_its_border_keep_both():
    point = [shapely.Point(500, 550)]
    county = shapely.box(500, 0, 1000, 1000)
    rule = Constraint("town", Land.of(point), Rule(distance=40.0), (Local(county, Rule(distance=240.0)),))
    excluded = exclude(GRID, [rule]).excluded
    assert np.flatnonzero(excluded[4]).tolist() == [4, 5, 6, 7]  # column 4 touches the county
    across = shapely.box(450, 0, 1000, 1000)
    wide = Constraint("town", Land.of(point), Rule(distance=240.0), (Local(across, Rule(distance=0.0)),))
    assert np.flatnonzero(exclude(GRID, [wide]).excluded[4]).tolist() == [2, 3, 4, 5]


def test_a_county_with_another_slope_and_one_with_a_distance_from_polygons():
    slope = np.tile(np.arange(10.0), (10, 1))
    rule = Constraint("slope", raster(slope), Rule(low=8.0), (Local(TOP, Rule(low=5.0)),))
    excluded = exclude(GRID, [rule]).excluded
    assert [np.flatnonzero(excluded[row]).min() for row in (0, 2, 3, 9)] == [5, 5, 5, 8]  # row 3 touches TOP
    farm = Constraint("farm", Land.of([shapely.box(0, 0, 30, 1000)]), local=(Local(TOP, Rule(distance=50.0)),))
    result = exclude(GRID, [farm])
    assert result.excluded[:4, 0].all()
    assert (result.usable[4:, 0] == 70).all()


def test_an_approved_site_wins_over_what_it_names_alone():
    constraints = [
        Constraint("redline", Land.of([TOP]), absolute=True),
        Constraint("slope", raster(np.full(GRID.shape, 40.0)), Rule(low=25.0)),
        Constraint("farm", Land.of([shapely.box(500, 0, 560, 1000)])),
    ]
    site = shapely.box(450, 350, 810, 860)
    result = exclude(GRID, constraints, approved=[Approval(site, frozenset({"slope"}))])
    assert np.argwhere(result.eligible).tolist() == [[r, c] for r in (3, 4, 5) for c in (6, 7)]
    assert result.why(2, 6) == (("redline",), ())
    assert result.why(4, 5) == (("farm",), ())
    assert rest(result)["slope"].waived == 12 * CELL
    both = exclude(GRID, constraints, approved=[Approval(site, frozenset({"slope", "farm"}))])
    assert both.usable[4, 5] == 100
    assert rest(both)["farm"].waived == pytest.approx(4 * 0.6 * CELL)


@pytest.mark.parametrize(
    ("ids", "over", "refusal"),
    [
        (["farm"], {"farm"}, "approval-over-absolute"),
        (["farm"], {"town"}, "approval-over-nothing"),
        (["farm", "farm"], set(), "constraint-twice"),
        ([f"c{i}" for i in range(32)], set(), "constraints-too-many"),
    ],
)
def test_calls_that_mean_nothing_are_refused(ids, over, refusal):
    constraints = [Constraint(name, Land.of([LEFT]), absolute=True) for name in ids]
    with pytest.raises(CallRefused) as caught:
        exclude(GRID, constraints, approved=[Approval(LEFT, frozenset(over))])
    assert caught.value.id == refusal
    assert caught.value.say("zh") != caught.value.say("en")


def test_only_the_study_area_counts():
    area = shapely.box(130, 0, 1000, 700)
    result = exclude(GRID, [Constraint("farm", Land.of([LEFT]))], area=area)
    assert result.area == pytest.approx(870 * 700)
    assert rest(result)["farm"].alone == pytest.approx(270 * 700)
    assert result.outside(0, 9)
    assert not result.outside(5, 9)
    assert result.excluded[:3].all()
    assert result.excluded_area + result.unknown_area + result.eligible_area == pytest.approx(result.area)


def test_more_than_fifteen_constraints_have_bits_of_their_own():
    columns = [shapely.box(100 * i, 0, 100 * i + 100, 1000) for i in range(10)] * 2
    result = exclude(GRID, [Constraint(f"c{i}", Land.of([each])) for i, each in enumerate(columns)])
    assert result.reasons.dtype == np.uint32
    assert result.why(0, 3)[0] == ("c3", "c13")
    assert all((each.alone, each.only) == (100_000, 0) for each in result.takings)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["legal", "raster"]))
def test_strips_and_workers_change_nothing_and_every_cell_has_its_reasons(seed, method):
    """A tall grid of several strips against distances by GEOS (legal) or SciPy (raster), one constraint at a time."""
    random = np.random.default_rng(seed)
    grid = Grid(Plane(120), 0.0, 13_000.0, 10.0, 1300, 12)
    roads = [shapely.LineString(random.uniform([-100, 0], [220, 13_000], (3, 2))) for _ in range(2)]
    towns = [shapely.Point(*xy).buffer(40, quad_segs=4) for xy in random.uniform([0, 0], [120, 13_000], (6, 2))]
    wet = (random.random(grid.shape) < 0.004).astype(float)
    constraints = [
        Constraint("road", Land.of(roads), Rule(distance=35.0)),
        Constraint("town", Land.of(towns), Rule(distance=120.0)),
        Constraint("wet", raster(wet, grid), Rule(low=1.0, distance=20.0)),
    ]
    result = exclude(grid, constraints, method=method)
    again = exclude(grid, constraints, method=method, workers=1)
    np.testing.assert_array_equal(result.reasons, again.reasons)
    np.testing.assert_array_equal(result.doubts, again.doubts)
    assert result.takings == again.takings
    squares = cells(grid)
    if method == "legal":
        expected = [shapely.distance(squares, shapely.union_all(roads)) <= 35.0]
        expected.append(shapely.distance(squares, shapely.union_all(towns)) <= 120.0)
        expected.append(shapely.distance(squares, shapely.union_all(squares[wet == 1])) <= 20.0)
    else:
        from geoplan.search.cover import burned

        masks = [burned(Features.of(roads), grid), burned(Features.of(towns), grid), wet]
        edt = [np.asarray(distance_transform_edt(mask == 0)) * grid.cell for mask in masks]
        expected = [away <= limit for away, limit in zip(edt, (35.0, 120.0, 20.0), strict=True)]
    for i, mask in enumerate(expected):
        np.testing.assert_array_equal(result.reasons >> i & 1 == 1, mask)
        assert result.takings[i].alone == pytest.approx(mask.sum() * grid.cell_area)
        others = np.any([other for j, other in enumerate(expected) if j != i], axis=0)
        assert result.takings[i].only == pytest.approx((mask & ~others).sum() * grid.cell_area)


def test_a_tick_that_raises_ends_the_work():
    grid = Grid(Plane(120), 0.0, 0.0, 10.0, 3000, 4)
    seen = []

    def tick(done, of):
        seen.append((done, of))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exclude(grid, [Constraint("farm", Land.of([LEFT]))], tick=tick)
    assert seen == [(1, 6)]
