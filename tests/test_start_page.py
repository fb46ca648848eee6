# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type"
"""The start page's fields for where files lie, in a browser before a real service; loose parts of one table sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from playwright.sync_api import Browser, Page

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from builders import box
from serving import (  # noqa: F401 - the fixtures are used by name
    Files,
    Running,
    asked,
    fixture_planning,
    fixture_service,
    fixture_the_service,
    frame,
    shapefile,
    zipped,
)

SQUARE = box(0, 0, 1700, 1700)
JSON = {"Accept": "application/json"}


def start(browser: Browser, service: Running, lang: str = "zh", width: int = 1440) -> Page:
    """The start page of a service that runs, with nothing else within reach."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    here = str(service.client.base_url).rstrip("/")
    page.context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(here) else route.abort())
    page.goto(f"{here}/?lang={lang}", wait_until="load")
    return page


def sent(page: Page, service: Running, file: Path) -> dict[str, Any]:
    """The report of the check that the form of a page leads to."""
    page.set_input_files("#planning", file)
    page.click("button[type=submit]:not([formaction])")
    page.wait_for_url("**/checks/*", timeout=60_000)
    address = page.url.partition("?")[0]
    report: dict[str, Any] = service.client.get(address, headers=JSON).json()
    return report


def without_prj(folder: Path, shape: shapely.Geometry = SQUARE) -> Path:
    parts = shapefile(folder, frame(shape))
    file = folder / "无坐标系.zip"
    file.write_bytes(zipped({name: content for name, content in parts.items() if not name.endswith(".prj")}))
    return file


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_city_picked_on_the_start_page_decides_the_system(
    browser: Browser, service: Running, tmp_path: Path, lang: str
) -> None:
    page = start(browser, service, lang)
    assert page.locator("#place").is_hidden()
    page.click("#form-system > summary")
    page.select_option("#place", "330500")
    report = sent(page, service, without_prj(tmp_path))
    assert report["proposal"]["planning"]["crs"] == "EPSG:4549"
    assert report["options"]["read"] == {"planning": {"place": "330500"}}


@pytest.mark.browser
def test_shifted_degrees_and_swapped_axes_are_declared_on_the_start_page(
    browser: Browser, service: Running, tmp_path: Path
) -> None:
    swapped = shapely.transform(SQUARE, lambda points: points[:, ::-1])
    ring = shapely.get_coordinates(frame(SQUARE).to_crs(4326).geometry[0]).tolist()
    places = " ".join(f"{lon!r},{lat!r}" for lon, lat in ring)
    kml = tmp_path / "奥维.kml"
    kml.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>'
        f"{places}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>",
        encoding="utf-8",
    )
    page = start(browser, service)
    page.click("#form-system > summary")
    page.select_option("#datum", "gcj02")
    report = sent(page, service, kml)
    assert report["options"]["read"] == {"planning": {"datum": "gcj02"}}
    folder = tmp_path / "swapped"
    folder.mkdir()
    page = start(browser, service)
    page.click("#form-system > summary")
    page.fill("#crs", "EPSG:4549")
    page.check("input[name=swap_xy]")
    report = sent(page, service, without_prj(folder, swapped))
    assert report["options"]["read"] == {"planning": {"crs": "EPSG:4549", "swap_xy": True}}
    assert report["proposal"]["planning"]["area_m2"] == pytest.approx(1700.0**2, rel=1e-3)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_fields_are_named_and_fit_the_window(browser: Browser, service: Running, width: int) -> None:
    page = start(browser, service, width=width)
    page.click("#form-system > summary")
    for name in ("坐标系", "所在城市", "经纬度的基准", "东、北坐标颠倒，请交换"):
        assert page.get_by_label(name, exact=True).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("#place option").count() > 340


@pytest.mark.parametrize("kind", ["tab", "mif"])
def test_loose_parts_of_a_mapinfo_table_are_one_file(
    service: Running, planning: bytes, tmp_path: Path, kind: str
) -> None:
    pyogrio.write_dataframe(frame(SQUARE, NAME=["某镇"]), tmp_path / f"界.{kind}", driver="MapInfo File")
    parts: Files = [("planning", (each.name, each.read_bytes())) for each in sorted(tmp_path.iterdir())]
    assert len(parts) > 1
    answered = service.ask(parts)
    assert answered.status_code == 201, answered.text
    report = answered.json()
    assert report["proposal"]["planning"]["source"]["file"] == f"界.{kind}"
    assert report["proposal"]["planning"]["crs"] == "EPSG:4549"


def test_a_part_without_its_main_file_is_told_what_is_missing(service: Running) -> None:
    answered = service.ask([("planning", ("界.dat", b"x"))])
    assert answered.status_code == 422
    assert answered.json()["code"] == "export-instead.mapinfo-part"


def test_recent_checks_show_what_is_broken_beside_the_spatial_verdict(service: Running, planning: bytes) -> None:
    facts = b"[features]\nwifi = false\n"
    answered = service.ask([*asked(planning), ("facts", ("facts.toml", facts))], policy="nantong-2017", name="破格镇")
    assert answered.status_code == 201, answered.text
    states = [policy["application"] for policy in answered.json()["policies"]]
    assert "broken" in states
    store = service.service.store
    newest = store.recent(1)[0]
    assert (newest.name, newest.application) == ("破格镇", "broken")
    verdict = newest.verdict
    page = service.client.get("/?lang=zh", headers={"Accept": "text/html"}).text
    card = page[: page.index("破格镇")].rpartition('class="card-link"')[2]
    assert 'class="badge fail"' in card
    assert "申报要件不符" in card
    newest.application = None  # as a check of an older release has it
    assert service.service.application(newest) == "broken"
    newest.report_sha256 = "0" * 64
    assert service.service.application(newest) is None
    assert newest.verdict == verdict
