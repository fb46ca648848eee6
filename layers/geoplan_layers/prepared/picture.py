"""A small picture of a layer: its classes in colours, as a PNG."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan_layers.prepared.pack import Pack
from geoplan_layers.prepared.tiles.outline import Rings
from geoplan_layers.prepared.tiles.overview import Overview, make_overview
from geoplan_layers.prepared.tiles.tileset import TileSet

SIDE = 640
"""Pixels along the longer side, at most."""
_DEEPEST = 22
_PAPER = (255, 255, 255)
Color = tuple[int, int, int]


def picture(pack: Pack, name: str, colors: Sequence[Color]) -> bytes | None:
    """The layer from above as a PNG, north up, no larger than `SIDE`; none where it has no polygons.

    Parameters
    ----------
    colors
        Red, green and blue (0..255) of each of the pack's ``code_words``.
    """
    if len(pack) == 0 or pack.drawn is not None:
        return None
    tiles = TileSet(pack, name)
    west, south, east, north = tiles.ground
    zoom = 0
    while zoom < _DEEPEST and _across(west, south, east, north) * 512 * 2 ** (zoom + 1) <= 2 * SIDE:
        zoom += 1
    work = Rings(*(_plain(each) for each in (pack.xy, pack.rings, pack.parts, pack.patches)))
    made: Overview = make_overview(pack, work, zoom)
    cells = np.asarray(made.cells)
    step = max(-(-max(cells.shape) // SIDE), 1)
    return _png(cells[::step, ::step], [_PAPER, *colors])


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only array of the plain kind, which is all that compiled code knows."""
    view = np.ascontiguousarray(array).view(np.ndarray)[:]
    view.flags.writeable = False
    return view


def _across(west: float, south: float, east: float, north: float) -> float:
    """The longer side as a share of the world's square in Web Mercator."""
    south, north = (np.arctanh(np.sin(np.radians(each))) / (2 * np.pi) for each in (south, north))
    return max((east - west) / 360, float(north - south), 1e-9)


def _png(cells: NDArray[np.unsignedinteger], colors: list[Color]) -> bytes:
    """A grid of indices as a PNG of true colours (PNG 1.2: one filter byte before each row, all zero)."""
    rgb = np.asarray(colors, dtype=np.uint8)[cells]
    rows = np.concatenate([np.zeros((len(rgb), 1), np.uint8), rgb.reshape(len(rgb), -1)], axis=1)
    head = struct.pack(">2I5B", cells.shape[1], cells.shape[0], 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
