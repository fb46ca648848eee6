"""The map: what is drawn, how much it weighs, and what it does in a browser with the network closed."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from browsing import HOSTILE, NONCE, Visit, fixture_browser, visit  # noqa: F401 - the fixture is used by name
from builders import EVERYWHERE, HUZHOU, MemoryLayer, box, checked, farmland, land_use, register, town
from geoplan.messages import LANGUAGES, Lang
from geoplan.plane import Plane
from geoplan.report import Context, Report
from geoplan_layers.overlaps import Overlaps, of_report
from geoplan_web.map import draw
from geoplan_web.map_points import PointTable, vlq

Json = dict[str, Any]
PLANNING, CONSTRUCTION = box(0, 0, 1732, 1732), box(300, 300, 1000, 1000)


# --- Samples --------------------------------------------------------------------------------------------------


def grid(size: float, count: int) -> list[shapely.Polygon]:
    """Square patches around the site, one beside the other."""
    start = 866 - size * count / 2
    return [box(start + i * size, start + j * size, size, size) for i in range(count) for j in range(count)]


def everything() -> Report:
    """A proposal that breaks much: farmland hit in both parts, a sliver, a redline, towns near by, another layer."""
    fields = [box(250, 350, 200, 150), box(700, 1250, 150, 250), box(1200, 1400, 100, 100), box(1900, 100, 100, 100)]
    sliver = box(1299.97, 500, 40, 30)
    squares = grid(150, 20)
    codes = [("0101", "0301", "0701", "1104", "1006")[i % 5] for i in range(len(squares))]
    zones = MemoryLayer(
        "urban-development-boundary", [box(300, 300, 700, 1000)], ["010"], ["城镇集中建设区"], covers=EVERYWHERE
    )
    return checked(
        PLANNING,
        CONSTRUCTION,
        ("state-council-2020", "huzhou-2018"),
        [
            farmland(*fields, sliver, ridges=[0.1, 0, 0, 0, 0]),
            land_use(list(zip(codes, squares, strict=True))),
            MemoryLayer("ecological-redline", [box(-400, 900, 300, 300)], covers=EVERYWHERE),
            zones,
            MemoryLayer("roads", [shapely.LineString([(510_000, 3_416_000), (511_000, 3_417_000)])], covers=EVERYWHERE),
        ],
        register(town("邻镇", box(4000, 0, 500, 500)), town("点镇", box(0, 5000, 1, 1).centroid)),
    )


@pytest.fixture(name="report", scope="module")
def fixture_report() -> Report:
    return everything()


def data_of(page: str) -> Json:
    """The JSON document of a map page."""
    found = re.search(r'<script type="application/json" id="geoplan-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: Json = json.loads(found[1])
    return data


def drawn(report: Report, lang: Lang = "zh") -> Json:
    return data_of(draw(report.content.as_dict(), of_report(report), lang))


def layers_of(data: Json) -> dict[str, Json]:
    """Layers by group and title, each with its columns row by row."""
    return {
        f"{group['title']}/{layer['title']}": {**layer, "rows": {k: column(v) for k, v in layer["rows"].items()}}
        for group in data["groups"]
        for layer in group["layers"]
    }


def column(written: Any) -> list[Any]:
    """A column row by row."""
    if isinstance(written, list):
        return written
    if "of" in written:
        return [written["of"][at] for at in numbers(written["at"])]
    printed = [f"{figure / 100:,.2f}" for figure in numbers(written["hundredths"])]
    return [list(pair) for pair in zip(printed[::2], printed[1::2], strict=True)]


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def numbers(text: str) -> list[int]:
    """Base64 VLQ read back, as its definition says."""
    found, value, shift = [], 0, 0
    for digit in map(DIGITS.index, text):
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return found


def read(text: str, table: str) -> list[list[tuple[float, float]]]:
    """The rings or lines of a written shape, in degrees."""
    points = np.cumsum(np.array(numbers(table)).reshape(-1, 2), axis=0) / 1e6
    runs = re.split("[ ;]", text.replace("-", "").replace(".", ""))
    return [[(points[i][0], points[i][1]) for i in np.cumsum(steps(run))] for run in runs]


def steps(run: str) -> list[int]:
    """Differences of numbers of vertices; ``*`` and a number stand for so many times one."""
    first, *others = run.split("*")
    found = numbers(first)
    for count, *rest in map(numbers, others):
        found += [1] * count + rest
    return found


# --- What is written ------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-(10**10), 10**10)))
def test_numbers_survive_being_written(values: list[int]) -> None:
    assert numbers(vlq(values)) == values


@given(st.lists(st.tuples(st.floats(120, 121), st.floats(30, 31)), min_size=3, max_size=12))
def test_a_shape_is_written_to_a_millionth_of_a_degree(corners: list[tuple[float, float]]) -> None:
    hull = shapely.convex_hull(shapely.MultiPoint(corners))
    table = PointTable()
    written = table.write(hull)
    (ring,) = read(written, table.text())
    if written.startswith((".", "-")):  # too flat for an area
        return
    assert shapely.hausdorff_distance(shapely.LinearRing(ring), shapely.boundary(hull)) < 1e-6


def test_holes_and_parts_stand_apart_and_share_their_vertices() -> None:
    table = PointTable()
    whole = shapely.box(120, 30, 121, 31)
    ring = whole.difference(shapely.box(120.2, 30.2, 120.4, 30.4))
    both = shapely.MultiPolygon([shapely.box(121, 30, 122, 31), shapely.box(123, 30, 124, 31)])
    assert [len(each) for each in read(table.write(ring), table.text())] == [4, 4]
    assert table.write(both).count(";") == 1
    assert len(numbers(table.text())) == 2 * (4 + 4 + 8 - 2)  # two corners are the neighbour's


def test_a_sliver_too_thin_for_the_page_becomes_a_point() -> None:
    table = PointTable()
    written = table.write(shapely.box(120, 30, 120.5, 30 + 1e-8))
    assert written.startswith(".")
    ((place,),) = read(written, table.text())
    assert place == pytest.approx((120.25, 30))


def test_a_line_of_no_length_becomes_a_point() -> None:
    table = PointTable()
    written = table.write(shapely.LineString([(120, 30), (120, 30)]))
    assert (written, read(written, table.text())) == (".A", [[(120, 30)]])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_piece_of_evidence_is_drawn_once(report: Report, lang: Lang) -> None:
    seen = [
        layer["starts"].get("id", "") + end
        for layer in layers_of(drawn(report, lang)).values()
        for end in layer["rows"].get("id", ["" for _ in layer["rows"]["shape"]] if "id" in layer["starts"] else [])
    ]
    boundaries = [f"boundary.{part}" for part in ("planning", "construction")]
    unknown = [each for each in seen if each.startswith("uncovered.")]
    assert sorted(seen) == sorted([*of_report(report).evidence, *boundaries, *unknown])


def test_farmland_is_told_by_part_with_slivers_apart(report: Report) -> None:
    layers = layers_of(drawn(report))
    counts = {title: len(layer["rows"]["shape"]) for title, layer in layers.items() if title.startswith("永久基本农田")}
    assert counts == {
        "永久基本农田/建设范围内": 2,
        "永久基本农田/规划范围其余部分": 4,
        "永久基本农田/疑似碎面": 1,
        "永久基本农田/周边（未占用）": 5,
    }
    hit = layers["永久基本农田/建设范围内"]
    assert hit["styles"][0]["hatch"]["spaceColor"] == "#ffff00"
    assert hit["styles"][0]["color"] == "#ff0000"
    assert ["22,499.94", "33.75"] in hit["rows"]["area"]
    assert "20,249.95" in {m2 for m2, _ in hit["rows"]["net"]}


def test_a_patch_leads_to_every_finding_that_cites_it(report: Report) -> None:
    data = drawn(report)
    hit = layers_of(data)["永久基本农田/建设范围内"]
    cited = {data["findings"][i]["anchor"] for i in hit["rows"]["findings"][0]}
    assert cited == {"land-law--basic-farmland", "state-council-2020--basic-farmland"}


def test_reference_layers_end_at_500_metres_and_neighbours_do_not(report: Report) -> None:
    data, table = drawn(report), drawn(report)["points"]
    layers = layers_of(data)
    reach = shapely.buffer(PLANNING, 501)

    def ground(layer: Json) -> shapely.Geometry:
        lonlat = [shapely.LineString(run) for text in layer["rows"]["shape"] for run in read(text, table)]
        return HUZHOU.bring(shapely.MultiLineString(lonlat), _degrees()) if lonlat else shapely.Point()

    assert reach.covers(ground(layers["周边 500 米/土地利用现状"]))
    assert reach.covers(ground(layers["周边 500 米/道路"]))
    assert not reach.covers(ground(layers["周边小镇与距离/最近距离"]))


def _degrees() -> Any:
    from geoplan.crs import recognise

    frame = recognise(4490)
    assert frame is not None
    return frame


def test_simplifying_tears_no_shared_side_apart() -> None:
    line = shapely.LineString([(510_000 + 100 + i * 20, 3_416_000 + 600 + 0.02 * (-1) ** i) for i in range(20)])
    left, right = shapely.ops.split(box(100, 300, 380, 600), line).geoms
    report = checked(PLANNING, None, (), [land_use([("0101", left), ("0301", right)])])
    table = drawn(report)["points"]
    shown = layers_of(drawn(report))["周边 500 米/土地利用现状"]["rows"]["shape"]
    first, second = (shapely.Polygon(read(text, table)[0]) for text in shown)
    assert len(read(shown[0], table)[0]) < 20
    assert shapely.area(shapely.intersection(first, second)) == 0
    assert shapely.relate_pattern(first, second, "FF*F1****")


def test_the_map_says_which_data_are_missing() -> None:
    part = box(0, 0, 1000, 2000)
    bare = drawn(checked(PLANNING, CONSTRUCTION, ("state-council-2020",), []))
    assert bare["missing"] == ["永久基本农田", "土地利用现状", "生态保护红线", "城镇开发边界"]
    some = drawn(checked(PLANNING, CONSTRUCTION, (), [farmland(box(5000, 0, 10, 10), covers=part)]), "en")
    assert any(
        re.fullmatch(r"permanent basic farmland \(covers only \d+(\.\d+)? %\)", each) for each in some["missing"]
    )


def half_known(*policies: str) -> Report:
    """Farmland known in the west only, the other layers not at all."""
    west = box(-500, -500, 1000, 3000)
    return checked(PLANNING, CONSTRUCTION, policies, [farmland(box(100, 400, 50, 50), covers=west)])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_ground_without_data_is_drawn_first_of_all_and_is_no_farmland(lang: Lang) -> None:
    report = half_known()
    data = drawn(report, lang)
    first = data["groups"][0]["layers"][0]
    assert first["title"] == {"zh": "没有数据，无法评定", "en": "No data: not assessed"}[lang]
    (style,) = first["styles"]
    assert (style["hatch"]["angle"], style["cross"]["angle"], style["color"]) == (45, 135, "#767676")
    assert (
        first["rows"]["roles"]
        == {
            "zh": [["规划用地布局", "土地利用现状", "生态保护红线"], ["永久基本农田"]],
            "en": [["planned land use", "land use", "ecological redline"], ["permanent basic farmland"]],
        }[lang]
    )
    rest = of_report(report)
    (unknown,) = (each.shape for each in rest.context if each.groups == ("uncovered",) and each.role.startswith("perm"))
    assert shapely.area(unknown) == pytest.approx(
        shapely.area(shapely.difference(PLANNING, box(-500, -500, 1000, 3000)))
    )
    near = {"zh": "永久基本农田/周边（未占用）", "en": "Permanent basic farmland/Near by, not touched"}[lang]
    assert len(layers_of(data)[near]["rows"]["shape"]) == 1


def test_a_finding_that_lacks_a_layer_is_shown_by_the_ground_without_data() -> None:
    data = drawn(half_known("state-council-2020"))
    rows = data["groups"][0]["layers"][0]["rows"]
    cited = {
        role: {data["findings"][i]["anchor"] for i in findings}
        for roles, findings in zip(rows["roles"], rows["findings"], strict=True)
        for role in roles
    }
    assert "land-law--basic-farmland" in cited["永久基本农田"]
    assert "land-law--ecological-redline" in cited["生态保护红线"]


@pytest.mark.parametrize(
    ("east", "shown"), [(2000, ["towns.planning.1"]), (4000, ["towns.planning.1", "towns.planning.2"]), (9000, None)]
)
def test_a_finding_of_distances_is_shown_by_those_that_decide(east: float, shown: list[str] | None) -> None:
    """One breaks, both break, or neither: then the nearest alone."""
    towns = register(
        town("甲", box(PLANNING.bounds[2] - 510_000 + 1000, 0, 50, 50)), town("乙", box(east, 9000, 50, 50))
    )
    if shown is None:
        towns = register(town("甲", box(9000, 0, 50, 50)), town("乙", box(12000, 0, 50, 50)))
    elif len(shown) == 2:
        towns = register(town("甲", box(2700, 0, 50, 50)), town("乙", box(east, 0, 50, 50)))
    data = drawn(checked(PLANNING, CONSTRUCTION, ("huzhou-2018",), [], towns))
    found = next(f for f in data["findings"] if f["anchor"] == "huzhou-2018--one-per-neighbourhood")
    assert found["shows"] == (shown or ["towns.planning.1"])


def test_a_lone_planning_boundary_is_drawn_whole() -> None:
    data = drawn(checked(PLANNING, None, (), [farmland(box(100, 100, 50, 50))]))
    assert list(layers_of(data))[1:3] == ["边界/规划范围", "永久基本农田/规划范围内"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_report_gives_the_same_page(report: Report, lang: Lang) -> None:
    content, overlaps = report.content.as_dict(), of_report(report)
    assert draw(content, overlaps, lang) == draw(content, overlaps, lang)


def test_the_page_names_its_language_title_verdict_and_what_it_is_not(report: Report) -> None:
    page = draw({**report.content.as_dict(), "invented": True}, of_report(report), "zh")
    assert '<html lang="zh-CN">' in page
    assert "<title>试验小镇 · 合规性分析图</title>" in page
    for words in ("不通过", "检查日期 2026-11-21", report.id, "演示数据，虚构", "不代替行政审批"):
        assert words in page
    english = draw(report.content.as_dict(), of_report(report), "en")
    assert '<html lang="en">' in english
    assert "Demo data, invented" not in english


def test_a_page_loads_nothing_from_elsewhere(report: Report) -> None:
    for mode in ("inline", "static"):
        page = draw(report.content.as_dict(), of_report(report), "zh", mode=mode, nonce=NONCE)
        addresses = re.findall(r"""<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=["']([^"']+)""", page)
        assert all(each.startswith(("/static/", "data:")) for each in addresses)
        assert not addresses or mode == "static"


def test_one_boundary_on_a_dense_layer_weighs_less_than_150_kb() -> None:
    squares = [shapely.segmentize(each, 25) for each in grid(70, 40)]  # 1600 patches of half a hectare, 16 sides each
    codes = [("0101", "0301", "0701")[i % 3] for i in range(len(squares))]
    patches = land_use(list(zip(codes, squares, strict=True)))
    hit = farmland(*(each for each, code in zip(squares, codes, strict=True) if code == "0101"))
    report = checked(PLANNING, CONSTRUCTION, ("state-council-2020",), [patches, hit])
    served = draw(report.content.as_dict(), of_report(report), "zh", mode="static", nonce=NONCE).encode()
    assert len(data_of(served.decode())["findings"]) > 3
    assert len(served) < 150_000
    assert len(gzip.compress(served)) < 30_000


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
        "adcode",
    }
)


