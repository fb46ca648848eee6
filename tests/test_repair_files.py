# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,index"
"""A repair from the command line and by the service: files, record, map, exit status, page."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import jsonschema
import pytest
import shapely
from playwright.sync_api import Browser

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from builders import box
from geoplan_api.schemas import schema_of
from serving import (  # noqa: F401 - the fixtures are used by name
    Running,
    asked,
    fixture_construction,
    fixture_farmland,
    fixture_planning,
    fixture_the_service,
)
from test_cli import geoplan, save


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A town with farmland under construction, and coverage of the farmland."""
    folder = tmp_path_factory.mktemp("repair")
    return {
        "planning": save(folder / "planning.gpkg", box(0, 0, 1700, 1700)),
        "construction": save(folder / "construction.gpkg", box(100, 100, 1000, 1000)),
        "farm": save(folder / "farm.gpkg", box(900, 900, 400, 400), YJJBNTTBBH=["7"], DLBM=["0101"]),
        "all": save(folder / "all.gpkg", box(-3000, -3000, 9000, 9000)),
    }


def called(files: dict[str, Path], *more: object, construction: Path | None = None):
    return geoplan(
        "repair", "--planning", files["planning"], "--construction", construction or files["construction"],
        "--policy", "state-council-2020", "--layer", f"permanent-basic-farmland={files['farm']}",
        "--coverage", f"permanent-basic-farmland={files['all']}", "--json", *more,
    )  # fmt: skip


def test_an_answer_is_written_and_passes_the_check_of_its_own_file(files, tmp_path):
    out = tmp_path / "out"
    done = called(files, "--out", out)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    jsonschema.validate(record, schema_of("repair"))
    assert record["outcome"] == "repaired"
    assert record == json.loads((out / "repair.json").read_text(encoding="utf-8"))
    best = record["answers"][0]
    assert best["ratio"] < 1.01
    assert best["failing"] == []
    repaired = gpd.read_file(out / "repaired.gpkg", layer="construction").geometry[0]
    assert shapely.area(repaired) == pytest.approx(960_000, rel=1e-3)
    difference = gpd.read_file(out / "repaired.gpkg", layer="difference")
    assert set(difference["did"]) <= {"kept", "removed", "added"}
    report = json.loads((out / "check" / "report.json").read_text(encoding="utf-8"))
    assert report["id"] == best["report_id"]
    drawn = (out / "map.html").read_text(encoding="utf-8")
    assert "geoplan-data" in drawn
    assert "https://" not in drawn.split("geoplan-data")[1][:200]
    again = geoplan(
        "check", "--planning", f"{out / 'repaired.gpkg'}#planning", "--construction",
        f"{out / 'repaired.gpkg'}#construction", "--policy", "state-council-2020",
        "--layer", f"permanent-basic-farmland={files['farm']}", "--coverage", f"permanent-basic-farmland={files['all']}",
    )  # fmt: skip
    assert again.returncode in (0, 3)


def test_the_coarsest_format_turns_no_verdict(files, tmp_path):
    out = tmp_path / "out"
    assert called(files, "--out", out).returncode == 0
    for part in ("planning", "construction"):
        converted = geoplan("convert", f"{out / 'repaired.gpkg'}#{part}", tmp_path / f"{part}.txt")
        assert converted.returncode == 0, converted.stderr
    again = geoplan(
        "check", "--planning", tmp_path / "planning.txt", "--construction", tmp_path / "construction.txt",
        "--policy", "state-council-2020", "--layer", f"permanent-basic-farmland={files['farm']}",
        "--coverage", f"permanent-basic-farmland={files['all']}",
    )  # fmt: skip
    assert again.returncode in (0, 3), again.stderr


def test_a_compliant_boundary_comes_back_as_it_was_drawn(files, tmp_path):
    apart = save(tmp_path / "apart.gpkg", box(100, 100, 700, 700))
    done = called(files, "--out", tmp_path / "out", construction=apart)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "unchanged"
    kept = gpd.read_file(tmp_path / "out" / "repaired.gpkg", layer="construction").geometry[0]
    assert shapely.equals_exact(shapely.get_parts(kept)[0].normalize(), box(100, 100, 700, 700).normalize())


def test_a_conflict_is_named_and_gives_no_boundary(files, tmp_path):
    everywhere = save(tmp_path / "f.gpkg", box(-3000, -3000, 9000, 9000), YJJBNTTBBH=["7"], DLBM=["0101"])
    done = called({**files, "farm": everywhere}, "--out", tmp_path / "out")
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert record["outcome"] == "conflict"
    assert len(record["conflict"]) == 1
    assert record["conflict"][0].endswith("basic-farmland")
    assert not (tmp_path / "out" / "repaired.gpkg").exists()
    assert "cannot hold together" in done.stderr


def test_a_refused_file_is_told_as_in_a_check(files, tmp_path):
    broken = tmp_path / "broken.gpkg"
    broken.write_bytes(b"no geopackage")
    done = called(files, "--out", tmp_path / "out", construction=broken)
    assert done.returncode == 2
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_failed_check_offers_its_repair_as_a_job_with_a_page(
    the_service: Running, planning: bytes, construction: bytes, farmland: bytes, browser: Browser
) -> None:
    sent = [
        *asked(planning),
        ("construction", ("c.gpkg", construction)),
        ("layer.permanent-basic-farmland", ("f.gpkg", farmland)),
    ]
    address = the_service.ask(sent).headers["location"]
    page = the_service.client.get(address, headers={"Accept": "text/html"}).text
    assert f'action="{address}/repair?lang=zh"' in page
    job = the_service.client.post(f"{address}/repair", headers={"Accept": "application/json"})
    assert job.status_code == 202
    told = _ended(the_service, job.headers["location"])
    assert told["status"] == "done", told
    repair = told["links"]["result"]
    record = the_service.client.get(repair, headers={"Accept": "application/json"}).json()
    jsonschema.validate(record, schema_of("repair"))
    assert record["outcome"] == "repaired"
    for part in ("/map.html", "/repaired.gpkg", "/boundary.dxf?part=construction", "/boundary.txt?part=planning"):
        answered = the_service.client.get(f"{repair}{part}")
        assert answered.status_code == 200, part
    assert the_service.client.get(f"{repair}?answer=9").status_code == 200
    assert the_service.client.get(f"{repair}/map?answer=9").status_code == 404
    pages = {
        at: the_service.client.get(at, headers={"Accept": "text/html"}).text
        for at in (repair, f"{repair}/map", f"{repair}/check")
    }
    assert "geoplan-data" in pages[f"{repair}/map"]
    assert "修复后的检查结果" in pages[repair]
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(f"{the_service.client.base_url}{repair}?lang=zh")
    assert opened.locator("iframe.repair-map").count() == 1
    shown = opened.frame_locator("iframe.repair-map").get_by_text("修复的变化")
    shown.wait_for()
    assert opened.evaluate("document.documentElement.scrollWidth") <= 1280
    opened.close()


def _ended(service: Running, address: str) -> dict[str, Any]:
    for _ in range(600):
        told: dict[str, Any] = service.client.get(address, headers={"Accept": "application/json"}).json()
        if told["status"] not in ("queued", "running"):
            return told
        time.sleep(0.2)
    raise AssertionError(f"{address} has not ended")
