"""Smooth random fields and the warp that bends a ruled landscape into a grown one.

Only ``+ - * /`` and square roots are used, so that the same seed gives the same coordinates on every machine.
Invented data; no source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Amplitude = Callable[[FloatArray, FloatArray], FloatArray]


class Field:
    """A smooth random field over a rectangle: a uniform cubic B-spline on random lattice values.

    Parameters
    ----------
    rng : seeded generator; (rows + 3) x (columns + 3) values are drawn from it.
    width, height : size of the rectangle in metres, its south-west corner at (0, 0).
    spacing : distance of the lattice points in metres: the length of the waves.
    """

    def __init__(self, rng: np.random.Generator, width: float, height: float, spacing: float) -> None:
        self._spacing = spacing
        self._columns = int(width / spacing) + 2
        self._rows = int(height / spacing) + 2
        self._lattice: FloatArray = 2.0 * rng.random((self._rows + 3, self._columns + 3)) - 1.0

    def __call__(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Values in about -1..1 at design coordinates (m); held constant outside the rectangle."""
        u = np.clip(x / self._spacing, 0.0, self._columns - 0.001)
        v = np.clip(y / self._spacing, 0.0, self._rows - 0.001)
        column, row = u.astype(np.int64), v.astype(np.int64)
        across, along = _spline(u - column), _spline(v - row)
        value = np.zeros_like(u)
        for j in range(4):
            line = np.zeros_like(u)
            for i in range(4):
                line = line + across[i] * self._lattice[row + j, column + i]
            value = value + along[j] * line
        return value * 1.6

    def at(self, x: float, y: float) -> float:
        """The value at one point (m)."""
        return float(self(np.array([x]), np.array([y]))[0])


def _spline(t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    s = 1.0 - t
    return (
        s * s * s / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
        t * t * t / 6.0,
    )


@dataclass(frozen=True)
class Wave:
    """One displacement: two fields and how far they push (m), the same everywhere or by place."""

    east: Field
    north: Field
    amplitude: float | Amplitude


@dataclass(frozen=True)
class Warp:
    """Moves points by the sum of its waves; neighbours move together, so shared vertices stay shared."""

    waves: tuple[Wave, ...]

    def __call__(self, xy: FloatArray) -> FloatArray:
        """Displaced copies of ``xy`` (n x 2, design metres)."""
        x, y = xy[:, 0], xy[:, 1]
        east, north = x, y
        for wave in self.waves:
            push = wave.amplitude(x, y) if callable(wave.amplitude) else wave.amplitude
            east = east + push * wave.east(x, y)
            north = north + push * wave.north(x, y)
        return np.stack([east, north], axis=1)


def bumps(places: list[tuple[float, float, float]], floor: float, peak: float) -> Amplitude:
    """An amplitude that grows from ``floor`` to ``peak`` (m) within each place (x, y, radius in m)."""

    def amplitude(x: FloatArray, y: FloatArray) -> FloatArray:
        most = np.zeros_like(x)
        for px, py, radius in places:
            squared = ((x - px) * (x - px) + (y - py) * (y - py)) / (radius * radius)
            most = np.maximum(most, 1.0 / (1.0 + squared * squared))
        return floor + (peak - floor) * most

    return amplitude
