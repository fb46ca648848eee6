"""The process of one job from inside: it does the work, tells how far it is, and ends when it is told to.

One line of JSON comes in (`Order`); lines of JSON go out: ``progress``, and last ``done``, ``refused``, ``cancelled``
or ``fault``. Any further line that comes in asks for the end; the end of the input means that the parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from geoplan.errors import CannotFinish, GeoplanError
from geoplan.progress import Cancelled
from geoplan_api.jobs.kinds import Task, work_at
from geoplan_api.jobs.refusals import as_stored
from geoplan_api.settings import read_settings
from geoplan_layers.sandbox.session import ReaderFault, reading
from geoplan_layers.sandbox.workers import Cancellation, Pool

_EVERY_S = 0.2


@dataclass(frozen=True)
class Order:
    """What a parent has its child do; paths as text, so that it passes as JSON."""

    id: str
    target: str
    asked: dict[str, Any]
    inputs: str
    out: str
    tmp: str
    settings: dict[str, Any]

    def task(self) -> Task:
        """The task as the work takes it; the settings are those that the service was started with."""
        settings = read_settings(**self.settings)
        return Task(self.id, self.asked, Path(self.inputs), Path(self.out), Path(self.tmp), settings)


class Told:
    """The progress of the work: lines to the parent, not too many, and the end where it was asked for."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._last: tuple[str, float] = ("", 0.0)
        self.cancelled = threading.Event()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Tell how far the work is; a new stage and the end of one at once, else a few times a second."""
        if self.cancelled.is_set():
            raise Cancelled
        now = time.monotonic()
        if stage != self._last[0] or now - self._last[1] >= _EVERY_S or (total and done >= total):
            self._last = (stage, now)
            self.say("progress", stage=stage, done=float(done), total=float(total))

    def say(self, kind: str, **more: Any) -> None:
        """One line to the parent."""
        with self._lock:
            self._out.write(json.dumps({"kind": kind, **more}) + "\n")
            self._out.flush()


def main() -> None:
    """Do the work that the first line of the input orders."""
    told = Told(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what a library prints must not fall among the lines
    order = Order(**json.loads(sys.stdin.readline()))
    cancellation = Cancellation()
    threading.Thread(target=_listen, args=(told, cancellation), daemon=True).start()
    tempfile.tempdir = order.tmp
    task = order.task()
    pool = Pool(task.settings.reader_rules())
    try:
        with reading(pool, task.tmp, cancellation):
            result = work_at(order.target)(task, told)
        told.say("done", result=dict(result))
    except BaseException as wrong:
        _tell(told, wrong)
    pool.close()
    sys.stderr.flush()
    os._exit(0)  # a thread still waits for a line: an orderly end of the interpreter would wait for it


def _listen(told: Told, cancellation: Cancellation) -> None:
    """Wait for the parent: a line asks for the end; with the parent gone nobody wants the result."""
    if not sys.stdin.readline():
        os._exit(1)
    told.cancelled.set()
    cancellation.cancel()
    sys.stdin.readline()
    os._exit(1)


def _tell(told: Told, wrong: BaseException) -> None:
    """Tell the parent why there is no result."""
    if isinstance(wrong, Cancelled) or told.cancelled.is_set():
        told.say("cancelled")
        return
    if isinstance(wrong, GeoplanError):
        if isinstance(wrong.__cause__, ReaderFault):
            sys.stderr.write(f"{wrong.__cause__}\n")
        told.say("refused", error=as_stored(wrong))
        return
    sys.stderr.write("".join(traceback.format_exception(wrong)))
    if isinstance(wrong, OSError | MemoryError):
        detail = getattr(wrong, "strerror", None) or type(wrong).__name__
        told.say("refused", error=as_stored(CannotFinish("cannot-finish", detail=detail)))
    else:
        told.say("fault", detail=type(wrong).__name__)


if __name__ == "__main__":
    main()
