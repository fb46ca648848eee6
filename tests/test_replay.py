# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""``geoplan replay``: the same report from the same inputs, or what differs and which findings changed with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from builders import box
from serving import running
from test_cli import geoplan, save

OWN = """
schema = "geoplan/policy/1"
id = "own"
adcode = "320600"
place = { zh = "某地", en = "somewhere" }
[document]
title = "规定"
status = "in-force"
[clauses.a]
at = "一"
quote = "规划面积不超过4平方公里"
trust = "A"
[[rules]]
id = "size"
kind = "area"
title = { zh = "面积", en = "size" }
clause = "a"
strength = "must"
of = "planning"
limits = [{ figure = "planning-area", max_m2 = 4_000_000 }]
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A folder with the inputs of a check, and its report in ``out``."""
    both = gpd.GeoDataFrame(
        {"类型": ["规划", "建设"]}, geometry=[box(0, 0, 1700, 1700), box(100, 100, 1000, 1000)], crs=4549
    )
    both.to_file(tmp_path / "both.gpkg", layer="范围", driver="GPKG")
    save(tmp_path / "farm.gpkg", box(200, 200, 100, 50), YJJBNTTBBH=["7"], DLBM=["0101"], KCXS=[0.1])
    save(tmp_path / "cover.gpkg", box(-3000, -3000, 9000, 9000))
    (tmp_path / "towns.csv").write_text("name,lon,lat\n远镇,120.9,31.9\n", encoding="utf-8")
    (tmp_path / "facts.toml").write_text("[features]\nwifi = true\n", encoding="utf-8")
    run = ask(tmp_path, "--out", "out")
    assert run.returncode == 1, run.stderr
    return tmp_path


def ask(folder: Path, *more: object):
    return geoplan(
        "check", "--planning", "both.gpkg#范围[类型=规划]", "--construction", "both.gpkg#范围[类型=建设]",
        "--policy", "nantong-2017", "--layer", "permanent-basic-farmland=farm.gpkg@third-survey",
        "--coverage", "permanent-basic-farmland=cover.gpkg", "--towns", "towns.csv", "--facts", "facts.toml",
        "--on", "2026-11-21", "--accuracy", "0.1", "--reading", "nantong-2017.planning-area.about_pass=1.2", *more,
        cwd=folder,
    )  # fmt: skip


def replayed(folder: Path, *more: object, home: Path | None = None) -> tuple[int, dict[str, Any]]:
    run = geoplan("replay", "out/report.json", "--json", *more, cwd=folder, home=home or folder / "no-home")
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout)


def test_the_same_inputs_give_the_same_report(asked: Path) -> None:
    status, found = replayed(asked, "--from", asked)
    assert (status, found["same"], found["differences"], found["findings"]) == (0, True, [], [])
    assert found["recomputed"] == found["recorded"]


def test_inputs_are_found_by_their_hash_under_other_names(
    asked: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("archive") / "2026" / "11"
    elsewhere.mkdir(parents=True)
    for i, path in enumerate(each for each in sorted(asked.iterdir()) if each.is_file()):
        shutil.move(path, elsewhere / f"{i}{path.suffix}")
    assert replayed(asked)[0] == 3
    assert replayed(asked, "--from", elsewhere.parent.parent)[0] == 0


def test_a_missing_input_is_named_with_its_hash_and_exits_with_3(asked: Path) -> None:
    (asked / "farm.gpkg").unlink()
    status, found = replayed(asked, "--from", asked)
    assert (status, found["recomputed"]) == (3, None)
    assert [each["file"] for each in found["missing"]] == ["farm.gpkg"]
    told = geoplan("replay", "out/report.json", "--from", asked, cwd=asked, home=asked / "no-home", lang="zh")
    assert "缺 farm.gpkg（SHA-256 " in told.stdout


def test_a_changed_layer_is_told_with_the_findings_that_changed(asked: Path) -> None:
    save(asked / "farm.gpkg", box(200, 200, 100, 60), YJJBNTTBBH=["7"], DLBM=["0101"], KCXS=[0.1])
    status, found = replayed(asked, "--from", asked)
    assert status == 1
    assert [(each["what"], each["name"]) for each in found["differences"]] == [
        ("permanent-basic-farmland", "farm.gpkg")
    ]
    law = next(each for each in found["findings"] if each["rule"] == "basic-farmland")
    assert law["verdict"] == ["fail", "fail"]
    assert law["measured"] == [pytest.approx(5000, abs=5), pytest.approx(6000, abs=5)]


def test_a_report_that_was_edited_is_found_out(asked: Path) -> None:
    path = asked / "out" / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["policies"][0]["findings"][0]["verdict"] = "pass"
    path.write_text(json.dumps(content), encoding="utf-8")
    status, found = replayed(asked, "--from", asked)
    assert status == 1
    assert found["differences"][0]["what"] == "report"
    assert found["recomputed"] == found["recorded"]


def test_other_software_that_computes_the_same_is_told_and_is_the_same(asked: Path) -> None:
    path = asked / "out" / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["software"]["geos"] = "3.1.0"
    path.write_text(json.dumps(content), encoding="utf-8")
    status, found = replayed(asked, "--from", asked)
    assert status == 0
    assert [(each["what"], each["name"], each["recorded"]) for each in found["differences"]] == [
        ("software", "geos", "3.1.0")
    ]


def test_an_own_policy_is_found_beside_the_inputs_and_told_when_it_changed(asked: Path) -> None:
    (asked / "own.toml").write_text(OWN, encoding="utf-8")
    assert ask(asked, "--policy", "own.toml", "--out", "out").returncode == 1
    assert replayed(asked, "--from", asked)[0] == 0
    text = (asked / "own.toml").read_text(encoding="utf-8")
    (asked / "own.toml").write_text(text.replace("不超过4平方公里", "不得超过4平方公里"), encoding="utf-8")
    status, found = replayed(asked, "--from", asked)
    assert status == 1
    assert "policy" in [each["what"] for each in found["differences"]]


@pytest.mark.parametrize(
    ("text", "says"), [("{}", "schema"), ("[", "Expecting"), ('{"schema": "geoplan/report/1"}', "id")]
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "r.json").write_text(text)
    run = geoplan("replay", tmp_path / "r.json")
    assert (run.returncode, run.stdout) == (2, "")
    assert "r.json" in run.stderr
    assert "not a report of geoplan" in run.stderr
    assert says in run.stderr


def test_a_check_of_the_service_is_done_again_from_what_it_kept(asked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    parts = ["both.gpkg", "farm.gpkg", "cover.gpkg"]
    planning, farm, cover = ((asked / name).read_bytes() for name in parts)
    with running(home) as service:
        made = service.ask(
            [
                ("planning", ("a.gpkg", planning)),
                ("layer.permanent-basic-farmland", ("基本农田.gpkg", farm)),
                ("coverage.permanent-basic-farmland", ("c.gpkg", cover)),
            ],
            select__planning="[类型=规划]",
            select__construction="[类型=建设]",
            policy="nantong-2017",
        )
        assert made.status_code == 201, made.text
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "report.json").write_bytes(made.content)
    away = tmp_path / "away"
    (away / "out").mkdir(parents=True)
    shutil.copy(tmp_path / "out" / "report.json", away / "out" / "report.json")
    assert replayed(away, home=home)[0] == 0
    assert replayed(away)[0] == 3
