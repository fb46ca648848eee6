"""Tiles of the home's layers: versions held open, tiles kept in memory, what is gone refused."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from geoplan.errors import NotFound
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.prepared.version import INDEX, META, Version

if TYPE_CHECKING:
    from geoplan_layers.prepared.tiles.address import Tile
    from geoplan_layers.prepared.tiles.tileset import TileSet

MOST_BYTES = 64 * 2**20
MOST_OPEN = 16
_LEVEL = 5
"""Of gzip: a tile shrinks by half in about a millisecond."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class KeptTile:
    """A tile as it is sent: compressed (empty where there is nothing), and how many patches were not drawn."""

    packed: bytes
    left_out: int


class _Recent(Generic[Key, Value]):
    """What was used last, up to a sum of sizes; threads share it."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size, self._held = most, size, OrderedDict[Key, Value]()
        self._sum = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            if key in self._held:
                return
            self._held[key] = value
            self._sum += self._size(value)
            while self._sum > self._most and len(self._held) > 1:
                self._sum -= self._size(self._held.popitem(last=False)[1])


class TileDesk:
    """Draws tiles of the layers of a store.

    Parameters
    ----------
    store
        The layers of the home.
    most_bytes
        Compressed tiles that are kept in memory.
    """

    def __init__(self, store: LayerStore, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._open: _Recent[tuple[str, str], tuple[Version, TileSet]] = _Recent(MOST_OPEN, lambda _: 1)
        self._tiles: _Recent[tuple[str, str, Tile], KeptTile] = _Recent(most_bytes, lambda kept: len(kept.packed) + 200)
        self._warmed = False

    def held(self, role: str, version: str) -> tuple[Version, TileSet]:
        """A version of a layer with its tiles.

        Raises
        ------
        NotFound
            There is no such version, or it has no patches to draw.
        CannotFinish
            Its index is damaged.
        """
        found = self._open.get((role, version))
        if found is not None and (found[0].folder / META).is_file():
            return found
        about = self._store.version(role, version)
        if about.id != version:  # the beginning of an id is not an address
            raise NotFound("layer-version-unknown", role=role, version=version, known=[about.id])
        if not (about.folder / INDEX).is_dir():
            raise NotFound("tiles-no-patches", role=role)
        from geoplan_layers.prepared.tiles.tileset import TileSet

        opened = about, TileSet(self._store.open(role, version).pack, role, about.folder / INDEX)
        self._open.put((role, version), opened)
        return opened

    def tile(self, role: str, version: str, tile: Tile) -> KeptTile:
        """One tile; see `held` for what is refused."""
        _, tiles = self.held(role, version)
        kept = self._tiles.get((role, version, tile))
        if kept is None:
            drawn = tiles.draw(tile)
            packed = gzip.compress(drawn.content, _LEVEL, mtime=0) if drawn.content else b""
            kept = KeptTile(packed, drawn.left_out)
            self._tiles.put((role, version, tile), kept)
        return kept

    def of_hash(self, sha256: str) -> Version | None:
        """The version with that content, if it has patches to draw."""
        found = self._store.by_hash(sha256)
        return found if found is not None and (found.folder / INDEX).is_dir() else None

    def warm(self) -> None:
        """Load what draws tiles in a thread, while the page that will ask for them is on its way."""
        if self._warmed:
            return
        self._warmed = True
        Thread(target=_load, name="geoplan-tiles", daemon=True).start()


def _load() -> None:
    from geoplan_layers.prepared.tiles.tileset import warm

    warm()
