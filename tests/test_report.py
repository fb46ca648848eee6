# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The report: its shape, its id, its structural findings, its evidence file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    EVERYWHERE,
    FRAME,
    MemoryLayer,
    box,
    checked,
    farmland,
    finding,
    land_use,
    policy_text,
    register,
    square,
    town,
)
from geoplan.errors import CallRefused, InputRefused
from geoplan.facts import Facts
from geoplan.identity import canonical, report_id
from geoplan.policy import parse_policy
from geoplan.report import Content, Report
from geoplan_layers.overlaps import read_overlaps, write_overlaps

PLANNING, CONSTRUCTION = box(0, 0, 1700, 1700), box(100, 100, 1000, 1000)


def full() -> Report:
    layers = [farmland(box(200, 200, 100, 50), box(1300, 1300, 50, 50)), land_use([("0101", EVERYWHERE)])]
    towns = register(town("近镇", box(3700, 0, 1000, 1000)))
    return checked(PLANNING, CONSTRUCTION, ("huzhou-2018", "nantong-2017"), layers, towns)


def test_the_report_has_the_members_that_others_read() -> None:
    content = full().content.as_dict()
    assert content["schema"] == "geoplan/report/1"
    assert content["verdict"] == "fail"
    assert content["checked_on"] == "2026-11-21"
    assert set(content["proposal"]["planning"]) >= {
        "area_m2",
        "planar_area_m2",
        "declared_area_m2",
        "declared_areas",
        "error_m2",
        "crs",
        "parts",
        "vertices",
        "source",
        "repairs",
    }
    assert [p["id"] for p in content["policies"]] == ["land-law", "huzhou-2018", "nantong-2017"]
    found = next(f for f in content["policies"][0]["findings"] if f["rule"] == "basic-farmland")
    assert set(found) >= {
        "rule", "kind", "subject", "stage", "group", "strength", "verdict", "firm", "waivable", "message", "says", "measured",
        "limit", "turns_at", "clause", "also", "reading", "coverage", "layers", "evidence", "slivers",
    }  # fmt: skip
    assert set(found["evidence"][0]) >= {
        "id",
        "layer",
        "part",
        "patch",
        "class",
        "area_m2",
        "net_area_m2",
        "share",
        "sliver",
    }
    assert set(found["says"]) == {"zh", "en"}
    assert content["layers"][0].keys() >= {"role", "file", "sha256", "date", "coverage_from"}


def test_the_same_question_has_the_same_id_and_another_has_another() -> None:
    one, two = full(), full()
    assert one.id == two.id
    assert one.id.startswith("sha256:")
    other = checked(PLANNING, box(100, 100, 1000, 1000.001), ("huzhou-2018", "nantong-2017"))
    assert other.id != one.id


def test_the_id_leaves_out_names_of_files_words_and_software() -> None:
    content = full().content.as_dict()
    changed = json.loads(json.dumps(content))
    changed["software"] = {"geoplan": "9.9"}
    changed["made_at"] = "2030-01-01T00:00:00Z"
    changed["proposal"]["planning"]["source"]["file"] = "another.zip"
    changed["policies"][0]["findings"][0]["says"]["zh"] = "另一种说法"
    assert report_id(changed) == content["id"] == report_id(content)
    changed["policies"][0]["findings"][0]["verdict"] = "pass"
    assert report_id(changed) != content["id"]


def test_a_report_is_read_back_and_unknown_members_are_ignored() -> None:
    content = full().content.as_dict()
    again = Content.model_validate({**content, "added_later": 1})
    assert again.as_dict() == content


def test_the_report_of_this_version_stays_readable() -> None:
    stored = json.loads((Path(__file__).parent / "fixtures" / "report-0.1.0.json").read_text(encoding="utf-8"))
    assert Content.model_validate(stored).as_dict()["id"] == stored["id"] == report_id(stored)


