"""Arrow columns of a layer as what its fields mean: texts, shares of ridges, numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geoplan_layers.fields import net_factors, texts


def texts_of(column: Any | None, count: int) -> list[str]:
    """A column as texts, as `geoplan_layers.fields.texts` reads them; nothing as ''."""
    if column is None:
        return [""] * count
    encoded = _encoded(column)
    words: list[str] = [*texts(_objects(encoded.dictionary), len(encoded.dictionary)), ""]
    return [words[i] for i in encoded.indices.fill_null(len(words) - 1).to_pylist()]


def net_of(column: Any | None, count: int) -> NDArray[np.float64]:
    """The share that is not ridge, as `geoplan_layers.fields.net_factors` reads it."""
    if column is None:
        return np.ones(count)
    encoded = _encoded(column)
    factors = np.append(net_factors(_objects(encoded.dictionary), len(encoded.dictionary)), 1.0)
    return np.asarray(factors[encoded.indices.fill_null(len(factors) - 1).to_numpy(zero_copy_only=False)])


def numbers_of(column: Any) -> NDArray[np.float64]:
    """A column as numbers, also where they were kept as text; what is none as not a number."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.array([_number(value) for value in column.to_pylist()], dtype=np.float64)


def _number(value: object) -> float:
    try:
        found = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return math.nan
    return found


def _encoded(column: Any) -> Any:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):  # no rows
        whole = pa.array([], column.type)
    if pa.types.is_nested(whole.type):
        whole = pa.array([None if each is None else str(each) for each in whole.to_pylist()], pa.large_string())
    return whole.dictionary_encode()


def _objects(array: Any) -> NDArray[np.object_]:
    values = array.to_pylist()
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
