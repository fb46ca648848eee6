"""Jobs over HTTP and in a browser: followed while they run, stopped by a button, told when they fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import geoplan_api.service
import job_works
from browsing import HOSTILE, fixture_browser  # noqa: F401 - the fixture is used by name
from geoplan_api.jobs.desk import JobDesk
from geoplan_api.jobs.table import Job
from serving import BROWSER, Running, running

SIZES = [(1440, 900), (390, 844)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            geoplan_api.service,
            "JobDesk",
            lambda settings, home, store: JobDesk(settings, home, store, job_works.KINDS),
        )
        with running(tmp_path_factory.mktemp("home"), job_workers=3) as service:
            yield service


def submitted(served: Running, kind: str, name: str = "苍南县 DLTB.zip") -> Job:
    return served.service.jobs.submit(kind, {}, name=name, lang="zh")


def until(served: Running, job: Job, status: str) -> dict[str, object]:
    deadline = time.monotonic() + 90
    while True:
        told: dict[str, object] = served.client.get(f"/jobs/{job.id}").json()
        if told["status"] == status:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_job_as_data(served: Running) -> None:
    job = submitted(served, "copied")
    told = until(served, job, "done")
    assert told["links"] == {
        "self": f"/jobs/{job.id}", "cancel": None, "answer": None, "result": f"/jobs/{job.id}?n=0",
    }  # fmt: skip
    assert (told["kind"], told["name"], told["error"], told["cancel"]) == ("copied", "苍南县 DLTB.zip", None, False)
    assert str(told["made_at"]).endswith("Z")
    listed = served.client.get("/jobs").json()["jobs"]
    assert told in listed


def test_a_job_that_failed_tells_why_and_nothing_of_its_inside(served: Running) -> None:
    told = until(served, submitted(served, "refused"), "failed")
    error = told["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["file"], error["args"]) == ("raster-band", "dem.tif", {"band": 3, "count": 1})
    assert "class" not in error


def test_progress_is_told_in_figures_and_words(served: Running) -> None:
    job = submitted(served, "slow")
    deadline = time.monotonic() + 90
    progress = None
    while not (progress and progress["remaining_s"]):
        assert time.monotonic() < deadline
        progress = served.client.get(f"/jobs/{job.id}").json()["progress"]
    assert (progress["stage"], progress["total"]) == ("slowly", 10_000)
    assert "约剩" in progress["says"]["zh"]
    assert "left" in progress["says"]["en"]
    stopped = served.client.post(f"/jobs/{job.id}/cancel")
    assert (stopped.status_code, stopped.json()["cancel"]) == (200, True)
    assert until(served, job, "cancelled")["result"] is None


def test_a_job_that_there_is_not(served: Running) -> None:
    for answer in (served.client.get("/jobs/none"), served.client.post("/jobs/none/cancel")):
        assert (answer.status_code, answer.json()["code"]) == (404, "job-unknown")
    foreign = served.client.post("/jobs/none/cancel", headers={"Origin": "http://elsewhere.test"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign-origin")


def test_without_scripts_the_page_reloads_itself_and_its_form_stops_the_job(served: Running) -> None:
    job = submitted(served, "slow")
    until(served, job, "running")
    page = served.client.get(f"/jobs/{job.id}?lang=en", headers=BROWSER).text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert f'action="/jobs/{job.id}/cancel?lang=en"' in page
    sent = served.client.post(f"/jobs/{job.id}/cancel?lang=en", headers=BROWSER)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/jobs/{job.id}?lang=en")
    until(served, job, "cancelled")
    page = served.client.get(f"/jobs/{job.id}?lang=en", headers=BROWSER).text
    assert "http-equiv" not in page
    assert "The job was stopped as asked" in page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_follows_its_job_and_stops_it(
    served: Running, browser: Browser, width: int, height: int, lang: str
) -> None:
    job = submitted(served, "slow", HOSTILE[:300])
    page = browser.new_page(viewport={"width": width, "height": height})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"http://127.0.0.1:{served.port}/jobs/{job.id}?lang={lang}")
    expect(page.locator(".jobs-share")).to_have_text("1 %", timeout=60_000)
    expect(page.locator(".jobs-share")).to_have_text("2 %", timeout=60_000)
    bar = page.locator("progress")
    assert float(bar.get_attribute("value") or 0) > 1
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="停止任务" if lang == "zh" else "Stop the job").click()
    expect(page.locator(".badge")).to_contain_text("已停止" if lang == "zh" else "stopped", timeout=60_000)
    expect(page.locator(".job-note")).to_be_visible()
    page.goto(f"http://127.0.0.1:{served.port}/jobs?lang={lang}")
    expect(page.locator("tbody tr").first.locator("a").first).to_have_text(HOSTILE[:300])
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("window.hit") is None
    assert said == []
    page.close()


@pytest.mark.browser
def test_the_list_follows_a_job_to_its_end(served: Running, browser: Browser) -> None:
    job = submitted(served, "slow")
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{served.port}/jobs?lang=en")
    row = page.locator("tbody tr").filter(has=page.locator(f"a[href*='{job.id}']"))
    expect(row.locator(".quiet").nth(1)).to_contain_text("1 %", timeout=60_000)
    served.service.jobs.cancel(job.id)
    expect(row.locator(".badge")).to_contain_text("stopped", timeout=60_000)
    page.close()


def test_nothing_is_left_in_tmp(served: Running, tmp_path: Path) -> None:
    deadline = time.monotonic() + 10
    while served.left_over and time.monotonic() < deadline:
        time.sleep(0.05)
    assert served.left_over == []
