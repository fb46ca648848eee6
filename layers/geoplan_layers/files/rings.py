"""Rings as files write them: ones that were not closed, and outer rings against a shapefile's order."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Repair
from geoplan.crs import Frame
from geoplan.mending import DEGREE, spelt
from geoplan.messages import Message

_POLYGON, _MULTIPOLYGON = 3, 6
_TOLD = 20


class Open(NamedTuple):
    """A ring that was not closed: its shape (from 0), its end, how far that is from its start (its unit)."""

    shape: int
    end: tuple[float, float]
    gap: float


def built(wkb: Sequence[bytes]) -> tuple[NDArray[np.object_], list[Open]]:
    """Shapes of well-known binary, rings that are not closed closed by a straight edge.

    Raises
    ------
    shapely.errors.GEOSException
        What is broken otherwise.
    """
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    found: list[Open] = []
    for i in np.flatnonzero(shapely.is_missing(shapes)).tolist():
        if wkb[i] is None:
            continue
        try:
            parts = list(_polygons(bytes(wkb[i])))
        except (struct.error, ValueError):
            parts = []
        if not parts or any(len(ring) < 3 for rings in parts for ring in rings):
            shapely.from_wkb(wkb[i])
        polygons = [[_closed(ring, i, found) for ring in rings] for rings in parts]
        whole = [shapely.Polygon(rings[0], rings[1:]) for rings in polygons]
        shapes[i] = whole[0] if len(whole) == 1 else shapely.MultiPolygon(whole)
    return shapes, found


def _polygons(wkb: bytes) -> Iterator[list[NDArray[np.float64]]]:
    """Rings of the polygons in two-dimensional well-known binary."""
    at = 0

    def header() -> tuple[str, int, int]:
        nonlocal at
        order = "<" if wkb[at] == 1 else ">"
        kind, count = struct.unpack_from(f"{order}II", wkb, at + 1)
        at += 9
        return order, kind, count

    order, kind, count = header()
    if kind not in (_POLYGON, _MULTIPOLYGON):
        raise ValueError(f"no polygon: type {kind}")
    for _ in range(count if kind == _MULTIPOLYGON else 1):
        if kind == _MULTIPOLYGON:
            order, _, rings = header()
        else:
            rings = count
        polygon = []
        for _ in range(rings):
            (length,) = struct.unpack_from(f"{order}I", wkb, at)
            values = np.frombuffer(wkb, f"{order}f8", 2 * length, at + 4)
            polygon.append(values.reshape(-1, 2).astype(np.float64))
            at += 4 + 16 * length
        yield polygon


def _closed(ring: NDArray[np.float64], index: int, found: list[Open]) -> NDArray[np.float64]:
    if (ring[0] == ring[-1]).all():
        return ring
    found.append(Open(index, (float(ring[-1, 0]), float(ring[-1, 1])), float(np.hypot(*(ring[-1] - ring[0])))))
    return np.vstack((ring, ring[:1]))


def closed_geometry(geometry: dict[str, Any], index: int, found: list[Open]) -> dict[str, Any]:
    """A GeoJSON polygon with its rings closed; whatever is not one as it is."""
    depth = {"Polygon": 1, "MultiPolygon": 2}.get(str(geometry.get("type")))
    if depth is None:
        return geometry

    def close(level: Any, depth: int) -> Any:
        if depth:
            return [close(each, depth - 1) for each in level] if isinstance(level, list) else level
        if not isinstance(level, list) or len(level) < 3 or level[0] == level[-1]:
            return level
        try:
            ring = np.array([point[:2] for point in (level[0], level[-1])], dtype=np.float64)
        except (TypeError, ValueError):
            return level
        if (ring[0] != ring[1]).any():
            found.append(Open(index, (float(ring[1, 0]), float(ring[1, 1])), float(np.hypot(*(ring[1] - ring[0])))))
        return [*level, level[0]]

    return {**geometry, "coordinates": close(geometry.get("coordinates"), depth)}


def told_open(found: list[Open], rows: NDArray[np.int64], frame: Frame | None) -> tuple[Repair, ...]:
    """The rings that were closed, as repairs of their rows."""
    unit = DEGREE if frame is not None and frame.is_geographic else 1.0
    return tuple(
        Repair(
            Message(
                "repair.unclosed",
                {"place": str(rows[each.shape]), "at": spelt(each.end), "gap": round(each.gap * unit, 3)},
            )
        )
        for each in found
    )


def told_order(shapes: NDArray[np.object_], rows: NDArray[np.int64]) -> tuple[Repair, ...]:
    """Outer rings of a shapefile that run counter-clockwise, against its order; they are outer rings all the same."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    surfaces = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, row = parts[surfaces], row[surfaces]
    outer = np.asarray(shapely.get_exterior_ring(parts), dtype=object)
    wrong = np.flatnonzero(shapely.is_ccw(outer))
    told = [
        Repair(
            Message(
                "repair.shell-order",
                {
                    "place": str(rows[row[i]]),
                    "at": spelt(_start(outer[i])),
                    "change_m2": 0.0,
                },
            )
        )
        for i in wrong[:_TOLD]
    ]
    if len(wrong) > _TOLD:
        args = {"place": str(rows[row[wrong[_TOLD]]]), "count": len(wrong) - _TOLD, "change_m2": 0.0}
        told.append(Repair(Message("repair.more", args | {"kind": Message("word.defect.shell-order").as_dict()})))
    return tuple(told)


def _start(ring: Any) -> tuple[float, float]:
    x, y = shapely.get_coordinates(ring)[0]
    return float(x), float(y)
