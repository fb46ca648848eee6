"""The cells of a search for a page: which reasons exclude each, what is not known of it, how suitable it is.

They stand in the page once, in Web Mercator, and the page's script draws every picture and answers every click from
them: as zlib-packed bytes in Base64, the combinations of reasons as numbers of a table.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.plane import Plane
from geoplan_web.wording import Json

MOST = 700
"""Cells along the longer side of a page's grid; a finer search is shown by every k-th of its cells."""
NO_SUITABILITY = 255
STEPS = 250
"""Steps of suitability from 0 to 1."""
_LIMIT = 85.0511287798066


def cells_of(
    record: Json, reasons: NDArray[Any], doubts: NDArray[Any], suitability: NDArray[np.float32]
) -> dict[str, Any]:
    """The cells of a search as plain data.

    Parameters
    ----------
    record
        ``grid`` of ``geoplan/search/1``.
    reasons, doubts, suitability
        ``(rows, columns)`` of the grid; bits of constraints, and 0..1 with NaN where not known.

    Returns
    -------
    dict
        ``box`` (west, south, east, north in degrees), ``columns``, ``rows``, ``combinations`` (pairs of bits), and
        ``packed``: two bytes a cell for the combination (little-endian, the last one of the table outside the grid),
        then one a cell for the suitability in steps of 1/250, 255 where there is none.
    """
    box, index = _places(record)
    pairs = np.stack([reasons.ravel().astype(np.uint64), doubts.ravel().astype(np.uint64)], axis=1)
    joined = (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]
    table, which = np.unique(joined, return_inverse=True)
    inside = index >= 0
    chosen = np.where(inside, which[np.maximum(index, 0)], len(table)).astype("<u2")
    steps = np.rint(np.nan_to_num(suitability.ravel(), nan=-1.0) * STEPS)
    known = inside & np.isfinite(suitability.ravel()[np.maximum(index, 0)])
    shown = np.where(known, np.clip(steps[np.maximum(index, 0)], 0, STEPS), NO_SUITABILITY).astype(np.uint8)
    packed = base64.b64encode(zlib.compress(chosen.tobytes() + shown.tobytes(), 9)).decode()
    return {
        "box": [round(each, 7) for each in box],
        "columns": index.shape[1],
        "rows": index.shape[0],
        "combinations": [[int(each >> np.uint64(32)), int(each & np.uint64(0xFFFFFFFF))] for each in table],
        "packed": packed,
    }


def _places(record: Json) -> tuple[tuple[float, float, float, float], NDArray[np.int64]]:
    """Bounds in degrees of a grid in Web Mercator, and for each of its cells the one of the search, −1 outside."""
    plane, size = Plane(record["central_meridian"]), record["cell_m"]
    west, north, rows, columns = record["west"], record["north"], record["rows"], record["columns"]
    along, down = np.linspace(0, columns * size, 33), np.linspace(0, rows * size, 33)
    x, y = np.meshgrid(west + along, north - down)
    lon, lat = plane.to_lonlat(x.ravel(), y.ravel())
    low, high = _down(np.array([lat.max()]))[0], _down(np.array([lat.min()]))[0]
    step = max((lon.max() - lon.min()) / columns, 1e-9) * max(1.0, max(rows, columns) / MOST)
    wide, tall = int(np.ceil((lon.max() - lon.min()) / step)), int(np.ceil((high - low) * 360 / step))
    lons = lon.min() + (np.arange(wide) + 0.5) * step
    lats = _up(low + (np.arange(tall) + 0.5) * step / 360)
    grid_lon, grid_lat = np.meshgrid(lons, lats)
    px, py = plane.from_lonlat(grid_lon.ravel(), grid_lat.ravel())
    column = np.floor((px - west) / size).astype(np.int64)
    row = np.floor((north - py) / size).astype(np.int64)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    index = np.where(inside, row * columns + column, -1).reshape(tall, wide)
    south = float(_up(np.array([low + tall * step / 360]))[0])
    return (float(lon.min()), south, float(lon.min() + wide * step), float(lat.max())), index


def _down(lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Latitudes as shares of the world's square from the north."""
    return 0.5 - np.arctanh(np.sin(np.radians(np.clip(lat, -_LIMIT, _LIMIT)))) / (2 * np.pi)


def _up(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * share))))
