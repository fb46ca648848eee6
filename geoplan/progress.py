"""How long work is watched and stopped: one callable that is told how far it is, and raises where it must end."""

from __future__ import annotations

from typing import Protocol

from geoplan.errors import CannotFinish


class Progress(Protocol):
    """What long work calls often (at least every second or so) from the thread that asked for it.

    Parameters
    ----------
    stage
        The id of the step that is under way, a word of the catalogue (``word.progress.STAGE``).
    done, total
        How much of the step is done, in whatever the step counts; ``total`` 0 where it is not known.

    Raises
    ------
    Cancelled
        The user asked for the work to stop.
    """

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Tell how far the work is."""
        ...


class Cancelled(CannotFinish):
    """Work was stopped because the user asked for it; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("cancelled")


def unwatched(stage: str, done: float, total: float) -> None:
    """The progress of work that nobody watches."""
    del stage, done, total
