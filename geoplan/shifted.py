"""GCJ-02 and BD-09, the shifted degrees of Chinese web maps, to and from WGS 84.

Maps of 高德 and 腾讯 are drawn in GCJ-02, those of 百度 in BD-09: 300 to 700 m and 0.9 to 1.3 km from the truth, by an
amount that changes from place to place, so areas are wrong as well (−0.16 % at Nantong). The formulas are those that
all public implementations share; the way back is a fixed-point iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shifted = Literal["gcj02", "bd09"]
SHIFTED: tuple[Shifted, ...] = ("gcj02", "bd09")

_A = 6378245.0
_EE = 0.00669342162296594323
_X_PI = np.pi * 3000.0 / 180.0
_STEPS = 12
_CLOSE = 1e-11
"""Degrees: about a micrometre."""


def to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 degrees to GCJ-02 degrees; arrays of one shape.

    >>> lon, lat = to_gcj02(np.array([120.86]), np.array([32.01]))
    >>> round(float(lon[0]), 6), round(float(lat[0]), 6)
    (120.864254, 32.007856)
    """
    east, north = _wobble(lon - 105.0, lat - 35.0)
    phi = np.radians(lat)
    magic = 1.0 - _EE * np.sin(phi) ** 2
    root = np.sqrt(magic)
    north = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * root) * np.pi)
    east = east * 180.0 / (_A / root * np.cos(phi) * np.pi)
    return lon + east, lat + north


def _wobble(x: Array, y: Array) -> tuple[Array, Array]:
    """The shift east and north, metres, of degrees counted from 105° E, 35° N."""
    root = np.sqrt(np.abs(x))
    fast = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + fast
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + fast
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    return east, north


def to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS 84 degrees to BD-09 degrees."""
    x, y = to_gcj02(lon, lat)
    z = np.hypot(x, y) + 0.00002 * np.sin(y * _X_PI)
    theta = np.arctan2(y, x) + 0.000003 * np.cos(x * _X_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


FORWARD: dict[Shifted, Callable[[Array, Array], tuple[Array, Array]]] = {"gcj02": to_gcj02, "bd09": to_bd09}


def to_wgs84(lon: Array, lat: Array, shifted: Shifted) -> tuple[Array, Array]:
    """Shifted degrees to WGS 84 degrees: there and back again is within 0.01 mm inside China.

    Each step corrects the guess by what the forward formula misses; about six steps are enough.
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    forward = FORWARD[shifted]
    x, y = lon, lat
    for _ in range(_STEPS):
        there_x, there_y = forward(x, y)
        off_x, off_y = lon - there_x, lat - there_y
        x, y = x + off_x, y + off_y
        if not np.any(np.abs(off_x) > _CLOSE) and not np.any(np.abs(off_y) > _CLOSE):
            break
    return x, y
