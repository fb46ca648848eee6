"""The parts of a finding in words: clauses, readings, limits, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geoplan.messages import Lang, Message, say, word
from geoplan.messages.units import format_unit

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ClauseView:
    """A clause as it is shown: place, paper, words, and whether they are the paper's own."""

    at: str
    paper: str
    words: str
    is_quote: bool
    trust: str
    decides: bool

    @classmethod
    def of(cls, record: Json) -> ClauseView:
        """The clause of a report's record."""
        quote, summary = record.get("quote"), record.get("summary")
        return cls(
            at=record["at"],
            paper=record.get("paper", ""),
            words=str(quote or summary),
            is_quote=quote is not None,
            trust=record["trust"],
            decides=record.get("decides", True),
        )


def turn_line(turn: Json, lang: Lang) -> str:
    """How far the boundary is from another verdict, and the area there."""
    args = {"verdict": turn["verdict"], "shift": abs(turn["shift_m"]), "area": turn["area_m2"]}
    return say(Message("view.turn-out" if turn["shift_m"] > 0 else "view.turn-in", args), lang)


def reading_lines(reading: Json, lang: Lang) -> list[tuple[str, str]]:
    """A reading in words: what each key means, and its value with its unit."""
    return [(word("reading-key", key, lang), _reading(key, value, lang)) for key, value in reading.items()]


def _reading(key: str, value: Any, lang: Lang) -> str:
    if isinstance(value, str):
        return word("town-stage" if key == "stages" else "reading", value, lang)
    joint = "、" if lang == "zh" else ", "
    if isinstance(value, list | tuple):
        return joint.join(_reading(key, each, lang) for each in value)
    if isinstance(value, Mapping):
        equals = " = " if key == "stages" else say(Message("page.colon"), lang)
        return joint.join(f"{name}{equals}{_reading(key, each, lang)}" for name, each in value.items())
    return format_unit(value, _unit_of(key), lang)


def _unit_of(key: str) -> str:
    """Unit of a reading by how its key ends."""
    return {"m": "distance", "share": "share"}.get(key.rpartition("_")[2], "count")


def quantity(value: float, unit: str, lang: Lang) -> str:
    """A figure with its unit: areas in km² from 0.1 km², else m²; distances in km from 1 km."""
    return format_unit(value, {"m2": "area", "m": "distance"}.get(unit, unit), lang)


def limit_line(limit: Json, lang: Lang) -> str:
    """A limit in words: each bound that there is."""
    unit = limit.get("unit") or "m2"
    bounds = [(which, limit[which]) for which in ("min", "about", "max") if limit.get(which) is not None]
    joint = "，" if lang == "zh" else ", "
    return joint.join(f"{say(Message(f'view.limit-{which}'), lang)} {quantity(v, unit, lang)}" for which, v in bounds)
