"""Coordinate reference systems as the product understands them, and which changes of datum it allows.

PROJ moves Xian 1980 and Beijing 1954 data to CGCS2000 by a "ballpark" that changes nothing and warns of nothing,
so only changes within one datum and CGCS2000 ↔ WGS 84 are allowed; everything else is refused until the user gives
converted files or parameters of their own. Coordinates are always x = east, y = north, whatever axis order the
authority defines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.transformer import TransformerGroup

from geoplan.datum import DatumParameters
from geoplan.errors import InputRefused
from geoplan.shifted import FORWARD, SHIFTED, Shifted, to_wgs84

Datum = Literal["cgcs2000", "wgs84", "xian-1980", "beijing-1954", "gcj02", "bd09", "other", "unknown"]
Array = NDArray[np.float64]

CHINA = (73.0, 3.0, 136.0, 54.0)
"""Longitudes and latitudes that hold China, in degrees: a plausibility check, not a border."""

_GEOGRAPHIC: dict[int, Datum] = {
    4490: "cgcs2000",
    4480: "cgcs2000",
    4326: "wgs84",
    4979: "wgs84",
    4610: "xian-1980",
    4214: "beijing-1954",
}
_LOW_CONFIDENCE = 20
WEB_MERCATOR = 3857
SAME = frozenset({"cgcs2000", "wgs84"})
"""Datums whose degrees are one here: they differ by far less than any boundary's accuracy."""
Way = Callable[[Array, Array], tuple[Array, Array]]
_SHOWN: dict[str, str] = {"gcj02": "GCJ-02", "bd09": "BD-09"}


