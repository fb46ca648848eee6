"""The map of a search: its cells hold what the rasters say, and the page draws, tells and escapes them."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from playwright.sync_api import Browser, Page, Route, expect

from browsing import HOSTILE, NONCE, Visit, fixture_browser, visit  # noqa: F401 - the fixture is used by name
from geoplan.messages import LANGUAGES, Lang
from geoplan.plane import Plane
from geoplan_web.search_cells import MOST, NO_SUITABILITY, STEPS, cells_of
from geoplan_web.search_map import SearchGround, search_map

WEST, NORTH, CELL, ROWS, COLUMNS = 505_000.0, 3_407_000.0, 30.0, 120, 160
PLANE = Plane(120)
GRID = {
    "west": WEST, "north": NORTH, "cell_m": CELL, "rows": ROWS, "columns": COLUMNS, "central_meridian": 120, "epsg": 4549,
}  # fmt: skip


def said(zh: str, en: str) -> dict[str, Any]:
    return {"id": "search.reason.titled", "args": {}, "says": {"zh": zh, "en": en}}


def constraint(id: str, bit: int | None, title: str, layers: list[str]) -> dict[str, Any]:
    return {"id": id, "bit": bit, "title": said(title, title), "layers": layers, "alone_m2": 1_234_567.0}


def a_ground(title: str = "河流湖泊") -> SearchGround:
    """Rows from the north: farmland, water and farmland, not known, outside; else eligible, better to the east."""
    reasons, doubts = np.zeros((ROWS, COLUMNS), np.uint16), np.zeros((ROWS, COLUMNS), np.uint16)
    reasons[:20] = 0b01
    reasons[20:40] = 0b11
    doubts[40:60] = 0b10
    reasons[110:] = 0b1000 >> 1
    suitability = np.tile(np.linspace(0, 1, COLUMNS, dtype=np.float32), (ROWS, 1))
    suitability[60:70] = np.nan
    planning = shapely.box(WEST + 2400, NORTH - 3000, WEST + 4000, NORTH - 2200)
    candidate = {
        "rank": 1, "name": HOSTILE, "score": 0.91, "planning": {"area_m2": 1.28e6}, "construction": None,
        "verdict": "attention", "stays": 0.87, "nearest_town_m": 3213.0,
    }  # fmt: skip
    content = {
        "id": "sha256:" + "0" * 64, "title": {"zh": "示例选址", "en": "Sample"}, "invented": True, "grid": GRID,
        "checked_on": "2026-11-21", "candidates": [candidate], "stability": {"top": 1},
        "account": {
            "unknown_m2": 2e6, "eligible_m2": 5e6,
            "constraints": [
                constraint("farm", 0, "永久基本农田", ["permanent-basic-farmland"]),
                constraint("water", 1, title, ["land-use"]),
                constraint("zones", None, "城镇开发边界", ["urban-development-boundary"]),
            ],
        },
    }  # fmt: skip
    return SearchGround(content, reasons, doubts, suitability, {1: planning}, {})


def at(row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a cell."""
    lon, lat = PLANE.to_lonlat(np.array([WEST + (column + 0.5) * CELL]), np.array([NORTH - (row + 0.5) * CELL]))
    return float(lon[0]), float(lat[0])


