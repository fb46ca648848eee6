# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The further vector formats: what the page of formats does not show — geometry, windows, attacks, hostile bytes."""

from __future__ import annotations

import gc
import math
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import box
from cad_files import X, Y, drawing
from curved_gdb import write_circle
from format_cases import (
    HOLE,
    LINK,
    SQUARE,
    Maker,
    curved,
    database,
    folder_of,
    gdal,
    kml,
    mapinfo,
    parquet,
    placemark,
    polygon,
    rows_of,
    text,
)
from geoplan.errors import GeoplanError, InputRefused
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.files.cad import uncollected
from geoplan_layers.files.closed_lines import doubled, even_odd
from geoplan_layers.files.dxf_curves import SAGITTA, arc, bulged, ellipse
from geoplan_layers.files.limits import BOUNDARY, LAYER
from geoplan_layers.files.ogr import READ, pyogrio
from geoplan_layers.files.signature import kind_of
from geoplan_layers.files.table import Table
from geoplan_layers.formats import EXPORT_INSTEAD, FORMATS
from geoplan_layers.selector import Selector, parse_selector
from geoplan_layers.vector import opened, read_table


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens, no temporary folder stays."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


def table(make: Maker, folder: Path) -> Table:
    return read_table(parse_selector(str(make(folder))), LAYER)


# --- drawings -----------------------------------------------------------------------------------------------------


@given(st.floats(0.01, 50_000), st.floats(-2 * math.pi, 2 * math.pi).filter(lambda a: abs(a) > 0.01))
def test_no_chord_of_an_arc_leaves_it_by_more_than_a_millimetre(radius: float, angle: float) -> None:
    xy = arc((0.0, 0.0), radius, 0.3, 0.3 + angle, SAGITTA)
    middle = (xy[:-1] + xy[1:]) / 2
    assert np.hypot(*xy.T) == pytest.approx(radius)
    assert (radius - np.hypot(*middle.T)).max() <= SAGITTA * (1 + 1e-6)


@given(st.floats(-5, 5).filter(lambda b: abs(b) > 1e-3), st.floats(1, 2_000))
def test_a_bulge_is_an_arc_through_both_ends_with_the_bulge_as_its_sagitta(bulge: float, chord: float) -> None:
    xy = bulged([(0.0, 0.0, bulge), (chord, 0.0, 0.0)], closed=False, within=SAGITTA)
    assert (*xy[0], *xy[-1]) == (0.0, 0.0, chord, 0.0)
    lowest = xy[:, 1].min() if bulge > 0 else xy[:, 1].max()
    assert lowest == pytest.approx(-bulge * chord / 2, abs=2 * SAGITTA)


def test_an_ellipse_is_stroked_within_a_millimetre() -> None:
    xy = ellipse((0, 0), (300.0, 0.0), (0.0, 50.0), 0.0, 2 * math.pi, SAGITTA)
    exact = math.pi * 300 * 50
    outline = shapely.Polygon(xy)
    assert exact - SAGITTA * outline.length <= outline.area <= exact


@pytest.mark.parametrize(
    ("habit", "area"),
    [
        ("closed", 1_000_000.0),
        ("nested", 960_000.0),
        ("twice", 1_000_000.0),
        ("filled", 1_000_000.0),
        ("meeting", 1_000_000.0),
        ("circle", math.pi * 50**2),
        ("ellipse", math.pi * 100 * 50),
        ("mirrored", math.pi * 50**2),
        ("hatch", math.pi * 50**2 / 2),
        ("block", 200.0 * 100.0),
    ],
)
def test_a_drawing_gives_the_area_that_it_draws(tmp_path: Path, habit: str, area: float) -> None:
    found = table(drawing("R2010", habit, "#红线"), tmp_path)
    if habit == "hatch":
        area -= math.pi * 10**2 / 2 * 0  # the hole of 10 m round (50, 20) lies wholly inside the half circle
        area -= math.pi * 10**2
    whole = shapely.union_all(found.shapes)
    assert whole.area == pytest.approx(area, abs=SAGITTA * whole.length + 1e-6)
    assert whole.bounds[0] == pytest.approx(X, abs=200)
    assert whole.bounds[1] == pytest.approx(Y, abs=200)


def test_text_inside_an_outline_is_its_text(tmp_path: Path) -> None:
    found = table(drawing("R2000", "closed", "#红线"), tmp_path)
    assert found.columns["text"].tolist() == ["某某小镇"]
    assert found.columns["entity"].tolist() == ["LWPOLYLINE"]


