"""Verdicts: their order, and what breaking a wording of a given strength gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Verdict = Literal["pass", "attention", "fail", "not-assessed", "not-applicable"]

WORST_FIRST: tuple[Verdict, ...] = ("fail", "not-assessed", "attention", "pass")
"""Order of verdicts; ``not-applicable`` does not count."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; ``not-applicable`` where nothing else is there.

    >>> worst(["pass", "attention", "not-applicable"]), worst(["not-applicable"])
    ('attention', 'not-applicable')
    """
    present = set(verdicts)
    for verdict in WORST_FIRST:
        if verdict in present:
            return verdict
    return "not-applicable"


def breach(strength: str) -> Verdict:
    """What breaking a rule of that wording gives (the table of strengths).

    must, strict, in principle, generally → fail; should → attention; may → not applicable.

    >>> breach("must"), breach("should"), breach("may")
    ('fail', 'attention', 'not-applicable')
    """
    if strength == "should":
        return "attention"
    return "not-applicable" if strength == "may" else "fail"


def is_waivable(strength: str) -> bool:
    """Whether a written exception (例外说明) may be granted: 原则上, and 一般 past its band."""
    return strength in {"in-principle", "generally"}
