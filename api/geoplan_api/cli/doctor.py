"""``geoplan doctor``: does this installation work, and what is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from geoplan.check import software
from geoplan.errors import GeoplanError
from geoplan.messages import Lang, Message, say
from geoplan.policy import PolicyBook, misquotes
from geoplan_layers.sandbox.workers import own_pool


def examine(lang: Lang, console: Console) -> int:
    """Run every examination and print one line each; 0 when all are good, 1 otherwise."""
    wrong = 0
    for name, examination in _EXAMINATIONS.items():
        try:
            detail = examination()
        except (GeoplanError, OSError, RuntimeError) as found:
            detail, wrong = None, wrong + 1
            line = say(
                Message(
                    "doctor.bad",
                    {"detail": found.say(lang) if isinstance(found, GeoplanError) else str(found)},
                ),
                lang,
            )
        else:
            shown = say(detail, lang) if isinstance(detail, Message) else detail
            line = f"{say(Message('doctor.good'), lang)}  {shown}"
        console.print(escape(f"{say(Message(f'doctor.{name}'), lang)}: {line}"), soft_wrap=True)
    return 1 if wrong else 0


def _policies() -> str:
    book = PolicyBook()
    wrong = [m for policy in book for m in misquotes(policy, book)]
    if wrong:
        raise RuntimeError(str(wrong[0]))
    return ", ".join(policy.id for policy in book)


def _assets() -> str:
    from geoplan_web.assets import VENDOR, verify

    wrong = verify()
    if wrong:
        raise RuntimeError("; ".join(wrong))
    return str(VENDOR)


def _drivers() -> str:
    from geoplan_layers.files.ogr import READ, pyogrio

    missing = set(READ) - set(pyogrio.list_drivers())
    if missing:
        raise RuntimeError(", ".join(sorted(missing)))
    return ", ".join(READ)


def _readers() -> Message:
    """A reader is started and asked which limits hold; those that this system does not know are named."""
    pool = own_pool()
    pool.warm()
    reader = pool.states()[0]
    limits: dict[bool, list[Message]] = {True: [], False: []}
    for name, holds in reader["held"].items():
        limits[bool(holds)].append(Message(f"doctor.limit.{name}"))
    told = {"held": limits[True] or None, "not": limits[False]}
    return Message("doctor.limits" if limits[False] else "doctor.limits-all", told)


def _demo() -> str:
    from geoplan_api.demo import data_folder, towns

    return f"{data_folder()} ({len(towns())})"


def _home() -> str:
    from geoplan_api.settings import Settings

    home = Path(Settings().home)
    home.mkdir(parents=True, exist_ok=True)
    probe = home / ".geoplan-doctor"
    probe.write_text("", encoding="utf-8")
    probe.unlink()
    return str(home)


def _fonts() -> str:
    if shutil.which("fc-list") is None:
        return "—"
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False).stdout
    if not listed.strip():
        raise RuntimeError("fc-list :lang=zh → —")
    return listed.splitlines()[0]


def _versions() -> str:
    return ", ".join(f"{name} {version}" for name, version in software().items())


_EXAMINATIONS: dict[str, Callable[[], str | Message]] = {
    "policies": _policies,
    "assets": _assets,
    "drivers": _drivers,
    "readers": _readers,
    "demo": _demo,
    "home": _home,
    "fonts": _fonts,
    "versions": _versions,
}
