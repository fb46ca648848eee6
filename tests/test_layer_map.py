"""The map of a whole layer, in Chromium with the network closed: tiles drawn, told, chosen; nothing hostile runs."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
import shapely
from playwright.sync_api import Browser, Page, Route, expect

from browsing import HOSTILE, NONCE, Visit, fixture_browser, visit  # noqa: F401 - the fixture is used by name
from geoplan.messages import LANGUAGES, Lang
from geoplan.plane import Plane
from geoplan_layers.prepared.kernel import pack_of
from geoplan_layers.prepared.pack import Pack
from geoplan_layers.prepared.tiles.address import DEEPEST, Tile
from geoplan_layers.prepared.tiles.tileset import TileSet
from geoplan_web.layer_kinds import LayerClass
from geoplan_web.layer_map import LayerSheet, draw_layer

PLANE, X0, Y0 = Plane(120), 510_000.0, 3_400_000.0
ADDRESS = "/layers/land-use/1/map"
TILES = "/layers/land-use/1/tiles/{z}/{x}/{y}.pbf"
WORDS = {"0101": "水田", "0301": "乔木林地", "0702": "农村宅基地", "1101": "河流水面", HOSTILE: HOSTILE}


def a_layer(across: int, side: float) -> Pack:
    """Squares of five classes in bands, so that it is known what lies where."""
    boxes = [
        shapely.box(X0 + side * i, Y0 + side * j, X0 + side * (i + 1), Y0 + side * (j + 1))
        for j in range(across)
        for i in range(across)
    ]
    pack = pack_of(boxes, PLANE)
    codes = np.array([i * 5 // across for _ in range(across) for i in range(across)], np.int32)
    ids = [f"3305{i:06d}".encode() for i in range(len(boxes))]
    return dataclasses.replace(
        pack,
        codes=codes, names=codes, code_words=tuple(WORDS), name_words=tuple(WORDS.values()),
        ids=np.frombuffer(b"".join(ids), np.uint8), id_ends=np.cumsum([len(each) for each in ids]),
    )  # fmt: skip


def the_sheet(tiles: TileSet, **more: Any) -> LayerSheet:
    pack = tiles.pack
    counts = np.bincount(pack.codes, minlength=len(WORDS))
    known: dict[str, Any] = {
        "role": "land-use", "version": "0123456789abcdef", "file": f"DLTB{HOSTILE}.gpkg", "day": "2025-12-31",
        "coverage": "declared", "invented": True, "generation": "third-survey", "patches": len(pack),
        "classes": [LayerClass(c, n, int(k)) for (c, n), k in zip(WORDS.items(), counts, strict=False)],
        "box": tiles.ground, "meridian": 120, "tiles": TILES, "detail_from": tiles.detail_from, "deepest": DEEPEST,
    }  # fmt: skip
    return LayerSheet(**(known | more))


@pytest.fixture(name="crowd", scope="module")
def fixture_crowd() -> TileSet:
    return TileSet(a_layer(120, 60.0), "land-use")


def opened(browser: Browser, tiles: TileSet, lang: Lang = "zh", at: str = "", width: int = 1440, **more: Any) -> Visit:
    """The page at a place, with tiles answered from memory as the service answers them."""
    html = draw_layer(the_sheet(tiles, **more), lang, nonce=NONCE)

    def answer(route: Route) -> None:
        z, x, y = (int(each) for each in re.findall(r"\d+", route.request.url.rsplit("tiles", 1)[1]))
        drawn = tiles.draw(Tile(z, x, y))
        headers = {"Geoplan-Left-Out": str(drawn.left_out)}
        route.fulfill(status=200 if drawn.content else 204, body=drawn.content, headers=headers)

    browsing = Visit(browser.new_page(viewport={"width": width, "height": 900}), {ADDRESS: html})
    browsing.page.context.route("**/tiles/**", answer)
    browsing.page.goto(f"http://geoplan.test{ADDRESS}{at}", wait_until="networkidle")
    return browsing


def place(x: float, y: float, zoom: float) -> str:
    lon, lat = PLANE.to_lonlat(np.array([x]), np.array([y]))
    return f"#{zoom:g}/{lat[0]:.6f}/{lon[0]:.6f}"


def colour(page: Page, x: int, y: int) -> tuple[int, ...]:
    """The colour of the tiles at a pixel of the page."""
    script = """([x, y]) => {
        for (const canvas of document.querySelectorAll("canvas.leaflet-tile")) {
            const box = canvas.getBoundingClientRect();
            if (x < box.left || x >= box.right || y < box.top || y >= box.bottom) { continue; }
            const scale = canvas.width / box.width;
            return [...canvas.getContext("2d").getImageData((x - box.left) * scale, (y - box.top) * scale, 1, 1).data];
        }
        return [];
    }"""
    return tuple(page.evaluate(script, [x, y]))


@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_patch_is_told_under_the_mouse_and_at_a_click(browser: Browser, crowd: TileSet, lang: Lang) -> None:
    opening = opened(browser, crowd, lang, place(X0 + 30, Y0 + 3030, 17))
    page = opening.page
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert colour(page, int(x), int(y))[:3] == (0xF6, 0xF0, 0xC4)
    page.mouse.move(x, y)
    expect(page.locator(".geoplan-hint")).to_have_text("0101 水田 · 3305006000")
    page.mouse.click(x, y)
    told = page.locator(".geoplan-told")
    expect(told).to_contain_text("0101 水田")
    expect(told).to_contain_text("3305006000")
    expect(told.locator("dt").first).to_have_text({"zh": "地类", "en": "Class"}[lang])
    opening.untouched()
    page.close()


@pytest.mark.browser
def test_hostile_classes_are_text(browser: Browser, crowd: TileSet) -> None:
    opening = opened(browser, crowd, "zh", place(X0 + 7190, Y0 + 3030, 17))
    page = opening.page
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2 - 10, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    expect(page.locator(".geoplan-hint")).to_contain_text("</script><script>")
    page.mouse.click(x, y)
    expect(page.locator(".geoplan-told")).to_contain_text("onerror='window.hit=1'")
    opening.untouched()
    page.close()


@pytest.mark.browser
def test_from_afar_classes_are_shown_and_said_so(browser: Browser, crowd: TileSet) -> None:
    opening = opened(browser, crowd, "en", place(X0 + 700, Y0 + 3600, 13))
    page = opening.page
    expect(page.locator(".geoplan-strip")).to_contain_text("From afar")
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert colour(page, int(x), int(y))[:3] == (0xF6, 0xF0, 0xC4)
    page.mouse.click(x, y)
    expect(page.locator(".geoplan-told")).to_contain_text("Zoom in for the number")
    opening.untouched()
    page.close()


@pytest.mark.browser
def test_the_legend_hides_a_class_and_the_address_keeps_the_place(browser: Browser, crowd: TileSet) -> None:
    opening = opened(browser, crowd, "zh", place(X0 + 30, Y0 + 3030, 16))
    page = opening.page
    legend = page.locator(".geoplan-legend")
    expect(legend.locator(".geoplan-legend-line")).to_have_count(5)
    expect(legend.locator(".geoplan-legend-line").first).to_contain_text("耕地")
    expect(legend.locator(".geoplan-legend-count").first).to_have_text("2880")
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    x, y = int(box["x"] + box["width"] / 2), int(box["y"] + box["height"] / 2)
    legend.get_by_label("耕地").uncheck()
    assert colour(page, x, y)[3] == 0
    page.keyboard.press("Tab")
    page.locator(".leaflet-control-zoom-in").click()
    expect(page).to_have_url(re.compile(r"#17/"))
    page.locator(".geoplan-home").click()
    expect(page).to_have_url(re.compile(r"#1[0-5]/"))
    opening.untouched()
    page.close()


@pytest.mark.browser
def test_a_tile_that_cannot_be_had_is_said(browser: Browser, crowd: TileSet) -> None:
    html = draw_layer(the_sheet(crowd), "en", nonce=NONCE)
    opening = visit(browser, ADDRESS, {ADDRESS: html})
    expect(opening.page.locator(".geoplan-strip")).to_contain_text("A tile could not be had")
    assert opening.outside == []
    opening.page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_fits(browser: Browser, crowd: TileSet, width: int) -> None:
    opening = opened(browser, crowd, "zh", width=width)
    opening.fits()
    assert opening.page.evaluate("document.querySelector('.folium-map').clientHeight") > 500
    opening.untouched()
    opening.page.close()


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        ("permanent-basic-farmland", ["永久基本农田"]),
        ("construction-control-zones", ["010 允许建设区", "020 有条件建设区"]),
        ("custom:粮食生产功能区", ["粮食生产功能区"]),
    ],
)
def test_the_legend_of_other_roles(crowd: TileSet, role: str, titles: list[str]) -> None:
    classes = [LayerClass("010", "允许建设区", 3), LayerClass("020", "有条件建设区", 1)]
    html = draw_layer(the_sheet(crowd, role=role, classes=classes, generation=None), "zh", nonce=NONCE)
    assert [re.search(rf'"title":"{re.escape(title)}"', html) is not None for title in titles] == [True] * len(titles)
