# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type"
"""What the user says of a system, in every kind of format: shifted degrees, swapped axes, coordinates without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from builders import HUZHOU, box
from geoplan.crs import recognise
from geoplan.errors import CallRefused, InputRefused
from geoplan.shifted import FORWARD
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.locate import ReadOptions
from geoplan_layers.selector import parse_layer, parse_selector
from geoplan_layers.writers.convert import convert
from geoplan_layers.writers.sheet import WriteOptions

SQUARE = box(0, 0, 1700, 1700)
HEAD = (
    "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n计量单位=米\n带号=40\n[地块坐标]\n5,289.0000,DK1,甲,面,,,,@\n"
)
IN_THREE_POINTS = {"cgcs2000": 4490, "wgs84": 4326}


def degrees(way: Any = None) -> list[tuple[float, float]]:
    """The corners of the square in degrees, as a web map has them where ``way`` shifts them."""
    xy = shapely.get_coordinates(SQUARE)
    lon, lat = Transformer.from_crs(4549, 4490, always_xy=True).transform(xy[:, 0], xy[:, 1])
    if way:
        lon, lat = way(lon, lat)
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def kml(folder: Path, corners: list[tuple[float, float]]) -> Path:
    points = " ".join(f"{lon!r},{lat!r}" for lon, lat in corners)
    ring = f"<outerBoundaryIs><LinearRing><coordinates>{points}</coordinates></LinearRing></outerBoundaryIs>"
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Polygon>{ring}</Polygon></Placemark></kml>'
    (folder / "a.kml").write_text(text, encoding="utf-8")
    return folder / "a.kml"


def geojson(folder: Path, corners: list[tuple[float, float]]) -> Path:
    content = {"type": "Polygon", "coordinates": [corners]}
    (folder / "a.geojson").write_text(json.dumps(content), encoding="utf-8")
    return folder / "a.geojson"


def survey(folder: Path, head: str = HEAD, *, swapped: bool = False) -> Path:
    rows = []
    for i, (x, y) in enumerate(shapely.get_coordinates(SQUARE)):
        east, north = x + 40_000_000, y
        pair = (east, north) if swapped else (north, east)
        rows.append(f"J{i % 4 + 1},1,{pair[0]:.4f},{pair[1]:.4f}\n")
    (folder / "a.txt").write_text(head + "".join(rows), encoding="gbk")
    return folder / "a.txt"


def read(path: Path, **options: Any) -> Any:
    return read_boundary(parse_selector(str(path)), ReadOptions(**options))


def notes(found: Any) -> list[str]:
    return [note.id.removeprefix("read.") for note in found.notes]


def off(found: Any) -> float:
    """How far a boundary lies from the square, m."""
    return float(shapely.hausdorff_distance(found.on(HUZHOU), SQUARE))


@pytest.mark.parametrize("make", [kml, geojson])
@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_degrees_that_a_format_calls_wgs84_are_set_right_where_the_user_says_so(tmp_path: Path, make, datum) -> None:
    path = make(tmp_path, degrees(FORWARD[datum]))
    as_said = read(path)
    assert as_said.frame.epsg == 4326
    assert as_said.read_with == {}
    assert off(as_said) > 400
    found = read(path, datum=datum)
    assert off(found) < 0.001
    assert found.frame.is_shifted
    assert found.read_with == {"datum": datum}
    assert "shifted-degrees" in notes(found)
    assert "kml-datum" not in notes(found)
    layer = FileLayer(parse_layer(f"custom:x={path}@{datum}"))
    assert (
        shapely.hausdorff_distance(layer.extent(HUZHOU), SQUARE) < 5.0
    )  # a box of shifted degrees is none of true ones
    assert [note.id for note in layer.notes] == ["read.shifted-degrees"]


def test_true_degrees_that_are_confirmed_keep_the_doubt_of_a_kml(tmp_path: Path) -> None:
    path = kml(tmp_path, degrees())
    for datum in (None, "wgs84", "cgcs2000"):
        found = read(path, datum=datum)
        assert off(found) < 0.001
        assert (notes(found), found.read_with) == (["kml-datum"], {})


def test_a_survey_file_with_x_and_y_swapped_is_mended_with_consent(tmp_path: Path) -> None:
    path = survey(tmp_path, swapped=True)
    with pytest.raises(InputRefused, match="east and north are swapped .*--swap-xy"):
        read(path)
    found = read(path, swap_xy=True)
    assert (found.frame.epsg, off(found) < 0.001, found.read_with) == (4528, True, {"swap_xy": True})
    assert "axes-swapped" in notes(found)
    assert "survey-looks-swapped" not in notes(found)
    assert off(read(survey(tmp_path))) < 0.001


def test_a_table_with_its_columns_swapped_is_mended_with_consent(tmp_path: Path) -> None:
    corners = shapely.get_coordinates(SQUARE) + np.array([40_000_000, 0])
    text = "点号,北坐标,东坐标\n" + "".join(f"J{i % 4 + 1},{x:.4f},{y:.4f}\n" for i, (x, y) in enumerate(corners))
    (tmp_path / "a.csv").write_text(text, encoding="gbk")
    with pytest.raises(InputRefused, match="--swap-xy"):
        read(tmp_path / "a.csv")
    found = read(tmp_path / "a.csv", swap_xy=True, frame=recognise(4528))
    assert off(found) < 0.001
    assert found.read_with == {"swap_xy": True, "crs": "EPSG:4528"}
    assert "survey-looks-swapped" not in notes(found)


@pytest.mark.parametrize("kind", ["csv", "txt"])
def test_degrees_without_a_datum_are_settled_by_the_user(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        path.write_text("lon,lat\n" + "".join(f"{lon!r},{lat!r}\n" for lon, lat in degrees()), encoding="utf-8")
    else:
        head = HEAD.replace("坐标系=2000国家大地坐标系\n几度分带=3\n", "").replace("米", "度").replace("带号=40\n", "")
        rows = (f"J{i % 4 + 1},1,{lat!r},{lon!r}\n" for i, (lon, lat) in enumerate(degrees()))
        path.write_text(head + "".join(rows), encoding="gbk")
    with pytest.raises(InputRefused) as caught:
        read(path)
    assert caught.value.id == "crs-missing"
    assert "EPSG:4490" in caught.value.say("en")
    for datum, code in IN_THREE_POINTS.items():
        by_datum, by_code = read(path, datum=datum), read(path, frame=recognise(code))
        assert by_datum.frame.epsg == by_code.frame.epsg == code
        assert max(off(by_datum), off(by_code)) < 0.001
        assert by_datum.read_with == {"datum": datum}
        assert by_code.read_with == {"crs": f"EPSG:{code}"}


def test_what_a_layer_is_called_is_no_part_of_its_notes_and_repairs(tmp_path: Path) -> None:
    ring = degrees()[:-1]
    found = []
    for name in ("甲", "乙"):
        folder = tmp_path / name
        folder.mkdir()
        found.append(read(geojson(folder, ring).rename(folder / f"{name}.geojson"), datum="gcj02"))
    for boundary in found:
        assert [repair.message.args["place"] for repair in boundary.repairs] == ["1"]
    first, second = ([*each.notes, *(repair.message for repair in each.repairs)] for each in found)
    assert first == second


def test_closed_lines_are_told_by_their_rows(tmp_path: Path) -> None:
    text = kml(tmp_path, degrees()).read_text(encoding="utf-8")
    line = text.replace("<Polygon><outerBoundaryIs><LinearRing>", "<LineString>")
    line = line.replace("</LinearRing></outerBoundaryIs></Polygon>", "</LineString>")
    told = []
    for name in ("甲", "乙"):
        (tmp_path / f"{name}.kml").write_text(line, encoding="utf-8")
        told.append(read(tmp_path / f"{name}.kml").notes)
    assert told[0] == told[1]
    assert [note.args for note in told[0] if note.id == "read.lines-polygonised"] == [{"rows": [1]}]


def test_repairs_of_chosen_rows_are_kept(tmp_path: Path) -> None:
    ring = degrees()
    shapes = [{"type": "Polygon", "coordinates": [ring[:-1]]}, {"type": "Polygon", "coordinates": [ring]}]
    features = [
        {"type": "Feature", "properties": {"A": name}, "geometry": shape}
        for name, shape in zip("xy", shapes, strict=True)
    ]
    path = tmp_path / "two.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    chosen = {name: read_boundary(parse_selector(f"{path}[A={name}]"), ReadOptions()) for name in "xy"}
    assert [each.message.id for each in chosen["x"].repairs] == ["repair.unclosed"]
    assert chosen["y"].repairs == ()


# --- convert -----------------------------------------------------------------------------------------------------


def converted(source: Path, out: Path, target: int | None = None, **options: Any) -> Any:
    to = recognise(target) if target else None
    return convert(parse_selector(str(source)), out, WriteOptions("en"), ReadOptions(**options), to)


def test_converted_shifted_degrees_are_true_ones(tmp_path: Path) -> None:
    source = kml(tmp_path, degrees(FORWARD["gcj02"]))
    for out, target, code in (("a.gpkg", None, 4326), ("b.gpkg", 4549, 4549), ("c.geojson", None, 4326)):
        made = converted(source, tmp_path / out, target, datum="gcj02")
        back = read(tmp_path / out)
        assert back.frame.epsg == code
        assert off(back) < 0.001, out
        ids = [note.id for note in made.notes]
        assert {"read.shifted-degrees", "write.system-changed"} <= set(ids)
        assert "write.datum-step" not in ids


def test_web_mercator_of_shifted_degrees_is_set_right_as_well(tmp_path: Path) -> None:
    ring = shapely.Polygon(degrees(FORWARD["bd09"]))
    source = tmp_path / "m.gpkg"
    gpd.GeoDataFrame({"NAME": ["x"]}, geometry=[ring], crs=4326).to_crs(3857).to_file(source)
    converted(source, tmp_path / "a.gpkg", datum="bd09")
    back = read(tmp_path / "a.gpkg")
    assert (back.frame.epsg, off(back) < 0.001) == (3857, True)


def test_convert_exchanges_axes_and_takes_the_place(tmp_path: Path) -> None:
    converted(survey(tmp_path, swapped=True), tmp_path / "a.gpkg", swap_xy=True)
    assert off(read(tmp_path / "a.gpkg")) < 0.001
    with pytest.raises(InputRefused, match="--swap-xy"):
        converted(tmp_path / "a.txt", tmp_path / "b.gpkg")
    with pytest.raises(CallRefused, match="EPSG:4549"):
        converted(tmp_path / "a.gpkg", tmp_path / "b.gpkg", frame=recognise(4549))
    assert not (tmp_path / "b.gpkg").exists()
