# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Area, contiguity, areas by class: firmness, readings, turns, what is not known."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HUZHOU, box, checked, farmland, finding, land_use, policy_text, square
from geoplan.facts import Facts
from geoplan.measure import survey_area
from geoplan.offsets import offset
from geoplan.policy import parse_policy
from geoplan.policy.rule import AreaReading, Limit
from geoplan.rules.bands import Scale, hold, hold_between
from geoplan.rules.turns import area_turns


def exact_square(area_m2: float) -> shapely.Polygon:
    """A square whose ellipsoidal area is ``area_m2`` to a few mm²."""
    shape = square(area_m2)
    for _ in range(4):
        shape = square(shape.area * area_m2 / survey_area(shape, HUZHOU))
    return shape


def test_a_limit_within_the_error_gives_attention_that_is_not_firm_with_both_sides() -> None:
    found = finding(checked(exact_square(3_600_000), policies=("nantong-2017",)), "nantong-2017", "planning-area")
    assert (found.verdict, found.firm, found.sides) == ("attention", False, ["attention", "fail"])
    assert found.measured is not None
    assert found.measured.error == pytest.approx(0.05 * 4 * math.sqrt(3.6e6), rel=1e-3)


def test_a_finer_accuracy_makes_the_same_boundary_firm() -> None:
    shape = exact_square(3_600_100)
    assert finding(checked(shape, policies=("nantong-2017",)), "nantong-2017", "planning-area").firm is False
    fine = finding(checked(shape, policies=("nantong-2017",), accuracy=0.001), "nantong-2017", "planning-area")
    assert (fine.verdict, fine.firm) == ("fail", True)


def test_turns_at_is_the_mitred_offset_of_a_square() -> None:
    """A square of side s needs (√A − s) / 2 on each side to reach the area A; checked on the central meridian."""
    side = 1700.0
    shape = shapely.box(500_000 - side / 2, 3_416_000, 500_000 + side / 2, 3_416_000 + side)
    found = finding(checked(shape, policies=("nantong-2017",)), "nantong-2017", "planning-area")
    turns = {t.verdict: t for t in found.turns_at}
    assert turns["attention"].shift_m == pytest.approx((math.sqrt(3.3e6) - side) / 2, abs=0.01)
    assert turns["fail"].shift_m == pytest.approx((math.sqrt(3.6e6) - side) / 2, abs=0.01)
    assert turns["fail"].area_m2 == pytest.approx(3.6e6, abs=1.0)


def test_turns_name_the_nearest_offset_for_each_other_verdict() -> None:
    shape = square(3.58e6)
    turns = {t.verdict: t for t in area_turns(shape, HUZHOU, _about(3e6))}
    assert set(turns) == {"pass", "fail"}
    assert 0 < turns["fail"].shift_m < 5
    assert turns["pass"].shift_m == pytest.approx((math.sqrt(3.3e6) - math.sqrt(3.58e6)) / 2, abs=0.05)


def _about(value: float, strength: str = "generally") -> Scale:
    return Scale((Limit.model_validate({"figure": "planning-area", "about_m2": value}),), strength)


@settings(max_examples=200)
@given(st.floats(0.1e6, 10e6), st.floats(0, 5e4))
def test_a_firm_verdict_holds_over_the_whole_error_interval(value: float, error: float) -> None:
    scale = _about(3e6)
    held = hold(scale, value, error)
    verdicts = {scale.verdict(v) for v in (value - error, value, value + error)}
    assert held.firm == (len(scale.verdicts_between(value - error, value + error)) == 1)
    if held.firm:
        assert verdicts == {held.verdict}
    else:
        assert held.verdict == "attention"


@settings(max_examples=200)
@given(st.floats(0.1e6, 10e6), st.floats(0, 5e6))
def test_what_is_not_known_is_never_a_pass_unless_every_value_passes(low: float, more: float) -> None:
    scale = _about(3e6)
    held = hold_between(scale, low, low + more, 0.0)
    if held.verdict in ("pass", "fail"):
        assert scale.verdict(low) == scale.verdict(low + more) == held.verdict


@pytest.mark.parametrize(
    ("strength", "verdict"),
    [
        ("must", "fail"),
        ("strict", "fail"),
        ("in-principle", "fail"),
        ("generally", "fail"),
        ("should", "attention"),
        ("may", "not-applicable"),
    ],
)
def test_strengths_decide_what_breaking_gives(strength: str, verdict: str) -> None:
    scale = Scale((Limit.model_validate({"figure": "x", "max_m2": 1_000.0}),), strength)
    assert scale.verdict(1_000.1) == verdict
    assert scale.verdict(1_000.0) == "pass"


