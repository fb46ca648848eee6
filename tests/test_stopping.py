# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Ctrl-C and SIGTERM end the long commands: one line, exit status 4, nothing half written, no process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geoplan.messages import word
from geoplan_api.demo import data_folder, towns
from test_search_files import HUZHOU, under_policies

STOPPED = "stopped as asked; nothing was changed."
GENEROUS_S = 30.0
"""A machine may be busy; what it takes on a quiet one stands in docs/search.md."""


class Running:
    """A command under way; what it says is kept line by line."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "geoplan_api", *args, "--lang", "en"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                self.lines.append(line.rstrip())
                self._more.notify_all()

    def said(self, text: str) -> None:
        """Wait until a line begins so."""
        with self._more:
            assert self._more.wait_for(lambda: any(each.startswith(text) for each in self.lines), 240), self.lines

    def stopped(self, number: int) -> list[str]:
        """Send a signal, as a terminal does to the whole group; what is said from then on."""
        before = len(self.lines)
        os.killpg(self.process.pid, number)
        assert self.process.wait(GENEROUS_S) == 4
        self._reader.join(GENEROUS_S)
        assert not self._reader.is_alive(), "a process that holds stderr is left"
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            assert pipe.read() == ""
            pipe.close()
        return self.lines[before:]


def searching(folder: Path, cell: int) -> Running:
    """A search with the demo's criteria at another size of cells; the smaller, the longer it grows."""
    text = (data_folder() / "search" / "huzhou.criteria.toml").read_text(encoding="utf-8")
    criteria = folder / "huzhou.toml"
    criteria.write_text(text.replace("cell_m = 30", f"cell_m = {cell}"), encoding="utf-8")
    area = f"{HUZHOU / 'coverage.gpkg'}#land-use"
    out = str(folder / "out")
    return Running(folder, "search", "--area", area, "--criteria", str(criteria), *under_policies(), "--out", out)


@pytest.mark.parametrize(
    ("stage", "cell", "number"),
    [
        ("search-reading", 15, signal.SIGINT),
        ("search-exclusions-planning", 15, signal.SIGTERM),
        ("search-regions", 15, signal.SIGINT),
        ("search-boundaries", 60, signal.SIGTERM),
        ("search-runners-up", 60, signal.SIGINT),
        ("search-rasters", 60, signal.SIGTERM),
        ("search-written", 60, signal.SIGINT),
    ],
)
def test_a_search_ends_at_any_stage_and_leaves_what_was_there(tmp_path, stage, cell, number) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "search.json").write_text("earlier")
    running = searching(tmp_path, cell)
    running.said(word("progress", stage, "en"))
    assert running.stopped(number)[-1:] == [STOPPED]
    assert [each.name for each in out.rglob("*")] == ["search.json"]
    assert (out / "search.json").read_text() == "earlier"
    assert not list(running.temporary.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_repair_ends(tmp_path, number) -> None:
    town = next(each for each in towns() if each.expected == "fail" and each.key.startswith("huzhou"))
    asked = town.inquiry()
    assert asked.construction is not None
    boundaries = ["--planning", str(asked.planning.path), "--construction", str(asked.construction.path)]
    running = Running(tmp_path, "repair", *boundaries, *under_policies(), "--out", str(tmp_path / "out"))
    running.said(word("progress", "repair-check", "en"))
    assert running.stopped(number)[-1:] == [STOPPED]
    assert not list((tmp_path / "out").rglob("*"))
    assert not list(running.temporary.iterdir())


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_a_screen_ends_and_is_gone_on_with(tmp_path, number, workers) -> None:
    west, south, east, north = 120.05, 30.72, 120.06, 30.73
    rows = [
        {"name": str(i), "geometry": shapely.box(west + i * 1e-5, south, east + i * 1e-5, north)} for i in range(3000)
    ]
    gpd.GeoDataFrame(rows, crs=4490).to_file(tmp_path / "many.gpkg")
    table = tmp_path / "table.csv"
    args = [str(tmp_path / "many.gpkg"), "--out", str(table), "--workers", str(workers), *under_policies()]
    running = Running(tmp_path, "screen", *args)
    running.said("1")
    assert running.stopped(number)[-1:] == ["stopped as asked. What is done is kept: go on with --resume."]
    assert not table.exists()
    assert len((tmp_path / "table.csv.part").read_text(encoding="utf-8").splitlines()) > 1
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