def poisoned(value: Any, key: str = "") -> Any:
    """A report in which every free text also says what an attacker would say."""
    if isinstance(value, dict):
        return {name: poisoned(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, key) for each in value]
    return value + HOSTILE if isinstance(value, str) and key in _FREE_TEXT else value


def poisoned_geometry(overlaps: Overlaps) -> Overlaps:
    def worse(each: Context) -> Context:
        return replace(each, patch=each.patch + HOSTILE, name=each.name + HOSTILE, code=each.code + HOSTILE)

    other = Context(f"custom:{HOSTILE}", "1", HOSTILE, HOSTILE, box(500, 500, 50, 50))
    return replace(overlaps, context=(*map(worse, overlaps.context), other))


def test_nothing_of_a_file_is_read_as_a_template_on_the_server(report: Report) -> None:
    page = draw(poisoned(report.content.as_dict()), poisoned_geometry(of_report(report)), "zh")
    assert page.count("7 * 7") >= 10
    assert "49" not in {found for found in re.findall(r"\{\{\s*(\d+)\s*\}\}", page)}
    assert "{% if 1 %}hit{% endif %}" in page or "{% if 1 %}" in page


@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("mode", ["inline", "static"])
def test_hostile_text_runs_nowhere_and_the_map_works(
    browser: Browser, report: Report, tmp_path: Path, lang: Lang, mode: str
) -> None:
    content, overlaps = poisoned(report.content.as_dict()), poisoned_geometry(of_report(report))
    if mode == "inline":
        (tmp_path / "map.html").write_text(draw(content, overlaps, lang), encoding="utf-8")
        opened = visit(browser, (tmp_path / "map.html").as_uri(), {})
    else:
        opened = visit(browser, "/map", {"/map": draw(content, overlaps, lang, mode="static", nonce=NONCE)})
    page = opened.page
    click_piece(page, "permanent-basic-farmland.construction.1")
    expect(page.locator(".geoplan-told")).to_contain_text("<img src=x")
    page.locator(".geoplan-told button").first.click()
    page.locator(".geoplan-legend input").last.check()
    assert page.locator(".geoplan-legend-line").count() > 8
    opened.untouched()


