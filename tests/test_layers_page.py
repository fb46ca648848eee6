"""Layers over HTTP and in a browser: sent, asked about, imported by a job, looked at, fetched, used, removed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from playwright.sync_api import Browser, expect
from pydantic import SecretStr
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from browsing import fixture_browser  # noqa: F401 - the fixture is used by name
from builders import box
from geoplan_api.inquiry import Inquiry
from geoplan_api.registered import rasters_near
from geoplan_layers.remote.allowed import Bucket, Database
from geoplan_layers.selector import Selector
from outside import (  # noqa: F401 - the fixtures are used by name
    PASSWORD,
    Cluster,
    Storage,
    fixture_cluster,
    fixture_storage,
)
from serving import BROWSER, COMMAND, Running, asked, frame, gpkg, running, shapefile

WAIT_S = 180.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, storage: Storage) -> Iterator[Running]:
    database = Database(
        address=cluster.reader_address, password=SecretStr(PASSWORD), tables=("survey.red*",), tls="disable"
    )
    bucket = Bucket(
        address="s3://land/layers",
        endpoint=storage.endpoint,
        access_key=SecretStr("key"),
        secret_key=SecretStr(PASSWORD),
    )
    with running(tmp_path_factory.mktemp("home"), databases=(database,), buckets=(bucket,)) as service:
        yield service


def sent(served: Running, files: list[tuple[str, tuple[str, bytes]]], headers: Any = None, **texts: str) -> Any:
    parts = [*files, *((name, (None, text.encode())) for name, text in texts.items())]
    return served.client.post("/layers?lang=en", files=parts, headers=headers)


def ended(served: Running, job: Any) -> dict[str, Any]:
    assert job.status_code == 202, job.text
    deadline = time.monotonic() + WAIT_S
    while True:
        told: dict[str, Any] = served.client.get(job.headers["location"]).json()
        if told["status"] not in ("queued", "running"):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def imported(served: Running, files: list[tuple[str, tuple[str, bytes]]], **texts: str) -> dict[str, Any]:
    told = ended(served, sent(served, files, **texts))
    assert told["status"] == "done", told
    version: dict[str, Any] = served.client.get(told["links"]["result"]).json()
    return version


def farmland(tmp_path: Path, *shapes: shapely.Geometry) -> bytes:
    shapes = shapes or (box(0, 0, 500, 500), box(600, 0, 500, 500))
    return gpkg(tmp_path, frame(*shapes, DLBM=["0101"] * len(shapes)), "yjjbnttb")


def raster(values: np.ndarray[Any, Any], nodata: float | None = None, crs: str | None = "EPSG:4549") -> bytes:
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype=values.dtype, crs=crs,
            transform=Affine(30, 0, 500_000, 0, -30, 3_400_000), nodata=nodata,
        ) as out:  # fmt: skip
            out.write(values, 1)
        return bytes(memory.read())


def test_a_layer_is_imported_listed_and_used_by_the_next_check(served: Running, tmp_path: Path) -> None:
    a, b, c, d = box(5000, 0, 90, 90).exterior.coords[:4]
    bowtie = shapely.Polygon([a, c, b, d])
    content = farmland(tmp_path, box(1000, 1000, 400, 400), box(9000, 9000, 90, 90), box(7000, 0, 90, 90), bowtie)
    version = imported(
        served, [("file", ("YJJBNTTB.gpkg", content)), ("coverage", ("县界.gpkg", gpkg(tmp_path, frame(box(-5000, -5000, 20_000, 20_000)), "county")))],
        role="permanent-basic-farmland", day="2023-12-31", source="自然资源局", valid_until="2027-01-01",
    )  # fmt: skip
    assert (version["role"], version["date"], version["coverage_from"]) == ("permanent-basic-farmland", "2023-12-31", "declared")  # fmt: skip
    assert (version["patches"], version["left_out"], version["in_use"]) == (3, 1, True)
    assert version["meta"]["source"] == "自然资源局"
    assert "words" not in version["meta"]
    old = served.client.get(f"{version['href']}?lang=en", headers=BROWSER).text
    assert "out of date" not in old
    listed = served.client.get("/layers").json()
    assert version["version"] in [each["version"] for each in listed["layers"]]
    planning = gpkg(tmp_path, frame(box(0, 0, 1700, 1700)))
    report = served.ask(asked(planning), policy="common").json()
    assert [(each["role"], each["sha256"]) for each in report["layers"]] == [
        ("permanent-basic-farmland", version["sha256"])
    ]
    assert report["verdict"] == "fail"


def test_a_shapefile_comes_with_its_companions(served: Running, tmp_path: Path) -> None:
    parts = shapefile(tmp_path, frame(box(0, 0, 500, 500)))
    version = imported(served, [("file", each) for each in parts.items()], role="ecological-redline", invented="on")
    assert (version["file"], version["patches"], version["invented"]) == ("边界.shp", 1, True)
    assert version["meta"]["origins"][0]["encoding"].lower() in ("gbk", "gb18030")


def test_an_import_that_asks_goes_on_with_the_answer_and_without_the_file(served: Running, tmp_path: Path) -> None:
    content = gpkg(tmp_path, frame(box(0, 0, 500, 500), DLBM=["011"]), "现状")
    told = ended(served, sent(served, [("file", ("现状.gpkg", content))], role="land-use"))
    assert told["status"] == "failed"
    choices = told["error"]["args"]["choices"]
    assert choices == ["third-survey", "second-survey", "land-use-plan", "land-and-sea"]
    page = served.client.get(f"/jobs/{told['id']}?lang=en", headers=BROWSER).text
    assert all(f'name="generation" value="{each}"' in page for each in choices)
    address = told["links"]["answer"]
    for data, code in (({"generation": ""}, "layer-nothing-chosen"), ({"generation": "2099"}, "option-wrong")):
        refused = served.client.post(address, files=[(name, (None, text)) for name, text in data.items()])
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    again = served.client.post(address, files=[("generation", (None, "second-survey"))])
    done = ended(served, again)
    assert done["status"] == "done"
    version = served.client.get(done["links"]["result"]).json()
    assert (version["generation"], version["file"]) == ("second-survey", "现状.gpkg")
    twice = served.client.post(address, files=[("generation", (None, "third-survey"))])
    assert (twice.status_code, twice.json()["code"]) == (404, "job-no-question")
    page = served.client.get(f"/jobs/{told['id']}?lang=en", headers=BROWSER).text
    assert f'href="/jobs/{done["id"]}?lang=en"' in page


def test_versions_are_fetched_used_and_removed(served: Running, tmp_path: Path) -> None:
    role = "custom:粮食生产功能区"
    versions = [
        imported(served, [("file", ("a.gpkg", farmland(tmp_path, box(0, 0, side, side))))], role=role)
        for side in (500, 600)
    ]
    first, second = versions
    old, new = (each["href"] for each in versions)
    assert old.startswith("/layers/custom%3A%E7%B2%AE")
    assert not served.client.get(old).json()["in_use"]
    got = served.client.get(f"{new}/layer.parquet", headers={"Accept": "*/*"})
    assert pq.read_table(io.BytesIO(got.content)).num_rows == 1
    parquet: Any = io.BytesIO(got.content)
    crs = gpd.read_parquet(parquet).crs
    assert crs is not None
    assert crs.to_epsg() == 4549
    assert served.client.get(f"{new}/quarantine.parquet").json()["code"] == "layer-without-that-file"
    assert served.client.get(f"{new}/picture.png").content.startswith(b"\x89PNG")
    used = served.client.post(f"{old}/use", headers=BROWSER)
    assert (used.status_code, used.headers["location"]) == (303, f"{old}?lang=zh")
    assert served.client.get(old).json()["in_use"]
    assert served.client.post(f"{old}/remove").status_code == 200
    assert served.client.get(old).json()["code"] == "layer-version-unknown"
    assert served.client.get(new).json()["in_use"]
    assert served.client.get(new[:-4]).json()["code"] == "layer-version-unknown"
    foreign = served.client.post(f"{new}/remove", headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign-origin")
    assert {first["sha256"], second["sha256"]} >= {served.client.get(new).json()["sha256"]}


def test_the_same_file_again_is_the_same_version(served: Running, tmp_path: Path) -> None:
    content = farmland(tmp_path)
    both = [imported(served, [("file", ("a.gpkg", content))], role="counties") for _ in range(2)]
    assert both[0]["version"] == both[1]["version"]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({}, "layer-role-unknown"),
        ({"role": "farmland"}, "layer-role-unknown"),
        ({"role": "land-use", "day": "31.12.2023"}, "option-wrong"),
        ({"role": "land-use", "generation": "third"}, "option-wrong"),
        ({"role": "land-use", "crs": "EPSG:1"}, "crs-unknown"),
        ({"role": "land-use", "select": "/etc"}, "select-spelling"),
        ({"role": "land-use", "colour": "red"}, "field-unknown"),
        ({"role": "land-use", "source": "x" * 301}, "field-too-long"),
        ({"role": "land-use", "address": "s3://land/layers/a"}, "layer-file-or-address"),
        ({"role": "land-use", "coverage": "county.gpkg"}, "field-wants-file"),
    ],
)
def test_a_form_that_is_wrong_is_refused_before_anything_is_queued(
    served: Running, texts: dict[str, str], code: str
) -> None:
    before = len(served.client.get("/jobs").json()["jobs"])
    answer = sent(served, [("file", ("a.gpkg", b"x"))], **texts)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert len(served.client.get("/jobs").json()["jobs"]) == before
    assert served.left_over == []


def test_a_file_that_is_no_layer_is_a_job_that_failed(served: Running) -> None:
    told = ended(served, sent(served, [("file", ("a.gpkg", b"no geopackage"))], role="roads"))
    assert (told["status"], told["links"]["answer"]) == ("failed", None)
    assert told["error"]["file"] == "a.gpkg"


# --- places outside ----------------------------------------------------------------------------------------------


def test_a_table_of_postgis_is_imported_and_its_password_is_nowhere(
    served: Running, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.run(
        "DROP TABLE IF EXISTS survey.redline",
        "CREATE TABLE survey.redline (id serial PRIMARY KEY, hxmc text, geom geometry(MultiPolygon, 4490))",
        "INSERT INTO survey.redline (hxmc, geom) VALUES ('生态保护红线', 'SRID=4490;MULTIPOLYGON(((120 30,120.01 30,120.01 30.01,120 30)))')",
        "GRANT SELECT ON survey.redline TO reader",
    )
    address = f"{cluster.address}#survey.redline"
    version = imported(served, [], role="ecological-redline", address=address, day="2024-01-01")
    assert (version["file"], version["patches"]) == (address, 1)
    for refused in (f"{cluster.address}#survey.dltb", "postgresql://elsewhere/land#survey.red", "s3://land/other"):
        answer = sent(served, [], role="ecological-redline", address=refused)
        assert (answer.status_code, answer.json()["code"]) == (422, "remote-not-allowed")
    everything = [each.read_bytes() for each in served.home.rglob("*") if each.is_file()]
    pages = served.client.get("/layers", headers=BROWSER).text + served.client.get("/jobs").text + caplog.text
    assert not any(PASSWORD.encode() in each for each in everything)
    assert PASSWORD not in pages


def test_a_folder_of_object_storage_is_imported_as_one_layer(served: Running, storage: Storage) -> None:
    for i in range(2):
        out = io.BytesIO()
        frame(box(1000 * i, 0, 500, 500), DLBM=["0101"]).to_parquet(out)
        storage.put(f"layers/yjjbnt/part-{i}.parquet", out.getvalue())
    version = imported(served, [], role="permanent-basic-farmland", address="s3://land/layers/yjjbnt")
    assert version["patches"] == 2
    assert [each["file"] for each in version["meta"]["origins"]] == [
        f"s3://land/layers/yjjbnt/part-{i}.parquet" for i in range(2)
    ]
    empty = ended(served, sent(served, [], role="roads", address="s3://land/layers/none"))
    assert empty["error"]["code"] == "remote-folder-empty"


def test_a_table_is_added_on_the_command_line_with_what_it_does_not_say(
    cluster: Cluster, storage: Storage, tmp_path: Path
) -> None:
    cluster.run(
        "DROP TABLE IF EXISTS survey.redlu",
        'CREATE TABLE survey.redlu ("DLBM" text, geom geometry)',
        "INSERT INTO survey.redlu VALUES ('011', 'POLYGON((500000 3400000,500900 3400000,500900 3400900,500000 3400000))')",
        "GRANT SELECT ON survey.redlu TO reader",
    )
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[[databases]]\naddress = "{cluster.reader_address}"\npassword = "{PASSWORD}"\ntables = ["survey.red*"]\n'
        'tls = "disable"\n'
    )
    address = f"{cluster.address}#survey.redlu"

    def add(name: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"GEOPLAN_HOME": str(home)}
        call = [*COMMAND, "layers", "add", "land-use", name, "--lang", "en", "--json"]
        return subprocess.run(call, capture_output=True, text=True, env=environment, timeout=600)

    done = add(f"{address}@second-survey@EPSG:4549")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["origins"][0]["file"], told["generation"], told["crs"]) == (address, "second-survey", "EPSG:4549")
    assert "fetching" in done.stderr
    unsure, other = add(f"{address}@EPSG:4549"), add(f"{cluster.address}#survey.dltb")
    assert (unsure.returncode, other.returncode) == (2, 2)
    assert "what the codes in DLBM mean is not decided" in unsure.stderr
    assert "the operator does not allow imports" in other.stderr
    assert PASSWORD not in done.stdout + done.stderr + unsure.stderr + other.stderr
    assert not any(PASSWORD.encode() in each.read_bytes() for each in home.rglob("*") if each.is_file() and each.name != "config.toml")  # fmt: skip


# --- rasters -----------------------------------------------------------------------------------------------------


def test_heights_become_a_cog_of_the_same_cells_with_overviews(served: Running, tmp_path: Path) -> None:
    values = np.add.outer(np.arange(1500), np.arange(1100)).astype(np.int16)
    values[:100, :100] = -32768
    version = imported(served, [("file", ("dem.tif", raster(values, -32768)))], role="elevation")
    about = version["raster"]
    assert (about["width"], about["height"], about["valid"]) == (1100, 1500, values.size - 10_000)
    assert (about["minimum"], about["maximum"], about["cell"]) == (100, 2598, [30, 30])
    got = served.client.get(f"{version['href']}/layer.tif", headers={"Accept": "*/*"})
    with MemoryFile(got.content) as memory, memory.open() as source:
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.overviews(1) == [2, 4]
        np.testing.assert_array_equal(source.read(1), values)
        assert source.crs.to_epsg() == 4549
    assert served.client.get(f"{version['href']}/picture.png").content.startswith(b"\x89PNG")
    assert served.client.get(version["href"], headers=BROWSER).status_code == 200
    near, far = (gpkg(tmp_path, frame(box(x, 0, 900, 900)), f"area{x}") for x in (0, 500_000))
    held = []
    for content in (near, far):
        path = tmp_path / "area.gpkg"
        path.write_bytes(content)
        inquiry = Inquiry(planning=Selector(path), anywhere=True)
        held.append(rasters_near(inquiry, served.service.layers, ["land-cover"]))
        assert rasters_near(inquiry, served.service.layers, ["land-cover", "elevation"]) == ()
    assert [each.selector.name for each in held[0]] == ["dem.tif"]
    assert held[1] == ()


def test_land_cover_is_counted_by_code_and_what_is_none_is_refused(served: Running, tmp_path: Path) -> None:
    codes = np.repeat(np.array([[10, 20, 20, 255]], np.uint8), 4, axis=0)
    version = imported(served, [("file", ("lc.tif", raster(codes, 255)))], role="land-cover")
    assert [(each["code"], each["patches"]) for each in version["meta"]["classes"]] == [("20", 8), ("10", 4)]
    heights = raster(np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4))
    wrongs = {
        "raster-no-codes": ("a.tif", heights),
        "raster-without-crs": ("a.tif", raster(codes, crs=None)),
        "raster-empty": ("a.tif", raster(np.zeros((4, 4), np.uint8), 0)),
        "raster-unreadable": ("a.tif", b"II*\x00 and nothing more"),
    }
    for code, file in wrongs.items():
        told = ended(served, sent(served, [("file", file)], role="land-cover"))
        assert (told["status"], told["error"]["code"]) == ("failed", code)
    planning = gpkg(tmp_path, frame(box(0, 0, 1700, 1700)))
    assert "land-cover" not in [each["role"] for each in served.ask(asked(planning), policy="common").json()["layers"]]


def test_an_srtm_tile_keeps_the_name_that_says_where_it_lies(served: Running) -> None:
    heights = np.arange(1201 * 1201, dtype=">i2").reshape(1201, 1201)
    version = imported(served, [("file", ("N30E119.hgt", heights.tobytes()))], role="elevation")
    west, south, east, north = version["extent"]
    assert (round(west, 2), round(south, 2), round(east, 2), round(north, 2)) == (119, 30, 120, 31)


# --- in a browser ------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_layer_is_registered_and_looked_at_in_a_browser(
    served: Running, browser: Browser, tmp_path: Path, width: int, height: int, lang: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    path = tmp_path / "现状地类<b>.gpkg"
    path.write_bytes(gpkg(tmp_path, frame(box(0, 0, 500, width), DLBM=["0101"]), "dl"))
    page.goto(f"http://127.0.0.1:{served.port}/layers?lang={lang}")
    page.select_option("#role", "land-use")
    page.set_input_files("#file", path)
    page.get_by_role("button", name="登记" if lang == "zh" else "Register", exact=True).click()
    expect(page.locator(".job-question")).to_be_visible(timeout=WAIT_S * 1000)
    page.get_by_label("第三次国土调查" if lang == "zh" else "third land survey").check()
    page.get_by_role("button", name="继续导入" if lang == "zh" else "Go on").click()
    page.locator("a.button.primary").click(timeout=WAIT_S * 1000)
    expect(page.locator("h1")).to_have_text("现状地类<b>.gpkg")
    picture = page.locator(".layer-picture img")
    picture.evaluate("image => image.decode()")  # polling a script would need eval, which the page's policy forbids
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.goto(f"http://127.0.0.1:{served.port}/layers?lang={lang}")
    expect(page.get_by_role("link", name="现状地类<b>.gpkg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert said == []
    page.close()
