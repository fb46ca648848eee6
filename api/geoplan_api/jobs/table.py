"""The table of jobs: what was asked, how far it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import JSON, Float, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from geoplan.errors import NotFound
from geoplan.messages import Lang
from geoplan_api.store import Base, Store, UtcDateTime

Status = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[Status, ...] = ("queued", "running")


class Job(Base):
    """One job.

    ``asked`` is the request as its kind understands it. ``stage``, ``done`` and ``total`` are what the work told last,
    ``stage_at`` when that stage began. ``heartbeat`` is written by the process that watches the work, for as long as it
    does. ``result`` is the kind's own answer; the files of a job lie in the home's ``jobs/<id>``.
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(300))
    lang: Mapped[Lang] = mapped_column(String(8))
    status: Mapped[Status] = mapped_column(String(12), index=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    stage: Mapped[str | None] = mapped_column(String(60))
    stage_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done: Mapped[float] = mapped_column(Float, default=0.0)
    total: Mapped[float] = mapped_column(Float, default=0.0)
    heartbeat: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in OPEN


class JobTable:
    """The jobs of a home folder; every change is one statement that says from which status it may be made.

    Two processes of one home may see the same job: only one of them can claim it, and what has ended stays as it ended.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, job: Job) -> None:
        """Enter a job that waits."""
        with self._store.session(writes=True) as session:
            session.add(job)

    def get(self, job_id: str) -> Job:
        """The job of that id.

        Raises
        ------
        NotFound
            There is none.
        """
        with self._store.session() as session:
            found = session.get(Job, job_id)
        if found is None:
            raise NotFound("job-unknown", id=job_id[:40])
        return found

    def newest(self, count: int, kind: str | None = None) -> list[Job]:
        """The newest jobs, newest first; of one kind where it is named."""
        asked = select(Job).order_by(Job.made_at.desc(), Job.id).limit(count)
        if kind is not None:
            asked = asked.where(Job.kind == kind)
        with self._store.session() as session:
            return list(session.scalars(asked))

    def waiting(self) -> list[str]:
        """Ids of the jobs that wait, oldest first."""
        with self._store.session() as session:
            return list(session.scalars(select(Job.id).where(Job.status == "queued").order_by(Job.made_at, Job.id)))

    def running(self) -> list[str]:
        """Ids of the jobs that are said to run."""
        with self._store.session() as session:
            return list(session.scalars(select(Job.id).where(Job.status == "running")))

    def open_ids(self) -> list[str]:
        """Ids of the jobs that wait or run."""
        with self._store.session() as session:
            return list(session.scalars(select(Job.id).where(Job.status.in_(OPEN))))

    def ids(self) -> set[str]:
        """Ids of all jobs."""
        with self._store.session() as session:
            return set(session.scalars(select(Job.id)))

    def claim(self, job_id: str) -> Job | None:
        """Take a job that waits; none where it does not wait any more."""
        now = datetime.now(UTC)
        if not self._change(job_id, ("queued",), status="running", begun_at=now, heartbeat=now):
            return None
        return self.get(job_id)

    def beat(self, job_id: str, told: Mapping[str, Any] | None = None) -> bool:
        """Say that the work still runs, and how far it is; whether its end was asked for.

        Parameters
        ----------
        told
            ``stage``, ``stage_at``, ``done`` and ``total`` where they have changed.
        """
        self._change(job_id, ("running",), heartbeat=datetime.now(UTC), **(told or {}))
        return self.get(job_id).cancel

    def ask_cancel(self, job_id: str) -> Job:
        """Ask for the end of a job: one that waits is cancelled at once; one that has ended stays as it is.

        Raises
        ------
        NotFound
            There is no such job.
        """
        ended = self._change(job_id, ("queued",), status="cancelled", cancel=True, ended_at=datetime.now(UTC))
        if not ended:
            self._change(job_id, ("running",), cancel=True)
        return self.get(job_id)

    def end(
        self,
        job_id: str,
        status: Status,
        *,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
        unless_after: datetime | None = None,
    ) -> bool:
        """Enter how a job ended; whether it was open.

        Parameters
        ----------
        error
            Why it failed, as `refusals.as_stored` gives it.
        unless_after
            Leave it alone if it gave a heartbeat after that: somebody watches it.
        """
        values: dict[str, Any] = {"status": status, "ended_at": datetime.now(UTC)}
        if result is not None:
            values["result"] = dict(result)
        if error is not None:
            values["error"] = dict(error)
        return self._change(job_id, OPEN, unless_after, **values)

    def answered(self, job_id: str, again: str) -> bool:
        """Enter that another job goes on where this one failed with a question; whether nobody had done so before."""
        with self._store.session(writes=True) as session:
            job = session.get(Job, job_id)
            if job is None or job.status != "failed" or job.result is not None:
                return False
            job.result = {"again": again}
            return True

    def _change(self, job_id: str, were: Sequence[Status], unless_after: datetime | None = None, **values: Any) -> bool:
        change = update(Job).where(Job.id == job_id, Job.status.in_(were)).values(**values)
        if unless_after is not None:
            change = change.where(Job.heartbeat <= unless_after)
        with self._store.session(writes=True) as session:
            return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]
