# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Farmland and other exclusions: construction, the rest of planning, drawn uses, coverage, slivers, turns."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import EVERYWHERE, FRAME, HUZHOU, MemoryLayer, answers_of, box, checked, farmland, finding, land_use
from geoplan.crs import recognise
from geoplan.errors import InputRefused
from geoplan.facts import parse_facts
from geoplan.landuse import Generation
from geoplan.plane import Plane

PLANNING, CONSTRUCTION = box(0, 0, 1700, 1700), box(100, 100, 1000, 1000)
LAW, FARM = "land-law", "basic-farmland"


def planned(pairs: list[tuple[str, shapely.Geometry]], generation: Generation = "land-and-sea") -> MemoryLayer:
    return MemoryLayer(
        "planned-land-use", [s for _, s in pairs], [c for c, _ in pairs], covers=EVERYWHERE, generation=generation
    )


def test_farmland_under_construction_fails_and_lists_every_patch_gross_and_net() -> None:
    layer = farmland(box(200, 200, 100, 50), box(1050, 500, 100, 100), box(1300, 1300, 50, 50), ridges=[0.1, 0.0, 0.0])
    found = finding(checked(PLANNING, CONSTRUCTION, (), [layer]), LAW, FARM)
    assert (found.verdict, found.firm, found.waivable) == ("fail", True, False)
    assert found.measured is not None
    assert found.measured.value == pytest.approx(5000 + 50 * 100, rel=1e-4)
    assert found.measured.elsewhere == pytest.approx(50 * 100 + 2500, rel=1e-4)
    by_part = {(e.patch, e.part): e for e in found.evidence}
    assert set(by_part) == {
        ("P000", "construction"),
        ("P001", "construction"),
        ("P001", "planning"),
        ("P002", "planning"),
    }
    first = by_part["P000", "construction"]
    assert first.net_area_m2 == pytest.approx((first.area_m2 or 0) * 0.9, abs=0.01)
    assert first.share == pytest.approx(5000 / 1e6, rel=1e-4)
    assert found.change is not None
    assert found.change.args["count"] == 2


def test_farmland_in_the_rest_of_planning_is_to_stay_farmland() -> None:
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50))]), LAW, FARM)
    assert found.verdict == "attention"
    assert found.message.id == "finding.exclusion.rest-farm"
    assert found.measured is not None
    assert found.measured.value == 0
    assert found.measured.elsewhere == pytest.approx(2500, rel=1e-4)


def test_farmland_in_the_rest_under_a_drawn_use_that_is_not_farming_fails() -> None:
    uses = planned([("0701", box(1290, 1290, 30, 100)), ("0101", box(1320, 1290, 100, 100))])
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50)), uses]), LAW, FARM)
    assert found.verdict == "fail"
    (evidence,) = found.evidence
    assert [(u["class"], u["area_m2"]) for u in evidence.uses] == [("0701", pytest.approx(20 * 50, rel=1e-3))]


def test_farmland_in_the_rest_that_stays_farmed_asks_for_attention() -> None:
    uses = planned([("0101", box(1200, 1200, 300, 300))])
    assert (
        finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50)), uses]), LAW, FARM).verdict
        == "attention"
    )


def test_without_a_construction_boundary_planning_is_judged_in_its_place_and_said_so() -> None:
    found = finding(checked(PLANNING, None, (), [farmland(box(1300, 1300, 50, 50))]), LAW, FARM)
    assert found.verdict == "fail"
    assert "note.planning-in-place" in {n.id for n in found.notes}
    assert found.measured is not None
    assert found.measured.elsewhere is None
    assert [e.part for e in found.evidence] == ["planning"]


def test_no_farmland_and_a_declared_coverage_pass() -> None:
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(3000, 0, 50, 50))]), LAW, FARM)
    assert (found.verdict, found.coverage) == ("pass", {"construction": 1.0, "planning": 1.0})


def test_a_missing_layer_is_never_a_pass() -> None:
    report = checked(PLANNING, CONSTRUCTION)
    assert finding(report, LAW, FARM).verdict == "not-assessed"
    assert report.exit_status == 3


