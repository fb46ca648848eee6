"""Overlap beside its peers, in one run: ``make bench`` measures, prints, and writes docs/performance.md.

    make bench                                        2000 proposals on the farmland of 1,000,000 patches
    make bench BENCH="--patches 100000 --proposals 200"

Runs are interleaved, the kernel once before each peer in turn, so that what else the machine does falls on all; medians
are compared.
Before any time counts, every pair that a peer gives is compared with the kernel's: the same pairs above 0.01 m², areas
within 1e-3 m² (planar, since that is what peers give). Timed are the kernel's areas on the ellipsoid.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import peers
import pyogrio
import shapely
import synthetic

from geoplan.layer import Patches
from geoplan.site import cut
from geoplan_layers.prepared import kernel

ABOVE, WITHIN = 0.01, 1e-3
KERNEL, OVERLAY = "geoplan kernel", "geopandas.overlay"
TARGETS = {
    ("clean", OVERLAY): 60,
    ("marred", OVERLAY): 40,
    ("clean", "shapely"): 8,
    ("clean", "DuckDB"): 35,
}
FULL = (1_000_000, 2000, 2)
"""Patches, proposals and threads for which the targets are stated; at any other size none is shown."""
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


Answer = TypeVar("Answer")


@dataclass
class Measured:
    """Seconds of each run of one way to do a job, and how far its answer was compared."""

    name: str
    seconds: list[float]
    processor: list[float]
    pairs: int = 0
    worst: float = 0.0

    def timed(self, run: Callable[[], Answer]) -> Answer:
        """Run once, and keep the seconds by the clock and those of the processor."""
        processor, begin = time.process_time(), time.perf_counter()
        answer = run()
        self.seconds.append(time.perf_counter() - begin)
        self.processor.append(time.process_time() - processor)
        return answer

    @property
    def median(self) -> float:
        """Median of the runs, s."""
        return statistics.median(self.seconds)


def compare(way: Measured, mine: kernel.Shared, theirs: peers.Pairs, left_out: np.ndarray) -> None:
    """Fail unless the pairs and areas agree; pairs of the patches ``left_out`` (quarantined) are not compared."""
    name, patches = way.name, len(left_out)
    i, j, area = (np.asarray(each) for each in theirs)
    keep = ~left_out[j]
    keys, where = np.unique(i[keep] * patches + j[keep], return_inverse=True)
    sums = np.bincount(where, weights=area[keep], minlength=len(keys))
    own = mine.proposals * patches + mine.patches
    both, at_own, at_their = np.intersect1d(own, keys, return_indices=True)
    differing = np.abs(mine.areas[at_own] - sums[at_their])
    alone = np.concatenate([np.delete(mine.areas, at_own), np.delete(sums, at_their)])
    real = np.count_nonzero(alone > ABOVE)
    assert real == 0, f"{name}: {real} pairs above {ABOVE} m² stand on one side alone"
    worst = float(differing.max(initial=0.0))
    assert worst < WITHIN, f"{name}: areas differ by {worst} m²"
    way.pairs, way.worst = len(both), worst


def run_job(layer: synthetic.Layer, jobs: list[tuple[np.ndarray, int]], threads: int) -> list[list[Measured]]:
    """All ways to do some jobs on one layer, in turn: their answers compared on the first turn, times from each."""
    sound = np.flatnonzero(~layer.broken)
    shapes = layer.shapes[sound]
    pack = kernel.pack_of(shapes, synthetic.PLANE)
    everything: list[tuple[str, peers.Peer, bool]] = [
        (OVERLAY, peers.overlay(layer.shapes, synthetic.PLANE.crs), True),
        (f"shapely STRtree with contains, {threads} threads", peers.shortcut(shapes, threads), False),
    ]
    if (other := peers.duckdb(shapes, threads)) is not None:
        everything.append((*other, False))
    none = np.zeros(len(shapes), dtype=bool)
    answers = []
    for asked, rounds in jobs:
        planar = kernel.shared_areas(asked, pack, ellipsoidal=False, threads=threads)
        own = Measured(KERNEL, [], [], len(planar.areas))
        found = [own]
        for turn in range(rounds):
            for k, (name, way, whole_layer) in enumerate(everything, start=1):
                own.timed(lambda a=asked: kernel.shared_areas(a, pack, threads=threads))  # type: ignore[misc]
                if turn:
                    found[k].timed(lambda w=way, a=asked: w(a))  # type: ignore[misc]
                    continue
                each = Measured(name, [], [])
                answer = each.timed(lambda w=way, a=asked: w(a))  # type: ignore[misc]
                mine = kernel.Shared(planar.proposals, sound[planar.patches], planar.areas, planar.whole)
                compare(each, *((mine, answer, layer.broken) if whole_layer else (planar, answer, none)))
                print(f"  {name}: {each.pairs} pairs equal, worst {each.worst:.1e} m², {each.median:.2f} s", flush=True)
                found.append(each)
        answers.append(found)
    return answers


def run_pieces(layer: synthetic.Layer, asked: np.ndarray, rounds: int) -> list[Measured]:
    """One boundary at a time as a report has it: GEOS's cut pieces with survey areas, beside geopandas.overlay."""
    shapes = layer.shapes
    names = np.arange(len(shapes)).astype(str).astype(object)
    patches = Patches(shapes, names, names, names, np.ones(len(shapes)))
    way = peers.overlay(shapes, synthetic.PLANE.crs)
    ours, theirs = Measured("geoplan cut pieces (reports)", [], []), Measured(OVERLAY, [], [])
    for shape in asked:
        hit, pieces, _ = cut(patches, shape, synthetic.PLANE)
        planar = dict(zip(hit.ids, shapely.area(pieces), strict=True))
        _, j, area = way(np.array([shape]))
        peer = {str(p): float(a) for p, a in zip(j, area, strict=True) if a >= ABOVE}
        worst = max((abs(planar[p] - a) for p, a in peer.items()), default=0.0)
        assert worst < WITHIN, worst
        assert {p for p, a in planar.items() if a >= ABOVE} == set(peer)
        ours.pairs, ours.worst = ours.pairs + len(peer), max(ours.worst, worst)
        for _ in range(rounds):
            ours.timed(lambda s=shape: cut(patches, s, synthetic.PLANE))  # type: ignore[misc]
            theirs.timed(lambda s=shape: way(np.array([s])))  # type: ignore[misc]
    return [ours, theirs]


