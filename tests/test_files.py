# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Reading files as planners send them: archives, encodings, coordinate systems, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HUZHOU, box
from geoplan.boundary import Boundary
from geoplan.crs import recognise
from geoplan.errors import CallRefused, GeoplanError, InputRefused, TooLarge
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.candidates import candidates
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.text import decided, decode, member_name
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.selector import LayerSpec, parse_layer, parse_selector
from geoplan_layers.towns_file import read_register

SQUARE = box(0, 0, 1700, 1700)


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever happens, no temporary folder stays."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


def frame_of(
    shapes: Sequence[shapely.Geometry | None], columns: dict[str, list[object]] | None = None, crs: int | None = 4549
) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns or {"NAME": ["试验小镇"] * len(shapes)}, geometry=shapes, crs=crs)


def shapefile(
    folder: Path, data: gpd.GeoDataFrame, stem: str = "边界", encoding: str = "GBK", drop: tuple[str, ...] = (".cpg",)
) -> Path:
    """A shapefile as Chinese tools write it: GBK table, no .cpg, no language mark in the .dbf."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.shp"
    data.to_file(path, encoding=encoding, driver="ESRI Shapefile")
    for suffix in drop:
        path.with_suffix(suffix).unlink(missing_ok=True)
    table = path.with_suffix(".dbf")
    if table.exists():
        raw = bytearray(table.read_bytes())
        raw[29] = 0
        table.write_bytes(bytes(raw))
    return path


def zipped(path: Path, out: Path, folder: str = "", gbk_names: bool = True) -> Path:
    """A zip of a shapefile whose member names are GBK bytes without the UTF-8 flag, as Windows tools make it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for order, each in enumerate(sorted(path.parent.glob(f"{path.stem}.*"))):
            name = folder + each.name
            raw = name.encode("gbk") if gbk_names else name.encode()
            stand_in = "".join(chr(ord("a") + (i + order) % 26) for i in range(len(raw)))
            info = zipfile.ZipInfo(stand_in if gbk_names else name)
            archive.writestr(info, each.read_bytes())
    data = buffer.getvalue()
    if gbk_names:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info, each in zip(archive.infolist(), sorted(path.parent.glob(f"{path.stem}.*")), strict=True):
                data = data.replace(info.filename.encode(), (folder + each.name).encode("gbk"))
    out.write_bytes(data)
    return out


def read(path: Path | str, **options: object) -> Boundary:
    return read_boundary(parse_selector(str(path)), ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("folder", ["", "规划/"])
@pytest.mark.parametrize("gbk_names", [True, False])
def test_a_zip_with_chinese_names_is_read_flat_or_in_a_folder(tmp_path: Path, folder: str, gbk_names: bool) -> None:
    archive = zipped(shapefile(tmp_path / "s", frame_of([SQUARE])), tmp_path / "a.zip", folder, gbk_names)
    found = read(archive)
    assert (found.frame.epsg, found.name) == (4549, "试验小镇")
    assert found.polygons.area == pytest.approx(SQUARE.area)
    assert found.source.file == "a.zip"


@pytest.mark.parametrize(
    ("encoding", "cpg"),
    [("GBK", None), ("GBK", "UTF-8"), ("UTF-8", None), ("UTF-8", "GBK"), ("UTF-8", "UTF-8"), ("GBK", "936")],
)
def test_text_is_decoded_by_its_bytes_whatever_the_cpg_says(tmp_path: Path, encoding: str, cpg: str | None) -> None:
    path = shapefile(tmp_path / "s", frame_of([SQUARE], {"NAME": ["南通开发区"], "BZ": ["甪垟堽"]}), encoding=encoding)
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    assert read(path).name == "南通开发区"


HANZI = [bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFA)]
"""The common characters of GB 2312, level one."""


@given(st.text(st.sampled_from(HANZI) | st.characters(codec="ascii", categories=["L", "N"]), min_size=2, max_size=20))
def test_texts_come_back_from_both_encodings(text: str) -> None:
    for encoding in ("utf-8", "gb18030"):
        raw = text.encode(encoding)
        try:
            other = raw.decode("utf-8") if encoding == "gb18030" else None
        except UnicodeDecodeError:
            other = None
        if other is None or other == text:
            assert decode(raw, decided([raw])).rstrip("\ufffd\x00 ") == text.rstrip("\ufffd\x00 ")


