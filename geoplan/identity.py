"""The hashes that name a report and its evidence: the same question has the same id on every machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import rfc8785
import shapely

from geoplan.judgement import Evidence

_NOT_HASHED = frozenset({"id", "software", "made_at"})
_NAMES = frozenset({"file", "says"})
_EVIDENCE_DECIMALS = 4
_EXACT = 2.0**53
_LITERAL = re.compile(rb'"\\u0000([^"]+)"')
"""A number that the standard library would write in another way, on its way through it as a text."""


def report_id(content: Mapping[str, Any]) -> str:
    """The hash that names a report's content.

    >>> a = report_id({"verdict": "pass", "made_at": "2026-01-01T00:00:00Z", "says": {"en": "x"}})
    >>> a == report_id({"verdict": "pass", "id": "old"})
    True
    """
    kept = {key: unnamed(value) for key, value in content.items() if key not in _NOT_HASHED | _NAMES}
    return f"sha256:{hashlib.sha256(canonical(kept)).hexdigest()}"


def canonical(data: Any) -> bytes:
    """Plain data as canonical JSON (RFC 8785).

    The standard library's encoder writes the same bytes ten times as fast where no number is past 2⁵³ and no key lies
    beyond the basic plane, whose order by code points is that of UTF-16; whatever else is left to ``rfc8785``.
    """
    try:
        plain = _as_written(data)
    except ValueError:
        return rfc8785.dumps(data)
    written = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return _LITERAL.sub(rb"\1", written)


@lru_cache(maxsize=4096)
def _sorts_alike(key: Any) -> bool:
    """Whether a key is a text that sorts by code points as by UTF-16, and is written as it is."""
    return isinstance(key, str) and key.isprintable() and max(key, default="") <= "\ud7ff"


def _as_written(value: Any) -> Any:
    """The data with whole numbers as integers and those near nought as texts, as JavaScript writes them.

    Raises
    ------
    ValueError
        Something that the two encoders write differently, or that canonical JSON refuses.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text that may stand for a number")
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        if not all(map(_sorts_alike, value)):
            raise ValueError("a key that sorts in another way")
        return {key: _as_written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    if isinstance(value, int | float) and abs(value) < _EXACT:
        if value == int(value):
            return int(value)
        digits, _, exponent = repr(float(value)).partition("e")
        if not exponent:
            return value
        return "\0" + (f"{digits}e{int(exponent)}" if int(exponent) < -6 else f"{Decimal(repr(value)):f}")
    raise ValueError("a number past 2⁵³, or no plain data")


def unnamed(value: Any) -> Any:
    """Plain data without file names and ``says``: what two equal answers share."""
    if isinstance(value, Mapping):
        return {key: unnamed(each) for key, each in value.items() if key not in _NAMES}
    if isinstance(value, list | tuple):
        return [unnamed(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def evidence_hash(evidence: tuple[Evidence, ...]) -> str:
    """Hash of all evidence geometry: ids with their pieces, coordinates to 0.1 mm, in the order of the ids."""
    digest = hashlib.sha256()
    pieces = sorted(evidence, key=lambda each: each.id)
    shapes = np.array([piece.shape for piece in pieces], dtype=object)
    rounded = shapely.normalize(shapely.transform(shapes, lambda xy: xy.round(_EVIDENCE_DECIMALS) + 0.0))
    for piece, wkb in zip(pieces, shapely.to_wkb(rounded, byte_order=1), strict=True):
        digest.update(piece.id.encode())
        digest.update(wkb)
    return digest.hexdigest()
