"""What the service refuses: each refusal is a problem document, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shapely

from builders import box
from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
    COMMAND,
    Files,
    Running,
    asked,
    fixture_planning,
    fixture_service,
    fixture_the_service,
    frame,
    gpkg,
    shapefile,
    zipped,
)

BOW_TIE = shapely.Polygon([(510000, 3416000), (511700, 3417700), (511700, 3416000), (510000, 3417700)])


def wrong_system(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.gpkg", gpkg(folder, frame(box(0, 0, 1700, 1700), crs=2437))))]


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


def endless_rows(folder: Path, planning: bytes) -> Files:
    path = folder / "a.gpkg"
    path.write_bytes(planning)
    with closing(sqlite3.connect(path)) as package:
        package.executescript(
            "CREATE VIEW rows AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c;"
        )
    return [("planning", ("a.gpkg", path.read_bytes()))]


def a_text_file(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.txt", b"hello"))]


def a_letter(folder: Path, planning: bytes) -> Files:
    return [("planning", ("a.docx", b"hello"))]


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
    (endless_rows, 422, "geopackage-views", "a.gpkg"),
    (a_text_file, 422, "not-a-coordinate-text", "a.txt"),
    (a_letter, 422, "format-unknown", "a.docx"),
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
    members = {"type", "title", "status", "detail", "code", "file", "where", "zh", "en", "others"}
    assert set(problem) == members | ({"candidates"} if code == "crs-missing" else set())
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
        ({"datum": "gcj02"}, "shift-needs-degrees", "GCJ-02"),
        ({"place": "999999"}, "place-unknown", "999999"),
        ({"place": "450200"}, "place-differs", "柳州市"),
        ({"datum_parameters": "x"}, "parameters-not-uploaded", "secret"),
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
    assert service.ask([("policy", ("p.toml", b"x = 1"))]).json()["code"] in ("policy-missing-key", "no-planning")
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


def until(holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold within ten seconds."""
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def test_a_client_that_goes_away_leaves_nothing(service: Running) -> None:
    head = (
        "POST /checks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="planning"; filename="a.zip"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(head.encode() + bytes(600_000))
        assert until(lambda: any(path.stat().st_size for folder in service.left_over for path in folder.iterdir()))
    assert until(lambda: not service.left_over)


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
