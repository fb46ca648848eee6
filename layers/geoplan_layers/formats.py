"""The vector formats that the product reads: one row each, and the ones it knows but cannot read.

A format says which files belong together and which data sets they hold. It opens nothing that its first bytes do not
show to be what its suffix says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from geoplan_layers.files.coordinate_files import text_datasets, workbook_datasets
from geoplan_layers.files.dataset import Dataset, Item
from geoplan_layers.files.dxf import dxf_datasets
from geoplan_layers.files.flatgeobuf import flatgeobuf_datasets
from geoplan_layers.files.geodatabase import geodatabase_datasets
from geoplan_layers.files.geojson import read_geojson
from geoplan_layers.files.geopackage import geopackage_datasets
from geoplan_layers.files.geoparquet import geoparquet_datasets
from geoplan_layers.files.kml import kml_datasets
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.mapinfo import MIF_PARTS, TAB_PARTS, mif_datasets, tab_datasets
from geoplan_layers.files.shapefile import SHAPEFILE_PARTS, shapefile_datasets
from geoplan_layers.files.signature import not_disguised, require


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the suffixes of its main file, of what belongs to that, and how its data sets are found."""

    key: str
    suffixes: tuple[str, ...]
    datasets: Callable[[Item, Limits], list[Dataset]]
    companions: tuple[str, ...] = ()

    def open(self, item: Item, limits: Limits) -> list[Dataset]:
        """The data sets of a file given by itself, which must not be of a kind to be exported to another format.

        In an archive a text that is no table may lie beside the data, whatever its bytes; readers look at the rest.
        """
        not_disguised(item.path, item.source.file, item.suffix)
        return self.datasets(item, limits)


def _geojson(item: Item, limits: Limits) -> list[Dataset]:
    require(item.path, item.source.file, None, item.suffix, "not-geojson")
    return [Dataset(item.stem, item.source, lambda _: read_geojson(item.path, item.source, item.stem, limits))]


FORMATS: tuple[Format, ...] = (
    Format("shapefile", (".shp",), shapefile_datasets, SHAPEFILE_PARTS[1:]),
    Format("geopackage", (".gpkg",), geopackage_datasets),
    Format("geojson", (".geojson", ".json"), _geojson),
    Format("coordinate-text", (".txt", ".csv"), text_datasets),
    Format("workbook", (".xlsx", ".xlsm"), workbook_datasets),
    Format("geodatabase", (".gdb",), geodatabase_datasets),
    Format("flatgeobuf", (".fgb",), flatgeobuf_datasets),
    Format("geoparquet", (".parquet", ".geoparquet"), geoparquet_datasets),
    Format("mapinfo-tab", (".tab",), tab_datasets, TAB_PARTS[1:]),
    Format("mapinfo-mif", (".mif",), mif_datasets, MIF_PARTS[1:]),
    Format("kml", (".kml", ".ovkml"), kml_datasets),
    Format("dxf", (".dxf",), dxf_datasets),
)

ARCHIVES = (".zip", ".kmz", ".ovkmz")
"""Suffixes that are unpacked and looked into, to depth 3."""

_INSTEAD = {
    "archive": (".rar", ".7z", ".gz", ".tar"),
    "workbook": (".xls", ".et", ".ods"),
    "dwg": (".dwg", ".dwt"),
    "mapgis": (".wp", ".wt", ".wl", ".mpj", ".wat", ".wal", ".wap"),
    "vct": (".vct",),
    "mdb": (".mdb", ".accdb"),
    "ovobj": (".ovobj", ".ovital"),
    "dgn": (".dgn",),
    "sketchup": (".skp",),
    "shapefile-part": (".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix"),
    "mapinfo-part": (".dat", ".map", ".id", ".ind", ".mid"),
    "project": (".mxd", ".aprx", ".qgz", ".qgs", ".lyr", ".lyrx", ".mpk", ".lpk"),
    "pdf": (".pdf",),
    "image": (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif"),
}
_BYSTANDERS = frozenset({"pdf", "image", "project"})
"""What lies beside the data in a planner's archive: recognised when given alone, never unpacked."""

EXPORT_INSTEAD: Mapping[str, str] = MappingProxyType(
    {suffix: kind for kind, suffixes in _INSTEAD.items() for suffix in suffixes}
)
"""Suffixes that are recognised and refused: the message ``error.export-instead.KIND`` says what to make instead."""


def format_of(suffix: str) -> Format | None:
    """The format whose main file has this suffix."""
    return next((each for each in FORMATS if suffix in each.suffixes), None)


def known_suffixes() -> list[str]:
    """Every suffix that may be given, archives first."""
    return [*ARCHIVES, *(suffix for each in FORMATS for suffix in each.suffixes)]


def wanted_suffixes() -> frozenset[str]:
    """Every suffix that is worth taking out of an archive."""
    companions = (suffix for each in FORMATS for suffix in each.companions)
    exported = (suffix for suffix, kind in EXPORT_INSTEAD.items() if kind not in _BYSTANDERS)
    return frozenset([*known_suffixes(), *companions, *exported])