def test_every_evidence_id_has_its_piece_in_the_overlaps_file(tmp_path: Path) -> None:
    report = full()
    path = tmp_path / "overlaps.gpkg"
    write_overlaps(report, path)
    read = read_overlaps(path, report.plane)
    named = {e.id for p in report.content.policies for f in p.findings for e in f.evidence}
    assert named == set(read.evidence)
    assert shapely.area(read.boundaries["planning"]) == pytest.approx(PLANNING.area)
    shown = {e.id: e for e in report.evidence}
    for key, shape in read.evidence.items():
        assert shapely.equals_exact(shape, shown[key].shape, tolerance=1e-9)
    assert {c.role for c in read.context} == {"permanent-basic-farmland", "land-use", "towns"}


def test_construction_outside_planning_fails_whatever_the_policy() -> None:
    report = checked(box(0, 0, 1700, 1700), box(1000, 100, 800, 1000))
    (inside,) = report.content.structure
    assert (inside.rule, inside.verdict) == ("construction-inside-planning", "fail")
    assert inside.measured is not None
    assert inside.measured.value == pytest.approx(100_000, rel=1e-3)
    assert report.exit_status == 1
    sliver = checked(box(0, 0, 1700, 1700), box(1000, 100, 700.03, 1000)).content.structure[0]
    assert (sliver.verdict, sliver.firm) == ("attention", False)


def test_declared_areas_stand_beside_the_measured_ones() -> None:
    exact = checked(PLANNING, facts=Facts(values={"declared.planning_area_m2": PLANNING.area}))
    assert exact.content.structure[0].verdict == "pass"
    wrong = checked(PLANNING, facts=Facts(values={"declared.planning_area_m2": 3_100_000.0}))
    assert wrong.content.structure[0].verdict == "attention"
    assert wrong.content.proposal.planning.declared_area_m2 == 3_100_000
    assert "3,100,000.00" in wrong.content.structure[0].says["en"]


def counties(*pairs: tuple[str, shapely.Geometry]) -> MemoryLayer:
    return MemoryLayer("counties", [s for _, s in pairs], [c for c, _ in pairs], ["县"] * len(pairs), generation=None)


def test_a_policy_applied_outside_its_own_area_says_so() -> None:
    layer = counties(("330521", box(-100, -100, 1000, 3000)), ("320682", box(900, -100, 2000, 3000)))
    report = checked(PLANNING, None, ("huzhou-2018", "state-council-2020"), [layer])
    huzhou, council = report.content.policies[1:]
    (warning,) = [w for w in huzhou.warnings if w.id == "warning.outside-own-area"]
    assert warning.args["share"] == pytest.approx(900 / 1700, abs=1e-3)
    assert not [w for w in council.warnings if w.id == "warning.outside-own-area"]
    assert [c.adcode for c in report.content.proposal.counties] == ["330521", "320682"]


def test_drafts_and_papers_past_their_period_say_so() -> None:
    report = checked(PLANNING, None, ("liuzhou-2018", "huzhou-2018"))
    warnings = {p.id: {w.id for w in p.warnings} for p in report.content.policies}
    assert "warning.standing" in warnings["liuzhou-2018"]
    assert "warning.period-over" in warnings["huzhou-2018"]
    liuzhou = next(p for p in report.content.policies if p.id == "liuzhou-2018")
    assert liuzhou.status == "draft"
    assert any("draft for comment" in w.says["en"] for w in liuzhou.warnings)


def test_a_paper_that_is_not_in_force_on_the_day_decides_nothing_and_says_so() -> None:
    rule = """
[[rules]]
id = "size"
kind = "area"
title = { zh = "规划面积", en = "planning area" }
clause = "c"
strength = "must"
of = "planning"
limits = [{ figure = "planning-area", max_m2 = 1_000_000 }]
"""
    text = policy_text(rule).replace('status = "in-force"', 'status = "in-force"\neffective = 2027-01-01')
    own = (parse_policy(text, "office.toml"),)
    early = checked(PLANNING, None, ("office",), own=own)
    assert finding(early, "office", "size").verdict == "not-applicable"
    office = early.content.policies[1]
    assert [w.id for w in office.warnings] == ["warning.before-effective"]
    assert (
        finding(checked(PLANNING, None, ("office",), own=own, on=date(2027, 1, 1)), "office", "size").verdict == "fail"
    )


