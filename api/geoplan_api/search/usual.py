"""The usual criteria of a search, from the fields of a form: a criteria file as people would write it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from geoplan.errors import CallRefused
from geoplan.search.criteria import SCHEMA

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Number:
    """A number of the form: its bounds, and what it is where the field is left empty."""

    low: float
    high: float
    default: float | None = None


NUMBERS: Mapping[str, Number] = {
    "cell_m": Number(5, 500, 30),
    "target_km2": Number(0.05, 100),
    "construction_km2": Number(0.05, 50),
    "between_km": Number(0, 50, 1),
    "steep_deg": Number(1, 60),
    "water_m": Number(0, 5000),
    "weight.roads": Number(0, 100, 0),
    "weight.built-up": Number(0, 100, 3),
    "weight.industry": Number(0, 100, 0),
    "weight.spared-land": Number(0, 100, 3),
    "weight.slope": Number(0, 100, 0),
}
_FACTORS: Mapping[str, str] = {
    "roads": """title = { zh = "距道路", en = "distance from roads" }
distance_to = { layer = "roads" }
linear = { worst = 3000, best = 0 }""",
    "built-up": """title = { zh = "距建成区", en = "distance from built-up land" }
distance_to = { layer = "land-use", groups = ["construction"] }
linear = { worst = 1500, best = 0 }""",
    "industry": """title = { zh = "距工业用地", en = "distance from industry" }
distance_to = { layer = "land-use", classes = ["06"] }
piecewise = [[0, 0.6], [300, 1.0], [3000, 0.0]]""",
    "spared-land": """title = { zh = "少占耕地", en = "little cultivated land" }
share_of = { layer = "land-use", groups = ["cultivated"] }
linear = { worst = 1, best = 0 }""",
    "slope": """title = { zh = "坡度平缓", en = "gentle slope" }
raster = "slope"
linear = { worst = 15, best = 0 }""",
}


def number(fields: Fields, name: str) -> float | None:
    """A number of the form.

    Raises
    ------
    CallRefused
        It is none, or out of bounds.
    """
    bounds, text = NUMBERS[name], fields.get(name, "").strip()
    if not text:
        return bounds.default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not bounds.low <= value <= bounds.high:
        wanted = f"{bounds.low:g} … {bounds.high:g}"
        raise CallRefused("option-wrong", option=name, value=text[:40], wanted=wanted)
    return value


def usual_criteria(fields: Fields) -> str:
    """A criteria file, in TOML.

    Raises
    ------
    CallRefused
        A field is no number of its kind, or no factor has a weight.
    """
    weights = {name: number(fields, f"weight.{name}") or 0.0 for name in _FACTORS}
    if not any(weights.values()):
        raise CallRefused("search-no-weight")
    parts = [f'schema = "{SCHEMA}"\ncell_m = {number(fields, "cell_m"):g}']
    parts += _constraints(fields)
    parts += [
        f'[[factors]]\nid = "{name}"\n{_FACTORS[name]}\nweight = {weight:g}'
        for name, weight in weights.items()
        if weight
    ]
    for table, name in (("region", "target_km2"), ("construction", "construction_km2")):
        area = number(fields, name)
        if area is not None:
            parts.append(f"[{table}]\ntarget_m2 = {area * 1e6:.0f}")
    parts.append(f"[spacing]\nbetween_min_m = {(number(fields, 'between_km') or 0) * 1000:.0f}")
    return "\n\n".join(parts) + "\n"


def _constraints(fields: Fields) -> list[str]:
    found = []
    steep, water = number(fields, "steep_deg"), number(fields, "water_m")
    if steep is not None:
        title = f'title = {{ zh = "坡度大于 {steep:g}°", en = "steeper than {steep:g}°" }}'
        found.append(f'[[constraints]]\nid = "steep"\n{title}\nraster = "slope"\nabove = {steep:g}')
    if water is not None:
        title = f'title = {{ zh = "水面及其外 {water:g} 米", en = "water, and {water:g} m round it" }}'
        land = 'features = { layer = "land-use", groups = ["water"] }'
        found.append(f'[[constraints]]\nid = "water"\n{title}\n{land}\ndistance_m = {water:g}')
    return found
