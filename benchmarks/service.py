"""A whole check on a layer of a million patches: over HTTP with report, turns_at and map, and as a fresh process.

    python benchmarks/service.py OUT.json [--patches 1000000] [--boundaries 9]

The layer is imported once into a home of its own. ``geopandas.overlay`` alone, of the same boundary on the same layer in
memory, is timed in turn with the service; ``python -c "import geopandas"`` with the command.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import re
import statistics
import subprocess
import sys
import time
import zipfile
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import httpx
import numpy as np
import pyogrio
import shapely
import synthetic
from rows import Row, Section, Timed

from geoplan_api.inquiry import Inquiry, answer
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import LayerSpec, Selector

PATCHES = 1_000_000
EPSG = synthetic.PLANE.epsg
COMMAND = [sys.executable, "-c", "from geoplan_api.cli import main; main()"]
SHARED = "BENCH_FOLDER"
"""Variable that names the folder which the parts of one run share."""
QUIET = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patches", type=int, default=PATCHES)
    parser.add_argument("--boundaries", type=int, default=9)
    chosen = parser.parse_args()
    section = Section("A whole check", chosen.patches == PATCHES, chosen.out)
    shapes, farmland = synthetic.whole(chosen.patches)
    with TemporaryDirectory(prefix="geoplan-bench-") as name:
        folder = Path(name)
        home, bounds = home_of(folder, chosen.patches)
        frame = framed(shapes, farmland)
        asked = synthetic.proposals(chosen.boundaries, bounds)
        files = [zipped(folder / f"b{i}", shape) for i, shape in enumerate(asked)]
        over_http(section, home, frame, asked, files)
        profiled(section, home, files)
        fresh(section, home, files[0])
    section.save()


def framed(shapes: np.ndarray, farmland: np.ndarray) -> gpd.GeoDataFrame:
    """The layer as a survey's table."""
    numbers = np.arange(len(shapes)).astype(str)
    columns = {"TBBH": numbers, "DLBM": synthetic.codes(farmland), "KCXS": 0.05}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=EPSG)


def home_of(folder: Path, patches: int) -> tuple[Path, tuple[float, float, float, float]]:
    """A home with a prepared layer of so many patches, its ground declared as covered, and the bounds of that ground.

    Parts of one run share it, in the folder that the run gives them.
    """
    kept = Path(os.environ.get(SHARED) or folder) / f"home-{patches}"
    if not (kept / "layers" / "land-use").exists():
        _prepared(kept, folder, patches)
    cover = pyogrio.read_info(kept / "covered.gpkg", force_total_bounds=True)["total_bounds"]
    return kept, tuple(float(each) for each in cover)  # type: ignore[return-value]


def _prepared(home: Path, folder: Path, patches: int) -> None:
    source = folder / "DLTB.gpkg"
    (home / "layers").mkdir(parents=True, exist_ok=True)
    (home / "tmp").mkdir(exist_ok=True)
    frame = framed(*synthetic.whole(patches))
    pyogrio.write_dataframe(frame, source)
    gpd.GeoDataFrame(geometry=[shapely.box(*frame.total_bounds)], crs=EPSG).to_file(home / "covered.gpkg")
    del frame
    spec, cover = LayerSpec("land-use", Selector(source)), Selector(home / "covered.gpkg")
    begin = time.perf_counter()
    import_layer(ImportRequest("land-use", (spec,), cover, anywhere=True), LayerStore(home / "layers"))
    print(f"  imported in {time.perf_counter() - begin:.1f} s", flush=True)
    source.unlink()


def zipped(stem: Path, shape: shapely.Geometry) -> Path:
    """A boundary as a zipped shapefile."""
    stem.mkdir()
    gpd.GeoDataFrame({"name": ["plan"]}, geometry=[shape], crs=EPSG).to_file(stem / "plan.shp")
    path = stem.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(stem.iterdir()):
            archive.write(part, part.name)
    return path


def over_http(section: Section, home: Path, frame: gpd.GeoDataFrame, asked: np.ndarray, files: list[Path]) -> None:
    process, base = started(home)
    whole, alone = (
        Timed("POST /checks and its map"),
        Timed("geopandas.overlay alone, same boundary and layer in memory"),
    )
    posting, drawing, weight, ratios = Timed("POST"), Timed("map"), [], []
    frame.sindex  # noqa: B018 - built before, as the service's index is
    try:
        with httpx.Client(
            base_url=base, timeout=600, headers={"Accept": "application/json"}, trust_env=False
        ) as client:
            for turn in range(2):  # the first turn warms
                for shape, file in zip(asked, files, strict=True):
                    begin = time.perf_counter()
                    made = posting.run(lambda f=file: posted(client, f))  # type: ignore[misc]
                    drawn = drawing.run(
                        lambda at=made.headers["location"]: client.get(f"{at}/map", headers={"Accept": "text/html"})
                    )  # type: ignore[misc]
                    spent = time.perf_counter() - begin
                    drawn.raise_for_status()
                    if turn == 0:
                        continue
                    given = gpd.GeoDataFrame(geometry=[shape], crs=EPSG)
                    found = alone.run(lambda g=given: gpd.overlay(g, frame, how="intersection", keep_geom_type=True))  # type: ignore[misc]
                    whole.seconds.append(spent)
                    ratios.append(spent / alone.seconds[-1])
                    weight.append(len(drawn.content))
                    assert agree(made.json(), found), "the report's land use is not what overlay gives"
    finally:
        process.terminate()
        process.wait()
    row = Row(
        "POST /checks with report, turns_at and map, warm, p50",
        alone.name,
        whole.median,
        alone.median,
        len(ratios),
        statistics.median(ratios),
    )
    section.keep(row, 0.3, most=True)
    half = len(asked)
    section.notes.append(
        f"Of the {whole.median:.2f} s, POST is {statistics.median(posting.seconds[half:]):.2f} s and the map's page "
        f"{statistics.median(drawing.seconds[half:]):.2f} s; slowest boundary {max(whole.seconds):.2f} s."
    )
    naive = clipped_county(frame)
    row = Row(
        "map of one boundary, KB of data",
        "folium.GeoJson of 100,000 patches (its features alone)",
        statistics.median(weight) / 1000,
        naive / 1000,
        len(weight),
        naive / statistics.median(weight),
        note="KB, not seconds",
    )
    section.keep(row, 100 if section.full else None, most=False)
    own = statistics.median(weight) / 1000
    row = Row(
        "map of one boundary beyond the vendored assets, KB",
        "150 KB",
        own,
        150.0,
        len(weight),
        own / 150,
        note="KB, not seconds",
    )
    section.keep(row, 1.0, most=True)


