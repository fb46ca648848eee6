"""Hashes of what was read: one file, a file with its companions, a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

_HASHED = (".shp", ".dbf", ".prj", ".cpg")
_INDEXES = frozenset({".shx", ".sbn", ".sbx", ".qix"})


def sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def shapefile_hash(parts: Mapping[str, Path]) -> str:
    """Hash of what a file and its companions say, in the order of their suffixes, names aside, indexes left out."""
    digest = hashlib.sha256()
    order = sorted(parts, key=lambda suffix: (_HASHED.index(suffix) if suffix in _HASHED else len(_HASHED), suffix))
    for suffix in order:
        if suffix not in _INDEXES:
            digest.update(suffix.encode() + bytes.fromhex(sha256(parts[suffix])))
    return digest.hexdigest()