def test_a_paper_that_was_replaced_says_by_which() -> None:
    rule = (
        '[[rules]]\nid = "ask"\nkind = "manual"\ntitle = { zh = "问", en = "ask" }\nclause = "c"\nstrength = "must"\n'
    )
    text = policy_text(rule + 'question = { zh = "？", en = "?" }\n').replace(
        'status = "in-force"', 'status = "replaced"\nsuperseded_by = "某办〔2026〕3号"'
    )
    report = checked(PLANNING, None, ("office",), own=(parse_policy(text, "office.toml"),))
    says = [w.says["en"] for w in report.content.policies[1].warnings]
    assert "the paper was replaced by 某办〔2026〕3号" in says


def test_outside_china_the_land_law_does_not_apply_and_data_need_a_word() -> None:
    from geoplan.crs import recognise

    utm = recognise(32632)
    assert utm is not None
    bavaria = shapely.box(680_000, 5_550_000, 681_700, 5_551_700)
    with pytest.raises(InputRefused, match=r"outside China.*--anywhere"):
        checked(bavaria, frame=utm)
    report = checked(bavaria, frame=utm, anywhere=True)
    law = report.content.policies[0]
    assert {f.verdict for f in law.findings} == {"not-applicable"}
    assert finding(report, "common", "planning-area").verdict == "pass"
    assert {w.id for w in report.content.warnings} >= {"warning.outside-china"}


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        ({"nantong-2017.planning-area.about_max": 2.0}, r"rule nantong-2017.planning-area has no reading about_max. It has: about_low"),
        ({"nantong-2017.planing-area.about_fail": 2.0}, r"there is no reading nantong-2017.planing-area.about_fail"),
        ({"nantong-2017.planning-area.about_fail": 0.5}, r"the value of the reading .* is wrong: Input should be greater"),
        ({"nantong-2017.planning-area.decides": "both"}, r"the value of the reading .* is wrong"),
        ({"huzhou-2018.one-per-neighbourhood.near_m": 1.0}, r"there is no reading huzhou-2018"),
    ],
)  # fmt: skip
def test_a_reading_that_no_rule_has_is_refused(reading: dict[str, object], says: str) -> None:
    with pytest.raises(CallRefused, match=says):
        checked(PLANNING, None, ("nantong-2017",), readings=reading)


def test_missing_data_never_gives_a_pass_whatever_is_left_out() -> None:
    """From a passing town, every layer taken away one by one turns its rules to not assessed, never better."""
    use = MemoryLayer("planned-land-use", [EVERYWHERE], ["0701"], covers=EVERYWHERE, generation="land-and-sea")
    redline = MemoryLayer("ecological-redline", [box(9000, 0, 10, 10)], covers=EVERYWHERE, coded=False)
    urban = MemoryLayer("urban-development-boundary", [EVERYWHERE], [""], ["城镇集中建设区"], covers=EVERYWHERE)
    layers = [farmland(box(9000, 0, 10, 10)), land_use([("0601", EVERYWHERE)]), use, redline, urban]
    policies = ("state-council-2020", "national-2021", "huzhou-2018")
    towns = register()
    assert checked(square(3e6), square(1e6, 50, 50), policies, layers, towns).verdict == "pass"
    for i, gone in enumerate(layers):
        if gone.role == "planned-land-use":
            continue
        report = checked(square(3e6), square(1e6, 50, 50), policies, layers[:i] + layers[i + 1 :], towns)
        assert report.verdict == "not-assessed" or gone.role == "land-use", gone.role
        assert report.verdict != "pass"
    assert checked(square(3e6), square(1e6, 50, 50), policies, layers, None).verdict == "not-assessed"


def test_frames_of_the_test_site() -> None:
    assert FRAME.datum == "cgcs2000"


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-1e6, 1e6).map(lambda value: round(value, 2))
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=400)
@given(PLAIN)
def test_the_fast_canonical_json_is_the_standards(data: Any) -> None:
    try:
        expected = rfc8785.dumps(data)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    assert canonical(data) == expected
