"""Cells within a Euclidean distance of other cells: exact, by row distances and one pass per row of the distance.

Each row's distance to its nearest set cell is found along the row; a cell is within reach if a row ``dy`` away has a
set cell within ``widths[dy]`` columns. With whole-number widths the answer is exact, circles and not diamonds.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geoplan.search.cover import Mask

Widths = NDArray[np.int64]


def centre_widths(distance: float, cell: float) -> Widths:
    """Columns within a distance (m) between cell centres, per row apart: the rule of a distance transform.

    The comparison is made in the same floating-point steps as ``distance_transform_edt(...) * cell <= distance``.

    >>> centre_widths(100, 30).tolist()
    [3, 3, 2, 1]
    """
    most = int(distance / cell) + 1
    squares = np.arange(most + 1) ** 2
    within = np.sqrt((squares[:, None] + squares[None, :]).astype(float)) * cell <= distance
    widths: Widths = within.sum(axis=1)[within[:, 0]].astype(np.int64) - 1
    return widths


def cell_widths(distance: float, cell: float) -> Widths:
    """Columns within which some part of a cell lies within a distance (m) of some part of another, per row apart.

    >>> cell_widths(30, 30).tolist()
    [2, 2, 1]
    """
    reach = distance / cell + 1e-9
    gaps = np.maximum(np.arange(int(reach) + 2) - 1, 0)
    return np.array([int(math.sqrt(reach * reach - gap * gap)) + 1 for gap in gaps], dtype=np.int64)


def halo(widths: Widths) -> int:
    """Rows and columns beyond a window that a distance reaches."""
    return int(max(len(widths) - 1, widths.max()))


def widened(mask: Mask, widths: Widths, first: int, rows: int) -> Mask:
    """Rows ``first`` to ``first + rows`` of a mask, with every cell within the widths of a set cell set.

    Parameters
    ----------
    mask
        ``(n, columns)`` uint8 with as many rows before and after as the distance reaches, where there are any.

    Returns
    -------
    ``(rows, columns)`` uint8.
    """
    kind = np.uint8 if widths.max() < 254 else np.uint16
    along = np.empty(mask.shape, dtype=kind)
    some = np.zeros(len(mask), dtype=np.uint8)
    _row_distances(mask, int(widths.max()) + 1, along, some)
    out = np.zeros((rows, mask.shape[1]), dtype=np.uint8)
    _reach(along, some, widths, first, out)
    return out


@njit(cache=True, nogil=True)
def _row_distances(mask, most, along, some):  # type: ignore[no-untyped-def]
    """Columns to the nearest set cell of the row, at most ``most``; and whether the row has any."""
    rows, columns = mask.shape
    for row in range(rows):
        away = most
        for column in range(columns):
            away = 0 if mask[row, column] else min(away + 1, most)
            along[row, column] = away
        if along[row].min() == most:
            continue
        some[row] = 1
        away = most
        for column in range(columns - 1, -1, -1):
            away = min(away + 1, int(along[row, column]))
            along[row, column] = away


@njit(cache=True, nogil=True)
def _reach(along, some, widths, first, out):  # type: ignore[no-untyped-def]
    rows, columns = out.shape
    for row in range(rows):
        line = out[row]
        for apart in range(1 - len(widths), len(widths)):
            other = first + row + apart
            if other < 0 or other >= len(some) or not some[other]:
                continue
            width = along.dtype.type(widths[abs(apart)])
            from_there = along[other]
            for column in range(columns):
                line[column] |= np.uint8(from_there[column] <= width)
