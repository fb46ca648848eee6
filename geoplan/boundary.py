"""Boundaries and the proposal that they make: valid polygons as read, with their system, origin and repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geoplan.crs import Frame, lies_in_china, to_lonlat
from geoplan.errors import InputRefused
from geoplan.facts import Facts
from geoplan.messages import Message
from geoplan.plane import Plane


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was read: the name the user gave, the SHA-256 of what was read, and what was chosen from it.

    ``select`` is what stands behind a file's name in a call, ``#LAYER[FIELD=VALUE]``; empty for the whole file.
    """

    file: str
    sha256: str
    select: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """A defect that was mended on reading: what it was, where (coordinates as read), the change in area (m²)."""

    message: Message

    def as_dict(self) -> dict[str, Any]:
        """The repair as plain data."""
        return self.message.as_dict()


@dataclass(frozen=True, slots=True)
class Boundary:
    """One boundary: valid polygons with the coordinates as read.

    ``polygons`` are in ``frame`` (x = east, y = north); ``declared_area_m2`` is what the file itself says.
    ``notes`` say what reading assumed (an odd .prj, a text encoding); ``read_with`` holds the options of the call that
    counted in reading it (``crs``, ``datum``, ``place`` …), so that it can be read the same way again.

    Raises
    ------
    InputRefused
        The polygons are empty: there is nothing to judge, and no place to judge it at.
    """

    polygons: shapely.MultiPolygon
    frame: Frame
    source: Source
    repairs: tuple[Repair, ...] = ()
    declared_area_m2: float | None = None
    name: str | None = None
    notes: tuple[Message, ...] = ()
    read_with: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if shapely.is_empty(self.polygons):
            raise InputRefused("boundary-empty", file=self.source.file or None, where=self.source.select or None)

    @property
    def vertices(self) -> int:
        """Number of distinct vertices (closing points not counted)."""
        rings = shapely.get_rings(shapely.get_parts(self.polygons))
        return int(shapely.get_num_coordinates(rings).sum() - len(rings))

    def central_longitude(self, *, anywhere: bool = False) -> float:
        """Longitude of the centroid, degrees: it chooses the plane of the check.

        Raises
        ------
        InputRefused
            Coordinates outside China without ``anywhere``, or that do not fit their system.
        """
        inverse = to_lonlat(self.frame, anywhere=anywhere, file=self.source.file)
        degrees = shapely.transform(self.polygons, inverse, interleaved=False)  # type: ignore[arg-type]
        lon, lat = shapely.get_coordinates(degrees).T
        if not (np.all(np.isfinite(lon)) and np.all(np.isfinite(lat)) and np.all(np.abs(lat) <= 90)):
            raise InputRefused("coordinates-do-not-fit", file=self.source.file, crs=self.frame.label)
        if not anywhere and not lies_in_china(lon, lat):
            raise InputRefused(
                "outside-china",
                file=self.source.file,
                crs=self.frame.label,
                lon=float(lon[0]),
                lat=float(lat[0]),
            )
        return float(shapely.get_x(shapely.centroid(degrees)))

    def on(self, plane: Plane, *, anywhere: bool = False) -> shapely.Geometry:
        """The polygons on the plane of a check."""
        return plane.bring(self.polygons, self.frame, anywhere=anywhere, file=self.source.file)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is checked: a planning boundary, the construction boundary inside it if drawn, and declared facts."""

    planning: Boundary
    construction: Boundary | None = None
    name: str | None = None
    facts: Facts = field(default_factory=Facts)

    @property
    def title(self) -> str | None:
        """The name given, else the one the facts or the boundary file carry."""
        return self.name or self.facts.name or self.planning.name
