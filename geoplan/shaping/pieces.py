"""Pieces of a shape: what is too narrow, too small or apart, and how pieces are joined over allowed ground."""

from __future__ import annotations

import numpy as np
import shapely

from geoplan.measure import polygons_of
from geoplan.prohibited import less, shared
from geoplan.shaping.corridor import corridor

MITRE_LIMIT = 5.0
WIDTH = 10.0
"""m: no neck, spike or corridor of an edit is narrower."""
_OVER = 0.002
"""m: how far a cut goes over its own lines, so that no hair is left between."""
LEAST_PIECE = 400.0
"""m²: a smaller piece that an edit leaves is dropped."""


def opened(shape: shapely.Geometry, width: float) -> shapely.MultiPolygon:
    """What of a shape is at least ``width`` metres wide: its morphological opening by mitred offsets."""
    inner = shapely.buffer(shape, -width / 2, join_style="mitre", mitre_limit=MITRE_LIMIT)
    grown = shapely.buffer(inner, width / 2 * 1.0001, join_style="mitre", mitre_limit=MITRE_LIMIT)
    return shared(grown, shape)


def usable(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """What of some ground is wide and large enough to be taken in: its opening by `WIDTH`, without small pieces."""
    return shapely.MultiPolygon([p for p in opened(shape, WIDTH).geoms if p.area >= LEAST_PIECE])


def wide_enough(
    shape: shapely.Geometry, drawn: shapely.Geometry, width: float, least: float = LEAST_PIECE
) -> shapely.MultiPolygon:
    """A shape without the necks, spikes and splinters that an edit of ``drawn`` has left.

    Only what lies at the edit is taken: a passage that was drawn narrow stays as it was drawn.
    """
    edited = shapely.difference(drawn, shape)
    if shapely.is_empty(edited):
        return polygons_of(shape)
    narrow = shapely.get_parts(less(shape, opened(shape, width)))
    narrow = narrow[shapely.area(narrow) > 0.01]
    at_edit = narrow[shapely.dwithin(narrow, edited, 0.05)] if len(narrow) else narrow
    left = polygons_of(shape)
    if len(at_edit):
        left = less(left, shapely.buffer(shapely.union_all(at_edit), _OVER))
    parts = shapely.get_parts(left)
    small = (shapely.area(parts) < least) & shapely.dwithin(parts, edited, 0.05)
    return shapely.MultiPolygon(list(parts[~small]))


def without_crumbs(shape: shapely.MultiPolygon) -> shapely.MultiPolygon:
    """A shape without pieces under a square metre, which only the arithmetic of a cut leaves."""
    return shapely.MultiPolygon([p for p in shape.geoms if p.area >= 1.0])


def few_holes(shape: shapely.MultiPolygon, most: int, width: float) -> shapely.MultiPolygon:
    """A shape with at most so many holes (天窗): those nearest to the outline are opened to it, by a strip."""
    while count_holes(shape) > most:
        parts = [p for p in shape.geoms if len(p.interiors)]
        rings = [(shapely.Polygon(ring), part) for part in parts for ring in part.interiors]
        lines = [shapely.shortest_line(ring.exterior, part.exterior) for ring, part in rings]
        nearest = int(np.argmin([line.length for line in lines]))
        strip = shapely.buffer(lines[nearest], width / 2, cap_style="square")
        pieces = polygons_of(shapely.difference(shape, shapely.union(strip, rings[nearest][0])))
        shape = shapely.MultiPolygon([p for p in pieces.geoms if p.area >= LEAST_PIECE])
    return shape


def count_holes(shape: shapely.Geometry) -> int:
    """How many holes the polygons of a shape have."""
    return int(shapely.get_num_interior_rings(shapely.get_parts(shape)).sum())


def largest(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The largest polygon of a shape."""
    parts = shapely.get_parts(shape)
    return shapely.MultiPolygon([parts[int(np.argmax(shapely.area(parts)))]]) if len(parts) else shapely.MultiPolygon()


def joined(
    shape: shapely.MultiPolygon, allowed: shapely.Geometry, width: float, *, pieces: int = 1
) -> tuple[shapely.MultiPolygon, shapely.MultiPolygon]:
    """A shape in at most so many pieces: a smaller piece is joined by a corridor if that changes less than losing it.

    Parameters
    ----------
    allowed
        Ground on which corridors may lie, already with its clearance.
    width
        Of corridors, m.

    Returns
    -------
    shape, dropped
        The pieces kept, corridors included, and those that were dropped.
    """
    parts = sorted(shapely.get_parts(shape).tolist(), key=lambda p: -p.area)
    kept, dropped = shapely.MultiPolygon(parts[:1]), []
    for part in parts[1:]:
        if len(kept.geoms) < pieces:
            kept = polygons_of(shapely.union(kept, part))
            continue
        strip = corridor(kept, part, allowed, width, part.area)
        if strip is None:
            dropped.append(part)
            continue
        before = len(kept.geoms)
        merged = polygons_of(shapely.union_all([kept, part, strip]))
        if len(merged.geoms) > before:
            dropped.append(part)
        else:
            kept = merged
    return kept, shapely.MultiPolygon(dropped)
