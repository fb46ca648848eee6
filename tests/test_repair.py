# mypy: disable-error-code="no-untyped-def,attr-defined,operator,arg-type,union-attr,misc"
"""Repairs: what every answer keeps to, what is left alone, and conflicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    EVERYWHERE,
    ON,
    MemoryLayer,
    boundary,
    box,
    farmland,
    land_use,
    policy_text,
    register,
    square,
    town,
)
from geoplan.boundary import Proposal
from geoplan.errors import CannotFinish, InputRefused
from geoplan.measure import polygons_of
from geoplan.policy import PolicyBook
from geoplan.policy.load import parse_policy
from geoplan.progress import Cancelled
from geoplan.prohibition import prohibitions
from geoplan.repair.answer import Answer, Repaired, failing
from geoplan.repair.bound import bounds
from geoplan.repair.problem import problem_of
from geoplan.site import Site
from random_proposals import Case, case

STATE = ("state-council-2020",)


def of(planning, construction, policies=STATE, layers=(), towns=None) -> Case:
    return Case(planning, construction, policies, tuple(layers), towns)


def over(answer: Answer, found: Repaired) -> float:
    """How many times the bound the change is."""
    assert found.bound_m2 is not None
    return answer.change.area / found.bound_m2


def shapes(answer) -> tuple[shapely.Geometry, shapely.Geometry]:
    assert answer.proposal.construction is not None
    return answer.proposal.planning.polygons, answer.proposal.construction.polygons


RIVER_M = 150.0
NEIGHBOURHOOD_M = 3000.0
"""Of 邻近 in huzhou-2018, the tool's reading."""
_RIVER = parse_policy(
    policy_text(
        '[[rules]]\nid = "river"\nkind = "proximity"\ntitle = { zh = "河", en = "River" }\nclause = "c"\n'
        'strength = "must"\nlayer = "water"\nlimits = [{ figure = "distance", min_m = 150 }]\n',
        '[clauses.c]\nat = "一"\nquote = "距河道不小于150米。"\ntrust = "A"\n',
    ),
    "office.toml",
)


def with_distances(its: Case, seed: int) -> Case:
    """The case with a river near its edge, from which an office's own policy asks a distance."""
    rng = np.random.default_rng((seed, 1))
    low_x, low_y, high_x, high_y = shapely.bounds(its.planning)
    across = low_x + rng.uniform(-0.1, 0.15) * (high_x - low_x)
    bend = across + rng.uniform(-200, 200)
    river = shapely.LineString([(across, low_y - 900), (bend, (low_y + high_y) / 2), (across, high_y + 900)])
    water = MemoryLayer("water", [river], ["1101"], covers=EVERYWHERE)
    return replace(its, policies=(*its.policies, "office"), layers=(*its.layers, water), own=(_RIVER,))


def keeps_its_distances(its: Case, answer: Answer, *, moved_for_readings: bool = False) -> None:
    """Clear of farmland and towns, and as far from river and towns as the rules ask."""
    planning, construction = shapes(answer)
    for layer in its.layers:
        ground = shapely.union_all(np.array(layer.shapes, dtype=object))
        if layer.role == "permanent-basic-farmland":
            assert shapely.area(shapely.intersection(construction, ground)) <= 0.01
            assert shapely.distance(construction, ground) >= 0.0019
        if layer.role == "water":
            assert shapely.distance(planning, ground) >= RIVER_M
    if its.towns is not None and "huzhou-2018" in its.policies:
        other = its.towns.towns[0].shape
        assert shapely.area(shapely.intersection(planning, other)) <= 0.01
        assert shapely.distance(planning, other) >= 0.0019
        if moved_for_readings or shapely.distance(its.planning, other) >= NEIGHBOURHOOD_M:
            assert shapely.distance(planning, other) >= NEIGHBOURHOOD_M


