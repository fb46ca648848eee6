# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,arg-type,list-item,index"
"""Coordinate systems in the domain: every code and spelling, shifted degrees, datum parameters, shifts found by votes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from builders import PLACES
from geoplan.boundary import Boundary, Source
from geoplan.crs import Frame, from_lonlat, recognise, to_lonlat
from geoplan.datum import DatumParameters, understand
from geoplan.displaced import Displacement, displacement
from geoplan.errors import InputRefused
from geoplan.measure import survey_area
from geoplan.plane import Plane
from geoplan.shifted import FORWARD, SHIFTED, to_bd09, to_gcj02, to_wgs84

GEOGRAPHIC = {"cgcs2000": 4490, "xian-1980": 4610, "beijing-1954": 4214}
ZONED = {
    "cgcs2000": (*range(4491, 4555),),
    "xian-1980": (*range(2327, 2391),),
    "beijing-1954": (*range(21413, 21424), *range(21453, 21464), *range(2401, 2443)),
}
CODES = [(datum, code) for datum, codes in ZONED.items() for code in (GEOGRAPHIC[datum], *codes)]


def known(code: int) -> Frame:
    frame = recognise(code)
    assert frame is not None
    return frame


def test_there_are_195_codes_of_the_three_datums() -> None:
    assert len(CODES) == 195


@pytest.mark.parametrize(("datum", "code"), CODES, ids=[str(code) for _, code in CODES])
def test_every_code_is_known_by_every_spelling_of_its_prj(datum: str, code: int) -> None:
    crs = CRS.from_epsg(code)
    esri = crs.to_wkt("WKT1_ESRI")
    for each in (code, f"EPSG:{code}", f"epsg:{code}", esri, f"{esri}\r\n", crs.to_wkt("WKT2_2019"), crs):
        frame = recognise(each)
        assert frame is not None, each
        assert (frame.epsg, frame.datum, frame.guessed) == (code, datum, False), each
    without_axes = recognise(crs.to_wkt("WKT1_GDAL"))
    assert without_axes is not None
    assert without_axes.datum == datum
    assert _parameters(without_axes) == _parameters(known(code))


PROJECTED = [(datum, code) for datum, code in CODES if code not in GEOGRAPHIC.values()]


@pytest.mark.parametrize(("datum", "code"), PROJECTED, ids=[str(code) for _, code in PROJECTED])
def test_a_renamed_projection_is_known_by_its_numbers(datum: str, code: int) -> None:
    esri = CRS.from_epsg(code).to_wkt("WKT1_ESRI")
    name = esri.split('"')[1]
    frame = recognise(esri.replace(name, "国家坐标_某带"))
    assert frame is not None
    assert frame.datum == datum
    same = frame.epsg == code or _parameters(known(frame.epsg or 0)) == _parameters(known(code))
    assert same, (code, frame.epsg)


def _parameters(frame: Frame) -> tuple[tuple[str, Any], ...]:
    operation = frame.crs.coordinate_operation
    if operation is None:
        return ()
    return tuple((each.name, each.value) for each in operation.params)


def test_the_older_spelling_of_real_files_is_known() -> None:
    older = (
        'PROJCS["CGCS_2000_3_Degree_GK_Zone_40",GEOGCS["GCS_China_2000",DATUM["D_China_2000",'
        'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",40500000.0],PARAMETER["False_Northing",0.0],'
        'PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],'
        'UNIT["Meter",1.0]]'
    )
    frame = recognise(older)
    assert frame is not None
    assert (frame.epsg, frame.datum) == (4528, "cgcs2000")


def test_an_unknown_datum_is_not_taken_for_one_that_is_known() -> None:
    esri = CRS.from_epsg(4528).to_wkt("WKT1_ESRI").replace("D_China_2000", "D_unknown")
    odd = recognise(
        esri.replace('"CGCS2000",6378137.0,298.257222101', '"IAG75",6378140.0,298.257').replace("CGCS2000_3", "X_3")
    )
    assert odd is not None
    assert odd.datum not in ("cgcs2000", "wgs84")
    with pytest.raises(InputRefused, match="does not say its datum|another datum than CGCS2000"):
        to_lonlat(odd, anywhere=False)


def test_a_local_system_has_neither_code_nor_datum() -> None:
    local = recognise('LOCAL_CS["城市独立坐标系",UNIT["Meter",1.0]]')
    assert local is not None
    assert (local.epsg, local.datum) == (None, "unknown")
    with pytest.raises(InputRefused, match="does not say its datum"):
        to_lonlat(local, anywhere=False)


@given(st.one_of(st.text(max_size=200), st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))))
@settings(max_examples=25)
def test_garbage_is_no_system_and_no_crash(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = recognise(text)
    assert frame is None or isinstance(frame, Frame)


@pytest.mark.parametrize("code", [2364, 2385, 2416, 2437, 4610, 4214, 2343, 21460, 4555, 4568])
def test_old_datums_are_refused_and_never_moved_by_a_ballpark(code: int) -> None:
    with pytest.raises(InputRefused, match="converting by guess is off by tens of metres"):
        to_lonlat(known(code), anywhere=False)
    with pytest.raises(InputRefused, match="converting by guess"):
        from_lonlat(known(code), anywhere=False)


@pytest.mark.parametrize(
    ("place", "systems"),
    [("liuzhou", (4524, 4525, 4545, 4546, 4490, 4326, 3857)), ("nantong", (4528, 4529, 4549, 4550, 4497, 4508, 4490))],
)
def test_on_a_zone_border_every_mix_of_systems_measures_the_same(place: str, systems: tuple[int, ...]) -> None:
    lon = {"liuzhou": 109.5, "nantong": 121.5}[place]
    lat = PLACES[place][1]
    home = Plane.around(lon - 0.01)
    x, y = home.from_lonlat(np.array([lon]), np.array([lat]))
    town = shapely.box(x[0] - 850, y[0] - 850, x[0] + 850, y[0] + 850)
    patch = shapely.box(x[0] - 100, y[0] - 300, x[0] + 2000, y[0] + 410)

    def in_system(shape: shapely.Geometry, code: int) -> Any:
        way: Any = from_lonlat(known(code), anywhere=False)
        degrees = home.lonlat_shapes(shape)
        return shapely.transform(degrees, way, interleaved=False)

    found = []
    for one in systems:
        boundary = Boundary(shapely.MultiPolygon([in_system(town, one)]), known(one), Source("a", ""))
        plane = Plane.around(boundary.central_longitude())
        here = boundary.on(plane)
        for other in systems:
            there = plane.bring(in_system(patch, other), known(other))
            found.append((survey_area(here, plane), survey_area(shapely.intersection(here, there), plane)))
    spread = np.ptp(np.array(found), axis=0)
    assert found[0][0] == pytest.approx(1700 * 1700, rel=2e-3)
    assert (spread <= 0.01).all(), spread


# --- shifted degrees ---------------------------------------------------------------------------------------------

SHIFTS = {  # FACTS 1.7: metres and azimuth of GCJ-02, then of BD-09
    "nantong": (467, 121, 1103, 67),
    "huzhou": (518, 116, 1175, 68),
    "liuzhou": (554, 122, 1185, 72),
}


@pytest.mark.parametrize("place", SHIFTS)
def test_the_shift_has_the_size_and_direction_that_others_find(place: str) -> None:
    lon, lat = (np.array([v]) for v in PLACES[place])
    geod = Geod(ellps="WGS84")
    for forward, metres, azimuth in ((to_gcj02, *SHIFTS[place][:2]), (to_bd09, *SHIFTS[place][2:])):
        x, y = forward(lon, lat)
        angle, _, distance = geod.inv(lon[0], lat[0], x[0], y[0])
        assert distance == pytest.approx(metres, abs=12)
        assert angle % 360 == pytest.approx(azimuth, abs=2)


@given(st.floats(73, 135), st.floats(4, 53.5), st.sampled_from(SHIFTED))
@settings(max_examples=200)
def test_there_and_back_is_within_a_millimetre(lon: float, lat: float, datum: Any) -> None:
    x, y = FORWARD[datum](np.array([lon]), np.array([lat]))
    back_x, back_y = to_wgs84(x, y, datum)
    assert abs(back_x[0] - lon) < 1e-9
    assert abs(back_y[0] - lat) < 1e-9
    again_x, again_y = FORWARD[datum](back_x, back_y)
    assert max(abs(again_x[0] - x[0]), abs(again_y[0] - y[0])) < 1e-9


@pytest.mark.parametrize("code", [4326, 4490, 3857])
@pytest.mark.parametrize("datum", SHIFTED)
def test_a_frame_of_shifted_degrees_sets_them_right(code: int, datum: Any) -> None:
    frame = known(code).shifted_as(datum)
    lon, lat = np.array([120.86, 109.41]), np.array([32.01, 24.32])
    x, y = from_lonlat(frame, anywhere=False)(lon, lat)
    back = to_lonlat(frame, anywhere=False)(x, y)
    assert np.abs(np.array(back) - np.array([lon, lat])).max() < 1e-9
    assert np.hypot(*(np.array(from_lonlat(known(code), anywhere=False)(lon, lat)) - [x, y])).min() > 1e-3
    assert frame.label == f"{ {'gcj02': 'GCJ-02', 'bd09': 'BD-09'}[datum] } (EPSG:{code})"


@pytest.mark.parametrize("code", [4528, 4549, 4610, 2364, 32650])
def test_nothing_but_degrees_and_their_web_mercator_is_shifted(code: int) -> None:
    with pytest.raises(InputRefused, match="GCJ-02 is of degrees or of their Web Mercator"):
        known(code).shifted_as("gcj02")


# --- the user's own parameters -----------------------------------------------------------------------------------

VALUES = {"x": -12.3, "y": 98.7, "z": 45.6, "rx": 1.2, "ry": -2.3, "rz": 3.4, "scale": 4.5}
ELLIPSOIDS = {"xian-1980": (6378140.0, 298.257), "beijing-1954": (6378245.0, 298.3)}


def _bursa_wolf(lon: np.ndarray, lat: np.ndarray, a: float, rf: float, values: dict[str, float], sign: int) -> Any:
    """Seven parameters by hand: cartesian, small-angle rotation and scale, and Bowring's iteration back on CGCS2000."""
    f = 1 / rf
    e2 = f * (2 - f)
    lam, phi = np.radians(lon), np.radians(lat)
    n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    xyz = np.array([n * np.cos(phi) * np.cos(lam), n * np.cos(phi) * np.sin(lam), n * (1 - e2) * np.sin(phi)])
    rx, ry, rz = (sign * np.radians(values.get(key, 0.0) / 3600) for key in ("rx", "ry", "rz"))
    rotation = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    shift = np.array([[values["x"]], [values["y"]], [values["z"]]])
    x, y, z = shift + (1 + values.get("scale", 0.0) * 1e-6) * (rotation @ xyz)
    a, f = 6378137.0, 1 / 298.257222101
    e2 = f * (2 - f)
    p, phi = np.hypot(x, y), np.arctan2(z, np.hypot(x, y) * (1 - e2))
    for _ in range(12):
        n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(z + e2 * n * np.sin(phi), p)
    return np.degrees(np.arctan2(y, x)), np.degrees(phi)


