# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""A search from files to a folder: candidates checked again in the product's formats, why, the record, the command."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import rasterio
import shapely

from geoplan.crs import recognise
from geoplan.errors import CannotFinish, InputRefused
from geoplan.plane import Plane
from geoplan.progress import Cancelled, unwatched
from geoplan_api.demo import data_folder, towns
from geoplan_api.inquiry import Inquiry, answer
from geoplan_api.jobs.kinds import KINDS, Task, work_at
from geoplan_api.schemas import schema_of
from geoplan_api.search.request import is_raster, search_request
from geoplan_api.search.run import SearchResult, run_search
from geoplan_api.search.why import why_at
from geoplan_api.settings import read_settings
from geoplan_layers.boundary_file import ReadOptions
from geoplan_layers.files.limits import LAYER
from geoplan_layers.selector import Selector, parse_layer, parse_selector
from geoplan_layers.vector import read_table
from geoplan_layers.writers.convert import convert
from geoplan_layers.writers.sheet import WriteOptions

POLICIES = ("huzhou-2018", "state-council-2020")
HUZHOU = data_folder() / "layers" / "huzhou"


def inquiry() -> Inquiry:
    """The demo area near Huzhou with all its layers, under the policies of the acceptance."""
    area = parse_selector(f"{HUZHOU / 'coverage.gpkg'}#land-use")
    return replace(towns()[0].inquiry(), planning=area, construction=None, facts=None, policies=POLICIES)


def under_policies() -> list[str]:
    """What a call names of it: policies, layers with their coverage, towns."""
    asked = ["--towns", str(HUZHOU / "towns.gpkg")]
    for spec in inquiry().layers:
        asked += ["--layer", f"{spec.role}={spec.selector.path}"]
        asked += ["--coverage", f"{spec.role}={HUZHOU / 'coverage.gpkg'}#{spec.role}"]
    for policy in POLICIES:
        asked += ["--policy", policy]
    return asked


