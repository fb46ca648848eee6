"""GDAL's vector side with every driver switched off that the product does not read.

A file named ``x.geojson`` that holds an OGR VRT, a WFS description or a pipeline would otherwise make GDAL read other
files or open connections. ``OGR_SKIP`` counts only before the drivers are registered, so it is set here, before the
first import of pyogrio; readers also look at a file's first bytes before GDAL sees it.
"""

from __future__ import annotations

import os
import sys

READ = ("ESRI Shapefile", "GPKG", "OpenFileGDB", "FlatGeobuf", "MapInfo File")
"""Drivers that readers open files with; each reader names its own, by the driver's prefix or an exact suffix."""

ARC_STEP = 0.1
"""Degrees of arc between the points that a curve is stroked to: the chord lies within 0.4 mm per km of radius."""

_OFF = (
    "PCIDSK",
    "PDS4",
    "VICAR",
    "PDF",
    "MBTiles",
    "EEDA",
    "OGCAPI",
    "GDALG",
    "LVBAG",
    "S57",
    "DGN",
    "OGR_VRT",
    "GML",
    "GPX",
    "KML",
    "LIBKML",
    "GeoJSON",
    "GeoJSONSeq",
    "ESRIJSON",
    "TopoJSON",
    "OGR_GMT",
    "PGDUMP",
    "OSM",
    "GPSBabel",
    "OGR_PDS",
    "WFS",
    "OAPIF",
    "EDIGEO",
    "Idrisi",
    "ODS",
    "XLSX",
    "Elasticsearch",
    "Carto",
    "AmigoCloud",
    "SXF",
    "Selafin",
    "JML",
    "PLSCENES",
    "CSW",
    "VDV",
    "MVT",
    "NGW",
    "MapML",
    "GTFS",
    "PMTiles",
    "JSONFG",
    "MiraMonVector",
    "ADBC",
    "AVCBin",
    "AVCE00",
    "AIVector",
    "HTTP",
    "GeoRSS",
    "VFK",
    "SQLite",
    "CSV",
)

if "pyogrio" not in sys.modules:
    os.environ["OGR_SKIP"] = ",".join([*_OFF, "DXF"])
    os.environ["CPL_VSIL_CURL_ALLOWED_EXTENSIONS"] = ".none"
    os.environ.setdefault("OGR_GPKG_FOREIGN_KEY_CHECK", "NO")

import pyogrio  # noqa: E402 - the switch above must come first
import pyogrio.raw  # noqa: E402

pyogrio.set_gdal_config_options(
    {"SHAPE_RESTORE_SHX": "YES", "OGR_ORGANIZE_POLYGONS": "DEFAULT", "OGR_ARC_STEPSIZE": str(ARC_STEP)}
)

__all__ = ["ARC_STEP", "READ", "pyogrio"]