def table(found: list[Measured], layer: str) -> list[str]:
    """The rows of one job: seconds, ratios to the first, and whether its target is met (``layer``: which targets)."""
    first = found[0]
    lines = [
        "| way | median s | fastest s | processor s | runs | times the first | by processor | target | pairs compared | worst m² |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        ratio = each.median / first.median
        spent = statistics.median(each.processor) / max(statistics.median(first.processor), 1e-9)
        target = next((t for (on, name), t in TARGETS.items() if on == layer and each.name.startswith(name)), None)
        met = "" if target is None else f"≥ {target}: {'met' if ratio >= target else '**missed**'}"
        lines.append(
            f"| {each.name} | {each.median:.4f} | {min(each.seconds):.4f} | {statistics.median(each.processor):.4f} | {len(each.seconds)} | {ratio:.1f} | {spent:.1f} | {met} "
            f"| {each.pairs or '—'} | {f'{each.worst:.1e}' if each.worst else '—'} |"
        )
    return lines


def versions() -> str:
    """What took part, and the machine."""
    return (
        f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}, shapely {shapely.__version__} "
        f"(GEOS {shapely.geos_version_string}), geopandas {gpd.__version__}, pandas {pd.__version__}, "
        f"pyogrio {pyogrio.__version__}; {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=1_000_000)
    parser.add_argument("--proposals", type=int, default=2000)
    parser.add_argument(
        "--rounds", type=int, default=3, help="turns of every way; the answers are compared on the first"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--note", default="", help="what else the machine did, for the page")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    load = os.getloadavg()
    begin = time.perf_counter()
    kernel.warm()
    warming = time.perf_counter() - begin
    clean = synthetic.clean(chosen.patches)
    asked = synthetic.proposals(chosen.proposals, clean.bounds)
    marred = synthetic.marred(clean)
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; every figure comes from the one run described here. Only the ratios of one table are",
        "comparable: its runs were interleaved on the same machine.",
        "",
        f"{versions()}. Load average when it began: {load[0]:.1f}; {chosen.note or 'nothing else was said of the machine'}.",
        f"Layer: {len(clean.shapes):,} farmland patches of {chosen.patches:,} ({int(shapely.get_num_coordinates(clean.shapes).sum()):,} vertices), "
        f"{chosen.threads} threads, {chosen.rounds} rounds. The kernel was ready after {warming:.1f} s "
        "(compiled code on disk: about 1 s; without it: about 7 s of processor time).",
        "",
    ]
    many = f"{chosen.proposals} proposals"
    full = (chosen.patches, chosen.proposals, chosen.threads) == FULL
    first, single = run_job(clean, [(asked, chosen.rounds), (asked[:1], 5 * chosen.rounds)], chosen.threads)
    (hard,) = run_job(marred, [(asked, chosen.rounds)], chosen.threads)
    broken = f"{int(marred.broken.sum()):,} broken ones quarantined; overlay mends them, and they are not compared"
    for title, found, key in (
        (f"{many}, clean layer", first, "clean"),
        (f"{many}, 2 % of the patches with holes, in two parts or broken ({broken})", hard, "marred"),
        ("One proposal, clean layer, index warm", single, ""),
    ):
        made = table(found, key if full else "")
        lines += [f"## {title}", "", *made, ""]
        print(title, *made, sep="\n", flush=True)
    few = synthetic.clean(min(chosen.patches, 100_000))
    found = run_pieces(few, synthetic.proposals(5, few.bounds), chosen.rounds)
    title = f"One boundary as reports have it, {len(few.shapes):,} patches in memory"
    lines += [f"## {title}", "", *table(found, ""), ""]
    print(title, *table(found, ""), sep="\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += [f"Peak memory of the whole run: {peak:,.0f} MB.", "", *NOT_MEASURED]
    chosen.page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"peak memory {peak:,.0f} MB; written: {chosen.page}")


NOT_MEASURED = [
    "## What this page does not say",
    "",
    "The kernel's seconds are areas alone, on an index that is ready; figures of reports are GEOS's cut pieces (last table).",
    "DuckDB stands here only where it was installed (`uv sync --group bench`). SedonaDB, PostGIS, jobs from files on disk,",
    "layers of five million patches and several machines were not measured in this run.",
]


if __name__ == "__main__":
    main()
