"""How much a reader process may use: one rule for boundaries, a wider one for reference layers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from geoplan_layers.files.limits import BOUNDARY, MB, Limits

OPEN_FILES = 256
"""Files that a reader may hold open."""
_SMALL = 20 * MB
_LONGEST = 3600.0
_ASIDE = 64 * MB
"""Bytes that a reader may write beyond what an archive unpacks to: an index, a stroked copy."""


def _most_of_memory() -> int:
    """Three quarters of the machine's memory; 8 GB where the system does not say."""
    try:
        return max(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4, 2_000 * MB)
    except (AttributeError, ValueError, OSError):  # no sysconf on Windows
        return 8_000 * MB


@dataclass(frozen=True, slots=True)
class Budget:
    """What one job may use: wall-clock and processor seconds, bytes of memory, bytes of any file it writes."""

    seconds: float
    memory: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The pool's size and its limits.

    Parameters
    ----------
    workers
        Reader processes at one time.
    waiting
        Jobs that may wait for one; a further one is told to come back.
    memory
        Bytes that the reading of one boundary file may add to a reader's memory.
    layer_memory
        The same for one reference layer.
    seconds
        What a file under 20 MB may take; a larger one gets so much for every 20 MB, an hour at most.
    """

    workers: int = 1
    waiting: int = 64
    memory: int = 2_000 * MB
    layer_memory: int = 0
    seconds: float = 20.0

    def of_layers(self) -> int:
        """Memory for a layer, bytes: what is set, else three quarters of the machine's."""
        return max(self.layer_memory or _most_of_memory(), self.memory)

    def budget(self, size: int, limits: Limits) -> Budget:
        """What reading a file of ``size`` bytes within ``limits`` may use.

        >>> Rules().budget(1_000, BOUNDARY).seconds, Rules().budget(60_000_000, BOUNDARY).seconds
        (20.0, 60.0)
        """
        seconds = min(self.seconds * max(size / _SMALL, 1.0), max(_LONGEST, self.seconds))
        is_boundary = limits.file_bytes <= BOUNDARY.file_bytes
        memory = self.memory if is_boundary else self.of_layers()
        return Budget(seconds, memory, limits.unpacked_bytes + _ASIDE)


def size_of(path: Path) -> int:
    """Bytes of a file with those that belong to it (a .shp's .dbf), or of all files of a folder."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.iterdir() if each.is_file())
    return sum(each.stat().st_size for each in path.parent.iterdir() if each.stem == path.stem and each.is_file())
