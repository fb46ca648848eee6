"""Areas that many proposals share with a layer, and one: the kernel beside geopandas, shapely, DuckDB, SedonaDB, PostGIS.

    python benchmarks/overlap.py OUT.json [--patches 1000000] [--proposals 2000] [--rounds 2] [--threads 2]

Every pair that a peer gives is compared with the kernel's before a time counts (planar areas, since that is what peers
give). Timed are the kernel's areas on the ellipsoid where all is in memory, and planar ones from the file.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import peers
import postgis
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import synthetic
from rows import Section, Timed, compare, interleaved

from geoplan.plane import Plane
from geoplan_layers.prepared import kernel
from geoplan_layers.prepared.green import ring_sums
from geoplan_layers.prepared.pack import Pack, group_boxes
from geoplan_layers.prepared.ragged import box_each, orient, ragged_of

FULL = (1_000_000, 2000, 2)
EPSG = synthetic.PLANE.epsg
GROWN = 5
"""How many times larger the layer is on which one proposal is asked again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patches", type=int, default=FULL[0])
    parser.add_argument("--proposals", type=int, default=FULL[1])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=FULL[2])
    chosen = parser.parse_args()
    kernel.warm()
    layer = synthetic.clean(chosen.patches)
    asked = synthetic.proposals(chosen.proposals, layer.bounds)
    full = (chosen.patches, chosen.proposals, chosen.threads) == FULL
    section = Section("Overlap areas", full, chosen.out)
    vertices = int(shapely.get_num_coordinates(layer.shapes).sum())
    section.notes.append(
        f"Layer: {len(layer.shapes):,} farmland patches of {chosen.patches:,} ({vertices:,} vertices); proposals of 2.55 to "
        f"3.3 km², 200 to 2000 vertices; {chosen.threads} threads."
    )
    with TemporaryDirectory(prefix="geoplan-bench-") as name, ExitStack() as open_:
        file = written(Path(name) / "layer.parquet", layer.shapes)
        ordered = shapely.from_wkb(pq.read_table(file, columns=["geometry"])["geometry"].to_numpy())
        memory(section, Path(name), file, ordered, asked, chosen, open_)
        from_file(section, Path(name), file, asked, chosen)
    marred(section, layer, asked, chosen)
    grown(section, chosen)
    section.save()


def written(path: Path, shapes: np.ndarray) -> Path:
    """A GeoParquet file in Hilbert order with boxes, as every engine reads it best."""
    frame = gpd.GeoDataFrame(geometry=shapes, crs=EPSG)
    frame = frame.iloc[np.argsort(frame.hilbert_distance(), kind="stable")].reset_index(drop=True)
    frame.insert(0, "id", np.arange(len(frame)))
    frame.to_parquet(path, write_covering_bbox=True, row_group_size=10_000, compression="zstd", index=False)
    return path


def asked_file(folder: Path, proposals: np.ndarray) -> Path:
    path = folder / f"asked-{len(proposals)}.parquet"
    gpd.GeoDataFrame({"id": np.arange(len(proposals))}, geometry=proposals, crs=EPSG).to_parquet(path, index=False)
    return path


