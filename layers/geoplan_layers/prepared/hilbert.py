"""Places along the Hilbert curve: neighbours in the plane lie near each other in the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL = 16
"""Halvings of each axis."""


def hilbert_keys(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint32]:
    """How far along the curve over their common box each point lies.

    >>> hilbert_keys(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])).argsort().tolist()
    [0, 1, 2, 3]
    """
    across, up = _cells(x), _cells(y)
    keys = np.zeros(len(x), dtype=np.uint32)
    for step in range(LEVEL - 1, -1, -1):
        side = np.uint32(1 << step)
        right, top = (across & side) > 0, (up & side) > 0
        keys += side * side * ((np.uint32(3) * right) ^ top).astype(np.uint32)
        turned = ~top
        flipped = turned & right
        across[flipped], up[flipped] = side - 1 - (across[flipped] & (side - 1)), side - 1 - (up[flipped] & (side - 1))
        across[turned], up[turned] = up[turned], across[turned]
    return keys


def _cells(values: NDArray[np.float64]) -> NDArray[np.uint32]:
    if len(values) == 0:
        return np.zeros(0, dtype=np.uint32)
    low, high = float(values.min()), float(values.max())
    width = (high - low) or 1.0
    return np.minimum((values - low) / width * (1 << LEVEL), (1 << LEVEL) - 1).astype(np.uint32)
