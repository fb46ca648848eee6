"""Finding again the files that a report names: by hash, wherever they lie now and whatever they are called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoplan.boundary import Source
from geoplan_layers.reading import fingerprint

MOST_FILES = 20_000
"""How many files are looked at; a folder with more is searched no further."""


@dataclass(frozen=True, slots=True)
class Match:
    """A file for a source of a report: where it lies, and whether it is byte for byte the one that was read."""

    path: Path
    same: bool


class Shelf:
    """Files to look among, their hashes taken once.

    Parameters
    ----------
    folders
        Searched in this order, below the first level only where ``deep`` says so.
    """

    def __init__(self, folders: Sequence[tuple[Path, bool]]) -> None:
        self._files = tuple(_files(folders))
        self._hashes: dict[Path, str] = {}

    def find(self, source: Source) -> Match | None:
        """The file of a source: the same bytes under its name, then under any name of its kind, else only its name."""
        suffix = Path(source.file).suffix.lower()
        named = [each for each in self._files if each.name == source.file]
        others = [each for each in self._files if each.suffix.lower() == suffix and each.name != source.file]
        for path in (*named, *others):
            if self._hash(path) == source.sha256:
                return Match(path, same=True)
        return Match(named[0], same=False) if named else None

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            try:
                self._hashes[path] = fingerprint(path)
            except OSError:  # it went away, or may not be read: then it is not the one
                self._hashes[path] = ""
        return self._hashes[path]


def _files(folders: Iterable[tuple[Path, bool]]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder, deep in folders:
        for path in _walk(folder.resolve(), deep):
            if path not in seen:
                seen.add(path)
                yield path
            if len(seen) >= MOST_FILES:
                return


def _walk(folder: Path, deep: bool) -> Iterator[Path]:
    for where, inner, names in os.walk(folder):
        yield from (Path(where) / name for name in sorted(names))
        yield from (Path(where) / name for name in sorted(inner) if name.lower().endswith(".gdb"))
        inner[:] = sorted(n for n in inner if not n.startswith(".") and not n.lower().endswith(".gdb")) if deep else []