@pytest.mark.parametrize("name", ["甪直镇", "垟坑村", "堽城镇", "濛洲街道", "南浔", "浐灞"])
def test_rare_place_names_come_back_from_gbk(name: str) -> None:
    raw = name.encode("gbk")
    assert decode(raw, decided([raw])) == name


def test_member_names_are_utf8_or_gbk() -> None:
    for encoding in ("utf-8", "gbk"):
        assert member_name("规划范围.shp".encode(encoding).decode("cp437"), False) == "规划范围.shp"
    assert member_name("规划.shp", True) == "规划.shp"


@pytest.mark.parametrize("code", [4490, 4528, 4549, 4326, 4548])
def test_coordinate_systems_are_recognised_by_code_from_esri_spelling(tmp_path: Path, code: int) -> None:
    data = frame_of([SQUARE]).to_crs(code)
    assert read(shapefile(tmp_path / "s", data)).frame.epsg == code


def test_every_prj_of_the_samples_is_recognised(real_data: Path) -> None:
    for path in sorted((real_data / "data" / "boundary-files").glob("EPSG_*.prj")):
        frame = recognise(path.read_text())
        assert frame is not None
        assert f"EPSG_{frame.epsg}" == path.stem


def test_a_renamed_projection_is_known_by_its_numbers(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s", frame_of([SQUARE]).to_crs(4528))
    prj = path.with_suffix(".prj")
    prj.write_text(prj.read_text().replace("CGCS2000_3_Degree_GK_Zone_40", "国家2000_40带"), encoding="utf-8")
    assert read(path).frame.epsg == 4528
    other = prj.read_text(encoding="utf-8").replace("D_China_2000", "D_unknown")
    prj.write_text(other.replace('"CGCS2000",6378137.0,298.257222101', '"IAG75",6378140.0,298.257'), encoding="utf-8")
    with pytest.raises(InputRefused, match="another datum than CGCS2000|does not say its datum"):
        read(path).central_longitude()


def test_a_missing_prj_is_refused_with_the_candidates_and_mended_by_crs(tmp_path: Path) -> None:
    data = frame_of([SQUARE]).to_crs(4528)
    archive = zipped(shapefile(tmp_path / "s", data, drop=(".cpg", ".prj")), tmp_path / "a.zip")
    with pytest.raises(
        InputRefused, match=r"a.zip: 边界: no coordinate system \(no .prj\).*EPSG:4528.*--crs EPSG:CODE"
    ):
        read(archive)
    assert read(archive, frame=recognise(4528)).frame.epsg == 4528


def test_a_crs_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallRefused, match="the file says EPSG:4549, the call says EPSG:4528"):
        read(shapefile(tmp_path / "s", frame_of([SQUARE])), frame=recognise(4528))


@pytest.mark.parametrize(("crs", "shape"), [(4490, SQUARE), (4549, shapely.box(120.1, 30.8, 120.12, 30.82))])
def test_degrees_for_metres_and_metres_for_degrees_are_refused(
    tmp_path: Path, crs: int, shape: shapely.Geometry
) -> None:
    with pytest.raises(InputRefused, match=r"EPSG:.* does not fit the coordinates .*; they look like EPSG:"):
        read(shapefile(tmp_path / "s", frame_of([shape], crs=crs)))


@pytest.mark.parametrize(
    ("bounds", "first"),
    [
        ((40520000, 3400000, 40521000, 3401000), "EPSG:4528"),
        ((20520000, 3400000, 20521000, 3401000), "EPSG:4498"),
        ((520000, 3400000, 521000, 3401000), "EPSG:4534"),
        ((3400000, 40520000, 3401000, 40521000), "X/Y swapped"),
        ((13454074, 3765936, 13455074, 3766936), "EPSG:4491"),
        ((120.1, 30.8, 120.2, 30.9), "EPSG:4490"),
        ((1e9, 1e9, 2e9, 2e9), None),
    ],
)
def test_candidates_follow_the_numbers(bounds: tuple[float, float, float, float], first: str | None) -> None:
    found = candidates(bounds)
    assert (found[0] if found else None) == first
    if bounds[0] == 13454074:
        assert "EPSG:3857" in found


