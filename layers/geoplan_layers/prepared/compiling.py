"""How the overlap kernel is compiled: loops that let go of the GIL, kept on disk where the user can write.

Compiling costs what is written: plain loops over arrays grouped in tuples, no slices, no sorting by numpy, and no numba
threads (whose pool must not be entered by two threads at once): callers divide the proposals among threads of their
own.
"""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from numba import njit
from numba.core import config
from platformdirs import user_cache_path

SOURCES = (
    "compiling.py",
    "grid.py",
    "along.py",
    "green.py",
    "ragged.py",
    "soundness.py",
    "edges.py",
    "meeting.py",
    "tiles/varint.py",
    "tiles/outline.py",
    "tiles/message.py",
    "tiles/raster.py",
    "tiles/tracing.py",
)


def kept_in(home: str | None) -> Path:
    """The folder of compiled code: below the home folder or the user's cache; a passing one where neither is writable.

    It is named by the sources: numba knows a changed file by its time and size alone, and not at all where one
    compiled function calls another of a changed module.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(files("geoplan_layers.prepared").joinpath(name).read_bytes())
    folder = (Path(home) if home else user_cache_path("geoplan")) / "compiled" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    return folder if writable else Path(mkdtemp(prefix="geoplan-compiled-"))


_settings: Any = config
if not _settings.CACHE_DIR:
    _settings.CACHE_DIR = str(kept_in(os.environ.get("GEOPLAN_HOME")))

_njit: Any = njit
compiled = _njit(cache=True, nogil=True, error_model="numpy")
"""For functions that Python calls."""
inner = _njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For functions that compiled ones alone call: no wrappers, which cost as much to compile as the function."""
