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
from geoplan_layers.files.gdal_formats import (
    SHAPEFILE_PARTS,
    geopackage_extent,
    geopackage_layers,
    read_geopackage,
    read_shapefile,
    shapefile_extent,
)
from geoplan_layers.files.geojson import read_geojson
from geoplan_layers.files.limits import Limits


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the suffixes of its main file, of what belongs to that, and how its data sets are found."""

    key: str
    suffixes: tuple[str, ...]
    datasets: Callable[[Item, Limits], list[Dataset]]
    companions: tuple[str, ...] = ()


def _shapefile(item: Item, limits: Limits) -> list[Dataset]:
    parts = {".shp": item.path, **item.companions}
    return [
        Dataset(
            item.stem,
            item.source,
            lambda box: read_shapefile(parts, item.source, item.stem, limits, box),
            lambda: shapefile_extent(item.path, item.source.file),
        )
    ]


def _geopackage(item: Item, limits: Limits) -> list[Dataset]:
    def one(layer: str) -> Dataset:
        return Dataset(
            layer,
            item.source,
            lambda box: read_geopackage(item.path, layer, item.source, limits, box),
            lambda: geopackage_extent(item.path, layer, item.source.file),
        )

    return [one(layer) for layer in geopackage_layers(item.path, item.source.file)]


def _geojson(item: Item, limits: Limits) -> list[Dataset]:
    return [Dataset(item.stem, item.source, lambda _: read_geojson(item.path, item.source, item.stem, limits))]


FORMATS: tuple[Format, ...] = (
    Format("shapefile", (".shp",), _shapefile, SHAPEFILE_PARTS[1:]),
    Format("geopackage", (".gpkg",), _geopackage),
    Format("geojson", (".geojson", ".json"), _geojson),
    Format("coordinate-text", (".txt", ".csv"), text_datasets),
    Format("workbook", (".xlsx", ".xlsm"), workbook_datasets),
)

ARCHIVES = (".zip",)
"""Suffixes that are unpacked and looked into, to depth 3."""

EXPORT_INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        **{".rar": "archive", ".7z": "archive", ".gz": "archive", ".tar": "archive"},
        **{".xls": "workbook", ".et": "workbook", ".ods": "workbook"},
    }
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
    return frozenset([*known_suffixes(), *companions, *EXPORT_INSTEAD])
