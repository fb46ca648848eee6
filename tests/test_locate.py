# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type,list-item,index"
"""Where a file lies: missing, wrong and contradicting systems, by file and by call, with what is assumed told."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from builders import HUZHOU, box
from geoplan.crs import recognise
from geoplan.errors import CallRefused, GeoplanError, InputRefused
from geoplan.shifted import FORWARD, SHIFTED
from geoplan_api.inquiry import Inquiry, answer
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.candidates import Candidate, candidates, described, possible
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.locate import Located, ReadOptions, settle
from geoplan_layers.parameters_file import read_parameters
from geoplan_layers.places import all_places, nearest, place_named
from geoplan_layers.selector import LayerSpec, parse_layer, parse_selector

SQUARE = box(0, 0, 1700, 1700)
HERE = (120.104, 30.87)


def by(shape: shapely.Geometry, way: Any) -> shapely.Geometry:
    """A shape moved vertex by vertex by a function of x and y."""
    return shapely.transform(shape, way, interleaved=False)


def moved(shape: shapely.Geometry, code: int) -> shapely.Geometry:
    """A shape of EPSG:4549 in another system, x = east, by its numbers alone."""
    step = Transformer.from_crs(4549, code, always_xy=True)
    return by(shape, step.transform)


def file(folder: Path, shape: shapely.Geometry, crs: int | None = None, name: str = "a", **columns: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.shp"
    gpd.GeoDataFrame(columns or {"NAME": ["x"]}, geometry=[shape], crs=crs or 4326).to_file(path)
    if crs is None:
        path.with_suffix(".prj").unlink()
    return path


def read(path: Path, **options: Any) -> Any:
    return read_boundary(parse_selector(str(path)), ReadOptions(**options))


def notes(found: Any) -> list[str]:
    return [note.id for note in found.notes]


def middle(found: Any) -> tuple[float, float]:
    lon = found.central_longitude()
    west, south, east, north = found.on(HUZHOU).bounds
    _, lat = HUZHOU.to_lonlat(np.array([(west + east) / 2]), np.array([(south + north) / 2]))
    return lon, float(lat[0])


HUZHOU_CITY, LIUZHOU_CITY = place_named("330500"), place_named("450200")


@pytest.mark.parametrize(
    ("numbers", "chosen", "note"),
    [
        (4528, 4528, "read.crs-by-place"),
        (4549, 4549, "read.crs-by-place"),
        (4498, 4498, "read.crs-by-place"),
        (4490, 4490, "read.crs-by-place"),
        (3857, 3857, "read.crs-by-place-mercator"),
    ],
)
def test_the_place_decides_a_missing_system_and_says_so(tmp_path: Path, numbers: int, chosen: int, note: str) -> None:
    path = file(tmp_path, moved(SQUARE, numbers))
    if numbers != 3857:
        with pytest.raises(InputRefused, match=rf"no coordinate system .*EPSG:{chosen} .*--place ADCODE"):
            read(path)
    for adcode in ("330500", "330502", "330599"):
        found = read(path, place=place_named(adcode))
        assert (found.frame.epsg, notes(found)[0]) == (chosen, note)
        assert middle(found) == pytest.approx(HERE, abs=0.01)
        assert found.read_with == {"place": "330500" if adcode == "330599" else adcode}
    with pytest.raises(InputRefused, match="none of which lies at the place given, 柳州市"):
        read(path, place=LIUZHOU_CITY) if numbers != 4549 else settle(
            (0.0, 0.0, 1.0, 1.0), None, ReadOptions(place=LIUZHOU_CITY), "a", "a"
        )


def test_bare_eastings_go_where_the_place_is(tmp_path: Path) -> None:
    path = file(tmp_path, SQUARE)
    assert read(path, place=LIUZHOU_CITY.__class__("450200", "柳州市", 108.1, 30.9, 100)).frame.epsg == 4545
    with pytest.raises(InputRefused, match="several would lie at the place given") as refused:
        read(path, place=LIUZHOU_CITY.__class__("000000", "x", 118.5, 30.9, 400))
    assert [each["epsg"] for each in refused.value.message.args["found"]] == [4548, 4549]


def test_web_mercator_that_looks_like_zone_13_is_told_by_the_place() -> None:
    nantong = (13454074.0, 3765936.0, 13455074.0, 3766936.0)
    with pytest.raises(InputRefused, match=r"EPSG:4491 .*EPSG:3857 \(Web Mercator, 南通市\)"):
        settle(nantong, None, ReadOptions(), "a.shp", "a")
    assert settle(nantong, None, ReadOptions(place=place_named("320600")), "a", "a").frame.epsg == 3857
    with pytest.raises(InputRefused, match=r"EPSG:4491 does not fit .*EPSG:3857 \(Web Mercator, 南通市\)"):
        settle(nantong, recognise(4491), ReadOptions(), "a", "a")
    kashgar = by(shapely.box(75.9, 39.4, 75.91, 39.41), Transformer.from_crs(4490, 4491, always_xy=True).transform)
    assert settle(tuple(shapely.total_bounds(kashgar)), recognise(4491), ReadOptions(), "a", "a").frame.epsg == 4491
    with pytest.raises(InputRefused, match=r"EPSG:4491 .*EPSG:3857"):
        settle(nantong, recognise(4491), ReadOptions(place=place_named("320600")), "a", "a")


def test_what_is_refused_carries_the_candidates_as_data(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        read(file(tmp_path, moved(SQUARE, 4528)))
    found = refused.value.message.args["found"]
    assert [each["epsg"] for each in found] == [4528, 2364, 2416]
    assert found[0]["place"] == {"adcode": "330500", "name": "湖州市"}
    assert (found[0]["lon"], found[0]["lat"]) == pytest.approx(HERE, abs=0.02)


@pytest.mark.parametrize(("datum", "code"), [("cgcs2000", 4490), ("wgs84", 4326), ("gcj02", 4326), ("bd09", 4326)])
def test_the_datum_of_bare_degrees_is_what_the_user_says(tmp_path: Path, datum: Any, code: int) -> None:
    degrees = moved(SQUARE, 4490)
    drawn = by(degrees, FORWARD[datum]) if datum in FORWARD else degrees
    found = read(file(tmp_path, drawn), datum=datum)
    assert found.frame.epsg == code
    assert found.read_with == {"datum": datum}
    on_plane = found.on(HUZHOU)
    assert shapely.hausdorff_distance(on_plane, SQUARE) < 1e-3
    assert "read.crs-by-datum" in notes(found)
    assert ("read.shifted-degrees" in notes(found)) == (datum in FORWARD)


@pytest.mark.parametrize("numbers", [4490, 4528, 4549])
def test_swapped_axes_are_exchanged_with_consent_only(tmp_path: Path, numbers: int) -> None:
    turned = shapely.transform(moved(SQUARE, numbers), lambda xy: xy[:, ::-1])
    for crs in (numbers, None):
        path = file(tmp_path / str(crs), turned, crs)
        with pytest.raises(InputRefused, match="east and north are swapped .*--swap-xy"):
            read(path)
        found = read(path, swap_xy=True, place=HUZHOU_CITY)
        assert shapely.hausdorff_distance(found.on(HUZHOU), SQUARE) < 1e-6
        assert "read.axes-swapped" in notes(found)
        assert found.read_with["swap_xy"] is True
    straight = read(file(tmp_path / "s", moved(SQUARE, numbers), numbers), swap_xy=True)
    assert notes(straight) == ["read.swap-not-needed"]
    assert straight.read_with == {"swap_xy": True}  # its note is part of the report, so a replay has to ask again


@pytest.mark.parametrize(
    ("numbers", "said", "key", "remedy"),
    [
        (4549, 4528, "zone-prefix-missing", "EPSG:4549"),
        (4509, 4498, "zone-prefix-missing", "EPSG:4509"),
        (2385, 2364, "zone-prefix-missing", "EPSG:2385"),
        (2437, 2416, "zone-prefix-missing", "EPSG:2437"),
        (4528, 4549, "zone-prefix-present", "EPSG:4528"),
        (4498, 4509, "zone-prefix-present", "EPSG:4498"),
        (4528, 4527, "zone-differs", "EPSG:4528"),
        (2364, 2363, "zone-differs", "EPSG:2364"),
    ],
)
def test_a_prefix_that_the_code_and_the_numbers_disagree_on_names_the_remedy(
    tmp_path: Path, numbers: int, said: int, key: str, remedy: str
) -> None:
    path = file(tmp_path, moved(SQUARE, numbers), said)
    with pytest.raises(InputRefused, match=f"--crs {remedy}") as refused:
        read(path)
    assert refused.value.id == key
    if numbers > 4490:
        found = read(path, frame=recognise(remedy))
        assert shapely.hausdorff_distance(found.on(HUZHOU), SQUARE) < 1e-3
        assert "read.crs-overridden" in notes(found)
        assert found.read_with == {"crs": remedy}


@pytest.mark.parametrize(("code", "beyond"), [(4548, 1.6), (4550, 1.4), (4551, None), (4547, None), (4549, 0.0)])
def test_data_outside_their_zone_are_read_to_three_degrees_with_a_note(
    tmp_path: Path, code: int, beyond: float | None
) -> None:
    path = file(tmp_path, moved(SQUARE, code), code)
    if beyond is None:
        with pytest.raises(InputRefused, match=r"outside that zone's area of use \(at most 3°\)"):
            read(path)
        return
    found = read(path)
    assert [note.args["degrees"] for note in found.notes] == ([pytest.approx(beyond, abs=0.05)] if beyond else [])
    assert shapely.hausdorff_distance(found.on(HUZHOU), SQUARE) < 1e-3


def test_a_given_system_overrides_only_what_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(CallRefused, match="the file says EPSG:4549, the call says EPSG:4548"):
        read(file(tmp_path / "a", SQUARE, 4549), frame=recognise(4548))
    degrees = file(tmp_path / "b", moved(SQUARE, 4490), 4549)
    with pytest.raises(InputRefused, match="does not fit the coordinates .*EPSG:4490"):
        read(degrees)
    assert read(degrees, frame=recognise(4490)).frame.epsg == 4490
    metres = file(tmp_path / "c", SQUARE, 4326)
    with pytest.raises(InputRefused, match="does not fit the coordinates .*EPSG:4549"):
        read(metres)
    assert read(metres, frame=recognise(4549)).frame.epsg == 4549
    with pytest.raises(InputRefused, match="does not fit"):
        read(metres, frame=recognise(4490))
    with pytest.raises(
        InputRefused, match=r"by EPSG:4549 the boundary lies at .*\(湖州市\), not at the place given, 柳州市"
    ):
        read(file(tmp_path / "d", SQUARE, 4549), place=LIUZHOU_CITY)


@pytest.mark.parametrize("datum", ["cgcs2000", "wgs84", "gcj02"])
def test_a_datum_that_contradicts_the_file_is_refused(tmp_path: Path, datum: Any) -> None:
    with pytest.raises(GeoplanError, match="the call says|is of degrees or of their Web Mercator"):
        read(file(tmp_path, moved(SQUARE, 2385), 2385), datum=datum)


# --- the files of one call ---------------------------------------------------------------------------------------


def ask(planning: Path, *layers: LayerSpec, **more: Any) -> Any:
    return answer(Inquiry(planning=parse_selector(str(planning)), layers=layers, **more))


def test_files_of_one_call_that_lie_apart_are_refused_with_the_right_zone(tmp_path: Path) -> None:
    planning = file(tmp_path / "p", SQUARE, 4549)
    farm = file(tmp_path / "f", box(200, 200, 100, 50), 4548, DLBM=["0101"])
    layer = LayerSpec("permanent-basic-farmland", parse_selector(str(farm)))
    with pytest.raises(InputRefused, match=r"a.shp: by EPSG:4548 it lies .* km from the planning area .*EPSG:4549"):
        ask(planning, layer)
    with pytest.raises(InputRefused, match="km from the planning area"):
        ask(planning, construction=parse_selector(str(file(tmp_path / "c", SQUARE, 4548))))
    towns = file(tmp_path / "t", box(9000, 9000, 100, 100), 4551)
    with pytest.raises(InputRefused, match=r"by EPSG:4551 .*EPSG:4549"):
        ask(planning, towns=parse_selector(str(towns)))
    far = file(tmp_path / "far", moved(box(200_000, 200_000, 100, 50), 4528), 4528, DLBM=["0101"])
    report = ask(planning, LayerSpec("permanent-basic-farmland", parse_selector(str(far))))
    assert report.content.verdict != "fail"


def test_a_layer_is_read_as_its_name_says(tmp_path: Path) -> None:
    patch = box(200, 200, 100, 50)
    plain = by(moved(patch, 4326), FORWARD["gcj02"])
    turned = shapely.transform(moved(patch, 4528), lambda xy: xy[:, ::-1])
    window = SQUARE
    for shape, crs, words in ((plain, 4326, "@gcj02"), (plain, None, "@EPSG:4326@gcj02"), (turned, 4528, "@swap-xy")):
        path = file(tmp_path / words.replace(":", ""), shape, crs, DLBM=["0101"])
        spec = parse_layer(f"permanent-basic-farmland={path}{words}")
        layer = FileLayer(spec)
        found = layer.within(window, HUZHOU)
        assert shapely.hausdorff_distance(found.shapes[0], patch) < 1e-3
        assert layer.notes
        assert shapely.hausdorff_distance(layer.extent(HUZHOU), patch) < 1.0
    bare = file(tmp_path / "bare", moved(patch, 4549), None, DLBM=["0101"])
    with pytest.raises(InputRefused, match="no coordinate system"):
        FileLayer(LayerSpec("permanent-basic-farmland", parse_selector(str(bare))))
    by_place = FileLayer(
        LayerSpec("permanent-basic-farmland", parse_selector(str(bare))), options=ReadOptions(place=HUZHOU_CITY)
    )
    assert by_place.frame.epsg == 4549
    with pytest.raises(CallRefused, match="@ in .* is not known"):
        parse_layer("roads=a.shp@moon")


def test_the_report_records_what_counted_and_nothing_else(tmp_path: Path) -> None:
    bare = file(tmp_path / "b", SQUARE)
    own = file(tmp_path / "o", SQUARE, 4549)
    assert "read" not in ask(own).content.options
    assert ask(own).id == ask(own, place=HUZHOU_CITY).id == ask(own, frame=recognise(4549)).id
    placed = ask(bare, place=HUZHOU_CITY).content
    assert placed.options["read"] == {"planning": {"place": "330500"}}
    assert [note.id for note in placed.proposal.planning.notes] == ["read.crs-by-place"]
    assert ask(bare, frame=recognise(4549)).content.options["read"] == {"planning": {"crs": "EPSG:4549"}}
    kml = file(tmp_path / "k", by(moved(SQUARE, 4326), FORWARD["gcj02"]), 4326)
    report = ask(kml, datum="gcj02").content
    assert report.options["read"] == {"planning": {"datum": "gcj02"}}
    assert "warning.shifted-degrees" in [each.id for each in report.warnings]
    assert report.proposal.planning.area_m2 == pytest.approx(ask(own).content.proposal.planning.area_m2, abs=0.05)


def test_a_boundary_from_a_shifted_map_is_warned_of_and_not_moved(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    cells = [
        shapely.Polygon(np.array(box(i * 90, j * 90, 70, 70).exterior.coords)[:-1] + rng.uniform(-9, 9, (4, 2)))
        for i in range(-22, 42)
        for j in range(-22, 42)
    ]
    use = tmp_path / "dltb.gpkg"
    gpd.GeoDataFrame({"DLBM": ["0601"] * len(cells)}, geometry=cells, crs=4549).to_file(use)
    ring = shapely.concave_hull(shapely.union_all([c for c in cells if shapely.within(c, SQUARE)]), ratio=0.1)
    spec = LayerSpec("land-use", parse_selector(str(use)), generation="third-survey")
    for datum, shown in zip(SHIFTED, ("GCJ-02", "BD-09"), strict=True):
        shifted = by(moved(ring, 4326), FORWARD[datum])
        drawn = file(tmp_path / datum, shifted, 4326)
        warning = next(w for w in ask(drawn, spec).content.warnings if w.id.startswith("warning.looks-shifted"))
        assert warning.id == "warning.looks-shifted-as"
        assert (warning.args["datum"], warning.args["option"]) == (shown, datum)
        assert warning.args["distance"] == pytest.approx({"gcj02": 518, "bd09": 1175}[datum], abs=12)
        assert warning.args["azimuth"] == pytest.approx({"gcj02": 116, "bd09": 68}[datum], abs=2)
        declared = ask(drawn, spec, datum=datum).content.warnings
        assert not [w for w in declared if w.id.startswith("warning.looks-shifted")]


# --- the user's own parameters -----------------------------------------------------------------------------------

PARAMETERS = 'from = "xian-1980"\nto = "cgcs2000"\nx = -11.75\ny = 93.125\nz = 41.625\nrx = 1.375\nry = -2.625\nrz = 3.875\nscale = 4.1875\nconvention = "coordinate_frame"\n'


def test_parameters_move_the_file_and_only_their_hash_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "params.toml"
    path.write_text(PARAMETERS)
    parameters = read_parameters(path)
    planning = file(tmp_path / "x", moved(SQUARE, 4549), 2385)
    with pytest.raises(InputRefused, match="another datum than CGCS2000.*--datum-parameters"):
        ask(planning)
    report = ask(planning, parameters=parameters)
    assert report.content.options["read"] == {"planning": {"parameters_sha256": parameters.sha256}}
    text = json.dumps(report.content.as_dict()) + caplog.text + str([each.args for each in report.content.warnings])
    assert parameters.sha256 in text
    for value in ("11.75", "93.125", "41.625", "1.375", "2.625", "3.875", "4.1875"):
        assert value not in text
    with pytest.raises(CallRefused, match="no file is on that datum"):
        ask(file(tmp_path / "y", SQUARE, 4549), parameters=parameters)
    other = tmp_path / "other.toml"
    other.write_text(PARAMETERS.replace("coordinate_frame", "position_vector"))
    assert ask(planning, parameters=read_parameters(other)).id != report.id
    (tmp_path / "bad.toml").write_text("x = 11.75 oops")
    with pytest.raises(InputRefused, match="is not TOML") as refused:
        read_parameters(tmp_path / "bad.toml")
    assert "11.75" not in str(refused.value.as_dict())


# --- places and any numbers --------------------------------------------------------------------------------------


def test_the_places_are_whole_and_tell_zones_apart() -> None:
    places = all_places()
    assert len(places) > 3000
    assert {each[:2] for each in places} >= {"11", "31", "32", "33", "36", "45", "65", "81", "82"}
    assert all(73 <= p.lon <= 136 and 3 <= p.lat <= 54 and 40 <= p.radius <= 1500 for p in places.values())
    for adcode, lon, lat in (("330500", 120.1, 30.87), ("320681", 121.65, 31.81), ("360502", 114.94, 27.8)):
        assert place_named(adcode).holds(lon, lat)
        assert not place_named(adcode).holds(lon + 3, lat)
    assert nearest(109.41, 24.32) == place_named("450200")
    for wrong in ("", "33", "999999", "湖州", "33050", "３３０５００"):
        with pytest.raises(CallRefused, match="six-digit code"):
            place_named(wrong)


def test_the_places_hold_real_counties(real_data: Path) -> None:
    text = (real_data / "data" / "admin" / "tdt_cgcs2000_district_5cities.geojson").read_text(encoding="utf-8")
    counties = json.loads(text)["features"]
    assert len(counties) == 31
    for county in counties:
        adcode, shape = county["properties"]["adcode"], shapely.from_geojson(json.dumps(county["geometry"]))
        for code in (adcode, f"{adcode[:4]}00"):
            place = place_named(code)
            assert all(place.holds(x, y) for x, y in shapely.get_coordinates(shape)), place


number = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-200, 200),
    st.floats(1e5, 7e6),
    st.floats(1.2e7, 4.7e7),
    st.integers(13, 46).map(lambda zone: zone * 1e6 + 5e5),
)


@given(
    st.tuples(number, number, number, number),
    st.sampled_from([None, 4490, 4528, 4549, 3857, 2364, 4326, 32650, 4493]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "cgcs2000", "gcj02"]),
    st.sampled_from([None, "330500", "450000"]),
)
@settings(max_examples=300)
def test_any_numbers_give_candidates_or_a_refusal(
    numbers: tuple[float, float, float, float], code: int | None, swap: bool, anywhere: bool, datum: Any, adcode: Any
) -> None:
    west, south, east, north = numbers
    bounds = (min(west, east), min(south, north), max(west, east), max(south, north))
    for each in possible(bounds):
        assert isinstance(each, Candidate)
        assert 73 <= each.lon <= 136
        assert 3 <= each.lat <= 54
        assert each.said["en"].startswith("EPSG:")
    assert all(isinstance(each, str) for each in candidates(bounds))
    assert described(bounds)
    options = ReadOptions(None, anywhere, datum, place_named(adcode) if adcode else None, swap)
    found: Located | GeoplanError
    try:
        found = settle(bounds, recognise(code) if code else None, options, "a.shp", "a")
    except GeoplanError as refused:
        found = refused
    if isinstance(found, Located):
        assert found.frame.crs is not None
        assert code or math.isfinite(sum(bounds))
        return
    assert found.file == "a.shp"
    assert len(found.say("en")) > 40
    assert len(found.say("zh")) > 20
