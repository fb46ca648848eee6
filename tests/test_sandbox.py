# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Reader processes: what they may not do, what becomes of a caller when one ends, and the attacks on file readers."""

from __future__ import annotations

import bz2
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from builders import box
from geoplan.errors import Busy, CannotFinish, GeoplanError, InputRefused
from geoplan_api.service import Service
from geoplan_layers.files.limits import BOUNDARY, LAYER, MB
from geoplan_layers.files.table import Table
from geoplan_layers.formats import known_suffixes
from geoplan_layers.sandbox import child as child_module
from geoplan_layers.sandbox.rules import OPEN_FILES, Rules
from geoplan_layers.sandbox.session import held, reading
from geoplan_layers.sandbox.workers import Cancellation, Pool
from geoplan_layers.selector import Selector
from geoplan_layers.vector import opened, read_table
from serving import asked, fixture_planning, running  # noqa: F401 - the fixture is used by name

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc of Linux")
pytestmark = linux
SQUARE = '{"type": "Polygon", "coordinates": [[[120, 30], [120.02, 30], [120.02, 30.02], [120, 30]]]}'


@pytest.fixture(name="work")
def fixture_work(tmp_path: Path) -> Iterator[Path]:
    """The folder for what readers unpack; nothing stays in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


@contextmanager
def readers(work: Path, **rules: Any) -> Iterator[Pool]:
    pool = Pool(Rules(**rules))
    try:
        with reading(pool, work):
            yield pool
    finally:
        pool.close()


def table(path: Path) -> Table:
    return read_table(Selector(path), BOUNDARY)


def good(folder: Path) -> Path:
    path = folder / "good.geojson"
    path.write_text(SQUARE)
    return path


def hanging(folder: Path) -> Path:
    """A shapefile whose table is a pipe that nobody writes to: whoever opens it waits for ever."""
    folder.mkdir()
    path = folder / "x.shp"
    gpd.GeoDataFrame({"A": [1]}, geometry=[box(0, 0, 10, 10)], crs=4549).to_file(path)
    path.with_suffix(".dbf").unlink()
    os.mkfifo(path.with_suffix(".dbf"))
    return path


def slow(folder: Path) -> Path:
    """A zip that takes seconds of processor time to unpack, within every limit on its size."""
    digits = np.random.default_rng(1).integers(48, 58, 15_000_000, dtype=np.uint8).tobytes()
    path = folder / "slow.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2, compresslevel=1) as archive:
        archive.writestr("a.shp", digits)
    return path


def the_reader(pool: Pool) -> int:
    """The process id of the one reader that works now."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        busy = [each for each in list(pool._busy) if each._ready]
        if busy:
            time.sleep(0.3)  # the job is on its way
            return busy[0].pid
        time.sleep(0.01)
    raise AssertionError("no reader took the job")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_idle(pool: Pool) -> int:
    """End the one idle reader and wait until it has gone; which it was."""
    (reader,) = [each for each in pool._idle if each.alive]
    os.kill(reader.pid, signal.SIGKILL)
    while reader.alive:
        time.sleep(0.01)
    return reader.pid


# --- what a reader may not do ------------------------------------------------------------------------------------


def test_the_kernel_holds_a_reader_to_its_limits(tmp_path: Path, work: Path) -> None:
    with readers(work, memory=500 * MB) as pool:
        table(good(tmp_path))
        (state,) = pool.states()
        pid = state["pid"]
        rows = [line.split("  ") for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]]
        soft = {row[0]: next(each.strip() for each in row[1:] if each.strip()).split()[0] for row in rows}
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert soft["Max core file size"] == "0"
    assert int(soft["Max open files"]) <= OPEN_FILES
    assert int(soft["Max file size"]) == BOUNDARY.unpacked_bytes + 64 * MB
    assert 20 <= int(soft["Max cpu time"]) <= 40
    assert status["NoNewPrivs"].strip() == "1"
    assert {name for name, holds in state["held"].items() if not holds} <= {"network"}


