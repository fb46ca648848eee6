"""The one catalogue of messages: an id and its arguments, said in Chinese or in English.

Reports, pages, maps, the command line and HTTP problems hold a :class:`Message` (an id and plain arguments, the
same in every language) and turn it into words with :func:`say` only when a person reads it.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from geoplan.messages.units import format_unit

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")

_WORDS = frozenset(
    {
        "class",
        "coverage",
        "fact-kind",
        "figure",
        "generation",
        "group",
        "job-kind",
        "job-status",
        "kind",
        "layer-reason",
        "method",
        "ownership",
        "part",
        "progress",
        "role",
        "search-method",
        "stage",
        "standing",
        "strength",
        "subject",
        "sums-by",
        "tier",
        "type",
        "unit",
        "verdict",
        "within",
        "zone",
    }
)


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence of the catalogue: its id and the arguments that fill it.

    Arguments are plain values (numbers in m, m², yuan or shares; ids of roles, classes, verdicts; text of the
    user), so a message is the same in every language and can be stored, hashed and compared.
    """

    id: str
    args: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The message as a JSON object ``{"id", "args"}``."""
        return {"id": self.id, "args": dict(self.args)}


class UnknownMessage(LookupError):
    """A message id that the catalogue does not hold: a fault of the program, found by the tests."""


@cache
def catalogue() -> Mapping[str, Mapping[Lang, str]]:
    """All messages: id → language → template, read once from the ``*.toml`` files beside this module."""
    figures = tomllib.loads(files("geoplan").joinpath("figures.toml").read_text(encoding="utf-8"))["figures"]
    entries: dict[str, Mapping[Lang, str]] = {f"word.figure.{path}": its for path, its in figures.items()}
    for path in sorted(files("geoplan.messages").iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            for key, value in _flatten(tomllib.loads(path.read_text(encoding="utf-8"))).items():
                if key in entries:
                    raise UnknownMessage(f"{path.name}: message {key!r} stands twice in the catalogue")
                entries[key] = value
    return entries


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Mapping[Lang, str]]:
    found: dict[str, Mapping[Lang, str]] = {}
    for key, value in table.items():
        path = f"{prefix}{key}"
        if "zh" in value and isinstance(value["zh"], str):
            found[path] = value
        else:
            found.update(_flatten(value, f"{path}."))
    return found


class _Formatter(string.Formatter):
    """``{area:km2}`` formats by unit, ``{role:role}`` is looked up, ``{n:#patch|patches}`` counts, lists are joined."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Message):
            return say(value, self.lang)
        if isinstance(value, Mapping) and "id" in value and "args" in value:
            return say(Message(value["id"], value["args"]), self.lang)
        if isinstance(value, Mapping) and self.lang in value:
            return str(value[self.lang])
        if isinstance(value, Sequence) and not isinstance(value, str):
            joint = "、" if self.lang == "zh" else ", "
            return joint.join(self.format_field(each, format_spec) for each in value)
        if value is None:
            return "—"
        if format_spec.startswith("#"):
            one, _, many = format_spec[1:].partition("|")
            return f"{format_unit(value, 'count', self.lang)} {one if value == 1 else many}"
        if format_spec in _WORDS:
            return word(format_spec, str(value), self.lang)
        return format_unit(value, format_spec, self.lang)


def say(message: Message, lang: Lang) -> str:
    """The message in words.

    Raises
    ------
    UnknownMessage
        When the catalogue has no such id or an argument is missing.

    >>> say(Message("word.verdict.pass"), "zh")
    '通过'
    """
    try:
        template = catalogue()[message.id][lang]
    except KeyError:
        raise UnknownMessage(f"no message {message.id!r} in {lang!r}") from None
    try:
        return _Formatter(lang).vformat(template, (), dict(message.args))
    except KeyError as missing:
        raise UnknownMessage(f"message {message.id!r} needs the argument {missing}") from None


def both(message: Message) -> dict[str, str]:
    """The message in every language, as reports carry it: ``{"zh": …, "en": …}``."""
    return {lang: say(message, lang) for lang in LANGUAGES}


def word(kind: str, name: str, lang: Lang) -> str:
    """The word for an id of a closed list (a verdict, a role, a land class); the id itself when it has none.

    >>> word("verdict", "fail", "en"), word("role", "custom:粮食生产功能区", "zh")
    ('fails', '粮食生产功能区')
    """
    entry = catalogue().get(f"word.{kind}.{name}")
    return entry[lang] if entry else name.removeprefix("custom:")