@settings(max_examples=20)
@given(seed=st.integers(0, 1_000_000), river=st.booleans())
def test_every_answer_keeps_clear_in_one_piece_and_its_repair_is_itself(seed, river):
    its = with_distances(case(seed), seed) if river else case(seed)
    found = its.repaired()
    assert found.outcome in ("unchanged", "repaired", "conflict", "no-edit", "not-found")
    for answer in found.answers:
        planning, construction = shapes(answer)
        keeps_its_distances(its, answer)
        assert shapely.get_num_geometries(planning) == 1
        assert shapely.area(shapely.difference(construction, planning)) <= 0.01
        assert set(failing(answer.report)) <= set(found.left)
        assert found.bound_m2 is not None
        assert answer.change.area >= found.bound_m2 * (1 - 1e-4) - 1.0
        assert_left_as_it_is(its, answer)


def assert_left_as_it_is(its: Case, answer: Answer, **options) -> None:
    """The repair of an answer changes nothing."""
    again = its.repaired(answer.proposal, **options)
    assert again.outcome in ("unchanged", "no-edit")
    assert again.answers == ()


@settings(max_examples=10)
@given(seed=st.integers(0, 1_000_000), bearing=st.floats(0, 6.283), apart=st.floats(2600, 3400), asked=st.booleans())
def test_every_answer_keeps_the_distance_to_a_town_that_a_reading_asks_for(seed, bearing, apart, asked):
    its = case(seed)
    middle = its.planning.representative_point()
    ray = shapely.LineString(
        [(middle.x, middle.y), (middle.x + 9000 * np.cos(bearing), middle.y + 9000 * np.sin(bearing))]
    )
    edge = shapely.get_coordinates(shapely.intersection(its.planning, ray))[-1]
    spot = edge + apart * np.array([np.cos(bearing), np.sin(bearing)])
    other = shapely.Polygon(spot + np.array([(0, 0), (300, 0), (300, 300), (0, 300)]))
    its = replace(its, policies=("huzhou-2018", "state-council-2020"), towns=register(town("邻镇", other)))
    found = its.repaired(move_for_readings=asked)
    for answer in found.answers:
        keeps_its_distances(its, answer, moved_for_readings=asked)
        assert_left_as_it_is(its, answer, move_for_readings=asked)


def test_a_compliant_proposal_is_returned_unchanged():
    found = of(square(3e6), box(100, 100, 900, 900), layers=[farmland(box(1200, 1200, 200, 200))]).repaired()
    assert found.outcome == "unchanged"
    assert found.answers == ()


def test_farmland_goes_from_construction_and_no_vertex_outside_the_edit_moves():
    field = box(900, 900, 300, 300)
    found = of(square(3e6), box(100, 100, 1000, 1000), layers=[farmland(field)]).repaired()
    assert found.outcome == "repaired"
    best = found.answers[0]
    planning, construction = shapes(best)
    assert best.kind == "shrink"
    assert best.change.total("planning", "removed") == 0
    assert best.change.total("construction", "removed") == pytest.approx(40_000, rel=1e-3)
    assert over(best, found) < 1.001
    assert shapely.area(shapely.symmetric_difference(planning, square(3e6))) < 1e-3
    corners = {(round(x, 6), round(y, 6)) for x, y in shapely.get_coordinates(construction).tolist()}
    drawn = {(round(x, 6), round(y, 6)) for x, y in shapely.get_coordinates(box(100, 100, 1000, 1000)).tolist()}
    assert len(drawn - corners) == 1