@pytest.mark.parametrize("old", ELLIPSOIDS)
@pytest.mark.parametrize(("convention", "sign"), [("position_vector", 1), ("coordinate_frame", -1)])
@pytest.mark.parametrize("count", [3, 7])
def test_parameters_give_what_bursa_wolf_gives(old: str, convention: str, sign: int, count: int) -> None:
    stated = VALUES if count == 7 else {key: VALUES[key] for key in "xyz"}
    parameters = understand({"from": old, "to": "cgcs2000", **stated, "convention": convention}, "p.toml", "0" * 64)
    assert parameters.count == count
    lon, lat = np.array([120.1, 109.4, 114.9]), np.array([30.9, 24.3, 27.8])
    expected = _bursa_wolf(lon, lat, *ELLIPSOIDS[old], stated, sign)
    zone = {"xian-1980": 2385, "beijing-1954": 2437}[old]
    for code in (GEOGRAPHIC[old], zone):
        frame = Frame(known(code).crs, code, known(code).datum, parameters=parameters)
        inverse = Transformer.from_crs(known(code).crs.geodetic_crs, known(code).crs, always_xy=True)
        x, y = (lon, lat) if code == GEOGRAPHIC[old] else inverse.transform(lon, lat)
        found = to_lonlat(frame, anywhere=False)(x, y)
        assert np.abs(np.array(found) - np.array(expected)).max() < 2e-9
        back = from_lonlat(frame, anywhere=False)(*found)
        assert np.abs(np.array(back) - np.array([x, y])).max() < (1e-7 if code == GEOGRAPHIC[old] else 1e-2)


