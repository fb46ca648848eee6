"""A reader process from inside: it confines itself, loads the file libraries, and does jobs until its parent goes.

Its whole world is two pipes: jobs come as JSON on one, tables and refusals go out on the other (`wire`).
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from typing import IO, Any

from geoplan_layers.sandbox.confine import address_space, allow, confine, relax
from geoplan_layers.sandbox.rules import Budget

ALWAYS_ON = frozenset({"MEM"})
"""Drivers that cannot be switched off and open no file."""
_HELD = "GEOPLAN_READER_HELD"
_OF_THE_MACHINE = frozenset(
    getattr(errno, name, -1) for name in ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "ENOENT", "ENODEV")
)
"""Failures of a disk; any other is set off by what a file says."""
_WORN = 300_000_000
"""Address space that a reader may keep after a job; past it a new one takes its place."""


def main() -> None:
    """Serve jobs from standard input until it ends."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not fall among the answers
    held = json.loads(os.environ[_HELD]) if _HELD in os.environ else confine()
    sys.meta_path.insert(0, _Absent())
    drivers = _drivers(answers, held)
    from geoplan_layers.sandbox.reader import Reader
    from geoplan_layers.sandbox.wire import receive, send

    send(answers, {"kind": "ready", "held": held, "drivers": drivers})
    base = address_space()
    reader = Reader()
    while True:
        try:
            job, _ = receive(jobs, 0)
        except EOFError:
            return
        worn = _do(reader, job, base, answers)
        if worn:
            return


class _Absent(MetaPathFinder):
    """Libraries that pyogrio and pyarrow would load where they are there, for half a second, and nothing here uses."""

    names = frozenset({"geopandas", "pandas"})

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Nothing; for these names, nobody else may look either."""
        del path, target
        if fullname in self.names:
            raise ModuleNotFoundError(f"{fullname} is not loaded in a reader", name=fullname)


def _drivers(answers: IO[bytes], held: Mapping[str, bool]) -> list[str]:
    """The drivers of this process; one that no format asked for is switched off by starting over without it.

    The switches of `ogr` name the drivers of the GDAL that was tried. A newer one may bring others.
    """
    from geoplan_layers.files.ogr import READ, pyogrio

    on = set(pyogrio.list_drivers())
    extra = on - set(READ) - ALWAYS_ON
    if extra and _HELD not in os.environ:
        os.environ["GDAL_SKIP"] = ",".join([os.environ.get("GDAL_SKIP", ""), *sorted(extra)]).strip(",")
        os.environ[_HELD] = json.dumps(held)
        os.dup2(answers.fileno(), 1)
        os.execv(sys.executable, sys.orig_argv)
    return sorted(on)


def _do(reader: Any, job: Mapping[str, Any], base: int, answers: IO[bytes]) -> bool:
    """One job and its answer; whether this process should end after it."""
    from geoplan_layers.sandbox.wire import send

    budget = Budget(**job["budget"])
    tempfile.tempdir = job["folder"]
    body: bytes | memoryview = b""
    spent = False
    try:
        allow(budget, base)
        header, body = reader.answer(job)
    except BaseException as wrong:
        relax()
        header, spent = _told(wrong, job, budget)
    relax()
    worn = spent or _is_worn(base, len(body))
    send(answers, {**header, "worn": worn}, body)
    return worn


def _is_worn(base: int, kept: int) -> bool:
    """Whether the process holds on to much more address space than at its start."""
    if address_space() - kept <= base + _WORN:
        return False
    gc.collect()
    return address_space() - kept > base + _WORN


def _told(wrong: BaseException, job: Mapping[str, Any], budget: Budget) -> tuple[dict[str, Any], bool]:
    """What stopped a job as a header, and whether the process is spent by it."""
    from geoplan.errors import CannotFinish, GeoplanError, InputRefused, TooLarge
    from geoplan_layers.sandbox.wire import refusal

    shown = job["shown"]
    if isinstance(wrong, GeoplanError):
        return refusal(wrong), False
    if isinstance(wrong, MemoryError):
        return refusal(InputRefused("reader-memory", file=shown, most=budget.memory // 1_000_000)), True
    if isinstance(wrong, OSError) and wrong.errno == errno.EFBIG:
        return refusal(TooLarge("reader-wrote", file=shown, most=budget.file_bytes)), False
    if isinstance(wrong, OSError) and wrong.errno == errno.EMFILE:
        return refusal(InputRefused("reader-files", file=shown)), True
    if isinstance(wrong, OSError) and wrong.errno not in _OF_THE_MACHINE:
        detail = (str(wrong).splitlines() or ["—"])[0][:200]  # pyarrow says so of a file that it cannot make out
        return refusal(InputRefused("cannot-be-read", file=shown, detail=detail)), False
    if isinstance(wrong, OSError):
        return refusal(CannotFinish("cannot-finish", file=shown, detail=wrong.strerror or str(wrong))), False
    trace = "".join(traceback.format_exception(wrong))[-8_000:]
    return {"kind": "fault", "type": type(wrong).__name__, "trace": trace}, True


if __name__ == "__main__":
    main()