def test_a_cut_shapefile_is_refused(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s", frame_of([SQUARE, box(3000, 0, 100, 100)]))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputRefused, match=r"边界.shp: the .shp is cut short: its header says \d+ bytes"):
        read(path)


def test_a_shapefile_without_index_or_table_is_read_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s", frame_of([SQUARE]), drop=(".cpg", ".shx", ".dbf"))
    before = sorted(path.parent.iterdir())
    assert read(path).polygons.area == pytest.approx(SQUARE.area)
    assert sorted(path.parent.iterdir()) == before


def test_what_is_no_polygon_is_refused(tmp_path: Path) -> None:
    ring = shapely.LineString(SQUARE.exterior.coords)
    with pytest.raises(
        InputRefused,
        match=r"the geometry is lines \(LineString\); polygons are needed\. Closed line rows: 1; open: —",
    ):
        read(shapefile(tmp_path / "l", frame_of([ring])))
    with pytest.raises(InputRefused, match=r"the geometry is Point; polygons are needed"):
        read(shapefile(tmp_path / "p", frame_of([SQUARE.centroid])))
    frame_of([SQUARE]).iloc[:0].to_file(tmp_path / "e.gpkg", driver="GPKG")
    with pytest.raises(InputRefused, match="e.gpkg: e: the file holds no features"):
        read(tmp_path / "e.gpkg")


def test_rows_without_geometry_are_refused_with_their_numbers(tmp_path: Path) -> None:
    frame_of([SQUARE, None, SQUARE]).to_file(tmp_path / "n.gpkg", driver="GPKG")
    with pytest.raises(InputRefused, match=r"1 row has no geometry \(rows 2\)"):
        read(tmp_path / "n.gpkg")


BOW_TIE = shapely.Polygon([(510000, 3416000), (511000, 3417000), (511000, 3416000), (510000, 3417000)])


def test_a_bow_tie_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(
        InputRefused, match=r"边界 1: the ring is invalid \(bow-tie: the line crosses itself at 510500, 3416500\)"
    ):
        read(shapefile(tmp_path / "s", frame_of([BOW_TIE])))


def test_a_small_defect_is_mended_and_listed(tmp_path: Path) -> None:
    x, y = 510000.0, 3416000.0
    spike = shapely.Polygon(
        [
            (x, y),
            (x + 1000, y),
            (x + 1000, y + 500),
            (x + 1005, y + 500.1),
            (x + 1000, y + 500),
            (x + 1000, y + 1000),
            (x, y + 1000),
        ]
    )
    assert not spike.is_valid
    frame_of([spike]).to_file(tmp_path / "s.gpkg", driver="GPKG")
    found = read(tmp_path / "s.gpkg")
    assert found.polygons.is_valid
    (repair,) = found.repairs
    assert repair.message.args["change_m2"] == pytest.approx(0, abs=1)


def test_features_that_do_not_overlap_are_one_boundary_and_those_that_do_are_refused(tmp_path: Path) -> None:
    both = [box(0, 0, 1000, 1000), box(1000, 0, 500, 1000)]
    frame_of(both).to_file(tmp_path / "t.gpkg", driver="GPKG")
    assert len(read(tmp_path / "t.gpkg").polygons.geoms) == 1
    frame_of([box(0, 0, 1000, 1000), box(900, 0, 500, 1000)], {"A": [1, 2]}).to_file(tmp_path / "o.gpkg", driver="GPKG")
    with pytest.raises(InputRefused, match=r"features of one boundary overlap by 100,000.00 m²"):
        read(tmp_path / "o.gpkg")


def test_a_file_with_both_boundaries_is_refused_with_the_spelling_that_tells_them_apart(tmp_path: Path) -> None:
    path = tmp_path / "both.gpkg"
    frame_of([SQUARE, box(100, 100, 500, 500)], {"类型": ["规划范围", "建设范围"]}).to_file(
        path, driver="GPKG", layer="镇"
    )
    with pytest.raises(InputRefused, match=r"FILE#镇\[类型=…\] for --planning and --construction"):
        read(path)
    assert read(f"{path}#镇[类型=建设范围]").polygons.area == pytest.approx(250_000)
    with pytest.raises(InputRefused, match=r"no row has the value 建设. There are: 建设范围, 规划范围"):
        read(f"{path}#镇[类型=建设]")
    with pytest.raises(InputRefused, match=r"there is no field 类. There are: 类型"):
        read(f"{path}#镇[类=x]")


def test_several_data_sets_are_refused_with_the_list(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    frame_of([SQUARE]).to_file(path, driver="GPKG", layer="规划")
    frame_of([box(0, 0, 10, 10)]).to_file(path, driver="GPKG", layer="建设")
    with pytest.raises(InputRefused, match=r"several data sets: 规划, 建设. Name one as FILE#NAME"):
        read(path)
    assert read(f"{path}#建设").polygons.area == pytest.approx(100)


def test_geojson_is_read_with_and_without_a_crs_member(tmp_path: Path) -> None:
    degrees = HUZHOU.lonlat_shapes(SQUARE)
    feature = {"type": "Feature", "properties": {"name": "镇"}, "geometry": json.loads(shapely.to_geojson(degrees))}
    plain = tmp_path / "a.geojson"
    plain.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert (read(plain).frame.epsg, read(plain).name) == (4326, "镇")
    planar = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}},
        "features": [{**feature, "geometry": json.loads(shapely.to_geojson(SQUARE))}],
    }
    old = tmp_path / "b.geojson"
    old.write_text(json.dumps(planar))
    assert read(old).frame.epsg == 4549


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>", "not valid GeoJSON"),
        ('{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline read /etc/passwd"}', "not valid GeoJSON"),
        ("[1, 2]", "not valid GeoJSON"),
        (
            '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1, 2]]]}}',
            "row 1: the geometry cannot be built",
        ),
        ('{"type": "FeatureCollection", "features": []}', "the file holds no features"),
        ("{" * 100_000, "not valid GeoJSON"),
    ],
)
def test_what_only_claims_to_be_geojson_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.geojson"
    path.write_text(text)
    with pytest.raises(InputRefused, match=says):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.shp", b"hello", "not a valid .shp"),
        ("a.gpkg", b"hello", "not a valid GeoPackage"),
        ("a.zip", b"hello", "damaged or not a zip"),
        ("a.dwg", b"AC1015", "save it as DXF"),
        ("a", b"", "the format — is not read"),
    ],
)
def test_what_is_not_what_it_says_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputRefused, match=says):
        read(tmp_path / name)


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"/nowhere/x.shp: there is no such file"):
        read("/nowhere/x.shp")


