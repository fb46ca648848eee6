# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""How far a boundary is from another verdict: closed forms on the central meridian, a bisection of its own elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from builders import (
    HUZHOU,
    PLACES,
    MemoryLayer,
    checked,
    farmland,
    finding,
    land_use,
    policy_text,
    register,
    town,
)
from geoplan.crs import recognise
from geoplan.measure import MANY_VERTICES, generalised, survey_area
from geoplan.plane import Plane
from geoplan.policy import parse_policy
from geoplan.policy.rule import Limit
from geoplan.rules.bands import Scale
from geoplan.rules.turns import area_turns, meets, shape_turns

MEADOW = shapely.box(500_000 - 500, 3_416_000, 500_000 + 500, 3_417_000)
"""A square of 1000 m astride the central meridian of 120°."""
CM = 0.01
ALL = shapely.box(480_000, 3_396_000, 520_000, 3_436_000)


def around(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle by its distances from the south-west corner of the square."""
    return shapely.box(499_500 + west, 3_416_000 + south, 499_500 + east, 3_416_000 + north)


def turns(found) -> dict[str, float]:
    return {turn.verdict: turn.shift_m for turn in found.turns_at}


@settings(max_examples=25)
@given(side=st.floats(600, 2500), limit=st.floats(4e5, 6e6))
def test_a_square_reaches_a_limit_at_half_the_difference_of_the_sides(side: float, limit: float) -> None:
    """The area of a square of side s offset by d is (s + 2d)² on the central meridian, where scale is 1."""
    shape = shapely.box(500_000 - side / 2, 3_416_000, 500_000 + side / 2, 3_416_000 + side)
    scale = Scale((Limit.model_validate({"figure": "area", "max_m2": limit}),), "must")
    found = {turn.verdict: turn for turn in area_turns(shape, HUZHOU, scale)}
    expected = (math.sqrt(limit) - side) / 2
    if abs(expected) < 499:
        (turn,) = found.values()
        assert turn.verdict == ("fail" if side**2 < limit else "pass")
        assert turn.shift_m == pytest.approx(expected, abs=CM)
        assert turn.area_m2 == pytest.approx(limit, rel=1e-6)


def test_an_offset_beyond_500_metres_is_not_told() -> None:
    scale = Scale((Limit.model_validate({"figure": "area", "max_m2": 5e6}),), "must")
    assert area_turns(MEADOW, HUZHOU, scale) == ()
    assert area_turns(shapely.box(*MEADOW.bounds).buffer(200, join_style="mitre"), HUZHOU, scale) != ()


OFFICE = parse_policy(
    policy_text(
        """
[[rules]]
id = "river"
kind = "proximity"
title = { zh = "离河", en = "off the river" }
clause = "c"
strength = "must"
layer = "water"
limits = [{ figure = "distance", min_m = 500 }]

[[rules]]
id = "paddy"
kind = "class-area"
title = { zh = "水田", en = "paddy" }
clause = "c"
strength = "must"
layer = "land-use"
classes = ["cultivated"]
limits = [{ figure = "area", max_m2 = 20000 }]
"""
    ),
    "office.toml",
)


def office(rule: str, *layers: MemoryLayer):
    return finding(checked(MEADOW, None, ("office",), list(layers), own=(OFFICE,)), "office", rule)


@pytest.mark.parametrize(("away", "verdict", "other"), [(540, "pass", "fail"), (470, "fail", "pass")])
def test_a_distance_turns_at_what_it_is_past_the_limit(away: float, verdict: str, other: str) -> None:
    river = MemoryLayer("water", [around(1000 + away, -900, 1100 + away, 1900)], covers=ALL, coded=False)
    found = office("river", river)
    assert found.verdict == verdict
    assert turns(found) == {other: pytest.approx(away - 500, abs=CM)}


def test_a_feature_out_of_the_limits_reach_turns_the_verdict_too() -> None:
    river = MemoryLayer("water", [around(1900, 400, 1950, 600)], covers=ALL, coded=False)
    found = office("river", river)
    assert found.verdict == "pass"
    assert turns(found) == {"fail": pytest.approx(400, abs=CM)}


@settings(max_examples=8)
@given(apart=st.floats(3000.5, 3450))
def test_a_separation_turns_at_what_it_is_past_the_reading(apart: float) -> None:
    other = town("远镇", around(1000 + apart, 0, 1500 + apart, 1000))
    found = finding(
        checked(MEADOW, None, ("huzhou-2018",), (), register(other)), "huzhou-2018", "one-per-neighbourhood"
    )
    assert turns(found)["fail"] == pytest.approx(apart - 3000, abs=CM)


@settings(max_examples=8)
@given(away=st.floats(1, 450), inside=st.floats(1, 400))
def test_farmland_is_met_at_its_distance_and_left_at_its_depth(away: float, inside: float) -> None:
    outside = farmland(around(1000 + away, 0, 1600 + away, 1000), covers=ALL)
    found = finding(checked(MEADOW, None, (), [outside]), "land-law", "basic-farmland")
    assert found.verdict == "pass"
    assert turns(found) == {"fail": pytest.approx(away, abs=CM)}
    hit = farmland(around(1000 - inside, 0, 1600, 1000), covers=ALL)
    found = finding(checked(MEADOW, None, (), [hit]), "land-law", "basic-farmland")
    assert found.verdict == "fail"
    assert turns(found) == {"pass": pytest.approx(-inside, abs=CM)}


def test_land_to_be_spared_zones_classes_and_parts_turn_at_their_edges() -> None:
    """One closed form each for minimise, within, class-area and contiguity."""
    fields = land_use([("0101", around(1080, 0, 1500, 1000)), ("0301", around(-900, -900, 1080, 1900))], covers=ALL)
    found = finding(checked(MEADOW, MEADOW, ("liuzhou-2018",), [fields]), "liuzhou-2018", "cultivated-land")
    assert found.verdict == "pass"
    assert turns(found) == {"attention": pytest.approx(80, abs=CM)}
    zones = MemoryLayer(
        "construction-control-zones",
        [around(-120, -120, 1120, 1120), shapely.difference(ALL, around(-120, -120, 1120, 1120))],
        ["010", "030"],
        covers=ALL,
        generation=None,
    )
    found = finding(checked(MEADOW, MEADOW, ("yushui-2017",), [zones]), "yushui-2017", "land-use-plan")
    assert found.verdict == "pass"
    assert turns(found) == {"fail": pytest.approx(120, abs=CM)}
    strip = land_use([("0101", around(1000, -900, 1500, 1900)), ("0301", around(-900, -900, 1000, 1900))], covers=ALL)
    d = (-1000 + math.sqrt(1000**2 + 8 * 20_000)) / 4  # d (1000 + 2d) = 20000
    assert turns(office("paddy", strip)) == {"fail": pytest.approx(d, abs=CM)}
    parts = shapely.MultiPolygon([MEADOW, around(1100, 0, 2100, 1000)])
    found = finding(checked(parts, None, ("yushui-2017",)), "yushui-2017", "contiguity")
    assert found.verdict == "fail"
    assert turns(found) == {"pass": pytest.approx((100 - 30) / 2, abs=CM)}


def test_ground_that_nobody_knows_gives_no_turn() -> None:
    known = around(-120, -120, 1120, 1120)
    zones = MemoryLayer("construction-control-zones", [known], ["010"], covers=known, generation=None)
    found = finding(checked(MEADOW, MEADOW, ("yushui-2017",), [zones]), "yushui-2017", "land-use-plan")
    assert found.verdict == "pass"
    assert turns(found) == {}


def star(seed: int, corners: int = 24) -> np.ndarray:
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, corners))
    radius = random.uniform(700, 1100, corners)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def bisected(shape: shapely.Geometry, changed: Callable[[shapely.Geometry], bool], far: float) -> float:
    """The offset at which something changes: an independent bisection with shapely's mitred buffer."""
    near = 0.0
    assert changed(shapely.buffer(shape, far, join_style="mitre", mitre_limit=5.0))
    for _ in range(40):
        middle = (near + far) / 2
        if changed(shapely.buffer(shape, middle, join_style="mitre", mitre_limit=5.0)):
            far = middle
        else:
            near = middle
    return far


def geodesic_area(shape: shapely.Geometry, plane: Plane) -> float:
    """Area by pyproj on the densified outline, with no code of the product but its projection."""
    return abs(Geod(ellps="GRS80").geometry_area_perimeter(plane.lonlat_shapes(shapely.segmentize(shape, 5.0)))[0])


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("seed", [1, 2])
def test_elsewhere_turns_agree_with_a_bisection_of_their_own(place: str, seed: int) -> None:
    lon, lat = PLACES[place]
    plane = Plane.around(lon)
    east, north = (float(v[0]) for v in plane.from_lonlat(np.array([lon]), np.array([lat])))
    shape = shapely.Polygon(star(seed) + np.array([east, north]))
    own = geodesic_area(shape, plane)
    for limit in (own * 1.2, own * 0.8):
        scale = Scale((Limit.model_validate({"figure": "area", "max_m2": limit}),), "must")
        (turn,) = area_turns(shape, plane, scale)
        sign = 1 if limit > own else -1
        expected = bisected(
            shape, lambda moved, limit=limit, sign=sign: sign * (geodesic_area(moved, plane) - limit) >= 0, sign * 400
        )
        assert turn.shift_m == pytest.approx(expected, abs=CM)
        assert turn.area_m2 == pytest.approx(limit, rel=1e-6)
    ground = shapely.Polygon(star(seed + 50, 9) / 4 + np.array([east + 1500, north + 300]))

    def hit(moved: shapely.Geometry) -> bool:
        return bool(shapely.area(shapely.intersection(moved, ground)) >= 0.005)

    patches = np.array([ground], dtype=object)
    (turn,) = shape_turns(shape, plane, lambda moved: "fail" if meets(moved, patches) else "pass")
    assert turn.shift_m == pytest.approx(bisected(shape, hit, 500), abs=CM)
    assert turn.area_m2 == pytest.approx(
        geodesic_area(shapely.buffer(shape, turn.shift_m, join_style="mitre"), plane), rel=1e-7
    )


def test_the_whole_report_agrees_with_the_bisection_off_the_central_meridian() -> None:
    frame = recognise(4545)
    assert frame is not None
    plane = Plane(108)
    east, north = (float(v[0]) for v in plane.from_lonlat(np.array([109.41]), np.array([24.32])))
    shape = shapely.Polygon(star(3) + np.array([east, north]))
    field = shapely.Polygon(star(60, 9) / 4 + np.array([east + 1500, north - 300]))
    layer = farmland(field, covers=shapely.box(east - 9e3, north - 9e3, east + 9e3, north + 9e3), frame=frame)
    found = finding(checked(shape, None, (), [layer], frame=frame), "land-law", "basic-farmland")
    expected = bisected(shape, lambda moved: survey_area(shapely.intersection(moved, field), plane) >= 0.005, 500)
    assert turns(found) == {"fail": pytest.approx(expected, abs=CM)}


def test_a_line_of_very_many_vertices_is_generalised_within_its_accuracy_for_offsets_alone() -> None:
    angle = np.linspace(0, 2 * np.pi, MANY_VERTICES + 1, endpoint=False)
    radius = 900 + np.random.default_rng(4).normal(0, 0.002, len(angle))
    ring = np.column_stack([510_000 + radius * np.cos(angle), 3_416_000 + radius * np.sin(angle)])
    circle = shapely.Polygon(ring)
    simple = generalised(circle, 0.05)
    assert shapely.get_num_coordinates(simple) < 2_000
    assert shapely.hausdorff_distance(circle, simple) <= 0.025 + 1e-9
    few = shapely.Polygon(ring[::4])
    assert generalised(few, 0.05) is few
    scale = Scale((Limit.model_validate({"figure": "area", "max_m2": 3e6}),), "must")
    (turn,) = area_turns(circle, HUZHOU, scale)
    assert turn.shift_m == pytest.approx(math.sqrt(3e6 / math.pi) - 900, abs=0.05)
