# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Covered shares, cells within a distance, and burned cells, against GEOS, rasterio and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import distance_transform_edt

from geoplan.plane import Plane
from geoplan.search.cover import apart, burned, covered_share, touched
from geoplan.search.distance import cell_widths, centre_widths, halo, widened
from geoplan.search.features import Features
from geoplan.search.grid import Grid
from geoplan.search.wkb import features_of_wkb

WEST, NORTH = 510_000.0, 3_416_400.0
GRID = Grid(Plane(120), WEST, NORTH, 30.0, 13, 17)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=40)


def cells(grid):
    rows, columns = np.indices(grid.shape)
    west, north = grid.west + columns * grid.cell, grid.north - rows * grid.cell
    return shapely.box(west, north - grid.cell, west + grid.cell, north)


def star(random, *, aligned=True):
    """A polygon around some place in or beside the grid, with a hole or none."""
    west, south, east, north = GRID.bounds
    x, y = random.uniform(west - 60, east + 60), random.uniform(south - 60, north + 60)
    angle = np.linspace(0, 2 * np.pi, int(random.integers(3, 30)), endpoint=False)
    radius = random.uniform(0.3, 1, len(angle)) * 150
    ring = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
    if aligned and random.random() < 0.3:
        ring = np.round((ring - [WEST, NORTH]) / 15) * 15 + [WEST, NORTH]  # vertices and edges on lines of the grid
    shape = shapely.make_valid(shapely.Polygon(ring))
    hole = shapely.Point(x, y).buffer(radius.min() * 0.8, quad_segs=3)
    return shapely.difference(shape, hole) if random.random() < 0.5 else shape


def anything(random, *, aligned=True):
    kind = random.integers(3)
    if kind == 0:
        return star(random, aligned=aligned)
    points = np.array(GRID.bounds[:2]) + random.uniform(-60, 560, (int(random.integers(2, 6)), 2))
    return shapely.LineString(points) if kind == 1 else shapely.MultiPoint(points)


def polygons_only(shapes):
    return np.array([p for p in shapely.get_parts(shapely.get_parts(shapes)) if p.geom_type == "Polygon"], dtype=object)


@FEW
@given(SEEDS)
def test_covered_share_is_geos_area(seed):
    random = np.random.default_rng(seed)
    shapes = polygons_only(np.array([star(random) for _ in range(5)], dtype=object))
    expected = shapely.area(shapely.intersection(cells(GRID), shapely.union_all(shapes))) / GRID.cell_area
    share = covered_share(Features.of(apart(shapes)), GRID)
    np.testing.assert_allclose(share, expected, rtol=0, atol=1e-9)


def test_a_coverage_keeps_its_patches_and_an_overlap_is_counted_once():
    left, right = shapely.box(0, 0, 30, 30), shapely.box(30, 0, 60, 30)
    assert apart([left, right]).tolist() == [left, right]
    over = apart([left, shapely.box(15, 0, 45, 30), shapely.box(900, 0, 930, 30)])
    assert shapely.area(over).sum() == pytest.approx(45 * 30 + 900)


@FEW
@given(SEEDS, st.sampled_from([0.0, 12.5, 45.0, 100.0, 260.0]))
def test_no_cell_within_the_distance_is_missed_and_none_beyond_is_taken(seed, distance):
    random = np.random.default_rng(seed)
    shapes = [anything(random) for _ in range(2)]
    away = shapely.distance(cells(GRID), shapely.union_all(shapes))
    mask = touched(Features.of(shapes), GRID, distance).astype(bool)
    assert not (~mask & (away <= distance)).any()
    assert not (mask & (away > distance + 1e-4)).any()


