"""``geoplan screen`` on a prepared layer: on a Dask cluster of one worker and of two, with one killed, and ``--fast``.

    python benchmarks/screening.py OUT.json [--patches 1000000] [--boundaries 20]

Everything is on loopback; workers have one thread each and open the layer by themselves.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import signal
import threading
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import service
import synthetic
from distributed import Client, LocalCluster
from rich.console import Console
from rows import Row, Section, Timed

from geoplan_api.cli.screen import Screen
from geoplan_api.cli.screen import screen as screened
from geoplan_api.inquiry import Inquiry
from geoplan_layers.prepared import kernel
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import parse_selector

SAME = ("proposal", "policy", "rule", "verdict", "firm", "coverage")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patches", type=int, default=service.PATCHES)
    parser.add_argument("--boundaries", type=int, default=20)
    chosen = parser.parse_args()
    section = Section("Screening", chosen.patches == service.PATCHES, chosen.out)
    kernel.warm()
    with TemporaryDirectory(prefix="geoplan-bench-") as name:
        folder = Path(name)
        home, bounds = service.home_of(folder, chosen.patches)
        asked = synthetic.proposals(chosen.boundaries, bounds)
        frame = gpd.GeoDataFrame({"name": [f"p{i}" for i in range(len(asked))]}, geometry=asked, crs=service.EPSG)
        frame.to_file(folder / "many.gpkg")
        frame.iloc[:4].to_file(folder / "few.gpkg")
        inquiry = Inquiry(
            parse_selector(str(folder / "many.gpkg")),
            on=date(2026, 11, 21),
            anywhere=True,
            registered=LayerStore(home / "layers").current(),
        )
        clusters(section, folder, inquiry)
        fast(section, folder, inquiry)
    section.save()


def screen(inquiry: Inquiry, out: Path, **more: object) -> bytes:
    screened(Screen(inquiry, out, **more), "en", Console(file=io.StringIO()))  # type: ignore[arg-type]
    return out.read_bytes()


def clusters(section: Section, folder: Path, inquiry: Inquiry) -> None:
    """One worker and two in turn, each cluster warmed by a few proposals; then one of two is killed at work."""
    few = Inquiry(**{**vars(inquiry), "planning": parse_selector(str(folder / "few.gpkg"))})
    timed = {1: Timed("one worker"), 2: Timed("two workers")}
    tables = []
    for _ in range(2):
        for workers, each in timed.items():
            with started(workers) as cluster:
                address = cluster.scheduler_address
                screen(few, folder / "warm.csv", scheduler=address)
                tables.append(each.run(lambda a=address: screen(inquiry, folder / "table.csv", scheduler=a)))  # type: ignore[misc]
    with started(2) as cluster, Client(cluster) as client:
        address = cluster.scheduler_address
        screen(few, folder / "warm.csv", scheduler=address)
        killer = threading.Thread(target=kill_one, args=(client,))
        killer.start()
        tables.append(screen(inquiry, folder / "killed.csv", scheduler=address))
        killer.join()
    assert len(set(tables)) == 1, "the tables differ"
    one, two = timed[1].median, timed[2].median
    count = tables[0].count(b"\n") - 1
    section.keep(
        Row(
            f"screen on Dask, 2 workers, {len(tables)} tables of {count} rows",
            "screen on Dask, 1 worker",
            two,
            one,
            2,
            one / two,
        ),
        1.6,
        most=False,
    )
    section.notes.append(
        f"All {len(tables)} tables are the same bytes, the one during which a worker was killed included."
    )


def started(workers: int) -> LocalCluster:
    return LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)


def kill_one(client: Client) -> None:
    pids = client.run(os.getpid)
    time.sleep(1.0)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for worker, tasks in client.processing().items():
            if tasks and worker in pids:
                os.kill(pids[worker], signal.SIGKILL)
                return
        time.sleep(0.01)


def fast(section: Section, folder: Path, inquiry: Inquiry) -> None:
    """In this process: exact checks, and --fast; the verdicts are compared row by row."""
    exact, quick = Timed("screen, exact"), Timed("screen --fast")
    exact.run(lambda: screen(inquiry, folder / "exact.csv"))
    for _ in range(2):
        quick.run(lambda: screen(inquiry, folder / "fast.csv", fast=True))
    rows = [list(csv.DictReader((folder / f"{each}.csv").open(encoding="utf-8-sig"))) for each in ("exact", "fast")]
    assert all(a[key] == b[key] for a, b in zip(*rows, strict=True) for key in SAME), "a verdict differs"
    section.add(f"screen --fast, {len(rows[0])} rows, the same verdicts", quick, exact)
    by_kernel = sum(row["method"] == "kernel" for row in rows[1])
    section.notes.append(f"Of {len(rows[1])} rows of the fast table {by_kernel} have the kernel's areas.")


if __name__ == "__main__":
    main()
