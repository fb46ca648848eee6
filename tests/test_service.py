"""The service over real HTTP: a check is asked and read back, alone and among many, on a service well or ill."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import jsonschema
import pytest
import shapely

from builders import box
from geoplan.policy import shipped
from geoplan_api import demo
from geoplan_api.inquiry import answer
from geoplan_api.schemas import schema_of
from geoplan_api.service import Service
from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
    ON,
    Running,
    asked,
    fixture_construction,
    fixture_farmland,
    fixture_planning,
    fixture_service,
    fixture_the_service,
    frame,
    gpkg,
    running,
    shapefile,
    zipped,
)


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
    assert made.json()["invented"] is True
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
    assert service.client.get("/layers").json() == {"layers": [], "versions": []}
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
