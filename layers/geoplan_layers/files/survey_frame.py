"""The coordinate system of a survey file: what its header says, held against its numbers.

坐标系 names the datum, 几度分带 and 带号 the zone; eastings of eight digits carry the zone number themselves. Xian 1980
and Beijing 1954 are recognised as what they are: a reader that takes every file for 4488 + 带号 turns them into
CGCS2000 in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geoplan.crs import CHINA, Array, Datum, Frame, recognise
from geoplan.errors import InputRefused
from geoplan.messages import Message

Width = Literal[3, 6]

NORTHINGS = (1.8e6, 6.0e6)
"""Gauss–Krüger northings of China, m."""
ZONES: dict[Width, range] = {3: range(25, 46), 6: range(13, 24)}
"""Zone numbers that occur in China; the two ranges do not meet, so a prefix tells the width of its zone."""
_PREFIXED: dict[Datum, dict[Width, int]] = {
    "cgcs2000": {3: 4488, 6: 4478},
    "xian-1980": {3: 2324, 6: 2314},
    "beijing-1954": {3: 2376, 6: 21400},
}
_BARE: dict[Datum, dict[Width, int]] = {
    "cgcs2000": {3: 4509, 6: 4489},
    "xian-1980": {3: 2345, 6: 2325},
    "beijing-1954": {3: 2397, 6: 21440},
}
_DEGREES: dict[Datum, int] = {"cgcs2000": 4490, "xian-1980": 4610, "beijing-1954": 4214, "wgs84": 4326}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a header says of its coordinates, as written; empty where it says nothing."""

    system: str = ""
    width: str = ""
    zone: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Eastings:
    """What the east column shows: the zone prefix, or that there is none, or neither (no such eastings)."""

    prefix: int | None
    bare: bool


def datum_of(system: str) -> Datum | None:
    """The datum that 坐标系 names; none where it is empty or names another system (a city's own).

    >>> [datum_of(t) for t in ("2000国家大地坐标系", "80国家大地坐标系", "1980西安坐标系", "北京54", "南通独立坐标系")]
    ['cgcs2000', 'xian-1980', 'xian-1980', 'beijing-1954', None]
    """
    text = unicodedata.normalize("NFKC", system).upper().replace(" ", "")
    if "独立" in text or "地方" in text or "城建" in text:
        return None
    named: tuple[tuple[Datum, str], ...] = (
        ("xian-1980", r"西安|XI'?AN|(?<!\d)(19)?80(?!\d)"),
        ("beijing-1954", r"北京|BEIJING|(?<!\d)(19)?54(?!\d)"),
        ("wgs84", r"WGS"),
        ("cgcs2000", r"CGCS|(?<!\d)2000(?!\d)"),
    )
    return next((datum for datum, pattern in named if re.search(pattern, text)), None)


def looks_swapped(first: Array, second: Array) -> bool:
    """Whether the column that should be north holds eastings and the other northings.

    >>> looks_swapped(np.array([40581000.0]), np.array([3544000.0])), looks_swapped(np.array([120.8]), np.array([32.0]))
    (True, True)
    """
    return north_first(first, second) is False


def north_first(first: Array, second: Array) -> bool | None:
    """Whether the first column is north by its numbers; none where they do not decide."""
    if _is_north_east(first, second):
        return True
    return False if _is_north_east(second, first) else None


def _is_north_east(north: Array, east: Array) -> bool:
    west, south, limit_east, limit_north = CHINA
    if _between(north, south, limit_north) and _between(east, west, limit_east):
        return True
    shown = _eastings(east, None)
    return _between(north, *NORTHINGS) and (shown.bare or shown.prefix is not None)


def _between(values: Array, low: float, high: float) -> bool:
    return bool(np.all((values >= low) & (values <= high)))


def _eastings(east: Array, file: str | None) -> _Eastings:
    zones = np.unique(np.floor(east / 1e6)).astype(int).tolist()
    known = [zone for zone in zones if zone in ZONES[3] or zone in ZONES[6]]
    if len(zones) > 1 and len(known) == len(zones) and file is not None:
        raise InputRefused("survey-zones-mixed", file=file, where="Y", zones=zones)
    if len(zones) == 1 and known:
        return _Eastings(zones[0], bare=False)
    return _Eastings(None, _between(east, 1e5, 1e6 - 1e-3))


