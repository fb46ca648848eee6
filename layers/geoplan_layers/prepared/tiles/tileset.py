"""The tiles of one prepared layer: patches one by one where they can be seen, the overview from afar."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.plane import Plane
from geoplan.progress import Progress, unwatched
from geoplan_layers.prepared.kernel import pack_of
from geoplan_layers.prepared.pack import Integers, Pack
from geoplan_layers.prepared.tiles import message, outline
from geoplan_layers.prepared.tiles.address import DEEPEST, Box, Tile, Way, ground
from geoplan_layers.prepared.tiles.outline import Rings
from geoplan_layers.prepared.tiles.overview import CELLS, Overview, make_overview, open_overview
from geoplan_layers.prepared.tiles.shapes import POLYGON, shape_commands

FORM = 1
"""Raised when the same layer gives other tiles than before: part of what caches know a tile by."""
EXTENT, MARGIN = 4096, 64
"""Units along a side of a tile, and how far beyond it outlines are kept, so that no side of the tile is drawn."""
PIXELS = 512
"""Pixels along a side of a tile on a map."""
CROWD = 4000
"""Patches of a tile, on average, up to which they are drawn one by one."""
MOST = 20_000
"""Patches of a tile that are ever drawn one by one; beyond it the largest are."""
_AROUND = 40_075_016.7


class Drawn(NamedTuple):
    """A tile: its bytes (none where there is nothing), and how many patches were too small or too many to draw."""

    content: bytes
    left_out: int


@dataclass(frozen=True)
class TileSet:
    """Draws the tiles of a pack; threads may share it.

    Parameters
    ----------
    pack
        The layer's index.
    name
        Name of the one layer in each tile: its role.
    folder
        Where the overview is kept; without one, in memory.
    """

    pack: Pack
    name: str
    folder: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lock", Lock())

    def draw(self, tile: Tile) -> Drawn:
        """One tile.

        Raises
        ------
        ValueError
            There is no such tile.
        """
        if not tile.exists:
            raise ValueError(f"no tile {tile.z}/{tile.x}/{tile.y}")
        if len(self.pack) == 0:
            return Drawn(b"", 0)
        if tile.z < self.detail_from:
            return Drawn(self.overview().draw(tile, self.pack.code_words, self.name), 0)
        box = tile.window(self.pack.plane, self.ground, MARGIN / EXTENT)
        if box is None:
            return Drawn(b"", 0)
        index, left_out = self._worth_drawing(self.pack.near(box), tile)
        return Drawn(self._patches(index, tile, box), left_out)

    @cached_property
    def box(self) -> Box:
        """Bounds of the layer on its plane."""
        low, high = self.pack.groups[:, :2].min(axis=0), self.pack.groups[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @cached_property
    def ground(self) -> Box:
        """Bounds of the layer in degrees."""
        return ground(self.pack.plane, self.box)

    @cached_property
    def detail_from(self) -> int:
        """The zoom from which patches are drawn one by one: by how densely they lie where they lie densely."""
        if len(self.pack) <= CROWD or self.pack.drawn is not None:
            return 0
        groups = self.pack.groups
        areas = np.maximum((groups[:, 2] - groups[:, 0]) * (groups[:, 3] - groups[:, 1]), 1.0)
        density = np.quantile(len(self.pack) / len(groups) / areas, 0.75)
        around = _AROUND * np.cos(np.radians((self.ground[1] + self.ground[3]) / 2))
        return int(np.clip(np.ceil(np.log2(around * (density / CROWD) ** 0.5)), 1, DEEPEST))

    def overview(self, progress: Progress = unwatched) -> Overview:
        """The layer from afar: kept, or made now, which takes about two seconds for each million of patches."""
        lock: Lock = self._lock  # type: ignore[attr-defined]
        with lock:
            found: Overview | None = self.__dict__.get("_overview")
            if found is None:
                found = (open_overview(self.folder) if self.folder else None) or self._made(progress)
                object.__setattr__(self, "_overview", found)
        return found

    def _made(self, progress: Progress) -> Overview:
        made = make_overview(self.pack, self._work, max(self.detail_from - 1, 0), progress)
        if self.folder is not None:
            with suppress(OSError):  # a folder that cannot be written to: it stays in memory
                made.save(self.folder)
        return made

    @cached_property
    def _work(self) -> Rings:
        pack = self.pack
        return Rings(*(_read_only(each) for each in (pack.xy, pack.rings, pack.parts, pack.patches)))

    def _worth_drawing(self, index: Integers, tile: Tile) -> tuple[Integers, int]:
        """Without patches that are smaller than a pixel, and without the smallest of too many."""
        boxes = self.pack.boxes[index]
        south, north = tile.degrees()[1::2]
        pixel = _AROUND * np.cos(np.radians((south + north) / 2)) / 2**tile.z / PIXELS
        seen = index[np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) >= pixel]
        if len(seen) > MOST:
            seen = np.sort(seen[np.argpartition(-self.pack.areas[seen], MOST)[:MOST]])
        return seen, len(index) - len(seen)

    def _patches(self, index: Integers, tile: Tile, box: Box) -> bytes:
        way = tile.way(self.pack.plane, _widened(box), EXTENT)
        commands, ends, kinds = self._outlines(index, way)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
        kept = starts < ends
        if not kept.any():
            return b""
        words, slots = self._told(index[kept])
        drawn = message.filled(
            message.features, commands, starts[kept], ends[kept], kinds[kept], index[kept] + 1, slots
        )
        return message.layer(self.name, EXTENT, [drawn, *words])

    def _outlines(self, index: Integers, way: Way) -> tuple[NDArray[np.uint8], Integers, Integers]:
        """Commands of patches, where those of each end, and what kind of shape each is."""
        low, high = float(-MARGIN), float(EXTENT + MARGIN)
        if self.pack.drawn is not None:
            return shape_commands(self.pack.shapes(index), way, low, high)
        ends, room = np.empty(len(index), np.int64), np.empty(64 * len(index) + 1024, np.uint8)
        commands = outline.commands(self._work, index, way, low, high, ends, room)
        return commands, ends, np.full(len(index), POLYGON, np.int64)

    def _told(self, index: Integers) -> tuple[list[bytes], Integers]:
        """Values of attributes, and their places: words of codes and names once, then a number for each patch."""
        pack, words = self.pack, list[str]()
        slots = np.full((len(index), len(message.KEYS)), -1, np.int64)
        for key, (which, all_words) in enumerate(((pack.codes, pack.code_words), (pack.names, pack.name_words))):
            used, place = np.unique(which[index], return_inverse=True)
            told = np.array([bool(all_words[i]) for i in used])
            new = np.where(told, np.cumsum(told) - 1 + len(words), -1)
            slots[:, key] = new[place]
            words += [all_words[i] for i in used[told]]
        id_starts, id_ends = np.where(index > 0, pack.id_ends[index - 1], 0), pack.id_ends[index]
        has_id = id_ends > id_starts
        slots[has_id, 2] = len(words) + np.arange(np.count_nonzero(has_id))
        letters = _read_only(pack.ids)
        numbers = message.filled(message.texts, letters, id_starts[has_id], id_ends[has_id])
        return [*(message.value(word) for word in words), numbers], slots


def _read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """An array as the compiler sees all of them, mapped or not."""
    view = np.ascontiguousarray(array).view(np.ndarray)[:]
    view.flags.writeable = False
    return view


def _widened(box: Box) -> Box:
    """A box and its longer side on all sides of it: patches reach beyond a tile, most of them no farther."""
    west, south, east, north = box
    reach = max(east - west, north - south)
    return west - reach, south - reach, east + reach, north + reach


def warm() -> None:
    """Compile everything that draws tiles, or load it from the disk."""
    square = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    pack = replace(pack_of(square, Plane(120)), ids=np.frombuffer(b"1", np.uint8), id_ends=np.ones(1, np.int64))
    tiles = TileSet(pack, "warm")
    west, south, east, north = tiles.ground
    column, row = ((west + east) / 2 / 360 + 0.5) * 2**DEEPEST, (0.5 - (south + north) / 720) * 2**DEEPEST
    tiles.draw(Tile(DEEPEST, int(column), int(row)))
    made = tiles.overview()
    made.draw(Tile(made.zoom, made.column // CELLS, made.row // CELLS), pack.code_words, "warm")
