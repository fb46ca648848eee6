"""Works that jobs of the tests do, each in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geoplan.errors import InputRefused
from geoplan.progress import Progress
from geoplan_api.jobs.kinds import Kind, Task

KINDS: Mapping[str, Kind] = {
    name: Kind(f"job_works:{name}", "/jobs/{id}?n={n}" if name == "copied" else "/jobs/{id}")
    for name in ("copied", "slow", "deaf", "refused", "broken", "killed", "chatty")
}


def copied(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Count the bytes of the inputs and hand the files on."""
    files = sorted(task.inputs.iterdir())
    for i, path in enumerate(files):
        (task.out / path.name).write_bytes(path.read_bytes())
        progress("copying", i + 1, len(files))
    return {"n": len(files), "names": [path.name for path in files], "home": str(task.settings.home)}


def slow(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Work for a long time and tell it."""
    (task.out / "half").write_text("half a result")
    for i in range(10_000):
        progress("slowly", i, 10_000)
        time.sleep(0.02)
    return {}


def deaf(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Begin and never look up."""
    (task.tmp / "debris").write_text("left")
    progress("deaf", 0, 0)
    time.sleep(600)
    return {}


def refused(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Refuse the input."""
    raise InputRefused("raster-band", file="dem.tif", where="1", band=3, count=1)


def broken(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Break."""
    raise ZeroDivisionError("inside")


def killed(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Be killed from outside, as by a machine that lacks memory."""
    (task.out / "half").write_text("half a result")
    progress("dying", 1, 2)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def chatty(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Print where a library prints, and tell more than anybody reads."""
    print("on standard output")
    os.write(1, b'{"kind": "done"}\n')
    sys.stderr.write("x" * 300_000)
    for i in range(20_000):
        progress("counting", i + 1, 20_000)
    return {"cwd": str(Path.cwd())}