# --- In the browser -------------------------------------------------------------------------------------------


def click_piece(page: Page, evidence: str) -> None:
    """Click a piece of evidence in its middle."""
    place = page.evaluate(
        """id => {
            const shape = drawing._shapes.get(id);
            map_geoplan.fitBounds(shape.getBounds(), {animate: false, maxZoom: 18});
            const at = map_geoplan.latLngToContainerPoint(shape.getBounds().getCenter());
            const box = map_geoplan.getContainer().getBoundingClientRect();
            return {x: at.x + box.x, y: at.y + box.y};
        }""",
        evidence,
    )
    page.mouse.click(place["x"], place["y"])


@contextmanager
def offline(browser: Browser, report: Report, tmp_path: Path, lang: Lang = "zh", **more: Any) -> Iterator[Visit]:
    """The exported file, opened from disk."""
    file = tmp_path / "map.html"
    file.write_text(draw(report.content.as_dict(), of_report(report), lang), encoding="utf-8")
    opened = visit(browser, file.as_uri() + more.pop("hash", ""), {}, **more)
    yield opened
    opened.untouched()
    opened.page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_exported_file_opens_from_disk(
    browser: Browser, report: Report, tmp_path: Path, lang: Lang, width: int
) -> None:
    with offline(browser, report, tmp_path, lang, width=width) as opened:
        page = opened.page
        opened.fits()
        if width == 390:
            page.get_by_role("button", name={"zh": "图例与图层", "en": "Legend and layers"}[lang]).click()
        titles = page.locator(".geoplan-legend-line").all_inner_texts()
        written = [layer["title"].lower() for layer in layers_of(drawn(report, lang)).values()]
        assert [title.split("\n")[0].lower() for title in titles] == written
        assert all(box.get_attribute("aria-hidden") is None for box in page.get_by_role("checkbox").all())
        assert page.locator(".leaflet-control-scale-line").inner_text().endswith("m")
        assert page.locator(".geoplan-north-arrow").inner_text() == {"zh": "北", "en": "N"}[lang]
        for name in {
            "zh": ("放大", "量测长度和面积", "全屏", "回到边界"),
            "en": ("Zoom in", "Measure length and area", "Full screen", "Back to the boundary"),
        }[lang]:
            expect(page.get_by_role("button", name=name)).to_be_visible()
        assert "Leaflet" not in page.locator("body").inner_text()


