"""Vector tiles: decoded by another library, beside shapely's clip of exactly transformed patches."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import rasterio.features
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geoplan.measure import polygons_of
from geoplan.plane import Plane
from geoplan.progress import Cancelled
from geoplan_layers.prepared.kernel import pack_of
from geoplan_layers.prepared.pack import Drawn as Kept
from geoplan_layers.prepared.pack import Floats, Pack, group_boxes
from geoplan_layers.prepared.tiles import message
from geoplan_layers.prepared.tiles.address import DEEPEST, Tile, ground, mercator, way
from geoplan_layers.prepared.tiles.outline import Rings
from geoplan_layers.prepared.tiles.overview import CELLS, Overview, make_overview, open_overview, outlined
from geoplan_layers.prepared.tiles.tileset import CROWD, EXTENT, MARGIN, MOST, TileSet

PLANE = Plane(120)
CODES, NAMES = ("0101", "0301", ""), ("水田", "乔木林地", "")
X0, Y0 = 500_000.0, 3_400_000.0
"""A place near Huzhou."""


def told(shapes: list[Any], codes: list[int] | None = None, ids: list[str] | None = None, plane: Plane = PLANE) -> Pack:
    """A pack with codes, names and numbers."""
    pack, count = pack_of(shapes, plane), len(shapes)
    which = np.array(codes or [0] * count, np.int32)
    words = [each.encode() for each in ids or [f"3305{i}" for i in range(count)]]
    return dataclasses.replace(
        pack,
        codes=which, names=which, code_words=CODES, name_words=NAMES,
        ids=np.frombuffer(b"".join(words), np.uint8), id_ends=np.cumsum([len(each) for each in words]),
    )  # fmt: skip


def around(x: float, y: float, zoom: int, plane: Plane = PLANE) -> Tile:
    """The tile that holds a point of the plane."""
    px, py = mercator(plane, np.array([x]), np.array([y]))
    return Tile(zoom, int(px[0] * 2**zoom), int(py[0] * 2**zoom))


def decoded(content: bytes, name: str = "land-use") -> dict[str, Any]:
    tile: dict[str, Any] = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})
    assert list(tile) == [name]
    layer: dict[str, Any] = tile[name]
    return layer


def in_tile(shape: Any, tile: Tile, plane: Plane = PLANE) -> Any:
    """A shape of the plane in units of a tile, each vertex moved exactly."""

    def move(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        px, py = mercator(plane, x, y)
        return (px * 2.0**tile.z - tile.x) * EXTENT, (py * 2.0**tile.z - tile.y) * EXTENT

    return shapely.transform(shape, move, interleaved=False)  # type: ignore[arg-type]


def polygon(feature: dict[str, Any]) -> Any:
    """A feature as polygons: shells without their holes; sides along the rim that are walked twice are none."""
    parts = []
    for part in shapely.get_parts(shapely.geometry.shape(feature["geometry"])):
        shell, *holes = (shapely.make_valid(shapely.polygons(ring)) for ring in shapely.get_rings(part))
        parts.append(shell.difference(shapely.union_all(holes)))
    return polygons_of(shapely.union_all(parts))


def clipped(shape: Any, tile: Tile, plane: Plane = PLANE) -> Any:
    window = shapely.box(-MARGIN, -MARGIN, EXTENT + MARGIN, EXTENT + MARGIN)
    return polygons_of(shapely.intersection(in_tile(shape, tile, plane), window))


def near(made: Any, exact: Any) -> None:
    """Outlines within a unit of each other, both ways, but for what is thinner than that."""
    thick = polygons_of(shapely.buffer(exact, -1))
    assert shapely.covers(shapely.buffer(exact, 1), made)
    assert thick.is_empty or shapely.covers(shapely.buffer(made, 1.01), thick)
    assert made.area == pytest.approx(exact.area, abs=exact.length + 4)


# --- Patches ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1), corners=st.integers(3, 120), radius=st.floats(20, 3000),
    zoom=st.integers(13, DEEPEST), aside=st.floats(-1.2, 1.2), meridian=st.sampled_from([111, 120, 123]),
)  # fmt: skip
def test_a_patch_lies_within_a_unit_of_its_exact_clip(
    seed: int, corners: int, radius: float, zoom: int, aside: float, meridian: int
) -> None:
    plane = Plane(meridian)
    random = np.random.default_rng(seed)
    angle, far = np.sort(random.uniform(0, 2 * np.pi, corners)), radius * random.uniform(0.3, 1, corners)
    ring = shapely.Polygon(np.column_stack([X0 + far * np.cos(angle), Y0 + far * np.sin(angle)]))
    shape = polygons_of(shapely.make_valid(ring).difference(shapely.Point(X0, Y0).buffer(radius / 8)))
    if shape.is_empty:
        return
    tile = around(X0 + aside * radius, Y0 + aside * radius / 2, zoom, plane)
    exact = clipped(shape, tile, plane)
    drawn = TileSet(told([shape], plane=plane), "land-use").draw(tile)
    if not drawn.content:
        assert drawn.left_out or polygons_of(shapely.buffer(exact, -1)).is_empty
        return
    (feature,) = decoded(drawn.content)["features"]
    near(polygon(feature), exact)


def test_attributes_numbers_and_ids_are_those_of_the_patch() -> None:
    shapes = [shapely.box(X0 + 50 * i, Y0, X0 + 50 * i + 40, Y0 + 40) for i in range(4)]
    pack = told(shapes, [0, 1, 2, 1], ["甲-1", "乙-2", "", "丙-4"])
    layer = decoded(TileSet(pack, "land-use").draw(around(X0 + 100, Y0 + 20, 15)).content)
    assert (layer["version"], layer["extent"]) == (2, EXTENT)
    assert [(f["id"], f["properties"]) for f in layer["features"]] == [
        (1, {"code": "0101", "name": "水田", "id": "甲-1"}),
        (2, {"code": "0301", "name": "乔木林地", "id": "乙-2"}),
        (3, {}),
        (4, {"code": "0301", "name": "乔木林地", "id": "丙-4"}),
    ]


def test_neighbours_share_their_sides_after_rounding() -> None:
    """Without gaps and overlaps: the sum of the pieces is their union."""
    random = np.random.default_rng(5)
    points = shapely.MultiPoint(random.uniform([X0, Y0], [X0 + 2000, Y0 + 2000], (300, 2)))
    mesh = list(shapely.get_parts(shapely.voronoi_polygons(points)))
    tile = around(X0 + 1000, Y0 + 1000, 14)
    made = [polygon(f) for f in decoded(TileSet(told(mesh), "land-use").draw(tile).content)["features"]]
    assert len(made) > 150
    assert sum(shapely.area(made)) == pytest.approx(shapely.union_all(made).area, rel=1e-6)


def test_rings_are_oriented_as_the_specification_has_it() -> None:
    """Shells with positive area, holes with negative, y down (4.3.4.4), whatever the layer's own order is."""
    ring = shapely.box(X0, Y0, X0 + 400, Y0 + 400)
    holed = ring.difference(shapely.box(X0 + 100, Y0 + 100, X0 + 200, Y0 + 200))
    for clockwise in (True, False):
        pack = told([holed])
        if clockwise:
            xy = pack.xy.copy()
            for a, b in zip(pack.rings[:-1], pack.rings[1:], strict=True):
                xy[a:b] = xy[a:b][::-1]
            pack = dataclasses.replace(pack, xy=xy)
        (feature,) = decoded(TileSet(pack, "land-use").draw(around(X0 + 50, Y0 + 50, 14)).content)["features"]
        areas = [_surveyors(np.array(each)) for each in feature["geometry"]["coordinates"]]
        assert areas[0] > 0 > areas[1]