def test_a_buffer_of_geos_leaves_no_eligible_cell_inside_at_coarse_cells():
    random = np.random.default_rng(5)
    grid = Grid(Plane(120), WEST, NORTH, 100.0, 120, 120)
    points = [shapely.Point(xy) for xy in np.array(grid.bounds[:2]) + random.uniform(0, 12_000, (40, 2))]
    inside = shapely.union_all(shapely.buffer(points, 500.0, quad_segs=64))
    eligible = touched(Features.of(points), grid, 500.0) == 0
    assert eligible.any()
    assert shapely.area(shapely.intersection(cells(grid)[eligible], inside)).max() == 0.0


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rasterio's own use of affine
@FEW
@given(SEEDS)
def test_burned_cells_are_gdals(seed):
    random = np.random.default_rng(seed)
    shapes = [anything(random, aligned=False) for _ in range(4)]  # GDAL takes centres on an edge by other rules
    transform = from_origin(WEST, NORTH, 30, 30)
    expected = np.zeros(GRID.shape, np.uint8)
    for shape in shapes:
        expected |= np.asarray(rasterize([shape], out_shape=GRID.shape, transform=transform, dtype="uint8"))
    np.testing.assert_array_equal(burned(Features.of(shapes), GRID), expected)


@FEW
@given(SEEDS, st.floats(0, 200), st.sampled_from([0.002, 0.05, 0.5]))
def test_widened_is_the_exact_distance_transform_by_strips(seed, distance, density):
    mask = (np.random.default_rng(seed).random((41, 37)) < density).astype(np.uint8)
    widths = centre_widths(distance, 10.0)
    reach = halo(widths)
    parts = []
    for first in range(0, 41, 16):
        last, above = min(first + 16, 41), max(first - reach, 0)
        parts.append(widened(mask[above : last + reach], widths, first - above, last - first))
    expected = (
        np.asarray(distance_transform_edt(mask == 0)) * 10.0 <= distance if mask.any() else np.zeros(mask.shape, bool)
    )
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_a_distance_of_many_cells_needs_wider_numbers():
    mask = np.zeros((3, 900), np.uint8)
    mask[1, 0] = 1
    out = widened(mask, centre_widths(6000, 10.0), 0, 3)
    assert out.sum(axis=1).tolist() == [600, 601, 600]


@FEW
@given(SEEDS, st.sampled_from([1.0, 30.0, 42.0, 75.0]))
def test_cells_apart_are_measured_between_their_edges(seed, distance):
    mask = (np.random.default_rng(seed).random(GRID.shape) < 0.02).astype(np.uint8)
    away = shapely.distance(cells(GRID), shapely.union_all(cells(GRID)[mask == 1]))
    out = widened(mask, cell_widths(distance, 30.0), 0, GRID.rows)
    np.testing.assert_array_equal(out == 1, away <= distance + 1e-6)


@FEW
@given(SEEDS)
def test_binary_rows_give_the_same_arrays_as_geometries(seed):
    random = np.random.default_rng(seed)
    shapes = [anything(random) for _ in range(3)] + [shapely.force_3d(star(random), 7.0)]
    flavour = ["iso", "extended"][seed % 2]
    rows = [b"", *(shapely.to_wkb(shape, flavor=flavour, include_srid=flavour == "extended") for shape in shapes)]
    offsets = np.cumsum([0, *map(len, rows)])
    read = features_of_wkb(np.frombuffer(b"".join(rows), np.uint8), offsets)
    by_kind = Features.of(shapes)
    order = np.lexsort(read.bounds.T)
    np.testing.assert_array_equal(read.bounds[order], by_kind.bounds[np.lexsort(by_kind.bounds.T)])
    np.testing.assert_array_equal(touched(read, GRID, 20.0), touched(by_kind, GRID, 20.0))
    np.testing.assert_allclose(covered_share(read, GRID), covered_share(by_kind, GRID), rtol=0, atol=1e-12)


def test_big_endian_rows_and_empty_points_go_through_geos_and_damage_is_refused():
    rows = [shapely.to_wkb(shapely.box(0, 0, 1, 2), byte_order=0), shapely.to_wkb(shapely.Point())]
    data = np.frombuffer(b"".join(rows), np.uint8)
    assert features_of_wkb(data, np.cumsum([0, *map(len, rows)])).bounds.tolist() == [[0, 0, 1, 2]]
    whole = shapely.to_wkb(shapely.box(0, 0, 1, 2))
    for length in (3, 8, 12, 60):
        with pytest.raises(shapely.errors.GEOSException):
            features_of_wkb(np.frombuffer(whole[:length], np.uint8), np.array([0, length]))
