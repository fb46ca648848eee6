# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The command line as users and programs call it: exit statuses, streams, files, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import jsonschema
import pytest
import shapely

from builders import box

NEAR_TWICE = [part for m in (1000, 2000) for part in ("--reading", f"huzhou-2018.no-piling-up.near_m={m}")]
GEOPLAN = [sys.executable, "-m", "geoplan_api"]


def geoplan(
    *arguments: object, cwd: Path | None = None, lang: str = "en", home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")} | {
        "GEOPLAN_LANG": lang,
        "COLUMNS": "200",
    }
    if home:
        env["GEOPLAN_HOME"] = str(home)
    return subprocess.run(
        [*GEOPLAN, *map(str, arguments)], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def save(path: Path, *shapes: shapely.Geometry, crs: int = 4549, **columns: list[object]) -> Path:
    gpd.GeoDataFrame(columns or {"NAME": ["试验小镇"] * len(shapes)}, geometry=list(shapes), crs=crs).to_file(
        path, driver="GPKG"
    )
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A town with farmland under construction, one off it, layers with coverage, towns."""
    folder = tmp_path_factory.mktemp("cli")
    everywhere = box(-3000, -3000, 9000, 9000)
    cells = [box(i * 300, j * 300, 300, 300) for i in range(-9, 18) for j in range(-9, 18)]
    return {
        "planning": save(folder / "planning.gpkg", box(0, 0, 1700, 1700)),
        "construction": save(folder / "construction.gpkg", box(100, 100, 1000, 1000)),
        "farm": save(folder / "farm.gpkg", box(200, 200, 100, 50), YJJBNTTBBH=["7"], DLBM=["0101"], KCXS=[0.1]),
        "none": save(folder / "none.gpkg", box(5000, 5000, 10, 10), YJJBNTTBBH=["1"], DLBM=["0101"], KCXS=[0.0]),
        "use": save(
            folder / "use.gpkg",
            *cells,
            TBBH=[str(i) for i in range(len(cells))],
            DLBM=["0601"] * len(cells),
            KCXS=[0.0] * len(cells),
        ),
        "redline": save(folder / "redline.gpkg", box(5000, 0, 10, 10), MC=["红线"]),
        "cover": save(folder / "cover.gpkg", everywhere),
        "towns": save(folder / "towns.gpkg", box(8000, 0, 100, 100), id=["t"], name=["远镇"], stage=["named"]),
        "folder": folder,
    }


def passing(files: dict[str, Path], farm: str = "none") -> list[object]:
    """Arguments of a check with every layer that the land law needs."""
    layers = {"permanent-basic-farmland": farm, "land-use": "use", "ecological-redline": "redline"}
    found: list[object] = [
        "check",
        "--planning",
        files["planning"],
        "--construction",
        files["construction"],
        "--policy",
        "nantong-2017",
        "--towns",
        files["towns"],
    ]
    for role, name in layers.items():
        found += ["--layer", f"{role}={files[name]}", "--coverage", f"{role}={files['cover']}"]
    return found


def test_a_town_that_complies_exits_with_0(files: dict[str, Path]) -> None:
    run = geoplan(*passing(files))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "complies with every spatial rule of the 2 papers checked" in run.stdout
    assert "“规划面积一般控制在3平方公里左右" in run.stdout.replace("\n", "").replace(" ", "")


def test_a_failing_rule_exits_with_1(files: dict[str, Path]) -> None:
    run = geoplan(*passing(files, "farm"))
    assert run.returncode == 1
    assert "give back 1 patch of permanent basic farmland" in run.stdout.replace("\n", " ")


def test_missing_data_exit_with_3(files: dict[str, Path]) -> None:
    assert geoplan("check", "--planning", files["planning"], "--policy", "nantong-2017").returncode == 3


def test_a_supplied_fact_that_breaks_a_rule_exits_with_1(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "facts.toml").write_text("[features]\nwifi = false\n")
    assert geoplan(*passing(files), "--facts", tmp_path / "facts.toml").returncode == 1


def test_requirements_that_a_fact_breaks_stand_in_the_verdict_line(files: dict[str, Path], tmp_path: Path) -> None:
    facts = tmp_path / "facts.toml"
    facts.write_text("[investment]\ntotal = 1000000000\nhousing = 1\n", encoding="utf-8")
    found = geoplan(*passing(files), "--facts", facts)
    first = found.stdout.replace("\n", " ")
    assert first.startswith("✗")
    assert "breaks 1 application requirement" in first
    assert "spatial rules: passes; application broken  nantong-2017" in first


def test_a_paper_without_application_requirements_says_nothing_of_them(files: dict[str, Path]) -> None:
    heads = {
        line.split()[2]: line for line in geoplan(*passing(files), lang="zh").stdout.splitlines() if "（现行" in line
    }
    assert "申报要件待补充" in heads["nantong-2017"]
    assert "申报要件" not in heads["land-law"]


def test_json_alone_on_stdout_validates_and_repeats_its_id(files: dict[str, Path], tmp_path: Path) -> None:
    first = geoplan(*passing(files, "farm"), "--json", "--out", tmp_path / "out")
    second = geoplan(*passing(files, "farm"), "--json")
    report = json.loads(first.stdout)
    schema = json.loads(geoplan("schema", "report").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    assert report["id"] == json.loads(second.stdout)["id"]
    assert "wrote" in first.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["map.html", "overlaps.gpkg", "report.json"]
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["id"] == report["id"]


def test_check_writes_nothing_but_out(files: dict[str, Path], tmp_path: Path) -> None:
    before = sorted(files["folder"].iterdir())
    assert geoplan(*passing(files), cwd=tmp_path).returncode == 0
    assert sorted(files["folder"].iterdir()) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--planning", "nowhere.shp"], "nowhere.shp: there is no such file. Check the path."),
        (["--planning", "{planning}", "--policy", "nantong"], "there is no policy nantong. There are:"),
        (
            ["--planning", "{planning}", "--layer", "farmland={farm}"],
            "there is no layer role farmland. There are permanent-basic-farmland",
        ),
        (["--planning", "{planning}", "--layer", "land-use"], "a layer is given as ROLE=FILE"),
        (
            ["--planning", "{planning}", "--coverage", "land-use={cover}"],
            "a coverage is given for land-use, but no layer",
        ),
        (["--planning", "{planning}", "--crs", "EPSG:4528"], "the file says EPSG:4549, the call says EPSG:4528"),
        (["--planning", "{planning}", "--crs", "4528x"], "the system 4528x is not known"),
        (
            ["--planning", "{planning}", "--on", "2026-13-01"],
            "2026-13-01 is no value for --on; it should be YYYY-MM-DD",
        ),
        (["--planning", "{planning}", "--accuracy", "0"], "0 is no value for --accuracy"),
        (["--planning", "{planning}", "--reading", "a.b=1"], "a reading is given as POLICY.RULE.KEY=VALUE"),
        (["--planning", "{planning}", "--datum", "gcj02"], "GCJ-02 is of degrees or of their Web Mercator"),
        (["--planning", "{planning}", "--datum", "moon"], "moon is no value for --datum"),
        (["--planning", "{planning}", "--crs", "EPSG:4549", "--datum", "wgs84"], "the call says wgs84"),
        (["--planning", "{planning}", "--facts", "{folder}"], "there is no such file"),
        (
            ["--planning", "{planning}", "--policy", "huzhou-2018", "--reading", "huzhou-2018.no-piling-up.near_m=inf"],
            "a reading is given as POLICY.RULE.KEY=VALUE",
        ),
        (
            ["--planning", "{planning}", "--policy", "huzhou-2018", *NEAR_TWICE],
            "the reading huzhou-2018.no-piling-up.near_m is given twice",
        ),
        (
            ["--planning", "{planning}", "--reading", "common.planning-area.about_pass=1.5"],
            "about_pass must not be above about_fail",
        ),
        (
            ["--planning", "{planning}", "--layer", "land-use={use}", *("--coverage", "land-use={cover}") * 2],
            "has 1 layer file, but 2 coverages",
        ),
        (["--planning", "{planning}", "--lang", "fr"], "--lang 的值 fr 不对"),
        (["--planning", "{planning}[NAME=x]"], "no row has the value x. There are: 试验小镇"),
        (
            ["--planning", "{planning}", "--layer", "land-use={towns}"],
            "which standard the codes of|no class or zone field",
        ),
    ],
)
def test_what_is_refused_exits_with_2_one_message_and_nothing_on_stdout(
    files: dict[str, Path], tmp_path: Path, arguments: list[str], says: str
) -> None:
    import re

    filled = [a.format(**files) for a in arguments]
    run = geoplan("check", *filled, "--out", tmp_path / "out", "--json")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    assert re.search(says if "|" in says else re.escape(says), run.stderr), run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_wrong_option_exits_with_2(files: dict[str, Path]) -> None:
    run = geoplan("check", "--planning", files["planning"], "--colour", "red")
    assert (run.returncode, run.stdout) == (2, "")


def test_messages_are_chinese_unless_asked_otherwise(files: dict[str, Path]) -> None:
    assert "没有这个文件" in geoplan("check", "--planning", "nowhere.shp", lang="zh").stderr
    assert "没有这个文件" in geoplan("check", "--planning", "nowhere.shp", "--lang", "zh").stderr
    assert "空间规则" in geoplan(*passing(files), lang="zh").stdout


def test_an_output_folder_that_cannot_be_written_exits_with_4(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    run = geoplan(*passing(files), "--out", tmp_path / "out")
    assert run.returncode == 4
    assert "cannot write to" in run.stderr
    assert "Traceback" not in run.stderr


def test_policies_are_listed_shown_and_linted(tmp_path: Path) -> None:
    listed = geoplan("policies")
    assert listed.returncode == 0
    assert "nantong-2017" in listed.stdout
    shown = geoplan("policies", "show", "nantong-2017")
    assert "规划面积一般控制在3平方公里左右" in shown.stdout
    assert "about 3 km²" in shown.stdout
    good = tmp_path / "own.toml"
    text = json.loads(geoplan("policies", "show", "common", "--json").stdout)
    assert text["id"] == "common"
    good.write_text(
        'schema = "geoplan/policy/1"\nid = "own"\nadcode = "330500"\nplace = { zh = "某地", en = "somewhere" }\n'
        '[document]\ntitle = "规定"\nstatus = "in-force"\n[clauses.a]\nat = "一"\nquote = "规划面积不超过4平方公里"\ntrust = "A"\n'
        '[[rules]]\nid = "size"\nkind = "area"\ntitle = { zh = "面积", en = "size" }\nclause = "a"\nstrength = "must"\nof = "planning"\n'
        'limits = [{ figure = "planning-area", max_m2 = 4_000_000 }]\n',
        encoding="utf-8",
    )
    assert geoplan("policies", "lint", good).returncode == 0
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        good.read_text(encoding="utf-8").replace("max_m2 = 4_000_000", "max_m2 = 5_000_000"), encoding="utf-8"
    )
    run = geoplan("policies", "lint", wrong)
    assert run.returncode == 2
    assert "rule size holds 5,000,000 (m2), which its clause does not state" in run.stderr


def test_an_offices_own_policy_works_like_a_shipped_one(files: dict[str, Path], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'schema = "geoplan/policy/1"\nid = "own"\nadcode = "330500"\nplace = { zh = "某地", en = "somewhere" }\n'
        '[document]\ntitle = "规定"\nstatus = "in-force"\n[clauses.a]\nat = "一"\nquote = "规划面积不超过2平方公里"\ntrust = "A"\n'
        '[[rules]]\nid = "size"\nkind = "area"\ntitle = { zh = "面积", en = "size" }\nclause = "a"\nstrength = "must"\nof = "planning"\n'
        'limits = [{ figure = "planning-area", max_m2 = 2_000_000 }]\n',
        encoding="utf-8",
    )
    run = geoplan("check", "--planning", files["planning"], "--policy", own, "--json")
    assert run.returncode == 1
    policy = next(p for p in json.loads(run.stdout)["policies"] if p["id"] == "own")
    assert (policy["verdict"], policy["findings"][0]["clause"]["quote"]) == ("fail", "规划面积不超过2平方公里")


def test_a_policy_in_the_home_is_known_by_its_id(files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "own.toml").write_text(
        'schema = "geoplan/policy/1"\nid = "own"\nadcode = "330500"\nplace = { zh = "某地", en = "somewhere" }\n'
        '[document]\ntitle = "规定"\nstatus = "in-force"\n[clauses.a]\nat = "一"\nquote = "规划面积不超过2平方公里"\ntrust = "A"\n'
        '[[rules]]\nid = "size"\nkind = "area"\ntitle = { zh = "面积", en = "size" }\nclause = "a"\nstrength = "must"\nof = "planning"\n'
        'limits = [{ figure = "planning-area", max_m2 = 2_000_000 }]\n',
        encoding="utf-8",
    )
    run = geoplan("check", "--planning", files["planning"], "--policy", "own", "--json", home=tmp_path)
    assert [p["id"] for p in json.loads(run.stdout)["policies"]] == ["land-law", "own"]
    assert "own" in geoplan("policies", home=tmp_path).stdout
    (folder / "wrong.toml").write_text("x", encoding="utf-8")
    assert geoplan("check", "--planning", files["planning"], "--policy", "nantong-2017", home=tmp_path).returncode == 3
    assert geoplan("check", "--planning", files["planning"], "--policy", "own", home=tmp_path).returncode == 2


def test_info_says_what_a_file_holds(files: dict[str, Path]) -> None:
    found = json.loads(geoplan("info", files["planning"], "--json").stdout)
    assert (found["crs"], found["rows"], found["geometry"], found["parts"]) == ("EPSG:4549", 1, ["Polygon"], 1)
    assert found["planar_area_m2"] == pytest.approx(1700 * 1700)
    assert 0 < found["planar_area_m2"] - found["area_m2"] < 100
    assert "ellipsoidal area" in geoplan("info", files["planning"]).stdout


def test_info_on_a_polygon_without_coordinates_says_that_it_is_no_boundary(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": []}}
    path = tmp_path / "empty.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    run = geoplan("info", path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "the boundary is empty: it holds no area" in run.stdout


def test_schemas_are_published() -> None:
    for name in ("report", "policy", "facts"):
        schema = json.loads(geoplan("schema", name).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
    assert geoplan("schema", "nothing").returncode == 2


def test_doctor_finds_a_sound_installation(tmp_path: Path) -> None:
    env = os.environ | {"GEOPLAN_HOME": str(tmp_path), "GEOPLAN_LANG": "en"}
    run = subprocess.run([*GEOPLAN, "doctor"], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "policies: good" in run.stdout


def test_a_check_loads_no_file_library_and_no_compiler() -> None:
    """They take longer than a check does; a reader process loads what it reads files with."""
    heavy = {"pyogrio", "pandas", "geopandas", "numba", "rasterio", "sqlalchemy", "fastapi", "huey", "scipy", "dask"}
    code = f"import sys, geoplan_api.inquiry, geoplan_api.cli.asked; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_is_quick_to_load_and_imports_no_reader() -> None:
    code = "import sys, geoplan_api.cli.commands; print(sorted({'pyogrio', 'shapely', 'fastapi', 'folium'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
