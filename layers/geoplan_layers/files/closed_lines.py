"""Closed lines as polygons: rings nested on one layer taken as outer and inner, doubles dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.table import Table

_GRID = 1e-3


def is_closed(line: shapely.Geometry, gap: float = 0.0) -> bool:
    """Whether a line string's ends are at most ``gap`` apart and it has the points of a ring."""
    xy = shapely.get_coordinates(line)
    return len(xy) >= 4 and float(np.hypot(*(xy[-1] - xy[0]))) <= gap


def polygonised(table: Table, limit: int = 20) -> Table:
    """A table whose lines are all turned into polygons where its format draws areas as closed lines.

    Formats without polygons of their own say so by ``Table.lines_close``; elsewhere, and where a line is open, the
    lines are refused with the numbers of the closed and of the open ones.

    Raises
    ------
    InputRefused
        Lines that are open, or closed lines in a format that has polygons.
    """
    if "LineString" not in table.kinds or table.kinds - {"Polygon", "LineString"}:
        return table
    lines = np.array([shape.geom_type.endswith("LineString") for shape in table.shapes])
    closed = np.array([on and _all_closed(shape) for on, shape in zip(lines, table.shapes, strict=True)])
    opened = lines & ~closed
    if opened.any() or not table.lines_close:
        raise InputRefused(
            "lines-not-polygons",
            file=table.source.file,
            where=table.layer,
            kinds=sorted(table.kinds),
            closed=table.rows[closed].tolist()[:limit] or None,
            open=table.rows[opened].tolist()[:limit] or None,
        )
    shapes = table.shapes.copy()
    for i in np.flatnonzero(closed):
        shapes[i] = shapely.multipolygons([shapely.Polygon(part.coords) for part in shapely.get_parts(shapes[i])])
    note = Message("read.lines-polygonised", {"rows": table.rows[closed].tolist()[:limit]})
    return replace(table, shapes=shapes, notes=(*table.notes, note))


def _all_closed(shape: shapely.Geometry) -> bool:
    return all(is_closed(part) for part in shapely.get_parts(shape))


def even_odd(rings: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64], int]:
    """Polygons of rings that lie one in another: at even depth outer, at odd depth holes of the ring around them.

    Parameters
    ----------
    rings
        Polygons without holes, metres; invalid ones are left as they are for the caller's repair.

    Returns
    -------
    tuple
        The polygons, the index of the outer ring of each, and how many rings became holes. Rings that cross stay
        polygons of their own.
    """
    order = np.argsort(-shapely.area(rings), kind="stable")
    valid = shapely.is_valid(rings)
    parents = _containers(rings, order, valid)
    depth = np.zeros(len(rings), dtype=np.int64)
    for i in order:
        depth[i] = depth[parents[i]] + 1 if parents[i] >= 0 else 0
    holes: dict[int, list[shapely.LinearRing]] = {}
    for i in np.flatnonzero(depth % 2 == 1):
        holes.setdefault(int(parents[i]), []).append(rings[i].exterior)
    outer = np.flatnonzero(depth % 2 == 0)
    found = rings[outer]
    for at, i in enumerate(outer):
        if int(i) in holes:
            found[at] = shapely.orient_polygons(shapely.Polygon(rings[i].exterior, holes[int(i)]))
    return found, outer, len(rings) - len(outer)


def _containers(rings: NDArray[np.object_], order: NDArray[np.int64], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The smallest ring that holds each ring; −1 where none does."""
    parents = np.full(len(rings), -1, dtype=np.int64)
    usable = np.flatnonzero(valid)
    if len(usable) < 2:
        return parents
    tree = shapely.STRtree(rings[usable])
    inner, outer = tree.query(rings[usable], predicate="covered_by")
    rank = np.empty(len(rings), dtype=np.int64)
    rank[order] = np.arange(len(rings))
    for i, holder in zip(usable[inner], usable[outer], strict=True):
        if rank[holder] < rank[i] and (parents[i] < 0 or rank[holder] > rank[parents[i]]):
            parents[i] = holder
    return parents


def filled(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.object_]:
    """One polygon for each ring of points, its last point its first; shapes (n, 2)."""
    if not rings:
        return np.empty(0, dtype=object)
    owner = np.repeat(np.arange(len(rings)), [len(each) for each in rings])
    return np.asarray(shapely.polygons(shapely.linearrings(np.vstack(rings), indices=owner)), dtype=object)


def doubled(rings: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which polygons repeat an earlier one, whatever its first point and direction, to 1 mm."""
    keys = shapely.to_wkb(shapely.normalize(shapely.set_precision(rings, _GRID, mode="pointwise")))
    seen: set[bytes] = set()
    repeats = np.zeros(len(rings), dtype=np.bool_)
    for i, key in enumerate(keys):
        repeats[i] = key in seen
        seen.add(key)
    return repeats
