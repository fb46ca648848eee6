"""What a layer is: which generation its codes belong to and which fields hold what, by its name and its fields.

A code that means different land in different generations is never guessed: where neither name nor fields decide, the
owner is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from geoplan.errors import InputRefused
from geoplan.landuse import GENERATIONS, Generation
from geoplan.messages import Message
from geoplan_layers.fields import Known, fields_of, generation_of, known_layers, zones_of

_JUDGED_BY_CODE = frozenset({"land-use", "planned-land-use"})
"""Roles of which rules ask by class: what their codes mean has to be known."""
_NOT_IN_A_NAME = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was recognised: the generation of the codes, fields by meaning, the date, and what there is to say of it."""

    role: str
    generation: Generation | None
    fields: dict[str, str]
    day: date | None = None
    notes: tuple[Message, ...] = ()

    @property
    def coded(self) -> bool:
        """Whether patches carry a class or zone."""
        return "code" in self.fields or "name" in self.fields


def recognised(
    role: str,
    files: Sequence[tuple[str, str]],
    fields: Sequence[str],
    given: Generation | None,
    years: Iterable[int] = (),
) -> Recognised:
    """Recognise a layer of a role.

    Parameters
    ----------
    files
        Name and layer of each file.
    fields
        Names of the fields of all files.
    given
        The generation that its owner says.
    years
        Years of its 数据年份.

    Raises
    ------
    InputRefused
        The fields are those of another layer, or nothing decides what its codes mean; the message names the choices.
    """
    file, layer = files[0]
    _require_role(role, file, layer, fields)
    named = [known for each in files if (known := named_as(*each)) is not None]
    meaning = fields_of(fields, role)
    by_name: set[Generation] = {each.generation for each in named if each.role == role and each.generation}
    found: list[Generation] = [each for each in (given, generation_of(fields, role), *by_name) if each]
    if given is None and len(set(found)) > 1:
        raise InputRefused("generation-contradiction", file=file, where=layer, role=role, choices=sorted(set(found)))
    if not found and role in _JUDGED_BY_CODE and "code" in meaning:
        choices = list(GENERATIONS)
        raise InputRefused(
            "generation-unsure", file=file, where=layer, role=role, field=meaning["code"], choices=choices
        )
    year = max(years, default=None)
    other = next((each for each in named if each.role != role), None)
    notes = (Message("read.layer-named-otherwise", {"file": file, "named": other.role, "role": role}),) if other else ()
    return Recognised(role, found[0] if found else None, meaning, date(year, 12, 31) if year else None, notes)


def named_as(file: str, layer: str) -> Known | None:
    """The layer of a database standard whose name a file or its layer has: of several the longest.

    >>> named_as("3306_DLTB.shp", "3306_DLTB").role, named_as("永久基本农田2022.gpkg", "x").role
    ('land-use', 'permanent-basic-farmland')
    >>> named_as("data.gdb", "JQDLTB").generation
    'land-use-plan'
    """
    texts = [_NOT_IN_A_NAME.sub("", each).upper() for each in (layer, file)]
    found = [
        (len(name), known) for known in known_layers() for name in known.names if any(name.upper() in t for t in texts)
    ]
    return max(found, key=lambda each: each[0])[1] if found else None


def _require_role(role: str, file: str, layer: str, fields: Sequence[str]) -> None:
    """Refuse a file that has fields which only another layer has, and no code of its own."""
    present = {each.upper() for each in fields}
    roles = {each.role for each in known_layers() if present & {name.upper() for name in each.fields}}
    standard = role in {each.role for each in known_layers()}
    if standard and roles and role not in roles and "code" not in fields_of(fields, role):
        raise InputRefused("layer-of-another-role", file=file, where=layer, role=role, found=sorted(roles))


def known_zones(role: str) -> frozenset[str]:
    """The first two digits of the codes of a plan's zones; none for a role without such."""
    return frozenset(zones_of(role))
