"""The facts file of a proposal: TOML, strictly read."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from geoplan.boundary import Source
from geoplan.errors import InputRefused
from geoplan.facts import Facts, parse_facts


def read_facts(path: Path, shown: str | None = None) -> tuple[Facts, Source]:
    """Facts and the file that they come from.

    Raises
    ------
    InputRefused
        No such file, not UTF-8, not TOML, an unknown key, a value of the wrong kind.
    """
    name = shown or path.name
    try:
        raw = path.read_bytes()
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputRefused("no-such-file", file=str(path)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise InputRefused("facts-not-toml", file=name, detail=str(wrong)) from None
    return parse_facts(content, name), Source(name, hashlib.sha256(raw).hexdigest())
