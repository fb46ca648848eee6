"""Writing: GeoPackages with a fixed time stamp, and zipped shapefiles as a planner's machine makes them."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from shapely import Polygon

from geoplan_layers.demo.tables import Table

STAMP = "2026-01-05T00:00:00.000Z"
_DOS_DATE, _DOS_TIME = (2026 - 1980) << 9 | 1 << 5 | 5, 8 << 11
_UTF8_FLAG = 0x800


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write every table into its GeoPackage below ``folder``; files that stand there already are replaced."""
    for file in {table.file for table in tables}:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": STAMP})
    try:
        for table in tables:
            _write_table(folder / table.file, table)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_table(path: Path, table: Table) -> None:
    columns = {
        name: np.array(values, dtype=np.int32) if values and isinstance(values[0], int) else list(values)
        for name, values in table.columns.items()
    }
    frame = gpd.GeoDataFrame(columns, geometry=list(table.shapes), crs=table.epsg)
    kinds = {"Point" if shapely.get_type_id(shape) == 0 else "Polygon" for shape in table.shapes}
    kinds = {"MultiPolygon"} if any(shapely.get_type_id(shape) == 6 for shape in table.shapes) else kinds
    pyogrio.write_dataframe(
        frame,
        path,
        layer=table.layer,
        driver="GPKG",
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        layer_options={"SPATIAL_INDEX": "NO"},
    )


@dataclass(frozen=True)
class Outline:
    """One boundary for a shapefile: polygon in ``epsg`` with the zone number before the easting, and its attributes."""

    shape: Polygon
    epsg: int
    name: str
    kind: str
    area: float
    remark: str


def shapefile(outline: Outline) -> dict[str, bytes]:
    """The parts of a shapefile by extension: GBK attributes, no .cpg, no code page byte in the .dbf."""
    frame = gpd.GeoDataFrame(
        {"NAME": [outline.name], "XZ": [outline.kind], "MJ": [outline.area], "BZ": [outline.remark]},
        geometry=[outline.shape],
        crs=outline.epsg,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boundary.shp"
        options = {"DBF_DATE_LAST_UPDATE": STAMP[:10]}
        pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", encoding="GBK", layer_options=options)
        parts = {end: path.with_suffix(end).read_bytes() for end in (".shp", ".shx", ".dbf", ".prj")}
    table = bytearray(parts[".dbf"])
    table[29] = 0
    return {**parts, ".dbf": bytes(table)}


def zipped(members: Mapping[str, bytes], encoding: str) -> bytes:
    """A ZIP with stored members and fixed times; names in ``encoding``, flagged only when that is UTF-8.

    Python's ``zipfile`` flags every name that is not ASCII as UTF-8; the ZIP tools of a Chinese Windows write raw
    GBK without the flag, which is what readers must cope with (FACTS section 5).
    """
    flag = _UTF8_FLAG if encoding == "utf-8" else 0
    body, directory = b"", b""
    for name, data in members.items():
        raw = name.encode(encoding)
        shared = struct.pack(
            "<HHHHHIIIHH", 20, flag, 0, _DOS_TIME, _DOS_DATE, zlib.crc32(data), len(data), len(data), len(raw), 0
        )
        kind = 0x10 if name.endswith("/") else 0x20
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + shared + struct.pack("<HHHII", 0, 0, 0, kind, len(body)) + raw
        )
        body += b"PK\x03\x04" + shared + raw + data
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end
