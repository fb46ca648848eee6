# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Every habit of a file that the product meets, one line each: how such a file is made, and what reading it gives.

``CASES`` is the list; ``docs/formats.md`` is made of it by ``test_formats_page.py``. A case names its format and its
habit, and a maker that writes the file into a folder and gives the selector that a user would write.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from builders import HUZHOU, box
from cad_files import drawing
from curved_gdb import write_circle
from geoplan.boundary import Boundary
from geoplan.crs import recognise
from geoplan.errors import GeoplanError
from geoplan.messages import Message, say
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.files.limits import LAYER
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.selector import parse_selector
from geoplan_layers.vector import read_table

Maker = Callable[[Path], "Path | str"]
SQUARE = box(0, 0, 1700, 1700)
OTHER = box(2000, 0, 500, 500)


@dataclass(frozen=True)
class Case:
    """One row of the page. ``crs`` is what the user gives; ``layer`` reads as a reference layer, not a boundary."""

    format: str
    habit: str
    make: Maker
    crs: int | None = None
    layer: bool = False
    real: bool = False


@dataclass(frozen=True)
class Outcome:
    """What happened: ``read``, ``mended`` or ``refused``, and what was said in English."""

    word: str
    said: str


def outcome(case: Case, folder: Path) -> Outcome:
    """Make the file of a case in a folder, read it, and tell what happened."""
    selector = parse_selector(str(case.make(folder)))
    try:
        if case.layer:
            table = read_table(selector, LAYER)
            system = table.frame.label if table.frame else "no system"
            kinds = ", ".join(sorted(table.kinds))
            return _told(f"{len(table)} rows of {kinds}, {system}", table.notes)
        frame = recognise(case.crs) if case.crs else None
        found = read_boundary(selector, ReadOptions(frame, anywhere=True))
    except GeoplanError as wrong:
        return Outcome("refused", wrong.say("en").replace(str(folder), "…"))
    return _told(_shape(found), [*(r.message for r in found.repairs), *found.notes])


def _shape(found: Boundary) -> str:
    parts = len(shapely.get_parts(found.polygons))
    name = f", name {found.name}" if found.name else ""
    return f"{parts} part{'s' * (parts > 1)}, {found.vertices} vertices, {found.frame.label}{name}"


def _told(shape: str, notes: Sequence[Message]) -> Outcome:
    said = [say(note, "en") for note in notes]
    return Outcome("mended" if said else "read", "; ".join([shape, *said]))


# --- makers: each gives a function of the folder ------------------------------------------------------------------


