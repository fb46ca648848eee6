"""The service over real HTTP: a check is asked and read back, everything else is refused with a problem document."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi.openapi.models as openapi
import geopandas as gpd
import httpx
import jsonschema
import pytest
import shapely
import uvicorn
from fastapi import FastAPI

from builders import box
from geoplan.errors import CallRefused, CannotFinish
from geoplan.policy import shipped
from geoplan_api import demo
from geoplan_api.app import create_app
from geoplan_api.inquiry import answer
from geoplan_api.schemas import schema_of
from geoplan_api.serve import listen, run
from geoplan_api.service import Service
from geoplan_api.settings import read_settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ON = "2026-11-21"
Files = list[tuple[str, tuple[str, bytes]]]


@dataclass(frozen=True)
class Running:
    """A service that runs, and a client for it."""

    client: httpx.Client
    app: FastAPI
    home: Path
    port: int

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def ask(
        self, files: Files, headers: dict[str, str] | None = None, lang: str = "en", **texts: Any
    ) -> httpx.Response:
        data = {"on": ON, **{name.replace("__", "."): value for name, value in texts.items()}}
        return self.client.post(f"/checks?lang={lang}", files=files, data=data, headers=headers)

    @property
    def left_over(self) -> list[Path]:
        return list((self.home / "tmp").iterdir())

    @property
    def objects(self) -> set[Path]:
        return {path for path in (self.home / "objects").rglob("*") if path.is_file()}


@contextmanager
def running(home: Path, **settings: Any) -> Iterator[Running]:
    app = create_app(read_settings(home=home, **settings))
    bound = listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            yield Running(client, app, home, port)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture(scope="module")
def the_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home"), workers=2, queue_length=50) as service:
        yield service


@pytest.fixture
def service(the_service: Running) -> Iterator[Running]:
    yield the_service
    assert the_service.left_over == []


# --- files -------------------------------------------------------------------------------------------------------


def frame(*shapes: shapely.Geometry, crs: int | None = 4549, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns or {"NAME": ["试验小镇"] * len(shapes)}, geometry=list(shapes), crs=crs)


def gpkg(folder: Path, data: gpd.GeoDataFrame, name: str = "planning") -> bytes:
    path = folder / f"{name}.gpkg"
    data.to_file(path, driver="GPKG", layer=name)
    return path.read_bytes()


def shapefile(folder: Path, data: gpd.GeoDataFrame) -> dict[str, bytes]:
    data.to_file(folder / "边界.shp", driver="ESRI Shapefile", encoding="GBK")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.stem == "边界" and path.suffix != ".cpg"}


def zipped(members: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    return out.getvalue()


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return gpkg(tmp_path_factory.mktemp("planning"), frame(box(0, 0, 1700, 1700)))


@pytest.fixture(scope="module")
def construction(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return gpkg(tmp_path_factory.mktemp("construction"), frame(box(300, 300, 900, 900)))


@pytest.fixture(scope="module")
def farmland(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    patches = frame(box(1000, 1000, 400, 400), box(5000, 5000, 100, 100), DLBM=["0101", "0103"], TBBH=["1", "2"])
    return gpkg(tmp_path_factory.mktemp("farmland"), patches, "yjjbnttb")


def asked(planning: bytes, name: str = "规划范围.gpkg") -> Files:
    return [("planning", (name, planning))]


# --- a check -----------------------------------------------------------------------------------------------------


def test_a_check_is_made_and_read_back(service: Running, planning: bytes, construction: bytes, farmland: bytes) -> None:
    files = [
        *asked(planning),
        ("construction", ("建设.gpkg", construction)),
        ("layer.permanent-basic-farmland", ("yjjbnt-20251231.gpkg", farmland)),
    ]
    made = service.ask(files, policy=["nantong-2017", "national-2021"], name="丝创小镇")
    assert made.status_code == 201
    assert made.headers["content-type"] == "application/json"
    report = made.json()
    jsonschema.Draft202012Validator(schema_of("report")).validate(report)
    assert report["verdict"] == "fail"
    assert report["proposal"]["name"] == "丝创小镇"
    assert report["proposal"]["planning"]["source"]["file"] == "规划范围.gpkg"
    assert report["layers"][0]["date"] == "2025-12-31"
    address = made.headers["location"]
    assert re.fullmatch(r"/checks/[a-z0-9]{14}", address)
    read = service.client.get(address)
    assert (read.status_code, read.content) == (200, made.content)
    assert service.client.get(f"{address}/report.json").content == made.content
    again = service.client.get(address, headers={"If-None-Match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_everything_that_a_replay_needs_is_stored_by_hash(service: Running, planning: bytes, farmland: bytes) -> None:
    made = service.ask([*asked(planning), ("layer.permanent-basic-farmland", ("f.gpkg", farmland))], accuracy="0.1")
    check = service.service.store.get(made.headers["location"].removeprefix("/checks/"))
    inputs = {each["field"]: each["sha256"] for each in check.request["inputs"]}
    report = made.json()
    assert inputs["planning"] == report["proposal"]["planning"]["source"]["sha256"]
    assert inputs["layer.permanent-basic-farmland"] == report["layers"][0]["sha256"]
    assert service.service.objects.read(inputs["planning"]) == planning
    assert check.request["texts"] == {"on": [ON], "accuracy": ["0.1"]}
    assert (check.report_id, check.verdict) == (report["id"], report["verdict"])


def test_the_overlaps_file_opens_and_holds_the_evidence(
    service: Running, planning: bytes, farmland: bytes, tmp_path: Path
) -> None:
    made = service.ask([*asked(planning), ("layer.permanent-basic-farmland", ("f.gpkg", farmland))])
    got = service.client.get(f"{made.headers['location']}/overlaps.gpkg")
    assert got.headers["content-type"] == "application/geopackage+sqlite3"
    assert "overlaps.gpkg" in got.headers["content-disposition"]
    (tmp_path / "overlaps.gpkg").write_bytes(got.content)
    evidence = gpd.read_file(tmp_path / "overlaps.gpkg", layer="evidence")
    told = {e["id"] for p in made.json()["policies"] for f in p["findings"] for e in f["evidence"]}
    assert told == set(evidence["evidence_id"]) != set()


def test_the_same_question_has_the_same_report_id_whatever_the_files_are_called(
    service: Running, planning: bytes, farmland: bytes
) -> None:
    layer = ("layer.permanent-basic-farmland", ("b.gpkg", farmland))
    one = service.ask([*asked(planning, "a.gpkg"), layer], policy="common")
    two = service.ask([*asked(planning, "另一个名字.gpkg"), layer], policy="common")
    other = service.ask([*asked(planning), layer], policy="common", accuracy="1")
    assert one.json()["id"] == two.json()["id"] != other.json()["id"]
    assert one.headers["location"] != two.headers["location"]


def test_the_files_of_one_shapefile_come_together_or_zipped(service: Running, tmp_path: Path) -> None:
    parts = shapefile(tmp_path, frame(box(0, 0, 1700, 1700), YDMJ=[289.0]))
    together = service.ask([("planning", each) for each in parts.items()])
    packed = service.ask([("planning", ("边界.zip", zipped(parts)))])
    assert together.status_code == packed.status_code == 201
    areas = [each.json()["proposal"]["planning"] for each in (together, packed)]
    assert areas[0]["area_m2"] == areas[1]["area_m2"] > 0
    assert areas[0]["declared_area_m2"] == pytest.approx(2_890_000)
    assert areas[0]["source"]["file"] == "边界.shp"


def test_select_names_layer_and_rows_as_the_command_line_does(service: Running, tmp_path: Path) -> None:
    both = frame(box(0, 0, 1700, 1700), box(300, 300, 900, 900), 类型=["规划", "建设"])
    content = gpkg(tmp_path, both, "小镇")
    refused = service.ask(asked(content))
    assert (refused.status_code, refused.json()["code"]) == (422, "both-boundaries")
    made = service.ask(asked(content), select__planning="#小镇[类型=规划]", select__construction="[类型=建设]")
    assert made.status_code == 201
    proposal = made.json()["proposal"]
    assert (round(proposal["planning"]["area_m2"], -4), round(proposal["construction"]["area_m2"], -4)) == (
        2_890_000,
        810_000,
    )


def test_a_generation_and_a_system_are_said_with_the_layer(service: Running, planning: bytes, tmp_path: Path) -> None:
    parts = shapefile(tmp_path, frame(box(0, 0, 1700, 1700), DLBM=["0101"]))
    bare = zipped({name: content for name, content in parts.items() if ".prj" not in name})
    files = [*asked(planning), ("layer.land-use", ("dltb.zip", bare))]
    assert service.ask(files).json()["code"] == "crs-missing"
    made = service.ask(files, select__layer__land_use="")
    assert made.json()["code"] == "layer-role-unknown"
    said = service.client.post(
        "/checks", files=files, data={"on": ON, "select.layer.land-use": "@EPSG:4549@second-survey"}
    )
    assert said.status_code == 201
    assert said.json()["layers"][0]["generation"] == "second-survey"


def test_an_office_policy_comes_as_a_file_and_is_refused_where_it_is_wrong(service: Running, planning: bytes) -> None:
    text = (Path(__file__).parents[1] / "geoplan/policies/nantong-2017.toml").read_text(encoding="utf-8")
    own = text.replace('id = "nantong-2017"', 'id = "own-office"', 1).encode()
    made = service.ask([*asked(planning), ("policy", ("own-office.toml", own))])
    assert [p["id"] for p in made.json()["policies"]] == ["land-law", "own-office"]
    taken = service.ask([*asked(planning), ("policy", ("x.toml", text.encode()))])
    assert taken.json()["code"] == "policy-id-taken"
    wrong = service.ask(
        [*asked(planning), ("policy", ("x.toml", own.replace(b"[document]", b"[document]\nnumbr = 1", 1)))]
    )
    assert (wrong.status_code, wrong.json()["file"]) == (422, "x.toml")
    assert service.ask([*asked(planning), ("policy", ("x.toml", b"\xff\xfe"))]).json()["code"] == "policy-not-toml"


def test_posts_at_the_same_time_are_all_answered_alike(service: Running, planning: bytes, farmland: bytes) -> None:
    files = [*asked(planning), ("layer.permanent-basic-farmland", ("f.gpkg", farmland))]
    with ThreadPoolExecutor(8) as threads:
        made = [future.result() for future in [threads.submit(service.ask, files, policy="common") for _ in range(12)]]
    assert {each.status_code for each in made} == {201}
    assert len({each.json()["id"] for each in made}) == 1
    assert len({each.headers["location"] for each in made}) == 12


# --- what is refused ---------------------------------------------------------------------------------------------

BOW_TIE = shapely.Polygon([(510000, 3416000), (511700, 3417700), (511700, 3416000), (510000, 3417700)])


def wrong_system(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(box(0, 0, 1700, 1700), crs=2415))))]


def degrees_as_metres(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(shapely.box(120.1, 30.7, 120.12, 30.72), crs=4549))))]


def no_system(folder: Path, planning: bytes) -> Files:
    parts = shapefile(folder, frame(box(0, 0, 1700, 1700)))
    return [("planning", ("a.zip", zipped({name: content for name, content in parts.items() if ".prj" not in name})))]


def no_features(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.geojson", b'{"type": "FeatureCollection", "features": []}'))]


def lines(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(shapely.LineString(box(0, 0, 1700, 1700).exterior.coords)))))]


def outside_china(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(shapely.box(2.0, 48.0, 2.02, 48.02), crs=4326))))]


def truncated(folder: Path, planning: bytes) -> Files:
    parts = shapefile(folder, frame(box(0, 0, 1700, 1700)))
    parts["边界.shp"] = parts["边界.shp"][:-40]
    return [("planning", ("a.zip", zipped(parts)))]


def bow_tie(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(BOW_TIE))))]


def classless(folder: Path, planning: bytes) -> Files:
    content = gpkg(folder, frame(box(0, 0, 1700, 1700), REMARK=["x"]), "zones")
    return [*asked(planning, "a.gpkg"), ("layer.construction-control-zones", ("zones.gpkg", content))]


def bomb(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.zip", zipped({"a.shp": bytes(50_000_000)})))]


def escaping(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.zip", zipped({"../../../tmp/a.shp": b"x"})))]


def linking(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.zip", zipped({"a.shp": b"/etc/passwd"}, links=("a.shp",))))]


def disguised(folder: Path, planning: bytes) -> Files:
    vrt = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    return [("planning", ("a.geojson", vrt))]


def a_text_file(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.txt", b"hello"))]


def wrong_facts(folder: Path, planning: bytes) -> Files:
    return [*asked(planning, "a.gpkg"), ("facts", ("facts.toml", b"[investment]\ntotl = 1\n"))]


def wrong_towns(folder: Path, planning: bytes) -> Files:
    return [*asked(planning, "a.gpkg"), ("towns", ("towns.csv", b"name,x,y\nA,1,2\n"))]


Maker = Callable[[Path, bytes], Files]
REFUSED: list[tuple[Maker, int, str, str]] = [
    (wrong_system, 422, "datum-refused", "a.gpkg"),
    (degrees_as_metres, 422, "crs-does-not-fit", "a.gpkg"),
    (no_system, 422, "crs-missing", "a.zip"),
    (no_features, 422, "no-features", "a.geojson"),
    (lines, 422, "lines-not-polygons", "a.gpkg"),
    (outside_china, 422, "outside-china", "a.gpkg"),
    (truncated, 422, "shp-truncated", "a.zip"),
    (bow_tie, 422, "ring-refused", "a.gpkg"),
    (classless, 422, "layer-without-class", "zones.gpkg"),
    (bomb, 413, "zip-ratio", "a.zip"),
    (escaping, 422, "zip-escape", "a.zip"),
    (linking, 422, "zip-link", "a.zip"),
    (disguised, 422, "not-geojson", "a.geojson"),
    (a_text_file, 422, "format-unknown", "a.txt"),
    (wrong_facts, 422, "facts-unknown-figure", "facts.toml"),
    (wrong_towns, 422, "towns-csv", "towns.csv"),
]


@pytest.mark.parametrize(("make", "status", "code", "file"), REFUSED, ids=[each[2] for each in REFUSED])
def test_a_refused_input_is_a_problem_document_and_leaves_nothing(
    service: Running, planning: bytes, tmp_path: Path, make: Maker, status: int, code: str, file: str
) -> None:
    before = service.objects
    refused = service.ask(make(tmp_path, planning), policy="yushui-2017", lang="zh")
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert (refused.status_code, problem["status"], problem["code"], problem["file"]) == (status, status, code, file)
    assert problem["detail"] == problem["zh"] != problem["en"]
    assert problem["detail"].startswith(file)
    assert set(problem) == {"type", "title", "status", "detail", "code", "file", "where", "zh", "en"}
    assert str(service.home) not in refused.text
    assert service.objects == before
    assert service.left_over == []


def test_a_refusal_says_what_the_command_line_says(service: Running, tmp_path: Path) -> None:
    content = gpkg(tmp_path, frame(shapely.LineString(box(0, 0, 1700, 1700).exterior.coords)), "a")
    said = subprocess.run(
        [*COMMAND, "check", "--planning", str(tmp_path / "a.gpkg"), "--lang", "en"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert service.ask([("planning", ("a.gpkg", content))]).json()["detail"] == said.stderr.strip()


@pytest.mark.parametrize(
    ("texts", "code", "says"),
    [
        ({"policy": "nope"}, "policy-unknown", "there is no policy nope"),
        ({"policy": "/etc/hosts.toml"}, "policy-unknown", "there is no policy /etc/hosts.toml"),
        ({"accuracy": "nan"}, "option-wrong", "nan is no value for accuracy"),
        ({"accuracy": "11"}, "option-wrong", "11 is no value for accuracy"),
        ({"on": "21.11.2026"}, "option-wrong", "21.11.2026 is no value for on"),
        ({"crs": "EPSG:1"}, "crs-unknown", "EPSG:1 is not known"),
        ({"crs": "EPSG:4550"}, "crs-contradiction", "EPSG:4549"),
        ({"crs": "EPSG:4549", "datum": "wgs84"}, "crs-contradiction", "wgs84"),
        ({"datum": "gcj02"}, "not-supported-yet", "gcj02"),
        ({"datum": "moon"}, "option-wrong", "moon"),
        ({"anywhere": "perhaps"}, "option-wrong", "perhaps"),
        ({"reading": "x"}, "reading-spelling", "POLICY.RULE.KEY"),
        ({"reading": "a.b.c=1"}, "reading-unknown", "a.b.c"),
        ({"construction": "text"}, "field-wants-file", "construction takes a file"),
        ({"colour": "red"}, "field-unknown", "there is no field colour"),
        ({"layer__moon": "x"}, "layer-role-unknown", "there is no layer role moon"),
        ({"name": "x" * 201}, "field-too-long", "longer than 200"),
        ({"name": "x" * 20_000}, "field-too-long", "longer than 10000"),
        ({"name": ["a", "b"]}, "field-twice", "name may be given once"),
        ({"select__planning": "layer"}, "select-spelling", "#LAYER"),
        ({"select__planning": "#no"}, "layer-unknown", "no data set no"),
        ({"select__towns": "#x"}, "select-without-file", "select.towns"),
    ],
)
def test_a_wrong_call_is_refused_by_field(
    service: Running, planning: bytes, texts: dict[str, Any], code: str, says: str
) -> None:
    refused = service.ask(asked(planning), **texts)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert says in refused.json()["detail"]


def test_files_where_none_belong_or_too_many_are_refused(service: Running, planning: bytes) -> None:
    file = ("a.gpkg", planning)
    assert service.ask([("policy", ("p.toml", b"x = 1"))]).json()["code"] in ("policy-wrong", "no-planning")
    assert service.ask([]).status_code == 415
    assert service.ask([("name", file)]).json()["code"] == "field-wants-text"
    assert service.ask([("planning", file), ("planning", file)]).json()["code"] == "field-twice"
    assert service.ask([*asked(planning), ("coverage.roads", file)]).json()["code"] == "coverage-without-layer"
    assert service.ask([("planning", ("", b"")), ("facts", ("", b""))]).json()["code"] == "no-planning"
    assert service.ask([("planning", file)] * 201).json()["code"] == "form-parts"


@pytest.mark.parametrize(
    "name",
    ["../../../../etc/passwd.gpkg", "..\\..\\boot.gpkg", "<img src=x onerror=alert(1)>.gpkg", "a\x00b.gpkg", "\u202efdp.gpkg",
     "x" * 3000 + ".gpkg", ".gpkg", "CON.gpkg", "a\r\nX-Evil: 1.gpkg", "$(id).gpkg", "'; DROP TABLE checks;--.gpkg", "a;b=\"c.gpkg"],
)  # fmt: skip
def test_a_hostile_file_name_is_only_shown(service: Running, planning: bytes, name: str) -> None:
    outside = set(service.home.parent.iterdir())
    made = service.ask(asked(planning, name))
    assert made.status_code in (201, 422)
    assert "x-evil" not in made.headers
    if made.status_code == 201:
        shown = made.json()["proposal"]["planning"]["source"]["file"]
        assert len(shown) <= 120
        assert not any(c in shown for c in "/\\\0\r\n\u202e")
        page = service.client.get(made.headers["location"], headers=BROWSER)
        assert page.status_code == 200
        assert "<img src=x" not in page.text
    else:
        assert made.json()["code"] in ("format-unknown", "no-planning")
    assert set(service.home.parent.iterdir()) == outside


def endless(boundary: str, count: int) -> Iterator[bytes]:
    """A form that holds one file of so many bytes."""
    yield f'--{boundary}\r\nContent-Disposition: form-data; name="planning"; filename="a.zip"\r\n\r\n'.encode()
    piece = bytes(1_000_000)
    for _ in range(count // len(piece)):
        yield piece
    yield f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_past_the_limit_is_cut_off(service: Running, declared: bool) -> None:
    before = service.objects
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    if declared:
        headers["Content-Length"] = str(sum(len(piece) for piece in endless("b", 300_000_000)))
    refused = service.client.post("/checks", content=endless("b", 300_000_000), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "body-too-large")
    assert refused.headers["content-type"] == "application/problem+json"
    assert service.left_over == []
    assert service.objects == before


def raw(service: Running, *pieces: bytes, answer: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return connection.recv(65536) if answer else b""


def test_a_client_that_goes_away_leaves_nothing(service: Running) -> None:
    head = b"POST /checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
    start = b'--b\r\nContent-Disposition: form-data; name="planning"; filename="a.zip"\r\n\r\n' + bytes(600_000)
    raw(service, head, start, answer=False)
    until = time.monotonic() + 10
    while service.left_over and time.monotonic() < until:
        time.sleep(0.02)
    assert service.left_over == []


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"a=b", "application/x-www-form-urlencoded", 415, "form-expected"),
        (b"{}", "application/json", 415, "form-expected"),
        (b"x", "multipart/form-data", 415, "form-expected"),
        (b"x", "multipart/form-data; boundary=b", 422, "form-broken"),
        (b"", "multipart/form-data; boundary=b", 422, "form-broken"),
        (
            b'--b\r\nContent-Disposition: form-data; name="planning"; filename="a"\r\n\r\nhalf',
            "multipart/form-data; boundary=b",
            422,
            "form-broken",
        ),
        (
            b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
            422,
            "form-broken",
        ),
        (b"--b\r\n" + b"X: y\r\n" * 5000, "multipart/form-data; boundary=b", 422, "form-broken"),
        (b"x", "multipart/form-data; boundary=" + "b" * 9999, 422, "form-broken"),
    ],
)
def test_what_is_no_form_or_half_of_one_is_refused(
    service: Running, body: bytes, kind: str, status: int, code: str
) -> None:
    refused = service.client.post("/checks", content=body, headers={"Content-Type": kind})
    assert (refused.status_code, refused.json()["code"]) == (status, code)


# --- what a full or broken service says --------------------------------------------------------------------------


def test_a_full_queue_is_told_and_takes_more_once_it_is_not(
    tmp_path: Path, planning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, entered = threading.Event(), threading.Semaphore(0)
    check = Service.check

    def slow(self: Service, *args: Any) -> Any:
        entered.release()
        go.wait(30)
        return check(self, *args)

    monkeypatch.setattr(Service, "check", slow)
    with running(tmp_path, workers=1, queue_length=1, retry_after_s=7) as full, ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(full.ask, asked(planning)) for _ in range(2)]
        assert entered.acquire(timeout=20)
        places = full.service.pool._places
        while places._value:
            time.sleep(0.01)
        refused = full.ask(asked(planning))
        assert (refused.status_code, refused.headers["retry-after"], refused.json()["code"]) == (503, "7", "busy")
        assert full.ask(asked(planning), headers=BROWSER).status_code == 503
        go.set()
        assert [each.result().status_code for each in waiting] == [201, 201]
        assert full.ask(asked(planning)).status_code == 201
        assert full.left_over == []


def test_a_fault_is_a_problem_document_without_its_inside(
    service: Running, planning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **more: Any) -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("geoplan_api.service.new_id", broken)
    fault = service.ask(asked(planning))
    assert (fault.status_code, fault.json()["code"]) == (500, "server-fault")
    assert "secret" not in fault.text
    assert fault.headers["x-content-type-options"] == "nosniff"
    monkeypatch.setattr("geoplan_web.pages.problem", broken)
    page = service.client.get("/nothing", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (500, "application/problem+json")


def test_what_an_upload_sets_off_is_refused_not_a_fault(
    service: Running, planning: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("geoplan_api.service.answer", lambda *_: 1 / 0)
    refused = service.ask(asked(planning))
    assert (refused.status_code, refused.json()["code"]) == (422, "not-processable")
    number = re.search(r"log has it as (\w+)", refused.json()["detail"])
    assert number is not None
    assert f"fault {number[1]}" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_damaged_report_is_not_shown(tmp_path: Path, planning: bytes) -> None:
    with running(tmp_path) as service:
        made = service.ask(asked(planning))
        check = service.service.store.get(made.headers["location"].removeprefix("/checks/"))
        for sha256 in (check.report_sha256, check.overlaps_sha256):
            path = service.service.objects.path(sha256)
            path.write_bytes(b"{}")
        for part in ("", "/report.json", "/map", "/map.html", "/overlaps.gpkg"):
            got = service.client.get(made.headers["location"] + part)
            assert (got.status_code, got.json()["code"]) == (503, "object-damaged")


def test_health_says_whether_it_can_store(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        well = service.client.get("/healthz")
        assert (well.status_code, well.json()["status"], well.json()["store"]) == (200, "ok", "writable")
        service.service.store._engine.dispose()
        for path in tmp_path.glob("geoplan.db*"):
            path.write_bytes(b"damaged" * 1000)
        ill = service.client.get("/healthz")
        assert (ill.status_code, ill.json()["status"], ill.json()["store"]) == (503, "failing", "failing")


# --- pages, languages, headers -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(the_service: Running, planning: bytes, farmland: bytes) -> str:
    answered = the_service.ask([*asked(planning), ("layer.permanent-basic-farmland", ("f.gpkg", farmland))])
    return answered.headers["location"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (BROWSER["Accept"], "text/html; charset=utf-8"),
        ("text/html;q=0.4, application/json;q=0.5", "application/json"),
        ("text/html;q=0.5, application/*;q=0.4", "text/html; charset=utf-8"),
        ("text/html;q=0, */*", "application/json"),
        ("text/html, application/json", "application/json"),
    ],
)
def test_accept_decides_between_page_and_data(service: Running, made: str, accept: str | None, kind: str) -> None:
    headers = {"Accept": accept} if accept is not None else {"Accept": ""}
    for path in (made, "/policies", "/policies/land-law"):
        got = service.client.get(path, headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (200, kind)
        assert "Accept" in got.headers["vary"]


def test_what_is_neither_is_not_acceptable(service: Running, made: str) -> None:
    for path in (
        made,
        "/policies",
        "/",
        "/layers",
        f"{made}/map",
        f"{made}/report.json",
        f"{made}/overlaps.gpkg",
        "/docs",
    ):
        got = service.client.get(path, headers={"Accept": "image/png"})
        assert (got.status_code, got.json()["code"]) == (406, "not-acceptable")


def test_a_browser_is_sent_to_the_page_and_a_refused_upload_shows_the_form_again(
    service: Running, planning: bytes
) -> None:
    sent = service.ask(asked(planning), headers=BROWSER)
    assert sent.status_code == 303
    assert re.fullmatch(r"/checks/\w+\?lang=en", sent.headers["location"])
    page = service.client.get(sent.headers["location"], headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-language"] == "en"
    refused = service.ask([("planning", ("<b>.txt", b"x"))], headers=BROWSER)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "is not read" in refused.text
    assert "<b>.txt" not in refused.text
    assert service.client.get("/checks/none", headers=BROWSER).status_code == 404


def test_the_language_is_asked_for_by_form_address_or_header(service: Running, planning: bytes) -> None:
    def language(path: str, header: str = "") -> str:
        return str(service.client.get(path, headers={"Accept-Language": header}).headers["content-language"])

    assert language("/nothing") == "zh"
    assert language("/nothing?lang=en") == "en"
    assert language("/nothing?lang=fr", "en-GB,en;q=0.9,zh;q=0.8") == "en"
    assert language("/nothing", "fr, zh-CN;q=0.8, en;q=0.3") == "zh"
    assert language("/nothing?lang=zh", "en") == "zh"
    refused = service.client.post("/checks", files=[("planning", ("a.txt", b"x"))], data={"lang": "en"})
    assert refused.json()["detail"] == refused.json()["en"]


PATHS = (
    "/",
    "/policies",
    "/policies/land-law",
    "/layers",
    "/healthz",
    "/docs",
    "/openapi.json",
    "/nothing",
    "/static/geoplan/map.css",
)


def test_every_answer_carries_the_headers_of_safety_and_no_cookie(service: Running, made: str) -> None:
    for path in (*PATHS, made, f"{made}/map", f"{made}/map.html", f"{made}/overlaps.gpkg"):
        got = service.client.get(path, headers=BROWSER)
        assert got.headers["x-content-type-options"] == "nosniff", path
        assert got.headers["x-frame-options"] == "SAMEORIGIN", path
        assert got.headers["referrer-policy"] == "same-origin", path
        assert "geolocation=()" in got.headers["permissions-policy"], path
        policy = got.headers["content-security-policy"]
        assert policy == "sandbox" or (
            policy.startswith("default-src 'none'") and "frame-ancestors 'self'" in policy
        ), path
        assert "unsafe" not in policy, path
        assert "set-cookie" not in got.headers, path


def test_every_page_has_a_nonce_of_its_own_on_each_script(service: Running, made: str) -> None:
    for path in ("/", made, f"{made}/map", "/docs", "/policies", "/policies/land-law"):
        seen = set()
        for _ in range(2):
            page = service.client.get(path, headers=BROWSER)
            nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", page.headers["content-security-policy"])
            assert nonce is not None, path
            seen.add(nonce[1])
            for tag in re.findall(r"<script[^>]*>", page.text):
                assert f'nonce="{nonce[1]}"' in tag or re.search(r'src="/static/', tag), (path, tag)
            assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?:https?:)?//""", page.text), (
                path
            )
            assert not re.search(r"<[^>]+\son\w+=", page.text), path
        assert len(seen) == 2