def test_areas_come_into_their_limits_at_the_worst_land_first():
    patches = [
        ("0101" if y < 700 else "0301", box(x, y, 250, 250))
        for x in range(-250, 2500, 250)
        for y in range(-250, 2750, 250)
    ]
    found = of(box(0, 0, 2400, 2300), box(600, 1200, 900, 900), layers=[land_use(patches)]).repaired()
    best = found.answers[0]
    planning, _ = shapes(best)
    assert 4.99e6 < shapely.area(planning) < 5e6
    assert over(best, found) < 1.01
    gone = next(g for g in best.change.grounds if g.part == "planning" and g.did == "removed")
    assert shapely.area(shapely.intersection(gone.shape, box(0, 0, 2400, 750))) > 0.99 * gone.area
    removed = {row.code: row.before - row.after for row in best.change.balance if row.part == "planning"}
    assert removed["0101"] == pytest.approx(gone.area, rel=0.02)


def test_an_area_that_is_too_small_grows_where_land_allows():
    found = of(box(0, 0, 900, 1000), box(100, 100, 500, 500), layers=[farmland(box(900, -500, 400, 2500))]).repaired()
    best = found.answers[0]
    planning, _ = shapes(best)
    assert best.kind == "extend"
    assert 1e6 < shapely.area(planning) < 1.001e6
    assert shapely.distance(planning, box(900, -500, 400, 2500)) >= 0


def test_construction_that_loses_ground_may_get_it_back_elsewhere():
    found = of(square(3e6), box(100, 100, 800, 800), layers=[farmland(box(0, 0, 1000, 500))]).repaired()
    kinds = {answer.kind: answer for answer in found.answers}
    assert {"shrink", "shift"} <= set(kinds)
    assert found.answers[0].kind == "shrink"
    shifted = kinds["shift"].proposal.construction
    assert shifted is not None
    assert shifted.polygons.area == pytest.approx(640_000, rel=0.01)


def test_a_strip_across_is_bridged_or_the_part_behind_it_is_split_off():
    uses = MemoryLayer("planned-land-use", [EVERYWHERE], ["0701"], covers=EVERYWHERE, generation="land-and-sea")
    field = box(-100, 1200, 1700, 30)
    found = of(box(0, 0, 1500, 1500), box(200, 200, 600, 600), layers=[farmland(field), uses]).repaired()
    kinds = {answer.kind for answer in found.answers}
    assert found.answers[0].kind == "extend"
    assert "split-off" in kinds
    for answer in found.answers:
        assert len(answer.proposal.planning.polygons.geoms) == 1


def test_a_neighbourhood_by_reading_moves_nothing_unless_asked():
    its = of(
        box(0, 0, 1600, 1600),
        box(100, 100, 800, 800),
        ("huzhou-2018",),
        (),
        register(town("邻镇", box(4500, 0, 900, 900))),
    )
    found = its.repaired()
    assert found.outcome == "no-edit"
    assert found.left == ("huzhou-2018.one-per-neighbourhood",)
    moved = its.repaired(move_for_readings=True)
    assert moved.outcome == "repaired"
    planning, _ = shapes(moved.answers[0])
    assert shapely.distance(planning, box(4500, 0, 900, 900)) > 3000
    assert over(moved.answers[0], moved) < 1.1


def test_an_overlapped_town_is_left_whatever_the_reading():
    other = box(1400, 0, 900, 900)
    found = of(
        box(0, 0, 1600, 1600), box(100, 100, 800, 800), ("huzhou-2018",), (), register(town("邻镇", other))
    ).repaired()
    assert found.outcome == "repaired"
    planning, _ = shapes(found.answers[0])
    assert 0.0019 <= shapely.distance(planning, other) < 0.02
    assert found.left == ("huzhou-2018.one-per-neighbourhood",)


