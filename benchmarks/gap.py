"""Gap of grown regions to the exact optimum, on random fields of 14 × 14 cells.

    .venv/bin/python benchmarks/gap.py                 50 fields, regions of 20 cells: a table row a trade-off

Fields: 70 % smooth noise (Gaussian, one cell), 30 % cell noise, 15 % of the cells excluded. The growing heuristic tries
every cell as a seed; the optimum is the connected region of as many cells with the greatest sum (HiGHS, gap 0).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import ndimage

from geoplan.search.bound import best_region
from geoplan.search.regions import Field, RegionRules, grow

TRADEOFFS = (0, 10, 20, 35, 50)


def instance(seed: int, side: int) -> Field:
    random = np.random.default_rng(seed)
    smooth, noise = ndimage.gaussian_filter(random.random((side, side)), 1.0), random.random((side, side))
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return Field.of(0.7 * smooth + 0.3 * noise, random.random((side, side)) > 0.15, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=50)
    parser.add_argument("--side", type=int, default=14)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0, help="time of the solver for one field")
    chosen = parser.parse_args()
    gaps: list[list[float]] = []
    spent, exact = [], 0
    for seed in range(chosen.fields):
        field = instance(seed, chosen.side)
        seeds, sums = np.flatnonzero(field.eligible), []
        for tradeoff in TRADEOFFS:
            rules = RegionRules(chosen.cells, chosen.cells, chosen.cells, "circle", tradeoff, islands="kept")
            sums.append(float(np.nanmax(grow(field, rules, seeds).scores)) * chosen.cells)
        begin = time.perf_counter()
        best = best_region(field.value, chosen.cells, known=max(sums), seconds=chosen.seconds)
        spent.append(time.perf_counter() - begin)
        assert best is not None, "the grown region exists"
        exact += best.exact
        gaps.append([best.gap(each) for each in sums])
    found = np.array(gaps)
    print(f"{chosen.fields} fields of {chosen.side} x {chosen.side}, {chosen.cells} cells; {exact} solved exactly")
    print(f"solver: median {np.median(spent):.1f} s, longest {max(spent):.1f} s")
    for name, row in [*zip(map(str, TRADEOFFS), found.T, strict=True), ("best of all", found.min(axis=1))]:
        print(f"trade-off {name:>11}: mean {row.mean():6.2%}  median {np.median(row):6.2%}  worst {row.max():6.2%}")


if __name__ == "__main__":
    main()
