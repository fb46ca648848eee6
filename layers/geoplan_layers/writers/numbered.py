"""Plots as the land survey numbers them: rings from the north-west corner, points J1, J2 …, coordinates in millimetres.

Outer rings run clockwise and holes against it; numbers run on through the rings of a plot and begin anew with the next
plot; every polygon part is a plot of its own. Eastings carry the zone number, as the exchange format asks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Boundary, Source
from geoplan.crs import Frame
from geoplan.errors import InputRefused
from geoplan.measure import survey_areas
from geoplan.messages import Message
from geoplan.plane import Plane

AreaMethod = Literal["planar", "ellipsoidal"]
MILLIMETRES = 1000
"""Coordinates are written to 1 mm."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What becomes one plot, or one for each part: a polygon and what its header says of it."""

    polygon: shapely.Polygon | shapely.MultiPolygon
    name: str = ""
    number: str = ""
    sheet: str = ""
    use: str = ""
    class_code: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A Gauss–Krüger zone of CGCS2000: its number, its width in degrees, whether eastings carry the number."""

    number: int
    width: int
    prefixed: bool

    @property
    def epsg(self) -> int:
        """The code of the zone with the number in its eastings, which is how it is written."""
        return (4488 if self.width == 3 else 4478) + self.number


@dataclass(frozen=True, slots=True)
class Ring:
    """One closed ring: point names and coordinates (n, 2) in millimetres, north and east, the first point repeated."""

    number: int
    names: tuple[str, ...]
    millimetres: NDArray[np.int64]

    @property
    def sides(self) -> NDArray[np.float64]:
        """Planar length of each side, m."""
        steps = np.diff(self.millimetres, axis=0).astype(np.float64) / MILLIMETRES
        return np.hypot(steps[:, 0], steps[:, 1])


@dataclass(frozen=True, slots=True)
class NumberedPlot:
    """A plot ready to be written; ``area_m2`` by the method asked for."""

    parcel: Parcel
    number: str
    name: str
    rings: tuple[Ring, ...]
    area_m2: Decimal

    @property
    def points(self) -> int:
        """Points with the closing ones, as 界址点数 counts them."""
        return sum(len(ring.names) for ring in self.rings)

    @property
    def hectares(self) -> Decimal:
        """Area in hectares to 4 decimals, half up."""
        return (self.area_m2 / 10_000).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def zone_of(frame: Frame, file: str) -> Zone:
    """The zone of a frame.

    Raises
    ------
    InputRefused
        Not CGCS2000 in 3- or 6-degree zones.
    """
    for first, last, base, width, prefixed in (
        (4513, 4533, 4488, 3, True),
        (4534, 4554, 4509, 3, False),
        (4491, 4501, 4478, 6, True),
        (4502, 4512, 4489, 6, False),
    ):
        if frame.epsg is not None and first <= frame.epsg <= last:
            return Zone(frame.epsg - base, width, prefixed)
    raise InputRefused("write-survey-system", file=file, crs=frame.label)


def metres(millimetres: int) -> str:
    """Metres to 3 decimals.

    >>> metres(3544000125)
    '3544000.125'
    """
    return f"{millimetres // MILLIMETRES}.{millimetres % MILLIMETRES:03d}"


def numbered(
    parcels: Sequence[Parcel], frame: Frame, file: str, area: AreaMethod = "planar"
) -> tuple[list[NumberedPlot], tuple[Message, ...]]:
    """Plots with their points numbered, and what was changed on the way.

    Parameters
    ----------
    parcels
        Valid polygons in ``frame`` (x = east, y = north, m).
    file
        What refusals call the file.
    area
        Planar (customary in this format) or by the survey's ellipsoidal formula.

    Raises
    ------
    InputRefused
        Not a CGCS2000 zone; a polygon that is none once rounded to 1 mm.
    """
    zone = zone_of(frame, file)
    notes = [] if zone.prefixed else [Message("write.survey-prefix", {"zone": zone.number})]
    shift = 0 if zone.prefixed else zone.number * 10**6 * MILLIMETRES
    plots: list[NumberedPlot] = []
    merged = 0
    for order, parcel in enumerate(parcels, 1):
        for part in shapely.get_parts(parcel.polygon):
            name, taken = clean(parcel.name), {plot.number for plot in plots}
            number = _unused(clean(parcel.number) or f"DK{len(plots) + 1}", taken)
            rings, count = _rings(part, shift)
            polygon = _polygon(rings, shift, name or f"#{order}", file)
            merged += count
            plots.append(NumberedPlot(parcel, number, name, rings, _area(polygon, rings, frame, area)))
    if merged:
        notes.append(Message("write.survey-points", {"count": merged}))
    method = {"planar": ("平面面积", "planar"), "ellipsoidal": ("椭球面积", "ellipsoidal")}[area]
    notes.append(Message("write.survey-area", {"method": {"zh": method[0], "en": method[1]}}))
    return plots, tuple(notes)


def clean(text: str) -> str:
    """A text on one line: control characters and line ends become single blanks."""
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())


def _unused(number: str, taken: set[str]) -> str:
    found, order = number, 2
    while found in taken:
        found, order = f"{number}-{order}", order + 1
    return found


def _rings(part: shapely.Polygon, shift: int) -> tuple[tuple[Ring, ...], int]:
    """The rings of a part in the survey's order, and how many points fell together at 1 mm."""
    rings: list[Ring] = []
    first, merged = 1, 0
    oriented = shapely.orient_polygons(part, exterior_cw=True)
    for number, ring in enumerate(shapely.get_rings(oriented), 1):
        east_north = np.rint(shapely.get_coordinates(ring)[:-1] * MILLIMETRES).astype(np.int64)
        own = np.any(east_north != np.roll(east_north, 1, axis=0), axis=1)
        merged += int(np.count_nonzero(~own))
        points = east_north[own]
        if len(points) < 3:  # a hole under a square millimetre is no hole any more; an outline is refused below
            if number > 1:
                continue
            points = east_north[:1]
        start = int(np.argmax(points[:, 1] - points[:, 0]))
        points = np.roll(points, -start, axis=0)
        names = [f"J{first + i}" for i in range(len(points))]
        first += len(points)
        closed = np.vstack([points, points[:1]])
        millimetres = np.column_stack([closed[:, 1], closed[:, 0] + shift])
        rings.append(Ring(len(rings) + 1, (*names, names[0]), millimetres))
    return tuple(rings), merged


