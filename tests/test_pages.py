"""The pages: what a reader finds on them, in which order, in both languages, with and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from browsing import HOSTILE, NONCE, fixture_browser, visit  # noqa: F401 - the fixture is used by name
from builders import EVERYWHERE, MemoryLayer, box, checked, farmland, land_use, register, town
from geoplan import messages
from geoplan.errors import InputRefused, PolicyRefused
from geoplan.facts import Facts
from geoplan.messages import LANGUAGES, Lang, catalogue
from geoplan.policy import PolicyBook, parse_policy
from geoplan.report import Report
from geoplan_api.inquiry import ROLES
from geoplan_layers.overlaps import of_report
from geoplan_web import pages
from geoplan_web.finding import ReportView
from geoplan_web.map import draw
from serving import (  # noqa: F401 - the fixtures are used by name
    Running,
    fixture_farmland,
    fixture_planning,
    fixture_service,
    fixture_the_service,
    frame,
    gpkg,
)

Json = Mapping[str, Any]
PLANNING, CONSTRUCTION = box(0, 0, 1900, 1900), box(300, 300, 1000, 1000)
LINKS = {
    "page": "/checks/1",
    "map": "/checks/1/map",
    "map_file": "/checks/1/map.html",
    "report": "/checks/1/report.json",
    "overlaps": "/checks/1/overlaps.gpkg",
}
BOOK = PolicyBook()
KINDS_OWN = ("planning-area", "construction-area", "distance")
"""Figures that are what a rule of their kind judges: its title says them."""
CARDS = (
    pages.LayerCard("land-use", "dltb.gpkg", "2025-12-31", "declared", True),
    pages.LayerCard("roads", "l.gpkg", None, "assumed"),
)
RECENT = (
    pages.CheckCard("a1", "示例小镇", "fail", datetime(2026, 11, 20, 23, 30, tzinfo=UTC)),
    pages.CheckCard("a2", None, "not-assessed", datetime(2026, 11, 19, 1, 0, tzinfo=UTC)),
)


# --- Samples --------------------------------------------------------------------------------------------------


def failing() -> Report:
    """Fails: farmland under construction, and more that needs attention."""
    zones = MemoryLayer(
        "urban-development-boundary", [box(0, 0, 900, 1900)], ["010"], ["城镇集中建设区"], covers=EVERYWHERE
    )
    use = [("0101", box(300, 300, 400, 1000)), ("0701", box(700, 300, 600, 1000)), ("0301", box(0, 0, 300, 1900))]
    drawn_use = MemoryLayer(
        "planned-land-use",
        [box(1500, 1500, 60, 60)],
        ["0301"],
        ["乔木林地"],
        covers=EVERYWHERE,
        generation="land-and-sea",
    )
    return checked(
        PLANNING,
        CONSTRUCTION,
        ("state-council-2020", "huzhou-2018", "nantong-2017"),
        [
            farmland(box(250, 350, 200, 150), box(1500, 1500, 100, 100), box(1299.97, 600, 30, 20)),
            land_use(use, covers=box(0, 0, 1900, 1900)),
            zones,
            drawn_use,
        ],
        register(town("邻镇", box(4000, 0, 500, 500))),
    )


def passing(facts: Facts | None = None) -> Report:
    use = [("0701", box(-500, -500, 3000, 3000))]
    return checked(
        box(0, 0, 1700, 1700),
        box(300, 300, 1000, 1000),
        ("nantong-2017",),
        [
            farmland(box(9000, 0, 9, 9)),
            land_use(use),
            MemoryLayer("ecological-redline", [box(9000, 0, 9, 9)], covers=EVERYWHERE),
        ],
        facts=facts or Facts(),
    )


def bare() -> Report:
    """No layers and no construction: nothing that needs data can be assessed."""
    return checked(PLANNING, None, ("state-council-2020",))


@pytest.fixture(name="reports", scope="module")
def fixture_reports() -> dict[str, Report]:
    return {"failing": failing(), "passing": passing(), "bare": bare()}


def result(report: Report, lang: Lang = "zh", **more: Any) -> str:
    return pages.result({**report.content.as_dict(), **more}, LINKS, lang, nonce=NONCE)


def home(lang: Lang = "zh", refusal: Any = None, full: bool = True) -> str:
    layers, recent = (CARDS, RECENT) if full else ((), ())
    return pages.home(
        lang, policies=list(BOOK), layers=layers, roles=ROLES, recent=recent, nonce=NONCE, refusal=refusal
    )


def every_page(reports: Mapping[str, Report], lang: Lang) -> dict[str, str]:
    """Every kind of page, by a name for it."""
    missing = {
        "title": "没有找到",
        "status": 404,
        "detail": "?",
        "code": "check-unknown",
        "zh": "没有。",
        "en": "none.",
    }
    refused = InputRefused("coordinates-not-finite", file="规划.zip", where="规划.shp")
    return {
        **{name: result(report, lang, invented=name == "failing") for name, report in reports.items()},
        "home": home(lang),
        "empty": home(lang, refused, full=False),
        "policies": pages.policy_list(list(BOOK), lang, nonce=NONCE),
        **{policy.id: pages.policy_page(policy, BOOK, lang, nonce=NONCE) for policy in BOOK},
        "problem": pages.problem(missing, lang, nonce=NONCE),
    }


class Outline(HTMLParser):
    """What a page is made of: its elements with their attributes, headings in order, and text by element id."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.texts: dict[str, str] = {}
        self._open: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.elements.append((tag, held))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self._open.append(held.get("id"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for each in filter(None, self._open):
            self.texts[each] = self.texts.get(each, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [held for name, held in self.elements if name == tag]


# --- The result -----------------------------------------------------------------------------------------------


def test_a_result_is_told_in_the_order_in_which_people_ask(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    sections = ["change", "findings", "map-title", "measures", "patches", "data", "downloads"]
    places = [page.index(f'id="{each}"') for each in sections]
    assert places == sorted(places)
    sentence = ReportView(reports["failing"].content.as_dict(), "zh").sentence
    assert page.index(f"<h1>{sentence}</h1>") < places[0]


def test_one_fact_that_breaks_two_papers_is_told_once_with_both(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    change = page[page.index('id="change"') : page.index('id="findings"')]
    farmland_points = [point for point in re.findall(r"<li>.*?</li>", change, re.DOTALL) if "占用永久基本农田" in point]
    assert len(farmland_points) == 1
    assert re.findall(r'href="#([\w-]+)"', farmland_points[0]) == [
        "land-law--basic-farmland",
        "state-council-2020--basic-farmland",
    ]
    assert "让出 2 个永久基本农田图斑" in farmland_points[0]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["failing", "passing", "bare"])
def test_every_finding_stands_on_the_page_with_its_clause(reports: Mapping[str, Report], name: str, lang: Lang) -> None:
    page = result(reports[name], lang)
    texts = Outline(page).texts
    for policy in ReportView(reports[name].content.as_dict(), lang).policies:
        for finding in policy.findings:
            told = texts[finding.anchor]
            assert finding.title in told
            if finding.record["group"] != "city":
                assert finding.sentence in told
                assert finding.clause.words in told
                assert finding.clause.at in told
                assert all(clause.words in told for clause in finding.also)


def test_a_summary_never_looks_like_the_papers_own_words(reports: Mapping[str, Report]) -> None:
    report = checked(PLANNING, CONSTRUCTION, ("zhejiang-2015",))
    view = ReportView(report.content.as_dict(), "zh")
    summarised = [f for p in view.policies for f in p.findings if not f.clause.is_quote and f.record["group"] != "city"]
    assert summarised
    page = result(report)
    assert page.count('<blockquote class="clause summarised">') >= len(summarised)
    for finding in summarised:
        assert "摘要，非原文" in Outline(page).texts[finding.anchor]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_boundary_that_passes_with_broken_requirements_never_looks_like_a_pass(lang: Lang) -> None:
    """What was declared breaks a rule (exit status 1), though every spatial rule passes."""
    report = passing(Facts(values={"investment.total": 1e9, "investment.housing": 9e8}))
    view = ReportView(report.content.as_dict(), lang)
    assert (view.verdict, view.tone, view.icon, report.exit_status) == ("pass", "fail", "✗", 1)
    page = result(report, lang)
    assert '<section class="verdict fail">' in page
    assert view.sentence.endswith({"zh": "申报要件另有 1 项不符。", "en": "breaks 1 application requirement."}[lang])
    head = page[page.index('<section class="verdict') : page.index('id="change"')]
    assert re.findall(r'class="badge ([\w-]+)"', head) == ["fail"]
    paper = page[page.index('id="policy-nantong-2017"') :]
    assert re.findall(r'class="badge ([\w-]+)"', paper)[0] == "fail"
    assert ReportView(passing().content.as_dict(), lang).tone == "pass"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_check_without_a_named_policy_says_so_beside_its_verdict(reports: Mapping[str, Report], lang: Lang) -> None:
    report = checked(PLANNING, CONSTRUCTION, ())
    said = {"zh": "没有指定政策文件", "en": "no policy was named"}[lang]
    for page in (result(report, lang), draw(report.content.as_dict(), of_report(report), lang)):
        assert said in page[page.index("<h1>") : page.index("sha256:")]
    assert ReportView(reports["failing"].content.as_dict(), lang).caveat is None


def test_what_fails_by_a_summary_alone_is_marked_among_the_points() -> None:
    poor = Facts(values={"investment.total": 1e9, "investment.housing": 1e8, "investment.featured": 1e8})
    report = checked(box(0, 0, 9000, 9000), CONSTRUCTION, ("zhejiang-2015", "state-council-2020"), facts=poor)
    page = result(report)
    change = page[page.index('id="change"') : page.index('id="findings"')]
    rules = dict(re.findall(r'<span><a href="#([\w-]+)">[^<]*</a>(.*?)</span>', change, re.DOTALL))
    clauses = {f.anchor: f.clause for p in ReportView(report.content.as_dict(), "zh").policies for f in p.findings}
    assert {clauses[anchor].is_quote for anchor in rules if anchor in clauses} == {True, False}
    for anchor, mark in rules.items():
        assert ("摘要，非原文" in mark) == (anchor in clauses and not clauses[anchor].is_quote)


def test_findings_stand_worst_first_and_in_three_groups(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    paper = page[page.index('id="policy-nantong-2017"') :]
    places = [paper.index(f">{group}<") for group in ("空间合规", "申报要件", "全市影响")]
    assert places == sorted(places)
    law = page[page.index('id="policy-land-law"') : page.index('id="policy-state-council-2020"')]
    order = re.findall(r'<article class="finding ([\w-]+)"', law)
    ranks = [["fail", "not-assessed", "attention", "pass", "not-applicable"].index(verdict) for verdict in order]
    assert ranks == sorted(ranks)
    assert "10 条规则需要全市小镇名册，未评定" in page


def test_what_could_not_be_assessed_never_looks_like_a_pass(reports: Mapping[str, Report]) -> None:
    page = result(reports["bare"])
    articles = re.findall(r'<article class="finding not-assessed".*?</article>', page, re.DOTALL)
    assert len(articles) > 8
    for article in articles:
        assert re.findall(r'class="badge ([\w-]+)"', article) == ["not-assessed"]
        assert "量测值" not in article
    assert "缺少“永久基本农田”图层，无法评定" in page
    assert '<div class="points not-assessed">' in page
    assert "不能视为通过" in page


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["量测值", "量测误差", "下限", "公里", "米"]), ("en", ["Measured", "Error", "At least", "km", "m"])],
)
def test_a_measured_figure_stands_above_its_limit_with_units_apart(
    reports: Mapping[str, Report], lang: Lang, words: list[str]
) -> None:
    page = result(reports["failing"], lang)
    distance = page[page.index('id="huzhou-2018--one-per-neighbourhood"') :]
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th><td class="number">([^<]+)</td><td>([^<]*)</td>', distance)[:3]
    measured, error, least, kilometres, metres = words
    assert rows == [(measured, "2.100", kilometres), (error, "± 0.10", metres), (least, "3.000", kilometres)]


def test_measures_and_the_account_of_land_stand_in_every_unit(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    measures = page[page.index('id="measures"') : page.index('id="patches"')]
    planning = reports["failing"].content.proposal.planning
    for figure in (f"{planning.area_m2:,.2f}", f"{planning.area_m2 / 1e4:,.4f}", f"{planning.planar_area_m2:,.2f}"):
        assert figure in measures
    for words in ("公顷", "亩", "界址点数", "新增建设用地", "存量建设用地", "EPSG:4549", "boundary.shp"):
        assert words in measures


def test_farmland_that_is_hit_is_listed_patch_by_patch(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    table = page[page.index('id="patches"') : page.index('id="data"')]
    kind = "permanent-basic-farmland"
    listed = {f"{kind}.{end}" for end in ("construction.1", "construction.2", "rest.1", "rest.2", "rest.3")}
    assert set(re.findall(r'evidence=([\w.-]+)"', table)) == listed
    assert "疑似碎面" in table
    assert "0301 乔木林地" in table


def test_the_sum_of_patches_is_the_findings_own(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    finding = next(f for f in reports["failing"].content.policies[0].findings if f.rule == "basic-farmland")
    assert finding.measured is not None
    sums = re.findall(r'<tr class="sum"><th scope="row" colspan="2">合计</th><td class="number">([\d,.]+)</td>', page)
    assert sums == [f"{finding.measured.value:,.2f}", f"{finding.measured.elsewhere:,.2f}"]


def test_data_and_method_let_the_check_be_done_again(reports: Mapping[str, Report]) -> None:
    page = result(reports["failing"])
    data = page[page.index('id="data"') : page.index('id="downloads"')]
    content = reports["failing"].content
    for words in (
        "layer.gpkg",
        "2025-12-31",
        "已声明",
        "EPSG:4549",
        "± 0.05 米",
        "geoplan",
        content.id,
        content.evidence_sha256,
    ):
        assert words in data
    for link in ("report", "overlaps", "map_file"):
        assert f'href="{LINKS[link]}"' in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_invented_data_are_marked_and_real_data_are_not(reports: Mapping[str, Report], lang: Lang) -> None:
    words = {"zh": "演示数据，虚构", "en": "Demo data, invented"}[lang]
    assert words in result(reports["failing"], lang, invented=True)
    assert words not in result(reports["failing"], lang)


@pytest.mark.parametrize(
    ("given", "file", "shown"),
    [
        ("丝路小镇", "a.zip", "丝路小镇"),
        (None, "南浔丝路小镇.shp.zip", "南浔丝路小镇"),
        (None, "v1.2 final.gpkg", "v1.2 final"),
        (None, "?", "未命名方案"),
    ],
)
def test_a_proposal_without_a_name_is_called_by_its_file(
    reports: Mapping[str, Report], given: str | None, file: str, shown: str
) -> None:
    content = json.loads(json.dumps(reports["bare"].content.as_dict()))
    content["proposal"]["name"] = given
    content["proposal"]["planning"]["source"]["file"] = file
    assert ReportView(content, "zh").name == shown
    assert f"<title>{shown} · 合规性分析" in pages.result(content, LINKS, "zh", nonce=NONCE)


# --- The start page -------------------------------------------------------------------------------------------


def test_the_form_asks_for_what_the_service_reads() -> None:
    outline = Outline(home())
    (form,) = outline.all("form")
    assert form | {"class": None} == form | {
        "class": None,
        "method": "post",
        "action": "/checks",
        "enctype": "multipart/form-data",
    }
    names = {held["name"]: held for held in outline.all("input")}
    assert {"planning", "construction", "towns", "facts", "policy", "name", "crs", "accuracy", "lang"} <= set(names)
    assert {"layer.permanent-basic-farmland", "coverage.permanent-basic-farmland"} <= set(names)
    assert "required" in names["planning"]
    assert {f"{kind}.{role}" for kind in ("layer", "coverage") for role in ROLES} <= set(names)
    assert {"select.planning", "select.construction"} <= set(names)
    boxes = [held for held in outline.all("input") if held["name"] == "policy" and held["type"] == "checkbox"]
    offered = {held["value"]: held for held in boxes}
    assert [held["accept"] for held in outline.all("input") if held["name"] == "policy" and held["type"] == "file"] == [
        ".toml"
    ]
    (blank,) = [held for held in outline.all("button") if held.get("formaction")]
    assert (blank["formaction"], blank["formmethod"]) == ("/policies/facts.toml", "get")
    assert set(offered) == {policy.id for policy in BOOK}
    assert [id for id, held in offered.items() if "disabled" in held and "checked" in held] == ["land-law"]


def test_policies_are_offered_by_place_with_standing_and_date() -> None:
    page = home()
    places = [page.index(f">{place}</h2>") for place in ("全国", "南通市", "浙江省", "湖州市", "柳州市")]
    assert places == sorted(places)
    row = page[page.index('value="nantong-2017"') :]
    assert row.index("通政办发〔2017〕158号") < row.index("现行") < row.index("印发 2017-10-21")


def test_layers_and_earlier_checks_are_shown_with_what_matters_of_them() -> None:
    page = home("en")
    for words in ("dltb.gpkg", "2025-12-31", "coverage declared", "Demo data, invented", "undated", "coverage assumed"):
        assert words in page
    assert 'href="/checks/a1?lang=en"' in page
    assert "2026-11-21 07:30" in page  # China's clocks
    assert "unnamed proposal" in page


def test_registered_layers_take_a_line_for_each_role() -> None:
    several = [pages.LayerCard("land-use", f"dltb-{i}.gpkg", None, "declared", True) for i in range(12)]
    page = pages.home("zh", policies=[], layers=[*several, *CARDS], roles=ROLES, recent=(), nonce=NONCE)
    listed = page[page.index('class="layers"') : page.index('id="recent"')]
    assert re.findall(r'<summary><strong>([^<]+)</strong>.*?<span class="count">(\d+)</span>', listed) == [
        ("土地利用现状", "13"),
        ("道路", "1"),
    ]
    assert all(each.file in listed for each in several)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_fault_of_an_uploaded_policy_is_told(lang: Lang) -> None:
    with pytest.raises(PolicyRefused, match="自编.toml") as refused:
        parse_policy('schema = "geoplan/policy/1"\nid = "x"\nadcode = "1"\n[document]\nnumbr = 1\n', "自编.toml")
    faults = [refused.value, *refused.value.others]
    assert len(faults) > 2
    told = Outline(home(lang, refused.value)).texts["refusal"]
    assert told.count("自编.toml") == 1
    for fault in faults:
        assert str(fault.where) in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refusal_is_told_with_file_place_fault_and_remedy(lang: Lang) -> None:
    refusal = InputRefused("coordinates-not-finite", file="规划.zip", where="规划.shp")
    for given in (refusal, {**refusal.as_dict(), "title": "x", "status": 422}):
        told = Outline(home(lang, given)).texts["refusal"]
        assert told.count("规划.zip") == told.count("规划.shp") == 1
        assert {"zh": "请重新导出", "en": "Export it again"}[lang] in told


# --- Policies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("policy", list(BOOK), ids=lambda policy: policy.id)
def test_a_planner_can_read_every_rule_of_a_policy(policy: Any, lang: Lang) -> None:
    page = pages.policy_page(policy, BOOK, lang, nonce=NONCE)
    texts = Outline(page).texts
    for rule in policy.rules:
        told = texts[f"rule-{rule.id}"]
        assert getattr(rule.title, lang) in told
        for cited in BOOK.cited(policy, rule):
            assert (cited.clause.quote or cited.clause.summary or "?") in told
            assert cited.clause.at in told
        assert f'href="#rule-{rule.id}"' in page
    document = policy.document
    for known in filter(None, (document.title, document.number, document.issuer)):
        assert known in page


def test_limits_and_readings_of_a_rule_are_words() -> None:
    page = pages.policy_page(BOOK.get("huzhou-2018"), BOOK, "zh", nonce=NONCE)
    told = Outline(page).texts["rule-one-per-neighbourhood"]
    assert "“邻近”的距离：3 公里" in told
    area = Outline(pages.policy_page(BOOK.get("nantong-2017"), BOOK, "en", nonce=NONCE)).texts["rule-planning-area"]
    assert "about 3 km²" in area
    assert "planning-area" not in area.replace("planning-area", "", 1)  # its id once, its figure in words


def test_every_policy_is_listed_with_a_link() -> None:
    page = pages.policy_list(list(BOOK), "en", nonce=NONCE)
    assert all(f'href="/policies/{policy.id}?lang=en"' in page for policy in BOOK)


# --- Every page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_can_be_used_by_everybody(reports: Mapping[str, Report], lang: Lang) -> None:
    for name, page in every_page(reports, lang).items():
        outline = Outline(page)
        assert outline.all("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[lang]}], name
        assert outline.headings.count(1) == 1, name
        jumps = [(a, b) for a, b in zip(outline.headings, outline.headings[1:], strict=False) if b > a + 1]
        assert jumps == [], name
        ids = [held["id"] for _, held in outline.elements if held.get("id")]
        assert len(ids) == len(set(ids)), name
        labelled = {held.get("for") for held in outline.all("label")}
        for held in outline.all("input"):
            wrapped = re.search(rf'<label[^>]*>\s*<input[^>]*value="{re.escape(held.get("value") or "-")}"', page)
            assert held.get("type") == "hidden" or held.get("aria-label") or held.get("id") in labelled or wrapped, held
        assert all(held.get("title") for held in outline.all("iframe")), name
        for _, held in outline.elements:
            for reference in (held.get("aria-labelledby"), held.get("aria-describedby")):
                assert reference is None or reference in ids, (name, reference)
        assert outline.all("a")[0] == {"class": "skip", "href": "#main"}, name
        addresses = [held.get("href") or "" for held in outline.all("a")]
        assert {each[1:] for each in addresses if each.startswith("#")} <= set(ids), name
        other = {"zh": "?lang=en", "en": "?lang=zh"}[lang]
        assert any(each.endswith(other) for each in addresses), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_needs_more_than_the_strict_policy_allows(reports: Mapping[str, Report], lang: Lang) -> None:
    for name, page in every_page(reports, lang).items():
        for tag, held in Outline(page).elements:
            assert not [key for key in held if key.startswith("on") or key == "style"], (name, tag)
            assert tag != "script" or (held.get("nonce") == NONCE and held.get("src")), name
            assert not re.match(r"\w+:|//", held.get("src") or ""), name
        assert "{{" not in page, name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_english_pages_speak_english_and_chinese_pages_chinese(reports: Mapping[str, Report], lang: Lang) -> None:
    for name, page in every_page(reports, lang).items():
        assert ("Compliance of characteristic-town boundaries" in page) == (lang == "en"), name
        assert ("特色小镇边界合规检查" in page) == (lang == "zh"), name


class Recorded(dict[str, Mapping[Lang, str]]):
    """The catalogue, remembering which of its messages were said."""

    def __init__(self) -> None:
        super().__init__(catalogue())
        self.said: set[str] = set()

    def __getitem__(self, key: str) -> Mapping[Lang, str]:
        self.said.add(key)
        return super().__getitem__(key)


def rare(reports: Mapping[str, Report]) -> dict[str, Json]:
    """Reports that say what most reports do not, as data."""
    part = box(0, 0, 900, 900)
    known = MemoryLayer("counties", [EVERYWHERE], ["330521"], ["德清县"], covers=EVERYWHERE)
    zone = MemoryLayer("urban-development-boundary", [box(0, 0, 700, 700)], ["010"], ["城镇集中建设区"], covers=part)
    poor = Facts(values={"investment.total": 1e9, "investment.housing": 1e8})
    read = {"id": "read.declared-area", "args": {}, "says": {"zh": "读取说明", "en": "a note on reading"}}
    made = {
        "outside": checked(PLANNING, box(1800, 0, 300, 100), layers=[farmland(box(100, 100, 9, 9), covers=part)]),
        "uncovered": checked(PLANNING, CONSTRUCTION, ("state-council-2020",), [zone, known]),
        "whole": checked(
            PLANNING, layers=[farmland(box(9, 9, 90, 90))], readings={"common.planning-area.about_low": 0.7}
        ),
        "poor": checked(PLANNING, CONSTRUCTION, ("nantong-2017",), facts=poor),
        "edge": checked(PLANNING, None, ("huzhou-2018",), towns=register(town("邻镇", box(4900, 0, 500, 500)))),
    }
    found: dict[str, Any] = {name: json.loads(json.dumps(each.content.as_dict())) for name, each in made.items()}
    for verdict in ("attention", "not-applicable"):
        found[verdict] = {**reports["passing"].content.as_dict(), "verdict": verdict}
    found["poor"]["proposal"]["planning"]["notes"] = [read]
    found["edge"]["plane"]["epsg"] = None
    policy = found["edge"]["policies"][1]
    policy["application"] = "complete"
    next(f for f in policy["findings"] if f["group"] == "city")["verdict"] = "pass"
    return found


def test_every_word_of_pages_and_map_is_used_and_stands_in_both_languages(
    reports: Mapping[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded()
    monkeypatch.setattr(messages, "catalogue", lambda: recorded)
    dated = hostile_policy()
    document = dated.document.model_copy(update={"effective": date(2026, 1, 1), "superseded_by": "x", "until": None})
    dated = dated.model_copy(update={"document": document})
    for lang in LANGUAGES:
        every_page(reports, lang)
        pages.policy_page(dated, PolicyBook((dated,)), lang, nonce=NONCE)
        files = [
            pages.FileRow("overlaps", dict.fromkeys(["shp.zip", "gpkg", "kml", "dxf", "geojson", "txt", "xlsx"], "/"))
        ]
        for content in rare(reports).values():
            pages.result(content, LINKS, lang, nonce=NONCE, files=files)
            assert all(f.limit != "" for p in ReportView(content, lang).policies for f in p.findings)
        partly = [farmland(box(9, 9, 9, 9), covers=box(0, 0, 900, 1900))]
        others = (checked(PLANNING, area, layers=partly) for area in (CONSTRUCTION, box(1800, 0, 300, 100)))
        for report in (*reports.values(), *others):
            draw({**report.content.as_dict(), "invented": True}, of_report(report), lang)
    ours = {key for key in recorded if key.startswith(("view.", "page.", "map."))}
    assert ours - recorded.said == set()
    assert all(set(recorded[key]) >= set(LANGUAGES) for key in ours)


_UNITS = "平方公里|平方米|公顷|公里|米|亩|年|人|亿元|万元|%"


def test_a_figure_stands_apart_from_the_words_around_it(reports: Mapping[str, Report]) -> None:
    """不超过 3 平方公里, as everywhere: a paper's own words (3平方公里) have no space before the unit."""
    found = [result(report) for report in reports.values()]
    found += [pages.policy_page(policy, BOOK, "zh", nonce=NONCE) for policy in BOOK]
    cramped = re.compile(rf"[\u4e00-\u9fff]\d[\d,.]* (?:{_UNITS})")
    assert [each for page in found for each in cramped.findall(page)] == []
    page = pages.policy_page(BOOK.get("land-law"), BOOK, "zh", nonce=NONCE)
    assert "占用永久基本农田以外的耕地：不超过 35 公顷" in page


class Wanted(dict[str, Mapping[Lang, str]]):
    """The catalogue, remembering ids that were looked up for their words and have none."""

    def __init__(self) -> None:
        super().__init__(catalogue())
        self.missed: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.missed.add(key)
        return super().get(key, default)


def test_no_id_is_shown_where_a_word_belongs(reports: Mapping[str, Report], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every policy read, listed and applied: whatever closed list an id is of, it has words."""
    wanted = Wanted()
    monkeypatch.setattr(messages, "catalogue", lambda: wanted)
    everywhere = checked(PLANNING, CONSTRUCTION, tuple(policy.id for policy in BOOK))
    for lang in LANGUAGES:
        for policy in BOOK:
            pages.policy_page(policy, BOOK, lang, nonce=NONCE)
        for report in (*reports.values(), everywhere):
            result(report, lang)
            draw(report.content.as_dict(), of_report(report), lang)
        home(lang)
    by_name = ("word.zone.", "word.role.custom:")  # zones of a layer are called as the layer calls them
    assert {key for key in wanted.missed if not key.startswith(by_name)} == set()


def test_every_reading_and_figure_of_the_policies_has_words_in_both_languages() -> None:
    keys, values, figures = set(), set(), set()

    def walk(key: str, value: Any) -> None:
        if isinstance(value, str):
            values.add(f"word.{'town-stage' if key == 'stages' else 'reading'}.{value}")
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            walk(key, each)

    for rule in (rule for policy in BOOK for rule in policy.rules):
        reading = rule.reading if isinstance(rule.reading, dict) else rule.reading.model_dump()
        figures |= {limit.figure for limit in getattr(rule, "limits", ()) if limit.figure not in KINDS_OWN}
        for key, value in reading.items():
            keys.add(f"word.reading-key.{key}")
            walk(key, value)
    wanted = keys | values | {f"word.figure.{each}" for each in figures}
    assert len(wanted) > 100
    assert {key for key in wanted if not set(LANGUAGES) <= set(catalogue().get(key, ()))} == set()


# --- Hostile data ---------------------------------------------------------------------------------------------

_FREE_TEXT = frozenset(
    {
        "name",
        "patch",
        "class",
        "file",
        "at",
        "quote",
        "summary",
        "paper",
        "title",
        "zh",
        "en",
        "number",
        "crs",
        "by",
        "reason",
    }
)


def poisoned(value: Any, key: str = "") -> Any:
    """A report in which every free text also says what an attacker would say."""
    if isinstance(value, dict):
        return {name: poisoned(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, key) for each in value]
    return value + HOSTILE if isinstance(value, str) and key in _FREE_TEXT else value


def hostile_policy() -> Any:
    said = json.dumps(HOSTILE, ensure_ascii=False).replace("\u2028", "\\u2028")
    return parse_policy(
        'schema = "geoplan/policy/1"\nid = "office"\nadcode = "330500"\n'
        f"place = {{ zh = {said}, en = {said} }}\n"
        f'[document]\ntitle = {said}\nnumber = {said}\nissuer = {said}\nstatus = "in-force"\nnote = {{ zh = {said}, en = {said} }}\n'
        f'[clauses.one]\nat = {said}\nquote = {said}\ntrust = "A"\n'
        f'[[rules]]\nid = "one"\nkind = "manual"\ntitle = {{ zh = {said}, en = {said} }}\nclause = "one"\nstrength = "must"\n'
        f"question = {{ zh = {said}, en = {said} }}\nnote = {{ zh = {said}, en = {said} }}\n",
        "office.toml",
    )


def hostile_pages(report: Report, lang: Lang) -> dict[str, str]:
    policy = hostile_policy()
    book = PolicyBook((policy,))
    content, geometry = poisoned(report.content.as_dict()), of_report(report)
    told = {key: HOSTILE for key in ("title", "detail", "code", "file", "where", "zh", "en")}
    cards = [replace(card, file=HOSTILE, day=HOSTILE) for card in CARDS]
    recent = [replace(card, name=HOSTILE) for card in RECENT]
    return {
        "/checks/1": pages.result(content, LINKS, lang, nonce=NONCE),
        "/checks/1/map": draw(content, geometry, lang, mode="static", nonce=NONCE),
        "/": pages.home(lang, policies=list(book), layers=cards, roles=ROLES, recent=recent, nonce=NONCE, refusal=told),
        "/policies": pages.policy_list(list(book), lang, nonce=NONCE),
        "/policies/office": pages.policy_page(policy, book, lang, nonce=NONCE),
        "/problem": pages.problem({**told, "status": 404}, lang, nonce=NONCE),
    }


@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_text_is_text_on_every_page(browser: Browser, reports: Mapping[str, Report], lang: Lang) -> None:
    made = hostile_pages(reports["failing"], lang)
    for path in made:
        opened = visit(browser, path, made)
        assert "<img src=x" in opened.page.locator("body").inner_text() or path == "/checks/1/map"
        assert opened.page.locator("img").count() == 0
        opened.untouched()
        opened.page.close()


# --- In the browser -------------------------------------------------------------------------------------------


def served(reports: Mapping[str, Report], lang: Lang = "zh") -> dict[str, str]:
    """Every page by its address; the result of the failing report with its map."""
    made = every_page(reports, lang)
    geometry, content = of_report(reports["failing"]), reports["failing"].content.as_dict()
    return {
        "/": made["home"],
        "/checks": made["empty"],
        "/checks/1": made["failing"],
        "/checks/1/map": draw(content, geometry, lang, mode="static", nonce=NONCE),
        "/policies": made["policies"],
        "/policies/huzhou-2018": made["huzhou-2018"],
        "/problem": made["problem"],
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_fit_and_keep_quiet(browser: Browser, reports: Mapping[str, Report], lang: Lang, width: int) -> None:
    made = served(reports, lang)
    for path in made:
        opened = visit(browser, path, made, width=width)
        for folded in opened.page.locator("details").all():
            folded.evaluate("each => { each.open = true; }")
        opened.fits()
        opened.untouched()
        opened.page.close()


@pytest.fixture(name="opened")
def fixture_opened(browser: Browser, reports: Mapping[str, Report]) -> Iterator[Any]:
    opened = visit(browser, "/checks/1", served(reports))
    opened.page.frames[1].wait_for_selector(".geoplan-legend")
    yield opened
    opened.untouched()
    opened.page.close()


def shown_on(page: Page) -> Any:
    return page.frame_locator("iframe").locator(".leaflet-geoplan-shown-pane path")


@pytest.mark.browser
def test_choosing_a_finding_shows_its_evidence_on_the_map(opened: Any) -> None:
    page = opened.page
    page.locator("#huzhou-2018--one-per-neighbourhood a.on-map").click()
    expect(shown_on(page)).to_have_count(2)
    expect(page.locator("#huzhou-2018--one-per-neighbourhood")).to_have_attribute("aria-current", "true")
    page.locator("#patches a.on-map").first.click()
    expect(shown_on(page)).to_have_count(2)
    assert page.locator("[aria-current='true']").count() == 0
    page.locator("#state-council-2020--planning-area a.on-map").click()  # no pieces: the boundary that was measured
    expect(shown_on(page)).to_have_count(2)
    assert page.url.endswith("/checks/1")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_a_patch_number_brings_the_map_into_view_with_the_patch(
    browser: Browser, reports: Mapping[str, Report], width: int
) -> None:
    opened = visit(browser, "/checks/1", served(reports), width=width)
    page = opened.page
    page.frames[1].wait_for_selector(".geoplan-legend", state="attached")
    page.locator("#patches a.on-map").first.scroll_into_view_if_needed()
    page.locator("#patches a.on-map").first.click()
    expect(page.locator("iframe")).to_be_in_viewport(ratio=0.7)
    expect(shown_on(page)).to_have_count(2)
    expect(page.frame_locator("iframe").locator(".geoplan-told")).to_be_visible()
    opened.untouched()


@pytest.mark.browser
def test_what_could_not_be_assessed_shows_where_data_are_missing(
    browser: Browser, reports: Mapping[str, Report]
) -> None:
    content, geometry = reports["bare"].content.as_dict(), of_report(reports["bare"])
    made = {
        "/checks/1": result(reports["bare"]),
        "/checks/1/map": draw(content, geometry, "zh", mode="static", nonce=NONCE),
    }
    opened = visit(browser, "/checks/1", made)
    opened.page.frames[1].wait_for_selector(".geoplan-legend")
    opened.page.locator("#land-law--basic-farmland a.on-map").click()
    expect(shown_on(opened.page)).to_have_count(2)
    opened.untouched()


@pytest.mark.browser
def test_a_print_unfolds_everything_lists_open_questions_shortly_and_folds_again(opened: Any) -> None:
    page = opened.page
    closed = page.locator("details:not([open])").count()
    assert closed > 10
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    question = page.locator(".group-fold .finding.not-assessed").first
    assert not question.locator(".body").is_visible()
    assert (question.bounding_box() or {})["height"] < 60
    assert page.locator("#nantong-2017--town-hall .sentence").is_visible()
    assert page.locator(".finding.pass .body .clause").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == closed


@pytest.mark.browser
def test_a_printed_legend_stands_whole_on_its_map(opened: Any) -> None:
    page, frame = opened.page, opened.page.frames[1]
    for each in page.frame_locator("iframe").get_by_role("checkbox").all():
        each.check()
    page.emulate_media(media="print")
    page.wait_for_timeout(300)
    sizes = frame.evaluate(
        """() => [".geoplan-legend", ".leaflet-container"].map(each => {
            const {top, bottom} = document.querySelector(each).getBoundingClientRect(); return [top, bottom]; })"""
    )
    (top, bottom), (above, below) = sizes
    assert above <= top < bottom <= below
    body = page.frame_locator("iframe").locator(".geoplan-legend-body")
    assert body.evaluate("each => each.scrollHeight <= each.clientHeight + 1")


@pytest.mark.browser
def test_clicking_a_patch_chooses_its_finding(opened: Any) -> None:
    page, frame = opened.page, opened.page.frames[1]
    place = frame.evaluate(
        """() => { const shape = drawing._shapes.get("permanent-basic-farmland.construction.1");
        map_geoplan.fitBounds(shape.getBounds(), {animate: false});
        return map_geoplan.latLngToContainerPoint(shape.getBounds().getCenter()); }"""
    )
    page.locator("iframe").scroll_into_view_if_needed()
    page.locator("iframe").click(position={"x": place["x"], "y": place["y"]})
    expect(page.locator("#land-law--basic-farmland")).to_have_attribute("aria-current", "true")
    expect(page.locator("#land-law--basic-farmland")).to_be_in_viewport()
    expect(page.frame_locator("iframe").locator(".geoplan-told")).to_be_visible()
    expect(shown_on(page)).to_have_count(2)


@pytest.mark.browser
def test_the_address_of_a_page_opens_a_finding_even_where_it_is_folded(
    browser: Browser, reports: Mapping[str, Report]
) -> None:
    opened = visit(browser, "/checks/1#nantong-2017--town-hall", served(reports))
    finding = opened.page.locator("#nantong-2017--town-hall")
    expect(finding).to_be_in_viewport()
    expect(finding).to_have_attribute("aria-current", "true")
    opened.untouched()


@pytest.mark.browser
def test_findings_and_map_are_joined_without_a_script_too(browser: Browser, reports: Mapping[str, Report]) -> None:
    made = served(reports)
    made["/checks/1"] = re.sub(r"<script.*?</script>", "", made["/checks/1"])
    opened = visit(browser, "/checks/1", made)
    opened.page.frames[1].wait_for_selector(".geoplan-legend")
    opened.page.locator("#huzhou-2018--one-per-neighbourhood a.on-map").click()
    expect(shown_on(opened.page)).to_have_count(2)
    opened.untouched()


@pytest.mark.browser
def test_the_map_stands_beside_the_findings_or_below_them(browser: Browser, reports: Mapping[str, Report]) -> None:
    made = served(reports)
    for width, beside in ((1440, True), (390, False)):
        page = visit(browser, "/checks/1", made, width=width).page
        findings, shown = page.locator("#findings").bounding_box(), page.locator("iframe").bounding_box()
        assert findings is not None
        assert shown is not None
        assert (shown["x"] > findings["x"] + findings["width"] - 1) == beside
        assert (shown["y"] > findings["y"] + findings["height"] - 1) == (not beside)


@pytest.mark.browser
def test_the_form_shows_chosen_files_and_tells_a_refusal_without_losing_them(
    browser: Browser, reports: Mapping[str, Report], tmp_path: Path
) -> None:
    file = tmp_path / "规划<b>.zip"
    file.write_bytes(b"x" * 2500)
    made = served(reports)
    opened = visit(browser, "/", made)
    page = opened.page
    sent: list[bytes] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.fulfill(body=made["/checks"], status=422, content_type="text/html; charset=utf-8")

    page.route("**/checks", answer)
    page.set_input_files("#planning", file)
    expect(page.locator(".drop.chosen .drop-files")).to_have_text("规划<b>.zip (3 kB)")
    page.get_by_role("checkbox", name="通政办发〔2017〕158号").check()
    page.get_by_role("button", name="开始检查").click()
    expect(page.get_by_role("alert")).to_contain_text("规划.shp")
    expect(page.get_by_role("button", name="开始检查")).to_be_enabled()
    expect(page.locator(".drop.chosen")).to_have_count(1)
    assert b'name="policy"\r\n\r\nnantong-2017' in sent[0]
    assert b'name="construction"' not in sent[0]
    assert opened.said == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]


@pytest.mark.browser
def test_the_form_says_when_the_line_is_lost(browser: Browser, reports: Mapping[str, Report], tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    page = visit(browser, "/", served(reports)).page
    page.set_input_files("#planning", tmp_path / "a.zip")
    page.route("**/checks", lambda route: route.abort())
    page.get_by_role("button", name="开始检查").click()
    expect(page.get_by_role("alert")).to_contain_text("连接中断")


@pytest.mark.browser
@pytest.mark.parametrize("scripted", [True, False])
def test_the_form_takes_an_own_policy_a_select_and_gives_a_blank_facts_file(
    browser: Browser, service: Running, tmp_path: Path, scripted: bool
) -> None:
    both = frame(box(0, 0, 1700, 1700), box(300, 300, 900, 900), 类型=["甲", "乙"])
    (tmp_path / "边界.gpkg").write_bytes(gpkg(tmp_path, both))
    shipped = (Path(__file__).parents[1] / "geoplan/policies/nantong-2017.toml").read_text(encoding="utf-8")
    (tmp_path / "自编.toml").write_text(
        shipped.replace('id = "nantong-2017"', 'id = "own-office"', 1), encoding="utf-8"
    )
    page = browser.new_context(java_script_enabled=scripted).new_page()
    page.goto(f"{service.client.base_url}?lang=zh")
    page.get_by_role("checkbox", name="通政办发〔2017〕158号").check()
    with page.expect_download() as blank:
        page.get_by_role("button", name="空白申报表").click()
    text = blank.value.path().read_text(encoding="utf-8")
    assert "nantong-2017" in text.splitlines()[0]
    page.get_by_role("checkbox", name="通政办发〔2017〕158号").uncheck()
    page.set_input_files("#planning", tmp_path / "边界.gpkg")
    page.get_by_text("文件里有多个图层或多个方案").click()
    page.locator("#select-planning").fill("[类型=甲]")
    page.locator("#select-construction").fill("[类型=乙]")
    page.set_input_files("#own-policy", tmp_path / "自编.toml")
    page.get_by_role("button", name="开始检查").click()
    page.wait_for_url("**/checks/*?lang=zh")
    assert page.get_by_role("heading", level=1).inner_text().startswith("“边界”")
    assert page.locator("#policy-own-office").count() == 1
    assert page.locator(".measures").inner_text().count("边界.gpkg") == 2


@pytest.mark.browser
@pytest.mark.parametrize("scripted", [True, False])
def test_the_form_leads_to_the_result_of_a_real_service(
    browser: Browser, service: Running, planning: bytes, farmland: bytes, tmp_path: Path, scripted: bool
) -> None:
    (tmp_path / "规划.gpkg").write_bytes(planning)
    (tmp_path / "农田.gpkg").write_bytes(farmland)
    page = browser.new_context(java_script_enabled=scripted).new_page()
    page.goto(f"{service.client.base_url}?lang=zh")
    page.set_input_files("#planning", tmp_path / "规划.gpkg")
    page.get_by_text("本次使用的参考图层").click()
    page.get_by_label("永久基本农田 · 图层").set_input_files(tmp_path / "农田.gpkg")
    page.get_by_label("方案名称").fill("试验小镇")
    page.get_by_role("button", name="开始检查").click()
    page.wait_for_url("**/checks/*?lang=zh")
    assert "“试验小镇”" in page.get_by_role("heading", level=1).inner_text()
    if scripted:
        page.locator("#land-law--basic-farmland a.on-map").click()
        expect(shown_on(page)).to_have_count(2)


@pytest.mark.browser
def test_the_form_works_without_a_script(browser: Browser, reports: Mapping[str, Report], tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    made = served(reports)
    made["/"] = re.sub(r"<script.*?</script>", "", made["/"])
    page = visit(browser, "/", made).page
    page.set_input_files("#planning", tmp_path / "a.zip")
    page.get_by_role("button", name="开始检查").click()
    expect(page.get_by_role("alert")).to_contain_text("请重新选择文件")


@pytest.mark.browser
def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, reports: Mapping[str, Report]) -> None:
    page = visit(browser, "/", served(reports)).page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#planning")).to_be_focused()
    outline = page.locator(".drop").first.evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline == "solid"
