# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""``geoplan screen --fast`` and ``--scheduler``: the verdicts of exact checks, the same table whatever ends a worker."""

from __future__ import annotations

import csv
import io
import os
import signal
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from distributed import Client, LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from builders import HUZHOU, X0, Y0, box
from geoplan.errors import CallRefused, CannotFinish
from geoplan.layer import Patches
from geoplan.measure import is_sliver
from geoplan.pieces import cut
from geoplan.plane import Plane
from geoplan_api.cli.screen import Screen
from geoplan_api.cli.screen import screen as screened
from geoplan_api.inquiry import Inquiry
from geoplan_api.screen_rows import Answer
from geoplan_api.screen_table import Journal
from geoplan_layers.prepared.amounts import amounts_of, perimeters
from geoplan_layers.prepared.importing import ImportRequest, import_layer
from geoplan_layers.prepared.kernel import pack_of
from geoplan_layers.prepared.layer import PreparedLayer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.selector import parse_layer, parse_selector
from test_kernel import mesh, star

SIDE = 70.0
CELLS = 20


def patches() -> np.ndarray:
    """A mesh of farmland with holes, patches of two parts, slivers, and gaps."""
    random = np.random.default_rng(3)
    made = []
    for i in range(CELLS * CELLS):
        x, y = SIDE * (i % CELLS), SIDE * (i // CELLS)
        shape: shapely.Geometry = box(x, y, SIDE, SIDE)
        kind = i % 9
        if kind == 1:
            shape = shapely.difference(shape, shapely.buffer(shapely.centroid(shape), 9))
        elif kind == 2:
            shape = shapely.difference(shape, box(x + 30, y - 1, 4, SIDE + 2))
        elif kind == 3:
            shape = box(x, y, random.uniform(0.01, 0.3), SIDE)
        elif kind == 4:
            continue
        made.append(shape)
    return np.array(made, dtype=object)


def proposals() -> list[shapely.Geometry]:
    """Across patches, exactly along their edges, touching them, within the accuracy of a line, and apart from them."""
    random = np.random.default_rng(8)
    made: list[shapely.Geometry] = []
    for i in range(12):
        made.append(star(random, X0 + 300 + 60 * i, Y0 + 500, random.uniform(150, 500), 30 + 5 * i, i % 3 == 0))
    made += [box(SIDE * i, SIDE * i, SIDE * 5, SIDE * 4) for i in range(6)]
    made += [box(-400, 0, 400 + over, 900) for over in (0.0, 0.004, 0.02, 0.05, 0.11, 0.4)]
    made += [box(-900, -900, 300, 300), box(-3000, -3000, 9000, 9000)]
    return made


def test_what_a_shape_shares_in_bulk_is_what_cutting_gives() -> None:
    compared = slivers = 0
    ground = patches()
    pack = pack_of(ground, HUZHOU)
    texts = np.arange(len(ground)).astype(str).astype(object)
    for shape in proposals():
        hit, pieces, areas = cut(Patches(ground, texts, texts, texts, np.ones(len(ground))), shape, HUZHOU)
        found = amounts_of(pack, shape, 0.05)
        which = [int(each) for each in hit.ids]
        assert len(found.areas) == len(which)
        assert found.areas == pytest.approx(areas, abs=1e-3)
        assert found.slivers.tolist() == [is_sliver(piece, 0.05) for piece in pieces]
        for i in range(0, len(which), 7):
            assert shapely.equals(found.draw(i), pieces[i])
        compared, slivers = compared + len(which), slivers + int(found.slivers.sum())
    assert (compared, slivers) == COUNTED


COUNTED = (1186, 82)
"""Pieces compared, and slivers among them."""


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), accuracy=st.sampled_from([0.01, 0.05, 1.0, 5.0]))
def test_any_star_on_any_mesh(seed: int, accuracy: float) -> None:
    ground = mesh(7, 7, seed)
    random = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(ground)
    shape = star(random, (west + east) / 2, (south + north) / 2, random.uniform(20, 400), 25, bool(seed % 2))
    texts = np.arange(len(ground)).astype(str).astype(object)
    plane = Plane(120)
    _, pieces, areas = cut(Patches(ground, texts, texts, texts, np.ones(len(ground))), shape, plane)
    found = amounts_of(pack_of(ground, plane), shape, accuracy)
    assert found.areas == pytest.approx(areas, abs=1e-3)
    assert found.slivers.tolist() == [is_sliver(piece, accuracy) for piece in pieces]