def _surveyors(ring: Any) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def test_several_parts_and_the_part_inside_a_hole_stay_apart() -> None:
    outer = shapely.box(X0, Y0, X0 + 600, Y0 + 600).difference(shapely.box(X0 + 100, Y0 + 100, X0 + 500, Y0 + 500))
    island = shapely.box(X0 + 200, Y0 + 200, X0 + 300, Y0 + 300)
    tile = around(X0 + 250, Y0 + 250, 14)
    shape = shapely.union(outer, island)
    (feature,) = decoded(TileSet(told([shape]), "land-use").draw(tile).content)["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    near(polygon(feature), clipped(shape, tile))


def test_a_tile_beside_the_layer_is_empty_and_one_that_is_none_is_refused() -> None:
    tiles = TileSet(told([shapely.box(X0, Y0, X0 + 40, Y0 + 40)]), "land-use")
    assert tiles.draw(Tile(14, 0, 0)) == (b"", 0)
    for wrong in (Tile(3, 8, 0), Tile(3, 0, -1), Tile(DEEPEST + 1, 0, 0), Tile(-1, 0, 0)):
        with pytest.raises(ValueError, match=r"no tile"):
            tiles.draw(wrong)
    nothing = TileSet(pack_of([], PLANE), "land-use")
    assert nothing.draw(Tile(0, 0, 0)) == (b"", 0)


def test_what_is_below_a_pixel_is_left_out_and_counted() -> None:
    shapes = [shapely.box(X0, Y0, X0 + 40, Y0 + 40), shapely.box(X0 + 100, Y0, X0 + 900, Y0 + 900)]
    tile = around(X0 + 20, Y0 + 20, 9)
    drawn = TileSet(told(shapes), "land-use").draw(tile)
    assert (drawn.left_out, [f["id"] for f in decoded(drawn.content)["features"]]) == (1, [2])


def test_of_too_many_patches_the_largest_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST > CROWD
    monkeypatch.setattr("geoplan_layers.prepared.tiles.tileset.MOST", 3)
    shapes = [shapely.box(X0 + 60 * i, Y0, X0 + 60 * i + 20 + 5 * (i % 4), Y0 + 40) for i in range(8)]
    drawn = TileSet(told(shapes), "land-use").draw(around(X0 + 240, Y0 + 20, 14))
    assert drawn.left_out == 5
    assert {3, 7} < {f["id"] - 1 for f in decoded(drawn.content)["features"]}


@pytest.mark.parametrize(("zoom", "reach"), [(18, 200), (14, 2_500), (10, 40_000), (6, 400_000)])
def test_the_fitted_way_is_within_a_fiftieth_of_a_unit(zoom: int, reach: float) -> None:
    box = (X0 - reach, Y0 - reach, X0 + reach, Y0 + reach)
    tile, (x, y) = around(X0, Y0, zoom), np.random.default_rng(2).uniform(box[:2], box[2:], (2000, 2)).T
    made = tile.way(PLANE, box, EXTENT)
    u, v = (x - made.x0) * made.sx, (y - made.y0) * made.sy
    exact = in_tile(shapely.points(x, y), tile)
    across, down = (np.polynomial.polynomial.polyval2d(u, v, each) for each in (made.across, made.down))
    assert np.abs(across - shapely.get_x(exact)).max() < 0.02
    assert np.abs(down - shapely.get_y(exact)).max() < 0.02


def test_roads_and_streams_are_lines() -> None:
    """A layer that is not of polygons alone: lines cut at the rim, streams that are areas beside them."""
    shapes = [
        shapely.LineString([(X0, Y0), (X0 + 500, Y0 + 40), (X0 + 9000, Y0 + 40)]),
        shapely.box(X0 + 100, Y0 + 100, X0 + 300, Y0 + 300).difference(shapely.Point(X0 + 200, Y0 + 200).buffer(50)),
        shapely.MultiLineString([[(X0, Y0 + 50), (X0 + 90, Y0 + 90)], [(X0, Y0 + 60), (X0 + 90, Y0 + 99)]]),
        shapely.LineString([(X0 + 90_000, Y0), (X0 + 90_100, Y0)]),
    ]
    raw = [shapely.to_wkb(each) for each in shapes]
    boxes = np.array([each.bounds for each in shapes])
    kept = Kept(np.frombuffer(b"".join(raw), np.uint8), np.cumsum([len(each) for each in raw]))
    pack = dataclasses.replace(
        told([shapely.box(*each.bounds).buffer(1) for each in shapes]),
        boxes=boxes, groups=group_boxes(boxes), drawn=kept,
    )  # fmt: skip
    tile = around(X0 + 200, Y0 + 100, 14)
    road, stream, tracks = decoded(TileSet(pack, "roads").draw(tile).content, "roads")["features"]
    window = shapely.box(-MARGIN, -MARGIN, EXTENT + MARGIN, EXTENT + MARGIN)
    assert [each["geometry"]["type"] for each in (road, stream, tracks)] == ["LineString", "Polygon", "MultiLineString"]
    exact = shapely.intersection(in_tile(shapes[0], tile), window)
    assert shapely.hausdorff_distance(shapely.geometry.shape(road["geometry"]), exact) < 1
    near(polygon(stream), clipped(shapes[1], tile))
    assert [_surveyors(np.array(each)) > 0 for each in stream["geometry"]["coordinates"]] == [True, False]


# --- From afar -------------------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(cells=arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
def test_traced_classes_give_the_same_grid_again(cells: Any) -> None:
    content = outlined(cells)
    if content is None:
        assert not cells.any()
        return
    classes, commands, ends = content
    assert classes.tolist() == sorted(set(cells.ravel().tolist()) - {0})
    starts, slots = np.concatenate(([0], ends[:-1])), np.full((len(ends), 3), -1, np.int64)
    written = message.filled(message.features, commands, starts, ends, ends * 0 + 3, ends * 0, slots)
    features = decoded(message.layer("land-use", CELLS, [written]))["features"]
    again = np.zeros_like(cells)
    for value, feature in zip(classes, features, strict=True):
        shape = shapely.geometry.shape(feature["geometry"])
        assert shapely.is_valid(shape)
        assert shape.area == np.count_nonzero(cells == value)
        assert len(shapely.get_parts(shape)) == _patches(cells == value)
        again[np.asarray(rasterio.features.rasterize([shape], cells.shape), dtype=bool)] = value
    assert np.array_equal(again, cells)


def _patches(mask: Any) -> int:
    from scipy.ndimage import label

    found: Any = label(mask)
    return int(found[1])


def _mesh(count: int, size: float) -> list[Any]:
    random = np.random.default_rng(11)
    points = shapely.MultiPoint(random.uniform([X0, Y0], [X0 + size, Y0 + size], (count, 2)))
    cells = shapely.voronoi_polygons(points, extend_to=shapely.box(X0, Y0, X0 + size, Y0 + size))
    holed = [each.difference(each.centroid.buffer(size / 200)) for each in shapely.get_parts(cells)]
    return [each for each in holed if not each.is_empty]


def test_a_cell_has_the_class_of_the_patch_at_its_centre() -> None:
    mesh = _mesh(400, 4000)
    pack = told(mesh, [i % 2 for i in range(len(mesh))])
    made = make_overview(pack, Rings(pack.xy, pack.rings, pack.parts, pack.patches), 12)
    columns, rows = np.meshgrid(np.arange(made.cells.shape[1]), np.arange(made.cells.shape[0]))
    box = ground(PLANE, tuple(shapely.total_bounds(mesh)))
    x = (columns + 0.5 + made.column) / CELLS / 2**12 * 360 - 180
    y = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (rows + 0.5 + made.row) / CELLS / 2**12))))
    assert x.min() < box[0] < box[2] < x.max()
    assert y.min() < box[1] < box[3] < y.max()
    points = np.asarray(shapely.points(*PLANE.from_lonlat(x.ravel(), y.ravel())))
    point, patch = shapely.STRtree(mesh).query(points, predicate="intersects")
    expected = np.zeros(points.shape, np.uint8)
    expected[point] = pack.codes[patch] + 1
    clear = ~shapely.dwithin(points, shapely.union_all(shapely.boundary(mesh)), 0.5)  # sides are straight on the plane
    assert np.count_nonzero(clear) > 10_000
    assert np.array_equal(made.cells.ravel()[clear], expected[clear])


