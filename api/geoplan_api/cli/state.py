"""Language of the command line: ``--lang``, else the setting, else Chinese."""

from __future__ import annotations

import os
from collections.abc import Sequence

from geoplan.messages import Lang


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
