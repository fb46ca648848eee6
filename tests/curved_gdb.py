"""A file geodatabase that holds a true circle, which nothing open writes: GDAL writes a triangle, its row is replaced.

The row's geometry follows the reverse-engineered specification of the format (rouault/dump_gdbtable): a general polygon
with the flag for curves, two points on the circle, and two circular arcs, each by a point on it.
"""

from __future__ import annotations

import struct
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

CURVED_POLYGON = 51 | 0x20000000
_ARC, _BY_POINT = 1, 0x80
_SCALE = 10_000
"""Units of the grid in a metre, as GDAL makes it."""


def write_circle(folder: Path, x: float, y: float, radius: float, crs: int = 4549) -> Path:
    """A .gdb with one feature class ``circle`` of one polygon: a circle of two arcs; its folder."""
    triangle = shapely.Polygon([(x - radius, y), (x, y + radius), (x + radius, y)])
    path = folder / "曲线.gdb"
    data = gpd.GeoDataFrame({"NAME": ["圆"]}, geometry=[triangle], crs=crs)
    pyogrio.write_dataframe(data, path, layer="circle", driver="OpenFileGDB")
    table = max(path.glob("*.gdbtable"), key=lambda each: int(each.stem[1:], 16))
    raw, index = bytearray(table.read_bytes()), bytearray(table.with_suffix(".gdbtablx").read_bytes())
    start = int.from_bytes(index[16:21], "little")
    (length,) = struct.unpack_from("<I", raw, start)
    row = bytes(raw[start + 4 : start + 4 + length])
    size, after = _unsigned(row, 1)
    shape = _circle(row[after : after + size], x, y, radius)
    row = row[:1] + _varuint(len(shape)) + shape + row[after + size :]
    index[16:21] = len(raw).to_bytes(5, "little")
    raw += struct.pack("<I", len(row)) + row
    struct.pack_into("<I", raw, 8, len(row))
    struct.pack_into("<Q", raw, 24, len(raw))
    table.write_bytes(raw)
    table.with_suffix(".gdbtablx").write_bytes(index)
    return path


def _circle(triangle: bytes, x: float, y: float, radius: float) -> bytes:
    """The circle as the blob of a geometry; the grid's origin is learned from the triangle's own."""
    at = 1
    for _ in range(2):
        _, at = _unsigned(triangle, at)
    west, at = _unsigned(triangle, at)
    south, at = _unsigned(triangle, at)
    reach = round(2 * radius * _SCALE)
    middle = south  # the triangle stands on the diameter
    box = (west, middle - reach // 2, reach, reach)
    steps = [(west, middle), (reach, 0), (-reach, 0)]
    arcs = b"".join(
        _varuint(i) + _varuint(_ARC) + struct.pack("<ddI", x, y + side * radius, _BY_POINT) for i, side in ((0, 1), (1, -1))
    )  # fmt: skip
    head = b"".join(_varuint(each) for each in (CURVED_POLYGON, 3, 1, 2, *box))
    return head + b"".join(_varint(each) for step in steps for each in step) + arcs


def _unsigned(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _varuint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _varint(value: int) -> bytes:
    """A signed number: the first byte holds the sign and six bits, the others seven."""
    rest, sign = abs(value), 0x40 if value < 0 else 0
    if rest <= 0x3F:
        return bytes([rest | sign])
    return bytes([rest & 0x3F | sign | 0x80]) + _varuint(rest >> 6)
