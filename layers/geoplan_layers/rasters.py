"""Rasters onto the grid of a search, and the results of a search as cloud-optimised GeoTIFF.

Only GeoTIFF (COG included) and SRTM tiles are opened, read only, by local path, without sidecar files.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from geoplan.crs import recognise, to_lonlat
from geoplan.errors import CannotFinish, InputRefused
from geoplan.search.grid import Grid

DRIVERS = {".tif": "GTiff", ".tiff": "GTiff", ".hgt": "SRTMHGT"}
BROKEN = (RasterioError, CPLE_BaseError, MemoryError)
SETTINGS: dict[str, Any] = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO", "GDAL_CACHEMAX": 64}
_TOLERANCE = 0.01
"""How far (source pixels) the warp may approximate the change of projection."""

Method = Literal["nearest", "bilinear"]


def read_raster(
    path: str | Path, grid: Grid, *, band: int = 1, resampling: Method = "nearest", anywhere: bool = False
) -> NDArray[np.float32]:
    """Values of a raster at the cells of a grid.

    A raster whose cells are the grid's own is read as it stands, any other is warped. What the raster marks as nodata
    and what lies outside of it is NaN, also between known neighbours (bilinear).

    Parameters
    ----------
    path
        ``.tif``, ``.hgt``, or a ``.zip`` that holds one of them.
    band
        From 1.
    resampling
        ``nearest`` for codes, ``bilinear`` for measures.
    anywhere
        Whether a datum other than CGCS2000 and WGS 84 may be changed by PROJ's published operation.

    Returns
    -------
    ``(rows, columns)`` float32.

    Raises
    ------
    InputRefused
        No such file, another format, damage, no coordinate system, a datum that may not be changed, no such band.
    """
    path = Path(path)
    with rasterio.Env(**SETTINGS), opened_raster(path) as source:
        if not 1 <= band <= source.count:
            raise InputRefused("raster-band", file=path.name, band=band, count=source.count)
        if source.crs is None:
            raise InputRefused("raster-without-crs", file=path.name)
        frame = recognise(source.crs.to_wkt())
        if frame is None:
            raise InputRefused("raster-without-crs", file=path.name)
        to_lonlat(frame, anywhere=anywhere, file=path.name)
        try:
            offset = _offset(source.transform, grid) if frame.epsg and frame.epsg == grid.plane.epsg else None
            return _window(source, band, grid, offset) if offset else _warped(source, band, grid, resampling)
        except BROKEN as wrong:
            raise InputRefused("raster-unreadable", file=path.name, detail=short(wrong)) from None


def read_own(path: Path, row: int, column: int, rows: int, columns: int) -> NDArray[Any]:
    """Cells of a raster that the product wrote, as they are stored.

    Raises
    ------
    InputRefused
        No such file, or it cannot be read.
    """
    with rasterio.Env(**SETTINGS), opened_raster(path) as source:
        window = Window.from_slices((row, row + rows), (column, column + columns))
        try:
            values: NDArray[Any] = source.read(1, window=window)
        except BROKEN as wrong:
            raise InputRefused("raster-unreadable", file=path.name, detail=short(wrong)) from None
    return values


@contextmanager
def opened_raster(path: Path, shown: str | None = None) -> Iterator[Any]:
    """A raster, open for reading by the one driver of its format, without anything that lies beside it.

    Parameters
    ----------
    shown
        The name that the user gave it.

    Raises
    ------
    InputRefused
        No such file, another format, damage.
    """
    if not path.is_file():
        raise InputRefused("no-such-file", file=shown or str(path))
    try:
        name, driver = _name(path.resolve())
        source = rasterio.open(name, driver=driver)
    except (*BROKEN, zipfile.BadZipFile) as wrong:
        raise InputRefused("raster-unreadable", file=shown or path.name, detail=short(wrong)) from None
    with source:
        yield source


def _name(path: Path) -> tuple[str, str]:
    """The file for GDAL and the one driver that may open it; for an archive the one raster in it."""
    if path.suffix.lower() != ".zip":
        return str(path), DRIVERS.get(path.suffix.lower(), "GTiff")
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if Path(name).suffix.lower() in DRIVERS]
    if len(inside) != 1:
        raise InputRefused("raster-in-zip", file=path.name, count=len(inside))
    return f"/vsizip/{{{path}}}/{inside[0]}", DRIVERS[Path(inside[0]).suffix.lower()]


def short(wrong: Exception) -> str:
    """The first line of what a library said."""
    return str(wrong).split("\n")[0][:200] or type(wrong).__name__


def _transform(grid: Grid) -> Affine:
    return Affine(grid.cell, 0.0, grid.west, 0.0, -grid.cell, grid.north)


def _offset(transform: Affine, grid: Grid) -> tuple[int, int] | None:
    """Row and column of the grid's first cell in a raster of the same cells; none if they are not the same."""
    if (transform.a, transform.b, transform.d, transform.e) != (grid.cell, 0.0, 0.0, -grid.cell):
        return None
    row, column = (transform.f - grid.north) / grid.cell, (grid.west - transform.c) / grid.cell
    if abs(row - round(row)) > 1e-6 or abs(column - round(column)) > 1e-6:
        return None
    return round(row), round(column)


