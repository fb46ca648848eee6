"""The coordinate system of a file: its own, the user's where it has none or a wrong one, or a refusal with the way out.

Nothing here is decided by a policy. A file without a system is read by ``--crs``, or by the place that the user names:
of the systems that the numbers allow, the one that puts them there. What was assumed is a note that reaches the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import shapely

from geoplan.crs import SAME, WEB_MERCATOR, Frame
from geoplan.datum import DatumParameters
from geoplan.errors import CallRefused, InputRefused
from geoplan.measure import DEFAULT_ACCURACY
from geoplan.messages import Message
from geoplan.shifted import SHIFTED
from geoplan_layers.candidates import Box, Candidate, described, flipped, known_frame, looks_swapped, possible
from geoplan_layers.files.table import Table
from geoplan_layers.fit import as_data, middle, misfit, outside_zone, reach_km
from geoplan_layers.places import Place, nearest

GivenDatum = Literal["cgcs2000", "wgs84", "gcj02", "bd09"]
GIVEN_DATUMS: tuple[GivenDatum, ...] = ("cgcs2000", "wgs84", "gcj02", "bd09")

_MAYBE_SHIFTED, _MAYBE_SWAPPED = "read.kml-datum", "read.survey-looks-swapped"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says of files: their system where they lack one, their datum, where they lie, and what to mend.

    ``anywhere`` allows data outside China. ``strict`` refuses data that contradict ``place``: so for boundaries, while
    the system of a layer, which may be of a whole province, is only chosen by it. ``accuracy`` of lines is in metres.
    """

    frame: Frame | None = None
    anywhere: bool = False
    datum: GivenDatum | None = None
    place: Place | None = None
    swap_xy: bool = False
    parameters: DatumParameters | None = field(default=None, repr=False)
    strict: bool = True
    accuracy: float = DEFAULT_ACCURACY


@dataclass(frozen=True, slots=True)
class Located:
    """How a file's numbers are to be read: frame, x and y exchanged or not, notes, and the options that counted."""

    frame: Frame
    swapped: bool = False
    notes: tuple[Message, ...] = ()
    used: Mapping[str, Any] = field(default_factory=dict)

    def shapes(self, shapes: np.ndarray) -> np.ndarray:
        """Shapes with x = east, y = north."""
        return np.asarray(shapely.transform(shapes, lambda xy: xy[:, ::-1])) if self.swapped else shapes

    def told(self, notes: tuple[Message, ...]) -> tuple[Message, ...]:
        """What reading noted, without the doubts that the user has answered, and how the system was settled."""
        answered = {_MAYBE_SHIFTED} if self.frame.is_shifted else set()
        answered |= {_MAYBE_SWAPPED} if self.swapped else set()
        return (*(note for note in notes if note.id not in answered), *self.notes)

    def as_read(self, box: Box) -> Box:
        """A box of the frame in the order in which the file has its numbers, or the reverse: the same exchange."""
        return flipped(box) if self.swapped else box


def locate(table: Table, options: ReadOptions) -> tuple[Table, Located]:
    """A table with its system and x = east, y = north, and how that was settled.

    Raises
    ------
    InputRefused
        No system and nothing that decides it (the message lists the candidates), numbers that do not fit their system,
        coordinates that are no numbers, a place that they contradict.
    CallRefused
        The system given contradicts the file's own, which fits.
    """
    shapes = table.shapes[~shapely.is_missing(table.shapes)]
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise InputRefused("coordinates-not-finite", file=table.source.file, where=table.layer)
    found = settle(bounds_of(table), table.frame, options, table.source.file, table.layer)
    return replace(table, shapes=found.shapes(table.shapes), frame=found.frame, notes=found.told(table.notes)), found


def bounds_of(table: Table) -> Box:
    """West, south, east, north of a table's numbers as read; not finite where it has none."""
    if len(table) == 0:
        return np.nan, np.nan, np.nan, np.nan
    west, south, east, north = (float(v) for v in shapely.total_bounds(table.shapes))
    return west, south, east, north


def settle(box: Box, own: Frame | None, options: ReadOptions, file: str, where: str) -> Located:
    """How numbers within ``box`` (as read) are to be read; raises as `locate` does."""
    file_has = np.isfinite(box).all()
    swapped, notes = _swapped(box, own, options, file, where) if file_has else (False, ())
    box = flipped(box) if swapped else box
    used: dict[str, Any] = {"swap_xy": True} if notes else {}
    frame, more = _chosen(box, own, options, used, file, where)
    frame, dated = _dated(frame, options, used, file)
    notes = (*notes, *more, *dated)
    if not file_has:
        return Located(frame, swapped, notes, used)
    wrong = misfit(frame, box, file, where, anywhere=options.anywhere)
    if wrong is not None:
        raise wrong
    if frame.crs.geodetic_crs is not None:
        _in_place(box, frame, options, file, where)
        notes = (*notes, *outside_zone(frame, box, file, where, refuse=options.strict and not options.anywhere))
    return Located(frame, swapped, notes, used)


def _swapped(
    box: Box, own: Frame | None, options: ReadOptions, file: str, where: str
) -> tuple[bool, tuple[Message, ...]]:
    """Whether x and y are to be exchanged; refused without the user's consent."""
    looks = looks_swapped(box) and not (options.anywhere and (own or options.frame))
    if looks and not options.swap_xy:
        stated = own or options.frame
        found = [each for each in possible(box) if stated is None or each.epsg == stated.epsg]
        raise InputRefused("axes-swapped", file=file, where=where, x=box[0], y=box[1], found=as_data(found))
    if not options.swap_xy:
        return False, ()
    if looks or not possible(box):
        return True, (Message("read.axes-swapped", {"x": box[0], "y": box[1]}),)
    return False, (Message("read.swap-not-needed", {"x": box[0], "y": box[1]}),)


