"""Some rows of a large layer as Arrow, and what holds for all of them; no file library is needed to hold one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from geoplan.crs import Frame
from geoplan.messages import Message

ROWS = 32_768
"""Rows of a batch."""
SHAPE, ROW = "geometry", "row"


@dataclass(frozen=True, slots=True)
class Head:
    """What holds for all batches of a layer.

    Names of its fields, its system, its text encoding, what reading noted, how many rows there are (0: not known).
    """

    fields: tuple[str, ...]
    frame: Frame | None
    encoding: str = "utf-8"
    notes: tuple[Message, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: ``geometry`` (WKB or null), ``row`` (from 1), then the fields in the order of the head."""

    head: Head
    rows: Any


BatchesFrom = Callable[[int], Iterator[Batch]]
"""The batches of a layer from its n-th row on."""
