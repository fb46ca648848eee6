# mypy: disable-error-code="no-untyped-def"
"""What rules forbid, held against the verdicts of the same rules."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    EVERYWHERE,
    FRAME,
    X0,
    Y0,
    MemoryLayer,
    answers_of,
    boundary,
    box,
    checked,
    farmland,
    land_use,
    policy_text,
    register,
    square,
    town,
)
from geoplan.boundary import Proposal
from geoplan.facts import Facts
from geoplan.policy import PolicyBook
from geoplan.policy.load import parse_policy
from geoplan.prohibition import Prohibition, prohibitions
from geoplan.site import Site

ON = date(2026, 11, 21)
STATE = ("land-law", "state-council-2020")


def same(a: shapely.Geometry, b: shapely.Geometry) -> bool:
    """Whether two shapes share all but the dust that bringing them to the plane leaves."""
    return bool(shapely.area(shapely.symmetric_difference(a, b)) < 1e-2)


def of(policies, planning, construction=None, layers=(), towns=None, own=(), facts=None) -> dict[str, Prohibition]:
    book = PolicyBook(own)
    proposal = Proposal(
        boundary(planning), boundary(construction) if construction is not None else None, "试验小镇", facts or Facts()
    )
    site = Site(proposal, layers, towns, accuracy=0.05, anywhere=False)
    chosen = tuple(book.get(each) for each in policies)
    return {f"{p.id}/{p.kind}/{p.part}": p for p in prohibitions(chosen, site, ON, book)}


WINDOW = box(-500, -500, 2500, 2500)


def test_an_exclusion_takes_its_layer_from_construction_and_drawn_building_from_the_rest():
    field = box(100, 100, 200, 200)
    drawn = MemoryLayer(
        "planned-land-use", [box(200, 0, 500, 500)], ["0701"], covers=EVERYWHERE, generation="land-and-sea"
    )
    found = of(STATE, square(2e6), box(0, 0, 500, 500), [farmland(field), drawn])
    taken = found["land-law.basic-farmland/exclusion/construction"]
    used = found["land-law.basic-farmland/exclusion/rest"]
    assert taken.is_hard
    assert taken.unknown_forbids
    assert same(taken.ground(WINDOW).forbidden, field)
    assert same(used.ground(WINDOW).forbidden, box(200, 100, 100, 200))
    orchard = found["land-law.no-orchard-pond/exclusion/planning"]
    assert orchard.ground(WINDOW).forbidden.is_empty


def test_what_a_layer_does_not_cover_is_unknown_and_never_free():
    found = of(("land-law",), square(2e6), None, [farmland(box(0, 0, 10, 10), covers=box(0, 0, 1000, 2500))])
    ground = found["land-law.basic-farmland/exclusion/construction"].ground(box(0, 0, 2000, 2000))
    assert same(ground.unknown, box(1000, 0, 1000, 2000))


def test_zones_forbid_what_lies_outside_and_spare_existing_construction_land():
    zones = MemoryLayer(
        "urban-development-boundary",
        [box(0, 0, 500, 2000), box(500, 0, 500, 2000)],
        ["010", "020"],
        ["集中建设区", "弹性发展区"],
        covers=EVERYWHERE,
    )
    village = box(1500, 0, 100, 100)
    found = of(STATE, square(4e6), box(0, 0, 900, 900), [zones, land_use([("0702", village)])])
    ground = found["state-council-2020.urban-development-boundary/within/construction"].ground(box(0, 0, 2000, 2000))
    assert ground.forbidden.area == pytest.approx(1000 * 2000 - 100 * 100)
    assert ground.cautioned.area == pytest.approx(500 * 2000 + 100 * 100)
    assert ground.unknown.is_empty


def test_a_neighbourhood_is_a_reading_and_overlap_is_none():
    other = register(town("邻镇", square(1e6, 5000, 0)))
    found = of(("huzhou-2018",), square(3e6), towns=other)
    near = found["huzhou-2018.one-per-neighbourhood/separation/planning"]
    over = found["huzhou-2018.one-per-neighbourhood/overlap/planning"]
    assert near.by_reading
    assert near.is_hard
    assert not over.by_reading
    assert near.distance == 3000.0
    window = box(0, 0, 7000, 1000)
    assert same(over.ground(window).forbidden, square(1e6, 5000, 0))
    assert shapely.bounds(near.ground(window).forbidden)[0] == pytest.approx(X0 + 2000, abs=0.3)
    assert not found["huzhou-2018.no-piling-up/separation/planning"].is_hard


@pytest.mark.parametrize(
    ("policy", "rule", "bounds"),
    [
        ("state-council-2020", "planning-area", (1e6, 5e6, 1e6, 5e6)),
        ("nantong-2017", "planning-area", (None, 3.6e6, 2.4e6, 3.3e6)),
        ("liuzhou-2018", "construction-area", (None, 1.2e6, 0.8e6, 1.1e6)),
    ],
)
def test_areas_bound_what_fails_and_what_passes(policy, rule, bounds):
    found = of((policy,), square(3e6), square(1e6))
    its = next(p for p in found.values() if p.rule == rule).bounds
    assert its is not None
    assert (its.low, its.high, its.pass_low, its.pass_high) == bounds


def test_a_relaxed_type_has_no_upper_limit():
    found = of(("state-council-2020",), square(3e6), facts=Facts(values={"industry.types": ["tourism"]}))
    bounds = found["state-council-2020.planning-area/area/planning"].bounds
    assert bounds is not None
    assert (bounds.low, bounds.high) == (1e6, None)


def test_features_of_a_layer_forbid_a_distance():
    own = parse_policy(
        policy_text(
            '[[rules]]\nid = "river"\nkind = "proximity"\ntitle = { zh = "河", en = "River" }\nclause = "c"\n'
            'strength = "must"\nlayer = "water"\nlimits = [{ figure = "distance", min_m = 500 }]\n'
        ),
        "office.toml",
    )
    water = MemoryLayer("water", [shapely.Point(X0 + 1000, Y0 + 1000)], ["1101"], covers=EVERYWHERE)
    found = of(("office",), square(4e6), None, [water], own=(own,))
    ground = found["office.river/separation/planning"].ground(box(0, 0, 2000, 2000)).forbidden
    circle = shapely.Point(X0 + 1000, Y0 + 1000).buffer(500, quad_segs=256)
    assert shapely.covers(ground, circle)
    assert ground.area < circle.area * 1.001


def test_outside_china_the_land_law_forbids_nothing():
    place = shapely.box(510_000, 6_000_000, 511_000, 6_001_000)
    site = Site(Proposal(boundary(place, frame=FRAME)), [], None, accuracy=0.05, anywhere=True)
    assert prohibitions((PolicyBook().get("land-law"),), site, ON) == ()


@settings(max_examples=25)
@given(
    x=st.integers(0, 900),
    y=st.integers(0, 900),
    side=st.integers(5, 400),
    at=st.tuples(st.integers(0, 1300), st.integers(0, 1300)),
)
def test_ground_is_forbidden_exactly_where_the_rule_fails(x, y, side, at):
    layers = [farmland(box(x, y, 300, 200), box(900, 900, 50, 80))]
    construction = box(at[0], at[1], side, side)
    planning = box(-100, -100, 2000, 2000)
    ground = of(STATE, planning, construction, layers)
    forbidden = ground["state-council-2020.basic-farmland/exclusion/construction"].ground(WINDOW).forbidden
    fails = answers_of(checked(planning, construction, STATE, layers))["state-council-2020.basic-farmland"] == "fail"
    assert fails == (shapely.area(shapely.intersection(forbidden, construction)) >= 0.005)