def test_a_crowded_layer_is_drawn_from_afar_by_class_and_near_by_patch(tmp_path: Path) -> None:
    boxes = [
        shapely.box(X0 + 60 * i, Y0 + 60 * j, X0 + 60 * i + 60, Y0 + 60 * j + 60)
        for j in range(0, 100)
        for i in range(100)
    ]
    pack = told(boxes, [int(i % 100 >= 50) for i in range(len(boxes))])
    tiles = TileSet(pack, "land-use", tmp_path)
    assert tiles.detail_from == 14
    far = around(X0 + 3000, Y0 + 3000, 11)
    features = decoded(tiles.draw(far).content)["features"]
    assert [f["properties"] for f in features] == [{"code": "0101"}, {"code": "0301"}]
    square = in_tile(shapely.box(X0, Y0, X0 + 6000, Y0 + 6000), far)
    whole = shapely.clip_by_rect(square, 0, 0, EXTENT, EXTENT).area * (CELLS / EXTENT) ** 2
    assert sum(polygon(f).area for f in features) == pytest.approx(whole, rel=0.01)
    near_by = decoded(tiles.draw(around(X0 + 3000, Y0 + 3000, 14)).content)["features"]
    assert len(near_by) > 500
    assert {"code", "name", "id"} == set(near_by[0]["properties"])
    kept = open_overview(tmp_path)
    assert kept is not None
    assert np.array_equal(kept.cells, tiles.overview().cells)
    assert TileSet(pack, "land-use", tmp_path).draw(far) == tiles.draw(far)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["overview.json", "overview.npy"]


