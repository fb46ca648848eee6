"""Screening on a Dask cluster: the same rows as by processes, whatever becomes of a worker.

A task is a few proposals and the question; nothing else crosses. A worker opens policies and layers by itself where
they lie (files and the home must be where every worker sees them), and keeps them open for the next task; of a prepared
layer the system maps the pages that a proposal touches. Tasks keep no state and are done again elsewhere when a worker
ends, so the table is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from geoplan.errors import CallRefused, CannotFinish
from geoplan.messages import Lang
from geoplan_api.inquiry import Grounds, Inquiry, grounds
from geoplan_api.screen_rows import Answer
from geoplan_api.screening import Item, answered
from geoplan_layers.sandbox.session import reading

if TYPE_CHECKING:
    from distributed import Client, Future

AT_ONCE = 2
"""Proposals of a task: what it opens and sends is spread over them."""
_AHEAD = 4
"""Tasks ahead of the one whose answers are awaited, for each worker."""
_PATIENCE_S = 20.0


def answers_of_cluster(
    scheduler: str, ground: Grounds, asked: Iterable[Item], lang: Lang, *, fast: bool = False
) -> Iterator[Answer]:
    """The answers in the order of the proposals.

    Parameters
    ----------
    scheduler
        Where the scheduler of the cluster listens, as Dask writes it (``tcp://host:8786``).

    Raises
    ------
    CallRefused
        Dask is not installed, or the address is none.
    CannotFinish
        Nothing answers there, it has no workers, or tasks of it fail again and again: what is written stays, and
        ``--resume`` goes on.
    """
    inquiry = replace(ground.inquiry, on=ground.on)
    with _client(scheduler) as client:
        waiting: deque[Future[list[Answer]]] = deque()
        most = _AHEAD * max(len(client.scheduler_info()["workers"]), 1)
        for several in _by_task(asked):
            waiting.append(client.submit(_answer, inquiry, several, lang, fast, pure=False))
            if len(waiting) >= most:
                yield from _result(waiting.popleft())
        while waiting:
            yield from _result(waiting.popleft())


def _by_task(asked: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(asked)
    while several := list(islice(rest, AT_ONCE)):
        yield several


def _client(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise CallRefused("screen-needs-dask") from None
    try:
        client: Client = Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_PATIENCE_S, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as wrong:
        raise CannotFinish("screen-no-scheduler", address=scheduler, detail=str(wrong)[:200]) from None
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError:
        client.close()  # type: ignore[no-untyped-call]
        raise CannotFinish("screen-no-workers", address=scheduler) from None
    return client


def _result(future: Future[list[Answer]]) -> list[Answer]:
    """The answers of a task; workers that end are replaced by others, three times over."""
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    try:
        answers: list[Answer] = future.result()
    except (KilledWorker, CancelledError, OSError) as wrong:
        raise CannotFinish("screen-cluster-failed", detail=str(wrong)[:200]) from None
    return answers


def _answer(inquiry: Inquiry, items: list[Item], lang: Lang, fast: bool) -> list[Answer]:
    """What a worker does: the answers to a few proposals, on what it holds open for this question."""
    with reading():
        ground = _ground(_Asked(inquiry))
        return [answered(ground, item, lang, fast=fast) for item in items]


class _Asked:
    """An inquiry that is known by its content, so that a worker opens what it names once."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.inquiry == self.inquiry

    def __hash__(self) -> int:
        return hash((self.inquiry.policies, self.inquiry.on, len(self.inquiry.layers)))


@lru_cache(maxsize=2)
def _ground(asked: _Asked) -> Grounds:
    return grounds(asked.inquiry)
