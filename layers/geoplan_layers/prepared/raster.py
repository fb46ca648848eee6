"""A raster as a version of a layer: a cloud-optimised GeoTIFF with overviews, in the cells that it came in.

Heights and land cover are samples: warping them once more would change them, so a version keeps the cells and the
system of its file, and a search warps them to its own grid when it reads them (`geoplan_layers.rasters`).
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rfc8785
from numpy.typing import NDArray
from rasterio.shutil import copy
from rasterio.windows import Window

from geoplan import __version__
from geoplan.crs import Frame, recognise, to_lonlat
from geoplan.errors import CannotFinish, InputRefused, TooLarge
from geoplan.plane import Plane
from geoplan.progress import Progress, unwatched
from geoplan_layers.prepared.importing import ImportRequest
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.prepared.version import (
    META,
    RASTER,
    ClassCount,
    Meta,
    Origin,
    Quality,
    Quarantine,
    RasterAbout,
    System,
    Version,
)
from geoplan_layers.rasters import BROKEN, SETTINGS, opened_raster, short
from geoplan_layers.reading import fingerprint

ELEVATION, LAND_COVER = "elevation", "land-cover"
ROLES = (ELEVATION, LAND_COVER)
MOST_CELLS = 10_000_000_000
_MOST_CLASSES = 256
_ROWS = 512
_OVERVIEWS = {ELEVATION: "average", LAND_COVER: "mode"}
"""Heights are averaged; of codes the most frequent is taken, since no code lies between two others."""


@dataclass
class _Counted:
    """What is known of the cells once all have been seen."""

    valid: int = 0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    total: float = 0.0
    digest: Any = None
    classes: dict[float, int] | None = None

    def add(self, values: NDArray[Any], known: NDArray[np.bool_]) -> None:
        """Count a strip of cells."""
        self.digest.update(np.ascontiguousarray(values).data)
        self.digest.update(np.packbits(known).data)
        kept = values[known]
        if kept.size == 0:
            return
        self.valid += kept.size
        self.minimum, self.maximum = min(self.minimum, float(kept.min())), max(self.maximum, float(kept.max()))
        self.total += float(kept.sum(dtype=np.float64))
        if self.classes is not None:
            for code, count in zip(*np.unique(kept, return_counts=True), strict=True):
                self.classes[float(code)] = self.classes.get(float(code), 0) + int(count)


def import_raster(request: ImportRequest, store: LayerStore, progress: Progress = unwatched) -> Version:
    """Look at every cell of a raster, write it as a version of the layer and put it in use.

    Parameters
    ----------
    request
        Of the role ``elevation`` (metres) or ``land-cover`` (codes), with one file: ``.tif``, ``.hgt``, or a ``.zip``
        that holds one of them; its first band counts.

    Raises
    ------
    InputRefused
        Several files, another format, damage, no coordinate system, no known cell, codes that are no whole numbers.
    TooLarge
        More cells than a layer may have.
    CannotFinish
        The disk does not allow it.
    Cancelled
        The user stopped it.
    """
    if len(request.files) != 1:
        raise InputRefused("raster-one-file", role=request.role)
    selector = request.files[0].selector
    with store.building() as folder:
        built = folder / "version"
        built.mkdir()
        with rasterio.Env(**SETTINGS), opened_raster(selector.path, selector.name) as source:
            frame = _frame(source, request)
            counted = _strips(source, frame, folder / "cells.tif", request.role, selector.name, progress)
            about = _about(source, counted)
            degrees = _degrees(source, frame)
        progress("overviews", 0, 0)
        _optimised(folder / "cells.tif", built / RASTER, request.role)
        origin = Origin(file=selector.name, sha256=fingerprint(selector.path), rows=0)
        meta = _meta(request, frame, about, counted, degrees, origin)
        (built / META).write_bytes(meta.model_dump_json(by_alias=True, indent=1).encode())
        progress("finishing", 0, 0)
        return store.put(built, request.role, meta.sha256)


def _frame(source: Any, request: ImportRequest) -> Frame:
    """The system of a raster; one that it lacks may be given with the file."""
    spec = request.files[0]
    frame = spec.frame or (recognise(source.crs.to_wkt()) if source.crs is not None else None)
    if frame is None:
        raise InputRefused("raster-without-crs", file=spec.selector.name)
    to_lonlat(frame, anywhere=request.anywhere, file=spec.selector.name)
    if source.width * source.height > MOST_CELLS:
        raise TooLarge("raster-cells", file=spec.selector.name, most=MOST_CELLS)
    if source.transform.b or source.transform.d or source.transform.a <= 0 or source.transform.e >= 0:
        raise InputRefused("raster-turned", file=spec.selector.name)
    return frame


def _strips(source: Any, frame: Frame, target: Path, role: str, name: str, progress: Progress) -> _Counted:
    """Copy the cells strip by strip into a tiled file, counting them on the way."""
    counted = _Counted(digest=sha256(), classes={} if role == LAND_COVER else None)
    dtype = np.dtype(source.dtypes[0])
    nodata = source.nodata
    masked = nodata is None and "all_valid" not in [each.name for each in source.mask_flag_enums[0]]
    profile = {
        "driver": "GTiff", "width": source.width, "height": source.height, "count": 1, "dtype": dtype,
        "crs": source.crs or frame.crs.to_wkt(), "transform": source.transform, "nodata": nodata,
        "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "bigtiff": "if_safer",
    }  # fmt: skip
    try:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(target, "w", **profile) as out:
            for window in _windows(source):
                values = source.read(1, window=window)
                known = source.read_masks(1, window=window) != 0
                if np.issubdtype(dtype, np.floating):
                    known &= np.isfinite(values)
                counted.add(values, known)
                _check_codes(counted, role, name)
                out.write(values, 1, window=window)
                if masked:
                    out.write_mask(known, window=window)
                progress("reading", min(window.row_off + window.height, source.height), source.height)
    except (*BROKEN, OSError) as wrong:
        raise InputRefused("raster-unreadable", file=name, detail=short(wrong)) from None
    if counted.valid == 0:
        raise InputRefused("raster-empty", file=name)
    return counted


def _windows(source: Any) -> Iterator[Window]:
    for top in range(0, source.height, _ROWS):
        yield Window(0, top, source.width, min(_ROWS, source.height - top))  # pyright: ignore[reportCallIssue]


def _check_codes(counted: _Counted, role: str, name: str) -> None:
    """Land cover is codes: whole numbers, and not more of them than a legend has."""
    if role != LAND_COVER or counted.classes is None:
        return
    if len(counted.classes) > _MOST_CLASSES or any(not code.is_integer() for code in counted.classes):
        raise InputRefused("raster-no-codes", file=name, most=_MOST_CLASSES)


def _about(source: Any, counted: _Counted) -> RasterAbout:
    return RasterAbout(
        width=source.width,
        height=source.height,
        cell=(source.transform.a, -source.transform.e),
        dtype=str(source.dtypes[0]),
        nodata=None if source.nodata is None or source.nodata != source.nodata else float(source.nodata),
        valid=counted.valid,
        minimum=counted.minimum,
        maximum=counted.maximum,
        mean=counted.total / counted.valid,
        bands=source.count,
    )


def _degrees(source: Any, frame: Frame) -> tuple[float, float, float, float]:
    """West, south, east, north of the raster's outline, degrees."""
    side = np.linspace(0, 1, 33)
    west, south, east, north = source.bounds
    x = np.concatenate([west + side * (east - west)] * 2 + [np.full(33, west), np.full(33, east)])
    y = np.concatenate([np.full(33, south), np.full(33, north)] + [south + side * (north - south)] * 2)
    lon, lat = to_lonlat(frame, anywhere=True)(x, y)
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _optimised(cells: Path, target: Path, role: str) -> None:
    """The cells as a cloud-optimised GeoTIFF with overviews."""
    layout = {
        "compress": "deflate", "predictor": "yes", "blocksize": 512, "bigtiff": "if_safer",
        "overview_resampling": _OVERVIEWS[role],
    }  # fmt: skip
    try:
        with rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_TIFF_INTERNAL_MASK=True):
            copy(str(cells), str(target), driver="COG", **layout)
    except (*BROKEN, OSError) as wrong:
        raise CannotFinish("raster-cannot-write", file=target.name, detail=short(wrong)) from None


