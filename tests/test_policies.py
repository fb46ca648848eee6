# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Policies say what their papers say: quotes verbatim, figures in their quotes, every row of the tables."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from builders import policy_text
from geoplan.errors import CallRefused, PolicyRefused
from geoplan.messages import LANGUAGES, say, word
from geoplan.policy import ALWAYS, KINDS, Policy, PolicyBook, misquotes, parse_policy, shipped
from geoplan.policy.figures import figures
from geoplan.policy.quotes import stated_figures
from geoplan_web.policy import PolicySheet

BOOK = PolicyBook()
SOURCES = {
    each: f"{each}.txt" for each in ("nantong-2017", "huzhou-2018", "jiaxing-2016", "yushui-2017", "liuzhou-2018")
}
ABOVE = "higher-level-texts.md"
TEN = {*SOURCES, "zhejiang-2015", "state-council-2020", "national-2021", "land-law", "common"}


def squeezed(text: str) -> str:
    """Text without white space, Markdown emphasis and the marks of the copies; half and full width alike."""
    plain = re.sub(r"[\s*‖]", "", text)
    return plain.translate(str.maketrans(",;:()—–", "，；：（）--"))


def test_all_ten_policies_load() -> None:
    assert set(shipped()) == TEN


@pytest.mark.parametrize("policy", shipped().values(), ids=list(shipped()))
def test_every_figure_stands_in_its_clause(policy: Policy) -> None:
    assert misquotes(policy, BOOK) == ()


@pytest.mark.parametrize("policy", shipped().values(), ids=list(shipped()))
def test_quotes_are_verbatim(policy: Policy, real_data: Path) -> None:
    folder = real_data / "policy-sources"
    name = SOURCES.get(policy.id, ABOVE)
    text = squeezed((folder / name).read_text(encoding="utf-8"))
    if name == ABOVE:
        text += squeezed((real_data / "POLICIES.md").read_text(encoding="utf-8"))
    for key, clause in policy.clauses.items():
        for part in (clause.quote or "").split("…"):
            assert squeezed(part) in text, (key, part)


def test_the_verbatim_test_notices_a_changed_quote_and_a_changed_figure() -> None:
    text = files("geoplan.policies").joinpath("nantong-2017.toml").read_text(encoding="utf-8")
    changed = parse_policy(text.replace("about_m2 = 3_000_000", "about_m2 = 3_500_000"), "nantong-2017.toml")
    (wrong,) = misquotes(changed, BOOK)
    assert (wrong.rule, wrong.figure, wrong.unit) == ("planning-area", 3_500_000, "m2")
    assert squeezed("规划面积一般控制在4平方公里左右") not in squeezed(text)


TABLE_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([a-z-]+) \| ([a-z-]+) \| .*\|$")


