# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Declared facts: strict reading, limits, what follows, types, tiers, conditions, questions and answers."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from builders import EVERYWHERE, box, checked, finding, land_use, square
from geoplan.errors import InputRefused
from geoplan.facts import Facts, parse_facts
from geoplan.policy import PolicyBook
from geoplan.supplied import town_types
from geoplan_api.facts_template import facts_file


def facts(text: str) -> Facts:
    return parse_facts(tomllib.loads(text), "facts.toml")


def judged(policy: str, rule: str, text: str, **more: Any):
    return finding(checked(square(3e6), None, (policy,), facts=facts(text), **more), policy, rule)


INVESTED = "[investment]\ntotal = 3.3e9\nhousing = 2e8\nfeatured = 2.2e9\n"


def test_investment_counts_without_housing() -> None:
    assert judged("nantong-2017", "investment-total", INVESTED).verdict == "pass"
    less = judged("nantong-2017", "investment-total", INVESTED.replace("housing = 2e8", "housing = 5e8"))
    assert (less.verdict, less.waivable) == ("fail", True)
    assert less.measured is not None
    assert less.measured.value == pytest.approx(2.8e9)
    assert less.measured.method == "declared"


def test_what_is_not_supplied_is_to_be_supplied() -> None:
    found = judged("nantong-2017", "investment-total", "[investment]\ntotal = 3.3e9\n")
    assert found.verdict == "not-assessed"
    assert found.message.args["figures"] == ["investment.housing"]


def test_a_lighter_figure_stands_instead_for_its_classes() -> None:
    light = INVESTED.replace("3.3e9", "2.3e9") + '[industry]\nclass.nantong-2017 = "startup"\n'
    assert judged("nantong-2017", "investment-total", light).verdict == "not-applicable"
    assert judged("nantong-2017", "investment-total-light", light).verdict == "pass"
    heavy = light.replace("startup", "high-end-manufacturing")
    assert judged("nantong-2017", "investment-total", heavy).verdict == "fail"
    assert judged("nantong-2017", "investment-total-light", heavy).verdict == "not-applicable"
    unknown = INVESTED.replace("3.3e9", "2.3e9")
    assert judged("nantong-2017", "investment-total", unknown).verdict == "fail"
    assert judged("nantong-2017", "investment-total-light", unknown).message.id == "finding.facts.type-not-given"


@pytest.mark.parametrize(
    ("tier", "total", "verdict"),
    [("city", 3.1e9, "pass"), ("city", 2.9e9, "fail"), ("province", 3.1e9, "not-applicable")],
)
def test_tiers_choose_the_figure(tier: str, total: float, verdict: str) -> None:
    assert (
        judged("jiaxing-2016", "investment-city", f'tier = "{tier}"\n[investment]\ntotal = {total}\n').verdict
        == verdict
    )


def test_an_unknown_tier_is_to_be_supplied() -> None:
    assert (
        judged("jiaxing-2016", "investment-city", "[investment]\ntotal = 9e9\n").message.id
        == "finding.facts.tier-missing"
    )


def test_a_truth_a_choice_and_a_grade() -> None:
    assert judged("nantong-2017", "wifi", "[features]\nwifi = true\n").verdict == "pass"
    assert judged("nantong-2017", "wifi", "[features]\nwifi = false\n").verdict == "fail"
    assert judged("nantong-2017", "scenic-service", "[features]\nscenic_standard = 2\n").verdict == "fail"
    assert judged("liuzhou-2018", "carrier", '[features]\ncarrier = "township"\n').verdict == "pass"


def test_linked_industries_are_counted() -> None:
    text = '[industry]\nleading = "奇石"\nlinked = ["旅游"{}]\n'
    assert judged("liuzhou-2018", "industries", text.format(', "展销"')).verdict == "pass"
    assert judged("liuzhou-2018", "industries", text.format("")).verdict == "fail"


def supply(rate: str, new_land: bool):
    uses = land_use([("0301" if new_land else "0601", EVERYWHERE)])
    text = f"[county_figures]\nland_supply_rate_5y = {rate}\n" if rate else ""
    report = checked(box(0, 0, 1700, 1700), box(100, 100, 1000, 1000), ("liuzhou-2018",), [uses], facts=facts(text))
    return finding(report, "liuzhou-2018", "land-supply-rate")


def test_a_low_supply_rate_bars_only_new_construction_land() -> None:
    assert supply("0.59", True).verdict == "fail"
    assert supply("0.60", True).verdict == "pass"
    assert supply("0.59", False).verdict == "pass"
    assert supply("", True).verdict == "not-assessed"
    assert supply("", False).verdict == "pass"


