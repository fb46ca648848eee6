"""Entities of a drawing as closed and open outlines, with blocks taken apart, in world coordinates."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from geoplan.errors import TooLarge
from geoplan_layers.files.dxf_curves import MOST_POINTS, SAGITTA, Points, arc, bulged, ellipse

GAP = 0.001
"""Metres within which the ends of a line count as meeting."""
_SAME = 1e-6
_DEEPEST = 8
MOST_IN_BLOCKS = 100_000
"""Entities that placed blocks may come to; a block of blocks of blocks grows without bound."""
_FULL = 2 * math.pi
_FRAME_POINT = 16
_UNICODE = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_MULTIBYTE = re.compile(r"\\M\+5([0-9A-Fa-f]{4})")
_TEXTS = frozenset({"TEXT", "MTEXT", "ATTRIB"})
SOLIDS = frozenset({"REGION", "BODY", "3DSOLID", "SURFACE"})
"""Entities whose outline is in a modeller's own code (ACIS), which nothing open reads."""
_NO_OUTLINE = frozenset(
    {
        "INSERT",
        "POINT",
        "ATTDEF",
        "DIMENSION",
        "LEADER",
        "MULTILEADER",
        "TOLERANCE",
        "VIEWPORT",
        "XLINE",
        "RAY",
        "IMAGE",
    }
)


@dataclass(frozen=True, slots=True)
class Outline:
    """What one entity draws: rings of an area (several for a hatch), or one open line."""

    layer: str
    entity: str
    handle: str
    rings: tuple[Points, ...] = ()
    line: Points | None = None
    curved: bool = False
    joined: bool = False


@dataclass
class Drawing:
    """What a drawing holds by layer: outlines, texts with their places, and how much was passed over."""

    outlines: list[Outline] = field(default_factory=list)
    texts: list[tuple[float, float, str]] = field(default_factory=list)
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    solids: Counter[str] = field(default_factory=Counter)


def written(text: str) -> str:
    r"""A text with CAD's escapes for what its code page lacks: ``\U+7EA2`` (Unicode) and ``\M+5BAEC`` (code page 936).

    >>> written(r"\U+7EA2\U+7EBF \M+5BAEC")
    '红线 红'
    """
    text = _UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
    return _MULTIBYTE.sub(lambda found: bytes.fromhex(found[1]).decode("gb18030", errors="replace"), text)


def collect(entities: Iterable[Any], shown: str) -> Drawing:
    """Every outline and text of a model space, blocks taken apart to depth 8.

    Raises
    ------
    TooLarge
        More than ``MOST_IN_BLOCKS`` objects inside blocks, counted each time a block is placed.
    """
    return _Blocks(shown).drawing(entities, 0, SAGITTA)


class _Blocks:
    """Blocks read once for each scale that they are placed at; a placing only moves their points."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._known: dict[tuple[str, float, int], Drawing] = {}
        self._placed = 0

    def drawing(self, entities: Iterable[Any], depth: int, within: float) -> Drawing:
        """What entities draw in their own coordinates, their curves stroked to ``within``."""
        found = Drawing()
        for entity in entities:
            kind, layer = entity.dxftype(), written(str(entity.dxf.get("layer", "0")))
            if kind == "INSERT":
                self._insert(entity, layer, depth, within, found)
            elif kind in _TEXTS:
                _text(entity, found)
            elif kind in SOLIDS:
                found.solids[layer] += 1
            elif kind in _READERS:
                outline = _READERS[kind](entity, layer, within)
                if outline is not None:
                    found.outlines.append(outline)
                else:
                    found.passed[layer, kind] += 1
            elif kind not in _NO_OUTLINE:
                found.passed[layer, kind] += 1
        return found

    def _insert(self, entity: Any, layer: str, depth: int, within: float, found: Drawing) -> None:
        block = entity.block()
        if block is None or block.block.is_xref or depth == _DEEPEST:
            found.passed[layer, "XREF" if block is not None and block.block.is_xref else "INSERT"] += 1
            return
        for attribute in entity.attribs:
            _text(attribute, found)
        self._count(int(entity.mcount), layer)
        for copy in entity.multi_insert() if entity.mcount > 1 else (entity,):
            matrix = np.array(list(copy.matrix44().rows()), dtype=np.float64)
            scale = float(np.linalg.norm(matrix[:2, :2], axis=1).max())
            step = 2.0 ** math.ceil(math.log2(scale)) if scale > 0 else 1.0
            key = (str(block.name), step * SAGITTA / within, depth)
            if key not in self._known:
                self._known[key] = self.drawing(block, depth + 1, within / step)
            part = self._known[key]
            self._count(len(part.outlines) + len(part.texts), layer)
            _place(part, matrix, layer, found)

    def _count(self, more: int, layer: str) -> None:
        self._placed += more
        if self._placed > MOST_IN_BLOCKS:
            raise TooLarge("dxf-blocks", file=self._shown, where=layer, most=MOST_IN_BLOCKS)


def _place(part: Drawing, matrix: Points, layer: str, found: Drawing) -> None:
    """A block's content where it is placed; what lies on layer 0 of the block takes the layer of its placing."""

    def moved(points: Points) -> Points:
        return np.asarray(points @ matrix[:2, :2] + matrix[3, :2])

    def on(own: str) -> str:
        return layer if own == "0" else own

    for each in part.outlines:
        rings = tuple(moved(ring) for ring in each.rings)
        line = None if each.line is None else moved(each.line)
        found.outlines.append(replace(each, layer=on(each.layer), rings=rings, line=line))
    for x, y, text in part.texts:
        at = moved(np.array([x, y]))
        found.texts.append((float(at[0]), float(at[1]), text))
    for (own, kind), count in part.passed.items():
        found.passed[on(own), kind] += count
    for own, count in part.solids.items():
        found.solids[on(own)] += count


