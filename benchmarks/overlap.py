"""Overlap of one boundary with a land-use layer, beside geopandas.overlay in the same run.

    make bench                       100,000 patches, 5 boundaries, medians of interleaved runs, as a ratio

Both start from the layer in memory on the plane of the check. geopandas gives planar areas of the cut pieces; geoplan
gives every piece with the survey's ellipsoidal area. The pieces are compared one by one before any time is printed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import shapely

from geoplan.layer import Patches
from geoplan.plane import Plane
from geoplan.site import cut

PLANE = Plane(120)
CELL = 70.0


def mesh(count: int, seed: int = 1) -> np.ndarray:
    """An irregular quad mesh with shared edges: ``count`` patches of about half a hectare."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(count**0.5))
    at = np.arange(side + 1) * CELL
    x, y = np.meshgrid(at, at)
    x = x + random.uniform(-20, 20, x.shape) + 500_000
    y = y + random.uniform(-20, 20, y.shape) + 3_400_000
    corners = np.stack([x, y], axis=-1)
    rings = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2)
    return shapely.polygons(rings.reshape(-1, 4, 2))[:count]


def boundary(seed: int, extent: float) -> shapely.Polygon:
    """A star of about 3 km² with 400 vertices."""
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, 400))
    radius = 1000 * (1 + 0.15 * np.sin(5 * angle) + random.uniform(-0.02, 0.02, 400))
    x, y = random.uniform(0.3, 0.7, 2) * extent
    return shapely.Polygon(
        np.column_stack([500_000 + x + radius * np.cos(angle), 3_400_000 + y + radius * np.sin(angle)])
    )


def timed(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=100_000)
    parser.add_argument("--boundaries", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    shapes = mesh(chosen.patches)
    names = np.array([str(i) for i in range(len(shapes))], dtype=object)
    patches = Patches(shapes, names, names, names, np.ones(len(shapes)))
    layer = gpd.GeoDataFrame({"patch": names}, geometry=shapes, crs=PLANE.crs)
    extent = float(np.ceil(chosen.patches**0.5)) * CELL
    ours: list[float] = []
    theirs: list[float] = []
    for seed in range(chosen.boundaries):
        shape = boundary(seed, extent)
        frame = gpd.GeoDataFrame(geometry=[shape], crs=PLANE.crs)
        hit, pieces, _ = cut(patches, shape, PLANE)
        peer = gpd.overlay(layer, frame, how="intersection")
        peer = peer[peer.area >= 0.005]
        assert set(hit.ids) == set(peer.patch), "the pieces differ"
        planar = dict(zip(hit.ids, shapely.area(pieces), strict=True))
        worst = max(abs(planar[p] - a) for p, a in zip(peer.patch, peer.area, strict=True))
        assert worst < 1e-3, worst
        for _ in range(chosen.rounds):
            theirs.append(timed(lambda f=frame: gpd.overlay(layer, f, how="intersection")))
            ours.append(timed(lambda s=shape: cut(patches, s, PLANE)))
    ratio = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"patches {chosen.patches}, boundaries {chosen.boundaries}, rounds {chosen.rounds}; pieces equal, worst difference < 1e-3 m2"
    )
    print(f"geopandas.overlay  median {statistics.median(theirs) * 1e3:8.1f} ms")
    print(f"geoplan cut        median {statistics.median(ours) * 1e3:8.1f} ms   (with ellipsoidal areas)")
    print(f"ratio overlay / geoplan, median of pairs {ratio:.1f}; peak memory of both {peak:.0f} MB")


if __name__ == "__main__":
    main()
