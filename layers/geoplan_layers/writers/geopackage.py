"""GeoPackage: every layer as a table, in any system, coordinates exactly as they are."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import shapely

from geoplan.crs import Array
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.writers.columns import typed
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions, Written

_MOMENT = "2000-01-01T00:00:00.000Z"
_FEATURE_ID, _GEOMETRY = "fid", "geom"


def write(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All layers in one file; the time of the last change is fixed, so the same sheet gives the same bytes."""
    del options
    names: set[str] = set()
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _MOMENT})
    try:
        for layer in sheet.layers:
            _write_layer(layer, sheet, path, _table_name(layer.name, names))
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    return Written([path])


def coordinates(path: Path) -> Array:
    """Every coordinate of all layers."""
    read = [pyogrio.raw.read(path, layer=str(name), columns=[])[2] for name, _ in pyogrio.list_layers(path)]
    return np.asarray(shapely.get_coordinates(shapely.from_wkb(np.concatenate(read))), dtype=np.float64)


def _write_layer(layer: SheetLayer, sheet: Sheet, path: Path, name: str) -> None:
    columns = {field: typed(column) for field, column in layer.columns.items()}
    several = any(shape.geom_type.startswith("Multi") for shape in layer.shapes)
    kind = next(iter(layer.kinds)) if len(layer.kinds) == 1 else None
    shapes = _as_multi(layer) if several and kind in ("Polygon", "LineString", "Point") else layer.shapes
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [column.values for column in columns.values()],
        np.array(_field_names(list(columns))),
        [column.missing for column in columns.values()],
        layer=name,
        driver="GPKG",
        geometry_type="Unknown" if kind is None else f"Multi{kind}" if several else kind,
        crs=f"EPSG:{sheet.frame.epsg}" if sheet.frame.epsg else sheet.frame.crs.to_wkt(),
        append=path.exists(),
        layer_options={"GEOMETRY_NAME": _GEOMETRY, "FID": _FEATURE_ID},
    )


def _as_multi(layer: SheetLayer) -> np.ndarray:
    """Shapes of one kind as multiparts: a table of a GeoPackage has one type."""
    wrap = {"Polygon": shapely.MultiPolygon, "LineString": shapely.MultiLineString, "Point": shapely.MultiPoint}
    made = [
        each if each.geom_type.startswith("Multi") else wrap[each.geom_type](shapely.get_parts(each).tolist())
        for each in layer.shapes
    ]
    return np.array(made, dtype=object)


def _table_name(name: str, taken: set[str]) -> str:
    """A name for a table: what GDAL or SQLite would trip over is replaced, and each is different."""
    plain = re.sub(r"[\x00-\x1f/\\\"]+", "_", name).strip() or "layer"
    plain = f"_{plain}" if plain.lower().startswith(("gpkg_", "rtree_", "sqlite_")) else plain
    number, free = 1, plain
    while free.lower() in taken:
        number, free = number + 1, f"{plain}_{number}"
    taken.add(free.lower())
    return free


def _field_names(names: list[str]) -> list[str]:
    """Names of fields; those of the table's own columns, and such as differ in case alone, get a tail."""
    taken, found = {_FEATURE_ID, _GEOMETRY}, []
    for name in names:
        number, free = 1, name
        while free.lower() in taken:
            number, free = number + 1, f"{name}_{number}"
        taken.add(free.lower())
        found.append(free)
    return found
