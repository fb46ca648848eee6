"""Where jobs are handed in, queued, run and ended: the one owner of queue and children in a service."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.consumer import Consumer

from geoplan.errors import CannotFinish, GeoplanError, NotFound
from geoplan.messages import Lang
from geoplan_api.home import Home
from geoplan_api.jobs.child import Order
from geoplan_api.jobs.folders import JobFolders
from geoplan_api.jobs.kinds import KINDS, Kind
from geoplan_api.jobs.refusals import as_stored
from geoplan_api.jobs.table import Job, JobTable
from geoplan_api.jobs.watch import Run
from geoplan_api.problems import Fault
from geoplan_api.settings import Settings
from geoplan_api.store import Store, new_id

log = logging.getLogger("geoplan")
STALE_S = 20.0
"""A job that runs gives a heartbeat twice a second; after so long a silence nobody watches it any more."""
_SWEEP_S = 5.0
_KEPT_S = 86_400.0
"""How long the inputs of a job that came back with a question wait for its answer."""
_POLL_S = 0.2


class _Consumer(Consumer):  # type: ignore[misc]
    """huey's threads; the signals of the process stay with the server."""

    def _set_signal_handlers(self) -> None:
        return


class JobDesk:
    """The jobs of a service.

    Jobs that wait survive the end of the service. A job that ran when the service ended, in whatever way, has failed,
    with that as its reason: nothing of it is left, and it can be handed in again.

    Parameters
    ----------
    kinds
        The kinds that may be handed in.
    """

    def __init__(self, settings: Settings, home: Home, store: Store, kinds: Mapping[str, Kind] = KINDS) -> None:
        self.table, self.kinds = JobTable(store), kinds
        self._settings, self._home = settings, home
        self._folders = JobFolders(home)
        self._cancels: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._queue = SqliteHuey("geoplan", filename=str(home.root / "queue.db"), results=False, timeout=30)
        self._enqueue = self._queue.task(name="job")(self._run)
        self._consumer = _Consumer(self._queue, workers=settings.job_workers, periodic=False, max_delay=_POLL_S)
        self._sweeper = threading.Thread(target=self._sweep_often, name="jobs-sweeper", daemon=True)

    def start(self) -> None:
        """Fail what was lost, queue again what waits, and begin to work."""
        self._sweep(first=self._home.was_alone)
        for job_id in self.table.waiting():  # twice in the queue does no harm: only one thread can claim it
            self._enqueue(job_id)
        self._consumer.start()
        self._sweeper.start()

    def submit(self, kind: str, asked: Mapping[str, Any], *, name: str, lang: Lang, inputs: Path | None = None) -> Job:
        """Hand a job in.

        Parameters
        ----------
        kind
            One of the registry.
        asked
            The request, plain data; it is shown to whoever may see the job, so it holds no secret.
        name
            What people know it by: the file, the layer.
        inputs
            A folder of ``tmp`` with the files that the request names; it becomes the job's.

        Raises
        ------
        CannotFinish
            The disk or the database does not take it.
        """
        if kind not in self.kinds:
            raise ValueError(f"no kind of job {kind!r}")
        return self._entered(new_id(), kind, asked, name, lang, inputs)

    def again(self, job: Job, asked: Mapping[str, Any]) -> Job:
        """Go on where a job failed with a question: a new job, with the answer and the same inputs.

        Raises
        ------
        NotFound
            It asked nothing, was answered already, or its inputs are no longer kept.
        """
        fresh = new_id()
        kept = self._folders.inputs(job.id)
        if not kept.is_dir() or not self.table.answered(job.id, fresh):
            raise NotFound("job-no-question", id=job.id)
        entered = self._entered(fresh, job.kind, asked, job.name, job.lang, kept)
        self._folders.remove(job.id)
        return entered

    def can_go_on(self, job: Job) -> bool:
        """Whether an answer would let a failed job go on: it came back with a question and still has its inputs."""
        failed = job.status == "failed" and job.result is None
        return failed and self._is_question(job.kind, job.error) and self._folders.inputs(job.id).is_dir()

    def _is_question(self, kind: str, error: Mapping[str, Any] | None) -> bool:
        """Whether a refusal names what its user may choose, and a job of the kind goes on with the choice."""
        known, args = self.kinds.get(kind), (error or {}).get("args", {})
        return known is not None and known.asks and bool(args.get("choices") or args.get("found"))

    def cancel(self, job_id: str) -> Job:
        """Ask for the end of a job; one that runs ends within two seconds. Raises as `JobTable.get` does."""
        job = self.table.ask_cancel(job_id)
        with self._lock:
            if job_id in self._cancels:
                self._cancels[job_id].set()
        if job.status == "cancelled":
            self._folders.remove(job_id)
        return job

    def files(self, job: Job) -> Path:
        """The folder of what a job made.

        Raises
        ------
        NotFound
            It has not ended well, or made no files.
        """
        folder = self._folders.out(job.id)
        if job.status != "done" or not folder.is_dir():
            raise NotFound("job-without-files", id=job.id)
        return folder

    def address(self, job: Job) -> str:
        """Where the result of a job is shown."""
        kind = self.kinds.get(job.kind)
        return kind.address.format(**{**(job.result or {}), "id": job.id}) if kind else f"/jobs/{job.id}"

    def close(self) -> None:
        """End what runs, as failed, and stop; what waits goes on waiting for the next start."""
        self._stopping.set()
        self._consumer.stop(graceful=True)
        self._sweeper.join()
        self._queue.storage.close()

    def _run(self, job_id: str) -> None:
        """One job, in a thread of the consumer; whatever happens, the table says how it ended."""
        if self._stopping.is_set():
            return
        cancelled = threading.Event()
        with self._lock:
            self._cancels[job_id] = cancelled
        try:
            job = self.table.claim(job_id)
            if job is not None:
                self._work(job, cancelled)
        except Exception as wrong:
            log.exception("job %s failed", job_id)
            error = wrong if isinstance(wrong, GeoplanError) else Fault("server-fault", fault=job_id)
            self.table.end(job_id, "failed", error=as_stored(error))
        finally:
            with self._lock:
                self._cancels.pop(job_id, None)

    def _entered(
        self, job_id: str, kind: str, asked: Mapping[str, Any], name: str, lang: Lang, inputs: Path | None
    ) -> Job:
        """A job in its folder, in the table, in the queue, in this order."""
        job = Job(
            id=job_id, kind=kind, name=name[:300], lang=lang, status="queued", asked=dict(asked),
            done=0.0, total=0.0, cancel=False, made_at=datetime.now(UTC),
        )  # fmt: skip
        self._folders.take_inputs(job.id, inputs)
        try:
            self.table.add(job)
        except GeoplanError:
            self._folders.remove(job.id)
            raise
        self._enqueue(job.id)
        return job

    def _work(self, job: Job, cancelled: threading.Event) -> None:
        with self._home.workspace() as folder:
            (folder / "out").mkdir()
            (folder / "tmp").mkdir()
            order = Order(
                id=job.id,
                target=self.kinds[job.kind].target,
                asked=job.asked,
                inputs=str(self._folders.inputs(job.id)),
                out=str(folder / "out"),
                tmp=str(folder / "tmp"),
                settings=self._settings.plain(),
            )
            end = Run(order, cancelled, self._stopping).watch(lambda told: self.table.beat(job.id, told))
            if end.how == "done":
                self._folders.keep(job.id, folder / "out")
                self.table.end(job.id, "done", result=end.result)
            elif end.how == "cancelled":
                self.table.end(job.id, "cancelled")
            else:
                stopped = as_stored(CannotFinish("job-stopped"))
                self.table.end(job.id, "failed", error=end.error if end.how == "failed" else stopped)
        if not self._is_question(job.kind, end.error):
            self._folders.tidy(job.id, keep=end.how == "done")

    def _sweep_often(self) -> None:
        while not self._stopping.wait(_SWEEP_S):
            try:
                self._sweep()
            except GeoplanError:
                log.exception("jobs could not be swept")

    def _sweep(self, *, first: bool = False) -> None:
        """Fail the jobs that nobody watches any more; the first process of a home knows that nobody watches any."""
        stale = None if first else datetime.now(UTC) - timedelta(seconds=STALE_S)
        lost = as_stored(CannotFinish("job-lost"))
        for job_id in self.table.running():
            if self.table.end(job_id, "failed", error=lost, unless_after=stale):
                log.error("job %s was lost: its service ended while it ran", job_id)
                self._folders.tidy(job_id, keep=False)
        if first:
            self._folders.sweep(self.table.ids())
        self._folders.sweep_inputs(set(self.table.open_ids()), _KEPT_S)
