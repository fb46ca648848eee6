"""Whose land a patch is by its 权属性质 (QSXZ): the state's or a collective's.

The code table of the second and third survey is by tens: 10 and 20 stand for state land, 30 (with 31 to 34 below it)
and 40 for collective land. Bureaus also export the words themselves.
"""

from __future__ import annotations

from typing import Literal

Ownership = Literal["state", "collective", "other", "unsaid"]


def ownership_of(text: str) -> Ownership:
    """Whose land a value of the field says it is.

    >>> [ownership_of(each) for each in ("20", "34", "集体土地所有权", "国有", "90", "")]
    ['state', 'collective', 'collective', 'state', 'other', 'unsaid']
    """
    plain = text.strip()
    if not plain:
        return "unsaid"
    if "国有" in plain or (plain.isdigit() and plain[0] in "12"):
        return "state"
    if "集体" in plain or (plain.isdigit() and plain[0] in "34"):
        return "collective"
    return "other"