def test_reading_a_drawing_writes_nothing_into_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = drawing("R2010", "closed")(tmp_path)
    code = (
        "import sys; from geoplan_layers.selector import parse_selector; from geoplan_layers.vector import read_table;"
        "from geoplan_layers.files.limits import LAYER; print(len(read_table(parse_selector(sys.argv[1]), LAYER)))"
    )
    environment = {**os.environ, "HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", code, path], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"
    assert list(home.iterdir()) == []


# --- rings --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 8), st.permutations(range(8)))
def test_rings_in_rings_alternate_whatever_their_order(depth: int, order: list[int]) -> None:
    rings = np.array([box(10 * i, 10 * i, 200 - 20 * i, 200 - 20 * i) for i in order if i < depth], dtype=object)
    shapes, outer, holes = even_odd(rings)
    areas = [(200 - 20 * i) ** 2 for i in range(depth)]
    assert shapely.area(shapes).sum() == pytest.approx(sum(a * (-1) ** i for i, a in enumerate(areas)))
    assert (len(outer), holes) == ((depth + 1) // 2, depth // 2)


def test_rings_that_cross_stay_apart_and_doubles_are_known_whatever_their_start() -> None:
    crossing = np.array([box(0, 0, 10, 10), box(5, 5, 10, 10)], dtype=object)
    assert even_odd(crossing)[2] == 0
    ring = shapely.get_coordinates(box(0, 0, 10, 10))[:-1]
    again = shapely.Polygon(np.roll(ring, 2, axis=0)[::-1])
    assert doubled(np.array([box(0, 0, 10, 10), again, box(0, 0, 10, 11)], dtype=object)).tolist() == [
        False,
        True,
        False,
    ]


# --- windows ------------------------------------------------------------------------------------------------------

CELLS = [box(100 * i, 100 * j, 100, 100) for i in range(20) for j in range(20)]


def cells(name: str, driver: str) -> Maker:
    return gdal(name, driver, CELLS, columns={"NAME": [f"{i}" for i in range(len(CELLS))]})


def covered(folder: Path) -> Path:
    path = folder / "a.parquet"
    rows_of(CELLS, NAME=[f"{i}" for i in range(len(CELLS))]).to_parquet(
        path, write_covering_bbox=True, schema_version="1.1.0", row_group_size=50
    )
    return path


@pytest.mark.parametrize(
    "make",
    [
        cells("a.gpkg", "GPKG"),
        cells("a.gdb", "OpenFileGDB"),
        cells("a.fgb", "FlatGeobuf"),
        cells("a.tab", "MapInfo File"),
        cells("a.mif", "MapInfo File"),
        cells("a.shp", "ESRI Shapefile"),
        covered,
    ],
)
def test_a_window_gives_the_rows_that_meet_it_with_their_own_numbers(tmp_path: Path, make: Maker) -> None:
    with opened(parse_selector(str(make(tmp_path))), LAYER) as dataset:
        assert dataset.extent is not None
        assert dataset.extent() == pytest.approx(shapely.total_bounds(CELLS), abs=0.5)
        x, y = shapely.get_coordinates(CELLS[0])[:, 0].min(), shapely.get_coordinates(CELLS[0])[:, 1].min()
        near = dataset.read((x + 110, y + 110, x + 190, y + 190))
        whole = dataset.read(None)
    assert 1 <= len(near) <= 9
    assert len(whole) == len(CELLS)
    by_row = dict(zip(whole.rows.tolist(), whole.columns["NAME"], strict=True))
    assert sorted(by_row) == list(range(1, len(CELLS) + 1))
    assert [by_row[row] for row in near.rows.tolist()] == near.columns["NAME"].tolist()
    assert "21" in near.columns["NAME"]


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_geoparquet_gives_the_same_shapes_in_both_encodings(tmp_path: Path, encoding: str) -> None:
    ring = shapely.Polygon(box(0, 0, 100, 100).exterior, [box(20, 20, 30, 30).exterior])
    holed = shapely.MultiPolygon([ring, box(500, 0, 10, 10)])
    rows_of([holed, shapely.MultiPolygon([box(900, 0, 5, 5)])]).to_parquet(
        tmp_path / "a.parquet", geometry_encoding=encoding, schema_version="1.1.0"
    )
    found = read_table(parse_selector(str(tmp_path / "a.parquet")), LAYER)
    assert shapely.equals_exact(shapely.normalize(found.shapes[0]), shapely.normalize(holed))
    assert found.frame is not None
    assert found.frame.epsg == 4549


@pytest.mark.parametrize(("name", "driver"), [("a.gpkg", "GPKG")])
def test_curves_are_stroked_near_enough(tmp_path: Path, name: str, driver: str) -> None:
    found = table(curved(name, driver), tmp_path)
    assert shapely.area(found.shapes)[0] == pytest.approx(math.pi * 100**2, abs=0.02)
    assert [note.id for note in found.notes] == ["read.curves-by-angle"]


@pytest.mark.parametrize("suffix", ["tab", "mif"])
@pytest.mark.parametrize(("crs", "epsg"), [(4528, 4528), (4549, 4549), (4498, 4498), (4490, 4326)])
def test_a_coordsys_is_known_by_its_numbers(tmp_path: Path, suffix: str, crs: int, epsg: int) -> None:
    shape = (
        shapely.box(120.1, 30.8, 120.2, 30.9)
        if crs == 4490
        else shapely.transform(SQUARE, lambda xy: xy + np.array([{4528: 40e6, 4498: 20e6}.get(crs, 0), 0]))
    )

    def make(folder: Path) -> Path:
        rows_of([shape], crs).to_file(folder / f"a.{suffix}", driver="MapInfo File", ENCODING="CP936")
        return folder / f"a.{suffix}"

    found = table(make, tmp_path)
    assert found.frame is not None
    assert found.frame.epsg == epsg


# --- KML ----------------------------------------------------------------------------------------------------------


def test_a_kml_keeps_names_folders_holes_and_extended_data(tmp_path: Path) -> None:
    data = '<ExtendedData><Data name="面积"><value>12.5</value></Data></ExtendedData>'
    mark = f"<Placemark><name>镇</name>{data}{polygon(hole=HOLE)}</Placemark>"
    content = folder_of("甲", folder_of("红线", mark)) + folder_of("乙", folder_of("红线", placemark("b", polygon())))
    selector = parse_selector(f"{kml(content)(tmp_path)}#甲/红线")
    found = read_table(selector, BOUNDARY)
    assert {name: list(column) for name, column in found.columns.items()} == {"name": ["镇"], "面积": ["12.5"]}
    assert len(found.shapes[0].interiors) == 1
    with pytest.raises(InputRefused, match="several data sets: 甲/红线, 乙/红线"):
        read_table(parse_selector(str(tmp_path / "a.kml")), BOUNDARY)


def test_a_kml_of_many_placemarks_is_counted_against_the_limit(tmp_path: Path) -> None:
    many = str(kml("".join(placemark(str(i), polygon()) for i in range(BOUNDARY.features + 1)))(tmp_path))
    with pytest.raises(InputRefused, match=r"holds 5,?001 features, more than the 5,?000 allowed"):
        read_table(parse_selector(many), BOUNDARY)


# --- attacks ------------------------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine that notes who connects."""
    met: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def wait() -> None:
            while not ended.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                met.append(str(address))
                connection.close()

        thread = threading.Thread(target=wait)
        thread.start()
        yield server.getsockname()[1], met
        ended.set()
        thread.join()


SUFFIXES = sorted({suffix for each in FORMATS for suffix in each.suffixes} - {".gdb"})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_suffix_makes_a_description_of_other_data_be_followed(
    tmp_path: Path, suffix: str, listening: tuple[int, list[str]]
) -> None:
    port, met = listening
    secret = Path(str(gdal("secret.gpkg", "GPKG")(tmp_path)))
    url = f"http://127.0.0.1:{port}/a"
    attacks = [
        f'<OGRVRTDataSource><OGRVRTLayer name="s"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
        f'<OGRVRTDataSource><OGRVRTLayer name="s"><SrcDataSource>/vsicurl/{url}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>',
        f"<OGRWFSDataSource><URL>{url}</URL></OGRWFSDataSource>",
        f'{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline read {url}"}}',
        f"/vsicurl/{url}.shp",
        f'!table\n!version 300\n!charset Neutral\n\nDefinition Table\n  File "{secret}"\n  Type "RASTER"\n',
        f'!table\n!version 300\n!charset Neutral\n\nOpen Table "{secret.with_suffix("")}" Hide\nCreate View v As Select * From a\n',
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>{url}</href></Link></NetworkLink></kml>',
    ]
    for attack in attacks:
        path = tmp_path / f"x{suffix}"
        path.write_text(attack)
        with pytest.raises(GeoplanError) as refused:
            read_boundary(parse_selector(str(path)), ReadOptions())
        assert "试验小镇" not in refused.value.say("en")
    assert met == []


def test_only_the_drivers_that_readers_use_are_there_and_none_of_the_network() -> None:
    drivers = set(pyogrio.list_drivers())
    assert set(READ) <= drivers
    assert not drivers & {
        "OGR_VRT",
        "WFS",
        "OAPIF",
        "HTTP",
        "GML",
        "CSW",
        "Carto",
        "PDF",
        "GeoJSON",
        "KML",
        "LIBKML",
        "DXF",
    }


def test_every_kind_to_be_exported_has_its_message_by_suffix_and_by_bytes(tmp_path: Path) -> None:
    for suffix in EXPORT_INSTEAD:
        (tmp_path / f"a{suffix}").write_bytes(b"?")
        with pytest.raises(InputRefused) as refused:
            read_table(parse_selector(str(tmp_path / f"a{suffix}")), BOUNDARY)
        assert refused.value.id == f"export-instead.{EXPORT_INSTEAD[suffix]}"
    for suffix in SUFFIXES:
        (tmp_path / f"b{suffix}").write_bytes(b"AC1032\0\0")
        with pytest.raises(InputRefused, match=f"it is named {suffix}, .*save it as DXF"):
            read_table(parse_selector(str(tmp_path / f"b{suffix}")), BOUNDARY)


STARTS = [
    b"",
    b"fgb\x03fgb\x01\x00",
    b"PAR1",
    b"  0\nSECTION\n  2\nENTITIES\n  0\n",
    b"!table\n  Type NATIVE\n",
    b"Version 300\n",
    b"<kml><Document>",
]


@settings(max_examples=60)
@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_never_a_fault(start: bytes, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".kml", ".dxf", ".fgb", ".parquet", ".tab", ".mif", ".kmz"):
            path = Path(folder) / f"x{suffix}"
            path.write_bytes(start + raw)
            with pytest.raises(GeoplanError):
                read_boundary(parse_selector(str(path)), ReadOptions())


SOURCES: dict[str, Maker] = {
    "kml": kml(folder_of("红线", placemark("a", polygon(hole=HOLE))) + LINK),
    "dxf": drawing("R2000", "block"),
    "dxf-binary": drawing("R2000", "hatch", binary=True),
    "fgb": gdal("a.fgb", "FlatGeobuf"),
    "parquet": parquet(),
    "tab": mapinfo("tab"),
    "mif": mapinfo("mif"),
}


@pytest.mark.parametrize("kind", [*SOURCES, "map", "gdb"])
def test_mutated_files_are_read_or_refused_never_a_fault(tmp_path: Path, kind: str) -> None:
    made = database(tmp_path) if kind == "gdb" else Path(SOURCES["tab" if kind == "map" else kind](tmp_path))
    victims = (
        sorted(made.glob("*.gdbtable")) if kind == "gdb" else [made.with_suffix(".map") if kind == "map" else made]
    )
    random = np.random.default_rng(20261122)
    outcomes = set()
    for round_ in range(60):
        victim = victims[round_ % len(victims)]
        raw = victim.read_bytes()
        changed = bytearray(raw)
        for at in random.integers(0, len(raw), 1 + round_ % 6):
            changed[at] = int(random.integers(0, 256))
        victim.write_bytes(bytes(changed[: int(random.integers(1, len(raw)))] if round_ % 5 == 0 else changed))
        try:
            read_boundary(parse_selector(str(made)), ReadOptions(anywhere=True))
            outcomes.add("read")
        except GeoplanError as wrong:
            outcomes.add("refused" if wrong.file else f"without a file: {wrong}")
        finally:
            victim.write_bytes(raw)
    assert outcomes in ({"refused"}, {"read", "refused"})


def test_a_signature_is_of_one_kind() -> None:
    assert kind_of(b"\xef\xbb\xbf999\r\ncomment\r\n  0\r\nSECTION\r\n") == "dxf"
    assert kind_of(b"AutoCAD Binary DXF\r\n\x1a\x00") == "dxf"
    assert kind_of(b"<OGRVRTDataSource>") is None
    assert kind_of(b"BM\x36\x00\x00\x00\x00\x00\x00\x00\x36") == "image"


@pytest.mark.parametrize(
    "head", ["BM,X,Y\n", "BM\tX\tY\n", "AC1015,1,2\n", "AC1.5 J1\n", "Version 2\nJ1,1,2\n", "MM,1\n"]
)
def test_a_table_that_begins_like_a_signature_is_text(head: str) -> None:
    assert kind_of(head.encode() * 3) is None


def test_text_of_no_known_start_is_not_taken_for_a_drawing(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"a\.dxf: not a valid DXF"):
        table(text("a.dxf", "hello"), tmp_path)


def test_reading_a_drawing_leaves_the_collector_as_it_was() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError, match="zero"), uncollected():
        1 // 0  # noqa: B018 - what a damaged drawing raises
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_circle_in_a_file_geodatabase_keeps_its_area(tmp_path: Path) -> None:
    path = write_circle(tmp_path, 500_500.0, 3_400_500.0, 400.0)
    found = read_boundary(Selector(path), ReadOptions())
    assert found.polygons.area == pytest.approx(math.pi * 400.0**2, rel=1e-6)
    assert found.vertices == 3602
    assert [each.id for each in found.notes] == ["read.curves-by-angle"]
