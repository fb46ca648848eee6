"""Refusals as plain data: what a child tells its parent, and what the table keeps."""

from __future__ import annotations

import json
from typing import Any

from geoplan.errors import GeoplanError
from geoplan.messages import Message


def as_stored(error: GeoplanError) -> dict[str, Any]:
    """A refusal as the table keeps it and as a child tells it: its words in each language, its class and arguments."""
    args: dict[str, Any] = json.loads(json.dumps(dict(error.message.args), default=_plain))
    return error.as_dict() | {"class": type(error).__name__, "args": args}


def _plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Message) else str(value)
