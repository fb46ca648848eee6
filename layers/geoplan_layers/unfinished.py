"""Folders in which files are built before they are put where they are wanted; known here until they are gone.

A process that is told to end while compiled code holds its work removes them itself (`abandon`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

_PASSES = 20
_made: set[Path] = set()
_deciding = Lock()
_placed: list[bool] = []


def make_folder(inside: Path | None, prefix: str) -> Path:
    """A new folder in another one, or in the system's for temporary files.

    Raises
    ------
    OSError
        It cannot be made.
    """
    made = Path(mkdtemp(prefix=prefix, dir=inside))
    _made.add(made)
    return made


def remove_folder(folder: Path) -> None:
    """Remove a folder that was made here, with what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    _made.discard(folder)


@contextmanager
def building(inside: Path | None, prefix: str = ".geoplan-") -> Iterator[Path]:
    """A folder beside what is to be written, gone afterwards; raises as `make_folder` does."""
    made = make_folder(inside, prefix)
    try:
        yield made
    finally:
        remove_folder(made)


def place() -> None:
    """From here on the results of the process's work are put in their place: it is too late to give it up."""
    with _deciding:
        _placed.append(True)


def abandon() -> bool:
    """Give up the work of this process, which ends next: every folder goes; False where results are being placed."""
    _deciding.acquire()
    if _placed:
        _deciding.release()
        return False
    for folder in list(_made):  # while it is held, nothing is put in its place
        for _ in range(_PASSES):  # another thread may still be writing there
            if not folder.exists():
                break
            shutil.rmtree(folder, ignore_errors=True)
    return True
