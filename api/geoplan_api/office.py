"""An office's own policies: files given by name, and the folder ``policies`` of the home."""

from __future__ import annotations

import os
from pathlib import Path

from geoplan.errors import CallRefused, InputRefused, PolicyRefused
from geoplan.policy import Policy, PolicyBook, parse_policy, policy_of, shipped
from geoplan_layers.toml_file import read_toml


def home_folder() -> Path:
    """``GEOPLAN_HOME``, else the platform's data folder."""
    given = os.environ.get("GEOPLAN_HOME")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_data_path("geoplan", appauthor=False)


def read_policy(path: Path, shown: str | None = None) -> Policy:
    """One policy file of an office; ``shown`` is the name that its user gave it.

    Raises
    ------
    CallRefused
        There is no such file.
    PolicyRefused
        It is not UTF-8, or does not say what a policy must say.
    InputRefused
        It is too large, or the reader ended over it.
    """
    name = shown or path.name
    if not path.is_file():
        raise CallRefused("no-such-file", file=str(path))
    try:
        content, _ = read_toml(path, name, "policy-not-toml")
    except InputRefused as wrong:
        if wrong.id != "policy-not-toml":
            raise
        raise PolicyRefused(wrong.id, file=wrong.file, **wrong.message.args) from None
    return policy_of(content, name)


def _of_the_home(path: Path) -> Policy:
    """A policy of the home folder, which is the operator's own."""
    try:
        return parse_policy(path.read_text(encoding="utf-8-sig"), path.name)
    except UnicodeDecodeError as wrong:
        raise PolicyRefused("policy-not-toml", file=path.name, detail=str(wrong)) from None


def office_policies(home: Path) -> tuple[Policy, ...]:
    """Every policy file in the home's ``policies`` folder; none where there is no such folder."""
    return tuple(_of_the_home(path) for path in sorted((home / "policies").glob("*.toml")))


def own_for(ids: tuple[str, ...]) -> tuple[Policy, ...]:
    """The office's own policies, read only where one of ``ids`` is not shipped: a faulty file blocks nothing else."""
    return () if set(ids) <= set(shipped()) else office_policies(home_folder())


def named(given: tuple[str, ...], own: tuple[Policy, ...] | None = None) -> tuple[tuple[str, ...], PolicyBook]:
    """Ids of policies named by id or by file (``FILE.toml``), and the book that holds them.

    ``own`` are the office's policies where the caller holds them already; else the home folder is asked.
    """
    read = {each: read_policy(Path(each)) for each in given if each.endswith(".toml")}
    ids = tuple(read[each].id if each in read else each for each in given)
    held = own if own is not None else own_for(tuple(each for each in given if each not in read))
    return ids, PolicyBook((*held, *read.values()))
