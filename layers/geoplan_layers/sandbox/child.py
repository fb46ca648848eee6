"""One reader process as its parent sees it: started, asked, ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from geoplan.errors import CannotFinish

Why = Literal["timeout", "cancelled", "ended"]
_START_S = 120.0
_PIPE = 1 << 20
"""Bytes that a pipe holds where the system allows it: tables of 100 MB pass with fewer changes of process."""
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "GDAL_DATA", "PROJ_DATA", "PROJ_LIB")
"""What the libraries themselves may need of this process's environment; nothing else of it reaches a reader."""
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONUTF8": "1",
    "GDAL_SKIP": "WAsP",
    "GDAL_DRIVER_PATH": "disable",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "PROJ_NETWORK": "OFF",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
_RUN = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from geoplan_layers.sandbox.worker import main; main()"


class Died(Exception):
    """A reader process ended in the middle of a job: by its deadline, by a caller, or by itself."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(why, detail)
        self.why, self.detail = why, detail


class NotTaken(Exception):
    """The process had ended before it took the job; another may have it."""


class Child:
    """A reader process.

    It is started at once and loads its libraries while this process goes on; `wait_ready` waits for it.
    """

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = _started(self._said)
        self._why: Why | None = None
        self._ready: dict[str, Any] | None = None
        self.worn = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs and may take a job."""
        return not self.worn and self._process.poll() is None

    def wait_ready(self) -> dict[str, Any]:
        """What it says of itself once its libraries are loaded: the limits that hold and its drivers.

        Raises
        ------
        CannotFinish
            It cannot be started.
        Died
            It was ended while it started.
        """
        from geoplan_layers.sandbox.wire import WireBroken, receive

        if self._ready is None:
            with self._deadline(_START_S):
                try:
                    self._ready, _ = receive(self._stdout, 0)
                except (EOFError, OSError, WireBroken):
                    self.end()
                    if self._why == "cancelled":
                        raise Died("cancelled", self._fate()) from None
                    raise CannotFinish("reader-unavailable", detail=self._last_words()) from None
        return self._ready

    def ask(self, job: Mapping[str, Any], seconds: float, most: int) -> tuple[dict[str, Any], memoryview]:
        """Have one job done.

        Parameters
        ----------
        seconds
            After which the process is ended.
        most
            Bytes that the answer may have.

        Raises
        ------
        NotTaken
            The process had ended before.
        Died
            It ended during the job, or sent what no reader sends.
        """
        from geoplan_layers.sandbox.wire import WireBroken, receive, send

        self.wait_ready()
        with self._deadline(seconds):
            try:
                send(self._stdin, job)
            except OSError:
                self.end()
                raise NotTaken from None
            try:
                header, body = receive(self._stdout, most)
            except (EOFError, OSError, WireBroken) as wrong:
                self.end()
                detail = str(wrong) if isinstance(wrong, WireBroken) else self._fate()
                raise Died(self._why or "ended", detail) from None
        if header.get("worn"):
            self.worn = True
            self.end()
        return header, body

    def end(self, why: Why | None = None) -> None:
        """End the process and wait until it is gone; what it had open is closed then."""
        if self._why is None:
            self._why = why
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and let its pipes go."""
        self.end()
        for pipe in (self._stdin, self._stdout, self._said):
            with contextlib.suppress(OSError):  # a job that was half written
                pipe.close()

    @contextlib.contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self.end, ("timeout",))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _fate(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"exit {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else self._fate()


def _started(said: IO[bytes]) -> subprocess.Popen[bytes]:
    """The process: this interpreter and these paths, an environment of its own, no open file but its pipes."""
    environment = _ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    paths = json.dumps([str(Path(each).absolute()) for each in sys.path])
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUN, paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            cwd=Path(sys.executable).anchor,
            pipesize=_PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which ends its readers itself
        )
    except OSError as wrong:
        raise CannotFinish("reader-unavailable", detail=wrong.strerror or str(wrong)) from None
