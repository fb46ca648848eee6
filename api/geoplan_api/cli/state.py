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
    for i, each in enumerate(arguments):
        if each == "--lang" and i + 1 < len(arguments) and arguments[i + 1] == "en":
            return "en"
        if each == "--lang=en":
            return "en"
    return "en" if os.environ.get("GEOPLAN_LANG") == "en" else "zh"
