"""Uploads that were refused for want of a coordinate system, held until their user has picked one.

They lie in ``tmp`` of the home, for half an hour at most and only a few of them; nothing about them is stored.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import Any

from geoplan.errors import GeoplanError, NotFound
from geoplan_api.home import Home
from geoplan_api.upload import SIDECARS, Submission, Upload, is_main_of

SECONDS = 1800.0
MOST = 20


@dataclass(frozen=True)
class Held:
    """A form that was refused: its files' folder, the file in question, its field and place in it, the candidates."""

    form: Submission
    folder: Path
    file: str
    field: str
    index: int
    candidates: tuple[dict[str, Any], ...]
    since: float


class Holds:
    """The forms that are held, by a token that only their page knows."""

    def __init__(self, home: Home, clock: Callable[[], float] = time.monotonic) -> None:
        self._home, self._clock = home, clock
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}

    def keep(self, form: Submission, error: GeoplanError) -> str | None:
        """Hold a form whose file could be placed by its user; its token, or none where nothing can be picked."""
        candidates = error.message.args.get("found")
        where = _field(form, error.file)
        if not candidates or where is None:
            return None
        folder = Path(mkdtemp(dir=self._home.tmp))
        moved = relocated(form, folder)
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._sweep(MOST - 1)
            held = Held(moved, folder, error.file or "", *where, tuple(candidates), self._clock())
            self._held[token] = held
        return token

    def look(self, token: str) -> Held:
        """What is held under a token.

        Raises
        ------
        NotFound
            Nothing is held under it, or not any more.
        """
        with self._lock:
            self._sweep(MOST)
            if token not in self._held:
                raise NotFound("hold-unknown")
            return self._held[token]

    def take(self, token: str) -> Held:
        """Take what is held away from under its token: its folder is the caller's to remove; raises as `look` does."""
        held = self.look(token)
        with self._lock:
            if self._held.pop(token, None) is None:
                raise NotFound("hold-unknown")
        return held

    def close(self) -> None:
        """Let everything go."""
        with self._lock:
            self._sweep(0)

    def _sweep(self, most: int) -> None:
        """Remove what is too old, and the oldest past ``most``; the lock is held."""
        old = [token for token, held in self._held.items() if self._clock() - held.since > SECONDS]
        for token in [
            *old,
            *[each for each in self._held if each not in old][: max(len(self._held) - len(old) - most, 0)],
        ]:
            shutil.rmtree(self._held.pop(token).folder, ignore_errors=True)


def relocated(form: Submission, folder: Path) -> Submission:
    """A form with its files moved into a folder, companions of a main file under names of their own again."""
    files: dict[str, list[Upload]] = {}
    count = 0
    for name, uploads in form.files.items():
        sources = [_lies(each, uploads) for each in uploads]
        files[name] = []
        for each, source in zip(uploads, sources, strict=True):
            count += 1
            target = folder / f"{count}{source.suffix}"
            source.rename(target)
            files[name].append(replace(each, path=target))
    return Submission(files, {name: list(texts) for name, texts in form.texts.items()})


def _lies(upload: Upload, uploads: list[Upload]) -> Path:
    """Where a file lies now: reading renames companions after their main file."""
    shown = PurePosixPath(upload.shown)
    if upload.path.exists() or shown.suffix.lower() not in SIDECARS:
        return upload.path
    mine = next(each for each in uploads if is_main_of(each, shown))
    return mine.path.with_suffix(shown.suffix.lower())


def _field(form: Submission, file: str | None) -> tuple[str, int] | None:
    """The field whose file was refused, and the number of its data set there; boundaries before layers."""
    for name, uploads in form.files.items():
        if name in ("planning", "construction") or name.startswith("layer."):
            mains = [u.shown for u in uploads if PurePosixPath(u.shown).suffix.lower() not in SIDECARS]
            if file in mains:
                return name, mains.index(file)
    return None


def answered(held: Held, texts: dict[str, list[str]]) -> Submission:
    """The held form with what its user picked: for boundaries the fields, for a layer what stands behind its name."""
    epsg, place, datum = ((texts.get(name) or [""])[0].strip() for name in ("epsg", "place", "datum"))
    form = held.form
    swapped = any(each["swapped"] for each in held.candidates)
    if held.field.startswith("layer."):
        words = "".join([f"@EPSG:{epsg}" if epsg else "", f"@{datum}" if datum else "", "@swap-xy" if swapped else ""])
        selects = form.texts.setdefault(f"select.{held.field}", [])
        selects += [""] * (held.index + 1 - len(selects))
        selects[held.index] += words
    else:
        form.texts["crs"] = [f"EPSG:{epsg}"] if epsg else []
        form.texts["datum"] = [datum] if datum else form.texts.get("datum", [])
        form.texts["swap_xy"] = ["true"] if swapped else form.texts.get("swap_xy", [])
    if place and not epsg:
        form.texts["place"] = [place]
    return form
