"""What the overlap kernel is measured against: each gives (proposal, patch, planar area) of every pair, from memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Peer = Callable[[np.ndarray], Pairs]


def overlay(shapes: np.ndarray, crs: Any) -> Peer:
    """``geopandas.overlay``; what is broken it mends itself."""
    layer = gpd.GeoDataFrame({"patch": np.arange(len(shapes))}, geometry=shapes, crs=crs)
    layer.sindex  # noqa: B018 - built before, as the kernel's index is

    def run(proposals: np.ndarray) -> Pairs:
        frame = gpd.GeoDataFrame({"proposal": np.arange(len(proposals))}, geometry=proposals, crs=crs)
        found = gpd.overlay(frame, layer, how="intersection", keep_geom_type=True)
        return found.proposal.to_numpy(), found.patch.to_numpy(), found.area.to_numpy()

    return run


def shortcut(shapes: np.ndarray, threads: int) -> Peer:
    """Shapely's STRtree, patches wholly inside taken by their area, only the others cut; the tree is there before."""
    tree, areas = shapely.STRtree(shapes), shapely.area(shapes)
    tree.query(shapely.box(0, 0, 1, 1))

    def some(proposals: np.ndarray, first: int) -> Pairs:
        i, j = tree.query(proposals)
        shapely.prepare(proposals)
        inside = shapely.contains_properly(proposals[i], shapes[j])
        bi, bj = i[~inside], j[~inside]
        hit = shapely.intersects(proposals[bi], shapes[bj])
        bi, bj = bi[hit], bj[hit]
        cut = shapely.area(shapely.intersection(shapes[bj], proposals[bi]))
        return (
            np.concatenate([i[inside], bi]) + first,
            np.concatenate([j[inside], bj]),
            np.concatenate([areas[j[inside]], cut]),
        )

    def run(proposals: np.ndarray) -> Pairs:
        parts = [p for p in np.array_split(np.arange(len(proposals)), threads * 8) if len(p)]
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda p: some(proposals[p].copy(), int(p[0])), parts))
        return tuple(np.concatenate([each[k] for each in found]) for k in range(3))  # type: ignore[return-value]

    return run


def duckdb(shapes: np.ndarray, threads: int) -> tuple[str, Peer] | None:
    """DuckDB's spatial join with whole patches taken by their area; none where it is not installed."""
    try:
        import duckdb as engine
        from duckdb_extensions import import_extension
    except ImportError:
        return None
    import pyarrow as pa

    connection = engine.connect(config={"allow_unsigned_extensions": "true"})
    import_extension("spatial", con=connection)
    connection.execute(f"LOAD spatial; SET threads={threads}")
    layer = pa.table({"patch": np.arange(len(shapes)), "wkb": pa.array(shapely.to_wkb(shapes), pa.binary())})
    connection.register("layer", layer)
    connection.execute("CREATE TABLE farm AS SELECT patch, ST_GeomFromWKB(wkb) AS shape FROM layer")
    connection.unregister("layer")

    def run(proposals: np.ndarray) -> Pairs:
        given = pa.table(
            {"proposal": np.arange(len(proposals)), "wkb": pa.array(shapely.to_wkb(proposals), pa.binary())}
        )
        connection.register("given", given)
        found = connection.execute(
            "WITH p AS MATERIALIZED (SELECT proposal, ST_GeomFromWKB(wkb) AS shape FROM given) "
            "SELECT p.proposal, f.patch, CASE WHEN ST_Contains(p.shape, f.shape) THEN ST_Area(f.shape) "
            "ELSE ST_Area(ST_Intersection(p.shape, f.shape)) END AS area "
            "FROM p JOIN farm f ON ST_Intersects(p.shape, f.shape)"
        ).fetchnumpy()
        return found["proposal"], found["patch"], found["area"]

    return f"DuckDB {engine.__version__} spatial join with contains", run