def test_an_undeclared_coverage_gives_attention_not_pass() -> None:
    around = [box(-500, -500, 10, 10), box(2500, 2500, 10, 10)]
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(*around, covers=None)]), LAW, FARM)
    assert found.verdict == "attention"
    assert found.message.id == "finding.exclusion.none-assumed"


def test_a_layer_that_covers_62_percent_says_so() -> None:
    layer = farmland(box(-300, 0, 50, 50), covers=box(-1000, -100, 1000 + 0.62 * 1700, 2000))
    found = finding(checked(PLANNING, CONSTRUCTION, (), [layer]), LAW, FARM)
    assert found.verdict == "not-assessed"
    assert found.coverage["planning"] == pytest.approx(0.62, abs=1e-4)
    assert "62 %" in found.says["en"]
    assert "62 %" in found.says["zh"]


def test_a_partly_covering_layer_fails_where_its_covered_part_fails() -> None:
    layer = farmland(box(200, 200, 100, 100), covers=box(-100, -100, 1000, 2000))
    assert finding(checked(PLANNING, CONSTRUCTION, (), [layer]), LAW, FARM).verdict == "fail"


def test_uncovered_slivers_do_not_count() -> None:
    layer = farmland(box(3000, 0, 50, 50), covers=box(-100, -100, 1799.95, 5000))
    found = finding(checked(PLANNING, CONSTRUCTION, (), [layer]), LAW, FARM)
    assert (found.verdict, found.coverage["planning"]) == ("pass", 1.0)


def test_contact_is_not_overlap() -> None:
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1700, 0, 500, 1700))]), LAW, FARM)
    assert found.verdict == "pass"
    assert found.evidence == []


def test_slivers_alone_are_attention_listed_apart_and_counted() -> None:
    layer = farmland(box(1099.97, 100, 500, 1000), covers=EVERYWHERE)
    report = checked(box(0, 0, 1110, 1700), CONSTRUCTION, (), [layer])
    found = finding(report, LAW, FARM)
    sliver = next(e for e in found.evidence if e.part == "construction")
    assert sliver.sliver
    assert found.measured is not None
    assert found.measured.value == pytest.approx(30, rel=0.01)
    only = finding(
        checked(box(0, 0, 1700, 1700), box(100, 100, 1000, 1000), (), [farmland(box(1699.97, 0, 500, 1700))]), LAW, FARM
    )
    assert (only.verdict, only.firm, only.sides) == ("attention", False, ["pass", "attention"])


def test_slivers_under_construction_alone_give_both_sides() -> None:
    """Planning and construction share an edge that farmland touches within the freedom of the lines."""
    found = finding(
        checked(box(0, 0, 1100, 1700), box(100, 100, 1000, 1000), (), [farmland(box(1099.97, 100, 500, 1000))]),
        LAW,
        FARM,
    )
    assert (found.verdict, found.firm, found.sides) == ("attention", False, ["pass", "fail"])


def test_orchards_planned_on_farmland_fail_and_no_farmland_passes_at_once() -> None:
    orchard = planned([("0201", box(1250, 1250, 200, 200))])
    hit = finding(
        checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50)), orchard]), LAW, "no-orchard-pond"
    )
    assert hit.verdict == "fail"
    free = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(3000, 0, 5, 5))]), LAW, "no-orchard-pond")
    assert free.verdict == "pass"
    unknown = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50))]), LAW, "no-orchard-pond")
    assert unknown.verdict == "not-assessed"


def test_a_code_means_different_land_in_another_generation_and_is_asked_for() -> None:
    uses = planned([("113", box(1290, 1290, 100, 100))], generation="land-use-plan")
    assert (
        finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50)), uses]), LAW, FARM).verdict
        == "attention"
    )
    undecided = MemoryLayer(
        "planned-land-use", [box(1290, 1290, 100, 100)], ["113"], covers=EVERYWHERE, generation=None
    )
    with pytest.raises(InputRefused, match="which standard the codes of .* belong to cannot be told"):
        checked(PLANNING, CONSTRUCTION, (), [farmland(box(1300, 1300, 50, 50)), undecided])


