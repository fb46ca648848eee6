"""GeoJSON by RFC 7946, for display: WGS 84 degrees to nine decimals, outlines counter-clockwise, no ``crs``.

Nine decimals are 0.1 mm; edges that met exactly may then overlap by a hair (0.2 m² on an 18 km outline), so areas and
verdicts are never taken from it.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.crs import Array
from geoplan.messages import Message
from geoplan_layers.writers.columns import typed
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions, Written

DECIMALS = 9


def write(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All layers as one collection, a feature a line; ``layer`` tells them apart where there are several."""
    features = [each for layer in sheet.layers for each in _features(layer, several=len(sheet.layers) > 1)]
    head = {"type": "FeatureCollection", "name": options.title}
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, allow_nan=False) for each in features)
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    path.write_text(f'{opening}, "features": [\n{lines}\n]}}\n', encoding="utf-8")
    return Written([path], (Message("write.display-only", {"decimals": DECIMALS}),))


def coordinates(path: Path) -> Array:
    """Every coordinate of all features."""
    shapes = shapely.from_geojson(path.read_text(encoding="utf-8"))
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64)


def _features(layer: SheetLayer, *, several: bool) -> list[dict[str, Any]]:
    columns = {name: typed(column) for name, column in layer.columns.items()}
    shapes = shapely.orient_polygons(layer.shapes, exterior_cw=False)
    found: list[dict[str, Any]] = []
    for row, shape in enumerate(shapes):
        properties: dict[str, Any] = {"layer": layer.name} if several and "layer" not in columns else {}
        for name, column in columns.items():
            value = None if column.missing[row] else column.values[row]
            properties[name] = _json(value)
        found.append({"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))})
    return found


def _json(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return str(plain) if isinstance(plain, float) and not math.isfinite(plain) else plain