def test_a_debt_ratio_past_one_bars_borrowing_through_platforms() -> None:
    text = "[county_figures]\ndebt_ratio = {}\n[features]\nplatform_borrowing = {}\n"
    assert judged("liuzhou-2018", "debt-ratio", text.format("1.2", "true")).verdict == "fail"
    assert judged("liuzhou-2018", "debt-ratio", text.format("1.2", "false")).verdict == "pass"
    assert judged("liuzhou-2018", "debt-ratio", text.format("0.9", "true")).verdict == "pass"


def test_intensity_is_declared_investment_over_measured_area() -> None:
    text = '[industry]\nclass.liuzhou-2018 = "light-asset"\n[investment]\nnon_government = 1.6e9\n'
    found = judged("liuzhou-2018", "light-intensity", text)
    assert found.verdict == "pass"
    assert found.measured is not None
    assert found.measured.method == "measured-and-declared"
    assert found.measured.value == pytest.approx(1.6e9 / 3, rel=1e-3)
    assert found.measured.error == pytest.approx(found.measured.value * 0.05 * 4 * 3e6**0.5 / 3e6, rel=0.01)
    assert judged("liuzhou-2018", "heavy-intensity", text).verdict == "not-applicable"


def test_two_limits_of_different_strength_in_one_sentence() -> None:
    assert judged("national-2021", "housing", "[land]\nhousing_share = 0.24\n").verdict == "pass"
    assert judged("national-2021", "housing", "[land]\nhousing_share = 0.28\n").verdict == "attention"
    assert judged("national-2021", "housing", "[land]\nhousing_share = 0.31\n").verdict == "fail"


def test_a_supplied_fact_that_breaks_a_rule_shows_in_the_exit_status_but_not_in_the_spatial_verdict() -> None:
    report = checked(square(3e6), None, ("nantong-2017",), facts=facts("[features]\nwifi = false\n"))
    policy = next(p for p in report.content.policies if p.id == "nantong-2017")
    assert (policy.verdict, policy.application) == ("not-assessed", "broken")
    assert report.exit_status == 1


def test_a_reviewers_answer_settles_a_question() -> None:
    text = '[answers."nantong-2017.siting"]\nverdict = "pass"\nby = "王工"\non = 2026-10-01\nreason = "位于开发园区"\n'
    found = judged("nantong-2017", "siting", text)
    assert found.verdict == "pass"
    assert "王工" in found.says["zh"]
    assert judged("nantong-2017", "siting", "").verdict == "not-assessed"


def test_a_reviewer_who_finds_a_soft_wording_unmet_asks_for_attention() -> None:
    text = '[answers."nantong-2017.{}"]\nverdict = "fail"\nby = "王工"\non = 2026-10-01\nreason = "未涉及地下空间"\n'
    soft = judged("nantong-2017", "nature", text.format("nature"))
    assert (soft.strength, soft.verdict) == ("should", "attention")
    firm = judged("nantong-2017", "siting", text.format("siting"))
    assert (firm.strength, firm.verdict, firm.waivable) == ("in-principle", "fail", True)


def test_a_drawn_construction_boundary_settles_jiaxings_defined_area() -> None:
    with_it = checked(square(3e6), square(1e6, 50, 50), ("jiaxing-2016",))
    assert finding(with_it, "jiaxing-2016", "defined-area").verdict == "pass"
    assert (
        finding(checked(square(3e6), None, ("jiaxing-2016",)), "jiaxing-2016", "defined-area").verdict == "not-assessed"
    )


