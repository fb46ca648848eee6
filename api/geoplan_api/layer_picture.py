"""A small picture of a version as PNG: its classes in colours, or the heights or codes of a raster."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from geoplan_layers.prepared.layer import PreparedLayer
from geoplan_layers.prepared.picture import picture as classes_of
from geoplan_layers.prepared.raster import ELEVATION
from geoplan_layers.prepared.version import RASTER, Version
from geoplan_layers.rasters import SETTINGS
from geoplan_web.layer_kinds import LayerClass, kinds_of, tints_of

WIDTH, HEIGHT = 960, 640
"""Pixels that a picture has at most."""
_PAPER = (244, 243, 239)
_RAMP = ((0.0, "#4b7f52"), (0.25, "#a9b96b"), (0.5, "#e3d49a"), (0.75, "#b98d5e"), (1.0, "#f4efe6"))
"""Heights: green in the plain, brown on the hills, pale above."""
_CODES = ("#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#332288", "#bbbbbb")
"""Codes without a legend: Tol's muted colours (https://sronpersonalpages.nl/~pault/), told apart by all eyes."""


_drawn: OrderedDict[Path, bytes] = OrderedDict()
_MOST_KEPT = 64


def picture(version: Version) -> bytes:
    """The picture of a version as PNG; those drawn last are kept in memory, since a version never changes."""
    found = _drawn.get(version.folder)
    if found is None:
        found = _drawn[version.folder] = _made(version)
        while len(_drawn) > _MOST_KEPT:
            _drawn.popitem(last=False)
    return found


def _made(version: Version) -> bytes:
    if version.meta.raster:
        return _png(_raster(version))
    return classes(PreparedLayer(version)) or _png(_blank(WIDTH // 4, HEIGHT // 4))


def classes(layer: PreparedLayer) -> bytes | None:
    """The patches of a layer in the colours of its map; none where it has no polygons."""
    meta = layer.version.meta
    kinds = kinds_of(layer.role, meta.generation, [LayerClass(c.code, c.name, c.patches) for c in meta.classes])
    tints, others = tints_of(kinds)
    return classes_of(layer.pack, layer.role, [tints.get(code, others) for code in layer.pack.code_words])


def _raster(version: Version) -> NDArray[np.uint8]:
    """The cells of a raster, from the overview that is nearest in size."""
    with rasterio.Env(**SETTINGS), rasterio.open(version.folder / RASTER, driver="GTiff") as source:
        shrink = max(source.width / WIDTH, source.height / HEIGHT, 1.0)
        shape = (max(round(source.height / shrink), 1), max(round(source.width / shrink), 1))
        values = source.read(1, out_shape=shape, masked=True, resampling=Resampling.nearest)
    known = ~np.ma.getmaskarray(values) & np.isfinite(values.filled(0).astype(np.float64))
    plain = values.filled(0)
    picture = _heights(plain, known) if version.role == ELEVATION else _codes(plain, known, version)
    picture[~known] = _PAPER
    return picture


def _heights(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Heights by the ramp, lit from the north-west so that the ground shows its form."""
    heights = values.astype(np.float64)
    if not known.any():
        return _blank(values.shape[1], values.shape[0])
    low, high = np.percentile(heights[known], [1, 99])
    share = np.clip((heights - low) / max(high - low, 1e-9), 0, 1)
    stops = [at for at, _ in _RAMP]
    tints = np.array([_rgb(colour) for _, colour in _RAMP], np.float64)
    colour = np.stack([np.interp(share, stops, tints[:, band]) for band in range(3)], axis=-1)
    down, across = np.gradient(np.where(known, heights, low)) if min(values.shape) > 1 else (share * 0, share * 0)
    steep = max(float(np.percentile(np.hypot(down, across)[known], 95)), 1e-9)
    light = np.clip(1 - 0.35 * (across + down) / steep, 0.6, 1.15)
    lit: NDArray[np.uint8] = np.clip(colour * light[..., None], 0, 255).astype(np.uint8)
    return lit


def _codes(values: NDArray[Any], known: NDArray[np.bool_], version: Version) -> NDArray[np.uint8]:
    picture = _blank(values.shape[1], values.shape[0])
    for i, each in enumerate(version.meta.classes):
        picture[known & (values == float(each.code))] = _rgb(_CODES[i % len(_CODES)])
    return picture


def _blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _png(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    profile = {"driver": "PNG", "width": width, "height": height, "count": 3, "dtype": "uint8"}
    profile["transform"] = Affine(
        1.0, 0.0, 0.0, 0.0, -1.0, float(height)
    )  # a picture has none; rasterio warns where it has none
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(**profile) as out:
            out.write(np.moveaxis(picture, -1, 0))
        return bytes(memory.read())