# --- Cells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(120, 160), (1, 1), (3, 900), (1500, 40)])
def test_every_place_has_what_the_rasters_say(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(4)
    reasons, doubts = random.integers(0, 4, shape).astype(np.uint16), random.integers(0, 3, shape).astype(np.uint32)
    suitability = np.where(random.random(shape) < 0.2, np.nan, random.random(shape)).astype(np.float32)
    made = cells_of(GRID | {"rows": shape[0], "columns": shape[1]}, reasons, doubts, suitability)
    raw = zlib.decompress(base64.b64decode(made["packed"]))
    count = made["rows"] * made["columns"]
    which, steps = np.frombuffer(raw, "<u2", count), np.frombuffer(raw, np.uint8, offset=2 * count)
    assert max(made["rows"], made["columns"]) <= 1.5 * MOST
    west, south, east, north = made["box"]
    rows, columns = np.divmod(np.arange(count), made["columns"])
    lon = west + (columns + 0.5) / made["columns"] * (east - west)
    low, high = (np.arctanh(np.sin(np.radians(each))) for each in (south, north))
    lat = np.degrees(np.arcsin(np.tanh(high + (rows + 0.5) / made["rows"] * (low - high))))
    x, y = PLANE.from_lonlat(lon, lat)
    across, down = (x - WEST) / CELL, (NORTH - y) / CELL
    clear = (np.abs(across - np.rint(across)) > 0.01) & (np.abs(down - np.rint(down)) > 0.01)
    column, row = np.floor(across).astype(int), np.floor(down).astype(int)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    assert (which[clear & ~inside] == len(made["combinations"])).all()
    table = np.array([*made["combinations"], [-1, -1]])
    checked = np.flatnonzero(clear & inside)
    assert len(checked) >= 0.5 * count
    assert (table[which[checked], 0] == reasons[row[checked], column[checked]]).all()
    assert (table[which[checked], 1] == doubts[row[checked], column[checked]]).all()
    values = suitability[row[checked], column[checked]]
    assert (np.isnan(values) == (steps[checked] == NO_SUITABILITY)).all()
    known = ~np.isnan(values)
    assert np.abs(steps[checked][known] / STEPS - values[known]).max() <= 0.5 / STEPS + 1e-6


# --- The page --------------------------------------------------------------------------------------------------------


def click(page: Page, row: int, column: int) -> None:
    """Click the middle of a cell, where the map shows it."""
    lon, lat = at(row, column)
    place = page.evaluate("([lon, lat]) => map_geoplan.latLngToContainerPoint([lat, lon])", [lon, lat])
    page.locator(".folium-map").click(position={"x": place["x"], "y": place["y"]})


@pytest.fixture(name="alone")
def fixture_alone(tmp_path: Path, browser: Browser) -> Visit:
    path = tmp_path / "map.html"
    path.write_text(search_map(a_ground(), "zh"), encoding="utf-8")
    opening = visit(browser, path.as_uri(), {})
    expect(opening.page.locator(".geoplan-legend")).to_be_visible()
    return opening


@pytest.mark.browser
def test_one_file_says_why_of_any_point(alone: Visit) -> None:
    page = alone.page
    for row, column, lines in (
        (10, 80, ["该点不能选，原因：", "· 永久基本农田"]),
        (30, 20, ["该点不能选，原因：", "· 永久基本农田", "· 河流湖泊"]),
        (50, 60, ["该点情况不明，缺少：", "· 河流湖泊"]),
        (65, 60, ["该点可选", "可选，适宜性不明"]),
        (100, 40, ["该点可选", "适宜性: 0.25"]),
        (115, 40, ["该点在研究范围之外。"]),
    ):
        click(page, row, column)
        told = page.locator(".leaflet-popup .geoplan-why > :not(.geoplan-quiet)")
        expect(told).to_have_text(lines)
        page.keyboard.press("Escape")
    alone.untouched()
    page.close()


@pytest.mark.browser
def test_pictures_show_what_the_legend_says(alone: Visit) -> None:
    page = alone.page
    legend = page.locator(".geoplan-legend")
    expect(legend.locator("legend")).to_have_text(
        ["候选", "可选土地", "不能选的土地（各自单独排除的面积）", "缺少数据"]
    )
    expect(legend.locator(".geoplan-legend-classes li")).to_have_text(
        ["0.0–0.2", "0.2–0.4", "0.4–0.6", "0.6–0.8", "0.8–1.0"]
    )
    pictures = page.locator("img.geoplan-cells")
    expect(pictures).to_have_count(5)
    legend.get_by_label("河流湖泊").uncheck()
    expect(pictures).to_have_count(4)
    expect(legend).not_to_contain_text("城镇开发边界")
    alone.untouched()
    page.close()


@pytest.mark.browser
def test_a_candidate_is_told_and_leads_to_its_report(alone: Visit) -> None:
    page = alone.page
    page.locator(".geoplan-rank").click()
    told = page.locator(".geoplan-told")
    expect(told).to_contain_text("</script><script>")
    expect(told).to_contain_text("87 %")
    expect(told.get_by_role("link")).to_have_attribute("href", "candidates/1/map.html")
    alone.untouched()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_service_is_asked_where_there_is_one(browser: Browser, lang: Lang) -> None:
    html = search_map(a_ground(HOSTILE), lang, mode="static", nonce=NONCE, report=lambda rank: f"/r/{rank}", why="/why")
    opening = Visit(browser.new_page(viewport={"width": 1440, "height": 900}), {"/map": html})
    page = opening.page
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json={"says": {"zh": [HOSTILE, "二"], "en": [HOSTILE, "two"]}})

    page.context.route("**/why?*", answer)
    page.goto("http://geoplan.test/map", wait_until="load")
    expect(page.locator(".geoplan-legend")).to_contain_text("onerror='window.hit=1'")
    click(page, 90, 40)
    expect(page.locator(".geoplan-why h2")).to_contain_text("</script>")
    expect(page.locator(".geoplan-why p").first).to_have_text({"zh": "二", "en": "two"}[lang])
    assert len(asked) == 1
    assert f"lang={lang}" in asked[0]
    opening.untouched()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_fits(browser: Browser, width: int) -> None:
    html = search_map(a_ground(), "en", mode="static", nonce=NONCE)
    opening = visit(browser, "/map", {"/map": html}, width)
    opening.fits()
    opening.untouched()
    opening.page.close()


def test_the_same_search_gives_the_same_file() -> None:
    assert search_map(a_ground(), "zh") == search_map(a_ground(), "zh")
