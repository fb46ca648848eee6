"""The criteria file of a search: TOML, strictly read."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from geoplan.boundary import Source
from geoplan.errors import InputRefused
from geoplan.search.criteria import Criteria
from geoplan.search.parsing import parse_criteria

_MOST_BYTES = 1_000_000


def read_criteria(path: Path, shown: str | None = None) -> tuple[Criteria, Source]:
    """Criteria and the file that they come from.

    Raises
    ------
    InputRefused
        No such file, too long, not UTF-8, not TOML, an unknown key, a value of the wrong kind.
    """
    name = shown or path.name
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise InputRefused("criteria-not-toml", file=name, detail=f"> {_MOST_BYTES} bytes")
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputRefused("no-such-file", file=str(path)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise InputRefused("criteria-not-toml", file=name, detail=str(wrong)) from None
    return parse_criteria(content, name), Source(name, hashlib.sha256(raw).hexdigest())