@pytest.mark.browser
def test_the_boundary_fills_the_map_beside_the_legend(browser: Browser, report: Report, tmp_path: Path) -> None:
    with offline(browser, report, tmp_path) as opened:
        legend = opened.page.locator(".geoplan-legend").bounding_box()
        assert legend is not None
        corners = opened.page.evaluate(
            """() => { const home = drawing._shapes.get("boundary.planning").getBounds();
            return [home.getSouthWest(), home.getNorthEast()].map(c => map_geoplan.latLngToContainerPoint(c)); }"""
        )
        assert corners[1]["x"] <= legend["x"]
        assert corners[0]["y"] - corners[1]["y"] > 450


@pytest.mark.browser
def test_a_patch_tells_its_number_class_areas_share_and_findings(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    with offline(browser, report, tmp_path) as opened:
        click_piece(opened.page, "permanent-basic-farmland.construction.1")
        told = opened.page.locator(".geoplan-told").inner_text()
        for words in (
            "永久基本农田 · 建设范围内",
            "P000",
            "0101",
            "22,499.94 平方米",
            "33.75 亩",
            "20,249.95 平方米",
            "2.25 %",
            "所在部分\n建设范围",
        ):
            assert words in told
        assert "construction" not in told
        assert opened.page.locator(".geoplan-told button").all_inner_texts() == [
            "✗\n永久基本农田 中华人民共和国土地管理法（2019年修正）",
            "✗\n永久基本农田 国办发〔2020〕33号",
        ]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("hash", "count"),
    [
        ("#evidence=permanent-basic-farmland.construction.1", 1),
        ("#evidence=permanent-basic-farmland.construction.1,permanent-basic-farmland.rest.2", 2),
        ("#finding=huzhou-2018--one-per-neighbourhood", 1),
        ("#evidence=boundary.planning", 1),
        ("#evidence=nothing", 0),
        ("#evidence=%", 0),
        ("#other=x", 0),
        ("", 0),
    ],
)
def test_the_address_chooses_what_is_shown(
    browser: Browser, report: Report, tmp_path: Path, hash: str, count: int
) -> None:
    with offline(browser, report, tmp_path, hash=hash) as opened:
        assert opened.page.locator(".leaflet-geoplan-shown-pane path").count() == 2 * count  # a line and its casing