def rows(page: str) -> dict[str, list[tuple[str, str, str]]]:
    """Rows (id, kind, strength) of every table of the page of rules, by the policy of its heading."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    policy = ""
    for line in page.splitlines():
        heading = re.match(r"^## \d+\. `([a-z0-9-]+)`", line)
        if heading:
            policy = heading[1]
        elif line.startswith("## "):
            policy = ""
        row = TABLE_ROW.match(line)
        if row and policy and row[2] in KINDS:
            found.setdefault(policy, []).append((row[1], row[2], row[3]))
    return found


def test_every_row_of_the_tables_is_a_rule(real_data: Path) -> None:
    tables = rows((real_data / "POLICIES.md").read_text(encoding="utf-8"))
    assert {p: len(r) for p, r in tables.items()} == {
        "nantong-2017": 27, "huzhou-2018": 34, "jiaxing-2016": 22, "yushui-2017": 24, "liuzhou-2018": 32, "land-law": 6, "common": 5,
    }  # fmt: skip
    for policy, wanted in tables.items():
        assert [(r.id, r.kind, r.strength) for r in shipped()[policy].rules] == wanted


@pytest.mark.parametrize(
    ("policy", "ids"),
    [
        ("zhejiang-2015", "planning-area construction-area independence investment-total investment-total-light investment-featured"),
        ("state-council-2020", "planning-area clear-boundary independent-space basic-farmland ecological-redline urban-development-boundary debt-warning housing-share list"),
        ("national-2021", "planning-area construction-land housing green featured-investment investment-per-mu productivity jobs tax-per-mu visitors three-new research"),
    ],
)  # fmt: skip
def test_papers_above_hold_the_rules_named(policy: str, ids: str) -> None:
    assert {r.id for r in shipped()[policy].rules} == set(ids.split())


@pytest.mark.parametrize("policy", shipped().values(), ids=list(shipped()))
def test_every_rule_is_shown_in_both_languages(policy: Policy) -> None:
    for lang in LANGUAGES:
        sheet = PolicySheet(policy, BOOK, lang)
        shown = [rule for group in ("spatial", "application", "city") for rule in sheet.group(group)]
        assert len(shown) == len(policy.rules)
        for rule in shown:
            assert rule.title
            assert rule.clauses[0].words
            assert all("{" not in line for line in (*rule.limits, *rule.readings))


def test_the_land_law_comes_first_and_cannot_be_switched_off() -> None:
    assert [p.id for p in BOOK.chosen(("nantong-2017",))] == [ALWAYS, "nantong-2017"]
    assert [p.id for p in BOOK.chosen(())] == [ALWAYS, "common"]
    assert [p.id for p in BOOK.chosen((ALWAYS, "nantong-2017", "nantong-2017"))] == [ALWAYS, "nantong-2017"]


def test_an_unknown_policy_lists_those_there_are() -> None:
    with pytest.raises(CallRefused, match=r"there is no policy nantong\. There are: common, huzhou-2018"):
        BOOK.chosen(("nantong",))


NANTONG = files("geoplan.policies").joinpath("nantong-2017.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "area"', 'kind = "aera"', r"rules\[planning-area\]: there is no rule of kind aera"),
        (
            "about_m2 = 3_000_000",
            "about_km2 = 3",
            r"rules\[planning-area\]\.limits\[1\]: unknown key 'about_km2'.*as in max_m2",
        ),
        ("about_m2 = 3_000_000", "about_m2 = 3_000_000, max_m = 3", r"one limit has one unit"),
        ('of = "planning"', 'of = "all"', r"rules\[planning-area\]\.of: the value all is not one of 'planning'"),
        ('strength = "generally"', 'strength = "always"', r"strength: the value always is not one of 'must'"),
        ('clause = "scale"', 'clause = "scal"', r"cites the clause 'scal'; the file has"),
        ("[document]", "[document]\ncolour = 1", r"document\.colour: there is no such key"),
        ("[document]", "[document]\n[document]", r"not a TOML file \(Cannot declare"),
        ('id = "construction-area"', 'id = "planning-area"', r"two rules share the id planning-area"),
        ('figure = "investment.net_total"', 'figure = "investment.nett"', r"asks for the figure 'investment.nett'"),
        (
            'schema = "geoplan/policy/1"',
            'schema = "geoplan/policy/2"',
            r"schema: the value geoplan/policy/2 is not one of 'geoplan/policy/1'",
        ),
        ('instead_of = "investment-total"', 'instead_of = "investment"', r"stands instead of 'investment'"),
    ],
)
def test_a_wrong_policy_file_says_where_and_what(old: str, new: str, says: str) -> None:
    assert old in NANTONG
    with pytest.raises(PolicyRefused, match=says):
        parse_policy(NANTONG.replace(old, new, 1), "nantong-2017.toml")


def test_an_offices_policy_may_not_take_a_shipped_id_and_may_cite_a_shipped_clause() -> None:
    with pytest.raises(CallRefused, match="the policy id nantong-2017 is taken"):
        PolicyBook((parse_policy(NANTONG, "nantong-2017.toml"),))
    own = parse_policy(
        'schema = "geoplan/policy/1"\nid = "own"\nadcode = "320600"\nplace = { zh = "x", en = "x" }\n'
        '[document]\ntitle = "x"\nstatus = "in-force"\n[[rules]]\nid = "a"\nkind = "area"\n'
        'title = { zh = "x", en = "x" }\nclause = "nantong-2017:scale"\nstrength = "must"\nof = "planning"\n'
        'limits = [{ figure = "planning-area", about_m2 = 3_000_000 }]\n',
        "own.toml",
    )
    book = PolicyBook((own,))
    assert book.cited(own, own.rules[0])[0].policy == "nantong-2017"
    assert misquotes(own, book) == ()
    broken = own.model_copy(update={"rules": (own.rules[0].model_copy(update={"clause": "nantong-2017:nowhere"}),)})
    with pytest.raises(PolicyRefused, match="there is no clause nantong-2017:nowhere"):
        PolicyBook((broken,))


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("规划面积一般控制在3平方公里左右", (3e6, "m2")),
        ("控制在1—5平方公里", (1e6, "m2")),
        ("控制在1—5平方公里", (5e6, "m2")),
        ("不少于1/2平方公里", (5e5, "m2")),
        ("完成项目投资30亿元", (3e9, "yuan")),
        ("不低于200万元/亩", (2e6, "yuan_per_mu")),
        ("社会投入要达到5亿元/每平方公里及以上", (5e8, "yuan_per_km2")),
        ("吸纳就业人数原则上不少于2000人", (2000, "people")),
        ("不少于50万人次/年", (500_000, "people_per_year")),
        ("占比不低于70%", (0.7, "share")),
        ("耕地超过三十五公顷的", (350_000, "m2")),
        ("其他土地超过七十公顷的", (700_000, "m2")),
        ("按照3A级以上景区标准", (3, "grade")),
        ("只培育1-2个特色小镇", (2, "count")),
        ("2—3个联动产业", (3, "count")),
        ("每个村庄补助3—5万元/个", (30_000, "yuan")),
    ],
)
def test_numbers_of_a_text_are_read(text: str, figure: tuple[float, str]) -> None:
    assert figure in stated_figures(text)


def test_a_figure_with_a_unit_is_no_bare_count() -> None:
    assert (3, "count") not in stated_figures("规划面积一般控制在3平方公里左右")


def test_every_type_class_and_figure_that_rules_name_has_words() -> None:
    for policy in shipped().values():
        for rule in policy.rules:
            for name in (*rule.types, *getattr(rule, "relaxed", ())):
                assert word("type", name, "zh") != name, (policy.id, rule.id, name)
            for name in (*getattr(rule, "classes", ()), *getattr(rule, "planned", ()), *getattr(rule, "careful", ())):
                assert word("class", name, "zh") != name, (policy.id, rule.id, name)
            for limit in (*getattr(rule, "limits", ()), *getattr(rule, "when", ())):
                for choice in limit.one_of or ():
                    assert word("type", choice, "zh") != choice, (policy.id, rule.id, choice)
    assert all(figure.zh and figure.en for figure in figures().values())


def test_announced_clauses_decide_nothing() -> None:
    clause = shipped()["land-law"].clauses["farmland-act-24"]
    from datetime import date

    assert clause.announced
    assert not clause.decides_on(date(2027, 6, 1))
    assert say is not None


def test_a_group_of_land_that_there_is_not_is_refused() -> None:
    rule = """
[[rules]]
id = "farm"
kind = "minimise"
title = { zh = "耕地", en = "farmland" }
clause = "c"
strength = "should"
layer = "land-use"
classes = ["cultivted"]
"""
    with pytest.raises(PolicyRefused, match=r"rules\[farm\].*'cultivted' is no group of land; there are: .*cultivated"):
        parse_policy(policy_text(rule), "office.toml")
