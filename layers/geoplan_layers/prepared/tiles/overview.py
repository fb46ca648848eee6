"""The layer from afar: a grid of classes, for scales at which its patches are smaller than a few pixels.

A tile of a whole prefecture would hold a million patches, each less than a pixel. Below the scale at which patches are
drawn one by one, a tile shows the grid instead: every cell has the class at its centre, so shares of the ground stay
true, and cells of one class that touch are one polygon. The size of a tile and the time to draw it are bounded by its
cells, whatever lies below them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoplan.progress import Progress, unwatched
from geoplan_layers.prepared.pack import Integers, Pack
from geoplan_layers.prepared.tiles import message, tracing
from geoplan_layers.prepared.tiles.address import Box, Tile, mercator, way
from geoplan_layers.prepared.tiles.outline import Rings
from geoplan_layers.prepared.tiles.raster import burn
from geoplan_layers.prepared.tiles.shapes import POLYGON

CELLS = 512
"""Cells along a side of a tile: one for each pixel of a map."""
_AT_ONCE = 4096
_FILES = ("overview.npy", "overview.json")


@dataclass(frozen=True)
class Overview:
    """Classes of the ground in Web Mercator at one zoom; at lower ones, every second, fourth … cell is looked at.

    Parameters
    ----------
    zoom
        The zoom at which a tile has 512 × 512 cells.
    column, row
        Place of the first cell among those of the world, from its north-west.
    cells
        ``(rows, columns)`` place of the class in ``code_words``, plus 1; 0 where there is no patch.
    """

    zoom: int
    column: int
    row: int
    cells: NDArray[np.unsignedinteger]

    def part(self, tile: Tile) -> NDArray[np.unsignedinteger]:
        """``(512, 512)`` cells of a tile at the overview's zoom or a lower one, 0 outside."""
        step = 2 ** (self.zoom - tile.z)
        found = np.zeros((CELLS, CELLS), self.cells.dtype)
        rows, across = _places(tile.y, step, self.row, self.cells.shape[0])
        columns, along = _places(tile.x, step, self.column, self.cells.shape[1])
        if len(rows) and len(columns):
            found[across, along] = self.cells[rows[0] : rows[-1] + 1 : step, columns[0] : columns[-1] + 1 : step]
        return found

    def draw(self, tile: Tile, code_words: tuple[str, ...], name: str) -> bytes:
        """A tile: a feature for each class, a polygon for each patch of cells."""
        content = outlined(self.part(tile))
        if content is None:
            return b""
        classes, commands, ends = content
        words = [code_words[i - 1] for i in classes]
        slots = np.full((len(classes), len(message.KEYS)), -1, np.int64)
        told = [word for word in words if word]
        slots[[bool(word) for word in words], 0] = np.arange(len(told))
        starts, numbers = np.concatenate(([0], ends[:-1])), np.zeros(len(classes), np.int64)
        drawn = message.filled(message.features, commands, starts, ends, numbers + POLYGON, numbers, slots)
        return message.layer(name, CELLS, [drawn, *(message.value(word) for word in told)])

    def save(self, folder: Path) -> None:
        """Keep the overview in a folder; what says where it lies is written last, whole."""
        for name, write in zip(_FILES, (self._write_cells, self._write_place), strict=True):
            passing = folder / f".{name}.{os.getpid()}"
            write(passing)
            passing.replace(folder / name)

    def _write_cells(self, path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, self.cells, allow_pickle=False)

    def _write_place(self, path: Path) -> None:
        path.write_text(json.dumps({"zoom": self.zoom, "column": self.column, "row": self.row}), encoding="utf-8")


def open_overview(folder: Path) -> Overview | None:
    """The overview that a folder holds, mapped into memory; none where there is none."""
    cells, place = (folder / name for name in _FILES)
    if not (cells.is_file() and place.is_file()):
        return None
    return Overview(**json.loads(place.read_text(encoding="utf-8")), cells=np.load(cells, mmap_mode="r"))


def make_overview(pack: Pack, work: Rings, zoom: int, progress: Progress = unwatched) -> Overview:
    """Burn every patch of a layer; of patches that overlap the later one counts.

    Raises
    ------
    Cancelled
        The work was stopped.
    """
    column, row, columns, rows = _extent(pack, zoom)
    kind = np.uint8 if len(pack.code_words) < 2**8 - 1 else np.uint16
    cells = np.zeros((rows, columns), kind)
    values = (pack.codes + 1).astype(kind)
    for first in range(0, len(pack), _AT_ONCE):
        last = min(first + _AT_ONCE, len(pack))
        box = _box(pack.boxes[first:last])
        burn(work, first, last, way(pack.plane, box, 2.0**zoom * CELLS, (column, row)), values, cells)
        progress("overview", last, len(pack))
    return Overview(zoom, column, row, cells)


def outlined(cells: NDArray[np.unsignedinteger]) -> tuple[Integers, NDArray[np.uint8], Integers] | None:
    """Polygons of a grid by class: the classes, commands of all, and where those of each end; none of an empty one."""
    cells = np.ascontiguousarray(cells)
    count, size = tracing.rings(cells, _room(0, 0))
    if count == 0:
        return None
    traced = _room(count, size)
    tracing.rings(cells, traced)
    values, patches = cells.ravel()[traced.cells].astype(np.int64), tracing.labelled(cells)[traced.cells]
    order = np.lexsort((traced.areas < 0, patches, values))  # a shell before its holes
    classes, breaks = np.unique(values[order], return_index=True)
    feature_ends = np.empty(len(classes), np.int64)
    starts, breaks = np.concatenate(([0], traced.ends[:-1])), np.append(breaks, count)
    room = np.empty(4 * size, np.uint8)
    commands = tracing.ring_commands(traced.vertices, starts, traced.ends, order, breaks, feature_ends, room)
    return classes, commands, feature_ends


def _room(rings: int, vertices: int) -> tracing.Traced:
    """Where so many rings can be written."""
    return tracing.Traced(np.empty((vertices, 2), np.int64), *(np.empty(rings, np.int64) for _ in range(3)))


def _box(boxes: NDArray[np.float64]) -> Box:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east) + 1e-3, float(north) + 1e-3


def _extent(pack: Pack, zoom: int) -> tuple[int, int, int, int]:
    """First column and row of the world's cells that the layer needs, and how many."""
    west, south, east, north = _box(np.asarray(pack.groups))
    part = np.linspace(0, 1, 17)
    x, y = np.meshgrid(west + part * (east - west), south + part * (north - south))
    px, py = (each * 2.0**zoom * CELLS for each in mercator(pack.plane, x.ravel(), y.ravel()))
    column, row = int(np.floor(px.min())) - 1, int(np.floor(py.min())) - 1
    return column, row, int(np.ceil(px.max())) + 1 - column, int(np.ceil(py.max())) + 1 - row


def _places(tile: int, step: int, first: int, count: int) -> tuple[Integers, slice]:
    """Along one direction: the cells of the overview that a tile looks at, and where in the tile they stand."""
    looked_at = (tile * CELLS + np.arange(CELLS)) * step + step // 2 - first
    kept = np.flatnonzero((looked_at >= 0) & (looked_at < count))
    return looked_at[kept], slice(kept[0], kept[-1] + 1) if len(kept) else slice(0)
