# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Rasters onto a grid, slope, and cloud-optimised GeoTIFFs."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS
from rasterio.transform import Affine

from geoplan.crs import Frame
from geoplan.errors import CannotFinish, InputRefused
from geoplan.plane import Plane
from geoplan.search.grid import Grid
from geoplan.search.slope import slope_of
from geoplan_layers.rasters import read_raster, write_cog

GRID = Grid(Plane(120), 510_000.0, 3_416_400.0, 30.0, 20, 30)

DEGREES = Frame(CRS.from_epsg(4490), 4490, "cgcs2000")


def tiff(path, values, *, crs: str | None = "EPSG:4549", transform=None, nodata=None, grid=GRID):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=values.shape[1],
        height=values.shape[0],
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=transform or Affine(grid.cell, 0, grid.west, 0, -grid.cell, grid.north),
        nodata=nodata,
    ) as out:
        out.write(values, 1)
    return path


def test_cells_of_the_grid_are_read_as_they_stand_and_beyond_the_raster_nothing_is_known(tmp_path):
    values = np.arange(600, dtype=np.int16).reshape(20, 30)
    values[3, 4] = -9999
    path = tiff(tmp_path / "a.tif", values, nodata=-9999)
    read = read_raster(path, GRID.strip(-2, 22, 3))
    assert read.dtype == np.float32
    assert np.isnan(read).sum() == 24 * 36 - 600 + 1
    assert np.isnan(read[5, 7])
    np.testing.assert_array_equal(read[2:22, 3:33][values >= 0], values[values >= 0])
    assert np.isnan(read_raster(path, GRID.strip(500, 510))).all()


@pytest.mark.parametrize("nodata", [None, -1.0])
def test_degrees_are_warped_to_the_plane_with_what_is_not_known(tmp_path, nodata):
    """A plane in longitude and latitude, read bilinearly, is that plane at every cell's centre."""
    rows, columns = np.indices((24, 32))
    lon, lat = 120.099 + (columns + 0.5) * 0.0005, 30.875 - (rows + 0.5) * 0.0005
    values = ((lon - 120) * 1e4 + (lat - 30) * 1e3).astype(np.float32)
    values[12:14, 16:18] = -1.0 if nodata else values[12:14, 16:18]
    path = tiff(
        tmp_path / "d.tif",
        values,
        crs="EPSG:4326",
        transform=Affine(0.0005, 0, 120.099, 0, -0.0005, 30.875),
        nodata=nodata,
    )
    grid = Grid.over(Plane(120).bring(shapely.box(120.095, 30.86, 120.118, 30.878), DEGREES), 30.0, Plane(120))
    read = read_raster(path, grid, resampling="bilinear")
    r, c = np.indices(grid.shape)
    centre = grid.centres(r.ravel(), c.ravel())
    lons, lats = (each.reshape(grid.shape) for each in Plane(120).to_lonlat(centre[:, 0], centre[:, 1]))
    inside = (lons > 120.0993) & (lons < 120.1147) & (lats < 30.8747) & (lats > 30.8633)
    outside = (lons < 120.099) | (lons > 120.115) | (lats > 30.875) | (lats < 30.863)
    assert np.isnan(read[outside]).all()
    void = np.isnan(read) & inside
    assert void.any() == bool(nodata)
    known = inside & ~np.isnan(read)
    if nodata:
        known &= np.hypot(lons - 120.1075, lats - 30.8685) > 0.002
    assert known.sum() > 500
    expected = (lons - 120) * 1e4 + (lats - 30) * 1e3
    np.testing.assert_allclose(read[known], expected[known], rtol=0, atol=0.05)


