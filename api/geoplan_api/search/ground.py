"""The folder of a search as its map needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.plane import Plane
from geoplan_layers.files.limits import BOUNDARY
from geoplan_layers.rasters import read_own
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table
from geoplan_web.search_map import SearchGround


def ground_in(folder: Path, content: Mapping[str, Any]) -> SearchGround:
    """What a search wrote beside its record ``search.json``.

    Raises
    ------
    GeoplanError
        A file of it is missing or damaged.
    """
    of = content["grid"]
    window = (0, 0, of["rows"], of["columns"])
    return SearchGround(
        content,
        read_own(folder / "exclusion.tif", *window),
        read_own(folder / "unknown.tif", *window),
        read_own(folder / "suitability.tif", *window).astype(np.float32),
        _boundaries(folder, content, "planning"),
        _boundaries(folder, content, "construction"),
    )


def _boundaries(folder: Path, content: Mapping[str, Any], part: str) -> dict[int, shapely.Geometry]:
    """Boundaries by rank, on the plane of the search."""
    if not any(each[part] for each in content["candidates"]):
        return {}
    table = read_table(Selector(folder / "candidates.gpkg", part), BOUNDARY)
    ranks = table.column("rank")
    assert table.frame is not None
    assert ranks is not None
    plane = Plane(content["grid"]["central_meridian"])
    shapes = plane.bring(table.shapes, table.frame, anywhere=True)
    return {int(rank): shape for rank, shape in zip(ranks, shapes, strict=True)}
