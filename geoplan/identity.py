"""The hashes that name a report and its evidence: the same question has the same id on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import rfc8785
import shapely

from geoplan.judgement import Evidence

_NOT_HASHED = frozenset({"id", "software", "made_at"})
_NAMES = frozenset({"file", "says"})
_EVIDENCE_DECIMALS = 4
_EXACT = 2.0**53


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

    The standard library's encoder writes the same bytes ten times as fast where no number needs an exponent and no
    key lies beyond the basic plane, whose order by code points is that of UTF-16; whatever else is left to ``rfc8785``.
    """
    try:
        plain = _as_written(data)
    except ValueError:
        return rfc8785.dumps(data)
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _as_written(value: Any) -> Any:
    """The data with whole numbers as integers, as JavaScript writes them.

    Raises
    ------
    ValueError
        Something that the two encoders write differently, or that canonical JSON refuses.
    """
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key.isprintable() and max(key, default="") <= "\ud7ff" for key in value):
            raise ValueError("a key that sorts in another way")
        return {key: _as_written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    if isinstance(value, int | float) and abs(value) < _EXACT:
        if value == int(value):
            return int(value)
        if "e" not in repr(float(value)):
            return value
    raise ValueError("a number with an exponent, or no plain data")


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
