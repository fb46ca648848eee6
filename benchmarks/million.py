"""A boundary of 1,000,000 vertices through the whole of ``geoplan check``, beside a plain geopandas script.

    python benchmarks/million.py [--vertices 1000000] [--rounds 3]

Both start as a process of their own from the same two GeoPackages: the boundary in degrees (EPSG:4490) and a land-use
mesh on the 3-degree plane. The geopandas script reads, changes the projection, takes the area and overlays. geoplan
does that with ellipsoidal areas and the tests of its rings, judges every rule of its policies, finds ``turns_at`` and
writes the report, the overlaps and the map. Seconds are wall time, memory is the peak of each process; both are told
as a ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geoplan.plane import Plane

PLANE = Plane(120)
CENTRE = (510_000.0, 3_416_000.0)
CODES = ("0101", "0301", "0702", "1006", "0201", "1101")
PEER = """
import sys
import geopandas as gpd
boundary = gpd.read_file(sys.argv[1]).to_crs(4549)
layer = gpd.read_file(sys.argv[2]).to_crs(4549)
pieces = gpd.overlay(layer, boundary, how="intersection")
print(round(boundary.area.sum(), 2), len(pieces), round(pieces.area.sum(), 2))
pieces.to_file(sys.argv[3], driver="GPKG")
"""


def boundary(vertices: int, seed: int = 1) -> shapely.Polygon:
    """About 3 km² with bays of many sizes and a line that trembles by millimetres, as a traced one does."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = sum(
        random.uniform(0.3, 1.0) * 0.12 / k * np.sin(k * angle + random.uniform(0, 6.28)) for k in (3, 5, 8, 13, 40, 90)
    )
    radius = 970 * (1 + waves) + random.normal(0, 0.002, vertices)
    return shapely.Polygon(np.column_stack([CENTRE[0] + radius * np.cos(angle), CENTRE[1] + radius * np.sin(angle)]))


def land_use(count: int, seed: int = 2) -> gpd.GeoDataFrame:
    """An irregular mesh of patches of about half a hectare around the boundary, with class codes."""
    random = np.random.default_rng(seed)
    side, cell = int(np.ceil(count**0.5)), 70.0
    at = (np.arange(side + 1) - side / 2) * cell
    x, y = np.meshgrid(at, at)
    corners = np.stack([x, y], axis=-1) + random.uniform(-20, 20, (*x.shape, 2)) + CENTRE
    rings = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2)
    shapes = shapely.polygons(rings.reshape(-1, 4, 2))
    codes = random.choice(CODES, len(shapes))
    return gpd.GeoDataFrame(
        {"TBBH": [str(i) for i in range(len(shapes))], "DLBM": codes, "KCXS": 0.05, "ZZSXDM": ""},
        geometry=shapes,
        crs=4549,
    )


def measured(call: list[str], allowed: frozenset[int]) -> tuple[float, float, str]:
    """Wall seconds, peak memory (MB) and output of a process."""
    begin = time.perf_counter()
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in allowed, output
    return time.perf_counter() - begin, used.ru_maxrss / 1024, output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vertices", type=int, default=1_000_000)
    parser.add_argument("--patches", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = gpd.GeoDataFrame(geometry=[boundary(chosen.vertices)], crs=4549)
        shape.to_crs(4490).to_file(folder / "boundary.gpkg", driver="GPKG")
        mesh = land_use(chosen.patches)
        mesh.to_file(folder / "land.gpkg", driver="GPKG")
        mesh[mesh.DLBM == "0101"][::4].to_file(folder / "farm.gpkg", driver="GPKG")
        (folder / "peer.py").write_text(PEER, encoding="utf-8")
        peer = [sys.executable, "peer.py", "boundary.gpkg", "land.gpkg", "pieces.gpkg"]
        ours = [sys.executable, "-m", "geoplan_api", "check", "--planning", "boundary.gpkg", "--policy", "common"]
        ours += ["--layer", "land-use=land.gpkg", "--layer", "permanent-basic-farmland=farm.gpkg", "--out", "out"]
        os.chdir(folder)
        runs = [(measured(peer, frozenset({0})), measured(ours, frozenset({0, 1, 3}))) for _ in range(chosen.rounds)]
        print(runs[0][0][2].strip(), "   (geopandas: planar area, pieces, their area)")
    seconds = [[run[i][0] for run in runs] for i in (0, 1)]
    memory = [[run[i][1] for run in runs] for i in (0, 1)]
    ratio = statistics.median(b / a for a, b in zip(*seconds, strict=True))
    weight = statistics.median(b / a for a, b in zip(*memory, strict=True))
    print(f"vertices {chosen.vertices}, patches {chosen.patches}, rounds {chosen.rounds}")
    print(
        f"geopandas script  median {statistics.median(seconds[0]):6.1f} s   peak {statistics.median(memory[0]):6.0f} MB"
    )
    print(
        f"geoplan check     median {statistics.median(seconds[1]):6.1f} s   peak {statistics.median(memory[1]):6.0f} MB"
    )
    print(f"ratio geoplan / geopandas: seconds {ratio:.2f}, memory {weight:.2f}")


if __name__ == "__main__":
    main()
