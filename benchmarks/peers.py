"""What the overlap kernel is measured against: each gives (proposal, patch, planar area) of every pair, from memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
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


JOIN = (
    "SELECT p.id AS proposal, f.id AS patch, CASE WHEN ST_Contains(p.geometry, f.geometry) THEN ST_Area(f.geometry) "
    "ELSE ST_Area(ST_Intersection(p.geometry, f.geometry)) END AS area "
    "FROM asked p JOIN farm f ON ST_Intersects(p.geometry, f.geometry)"
)
"""The best plan that was found for both engines: patches wholly inside are taken by their area."""
PLAIN = (
    "SELECT p.id AS proposal, f.id AS patch, ST_Area(ST_Intersection(p.geometry, f.geometry)) AS area "
    "FROM asked p JOIN farm f ON ST_Intersects(p.geometry, f.geometry)"
)


class DuckDB:
    """DuckDB's spatial extension with a layer in memory."""

    def __init__(self, layer: Path, threads: int) -> None:
        import duckdb
        import duckdb_extension_spatial

        extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("*.duckdb_extension"))
        self._open = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        self._open.execute(f"LOAD '{extension}'; SET threads={threads}")
        self._open.execute(f"CREATE TABLE farm AS SELECT id, geometry::GEOMETRY AS geometry FROM '{layer}'")

    def ask(self, proposals: Path) -> None:
        self._open.execute(
            f"CREATE OR REPLACE TABLE asked AS SELECT id, geometry::GEOMETRY AS geometry FROM '{proposals}'"
        )

    def answer(self, query: str = JOIN) -> Pairs:
        found = self._open.execute(query).fetchnumpy()
        return found["proposal"], found["patch"], found["area"]

    def index(self) -> None:
        self._open.execute("CREATE INDEX places ON farm USING RTREE (geometry)")

    def one(self, proposal: shapely.Geometry) -> Pairs:
        """One proposal by the index, which constants alone use."""
        text = shapely.to_wkt(proposal, rounding_precision=-1)
        found = self._open.execute(
            "SELECT id, CASE WHEN ST_Contains(q, geometry) THEN ST_Area(geometry) ELSE ST_Area(ST_Intersection(geometry, q)) "
            f"END AS area FROM (SELECT id, geometry, ST_GeomFromText('{text}') AS q FROM farm "
            f"WHERE ST_Intersects(geometry, ST_GeomFromText('{text}')))"
        ).fetchnumpy()
        return np.zeros(len(found["id"]), np.int64), found["id"], found["area"]


class SedonaDB:
    """SedonaDB with a layer in memory, or straight from its file."""

    def __init__(self, layer: Path, threads: int) -> None:
        import sedonadb

        self._open, self._layer = sedonadb.connect(), layer
        self._open.sql(f"SET datafusion.execution.target_partitions = {threads}").execute()
        self._open.read_parquet(str(layer)).to_view("file", overwrite=True)
        self._open.sql("SELECT id, geometry FROM file").to_memtable().to_view("farm", overwrite=True)

    def ask(self, proposals: Path) -> None:
        self._open.read_parquet(str(proposals)).to_memtable().to_view("asked", overwrite=True)

    def answer(self, query: str = JOIN) -> Pairs:
        found = pa.table(self._open.sql(query))
        return tuple(found[name].to_numpy() for name in ("proposal", "patch", "area"))  # type: ignore[return-value]

    def from_file(self, query: str = PLAIN) -> Pairs:
        self._open.read_parquet(str(self._layer)).to_view("file", overwrite=True)
        return self.answer(query.replace("FROM asked p JOIN farm f", "FROM asked p JOIN file f"))