def test_a_land_use_layer_without_class_is_refused() -> None:
    bare = MemoryLayer("land-use", [box(0, 0, 10, 10)], covers=EVERYWHERE, coded=False)
    with pytest.raises(InputRefused, match="no class or zone field"):
        checked(PLANNING, CONSTRUCTION, (), [bare])


def test_an_exception_shows_but_the_verdict_of_the_redline_stays() -> None:
    facts = parse_facts(
        {"answers": {"land-law.ecological-redline": {"verdict": "exception", "by": "省厅", "on": __import__("datetime").date(2026, 1, 5), "reason": "有限人为活动", "number": "自然资函1号"}}},
        "facts.toml",
    )  # fmt: skip
    redline = MemoryLayer("ecological-redline", [box(200, 200, 50, 50)], covers=EVERYWHERE, coded=False)
    found = finding(checked(PLANNING, CONSTRUCTION, (), [redline], facts=facts), LAW, "ecological-redline")
    assert found.verdict == "fail"
    assert found.exception is not None
    assert found.exception["number"] == "自然资函1号"


def test_basic_farmland_admits_no_exception() -> None:
    facts = parse_facts(
        {"answers": {"land-law.basic-farmland": {"verdict": "exception", "by": "某人", "on": __import__("datetime").date(2026, 1, 5), "reason": "重点项目"}}},
        "facts.toml",
    )  # fmt: skip
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(200, 200, 50, 50))], facts=facts), LAW, FARM)
    assert (found.verdict, found.exception) == ("fail", None)
    assert "note.exception-not-possible" in {n.id for n in found.notes}


def test_turns_say_how_far_the_farmland_is() -> None:
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1140, 400, 100, 100))]), LAW, FARM)
    assert found.verdict == "attention"
    turns = {t.verdict: t.shift_m for t in found.turns_at}
    assert turns["fail"] == pytest.approx(40, abs=0.01)
    hit = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(1070, 400, 100, 100))]), LAW, FARM)
    assert {t.verdict: t.shift_m for t in hit.turns_at}["attention"] == pytest.approx(-30, abs=0.01)


def test_one_overlay_serves_every_clause_of_every_paper() -> None:
    layer = farmland(box(200, 200, 100, 100))
    report = checked(PLANNING, CONSTRUCTION, ("liuzhou-2018", "state-council-2020"), [layer])
    ids = {
        tuple(e.id for e in finding(report, p, r).evidence)
        for p, r in ((LAW, FARM), ("liuzhou-2018", FARM), ("state-council-2020", FARM))
    }
    assert ids == {("permanent-basic-farmland.construction.1",)}


@pytest.mark.parametrize("code", [4528, 4549, 4490])
def test_the_same_data_in_any_system_of_one_datum_give_the_same_pieces(code: int) -> None:
    reference = checked(PLANNING, CONSTRUCTION, (), [farmland(box(150, 150, 333, 77), box(1080, 700, 200, 210))])
    frame = recognise(code)
    assert frame is not None
    move = _mover(code)
    shapes = [move(box(150, 150, 333, 77)), move(box(1080, 700, 200, 210))]
    layer = farmland(*shapes, covers=move(EVERYWHERE), frame=frame)
    moved = checked(move(PLANNING), move(CONSTRUCTION), (), [layer], frame=frame)
    _same_pieces(reference, moved)


def _mover(code: int):
    from pyproj import Transformer

    step = Transformer.from_crs(4549, code, always_xy=True)
    return lambda shape: shapely.transform(shape, lambda xy: np.column_stack(step.transform(xy[:, 0], xy[:, 1])))


def _same_pieces(one, other) -> None:
    a, b = ({e.id: e.area_m2 for e in r.evidence} for r in (one, other))
    assert a.keys() == b.keys()
    assert a
    for key in a:
        assert a[key] == pytest.approx(b[key], abs=0.01)


