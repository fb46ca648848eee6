# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Within and minimise: zones, stand-ins, stock and new land, classes gross and net, rules that want more."""

from __future__ import annotations

import pytest
import shapely

from builders import EVERYWHERE, MemoryLayer, box, checked, farmland, finding, land_use

PLANNING, CONSTRUCTION = box(0, 0, 1700, 1700), box(100, 100, 1000, 1000)


def zones(pairs: list[tuple[str, shapely.Geometry]], covers: shapely.Geometry | None = None) -> MemoryLayer:
    return MemoryLayer(
        "construction-control-zones", [s for _, s in pairs], [c for c, _ in pairs], covers=covers, generation=None
    )


def urban(pairs: list[tuple[str, shapely.Geometry]], covers: shapely.Geometry | None = EVERYWHERE) -> MemoryLayer:
    return MemoryLayer(
        "urban-development-boundary", [s for _, s in pairs], ["" for _ in pairs], [n for n, _ in pairs], covers=covers
    )


def land_plan(layer: MemoryLayer, construction: shapely.Geometry | None = CONSTRUCTION):
    return finding(checked(PLANNING, construction, ("yushui-2017",), [layer]), "yushui-2017", "land-use-plan")


def test_construction_wholly_in_allowed_patches_passes_without_a_declared_coverage() -> None:
    assert land_plan(zones([("010", box(0, 0, 1200, 1200))])).verdict == "pass"


def test_a_sub_code_goes_with_its_parent() -> None:
    assert land_plan(zones([("011", box(0, 0, 1200, 1200))])).verdict == "pass"
    assert land_plan(zones([("021", box(0, 0, 1200, 1200))])).verdict == "attention"
    assert land_plan(zones([("048", box(0, 0, 1200, 1200))])).verdict == "fail"


def test_conditional_zones_ask_for_attention_and_restricted_ones_fail() -> None:
    soft = land_plan(zones([("010", box(0, 0, 900, 1200)), ("020", box(900, 0, 900, 1200))]))
    assert soft.verdict == "attention"
    hard = land_plan(zones([("010", box(0, 0, 900, 1200)), ("030", box(900, 0, 900, 1200))]))
    assert hard.verdict == "fail"
    assert hard.measured is not None
    assert hard.measured.value == pytest.approx(200 * 1000, rel=1e-3)
    assert {row["zone"]: row["verdict"] for row in hard.balance} == {"010": "pass", "030": "fail"}


def test_ground_outside_all_zones_is_not_known() -> None:
    found = land_plan(zones([("010", box(0, 0, 900, 1200))]))
    assert found.verdict == "not-assessed"
    assert found.coverage["construction"] == pytest.approx(0.8, abs=1e-4)


def test_without_construction_within_passes_only_when_all_of_planning_does() -> None:
    assert land_plan(zones([("010", box(-10, -10, 1800, 1800))]), None).verdict == "pass"
    assert land_plan(zones([("010", box(0, 0, 1200, 1200))]), None).verdict == "not-assessed"


def test_the_newer_urban_boundary_may_stand_in_and_says_so() -> None:
    layer = urban([("城镇集中建设区", box(0, 0, 1200, 1200))])
    found = finding(checked(PLANNING, CONSTRUCTION, ("jiaxing-2016",), [layer]), "jiaxing-2016", "urban-boundary")
    assert found.verdict == "pass"
    assert "note.stand-in" in {n.id for n in found.notes}


def state_council(layers: list[MemoryLayer]):
    return finding(
        checked(PLANNING, CONSTRUCTION, ("state-council-2020",), layers),
        "state-council-2020",
        "urban-development-boundary",
    )


def test_new_construction_outside_the_urban_boundary_fails_and_may_be_waived() -> None:
    layers = [urban([("城镇集中建设区", box(0, 0, 900, 1200))]), land_use([("0301", EVERYWHERE)])]
    found = state_council(layers)
    assert (found.verdict, found.waivable) == ("fail", True)


