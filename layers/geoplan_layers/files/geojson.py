"""GeoJSON read without GDAL: what claims to be GeoJSON is nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.rings import Open, closed_geometry, told_open
from geoplan_layers.files.table import Table

_RFC7946 = 4326


def read_geojson(path: Path, source: Source, layer: str, limits: Limits) -> Table:
    """A feature collection, a feature or a geometry; WGS 84 unless an old ``crs`` member says otherwise.

    Raises
    ------
    InputRefused
        Not JSON, not GeoJSON, a geometry that cannot be built, an unknown ``crs`` member.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        raise InputRefused("not-geojson", file=source.file, detail=str(wrong)[:120]) from None
    if not isinstance(content, dict) or "type" not in content:
        raise InputRefused("not-geojson", file=source.file, detail="no GeoJSON object")
    features = _features(content, source.file)
    if len(features) > limits.features:
        raise TooLarge("features", file=source.file, count=len(features), most=limits.features)
    opened: list[Open] = []
    shapes = np.array([_shape(each, i, source.file, opened) for i, each in enumerate(features, 1)], dtype=object)
    names = list(dict.fromkeys(name for each in features for name in (each.get("properties") or {})))
    columns = {
        name: np.array([_plain((each.get("properties") or {}).get(name)) for each in features], dtype=object)
        for name in names
    }
    frame, notes = _frame(content, source.file)
    rows = np.arange(1, len(features) + 1)
    return Table(shapes, columns, rows, frame, source, layer, "utf-8", notes, told_open(opened, rows, frame))


def _features(content: dict[str, Any], shown: str) -> list[dict[str, Any]]:
    kind = content["type"]
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        if all(isinstance(each, dict) for each in content["features"]):
            return list(content["features"])
    elif kind == "Feature":
        return [content]
    elif "coordinates" in content or kind == "GeometryCollection":
        return [{"type": "Feature", "properties": {}, "geometry": content}]
    raise InputRefused("not-geojson", file=shown, detail=f"type {kind!r}")


def _shape(feature: dict[str, Any], row: int, shown: str, opened: list[Open]) -> shapely.Geometry | None:
    geometry = feature.get("geometry")
    if geometry is None:
        return None
    if isinstance(geometry, dict):
        geometry = closed_geometry(geometry, row - 1, opened)
    try:
        return shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.GEOSException, TypeError, ValueError) as wrong:
        raise InputRefused("geometry-broken", file=shown, where=f"row {row}", detail=str(wrong)[:120]) from None


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _frame(content: dict[str, Any], shown: str) -> tuple[Frame | None, tuple[Message, ...]]:
    crs = content.get("crs")
    if crs is None:
        return recognise(_RFC7946), ()
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    frame = recognise(name.replace("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326")) if isinstance(name, str) else None
    if frame is None:
        raise InputRefused("crs-member-unknown", file=shown, crs=str(name))
    return frame, (Message("read.geojson-crs", {"crs": frame.label}),) if frame.epsg != _RFC7946 else ()
