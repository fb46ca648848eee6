"""A user's own datum parameters from a local file: read into memory for one run, and nowhere else."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from geoplan.datum import DatumParameters, understand
from geoplan.errors import InputRefused, TooLarge

_MOST = 20_000


def read_parameters(path: Path) -> DatumParameters:
    """The parameters of a TOML file; its refusals hold no value of it.

    Raises
    ------
    InputRefused
        No such file, not TOML, or not datum parameters as `geoplan.datum.understand` wants them.
    """
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    if path.stat().st_size > _MOST:
        raise TooLarge("file-too-large", file=path.name, size=path.stat().st_size, most=_MOST)
    raw = path.read_bytes()
    try:
        content = tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # not UTF-8, not TOML, nested without end
        raise InputRefused("parameters-not-toml", file=path.name) from None
    return understand(content, path.name, hashlib.sha256(raw).hexdigest())
