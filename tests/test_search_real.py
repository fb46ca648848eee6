# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""A search on a real place, North of Bayreuth: OSM features and SRTM heights, no Chinese paper, why against the layers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from geoplan.plane import Plane
from geoplan.progress import unwatched
from geoplan.search.grid import Grid
from geoplan.search.slope import slope_of
from geoplan_api.inquiry import Inquiry, layer_spec
from geoplan_api.search.request import search_request
from geoplan_api.search.run import SearchResult, run_search
from geoplan_api.search.why import why_at
from geoplan_layers.files.limits import LAYER
from geoplan_layers.rasters import read_own, read_raster
from geoplan_layers.selector import parse_selector
from geoplan_layers.vector import read_table

CRITERIA = """
schema = "geoplan/criteria/1"
cell_m = 60
count = 2
constraints = [
  { id = "steep", raster = "slope", above = 10.0 },
  { id = "forest", features = { layer = "custom:forest" } },
  { id = "water", features = { layer = "water" }, distance_m = 50 },
  { id = "buildings", features = { layer = "custom:buildings" }, distance_m = 30 },
]
factors = [
  { id = "roads", distance_to = { layer = "roads" }, linear = { worst = 1500, best = 0 }, weight = 2 },
  { id = "slope", raster = "slope", linear = { worst = 10, best = 0 }, weight = 1 },
]
region = { target_m2 = 1_000_000, tradeoff = 55 }
construction = { target_m2 = 350_000 }
spacing = { between_min_m = 500 }
outline = { along = ["roads", "custom:forest"], neck_m = 80 }
"""
FOREST = "landuse_natural[landuse=forest]"
TILES = ("N49E011.hgt.zip", "N50E011.hgt.zip")


@pytest.fixture(scope="module")
def found(real_data: Path, tmp_path_factory) -> SearchResult:
    folder = tmp_path_factory.mktemp("bayreuth")
    corners = [[11.46, 49.972], [11.605, 49.972], [11.605, 50.058], [11.46, 50.058], [11.46, 49.972]]
    area = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}
    (folder / "area.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [area]}))
    (folder / "c.toml").write_text(CRITERIA, encoding="utf-8")
    features, terrain = real_data / "data" / "osm" / "north_bayreuth.gpkg", real_data / "data" / "terrain"
    given = [
        f"custom:forest={features}#{FOREST}",
        f"water={features}#waterways",
        f"custom:buildings={features}#buildings",
        f"roads={features}#roads",
        *(f"elevation={terrain / tile}" for tile in TILES),
    ]
    asked = Inquiry(
        planning=parse_selector(str(folder / "area.geojson")),
        layers=tuple(layer_spec(each) for each in given),
        on=date(2026, 11, 28),
        anywhere=True,
    )
    return run_search(search_request(asked, folder / "c.toml", lang="en"), folder / "out", unwatched)


def layer(real_data: Path, name: str, plane: Plane) -> np.ndarray:
    table = read_table(parse_selector(f"{real_data / 'data' / 'osm' / 'north_bayreuth.gpkg'}#{name}"), LAYER)
    assert table.frame is not None
    return plane.bring(shapely.make_valid(table.shapes), table.frame, anywhere=True)


def slopes(real_data: Path, grid: Grid) -> np.ndarray:
    def heights(part: Grid) -> np.ndarray:
        south, north = (
            read_raster(real_data / "data" / "terrain" / tile, part, resampling="bilinear", anywhere=True)
            for tile in TILES
        )
        return np.where(np.isnan(south), north, south)

    return slope_of(heights)(grid)


def test_candidates_keep_off_what_is_excluded(found, real_data) -> None:
    assert found.folder is not None
    assert len(found.content.candidates) == 2
    plane = Plane(found.content.grid.central_meridian)
    table = read_table(parse_selector(f"{found.folder / 'candidates.gpkg'}#planning"), LAYER)
    assert table.frame is not None
    forest = shapely.union_all(layer(real_data, FOREST, plane))
    for shape in plane.bring(table.shapes, table.frame, anywhere=True):
        assert shapely.area(shapely.intersection(shape, forest)) < 0.01
        assert shapely.distance(shape, layer(real_data, "waterways", plane)).min() >= 50
        assert shapely.distance(shape, layer(real_data, "buildings", plane)).min() >= 30
    assert found.content.outside_china
    assert found.content.policies == []
    for candidate in found.content.candidates:
        assert candidate.nearest_candidate_m is not None
        assert candidate.nearest_candidate_m >= 500
        report = json.loads((found.folder / candidate.folder / "report.json").read_text(encoding="utf-8"))
        law = next(policy for policy in report["policies"] if policy["id"] == "land-law")
        assert {each["verdict"] for each in law["findings"]} == {"not-applicable"}


def test_why_agrees_with_the_layers_at_ten_random_points(found, real_data) -> None:
    assert found.folder is not None
    of = found.content.grid
    plane = Plane(of.central_meridian)
    grid = Grid(plane, of.west, of.north, of.cell_m, of.rows, of.columns)
    steep = slopes(real_data, grid) > 10
    forest = shapely.union_all(layer(real_data, FOREST, plane))
    near = {
        "water": (layer(real_data, "waterways", plane), 50),
        "buildings": (layer(real_data, "buildings", plane), 30),
    }
    random = np.random.default_rng(11)
    for lon, lat in zip(random.uniform(11.48, 11.6, 10), random.uniform(49.975, 50.04, 10), strict=True):
        x, y = plane.from_lonlat(np.array([lon]), np.array([lat]))
        at = grid.cell_of(float(x[0]), float(y[0]))
        assert at is not None
        west, north = grid.west + at[1] * grid.cell, grid.north - at[0] * grid.cell
        cell = shapely.box(west, north - grid.cell, west + grid.cell, north)
        wanted = {name for name, (shapes, within) in near.items() if shapely.distance(shapes, cell).min() <= within}
        wanted |= {"steep"} if steep[at] else set()
        wanted |= {"forest"} if shapely.area(shapely.intersection(cell, forest)) > cell.area / 2 else set()
        assert set(why_at(found.folder, float(lon), float(lat))["excluded_by"]) == wanted


def test_no_cell_inside_a_legal_distance_is_eligible(found, real_data) -> None:
    assert found.folder is not None
    of = found.content.grid
    plane = Plane(of.central_meridian)
    window = (0, 0, of.rows, of.columns)
    free = read_own(found.folder / "exclusion.tif", *window) == 0
    free &= read_own(found.folder / "unknown.tif", *window) == 0
    rows, columns = np.nonzero(free)
    west, north = of.west + columns * of.cell_m, of.north - rows * of.cell_m
    cells = shapely.box(west, north - of.cell_m, west + of.cell_m, north)
    for name, least in (("waterways", 50), ("buildings", 30)):
        tree = shapely.STRtree(layer(real_data, name, plane))
        _, away = tree.query_nearest(cells, return_distance=True, all_matches=False)
        assert int((away < least).sum()) == 0