def test_an_overview_at_lower_zooms_looks_at_every_second_cell() -> None:
    cells = np.arange(64, dtype=np.uint8).reshape(8, 8)
    made = Overview(10, 512 * CELLS, 300 * CELLS, cells)
    assert np.array_equal(made.part(Tile(10, 512, 300))[:8, :8], cells)
    assert np.array_equal(made.part(Tile(9, 256, 150))[:4, :4], cells[1::2, 1::2])
    assert made.part(Tile(9, 256, 150)).astype(int).sum() == cells[1::2, 1::2].sum()
    assert not made.part(Tile(10, 513, 300)).any()


def test_making_an_overview_can_be_stopped() -> None:
    pack = told([shapely.box(X0, Y0, X0 + 40, Y0 + 40)])

    def stop(stage: str, done: float, total: float) -> None:
        assert (stage, done, total) == ("overview", 1, 1)
        raise Cancelled

    with pytest.raises(Cancelled, match=r"stopped|cancel"):
        TileSet(pack, "land-use").overview(stop)


def test_the_way_of_a_grid_is_that_of_its_tiles() -> None:
    box, tile = (X0, Y0, X0 + 1000, Y0 + 1000), around(X0, Y0, 12)
    own, grid = tile.way(PLANE, box, CELLS), way(PLANE, box, 2.0**12 * CELLS, (tile.x * CELLS, tile.y * CELLS))
    assert np.allclose(own.across, grid.across)
    assert np.allclose(own.down, grid.down)