def test_rules_that_need_the_register_say_so_and_stay_out_of_the_verdict() -> None:
    report = checked(square(3e6), None, ("huzhou-2018",))
    policy = next(p for p in report.content.policies if p.id == "huzhou-2018")
    city = [f for f in policy.findings if f.group == "city"]
    assert {f.kind for f in city} == {"portfolio", "schedule", "lifecycle"}
    assert {(f.verdict, f.message.id) for f in city} == {("not-assessed", "finding.needs-register")}
    assert finding(report, "huzhou-2018", "city-total").says["en"] == "needs the register of towns"
    passing = checked(square(3e6), None, ("huzhou-2018",), towns=__import__("builders").register())
    assert next(p for p in passing.content.policies if p.id == "huzhou-2018").verdict == "pass"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nmae = 'x'", r"facts.toml: nmae: there is no such key"),
        ("[investment]\ntotl = 1", r"facts.toml: investment.totl: there is no such figure"),
        ("[investment]\nnet_total = 1", r"there is no such figure"),
        ("[investment]\ntotal = '3亿'", r"facts.toml: investment.total: the value 3亿 is of the wrong kind"),
        ("[features]\nwifi = 1", r"features.wifi: the value 1 is of the wrong kind; it should be true or false"),
        ("tier = 'county'", r"tier: the value county is not known"),
        ("[investment]\ntotal = -1", r"out of range"),
        ("[investment]\ntotal = nan", r"investment.total: the value nan is out of range"),
        ("[investment]\ntotal = inf", r"investment.total: the value .* is out of range"),
        ("[features]\nscenic_grade = true", r"scenic_grade: the value True .* should be a number without quotes"),
        ("investment = 3", r"facts.toml: investment: the value 3 is of the wrong kind; it should be a table such as"),
        ("[[investment]]\ntotal = 3", r"facts.toml: investment: .* it should be a table such as"),
        (
            "[industry]\nclass = 'startup'",
            r"industry.class: the value startup is of the wrong kind; it should be a table",
        ),
        ("answers = 3", r"facts.toml: answers: the value 3 is of the wrong kind; it should be a table"),
        ("[answers]\na = 1", r'answers."a": the value 1 is of the wrong kind; it should be a table'),
        ("listed_on = 2024-05-01T08:00:00", r"listed_on: .* it should be a date such as 2026-01-31"),
        (
            "[land]\nhousing_share = 30",
            r"housing_share: shares are written 0 to 1, .* 30 would be 3000 %. 30 % is written 0.3",
        ),
        ("[operation]\nresearch_intensity = 8", r"8 would be 800 %. 8 % is written 0.08"),
        ("[county_figures]\ndebt_ratio = 80", r"debt_ratio: .* this one is 5 at most; 80 would be 8000 %"),
        ("[answers.\"a.b\"]\nverdict = 'pass'", r"the answer lacks by"),
        ("[answers.\"a.b\"]\nverdict = 'yes'\nby='x'\non=2026-01-01\nreason='y'", r"the value yes is not known"),
    ],
)
def test_a_wrong_facts_file_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        facts(text)


ANSWER = 'verdict = "{}"\nby = "王工"\non = 2026-10-01\nreason = "现场核对"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[industry]\nclass.liuzhou-2018 = "light"', r"industry.class.liuzhou-2018: the value light is not known"),
        ('[answers."liuzhou-2018.sitting"]\n' + ANSWER.format("pass"), r"policy liuzhou-2018 has no such rule"),
        ('[answers."land-law.basic-farmland"]\n' + ANSWER.format("pass"), r"cannot be answered with passes"),
    ],
)
def test_a_slip_that_would_silence_a_rule_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        checked(square(3e6), None, ("liuzhou-2018",), facts=facts(text))


def test_a_debt_may_be_more_than_the_whole() -> None:
    assert facts("[county_figures]\ndebt_ratio = 1.8").values["county_figures.debt_ratio"] == 1.8


def test_a_misspelt_town_type_is_refused_before_it_makes_rules_not_applicable() -> None:
    with pytest.raises(InputRefused, match=r"industry.types: there is no town type “turism”. Known are tourism, "):
        checked(square(3e6), None, facts=facts('[industry]\ntypes = ["turism"]'))


def test_an_offices_own_type_is_known_where_its_policy_is() -> None:
    assert "light-asset" in town_types(PolicyBook())
    rule = PolicyBook().get("huzhou-2018").rules[0]
    own = PolicyBook().get("huzhou-2018")
    renamed = own.model_copy(update={"id": "office-1", "rules": (rule.model_copy(update={"types": ("tea",)}),)})
    assert "tea" in town_types(PolicyBook((renamed,)))
    assert "tea" not in town_types(PolicyBook())


def test_answers_for_policies_that_are_not_at_hand_are_named() -> None:
    report = checked(square(3e6), None, facts=facts('[answers."office-9.siting"]\n' + ANSWER.format("pass")))
    assert any("office-9.siting" in warning.says["en"] for warning in report.content.warnings)


def test_the_blank_facts_file_of_every_policy_can_be_filled_in() -> None:
    for policy in (
        "nantong-2017",
        "huzhou-2018",
        "jiaxing-2016",
        "yushui-2017",
        "liuzhou-2018",
        "zhejiang-2015",
        "state-council-2020",
        "national-2021",
    ):
        blank = facts_file((policy,), PolicyBook(), "zh")
        filled = "\n".join(
            line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
            for line in blank.splitlines()[1:]
        )
        filled = filled.replace('tier = "city"', 'tier = "city"')
        parsed = parse_facts(tomllib.loads(filled), "blank.toml")
        assert parsed.values


def test_facts_carry_the_leading_figures() -> None:
    parsed = facts('id = "t1"\nname = "某镇"\nlisted_on = 2024-05-01\n[industry]\ntypes = ["tourism"]\n')
    assert (parsed.id, parsed.listed_on, parsed.types) == ("t1", date(2024, 5, 1), frozenset({"tourism"}))
