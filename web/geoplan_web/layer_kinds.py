"""What the patches of a layer are shown as: the kinds of its map's legend, and the tints of its small picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geoplan.landuse import Generation, groups
from geoplan_web import map_style
from geoplan_web.map_style import Style

_BY_CODE = frozenset({"construction-control-zones", "land-use-zones", "urban-development-boundary"})
"""Roles whose few codes are drawn apart."""
_COVER = frozenset({"land-use", "planned-land-use"})
_UNFILLED = 0.28
"""How much of its colour a picture gives to ground that a map only draws a line around."""
Tint = tuple[int, int, int]


@dataclass(frozen=True)
class LayerClass:
    """A class of a layer: its code and name as written, and how many patches have it."""

    code: str
    name: str
    patches: int


@dataclass(frozen=True)
class Kind:
    """Classes that are drawn alike: their group of land, if that is what they share; none for a whole layer."""

    group: str | None
    style: Style
    classes: tuple[LayerClass, ...]


def kinds_of(role: str, generation: Generation | None, classes: Sequence[LayerClass]) -> list[Kind]:
    """The kinds of a layer, in the order of the legend; the last one is for whatever no other stands for."""
    if role in _COVER and generation is not None:
        return _by_group(role, generation, classes)
    if role in _BY_CODE and 1 < len(classes) <= len(map_style.ZONES):
        several = sorted(classes, key=lambda each: each.code)
        return [Kind(None, style, (each,)) for each, style in zip(several, map_style.ZONES, strict=False)]
    return [Kind(None, map_style.of_role(role), ())]


def _by_group(role: str, generation: Generation, classes: Sequence[LayerClass]) -> list[Kind]:
    """Land by group, each class in the first group that it belongs to."""
    found: dict[str, list[LayerClass]] = {}
    names = list(map_style.LAND)
    for each in classes:
        own = groups(each.code, generation)
        found.setdefault(next((name for name in names if name in own), names[-1]), []).append(each)
    style = map_style.planned if role == "planned-land-use" else map_style.land
    return [Kind(name, style(name), tuple(found[name])) for name in names if name in found]


def tints_of(kinds: Sequence[Kind]) -> tuple[Mapping[str, Tint], Tint]:
    """Red, green and blue (0..255) of each code as its map fills it on white paper, and of codes without a kind.

    >>> tints_of(kinds_of("permanent-basic-farmland", None, ()))
    ({}, (255, 255, 102))
    """
    found = {each.code: tint(kind.style) for kind in kinds for each in kind.classes}
    return found, tint(kinds[-1].style)


def tint(style: Style) -> Tint:
    """The fill of a style on white paper."""
    color, share = (style.fill, style.fill_opacity) if style.fill else (style.color, _UNFILLED)
    red, green, blue = (round(255 + (int(color[at : at + 2], 16) - 255) * share) for at in (1, 3, 5))
    return red, green, blue