def test_perimeters_are_those_of_all_rings() -> None:
    ground = patches()
    assert perimeters(pack_of(ground, HUZHOU), np.arange(len(ground))) == pytest.approx(shapely.length(ground))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with prepared farmland, and a file of proposals."""
    made = tmp_path_factory.mktemp("fast")
    ground = patches()
    farm = gpd.GeoDataFrame(
        {"YJJBNTTBBH": np.arange(len(ground)).astype(str), "DLBM": "0101", "KCXS": 0.1}, geometry=ground, crs=4549
    )
    farm.to_file(made / "farm.gpkg")
    gpd.GeoDataFrame(geometry=[box(-5000, -5000, 12000, 12000)], crs=4549).to_file(made / "cover.gpkg")
    asked = proposals()
    names = [f"方案{i:02d}" for i in range(len(asked))]
    gpd.GeoDataFrame({"name": names}, geometry=asked, crs=4549).to_file(made / "many.gpkg")
    spec = parse_layer(f"permanent-basic-farmland={made / 'farm.gpkg'}")
    cover = parse_selector(str(made / "cover.gpkg"))
    import_layer(ImportRequest(spec.role, (spec,), cover), LayerStore(made / "home" / "layers"))
    return made


def screen(folder: Path, out: str, **more: Any) -> int:
    inquiry = Inquiry(
        planning=parse_selector(str(folder / "many.gpkg")),
        policies=("land-law", "common"),
        on=date(2026, 11, 21),
        registered=LayerStore(folder / "home" / "layers").current(),
    )
    return screened(Screen(inquiry, folder / out, **more), "en", Console(file=io.StringIO()))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def exact(folder: Path) -> list[dict[str, str]]:
    assert screen(folder, "exact.csv") in (1, 3)
    return rows_of(folder / "exact.csv")


def test_fast_verdicts_are_those_of_exact_checks(folder: Path, exact: list[dict[str, str]]) -> None:
    assert screen(folder, "fast.csv", fast=True) in (1, 3)
    fast = rows_of(folder / "fast.csv")
    same = ("proposal", "policy", "rule", "kind", "verdict", "firm", "unit", "coverage", "limit_max")
    assert [[row[name] for name in same] for row in fast] == [[row[name] for name in same] for row in exact]
    by_kernel = [(f, e) for f, e in zip(fast, exact, strict=True) if f["method"] == "kernel"]
    assert len(by_kernel) > 20
    for quick, slow in by_kernel:
        assert float(quick["value"]) == pytest.approx(float(slow["value"]), abs=0.02)
        assert quick["report_id"] == ""
    rechecked = [row for row in fast if row["firm"] == "false"]
    assert len(rechecked) >= 3
    assert all(row["report_id"] and row["method"] != "kernel" for row in rechecked)


def test_a_table_begun_fast_is_not_gone_on_with_exactly(folder: Path) -> None:
    question = {"on": "2026-11-21", "fast": True}
    journal = Journal(folder / "mixed.csv", question, resume=False)
    journal.add(Answer("方案00", [], 0, "pass"))
    journal.close()
    with pytest.raises(CallRefused, match=r"mixed\.csv\.part"):
        screen(folder, "mixed.csv", resume=True)


def test_a_layer_of_another_plane_is_cut_exactly(folder: Path) -> None:
    layer = PreparedLayer(LayerStore(folder / "home" / "layers").version("permanent-basic-farmland"))
    assert layer.amounts(box(0, 0, 90, 90), Plane(117), 0.05) is None
    assert layer.amounts(box(0, 0, 90, 90), HUZHOU, 0.05) is not None


def opened(kind: Any, *given: Any, **options: Any) -> Any:
    """A cluster or its client: dask declares either as what its asynchronous form gives."""
    return kind(*given, **options)


def test_a_cluster_gives_the_same_bytes_and_so_it_does_when_a_worker_is_killed(folder: Path, exact) -> None:
    """The scheduler on loopback, two workers as processes; one is killed while it works."""
    assert exact
    with (
        opened(LocalCluster, n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        opened(Client, cluster) as client,
    ):
        address = cluster.scheduler_address
        screen(folder, "cluster.csv", scheduler=address)
        assert (folder / "cluster.csv").read_bytes() == (folder / "exact.csv").read_bytes()
        pids = client.run(os.getpid)
        killed: list[str] = []

        def kill() -> None:
            until = time.monotonic() + 120
            while time.monotonic() < until:
                for worker, tasks in client.processing().items():
                    if tasks:
                        os.kill(pids[worker], signal.SIGKILL)
                        killed.append(worker)
                        return
                time.sleep(0.01)

        killer = threading.Thread(target=kill)
        killer.start()
        screen(folder, "killed.csv", scheduler=address)
        killer.join()
        assert len(killed) == 1
        assert (folder / "killed.csv").read_bytes() == (folder / "exact.csv").read_bytes()


def test_a_scheduler_that_does_not_answer_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoplan_api.screen_cluster._PATIENCE_S", 1.0)
    with pytest.raises(CannotFinish, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        screen(folder, "none.csv", scheduler="tcp://127.0.0.1:9")
    assert not (folder / "none.csv").exists()