def archive_of(path: Path, members: dict[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a.shp")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def packed_zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_zips_in_zips_are_read_three_deep_and_no_deeper(tmp_path: Path) -> None:
    point = b'{"type": "Polygon", "coordinates": [[[120, 30], [120.01, 30], [120.01, 30.01], [120, 30]]]}'
    inner = packed_zip({"资料/规划.geojson": point})
    for depth in (2, 3):
        inner = packed_zip({f"第{depth}层/内.zip": inner})
        (tmp_path / f"{depth}.zip").write_bytes(inner)
        assert read(tmp_path / f"{depth}.zip").vertices == 3
    (tmp_path / "4.zip").write_bytes(packed_zip({"外.zip": inner}))
    with pytest.raises(InputRefused, match="more than 3 deep"):
        read(tmp_path / "4.zip")


def test_data_sets_of_one_name_in_two_folders_are_chosen_by_their_paths(tmp_path: Path) -> None:
    square = '{{"type": "Polygon", "coordinates": [[[120, 30], [{0}, 30], [{0}, 30.01], [120, 30.01], [120, 30]]]}}'
    packed = packed_zip(
        {"规划/范围.geojson": square.format(120.02).encode(), "建设/范围.geojson": square.format(120.01).encode()}
    )
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(InputRefused, match=r"规划/范围.*建设/范围"):
        read(tmp_path / "a.zip")
    assert read(f"{tmp_path}/a.zip#建设/范围").polygons.bounds[2] == 120.01


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"../../etc/a.shp": b"x"}, "leads outside"),
        ({"/etc/a.shp": b"x"}, "leads outside"),
        ({"..\\..\\a.shp": b"x"}, "leads outside"),
        ({"C:\\a.shp": b"x"}, "leads outside"),
        ({link(): b"/etc/passwd"}, "is a link"),
        ({"a.shp": b"x", "A.SHP": b"y"}, "two files named a.shp"),
        ({"a.shp": b"\0" * 40_000_000}, "packed by more than 200 times"),
        ({f"{i}.shp": b"" for i in range(300)}, "300 files, more than the 200"),
        ({"readme.txt": b"x"}, "holds nothing that is read"),
        ({"inner.zip": b"PK"}, "inner.zip/: the archive is damaged"),
        ({"数据.rar": b"Rar!"}, r"数据\.rar: \.rar archives are not unpacked\. Pack the files as a \.zip"),
    ],
)
def test_hostile_archives_are_refused(tmp_path: Path, members: dict[str | zipfile.ZipInfo, bytes], says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        read(archive_of(tmp_path / "a.zip", members))


def test_an_archive_that_lies_about_its_size_is_stopped_by_real_bytes(tmp_path: Path) -> None:
    path = archive_of(
        tmp_path / "a.zip",
        {"a.shp": bytes(np.random.default_rng(0).integers(0, 256, 3_000_000, dtype=np.uint8))},
        zipfile.ZIP_STORED,
    )
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 100)
    path.write_bytes(bytes(raw))
    small = Limits(file_bytes=10**8, unpacked_bytes=1_000_000, entries=10, features=10, vertices=100)
    with pytest.raises(GeoplanError):
        read_boundary(parse_selector(str(path)), ReadOptions(), small)