def _polygon(rings: Sequence[Ring], shift: int, label: str, file: str) -> shapely.Polygon:
    """The polygon as it will be read back, in the frame it came in.

    Raises
    ------
    InputRefused
        Rounding made it invalid.
    """
    drawn = [(ring.millimetres[:, ::-1] - np.array([shift, 0])) / MILLIMETRES for ring in rings]
    if all(len(each) >= 4 for each in drawn):
        polygon = shapely.Polygon(drawn[0], drawn[1:])
        if polygon.is_valid and not polygon.is_empty:
            return polygon
    raise InputRefused("write-survey-fine", file=file, plot=label)


def _area(polygon: shapely.Polygon, rings: Sequence[Ring], frame: Frame, method: AreaMethod) -> Decimal:
    if method == "ellipsoidal":
        boundary = Boundary(shapely.MultiPolygon([polygon]), frame, Source("", ""))
        plane = Plane.around(boundary.central_longitude(anywhere=True))
        on_plane = boundary.on(plane, anywhere=True)
        return Decimal(repr(float(survey_areas(np.array([on_plane], dtype=object), plane)[0])))
    outer, *holes = (_square_millimetres(ring.millimetres) for ring in rings)
    return Decimal(outer - sum(holes)) / (2 * MILLIMETRES**2)


def _square_millimetres(ring: NDArray[np.int64]) -> int:
    """Twice the planar area of a ring, mm², without rounding."""
    local = (ring - ring[0]).astype(object)
    return abs(int(np.sum(local[:-1, 0] * local[1:, 1] - local[1:, 0] * local[:-1, 1])))