def test_both_conventions_differ_where_there_are_rotations() -> None:
    found = [
        understand({"from": "xian-1980", "to": "cgcs2000", **VALUES, "convention": each}, "p", "").step(known(4610).crs)
        for each in ("position_vector", "coordinate_frame")
    ]
    one, other = (step.transform(120.0, 30.0) for step in found)
    assert np.hypot(one[0] - other[0], one[1] - other[1]) * 111_000 > 50


@pytest.mark.parametrize(
    ("change", "where", "says"),
    [
        ({"convention": None}, "convention", "their sign convention must be given"),
        ({"convention": "bursa"}, "convention", "position_vector"),
        ({"from": "cgcs2000"}, "from", "lead from xian-1980"),
        ({"to": "xian-1980"}, "to", "to cgcs2000"),
        ({"x": None}, "x", "should be a number"),
        ({"x": "12.3"}, "x", "should be a number"),
        ({"z": True}, "z", "should be a number"),
        ({"rx": 1e5}, "rx", "as in another unit"),
        ({"scale": float("nan")}, "scale", "as in another unit"),
        ({"y": 98_765.4}, "y", "as in another unit"),
        ({"dx": 1.0}, "dx", "no such key"),
    ],
)
def test_parameters_that_are_not_whole_are_refused_without_their_values(change: Any, where: str, says: str) -> None:
    content = {"from": "xian-1980", "to": "cgcs2000", **VALUES, "convention": "position_vector", **change}
    with pytest.raises(InputRefused, match=says) as refused:
        understand({key: value for key, value in content.items() if value is not None}, "p.toml", "0" * 64)
    assert refused.value.where == where
    told = f"{refused.value.as_dict()}{refused.value.message.args}"
    assert not any(str(abs(value)) in told for value in (*VALUES.values(), 98_765.4))


