"""Colours of drawings: fixed for what the product itself draws, in turn for everything else.

Boundaries and farmland as Chinese planning maps draw them (the red line is red, basic farmland yellow-green).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TURN = ("1f78b4", "33a02c", "e31a1c", "ff7f00", "6a3d9a", "b15928", "17a2a2", "c2185b")

_FIXED: Mapping[str, str] = MappingProxyType(
    {
        "planning": "1d4ed8",
        "construction": "d00000",
        "permanent-basic-farmland": "7a8f00",
        "ecological-redline": "0b7a3b",
        "land-use": "b15928",
        "planned-land-use": "c2185b",
    }
)


def fixed_colour(key: str, number: int) -> str:
    """The colour of a part or role as ``rrggbb``: its own, else by its place among the groups.

    >>> fixed_colour("planning", 0), fixed_colour("custom:x", 9)
    ('1d4ed8', '33a02c')
    """
    return _FIXED.get(key) or in_turn(number)


def in_turn(number: int) -> str:
    """The colour of the group at a place among others, as ``rrggbb``."""
    return _TURN[number % len(_TURN)]