def test_what_cannot_be_read_is_refused_by_name(tmp_path):
    def refused(path, **how):
        with pytest.raises(InputRefused) as caught:
            read_raster(path, GRID, **how)
        assert caught.value.file
        assert caught.value.say("zh") != caught.value.say("en")
        return caught.value.id

    assert refused(tmp_path / "none.tif") == "no-such-file"
    assert refused("/vsicurl/http://localhost/a.tif") == "no-such-file"
    text = tmp_path / "text.tif"
    text.write_text("not a raster")
    assert refused(text) == "raster-unreadable"
    vrt = tmp_path / "a.vrt"
    vrt.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"/>')
    assert refused(vrt) == "raster-unreadable"
    ones = np.ones((20, 30), np.uint8)
    assert refused(tiff(tmp_path / "b.tif", ones), band=2) == "raster-band"
    assert refused(tiff(tmp_path / "n.tif", ones, crs=None)) == "raster-without-crs"
    assert refused(tiff(tmp_path / "x.tif", ones, crs="EPSG:2384")) == "datum-refused"
    whole = (tmp_path / "b.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) - 400])
    assert refused(tmp_path / "cut.tif") == "raster-unreadable"
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(tmp_path / "b.tif", "one.tif")
        archive.write(tmp_path / "b.tif", "two.tif")
    assert refused(tmp_path / "two.zip") == "raster-in-zip"
    (tmp_path / "no.zip").write_bytes(b"PK")
    assert refused(tmp_path / "no.zip") == "raster-unreadable"


def test_srtm_in_its_archive_has_voids_and_plausible_slopes(real_data):
    path = real_data / "data" / "terrain" / "N49E011.hgt.zip"
    plane = Plane.around(11.6)
    centre = plane.from_lonlat(np.array([11.6]), np.array([49.95]))
    grid = Grid(plane, float(centre[0][0]) // 30 * 30, float(centre[1][0]) // 30 * 30, 30.0, 300, 300)

    def elevation(window):
        return read_raster(path, window, resampling="bilinear", anywhere=True)

    heights, slopes = elevation(grid), slope_of(elevation)(grid)
    assert 250 < np.nanmin(heights) < np.nanmax(heights) < 1100
    assert 0 < np.nanmedian(slopes) < 15
    assert (np.isnan(slopes) >= np.isnan(heights)).all()
    north = grid.strip(-600, 0)
    assert np.isnan(elevation(north)[0]).all()  # past 50° N the tile ends


def test_slope_is_horns_and_unknown_beside_a_void():
    def elevation(grid):
        rows, columns = np.indices(grid.shape)
        z = (columns * 3.0 + rows * 4.0).astype(np.float32)
        if grid.rows == 12:
            z[6, 6] = np.nan
        return z

    grid = Grid(Plane(120), 0.0, 0.0, 10.0, 10, 10)
    slopes = slope_of(elevation)(grid)
    assert np.isnan(slopes[4:7, 4:7]).all()
    assert np.isnan(slopes).sum() == 9
    np.testing.assert_allclose(slopes[~np.isnan(slopes)], np.degrees(np.arctan(0.5)), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.bool_])
def test_a_cog_is_the_same_every_time_and_reads_back(tmp_path, kind):
    grid = Grid(Plane(120), 510_000.0, 3_440_000.0, 30.0, 700, 900)
    values = (np.random.default_rng(1).random(grid.shape) * 200).astype(kind)
    nodata = float("nan") if kind is np.float32 else None
    write_cog(tmp_path / "a.tif", values, grid, nodata=nodata)
    write_cog(tmp_path / "b.tif", values, grid, nodata=nodata)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.tif", "b.tif"]
    with rasterio.open(tmp_path / "a.tif") as written:
        assert written.crs.to_epsg() == 4549
        assert written.overviews(1) == [2]
        assert written.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    np.testing.assert_array_equal(read_raster(tmp_path / "a.tif", grid), values.astype(np.float32))


def test_a_cog_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(CannotFinish) as caught:
        write_cog(tmp_path / "none" / "a.tif", np.zeros(GRID.shape, np.uint8), GRID)
    assert caught.value.id == "raster-cannot-write"
    assert list(tmp_path.iterdir()) == []
