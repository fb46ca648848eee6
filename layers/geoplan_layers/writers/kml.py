"""KML 2.2: WGS 84 degrees at full precision, a folder a group of each layer, a style a group, attributes as data."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from geoplan.crs import Array
from geoplan_layers.writers.columns import TypedColumn, typed
from geoplan_layers.writers.palette import in_turn
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions, Written

NAMESPACE = "http://www.opengis.net/kml/2.2"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FILL = "59"
"""Opacity of areas, of ff."""


def write(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All layers; every coordinate in the fewest digits that give back the same number."""
    root = Xml.Element("kml", xmlns=NAMESPACE)
    document = _under(root, "Document")
    _under(document, "name", options.title)
    groups = list(dict.fromkeys(str(group) for layer in sheet.layers for group in layer.group_of))
    for number, group in enumerate(groups):
        _style(document, f"s{number}", sheet.colours.get(group) or in_turn(number))
    for layer in sheet.layers:
        _folders(document, layer, groups)
    Xml.indent(root, " ")
    path.write_bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return Written([path])


def coordinates(path: Path) -> Array:
    """Every coordinate of a KML file that the product just wrote (no other is safe to parse so), degrees, (n, 2)."""
    found: list[tuple[float, float]] = []
    for _, element in Xml.iterparse(path):
        if element.tag == f"{{{NAMESPACE}}}coordinates":
            for each in (element.text or "").split():
                lon, lat = each.split(",")[:2]
                found.append((float(lon), float(lat)))
        element.clear()
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _under(parent: Xml.Element, tag: str, text: str | None = None) -> Xml.Element:
    element = Xml.SubElement(parent, tag)
    if text is not None:
        element.text = _NOT_XML.sub("", text)
    return element


def _style(document: Xml.Element, name: str, colour: str) -> None:
    """A colour given as rrggbb; KML writes it backwards, opacity first."""
    backwards = colour[4:6] + colour[2:4] + colour[0:2]
    style = _under(document, "Style")
    style.set("id", name)
    line = _under(style, "LineStyle")
    _under(line, "color", f"ff{backwards}")
    _under(line, "width", "2")
    area = _under(style, "PolyStyle")
    _under(area, "color", f"{_FILL}{backwards}")


def _folders(document: Xml.Element, layer: SheetLayer, groups: list[str]) -> None:
    columns = {name: typed(column) for name, column in layer.columns.items()}
    folders: dict[str, Xml.Element] = {}
    for row, (group, name, shape) in enumerate(zip(layer.group_of, layer.names, layer.shapes, strict=True)):
        if str(group) not in folders:
            folders[str(group)] = _under(document, "Folder")
            _under(folders[str(group)], "name", str(group))
        placemark = _under(folders[str(group)], "Placemark")
        _under(placemark, "name", str(name))
        _under(placemark, "styleUrl", f"#s{groups.index(str(group))}")
        _data(placemark, columns, row)
        _geometry(placemark, shape)


def _data(placemark: Xml.Element, columns: dict[str, TypedColumn], row: int) -> None:
    present = {name: column.values[row] for name, column in columns.items() if not column.missing[row]}
    if not present:
        return
    extended = _under(placemark, "ExtendedData")
    for name, value in present.items():
        data = _under(extended, "Data")
        data.set("name", _NOT_XML.sub("", name))
        _under(data, "value", str(value))


def _geometry(parent: Xml.Element, shape: shapely.Geometry) -> None:
    parts, kind = shapely.get_parts(shape), shapely.get_type_id(shape)
    if kind > shapely.GeometryType.POLYGON:
        parent = _under(parent, "MultiGeometry") if len(parts) != 1 else parent
        for part in parts:
            _geometry(parent, part)
    elif isinstance(shape, shapely.Polygon):
        polygon = _under(parent, "Polygon")
        for tag, ring in _rings(shape):
            _line(_under(_under(polygon, tag), "LinearRing"), ring)
    else:
        _line(_under(parent, "Point" if kind == shapely.GeometryType.POINT else "LineString"), shape)


def _rings(polygon: shapely.Polygon) -> Iterator[tuple[str, shapely.Geometry]]:
    """The rings as KML calls them, the outline counter-clockwise."""
    outer, *holes = shapely.get_rings(shapely.orient_polygons(polygon, exterior_cw=False))
    yield "outerBoundaryIs", outer
    for hole in holes:
        yield "innerBoundaryIs", hole


def _line(parent: Xml.Element, line: shapely.Geometry) -> None:
    _under(parent, "coordinates", " ".join(f"{x!r},{y!r}" for x, y in shapely.get_coordinates(line).tolist()))
