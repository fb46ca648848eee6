"""Rows of a benchmark: what was timed beside what, whether a target is met, and the page that is made of them."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

ABOVE, WITHIN = 0.01, 1e-3
"""m²: pairs that count, and how far areas may differ."""
PACKAGES = (
    "numpy", "numba", "shapely", "geopandas", "pandas", "pyogrio", "pyarrow", "duckdb", "sedonadb", "psycopg",
    "distributed", "rasterio",
)  # fmt: skip
Answer = TypeVar("Answer")
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass
class Timed:
    """Seconds of each run of one way to do a job."""

    name: str
    seconds: list[float] = field(default_factory=list)
    pairs: int = 0
    worst: float = 0.0

    def run(self, work: Callable[[], Answer]) -> Answer:
        begin = time.perf_counter()
        answer = work()
        self.seconds.append(time.perf_counter() - begin)
        return answer

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Row:
    """Ours beside a peer: how many times, and the target, that holds at full size only."""

    job: str
    peer: str
    ours_s: float
    peer_s: float
    runs: int
    ratio: float
    target: str = ""
    met: bool | None = None
    pairs: int = 0
    worst: float = 0.0
    note: str = ""


@dataclass
class Section:
    """What one part of the benchmark measured, written with every row: what ends a part early loses none."""

    title: str
    full: bool
    out: Path
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, job: str, ours: Timed, peer: Timed, target: float | None = None, *, most: bool = False) -> Row:
        """A row. ``target`` is what the peer takes at least, in times ours; with ``most`` what ours takes at most."""
        ratio = ours.median / peer.median if most else peer.median / ours.median
        row = Row(
            job, peer.name, ours.median, peer.median, len(peer.seconds), ratio, pairs=peer.pairs, worst=peer.worst
        )
        return self.keep(row, target, most=most)

    def keep(self, row: Row, target: float | None, *, most: bool) -> Row:
        if target is not None:
            row.target = f"{'≤' if most else '≥'} {target:g}×"
            row.met = (row.ratio <= target if most else row.ratio >= target) if self.full else None
        self.rows.append(row)
        said = "" if row.met is None else " met" if row.met else " MISSED"
        print(
            f"  {row.job} | {row.peer}: {row.ours_s:.4f} s / {row.peer_s:.4f} s = {row.ratio:.2f} {row.target}{said}",
            flush=True,
        )
        self.save()
        return row

    def save(self) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        content = {**asdict(self), "out": self.out.name, "peak_mb": peak}
        self.out.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def interleaved(
    ours: Callable[[], Any],
    peers: Mapping[str, Callable[[], Pairs]],
    rounds: int,
    check: Callable[[Timed, Pairs], None],
) -> tuple[Timed, list[Timed]]:
    """Ours once before each peer in turn, so that what else the machine does falls on all; answers compared once."""
    own, found = Timed("geoplan"), {name: Timed(name) for name in peers}
    for turn in range(rounds):
        for name, way in peers.items():
            own.run(ours)
            answer = found[name].run(way)
            if turn == 0:
                check(found[name], answer)
                print(f"  {name}: {found[name].pairs} pairs equal, worst {found[name].worst:.1e} m²", flush=True)
    return own, list(found.values())


def compare(way: Timed, mine: Any, theirs: Pairs, patches: int, left_out: np.ndarray | None = None) -> None:
    """Fail unless pairs and areas agree; pairs of the patches ``left_out`` (quarantined ones) are not compared."""
    i, j, area = (np.asarray(each) for each in theirs)
    keep = np.ones(len(j), dtype=bool) if left_out is None else ~left_out[j]
    keys, where = np.unique(i[keep].astype(np.int64) * patches + j[keep], return_inverse=True)
    sums = np.bincount(where, weights=area[keep].astype(float), minlength=len(keys))
    own = mine.proposals * patches + mine.patches
    both, at_own, at_their = np.intersect1d(own, keys, return_indices=True)
    alone = np.concatenate([np.delete(mine.areas, at_own), np.delete(sums, at_their)])
    real = np.count_nonzero(alone > ABOVE)
    assert real == 0, f"{way.name}: {real} pairs above {ABOVE} m² stand on one side alone"
    worst = float(np.abs(mine.areas[at_own] - sums[at_their]).max(initial=0.0))
    assert worst < WITHIN, f"{way.name}: areas differ by {worst} m²"
    way.pairs, way.worst = len(both), worst


def versions() -> str:
    """What took part, and the machine."""
    import shapely

    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    processor = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return (
        f"Python {platform.python_version()}, {', '.join(found)}, GEOS {shapely.geos_version_string}; "
        f"{platform.system()} {platform.machine()}, {processor}, {os.cpu_count()} cores, {memory:.0f} GiB"
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
