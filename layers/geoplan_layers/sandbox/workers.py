"""The pool of reader processes: a few, kept warm, each replaced when it has ended."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from geoplan.errors import Busy, CannotFinish
from geoplan_layers.sandbox.child import Child, NotTaken
from geoplan_layers.sandbox.rules import Budget, Rules


class Cancellation:
    """A caller's way to stop what is being read for it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: Child | None = None
        self.asked = False

    def cancel(self) -> None:
        """End the reader that works for this caller; further jobs of it are refused."""
        with self._lock:
            self.asked = True
            if self._child is not None:
                self._child.end("cancelled")

    @contextmanager
    def watching(self, child: Child) -> Iterator[None]:
        """For as long as a job runs on a child, let `cancel` end that child.

        Raises
        ------
        CannotFinish
            It was cancelled before.
        """
        with self._lock:
            if self.asked:
                raise CannotFinish("reading-cancelled")
            self._child = child
        try:
            yield
        finally:
            with self._lock:
                self._child = None


class Pool:
    """Reader processes and those who wait for one.

    A process is started when a job finds none idle and fewer than ``rules.workers`` run; `warm` starts the first ones
    ahead. One that ended, whatever ended it, is replaced by the next job that needs one.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._free = threading.Condition()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._waiting = 0
        self._closed = False

    def warm(self, count: int = 1) -> None:
        """Start processes so that up to ``count`` are there; they load their libraries while the caller goes on."""
        with self._free:
            while len(self._idle) + len(self._busy) < min(count, self.rules.workers) and not self._closed:
                self._idle.append(Child())

    def run(
        self, job: Mapping[str, Any], budget: Budget, preferred: Child | None, cancellation: Cancellation
    ) -> tuple[Child, dict[str, Any], memoryview]:
        """Have a job done by the preferred process if it is idle, else by any; which one did it, and its answer.

        Raises
        ------
        Busy
            Too many wait already.
        CannotFinish
            No process can be started, the pool is closed, or the caller cancelled.
        Died
            The process ended during the job.
        """
        while True:
            child = self._taken(preferred)
            try:
                with cancellation.watching(child):
                    return child, *child.ask(job, budget.seconds, budget.memory)
            except NotTaken:
                continue
            finally:
                self._given_back(child)

    def states(self) -> list[dict[str, Any]]:
        """What each process that is idle now says of itself, with its process id."""
        with self._free:
            idle = [child for child in self._idle if child.alive]
        return [{"pid": child.pid, **child.wait_ready()} for child in idle]

    def close(self) -> None:
        """End every process; a job that runs on one ends with it."""
        with self._free:
            self._closed = True
            children = [*self._idle, *self._busy]
            self._idle.clear()
            self._free.notify_all()
        for child in children:
            child.end("cancelled")
            if child not in self._busy:
                child.close()

    def _taken(self, preferred: Child | None) -> Child:
        with self._free:
            while not self._closed:
                child = self._available(preferred)
                if child is not None:
                    self._busy.add(child)
                    return child
                if self._waiting >= self.rules.waiting:
                    raise Busy("busy")
                self._waiting += 1
                try:
                    self._free.wait()
                finally:
                    self._waiting -= 1
        raise CannotFinish("reading-cancelled")

    def _available(self, preferred: Child | None) -> Child | None:
        for child in [each for each in self._idle if not each.alive]:
            self._idle.remove(child)
            child.close()
        if preferred in self._idle:
            self._idle.remove(preferred)
            return preferred
        if self._idle:
            return self._idle.pop()
        return Child() if len(self._busy) < self.rules.workers else None

    def _given_back(self, child: Child) -> None:
        with self._free:
            self._busy.discard(child)
            if child.alive and not self._closed:
                self._idle.append(child)
            else:
                child.close()
            self._free.notify()


_own: list[Pool] = []
_own_lock = threading.Lock()


def own_pool() -> Pool:
    """The process's pool of one, for the command line and for programs; made when first asked for."""
    with _own_lock:
        if not _own:
            _own.append(Pool())
        return _own[0]


def warm() -> None:
    """Start the one reader of this process ahead of its first job."""
    own_pool().warm()


def _end_all() -> None:
    while _own:
        _own.pop().close()


def _forget() -> None:
    """In a forked child: the parent's readers are not ours to speak to."""
    global _own_lock
    _own_lock = threading.Lock()
    _own.clear()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