def test_existing_construction_outside_asks_for_attention() -> None:
    layers = [
        urban([("城镇集中建设区", box(0, 0, 900, 1200))]),
        land_use([("0703", box(800, 0, 900, 1700)), ("0301", box(-500, -500, 1300, 3000))]),
    ]
    found = state_council(layers)
    assert found.verdict == "attention"


def test_without_land_use_it_is_not_told_whether_what_lies_outside_is_new() -> None:
    assert state_council([urban([("城镇集中建设区", box(0, 0, 900, 1200))])]).verdict == "not-assessed"
    assert state_council([urban([("城镇集中建设区", box(0, 0, 1200, 1200))])]).verdict == "pass"


def test_elastic_zones_ask_for_attention_only_where_land_is_new() -> None:
    elastic = urban([("城镇集中建设区", box(0, 0, 900, 1200)), ("城镇弹性发展区", box(900, 0, 400, 1200))])
    assert state_council([elastic, land_use([("0301", EVERYWHERE)])]).verdict == "attention"
    assert (
        state_council(
            [elastic, land_use([("0703", box(850, 0, 900, 1700)), ("0301", box(-500, -500, 1350, 3000))])]
        ).verdict
        == "pass"
    )


def test_slivers_outside_are_not_firm() -> None:
    found = state_council([urban([("城镇集中建设区", box(0, 0, 1099.97, 1200))]), land_use([("0301", EVERYWHERE)])])
    assert (found.verdict, found.firm, found.sides) == ("attention", False, ["pass", "fail"])


def cultivated(layers: list[MemoryLayer], construction: shapely.Geometry | None = CONSTRUCTION):
    return finding(checked(PLANNING, construction, ("liuzhou-2018",), layers), "liuzhou-2018", "cultivated-land")


def test_cultivated_land_is_listed_by_class_gross_and_net_paddy_apart() -> None:
    uses = land_use(
        [("0101", box(200, 200, 100, 100)), ("0103", box(400, 400, 100, 100)), ("0301", box(600, 600, 100, 100))],
        ridges=[0.0, 0.12, 0.0],
    )
    found = cultivated([uses])
    assert found.verdict == "attention"
    rows = {row["class"]: row for row in found.balance}
    assert rows["0101"]["worst"]
    assert not rows["0103"]["worst"]
    assert rows["0103"]["net_area_m2"] == pytest.approx(rows["0103"]["area_m2"] * 0.88, abs=0.01)
    assert found.measured is not None
    assert found.measured.value == pytest.approx(20_000, rel=1e-4)


def test_land_that_can_be_turned_back_is_no_cultivated_land() -> None:
    assert cultivated([land_use([("0201K", box(200, 200, 100, 100))])]).verdict == "pass"


@pytest.mark.parametrize(
    ("generation", "code", "verdict"),
    [
        ("third-survey", "0103", "attention"),
        ("second-survey", "013", "attention"),
        ("second-survey", "113", "pass"),
        ("land-use-plan", "113", "attention"),
    ],
)
def test_a_code_counts_by_its_generation(generation: str, code: str, verdict: str) -> None:
    assert cultivated([land_use([(code, box(200, 200, 100, 100))], generation=generation)]).verdict == verdict


def test_minimise_never_fails_and_never_passes_for_want_of_data() -> None:
    assert cultivated([]).verdict == "not-assessed"
    uncovered = land_use([("0301", box(0, 0, 500, 500))], covers=box(0, 0, 500, 500))
    assert cultivated([uncovered]).verdict == "not-assessed"
    assumed = land_use([("0301", box(-100, -100, 3000, 3000))], covers=None)
    assert cultivated([assumed]).verdict == "attention"


def unused(layers: list[MemoryLayer]):
    return finding(checked(PLANNING, CONSTRUCTION, ("liuzhou-2018",), layers), "liuzhou-2018", "unused-land")


