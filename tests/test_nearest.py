# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Distances to other towns and to features of any layer."""

from __future__ import annotations

import pytest
import shapely

from builders import EVERYWHERE, MemoryLayer, box, checked, finding, policy_text, register, town
from geoplan.facts import Facts
from geoplan.policy import parse_policy

PLANNING = box(0, 0, 1700, 1700)
RULE = ("huzhou-2018", "one-per-neighbourhood")


def near(*towns, **more):
    return finding(checked(PLANNING, None, ("huzhou-2018",), towns=register(*towns), **more), *RULE)


def test_a_town_within_three_kilometres_fails_and_may_be_waived() -> None:
    found = near(town("近镇", box(3700, 0, 1000, 1000)), town("远镇", box(9000, 0, 1000, 1000)))
    assert (found.verdict, found.waivable) == ("fail", True)
    assert found.measured is not None
    assert found.measured.value == pytest.approx(2000, abs=0.05)
    assert found.evidence[0].patch == "近镇"
    assert found.reading == {"near_m": 3000.0}
    assert found.change is not None
    assert found.change.args["by"] == pytest.approx(1000, abs=0.05)


def test_the_distance_is_a_reading_that_may_be_overridden() -> None:
    towns = register(town("近镇", box(3700, 0, 1000, 1000)))
    report = checked(
        PLANNING, None, ("huzhou-2018",), towns=towns, readings={"huzhou-2018.one-per-neighbourhood.near_m": 1500.0}
    )
    assert finding(report, *RULE).verdict == "pass"
    assert finding(report, "huzhou-2018", "no-piling-up").verdict == "attention"


def test_eliminated_towns_do_not_count_and_are_named() -> None:
    found = near(town("旧镇", box(2000, 0, 500, 500), stage="eliminated"))
    assert found.verdict == "pass"
    assert "warning.town-not-live" in {n.id for n in found.notes}


def test_the_proposal_itself_is_left_out_by_id_by_name_or_by_cover() -> None:
    own = town("别名", box(0, 0, 1700, 1700), id="t1")
    assert near(own, facts=Facts(id="t1")).verdict == "pass"
    assert near(town("试验小镇", box(1000, 0, 100, 100))).verdict == "pass"
    covering = near(town("旧版", box(-100, -100, 1500, 2000)))
    assert covering.verdict == "pass"
    assert "warning.town-is-proposal-cover" in {n.id for n in covering.notes}


def test_another_town_that_overlaps_is_at_zero_metres_with_its_area() -> None:
    found = near(town("叠镇", box(1600, 0, 1000, 1000)))
    assert found.verdict == "fail"
    assert found.measured is not None
    assert found.measured.value == 0
    assert found.evidence[0].area_m2 == pytest.approx(100 * 1000, rel=1e-3)


def test_a_distance_within_the_error_of_the_reading_is_not_firm() -> None:
    found = near(town("界镇", box(4700.03, 0, 500, 500)))
    assert (found.verdict, found.firm) == ("attention", False)
    assert found.measured is not None
    assert found.measured.error == pytest.approx(0.1)


def test_turns_say_how_far_the_boundary_may_grow() -> None:
    found = near(town("远镇", box(4740, 0, 500, 1700)))
    turns = {t.verdict: t.shift_m for t in found.turns_at}
    assert turns["fail"] == pytest.approx(40, abs=0.05)


def test_a_point_will_do_for_a_town() -> None:
    found = near(town("点镇", shapely.Point(*box(2700, 0, 1, 1).exterior.coords[2])))
    assert found.verdict == "fail"
    assert found.message.args["is_point"] is True


def test_without_towns_it_is_not_assessed_and_without_others_it_passes() -> None:
    assert finding(checked(PLANNING, None, ("huzhou-2018",)), *RULE).verdict == "not-assessed"
    assert near().verdict == "pass"


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
id = "road"
kind = "proximity"
title = { zh = "近路", en = "near a road" }
clause = "c"
strength = "should"
layer = "roads"
limits = [{ figure = "distance", max_m = 500 }]
"""
    ),
    "office.toml",
)


def office(rule: str, *layers: MemoryLayer):
    return finding(checked(PLANNING, None, ("office",), list(layers), own=(OFFICE,)), "office", rule)


def water(shape: shapely.Geometry, covers: shapely.Geometry | None = EVERYWHERE) -> MemoryLayer:
    return MemoryLayer("water", [shape], covers=covers, coded=False)


def test_an_offices_own_rule_asks_for_a_distance() -> None:
    assert office("river", water(box(2100, 0, 50, 1700))).verdict == "fail"
    assert office("river", water(box(2300, 0, 50, 1700))).verdict == "pass"
    assert office("river").verdict == "not-assessed"


def test_the_ground_that_a_distance_needs_must_be_known() -> None:
    assert office("river", water(box(2600, 0, 50, 50), covers=box(-50, -50, 1800, 1800))).verdict == "not-assessed"
    assert office("river", water(box(2300, -600, 50, 2900), covers=None)).verdict == "not-assessed"
    wide = MemoryLayer("water", [box(-900, -900, 5, 5), box(2600, 2600, 5, 5)], covers=None, coded=False)
    assert office("river", wide).verdict == "attention"


def test_lines_serve_for_roads_and_nearness_is_proved_by_presence() -> None:
    road = MemoryLayer(
        "roads",
        [
            shapely.LineString(
                [
                    (box(1900, 0, 1, 1).bounds[0], box(0, -500, 1, 1).bounds[1]),
                    (box(1900, 0, 1, 1).bounds[0], box(0, 2000, 1, 1).bounds[1]),
                ]
            )
        ],
        covers=None,
        coded=False,
    )
    assert office("road", road).verdict == "pass"
    far = MemoryLayer("roads", [box(4000, 0, 10, 10)], covers=EVERYWHERE, coded=False)
    assert office("road", far).verdict == "attention"


def road(x: float, covers: shapely.Geometry | None = EVERYWHERE) -> MemoryLayer:
    return MemoryLayer("roads", [box(x, 0, 10, 1700)], covers=covers, coded=False)


def test_a_road_just_past_the_distance_is_within_the_error_too() -> None:
    found = office("road", road(1700 + 500.05))
    assert (found.verdict, found.firm, found.sides) == ("attention", False, ["pass", "attention"])
    assert (office("road", road(1700 + 500.2)).verdict, office("road", road(1700 + 499.8)).verdict) == (
        "attention",
        "pass",
    )


def test_a_nearer_road_may_lie_on_ground_that_is_not_known() -> None:
    unknown_beyond_300_m = road(1700 + 650, covers=box(-600, -600, 2600, 2900))
    assert office("road", unknown_beyond_300_m).verdict == "not-assessed"
    known_by_itself = road(1700 + 400, covers=box(-600, -600, 2600, 2900))
    assert office("road", known_by_itself).verdict == "pass"
