"""How large an input may be. Boundaries are small; reference layers have limits of their own."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one input: bytes of the file, of what an archive unpacks to, entries, features, vertices.

    ``ratio`` is how many times larger than its packed form a member of an archive may be.
    """

    file_bytes: int
    unpacked_bytes: int
    entries: int
    features: int
    vertices: int
    ratio: int = 200


BOUNDARY = Limits(file_bytes=100 * MB, unpacked_bytes=300 * MB, entries=200, features=5_000, vertices=5_000_000)
LAYER = Limits(
    file_bytes=20_000 * MB,
    unpacked_bytes=40_000 * MB,
    entries=2_000,
    features=50_000_000,
    vertices=2_000_000_000,
    ratio=500,
)
