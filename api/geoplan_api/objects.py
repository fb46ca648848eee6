"""Content-addressed files: ``objects/ab/<sha256>``, written whole or not at all, verified when read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geoplan.errors import CannotFinish, NotFound
from geoplan_api.home import Home
from geoplan_layers.durable import bring_to_disk

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Objects:
    """The files of a home folder by the SHA-256 of their bytes.

    An object is written in ``tmp``, brought to the disk and renamed into its place: a process killed at any moment
    leaves a whole object or none.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def put(self, content: bytes) -> str:
        """Keep some bytes; their SHA-256.

        Raises
        ------
        CannotFinish
            The disk is full or refuses.
        """
        with self._home.workspace() as folder:
            path = folder / "object"
            try:
                path.write_bytes(content)
            except OSError as wrong:
                raise _unwritten(wrong) from None
            return self.take(path, hashlib.sha256(content).hexdigest())

    def take(self, path: Path, sha256: str | None = None) -> str:
        """Move a file of ``tmp`` among the objects; its SHA-256, computed unless the caller has done so.

        Raises
        ------
        CannotFinish
            The disk is full or refuses.
        """
        try:
            digest = sha256 or _digest(path)
            bring_to_disk(path)
            target = self._place(digest)
            if not target.parent.is_dir():
                target.parent.mkdir(mode=0o700, exist_ok=True)
                bring_to_disk(target.parent.parent)
            path.replace(target)
            bring_to_disk(target.parent)
        except OSError as wrong:
            raise _unwritten(wrong) from None
        return digest

    def path(self, sha256: str) -> Path:
        """Where an object lies, after its bytes were compared with its name.

        Raises
        ------
        NotFound
            There is no such object.
        CannotFinish
            The bytes are no longer those that were stored.
        """
        place = self._place(sha256)
        if not place.is_file():
            raise NotFound("object-missing", sha256=sha256)
        if _digest(place) != sha256:
            raise CannotFinish("object-damaged", sha256=sha256)
        return place

    def read(self, sha256: str) -> bytes:
        """The bytes of an object, verified; raises as `path` does."""
        place = self._place(sha256)
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            raise NotFound("object-missing", sha256=sha256) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CannotFinish("object-damaged", sha256=sha256)
        return content

    @contextmanager
    def named(self, sha256: str, name: str) -> Iterator[Path]:
        """An object under a file name, for readers that go by the suffix; raises as `path` does."""
        place = self.path(sha256)
        with self._home.workspace() as folder:
            (folder / name).symlink_to(place)
            yield folder / name

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise NotFound("object-missing", sha256=sha256)
        return self._home.objects / sha256[:2] / sha256


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _unwritten(wrong: OSError) -> CannotFinish:
    return CannotFinish("home-not-writable", path="objects", detail=wrong.strerror or str(wrong))