def _text(entity: Any, found: Drawing) -> None:
    text = entity.plain_text() if entity.dxftype() == "MTEXT" else entity.dxf.get("text", "")
    text = " ".join(written(str(text)).split())
    at = entity.dxf.get("insert")
    if text and at is not None:
        ocs = entity.ocs() if entity.dxftype() != "MTEXT" else None
        at = ocs.to_wcs(at) if ocs is not None and ocs.transform else at
        found.texts.append((float(at[0]), float(at[1]), text))


def _outline(entity: Any, layer: str, points: Points, *, closed: bool, curved: bool) -> Outline | None:
    """A ring where the flag or the ends close it, else a line."""
    points = points[:, :2]
    joined = False
    if len(points) > 1 and float(np.hypot(*(points[-1] - points[0]))) <= _SAME:
        points, closed = points[:-1], closed or len(points) > 3
    elif not closed and len(points) > 3 and float(np.hypot(*(points[-1] - points[0]))) <= GAP:
        points, closed, joined = points[:-1], True, True
    about = (layer, entity.dxftype(), str(entity.dxf.get("handle") or ""))
    if closed and len(points) >= 3:
        return Outline(*about, rings=(np.vstack([points, points[:1]]),), curved=curved, joined=joined)
    return Outline(*about, line=points, curved=curved) if len(points) >= 2 else None


def _placed(entity: Any, points: Points, elevation: float = 0.0) -> Points:
    """Points of the entity's own plane in world coordinates."""
    ocs = entity.ocs()
    if not ocs.transform:
        return points
    return np.array([tuple(ocs.to_wcs((x, y, elevation)))[:2] for x, y in points], dtype=float).reshape(-1, 2)


def _lwpolyline(entity: Any, layer: str, within: float) -> Outline | None:
    vertices = np.asarray(entity.lwpoints.values, dtype=np.float64).reshape(-1, 5)[:, [0, 1, 4]]
    points = _placed(entity, bulged(vertices, entity.closed, within), float(entity.dxf.get("elevation", 0.0)))
    return _outline(entity, layer, points, closed=bool(entity.closed), curved=bool(vertices[:, 2].any()))


def _polyline(entity: Any, layer: str, within: float) -> Outline | None:
    if not (entity.is_2d_polyline or entity.is_3d_polyline):
        return None
    kept = [v for v in entity.vertices if not v.dxf.get("flags", 0) & _FRAME_POINT]
    flat = bool(entity.is_2d_polyline)
    rows = [(*tuple(v.dxf.location)[:2], float(v.dxf.get("bulge", 0.0)) if flat else 0.0) for v in kept]
    points = bulged(rows, entity.is_closed, within)
    points = _placed(entity, points) if flat else points
    return _outline(entity, layer, points, closed=bool(entity.is_closed), curved=any(b for _, _, b in rows))


def _line(entity: Any, layer: str, _within: float) -> Outline | None:
    ends = np.array([tuple(entity.dxf.start)[:2], tuple(entity.dxf.end)[:2]], dtype=float)
    return _outline(entity, layer, ends, closed=False, curved=False)


def _circle(entity: Any, layer: str, within: float) -> Outline | None:
    centre, radius = entity.dxf.center, float(entity.dxf.radius)
    points = _placed(entity, arc((centre.x, centre.y), radius, 0.0, _FULL, within), centre.z)
    points[-1] = points[0]
    return _outline(entity, layer, points, closed=True, curved=True) if radius > 0 else None


def _arc(entity: Any, layer: str, within: float) -> Outline | None:
    centre, radius = entity.dxf.center, float(entity.dxf.radius)
    start, end = _turned(math.radians(entity.dxf.start_angle), math.radians(entity.dxf.end_angle))
    points = _placed(entity, arc((centre.x, centre.y), radius, start, end, within), centre.z)
    return _outline(entity, layer, points, closed=False, curved=True) if radius > 0 else None


