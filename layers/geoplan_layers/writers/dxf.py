"""DXF R2010 (text is UTF-8): every ring a closed LWPOLYLINE, a CAD layer a group, names as TEXT; metres."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import shapely
from ezdxf import __version__ as ezdxf_version  # type: ignore[attr-defined]
from ezdxf import colors, units
from ezdxf import options as ezdxf_options  # type: ignore[attr-defined]
from ezdxf.document import Drawing
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.entities.lwpolyline import LWPolyline
from ezdxf.enums import TextEntityAlignment
from ezdxf.filemanagement import new, readfile
from ezdxf.layouts.layout import Modelspace

from geoplan.crs import Array
from geoplan.messages import Message
from geoplan_layers.writers.columns import LONGEST_TEXT, TypedColumn, cut, typed
from geoplan_layers.writers.palette import in_turn
from geoplan_layers.writers.sheet import Sheet, WriteOptions, Written

VERSION = "R2010"
APPLICATION = "GEOPLAN"
"""Under which name entities carry their attributes as extended data."""
_MOST_DATA = 16_000
"""Bytes of extended data of one entity, of the 16,383 that the format allows."""
_FORBIDDEN = re.compile(r'[\x00-\x1f<>/\\":;?*|=`,]+')
_STAMP = re.compile(rf"^{re.escape(ezdxf_version)} @ \d{{4}}-\d\d-\d\dT[\d:.+]+$", re.MULTILINE)
_FIXED_STAMP = f"{ezdxf_version} @ 2000-01-01T00:00:00+00:00"
_STYLE = "GEOPLAN"
_FONT = "simhei.ttf"
_LARGEST, _SMALLEST = 60.0, 0.5
"""Heights of labels, metres on the ground."""


def write(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All layers in model space; holes are rings of their own on the CAD layer of their outline.

    Dates and ids in the header are fixed, so the same sheet gives the same bytes.
    """
    del options
    drawing = new(VERSION)
    drawing.units = units.M
    drawing.styles.add(_STYLE, font=_FONT)
    space = drawing.modelspace()
    drawing.appids.add(APPLICATION)
    names = _cad_layers(drawing, sheet)
    for layer in sheet.layers:
        columns = {name: typed(column) for name, column in layer.columns.items()}
        for row, (group, name, shape) in enumerate(zip(layer.group_of, layer.names, layer.shapes, strict=True)):
            on, data = {"layer": names[str(group)]}, _attributes(columns, row)
            for part in _flat(shape):
                _draw(space, part, on, data)
            _label(space, str(name), shape, on)
    _save(drawing, path)
    return Written([path], _notes(sheet))


def coordinates(path: Path) -> Array:
    """Every vertex of the polylines and every point of a drawing, x, y, (n, 2)."""
    space = readfile(path).modelspace()
    found: list[tuple[float, float]] = []
    for line in space.query("LWPOLYLINE"):
        assert isinstance(line, LWPolyline)
        found.extend((x, y) for x, y in line.get_points("xy"))
    found.extend((point.dxf.location.x, point.dxf.location.y) for point in space.query("POINT"))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _cad_layers(drawing: Drawing, sheet: Sheet) -> dict[str, str]:
    """A CAD layer with a colour for each group; its name in the drawing by the group."""
    groups = list(dict.fromkeys(str(group) for layer in sheet.layers for group in layer.group_of))
    found: dict[str, str] = {}
    for number, group in enumerate(groups):
        plain = _FORBIDDEN.sub("_", group).strip()[:200] or "layer"
        name, tail = plain, 1
        while name.lower() in {each.lower() for each in found.values()} | {"0", "defpoints"}:
            tail, name = tail + 1, f"{plain}_{tail}"
        rgb = colors.RGB.from_hex(f"#{sheet.colours.get(group) or in_turn(number)}")
        drawing.layers.add(name, color=1 + number % 6, true_color=colors.rgb2int(rgb))
        found[group] = name
    return found


def _flat(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """The single parts of a shape."""
    parts = shapely.get_parts(shape)
    while np.any(shapely.get_type_id(parts) > shapely.GeometryType.POLYGON):
        parts = shapely.get_parts(parts)
    return list(parts)


def _draw(space: Modelspace, part: shapely.Geometry, on: dict[str, str], data: list[tuple[int, str]]) -> None:
    kind, made = shapely.get_type_id(part), list[DXFGraphic]()
    if kind == shapely.GeometryType.POINT:
        made.append(space.add_point(tuple(shapely.get_coordinates(part)[0].tolist()), dxfattribs=on))
    elif kind == shapely.GeometryType.POLYGON:
        for ring in shapely.get_rings(part):
            xy = shapely.get_coordinates(ring)[:-1].tolist()
            made.append(space.add_lwpolyline(xy, close=True, dxfattribs=on))
    else:
        made.append(space.add_lwpolyline(shapely.get_coordinates(part).tolist(), dxfattribs=on))
    for entity in made if data else ():
        entity.set_xdata(APPLICATION, data)


def _attributes(columns: dict[str, TypedColumn], row: int) -> list[tuple[int, str]]:
    """A feature's attributes as extended data: texts ``field=value``, as many as one entity may carry."""
    found: list[tuple[int, str]] = []
    room = _MOST_DATA
    for name, column in columns.items():
        if column.missing[row]:
            continue
        text = cut(re.sub(r"[\x00-\x1f]+", " ", f"{name}={column.values[row]}"), LONGEST_TEXT)
        room -= len(text.encode()) + 3
        if room > 0:
            found.append((1000, text))
    return found


def _label(space: Modelspace, name: str, shape: shapely.Geometry, on: dict[str, str]) -> None:
    """The name inside the shape, as high as fits a shape of that size."""
    if not name.strip():
        return
    at = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    west, south, east, north = shapely.bounds(shape)
    height = float(np.clip(max(east - west, north - south) / 40, _SMALLEST, _LARGEST))
    one_line = re.sub(r"[\x00-\x1f]+", " ", name).strip()
    text = space.add_text(one_line, height=height, dxfattribs={**on, "style": _STYLE})
    text.set_placement(tuple(at.tolist()), align=TextEntityAlignment.MIDDLE_CENTER)


def _save(drawing: Drawing, path: Path) -> None:
    """With ezdxf's fixed dates and ids: it would stamp the header and its own mark with the clock and random ids."""
    text, before = io.StringIO(), ezdxf_options.write_fixed_meta_data_for_testing
    ezdxf_options.write_fixed_meta_data_for_testing = True
    try:
        drawing.write(text)
    finally:
        ezdxf_options.write_fixed_meta_data_for_testing = before
    path.write_bytes(drawing.encode(_STAMP.sub(_FIXED_STAMP, text.getvalue())))


def _notes(sheet: Sheet) -> tuple[Message, ...]:
    fields = sorted({name for layer in sheet.layers for name in layer.columns})
    args = {"application": APPLICATION, "most": LONGEST_TEXT, "fields": fields}
    return (Message("write.attributes-extended", args),) if fields else ()