def rows_of(shapes: Sequence[Any], crs: int | None = 4549, **columns: Sequence[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(dict(columns) or {"NAME": ["试验小镇"] * len(shapes)}, geometry=list(shapes), crs=crs)


def shp(
    shapes: Sequence[Any] = (SQUARE,),
    encoding: str = "GBK",
    drop: Sequence[str] = (".cpg",),
    cpg: str | None = None,
    ldid: int = 0,
    prj: str | None = None,
    crs: int = 4549,
    cut: int = 0,
) -> Maker:
    """A shapefile as Chinese tools write it: by default a GBK table without .cpg and language mark."""

    def make(folder: Path) -> Path:
        path = folder / "边界.shp"
        rows_of(shapes, crs, MC=["南通开发区"] * len(shapes)).to_file(path, encoding=encoding, driver="ESRI Shapefile")
        for suffix in drop:
            path.with_suffix(suffix).unlink(missing_ok=True)
        if cpg:
            path.with_suffix(".cpg").write_text(cpg)
        if prj is not None:
            path.with_suffix(".prj").write_text(prj, encoding="utf-8")
        table = path.with_suffix(".dbf")
        if table.exists():
            raw = bytearray(table.read_bytes())
            raw[29] = ldid
            table.write_bytes(bytes(raw))
        if cut:
            path.write_bytes(path.read_bytes()[:-cut])
        return path

    return make


def patched(make: Maker, at: int, raw: bytes) -> Maker:
    """The file of another maker with some bytes replaced."""

    def patch(folder: Path) -> Path:
        path = Path(make(folder))
        content = bytearray(path.read_bytes())
        content[at : at + len(raw)] = raw
        path.write_bytes(bytes(content))
        return path

    return patch


def beside(make: Maker, name: str, content: bytes) -> Maker:
    """The file of another maker with a further file beside it."""

    def add(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return Path(make(folder))

    return add


def cut(make: Maker, last: int, suffix: str = "") -> Maker:
    """The file of another maker (or a companion of it) without its last bytes."""

    def shorten(folder: Path) -> Path:
        path = Path(make(folder))
        victim = path.with_suffix(suffix) if suffix else path
        victim.write_bytes(victim.read_bytes()[:-last])
        return path

    return shorten


def measured(folder: Path) -> Path:
    """A shapefile of type 25, PolygonM, written by its published layout."""
    path = Path(shp()(folder))
    xy = shapely.get_coordinates(shapely.reverse(SQUARE))
    box_of = struct.pack("<4d", *SQUARE.bounds)
    body = struct.pack("<i", 25) + box_of + struct.pack("<iii", 1, len(xy), 0) + xy.astype("<f8").tobytes()
    body += struct.pack("<2d", 0.0, 1.0) + np.linspace(0, 1, len(xy)).astype("<f8").tobytes()
    record = struct.pack(">ii", 1, len(body) // 2) + body
    length = struct.pack(">i", (100 + len(record)) // 2)
    head = struct.pack(">i", 9994) + bytes(20) + length + struct.pack("<ii", 1000, 25) + box_of + bytes(32)
    path.write_bytes(head + record)
    path.with_suffix(".shx").unlink()
    return path


def gdal(name: str, driver: str, shapes: Sequence[Any] = (SQUARE,), crs: int | None = 4549, **how: Any) -> Maker:
    """A file as GDAL writes it."""
    columns = how.pop("columns", {"NAME": ["试验小镇"] * len(shapes)})

    def make(folder: Path) -> Path:
        rows_of(shapes, crs, **columns).to_file(folder / name, driver=driver, **how)
        return folder / name

    return make


def layers(name: str, driver: str, chosen: str = "", **tables: Any) -> Maker:
    """A file of several layers, one of them chosen by ``#NAME``."""

    def make(folder: Path) -> str:
        for layer, shape in tables.items():
            rows_of([shape]).to_file(folder / name, driver=driver, layer=layer)
        return f"{folder / name}{chosen}"

    return make


def text(name: str, content: str | bytes, chosen: str = "", encoding: str = "utf-8") -> Maker:
    """A file of a given text."""

    def make(folder: Path) -> str:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return f"{folder / name}{chosen}"

    return make


def zipped(make: Maker, name: str = "a.zip", inside: str = "", chosen: str = "", gbk: bool = True) -> Maker:
    """What another maker writes, packed; member names are GBK bytes without the UTF-8 flag unless ``gbk`` is off."""

    def pack(folder: Path) -> str:
        root = folder / "in"
        root.mkdir()
        made = Path(make(root))
        files = [made] if made.suffix in (".zip", ".kml") else sorted(e for e in root.rglob("*") if e.is_file())
        members = {f"{inside}{each.relative_to(root)}": each.read_bytes() for each in files}
        (folder / name).write_bytes(archive(members, gbk))
        return f"{folder / name}{chosen}"

    return pack


def archive(members: dict[str, bytes], gbk: bool = False) -> bytes:
    """A zip; with ``gbk`` its names are GBK bytes without a flag, as Windows tools write them."""
    packed = io.BytesIO()
    raw_names = {}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for order, (name, content) in enumerate(members.items()):
            raw = name.encode("gbk")
            stand_in = f"{order:03d}".ljust(len(raw), "_")[: len(raw)] if gbk and not name.isascii() else name
            raw_names[stand_in] = raw
            opened.writestr(zipfile.ZipInfo(stand_in), content)
    data = packed.getvalue()
    for stand_in, raw in raw_names.items():
        if gbk and stand_in.encode() != raw:
            data = data.replace(stand_in.encode(), raw)
    return data


KML = '<?xml version="1.0" encoding="{0}"?><kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>{1}</Document></kml>'
RING = "120.10,30.87,0 120.12,30.87,0 120.12,30.88,0 120.10,30.88,0 120.10,30.87,0"
HOLE = "120.105,30.872 120.110,30.872 120.110,30.875 120.105,30.872"


def placemark(name: str, geometry: str) -> str:
    return f"<Placemark><name>{name}</name>{geometry}</Placemark>"


def polygon(ring: str = RING, hole: str = "") -> str:
    inner = f"<innerBoundaryIs><LinearRing><coordinates>{hole}</coordinates></LinearRing></innerBoundaryIs>"
    return f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>{inner if hole else ''}</Polygon>"


def line(ring: str = RING) -> str:
    return f"<LineString><coordinates>{ring}</coordinates></LineString>"


def folder_of(name: str, *marks: str) -> str:
    return f"<Folder><name>{name}</name>{''.join(marks)}</Folder>"


def kml(content: str, name: str = "a.kml", head: str = "UTF-8", encoding: str = "utf-8", chosen: str = "") -> Maker:
    return text(name, KML.format(head, content), chosen, encoding)


TRACK = "<gx:Track>" + "".join(f"<gx:coord>{' '.join(p.split(','))}</gx:coord>" for p in RING.split()) + "</gx:Track>"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&b;</name></Placemark></kml>'
)
XXE = (
    '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&x;</name></Placemark></kml>'
)
LINK = "<NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink>"
VRT = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:9/a.shp</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
WFS = "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>"


def circle_database(folder: Path) -> Path:
    """A circle of two arcs in a .gdb, as ArcGIS keeps it."""
    return write_circle(folder, 510_000.0, 3_416_000.0, 100.0)


def curved(name: str, driver: str) -> Maker:
    """A circle of 100 m as a curve polygon of circular strings."""
    x, y = 510_000.0, 3_416_000.0
    points = [(x - 100, y), (x, y + 100), (x + 100, y), (x, y - 100), (x - 100, y)]
    ring = struct.pack("<BII", 1, 8, len(points)) + b"".join(struct.pack("<dd", *p) for p in points)
    wkb = np.array([struct.pack("<BII", 1, 10, 1) + ring], dtype=object)

    def make(folder: Path) -> Path:
        names = [np.array(["圆"], dtype=object)]
        pyogrio.raw.write(
            folder / name,
            wkb,
            names,
            ["NAME"],
            driver=driver,
            geometry_type="Unknown",
            crs="EPSG:4549",
            encoding="UTF-8",
        )
        return folder / name

    return make


def parquet(change: Callable[[dict[str, Any]], object] | None = None, encoding: str = "WKB", **how: Any) -> Maker:
    """A GeoParquet file, its metadata changed."""

    def make(folder: Path) -> Path:
        import pyarrow.parquet as pq

        path = folder / "a.parquet"
        rows_of([SQUARE, OTHER]).to_parquet(path, geometry_encoding=encoding, **how)
        if change:
            table = pq.read_table(path)
            metadata = dict(table.schema.metadata)
            geo = json.loads(metadata[b"geo"])
            if change(geo) == "drop":
                metadata.pop(b"geo")
            else:
                metadata[b"geo"] = json.dumps(geo).encode()
            pq.write_table(table.replace_schema_metadata(metadata), path)
        return path

    return make


def mapinfo(suffix: str, edit: tuple[bytes, bytes] | None = None, drop: str = "", crs: int = 4549) -> Maker:
    """A MapInfo table or interchange file in Chinese, its head edited."""

    def make(folder: Path) -> Path:
        path = folder / f"界.{suffix}"
        rows_of([SHIFTED if crs == 4528 else SQUARE], crs, MC=["某某小镇"]).to_file(
            path, driver="MapInfo File", ENCODING="CP936"
        )
        if edit:
            raw = path.read_bytes()
            assert edit[0] in raw
            path.write_bytes(raw.replace(*edit))
        if drop:
            path.with_suffix(drop).unlink()
        return path

    return make


def shared(path: str, chosen: str = "") -> Maker:
    """A real file of the shared data, read where it lies."""
    return lambda _: f"{os.environ['GEOPLAN_REAL_DATA']}/data/{path}{chosen}"


def degrees(shape: Any = SQUARE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shapely.to_geojson(HUZHOU.lonlat_shapes(shape)))
    return found


def without_crs(folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        rows_of([SQUARE], None).to_file(folder / "a.fgb", driver="FlatGeobuf")
    return folder / "a.fgb"


def planar() -> dict[str, Any]:
    """An old GeoJSON: metres, and a crs member that says which."""
    feature = {"type": "Feature", "properties": {"name": "镇"}, "geometry": json.loads(shapely.to_geojson(SQUARE))}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    return {"type": "FeatureCollection", "crs": crs, "features": [feature]}


def database(folder: Path) -> Path:
    return Path(gdal("三调.gdb", "OpenFileGDB")(folder))


def without_catalog(folder: Path) -> Path:
    path = database(folder)
    (path / "a00000001.gdbtable").unlink()
    return path


def links_only(folder: Path) -> Path:
    path = database(folder)
    table = path / "a00000009.gdbtable"
    shutil.move(table, folder / "moved")
    table.symlink_to(folder / "moved")
    return path


RENAMED = 'PROJCS["国家2000_40带",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
CLOSED = shapely.LineString(SQUARE.exterior.coords)
SHIFTED = shapely.transform(SQUARE, lambda xy: xy + np.array([40_000_000, 0]))

CASES: tuple[Case, ...] = (
    Case("shapefile", "GBK table, no .cpg, no language mark", shp()),
    Case("shapefile", "GBK table, language mark 0x4D", shp(ldid=0x4D)),
    Case("shapefile", "GBK table, language mark 0x57 (ANSI)", shp(ldid=0x57)),
    Case("shapefile", "GBK table, language mark 0x03 (Windows)", shp(ldid=0x03)),
    Case("shapefile", "GBK table, .cpg says GB18030", shp(cpg="GB18030")),
    Case("shapefile", "GBK table, .cpg says OEM", shp(cpg="OEM")),
    Case("shapefile", "GBK table, .cpg says “ANSI 936”", shp(cpg="ANSI 936")),
    Case("shapefile", "GBK table, .cpg lies: UTF-8", shp(cpg="UTF-8")),
    Case("shapefile", "UTF-8 table, no .cpg", shp(encoding="UTF-8")),
    Case("shapefile", "UTF-8 table, no .cpg, language mark lies: 0x4D", shp(encoding="UTF-8", ldid=0x4D)),
    Case("shapefile", "UTF-8 table, .cpg says 65001", shp(encoding="UTF-8", cpg="65001")),
    Case("shapefile", "no .shx", shp(drop=(".cpg", ".shx"))),
    Case("shapefile", "no .dbf", shp(drop=(".cpg", ".dbf"))),
    Case("shapefile", "no .prj", shp(drop=(".cpg", ".prj"))),
    Case("shapefile", "no .prj, CRS given", shp(drop=(".cpg", ".prj")), crs=4549),
    Case("shapefile", "CRS given contradicts the .prj", shp(), crs=4528),
    Case("shapefile", "projection renamed in Chinese", shp([SHIFTED], crs=4528, prj=RENAMED)),
    Case("shapefile", ".prj is garbage", shp(prj="[]")),
    Case("shapefile", ".prj says degrees over metres", shp(prj=recognise(4490).crs.to_wkt("WKT1_ESRI"))),  # type: ignore[union-attr]
    Case("shapefile", "polygons with Z", shp([shapely.force_3d(SQUARE, 4.0)])),
    Case("shapefile", "polygons with M", measured),
    Case("shapefile", "multipatch", patched(shp(), 32, struct.pack("<i", 31))),
    Case("shapefile", "a row without geometry", shp([SQUARE, None])),
    Case("shapefile", "cut short", shp([SQUARE, OTHER], cut=60)),
    Case("shapefile", "closed line instead of polygon", shp([CLOSED])),
    Case("shapefile", "point", shp([SQUARE.centroid])),
    Case("shapefile", "really a zip", text("a.shp", archive({"a.txt": b"x"}))),
    Case("shapefile", ".dbf alone", text("a.dbf", b"\x03")),
    Case("zip", "flat, GBK names without the UTF-8 flag", zipped(shp())),
    Case("zip", "in a folder, GBK names", zipped(shp(), inside="规划/")),
    Case("zip", "in a folder, UTF-8 names", zipped(shp(), inside="规划/", gbk=False)),
    Case("zip", "a zip in a zip in a zip", zipped(zipped(zipped(shp())))),
    Case("zip", "four deep", zipped(zipped(zipped(zipped(shp()))))),
    Case("zip", "two data sets, none named", zipped(layers("a.gpkg", "GPKG", 规划=SQUARE, 建设=OTHER))),
    Case("zip", "two data sets, one named", zipped(layers("a.gpkg", "GPKG", 规划=SQUARE, 建设=OTHER), chosen="#建设")),
    Case("zip", "a .gdb folder", zipped(database, inside="数据/")),
    Case("zip", "a PDF named .txt beside the shapefile", zipped(beside(shp(), "说明.txt", b"%PDF-1.7"))),
    Case("zip", "only a DWG", zipped(text("总图.dwg", b"AC1032"))),
    Case("zip", "path leads outside", text("a.zip", archive({"../a.shp": b"x"}))),
    Case("geopackage", "one layer", gdal("a.gpkg", "GPKG")),
    Case("geopackage", "several layers, none named", layers("a.gpkg", "GPKG", 规划=SQUARE, 建设=OTHER)),
    Case("geopackage", "several layers, one named", layers("a.gpkg", "GPKG", "#建设", 规划=SQUARE, 建设=OTHER)),
    Case("geopackage", "curve polygon", curved("a.gpkg", "GPKG")),
    Case("geopackage", "closed line instead of polygon", gdal("a.gpkg", "GPKG", [CLOSED])),
    Case("geopackage", "not SQLite at all", text("a.gpkg", VRT)),
    Case("file geodatabase", "one feature class", database),
    Case("file geodatabase", "several, none named", layers("a.gdb", "OpenFileGDB", 规划=SQUARE, 建设=OTHER)),
    Case("file geodatabase", "several, one named", layers("a.gdb", "OpenFileGDB", "#建设", 规划=SQUARE, 建设=OTHER)),
    Case("file geodatabase", "curve polygon (circular arcs)", circle_database),
    Case("file geodatabase", "its catalogue is missing", without_catalog),
    Case("file geodatabase", "a table is a link", links_only),
    Case("flatgeobuf", "one layer", gdal("a.fgb", "FlatGeobuf")),
    Case("flatgeobuf", "without a CRS", without_crs),
    Case("flatgeobuf", "really a VRT", text("a.fgb", VRT)),
    Case("flatgeobuf", "cut short", cut(gdal("a.fgb", "FlatGeobuf", [SQUARE, OTHER]), 100)),
    Case("geoparquet", "1.0, WKB", parquet(schema_version="1.0.0")),
    Case("geoparquet", "1.1, WKB, bbox covering", parquet(schema_version="1.1.0", write_covering_bbox=True)),
    Case("geoparquet", "1.1, native encoding", parquet(encoding="geoarrow", schema_version="1.1.0")),
    Case(
        "geoparquet", "no crs member (CRS84), metres inside", parquet(lambda geo: geo["columns"]["geometry"].pop("crs"))
    ),
    Case("geoparquet", "crs null", parquet(lambda geo: geo["columns"]["geometry"].update(crs=None))),
    Case("geoparquet", "no metadata", parquet(lambda _: "drop")),
    Case("geoparquet", "really JSON", text("a.parquet", "{}")),
    Case("geoparquet", "cut short", cut(parquet(), 100)),
    Case("mapinfo tab", "native, GBK", mapinfo("tab")),
    Case("mapinfo tab", "charset says WindowsLatin1", mapinfo("tab", (b"WindowsSimpChinese", b"WindowsLatin1"))),
    Case("mapinfo tab", "without its .map", mapinfo("tab", drop=".map")),
    Case("mapinfo tab", "linked table", mapinfo("tab", (b"Type NATIVE", b"Type LINKED"))),
    Case(
        "mapinfo tab",
        "a view over other tables",
        text("a.tab", '!table\n!version 100\nOpen Table "/etc/b" Hide\nCreate View v As Select *'),
    ),
    Case(
        "mapinfo tab",
        "raster",
        text("a.tab", '!table\n!version 300\nDefinition Table\n  File "/etc/passwd"\n  Type "RASTER"\n'),
    ),
    Case("mapinfo tab", "really a VRT", text("a.tab", VRT)),
    Case("mapinfo tab", "its .map cut short", cut(mapinfo("tab"), 600, ".map")),
    Case("mapinfo tab", "its .dat cut short", cut(mapinfo("tab"), 100, ".dat")),
    Case("mapinfo mif", "GBK, Gauss–Krüger zone 40 on MapInfo's datum 104", mapinfo("mif", crs=4528)),
    Case("mapinfo mif", "without its .mid", mapinfo("mif", drop=".mid")),
    Case("mapinfo mif", "charset says WindowsLatin1", mapinfo("mif", (b"WindowsSimpChinese", b"WindowsLatin1"))),
    Case("mapinfo mif", "really a VRT", text("a.mif", VRT)),
    Case("mapinfo mif", "cut short", cut(mapinfo("mif"), 80)),
    Case("geojson", "degrees, no crs member", text("a.geojson", json.dumps(degrees()))),
    Case("geojson", "crs member EPSG:4549", text("a.geojson", json.dumps(planar()))),
    Case("geojson", "really a VRT that reads over the network", text("a.geojson", VRT)),
    Case("geojson", "really a WFS description", text("a.geojson", WFS)),
    Case("geojson", "really a zip", text("a.geojson", archive({"a": b"x"}))),
    Case("kml", "polygon with a hole, no folder", kml(placemark("某某小镇", polygon(hole=HOLE)))),
    Case(
        "kml",
        "several folders, none named",
        kml(
            folder_of("红线", placemark("a", polygon()))
            + folder_of("标注", placemark("b", "<Point><coordinates>120,31</coordinates></Point>"))
        ),
    ),
    Case(
        "kml",
        "several folders, one named",
        kml(folder_of("红线", placemark("a", polygon())) + folder_of("路", placemark("b", line())), chosen="#红线"),
    ),
    Case("kml", "closed line (track)", kml(placemark("a", line()))),
    Case("kml", "closed gx:Track", kml(placemark("a", TRACK))),
    Case("kml", "open line", kml(placemark("a", line(RING.rpartition(" ")[0])))),
    Case("kml", "ring not closed", kml(placemark("a", polygon(RING.rpartition(" ")[0])))),
    Case(
        "kml", "head says GB2312, bytes are GBK", kml(placemark("甪直小镇", polygon()), head="GB2312", encoding="gbk")
    ),
    Case("kml", "head says UTF-8, bytes are GBK", kml(placemark("某某小镇", polygon()), encoding="gbk")),
    Case("kml", "UTF-16 with a mark", kml(placemark("某某小镇", polygon()), head="UTF-16", encoding="utf-16")),
    Case("kml", "coordinates that are no numbers", kml(placemark("a", polygon("a,b c,d")))),
    Case("kml", "a network link beside the polygon", kml(LINK + placemark("a", polygon()))),
    Case("kml", "only a network link", kml(LINK)),
    Case("kml", "entities that grow (billion laughs)", text("a.kml", BOMB)),
    Case("kml", "an entity that reads a file", text("a.kml", XXE)),
    Case("kml", "really a VRT", text("a.kml", VRT)),
    Case("kml", "really a WFS description", text("a.kml", WFS)),
    Case("kml", "cut short", cut(kml(placemark("a", polygon())), 60)),
    Case("kmz", "doc.kml in a zip", zipped(kml(placemark("某某小镇", polygon()), "doc.kml"), "a.kmz")),
    Case("ovkml", "as Ovital exports it", kml(folder_of("红线", placemark("某某小镇", polygon())), "a.ovkml")),
    Case("ovkmz", "as Ovital exports it", zipped(kml(placemark("某某小镇", polygon()), "a.ovkml"), "a.ovkmz")),
    *(
        Case("dxf", f"{v}, closed polyline, Chinese layer", drawing(v, "closed", "#红线"), 4528)
        for v in ("R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018")
    ),
    Case("dxf", "no CRS given", drawing("R2010", "closed", "#红线")),
    Case("dxf", "several layers, none named", drawing("R2010", "all"), 4528),
    Case(
        "dxf",
        "R2000, header says ANSI_1252, bytes are GBK",
        drawing("R2000", "closed", "#红线", page="ANSI_1252"),
        4528,
    ),
    Case(
        "dxf",
        "R2010, header says ANSI_936, bytes are UTF-8",
        drawing("R2010", "closed", "#红线", page="ANSI_936"),
        4528,
    ),
    Case("dxf", "binary", drawing("R2010", "closed", "#红线", binary=True), 4528),
    Case("dxf", "polyline with arcs (bulges)", drawing("R2010", "bulges", "#红线"), 4528),
    Case("dxf", "nested closed polylines", drawing("R2010", "nested", "#红线"), 4528),
    Case("dxf", "drawn twice", drawing("R2010", "twice", "#红线"), 4528),
    Case("dxf", "polyline and its hatch on one layer", drawing("R2010", "filled", "#红线"), 4528),
    Case("dxf", "hatch with an arc and a hole", drawing("R2010", "hatch", "#红线"), 4528),
    Case("dxf", "circle", drawing("R2010", "circle", "#红线"), 4528),
    Case("dxf", "ellipse", drawing("R2010", "ellipse", "#红线"), 4528),
    Case("dxf", "closed spline", drawing("R2010", "spline", "#红线"), 4528),
    Case("dxf", "block placed, turned and scaled", drawing("R2010", "block", "#红线"), 4528),
    Case("dxf", "mirrored (extrusion 0, 0, −1)", drawing("R2010", "mirrored", "#红线"), 4528),
    Case("dxf", "flag open, ends meet within 1 mm", drawing("R2010", "meeting", "#红线"), 4528),
    Case("dxf", "open polyline", drawing("R2010", "open", "#红线"), 4528),
    Case("dxf", "region", drawing("R2000", "region", "#红线"), 4528),
    Case("dxf", "header says millimetres, numbers are metres", drawing("R2010", "closed", "#红线", units=4), 4528),
    Case("dxf", "drawn in millimetres", drawing("R2010", "millimetres", "#红线", units=4), 4528),
    Case("dxf", "blocks of blocks without end", drawing("R2010", "bomb", "#红线"), 4528),
    Case("dxf", "really a DWG", text("a.dxf", b"AC1032\0\0\0")),
    Case("dxf", "not a drawing", text("a.dxf", "hello")),
    Case("dxf", "cut short", cut(drawing("R2010", "closed"), 9000), 4528),
    *(
        Case("not read", name, text(name, head))
        for name, head in (
            ("总图.dwg", b"AC1032"),
            ("地类.wp", b"WMAP`D23"),
            ("境界.wl", b"WMAP`D22"),
            ("工程.mpj", b"MPJ"),
            ("三调.vct", b"HeadBegin\nDataMark: LANDUSE-VCT"),
            ("二调.mdb", b"\x00\x01\x00\x00Standard Jet DB"),
            ("a.accdb", b"\x00\x01\x00\x00Standard ACE DB"),
            ("a.rar", b"Rar!\x1a\x07\x00"),
            ("a.7z", b"7z\xbc\xaf\x27\x1c"),
            ("对象.ovobj", b"\x01\x02"),
            ("a.dgn", b"\x08\x09\xfe\x02"),
            ("a.skp", b"\xff\xfe\xff\x0eS\x00k\x00e\x00t\x00c\x00h"),
            ("图.pdf", b"%PDF-1.7"),
            ("图.jpg", b"\xff\xd8\xff"),
            ("工程.mxd", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            ("a.xyz", b"x"),
            ("无后缀", b"AC1015"),
        )
    ),
)


def real_cases(root: Path) -> list[Case]:
    """A case for each file of the shared boundary files and field registers."""
    found = []
    for each in sorted((root / "data" / "boundary-files").iterdir()):
        found.append(Case("boundary-files", each.name, shared(f"boundary-files/{each.name}"), real=True))
        found.extend(
            Case(
                "boundary-files", f"{each.name}{chosen}", shared(f"boundary-files/{each.name}", chosen), crs, real=True
            )
            for name, chosen, crs in CHOSEN
            if name == each.name
        )
    for each in sorted((root / "data" / "fields").glob("*/*")):
        at = f"{each.parent.name}/{each.name}"
        found.append(Case("fields", at, shared(f"fields/{at}"), layer=True, real=True))
    return found


CHOSEN = (
    ("made_ovital_like.kml", "#红线[name=小镇边界]", None),
    ("made_ovital_like.kml", "#红线[name=轨迹闭合线]", None),
    ("made_r2000_gbk.dxf", "#红线", 4528),
    ("made_r2000_gbk.dxf", "#不闭合标志", 4528),
    ("made_r2000_gbk.dxf", "#弧段", 4528),
    ("made_shp_no_cpg_no_prj.zip", "", 4528),
)
"""Real files of several data sets, or without a system, with what the user says of them."""


def told_in_a_folder(case: Case) -> Outcome:
    """The outcome of a case, its file made in a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        return outcome(case, Path(folder))
