"""The register of towns: neighbours whose distance counts, and which of them is the proposal itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import Frame
from geoplan.messages import Message
from geoplan.plane import Plane

NOT_LIVE = frozenset({"eliminated", "cancelled"})


@dataclass(frozen=True, slots=True)
class Town:
    """A town of the register: its place (polygon or point in the register's frame), stage and industry."""

    id: str | None
    name: str | None
    shape: shapely.Geometry
    county: str | None = None
    tier: str | None = None
    stage: str | None = None
    listed_on: str | None = None
    leading: str | None = None
    sub_industry: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether the town still counts: neither eliminated nor cancelled."""
        return self.stage not in NOT_LIVE

    @property
    def label(self) -> str:
        """Name, else id."""
        return self.name or self.id or "—"


@dataclass(frozen=True, slots=True)
class Register:
    """Towns with their coordinate system and origin; ``whole_for`` the counties that it declares to hold wholly.

    ``read_with`` holds the options of the call that counted in reading it, as in `geoplan.boundary.Boundary`.
    """

    towns: tuple[Town, ...]
    frame: Frame
    source: Source
    whole_for: tuple[str, ...] = ()
    read_with: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A live town other than the proposal, on the plane of the check."""

    town: Town
    shape: shapely.Geometry


def neighbours(
    register: Register,
    planning: shapely.Geometry,
    plane: Plane,
    own_id: str | None,
    own_name: str | None,
    *,
    anywhere: bool,
) -> tuple[tuple[Neighbour, ...], tuple[Message, ...]]:
    """The live neighbours of a proposal, and what was left out with the reason.

    The proposal's own id is skipped; without ids a town of the same name, or one that covers over half of the
    proposal, is the proposal itself.
    """
    found: list[Neighbour] = []
    left_out: list[Message] = []
    shapes = plane.bring(
        np.array([town.shape for town in register.towns], dtype=object),
        register.frame,
        anywhere=anywhere,
        file=register.source.file,
    )
    for town, shape in zip(register.towns, shapes, strict=True):
        reason = _own(town, shape, planning, own_id, own_name)
        if reason:
            left_out.append(Message(f"warning.town-is-proposal-{reason}", {"town": town.label}))
        elif town.is_live:
            found.append(Neighbour(town, shape))
        else:
            left_out.append(Message("warning.town-not-live", {"town": town.label}))
    return tuple(found), tuple(left_out)


def _own(
    town: Town, shape: shapely.Geometry, planning: shapely.Geometry, own_id: str | None, own_name: str | None
) -> str | None:
    if own_id and town.id:
        return "id" if town.id == own_id else None
    if own_name and town.name == own_name:
        return "name"
    covered = float(shapely.area(shapely.intersection(shape, planning)))
    return "cover" if covered > shapely.area(planning) / 2 else None
