"""The versions of prepared layers in a home folder: found, opened, put in their place, removed.

A version is built elsewhere, complete and on the disk, and comes here by one renaming; ``current`` is replaced by
another. So a process that is killed at any moment leaves the version in use as it was. What it left unfinished is
known by a lock that nobody holds, and removed by the next one that builds.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import unquote

from pydantic import ValidationError

from geoplan.errors import CannotFinish, NotFound
from geoplan_layers.durable import bring_to_disk, bring_tree_to_disk
from geoplan_layers.prepared.layer import PreparedLayer
from geoplan_layers.prepared.version import META, Meta, Version

CURRENT = "current"
_BUILDING = "layer-"
_LOCK = ".lock"
_ID_DIGITS = 16
_YOUNG_S = 60.0
_TRIES = 3
"""How often a version is looked for that was replaced and removed while it was being opened."""


class LayerStore:
    """The prepared layers of a home.

    Parameters
    ----------
    folder
        ``layers`` of the home; made when the first version comes.
    tmp
        Where versions are built, on the same disk: ``tmp`` beside it where none is given.
    """

    def __init__(self, folder: Path, tmp: Path | None = None) -> None:
        self.folder = folder
        self._tmp = tmp or folder.parent / "tmp"

    def roles(self) -> list[str]:
        """Roles that have a version, in the order of their names."""
        if not self.folder.is_dir():
            return []
        return sorted(unquote(each.name) for each in self.folder.iterdir() if each.is_dir() and _versions_in(each))

    def current(self) -> tuple[Version, ...]:
        """The version in use of each role that has one."""
        found = (self.in_use(role) for role in self.roles())
        return tuple(each for each in found if each is not None)

    def in_use(self, role: str) -> Version | None:
        """The version of a role that checks use; none where it has none."""
        try:
            name = (self._of(role) / CURRENT).read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        folder = self._of(role) / name
        return _read(folder) if _is_id(name) and (folder / META).is_file() else None

    def versions(self, role: str) -> tuple[Version, ...]:
        """All versions of a role, the newest first."""
        folder = self._of(role)
        found = [_read(each) for each in _versions_in(folder)] if folder.is_dir() else []
        return tuple(sorted(found, key=lambda each: (each.meta.imported_at, each.id), reverse=True))

    def version(self, role: str, id: str | None = None) -> Version:
        """A version by its id or the beginning of it; the one in use where none is given.

        Raises
        ------
        NotFound
            The role has none, or none of that name.
        """
        if id is None:
            found = self.in_use(role)
            if found is None:
                raise NotFound("layer-not-registered", role=role, known=self.roles() or "—")
            return found
        named = [each for each in self.versions(role) if each.id.startswith(id)] if id else []
        if len(named) != 1:
            known = [each.id for each in self.versions(role)]
            raise NotFound("layer-version-unknown", role=role, version=id, known=known or "—")
        return named[0]

    def open(self, role: str, id: str | None = None) -> PreparedLayer:
        """A version, its arrays mapped; the one in use where none is given. A lost index is made anew.

        Raises
        ------
        NotFound
            There is none.
        CannotFinish
            Its index is damaged.
        """
        for tried in range(_TRIES):
            version = self.version(role, id)
            try:
                return PreparedLayer(version)
            except (OSError, ValueError, KeyError) as wrong:
                if version.folder.is_dir() and tried == 0:
                    from geoplan_layers.prepared.rebuilding import rebuild_index  # loads what only an import needs

                    rebuild_index(version)
                elif version.folder.is_dir() or tried + 1 == _TRIES:
                    raise CannotFinish("layer-damaged", path=str(version.folder), detail=str(wrong)[:160]) from None
        raise AssertionError("left by return or raise")

    def by_hash(self, sha256: str) -> Version | None:
        """The version with that content, whatever its role."""
        for role in self.roles():
            folder = self._of(role) / sha256[:_ID_DIGITS]
            if _is_id(folder.name) and (folder / META).is_file():
                found = _read(folder)
                if found.meta.sha256 == sha256:
                    return found
        return None

    @contextmanager
    def building(self) -> Iterator[Path]:
        """A folder of one's own to build a version in; removed afterwards unless it was put in its place.

        Raises
        ------
        CannotFinish
            The disk does not allow it.
        """
        try:
            self._tmp.mkdir(parents=True, exist_ok=True)
            self.sweep()
            folder = Path(mkdtemp(prefix=_BUILDING, dir=self._tmp))
            lock = _locked(folder)
        except OSError as wrong:
            detail = wrong.strerror or str(wrong)
            raise CannotFinish("home-not-writable", path=str(self._tmp), detail=detail) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    def put(self, built: Path, role: str, sha256: str) -> Version:
        """Move a built version into its place and use it from now on; one that is there already stays as it was."""
        place = self._of(role) / sha256[:_ID_DIGITS]
        place.parent.mkdir(parents=True, exist_ok=True)
        if not (place / META).is_file():
            bring_tree_to_disk(built)
            built.rename(place)
            bring_to_disk(place.parent)
        self.use(role, place.name)
        return _read(place)

    def use(self, role: str, id: str) -> None:
        """Let checks use a version of a role."""
        path = self._of(role) / CURRENT
        fresh = path.with_name(f".{CURRENT}.{os.getpid()}")
        with fresh.open("w", encoding="ascii") as opened:
            opened.write(f"{id}\n")
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(path)
        bring_to_disk(path.parent)

    def remove(self, role: str, id: str | None = None) -> tuple[Version, ...]:
        """Remove one version, or all of a role; the newest that is left is used where the one in use goes.

        What other processes have open they keep until they let it go.

        Raises
        ------
        NotFound
            There is none.
        """
        gone = (self.version(role, id),) if id is not None else self.versions(role)
        if not gone:
            raise NotFound("layer-not-registered", role=role, known=self.roles() or "—")
        used = self.in_use(role)
        left = [each for each in self.versions(role) if each.id not in {v.id for v in gone}]
        if left and (used is None or used.id in {v.id for v in gone}):
            self.use(role, left[0].id)
        if not left:
            (self._of(role) / CURRENT).unlink(missing_ok=True)
        for version in gone:
            with self.building() as aside:
                version.folder.rename(aside / version.id)
        if not left:
            shutil.rmtree(self._of(role), ignore_errors=True)
        return gone

    def sweep(self) -> None:
        """Remove what processes that are gone left unfinished."""
        for each in self._tmp.glob(f"{_BUILDING}*"):
            lock = _free(each)
            if lock is not None:
                shutil.rmtree(each, ignore_errors=True)
                os.close(lock)

    def _of(self, role: str) -> Path:
        return self.folder / "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02X}" for c in role)


def _is_id(name: str) -> bool:
    return len(name) == _ID_DIGITS and set(name) <= set("0123456789abcdef")


def _versions_in(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if _is_id(each.name) and (each / META).is_file()]


def _read(folder: Path) -> Version:
    try:
        return Version(folder, Meta.model_validate_json((folder / META).read_bytes()))
    except (ValidationError, OSError) as wrong:
        raise CannotFinish("layer-damaged", path=str(folder), detail=str(wrong).splitlines()[0][:160]) from None


if os.name == "nt":

    def _locked(folder: Path) -> int | None:
        del folder
        return None

    def _free(folder: Path) -> int | None:
        del folder
        return None

else:
    import fcntl

    def _locked(folder: Path) -> int | None:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def _free(folder: Path) -> int | None:
        """The lock of a folder that nobody builds in any more."""
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except FileNotFoundError:  # made a moment ago, or by one that was killed before its lock was there
            if time.time() - folder.stat().st_mtime < _YOUNG_S:
                return None
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock
