"""``geoplan info``: what a file holds, as it was read and before anything is judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from geoplan.crs import Frame
from geoplan.errors import InputRefused
from geoplan.measure import survey_areas
from geoplan.mending import mend
from geoplan.messages import LANGUAGES, Lang, Message, both, say
from geoplan.messages.units import half_up
from geoplan.plane import Plane
from geoplan_layers.candidates import candidates
from geoplan_layers.fields import texts
from geoplan_layers.files.limits import LAYER
from geoplan_layers.files.table import Table
from geoplan_layers.locate import ReadOptions, bounds_of, locate
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table

SHOWN = 8


def describe(selector: Selector, options: ReadOptions) -> dict[str, Any]:
    """What a file holds: encoding, system and candidates, rows, fields, parts, repairs, areas both ways.

    Raises
    ------
    InputRefused
        The file cannot be read; a missing system is no refusal here but is told, with the candidates.
    """
    table = read_table(selector, LAYER)
    own, refused = table.frame, None
    try:
        table, located = locate(table, options)
        frame, used = table.frame, located.used
    except InputRefused as wrong:
        frame, used, refused = None, {}, wrong
    found: dict[str, Any] = {
        "file": table.source.file,
        "sha256": table.source.sha256,
        "layer": table.layer,
        "rows": len(table),
        "encoding": table.encoding,
        "fields": {name: _samples(column) for name, column in table.columns.items()},
        "geometry": sorted(table.kinds),
        "without_geometry": int(shapely.is_missing(table.shapes).sum()),
        "crs": frame.label if frame else own.label if own else None,
        "crs_from": None
        if frame is None and own is None
        else "call"
        if {"crs", "place", "datum"} & set(used)
        else "file",
        "datum": frame.datum if frame else None,
        "notes": [both(note) for note in table.notes],
    }
    present = table.shapes[~shapely.is_missing(table.shapes)]
    if len(present):
        box = bounds_of(table)
        found["bounds"] = list(box)
        found["candidates"] = [] if frame else candidates(box)
        found["vertices"] = int(shapely.get_num_coordinates(present).sum())
    if refused is not None and refused.id != "crs-missing":
        found["refused"] = {lang: refused.say(lang) for lang in LANGUAGES}
    if frame and "Polygon" in table.kinds:
        found.update(_measured(table, present, frame, anywhere=options.anywhere))
    return found


def _samples(column: np.ndarray) -> list[str]:
    return list(dict.fromkeys(text for text in texts(column, len(column)) if text))[:3]


def _measured(table: Table, present: np.ndarray, frame: Frame, *, anywhere: bool) -> dict[str, Any]:
    """Areas both ways on the plane around the data, and what would have to be mended."""
    surfaces = present[[each.geom_type.endswith("Polygon") for each in present]]
    invalid = [
        {"row": int(i) + 1, "reason": str(shapely.is_valid_reason(surfaces[i]))}
        for i in np.flatnonzero(~shapely.is_valid(surfaces))
    ]
    try:
        rows = [str(i) for i in range(1, len(surfaces) + 1)]
        mended, repairs = mend(surfaces, frame, table.source.file, table.layer, rows)
        plane = Plane.around(_longitude(mended, frame, table, anywhere=anywhere))
        on_plane = plane.bring(mended, frame, anywhere=anywhere, file=table.source.file)
    except InputRefused as refused:
        return {"invalid": invalid, "refused": {lang: refused.say(lang) for lang in ("zh", "en")}}
    return {
        "invalid": invalid,
        "repairs": [both(repair.message) for repair in repairs],
        "parts": int(shapely.get_num_geometries(on_plane).sum()),
        "holes": int(shapely.get_num_interior_rings(shapely.get_parts(on_plane)).sum()),
        "plane": f"EPSG:{plane.epsg}" if plane.epsg else f"TM {plane.central_meridian}°",
        "area_m2": half_up(float(survey_areas(on_plane, plane).sum()), 2),
        "planar_area_m2": half_up(float(shapely.area(on_plane).sum()), 2),
    }


def _longitude(shapes: np.ndarray, frame: Frame, table: Table, *, anywhere: bool) -> float:
    from geoplan.boundary import Boundary

    whole = shapely.MultiPolygon([part for part in shapely.get_parts(shapes) if part.geom_type == "Polygon"])
    return Boundary(whole, frame, table.source).central_longitude(anywhere=anywhere)


def print_description(found: dict[str, Any], lang: Lang, console: Console) -> None:
    """The description as two columns."""
    grid = Grid(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for key in _ROWS:
        value = found.get(key)
        if value in (None, [], {}):
            continue
        grid.add_row(escape(say(Message(f"info.{key}"), lang)), escape(_shown(key, value, lang)))
    console.print(grid)


_ROWS = (
    "file",
    "sha256",
    "layer",
    "rows",
    "without_geometry",
    "geometry",
    "encoding",
    "crs",
    "candidates",
    "datum",
    "bounds",
    "vertices",
    "parts",
    "holes",
    "plane",
    "area_m2",
    "planar_area_m2",
    "invalid",
    "repairs",
    "refused",
    "notes",
    "fields",
)


def _shown(key: str, value: Any, lang: Lang) -> str:
    if key == "fields":
        return "\n".join(f"{name}: {' | '.join(samples)}" for name, samples in value.items())
    if key in ("repairs", "notes"):
        return "\n".join(each[lang] for each in value)
    if key == "refused":
        return str(value[lang])
    if key == "invalid":
        rows = [f"{each['row']}: {each['reason']}" for each in value[:SHOWN]]
        return "\n".join([*rows, f"… +{len(value) - SHOWN}"] if len(value) > SHOWN else rows)
    if key in ("area_m2", "planar_area_m2"):
        return say(Message("info.area", {"area": value}), lang)
    if isinstance(value, list):
        return ", ".join(
            f"{each:.6f}".rstrip("0").rstrip(".") if isinstance(each, float) else str(each) for each in value
        )
    return str(value)