def _window(source: Any, band: int, grid: Grid, offset: tuple[int, int]) -> NDArray[np.float32]:
    """The cells themselves; NaN where the grid goes past the raster."""
    row, column = offset
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + grid.rows, source.height), min(column + grid.columns, source.width)
    whole = (top, left, bottom, right) == (row, column, row + grid.rows, column + grid.columns)
    if bottom <= top or right <= left:
        return np.full(grid.shape, np.nan, dtype=np.float32)
    window = Window.from_slices((top, bottom), (left, right))
    values = _known(source.read(band, window=window), source, band, window)
    if whole:
        return values
    out = np.full(grid.shape, np.nan, dtype=np.float32)
    out[top - row : bottom - row, left - column : right - column] = values
    return out


def _known(read: NDArray[Any], source: Any, band: int, window: Window | None = None) -> NDArray[np.float32]:
    """Values as float32, NaN where nodata, an internal mask or an alpha band says that there are none."""
    values = read.astype(np.float32, copy=False)
    flags = [each.name for each in source.mask_flag_enums[band - 1]]
    if "nodata" in flags:
        if source.nodata == source.nodata:
            values[read == source.nodata] = np.nan
    elif "all_valid" not in flags:
        values[source.read_masks(band, window=window) == 0] = np.nan
    return values


def _warped(source: Any, band: int, grid: Grid, resampling: Method) -> NDArray[np.float32]:
    """Values warped to the grid; a cell whose nearest value is not known is not known, whatever lies beside it."""
    target = {
        "crs": grid.plane.crs.to_wkt(),
        "transform": _transform(grid),
        "width": grid.columns,
        "height": grid.rows,
        "tolerance": _TOLERANCE,
        "dtype": "float32",
        "nodata": float("nan"),
        "src_nodata": source.nodata,
    }
    with WarpedVRT(source, resampling=Resampling.nearest, **target) as warped:
        nearest: NDArray[np.float32] = warped.read(band)
    if resampling == "nearest":
        return nearest
    with WarpedVRT(source, resampling=Resampling.bilinear, **target) as warped:
        smooth: NDArray[np.float32] = warped.read(band)
    smooth[np.isnan(nearest)] = np.nan
    return smooth


def write_cog(path: Path, values: NDArray[Any], grid: Grid, *, nodata: float | None = None) -> None:
    """Values of a grid as a cloud-optimised GeoTIFF with overviews, in the grid's plane; the same bytes every time.

    Overviews take every second cell (nearest), so codes and masks stay what they are. Nothing is left half written.

    Parameters
    ----------
    values
        ``(rows, columns)`` uint8, uint16, uint32 or float32; a mask is written as 0 and 1.
    nodata
        The value that means "not known"; NaN for float32.

    Raises
    ------
    CannotFinish
        The file cannot be written.
    """
    array = values.astype(np.uint8) if values.dtype == np.bool_ else values
    profile = {
        "driver": "GTiff",
        "width": grid.columns,
        "height": grid.rows,
        "count": 1,
        "dtype": array.dtype,
        "crs": grid.plane.crs.to_wkt(),
        "transform": _transform(grid),
        "nodata": nodata,
    }
    part = path.with_name(f".{path.name}.part")
    layout = {"compress": "deflate", "predictor": "yes", "blocksize": 512, "overview_resampling": "nearest"}
    try:
        with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
            with memory.open(**profile) as plain:
                plain.write(array, 1)
            with memory.open() as plain:
                copy(plain, str(part), driver="COG", **layout)
        part.replace(path)
    except (*BROKEN, OSError) as wrong:
        part.unlink(missing_ok=True)
        raise CannotFinish("raster-cannot-write", file=path.name, detail=short(wrong)) from None
