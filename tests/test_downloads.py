"""Boundaries and pieces of a check as files: every format, by part, from the stored report and overlaps alone."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from playwright.sync_api import Browser

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from geoplan_api.downloads import suffixes
from geoplan_layers.writers.formats import writer_of
from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
    Running,
    asked,
    fixture_construction,
    fixture_farmland,
    fixture_made,
    fixture_planning,
    fixture_service,
    fixture_the_service,
)


@pytest.fixture(name="both", scope="module")
def fixture_both(the_service: Running, planning: bytes, construction: bytes, farmland: bytes) -> str:
    files = [
        *asked(planning),
        ("construction", ("建设.gpkg", construction)),
        ("layer.permanent-basic-farmland", ("f.gpkg", farmland)),
    ]
    return str(the_service.ask(files, policy="huzhou-2018").headers["location"])


def taken(service: Running, address: str, folder: Path) -> Path:
    answer = service.client.get(address)
    assert answer.status_code == 200, answer.text
    name = answer.headers["content-disposition"].partition("filename=")[2].strip('"')
    assert answer.headers["content-type"] == writer_of(Path(name)).media_type
    path = folder / name
    path.write_bytes(answer.content)
    return path


@pytest.mark.parametrize("suffix", suffixes())
def test_every_format_of_boundary_and_pieces_holds_its_coordinates(
    service: Running, both: str, tmp_path: Path, suffix: str
) -> None:
    subjects = (
        ("boundary",) if suffix == "gpkg" else ("boundary", "overlaps")
    )  # overlaps.gpkg is the stored file itself
    for subject in subjects:
        path = taken(service, f"{both}/{subject}.{suffix}", tmp_path)
        assert path.name == f"{subject}.{suffix}"
        assert len(writer_of(path).coordinates(path)) >= 8


def test_a_part_is_taken_by_itself(service: Running, both: str, made: str, tmp_path: Path) -> None:
    path = taken(service, f"{both}/boundary.gpkg?part=construction", tmp_path)
    assert path.name == "construction.gpkg"
    assert [str(name) for name, _ in pyogrio.list_layers(path)] == ["construction"]
    assert [str(name) for name, _ in pyogrio.list_layers(taken(service, f"{both}/boundary.gpkg", tmp_path))] == [
        "planning",
        "construction",
    ]
    missing = service.client.get(f"{made}/boundary.kml?part=construction&lang=en")
    assert (missing.status_code, missing.json()["code"]) == (404, "part-unknown")
    assert service.client.get(f"{both}/boundary.kml?part=moon").status_code == 422


def test_pieces_carry_what_the_report_says_of_them(service: Running, both: str, tmp_path: Path) -> None:
    report = service.client.get(f"{both}/report.json").json()
    told: dict[str, Any] = {
        piece["id"]: piece
        for policy in report["policies"]
        for finding in policy["findings"]
        for piece in finding["evidence"]
        if piece["area_m2"] is not None
    }
    assert told
    with zipfile.ZipFile(taken(service, f"{both}/overlaps.shp.zip", tmp_path)) as archive:
        archive.extractall(tmp_path)
    frame = pyogrio.read_dataframe(tmp_path / "overlaps.shp")
    assert set(told) <= set(frame["evid"])
    for row in frame[frame["evid"].isin(list(told))].itertuples():
        piece = told[row.evid]
        assert (row.layer, row.part, row.patch, row.area_m2, row.net_m2) == (
            piece["layer"], piece["part"], piece["patch"], piece["area_m2"], piece["net_area_m2"],
        )  # fmt: skip
        assert shapely.area(row.geometry) == pytest.approx(piece["area_m2"], rel=0.002)
    assert "land-law." in " ".join(frame["rules"])


def test_boundaries_can_be_checked_again(service: Running, both: str, farmland: bytes, tmp_path: Path) -> None:
    """What is taken away gives the same findings when it comes back."""
    was = service.client.get(f"{both}/report.json").json()
    for suffix in ("shp.zip", "gpkg"):
        files = [
            (
                part,
                (
                    f"{part}.{suffix.rpartition('.')[2]}",
                    service.client.get(f"{both}/boundary.{suffix}?part={part}").content,
                ),
            )
            for part in ("planning", "construction")
        ]
        layers = [("layer.permanent-basic-farmland", ("f.gpkg", farmland))]
        now = service.ask([*files, *layers], policy="huzhou-2018").json()
        for kind in ("area_m2", "planar_area_m2", "parts", "vertices"):
            assert now["proposal"]["planning"][kind] == was["proposal"]["planning"][kind]
        assert [
            [(each["rule"], each["verdict"], each["measured"]) for each in policy["findings"]]
            for policy in now["policies"]
        ] == [
            [(each["rule"], each["verdict"], each["measured"]) for each in policy["findings"]]
            for policy in was["policies"]
        ]


def test_addresses_that_there_are_not(service: Running, both: str) -> None:
    for address in (
        f"{both}/boundary.dwg",
        f"{both}/boundary.zip",
        f"{both}/overlaps.shp",
        "/checks/none/boundary.kml",
    ):
        assert service.client.get(address).status_code == 404, address
    kept = service.client.get(f"{both}/boundary.kml", headers={"Accept": "image/png"})
    assert kept.status_code == 406


def test_a_check_without_pieces_says_so_and_its_page_offers_none(service: Running, planning: bytes) -> None:
    made = service.ask(asked(planning)).headers["location"]
    pieces = [each for each in service.client.get(f"{made}/report.json").json()["structure"] if each["evidence"]]
    assert pieces == []
    answer = service.client.get(f"{made}/overlaps.kml?lang=en")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-pieces")
    page = service.client.get(made, headers=BROWSER).text
    assert f"{made}/boundary.kml?part=planning" in page
    assert f"{made}/overlaps.kml" not in page
    assert "part=construction" not in page


def test_the_page_links_every_file_that_there_is(service: Running, both: str) -> None:
    for lang in ("zh", "en"):
        page = service.client.get(f"{both}?lang={lang}", headers=BROWSER).text
        links = {each.replace("&amp;", "&") for each in re.findall(r'href="([^"]+)" download aria', page)}
        assert len(links) == 3 * len(suffixes())
        for each in links:
            assert service.client.get(each).status_code == 200, each


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_the_menu_fits_the_screen(service: Running, both: str, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"http://127.0.0.1:{service.port}{both}?lang=en")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    boxes = [link.bounding_box() for link in page.locator(".formats a").all()]
    assert len(boxes) == 3 * len(suffixes())
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    page.close()
