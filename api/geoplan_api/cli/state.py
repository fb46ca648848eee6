"""Language of the command line (``--lang``, else the setting, else Chinese), and how a refusal is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from geoplan.errors import GeoplanError
from geoplan.messages import Lang

REFUSED, UNFINISHED = 2, 4
"""Exit status: the input was refused or the call was wrong; the work could not be finished."""


def chosen_language(arguments: Sequence[str]) -> Lang:
    """The language that a call asks for, also when the call itself is wrong.

    >>> chosen_language(["check", "--lang", "en"]), chosen_language(["check", "--lang=en"])
    ('en', 'en')
    """
    asked = os.environ.get("GEOPLAN_LANG", "zh")
    for i, each in enumerate(arguments):
        if each == "--lang" and i + 1 < len(arguments):
            asked = arguments[i + 1]
        elif each.startswith("--lang="):
            asked = each.removeprefix("--lang=")
    return "en" if asked == "en" else "zh"


def tell_refused(why: GeoplanError) -> None:
    """Say on stderr, in the language of the call, why a command ends."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")  # over the line of the progress
    sys.stderr.write(f"{why.say(chosen_language(sys.argv))}\n")