def _meta(
    request: ImportRequest,
    frame: Frame,
    raster: RasterAbout,
    counted: _Counted,
    degrees: tuple[float, float, float, float],
    origin: Origin,
) -> Meta:
    said: dict[str, Any] = {
        "role": request.role,
        "content": counted.digest.hexdigest(),
        "day": request.day,
        "source": request.source,
        "valid_until": request.valid_until,
        "invented": request.invented,
        "system": System.of(frame),
        "raster": raster,
    }
    plain = Meta.model_construct(**said).model_dump(mode="json", include=set(said))
    classes = counted.classes or {}
    return Meta(
        sha256=sha256(rfc8785.dumps(plain)).hexdigest(),
        imported_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        generation=None,
        coded=bool(classes),
        crs=frame.label,
        central_meridian=Plane.around((degrees[0] + degrees[2]) / 2).central_meridian,
        patches=0,
        vertices=0,
        kinds=["Raster"],
        box=degrees,
        degrees=degrees,
        fields={},
        coverage=None,
        origins=[origin],
        classes=[
            ClassCount(code=f"{code:g}", name="", patches=count, area_m2=0.0)
            for code, count in sorted(classes.items(), key=lambda each: -each[1])
        ],
        quarantine=Quarantine(),
        quality=Quality(),
        notes=[],
        words={},
        software={"geoplan": __version__, "python": platform.python_version(), "rasterio": rasterio.__version__},
        **said,
    )
