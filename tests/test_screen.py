# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""``geoplan screen``: every row is what ``check`` says, whatever the number of processes and of interruptions."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from builders import X0, Y0, box
from geoplan.errors import CallRefused, CannotFinish
from geoplan.plane import Plane
from geoplan_api.cli.screen import Screen, _question
from geoplan_api.inquiry import Inquiry, grounds
from geoplan_api.screen_rows import COLUMNS, Answer
from geoplan_api.screen_table import Journal
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.places import place_named
from geoplan_layers.selector import Selector, parse_layer

GEOPLAN = [sys.executable, "-m", "geoplan_api"]
COUNT = 50


def env() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    return kept | {"GEOPLAN_LANG": "en", "COLUMNS": "200"}


def geoplan(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GEOPLAN, *map(str, arguments)], env=env(), capture_output=True, text=True, timeout=240, check=False
    )


def save(path: Path, *shapes: shapely.Geometry, **columns: list[object]) -> Path:
    driver = "ESRI Shapefile" if path.suffix == ".shp" else "GPKG"
    gpd.GeoDataFrame(columns or {"YJJBNTTBBH": ["1"] * len(shapes)}, geometry=list(shapes), crs=4549).to_file(
        path, driver=driver, engine="pyogrio"
    )
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Fifty proposals along a row of farmland, the 31st an hourglass of two halves that nobody can mend to one."""
    folder = tmp_path_factory.mktemp("screen")
    shapes: list[shapely.Geometry] = [box(i * 60, 0, 800, 900) for i in range(COUNT)]
    x, y = X0, Y0
    shapes[30] = shapely.Polygon([(x, y), (x + 900, y + 900), (x + 900, y), (x, y + 900), (x, y)])
    names: list[object] = [f"方案{i:02d}" for i in range(COUNT)]
    farm = [box(2000 + 200 * i, 100, 150, 80) for i in range(8)]
    cover = save(folder / "cover.gpkg", box(-3000, -3000, 15000, 9000))
    return {
        "many": save(folder / "many.gpkg", *shapes, XMMC=names, 编号=list(range(COUNT))),
        "farm": save(
            folder / "farm.gpkg", *farm, YJJBNTTBBH=[str(i) for i in range(8)], DLBM=["0101"] * 8, KCXS=[0.1] * 8
        ),
        "cover": cover,
        "folder": folder,
    }


def asked(data: dict[str, Path], out: Path, *more: object, proposals: Path | None = None) -> list[object]:
    layer = ["--layer", f"permanent-basic-farmland={data['farm']}"]
    coverage = ["--coverage", f"permanent-basic-farmland={data['cover']}", "--on", "2026-11-21"]
    return ["screen", proposals or data["many"], "--out", out, *layer, *coverage, "--policy", "huzhou-2018", *more]


@pytest.fixture(scope="module")
def table(data: dict[str, Path]) -> tuple[subprocess.CompletedProcess[str], Path]:
    out = data["folder"] / "one.csv"
    return geoplan(*asked(data, out)), out


def test_a_table_has_a_row_for_each_proposal_and_rule(
    data: dict[str, Path], table: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    run, out = table
    rows = rows_of(out)
    assert list(rows[0]) == list(COLUMNS)
    assert list(dict.fromkeys(row["proposal"] for row in rows)) == [f"方案{i:02d}" for i in range(COUNT)]
    counts = {name: sum(r["proposal"] == name for r in rows) for name in {r["proposal"] for r in rows}}
    assert counts.pop("方案30") == 1
    assert len(set(counts.values())) == 1
    assert "50 proposals in" in run.stdout
    assert not out.with_name("one.csv.part").exists()


def test_a_broken_proposal_is_listed_as_refused_and_decides_the_status(
    table: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, out = table
    refused = [row for row in rows_of(out) if row["verdict"] == "refused"]
    assert [row["proposal"] for row in refused] == ["方案30"]
    assert refused[0]["message"]
    assert refused[0]["message"] in run.stdout
    assert run.returncode == 2


def test_every_row_is_what_check_says(
    data: dict[str, Path], table: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    """One that takes farmland and one that does not: the same report, verdict by verdict, figure by figure."""
    rows = rows_of(table[1])
    for name, status in (("方案33", 1), ("方案02", 3)):
        arguments = asked(data, Path("unused"))[4:]
        run = geoplan("check", "--planning", f"{data['many']}[XMMC={name}]", *arguments, "--json")
        report = json.loads(run.stdout)
        mine = {(r["policy"], r["rule"]): r for r in rows if r["proposal"] == name and r["policy"] != "structure"}
        theirs = {(p["id"], f["rule"]): f for p in report["policies"] for f in p["findings"]}
        assert mine.keys() == theirs.keys()
        assert {r["report_id"] for r in mine.values()} == {report["id"]}
        for key, finding in theirs.items():
            assert mine[key]["verdict"] == finding["verdict"]
            value = finding["measured"]["value"] if finding["measured"] else None
            assert mine[key]["value"] == ("" if value is None else str(value))
            assert mine[key]["message"] == finding["says"]["en"]
        assert run.returncode == status


def test_the_table_is_the_same_for_two_workers_and_after_kill_9(
    data: dict[str, Path], table: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    """Killed after some proposals, with a torn last line; then gone on with by two processes."""
    out = data["folder"] / "killed.csv"
    journal = out.with_name("killed.csv.part")
    running = subprocess.Popen(
        [*GEOPLAN, *map(str, asked(data, out, "--workers", 2))],
        env=env(),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not (journal.exists() and journal.read_bytes().count(b"\n") > 5):
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = journal.read_bytes().count(b"\n") - 1
    assert 5 <= done < COUNT
    assert not out.exists()
    with journal.open("ab") as torn:
        torn.write(b'{"name": "torn')
    run = geoplan(*asked(data, out, "--workers", 2, "--resume"))
    assert f"going on: {done} proposals are done already" in run.stderr
    assert run.returncode == 2
    assert out.read_bytes() == table[1].read_bytes()
    assert not journal.exists()


def test_a_folder_of_shapefiles_and_a_parquet_table(data: dict[str, Path], tmp_path: Path) -> None:
    """A file with a name, one without, one with two rows, one damaged: named so that each is found again."""
    folder = tmp_path / "proposals"
    (folder / "二组").mkdir(parents=True)
    save(folder / "a.shp", box(0, 0, 800, 900), MC=["甲镇"])
    save(folder / "二组" / "b.shp", box(1800, 0, 800, 900), nothing=["x"])
    save(folder / "c.shp", box(0, 0, 800, 900), box(3000, 0, 800, 900), nothing=["x", "y"])
    (folder / "d.gpkg").write_bytes(b"SQLite format 3\x00 and nothing more")
    out = tmp_path / "table.parquet"
    run = geoplan(*asked(data, out, proposals=folder))
    found = pq.read_table(out)
    assert found.column_names == list(COLUMNS)
    assert list(dict.fromkeys(found["proposal"].to_pylist())) == ["甲镇", "c#1", "c#2", "d", "二组/b"]
    assert found.filter(np.array(found["verdict"].to_pylist()) == "refused")["proposal"].to_pylist() == ["d"]
    assert run.returncode == 2


def test_names_from_a_field_and_without_one(data: dict[str, Path], tmp_path: Path) -> None:
    twice = save(tmp_path / "two.gpkg", box(0, 0, 800, 900), box(1800, 0, 800, 900), 镇=["=1+1", "乙"], MC=["同", "同"])
    geoplan(*asked(data, tmp_path / "t.csv", "--name", "镇", proposals=twice))
    assert list(dict.fromkeys(r["proposal"] for r in rows_of(tmp_path / "t.csv"))) == ["'=1+1", "乙"]
    geoplan(*asked(data, tmp_path / "t.csv", proposals=twice))
    assert list(dict.fromkeys(r["proposal"] for r in rows_of(tmp_path / "t.csv"))) == ["同 #1", "同 #2"]
    run = geoplan(*asked(data, tmp_path / "u.csv", "--name", "镇名", proposals=twice))
    assert run.returncode == 2
    assert "镇名" in run.stderr
    assert not list(tmp_path.glob("u.csv*"))


def test_calls_that_are_wrong_are_refused_before_anything_is_written(data: dict[str, Path], tmp_path: Path) -> None:
    for arguments, said in (
        (asked(data, tmp_path / "t.xlsx"), "FILE.csv | FILE.parquet"),
        (asked(data, tmp_path / "t.csv", proposals=tmp_path / "none.gpkg"), "none.gpkg"),
        (asked(data, tmp_path / "t.csv", proposals=tmp_path), "neither this folder"),
    ):
        run = geoplan(*arguments)
        assert run.returncode == 2
        assert said in run.stderr
        assert run.stdout == ""
        assert list(tmp_path.iterdir()) == []


QUESTION = {"screen": 1, "on": "2026-11-21", "policies": ["a"]}


def test_a_journal_of_another_question_is_not_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    first = Journal(out, QUESTION, resume=False)
    first.add(Answer("a", [], 1, "fail"))
    with pytest.raises(CannotFinish, match="another process is writing"):
        Journal(out, QUESTION, resume=True)
    first.close()
    with pytest.raises(CallRefused, match="what differs: policies"):
        Journal(out, {**QUESTION, "policies": ["b"]}, resume=True)
    again = Journal(out, QUESTION, resume=True)
    assert (again.done, again.statuses) == (1, {1})
    again.close()
    anew = Journal(out, {**QUESTION, "policies": ["b"]}, resume=False)
    assert anew.done == 0
    anew.close()


def test_what_opening_a_layer_assumed_reaches_every_report(data: dict[str, Path], tmp_path: Path) -> None:
    bare = save(tmp_path / "farm.shp", box(2100, 100, 150, 80), YJJBNTTBBH=["1"], DLBM=["0101"], KCXS=[0.1])
    bare.with_suffix(".prj").unlink()
    layer = FileLayer(parse_layer(f"permanent-basic-farmland={bare}@EPSG:4549"))
    assert layer.notes
    layer.within(box(2000, 0, 500, 500), Plane(120))
    assert layer.afresh().notes == layer.notes


def test_an_unfinished_table_is_not_gone_on_with_under_another_datum(data: dict[str, Path], tmp_path: Path) -> None:
    """What the numbers of a file are said to be is part of the question, as its hash is."""
    inquiry = Inquiry(planning=Selector(data["many"]), policies=("common",))
    others = [
        replace(inquiry, datum="gcj02"),
        replace(inquiry, swap_xy=True),
        replace(inquiry, place=place_named("320600")),
    ]
    asked = [
        _question(Screen(each, tmp_path / "t.csv", None, 1, False), grounds(each), [each.planning], "en")
        for each in (inquiry, *others)
    ]
    assert len({json.dumps(each, sort_keys=True) for each in asked}) == 4
