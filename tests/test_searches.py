"""Searches over real HTTP and in the browser: asked by a form, followed, looked at, asked why, refused."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from geoplan.errors import CallRefused
from geoplan.search.parsing import parse_criteria
from geoplan_api.demo import data_folder
from geoplan_api.search.usual import NUMBERS, usual_criteria
from serving import BROWSER, Running, running

AREA = data_folder() / "layers" / "huzhou" / "coverage.gpkg"
PATIENCE_S = 240
WAIT_S = 0.3


def criteria(**changed: str) -> bytes:
    text = (data_folder() / "search" / "huzhou.criteria.toml").read_text(encoding="utf-8")
    for before, after in {"cell_m = 30": "cell_m = 60", "count = 3": "count = 1", **changed}.items():
        text = text.replace(before, after)
    return text.encode()


def ask(service: Running, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    files = [("area", ("研究 范围.gpkg", AREA.read_bytes())), *more.pop("files", [])]
    texts: dict[str, Any] = {"select.area": "#land-use", "policy": ["huzhou-2018", "state-council-2020"], **more}
    return service.client.post("/searches?lang=zh", files=files, data=texts, headers=headers)


def ended(service: Running, id: str) -> dict[str, Any]:
    """The job when it is over: jobs run beside the tests, and there is nothing else to wait for."""
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE_S:
        job: dict[str, Any] = service.client.get(f"/jobs/{id}").json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(WAIT_S)
    raise AssertionError(f"the search {id} goes on and on")


@pytest.fixture(name="held", scope="module")
def fixture_held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home"), workers=1, queue_length=5, demo_layers=True) as service:
        yield service


@pytest.fixture(name="search", scope="module")
def fixture_search(held: Running) -> str:
    """One search that is done."""
    made = ask(held, BROWSER, files=[("criteria", ("条件.toml", criteria()))], name="湖州选址")
    assert made.status_code == 303, made.text
    address = made.headers["location"].partition("?")[0]
    job = ended(held, address.rpartition("/")[2])
    assert job["status"] == "done", job
    return str(address)


def test_a_search_is_a_record_for_programs(held: Running, search: str) -> None:
    record = held.client.get(search).json()
    assert record["schema"] == "geoplan/search/1"
    assert [each["rank"] for each in record["candidates"]] == [1]
    assert record["area"]["source"]["file"] == "研究 范围.gpkg"
    assert set(record["policies"]) >= {"land-law", "huzhou-2018", "state-council-2020"}
    listed = held.client.get("/searches").json()["searches"]
    assert [each["links"]["result"] for each in listed if each["name"] == "湖州选址"] == [search]
    for name in record["files"]:
        answered = held.client.get(f"{search}/files/{name}")
        assert answered.status_code == 200
        assert answered.headers["content-disposition"].startswith("attachment")
    report = held.client.get(f"{search}/candidates/1").json()
    assert report["id"] == record["candidates"][0]["report_id"]
    assert held.client.get(f"{search}/files/map.html").headers["content-security-policy"] == "sandbox"


def test_why_of_a_point_in_both_languages(held: Running, search: str) -> None:
    at = held.client.get(search).json()["candidates"][0]["at"]
    inside = held.client.get(f"{search}/why", params=at).json()
    assert (inside["verdict"], inside["in_candidates"]) == ("eligible", [1])
    assert any("适宜性" in line for line in inside["says"]["zh"])
    assert any("suitability" in line for line in inside["says"]["en"])
    far = held.client.get(f"{search}/why", params={"lon": 100, "lat": 30}).json()
    assert far["says"]["zh"] == ["该点在研究范围之外。"]


@pytest.mark.parametrize(
    "point", [{}, {"lon": "x", "lat": "1"}, {"lon": "nan", "lat": "1"}, {"lon": "500", "lat": "1"}]
)
def test_a_point_that_is_none_is_refused(held: Running, search: str, point: Any) -> None:
    answered = held.client.get(f"{search}/why", params=point)
    assert answered.status_code == 422
    assert "lon and lat" in answered.json()["en"]


@pytest.mark.parametrize(
    "path",
    [
        "/files/../../../geoplan.db", "/files/%2e%2e%2fsearch.json", "/files/candidates/1/report.json", "/candidates/9",
        "/candidates/1/x.json", "/candidates/..%2f..%2fsearch.json/report.json", "/candidates/%00",
    ],
)  # fmt: skip
def test_only_the_files_of_the_search_are_handed_out(held: Running, search: str, path: str) -> None:
    assert held.client.get(search + path).status_code == 404


def test_what_is_no_search_is_not_found(held: Running) -> None:
    for path in ("", "/map", "/why?lon=1&lat=1", "/files/search.json", "/candidates/1", "/candidates/1/map"):
        answered = held.client.get(f"/searches/nothing{path}")
        assert (answered.status_code, answered.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"count": "0"}, "1 … 100"),
        ({"weight.roads": "1e9"}, "0 … 100"),
        ({"weight.built-up": "0", "weight.spared-land": "0"}, "no factor has a weight"),
        ({"policy": "nothing"}, "nothing"),
        ({"select.area": "../x"}, "#LAYER"),
        ({"colour": "red"}, "colour"),
        ({"on": "2026-13-01"}, "2026-13-01"),
        ({"crs": "EPSG:1"}, "EPSG:1"),
    ],
)
def test_a_wrong_form_is_refused_at_once(held: Running, more: Any, told: str) -> None:
    answered = ask(held, **more)
    assert answered.status_code in (404, 422), answered.text
    assert told in answered.json()["en"]
    page = ask(held, BROWSER, **more)
    assert page.status_code == answered.status_code
    assert 'class="refusal"' in page.text


def test_without_an_area_nothing_is_searched(held: Running) -> None:
    answered = held.client.post("/searches", data={"count": "1"}, files=[("towns", ("t.csv", b"id,lon,lat\n"))])
    assert answered.status_code == 422
    assert answered.json()["code"] == "no-search-area"


def test_what_the_search_refuses_is_told_on_its_page(held: Running) -> None:
    made = ask(held, files=[("criteria", ("c.toml", criteria(**{'layer = "land-use"': 'layer = "roads"'})))])
    assert made.status_code == 202
    id = made.json()["id"]
    assert ended(held, id)["status"] == "failed"
    page = held.client.get(f"/searches/{id}?lang=en", headers=BROWSER)
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "roads" in page.text
    assert held.client.get(f"/searches/{id}/map").status_code == 404


def test_the_usual_criteria_are_a_criteria_file() -> None:
    given = {name: str(bounds.default or bounds.low) for name, bounds in NUMBERS.items()} | {"weight.roads": "2"}
    written = usual_criteria(given)
    read = parse_criteria(tomllib.loads(written), "criteria.toml")
    assert {each.id: each.weight for each in read.factors} == {"roads": 2, "built-up": 3, "spared-land": 3}
    assert [each.id for each in read.constraints] == ["steep", "water"]
    assert (read.cell_m, read.region.target_m2, read.spacing.between_min_m) == (30, 50_000, 1000)
    plain = parse_criteria(tomllib.loads(usual_criteria({})), "criteria.toml")
    assert (plain.constraints, plain.region.target_m2) == ((), None)
    with pytest.raises(CallRefused, match="weight.slope"):
        usual_criteria({"weight.slope": "much"})


# --- In the browser --------------------------------------------------------------------------------------------------


def opened(browser: Browser, held: Running, path: str, width: int = 1440) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda each: said.append(each.text) if each.type in ("error", "warning") else None)
    page.on("pageerror", lambda wrong: said.append(str(wrong)))
    page.goto(f"http://127.0.0.1:{held.port}{path}", wait_until="networkidle")
    return page, said


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_fit_and_complain_of_nothing(
    browser: Browser, held: Running, search: str, lang: str, width: int
) -> None:
    for path in ("/searches", "/searches/new", search, f"{search}/map", f"{search}/candidates/1"):
        page, said = opened(browser, held, f"{path}?lang={lang}", width)
        fits(page)
        assert said == [], path
        page.close()


@pytest.mark.browser
def test_a_click_on_the_map_of_the_page_asks_the_service(browser: Browser, held: Running, search: str) -> None:
    page, said = opened(browser, held, f"{search}?lang=zh")
    table = page.locator(".search-candidates")
    expect(table.locator("tbody tr")).to_have_count(1)
    frame = page.frame_locator(".search-map iframe")
    expect(frame.locator(".geoplan-legend-line").first).to_be_visible()
    frame.locator(".folium-map").click(position={"x": 420, "y": 420})
    expect(frame.locator(".geoplan-why h2")).to_have_text(re.compile("该点"))
    table.get_by_role("link", name="检查报告").click()
    expect(page.locator("h1")).to_be_visible()
    assert page.url.endswith(f"{search}/candidates/1?lang=zh")
    assert said == []
    page.close()


@pytest.mark.browser
def test_a_search_is_asked_by_the_form_and_followed(browser: Browser, held: Running, tmp_path: Path) -> None:
    page, said = opened(browser, held, "/searches/new?lang=zh")
    page.locator("#area").set_input_files(AREA)
    page.locator("summary", has_text="坐标").first.click()
    page.locator("#select-area").fill("#land-use")
    page.locator("#name").fill("表单选址")
    page.locator("#cell_m").fill("90")
    page.locator("#count").fill("1")
    for policy in ("huzhou-2018", "state-council-2020"):
        page.locator(f"input[name='policy'][value='{policy}']").check()
    page.locator("#target_km2").fill("1.5")
    page.locator("#construction_km2").fill("0.5")
    page.get_by_role("button", name="开始选址").click()
    expect(page.locator("h1")).to_contain_text("表单选址")
    page.wait_for_selector(".search-map, .refusal", timeout=PATIENCE_S * 1000)
    assert page.locator(".refusal").count() == 0, page.locator(".refusal").inner_text()
    record = json.loads(held.client.get(page.url.partition("?")[0]).text)
    assert [each["id"] for each in record["factors"]] == ["built-up", "spared-land"]
    assert record["planning"]["target_m2"] == 1_500_000
    assert said == []
    page.close()
