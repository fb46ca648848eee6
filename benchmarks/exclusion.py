"""Exclusion from files to mask, beside rasterio + SciPy's distance transform, atlite and GLAES in the same run.

    python benchmarks/exclusion.py                      25 million cells of 30 m, 10 layers, medians of interleaved runs
    python benchmarks/exclusion.py --size 10000 --ours  100 million cells by strips, features read per strip; memory
    python benchmarks/exclusion.py --glaes PYTHON       an interpreter that has GLAES (not on PyPI; needs GDAL's Python)

atlite is of the group `bench` and takes part where it is installed; `--atlite PYTHON` names another interpreter.

Layers: 4 rasters (one widened by 90 m) and 6 vector layers (five widened by 100 to 1000 m), made once per size from a
seed into ``--folder``. The mask of the raster mode must equal SciPy's cell by cell before any time is printed; atlite
buffers geometries, so its mask differs at rims. Each peer runs in a process of its own, so memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

CELL, WEST, SOUTH, EPSG = 30.0, 400_000.0, 3_500_000.0, 4549
VECTORS = {"farmland": 0, "roads": 100, "rivers": 300, "settlements": 500, "reserves": 1000, "stations": 800}
RASTERS = {"slope": (15, 1e9, 0), "elevation": (600, 1e9, 0), "flood": (0.5, 1e9, 0), "landcover": (60, 75, 90)}


# ---- data -----------------------------------------------------------------------------------------------------------


def noise(size: int, knots: int, random: np.random.Generator) -> np.ndarray:
    """Smooth values from 0 to 1: bilinear between random knots."""
    at = np.linspace(0, knots, size, endpoint=False)
    low, share = at.astype(int), at - at.astype(int)
    grid = random.random((knots + 2, knots + 2))
    rows = grid[low] * (1 - share[:, None]) + grid[low + 1] * share[:, None]
    return rows[:, low] * (1 - share) + rows[:, low + 1] * share


def make_rasters(folder: Path, size: int, random: np.random.Generator) -> None:
    import rasterio
    from rasterio.transform import from_origin

    transform = from_origin(WEST, SOUTH + size * CELL, CELL, CELL)

    def write(name: str, values: np.ndarray) -> None:
        kind = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "crs": f"EPSG:{EPSG}"}
        kind |= {"predictor": 3 if values.dtype.kind == "f" else 2, "transform": transform, "dtype": values.dtype}
        with rasterio.open(
            folder / f"{name}.tif", "w", driver="GTiff", width=size, height=size, count=1, **kind
        ) as out:
            out.write(values, 1)

    height = np.zeros((size, size), np.float32)
    for knots, amplitude in ((8, 500), (30, 200), (120, 60), (500, 12)):
        height += (noise(size, knots, random) * amplitude).astype(np.float32)
    write("elevation", np.round(height, 1))
    north, east = np.gradient(height, CELL)
    write("slope", np.round(np.degrees(np.arctan(np.hypot(east, north))) * 3, 1).astype(np.float32))
    write("flood", np.round(np.clip(3 - height / 60, 0, None), 1))
    write("landcover", (noise(size, size // 25, random) * 8).astype(np.uint8) * 10)


def parcels(count: int, width: float, random: np.random.Generator) -> np.ndarray:
    """A mesh of fields with shared wiggly edges, about 24 vertices each; a random 46 of 100 are farmland."""
    import shapely

    side, knots = int(count**0.5), 6
    at = np.linspace(0, width, side * knots + 1)
    step = at[1]
    x, y = np.meshgrid(at + WEST, at + SOUTH)
    x, y = x + random.uniform(-0.2, 0.2, x.shape) * step, y + random.uniform(-0.2, 0.2, y.shape) * step
    row, column = (each.ravel() * knots for each in np.indices((side, side)))
    run = np.arange(knots)
    south = (row[:, None], column[:, None] + run)
    east = (row[:, None] + run, column[:, None] + knots)
    north = (row[:, None] + knots, column[:, None] + knots - run)
    west = (row[:, None] + knots - run, column[:, None])
    at_row = np.concatenate(
        [np.broadcast_to(each[0], (len(row), knots)) for each in (south, east, north, west)], axis=1
    )
    at_column = np.concatenate(
        [np.broadcast_to(each[1], (len(row), knots)) for each in (south, east, north, west)], axis=1
    )
    chosen = random.random(len(row)) < 0.46
    return shapely.polygons(np.stack([x[at_row, at_column], y[at_row, at_column]], axis=-1)[chosen])


def walks(count: int, length: float, vertices: int, width: float, random: np.random.Generator) -> np.ndarray:
    import shapely

    heading = np.cumsum(random.normal(0, 0.18, (count, vertices)), axis=1) + random.uniform(0, 6.28, (count, 1))
    path = np.stack([np.cos(heading), np.sin(heading)], axis=-1).cumsum(axis=1) * (length / vertices)
    return shapely.linestrings(path + random.uniform([WEST, SOUTH], [WEST + width, SOUTH + width], (count, 1, 2)))


def blobs(count: int, radius: float, width: float, random: np.random.Generator) -> np.ndarray:
    import shapely

    angle = np.arange(40) / 40 * 2 * np.pi
    shape = 1 + 0.25 * np.sin(3 * angle + random.uniform(0, 6, (count, 1))) + 0.1 * random.normal(size=(count, 40))
    reach = radius * random.lognormal(0, 0.5, (count, 1)) * shape
    centre = random.uniform([WEST, SOUTH], [WEST + width, SOUTH + width], (count, 1, 2))
    return shapely.polygons(np.stack([np.cos(angle) * reach, np.sin(angle) * reach], axis=-1) + centre)


def make(folder: Path, size: int) -> None:
    """Write all layers of one size, unless they are there."""
    import geopandas as gpd
    import shapely

    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    random, width, many = np.random.default_rng(3), size * CELL, (size / 5000) ** 2
    make_rasters(folder, size, random)
    layers = {
        "roads": walks(int(3000 * many), 12_000, 80, width, random),
        "rivers": walks(int(600 * many), 30_000, 150, width, random),
        "settlements": blobs(int(8000 * many), 250, width, random),
        "reserves": blobs(max(1, int(60 * many)), 3000, width, random),
        "stations": shapely.points(
            random.uniform(WEST, WEST + width, int(200 * many) + 1),
            random.uniform(SOUTH, SOUTH + width, int(200 * many) + 1),
        ),
        "farmland": parcels(int(300_000 * many), width, random),
        "region": np.array([shapely.box(WEST, SOUTH, WEST + width, SOUTH + width)]),
    }
    for name, shapes in layers.items():
        gpd.GeoDataFrame(geometry=shapes, crs=f"EPSG:{EPSG}").to_file(folder / f"{name}.gpkg", driver="GPKG")
    (folder / "done").touch()


# ---- ours -----------------------------------------------------------------------------------------------------------


def features(path: Path, box: tuple[float, ...] | None = None):
    """All features of a file, or those of a box, as flat arrays."""
    import pyogrio.raw

    from geoplan.search.wkb import features_of_wkb

    _, table = pyogrio.raw.read_arrow(path, columns=[], bbox=box)
    column = table.column(table.num_columns - 1).combine_chunks()
    if len(column) == 0:
        return features_of_wkb(np.empty(0, np.uint8), np.zeros(1, np.int64))
    _, offsets, data = column.buffers()
    kind = np.int64 if "large" in str(column.type) else np.int32
    offsets = np.frombuffer(offsets, kind)[column.offset : column.offset + len(column) + 1]
    return features_of_wkb(np.frombuffer(data, np.uint8), offsets)


def ours(folder: Path, size: int, method: str, by_strip: bool):
    from concurrent.futures import ThreadPoolExecutor

    from geoplan.plane import Plane
    from geoplan.search.constraint import Constraint, Land, Raster, Rule
    from geoplan.search.exclusion import exclude
    from geoplan.search.grid import Grid
    from geoplan_layers.rasters import read_raster

    grid = Grid(Plane(120), WEST, SOUTH + size * CELL, CELL, size, size)
    pool = ThreadPoolExecutor(2)

    def ground(name: str):
        path = folder / f"{name}.gpkg"
        if by_strip:
            return lambda box: features(path, box)
        later = pool.submit(features, path)
        return lambda _: later.result()

    # Small layers first: strips begin on them while the large one is being read.
    order = sorted(VECTORS, key=lambda name: (folder / f"{name}.gpkg").stat().st_size)
    constraints = []
    for name, (low, high, distance) in RASTERS.items():
        path = folder / f"{name}.tif"
        constraints.append(
            Constraint(
                name, Raster(lambda window, path=path: read_raster(path, window)), Rule(distance, low=low, high=high)
            )
        )
    constraints += [Constraint(name, Land(ground(name)), Rule(VECTORS[name])) for name in order]
    try:
        return exclude(grid, constraints, method=method)
    finally:
        pool.shutdown()


# ---- peers ----------------------------------------------------------------------------------------------------------


def with_scipy(folder: Path, size: int) -> np.ndarray:
    import pyogrio
    import rasterio
    from rasterio.features import rasterize
    from rasterio.transform import from_origin
    from scipy.ndimage import distance_transform_edt

    transform = from_origin(WEST, SOUTH + size * CELL, CELL, CELL)
    excluded = np.zeros((size, size), bool)
    for name, distance in VECTORS.items():
        shapes = pyogrio.read_dataframe(folder / f"{name}.gpkg", columns=[]).geometry.values
        mask = rasterize(shapes, out_shape=(size, size), transform=transform, dtype="uint8")
        excluded |= distance_transform_edt(mask == 0) * CELL <= distance if distance else mask.astype(bool)
    for name, (low, high, distance) in RASTERS.items():
        with rasterio.open(folder / f"{name}.tif", num_threads=2) as source:
            values = source.read(1)
        mask = (values >= low) & (values <= high)
        excluded |= distance_transform_edt(~mask) * CELL <= distance if distance else mask
    return ~excluded


def between(values, low, high):
    return (values >= low) & (values <= high)


def with_atlite(folder: Path, size: int) -> np.ndarray:
    from functools import partial

    import geopandas as gpd
    from atlite.gis import ExclusionContainer

    container = ExclusionContainer(crs=EPSG, res=CELL)
    for name, (low, high, distance) in RASTERS.items():
        codes = partial(between, low=low, high=high)
        container.add_raster(
            str(folder / f"{name}.tif"), codes=codes, buffer=distance, buffer_geometry="circular", nodata=255
        )
    for name, distance in VECTORS.items():
        container.add_geometry(str(folder / f"{name}.gpkg"), buffer=distance)
    return container.compute_shape_availability(gpd.read_file(folder / "region.gpkg").geometry)[0][:size, :size]


def with_glaes(folder: Path, size: int) -> np.ndarray:
    import glaes

    exclusion = glaes.ExclusionCalculator(str(folder / "region.gpkg"), srs=EPSG, pixelRes=CELL, verbose=False)
    for name, distance in VECTORS.items():
        exclusion.excludeVectorType(str(folder / f"{name}.gpkg"), buffer=distance or None)
    for name, (low, high, distance) in RASTERS.items():
        value = (low, None if high > 1e8 else high)
        exclusion.excludeRasterType(str(folder / f"{name}.tif"), value=value, buffer=distance or None)
    return (exclusion.availability > 50)[:size, :size]


# ---- runs -----------------------------------------------------------------------------------------------------------


def run(peer: str, folder: Path, size: int, out: Path) -> None:
    """One run of one peer in this process: its seconds and peak memory to stdout, its mask to a file."""
    if peer.startswith("ours"):
        warm = folder.parent / "excl-256"
        ours(warm, 256, "raster" if "legal" not in peer else "legal", False)
    begin, busy = time.perf_counter(), time.process_time()
    if peer.startswith("ours"):
        result = ours(folder, size, "legal" if "legal" in peer else "raster", "strip" in peer)
        seconds, mask = time.perf_counter() - begin, result.eligible
    else:
        mask = {"scipy": with_scipy, "atlite": with_atlite, "glaes": with_glaes}[peer](folder, size)
        seconds = time.perf_counter() - begin
    work = time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.save(out, np.packbits(mask.astype(bool, copy=False)))
    print(json.dumps({"seconds": seconds, "cpu": work, "peak_mb": peak, "eligible": float(mask.mean())}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "geoplan-benchmark")
    parser.add_argument("--ours", action="store_true", help="no peers: features read per strip, for memory at size")
    parser.add_argument("--atlite", help="a Python interpreter that has atlite")
    parser.add_argument("--glaes", help="a Python interpreter that has GLAES")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    folder = asked.folder / f"excl-{asked.size}"
    if asked.run:
        run(asked.run, folder, asked.size, asked.out)
        return
    for size in (256, asked.size):
        subprocess.run(
            [
                sys.executable,
                "-c",
                f"import exclusion; from pathlib import Path; exclusion.make(Path({str(asked.folder / f'excl-{size}')!r}), {size})",
            ],
            check=True,
            cwd=Path(__file__).parent,
        )
    peers = (
        {"ours by strip": sys.executable}
        if asked.ours
        else {"ours": sys.executable, "scipy": sys.executable, "ours legal": sys.executable}
    )
    if asked.atlite or (not asked.ours and find_spec("atlite")):
        peers["atlite"] = asked.atlite or sys.executable
    if asked.glaes:
        peers["glaes"] = asked.glaes
    results: dict[str, list[dict[str, float]]] = {name: [] for name in peers}
    masks = {}
    for _ in range(asked.rounds):
        for name, python in peers.items():
            out = folder / f"{name.replace(' ', '-')}.npy"
            call = [
                python,
                __file__,
                "--size",
                str(asked.size),
                "--folder",
                str(asked.folder),
                "--run",
                name,
                "--out",
                str(out),
            ]
            told = subprocess.run(call, check=True, capture_output=True, text=True).stdout
            results[name].append(json.loads(told.strip().splitlines()[-1]))
            masks[name] = np.load(out)
    report(results, masks, asked.size)


def report(results: dict[str, list[dict[str, float]]], masks: dict[str, np.ndarray], size: int) -> None:
    cells = size * size
    for name in results:
        if name != "ours" and "ours" in masks:
            differ = int(np.unpackbits(masks["ours"] ^ masks[name])[:cells].sum())
            print(f"mask, ours against {name}: {differ} of {cells} cells differ")
            if name == "scipy" and differ:
                raise SystemExit("the masks differ: no times")
    base = statistics.median(each["seconds"] for each in next(iter(results.values())))
    for name, runs in results.items():
        seconds = statistics.median(each["seconds"] for each in runs)
        peak, eligible = max(each["peak_mb"] for each in runs), 100 * runs[0]["eligible"]
        work = statistics.median(each["cpu"] for each in runs)
        print(
            f"{name:14} {seconds:7.2f} s  {seconds / base:5.1f} x  processor {work:6.2f} s  peak {peak:6.0f} MB  eligible {eligible:.4f} %"
        )


if __name__ == "__main__":
    main()