def memory(section, folder, file, shapes, asked, chosen, open_) -> None:  # type: ignore[no-untyped-def]
    """All in memory, indexes ready: the whole set of proposals, and one."""
    threads, count = chosen.threads, len(shapes)
    pack = kernel.pack_of(shapes, synthetic.PLANE)
    many, single = asked_file(folder, asked), asked_file(folder, asked[:1])
    overlay, shortcut = peers.overlay(shapes, synthetic.PLANE.crs), peers.shortcut(shapes, threads)
    duck, sedona = peers.DuckDB(file, threads), peers.SedonaDB(file, threads)
    duck.ask(many)
    sedona.ask(many)
    ways = {
        "geopandas.overlay": lambda: overlay(asked),
        f"shapely STRtree with contains, {threads} threads": lambda: shortcut(asked),
        "DuckDB spatial join with contains": duck.answer,
        "SedonaDB join": lambda: sedona.answer(peers.PLAIN),
        "SedonaDB join with contains": sedona.answer,
    }
    stored = None
    if postgis.installed():
        stored = postgis.loaded(open_.enter_context(postgis.cluster()), shapes, EPSG)
        stored(asked)
        ways["PostGIS join with contains"] = stored.again  # type: ignore[attr-defined]
    else:
        section.notes.append("PostGIS is not installed here and could not be: its rows are missing.")
    targets = {"geopandas": 60, "shapely": 8, "DuckDB": 35, "SedonaDB": 35, "PostGIS": 20}
    planar = kernel.shared_areas(asked, pack, ellipsoidal=False, threads=threads)
    own, found = interleaved(
        lambda: kernel.shared_areas(asked, pack, threads=threads), ways, chosen.rounds,
        lambda way, pairs: compare(way, planar, pairs, count),
    )  # fmt: skip
    for each in found:
        target = next(value for key, value in targets.items() if each.name.startswith(key))
        section.add(f"{len(asked)} proposals, areas only, clean layer", own, each, target)
    duck.ask(single)
    duck.index()
    one = asked[:1]
    alone = kernel.shared_areas(one, pack, ellipsoidal=False)
    quick = {"DuckDB RTREE index": lambda: duck.one(one[0]), "shapely STRtree with contains": lambda: shortcut(one)}
    if stored is not None:
        stored(one)
        quick["PostGIS with contains"] = stored.again  # type: ignore[attr-defined]
    quick["geopandas.overlay"] = lambda: overlay(one)
    kernel.shared_areas(one, pack)
    own, found = interleaved(
        lambda: kernel.shared_areas(one, pack), quick, 11, lambda way, pairs: compare(way, alone, pairs, count)
    )
    for each in found:
        target = {"DuckDB": 10, "PostGI": 4}.get(each.name[:6])
        section.add("one proposal, index warm, areas only", own, each, target)


def from_file(section, folder, file, asked, chosen) -> None:  # type: ignore[no-untyped-def]
    """From GeoParquet on the disk to a table on the disk."""
    threads, table = chosen.threads, folder / "table.parquet"

    def saved(pairs):  # type: ignore[no-untyped-def]
        pq.write_table(pa.table(dict(zip(("proposal", "patch", "area"), pairs, strict=True))), table)
        return pairs

    def ours():  # type: ignore[no-untyped-def]
        shared = kernel.shared_areas(asked, read(file, synthetic.PLANE), ellipsoidal=False, threads=threads)
        return saved((shared.proposals, shared.patches, shared.areas)), shared

    def geopandas_():  # type: ignore[no-untyped-def]
        layer = gpd.read_parquet(file, columns=["id", "geometry"])
        given = gpd.GeoDataFrame({"proposal": np.arange(len(asked))}, geometry=asked, crs=EPSG)
        found = gpd.overlay(given, layer, how="intersection", keep_geom_type=True)
        return saved((found.proposal.to_numpy(), found.id.to_numpy(), found.area.to_numpy()))

    sedona = peers.SedonaDB(file, threads)
    sedona.ask(asked_file(folder, asked))
    own = ours()[1]
    count = pq.read_metadata(file).num_rows
    ways = {
        "geopandas.read_parquet + overlay": geopandas_,
        "SedonaDB from Parquet": lambda: saved(sedona.from_file()),
        "SedonaDB from Parquet with contains": lambda: saved(sedona.from_file(peers.JOIN)),
    }
    mine, found = interleaved(ours, ways, chosen.rounds, lambda way, pairs: compare(way, own, pairs, count))
    for each in found:
        section.add(
            f"{len(asked)} proposals, GeoParquet to finished table", mine, each, 30 if each.name[0] == "g" else 15
        )