@pytest.fixture(scope="module")
def criteria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's criteria at coarser cells, for one candidate."""
    text = (data_folder() / "search" / "huzhou.criteria.toml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("criteria") / "huzhou.toml"
    path.write_text(text.replace("cell_m = 30", "cell_m = 60").replace("count = 3", "count = 1"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(criteria, tmp_path_factory) -> SearchResult:
    """One search, for all tests."""
    return run_search(search_request(inquiry(), criteria, lang="en"), tmp_path_factory.mktemp("out"), unwatched)


def folder_of(found: SearchResult) -> Path:
    assert found.folder is not None
    return found.folder


def test_the_folder_holds_what_the_record_says(found) -> None:
    folder = folder_of(found)
    record = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    jsonschema.validate(record, schema_of("search"))
    assert record == found.content.as_dict()
    assert found.exit_status == 0
    assert all((folder / each).is_file() for each in record["files"])
    [candidate] = record["candidates"]
    report = json.loads((folder / candidate["folder"] / "report.json").read_text(encoding="utf-8"))
    assert report["id"] == candidate["report_id"]
    assert report["verdict"] == candidate["verdict"] != "fail"
    assert not [each for each in folder.iterdir() if each.name.startswith(".")]
    assert set(candidate["taken_m2"]) == {"paddy", "cultivated"}
    account = record["account"]
    assert account["area_m2"] == pytest.approx(
        account["excluded_m2"] + account["unknown_m2"] + account["eligible_m2"], abs=1
    )
    assert {each["role"] for each in record["layers"]} >= {"permanent-basic-farmland", "land-use"}
    assert record["invented"]


@pytest.mark.parametrize("suffix", [".txt", ".geojson", ".xlsx", ".shp", ".kml", ".dxf"])
def test_a_candidate_passes_from_every_format(found, tmp_path, suffix) -> None:
    parts = {}
    for part in ("planning", "construction"):
        source = Selector(folder_of(found) / "candidates.gpkg", part, "rank", "1")
        parts[part] = tmp_path / f"{part}{suffix}"
        convert(
            source,
            parts[part],
            WriteOptions("en", part),
            ReadOptions(),
            recognise(4528) if suffix in (".txt", ".xlsx") else None,
        )
    frame = recognise(found.content.grid.epsg or 4490) if suffix == ".dxf" else None
    asked = replace(
        inquiry(), planning=Selector(parts["planning"]), construction=Selector(parts["construction"]), frame=frame
    )
    report = answer(asked)
    assert report.content.verdict == found.content.candidates[0].verdict
    assert report.exit_status == 0


def test_why_agrees_with_the_layers_at_random_points(found) -> None:
    plane = Plane(found.content.grid.central_meridian)
    farm = _union("yjjbnttb.gpkg", plane)
    redline = _union("stbhhx.gpkg", plane)
    ground = shapely.unary_union([_union("coverage.gpkg#land-use", plane)])
    west, south, east, north = ground.bounds
    random = np.random.default_rng(7)
    seen: set[str] = set()
    for x, y in zip(random.uniform(west, east, 40), random.uniform(south, north, 40), strict=True):
        lon, lat = plane.to_lonlat(np.array([x]), np.array([y]))
        told = why_at(folder_of(found), float(lon[0]), float(lat[0]))
        cell = _cell_at(found, x, y)
        if not told["inside"]:
            assert shapely.area(shapely.intersection(cell, ground)) <= cell.area / 2
            continue
        seen.add(told["verdict"])
        for rule, layer in (("land-law:basic-farmland", farm), ("land-law:ecological-redline", redline)):
            share = shapely.area(shapely.intersection(cell, layer)) / cell.area
            if abs(share - 0.5) > 1e-6:
                assert (rule in told["excluded_by"]) == (share > 0.5)
        if told["verdict"] == "eligible":
            assert not told["excluded_by"]
            assert sum(each["contribution"] for each in told["factors"]) == pytest.approx(told["suitability"], abs=1e-4)
    assert seen >= {"excluded", "eligible"}


def _union(name: str, plane: Plane) -> shapely.Geometry:
    table = read_table(parse_selector(f"{HUZHOU / name}"), LAYER)
    assert table.frame is not None
    return shapely.union_all(plane.bring(table.shapes, table.frame))


def _cell_at(found: SearchResult, x: float, y: float) -> shapely.Polygon:
    grid = found.content.grid
    column, row = int((x - grid.west) // grid.cell_m), int((grid.north - y) // grid.cell_m)
    west, north = grid.west + column * grid.cell_m, grid.north - row * grid.cell_m
    return shapely.box(west, north - grid.cell_m, west + grid.cell_m, north)


def test_why_inside_a_candidate_and_far_away(found) -> None:
    [candidate] = found.content.candidates
    told = why_at(folder_of(found), candidate.at.lon, candidate.at.lat)
    assert told["in_candidates"] == [1]
    assert why_at(folder_of(found), 100.0, 30.0) == {"lon": 100.0, "lat": 30.0, "inside": False, "verdict": "outside"}


def test_rasters_lie_on_the_grid_of_the_record(found) -> None:
    grid = found.content.grid
    with rasterio.open(folder_of(found) / "exclusion.tif") as file:
        assert file.shape == (grid.rows, grid.columns)
        assert (file.transform.c, file.transform.f, file.transform.a) == (grid.west, grid.north, grid.cell_m)
        assert file.crs.to_epsg() == grid.epsg
        reasons = file.read(1)
    with rasterio.open(folder_of(found) / "unknown.tif") as file:
        doubts = file.read(1)
    eligible = int(((reasons == 0) & (doubts == 0)).sum()) * grid.cell_m**2
    assert eligible == pytest.approx(found.content.account.eligible_m2)


def test_a_search_that_is_stopped_leaves_nothing(criteria, tmp_path) -> None:
    def stop(stage: str, done: float, total: float) -> None:
        if stage == "search-rasters":
            raise Cancelled

    with pytest.raises(Cancelled, match="stopped as asked"):
        run_search(search_request(inquiry(), criteria), tmp_path / "out", stop)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_takes_no_file_is_said(criteria, tmp_path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CannotFinish, match="out"):
        run_search(search_request(inquiry(), criteria), tmp_path / "out", unwatched)


def test_why_needs_the_folder_of_a_search(tmp_path) -> None:
    with pytest.raises(InputRefused, match=r"search\.json"):
        why_at(tmp_path, 120.0, 30.0)
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(InputRefused, match="the record of the search cannot be read"):
        why_at(tmp_path, 120.0, 30.0)


def test_rasters_are_told_apart_from_vectors(tmp_path) -> None:
    assert is_raster(parse_layer("elevation=dem.zip"))
    assert is_raster(parse_layer("custom:noise=noise.tif"))
    assert not is_raster(parse_layer("roads=roads.zip"))


def command(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geoplan_api", "search", *args], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "--area"),
        (("--area", "a.gpkg"), "--criteria"),
        (("--area", "a.gpkg", "--criteria", "c.toml", "--why", "1;2"), "LON,LAT"),
        (("--area", "a.gpkg", "--criteria", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(args, says) -> None:
    done = command(*args, "--lang", "en")
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_template_is_a_criteria_file(tmp_path) -> None:
    done = command("--criteria-template")
    assert done.returncode == 0
    path = tmp_path / "c.toml"
    path.write_text(done.stdout, encoding="utf-8")
    assert search_request(inquiry(), path).wanted == 5


def test_the_command_writes_json_alone_on_stdout(criteria, tmp_path) -> None:
    area = f"{HUZHOU / 'coverage.gpkg'}#land-use"
    asked = ["--area", area, "--criteria", str(criteria), *under_policies(), "--json"]
    done = command(*asked, "--why", "120.09,30.75", "--lang", "en")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["schema"] == "geoplan/search/1"
    assert content["why"]["verdict"] in {"eligible", "excluded", "not-known"}
    assert "Study area" in done.stderr


def test_a_job_searches_with_the_layers_of_the_service(criteria, tmp_path) -> None:
    inputs, out, tmp = (tmp_path / name for name in ("inputs", "out", "tmp"))
    for each in (inputs, out, tmp):
        each.mkdir()
    (inputs / "area.gpkg").write_bytes((HUZHOU / "coverage.gpkg").read_bytes())
    (inputs / "c.toml").write_bytes(criteria.read_bytes())
    asked = {"area": "area.gpkg#land-use", "criteria": "c.toml", "policies": list(POLICIES), "lang": "en"}
    settings = read_settings(home=tmp_path / "home", demo_layers=True)
    result = work_at(KINDS["search"].target)(Task("j", asked, inputs, out, tmp, settings), unwatched)
    assert result["candidates"] == 1
    assert (out / "search.json").is_file()
