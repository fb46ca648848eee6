"""One job's child process as its parent sees it: started, watched, ended."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from geoplan.errors import CannotFinish, GeoplanError
from geoplan_api.jobs.child import Order
from geoplan_api.jobs.refusals import as_stored
from geoplan_api.problems import Fault

log = logging.getLogger("geoplan")
_LOOK_S = 0.1
_BEAT_S = 0.5
GRACE_S = 1.0
"""How long a child that was asked to end may take before it is ended."""
_RUN = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from geoplan_api.jobs.child import main; main()"

How = Literal["done", "failed", "cancelled", "stopped"]
Beat = Callable[[Mapping[str, Any]], bool]
"""Takes how far the work is; whether its end was asked for."""


@dataclass(frozen=True)
class End:
    """How a child ended: with a result, with the reason why there is none, or because it was asked to."""

    how: How
    result: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


class Run:
    """A child process at work.

    Parameters
    ----------
    cancelled, stopping
        Set from any thread: the user asked for the end of this job, the service for the end of all.
    """

    def __init__(self, order: Order, cancelled: threading.Event, stopping: threading.Event) -> None:
        self._cancelled, self._stopping = cancelled, stopping
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = _started(self._said)
        self._told: dict[str, Any] = {}
        self._last: dict[str, Any] | None = None
        self._lines = threading.Thread(target=self._listen, daemon=True)
        self._lines.start()
        self._say(json.dumps(asdict(order)))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def watch(self, beat: Beat) -> End:
        """Wait for the child, telling ``beat`` twice a second how far it is; how it ended."""
        asked_at: float | None = None
        beaten = 0.0
        try:
            while self._process.poll() is None:
                now = time.monotonic()
                if now - beaten >= _BEAT_S:
                    beaten = now
                    if beat(dict(self._told)):
                        self._cancelled.set()
                if asked_at is None and (self._cancelled.is_set() or self._stopping.is_set()):
                    asked_at = now
                    self._say("end")
                elif asked_at is not None and now - asked_at >= GRACE_S:
                    self._process.kill()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_LOOK_S)
            self._lines.join(5.0)
            beat(dict(self._told))
            return self._end(asked=asked_at is not None)
        finally:
            self.close()

    def close(self) -> None:
        """End the child, whatever it does, and let its pipes go."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._lines.join(5.0)
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already; the watch finds out how
            self._process.stdin.write((line + "\n").encode())
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Take the child's lines until it ends."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with suppress(ValueError):
                told = json.loads(line)
                if told.pop("kind") != "progress":
                    self._last = json.loads(line)
                elif told["stage"]:
                    if told["stage"] != self._told.get("stage"):
                        told["stage_at"] = datetime.now(UTC)
                    self._told = {**self._told, **told}

    def _end(self, *, asked: bool) -> End:
        last = self._last or {"kind": "died"}
        if last["kind"] == "done":
            return End("done", last["result"])
        if asked:
            return End("cancelled" if self._cancelled.is_set() else "stopped")
        if last["kind"] == "refused":
            return End("failed", error=last["error"])
        return End("failed", error=as_stored(self._fault(last)))

    def _fault(self, last: Mapping[str, Any]) -> GeoplanError:
        """A child that broke or was ended from outside: what it last said goes to the log."""
        number = secrets.token_hex(4)
        self._said.seek(0)
        words = self._said.read()[-8_000:].decode(errors="replace").strip()
        fate = last.get("detail") or _fate(self._process.returncode)
        log.error("fault %s: a job's process ended (%s)\n%s", number, fate, words)
        if last["kind"] == "fault":
            return Fault("server-fault", fault=number)
        return CannotFinish("job-died", detail=fate)


def _fate(code: int) -> str:
    """How a process ended, as its exit status tells it.

    >>> _fate(-9), _fate(3)
    ('SIGKILL', 'exit 3')
    """
    if code >= 0:
        return f"exit {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _started(said: IO[bytes]) -> subprocess.Popen[bytes]:
    """The process: this interpreter with these paths; a Ctrl-C at the terminal is for the parent alone."""
    paths = json.dumps([str(Path(each).absolute()) for each in sys.path])
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _RUN, paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=os.environ | {"PYTHONUTF8": "1"},
            start_new_session=True,
        )
    except OSError as wrong:
        raise CannotFinish("job-died", detail=wrong.strerror or str(wrong)) from None
