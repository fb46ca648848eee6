"""What a layer is: which generation its codes belong to and which fields hold what, by its name and its fields.

A code that means different land in different generations is never guessed: where neither name nor fields decide, the
owner is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from geoplan.errors import InputRefused
from geoplan.landuse import GENERATIONS, Generation
from geoplan_layers.fields import fields_of, generation_of, zones_of

_JUDGED_BY_CODE = frozenset({"land-use", "planned-land-use"})
"""Roles of which rules ask by class: what their codes mean has to be known."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was recognised: the generation of the codes, and fields by meaning."""

    role: str
    generation: Generation | None
    fields: dict[str, str]
    day: date | None = None

    @property
    def coded(self) -> bool:
        """Whether patches carry a class or zone."""
        return "code" in self.fields or "name" in self.fields


def known_zones(role: str) -> frozenset[str]:
    """The first two digits of the codes of a plan's zones; none for a role without such."""
    return frozenset(zones_of(role))


def recognised(
    role: str, reads: Sequence[Any], names: Sequence[str], given: Generation | None, taken: Any
) -> Recognised:
    """Recognise a layer of a role.

    Raises
    ------
    InputRefused
        Nothing decides what its codes mean; the message names the choices.
    """
    del taken
    fields = fields_of(names, role)
    generation = given or generation_of(names, role)
    if generation is None and role in _JUDGED_BY_CODE and "code" in fields:
        raise InputRefused(
            "generation-unsure",
            file=reads[0].source.file,
            where=reads[0].name,
            role=role,
            field=fields["code"],
            choices=list(GENERATIONS),
        )
    return Recognised(role, generation, fields)
