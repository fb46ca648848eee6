"""A layer of a vector tile as bytes (https://github.com/mapbox/vector-tile-spec, version 2.1)."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoplan_layers.prepared.compiling import compiled
from geoplan_layers.prepared.tiles.varint import put, size

KEYS = ("code", "name", "id")
"""Names of attributes, in the order of the columns of ``slots``."""


@compiled
def features(commands, starts, ends, kinds, numbers, slots, out):
    """Features with geometry ``commands[starts[k]:ends[k]]``: how many bytes they take, and the bytes if there is room.

    ``kinds[k]`` is 1 for points, 2 for lines, 3 for polygons; ``numbers[k]`` the feature's id, 0 for none;
    ``slots[k, i]`` the place of the value of key i, −1 for none.
    """
    at = 0
    for k in range(len(starts)):
        tags = 0
        for i in range(slots.shape[1]):
            tags += 0 if slots[k, i] < 0 else 1 + size(slots[k, i])
        drawn = ends[k] - starts[k]
        whole = (1 + size(numbers[k]) if numbers[k] else 0) + 1 + size(tags) + tags + 2 + 1 + size(drawn) + drawn
        if len(out) == 0:
            at += 1 + size(whole) + whole
            continue
        at = put(out, put(out, at, 2 << 3 | 2), whole)
        if numbers[k]:
            at = put(out, put(out, at, 1 << 3), numbers[k])
        at = put(out, put(out, at, 2 << 3 | 2), tags)
        for i in range(slots.shape[1]):
            if slots[k, i] >= 0:
                at = put(out, put(out, at, i), slots[k, i])
        at = put(out, put(out, at, 3 << 3), kinds[k])
        at = put(out, put(out, at, 4 << 3 | 2), drawn)
        for b in range(starts[k], ends[k]):
            out[at] = commands[b]
            at += 1
    return at


@compiled
def texts(letters, starts, ends, out):
    """Values of a layer that are the texts ``letters[starts[k]:ends[k]]``; see `features`."""
    at = 0
    for k in range(len(starts)):
        length = ends[k] - starts[k]
        inside = 1 + size(length) + length
        if len(out) == 0:
            at += 1 + size(inside) + inside
            continue
        at = put(out, put(out, at, 4 << 3 | 2), inside)
        at = put(out, put(out, at, 1 << 3 | 2), length)
        for b in range(starts[k], ends[k]):
            out[at] = letters[b]
            at += 1
    return at


def filled(write, *arguments) -> bytes:
    """What a function writes that is asked twice: for the room that it needs, then with it."""
    out = np.empty(write(*arguments, np.empty(0, np.uint8)), np.uint8)
    if len(out):
        write(*arguments, out)
    return out.tobytes()


def value(word: str) -> bytes:
    """One value of a layer that is a text."""
    return _field(4, _field(1, word.encode()))


def layer(name: str, extent: int, content: Sequence[bytes]) -> bytes:
    """A tile of one layer: its name, keys and extent, and features and values that are written already."""
    body = b"".join(
        [
            b"\x78\x02",  # version 2
            _field(1, name.encode()),
            *content,
            *(_field(3, key.encode()) for key in KEYS),
            b"\x28" + _number(extent),
        ]
    )
    return _field(3, body)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _number(len(content)) + content


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)
