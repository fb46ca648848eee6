"""Inputs that the service kept, laid out under their own names again so that they can be read once more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from geoplan_api.store import Store, StoredCheck

_SHA256 = re.compile(r"[0-9a-f]{64}")


def lay_out(home: Path, report_id: str, wanted: Iterable[tuple[str, str]], into: Path) -> None:
    """Link what a home keeps for a report into a folder, each input in a folder of its own.

    Parameters
    ----------
    home
        A home folder; nothing happens where the service never ran in it.
    wanted
        Hash and name of further files, looked up by hash alone.
    """
    for check in _checks(home, report_id):
        for i, given in enumerate(check.request["inputs"]):
            _link(home, given["sha256"], into / f"{check.id}-{_group(check, i)}", given["name"])
    for sha256, name in wanted:
        _link(home, sha256, into / sha256, name)


def _checks(home: Path, report_id: str) -> list[StoredCheck]:
    if not (home / "geoplan.db").is_file():
        return []
    store = Store(home / "geoplan.db")
    try:
        return store.of_report(report_id)
    finally:
        store.close()


def _group(check: StoredCheck, i: int) -> str:
    """What belongs together lies together: the files of one field with one stem, such as a .shp and its .dbf."""
    inputs = check.request["inputs"]
    mine = (inputs[i]["field"], Path(inputs[i]["name"]).stem.lower())
    return str(next(k for k, each in enumerate(inputs) if (each["field"], Path(each["name"]).stem.lower()) == mine))


def _link(home: Path, sha256: str, folder: Path, name: str) -> None:
    place = home / "objects" / sha256[:2] / sha256
    if not _SHA256.fullmatch(sha256) or not place.is_file() or Path(name).name != name:
        return
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / name
    if not link.exists():
        link.symlink_to(place.resolve())