@dataclass(frozen=True, slots=True)
class Frame:
    """A coordinate reference system with the code and datum that were recognised.

    ``epsg`` is absent for a system that no code describes; ``guessed`` says that the name was odd and the numbers
    decided (a renamed projection such as 国家2000_40带). ``datum`` is ``gcj02`` or ``bd09`` where the user says that
    the degrees (or the Web Mercator of them) are shifted. ``parameters`` are the user's own to CGCS2000.
    """

    crs: CRS
    epsg: int | None
    datum: Datum
    guessed: bool = False
    parameters: DatumParameters | None = None

    @property
    def label(self) -> str:
        """``EPSG:4528``, else the system's own name; shifted degrees say so."""
        name = f"EPSG:{self.epsg}" if self.epsg else (self.crs.name or "unnamed")
        return f"{_SHOWN[self.datum]} ({name})" if self.is_shifted else name

    @property
    def is_shifted(self) -> bool:
        """Whether coordinates are in the shifted degrees of a web map."""
        return self.datum in SHIFTED

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates are degrees."""
        return bool(self.crs.is_geographic)

    def shifted_as(self, datum: Shifted, file: str | None = None) -> Frame:
        """The same numbers as shifted degrees, or as the Web Mercator of them.

        Raises
        ------
        InputRefused
            The system is neither degrees nor Web Mercator: nobody shifts anything else.
        """
        if not (self.is_geographic or self.epsg == WEB_MERCATOR) or self.datum not in SAME | {datum}:
            raise InputRefused("shift-needs-degrees", file=file, crs=self.label, datum=_SHOWN[datum])
        return replace(self, datum=datum)


def recognise(definition: str | int | CRS) -> Frame | None:
    """The frame of a .prj text, a WKT, an EPSG code or a pyproj CRS; none when it says nothing usable.

    Codes are compared by ``to_epsg``, never by ``==``: ESRI's spelling of a system never equals EPSG's.
    """
    try:
        crs = definition if isinstance(definition, CRS) else CRS.from_user_input(definition)
    except Exception as wrong:  # pyproj raises CRSError, and others on hostile text
        if type(wrong).__name__ != "CRSError" and not isinstance(wrong, ValueError):
            raise
        return None
    code = crs.to_epsg()
    guessed = code is None
    if code is None and crs.type_name != "Engineering CRS":
        code = crs.to_epsg(min_confidence=_LOW_CONFIDENCE)
    plain = CRS.from_epsg(code) if code else crs
    return Frame(plain, code, _datum(plain), guessed and code is not None)


def _datum(crs: CRS) -> Datum:
    base = crs.geodetic_crs
    if base is None:
        return "unknown"
    code = base.to_epsg() or base.to_epsg(min_confidence=_LOW_CONFIDENCE)
    if code is None and "unknown" in (base.datum.name.lower() if base.datum else "unknown"):
        return "unknown"
    return _GEOGRAPHIC.get(code or 0, "other")


def to_lonlat(frame: Frame, *, anywhere: bool, file: str | None = None) -> Way:
    """The function that takes x, y of a frame to longitude and latitude in degrees (CGCS2000 or WGS 84).

    CGCS2000 and WGS 84 degrees are one here. Shifted degrees are set right; other datums are refused, unless the frame
    carries the user's own parameters, or ``anywhere`` is set and PROJ knows a real operation to WGS 84.

    Raises
    ------
    InputRefused
        The datum would have to be changed by guess.
    """
    if frame.datum in SAME:
        return own_degrees(frame)
    if frame.is_shifted:
        return _then(own_degrees(frame), lambda x, y: to_wgs84(x, y, cast("Shifted", frame.datum)))
    if frame.parameters is not None:
        step = frame.parameters.step(frame.crs)
        return _then(own_degrees(frame), lambda x, y: step.transform(x, y))
    if frame.datum == "unknown":
        raise InputRefused("datum-unknown", file=file, crs=frame.label)
    if frame.datum == "other" and anywhere:
        return _known_shift(frame, file)
    raise InputRefused("datum-refused", file=file, crs=frame.label)


def from_lonlat(frame: Frame, *, anywhere: bool, file: str | None = None) -> Way:
    """The way back: degrees (CGCS2000 or WGS 84) to x, y of a frame.

    Raises
    ------
    InputRefused
        The datum would have to be changed by guess.
    """
    to_lonlat(frame, anywhere=anywhere, file=file)
    own = _forward(frame.crs.to_wkt())
    if frame.datum in SAME:
        return own
    if frame.is_shifted:
        return _then(FORWARD[cast("Shifted", frame.datum)], own)
    if frame.parameters is not None:
        step = frame.parameters.step(frame.crs)
        return _then(lambda lon, lat: step.transform(lon, lat, direction="INVERSE"), own)
    known = Transformer.from_crs("EPSG:4326", frame.crs, always_xy=True)
    return lambda lon, lat: known.transform(lon, lat)


def own_degrees(frame: Frame) -> Way:
    """x, y of a frame to degrees of its own datum: near enough to say where a file lies (a kilometre)."""
    return _inverse(frame.crs.to_wkt())


def _then(first: Way, second: Way) -> Way:
    return lambda x, y: second(*first(x, y))


@lru_cache(maxsize=64)
def _inverse(wkt: str) -> Way:
    crs = CRS.from_wkt(wkt)
    if crs.is_geographic:
        return lambda x, y: (x, y)
    base = crs.geodetic_crs
    assert base is not None, "a projected system has a geographic base"
    step = Transformer.from_crs(crs, base, always_xy=True)
    return lambda x, y: step.transform(x, y)


@lru_cache(maxsize=64)
def _forward(wkt: str) -> Way:
    crs = CRS.from_wkt(wkt)
    if crs.is_geographic:
        return lambda lon, lat: (lon, lat)
    base = crs.geodetic_crs
    assert base is not None, "a projected system has a geographic base"
    step = Transformer.from_crs(base, crs, always_xy=True)
    return lambda lon, lat: step.transform(lon, lat)


def _known_shift(frame: Frame, file: str | None) -> Way:
    group = TransformerGroup(frame.crs, CRS.from_epsg(4326), always_xy=True)
    if not group.transformers or "ballpark" in group.transformers[0].description.lower():
        raise InputRefused("datum-refused", file=file, crs=frame.label)
    step = group.transformers[0]
    return lambda x, y: step.transform(x, y)


def lies_in_china(lon: Array, lat: Array) -> bool:
    """Whether every coordinate lies within the range of degrees that holds China."""
    west, south, east, north = CHINA
    return bool(np.all((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)))
