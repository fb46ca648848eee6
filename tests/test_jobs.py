"""Jobs: every one ends as the table says, nothing is half written, and who dies takes nothing with him."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import job_works
from geoplan.errors import NotFound
from geoplan_api.home import Home
from geoplan_api.jobs.desk import STALE_S, JobDesk
from geoplan_api.jobs.pace import pace_of
from geoplan_api.jobs.table import Job, JobTable
from geoplan_api.settings import read_settings
from geoplan_api.store import Store

WAIT_S = 90.0


class Office:
    """A home with its desk, as a service has them."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.settings = read_settings(home=root, **settings)
        self.home = Home(root)
        self.store = Store(self.home.database)
        self.desk = JobDesk(self.settings, self.home, self.store, job_works.KINDS)
        self.desk.start()

    def submit(self, kind: str, inputs: Path | None = None) -> Job:
        return self.desk.submit(kind, {"n": 1}, name=kind, lang="zh", inputs=inputs)

    def ended(self, job: Job) -> Job:
        return self.until(job, lambda now: not now.is_open)

    def until(self, job: Job, is_so: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + WAIT_S
        while not is_so(now := self.desk.table.get(job.id)):
            assert time.monotonic() < deadline, f"{now.kind} is {now.status} at {now.stage}"
            time.sleep(0.02)
        return now

    @property
    def left(self) -> list[Path]:
        """What lies in ``tmp`` and in the folders of jobs."""
        return [*self.home.tmp.iterdir(), *(self.home.root / "jobs").iterdir()]

    def nothing_left(self) -> bool:
        deadline = time.monotonic() + 10
        while self.left and time.monotonic() < deadline:  # the row is ended before its folder is gone
            time.sleep(0.02)
        return self.left == []

    def close(self) -> None:
        self.desk.close()
        self.store.close()
        self.home.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path / "home")
    yield opened
    opened.close()


def test_a_job_takes_its_inputs_and_keeps_what_it_made(office: Office) -> None:
    with office.home.workspace() as folder:
        (folder / "in").mkdir()
        (folder / "in" / "地类图斑.dbf").write_bytes(b"1")
        (folder / "in" / "b.dbf").write_bytes(b"2")
        job = office.ended(office.submit("copied", folder / "in"))
    assert (job.status, job.error, job.stage, job.done, job.total) == ("done", None, "copying", 2, 2)
    assert job.result == {"n": 2, "names": ["b.dbf", "地类图斑.dbf"], "home": str(office.home.root)}
    assert (office.desk.files(job) / "地类图斑.dbf").read_bytes() == b"1"
    assert office.desk.address(job) == f"/jobs/{job.id}?n=2"
    office.until(job, lambda _: not (office.home.root / "jobs" / job.id / "in").exists())
    assert list(office.home.tmp.iterdir()) == []


def test_a_refusal_of_the_work_is_kept_in_every_language(office: Office) -> None:
    job = office.ended(office.submit("refused"))
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error["code"], job.error["file"], job.error["where"]) == ("raster-band", "dem.tif", "1")
    assert job.error["args"] == {"band": 3, "count": 1}
    assert job.error["class"] == "InputRefused"
    assert job.error["zh"].startswith("dem.tif：1：")
    assert office.nothing_left()


def test_a_fault_of_the_work_is_told_by_a_number_that_the_log_has(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    job = office.ended(office.submit("broken"))
    assert job.error is not None
    assert job.error["code"] == "server-fault"
    assert "ZeroDivisionError" not in json.dumps(job.error)
    assert f"fault {job.error['args']['fault']}" in caplog.text
    assert "ZeroDivisionError: inside" in caplog.text


def test_a_work_that_is_killed_fails_alone_and_leaves_nothing(office: Office) -> None:
    dead, fine = office.submit("killed"), office.submit("chatty")
    job = office.ended(dead)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error["code"], job.error["args"]) == ("job-died", {"detail": "SIGKILL"})
    assert (job.stage, job.done, job.total) == ("dying", 1, 2)
    assert office.ended(fine).status == "done"
    assert office.nothing_left()
    with pytest.raises(NotFound, match=f"the job {job.id} has no files"):
        office.desk.files(job)


@pytest.mark.parametrize("kind", ["slow", "deaf"])
def test_a_job_that_runs_is_cancelled_and_leaves_nothing(office: Office, kind: str) -> None:
    job = office.until(office.submit(kind), lambda now: now.stage is not None)
    asked = datetime.now(UTC)
    assert office.desk.cancel(job.id).cancel
    ended = office.ended(job)
    assert (ended.status, ended.error, ended.result) == ("cancelled", None, None)
    assert ended.ended_at is not None
    print(f"{kind} ended {(ended.ended_at - asked).total_seconds():.2f} s after it was cancelled")
    assert office.nothing_left()


def test_a_cancel_that_another_process_writes_is_obeyed(office: Office) -> None:
    job = office.until(office.submit("slow"), lambda now: now.stage is not None)
    JobTable(office.store).ask_cancel(job.id)
    assert office.ended(job).status == "cancelled"


