# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type"
"""``geoplan replay`` of checks whose files were placed by the user: the same id, and parameters asked for again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from pyproj import Transformer

from builders import box
from geoplan.errors import InputRefused
from geoplan.identity import report_id
from geoplan.shifted import FORWARD
from geoplan_api.replay import PARAMETERS, Replay, replay
from geoplan_layers.parameters_file import read_parameters
from test_cli import geoplan

SQUARE, FARM, WIDE = box(0, 0, 1700, 1700), box(200, 200, 100, 50), box(-3000, -3000, 9000, 9000)
TOML = 'from = "xian-1980"\nto = "cgcs2000"\nx = -11.75\ny = 93.125\nz = 41.625\n'


def moved(shape: shapely.Geometry, code: int, way: Any = None, *, swap: bool = False) -> shapely.Geometry:
    step = Transformer.from_crs(4549, code, always_xy=True).transform
    change: Any = lambda x, y: way(*step(x, y)) if way else step(x, y)  # noqa: E731 - typed for shapely's overloads
    there = shapely.transform(shape, change, interleaved=False)
    return shapely.transform(there, lambda xy: xy[:, ::-1]) if swap else there


def bare(path: Path, shape: shapely.Geometry, crs: int | None = None, **columns: Any) -> str:
    gpd.GeoDataFrame(columns or {"NAME": ["x"]}, geometry=[shape], crs=crs or 4549).to_file(path)
    if crs is None:
        path.with_suffix(".prj").unlink()
    return path.name


def farm(path: Path, shape: shapely.Geometry, crs: int | None = None) -> str:
    return bare(path, shape, crs, DLBM=["0101"], YJJBNTTBBH=["7"])


def asked(folder: Path, *arguments: object) -> dict[str, Any]:
    run = geoplan("check", *arguments, "--on", "2026-11-21", "--out", "out", "--json", cwd=folder)
    assert run.returncode in (0, 1, 3), run.stderr
    content: dict[str, Any] = json.loads(run.stdout)
    return content


def again(folder: Path, parameters: Path | None = None) -> Replay:
    return replay(folder / "out" / "report.json", [folder], read_parameters(parameters) if parameters else None)


def same(folder: Path, parameters: Path | None = None) -> None:
    found = again(folder, parameters)
    assert found.as_dict()["findings"] == []
    assert (found.exit_status, found.same, found.differences) == (0, True, ())


ROLE = "permanent-basic-farmland"


@pytest.mark.parametrize(
    ("code", "swap", "options"),
    [
        (4549, False, ("--crs", "EPSG:4549")),
        (4549, False, ("--place", "330500")),
        (4528, False, ("--place", "330521", "--swap-xy")),
        (4549, True, ("--crs", "EPSG:4549", "--swap-xy")),
        (4490, False, ("--datum", "cgcs2000")),
        (4490, True, ("--datum", "wgs84", "--swap-xy")),
    ],
)
def test_what_was_said_of_bare_boundaries_is_said_again(tmp_path: Path, code: int, swap: bool, options) -> None:
    planning = bare(tmp_path / "p.shp", moved(SQUARE, code, swap=swap))
    construction = bare(tmp_path / "c.shp", moved(box(100, 100, 900, 900), code, swap=swap))
    report = asked(tmp_path, "--planning", planning, "--construction", construction, *options)
    assert set(report["options"]["read"]) == {"planning", "construction"}
    same(tmp_path)


def test_a_place_decides_layers_coverage_and_towns_again(tmp_path: Path) -> None:
    planning = bare(tmp_path / "p.shp", SQUARE, 4549)
    layer = farm(tmp_path / "f.shp", FARM)
    other = farm(tmp_path / "g.shp", moved(box(900, 900, 50, 50), 4490, FORWARD["gcj02"]), 4490)
    cover = bare(tmp_path / "v.shp", WIDE)
    own = bare(tmp_path / "w.shp", WIDE, 4549)
    towns = bare(tmp_path / "t.shp", box(9000, 9000, 500, 500), None, name=["远镇"])
    report = asked(
        tmp_path, "--planning", planning, "--layer", f"{ROLE}={layer}", "--layer", f"{ROLE}={other}@gcj02",
        "--coverage", f"{ROLE}={cover}", "--coverage", f"{ROLE}={own}", "--towns", towns, "--place", "330500",
    )  # fmt: skip
    place = {"place": "330500"}
    assert report["options"]["read"] == {
        "towns": place,
        f"layer.{ROLE}.1": place,
        f"coverage.{ROLE}.1": place,
        f"layer.{ROLE}.2": {"datum": "gcj02"},
    }
    same(tmp_path)


def test_each_layer_is_read_as_it_was(tmp_path: Path) -> None:
    planning = bare(tmp_path / "p.shp", SQUARE, 4549)
    one = farm(tmp_path / "f.shp", moved(FARM, 4549, swap=True))
    two = farm(tmp_path / "g.shp", moved(box(900, 900, 50, 50), 4528), 4528)
    report = asked(
        tmp_path, "--planning", planning, "--layer", f"{ROLE}={one}@EPSG:4549@swap-xy", "--layer", f"{ROLE}={two}"
    )
    assert report["options"]["read"] == {f"layer.{ROLE}.1": {"swap_xy": True, "crs": "EPSG:4549"}}
    same(tmp_path)


def test_shifted_degrees_are_set_right_again(tmp_path: Path) -> None:
    shifted = moved(SQUARE, 4326, FORWARD["gcj02"])
    points = " ".join(f"{lon!r},{lat!r}" for lon, lat in shapely.get_coordinates(shifted).tolist())
    ring = f"<outerBoundaryIs><LinearRing><coordinates>{points}</coordinates></LinearRing></outerBoundaryIs>"
    (tmp_path / "p.kml").write_text(f"<kml><Placemark><Polygon>{ring}</Polygon></Placemark></kml>", encoding="utf-8")
    report = asked(tmp_path, "--planning", "p.kml", "--datum", "gcj02")
    assert report["options"]["read"] == {"planning": {"datum": "gcj02"}}
    assert "warning.shifted-degrees" in [each["id"] for each in report["warnings"]]
    same(tmp_path)


def test_parameters_are_asked_for_again_and_told_where_they_differ(tmp_path: Path) -> None:
    bare(tmp_path / "p.shp", moved(SQUARE, 4549), 2385)
    (tmp_path / "mine.toml").write_text(TOML)
    (tmp_path / "other.toml").write_text(TOML.replace("93.125", "94.5"))
    report = asked(tmp_path, "--planning", "p.shp", "--datum-parameters", "mine.toml")
    (used,) = report["options"]["read"].values()
    lacking = again(tmp_path)
    assert (lacking.exit_status, lacking.recomputed) == (3, None)
    assert lacking.as_dict()["missing"] == [{"file": PARAMETERS, "sha256": used["parameters_sha256"]}]
    told = geoplan("replay", "out/report.json", cwd=tmp_path)
    assert told.returncode == 3
    assert "datum parameters are missing" in told.stdout
    assert "give them again with --datum-parameters" in told.stdout
    done = geoplan("replay", "out/report.json", "--datum-parameters", "mine.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    differs = again(tmp_path, tmp_path / "other.toml")
    assert differs.exit_status == 1
    assert [each.what for each in differs.differences] == ["parameters"]
    assert "94.5" not in json.dumps(differs.as_dict())
    told = geoplan("replay", "out/report.json", "--datum-parameters", "other.toml", cwd=tmp_path, lang="zh")
    assert "坐标转换参数" in told.stdout


def test_a_report_from_before_layers_said_how_they_were_read_is_still_done_again(tmp_path: Path) -> None:
    planning = bare(tmp_path / "p.shp", SQUARE, 4549)
    asked(tmp_path, "--planning", planning, "--layer", f"{ROLE}={farm(tmp_path / 'f.shp', FARM)}@EPSG:4549")
    path = tmp_path / "out" / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["options"]["read"]
    content["id"] = report_id(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    found = again(tmp_path)
    assert (found.missing, found.differences, found.changes) == ((), (), ())


@pytest.mark.parametrize("read", [[], {"planning": 1}, {"planning": {"datum": "moon"}}, {"planning": {"swap_xy": []}}])
def test_a_report_with_other_options_is_none(tmp_path: Path, read: Any) -> None:
    asked(tmp_path, "--planning", bare(tmp_path / "p.shp", SQUARE, 4549))
    path = tmp_path / "out" / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["options"]["read"] = read
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputRefused, match="not a report"):
        again(tmp_path)
