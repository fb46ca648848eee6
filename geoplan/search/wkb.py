"""Well-known binary straight to flat arrays, without a geometry object per row."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geoplan.search.features import Features, Integers

_OUTER = (1, -1)


def features_of_wkb(data: NDArray[np.uint8], offsets: Integers) -> Features:
    """Features of rows of well-known binary: row ``i`` is ``data[offsets[i]:offsets[i + 1]]``, empty for no geometry.

    Little-endian points, lines, polygons and collections of them are walked here, heights and measures left out;
    anything else goes through GEOS.

    Raises
    ------
    shapely.errors.GEOSException
        The bytes are no geometry.

    >>> blob = np.frombuffer(shapely.to_wkb(shapely.box(0, 0, 2, 1)), dtype=np.uint8)
    >>> features_of_wkb(blob, np.array([0, len(blob)])).bounds.tolist()
    [[0.0, 0.0, 2.0, 1.0]]
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    nothing = np.empty((0, 2), dtype=np.uint64)
    vertices, parts = _walk(data, offsets, nothing, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int8))
    if vertices < 0:
        rows = [data[a:b].tobytes() for a, b in itertools.pairwise(offsets) if b > a]
        return Features.of(shapely.from_wkb(np.array(rows, dtype=object)))
    bits = np.empty((vertices, 2), dtype=np.uint64)
    ends = np.zeros(parts + 1, dtype=np.int64)
    outer = np.zeros(parts, dtype=np.int8)
    _walk(data, offsets, bits, ends, outer)
    return Features.from_parts(bits.view(np.float64), ends, outer)


@njit(cache=True, nogil=True)
def _walk(data, offsets, bits, ends, outer):  # type: ignore[no-untyped-def]
    """Count vertices and parts where ``outer`` is empty, else fill them; −1 for bytes that are not understood.

    A collection is a header and a count before its members, so members are simply met one after the other.
    """
    vertices = parts = 0
    for row in range(len(offsets) - 1):
        at, stop = offsets[row], offsets[row + 1]
        while at < stop:
            at, kind, width = _header(data, at, stop)
            if kind < 0:
                return -1, -1
            if kind > 3:
                continue
            rings, at = _count(data, at, stop) if kind == 3 else (1, at)
            if rings < 0:
                return -1, -1
            for ring in range(rings):
                count, at = _count(data, at, stop) if kind > 1 else (1, at)
                if count < 0 or at + count * width > stop or (kind == 1 and _is_nan(data, at)):
                    return -1, -1
                if len(outer) and count:
                    _copy(data, at, width, bits[vertices : vertices + count])
                    outer[parts] = _OUTER[min(ring, 1)] if kind == 3 else 0
                    ends[parts + 1] = vertices + count
                at, vertices, parts = at + count * width, vertices + count, parts + min(count, 1)
    return vertices, parts


@njit(cache=True, nogil=True)
def _header(data, at, stop):  # type: ignore[no-untyped-def]
    """Position behind a header (and behind the count of a collection), kind 1–7 or −1, bytes of a vertex."""
    if at + 5 > stop or data[at] != 1:
        return stop, -1, 0
    word = _word(data, at + 1)
    flags, kind = word >> 28, word & 0x0FFFFFFF
    at += 9 if flags & 2 else 5
    values = 2 + (1 if flags & 8 else 0) + (1 if flags & 4 else 0)
    if kind >= 1000:
        values += 2 if kind >= 3000 else 1
        kind %= 1000
    if kind < 1 or kind > 7:
        return stop, -1, 0
    return (at + 4 if kind > 3 else at), kind, 8 * values


@njit(cache=True, nogil=True)
def _count(data, at, stop):  # type: ignore[no-untyped-def]
    return (_word(data, at), at + 4) if at + 4 <= stop else (-1, stop)


@njit(cache=True, nogil=True)
def _word(data, at):  # type: ignore[no-untyped-def]
    word = 0
    for k in range(4):
        word |= int(data[at + k]) << (8 * k)
    return word


@njit(cache=True, nogil=True)
def _is_nan(data, at):  # type: ignore[no-untyped-def]
    """An empty point is written as NaN: sign and exponent bits of the first number."""
    return (data[at + 7] & 0x7F) == 0x7F and (data[at + 6] & 0xF0) == 0xF0


@njit(cache=True, nogil=True)
def _copy(data, at, width, bits):  # type: ignore[no-untyped-def]
    for i in range(len(bits)):
        for axis in range(2):
            bits[i, axis] = _eight(data[at + i * width + axis * 8 :])


@njit(cache=True, nogil=True)
def _eight(data):  # type: ignore[no-untyped-def]
    """Eight bytes as one number, written out so that the compiler makes one load of them."""
    low = np.uint64(data[0]) | np.uint64(data[1]) << np.uint64(8)
    low |= np.uint64(data[2]) << np.uint64(16) | np.uint64(data[3]) << np.uint64(24)
    high = np.uint64(data[4]) << np.uint64(32) | np.uint64(data[5]) << np.uint64(40)
    return low | high | np.uint64(data[6]) << np.uint64(48) | np.uint64(data[7]) << np.uint64(56)
