"""Arrays written to the disk piece by piece, each in the end one ``.npy`` file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.measure import ragged_areas
from geoplan.plane import Plane
from geoplan_layers.prepared.pack import ARRAYS, ATTRIBUTE_FILE, DRAWN, group_boxes
from geoplan_layers.prepared.ragged import Ragged, box_each

_HEADER = 128
"""Bytes kept for the header, whose shape is known at the end only."""
_AT_ONCE = 2_000
"""Patches measured at a time: their pieces stay within the processor's cache."""


class ArrayFile:
    """One array that grows along its first axis."""

    def __init__(self, path: Path, dtype: Any, columns: int = 0) -> None:
        self._dtype, self._columns, self._count = np.dtype(dtype), columns, 0
        self._file = path.open("wb")
        self._file.write(b" " * _HEADER)

    def __len__(self) -> int:
        return self._count

    def append(self, values: NDArray[Any]) -> None:
        """Add rows."""
        rows = np.ascontiguousarray(values, dtype=self._dtype)
        self._file.write(rows.data.cast("B") if rows.size else b"")
        self._count += len(rows)

    def close(self) -> None:
        """Write the header (format 1.0 of NumPy) and see that all is on the disk."""
        shape = (self._count, self._columns) if self._columns else (self._count,)
        words = f"{{'descr': '{self._dtype.str}', 'fortran_order': False, 'shape': {shape}, }}".encode()
        self._file.seek(0)
        self._file.write(b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little"))
        self._file.write(words.ljust(_HEADER - 11) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def let_go(self) -> None:
        """Close the file as it is."""
        self._file.close()


class Words:
    """Texts as numbers: each new text gets the next one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def numbers(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """The number of each text."""
        found = self._numbers
        return np.fromiter((found.setdefault(text, len(found)) for text in texts), np.int32, len(texts))

    @property
    def words(self) -> list[str]:
        """The texts in the order of their numbers."""
        return list(self._numbers)


class PackWriter:
    """The index of a layer, written in the order in which its patches are given.

    Parameters
    ----------
    folder
        An empty folder.
    attributes
        Which of `geoplan.layer.ATTRIBUTES` patches have.
    drawn
        Whether shapes are no polygons.
    """

    def __init__(self, folder: Path, attributes: Sequence[str], *, drawn: bool) -> None:
        kinds: dict[str, tuple[Any, int]] = {"xy": (np.float64, 2), "boxes": (np.float64, 4), "groups": (np.float64, 4)}
        kinds |= dict.fromkeys(("areas", "net"), (np.float64, 0)) | dict.fromkeys(("codes", "names"), (np.int32, 0))
        kinds |= dict.fromkeys(("ids", DRAWN[0]), (np.uint8, 0)) | dict.fromkeys(attributes, (np.int32, 0))
        names = {each: each for each in (*ARRAYS, *(DRAWN if drawn else ()))}
        names |= {each: ATTRIBUTE_FILE.format(each) for each in attributes}
        self._files = {
            each: ArrayFile(folder / f"{name}.npy", *kinds.get(each, (np.int64, 0))) for each, name in names.items()
        }
        self._ends = {"rings": 0, "parts": 0, "patches": 0, "id_ends": 0, "wkb_ends": 0}
        for each in ("rings", "parts", "patches"):
            self._files[each].append(np.zeros(1, np.int64))
        self._words = {each: Words() for each in ("codes", "names", *attributes)}

    def add(
        self,
        shapes: Ragged | Sequence[bytes],
        boxes: NDArray[np.float64],
        areas: NDArray[np.float64],
        net: NDArray[np.float64],
        ids: Sequence[str],
        rows: NDArray[np.int64],
        texts: Mapping[str, Sequence[str]],
    ) -> None:
        """Add patches, a multiple of 64 but for the last time: oriented rings on the plane, or well-known binary."""
        files = self._files
        if isinstance(shapes, Ragged):
            files["xy"].append(shapes.xy)
            for name, offsets in (("rings", shapes.rings), ("parts", shapes.parts), ("patches", shapes.patches)):
                files[name].append(offsets[1:] + self._ends[name])
                self._ends[name] += int(offsets[-1])
        else:
            files["patches"].append(np.zeros(len(shapes), np.int64))
            self._bytes("wkb", "wkb_ends", shapes)
        self._bytes("ids", "id_ends", [each.encode() for each in ids])
        given = {"boxes": boxes, "groups": group_boxes(boxes), "areas": areas, "net": net, "rows": rows}
        for name, values in given.items():
            files[name].append(values)
        for name, words in self._words.items():
            files[name].append(words.numbers(texts[name]))

    def _bytes(self, name: str, ends: str, values: Sequence[bytes]) -> None:
        stops = np.cumsum([len(each) for each in values], dtype=np.int64)
        self._files[name].append(np.frombuffer(b"".join(values), np.uint8))
        self._files[ends].append(stops + self._ends[ends])
        self._ends[ends] += int(stops[-1]) if len(stops) else 0

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, *wrong: object) -> None:
        for each in self._files.values():
            each.let_go()

    def close(self) -> dict[str, list[str]]:
        """End every file; the words of codes, names and attributes."""
        for each in self._files.values():
            each.close()
        return {name: words.words for name, words in self._words.items()}


def boxes_of(shapes: Ragged) -> NDArray[np.float64]:
    """West, south, east, north of each patch."""
    boxes = np.empty((len(shapes.patches) - 1, 4))
    box_each(shapes.xy, shapes.rings, shapes.parts, shapes.patches, boxes)
    return boxes


def areas_of(shapes: Ragged, plane: Plane) -> NDArray[np.float64]:
    """Survey area of each patch, m²: what `survey_areas` gives, measured in portions."""
    count = len(shapes.patches) - 1
    found = [ragged_areas(*portion(shapes, at, min(at + _AT_ONCE, count)), plane) for at in range(0, count, _AT_ONCE)]
    return np.concatenate(found) if found else np.zeros(0)


def portion(shapes: Ragged, first: int, last: int) -> Ragged:
    """Some consecutive patches."""
    patches = shapes.patches[first : last + 1]
    parts = shapes.parts[patches[0] : patches[-1] + 1]
    rings = shapes.rings[parts[0] : parts[-1] + 1]
    return Ragged(shapes.xy[rings[0] : rings[-1]], rings - rings[0], parts - parts[0], patches - patches[0])
