"""What an import says of the quality of a layer: classes, codes, areas, overlaps, gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.landuse import groups
from geoplan.plane import Plane
from geoplan.progress import Progress
from geoplan_layers.prepared.layer import pack_in
from geoplan_layers.prepared.pack import Pack
from geoplan_layers.prepared.version import INDEX, ClassCount
from geoplan_layers.prepared.writing import Written
from geoplan_layers.recognition import Recognised


def look_at(
    folder: Path,
    home: Plane,
    found: Recognised,
    written: Written,
    coverage: shapely.Geometry | None,
    progress: Progress,
    *,
    mesh: str,
) -> tuple[dict[str, Any], list[ClassCount]]:
    """The quality of the layer that was just written, and its classes."""
    del coverage, mesh
    progress("quality", 0, 0)
    pack = pack_in(folder / INDEX, home, written.words)
    return {}, _classes(pack, found)


def _classes(pack: Pack, found: Recognised) -> list[ClassCount]:
    keys = pack.codes.astype(np.int64) * max(len(pack.name_words), 1) + pack.names
    each, first, which = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(which, minlength=len(each))
    areas = np.bincount(which, weights=pack.areas, minlength=len(each))
    made = [
        ClassCount(
            code=(code := pack.code_words[pack.codes[i]]),
            name=pack.name_words[pack.names[i]],
            patches=int(count),
            area_m2=round(float(area), 2),
            known=found.generation is None or bool(groups(code, found.generation)),
        )
        for i, count, area in zip(first, counts, areas, strict=True)
    ]
    return sorted(made, key=lambda c: (-c.area_m2, c.code, c.name))
