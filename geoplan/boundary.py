"""Boundaries and the proposal that they make: valid polygons as read, with their system, origin and repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Frame, lies_in_china, to_lonlat
from geoplan.errors import InputRefused
from geoplan.facts import Facts
from geoplan.messages import Message
from geoplan.plane import Plane

MOST_CHANGED = 0.001
"""Largest share of the area that a repair may change; past it the ring is refused and a person decides."""


DEGREE = 111_320.0
"""Metres in a degree of latitude, for telling the size of a repair."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was read: the name the user gave and the SHA-256 of what was read."""

    file: str
    sha256: str


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
    """

    polygons: shapely.MultiPolygon
    frame: Frame
    source: Source
    repairs: tuple[Repair, ...] = ()
    declared_area_m2: float | None = None
    name: str | None = None
    notes: tuple[Message, ...] = ()
    read_with: Mapping[str, Any] = field(default_factory=dict)

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


def mend(
    shapes: NDArray[np.object_], frame: Frame | None, file: str, places: list[str]
) -> tuple[NDArray[np.object_], tuple[Repair, ...]]:
    """Make each polygon valid, saying what was wrong and where.

    Parameters
    ----------
    shapes
        Polygons or multipolygons as read.
    frame
        Their coordinate system, so that the change in area is told in m² where they are in degrees.
    places
        The place of each in the file (a row), for messages.

    Raises
    ------
    InputRefused
        A repair would change the area by more than ``MOST_CHANGED``, or leave nothing (a bow-tie).
    """
    repairs: list[Repair] = []
    scale = _square_metres(shapes, frame)
    mended = shapes.copy()
    for i in np.flatnonzero(~shapely.is_valid(shapes)):
        reason, _, at = shapely.is_valid_reason(shapes[i]).partition("[")
        at = at.rstrip("]").replace(" ", ", ")
        whole = shapely.make_valid(shapes[i], method="structure", keep_collapsed=False)
        before, after = _drawn_area(shapes[i]) * scale, float(shapely.area(whole)) * scale
        if after == 0 or abs(after - before) > MOST_CHANGED * max(after, before):
            raise InputRefused(
                "ring-refused",
                file=file,
                where=places[i],
                reason=reason.strip(),
                at=at,
                before=before,
                after=after,
            )
        mended[i] = whole
        args = {"place": places[i], "reason": reason.strip(), "at": at, "change_m2": round(after - before, 4)}
        repairs.append(Repair(Message("repair.ring", args)))
    return mended, tuple(repairs)


def _square_metres(shapes: NDArray[np.object_], frame: Frame | None) -> float:
    """About how many m² one square unit of the coordinates has: 1 in a metre system, more in degrees."""
    if frame is None or not frame.is_geographic:
        return 1.0
    _, south, _, north = shapely.total_bounds(shapes)
    return DEGREE**2 * float(np.cos(np.radians((south + north) / 2)))


def _drawn_area(shape: shapely.Geometry) -> float:
    """Area that the rings enclose as drawn, lobes of a bow-tie counting against each other."""
    total = 0.0
    for part in shapely.get_parts(shape):
        outer, *holes = (abs(_shoelace(ring)) for ring in shapely.get_rings(part))
        total += outer - sum(holes)
    return total


def _shoelace(ring: shapely.Geometry) -> float:
    xy = shapely.get_coordinates(ring)
    xy = xy - xy[0]
    return float(np.sum(xy[:-1, 0] * xy[1:, 1] - xy[1:, 0] * xy[:-1, 1]) / 2)