def test_a_large_boundary_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.gpkg"
    with path.open("wb") as opened:
        opened.truncate(300_000_000)
    with pytest.raises(TooLarge, match=r"300000000 bytes, more than the 100000000 allowed.*--layer"):
        read(path)


def test_too_many_features_and_vertices_are_refused(tmp_path: Path) -> None:
    frame_of([box(i * 20, 0, 10, 10) for i in range(30)]).to_file(tmp_path / "m.gpkg", driver="GPKG")
    few = Limits(BOUNDARY.file_bytes, BOUNDARY.unpacked_bytes, 10, 10, 1000)
    with pytest.raises(TooLarge, match="holds 30 features, more than the 10 allowed"):
        read_boundary(parse_selector(str(tmp_path / "m.gpkg")), ReadOptions(), few)
    short = Limits(BOUNDARY.file_bytes, BOUNDARY.unpacked_bytes, 10, 100, 100)
    with pytest.raises(TooLarge, match="holds 150 vertices, more than the 100 allowed"):
        read_boundary(parse_selector(str(tmp_path / "m.gpkg")), ReadOptions(), short)


def test_the_declared_area_is_taken_with_its_unit_told_by_its_size(tmp_path: Path) -> None:
    for stated, unit in (
        (SQUARE.area, "m2"),
        (SQUARE.area / 1e4, "ha"),
        (SQUARE.area * 3 / 2000, "mu"),
        (SQUARE.area / 1e6, "km2"),
    ):
        frame_of([SQUARE], {"MJ": [stated]}).to_file(tmp_path / f"{unit}.gpkg", driver="GPKG")
        found = read(tmp_path / f"{unit}.gpkg")
        assert found.declared_area_m2 == pytest.approx(SQUARE.area)
        assert found.notes[0].args["unit"] == unit
    frame_of([SQUARE], {"MJ": [17.0]}).to_file(tmp_path / "odd.gpkg", driver="GPKG")
    odd = read(tmp_path / "odd.gpkg")
    assert odd.declared_area_m2 is None
    assert odd.notes[0].id == "read.declared-area-unclear"


def test_a_z_value_is_dropped(tmp_path: Path) -> None:
    frame_of([shapely.force_3d(SQUARE, 5.0)]).to_file(tmp_path / "z.gpkg", driver="GPKG")
    assert not read(tmp_path / "z.gpkg").polygons.has_z


def test_the_hash_of_a_shapefile_does_not_depend_on_its_name(tmp_path: Path) -> None:
    first = shapefile(tmp_path / "a", frame_of([SQUARE]))
    (tmp_path / "b").mkdir()
    for each in first.parent.iterdir():
        shutil.copy(each, tmp_path / "b" / f"other{each.suffix}")
    assert read(first).source.sha256 == read(tmp_path / "b" / "other.shp").source.sha256


