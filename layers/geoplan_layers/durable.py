"""What has been written reaches the disk before anything refers to it."""

from __future__ import annotations

import os
from pathlib import Path


def bring_to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, from the system's memory to the disk.

    A link is passed over, and on Windows a folder, which cannot be opened there.

    Raises
    ------
    OSError
        The disk does not take it.
    """
    if path.is_symlink() or (os.name == "nt" and path.is_dir()):
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def bring_tree_to_disk(folder: Path) -> None:
    """Flush everything below a folder, and last the folder; raises as `bring_to_disk` does."""
    for place, _, files in os.walk(folder, topdown=False):
        for each in (*(Path(place, name) for name in files), Path(place)):
            bring_to_disk(each)
