"""Land classes: what a code means in the generation of its layer, never by the code alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, get_args

Generation = Literal["third-survey", "second-survey", "land-use-plan", "land-and-sea"]
GENERATIONS: tuple[Generation, ...] = get_args(Generation)


@cache
def _table() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    content = tomllib.loads(files("geoplan").joinpath("landuse.toml").read_text(encoding="utf-8"))
    return {
        generation: {group: tuple(codes) for group, codes in table.items()} for generation, table in content.items()
    }


@lru_cache(maxsize=4096)
def groups(code: str, generation: Generation) -> frozenset[str]:
    """The groups of land that a class code belongs to in its generation; none for an unknown code.

    The third survey's letters are working marks: ``0810A`` goes with 0810, and K (可调整) adds ``restorable``.

    >>> sorted(groups("0101", "third-survey") & {"cultivated", "paddy", "construction"})
    ['cultivated', 'paddy']
    >>> "dry" in groups("113", "land-use-plan"), "cultivated" in groups("113", "second-survey")
    (True, False)
    >>> "restorable" in groups("0201K", "third-survey")
    True
    """
    plain = code.strip().upper()
    found = {
        group for group, codes in _table()[generation].items() if any(plain.startswith(prefix) for prefix in codes)
    }
    if found and generation == "third-survey" and plain.endswith("K"):
        found.add("restorable")
    return frozenset(found)


@cache
def known_groups() -> frozenset[str]:
    """The groups of land that rules may name, of all generations."""
    return frozenset(group for table in _table().values() for group in table) | {"restorable"}