def test_the_band_is_a_reading_that_one_check_may_override() -> None:
    reading = {"nantong-2017.planning-area.about_fail": 1.5}
    found = finding(
        checked(square(3.8e6), policies=("nantong-2017",), readings=reading), "nantong-2017", "planning-area"
    )
    assert found.verdict == "attention"
    assert found.reading["about_fail"] == 1.5


def test_planar_area_decides_where_an_office_asks_for_it() -> None:
    reading = {"nantong-2017.planning-area.decides": "planar"}
    shape = square(3e6)
    found = finding(checked(shape, policies=("nantong-2017",), readings=reading), "nantong-2017", "planning-area")
    assert found.measured is not None
    assert found.measured.value == pytest.approx(shape.area, abs=0.01)
    assert found.measured.method == "planar"


def test_an_undeclared_type_says_what_the_relaxed_type_would_give() -> None:
    found = finding(checked(square(5.5e6), policies=("yushui-2017",)), "yushui-2017", "planning-area")
    (note,) = [n for n in found.notes if n.id == "note.relaxed-if-type"]
    assert note.args["verdict"] == "attention"


def test_construction_land_counts_villages_inside_planning() -> None:
    planning, construction = box(0, 0, 1800, 1800), box(100, 100, 900, 1000)
    uses = land_use(
        [("0703", box(1200, 1200, 400, 400)), ("0101", box(-3000, -3000, 100, 100)), ("0301", box(2500, 0, 10, 10))],
        covers=box(-500, -500, 4000, 4000),
    )
    report = checked(planning, construction, ("liuzhou-2018",), [uses])
    proposal = report.content.proposal
    assert proposal.construction_land_m2 == pytest.approx(900 * 1000 + 160_000, rel=1e-4)
    assert proposal.existing_construction_m2 == 0
    assert proposal.new_construction_m2 == pytest.approx(900_000, rel=1e-4)
    assert finding(report, "liuzhou-2018", "construction-area").verdict == "pass"


def test_new_existing_and_approved_add_up_to_construction_as_drawn() -> None:
    construction = box(100, 100, 1000, 1000)
    uses = land_use([("0601", box(0, 0, 600, 600)), ("1207", box(600, 0, 2000, 2000))])
    approved = farmland(box(500, 500, 300, 300))
    approved = type(approved)(**{**approved.__dict__, "role": "approved-construction-land", "coded": False})
    proposal = checked(box(0, 0, 1800, 1800), construction, (), [uses, approved]).content.proposal
    assert proposal.construction is not None
    parts = (proposal.new_construction_m2, proposal.existing_construction_m2, proposal.approved_unused_m2)
    assert all(p is not None and p > 0 for p in parts)
    assert sum(p or 0 for p in parts) == pytest.approx(proposal.construction.area_m2, abs=0.02)
    assert parts[2] == pytest.approx(300 * 300 - 100 * 100, rel=1e-4)


def test_two_parts_across_a_road_are_one_piece_and_the_gap_is_named() -> None:
    shape = shapely.MultiPolygon([box(0, 0, 1000, 1800), box(1020, 0, 800, 1800)])
    found = finding(checked(shape, policies=("yushui-2017",)), "yushui-2017", "contiguity")
    assert found.verdict == "pass"
    assert [n.args["gap"] for n in found.notes if n.id == "note.gap"] == [20.0]
    assert [e.distance_m for e in found.evidence] == [20.0]


def test_two_parts_far_apart_break_contiguity() -> None:
    shape = shapely.MultiPolygon([box(0, 0, 1000, 1800), box(1100, 0, 800, 1800)])
    found = finding(checked(shape, policies=("yushui-2017",)), "yushui-2017", "contiguity")
    assert (found.verdict, found.waivable) == ("fail", False)


def test_a_gap_at_the_reading_is_not_firm() -> None:
    shape = shapely.MultiPolygon([box(0, 0, 1000, 1800), box(1030.05, 0, 800, 1800)])
    found = finding(checked(shape, policies=("yushui-2017",)), "yushui-2017", "contiguity")
    assert (found.verdict, found.firm) == ("attention", False)


