"""Vector tiles of a whole layer at zoom 14, beside DuckDB's ST_AsMVT and shapely with mapbox_vector_tile.

    python benchmarks/tiles.py OUT.json [--patches 1000000] [--tiles 40]

The peers hold the patches moved to Web Mercator already; geoplan moves them as it draws. All three have their index
before. Every tile is decoded and compared before a time counts: the same patches, and the area of each within what
rounding to whole units can change (half a unit along its outline). Low zooms are told, without a peer: none of them draws
a layer from afar in bounded time.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pyarrow as pa
import shapely
import synthetic
from rows import Section, Timed

from geoplan_layers.prepared.kernel import pack_of
from geoplan_layers.prepared.pack import Pack
from geoplan_layers.prepared.tiles.address import Tile, mercator
from geoplan_layers.prepared.tiles.tileset import EXTENT, MARGIN, TileSet

PATCHES, ZOOM = 1_000_000, 14
AROUND = 40_075_016.685578488
"""Metres along a side of the world in Web Mercator."""
NAME = "land-use"
Draw = Callable[[Tile], bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patches", type=int, default=PATCHES)
    parser.add_argument("--tiles", type=int, default=40)
    chosen = parser.parse_args()
    section = Section("Vector tiles", chosen.patches == PATCHES, chosen.out)
    shapes, farmland = synthetic.whole(chosen.patches)
    codes = synthetic.codes(farmland)
    tiles = TileSet(coded(shapes, codes), NAME)
    moved = in_mercator(shapes)
    asked = inside(tiles, ZOOM, chosen.tiles)
    ways: dict[str, tuple[Draw, float | None]] = {"shapely and mapbox_vector_tile": (by_shapely(moved, codes), None)}
    if (peer := by_duckdb(moved, codes)) is not None:
        ways["DuckDB ST_AsMVT, R-tree"] = (peer, 2)
    own, found = Timed("geoplan"), {name: Timed(name) for name in ways}
    for tile in asked:
        content = tiles.draw(tile).content
        for name, (draw, _) in ways.items():
            found[name].pairs += same(content, draw(tile), name)
    for turn in range(2):  # the first one warms
        for tile in asked:
            for name, (draw, _) in ways.items():
                mine, theirs = (Timed(""), Timed("")) if turn == 0 else (own, found[name])
                mine.run(lambda t=tile: tiles.draw(t))  # type: ignore[misc]
                theirs.run(lambda t=tile, d=draw: d(t))  # type: ignore[misc]
    for name, (_, target) in ways.items():
        section.add(f"one tile at zoom {ZOOM}, p50", own, found[name], target)
    section.notes += from_afar(tiles)
    section.save()


def coded(shapes: np.ndarray, codes: np.ndarray) -> Pack:
    """A pack with class codes and numbers, as an import makes it."""
    words, which = np.unique(codes.astype(str), return_inverse=True)
    numbers = [f"{i:08d}".encode() for i in range(len(shapes))]
    return replace(
        pack_of(shapes, synthetic.PLANE),
        codes=which.astype(np.int32), code_words=tuple(words.tolist()),
        ids=np.frombuffer(b"".join(numbers), np.uint8), id_ends=np.cumsum([len(each) for each in numbers]),
    )  # fmt: skip


def in_mercator(shapes: np.ndarray) -> np.ndarray:
    """Patches in EPSG:3857, each vertex moved."""

    def move(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        px, py = mercator(synthetic.PLANE, x, y)
        return (px - 0.5) * AROUND, (0.5 - py) * AROUND

    return shapely.transform(shapes, move, interleaved=False)


def inside(tiles: TileSet, zoom: int, count: int) -> list[Tile]:
    """Tiles that the layer fills, the same each time."""
    west, south, east, north = tiles.box
    random = np.random.default_rng(9)
    part = random.uniform(0.2, 0.8, (count, 2))
    px, py = mercator(synthetic.PLANE, west + part[:, 0] * (east - west), south + part[:, 1] * (north - south))
    return [Tile(zoom, int(x), int(y)) for x, y in zip(px * 2**zoom, py * 2**zoom, strict=True)]


def bounds(tile: Tile, margin: float = 0.0) -> tuple[float, float, float, float]:
    """Bounds of a tile in EPSG:3857."""
    side = AROUND / 2**tile.z
    west, north = tile.x * side - AROUND / 2, AROUND / 2 - tile.y * side
    return west - margin * side, north - (1 + margin) * side, west + (1 + margin) * side, north + margin * side


def by_shapely(shapes: np.ndarray, codes: np.ndarray) -> Draw:
    """STRtree, clip_by_rect, mapbox_vector_tile."""
    tree = shapely.STRtree(shapes)

    def draw(tile: Tile) -> bytes:
        window = bounds(tile, MARGIN / EXTENT)
        hit = np.sort(tree.query(shapely.box(*window)))
        cut = shapely.clip_by_rect(shapes[hit], *window)
        features = [
            {"geometry": shape, "id": int(i) + 1, "properties": {"code": codes[i], "id": f"{i:08d}"}}
            for i, shape in zip(hit, cut, strict=True)
            if not shape.is_empty
        ]
        options = {"quantize_bounds": bounds(tile), "extents": EXTENT}
        return bytes(mapbox_vector_tile.encode([{"name": NAME, "features": features}], default_options=options))

    return draw


def by_duckdb(shapes: np.ndarray, codes: np.ndarray) -> Draw | None:
    """ST_AsMVT over a table in memory with an R-tree; none where DuckDB is not installed."""
    try:
        import duckdb
        import duckdb_extension_spatial
    except ImportError:
        return None
    extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("*.duckdb_extension"))
    opened = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    opened.execute(f"LOAD '{extension}'; SET threads=1")
    ids = pa.array([f"{i:08d}" for i in range(len(shapes))])
    rows = pa.table(
        {
            "i": np.arange(1, len(shapes) + 1),
            "code": pa.array(codes.astype(str)),
            "id": ids,
            "wkb": shapely.to_wkb(shapes),
        }
    )
    opened.register("rows_given", rows)
    opened.execute("CREATE TABLE p AS SELECT i, code, id, ST_GeomFromWKB(wkb) AS g FROM rows_given")
    opened.unregister("rows_given")
    opened.execute("CREATE INDEX p_g ON p USING RTREE (g)")

    def draw(tile: Tile) -> bytes:
        window = ", ".join(map(repr, bounds(tile, MARGIN / EXTENT)))
        frame = ", ".join(map(repr, bounds(tile)))
        asked = (
            f"SELECT ST_AsMVT({{'geom': ST_AsMVTGeom(g, ST_Extent(ST_MakeEnvelope({frame})), {EXTENT}, {MARGIN}, true),"
            f" 'i': i, 'code': code, 'id': id}}, '{NAME}', {EXTENT}, 'geom')"
            f" FROM p WHERE ST_Intersects(g, ST_MakeEnvelope({window}))"
        )
        found = opened.execute(asked).fetchone()
        assert found is not None
        return bytes(found[0])

    return draw


def same(mine: bytes, theirs: bytes, name: str) -> int:
    """Fail unless two tiles hold the same patches with the same outlines; how many were compared."""
    own, peer = areas(mine), areas(theirs)
    alone = [each for each in own.keys() ^ peer.keys() if max(own.get(each, (0, 0))[0], peer.get(each, (0, 0))[0]) > 64]
    assert not alone, f"{name}: {len(alone)} patches stand on one side alone"
    for key in own.keys() & peer.keys():
        (a, outline), (b, _) = own[key], peer[key]
        assert abs(a - b) <= outline + 4, f"{name}: patch {key} has {a} and {b} square units"
    return len(own.keys() & peer.keys())


def areas(content: bytes) -> dict[str, tuple[float, float]]:
    """Area and length of the outline of each patch inside the tile itself, by its number."""
    features = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})[NAME]["features"]
    found = {}
    for feature in features:
        shape = shapely.make_valid(shapely.geometry.shape(feature["geometry"]))
        shape = shapely.intersection(shape, shapely.box(0, 0, EXTENT, EXTENT))
        if shape.area:
            found[feature["properties"]["id"]] = (shape.area, shape.length)
    return found


def from_afar(tiles: TileSet) -> list[str]:
    """Size and time of one tile at each zoom, and of making the overview."""
    making = Timed("overview")
    making.run(tiles.overview)
    lines = [
        f"Patches are drawn one by one from zoom {tiles.detail_from}; below it the overview, made once in {making.median:.1f} s.",
        "", "| zoom | KB | KB gzip | ms | patches below a pixel |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for zoom in range(7, 19):
        (tile,) = inside(tiles, zoom, 1)
        drawn, timed = tiles.draw(tile), Timed("")
        for _ in range(7):
            timed.run(lambda t=tile: tiles.draw(t))  # type: ignore[misc]
        packed = len(gzip.compress(drawn.content, 5))
        milliseconds = 1000 * statistics.median(timed.seconds)
        lines.append(
            f"| {zoom} | {len(drawn.content) / 1000:.1f} | {packed / 1000:.1f} | {milliseconds:.1f} | {drawn.left_out} |"
        )
    print(*lines, sep="\n", flush=True)
    return lines


if __name__ == "__main__":
    main()