def _ellipse(entity: Any, layer: str, within: float) -> Outline | None:
    centre, major, minor = entity.dxf.center, entity.dxf.major_axis, entity.minor_axis
    start, end = _turned(float(entity.dxf.start_param), float(entity.dxf.end_param))
    points = ellipse((centre.x, centre.y), (major.x, major.y), (minor.x, minor.y), start, end, within)
    whole = math.isclose(end - start, _FULL, abs_tol=1e-9)
    if whole:
        points[-1] = points[0]
    return _outline(entity, layer, points, closed=whole, curved=True)


def _spline(entity: Any, layer: str, within: float) -> Outline | None:
    points = _flattened(entity.construction_tool(), within)
    return _outline(entity, layer, points, closed=bool(entity.closed), curved=True)


def _flattened(curve: Any, within: float) -> Points:
    points = list(islice(curve.flattening(within), MOST_POINTS + 1))
    if len(points) > MOST_POINTS:
        raise TooLarge("curve-too-long", radius=0.0, most=MOST_POINTS)
    return np.array([(p.x, p.y) for p in points], dtype=float).reshape(-1, 2)


def _turned(start: float, end: float) -> tuple[float, float]:
    """Two angles with the end ahead of the start by at most one turn; equal ones are a whole turn."""
    turn = math.fmod(end - start, _FULL)
    return start, start + (turn if turn > 1e-12 else turn + _FULL)


def _hatch(entity: Any, layer: str, within: float) -> Outline | None:
    rings: list[Points] = []
    curved = False
    for path in entity.paths:
        is_polyline = hasattr(path, "vertices")
        if is_polyline:
            loops = [
                bulged([(v[0], v[1], v[2] if len(v) > 2 else 0.0) for v in path.vertices], closed=True, within=within)
            ]
            curved = curved or any(len(v) > 2 and v[2] for v in path.vertices)
        else:
            curved = curved or any(edge.EDGE_TYPE != "LineEdge" for edge in path.edges)
            loops = _chained([_edge(edge, within) for edge in path.edges])
        for loop in loops:
            if len(loop) >= 4:
                rings.append(_placed(entity, loop, float(entity.dxf.elevation[2])))
    about = (layer, entity.dxftype(), str(entity.dxf.get("handle") or ""))
    return Outline(*about, rings=tuple(rings), curved=curved) if rings else None


def _edge(edge: Any, within: float) -> Points:
    """Points of one edge of a hatch, start to end; ezdxf keeps angles counter-clockwise whatever the flag."""
    kind = edge.EDGE_TYPE
    if kind == "LineEdge":
        return np.array([tuple(edge.start)[:2], tuple(edge.end)[:2]], dtype=float)
    if kind == "SplineEdge":
        return _flattened(edge.construction_tool(), within)
    if kind == "ArcEdge":
        start, end = _turned(math.radians(edge.start_angle), math.radians(edge.end_angle))
        points = arc((edge.center.x, edge.center.y), float(edge.radius), start, end, within)
    else:
        major = edge.major_axis
        start, end = _turned(edge.start_param, edge.end_param)
        minor = (-major.y * edge.ratio, major.x * edge.ratio)
        points = ellipse((edge.center.x, edge.center.y), (major.x, major.y), minor, start, end, within)
    return points if edge.ccw else points[::-1]


def _chained(edges: list[Points]) -> list[Points]:
    """Edges joined to closed loops in their order, turned round where only that makes ends meet; open rests dropped."""
    loops: list[Points] = []
    current: Points | None = None
    for edge in (each for each in edges if len(each) >= 2):
        if current is None:
            current = edge
        elif _near(current[-1], edge[0]):
            current = np.vstack([current, edge[1:]])
        elif _near(current[-1], edge[-1]):
            current = np.vstack([current, edge[-2::-1]])
        elif _near(current[0], edge[0]) or _near(current[0], edge[-1]):
            current = current[::-1]
            current = np.vstack([current, edge[1:] if _near(current[-1], edge[0]) else edge[-2::-1]])
        else:
            current = edge
        if len(current) >= 4 and _near(current[0], current[-1]):
            loops.append(np.vstack([current[:-1], current[:1]]))
            current = None
    return loops


def _near(a: Points, b: Points) -> bool:
    return float(np.hypot(*(a - b))) <= GAP


_READERS = {
    "LWPOLYLINE": _lwpolyline,
    "POLYLINE": _polyline,
    "LINE": _line,
    "CIRCLE": _circle,
    "ARC": _arc,
    "ELLIPSE": _ellipse,
    "SPLINE": _spline,
    "HATCH": _hatch,
    "MPOLYGON": _hatch,
}
