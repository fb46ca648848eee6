"""Several features as one boundary: small overlaps counted once, gaps no wider than the accuracy closed, each told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Repair
from geoplan.crs import Array, Frame
from geoplan.errors import InputRefused
from geoplan.measure import PRINTS_AS_ZERO, polygons_of
from geoplan.mending import DEGREE, MOST_CHANGED, spelt, square_metres
from geoplan.messages import Message

Objects = NDArray[np.object_]


def joined(
    polygons: Objects, frame: Frame | None, file: str, layer: str, places: Sequence[str], accuracy: float
) -> tuple[shapely.MultiPolygon, tuple[Repair, ...]]:
    """All rows as one boundary.

    Parameters
    ----------
    polygons
        Valid polygons or multipolygons, one per row.
    frame
        Their coordinate system, for telling sizes in metres.
    accuracy
        How far any line may lie from the truth, m: a gap no wider than that is none.

    Raises
    ------
    InputRefused
        Rows overlap by more than ``MOST_CHANGED`` of the area: which of them is the boundary is for a person to say.
    """
    degrees = frame is not None and frame.is_geographic
    scale = square_metres(polygons) if degrees else 1.0
    repairs = _overlaps(polygons, scale, file, layer, places)
    whole = polygons_of(shapely.union_all(polygons))
    parts = shapely.get_parts(whole)
    if len(parts) < 2 and len(polygons) < 2:
        return whole, repairs
    width = accuracy / DEGREE if degrees else accuracy
    whole, closed = _gaps_closed(whole, polygons, width, scale, places)
    return whole, (*repairs, *closed)


def _overlaps(polygons: Objects, scale: float, file: str, layer: str, places: Sequence[str]) -> tuple[Repair, ...]:
    """Overlaps of rows, each told; refused where they are more than a digitiser's slip."""
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.intersection(polygons[first], polygons[second])
    areas = shapely.area(shared) * scale
    whole = float(shapely.area(polygons).sum()) * scale
    if areas.sum() > max(MOST_CHANGED * whole, PRINTS_AS_ZERO):
        raise InputRefused("features-overlap", file=file, where=layer, area=float(areas.sum()), layer=layer)
    return tuple(
        Repair(
            Message(
                "repair.features-overlapping",
                {
                    "place": places[first[k]],
                    "other": places[second[k]],
                    "at": spelt(_inside(shared[k])),
                    "change_m2": round(-float(areas[k]), 4),
                },
            )
        )
        for k in np.flatnonzero(areas >= PRINTS_AS_ZERO)
    )


def _inside(shape: shapely.Geometry) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return float(shapely.get_x(point)), float(shapely.get_y(point))


def _gaps_closed(
    whole: shapely.MultiPolygon, rows: Objects, width: float, scale: float, places: Sequence[str]
) -> tuple[shapely.MultiPolygon, tuple[Repair, ...]]:
    """The boundary with parts that lie within ``width`` of each other joined, and slits between rows filled.

    Vertices of different parts within the width of each other become the first of them, and an edge that runs past
    such a vertex is bent to it. No other coordinate changes.
    """
    parts = shapely.get_parts(whole)
    first, second = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=width)
    near = np.unique(first[first != second])
    repairs: list[Repair] = []
    if len(near):
        after = _fitted(parts, near, width)
        most = MOST_CHANGED * float(shapely.area(whole))
        if after is not None and abs(float(shapely.area(after) - shapely.area(whole))) <= most:
            repairs = _gaps(whole, after, rows, scale, places)
            whole = after if repairs else whole
    return _slits_filled(whole, rows, width, scale, places, repairs)


def _fitted(parts: Objects, near: NDArray[np.intp], width: float) -> shapely.MultiPolygon | None:
    """All parts as one, those that are near another with their lines laid together; none where that breaks one."""
    at_gap = [_vertices_at_gap(parts, i, near, width) for i in near]
    vertices = _one_for_all(np.vstack(at_gap), width)
    if not len(vertices):
        return None
    laid = parts.copy()
    for i in near:
        rings = [_laid(shapely.get_coordinates(ring), vertices, width) for ring in shapely.get_rings(parts[i])]
        laid[i] = shapely.Polygon(rings[0], rings[1:])
    return polygons_of(shapely.union_all(laid)) if bool(shapely.is_valid(laid).all()) else None


