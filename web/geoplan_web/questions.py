"""What a failed import asks of its user: an answer lets it go on without sending anything again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geoplan.landuse import GENERATIONS
from geoplan.messages import Message


@dataclass(frozen=True)
class Question:
    """A choice: the field that it fills, and what may be chosen, each with what is said of it.

    ``swapped`` says that x and y of the file are exchanged, which choosing takes as settled.
    """

    field: str
    options: Sequence[tuple[str, Message]]
    swapped: bool = False


def question_of(error: Mapping[str, Any] | None) -> Question | None:
    """What a refusal asks; none where nothing can be chosen."""
    args = (error or {}).get("args", {})
    found, choices = args.get("found"), args.get("choices")
    if isinstance(choices, list) and (known := [each for each in choices if each in GENERATIONS]):
        return Question("generation", [(each, Message("layers.generation", {"generation": each})) for each in known])
    if isinstance(found, list) and found:
        options = [(f"EPSG:{each['epsg']}", Message("layers.candidate", _candidate(each))) for each in found]
        return Question("crs", options, any(each.get("swapped") for each in found))
    return None


def _candidate(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "epsg": str(each["epsg"]),
        "what": {"zh": each.get("zh", ""), "en": each.get("en", "")},
        "place": (each.get("place") or {}).get("name", ""),
        "lon": each.get("lon"),
        "lat": each.get("lat"),
    }