def test_a_rule_that_wants_waste_land_used_is_turned_round() -> None:
    assert unused([land_use([("1206", box(200, 200, 100, 100))])]).verdict == "pass"
    assert unused([land_use([("1106", box(200, 200, 100, 100))])]).verdict == "attention"
    assert unused([land_use([("0101", box(200, 200, 100, 100))])]).verdict == "attention"
    assert unused([land_use([("1101", box(200, 200, 100, 100))])]).verdict == "attention"


@pytest.mark.parametrize("code", ["", "101", "9999"])
def test_ground_whose_class_is_not_known_is_no_proof_of_absence(code: str) -> None:
    half = [("0601", box(600, -100, 2000, 2000)), (code, box(-100, -100, 700, 2000))]
    report = checked(PLANNING, CONSTRUCTION, ("common",), [land_use(half)])
    taken = finding(report, "common", "cultivated-land")
    assert (taken.verdict, taken.coverage) == ("not-assessed", {"construction": 0.4999})
    (note,) = [n for n in taken.notes if n.id == "note.class-unknown"]
    assert note.args["codes"] == [code or "—"]
    assert finding(report, "land-law", "state-council-35ha").verdict == "not-assessed"
    assert report.content.proposal.new_construction_m2 is None
    assert report.content.proposal.existing_construction_m2 is None


def test_a_planned_use_without_a_known_class_is_as_good_as_none_drawn() -> None:
    farm, nameless = farmland(box(1300, 1300, 50, 50)), [("", box(0, 0, 1700, 1700))]
    uses = MemoryLayer("planned-land-use", [s for _, s in nameless], [""], covers=EVERYWHERE, generation="land-and-sea")
    report = checked(PLANNING, CONSTRUCTION, (), [farm, uses])
    assert finding(report, "land-law", "basic-farmland").verdict == "attention"
    assert finding(report, "land-law", "no-orchard-pond").verdict == "not-assessed"


def test_a_patch_without_a_zone_is_not_taken_as_forbidden() -> None:
    found = land_plan(zones([("010", box(0, 0, 700, 1700)), ("", box(700, 0, 1000, 1700))]))
    assert (found.verdict, found.coverage) == ("not-assessed", {"construction": 0.6})


def test_a_zone_code_kept_as_a_number_has_lost_its_leading_zero() -> None:
    assert land_plan(zones([("10", box(0, 0, 1200, 1200))])).verdict == "pass"
    assert land_plan(zones([("21", box(0, 0, 1200, 1200))])).verdict == "attention"


def test_two_rules_that_mean_different_ground_outside_a_layer_each_show_their_own() -> None:
    layers = [
        urban([("集中建设区", box(0, 0, 500, 1700))]),
        land_use([("0601", box(0, 0, 1700, 900)), ("0103", box(0, 900, 1700, 800))]),
    ]
    report = checked(PLANNING, CONSTRUCTION, ("state-council-2020", "jiaxing-2016"), layers)
    shapes = {each.id: each.shape for each in report.evidence}
    for policy, rule in (("state-council-2020", "urban-development-boundary"), ("jiaxing-2016", "urban-boundary")):
        for each in finding(report, policy, rule).evidence:
            assert each.area_m2 == pytest.approx(shapely.area(shapes[each.id]), rel=1e-4), each.id


def test_redevelopment_needs_the_layer_of_inefficient_land() -> None:
    report = checked(PLANNING, CONSTRUCTION, ("jiaxing-2016",), [farmland(box(5000, 0, 9, 9))])
    assert finding(report, "jiaxing-2016", "redevelopment").verdict == "not-assessed"
    stock = MemoryLayer("inefficient-land", [box(300, 300, 200, 200)], covers=EVERYWHERE, coded=False)
    assert (
        finding(checked(PLANNING, CONSTRUCTION, ("jiaxing-2016",), [stock]), "jiaxing-2016", "redevelopment").verdict
        == "pass"
    )
