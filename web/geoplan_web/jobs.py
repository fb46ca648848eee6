"""The pages of long work: what runs, how far it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geoplan.messages import Lang, Message
from geoplan_web.pages import CHINA_TIME, told_of
from geoplan_web.questions import Question
from geoplan_web.templating import render

SIGNS: Mapping[str, str] = {"queued": "…", "running": "▸", "done": "✓", "failed": "✕", "cancelled": "■"}


@dataclass(frozen=True)
class JobCard:
    """A job as people see it.

    Parameters
    ----------
    stopping
        Its end was asked for.
    share, steps
        How much of the step under way is done (0..1), and the parts of what there is to say of it.
    result
        The address of what it made, once it is done.
    error
        Why it failed: the refusal in every language, with its file and place.
    question, again
        What it asks of its user so that it can go on, and the job that went on with the answer.
    """

    id: str
    kind: str
    name: str
    status: str
    stopping: bool
    share: float | None
    steps: tuple[Message, ...]
    made_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    result: str | None
    error: Mapping[str, Any] | None
    question: Question | None = None
    again: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")

    @property
    def seconds(self) -> float | None:
        """How long it has run."""
        if self.begun_at is None:
            return None
        return ((self.ended_at or datetime.now(UTC)) - self.begun_at).total_seconds()

    @property
    def times(self) -> list[tuple[str, datetime]]:
        """When it was handed in, begun and ended; the words' names with the instants."""
        all_of_them = (("made", self.made_at), ("begun", self.begun_at), ("ended", self.ended_at))
        return [(name, at) for name, at in all_of_them if at is not None]


def clock(at: datetime, *, seconds: bool = False) -> str:
    """An instant as clocks in China show it."""
    return at.astimezone(CHINA_TIME).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def job_list(jobs: Sequence[JobCard], lang: Lang, *, nonce: str) -> str:
    """All jobs, newest first; the page follows those that run."""
    return render("jobs.html", lang, nonce=nonce, here="/jobs", jobs=jobs, signs=SIGNS, clock=clock)


def job_page(job: JobCard, lang: Lang, *, nonce: str) -> str:
    """One job; the page follows it while it runs, and says why where it failed."""
    told = told_of(job.error, lang) if job.error else None
    return render("job.html", lang, nonce=nonce, here=f"/jobs/{job.id}", job=job, signs=SIGNS, clock=clock, told=told)
