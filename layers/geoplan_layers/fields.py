"""Which columns of a reference layer mean what, and which generation its codes belong to."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan.landuse import Generation
from geoplan.layer import ATTRIBUTES
from geoplan_layers.files.table import Column, Table


@cache
def _content() -> Mapping[str, Any]:
    return tomllib.loads(files("geoplan_layers").joinpath("fields.toml").read_text(encoding="utf-8"))


def _names(role: str, meaning: str) -> list[str]:
    table = _content().get(role if not role.startswith("custom:") else "custom", {})
    common = _content()["common"].get(meaning, [])
    return [*table.get(meaning, []), *common]


def column_for(table: Table, role: str, meaning: str) -> Column | None:
    """The column of a layer that holds its ``id``, ``code``, ``year`` or whatever ``meaning`` is; or none."""
    return table.column(*_names(role, meaning))


def fields_of(names: Iterable[str], role: str) -> dict[str, str]:
    """Which of a layer's fields hold what, by meaning: ``id``, ``code``, ``name``, ``ridge``, ``area``, ``year`` …"""
    given = {name.upper(): name for name in names}
    table = _content().get(role if not role.startswith("custom:") else "custom", {})
    found = {}
    for meaning in {**_content()["common"], **table}:
        known = next((given[name.upper()] for name in _names(role, meaning) if name.upper() in given), None)
        if known is not None:
            found[meaning] = known
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A layer of a database standard: its role, its names, fields that no other has, the generation of its codes."""

    role: str
    names: tuple[str, ...]
    fields: tuple[str, ...]
    generation: Generation | None


@cache
def known_layers() -> tuple[Known, ...]:
    """The layers whose names and fields are known."""
    return tuple(
        Known(each["role"], tuple(each["names"]), tuple(each.get("fields", ())), each.get("generation"))
        for each in _content()["layer"]
    )


def zones_of(role: str) -> list[str]:
    """The first two digits of every code of a role's zones (管制区, 土地用途区); none for other roles."""
    return [str(each) for each in _content().get("zones", {}).get(role, [])]


def generation_of(fields: Iterable[str], role: str) -> Generation | None:
    """The generation that a layer's fields decide; none where they decide none, or more than one."""
    present = {name.upper() for name in fields}
    found: list[Generation] = [
        generation
        for generation, how in _content()["generation"].items()
        if role in how["roles"] and present & {name.upper() for name in how["fields"]}
    ]
    return found[0] if len(found) == 1 else None


def attributes_of(table: Table, role: str) -> dict[str, NDArray[np.object_]]:
    """What patches carry besides their class (`ATTRIBUTES`), as texts: only what the layer has a field for."""
    columns = {name: column_for(table, role, name) for name in ATTRIBUTES}
    return {name: texts(column, len(table)) for name, column in columns.items() if column is not None}


def texts(column: Column | None, count: int) -> NDArray[np.object_]:
    """A column as texts: codes kept as written, whole numbers without a decimal point, nothing as ''."""
    if column is None:
        return np.full(count, "", dtype=object)
    return np.array([_text(value) for value in column], dtype=object)


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _number(value: object) -> float:
    """A number, also one that was kept as text; nothing as 0."""
    try:
        found = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def net_factors(column: Column | None, count: int) -> NDArray[np.float64]:
    """1 − 扣除系数 for each patch; second-survey shares written as percent (> 1) are divided by 100."""
    if column is None:
        return np.ones(count)
    ridges = np.array([_number(value) for value in column], dtype=float)
    ridges = np.where(ridges > 1, ridges / 100, ridges)
    return np.asarray(1.0 - np.clip(ridges, 0.0, 1.0), dtype=np.float64)
