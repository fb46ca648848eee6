"""How far long work in the foreground is: one line on stderr, told anew every second."""

from __future__ import annotations

import sys
import time

from geoplan.messages import Lang, say
from geoplan_api.jobs.pace import Pace

_EVERY_S, _EVERY_LOGGED_S = 0.5, 5.0


class ProgressLine:
    """The progress of one piece of work; on a terminal the line is written over, elsewhere lines follow each other."""

    def __init__(self, lang: Lang) -> None:
        self._lang: Lang = lang
        self._stage, self._begun, self._told = "", 0.0, 0.0
        self._live = sys.stderr.isatty()
        self._width = 0

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Tell how far the work is."""
        now = time.monotonic()
        fresh = stage != self._stage
        if fresh:
            self._stage, self._begun = stage, now
        if fresh or now - self._told >= (_EVERY_S if self._live else _EVERY_LOGGED_S):
            self._told = now
            self._write(Pace(stage, done, total, now - self._begun))

    def _write(self, pace: Pace) -> None:
        joint = "，" if self._lang == "zh" else ", "
        text = joint.join(say(each, self._lang) for each in pace.messages())
        if self._live:
            sys.stderr.write(f"\r{text.ljust(self._width)}")
            self._width = len(text)
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """The work is over: what follows begins on a line of its own."""
        if self._live and self._width:
            sys.stderr.write("\n")
            sys.stderr.flush()
