"""KML and ovkml read without GDAL: folders as data sets, no entities, no links followed.

The standard has WGS 84 degrees, and that is what the frame says; what was drawn on a shifted map is in GCJ-02 all the
same (Ovital from 9.3.0 exports so), which no number in the file tells: every table carries that as a note.
Source: OGC 12-007r2 (KML 2.3); gx:Track from Google's extension.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from geoplan.crs import recognise
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.dataset import Dataset, Item
from geoplan_layers.files.limits import MB, Limits
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Column, Table
from geoplan_layers.files.text import CHINESE, decided

MOST_BYTES = 200 * MB
"""A KML is read whole; past this size it is no drawing of a boundary."""
_DEEPEST = 200
_HEAD = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_.-]+)["']""")
_ROOTS = frozenset({"kml", "Document", "Folder", "Placemark"})
_GEOMETRIES = frozenset(
    {
        "Point",
        "LineString",
        "LinearRing",
        "Polygon",
        "MultiGeometry",
        "Track",
        "MultiTrack",
    }
)

_Simple = shapely.Point | shapely.LineString | shapely.Polygon


@dataclass
class _Layer:
    """The placemarks of one folder."""

    name: str
    path: str
    shapes: list[Any] = field(default_factory=list)
    values: list[dict[str, str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def kml_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """One data set for each folder that holds placemarks with geometry.

    Raises
    ------
    InputRefused
        Not KML, entity declarations, only links to other files, a geometry that cannot be built.
    TooLarge
        More bytes or placemarks than allowed.
    """
    shown = item.source.file
    require(item.path, shown, None, item.suffix, "not-kml")
    size = item.path.stat().st_size
    if size > min(MOST_BYTES, limits.file_bytes * 3):
        raise TooLarge("file-too-large", file=shown, size=size, most=MOST_BYTES)
    layers, links = _Reader(shown, item.stem, limits).read(_text(item.path.read_bytes()))
    if not layers and links:
        raise InputRefused("kml-only-links", file=shown, count=links)
    tables = [_table(layer, item, links, name) for layer, name in zip(layers, _told_apart(layers), strict=True)]
    return [_dataset(table, item) for table in tables]


def _told_apart(layers: list[_Layer]) -> list[str]:
    """Names of the data sets: a folder's own name, its path where two share that, numbered where they share both."""
    count = Counter(layer.name for layer in layers)
    names = [layer.name if count[layer.name] == 1 else layer.path for layer in layers]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    ]


def _dataset(table: Table, item: Item) -> Dataset:
    return Dataset(table.layer, item.source, lambda _: table)


def _text(raw: bytes) -> str:
    """The file as text without its XML declaration: by its mark, by what its bytes are, at last by what it says."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _HEAD.sub("", raw.decode("utf-16", errors="replace"))
    stated = _ENCODING.search(raw[:200])
    encoding = decided([raw])
    if encoding != "utf-8" and stated and stated[1].lower().startswith((b"gb", b"cp936", b"hz")):
        encoding = CHINESE
    return _HEAD.sub("", raw.decode(encoding, errors="replace"))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class _Reader:
    """One pass over a KML: folders open and close, each placemark is taken and let go."""

    def __init__(self, shown: str, stem: str, limits: Limits) -> None:
        self._shown, self._stem, self._limits = shown, stem, limits
        self._names: list[tuple[str, str]] = []
        self._layers: dict[int, _Layer] = {}
        self._folders: list[int] = []
        self._links = self._count = self._made = 0

    def read(self, text: str) -> tuple[list[_Layer], int]:
        """The layers in the order of the file, and how many links to other files there were."""
        try:
            self._walk(iterparse(io.BytesIO(text.encode()), events=("start", "end"), forbid_dtd=True))
        except DefusedXmlException as wrong:
            raise InputRefused("xml-entities", file=self._shown, detail=type(wrong).__name__) from None
        except (ParseError, ValueError) as wrong:
            raise InputRefused("not-kml", file=self._shown, detail=str(wrong)[:120]) from None
        return [layer for layer in self._layers.values() if layer.shapes], self._links

    def _walk(self, events: Iterator[tuple[str, Element]]) -> None:
        stack: list[Element] = []
        inside = 0  # how many placemarks are open: what a placemark holds is kept until it ends
        for event, element in events:
            tag = _local(element.tag)
            if event == "start":
                self._begins(tag, stack)
                inside += tag == "Placemark"
                stack.append(element)
                continue
            stack.pop()
            inside -= tag == "Placemark"
            if inside == 0:
                self._ends(tag, element, stack)
                element.clear()
                if stack:
                    del stack[-1][:]

    def _begins(self, tag: str, stack: list[Element]) -> None:
        if not stack and tag not in _ROOTS:
            raise InputRefused("not-kml", file=self._shown, detail=f"<{tag}>"[:60])
        if len(stack) > _DEEPEST:
            raise InputRefused("not-kml", file=self._shown, detail=f"> {_DEEPEST} <{tag}>"[:60])
        if tag in ("Folder", "Document"):
            self._folders.append(self._made)
            self._made += 1
            self._names.append((tag, ""))

    def _ends(self, tag: str, element: Element, stack: list[Element]) -> None:
        parent = _local(stack[-1].tag) if stack else ""
        if tag == "name" and parent in ("Folder", "Document"):
            self._names[-1] = (parent, (element.text or "").strip())
        elif tag in ("Folder", "Document"):
            self._close()
        elif tag == "Placemark":
            self._placemark(element)
        elif tag == "NetworkLink":
            self._links += 1

    def _close(self) -> None:
        """A folder ends: only now is its name known, for it may stand behind its placemarks."""
        key = self._folders.pop()
        if key in self._layers:
            layer = self._layers[key]
            folders = [name or "?" for kind, name in self._names if kind == "Folder"]
            whole = [name for _, name in self._names if name]
            layer.path = "/".join(folders) or self._stem
            layer.name = folders[-1] if folders else self._stem
            if folders and folders[-1] == "?":
                layer.name = layer.path = whole[-1] if whole else self._stem
        self._names.pop()

    def _placemark(self, element: Element) -> None:
        self._count += 1
        if self._count > self._limits.features:
            raise TooLarge("features", file=self._shown, count=self._count, most=self._limits.features)
        key = self._folders[-1] if self._folders else -1
        layer = self._layers.setdefault(key, _Layer(self._stem, self._stem))
        values = _values(element)
        where = values.get("name") or f"Placemark {self._count}"
        shape = _Geometry(self._shown, where, layer.notes).of(element)
        if shape is None:
            layer.notes["read.kml-without-geometry"] += 1
            return
        layer.shapes.append(shape)
        layer.values.append(values)
        layer.rows.append(self._count)


def _values(placemark: Element) -> dict[str, str]:
    """Name, description and extended data of a placemark."""
    found: dict[str, str] = {}
    for child in placemark:
        if _local(child.tag) in ("name", "description"):
            found[_local(child.tag)] = (child.text or "").strip()
        elif _local(child.tag) == "ExtendedData":
            for each in child.iter():
                value = next((v.text for v in each if _local(v.tag) == "value"), None)
                if _local(each.tag) == "Data":
                    found.setdefault(each.get("name", "?"), (value or "").strip())
                elif _local(each.tag) == "SimpleData":
                    found.setdefault(each.get("name", "?"), (each.text or "").strip())
    return found


class _Geometry:
    """The geometry of one placemark; faults name it."""

    def __init__(self, shown: str, where: str, notes: Counter[str]) -> None:
        self._shown, self._where, self._notes = shown, where, notes

    def of(self, element: Element) -> shapely.Geometry | None:
        """One shape, several joined as a Multi of their kind, none where there is none."""
        parts: list[_Simple] = []
        for child in element:
            if _local(child.tag) in _GEOMETRIES:
                parts.extend(self._parts(child))
        if len(parts) <= 1:
            return parts[0] if parts else None
        kinds = {each.geom_type for each in parts}
        joined: dict[str, Any] = {
            "Polygon": shapely.MultiPolygon,
            "LineString": shapely.MultiLineString,
            "Point": shapely.MultiPoint,
        }
        whole: shapely.Geometry = joined.get("".join(kinds), shapely.GeometryCollection)(parts)
        return whole

    def _parts(self, element: Element) -> list[_Simple]:
        kind = _local(element.tag)
        if kind in ("MultiGeometry", "MultiTrack"):
            return [part for child in element if _local(child.tag) in _GEOMETRIES for part in self._parts(child)]
        try:
            return [self._one(kind, element)]
        except (ValueError, shapely.errors.GEOSException) as wrong:
            raise self._broken(str(wrong)) from None

    def _one(self, kind: str, element: Element) -> _Simple:
        if kind == "Polygon":
            outer = [self._ring(b) for b in element if _local(b.tag) == "outerBoundaryIs"]
            holes = [self._ring(b) for b in element if _local(b.tag) == "innerBoundaryIs"]
            if len(outer) != 1:
                raise self._broken("outerBoundaryIs")
            return shapely.orient_polygons(shapely.Polygon(outer[0], holes))  # KML says itself which ring is a hole
        if kind == "Track":
            texts = [(each.text or "").split()[:2] for each in element if _local(each.tag) == "coord"]
            return shapely.LineString(np.array(texts, dtype=float))
        xy = _numbers(element)
        return shapely.Point(xy[0]) if kind == "Point" else shapely.LineString(xy)

    def _ring(self, boundary: Element) -> np.ndarray:
        rings = [each for each in boundary if _local(each.tag) == "LinearRing"]
        if len(rings) != 1:
            raise self._broken("LinearRing")
        xy = _numbers(rings[0])
        if len(xy) >= 3 and tuple(xy[0]) != tuple(xy[-1]):
            self._notes["read.kml-ring-closed"] += 1
            xy = np.vstack([xy, xy[:1]])
        return xy

    def _broken(self, detail: str) -> InputRefused:
        return InputRefused("geometry-broken", file=self._shown, where=self._where, detail=detail[:120])


def _numbers(element: Element) -> np.ndarray:
    """Longitudes and latitudes of a <coordinates>; heights are dropped, blanks around commas allowed."""
    text = next((each.text or "" for each in element if _local(each.tag) == "coordinates"), "")
    tuples = [each.split(",") for each in re.sub(r"\s*,\s*", ",", text).split()]
    if not tuples or any(len(each) not in (2, 3) for each in tuples):
        raise ValueError("coordinates")
    return np.array([each[:2] for each in tuples], dtype=float)


def _table(layer: _Layer, item: Item, links: int, name: str) -> Table:
    names = list(dict.fromkeys(key for values in layer.values for key in values))
    columns: dict[str, Column] = {
        key: np.array([values.get(key) for values in layer.values], dtype=object) for key in names
    }
    shapes = np.empty(len(layer.shapes), dtype=object)
    shapes[:] = layer.shapes
    notes = [Message("read.kml-datum", {}), *(Message(id, {"count": n}) for id, n in sorted(layer.notes.items()))]
    if links:
        notes.append(Message("read.kml-links", {"count": links}))
    rows = np.array(layer.rows, dtype=np.int64)
    return Table(shapes, columns, rows, recognise(4326), item.source, name, "utf-8", tuple(notes), lines_close=True)