@pytest.mark.browser
def test_a_finding_can_be_chosen_above_the_map(browser: Browser, report: Report, tmp_path: Path) -> None:
    with offline(browser, report, tmp_path) as opened:
        page = opened.page
        page.locator(".geoplan-caption-findings summary").click()
        page.get_by_role("link", name="邻近区域只布局一个小镇").click()
        assert page.locator(".leaflet-geoplan-shown-pane path").count() == 2
        line = "drawing._shapes.get('towns.planning.1').getBounds()"
        page.wait_for_function(f"map_geoplan.getBounds().contains({line})")  # the map moves there
        page.get_by_role("button", name="回到边界").click()
        assert page.locator(".leaflet-geoplan-shown-pane path").count() == 0


@pytest.mark.browser
def test_ground_without_data_is_shown_and_told(browser: Browser, tmp_path: Path) -> None:
    with offline(browser, half_known(), tmp_path, hash="#finding=land-law--basic-farmland") as opened:
        page = opened.page
        assert page.locator(".leaflet-geoplan-shown-pane path").count() >= 2
        fills = page.locator(".leaflet-geoplan-unknown-pane path").evaluate_all(
            "all => all.map(p => p.getAttribute('fill'))"
        )
        assert len(set(fills)) == 2  # a hatch and another across it
        assert all(fill.startswith("url(#") for fill in fills)
        assert page.locator(".geoplan-legend-line").first.inner_text().startswith("没有数据，无法评定")
        assert page.locator(".geoplan-legend .geoplan-sample").first.locator("pattern").count() == 2
        click_piece(page, "uncovered.permanent-basic-farmland")
        told = page.locator(".geoplan-told").inner_text()
        assert "缺少的图层\n永久基本农田" in told
        assert "永久基本农田 中华人民共和国土地管理法" in told


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1440, 900), (390, 700)])
def test_labels_of_distances_are_neither_cut_off_nor_piled_up(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    towns = [town(f"很长名字的邻镇{i}", box(2600 + 30 * i, 1500 + 40 * i, 20, 20)) for i in range(9)]
    report = checked(PLANNING, CONSTRUCTION, ("huzhou-2018",), [], register(*towns))
    hash = "#finding=huzhou-2018--one-per-neighbourhood"
    with offline(browser, report, tmp_path, width=size[0], height=size[1], hash=hash) as opened:
        page = opened.page
        page.wait_for_timeout(600)  # until the map has come to rest
        around = page.locator(".leaflet-container").bounding_box()
        assert around is not None
        seen = page.locator(".geoplan-label").evaluate_all(
            """all => all.filter(e => e.style.visibility !== "hidden").map(e => e.getBoundingClientRect().toJSON())"""
        )
        assert seen
        boxes = [shapely.box(each["left"], each["top"], each["right"], each["bottom"]) for each in seen]
        frame = shapely.box(around["x"], around["y"], around["x"] + around["width"], around["y"] + around["height"])
        assert all(frame.contains(each) for each in boxes)
        assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.browser
def test_the_measure_panel_takes_little_of_the_map(browser: Browser, report: Report, tmp_path: Path) -> None:
    with offline(browser, report, tmp_path, width=390, height=700) as opened:
        page = opened.page
        page.get_by_role("button", name="量测长度和面积").click()
        panel = page.locator(".geoplan-measure-panel")
        assert panel.locator("dt:visible").count() == 0
        before = panel.bounding_box()
        for x, y in ((60, 640), (340, 640), (340, 520)):
            page.mouse.click(x, y)
        assert panel.locator("dt:visible").all_inner_texts() == ["长度", "周长", "面积"]
        after = panel.bounding_box()
        assert before is not None
        assert after is not None
        assert (before["height"] < 110, after["height"] < 230, after["width"] < 260) == (True, True, True)


@pytest.mark.browser
def test_a_town_that_overlaps_the_proposal_is_drawn_too(browser: Browser, tmp_path: Path) -> None:
    towns = register(town("重叠镇", box(1700, 0, 500, 500)), town("点镇", box(100, 100, 1, 1).centroid))
    report = checked(PLANNING, CONSTRUCTION, ("huzhou-2018",), [], towns)
    with offline(browser, report, tmp_path, hash="#finding=huzhou-2018--one-per-neighbourhood") as opened:
        assert opened.page.locator(".leaflet-geoplan-shown-pane path").count() == 4
        expect(opened.page.get_by_text("重叠镇 0 米")).to_be_attached()


@pytest.mark.browser
def test_layers_come_and_go_and_keep_their_order(browser: Browser, report: Report, tmp_path: Path) -> None:
    with offline(browser, report, tmp_path) as opened:
        page = opened.page
        line = page.get_by_role("checkbox", name="周边（未占用）")
        count = page.locator(".leaflet-geoplan-areas-pane path").count()
        line.uncheck()
        assert page.locator(".leaflet-geoplan-areas-pane path").count() == count - 5
        line.check()
        order = page.locator(".leaflet-geoplan-areas-pane path").evaluate_all(
            "all => all.map(p => p.getAttribute('stroke'))"
        )
        assert order.index("#f2a9a0") < order.index("#ff0000")


@pytest.mark.browser
def test_a_hatch_fills_what_it_should(browser: Browser, report: Report, tmp_path: Path) -> None:
    with offline(browser, report, tmp_path) as opened:
        fills = opened.page.evaluate(
            """() => ["permanent-basic-farmland.construction.1", "permanent-basic-farmland.rest.2"].map(id => {
                const fill = drawing._shapes.get(id).getElement().getAttribute("fill");
                return document.getElementById(fill.slice(5, -1)).tagName;
            })"""
        )
        assert fills == ["pattern", "pattern"]


@pytest.mark.browser
@given(lon=st.floats(118.5, 121.5), lat=st.floats(18, 54))
def test_the_position_is_that_of_the_plane(browser_page: Page, lon: float, lat: float) -> None:
    shown = browser_page.evaluate("([lat, lng]) => L.Control.GeoplanPosition.plane({lat, lng}, 120)", [lat, lon])
    x, y = Plane(120).from_lonlat(np.array([lon]), np.array([lat]))
    assert (shown["y"], shown["x"]) == (pytest.approx(x[0], abs=1e-4), pytest.approx(y[0], abs=1e-4))


@pytest.fixture(name="browser_page", scope="module")
def fixture_browser_page(browser: Browser, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with offline(browser, report, tmp_path_factory.mktemp("map")) as opened:
        yield opened.page


@pytest.mark.browser
def test_only_a_page_of_the_same_origin_is_heard_and_told(browser: Browser, report: Report) -> None:
    shown = draw(report.content.as_dict(), of_report(report), "zh", mode="static", nonce=NONCE)
    around = (
        f'<!DOCTYPE html><iframe src="/map" width="900" height="700"></iframe><script nonce="{NONCE}">'
        "window.heard = []; addEventListener('message', e => heard.push(e.data));</script>"
    )
    opened = visit(browser, "/page", {"/page": around, "/map": shown})
    frame = opened.page.frames[1]
    frame.wait_for_selector(".geoplan-legend")
    expect(opened.page.frame_locator("iframe").locator(".geoplan-caption")).to_be_hidden()
    send: Callable[[str], None] = lambda message: opened.page.evaluate(  # noqa: E731
        f"document.querySelector('iframe').contentWindow.postMessage({message}, '*')"
    )
    send("{geoplan: 'show', hash: '#evidence=permanent-basic-farmland.rest.2'}")
    shapes = opened.page.frame_locator("iframe").locator(".leaflet-geoplan-shown-pane path")
    expect(shapes).to_have_count(2)
    for nonsense in ("null", "'#evidence=x'", "{geoplan: 'show'}", "{geoplan: 'show', hash: 7}", "{hash: ''}"):
        send(nonsense)
    frame.evaluate("window.postMessage({geoplan: 'show', hash: '#evidence=boundary.planning'}, '*')")  # not its host
    expect(shapes).to_have_count(2)
    opened.untouched()


@pytest.mark.browser
def test_the_map_prints_on_one_sheet_with_a_legend_of_what_it_shows(
    browser: Browser, report: Report, tmp_path: Path
) -> None:
    with offline(browser, report, tmp_path) as opened:
        opened.page.emulate_media(media="print")
        assert (
            opened.page.locator(".geoplan-legend-line:visible").count()
            < opened.page.locator(".geoplan-legend-line").count()
        )
        assert not opened.page.locator(".leaflet-control-zoom").is_visible()
        pdf = opened.page.pdf(prefer_css_page_size=True, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
