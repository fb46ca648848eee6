"""From the options of a command to the question that they spell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geoplan.errors import CallRefused
from geoplan_api import inquiry as ask
from geoplan_api.cli.options import Asked
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


def inquiry_of(planning: str, construction: str | None, name: str | None, asked: Asked) -> Inquiry:
    """The question that the options of a command spell; whatever is misspelt is refused before a file is read."""
    if not 0 < asked.accuracy <= 10:
        raise CallRefused("option-wrong", option="--accuracy", value=asked.accuracy, wanted="0 < m ≤ 10")
    return ask.Inquiry(
        planning=parse_selector(planning),
        construction=parse_selector(construction) if construction else None,
        policies=tuple(asked.policy or ()),
        layers=tuple(ask.layer_spec(each) for each in asked.layer or ()),
        coverage=ask.coverage_specs(asked.coverage or []),
        towns=parse_selector(asked.towns) if asked.towns else None,
        facts=Selector(asked.facts) if asked.facts else None,
        frame=ask.frame_named(asked.crs),
        accuracy=asked.accuracy,
        on=ask.civil_date(asked.on),
        name=name,
        readings=ask.readings_of(asked.reading or []),
        anywhere=asked.anywhere,
        **system_options(asked.datum, asked.place, asked.swap_xy, asked.datum_parameters),
    )