def frame_of_survey(
    stated: Stated, first: Sequence[float], second: Sequence[float], file: str
) -> tuple[Frame | None, tuple[Message, ...]]:
    """The system of a survey file, none where header and numbers leave it open.

    Parameters
    ----------
    first, second
        The X (north) and Y (east) columns as the file has them, m or degrees.

    Raises
    ------
    InputRefused
        Header and numbers contradict each other; the message names both.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not len(one):
        return None, ()
    swapped = looks_swapped(one, other)
    east = one if swapped else other
    notes = [Message("read.survey-looks-swapped", {"first": float(one[0]), "second": float(other[0])})] * swapped
    datum = datum_of(stated.system)
    if stated.system and datum is None:
        notes.append(Message("read.survey-system-unknown", {"system": stated.system[:40]}))
    if _in_degrees(stated, one, other, file):
        code = _DEGREES.get(datum) if datum else None
    else:
        zone, width, prefixed, more = _zone(stated, east, file)
        notes += more
        code = _code(datum, zone, width, prefixed=prefixed)
    frame = recognise(code) if code else None
    return frame, tuple(notes)


def _in_degrees(stated: Stated, first: Array, second: Array, file: str) -> bool:
    numbers = bool(np.all(np.abs(first) <= 180) and np.all(np.abs(second) <= 180))
    unit = unicodedata.normalize("NFKC", stated.unit).strip().lower()
    metric = unit in ("米", "m", "metre", "meter")
    if numbers if metric else not numbers and ("度" in unit or "deg" in unit):
        x, y = float(first[0]), float(second[0])
        raise InputRefused("survey-unit", file=file, where="计量单位", unit=stated.unit, x=x, y=y)
    return numbers


def _zone(stated: Stated, east: Array, file: str) -> tuple[int | None, Width | None, bool, list[Message]]:
    """Zone number, width, whether eastings carry the number, and notes; none where nothing decides."""
    width, given = _width(stated.width), _whole(stated.zone)
    shown = _eastings(east, file)
    sample = float(east[0])
    if shown.prefix is None and not shown.bare:
        if given is None and not stated.system:
            return None, None, False, []
        said = {"zone": stated.zone or "—", "system": stated.system or "—"}
        raise InputRefused("survey-eastings", file=file, where="Y", easting=_odd_one(east), **said)
    mistaken = given is not None and given in (3, 6) and given == (width or given)
    notes = [Message("read.survey-zone-is-width", {"zone": stated.zone})] if mistaken else []
    zone = None if mistaken else given
    if shown.prefix is not None:
        own: Width = 3 if shown.prefix in ZONES[3] else 6
        if (zone is not None and zone != shown.prefix) or (width is not None and width != own):
            raise _contradiction(stated, sample, shown.prefix, file)
        return shown.prefix, own, True, notes
    if zone is None or (stated.width and width is None):
        return None, None, False, [*notes, Message("read.survey-no-zone", {"easting": sample})]
    own = 3 if zone in ZONES[3] else 6
    if zone not in ZONES[own] or (width is not None and width != own):
        raise _contradiction(stated, sample, None, file)
    meridian = 3 * zone if own == 3 else 6 * zone - 3
    notes.append(Message("read.survey-no-prefix", {"zone": zone, "width": own, "meridian": meridian}))
    return zone, own, False, notes


def _odd_one(east: Array) -> float:
    """The easting that keeps a column from being one of eastings: the first that is none, else the first unlike."""
    zones = np.floor(east / 1e6).astype(int)
    possible = np.isin(zones, [*ZONES[3], *ZONES[6]]) | ((east >= 1e5) & (east < 1e6))
    odd = np.flatnonzero(~possible) if not possible.all() else np.flatnonzero(zones != zones[0])
    return float(east[odd[0]])


def _contradiction(stated: Stated, easting: float, prefix: int | None, file: str) -> InputRefused:
    return InputRefused(
        "survey-zone-contradiction",
        file=file,
        where="带号",
        zone=stated.zone or "—",
        width=stated.width or "—",
        easting=easting,
        prefix=prefix if prefix is not None else "—",
    )


def _code(datum: Datum | None, zone: int | None, width: Width | None, *, prefixed: bool) -> int | None:
    table = _PREFIXED if prefixed else _BARE
    if datum not in table or zone is None or width is None:
        return None
    return table[datum][width] + zone


def _width(text: str) -> Width | None:
    """3 or 6 from ``3``, ``3度带``, ``三度``; none for nothing and for widths that no code describes (1.5)."""
    found = re.search(r"\d+(\.\d+)?|三|六", unicodedata.normalize("NFKC", text))
    word = found[0] if found else ""
    if word in ("3", "三"):
        return 3
    return 6 if word in ("6", "六") else None


def _whole(text: str) -> int | None:
    """A zone number from ``40``, ``40带``; none for nothing and zero."""
    found = re.search(r"\d{1,4}", unicodedata.normalize("NFKC", text))
    return int(found[0]) or None if found else None