def profiled(section: Section, home: Path, files: list[Path]) -> None:
    """Where the time of a check goes: the same questions in this process, under the profiler."""
    inquiries = [
        Inquiry(
            Selector(file),
            policies=("common",),
            anywhere=True,
            on=date(2026, 11, 21),
            registered=LayerStore(home / "layers").current(),
        )
        for file in files
    ]
    answer(inquiries[0])
    profile = cProfile.Profile()
    profile.enable()
    for inquiry in inquiries:
        answer(inquiry)
    profile.disable()
    spent = {name: 0.0 for name in WHERE}
    stats = pstats.Stats(profile)
    for (file, _, function), (_, _, _, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        for name, (module, wanted) in WHERE.items():
            if function == wanted and file.endswith(module):
                spent[name] += cumulative
    total = spent.pop("the whole check")
    shares = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in sorted(spent.items(), key=lambda e: -e[1]))
    section.notes.append(
        f"Profile of {len(files)} checks in one process ({total / len(files):.2f} s each under the profiler): {shares}; the rest is in the rules and the record."
    )


WHERE = {
    "the whole check": ("geoplan_api/inquiry.py", "answer"),
    "offsets of the boundary (`turns_at`), in this thread": ("geoplan/offsets.py", "offset"),
    "waiting for offsets made side by side": ("geoplan/offsets.py", "_ahead"),
    "cutting pieces": ("geoplan/site.py", "_cut"),
    "reading the boundary": ("geoplan_layers/boundary_file.py", "read_boundary"),
    "patches from the index": ("geoplan_layers/prepared/layer.py", "within"),
    "coverage": ("geoplan/site.py", "known_in"),
    "surroundings": ("geoplan/context.py", "around"),
    "displacement": ("geoplan/displaced.py", "looks_displaced"),
    "id of the report": ("geoplan/identity.py", "report_id"),
}


def clipped_county(frame: gpd.GeoDataFrame) -> int:
    """Bytes of the features that folium.GeoJson embeds for a county of 100,000 patches."""
    some = frame.iloc[: min(len(frame), 2000)].to_crs(4326)
    return int(len(some.to_json().encode()) / len(some) * min(len(frame), 100_000))


def posted(client: httpx.Client, file: Path) -> httpx.Response:
    given = {"planning": (file.name, file.read_bytes()), "policy": (None, "common"), "anywhere": (None, "true")}
    made = client.post("/checks", files=given)
    assert made.status_code == 201, made.text[:500]
    return made


def agree(report: dict, found: gpd.GeoDataFrame) -> bool:  # type: ignore[type-arg]
    """Whether the farmland that a report counts by patch has the planar share that overlay finds, within the scale."""
    taken = {e["patch"]: e["area_m2"] for p in report["policies"] for f in p["findings"] for e in f["evidence"]}
    own = dict(zip(found.TBBH, found.area, strict=True))
    return bool(taken) and all(abs(own[patch] - area) <= 2e-3 * area + 0.02 for patch, area in taken.items())


def started(home: Path) -> tuple[subprocess.Popen[str], str]:
    """The service as a process of its own, and where it answers."""
    environment = {**os.environ, **QUIET, "GEOPLAN_HOME": str(home)}
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--lang", "en"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    seen = io.StringIO()
    for line in process.stdout:
        seen.write(line)
        if match := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, match[0]
    raise SystemExit(f"the service did not start:\n{seen.getvalue()}")


def fresh(section: Section, home: Path, file: Path) -> None:
    """``geoplan check`` as a process of its own beside an import of geopandas."""
    own, bare = Timed("geoplan check"), Timed('python -c "import geopandas"')
    environment = {**os.environ, "GEOPLAN_HOME": str(home)}
    call = [*COMMAND, "check", "--planning", str(file), "--policy", "common", "--anywhere", "--json"]

    def ours() -> None:
        done = subprocess.run(call, env=environment, capture_output=True, check=False)
        assert done.returncode in (0, 1, 3), done.stderr.decode()[-500:]

    for turn in range(8):
        for timed, work in (
            (own, ours),
            (bare, lambda: subprocess.run([sys.executable, "-c", "import geopandas"], check=True)),
        ):
            work() if turn == 0 else timed.run(work)  # type: ignore[func-returns-value]
    section.add("geoplan check as a fresh process", own, bare, 2.5, most=True)


if __name__ == "__main__":
    main()
