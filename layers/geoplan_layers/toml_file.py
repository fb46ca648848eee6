"""A user's TOML file as plain values: a reader process parses it, under limits on size, time and memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from geoplan.errors import InputRefused
from geoplan_layers.files.limits import BOUNDARY
from geoplan_layers.sandbox.session import held
from geoplan_layers.sandbox.wire import WireBroken, value_of


def read_toml(path: Path, shown: str, refuse: str) -> tuple[dict[str, Any], str]:
    """Content and SHA-256 of a TOML file.

    Parameters
    ----------
    refuse
        Id of the refusal of what is no TOML; its message takes ``detail``.

    Raises
    ------
    InputRefused
        No such file, not TOML, or the reader ended over it.
    TooLarge
        It is longer than any such file.
    """
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    with held(path, shown, None, BOUNDARY) as handle:
        header, body = handle.ask("toml", refuse=refuse)
        try:
            content = value_of(json.loads(body.tobytes()))
        except (ValueError, RecursionError, WireBroken) as wrong:
            handle.distrust()
            raise InputRefused("reader-ended", file=shown, detail=str(wrong)[:120]) from None
    assert isinstance(content, dict), "a TOML file is a table"
    return content, str(header["sha256"])