def test_a_repair_is_told_by_its_row_and_not_by_the_name_of_the_file(tmp_path: Path) -> None:
    loop = [(850.4, 1700.5), (849.6, 1700.5)]
    corners = [(0, 0), (1700, 0), (1700, 1700), (850, 1700), *loop, (850, 1700), (0, 1700)]
    x, y = SQUARE.bounds[:2]
    data = frame_of([shapely.Polygon([(x + dx, y + dy) for dx, dy in corners])])
    first, second = (read(shapefile(tmp_path / stem, data, stem=stem)) for stem in ("甲", "乙"))
    assert [each.message for each in first.repairs] == [each.message for each in second.repairs]
    assert first.repairs[0].message.args["place"] == "1"


# --- layers ------------------------------------------------------------------------------------------------------


def test_a_layer_is_read_near_the_boundary_only_and_keeps_its_numbers(tmp_path: Path) -> None:
    cells = [box(i * 500, j * 500, 500, 500) for i in range(-20, 20) for j in range(-20, 20)]
    columns = {
        "TBBH": [f"{i:04d}" for i in range(len(cells))],
        "DLBM": ["0101"] * len(cells),
        "KCXS": [0.1] * len(cells),
        "SJNF": [2024] * len(cells),
    }
    frame_of(cells, columns).to_file(tmp_path / "dltb.gpkg", driver="GPKG")  # type: ignore[arg-type]
    layer = FileLayer(parse_layer(f"land-use={tmp_path / 'dltb.gpkg'}"))
    patches = layer.within(shapely.box(*SQUARE.bounds), HUZHOU)
    assert 16 <= len(patches) <= 25
    assert set(patches.codes) == {"0101"}
    assert patches.net_factor[0] == pytest.approx(0.9)
    assert layer.generation == "third-survey"
    assert layer.day is not None
    assert layer.day.isoformat() == "2024-12-31"
    assert shapely.area(layer.extent(HUZHOU)) == pytest.approx(20_000**2)


@pytest.mark.parametrize(("field", "generation"), [("KCXS", "third-survey"), ("TKXS", "second-survey"), ("BZ2", None)])
def test_the_generation_is_decided_by_fields_or_by_the_user(tmp_path: Path, field: str, generation: str | None) -> None:
    path = tmp_path / "l.gpkg"
    frame_of([SQUARE], {"DLBM": ["0101"], field: [0.0]}).to_file(path, driver="GPKG")
    assert FileLayer(parse_layer(f"land-use={path}")).generation == generation
    assert FileLayer(parse_layer(f"land-use={path}@second-survey")).generation == "second-survey"


def test_second_survey_shares_in_percent_are_shares(tmp_path: Path) -> None:
    frame_of([SQUARE], {"DLBM": ["011"], "TKXS": [12.5]}).to_file(tmp_path / "l.gpkg", driver="GPKG")
    layer = FileLayer(parse_layer(f"land-use={tmp_path / 'l.gpkg'}"))
    assert layer.within(shapely.box(*SQUARE.bounds), HUZHOU).net_factor[0] == pytest.approx(0.875)


def test_a_layer_that_cannot_serve_its_role_is_refused(tmp_path: Path) -> None:
    frame_of([shapely.LineString(SQUARE.exterior.coords)]).to_file(tmp_path / "l.gpkg", driver="GPKG")
    with pytest.raises(InputRefused, match="holds LineString; it needs polygons"):
        FileLayer(parse_layer(f"permanent-basic-farmland={tmp_path / 'l.gpkg'}"))


@pytest.mark.parametrize("kind", ["gpkg", "shp", "geojson"])
def test_lines_for_polygons_are_refused_wherever_they_lie(tmp_path: Path, kind: str) -> None:
    far = shapely.LineString(box(9_000, 9_000, 500, 500).exterior.coords)
    path = layer_file(tmp_path, kind, frame_of([far], {"DLBM": ["0101"]}))
    with pytest.raises(InputRefused, match="holds LineString; it needs polygons"):
        FileLayer(parse_layer(f"permanent-basic-farmland={path}"))