def read(file: Path, plane: Plane) -> Pack:
    """A layer's patches from its GeoParquet file, one column, without a GEOS object; areas on the plane."""
    column = pq.read_table(file, columns=["geometry"])["geometry"].combine_chunks().cast(pa.large_binary())
    rings = ragged_of(column)
    orient(rings.xy, rings.rings, rings.parts)
    boxes = np.empty((len(column), 4))
    box_each(rings.xy, rings.rings, rings.parts, rings.patches, boxes)
    bare = kernel.pack_of([shapely.box(0, 0, 1, 1)], plane)
    values = {**vars(bare), **rings._asdict(), "boxes": boxes, "groups": group_boxes(boxes), "areas": np.empty(0)}
    return Pack(**{**values, "areas": ring_sums(kernel.patchwork(Pack(**values), ellipsoidal=True))})


def marred(section, layer, asked, chosen) -> None:  # type: ignore[no-untyped-def]
    """Two in a hundred patches with holes, in two parts, slivers or broken rings."""
    hard = synthetic.marred(layer)
    sound = np.flatnonzero(~hard.broken)
    pack, count = kernel.pack_of(hard.shapes[sound], synthetic.PLANE), len(hard.shapes)
    overlay = peers.overlay(hard.shapes, synthetic.PLANE.crs)
    planar = kernel.shared_areas(asked, pack, ellipsoidal=False, threads=chosen.threads)
    mine = kernel.Shared(planar.proposals, sound[planar.patches], planar.areas, planar.whole)
    own, found = interleaved(
        lambda: kernel.shared_areas(asked, pack, threads=chosen.threads),
        {"geopandas.overlay": lambda: overlay(asked)}, chosen.rounds,
        lambda way, pairs: compare(way, mine, pairs, count, hard.broken),
    )  # fmt: skip
    section.notes.append(
        f"Of the 2 % that are hard, {int(hard.broken.sum()):,} broken ones are quarantined as an import does it; overlay mends "
        "them, and they are not compared."
    )
    section.add(f"{len(asked)} proposals, 2 % holes, multipolygons, slivers and broken rings", own, found[0], 40)


def grown(section, chosen) -> None:  # type: ignore[no-untyped-def]
    """One proposal on a layer and on one five times larger: warm, in turn, in a process that holds nothing else."""
    own, other = Timed("geoplan"), Timed(f"the same on {GROWN * chosen.patches:,} patches")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        own.seconds, other.seconds = pool.submit(_on_both, chosen.patches).result()
    row = section.add(f"one proposal, {GROWN} times the patches (40 proposals each)", other, own, 1.2, most=True)
    row.peer = f"geoplan on {chosen.patches:,} patches"


def _on_both(few: int) -> tuple[list[float], list[float]]:
    own, other = Timed(""), Timed("")
    packs = []
    layer = synthetic.clean(few)
    west, south, east, north = layer.bounds
    wide = east - west + 50.0
    for copies in (1, GROWN):  # side by side: the generator holds several times what it makes
        shapes = [
            shapely.transform(layer.shapes, lambda xy, east=i * wide: xy + np.array([east, 0.0])) for i in range(copies)
        ]
        bounds = (west, south, west + copies * wide, north)
        with TemporaryDirectory(prefix="geoplan-bench-") as name:
            file = written(Path(name) / "layer.parquet", np.concatenate(shapes))
            del shapes
            packs.append((read(file, synthetic.PLANE), synthetic.proposals(40, bounds)))
    for turn in range(3):
        for i in range(40):
            for timed, (pack, asked) in zip((own, other), packs, strict=True):
                if turn == 0:
                    kernel.shared_areas(asked[i : i + 1], pack)
                else:
                    timed.run(lambda p=pack, a=asked[i : i + 1]: kernel.shared_areas(a, p))  # type: ignore[misc]
    return own.seconds, other.seconds


if __name__ == "__main__":
    main()
