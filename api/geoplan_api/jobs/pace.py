"""How fast a step goes and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geoplan.messages import Message
from geoplan_api.jobs.table import Job

_TOO_EARLY_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """A step under way: how much of it is done, and for how many seconds it has run; ``total`` 0 is not known."""

    stage: str
    done: float
    total: float
    seconds: float

    @property
    def share(self) -> float | None:
        """How much of the step is done, 0..1.

        >>> Pace("reading", 30, 40, 6).share, Pace("reading", 30, 0, 6).share
        (0.75, None)
        """
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else None

    @property
    def rate(self) -> float | None:
        """What is done in a second; none while that cannot be told yet."""
        return self.done / self.seconds if self.seconds >= _TOO_EARLY_S and self.done > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest of the step takes at this rate.

        >>> Pace("reading", 30, 40, 6).remaining, Pace("reading", 0, 40, 6).remaining
        (2.0, None)
        """
        return (self.total - self.done) / self.rate if self.rate and self.total > self.done else None

    def as_dict(self) -> dict[str, Any]:
        """The step for ``GET /jobs/{id}``; seconds and shares are rounded."""
        return {
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "share": None if self.share is None else round(self.share, 4),
            "rate": None if self.rate is None else float(f"{self.rate:.4g}"),
            "remaining_s": None if self.remaining is None else round(self.remaining),
        }

    def messages(self) -> list[Message]:
        """What there is to say of the step, in parts: the step, how much is done, its rate, the time that is left."""
        said = [Message("jobs.stage", {"stage": self.stage})]
        if self.share is not None:
            said.append(Message("jobs.share", {"share": round(self.share, 2)}))
        if self.total > 1:
            said.append(Message("jobs.amount", {"done": round(self.done), "total": round(self.total)}))
        if self.rate is not None and self.total > 1:
            said.append(Message("jobs.rate", {"rate": float(f"{self.rate:.2g}")}))
        if self.remaining is not None:
            said.append(Message("jobs.remaining", {"seconds": self.remaining}))
        return said


def pace_of(job: Job, now: datetime | None = None) -> Pace | None:
    """The step that a job is in; none before it has told one."""
    if job.stage is None or job.stage_at is None:
        return None
    until = job.ended_at or now or datetime.now(UTC)
    return Pace(job.stage, job.done, job.total, max((until - job.stage_at).total_seconds(), 0.0))