@pytest.mark.parametrize("kind", ["gpkg", "shp", "geojson"])
def test_a_layer_with_rows_without_geometry_is_refused_and_never_read_past_them(tmp_path: Path, kind: str) -> None:
    path = layer_file(tmp_path, kind, frame_of([box(9_000, 9_000, 500, 500), None], {"DLBM": ["0101", "0101"]}))
    with pytest.raises(InputRefused, match=r"1 row has no geometry \(rows 2\)"):
        FileLayer(parse_layer(f"permanent-basic-farmland={path}"))


def test_a_geopackage_without_an_index_is_looked_through_as_well(tmp_path: Path) -> None:
    data = frame_of([None, SQUARE], {"DLBM": ["0101", "0101"]})
    data.to_file(tmp_path / "l.gpkg", driver="GPKG", layer='永农"图斑', SPATIAL_INDEX="NO")
    with pytest.raises(InputRefused, match=r"永农\"图斑: 1 row has no geometry \(rows 1\)"):
        FileLayer(parse_layer(f"permanent-basic-farmland={tmp_path / 'l.gpkg'}"))


def test_chosen_rows_may_lie_elsewhere_and_a_value_that_no_row_has_is_refused(tmp_path: Path) -> None:
    near_and_far = frame_of([box(200, 200, 100, 50), box(9_000, 9_000, 500, 500)], {"LX": ["一般", "核心"]})
    near_and_far.to_file(tmp_path / "r.gpkg", driver="GPKG")
    layer = FileLayer(parse_layer(f"ecological-redline={tmp_path / 'r.gpkg'}[LX=核心]"))
    assert len(layer.within(shapely.box(*SQUARE.bounds), HUZHOU)) == 0
    assert shapely.area(layer.extent(HUZHOU)) == pytest.approx(500**2)
    with pytest.raises(InputRefused, match=r"no row has the value 核芯. There are: 一般, 核心"):
        FileLayer(parse_layer(f"ecological-redline={tmp_path / 'r.gpkg'}[LX=核芯]"))


def test_ridges_kept_as_text_are_taken_off_too(tmp_path: Path) -> None:
    cells = [box(i * 100, 0, 100, 100) for i in range(3)]
    frame_of(cells, {"DLBM": ["0101"] * 3, "KCXS": ["0.1250", "", "—"]}).to_file(tmp_path / "l.gpkg", driver="GPKG")
    patches = FileLayer(parse_layer(f"land-use={tmp_path / 'l.gpkg'}")).within(shapely.box(*SQUARE.bounds), HUZHOU)
    assert dict(zip(patches.ids, patches.net_factor, strict=True)) == {"#1": 0.875, "#2": 1.0, "#3": 1.0}


def test_an_empty_layer_is_accepted_only_with_a_declared_coverage(tmp_path: Path) -> None:
    frame_of([SQUARE], {"DLBM": ["0101"]}).iloc[:0].to_file(tmp_path / "e.gpkg", driver="GPKG")
    spec = parse_layer(f"permanent-basic-farmland={tmp_path / 'e.gpkg'}")
    with pytest.raises(InputRefused, match="is empty and declares no coverage"):
        FileLayer(spec)
    frame_of([box(-100, -100, 3000, 3000)]).to_file(tmp_path / "c.gpkg", driver="GPKG")
    layer = FileLayer(spec, parse_selector(str(tmp_path / "c.gpkg")))
    assert len(layer.within(shapely.box(*SQUARE.bounds), HUZHOU)) == 0
    assert layer.declared(HUZHOU) is not None


def test_invalid_patches_are_mended_and_said(tmp_path: Path) -> None:
    frame_of([BOW_TIE], {"DLBM": ["0101"]}).to_file(tmp_path / "b.gpkg", driver="GPKG")
    layer = FileLayer(parse_layer(f"permanent-basic-farmland={tmp_path / 'b.gpkg'}"))
    patches = layer.within(shapely.box(*SQUARE.bounds), HUZHOU)
    assert shapely.is_valid(patches.shapes).all()
    assert [n.id for n in layer.notes] == ["read.layer-mended"]


