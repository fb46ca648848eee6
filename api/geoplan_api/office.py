"""An office's own policies: files given by name, and the folder ``policies`` of the home."""

from __future__ import annotations

import os
from pathlib import Path

from geoplan.errors import CallRefused
from geoplan.policy import Policy, PolicyBook, parse_policy, shipped


def home_folder() -> Path:
    """``GEOPLAN_HOME``, else the platform's data folder."""
    given = os.environ.get("GEOPLAN_HOME")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_data_path("geoplan", appauthor=False)


def read_policy(path: Path) -> Policy:
    """One policy file of an office.

    Raises
    ------
    CallRefused
        There is no such file, or it is not UTF-8.
    PolicyRefused
        It does not say what a policy must say.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CallRefused("no-such-file", file=str(path)) from None
    except UnicodeDecodeError as wrong:
        raise CallRefused("policy-not-toml", file=path.name, detail=str(wrong)) from None
    return parse_policy(text, path.name)


def office_policies(home: Path) -> tuple[Policy, ...]:
    """Every policy file in the home's ``policies`` folder; none where there is no such folder."""
    return tuple(read_policy(path) for path in sorted((home / "policies").glob("*.toml")))


def book_for(ids: tuple[str, ...]) -> PolicyBook:
    """The shipped policies, with the office's own where one of ``ids`` is not shipped."""
    return PolicyBook(own_for(ids))


def own_for(ids: tuple[str, ...]) -> tuple[Policy, ...]:
    """The office's own policies, read only where one of ``ids`` is not shipped: a faulty file blocks nothing else."""
    return () if set(ids) <= set(shipped()) else office_policies(home_folder())