def test_layers_of_two_zones_across_the_border_measure_as_one() -> None:
    """Liuzhou: the boundary crosses 109.5°, its western farmland comes in zone 36, the eastern in zone 37."""
    from pyproj import Transformer

    west, east = recognise(4524), recognise(4525)
    assert west is not None
    assert east is not None
    plane = Plane(108)
    (x,), (y,) = plane.from_lonlat(np.array([109.495]), np.array([24.35]))
    planning = shapely.box(x - 900, y - 850, x + 800, y + 850)
    patches = [shapely.box(x - 700, y, x - 300, y + 300), shapely.box(x + 560, y, x + 760, y + 300)]

    def zone(shape: shapely.Geometry, code: int) -> shapely.Geometry:
        step = Transformer.from_crs(4545, code, always_xy=True)
        return shapely.transform(shape, lambda xy: np.column_stack(step.transform(xy[:, 0], xy[:, 1])))

    cover = shapely.box(x - 5000, y - 5000, x + 5000, y + 5000)
    split = [
        farmland(zone(patches[0], 4524), covers=zone(cover, 4524), frame=west),
        farmland(zone(patches[1], 4525), covers=zone(cover, 4525), frame=east),
    ]
    whole = [farmland(*(zone(p, 4524) for p in patches), covers=zone(cover, 4524), frame=west)]
    reports = [checked(zone(planning, 4524), None, (), layers, frame=west) for layers in (split, whole)]
    areas = [sorted(e.area_m2 or 0 for e in r.evidence) for r in reports]
    assert reports[0].content.plane.central_meridian == 108
    assert areas[0] == pytest.approx(areas[1], abs=0.01)
    assert finding(reports[0], LAW, FARM).coverage == {"planning": 1.0}


def test_xian_1980_and_beijing_1954_are_refused_without_parameters() -> None:
    for code in (2364, 2416, 4610, 4214):
        frame = recognise(code)
        assert frame is not None
        with pytest.raises(InputRefused, match="another datum than CGCS2000"):
            checked(PLANNING, CONSTRUCTION, (), [farmland(box(0, 0, 9, 9), frame=frame)] if False else [], frame=frame)


@settings(max_examples=40)
@given(st.integers(0, 100_000))
def test_pieces_add_up_to_what_the_whole_layer_shares(seed: int) -> None:
    """Every patch's piece, measured one by one, adds up to the overlap of their union: nothing dropped, nothing twice."""
    random = np.random.default_rng(seed)
    cells = [box(i * 211.3, j * 187.7, 211.3, 187.7) for i in range(-2, 10) for j in range(-2, 12)]
    chosen = [c for c in cells if random.random() < 0.5] or cells[:1]
    angle = np.sort(random.uniform(0, 2 * np.pi, 24))
    radius = 900 * random.uniform(0.5, 1, 24)
    centre = box(0, 0, 1700, 1700).centroid
    shape = shapely.Polygon(np.column_stack([centre.x + radius * np.cos(angle), centre.y + radius * np.sin(angle)]))
    if not shape.is_valid:
        return
    report = checked(shape, None, (), [farmland(*chosen)])
    found = finding(report, LAW, FARM)
    shared = shapely.intersection(shapely.union_all(chosen), shape)
    from geoplan.measure import survey_area

    assert found.measured is not None
    assert found.measured.value == pytest.approx(survey_area(shared, HUZHOU), abs=0.02)
    assert sum(e.area_m2 or 0 for e in found.evidence) == pytest.approx(
        found.measured.value, abs=0.01 * len(found.evidence) + 0.01
    )


def test_common_is_used_and_said_when_no_policy_is_named() -> None:
    report = checked(PLANNING, CONSTRUCTION, (), [land_use([("0301", EVERYWHERE)])])
    assert [p.id for p in report.content.policies] == ["land-law", "common"]
    assert "warning.common-policy" in {w.id for w in report.content.warnings}
    assert answers_of(report)["common.cultivated-land"] == "pass"
    assert FRAME.epsg == 4549


def test_the_way_out_is_told_where_the_boundary_nearly_vanishes() -> None:
    """Farmland 260–280 m inside a square of 1 km is given back at 280 m, though at 500 m nothing is left of it."""
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(box(360, 550, 20, 20))]), LAW, FARM)
    (turn,) = found.turns_at
    assert turn.verdict == "attention"
    assert turn.shift_m == pytest.approx(-280, abs=0.002)
    assert turn.area_m2 == pytest.approx(440**2, rel=1e-4)