def _vertices_at_gap(parts: Objects, i: int, near: NDArray[np.intp], width: float) -> Array:
    """Vertices of a part that lie within ``width`` of another part."""
    vertices = np.unique(shapely.get_coordinates(parts[i]), axis=0)
    points = shapely.points(vertices)
    close = np.zeros(len(vertices), dtype=bool)
    others = near[shapely.dwithin(parts[i], parts[near], width) & (near != i)]
    for other in others:
        shapely.prepare(parts[other])
        close |= shapely.dwithin(parts[other], points, width)
    return np.asarray(vertices[close])


def _one_for_all(vertices: Array, width: float) -> Array:
    """Of vertices within ``width`` of each other the first stands for all."""
    points: Objects = np.asarray(shapely.points(vertices), dtype=object)
    own, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=width)
    earlier = own > other
    own, other = own[earlier], other[earlier]
    stands = np.ones(len(vertices), dtype=bool)
    for i, j in sorted(zip(own.tolist(), other.tolist(), strict=True)):
        if stands[j]:
            stands[i] = False
    return np.asarray(vertices[stands])


def _gaps(
    whole: shapely.MultiPolygon, after: shapely.MultiPolygon, rows: Objects, scale: float, places: Sequence[str]
) -> list[Repair]:
    """Each gap that was closed, with the rows on its sides; what bent lines took goes with the largest."""
    gained = polygons_of(shapely.difference(after, whole))
    pieces = [piece for piece in gained.geoms if piece.area * scale >= PRINTS_AS_ZERO / 100]
    if not pieces:
        return []
    areas = np.array([piece.area for piece in pieces])
    areas[int(np.argmax(areas))] += float(shapely.area(after) - shapely.area(whole)) - areas.sum()
    return [_told(piece, float(area), scale, rows, places) for piece, area in zip(pieces, areas, strict=True)]


def _laid(xy: Array, vertices: Array, width: float) -> Array:
    """A ring whose vertices go to the nearest of ``vertices`` within ``width``, edges bent to the rest."""
    moved = xy[:-1].copy()
    targets: Objects = np.asarray(shapely.points(vertices), dtype=object)
    own, target = shapely.STRtree(targets).query_nearest(shapely.points(moved), max_distance=width, all_matches=False)
    moved[own] = vertices[target]
    ring = np.vstack((moved, moved[:1]))
    edges: Objects = np.asarray(shapely.linestrings(np.stack((ring[:-1], ring[1:]), axis=1)), dtype=object)
    free = np.setdiff1d(np.arange(len(vertices)), target)
    target, edge = shapely.STRtree(edges).query_nearest(targets[free], max_distance=width, all_matches=False)
    target = free[target]
    start, step = ring[edge], ring[edge + 1] - ring[edge]
    share = ((vertices[target] - start) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1e-300)
    order = np.argsort(edge + np.clip(share, 0.0, 0.999999))
    laid = np.insert(ring, edge[order] + 1, vertices[target][order], axis=0)
    return np.asarray(laid[np.concatenate(([True], (np.diff(laid, axis=0) != 0).any(axis=1)))])


def _slits_filled(
    whole: shapely.MultiPolygon,
    rows: Objects,
    width: float,
    scale: float,
    places: Sequence[str],
    repairs: list[Repair],
) -> tuple[shapely.MultiPolygon, tuple[Repair, ...]]:
    """Holes that no row has and that are no wider than the tolerance: slits between rows that meet at both ends."""
    if len(rows) < 2:
        return whole, tuple(repairs)
    kept: list[shapely.Polygon] = []
    for part in whole.geoms:
        holes = []
        for ring in part.interiors:
            hole = shapely.Polygon(ring)
            around = np.flatnonzero(shapely.intersects(rows, hole))
            if 2 * hole.area < width * hole.length and len(around) > 1:
                repairs.append(_told(hole, hole.area, scale, rows, places))
            else:
                holes.append(ring)
        kept.append(shapely.Polygon(part.exterior, holes))
    return shapely.MultiPolygon(kept), tuple(repairs)


def _told(piece: shapely.Polygon, change: float, scale: float, rows: Objects, places: Sequence[str]) -> Repair:
    """A gap as a message; one row twice where both sides are its own."""
    closest = shapely.STRtree(rows).query_nearest(piece, all_matches=True)
    args = {
        "place": places[int(closest[0])],
        "other": places[int(closest[-1])],
        "at": spelt(_inside(piece)),
        "gap_mm": round(2 * piece.area / piece.length * scale**0.5 * 1000, 1),
        "change_m2": round(change * scale, 4) + 0.0,
    }
    return Repair(Message("repair.gap", args))
