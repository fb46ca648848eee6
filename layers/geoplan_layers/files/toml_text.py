"""TOML that a user wrote (facts, policies), parsed where files of users are: in a reader process."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.sandbox.wire import plain

MOST_BYTES = 500_000
"""The longest policy that is shipped has under 30,000."""


def packed_toml(path: Path, shown: str, refuse: str) -> tuple[str, bytes]:
    """The SHA-256 of a TOML file and its content as `sandbox.wire` packs values.

    Parameters
    ----------
    refuse
        Id of the refusal of what is no TOML.

    Raises
    ------
    InputRefused
        No such file, not UTF-8, not TOML, or nested past what can be read.
    TooLarge
        More than `MOST_BYTES`.
    """
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise TooLarge("text-too-large", file=shown, size=size, most=MOST_BYTES)
    raw = path.read_bytes()
    try:
        content = json.dumps(plain(tomllib.loads(raw.decode("utf-8-sig")))).encode()
    except RecursionError:
        raise InputRefused(refuse, file=shown, detail="nested too deep") from None
    except ValueError as wrong:  # TOMLDecodeError, UnicodeDecodeError, whole numbers of thousands of digits
        raise InputRefused(refuse, file=shown, detail=str(wrong)[:200]) from None
    return hashlib.sha256(raw).hexdigest(), content
