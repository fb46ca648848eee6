"""Roads, streams and other shapes that are no polygons alone, as drawing commands: by shapely, one after another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import NDArray

from geoplan_layers.prepared.pack import Floats, Integers
from geoplan_layers.prepared.tiles.address import Way

POINT, LINE, POLYGON = 1, 2, 3
_MOVE_TO, _LINE_TO, _CLOSE = 1, 2, 15


def shape_commands(
    shapes: NDArray[np.object_], way: Way, low: float, high: float
) -> tuple[NDArray[np.uint8], Integers, Integers]:
    """Commands of shapes of the plane, where those of each end, and its kind; see `outline.commands`."""

    def move(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        u, v = (x - way.x0) * way.sx, (y - way.y0) * way.sy
        return np.asarray(polyval2d(u, v, way.across), np.float64), np.asarray(polyval2d(u, v, way.down), np.float64)

    near = shapely.clip_by_rect(shapes, way.west, way.south, way.east, way.north)
    moved = shapely.transform(near, move, interleaved=False)  # type: ignore[arg-type]
    written, ends = bytearray(), np.empty(len(shapes), np.int64)
    cut = shapely.clip_by_rect(moved, low, low, high, high)
    kinds = np.clip(shapely.get_dimensions(cut) + 1, POINT, POLYGON)
    for k, shape in enumerate(cut):
        _write(written, shape, int(kinds[k]))
        ends[k] = len(written)
    return np.frombuffer(bytes(written), np.uint8), ends, kinds.astype(np.int64)


def _write(written: bytearray, shape: shapely.Geometry, kind: int) -> None:
    cursor = np.zeros(2, np.int64)
    for vertices in _runs(shape, kind):
        moves = np.diff(vertices, axis=0, prepend=cursor[None, :])
        numbers = np.where(moves < 0, -2 * moves - 1, 2 * moves).ravel().tolist()
        head = [_LINE_TO | (len(vertices) - 1) << 3] if len(vertices) > 1 else []
        for number in (_MOVE_TO | 1 << 3, *numbers[:2], *head, *numbers[2:], *([_CLOSE] if kind == POLYGON else [])):
            _put(written, number)
        cursor = vertices[-1]


def _runs(shape: shapely.Geometry, kind: int) -> Iterable[Integers]:
    """Points, lines, or rings without their last vertex, in whole units, none twice in a row."""
    for part in shapely.get_parts(shape):
        if shapely.get_dimensions(part) + 1 != kind:
            continue  # what only touches the rim
        turned = shapely.orient_polygons(part, exterior_cw=False) if kind == POLYGON else part
        for line in shapely.get_rings(turned) if kind == POLYGON else [turned]:
            xy = np.rint(shapely.get_coordinates(line)).astype(np.int64)
            kept = xy[np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))] if len(xy) else xy
            kept = kept[:-1] if kind == POLYGON else kept
            if len(kept) >= kind:
                yield kept


def _put(written: bytearray, value: int) -> None:
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
