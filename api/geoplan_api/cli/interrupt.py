"""Work in the foreground that Ctrl-C and SIGTERM end within two seconds, with nothing half written."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event
from typing import TypeVar

from geoplan.errors import CannotFinish
from geoplan.progress import Cancelled, Progress
from geoplan_api.cli.state import UNFINISHED, tell_refused
from geoplan_layers.sandbox.workers import own_pool
from geoplan_layers.unfinished import abandon

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE_S, _LOOK_S = 1.2, 0.05


def interruptible(
    work: Callable[[Progress], T], progress: Progress, stopped: Callable[[], CannotFinish] = Cancelled
) -> T:
    """What the work gives; where a signal asks for it the process ends instead, with exit status 4.

    The work goes on in a thread of its own, so that no signal is raised inside compiled code, which it would leave in
    pieces. Its readers are ended and it is stopped where it next tells its progress; what takes longer than a second
    is ended with the process, after the folders that it builds in are removed. Work that is putting its results in
    place is waited for, and gives them.

    Parameters
    ----------
    progress
        Told what the work tells.
    stopped
        What is told of work that was stopped.

    Raises
    ------
    Exception
        What the work raises.
    """
    asked = Event()

    def watched(stage: str, done: float, total: float) -> None:
        if asked.is_set():
            raise Cancelled
        progress(stage, done, total)

    with _heard(asked):
        future = ThreadPoolExecutor(1).submit(copy_context().run, work, watched)
        while not wait([future], _LOOK_S).done and not asked.is_set():
            pass
        if asked.is_set():
            own_pool().close()
            ended = bool(wait([future], _GRACE_S).done)
            if future.exception() is not None if ended else abandon():
                _end_now(stopped())
        return future.result()


@contextmanager
def _heard(asked: Event) -> Iterator[None]:
    """While this lasts, signals that ask for the end set ``asked`` and do nothing else."""
    before = {each: signal.signal(each, lambda *_: asked.set()) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _end_now(why: CannotFinish) -> None:
    """End the process: threads are not waited for, nor the seconds in which an interpreter frees compiled code."""
    tell_refused(why)
    sys.stderr.flush()
    os._exit(UNFINISHED)
