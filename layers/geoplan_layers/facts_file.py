"""The facts file of a proposal: TOML, strictly read."""

from __future__ import annotations

from pathlib import Path

from geoplan.boundary import Source
from geoplan.facts import Facts, parse_facts
from geoplan_layers.toml_file import read_toml


def read_facts(path: Path, shown: str | None = None) -> tuple[Facts, Source]:
    """Facts and the file that they come from.

    Raises
    ------
    InputRefused
        No such file, not UTF-8, not TOML, an unknown key, a value of the wrong kind.
    """
    name = shown or path.name
    content, digest = read_toml(path, name, "facts-not-toml")
    return parse_facts(content, name), Source(name, digest)
