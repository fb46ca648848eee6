"""Import of a survey's shapefile (GBK) beside a plain pyogrio read of it: seconds, and peak memory of the import.

    python benchmarks/importing.py OUT.json [--patches 1000000] [--large 0]

The reader's plain work is ``pyogrio.read_dataframe``. Ours is taken until every patch has been read and tested, and until
the version with its quality report is in use. Each import is a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pyogrio
import synthetic
from rows import Row, Section, Timed

PATCHES = 1_000_000
ROUNDS = 2
CHILD = """
import sys, time
from pathlib import Path
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import LayerSpec, Selector
begin, read = time.perf_counter(), [0.0]
def progress(stage, done, total):
    if stage == "reading":
        read[0] = time.perf_counter() - begin
if __name__ == "__main__":
    spec = LayerSpec("land-use", Selector(Path(sys.argv[1])))
    import_layer(ImportRequest("land-use", (spec,), anywhere=True), LayerStore(Path(sys.argv[2])), progress)
    print(read[0], time.perf_counter() - begin)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patches", type=int, default=PATCHES)
    chosen = parser.parse_args()
    section = Section("Import of a shapefile", chosen.patches == PATCHES, chosen.out)
    with TemporaryDirectory(prefix="geoplan-bench-") as name:
        folder = Path(name)
        source = apart(folder / "DLTB.shp", chosen.patches)
        (folder / "child.py").write_text(CHILD, encoding="utf-8")
        imported(folder, apart(folder / "few.shp", 2000), -1)  # so that no run waits for a compiler
        plain, checked, whole, peaks = Timed("plain pyogrio read"), Timed("read and checked"), Timed("in use"), []
        for turn in range(ROUNDS):
            read = subprocess.run(
                [sys.executable, "-c", "import sys, time, pyogrio; b = time.perf_counter(); "
                 "pyogrio.read_dataframe(sys.argv[1]); print(time.perf_counter() - b)", str(source)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            plain.seconds.append(float(read.stdout))
            peak, (first, last) = imported(folder, source, turn)
            checked.seconds.append(first)
            whole.seconds.append(last)
            peaks.append(peak)
        section.add(f"import of {chosen.patches:,} patches to validity-checked", checked, plain, 2, most=True)
        section.add(f"import of {chosen.patches:,} patches with the whole quality report", whole, plain, 8, most=True)
        size = sum(source.with_suffix(each).stat().st_size for each in (".shp", ".dbf")) / 2**20
        row = Row(
            "peak memory of the import, MB",
            "2 × (.shp + .dbf) + 300 MB",
            max(peaks),
            2 * size + 300,
            len(peaks),
            max(peaks) / (2 * size + 300),
            note="MB, not seconds",
        )
        section.keep(row, 1.0, most=True)
        section.notes.append(
            f"The shapefile: {size:,.0f} MB with its table; {chosen.patches / whole.median:,.0f} patches a second. The peak is that "
            "of the largest process of the import, reader processes included one by one."
        )
    section.save()


def apart(path: Path, count: int) -> Path:
    """The shapefile, written by a process of its own: what a process has held when it starts another counts in the
    other's peak.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(written, path, count).result()


def written(path: Path, count: int) -> Path:
    shapes, farmland = synthetic.whole(count)
    numbers = np.arange(len(shapes)).astype(str)
    villages = np.array(["东升村", "潘杨村", "和平村", "新联村"], dtype=object)[np.arange(len(shapes)) // 1000 % 4]
    columns = {
        "TBBH": numbers,
        "DLBM": synthetic.codes(farmland),
        "KCXS": 0.05,
        "QSXZ": "30",
        "QSDWMC": villages,
        "ZLDWMC": villages,
    }
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=synthetic.PLANE.epsg)
    frame["TBMJ"] = frame.area.round(2)
    pyogrio.write_dataframe(frame, path, encoding="GBK")
    return path


def imported(folder: Path, source: Path, turn: int) -> tuple[float, tuple[float, float]]:
    """Peak memory in MB, and the seconds that the import says of itself."""
    home = folder / f"home{turn}"
    home.mkdir()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(folder / "child.py"), str(source), str(home / "layers")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read().split()
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"the import failed after {time.perf_counter() - begin:.0f} s"
    return used.ru_maxrss / 1024, (float(said[0]), float(said[1]))


if __name__ == "__main__":
    main()
