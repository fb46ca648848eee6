"""The index of a prepared layer: patches as ragged arrays that the system maps into memory and processes share.

Every array is a plain ``.npy`` file, so nothing is built when a layer is opened and only the pages that a question
touches are read. Patches are in Hilbert order of their boxes; a question looks at one box per group of 64 first.
The index can always be rebuilt from the GeoParquet file beside it, row by row in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.plane import Plane

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
GROUP = 64
"""Patches per box of the upper level."""
ATTRIBUTE_FILE = "attribute.{}"
"""Name of the array of one of `geoplan.layer.ATTRIBUTES`, without ``.npy``."""
ARRAYS = (
    *("xy", "rings", "parts", "patches", "boxes", "groups"),
    *("areas", "net", "codes", "names", "ids", "id_ends", "rows"),
)
DRAWN = ("wkb", "wkb_ends")
"""Names of the arrays of shapes that are no polygons."""


@dataclass(frozen=True)
class Words:
    """Texts that many patches share: ``(n,)`` indices into ``words``."""

    index: NDArray[np.int32]
    words: tuple[str, ...]

    def of(self, index: Integers) -> NDArray[np.object_]:
        """The texts of some patches."""
        return _objects([self.words[i] for i in self.index[index]])


@dataclass(frozen=True)
class Drawn:
    """Shapes that are no polygons (roads, streams): well-known binary on the home plane, and where each ends."""

    wkb: NDArray[np.uint8]
    ends: Integers

    def shapes(self, index: Integers) -> NDArray[np.object_]:
        """Shapes of some patches."""
        starts = np.where(index > 0, self.ends[index - 1], 0)
        raw = [self.wkb[a:b].tobytes() for a, b in zip(starts, self.ends[index], strict=True)]
        return np.asarray(shapely.from_wkb(_objects(raw)), dtype=object)


@dataclass(frozen=True)
class Pack:
    """Patches of one version of a layer on its home plane, by index 0..n−1.

    Parameters
    ----------
    plane
        The home plane: x = east, y = north, metres.
    xy
        ``(v, 2)`` vertices; rings closed, one after another.
    rings, parts, patches
        Offsets: ring r has vertices ``rings[r]:rings[r+1]``, part p rings ``parts[p]:parts[p+1]`` (shell first),
        patch i parts ``patches[i]:patches[i+1]``.
    boxes
        ``(n, 4)`` west, south, east, north.
    groups
        ``(⌈n/64⌉, 4)`` boxes of 64 consecutive patches.
    areas
        ``(n,)`` survey area of the whole patch on the home plane, m², unrounded.
    net
        ``(n,)`` share that is not ridge (1 − 扣除系数).
    codes, names
        ``(n,)`` indices into ``code_words`` and ``name_words``.
    ids, id_ends
        UTF-8 bytes of the patch numbers, and ``(n,)`` where each ends.
    attributes
        Ownership, owner and village as written (`geoplan.layer.ATTRIBUTES`), where the layer has their fields.
    rows
        ``(n,)`` place of each patch in the file or files it came from: ascending rows are the order of the source.
    drawn
        The shapes of a layer that is not of polygons alone; its patches have no parts then.
    """

    plane: Plane
    xy: Floats
    rings: Integers
    parts: Integers
    patches: Integers
    boxes: Floats
    groups: Floats
    areas: Floats
    net: Floats
    codes: NDArray[np.int32]
    names: NDArray[np.int32]
    ids: NDArray[np.uint8]
    id_ends: Integers
    code_words: tuple[str, ...]
    name_words: tuple[str, ...]
    attributes: Mapping[str, Words] = field(default_factory=dict)
    rows: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    drawn: Drawn | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def near(self, box: Sequence[float]) -> Integers:
        """Indices of the patches whose box touches ``box`` (west, south, east, north on the home plane), ascending."""
        hit = np.flatnonzero(_touch(self.groups, box))
        if len(hit) == 0:
            return np.array([], dtype=np.int64)
        index = (hit[:, None] * GROUP + np.arange(GROUP)).ravel()
        index = index[index < len(self)]
        return np.asarray(index[_touch(self.boxes[index], box)], dtype=np.int64)

    def shapes(self, index: Integers) -> NDArray[np.object_]:
        """Multipolygons of some patches on the home plane; polygons where a patch has one part."""
        if self.drawn is not None:
            return self.drawn.shapes(index)
        parts, part_of = ranges(self.patches, index)
        rings, ring_of = ranges(self.parts, parts)
        vertices, vertex_of = ranges(self.rings, rings)
        drawn = np.asarray(shapely.linearrings(self.xy[vertices], indices=vertex_of))
        polygons = np.asarray(shapely.polygons(drawn, indices=ring_of))
        several = np.bincount(part_of, minlength=len(index)) > 1
        made = np.empty(len(index), dtype=object)
        first = np.searchsorted(part_of, np.arange(len(index)))
        made[~several] = polygons[first[~several]]
        for i in np.flatnonzero(several):
            made[i] = shapely.multipolygons(polygons[part_of == i])
        return made

    def texts(self, index: Integers) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
        """Numbers, codes and names of some patches."""
        plain, ends = np.asarray(self.ids), np.asarray(self.id_ends)  # a view of a mapped file is slow to cut from
        starts = np.where(index > 0, ends[index - 1], 0).tolist()
        ids = [plain[a:b].tobytes().decode() for a, b in zip(starts, ends[index].tolist(), strict=True)]
        codes = [self.code_words[i] for i in np.asarray(self.codes)[index].tolist()]
        names = [self.name_words[i] for i in np.asarray(self.names)[index].tolist()]
        return _objects(ids), _objects(codes), _objects(names)

    def attribute_texts(self, index: Integers) -> dict[str, NDArray[np.object_]]:
        """The attributes of some patches, as `geoplan.layer.Patches` has them."""
        return {name: each.of(index) for name, each in self.attributes.items()}


def group_boxes(boxes: Floats) -> Floats:
    """Boxes of each 64 consecutive boxes."""
    starts = np.arange(0, len(boxes), GROUP)
    low = np.minimum.reduceat(boxes[:, :2], starts, axis=0) if len(boxes) else boxes[:, :2]
    high = np.maximum.reduceat(boxes[:, 2:], starts, axis=0) if len(boxes) else boxes[:, 2:]
    return np.concatenate([low, high], axis=1)


def open_pack(
    folder: Path,
    plane: Plane,
    code_words: Sequence[str],
    name_words: Sequence[str],
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> Pack:
    """Map the arrays of a folder; ``attributes`` are the words of each attribute that the layer has.

    Raises
    ------
    FileNotFoundError
        An array is missing: the index has to be rebuilt.
    """
    arrays = {name: _mapped(folder / f"{name}.npy") for name in ARRAYS}
    carried = {
        name: Words(_mapped(folder / f"{ATTRIBUTE_FILE.format(name)}.npy"), tuple(words))
        for name, words in (attributes or {}).items()
    }
    drawn = None
    if (folder / f"{DRAWN[0]}.npy").exists():
        drawn = Drawn(*(_mapped(folder / f"{name}.npy") for name in DRAWN))
    return Pack(
        plane,
        **arrays,
        code_words=tuple(code_words),
        name_words=tuple(name_words),
        attributes=carried,
        drawn=drawn,
    )


def _mapped(path: Path) -> NDArray[Any]:
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # an empty array cannot be mapped
        found = np.load(path, allow_pickle=False)
    return found


def _touch(boxes: Floats, box: Sequence[float]) -> NDArray[np.bool_]:
    west, south, east, north = box
    return (boxes[:, 0] <= east) & (boxes[:, 2] >= west) & (boxes[:, 1] <= north) & (boxes[:, 3] >= south)


def ranges(offsets: Integers, index: Integers) -> tuple[Integers, Integers]:
    """Every member of some ranges of an offset array, and which of the ranges each belongs to (0, 1, …)."""
    starts, counts = offsets[index], offsets[index + 1] - offsets[index]
    owner = np.repeat(np.arange(len(index)), counts)
    before = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(index) else np.array([], dtype=np.int64)
    return starts[owner] + np.arange(len(owner)) - before[owner], owner


def _objects(values: Sequence[object]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