def test_no_print_of_parameters_holds_their_values() -> None:
    parameters = DatumParameters("xian-1980", VALUES, "position_vector", "ab" * 32)
    frame = Frame(known(4610).crs, 4610, "xian-1980", parameters=parameters)
    for shown in (repr(parameters), str(parameters), f"{frame!r}"):
        assert "98.7" not in shown
        assert "abab" in shown


# --- shifts found by votes ---------------------------------------------------------------------------------------


def _ground(seed: int, count: int = 12_000) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2000, 3700, (count, 2))


def _drawn(ground: np.ndarray, seed: int, vertices: int, share: float) -> np.ndarray:
    """A boundary some of whose vertices are the layer's."""
    rng = np.random.default_rng(seed + 1)
    inside = np.flatnonzero(((ground > 0) & (ground < 1700)).all(axis=1))
    copied = ground[rng.choice(inside, int(np.ceil(share * vertices)), replace=False)]
    return np.vstack([copied, rng.uniform(0, 1700, (vertices - len(copied), 2))])


@given(
    st.integers(0, 10_000), st.integers(40, 900), st.floats(5, 700), st.floats(0, 2 * np.pi), st.floats(0.3, 1.0)
)  # fmt: skip
@settings(max_examples=25)
def test_a_planted_shift_is_found_to_a_centimetre(
    seed: int, vertices: int, metres: float, angle: float, share: float
) -> None:
    ground = _ground(seed)
    shift = metres * np.array([np.sin(angle), np.cos(angle)])
    found = displacement(_drawn(ground, seed, vertices, share) + shift, ground)
    assert isinstance(found, Displacement)
    assert np.hypot(found.east - shift[0], found.north - shift[1]) < 0.01
    assert found.distance == pytest.approx(metres, abs=0.01)
    assert abs((found.azimuth - np.degrees(angle) + 180) % 360 - 180) < 0.2


@given(st.integers(0, 10_000), st.integers(4, 600), st.sampled_from([0.0, 0.3, 0.6, 1.0]))
@settings(max_examples=25)
def test_it_is_silent_without_a_shift_and_on_data_that_have_nothing_in_common(
    seed: int, vertices: int, share: float
) -> None:
    ground = _ground(seed)
    assert displacement(_drawn(ground, seed, vertices, share), ground) is None
    assert displacement(_drawn(_ground(seed + 7), seed, vertices, 0.0), ground) is None


def test_it_is_silent_on_a_regular_grid_and_on_nothing() -> None:
    grid = np.stack(np.meshgrid(np.arange(-2000, 3700, 50.0), np.arange(-2000, 3700, 50.0)), axis=-1).reshape(-1, 2)
    assert displacement(grid[((grid > 0) & (grid < 1000)).all(axis=1)] + [17, 9], grid) is None
    assert displacement(np.empty((0, 2)), grid) is None
    assert displacement(grid, np.empty((0, 2))) is None
    assert displacement(np.full((50, 2), np.nan), grid) is None


def test_a_shift_that_varies_as_gcj02_does_is_found_within_metres() -> None:
    plane = Plane.around(120.86)
    x, y = plane.from_lonlat(np.array([120.86]), np.array([32.01]))
    origin = np.array([x[0], y[0]])
    ground = _ground(5) + origin
    own = _drawn(ground - origin, 5, 300, 0.4) + origin
    shifted = np.column_stack(plane.from_lonlat(*to_gcj02(*plane.to_lonlat(own[:, 0], own[:, 1]))))
    found = displacement(shifted, ground)
    assert found is not None
    expected = (shifted - own).mean(axis=0)
    assert np.hypot(found.east - expected[0], found.north - expected[1]) < 3
