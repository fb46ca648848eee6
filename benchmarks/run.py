"""Every part of the benchmark in turn, each a process of its own, and docs/performance.md made of what they measured.

    make bench                                                 full size, about twenty minutes on two cores
    make bench BENCH="--patches 100000 --proposals 200"        smaller: no target is judged
    make bench BENCH="--only service --only importing"         some parts; the page keeps the others of its last run

A part that fails or takes too long is told on the page, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rows import versions

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
KEPT = HERE / "results"
"""What each part measured last, as data; not committed."""


@dataclass(frozen=True)
class Part:
    """A part of the benchmark: its script, the options that it has, and the seconds that it may take."""

    name: str
    title: str
    options: tuple[str, ...]
    seconds: int


PARTS = (
    Part("overlap", "Overlap areas", ("patches", "proposals", "rounds"), 900),
    Part("service", "A whole check", ("patches",), 600),
    Part("importing", "Import of a shapefile", ("patches",), 600),
    Part("screening", "Screening", ("patches",), 900),
    Part("tiles", "Vector tiles", ("patches",), 600),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int)
    parser.add_argument("--proposals", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", action="append", default=[], choices=[part.name for part in PARTS])
    parser.add_argument("--note", default="", help="what else the machine did, for the page")
    parser.add_argument("--page", type=Path, default=PAGE)
    chosen = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    begin, load = time.perf_counter(), os.getloadavg()[0]
    wanted = [part for part in PARTS if not chosen.only or part.name in chosen.only]
    with TemporaryDirectory(prefix="geoplan-bench-") as shared:
        for part in wanted:
            measured(part, chosen, shared)
    spent = time.perf_counter() - begin
    found = [(part, json.loads(file.read_text())) for part in PARTS if (file := KEPT / f"{part.name}.json").exists()]
    chosen.page.write_text(page(found, load, spent, chosen.note), encoding="utf-8")
    print(f"written: {chosen.page} after {spent / 60:.1f} min")
    return 0 if all("failed" not in each for _, each in found) else 1


def measured(part: Part, chosen: argparse.Namespace, shared: str) -> None:
    """Run a part; what it measured, or how it failed, is kept."""
    out = KEPT / f"{part.name}.json"
    out.unlink(missing_ok=True)
    given = [(each, getattr(chosen, each)) for each in part.options if getattr(chosen, each) is not None]
    call = [sys.executable, str(HERE / f"{part.name}.py"), str(out), *(w for k, v in given for w in (f"--{k}", str(v)))]
    print(f"== {part.title}: {' '.join(call[1:])}", flush=True)
    begin, why = time.perf_counter(), ""
    process = subprocess.Popen(call, cwd=HERE.parent, env=_alone(shared), start_new_session=True)
    try:
        if status := process.wait(part.seconds):
            why = f"ended with status {status}"
    except subprocess.TimeoutExpired:
        why = f"did not end within {part.seconds} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what a part that failed has left running, a service among it
        process.wait()
    if why or not out.exists():
        until = json.loads(out.read_text()) if out.exists() else {"title": part.title, "rows": [], "notes": []}
        out.write_text(json.dumps(until | {"failed": why or "wrote nothing"}, ensure_ascii=False, indent=1))
    print(f"== {part.title}: {why or 'done'}, {time.perf_counter() - begin:.0f} s", flush=True)


def _alone(shared: str) -> dict[str, str]:
    """The environment without a home of the user's, and the folder that the parts share."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GEOPLAN_")} | {
        "BENCH_FOLDER": shared
    }


def page(found: list[tuple[Part, dict[str, Any]]], load: float, spent: float, note: str) -> str:
    lines = [
        "# Performance",
        "",
        "Written by `make bench`. Ratios of one row are comparable: its runs were interleaved on the same machine, and the answers",
        "compared pair by pair before a time counted (pairs above 0.01 m² equal, areas within 1e-3 m²). Seconds are medians.",
        "“Times” is the peer's time over ours where the target is a least (≥), ours over the peer's where it is a most (≤).",
        "Targets hold at full size only; a target that is missed stays here as missed.",
        "",
        f"{date.today().isoformat()}; {versions()}. Load average when it began: {load:.1f}; it took {spent / 60:.0f} min. {note}".rstrip(),
        "",
        "| job | beside | geoplan s | peer s | runs | times | target | | pairs | worst m² |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for _, part in found:
        lines += [line(row) for row in part["rows"]]
    for each, part in found:
        lines += ["", f"## {part['title']}", ""]
        if "failed" in part:
            lines.append(f"This part {part['failed']}; its rows are those until then.")
        lines += [
            *part["notes"],
            *([f"Peak memory of this part: {part['peak_mb']:,.0f} MB."] if "peak_mb" in part else []),
        ]
        lines.append(f"Script: `benchmarks/{each.name}.py`.")
    return "\n".join([*lines, "", *ELSEWHERE]) + "\n"


def line(row: dict[str, Any]) -> str:
    met = {True: "met", False: "**missed**", None: ""}[row["met"]]
    unit = " (" + row["note"] + ")" if row["note"] else ""
    worst = f"{row['worst']:.1e}" if row["pairs"] else "—"
    return (
        f"| {row['job']}{unit} | {row['peer']} | {row['ours_s']:.4g} | {row['peer_s']:.4g} | {row['runs']} | {row['ratio']:.3g} "
        f"| {row['target']} | {met} | {row['pairs'] or '—'} | {worst} |"
    )


ELSEWHERE = [
    "## Measured elsewhere",
    "",
    "`benchmarks/exclusion.py` (exclusions from files to mask), `regions.py` (regions grown), `gap.py` (gap to the optimum) and",
    "`million.py` (a boundary of a million vertices) print their own figures; what they gave stands in",
    "[exclusions](exclusions.md) and [search](search.md). What a province of twenty million patches would take is",
    "[reckoned, not measured](scale.md).",
]


if __name__ == "__main__":
    raise SystemExit(main())
