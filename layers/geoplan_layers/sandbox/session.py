"""What a caller holds while it reads: the pool, the folder for what is unpacked, and the files that are open.

Within `reading()` a file is opened once, however often it is asked for; outside it, each time. Everything unpacked
lies in folders that this process makes and removes, whatever becomes of the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geoplan.errors import CannotFinish, GeoplanError, InputRefused
from geoplan_layers.files.limits import Limits
from geoplan_layers.sandbox.child import Child, Died
from geoplan_layers.sandbox.rules import Budget, size_of
from geoplan_layers.sandbox.workers import Cancellation, Pool, own_pool
from geoplan_layers.unfinished import make_folder, remove_folder


class ReaderFault(Exception):
    """What a reader raised that is no refusal: its traceback, for the log."""


@dataclass
class Session:
    """One caller's reading."""

    pool: Pool
    folder: Path | None
    cancellation: Cancellation
    open: dict[tuple[Any, ...], Handle] = field(default_factory=dict)


_current: ContextVar[Session | None] = ContextVar("reading", default=None)


@contextmanager
def reading(
    pool: Pool | None = None, folder: Path | None = None, cancellation: Cancellation | None = None
) -> Iterator[None]:
    """Keep files open, and use that pool and folder, for as long as this lasts; inside another one it changes nothing.

    Parameters
    ----------
    pool
        The readers; this process's own where none is given.
    folder
        Where folders for what is unpacked are made; the system's for temporary files where none is given.
    """
    if _current.get() is not None:
        yield
        return
    readers = pool or own_pool()
    readers.warm()
    session = Session(readers, folder, cancellation or Cancellation())
    token = _current.set(session)
    try:
        yield
    finally:
        _current.reset(token)
        with ExitStack() as closing:
            for handle in session.open.values():
                closing.callback(handle.close)


@contextmanager
def held(path: Path, shown: str, layer: str | None, limits: Limits) -> Iterator[Handle]:
    """A file opened by a reader: kept by the session around it, else closed afterwards.

    Raises
    ------
    GeoplanError
        What was refused.
    """
    session = _current.get()
    if session is None:
        handle = Handle(Session(own_pool(), None, Cancellation()), path, shown, layer, limits)
        try:
            yield handle
        finally:
            handle.close()
        return
    key = (path.absolute(), shown, layer, limits)
    if key not in session.open:
        session.open[key] = Handle(session, path, shown, layer, limits)
    yield session.open[key]


class Handle:
    """One data set of one file, open in a reader."""

    def __init__(self, session: Session, path: Path, shown: str, layer: str | None, limits: Limits) -> None:
        self._session, self._limits = session, limits
        self._folder = make_folder(session.folder, "geoplan-")
        self._job = {
            "path": str(path.absolute()),
            "shown": shown,
            "layer": layer,
            "limits": asdict(limits),
            "folder": str(self._folder),
        }
        self._child: Child | None = None
        self._about: dict[str, Any] | None = None
        self._path, self._shown = path, shown

    def about(self) -> dict[str, Any]:
        """Name, path, source and whether it has an extent, as the reader tells them."""
        if self._about is None:
            self._about, _ = self.ask("open")
        return self._about

    def ask(self, do: str, **more: Any) -> tuple[dict[str, Any], memoryview]:
        """One job on this data set: the header of its answer and the body.

        Raises
        ------
        GeoplanError
            What was refused, or the end of the reader as a refusal of the file.
        """
        session = self._session
        budget = session.pool.rules.budget(size_of(self._path), self._limits)
        job = {**self._job, "do": do, "budget": asdict(budget), **more}
        try:
            self._child, header, body = session.pool.run(job, budget, self._child, session.cancellation)
        except Died as end:
            raise self._ended(end, budget) from None
        if header.get("kind") == "refused":
            from geoplan_layers.sandbox.wire import refusal_of

            raise refusal_of(header)
        if header.get("kind") == "fault":
            raise InputRefused("reader-fault", file=self._shown, detail=str(header.get("type"))[:80]) from ReaderFault(
                str(header.get("trace"))
            )
        return header, body

    def distrust(self) -> None:
        """End the reader: it sent what no reader sends."""
        if self._child is not None:
            self._child.end()

    def close(self) -> None:
        """Remove what was unpacked."""
        remove_folder(self._folder)

    def _ended(self, end: Died, budget: Budget) -> GeoplanError:
        if end.why == "cancelled":
            return CannotFinish("reading-cancelled", file=self._shown)
        if end.why == "timeout" or end.detail == "SIGXCPU":
            return InputRefused("reader-timeout", file=self._shown, seconds=round(budget.seconds))
        return InputRefused("reader-ended", file=self._shown, detail=end.detail)
