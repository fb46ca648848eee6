"""MapInfo tables (TAB with its .dat, .map, .id) and interchange files (MIF with its .mid).

A .tab may be no table but a view over others, a seamless sheet of others, a linked or a raster table: those name
further files and are refused. The charset it states is set aside: texts are decoded by their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

from pyproj import CRS
from pyproj.exceptions import CRSError

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.dataset import Box, Dataset, Item
from geoplan_layers.files.gdal import extent_of, read_rows
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.shapefile import RAW, decoded
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Table

TAB_PARTS = (".tab", ".dat", ".map", ".id", ".ind")
MIF_PARTS = (".mif", ".mid")
_LONGEST_TAB = 1_000_000
_HEADER = 1 << 16
_NATIVE = re.compile(rb"^\s*type\s+native\b", re.IGNORECASE | re.MULTILINE)
_OTHERS = re.compile(
    rb"^\s*(create\s+view|open\s+table|type\s+(?!native)\w+|file\s+\"|\"\\+isseamless\"\s*=\s*\"true\")",
    re.IGNORECASE | re.MULTILINE,
)
_CHARSET = re.compile(rb"(charset[ \t]+\"?)[A-Za-z0-9_.-]+", re.IGNORECASE)
_SAFE_SUFFIX = frozenset({*TAB_PARTS, *MIF_PARTS})


def tab_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The one data set of a native .tab.

    Raises
    ------
    InputRefused
        Not a MapInfo table, one that names other files, or one without its .dat or .map.
    """
    shown = item.source.file
    require(item.path, shown, "tab", item.suffix, "not-a-mapinfo")
    text = item.path.read_bytes()[:_LONGEST_TAB]
    other = _OTHERS.search(text)
    if other or not _NATIVE.search(text):
        detail = other[1].decode("ascii", "replace") if other else "—"
        raise InputRefused("mapinfo-not-native", file=shown, detail=" ".join(detail.split()))
    missing = [suffix for suffix in (".dat", ".map", ".id") if suffix not in item.companions]
    if missing:
        raise InputRefused("mapinfo-incomplete", file=shown, missing=missing)
    return [_dataset(item, limits, ".tab")]


def mif_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """The one data set of a .mif, with or without its .mid.

    Raises
    ------
    InputRefused
        Not a MapInfo interchange file.
    """
    require(item.path, item.source.file, "mif", item.suffix, "not-a-mapinfo")
    return [_dataset(item, limits, ".mif")]


def _dataset(item: Item, limits: Limits, main: str) -> Dataset:
    parts = {main: item.path, **{s: p for s, p in item.companions.items() if s in _SAFE_SUFFIX}}

    def extent() -> Box:
        with _staged(parts, main) as path:
            return extent_of(path, None, item.source.file)

    return Dataset(
        item.stem, item.source, lambda box: read_mapinfo(parts, main, item.source, item.stem, limits, box), extent
    )


def read_mapinfo(
    parts: Mapping[str, Path], main: str, source: Source, layer: str, limits: Limits, box: Box | None = None
) -> Table:
    """The rows of a MapInfo table or interchange file."""
    with _staged(parts, main) as path:
        meta, rows, shapes, raw = read_rows(path, None, source.file, limits, box=box, encoding=RAW)
    fields, encoding = decoded(meta["fields"], raw)
    frame, notes = _frame(meta["crs"])
    return Table(shapes, fields, rows, frame, source, layer, encoding, (*meta["notes"], *notes))


@contextmanager
def _staged(parts: Mapping[str, Path], main: str) -> Iterator[Path]:
    """The files under one name, their charset called neutral so that GDAL hands the bytes over as they are."""
    with TemporaryDirectory(prefix="geoplan-") as folder:
        for suffix, path in parts.items():
            target = Path(folder) / f"data{suffix}"
            if suffix != main:
                target.symlink_to(path.resolve())
                continue
            with path.open("rb") as original, target.open("xb") as copy:
                copy.write(_CHARSET.sub(rb"\1Neutral", original.read(_HEADER)))
                copyfileobj(original, copy)
        yield Path(folder) / f"data{main}"


def _frame(wkt: str | None) -> tuple[Frame | None, tuple[Message, ...]]:
    """The system that a CoordSys clause gives: by its code, else by its numbers.

    MapInfo has no name for CGCS2000 in its older versions and GDAL writes it as datum 104 (WGS 84); a Gauss–Krüger
    zone on that datum is what Chinese files mean by it.
    """
    if not wkt:
        return None, ()
    try:
        crs = CRS.from_user_input(wkt)
    except CRSError:
        return None, (Message("read.coordsys-unreadable", {}),)
    code = _gauss_kruger(crs)
    frame = recognise(code) if code else recognise(crs)
    if frame is None:
        return None, (Message("read.coordsys-unreadable", {}),)
    named = frame.guessed or code is not None
    return frame, (Message("read.coordsys-by-numbers", {"crs": frame.label}),) if named else ()


def _gauss_kruger(crs: CRS) -> int | None:
    """The CGCS2000 code of a transverse Mercator on the WGS 84 or CGCS2000 ellipsoid with a zone's numbers."""
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if crs.to_epsg() or operation is None or ellipsoid is None or operation.method_name != "Transverse Mercator":
        return None
    if abs(ellipsoid.semi_major_metre - 6378137) > 1e-6 or abs(ellipsoid.inverse_flattening - 298.2572) > 1e-3:
        return None
    numbers = {each.name: float(each.value) for each in operation.params}
    meridian, easting = numbers["Longitude of natural origin"], numbers["False easting"]
    same = numbers["Scale factor at natural origin"] == 1 and numbers["Latitude of natural origin"] == 0
    if not same or numbers["False northing"] != 0 or meridian % 3:
        return None
    zone, rest = divmod(easting, 1e6)
    if rest != 500_000 or not 75 <= meridian <= 135:
        return None
    if zone == 0:
        return 4509 + int(meridian / 3)
    if 3 * zone == meridian:
        return 4488 + int(zone)
    return 4478 + int(zone) if 6 * zone - 3 == meridian and 13 <= zone <= 23 else None
