"""Whether reference layers are of their time: too old, past their term, of a survey that another has replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from geoplan.landuse import Generation
from geoplan.messages import Message

MOST_YEARS = 3
"""Years after which a land-use or farmland layer is called old where nobody says otherwise."""
_AGEING = frozenset({"land-use", "permanent-basic-farmland"})
THIRD_SURVEY = date(2019, 12, 31)
"""The day for which the third survey holds (第三次全国国土调查, 标准时点), which ends the second survey's."""


class Dated(Protocol):
    """What is known of the time of a layer: every `geoplan.layer.Layer` says it, and the record of a version."""

    @property
    def role(self) -> str:
        """The role that it serves."""
        ...

    @property
    def day(self) -> date | None:
        """Date of the data."""
        ...

    @property
    def valid_until(self) -> date | None:
        """The last day of its validity."""
        ...

    @property
    def generation(self) -> Generation | None:
        """The standard of its classes."""
        ...


def outdated(layers: Sequence[Dated], on: date, years: int) -> list[Message]:
    """What is to be said of layers that may not show the ground as it is on a day.

    Parameters
    ----------
    years
        How old a land-use or farmland layer may be.
    """
    told = [message for layer in layers for message in _of(layer, on, years)]
    return [each for i, each in enumerate(told) if each not in told[:i]]


def _of(layer: Dated, on: date, years: int) -> list[Message]:
    found, day = [], layer.day
    if (
        layer.role in _AGEING
        and day is not None
        and (day.year + years, day.month, day.day) < (on.year, on.month, on.day)
    ):
        found.append(Message("warning.layer-old", {"role": layer.role, "date": day.isoformat(), "years": years}))
    if layer.role in _AGEING and layer.generation == "second-survey" and on >= THIRD_SURVEY:
        args = {"role": layer.role, "since": THIRD_SURVEY.isoformat()}
        found.append(Message("warning.layer-second-survey", args))
    if layer.valid_until is not None and layer.valid_until < on:
        args = {"role": layer.role, "until": layer.valid_until.isoformat()}
        found.append(Message("warning.layer-expired", args))
    return found
