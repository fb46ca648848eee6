"""Places of China: about where a province, prefecture or county lies, to choose between coordinate systems by it.

Positions are rounded to 0.1° and radii are generous: they tell zones 3° apart from one another, and nothing is measured
by them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from geoplan.errors import CallRefused

_DEGREE_KM = 111.2


@dataclass(frozen=True, slots=True)
class Place:
    """A place: administrative code, Chinese name, about its middle (degrees) and how far it reaches from there (km)."""

    adcode: str
    name: str
    lon: float
    lat: float
    radius: float

    @property
    def level(self) -> str:
        """``province``, ``prefecture`` or ``county``."""
        return "province" if self.adcode.endswith("0000") else "prefecture" if self.adcode.endswith("00") else "county"

    def distance(self, lon: float, lat: float) -> float:
        """About how far a point lies from the middle, km."""
        return apart(self.lon, self.lat, lon, lat)

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a point may lie in the place."""
        return self.distance(lon, lat) <= self.radius


def apart(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """About how far two points lie from each other, km.

    >>> round(apart(120.0, 30.0, 123.0, 30.0))
    289
    """
    east = (lon - other_lon) * np.cos(np.radians((lat + other_lat) / 2))
    return _DEGREE_KM * float(np.hypot(east, lat - other_lat))


@cache
def all_places() -> Mapping[str, Place]:
    """Every place by its code."""
    text = files("geoplan_layers").joinpath("places.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["adcode"]: Place(row["adcode"], row["name"], float(row["lon"]), float(row["lat"]), float(row["radius"]))
        for row in rows
    }


def place_named(adcode: str) -> Place:
    """The place of a code; where a county's own code is not known, its prefecture stands for it.

    Raises
    ------
    CallRefused
        There is no such code.

    >>> place_named("330500").name, place_named("330599").name
    ('湖州市', '湖州市')
    """
    known = all_places()
    code = adcode.strip()
    county = len(code) == 6 and code.isascii() and code.isdecimal()
    for each in (code, f"{code[:4]}00") if county else ():
        if each in known:
            return known[each]
    raise CallRefused("place-unknown", place=adcode[:40])


def nearest(lon: float, lat: float) -> Place | None:
    """The prefecture of the county seat that is nearest; none where no county is within reach.

    >>> nearest(120.1, 30.9).name
    '湖州市'
    >>> nearest(-30.0, 10.0) is None
    True
    """
    codes, lons, lats, radii = _counties()
    east = (lons - lon) * np.cos(np.radians((lats + lat) / 2))
    away = np.hypot(east, lats - lat) * _DEGREE_KM
    i = int(np.argmin(away))
    known = all_places()
    return known.get(f"{codes[i][:4]}00", known[codes[i]]) if away[i] <= radii[i] else None


def prefectures() -> list[Place]:
    """Prefectures, municipalities and regions, by code: what a person picks from."""
    return [each for each in all_places().values() if each.level == "prefecture" or each.adcode[:1] in "78"]


@cache
def by_province() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Code and name of what a person picks from, by the name of its province.

    >>> by_province()["浙江省"][0]
    ('330100', '杭州市')
    """
    known, found = all_places(), dict[str, list[tuple[str, str]]]()
    for each in prefectures():
        province = known.get(f"{each.adcode[:2]}0000", each)
        found.setdefault(province.name, []).append((each.adcode, each.name))
    return MappingProxyType({name: tuple(cities) for name, cities in found.items()})


@cache
def _counties() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    chosen = [each for each in all_places().values() if each.level == "county" or each.adcode[:1] in "78"]
    numbers = np.array([(each.lon, each.lat, each.radius) for each in chosen])
    return [each.adcode for each in chosen], numbers[:, 0], numbers[:, 1], numbers[:, 2]
