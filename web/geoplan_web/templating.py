"""Templates of pages: Jinja2 with everything escaped, and words from the one catalogue."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from geoplan.messages import Lang, Message, say, word
from geoplan.messages.units import format_unit
from geoplan_web import assets


def render(template: str, lang: Lang, **content: Any) -> str:
    """A template in one language.

    Templates have ``say(id, **args)`` and ``word(kind, name)`` for words, ``unit(value, unit)`` for figures, ``url``
    for script and style files, and ``lang``.
    """
    return _environment().get_template(template).render(
        lang=lang,
        say=lambda key, **args: say(Message(key, args), lang),
        word=lambda kind, name: word(kind, name, lang),
        unit=partial(_unit, lang=lang),
        **content,
    )  # fmt: skip


def _unit(value: Any, unit: str, lang: Lang) -> str:
    return "—" if value is None else format_unit(value, unit, lang)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("geoplan_web"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["url"] = assets.url
    return made
