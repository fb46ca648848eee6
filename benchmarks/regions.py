"""Growing regions, beside the plain Python reference in the same run.

    .venv/bin/python benchmarks/regions.py             2,000 × 2,000 cells of 30 m, regions of 3 km², scores compared

The reference is the textbook heap and set of tests/growing_reference.py, its arrays taken out of NumPy beforehand. Both
run interleaved; times are of the process (CPU) and by the clock, so that a busy machine shows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

from geoplan.search.regions import Field, RegionRules, grow

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from growing_reference import Reference


def landscape(side: int, seed: int = 5) -> Field:
    random = np.random.default_rng(seed)

    def noise(step: int) -> np.ndarray:
        corners = random.random((side // step + 3, side // step + 3))
        return ndimage.zoom(corners, step, order=1)[:side, :side]

    value = sum(noise(step) * weight for step, weight in ((10, 0.4), (60, 0.3), (300, 0.2), (1500, 0.1)))
    return Field.of(value, noise(max(1, side // 30)) < 0.72, 30.0)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=4000)
    parser.add_argument("--plain", type=int, default=20, help="seeds grown by the reference in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--islands", choices=["kept", "filled"], default="kept")
    chosen = parser.parse_args()
    field = landscape(chosen.side)
    rules = RegionRules(3e6, 2.9e6, 3.1e6, "circle", 35, islands=chosen.islands)
    seeds = np.random.default_rng(1).choice(np.flatnonzero(field.eligible), chosen.seeds, replace=False)
    plain = Reference(field, rules)
    ours = grow(field, rules, seeds)
    places = [divmod(int(seed), field.value.shape[1]) for seed in seeds[: chosen.plain * chosen.rounds]]
    theirs = np.array([plain.mean(*place) for place in places])
    assert np.array_equal(theirs, ours.scores[: len(theirs)], equal_nan=True), "the scores differ"
    times: dict[str, list[tuple[float, float]]] = {"plain": [], "1": [], "2": []}
    for turn in range(chosen.rounds):
        some = places[turn * chosen.plain : (turn + 1) * chosen.plain]
        times["plain"].append(timed(lambda some=some: [plain.mean(*place) for place in some]))
        for threads in (1, 2):
            times[str(threads)].append(timed(lambda threads=threads: grow(field, rules, seeds, threads=threads)))
    each = {
        name: [
            statistics.median(column) * 1e3 / (chosen.plain if name == "plain" else chosen.seeds)
            for column in zip(*rows, strict=True)
        ]
        for name, rows in times.items()
    }
    print(
        f"{chosen.side} x {chosen.side} cells, {chosen.seeds} seeds, islands {chosen.islands}; {len(theirs)} scores equal to the bit"
    )
    for name, (clock, cpu) in each.items():
        label = "plain Python" if name == "plain" else f"compiled, {name} thread(s)"
        print(
            f"{label:22} {clock:8.3f} ms a seed by the clock, {cpu:8.3f} ms of the process; ratio {each['plain'][0] / clock:5.1f} (process {each['plain'][1] / cpu:5.1f})"
        )


if __name__ == "__main__":
    main()
