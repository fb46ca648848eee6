"""What an import says of the quality of a layer: classes, codes, the area column, overlaps, gaps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.landuse import groups
from geoplan.layer import UNION_ROLES
from geoplan.plane import Plane
from geoplan.progress import Progress
from geoplan_layers.prepared.edges import Edges
from geoplan_layers.prepared.gaps import gaps
from geoplan_layers.prepared.layer import pack_in
from geoplan_layers.prepared.overlapping import overlapping
from geoplan_layers.prepared.pack import Pack
from geoplan_layers.prepared.version import (
    INDEX,
    AreaColumn,
    AreaDifference,
    AreaUnit,
    ClassCount,
    GapList,
    OverlapList,
    Place,
    Quality,
    Shared,
)
from geoplan_layers.prepared.writing import Written
from geoplan_layers.recognition import Recognised, known_zones

UNITS: Mapping[AreaUnit, float] = {"m2": 1.0, "ha": 10_000.0, "mu": 2_000 / 3, "km2": 1_000_000.0}
"""Units that an area column may be in, m²."""
_UNIT_FITS = 0.25
"""How far the middle ratio of declared to measured area may be from a unit's, for that unit to be taken (logarithm)."""
_APART_M2, _APART_SHARE = 1.0, 0.001
_WORST = 10


def look_at(
    folder: Path,
    home: Plane,
    found: Recognised,
    written: Written,
    coverage: shapely.Geometry | None,
    progress: Progress,
) -> tuple[Quality, list[ClassCount]]:
    """The quality of the layer that was just written, and its classes.

    Raises
    ------
    Cancelled
        The user stopped it.
    """
    progress("quality", 0, 0)
    pack = pack_in(folder / INDEX, home, written.words)
    classes = _classes(pack, found)
    column = _area_column(pack, written.declared, found.fields.get("area"))
    if pack.drawn is not None or len(pack) == 0:
        return Quality(unknown_codes=_unknown(classes), areas=column), classes
    edges = Edges(pack)
    over = overlapping(pack, edges, progress)
    pairs = [
        Shared(ids=list(_ids(pack, [a, b])), area_m2=round(area, 2), lon=round(lon, 6), lat=round(lat, 6))
        for area, a, b, lon, lat in over.worst
    ]
    overlaps = OverlapList(pairs=over.pairs, area_m2=round(over.area_m2, 2), slivers=over.slivers, worst=pairs)
    holes = None
    if coverage is not None and found.role in UNION_ROLES:
        told = gaps(pack, coverage, edges, progress)
        worst = [Place(area_m2=round(a, 2), lon=round(x, 6), lat=round(y, 6)) for a, x, y in told.worst]
        holes = GapList(count=told.count, area_m2=round(told.area_m2, 2), slivers=told.slivers, worst=worst)
    return Quality(unknown_codes=_unknown(classes), areas=column, overlaps=overlaps, gaps=holes), classes


def _unknown(classes: list[ClassCount]) -> int:
    return sum(each.patches for each in classes if not each.known)


def _classes(pack: Pack, found: Recognised) -> list[ClassCount]:
    """Patches and areas by code and name, the largest first."""
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
            known=_is_known(code, found),
        )
        for i, count, area in zip(first, counts, areas, strict=True)
    ]
    return sorted(made, key=lambda c: (-c.area_m2, c.code, c.name))


def _is_known(code: str, found: Recognised) -> bool:
    """Whether the standard of a layer knows a code; where none decides, every code is taken as it is."""
    if "code" not in found.fields:
        return True
    if found.generation is not None:
        return bool(groups(code, found.generation))
    zones = known_zones(found.role)
    return not zones or code[:2] in zones


def _area_column(pack: Pack, declared: NDArray[np.float64], name: str | None) -> AreaColumn | None:
    """The layer's own area column against the measured areas."""
    if name is None or pack.drawn is not None:
        return None
    measured = np.asarray(pack.areas)
    usable = np.flatnonzero(np.isfinite(declared) & (declared > 0) & (measured > 0))
    if len(usable) == 0:
        return AreaColumn(field=name, unit=None, compared=0, missing=len(pack))
    ratio = np.log(declared[usable] / measured[usable])
    middle = float(np.median(ratio))
    unit: AreaUnit = min(UNITS, key=lambda each: abs(middle + np.log(UNITS[each])))
    if abs(middle + np.log(UNITS[unit])) > _UNIT_FITS:
        return AreaColumn(field=name, unit=None, compared=0, missing=len(pack) - len(usable))
    given = declared[usable] * UNITS[unit]
    apart = given - measured[usable]
    beyond = (np.abs(apart) > _APART_M2) & (np.abs(apart) > _APART_SHARE * measured[usable])
    order = np.argsort(-np.abs(apart), kind="stable")[:_WORST]
    worst = [
        AreaDifference(
            id=id,
            declared_m2=round(float(given[i]), 2),
            measured_m2=round(float(measured[usable[i]]), 2),
            difference_m2=round(float(apart[i]), 2),
        )
        for i, id in zip(order, _ids(pack, usable[order]), strict=True)
    ]
    return AreaColumn(
        field=name,
        unit=unit,
        compared=len(usable),
        missing=len(pack) - len(usable),
        beyond=int(beyond.sum()),
        declared_m2=round(float(given.sum()), 2),
        measured_m2=round(float(measured[usable].sum()), 2),
        worst=worst,
    )


def _ids(pack: Pack, index: NDArray[np.int64] | list[int]) -> list[str]:
    return [str(each) for each in pack.texts(np.asarray(index, dtype=np.int64))[0]]