def test_a_reader_is_in_a_network_that_leads_nowhere(tmp_path: Path, work: Path) -> None:
    with readers(work) as pool:
        table(good(tmp_path))
        (state,) = pool.states()
        if not state["held"]["network"]:
            pytest.skip("the kernel allows no network of its own to this user")
        devices = Path(f"/proc/{state['pid']}/net/dev").read_text().splitlines()[2:]
        assert Path(f"/proc/{state['pid']}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]


def test_a_reader_gets_no_environment_no_open_files_and_no_driver_but_its_own(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geoplan_layers.files.ogr import READ

    monkeypatch.setenv("GEOPLAN_SECRET", "TOPSECRET")
    monkeypatch.setenv("HTTPS_PROXY", "http://TOPSECRET@proxy")
    with socket.socket() as listening, readers(work) as pool:
        listening.bind(("127.0.0.1", 0))
        os.set_inheritable(listening.fileno(), True)
        table(good(tmp_path))
        (state,) = pool.states()
        proc = Path(f"/proc/{state['pid']}")
        assert b"SECRET" not in (proc / "environ").read_bytes()
        assert not {each.split(b"=")[0] for each in (proc / "environ").read_bytes().split(b"\0")} & {b"HOME", b"PATH"}
        links = [str(each.readlink()) for each in (proc / "fd").iterdir()]
        assert not [each for each in links if each.startswith("socket:")]
        assert set(state["drivers"]) <= {*READ, "MEM"}


def test_more_memory_than_allowed_is_refused_and_the_next_file_is_read(tmp_path: Path, work: Path) -> None:
    eater = tmp_path / "eater.geojson"
    eater.write_text('{"type": "MultiPoint", "coordinates": [' + "[],"[:-1] + ",[]" * 6_000_000 + "]}")
    with readers(work, memory=150 * MB):
        with pytest.raises(InputRefused, match=r"eater\.geojson: reading it needs more memory than the 150 MB allowed"):
            table(eater)
        assert len(table(good(tmp_path))) == 1


def test_more_time_than_allowed_is_refused_and_the_next_file_is_read(tmp_path: Path, work: Path) -> None:
    loop, path = slow(tmp_path), hanging(tmp_path / "h")
    with readers(work, seconds=0.2) as pool:
        table(good(tmp_path))
        for each in (loop, path):
            began = time.monotonic()
            with pytest.raises(InputRefused, match=rf"{each.name}: it was not read within \d+ s"):
                table(each)
            assert time.monotonic() - began < 10
            assert len(table(good(tmp_path))) == 1
        assert len(pool.states()) == 1


def test_large_files_and_layers_get_more_time_and_layers_more_memory() -> None:
    rules = Rules(memory=100 * MB, layer_memory=900 * MB, seconds=10)
    assert [rules.budget(size * MB, LAYER).seconds for size in (1, 20, 200, 20_000)] == [10, 10, 100, 3600]
    assert (rules.budget(1, BOUNDARY).memory, rules.budget(1, LAYER).memory) == (100 * MB, 900 * MB)
    assert Rules().of_layers() >= Rules().memory


# --- what becomes of a caller when a reader ends -----------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_reader_that_ends_is_one_refusal_and_a_new_reader(tmp_path: Path, work: Path, how: signal.Signals) -> None:
    path = hanging(tmp_path / "h")
    with readers(work) as pool, ThreadPoolExecutor(1) as threads:

        def killed() -> None:
            with reading(pool, work):
                table(path)

        waiting = threads.submit(killed)
        os.kill(the_reader(pool), how)
        with pytest.raises(InputRefused, match=rf"x\.shp: the process that read it ended \({how.name}\)"):
            waiting.result(timeout=20)
        assert len(table(good(tmp_path))) == 1


def test_a_reader_killed_between_two_files_is_not_noticed(tmp_path: Path, work: Path) -> None:
    with readers(work) as pool:
        archive = zipped(tmp_path / "a.zip", {"规划.geojson": SQUARE})
        with opened(Selector(archive), BOUNDARY) as dataset:
            pid = kill_idle(pool)
            assert len(dataset.read(None)) == 1
        (after,) = pool.states()
    assert after["pid"] != pid


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_file_is_unpacked_once_for_one_caller_and_removed_after(tmp_path: Path, work: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"规划.geojson": SQUARE})
    with readers(work):
        for _ in range(3):
            table(archive)
        assert len(list(work.iterdir())) == 1
        assert len(list(work.rglob("*.geojson"))) == 1


def test_threads_read_at_the_same_time_in_readers_of_their_own(tmp_path: Path, work: Path) -> None:
    pipes = [hanging(tmp_path / name) for name in ("a", "b")]
    with readers(work, workers=2, waiting=0, seconds=15) as pool, ThreadPoolExecutor(2) as threads:

        def hung(path: Path) -> None:
            with reading(pool, work):
                table(path)

        waiting = [threads.submit(hung, path) for path in pipes]
        end = time.monotonic() + 30
        while len({each.pid for each in list(pool._busy)}) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        with pytest.raises(Busy, match="come back later|busy|later|again"):
            table(good(tmp_path))
        pool.close()
        for each in waiting:
            with pytest.raises(CannotFinish, match="reading was cancelled"):
                each.result(timeout=20)


def test_many_threads_share_few_readers(tmp_path: Path, work: Path) -> None:
    path = good(tmp_path)
    with readers(work, workers=2) as pool, ThreadPoolExecutor(8) as threads:

        def one(_: int) -> int:
            with reading(pool, work):
                return len(table(path))

        assert list(threads.map(one, range(40))) == [1] * 40
        assert len(pool.states()) <= 2


def test_a_caller_may_cancel(tmp_path: Path, work: Path) -> None:
    path, cancellation = hanging(tmp_path / "h"), Cancellation()
    with readers(work) as pool, ThreadPoolExecutor(1) as threads:

        def hung() -> None:
            with reading(pool, work, cancellation):
                table(path)

        waiting = threads.submit(hung)
        pid = the_reader(pool)
        cancellation.cancel()
        with pytest.raises(CannotFinish, match=r"x\.shp: reading was cancelled"):
            waiting.result(timeout=20)
        assert not is_alive(pid)
        assert len(table(good(tmp_path))) == 1


def test_a_reader_that_cannot_start_is_said(tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = good(tmp_path)
    monkeypatch.setattr(child_module, "_RUN", "raise SystemExit('no library')")
    with readers(work), pytest.raises(CannotFinish, match=r"cannot be started \(no library\).*geoplan doctor"):
        table(path)


def test_a_reader_ends_with_its_parent(tmp_path: Path) -> None:
    code = """if True:
        import os, signal
        from geoplan_layers.sandbox.workers import own_pool
        pool = own_pool(); pool.warm()
        print(pool.states()[0]["pid"], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    pid, end = int(ran.stdout), time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < end, "the reader lives on"
        time.sleep(0.05)


def test_a_reader_that_fails_is_a_refusal_with_its_traceback_for_the_log(tmp_path: Path, work: Path) -> None:
    says = r"good\.geojson: the reader failed on this file \(ValueError\)"
    with readers(work), held(good(tmp_path), "good.geojson", None, BOUNDARY) as handle:
        with pytest.raises(InputRefused, match=says) as refused:
            handle.ask("a job that there is not")
        assert handle.about()["name"] == "good"
    assert "Traceback" in str(refused.value.__cause__)


# --- the ways in -------------------------------------------------------------------------------------------------


def test_the_command_line_refuses_what_ends_its_reader(tmp_path: Path) -> None:
    path, temporary = hanging(tmp_path / "h"), tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "geoplan_api", "check", "--planning", str(path), "--lang", "en"]
    env = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        end = time.monotonic() + 60
        while not list(temporary.glob("*/*")):  # the reader has begun
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.5)
        (reader,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(reader), signal.SIGKILL)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert err.strip().splitlines() == [err.strip()]
    assert "x.shp: the process that read it ended (SIGKILL)" in err
    assert list(temporary.iterdir()) == []


def test_the_service_refuses_what_eats_memory_or_time_and_goes_on(tmp_path: Path, planning: bytes) -> None:
    eater = b'{"type": "MultiPoint", "coordinates": [[]' + b",[]" * 6_000_000 + b"]}"
    with running(tmp_path / "home", reader_memory_mb=150, readers=1) as service:
        told = service.ask(asked(eater, "边界.geojson"))
        assert (told.status_code, told.json()["code"], told.json()["file"]) == (422, "reader-memory", "边界.geojson")
        assert service.ask(asked(planning)).status_code == 201
        kill_idle(service.service.readers)
        assert service.ask(asked(planning)).status_code == 201
        assert service.left_over == []


def test_a_client_that_hangs_up_stops_its_reading(
    tmp_path: Path, planning: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ended = hanging(tmp_path / "h"), threading.Event()

    def hung(self: Service, form: Any, folder: Path, lang: Any, cancellation: Cancellation) -> Any:
        try:
            with reading(self.readers, folder, cancellation):
                table(path)
        finally:
            ended.set()

    monkeypatch.setattr(Service, "check", hung)
    with running(tmp_path / "home") as service:
        head = b'--b\r\nContent-Disposition: form-data; name="planning"; filename="a.gpkg"\r\n\r\n'
        body = head + planning + b"\r\n--b--\r\n"
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(
                f"POST /checks HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: {len(body)}\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
                + body
            )
            the_reader(service.service.readers)
            assert not ended.is_set()
        assert ended.wait(10), "the reading goes on"


# --- attacks -----------------------------------------------------------------------------------------------------


@pytest.fixture(name="listener")
def fixture_listener() -> Iterator[Callable[[], int]]:
    """A local server that nobody may call; the fixture gives its port."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                called.append(address)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield lambda: int(server.getsockname()[1])
        stop.set()
        thread.join()
    assert called == [], "a reader opened a connection"


def attacks(secret: Path, port: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}/x.geojson"
    layer = "<OGRVRTLayer name='x'><SrcDataSource>{}</SrcDataSource></OGRVRTLayer>"
    entities = "".join(
        f'<!ENTITY a{i} "{"&a" + str(i - 1) + ";" if i else "ha"}{"&a0;" * 9 if i else ""}">' for i in range(9)
    )
    kml = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
    return {
        "VRT that names a file of the server": f"<OGRVRTDataSource>{layer.format(secret)}</OGRVRTDataSource>",
        "VRT over /vsicurl": f"<OGRVRTDataSource>{layer.format('/vsicurl/' + url)}</OGRVRTDataSource>",
        "WFS description": f"<OGRWFSDataSource><URL>{url}</URL></OGRWFSDataSource>",
        "GDALG pipeline": json.dumps(
            {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {secret} ! write x"}
        ),
        "ESRI JSON service": json.dumps({"serviceDescription": "x", "url": url, "layers": [{"id": 0}]}),
        "GeoJSON with a remote crs": '{"type":"FeatureCollection","crs":{"type":"link","properties":{"href":"'
        + url
        + '"}},"features":[]}',
        "KML entity bomb": f"<?xml version='1.0'?><!DOCTYPE k [{entities}]>" + kml.format("<name>&a8;</name>"),
        "KML that includes a file": f"<!DOCTYPE k [<!ENTITY x SYSTEM 'file://{secret}'>]>" + kml.format("&x;"),
        "KML over the network": f"<!DOCTYPE k SYSTEM '{url}'>"
        + kml.format(f"<NetworkLink><Link><href>{url}</href></Link></NetworkLink>"),
        "GML with a remote schema": "<ogr:FeatureCollection xmlns:ogr='http://ogr.maptools.org/' xmlns:xsi='http://"
        f"www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='http://ogr.maptools.org/ {url}'/>",
        "a path": f"/vsicurl/{url}",
    }


def outcome(path: Path) -> str:
    """What became of reading a file: the refusal by its id and words, or what was read."""
    try:
        found = table(path)
    except GeoplanError as refused:
        return f"{refused.id}: {refused.say('en')}"
    return "no rows" if len(found) == 0 else f"read {len(found)} rows, {sorted(found.columns)}"


@pytest.mark.parametrize("packed", [False, True])
def test_files_that_make_readers_read_others_or_call_out_are_refused(
    tmp_path: Path, work: Path, listener: Callable[[], int], packed: bool
) -> None:
    secret = tmp_path / "secret.geojson"
    secret.write_text(SQUARE.replace('"Polygon"', '"Polygon", "name": "TOPSECRET"'))
    suffixes = sorted({*known_suffixes(), ".kml", ".gml", ".vrt", ".xml"} - {".zip"})
    with readers(work, seconds=10):
        for what, content in attacks(secret, listener()).items():
            for suffix in suffixes:
                path = tmp_path / f"x{suffix}"
                path.write_text(content)
                if packed:
                    path = zipped(tmp_path / "x.zip", {f"资料/x{suffix}": content})
                told = outcome(path)
                assert "TOPSECRET" not in told, (what, suffix)
                assert told == "no rows" or not told.startswith(("read", "reader-")), (what, suffix, told)
        url = Path(f"/vsicurl/http://127.0.0.1:{listener()}/x.gpkg")
        with pytest.raises(InputRefused, match="there is no such file"):
            table(url)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"../../out.geojson": SQUARE}, "leads outside"),
        ({"/tmp/out.geojson": SQUARE}, "leads outside"),
        ({"link.geojson": "/etc/passwd"}, "is a link"),
        ({"bomb.geojson": " " * 60_000_000}, "packed by more than 200 times"),
        ({f"{i}.geojson": SQUARE for i in range(300)}, "300 files, more than the 200"),
    ],
)
def test_hostile_archives_are_refused_by_the_reader(
    tmp_path: Path, work: Path, members: dict[str, str], says: str
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o120777 if name.startswith("link") else 0o100644) << 16
            archive.writestr(info, text)
    with readers(work), pytest.raises(InputRefused, match=says):
        table(path)
    assert not (tmp_path / "out.geojson").exists()


def test_a_links_target_is_not_read_beside_a_file(tmp_path: Path, work: Path) -> None:
    """GDAL sees our own link to the one file that was named, and nothing that lies beside that."""
    path = tmp_path / "x.gpkg"
    gpd.GeoDataFrame({"A": [1]}, geometry=[box(0, 0, 10, 10)], crs=4549).to_file(path, driver="GPKG", layer="x")
    (tmp_path / "x.gpkg.aux.xml").write_text("<PAMDataset/>")
    before = sorted(tmp_path.iterdir())
    with readers(work):
        assert len(table(path)) == 1
    assert sorted(tmp_path.iterdir()) == before
    assert shapely.equals(table(path).shapes[0], box(0, 0, 10, 10))


def test_a_bzip2_member_is_within_the_same_limits(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.geojson", b" " * 30_000_000)
    assert len(bz2.compress(b" " * 30_000_000)) < 1000
    with readers(work), pytest.raises(InputRefused, match="packed by more than 200 times"):
        table(path)