def layer_file(folder: Path, kind: str, data: gpd.GeoDataFrame) -> Path:
    """A layer in one of the formats; GeoJSON without GDAL, in degrees."""
    if kind == "shp":
        return shapefile(folder / "s", data)
    path = folder / f"l.{kind}"
    if kind == "gpkg":
        data.to_file(path, driver="GPKG")
    else:
        path.write_text(data.to_crs(4326).to_json(), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("land-use", "given as ROLE=FILE"),
        ("land-use=a.gpkg@EPSG:99999", "EPSG:99999 behind @"),
        ("land-use=a.gpkg@1984", "1984 behind @"),
    ],
)
def test_a_wrong_layer_spelling_is_refused(text: str, says: str) -> None:
    with pytest.raises(CallRefused, match=says):
        parse_layer(text)


def test_a_layer_without_a_system_takes_the_one_given(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s", frame_of([SQUARE], {"DLBM": ["0101"]}), drop=(".cpg", ".prj"))
    with pytest.raises(InputRefused, match="no coordinate system"):
        FileLayer(parse_layer(f"permanent-basic-farmland={path}"))
    assert (
        len(
            FileLayer(parse_layer(f"permanent-basic-farmland={path}@EPSG:4549")).within(
                shapely.box(*SQUARE.bounds), HUZHOU
            )
        )
        == 1
    )


def test_zips_of_layers_are_read_too(tmp_path: Path) -> None:
    archive = zipped(
        shapefile(tmp_path / "s", frame_of([SQUARE], {"DLBM": ["0101"], "DLMC": ["水田"]})), tmp_path / "l.zip", "数据/"
    )
    layer = FileLayer(LayerSpec("permanent-basic-farmland", parse_selector(str(archive))))
    assert layer.within(shapely.box(*SQUARE.bounds), HUZHOU).names.tolist() == ["水田"]


# --- towns -------------------------------------------------------------------------------------------------------


def test_towns_come_as_polygons_or_as_a_csv_of_points(tmp_path: Path) -> None:
    frame_of([SQUARE], {"id": ["t1"], "name": ["某镇"], "stage": ["create"], "class_huzhou_2018": ["tourism"]}).to_file(
        tmp_path / "t.gpkg", driver="GPKG"
    )
    (town,) = read_register(parse_selector(str(tmp_path / "t.gpkg"))).towns
    assert (town.name, town.stage, town.classes) == ("某镇", "create", {"huzhou-2018": "tourism"})
    (tmp_path / "t.csv").write_bytes("name,lon,lat,stage\n某镇,120.1,30.9,named\n".encode("gbk"))
    (point,) = read_register(parse_selector(str(tmp_path / "t.csv"))).towns
    assert (point.name, shapely.get_x(point.shape)) == ("某镇", 120.1)


@pytest.mark.parametrize(
    "text",
    [
        "id,name,lon,lat,stage\n1,远镇,120.2,30.9,named,,\n",
        "ID, Name, LON, LAT\n1, 远镇, 120.2, 30.9\n\n",
        "name,lon,lat,stage\n远镇,120.2,30.9\n",
    ],
    ids=["trailing commas", "capitals and blanks", "a short line"],
)
def test_a_csv_as_spreadsheets_write_it_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode("gbk"))
    (town,) = read_register(parse_selector(str(tmp_path / "t.csv"))).towns
    assert (town.name, shapely.get_x(town.shape), shapely.get_y(town.shape)) == ("远镇", 120.2, 30.9)


def test_a_csv_with_a_head_alone_is_a_register_without_towns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,name,lon,lat\n")
    assert read_register(parse_selector(str(tmp_path / "t.csv"))).towns == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,x,y\na,1,2\n", "needs the columns lon and lat; it has name, x, y"),
        ("name,lon,lat\na,x,2\n", r"line 2: longitude and latitude \(x, 2\)"),
        ("name,lon,lat,stage\na,120,30,planned\n", "the stage planned is not known"),
        ("name,lon,lat\n" + "x" * 200_000 + ",120,30\n", "it cannot be read .field larger than field limit"),
        ("", "needs the columns lon and lat; it has —"),
    ],
)
def test_a_wrong_csv_of_towns_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputRefused, match=says):
        read_register(parse_selector(str(tmp_path / "t.csv")))


@settings(max_examples=30)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_never_a_fault(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".zip", ".shp", ".gpkg", ".geojson"):
            path = Path(folder) / f"x{suffix}"
            path.write_bytes(raw)
            with pytest.raises(GeoplanError):
                read(path)
