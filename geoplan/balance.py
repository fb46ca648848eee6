"""Balance tables that add up: figures rounded so that their sum is the rounded sum (largest remainder)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal


def adding_up(values: Sequence[float], digits: int = 2, *, total: float | None = None) -> list[float]:
    """Values rounded to ``digits`` decimals so that they sum to their total, rounded half up.

    Each is rounded down, and what is then missing goes, one unit each, to the values that lost most (the first of
    equals): no figure is farther than one unit from its own rounding. Single figures are rounded half up, never by
    this.

    Parameters
    ----------
    values
        What a table lists, none negative.
    total
        What they are parts of, where that is measured on its own; it may differ from their sum by less than half a
        unit for each value.

    Raises
    ------
    ValueError
        ``total`` is farther from the sum than rounding can bridge.

    >>> adding_up([1.004, 1.004, 1.004]), sum(adding_up([1 / 3] * 3, 0, total=1.0))
    ([1.01, 1.0, 1.0], 1.0)
    """
    unit = Decimal(1).scaleb(-digits)
    exact = [Decimal(repr(float(value))) / unit for value in values]
    whole = Decimal(repr(float(math.fsum(values) if total is None else total))) / unit
    down = [value.to_integral_value(rounding=ROUND_FLOOR) for value in exact]
    missing = int(whole.to_integral_value(rounding=ROUND_HALF_UP) - sum(down))
    if not 0 <= missing <= len(values):
        raise ValueError(f"the parts sum to {math.fsum(values)}, not to {total}")
    most = sorted(range(len(values)), key=lambda i: (down[i] - exact[i], i))[:missing]
    return [float((value + (i in most)) * unit) for i, value in enumerate(down)]