def test_the_map_file_is_an_attachment_that_asks_nothing_of_the_network(service: Running, made: str) -> None:
    got = service.client.get(f"{made}/map.html")
    assert got.headers["content-disposition"] == 'attachment; filename="map.html"'
    assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](?!data:|#)""", got.text)


def test_static_files_with_a_version_are_kept_for_good(service: Running) -> None:
    kept = service.client.get("/static/vendor/leaflet-1.9.4/leaflet.js")
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert kept.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")
    assert service.client.get("/static/geoplan/map.css").headers["cache-control"] == "no-cache"
    assert "immutable" in service.client.get("/static/geoplan/map.css?v=1").headers["cache-control"]
    for path in (
        "/static/nothing",
        "/static/../assets.py",
        "/static/%2e%2e/assets.py",
        "/static/..%2fassets.py",
        "/static/a%00b",
    ):
        got = service.client.get(path)
        assert (got.status_code, got.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]", "", "192.168.1.1"]
)
def test_another_host_name_is_not_answered_to(service: Running, host: str) -> None:
    got = service.client.get("/policies", headers={"Host": host})
    assert (got.status_code, got.json()["code"]) == (421, "foreign-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "[::1]:8000", "127.0.0.1"])
def test_the_names_of_the_loopback_are_answered_to(service: Running, host: str) -> None:
    assert service.client.get("/policies", headers={"Host": host}).status_code == 200


def test_a_page_of_another_site_cannot_post(service: Running, planning: bytes) -> None:
    own = f"http://127.0.0.1:{service.port}"
    foreign = [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{service.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": own},
    ]
    for headers in foreign:
        got = service.ask(asked(planning), headers=headers)
        assert (got.status_code, got.json()["code"]) == (403, "foreign-origin")
    for headers in ({"Origin": own}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert service.ask(asked(planning), headers=headers).status_code == 201


def test_methods_and_addresses_that_are_not_there(service: Running, made: str) -> None:
    gone = service.client.delete(made)
    assert (gone.status_code, gone.json()["code"], gone.headers["allow"]) == (405, "method-wrong", "GET")
    for path in (
        "/nothing",
        "/checks/",
        "/checks/none",
        "/checks/none/map",
        "/policies/none",
        "/checks/..%2f..",
        f"{made}/x",
    ):
        got = service.client.get(path, follow_redirects=True)
        assert got.status_code in (404, 405), path
        assert got.headers["content-type"] == "application/problem+json", path
    head = service.client.head("/policies")
    assert (head.status_code, head.content, int(head.headers["content-length"]) > 100) == (200, b"", True)


# --- what the service holds --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("demo"), demo_layers=True) as service:
        yield service


@pytest.mark.parametrize("key", [town.key for town in demo.towns()])
def test_a_demo_town_uploaded_gets_the_report_of_the_demo(demo_service: Running, key: str) -> None:
    town = next(each for each in demo.towns() if each.key == key)
    files = [
        (field, (Path(town.content[field]).name, (demo.data_folder() / town.content[field]).read_bytes()))
        for field in ("planning", "construction", "facts")
    ]
    made = demo_service.client.post("/checks", files=files, data={"policy": town.content["policies"]})
    assert made.status_code == 201
    expected = answer(town.inquiry())
    assert (made.json()["id"], made.json()["verdict"]) == (expected.id, town.expected)
    page = demo_service.client.get(made.headers["location"], headers=BROWSER)
    assert "演示数据" in page.text or "虚构" in page.text
    assert "invented" not in made.text
    assert demo_service.left_over == []


def test_an_uploaded_layer_stands_in_place_of_the_one_held(demo_service: Running, tmp_path: Path) -> None:
    town = demo.towns()[0]
    planning = (demo.data_folder() / town.content["planning"]).read_bytes()
    own = gpkg(tmp_path, frame(box(-9000, -20000, 100, 100), DLBM=["0101"]), "own")
    files = [("planning", ("p.zip", planning)), ("layer.permanent-basic-farmland", ("own.gpkg", own))]
    layers = demo_service.client.post("/checks", files=files).json()["layers"]
    farmland = [(each["file"], each["coverage_from"]) for each in layers if each["role"] == "permanent-basic-farmland"]
    assert farmland == [("own.gpkg", "assumed")]
    assert len(layers) > 3


def test_a_place_far_from_every_layer_gets_none(demo_service: Running, tmp_path: Path) -> None:
    far = gpkg(tmp_path, frame(shapely.box(116.0, 40.0, 116.02, 40.02), crs=4490))
    made = demo_service.client.post("/checks", files=[("planning", ("p.gpkg", far))])
    assert (made.status_code, made.json()["layers"], made.json()["towns"]) == (201, [], None)


def test_layers_and_policies_are_listed(demo_service: Running, service: Running) -> None:
    layers = demo_service.client.get("/layers").json()["layers"]
    assert {"role", "file", "date", "coverage_from", "extent", "invented"} == set(layers[0])
    assert all(each["invented"] and each["coverage_from"] == "declared" for each in layers)
    assert service.client.get("/layers").json() == {"layers": []}
    listed = service.client.get("/policies").json()["policies"]
    assert {each["id"] for each in listed} == set(shipped())
    for each in listed:
        assert service.client.get(each["href"]).json()["id"] == each["id"]


def test_the_office_s_own_policies_are_read_from_home(tmp_path: Path, planning: bytes) -> None:
    text = (Path(__file__).parents[1] / "geoplan/policies/nantong-2017.toml").read_text(encoding="utf-8")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/own.toml").write_text(text.replace('id = "nantong-2017"', 'id = "own"', 1), encoding="utf-8")
    with running(tmp_path) as service:
        assert "own" in {each["id"] for each in service.client.get("/policies").json()["policies"]}
        assert service.ask(asked(planning), policy="own").json()["policies"][1]["id"] == "own"


# --- documentation and schemas -----------------------------------------------------------------------------------


def test_the_interface_is_documented_and_the_document_is_valid(service: Running) -> None:
    document = service.client.get("/openapi.json").json()
    openapi.OpenAPI.model_validate(document)
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        jsonschema.Draft202012Validator.check_schema(document["components"]["schemas"][reference])
    form = document["paths"]["/checks"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"planning", "construction", "policy", "crs", "datum", "facts", "towns", "layer.land-use"} <= set(
        form["properties"]
    )
    assert set(document["paths"]) >= {
        "/checks",
        "/checks/{check_id}",
        "/checks/{check_id}/map",
        "/policies",
        "/layers",
        "/healthz",
    }


def test_the_documentation_page_asks_only_this_service(service: Running) -> None:
    page = service.client.get("/docs", headers=BROWSER).text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith(("/static/", "data:"))
        if address.startswith("/"):
            assert service.client.get(address).status_code == 200


@pytest.mark.parametrize("what", ["report", "policy", "facts"])
def test_a_schema_is_one(what: str) -> None:
    schema = schema_of(what)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_a_schema_that_there_is_not_is_refused() -> None:
    with pytest.raises(CallRefused, match="there is no schema moon. There are: report, policy, facts"):
        schema_of("moon")


def test_the_shipped_files_fit_their_schemas_and_misspelt_ones_do_not() -> None:
    def plain(path: Path) -> Any:
        return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))

    facts = jsonschema.Draft202012Validator(schema_of("facts"))
    for path in (demo.data_folder() / "boundaries").glob("*.facts.toml"):
        facts.validate(plain(path))
    for wrong in (
        {"moon": 1},
        {"investment": {"totl": 1}},
        {"investment": {"total": "1"}},
        {"answers": {"a.b": {"verdict": "pass"}}},
    ):
        assert not facts.is_valid(wrong)
    policy = jsonschema.Draft202012Validator(schema_of("policy"))
    for path in (Path(__file__).parents[1] / "geoplan/policies").glob("*.toml"):
        policy.validate(plain(path))
    assert not policy.is_valid({"schema": "geoplan/policy/1", "id": "x"})


# --- geoplan serve -----------------------------------------------------------------------------------------------

COMMAND = [sys.executable, "-c", "from geoplan_api.cli import main; main()"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "", "no-such-host.invalid"])
def test_an_address_off_the_loopback_is_refused(host: str) -> None:
    with pytest.raises(CallRefused, match="binds to the loopback only"):
        run(host, 0, demo=False)


def test_a_port_that_is_taken_or_none_is_told() -> None:
    says = r"cannot bind to 127.0.0.1 port \d+ .*--port"
    with listen("127.0.0.1", 0) as taken, pytest.raises(CannotFinish, match=says):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(CallRefused, match="70000 is no value for --port"):
        listen("127.0.0.1", 70_000)


def test_serve_refuses_and_serves_as_a_command(tmp_path: Path) -> None:
    environment = {**os.environ, "GEOPLAN_HOME": str(tmp_path)}
    refused = subprocess.run(
        [*COMMAND, "serve", "--host", "0.0.0.0"], env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "127.0.0.1" in refused.stderr
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as served:
        assert served.stderr is not None
        address = re.fullmatch(r"geoplan: (http://127\.0\.0\.1:\d+/)\n", served.stderr.readline())
        assert address is not None
        assert httpx.get(f"{address[1]}healthz", trust_env=False).json()["status"] == "ok"
        again = subprocess.run(
            [*COMMAND, "serve", "--port", address[1].split(":")[2].rstrip("/")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 4
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0
        assert served.stderr.read() == ""