def _chosen(
    box: Box, own: Frame | None, options: ReadOptions, used: dict[str, Any], file: str, where: str
) -> tuple[Frame, tuple[Message, ...]]:
    """The system: the file's own, the one given, or the one that the datum or the place decides."""
    given = options.frame
    if own is None and given is None:
        return _inferred(box, options, used, file, where)
    if given is None or (own is not None and own.epsg == given.epsg and own.epsg is not None):
        assert own is not None
        return own, ()
    if own is None:
        used["crs"] = given.label
        return given, (Message("read.crs-given", {"crs": given.label}),)
    fits = own.datum != "unknown" and not (
        np.isfinite(box).all() and misfit(own, box, file, where, anywhere=options.anywhere)
    )
    if fits:
        raise CallRefused("crs-contradiction", file=file, own=own.label, given=given.label)
    used["crs"] = given.label
    return given, (Message("read.crs-overridden", {"own": own.label, "crs": given.label}),)


def _inferred(
    box: Box, options: ReadOptions, used: dict[str, Any], file: str, where: str
) -> tuple[Frame, tuple[Message, ...]]:
    """The system that the user's datum (of degrees) or place decides.

    Raises
    ------
    InputRefused
        Neither is given, or the place leaves none or several.
    """
    found = possible(box)
    degrees = bool(found) and known_frame(found[0].epsg).is_geographic
    if degrees and options.datum:
        used["datum"] = options.datum
        frame = known_frame(4490 if options.datum == "cgcs2000" else 4326)
        return frame, (Message("read.crs-by-datum", {"datum": options.datum}),)
    if options.place is None:
        raise InputRefused(
            "crs-missing",
            file=file,
            where=where,
            candidates=described(box),
            found=as_data(found),
            x=box[0],
            y=box[1],
        )
    there = _of_place(found, options.place, box)
    if len(there) != 1:
        key = "place-leaves-several" if there else "place-contradicts"
        raise InputRefused(
            key,
            file=file,
            where=where,
            place=options.place.name,
            adcode=options.place.adcode,
            candidates=[each.said for each in there or found] or "—",
            found=as_data(there or found),
        )
    used["place"] = options.place.adcode
    frame = known_frame(there[0].epsg)
    key = "read.crs-by-place-mercator" if frame.epsg == WEB_MERCATOR else "read.crs-by-place"
    args = {"crs": frame.label, "place": options.place.name, "adcode": options.place.adcode}
    return frame, (Message(key, {**args, "lon": round(there[0].lon, 3), "lat": round(there[0].lat, 3)}),)


def _of_place(found: tuple[Candidate, ...], place: Place, box: Box) -> list[Candidate]:
    """The candidates that put a box at a place; of several datums CGCS2000, since no number tells them apart."""
    there = [
        each
        for each in found
        if place.distance(each.lon, each.lat) <= place.radius + reach_km(known_frame(each.epsg), box)
    ]
    ours = [each for each in there if known_frame(each.epsg).datum == "cgcs2000"]
    return ours or [each for each in there if each.epsg == WEB_MERCATOR]


def _dated(frame: Frame, options: ReadOptions, used: dict[str, Any], file: str) -> tuple[Frame, tuple[Message, ...]]:
    """The frame with the datum that the user says, and with the user's own parameters where they are of its datum.

    Raises
    ------
    InputRefused
        Something else than degrees or Web Mercator is said to be shifted.
    CallRefused
        The datum given is not that of the system.
    """
    datum, parameters = options.datum, options.parameters
    if datum in SHIFTED:
        used["datum"] = datum
        shifted = frame.shifted_as(datum, file)
        return shifted, (Message("read.shifted-degrees", {"crs": shifted.label}),)
    against = datum is not None and options.frame is not None and options.frame.datum != datum
    if against or (datum is not None and frame.datum not in SAME):
        raise CallRefused("crs-contradiction", file=file, own=frame.label, given=datum)
    if parameters is not None and parameters.old == frame.datum:
        used["parameters_sha256"] = parameters.sha256
        args = {"crs": frame.label, "count": parameters.count, "sha256": parameters.sha256}
        return replace(frame, parameters=parameters), (Message("read.datum-parameters", args),)
    return frame, ()


def _in_place(box: Box, frame: Frame, options: ReadOptions, file: str, where: str) -> None:
    """Refuse a boundary that lies elsewhere than the user says.

    Raises
    ------
    InputRefused
        With where the system puts it, and the systems that would put it at the place.
    """
    place = options.place
    if place is None or not options.strict:
        return
    lon, lat = middle(frame, box)
    if place.distance(lon, lat) <= place.radius + reach_km(frame, box):
        return
    found = [each for each in possible(box) if place.holds(each.lon, each.lat)]
    near = nearest(lon, lat)
    raise InputRefused(
        "place-differs",
        file=file,
        where=where,
        crs=frame.label,
        lon=lon,
        lat=lat,
        near=near.name if near else "—",
        place=place.name,
        adcode=place.adcode,
        candidates=[each.said for each in found] or "—",
    )
