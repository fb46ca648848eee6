"""The declared figures of the four towns, as facts files; all invented."""

from __future__ import annotations

from collections.abc import Mapping

_HEAD = "# 演示数据，虚构。Invented demo data: no such town exists.\n\n"

_SILK = """id = "huzhou-silk"
name = "示例·丝创小镇"
county = "330502"
tier = "province"
listed_on = 2026-03-20
stage = "create"

[industry]
leading = "高端装备制造"
sub_industry = "丝绸智能装备"
linked = ["工业设计", "工业旅游"]
types = ["advanced-manufacturing"]
class.huzhou-2018 = "manufacturing"

[declared]
planning_area_m2 = {planning}
construction_area_m2 = {construction}

[investment]
total = 5_600_000_000
housing = 300_000_000
featured = 4_200_000_000
technology = 600_000_000
non_government = 4_900_000_000
first_year_total = 1_500_000_000
first_year_housing = 60_000_000
first_year_featured = 1_150_000_000

[county_figures]
debt_ratio = 0.68
debt_warning = false
land_supply_rate_5y = 0.71

[operation]
productivity = 320_000
jobs = 3_600
tax_per_mu = 180_000
visitors = 560_000
three_new_share = 0.34
research_intensity = 0.032

[land]
housing_share = 0.12
green_share = 0.36
new_quota_first = true

[features]
town_hall = true
wifi = true
scenic_standard = 3
scenic_grade = 3
key_projects = true
builder = "示例丝创小镇建设发展有限公司"
builder_is_company = true
led_by_business = true
social_capital_led = true
industry_study = true
qualified_planner = true
anchor_project_yuan = 900_000_000
leader_linked = true
water_supply = true
sewers = true
refuse_collection = true
sewage_treatment = true
refuse_treatment = true
public_toilets = true
inner_roads = true
outer_corridor = true
gas = true
power = true
networks = true
platform_borrowing = false
government_borrowing = false
{answers}"""

_GEAR = """id = "huzhou-gear"
name = "示例·齿轮小镇"
county = "330521"
tier = "city"
stage = "plan"

[industry]
leading = "高端装备制造"
sub_industry = "齿轮传动"
linked = ["检验检测", "工业设计"]
types = ["advanced-manufacturing"]
class.huzhou-2018 = "manufacturing"

[declared]
planning_area_m2 = {planning}
construction_area_m2 = {construction}

[investment]
total = 7_800_000_000
housing = 500_000_000
featured = 6_100_000_000
technology = 760_000_000
non_government = 6_900_000_000

[operation]
productivity = 290_000
jobs = 5_200
tax_per_mu = 130_000
research_intensity = 0.028

[land]
housing_share = 0.14
green_share = 0.31

[features]
scenic_grade = 3
builder = "示例齿轮小镇投资有限公司"
builder_is_company = true
"""

_TEA = """id = "liuzhou-tea"
name = "示例·茶旅小镇"
county = "450206"
tier = "city"
stage = "plan"

[industry]
leading = "茶叶种植与加工"
sub_industry = "茶旅融合"
linked = ["乡村旅游", "电子商务"]
types = ["tourism", "culture-tourism"]
class.liuzhou-2018 = "light-asset"

[declared]
planning_area_m2 = {planning}
construction_area_m2 = {construction}

[investment]
total = 3_500_000_000
housing = 150_000_000
featured = 2_400_000_000
non_government = 2_600_000_000

[county_figures]
debt_ratio = 0.74
land_supply_rate_5y = 0.66

[operation]
productivity = 230_000
jobs = 2_600
visitors = 880_000
three_new_share = 0.24

[land]
housing_share = 0.18
green_share = 0.42

[features]
builder = "示例茶旅文化投资有限公司"
builder_is_company = true
carrier = "tourism-area"
industry_study = true
platform_borrowing = false
government_borrowing = false
"""

_ROCK = """id = "liuzhou-rock"
name = "示例·奇石小镇"
county = "450226"
tier = "city"
stage = "plan"

[industry]
leading = "奇石文化"
sub_industry = "观赏石加工"
linked = ["文化创意", "会展", "乡村旅游"]
class.liuzhou-2018 = "light-asset"

[declared]
planning_area_m2 = {planning}
construction_area_m2 = {construction}

[investment]
total = 3_600_000_000
housing = 0
featured = 2_500_000_000
non_government = 1_900_000_000

[county_figures]
land_supply_rate_5y = 0.63

[operation]
jobs = 2_300

[features]
industry_study = true
"""

_ANSWERS: Mapping[str, str] = {
    "huzhou-2018.independent-site": "东接湖荡、北依山体，与示例镇老镇区以县道分隔",
    "huzhou-2018.not-a-park": "规划区内文化、旅游、社区功能齐备，不是单一园区",
    "huzhou-2018.one-town-one-product": "以丝绸智能装备为唯一主攻产品",
    "huzhou-2018.planning-linked": "与周边各特色小镇规划联动编制",
    "zhejiang-2015.independence": "位于镇区东侧城乡结合部",
    "state-council-2020.clear-boundary": "四至以县道、河道和山脚为界，范围清晰",
    "state-council-2020.independent-space": "与老镇区以县道分隔，空间相对独立",
    "state-council-2020.housing-share": "住宅用地占建设用地12%，已论证人口规模",
    "state-council-2020.list": "已列入省特色小镇清单（示例）",
}
_FACTS: Mapping[str, str] = {"huzhou-silk": _SILK, "huzhou-gear": _GEAR, "liuzhou-tea": _TEA, "liuzhou-rock": _ROCK}


def facts(key: str, planning: float, construction: float) -> str:
    """The facts file of a town; areas in m² as declared (planar, as 勘测定界 papers state them)."""
    return _HEAD + _FACTS[key].format(
        planning=f"{planning:.2f}",
        construction=f"{construction:.2f}",
        answers=_answers() if key == "huzhou-silk" else "",
    )


def _answers() -> str:
    """A reviewer's answers to every question that the silk town's policies put to a person."""
    return "".join(
        f'\n[answers."{rule}"]\nverdict = "pass"\nby = "示例审查人"\non = 2026-11-10\nreason = "{reason}（演示）"\n'
        for rule, reason in _ANSWERS.items()
    )