def test_rules_that_cannot_hold_together_are_named_and_each_of_them_is_needed():
    its = of(
        square(0.5e6),
        box(50, 50, 300, 300),
        layers=[
            farmland(
                box(-3000, -3000, 3010, 8000),
                box(690, -3000, 3000, 8000),
                box(-3000, 690, 9000, 3000),
                box(-3000, -3000, 9000, 3010),
            ),
            MemoryLayer("planned-land-use", [EVERYWHERE], ["0701"], covers=EVERYWHERE, generation="land-and-sea"),
        ],
    )
    found = its.repaired()
    assert found.outcome == "conflict"
    assert found.answers == ()
    assert "state-council-2020.planning-area" in found.conflict
    assert len(found.conflict) == 2
    site = Site(its.proposal, its.layers, None, accuracy=0.05, anywhere=False)
    book = PolicyBook()
    rules = prohibitions(book.chosen(STATE), site, ON, book)
    assert site.construction is not None
    problem = problem_of(
        site, polygons_of(site.planning), polygons_of(site.construction), rules, move_for_readings=False
    )
    named = [p for p in problem.rules if p.id in found.conflict]
    assert bounds(problem, named) == ()
    for left_out in found.conflict:
        assert bounds(problem, [p for p in named if p.id != left_out])


def test_construction_and_existing_land_give_up_together_what_neither_has_alone():
    patches = [("0702", box(0, 0, 1900, 640)), ("0103", box(0, 640, 1900, 1160))]
    its = of(box(0, 0, 1900, 1800), box(0, 140, 1900, 820), ("liuzhou-2018",), [land_use(patches)])
    found = its.repaired()
    assert found.outcome == "repaired"
    best = found.answers[0]
    assert best.change.total("construction", "removed") > 0.5e6
    assert best.change.total("planning", "removed") > 0.05e6
    assert over(best, found) < 1.05


def test_planning_that_is_too_large_leaves_out_existing_land_that_counts_with_construction():
    patches = [("0702", box(0, 0, 300, 2000)), ("0103", box(300, 0, 1700, 2000))]
    its = of(box(0, 0, 2000, 2000), box(1000, 500, 900, 1000), ("liuzhou-2018",), [land_use(patches)])
    found = its.repaired()
    best = found.answers[0]
    assert best.change.total("construction", "removed") == 0
    assert best.change.total("planning", "removed") == pytest.approx(400_000, rel=0.01)
    assert over(best, found) < 1.01


@pytest.mark.parametrize(("known", "outcome"), [(600, "repaired"), (420, "conflict")])
def test_construction_grows_onto_known_ground_alone(known, outcome):
    seen = box(-100, -100, 100 + known, 1200)
    uses = land_use([("0103", box(-500, -500, 3000, 2000))])
    fields = farmland(box(-90, -90, 10, 10), covers=seen)
    found = of(box(0, 0, 2000, 1000), box(0, 0, 400, 400), ("national-2021",), [uses, fields]).repaired()
    assert found.outcome == outcome
    for answer in found.answers:
        _, construction = shapes(answer)
        assert shapely.covers(seen, construction)
        assert shapely.area(construction) >= 0.5e6
    if outcome == "conflict":
        assert set(found.conflict) == {"land-law.basic-farmland", "national-2021.construction-land"}


def test_an_empty_boundary_is_refused_in_words():
    apart = shapely.intersection(box(0, 0, 100, 100), box(500, 0, 100, 100))
    with pytest.raises(InputRefused, match=r"boundary\.shp: the boundary is empty: it holds no area"):
        of(square(3e6), apart).repaired()
    with pytest.raises(InputRefused, match="it holds no area"):
        boundary(shapely.Polygon())


def test_work_that_is_cancelled_stops():
    its = of(square(6e6), box(100, 100, 800, 800))

    def stop(stage, done, total):
        raise Cancelled

    with pytest.raises(CannotFinish, match="stopped as asked"):
        its.repaired(progress=stop)


def test_without_construction_planning_itself_is_mended():
    field = box(500, 500, 200, 200)
    layers = (farmland(field),)
    its = Case(square(3e6), square(1e6), STATE, layers, None)
    found: Repaired = its.repaired(Proposal(boundary(square(3e6)), None, "试验小镇"))
    assert found.outcome == "repaired"
    assert found.answers[0].change.holes == 1
    assert found.answers[0].proposal.construction is None
