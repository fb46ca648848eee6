# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type"
"""A file without a coordinate system on the page: candidates as data, the map, the pick, and the check that goes on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Browser

from browsing import NONCE, fixture_browser, visit  # noqa: F401 - the fixture is used by name
from builders import box
from geoplan_api.hold import MOST, SECONDS
from geoplan_web.locating import locate
from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
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
WITHOUT = ("边界.prj",)


def without_system(folder: Path, shape: shapely.Geometry = SQUARE, **columns: Any) -> dict[str, bytes]:
    folder.mkdir(exist_ok=True)
    parts = shapefile(folder, frame(shape, **columns))
    return {name: content for name, content in parts.items() if name not in WITHOUT}


def refused(service: Running, files: Files, **texts: Any) -> str:
    """The address of the map that the refusal leads to."""
    answered = service.ask(files, headers=BROWSER, **texts)
    assert answered.status_code == 422
    match = re.search(r'href="(/locate/[\w-]+)\?lang=en"', answered.text)
    assert match, answered.text[-2000:]
    return match[1]


def picked(service: Running, address: str, **texts: str) -> Any:
    return service.client.post(
        f"{address}?lang=en", files=[(name, (None, text)) for name, text in texts.items()], headers=BROWSER
    )


def test_the_problem_document_holds_the_candidates(service: Running, tmp_path: Path) -> None:
    problem = service.ask(asked(zipped(without_system(tmp_path)), "a.zip")).json()
    assert (problem["status"], problem["code"]) == (422, "crs-missing")
    here = next(each for each in problem["candidates"] if each["epsg"] == 4549)
    assert here["place"] == {"adcode": "330500", "name": "湖州市"}
    assert here["lon"] == pytest.approx(120.11, abs=0.02)
    assert "candidates" not in service.ask(asked(b"x", "a.txt")).json()


@pytest.mark.parametrize("pick", [{"epsg": "4549"}, {"place": "330500"}])
@pytest.mark.parametrize("packed", [True, False])
def test_a_pick_goes_on_with_the_check_without_a_second_upload(
    service: Running, tmp_path: Path, pick: dict[str, str], packed: bool
) -> None:
    parts = without_system(tmp_path)
    files: Files = (
        asked(zipped(parts), "a.zip") if packed else [("planning", (name, content)) for name, content in parts.items()]
    )
    address = refused(service, files, name="试验")
    page = service.client.get(f"{address}?lang=zh", headers=BROWSER)
    assert page.status_code == 200
    assert "湖州市" in page.text
    assert page.text.count('type="radio"') >= 15
    nothing = picked(service, address, place="")
    assert nothing.status_code == 422
    assert address in nothing.text
    done = picked(service, address, **pick)
    assert done.status_code == 303, done.text[-1500:]
    report = service.client.get(done.headers["location"], headers={"Accept": "application/json"}).json()
    assert report["proposal"]["planning"]["crs"] == "EPSG:4549"
    assert report["proposal"]["name"] == "试验"
    wanted = {"crs": "EPSG:4549"} if "epsg" in pick else {"place": "330500"}
    assert report["options"]["read"] == {"planning": wanted}
    assert service.client.get(address, headers=BROWSER).status_code == 404
    assert picked(service, address, **pick).status_code == 404


def test_a_layer_without_a_system_is_placed_by_itself(service: Running, planning: bytes, tmp_path: Path) -> None:
    farm = zipped(without_system(tmp_path, box(200, 200, 100, 50), DLBM=["0101"], TBBH=["1"]))
    address = refused(service, [*asked(planning), ("layer.permanent-basic-farmland", ("f.zip", farm))])
    done = picked(service, address, epsg="4549")
    report = service.client.get(done.headers["location"], headers={"Accept": "application/json"}).json()
    assert report["options"]["read"] == {"layer.permanent-basic-farmland.1": {"crs": "EPSG:4549"}}
    assert report["verdict"] == "fail"


def test_a_pick_that_is_refused_in_turn_leads_back(service: Running, planning: bytes, tmp_path: Path) -> None:
    farm = zipped(without_system(tmp_path / "f", box(200, 200, 100, 50), DLBM=["0101"], TBBH=["1"]))
    town = zipped(without_system(tmp_path / "t"))
    address = refused(service, [*asked(town, "t.zip"), ("layer.permanent-basic-farmland", ("f.zip", farm))])
    again = picked(service, address, epsg="4549")
    assert again.status_code == 422
    match = re.search(r'href="(/locate/[\w-]+)', again.text)
    assert match
    assert match[1] != address
    assert picked(service, match[1], epsg="4549").status_code == 303


def test_swapped_axes_are_exchanged_by_going_on(service: Running, tmp_path: Path) -> None:
    turned = shapely.transform(SQUARE, lambda xy: xy[:, ::-1])
    address = refused(service, asked(zipped(without_system(tmp_path, turned)), "a.zip"))
    assert "East and north are swapped" in service.client.get(f"{address}?lang=en", headers=BROWSER).text
    done = picked(service, address, epsg="4549")
    report = service.client.get(done.headers["location"], headers={"Accept": "application/json"}).json()
    assert report["options"]["read"] == {"planning": {"swap_xy": True, "crs": "EPSG:4549"}}


def test_holds_end_by_time_and_by_number(service: Running, tmp_path: Path) -> None:
    files = asked(zipped(without_system(tmp_path)), "a.zip")
    addresses = [refused(service, files) for _ in range(MOST + 2)]
    states = [service.client.get(each, headers=BROWSER).status_code for each in addresses]
    assert states == [404, 404, *[200] * MOST]
    holds = service.service.holds
    clock, holds._clock = holds._clock, lambda: clock() + SECONDS + 1
    try:
        assert service.client.get(addresses[-1], headers=BROWSER).status_code == 404
    finally:
        holds._clock = clock
    assert service.left_over == []


def test_datum_parameters_are_not_taken_by_the_service(service: Running, planning: bytes) -> None:
    for field in ("datum_parameters", "datum-parameters"):
        answered = service.ask([*asked(planning), (field, ("p.toml", b"x = 12.345"))])
        assert (answered.status_code, answered.json()["code"]) == (422, "parameters-not-uploaded")
        assert "12.345" not in answered.text


CANDIDATES = [
    {
        "epsg": 4509 + zone,
        "zh": "某",
        "en": "some",
        "lon": 3.0 * zone + 0.1,
        "lat": 30.87,
        "swapped": False,
        "place": None,
    }
    for zone in range(25, 46)
]
CITIES = [("330500", "湖州市", 120.1, 30.8, 90.0), ("450200", "<b>柳州</b>", 109.4, 24.8, 160.0)]


@pytest.mark.browser
def test_picking_a_city_picks_the_candidate_there(browser: Browser) -> None:
    html = locate("token", "a<b>.zip", CANDIDATES, CITIES, "en", nonce=NONCE)
    opened = visit(browser, "/locate/token", {"/locate/token": html})
    opened.page.select_option("#place", "330500")
    assert opened.page.evaluate("document.querySelector('input[name=epsg]:checked').value") == "4549"
    opened.page.select_option("#place", "450200")
    assert opened.page.evaluate("document.querySelector('input[name=epsg]:checked').value") == "4549"
    opened.page.check("input[value='4545']")
    assert opened.page.locator("#locate-map path").count() >= len(CANDIDATES)
    opened.fits()
    opened.untouched()
