"""How the map draws what it shows.

Colours are those of Okabe and Ito (Color Universal Design, https://jfly.uni-koeln.de/color/), which all common
kinds of colour blindness leave apart; ground cover has tints of them, so that what is checked stands out. Permanent
basic farmland has the colours of the demarcation maps (基本农田划区定界图示: yellow 255,255,0 with a red outline
255,0,0). Colour never stands alone: hatching, dashes and casings tell the same on a grey print.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

BLACK, BLUE, SKY, GREEN = "#000000", "#0072b2", "#56b4e9", "#009e73"
ORANGE, VERMILION, PURPLE, YELLOW, GREY = "#e69f00", "#d55e00", "#cc79a7", "#f0e442", "#767676"
FARMLAND_FILL, FARMLAND_LINE = "#ffff00", "#ff0000"


@dataclass(frozen=True, slots=True)
class Hatch:
    """Parallel lines inside an area: colour, weight and distance in pixels, angle in degrees."""

    color: str
    angle: int = 45
    weight: float = 1.5
    space: float = 5.5

    def as_options(self, fill: str | None, opacity: float) -> dict[str, Any]:
        """Options of ``L.StripePattern``: the tile is one line and one gap, and the gap carries the fill."""
        size = self.weight + self.space
        return {
            "color": self.color, "angle": self.angle, "weight": self.weight, "spaceWeight": self.space,
            "spaceColor": fill or self.color, "spaceOpacity": opacity if fill else 0, "width": size, "height": size,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """One class of what is drawn.

    ``casing`` puts a white line below a boundary, so that it shows on any ground; ``mark`` puts a ring around what
    is too small to see; ``cross`` hatches a second time, across the first.
    """

    color: str
    weight: float = 1.0
    dash: str | None = None
    fill: str | None = None
    fill_opacity: float = 1.0
    hatch: Hatch | None = None
    casing: bool = False
    mark: bool = False
    cross: bool = False

    def as_options(self) -> dict[str, Any]:
        """Leaflet's path options, with ``hatch``, ``cross``, ``casing`` and ``mark`` for our own drawing."""
        options: dict[str, Any] = {"color": self.color, "weight": self.weight, "fill": bool(self.fill or self.hatch)}
        if self.dash:
            options["dashArray"] = self.dash
        if self.hatch:
            options["fillOpacity"] = 1
            options["hatch"] = self.hatch.as_options(self.fill, self.fill_opacity)
            if self.cross:
                options["cross"] = replace(self.hatch, angle=self.hatch.angle + 90).as_options(None, 0)
        elif self.fill:
            options |= {"fillColor": self.fill, "fillOpacity": self.fill_opacity}
        return options | {key: True for key in ("casing", "mark") if getattr(self, key)}


PLANNING = Style(BLACK, 4, dash="14 5 3 5", casing=True)
CONSTRUCTION = Style(BLUE, 2.8, casing=True)

_DENSE, _SPARSE = Hatch(FARMLAND_LINE, 45, 2.2, 3.8), Hatch(FARMLAND_LINE, 45, 0.7, 8.3)
FARMLAND_HIT = Style(FARMLAND_LINE, 2.5, fill=FARMLAND_FILL, fill_opacity=0.9, hatch=_DENSE)
FARMLAND_REST = Style(FARMLAND_LINE, 1.1, fill=FARMLAND_FILL, fill_opacity=0.6, hatch=_SPARSE)
FARMLAND_SLIVER = Style(FARMLAND_LINE, 1.5, dash="3 3", fill=FARMLAND_FILL, mark=True)
FARMLAND_NEAR = Style("#f2a9a0", 0.8, fill=FARMLAND_FILL, fill_opacity=0.16, hatch=Hatch("#d9b84a", 45, 0.7, 8.3))

HIT = Style(VERMILION, 2, fill=VERMILION, fill_opacity=0.35, hatch=Hatch(VERMILION, 135, 1.6, 5.4))
TAKEN = Style("#7a5a00", 1.2, fill=ORANGE, fill_opacity=0.25, hatch=Hatch("#a87400", 0, 1.0, 6.0))
UNKNOWN = Style(GREY, 1.5, dash="2 4", fill=GREY, fill_opacity=0.2, hatch=Hatch(GREY, 90, 1.0, 5.0))
SLIVER = Style(VERMILION, 1.5, dash="3 3", mark=True)
UNCOVERED = Style(GREY, 1.2, dash="6 4", hatch=Hatch(GREY, 45, 0.9, 11), cross=True)
"""A grid of grey lines and nothing between them: what lies below still shows, and no ground looks clear."""

TOWN = Style("#7b3f68", 2, fill=PURPLE, fill_opacity=0.35)
DISTANCE = Style("#7b3f68", 2, dash="6 4", casing=True)

CONTROL: dict[str, Style] = {
    "ecological-redline": Style("#00694c", 2.2, fill=GREEN, fill_opacity=0.3, hatch=Hatch("#00694c", 135, 1.2, 6.8)),
    "urban-development-boundary": Style(PURPLE, 2.5, dash="10 4"),
    "urban-expansion-boundary": Style(PURPLE, 2.5, dash="4 4"),
    "construction-control-zones": Style(VERMILION, 1.3, dash="7 3 2 3"),
    "land-use-zones": Style(ORANGE, 1.3, dash="5 3"),
    "counties": Style("#555555", 1.6, dash="14 3 2 3 2 3"),
}
"""Lines that plans and the law draw, by role, in the order of the legend."""

LAND: dict[str, str] = {
    "cultivated": "#f6f0c4",
    "orchard": "#f3dfb5",
    "woodland": "#c9e3d6",
    "grassland": "#e3edc9",
    "wetland": "#cfe6e2",
    "water": "#cbe5f6",
    "construction": "#eed3e0",
    "waste": "#e6ddd3",
    "agricultural": "#ecebd6",
    "unused": "#e2e2dc",
    "unknown": "#f2f2f0",
}
"""Tints of ground cover by group of land; a patch takes the first group that it belongs to."""


def land(group: str) -> Style:
    """Ground cover of one group."""
    return Style("#b5b5ad", 0.6, fill=LAND[group])


def planned(group: str) -> Style:
    """A drawn use: the same tint, with a dashed line, since nothing stands there yet."""
    return Style("#7d7d75", 0.8, dash="4 2", fill=LAND[group])


OTHER = Style("#56616b", 1.2, fill=SKY, fill_opacity=0.25)
"""Reference layers without a style of their own."""

ZONES = tuple(
    Style(color, 1.4, fill=color, fill_opacity=0.28)
    for color in (VERMILION, ORANGE, BLUE, GREEN, PURPLE, SKY, "#7a5a00")
)
"""Zones of one plan, in the order of their codes."""


def of_role(role: str) -> Style:
    """A whole layer of one role, where it has no classes to tell apart."""
    if role == "permanent-basic-farmland":
        return FARMLAND_REST
    return CONTROL.get(role, OTHER)