def test_jobs_wait_for_one_another_and_one_that_waits_is_cancelled_at_once(tmp_path: Path) -> None:
    office = Office(tmp_path, job_workers=1)
    first = office.until(office.submit("slow"), lambda now: now.status == "running")
    second, third = office.submit("slow"), office.submit("chatty")
    assert office.desk.cancel(second.id).status == "cancelled"
    assert office.desk.table.get(third.id).status == "queued"
    office.desk.cancel(first.id)
    assert office.ended(third).status == "done"
    assert office.desk.table.get(second.id).begun_at is None
    office.close()


def test_what_ran_when_the_service_stopped_has_failed_and_what_waited_is_done_by_the_next(tmp_path: Path) -> None:
    office = Office(tmp_path, job_workers=1)
    ran = office.until(office.submit("slow"), lambda now: now.stage is not None)
    waits = office.submit("chatty")
    office.close()
    following = Office(tmp_path, job_workers=1)
    stopped = following.desk.table.get(ran.id)
    assert (stopped.status, stopped.error and stopped.error["code"]) == ("failed", "job-stopped")
    assert following.ended(waits).status == "done"
    assert following.nothing_left()
    following.close()


SERVICE = """
import sys, time
sys.path[:] = {path!r}
from pathlib import Path
from test_jobs import Office
office = Office(Path({home!r}))
job = office.until(office.submit({kind!r}), lambda now: now.stage is not None)
print(job.id, flush=True)
time.sleep(600)
"""


def test_a_service_that_is_killed_leaves_a_failed_job_and_no_process(tmp_path: Path) -> None:
    code = SERVICE.format(path=sys.path, home=str(tmp_path), kind="deaf")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        job_id = process.stdout.readline().strip()
        assert JobTable(Store(tmp_path / "geoplan.db")).get(job_id).status == "running"
        children = [int(each) for each in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        workers = [pid for pid in children if b"geoplan_api.jobs.child" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        process.kill()
    office = Office(tmp_path)
    lost = office.desk.table.get(job_id)
    assert (lost.status, lost.error and lost.error["code"], lost.result) == ("failed", "job-lost", None)
    assert office.nothing_left()
    deadline = time.monotonic() + WAIT_S
    for pid in workers:
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    office.close()


def test_a_process_beside_others_fails_only_what_has_been_silent(office: Office) -> None:
    watched, silent = (
        Job(
            id=name, kind="slow", name=name, lang="zh", status="running", asked={}, done=0.0, total=0.0, cancel=False,
            made_at=datetime.now(UTC), heartbeat=datetime.now(UTC) - timedelta(seconds=seconds),
        )
        for name, seconds in (("watched", 0.0), ("silent", STALE_S + 1))
    )  # fmt: skip
    office.desk.table.add(watched)
    office.desk.table.add(silent)
    assert office.ended(silent).error is not None
    assert office.desk.table.get("watched").status == "running"
    office.desk.table.end("watched", "done")


def test_a_job_is_claimed_once_and_stays_as_it_ended(office: Office) -> None:
    job = Job(
        id="once", kind="slow", name="", lang="zh", status="queued", asked={}, done=0.0, total=0.0, cancel=False,
        made_at=datetime.now(UTC),
    )  # fmt: skip
    office.desk.table.add(job)
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda _: office.desk.table.claim("once"), range(8)))
    assert [each.status for each in claims if each] == ["running"]
    assert office.desk.table.end("once", "failed")
    assert not office.desk.table.end("once", "done", result={"n": 1})
    assert office.desk.table.ask_cancel("once").status == "failed"


def test_a_job_that_nobody_knows_is_told(office: Office) -> None:
    with pytest.raises(NotFound, match="there is no job nothing"):
        office.desk.cancel("nothing")
    with pytest.raises(ValueError, match="no kind of job 'other'"):
        office.submit("other")


def test_a_queue_that_was_lost_is_filled_again_from_the_table(tmp_path: Path) -> None:
    office = Office(tmp_path, job_workers=1)
    office.until(office.submit("slow"), lambda now: now.status == "running")
    waits = office.submit("chatty")
    office.close()
    with sqlite3.connect(tmp_path / "queue.db") as queue:
        queue.execute("DELETE FROM task")
    queue.close()
    following = Office(tmp_path)
    assert following.ended(waits).status == "done"
    following.close()


def test_the_pace_is_that_of_the_stage() -> None:
    began = datetime(2026, 11, 28, tzinfo=UTC)
    job = Job(stage="reading", stage_at=began, done=250.0, total=1000.0, ended_at=None)
    pace = pace_of(job, began + timedelta(seconds=50))
    assert pace is not None
    assert pace.as_dict() == {
        "stage": "reading", "done": 250.0, "total": 1000.0, "share": 0.25, "rate": 5.0, "remaining_s": 150,
    }  # fmt: skip
    assert [each.id for each in pace.messages()] == [
        "jobs.stage", "jobs.share", "jobs.amount", "jobs.rate", "jobs.remaining",
    ]  # fmt: skip
    assert pace_of(Job(stage=None)) is None


def test_signals_stay_with_the_server(tmp_path: Path) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    office = Office(tmp_path)
    assert {each: signal.getsignal(each) for each in before} == before
    office.close()
