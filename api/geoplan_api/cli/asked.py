"""From the options of a command to the question that they spell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geoplan.errors import CallRefused
from geoplan_api import inquiry as ask
from geoplan_api.inquiry import Inquiry
from geoplan_layers.parameters_file import read_parameters
from geoplan_layers.places import place_named
from geoplan_layers.selector import Selector, parse_selector


def system_options(datum: str | None, place: str | None, swap_xy: bool, parameters: Path | None) -> dict[str, Any]:
    """What the options say of where the files lie, as fields of an inquiry."""
    return {
        "datum": ask.datum_named(datum),
        "place": place_named(place) if place else None,
        "swap_xy": swap_xy,
        "parameters": read_parameters(parameters) if parameters else None,
    }


_Several = list[str] | None


def inquiry_of(
    planning: str,
    construction: str | None,
    *,
    judged: tuple[_Several, _Several, _Several, str | None, Path | None],
    located: tuple[str | None, str | None, str | None, bool, Path | None],
    options: tuple[float, str | None, str | None, _Several, bool],
) -> Inquiry:
    """The question that the options of a command spell; whatever is misspelt is refused before a file is read."""
    policy, layer, coverage, towns, facts = judged
    crs, datum, place, swap_xy, parameters = located
    accuracy, on, name, reading, anywhere = options
    if not 0 < accuracy <= 10:
        raise CallRefused("option-wrong", option="--accuracy", value=accuracy, wanted="0 < m ≤ 10")
    return ask.Inquiry(
        planning=parse_selector(planning),
        construction=parse_selector(construction) if construction else None,
        policies=tuple(policy or ()),
        layers=tuple(ask.layer_spec(each) for each in layer or ()),
        coverage=ask.coverage_specs(coverage or []),
        towns=parse_selector(towns) if towns else None,
        facts=Selector(facts) if facts else None,
        frame=ask.frame_named(crs),
        accuracy=accuracy,
        on=ask.civil_date(on),
        name=name,
        readings=ask.readings_of(reading or []),
        anywhere=anywhere,
        **system_options(datum, place, swap_xy, parameters),
    )
