"""A boundary from a file: polygons only, one coordinate system, several features joined, nothing guessed in silence."""

from __future__ import annotations

import numpy as np
import shapely

from geoplan.boundary import Boundary
from geoplan.crs import Frame, to_lonlat
from geoplan.errors import InputRefused, TooLarge
from geoplan.joining import joined
from geoplan.mending import mend
from geoplan.messages import Message
from geoplan.plane import GEOD
from geoplan_layers.files.closed_lines import polygonised
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.table import Table
from geoplan_layers.locate import ReadOptions as ReadOptions
from geoplan_layers.locate import locate
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table

NAME_FIELDS = ("name", "NAME", "MC", "XMMC", "名称", "项目名称", "地块名称")
AREA_FIELDS = ("MJ", "YDMJ", "TBMJ", "ZMJ", "面积", "AREA", "SHAPE_AREA")
MOST_COORDINATE = 1e9
"""No system has coordinates beyond it; a damaged file does, and arithmetic on them would overflow."""
_AREA_UNITS = {"m2": 1.0, "ha": 1e4, "mu": 2000 / 3, "km2": 1e6}
_UNIT_TOLERANCE = 0.2


def read_boundary(selector: Selector, options: ReadOptions, limits: Limits = BOUNDARY) -> Boundary:
    """The boundary that a selector means.

    Raises
    ------
    InputRefused
        No features, lines or points instead of polygons, no coordinate system or one that does not fit, rows without
        geometry, rings that cannot be mended, features that overlap by more than a slip, or one file that holds both
        boundaries.
    """
    return boundary_of(read_table(selector, limits), options, limits)


def boundary_of(rows: Table, options: ReadOptions, limits: Limits = BOUNDARY) -> Boundary:
    """The boundary that rows of a table make together; refused as `read_boundary` refuses a file."""
    table = polygonised(rows)
    _polygons_only(table, limits)
    table, located = locate(table, options)
    frame = located.frame
    places = [str(row) for row in table.rows]
    polygons, mended = mend(table.shapes, frame, table.source.file, table.layer, places)
    _one_boundary_only(table)
    whole, closed = joined(polygons, frame, table.source.file, table.layer, places, options.accuracy)
    repairs = (*table.repairs, *mended, *closed)
    declared, notes = _declared(table, whole, frame, anywhere=options.anywhere)
    return Boundary(whole, frame, table.source, repairs, declared, _name(table), (*table.notes, *notes), located.used)


def _polygons_only(table: Table, limits: Limits) -> None:
    file, layer = table.source.file, table.layer
    if len(table) == 0:
        raise InputRefused("no-features", file=file, where=layer)
    table.require_shapes()
    others = table.kinds - {"Polygon"}
    if others:
        raise InputRefused("not-polygons", file=file, where=layer, kinds=sorted(others))
    vertices = int(shapely.get_num_coordinates(table.shapes).sum())
    if vertices > limits.vertices:
        raise TooLarge("vertices", file=file, count=vertices, most=limits.vertices)
    coordinates = shapely.get_coordinates(table.shapes)
    if not np.isfinite(coordinates).all():
        raise InputRefused("coordinates-not-finite", file=file, where=layer)
    if np.abs(coordinates).max(initial=0) > MOST_COORDINATE:
        raise InputRefused("coordinates-absurd", file=file, where=layer, value=float(np.abs(coordinates).max()))


def _one_boundary_only(table: Table) -> None:
    """Refuse a file in which a field tells planning from construction."""
    if len(table) < 2:
        return
    for name, column in table.columns.items():
        texts = [str(v) for v in column if isinstance(v, str)]
        if any("规划" in t for t in texts) and any("建设" in t for t in texts) and len(set(texts)) > 1:
            raise InputRefused(
                "both-boundaries",
                file=table.source.file,
                where=f"{table.layer}[{name}]",
                layer=table.layer,
                field=name,
                values=sorted(set(texts))[:8],
            )


def _name(table: Table) -> str | None:
    column = table.column(*NAME_FIELDS)
    names = {str(v).strip() for v in column if v is not None and str(v).strip()} if column is not None else set()
    return names.pop() if len(names) == 1 else None


def _declared(
    table: Table, whole: shapely.MultiPolygon, frame: Frame, *, anywhere: bool
) -> tuple[float | None, tuple[Message, ...]]:
    """The area that the attributes state; none where its unit is not given and none fits.

    The unit is the format's own (hectares in a coordinate TXT, or m² where only that fits), else told by the size.
    """
    column = table.column(*AREA_FIELDS)
    if column is None or not all(isinstance(v, int | float) and v > 0 for v in column):
        return None, ()
    stated = float(sum(column))
    measured = _rough_area(whole, frame, table.source.file, anywhere=anywhere)
    name = next(n for n in AREA_FIELDS if table.column(n) is not None)
    units = _AREA_UNITS if table.area_unit is None else {each: _AREA_UNITS[each] for each in (table.area_unit, "m2")}
    for unit, size in units.items():
        if abs(stated * size / measured - 1) <= _UNIT_TOLERANCE and unit != table.area_unit:
            return stated * size, (Message("read.declared-area", {"field": name, "value": stated, "unit": unit}),)
    if table.area_unit is not None:
        args = {"field": name, "value": stated, "unit": table.area_unit}
        return stated * _AREA_UNITS[table.area_unit], (Message("read.declared-area-by-format", args),)
    return None, (Message("read.declared-area-unclear", {"field": name, "value": stated}),)


def _rough_area(whole: shapely.MultiPolygon, frame: Frame, file: str, *, anywhere: bool) -> float:
    inverse = to_lonlat(frame, anywhere=anywhere, file=file)
    degrees = shapely.transform(whole, inverse, interleaved=False)  # type: ignore[arg-type]
    return abs(float(GEOD.geometry_area_perimeter(degrees)[0])) or 1.0