def test_thirty_five_hectares_of_other_cultivated_land_ask_for_the_state_council() -> None:
    construction = box(100, 100, 1000, 1000)
    uses = land_use([("0101", box(100, 100, 400, 1000)), ("0301", box(500, 100, 600, 1000))])
    layers = [uses, farmland(box(5000, 5000, 10, 10))]
    found = finding(checked(box(0, 0, 1700, 1700), construction, (), layers), "land-law", "state-council-35ha")
    assert found.verdict == "attention"
    assert found.measured is not None
    assert found.measured.value == pytest.approx(400_000, rel=1e-4)


def test_cultivated_land_that_may_be_basic_farmland_is_not_told_without_that_layer() -> None:
    uses = land_use([("0101", box(100, 100, 400, 1000)), ("0301", box(500, 100, 600, 1000))])
    found = finding(
        checked(box(0, 0, 1700, 1700), box(100, 100, 1000, 1000), (), [uses]), "land-law", "state-council-35ha"
    )
    assert found.verdict == "not-assessed"


def test_existing_construction_land_is_not_land_to_be_taken() -> None:
    uses = land_use([("0601", box(100, 100, 500, 1000)), ("0301", box(600, 100, 500, 1000))])
    found = finding(
        checked(box(0, 0, 1700, 1700), box(100, 100, 1000, 1000), (), [uses]), "land-law", "state-council-70ha"
    )
    assert found.verdict == "pass"
    assert found.measured is not None
    assert found.measured.value == pytest.approx(500_000, rel=1e-4)


def test_offsets_are_mitred() -> None:
    assert shapely.area(offset(box(0, 0, 100, 100), 10)) == pytest.approx(120**2)
    assert shapely.area(offset(box(0, 0, 100, 100), -10)) == pytest.approx(80**2)


def test_the_reading_of_the_band_keeps_its_order() -> None:
    assert AreaReading().about_low < 1 < AreaReading().about_pass < AreaReading().about_fail
    assert Facts().types is None


LAND = """
[[rules]]
id = "land"
kind = "area"
title = { zh = "建设用地", en = "construction land" }
clause = "c"
strength = "must"
of = "construction-land"
limits = [{ figure = "construction-area", max_m2 = 1_000_000 }]
"""


@pytest.mark.parametrize(
    ("area_m2", "verdict", "firm", "sides"),
    [
        (999_900, "not-assessed", True, None),
        (1_000_100, "attention", False, ["not-assessed", "fail"]),
        (1_000_300, "fail", True, None),
    ],
)
def test_a_lower_bound_within_its_error_of_the_limit_does_not_fail_firmly(
    area_m2: float, verdict: str, firm: bool, sides: list[str] | None
) -> None:
    own = parse_policy(policy_text(LAND), "office.toml")
    found = finding(checked(square(3e6), exact_square(area_m2), ("office",), own=(own,)), "office", "land")
    assert (found.verdict, found.firm, found.sides) == (verdict, firm, sides)


def test_the_error_of_construction_land_counts_the_lines_of_the_villages_too() -> None:
    village = box(1200, 1200, 100, 100)
    use = land_use([("0702", village), ("0103", shapely.difference(box(-2000, -2000, 8000, 8000), village))])
    report = checked(box(0, 0, 1700, 1700), box(100, 100, 1000, 1000), ("liuzhou-2018",), [use])
    found = finding(report, "liuzhou-2018", "construction-area")
    assert found.measured is not None
    assert found.measured.error == pytest.approx(0.05 * (4000 + 400), rel=1e-6)


def test_where_the_planar_area_decides_it_also_says_how_far_the_next_verdict_is() -> None:
    reading = {"nantong-2017.planning-area.decides": "planar"}
    far = square(3e6, x=130_000)  # far from the meridian the planar area is larger
    found = finding(checked(far, policies=("nantong-2017",), readings=reading), "nantong-2017", "planning-area")
    fail = next(t for t in found.turns_at if t.verdict == "fail")
    assert shapely.area(offset(far, fail.shift_m)) == pytest.approx(3.6e6, rel=1e-6)
    assert fail.area_m2 == pytest.approx(3.6e6, rel=1e-6)


def test_a_gap_is_told_by_its_geodesic_length() -> None:
    east = 130_000  # 1.4° from the meridian the plane stretches 2 cm in 100 m
    both = shapely.union(box(east, 0, 1000, 1000), box(east + 1100, 0, 900, 1000))
    reading = {"yushui-2017.contiguity.gap_m": 120.0}
    found = finding(checked(both, policies=("yushui-2017",), readings=reading), "yushui-2017", "contiguity")
    assert found.verdict == "pass"
    assert found.evidence[0].distance_m == pytest.approx(99.98, abs=0.005)
