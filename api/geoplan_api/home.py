"""The home folder: where the service keeps what it was given and what it answered.

Everything is first built in ``tmp/`` and moved to its place whole. What a killed process left in ``tmp/`` is removed
by the next one that starts alone: each process holds a shared lock on the folder for as long as it lives.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from geoplan.errors import CannotFinish

_PRIVATE = 0o700


class Home:
    """A home folder in use by this process.

    Parameters
    ----------
    root
        The folder; made, with its parents, where it is missing.

    Raises
    ------
    CannotFinish
        It cannot be made or written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            for folder in (self.root, self.tmp, self.objects, self.policies):
                folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._lock: int | None = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as wrong:
            raise CannotFinish("home-not-writable", path=str(self.root), detail=wrong.strerror or str(wrong)) from None
        self.was_alone = _alone(self._lock)
        """Whether no other process used the folder when this one opened it: what another left undone stays undone."""
        if self.was_alone:
            self._sweep()
        _share(self._lock)

    @property
    def tmp(self) -> Path:
        """Where uploads arrive and files are built."""
        return self.root / "tmp"

    @property
    def objects(self) -> Path:
        """Content-addressed files."""
        return self.root / "objects"

    @property
    def policies(self) -> Path:
        """The office's own policies."""
        return self.root / "policies"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.root / "geoplan.db"

    def _sweep(self) -> None:
        """Remove what a process that was killed left in ``tmp``; nobody else is using it."""
        for left in self.tmp.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder of one's own in ``tmp``, removed afterwards whatever happens.

        Raises
        ------
        CannotFinish
            The disk does not allow it.
        """
        try:
            folder = Path(mkdtemp(dir=self.tmp))
        except OSError as wrong:
            raise CannotFinish("home-not-writable", path=self.root.name, detail=wrong.strerror or str(wrong)) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def is_writable(self) -> bool:
        """Whether a file can be written in ``tmp`` now."""
        with suppress(OSError), TemporaryDirectory(dir=self.tmp) as folder:
            (Path(folder) / "probe").write_bytes(b"x")
            return True
        return False

    def close(self) -> None:
        """Let the folder go."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock alone among threads and processes; those that come later wait."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait(lock)
        yield
    finally:
        os.close(lock)


if sys.platform == "win32":

    def _alone(lock: int) -> bool:
        """Never known on Windows, which has no shared locks: nothing is swept there."""
        del lock
        return False

    def _share(lock: int) -> None:
        del lock

    def _wait(lock: int) -> None:
        del lock

else:
    import fcntl

    def _alone(lock: int) -> bool:
        """Whether no other process uses the folder; if so the lock is held alone."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _share(lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_SH)

    def _wait(lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
