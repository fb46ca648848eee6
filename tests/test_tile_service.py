"""Tiles and the map of a registered layer over real HTTP, and in Chromium from the service itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mapbox_vector_tile
import pytest
import shapely
from playwright.sync_api import Browser, expect

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from builders import X0, Y0, box
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.prepared.version import Version
from geoplan_layers.selector import parse_layer
from serving import Running, asked, fixture_planning, frame, gpkg, running  # noqa: F401 - fixtures by name
from test_tiles import around

SIDE, ACROSS = 60.0, 12


def put(home: Path, folder: Path, role: str, data: Any, name: str) -> Version:
    path = folder / f"{name}.gpkg"
    data.to_file(path, driver="GPKG", layer=name)
    return import_layer(ImportRequest(role, (parse_layer(f"{role}={path}"),)), LayerStore(home / "layers"))


@pytest.fixture(name="home", scope="module")
def fixture_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Version, Version]:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("files")
    cells = [box(SIDE * i, SIDE * j, SIDE, SIDE) for j in range(ACROSS) for i in range(ACROSS)]
    columns: dict[str, Any] = {
        "TBBH": [f"T{i:04d}" for i in range(len(cells))],
        "DLBM": ["0101" if i % ACROSS < 6 else "0702" for i in range(len(cells))],
        "DLMC": ["水田" if i % ACROSS < 6 else "农村宅基地" for i in range(len(cells))],
        "KCXS": [0.1] * len(cells),
    }
    use = put(home, folder, "land-use", frame(*cells, **columns), "DLTB_20251231")
    lines = [shapely.LineString([(X0, Y0 + 30 * i), (X0 + 700, Y0 + 30 * i + 10)]) for i in range(4)]
    roads = put(home, folder, "roads", frame(*lines, NAME=["G104"] * 4), "roads")
    return home, use, roads


@pytest.fixture(name="held", scope="module")
def fixture_held(home: tuple[Path, Version, Version]) -> Iterator[Running]:
    with running(home[0], workers=2, queue_length=10) as service:
        yield service


def address(version: Version, zoom: int = 15) -> str:
    tile = around(X0 + 100, Y0 + 100, zoom)
    return f"/layers/{version.role}/{version.id}/tiles/{tile.z}/{tile.x}/{tile.y}.pbf"


def test_a_tile_has_the_patches_of_the_layer(home: tuple[Path, Version, Version], held: Running) -> None:
    answered = held.client.get(address(home[1]))
    assert (answered.status_code, answered.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    assert answered.headers["content-encoding"] == "gzip"
    assert answered.headers["geoplan-left-out"] == "0"
    features = mapbox_vector_tile.decode(answered.content)["land-use"]["features"]
    assert len(features) == ACROSS**2
    assert {f["properties"]["id"] for f in features} == {f"T{i:04d}" for i in range(ACROSS**2)}
    told = {(f["properties"]["code"], f["properties"]["name"]) for f in features}
    assert told == {("0101", "水田"), ("0702", "农村宅基地")}
    roads = mapbox_vector_tile.decode(held.client.get(address(home[2])).content)["roads"]["features"]
    assert {f["geometry"]["type"] for f in roads} == {"LineString"}


def test_a_tile_is_kept_by_its_tag_and_comes_plain_where_asked(
    home: tuple[Path, Version, Version], held: Running
) -> None:
    first = held.client.get(address(home[1]))
    again = held.client.get(address(home[1]), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "private, no-cache"
    plain = held.client.get(address(home[1]), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content
    other = held.client.get(address(home[1], 14), headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_empty_ground_is_no_content(home: tuple[Path, Version, Version], held: Running) -> None:
    answered = held.client.get(f"/layers/land-use/{home[1].id}/tiles/12/0/0.pbf")
    assert (answered.status_code, answered.content) == (204, b"")


@pytest.mark.parametrize(
    "wrong",
    [
        "/layers/land-use/{id}/tiles/19/0/0.pbf",
        "/layers/land-use/{id}/tiles/3/8/0.pbf",
        "/layers/land-use/{id}/tiles/3/-1/0.pbf",
        "/layers/land-use/{id}/tiles/3/1.5/0.pbf",
        "/layers/land-use/{id}/tiles/٣/0/0.pbf",
        "/layers/land-use/{id}/tiles/3/99999999999999999999/0.pbf",
        "/layers/land-use/{short}/tiles/3/0/0.pbf",
        "/layers/land-use/0000000000000000/tiles/3/0/0.pbf",
        "/layers/roads/{id}/tiles/3/0/0.pbf",
        "/layers/..%2F..%2Fetc/{id}/tiles/3/0/0.pbf",
        "/layers/%00/{id}/tiles/3/0/0.pbf",
        "/layers/custom:没有/{id}/tiles/3/0/0.pbf",
        "/layers/land-use/%2e%2e/map",
        "/layers/land-use/{short}/map",
        "/layers/nothing/{id}/map",
    ],
)
def test_what_is_not_there_is_said_so(home: tuple[Path, Version, Version], held: Running, wrong: str) -> None:
    answered = held.client.get(wrong.format(id=home[1].id, short=home[1].id[:6]))
    assert answered.status_code == 404, answered.text
    assert answered.headers["content-type"] == "application/problem+json"


def test_a_version_that_was_removed_has_no_tiles(tmp_path: Path) -> None:
    data = frame(box(0, 0, 500, 500), DLBM=["0101"], DLMC=["水田"], KCXS=[0.0])
    version = put(tmp_path / "home", tmp_path, "land-use", data, "DLTB")
    with running(tmp_path / "home", workers=1, queue_length=2) as service:
        first = service.client.get(address(version))
        assert first.status_code == 200
        LayerStore(tmp_path / "home" / "layers").remove("land-use", version.id)
        for headers in ({}, {"If-None-Match": first.headers["etag"]}):
            assert service.client.get(address(version), headers=headers).status_code == 404


@pytest.mark.browser
def test_the_map_of_a_registered_layer_in_the_browser(
    browser: Browser, home: tuple[Path, Version, Version], held: Running
) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    asked_for: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.on("console", lambda each: said.append(each.text) if each.type in ("error", "warning") else None)
    page.on("pageerror", lambda wrong: said.append(str(wrong)))
    page.goto(f"http://127.0.0.1:{held.port}/layers/land-use/{home[1].id}/map?lang=zh", wait_until="networkidle")
    expect(page.locator("h1")).to_have_text("土地利用现状")
    expect(page.locator(".geoplan-caption-note")).to_contain_text("DLTB_20251231")
    expect(page.locator(".geoplan-legend-line")).to_have_count(2)
    bounds = page.locator(".folium-map").bounding_box()
    assert bounds is not None
    page.mouse.move(bounds["x"] + bounds["width"] / 2 - 60, bounds["y"] + bounds["height"] / 2)
    expect(page.locator(".geoplan-hint")).to_have_text(re.compile(r"0101 水田 · T\d{4}"))
    assert {urlsplit(each).netloc for each in asked_for if not each.startswith(("data:", "blob:"))} == {
        f"127.0.0.1:{held.port}"
    }
    assert any(each.endswith(".pbf") for each in asked_for)
    assert said == []
    page.close()


def test_a_check_leads_to_the_maps_of_its_layers(
    home: tuple[Path, Version, Version], held: Running, planning: bytes
) -> None:
    made = held.ask(asked(planning))
    assert made.status_code == 201, made.text
    html = held.client.get(f"{made.headers['location']}/map?lang=zh", headers={"Accept": "text/html"}).text
    link = re.search(rf'"href":"(/layers/land-use/{home[1].id}/map\?lang=zh#[\d.]+/[\d.]+/[\d.]+)"', html)
    assert link is not None
    assert held.client.get(link[1].split("#")[0], headers={"Accept": "text/html"}).status_code == 200
    alone = held.client.get(f"{made.headers['location']}/map.html?lang=zh", headers={"Accept": "text/html"}).text
    assert "/layers/land-use/" not in alone
