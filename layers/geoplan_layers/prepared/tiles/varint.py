"""Numbers of protocol buffers, compiled (https://protobuf.dev/programming-guides/encoding/)."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

import numpy as np

from geoplan_layers.prepared.compiling import inner


@inner
def put(out, at, value):
    """Write a whole number: seven bits a byte, least first. Gives where the next begins."""
    while value > 127:
        out[at] = value & 127 | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@inner
def size(value):
    """Bytes that a number takes."""
    n = 1
    while value > 127:
        value >>= 7
        n += 1
    return n


@inner
def signed(value):
    """A signed number as one without sign: 0, −1, 1, −2 … are 0, 1, 2, 3 …"""
    return -2 * value - 1 if value < 0 else 2 * value


@inner
def room_for(out, at, more):
    """The same bytes with room for more behind ``at``."""
    if at + more <= len(out):
        return out
    grown = np.empty(2 * (at + more), np.uint8)
    for k in range(at):
        grown[k] = out[k]
    return grown
