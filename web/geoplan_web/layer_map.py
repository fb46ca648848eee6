"""The page of a whole layer: vector tiles on a folium map, with the colours and the legend of the other maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import folium
from folium import plugins

from geoplan.landuse import Generation
from geoplan.messages import Lang, Message, catalogue, say, word
from geoplan_web.assets import localise
from geoplan_web.layer_kinds import LayerClass, kinds_of
from geoplan_web.map_elements import Caption, Furniture, MapPage, Own, Plain, data_element
from geoplan_web.map_layers import ground_title
from geoplan_web.map_style import Style
from geoplan_web.templating import render

_SCRIPT = "tiles.script."
_ZOOMS: dict[str, Any] = {"minZoom": 3, "maxZoom": 22}


@dataclass(frozen=True)
class LayerSheet:
    """What the map of a layer has to know of it.

    Parameters
    ----------
    box
        West, south, east, north of the patches, degrees.
    meridian
        Central meridian of the layer's plane, degrees.
    tiles
        Address of the tiles with ``{z}``, ``{x}`` and ``{y}``.
    detail_from, deepest
        The zoom of tiles from which patches are drawn one by one, and the last one there is.
    about
        Address of the page that describes the layer, if there is one.
    """

    role: str
    version: str
    file: str
    day: str | None
    coverage: str
    invented: bool
    generation: Generation | None
    patches: int
    classes: Sequence[LayerClass]
    box: tuple[float, float, float, float]
    meridian: int
    tiles: str
    detail_from: int
    deepest: int
    about: str | None = None


@dataclass(frozen=True)
class _Kind:
    """One line of the legend: its title, its style, how many patches it stands for, and their codes."""

    title: str
    style: Style
    count: int
    codes: tuple[str, ...]


class _Tiles(Own):
    """The tiles of one layer as a layer of a folium map, with legend and popups."""

    default_js = [  # noqa: RUF012 - folium declares it so
        ("geoplan-tile", "geoplan:tile.js"),
        ("geoplan-tiles", "geoplan:tiles.js"),
        ("geoplan-legend", "geoplan:legend.js"),
        ("geoplan-layer-map", "geoplan:layer_map.js"),
    ]
    default_css = [  # noqa: RUF012
        ("geoplan-drawing-css", "geoplan:drawing.css"),
        ("geoplan-layer-map-css", "geoplan:layer_map.css"),
    ]

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__("tiles")
        self.data = data

    def html(self) -> str:
        """The data, as a script element that does not run."""
        return data_element(self.data)

    def script(self) -> str:
        """Put the layer on the map."""
        return (
            'L.geoplanLayerMap(JSON.parse(document.getElementById("geoplan-data").textContent))'
            f".addTo({self.map_name});"
        )


def draw_layer(sheet: LayerSheet, lang: Lang, *, nonce: str) -> str:
    """The map of a whole layer as a page that the service hands out, under the nonce that it is given.

    Notes
    -----
    The address ``#zoom/latitude/longitude`` chooses the place. Nothing is measured on the page.
    """
    words = {key.removeprefix(_SCRIPT): say(Message(key, {}), lang) for key in catalogue() if key.startswith(_SCRIPT)}
    role = word("role", sheet.role, lang)
    page = MapPage(say(Message("tiles.title", {"role": role}), lang), lang)
    page.header.add_child(Plain('<link rel="icon" href="data:,">'))  # a browser would ask for one
    page.add_child(Caption(render("layer_caption.html", lang, sheet=sheet)))
    west, south, east, north = sheet.box
    place = (south + north) / 2, (west + east) / 2
    made = folium.Map(place, tiles=None, zoom_start=12, zoom_control=False, attributionControl=False, **_ZOOMS)
    made._id = "geoplan"
    made.add_child(Furniture(lang, sheet.meridian, words))
    fullscreen: Any = plugins.Fullscreen  # untyped
    whole = fullscreen(title=words["fullscreen"], title_cancel=words["fullscreen-end"])
    whole._id = "geoplan"
    made.add_child(whole)
    made.add_child(_Tiles(layer_data(sheet, words, lang))).add_to(page)
    return localise(page.render(), mode="static", nonce=nonce)


def layer_data(sheet: LayerSheet, words: dict[str, str], lang: Lang) -> dict[str, Any]:
    """Everything that the map's scripts need; a tile itself carries codes, names and numbers alone."""
    kinds = _kinds(sheet, lang)
    return {
        "words": words,
        "missing": [],
        "heading": word("role", sheet.role, lang),
        "url": sheet.tiles,
        "box": [round(each, 6) for each in sheet.box],
        "detailFrom": sheet.detail_from,
        "deepest": sheet.deepest,
        "styles": [kind.style.as_options() for kind in kinds],
        "legend": [{"title": kind.title, "style": i, "count": kind.count} for i, kind in enumerate(kinds)],
        "classes": {code: i for i, kind in enumerate(kinds) for code in kind.codes},
        "other": len(kinds) - 1,
        "titles": {each.code: _title(each) for each in sheet.classes if each.code},
    }


def _title(each: LayerClass) -> str:
    return " ".join(dict.fromkeys(filter(None, (each.code, each.name))))


def _kinds(sheet: LayerSheet, lang: Lang) -> list[_Kind]:
    """Lines of the legend; the last one is for whatever no other stands for."""
    found = []
    for each in kinds_of(sheet.role, sheet.generation, sheet.classes):
        count = sum(one.patches for one in each.classes) if each.classes else sheet.patches
        if each.group is not None:
            title = ground_title(each.group, lang)
        else:
            title = _title(each.classes[0]) if each.classes else word("role", sheet.role, lang)
        found.append(_Kind(title, each.style, count, tuple(one.code for one in each.classes)))
    return found
