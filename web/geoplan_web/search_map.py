"""The map of a search: suitability, ground that is excluded and why, candidates by rank, and why a point is no site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import folium
import numpy as np
import shapely
from folium import plugins
from numpy.typing import NDArray

from geoplan.messages import Lang, Message, catalogue, say, word
from geoplan.messages.units import format_unit
from geoplan.plane import Plane
from geoplan_web import map_style
from geoplan_web.assets import Mode, localise
from geoplan_web.map_elements import Caption, Furniture, MapPage, Own, Plain, data_element
from geoplan_web.map_style import Hatch, Style
from geoplan_web.search_cells import cells_of
from geoplan_web.templating import render
from geoplan_web.wording import Json

_SCRIPT = "search-map.script."
_ZOOMS: dict[str, Any] = {"minZoom": 5, "maxZoom": 20, "zoomSnap": 0.25, "zoomDelta": 1}
_DIGITS = 6
RAMP = ("#fde9c4", "#f3c77f", "#9ccbb5", "#3f9c93", "#0c5a6b")
"""Suitability from low to high, in five steps that differ in lightness too."""
_REASONS: Mapping[str, str] = {
    "permanent-basic-farmland": "#e3c000",
    "ecological-redline": "#6b8e23",
    "water": map_style.BLUE,
    "towns": map_style.PURPLE,
    "urban-development-boundary": "#8a5a83",
    "elevation": "#7a5a00",
}
_OTHERS = (map_style.VERMILION, "#8d6ab8", "#7d8a97", "#c06090", "#9c6b30", "#4a6fb5", "#b5533c", "#5d5d5d")
_UNKNOWN = Style(map_style.GREY, 1, hatch=Hatch(map_style.GREY, 135, 1.2, 4.8))
_UNSCORED = Style("#a8a8a8", 1, fill="#d6d6d2")
_PLANNING = Style("#111111", 3, casing=True)
_CONSTRUCTION = Style(map_style.BLUE, 2.2, dash="6 4", casing=True)


@dataclass(frozen=True)
class SearchGround:
    """A search as its map needs it.

    Parameters
    ----------
    content
        The record ``geoplan/search/1``.
    reasons, doubts, suitability
        ``(rows, columns)`` of its grid: ``exclusion.tif``, ``unknown.tif``, ``suitability.tif``.
    planning, construction
        Boundaries of the candidates by rank, on the plane of the search.
    """

    content: Json
    reasons: NDArray[Any]
    doubts: NDArray[Any]
    suitability: NDArray[np.float32]
    planning: Mapping[int, shapely.Geometry]
    construction: Mapping[int, shapely.Geometry]


class _Sites(Own):
    """Pictures of the cells, candidates, legend and answers, on a folium map."""

    default_js = [  # noqa: RUF012 - folium declares it so
        ("geoplan-legend", "geoplan:legend.js"),
        ("geoplan-search-map", "geoplan:search_map.js"),
    ]
    default_css = [  # noqa: RUF012
        ("geoplan-drawing-css", "geoplan:drawing.css"),
        ("geoplan-search-map-css", "geoplan:search_map.css"),
    ]

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__("search")
        self.data = data

    def html(self) -> str:
        """The data, as a script element that does not run."""
        return data_element(self.data)

    def script(self) -> str:
        """Put everything on the map."""
        return (
            'L.geoplanSearchMap(JSON.parse(document.getElementById("geoplan-data").textContent))'
            f".addTo({self.map_name});"
        )


def _beside(rank: int) -> str:
    return f"candidates/{rank}/map.html"


def search_map(
    ground: SearchGround,
    lang: Lang,
    *,
    mode: Mode = "inline",
    nonce: str | None = None,
    report: Callable[[int], str] = _beside,
    why: str | None = None,
) -> str:
    """The map of a search as an HTML page.

    Parameters
    ----------
    mode
        ``inline``: one file that opens from disk. ``static``: a page that the service hands out.
    nonce
        Put on every script and style.
    report
        Address of a candidate's report by its rank; by default the map beside this file.
    why
        Address that explains a point, ``?lon=&lat=`` is put behind it. Without one, and where it fails, the page
        answers from the cells that it holds.
    """
    content = ground.content
    words = {key.removeprefix(_SCRIPT): say(Message(key, {}), lang) for key in catalogue() if key.startswith(_SCRIPT)}
    title = (content.get("title") or {}).get(lang) or say(Message("search.title"), lang)
    page = MapPage(say(Message("search-map.title", {"name": title}), lang), lang)
    page.add_child(Caption(render("search_caption.html", lang, search=content, title=title)))
    cells = cells_of(content["grid"], ground.reasons, ground.doubts, ground.suitability)
    west, south, east, north = cells["box"]
    place = (south + north) / 2, (west + east) / 2
    made = folium.Map(place, tiles=None, zoom_start=12, zoom_control=False, attributionControl=False, **_ZOOMS)
    made._id = "geoplan"
    made.add_child(Furniture(lang, content["grid"]["central_meridian"], words))
    fullscreen: Any = plugins.Fullscreen  # untyped
    whole = fullscreen(title=words["fullscreen"], title_cancel=words["fullscreen-end"])
    whole._id = "geoplan"
    made.add_child(whole)
    if mode == "static":
        page.header.add_child(Plain('<link rel="icon" href="data:,">'))
    data = _data(ground, lang, words, report) | {"cells": cells, "why": why}
    made.add_child(_Sites(data)).add_to(page)
    return localise(page.render(), mode=mode, nonce=nonce)


def _data(ground: SearchGround, lang: Lang, words: dict[str, str], report: Callable[[int], str]) -> dict[str, Any]:
    content = ground.content
    plane = Plane(content["grid"]["central_meridian"])
    return {
        "lang": lang,
        "words": words,
        "missing": [],
        "reasons": reason_rows(content, lang),
        "unknown": {"style": _UNKNOWN.as_options(), "area": _area(content["account"]["unknown_m2"], lang)},
        "ramp": [Style("#ffffff", 0, fill=color).as_options() for color in RAMP],
        "unscored": _UNSCORED.as_options(),
        "eligible": _area(content["account"]["eligible_m2"], lang),
        "styles": {"planning": _PLANNING.as_options(), "construction": _CONSTRUCTION.as_options()},
        "candidates": [
            {
                "rank": each["rank"],
                "name": each["name"],
                "rows": candidate_rows(content, each, lang),
                "planning": _outline(ground.planning.get(each["rank"]), plane),
                "construction": _outline(ground.construction.get(each["rank"]), plane),
                "href": report(each["rank"]),
            }
            for each in content["candidates"]
        ],
    }


def reason_rows(content: Json, lang: Lang) -> list[dict[str, Any]]:
    """Constraints that have a bit in the cells: title, colour, and the area that each takes alone."""
    found, used, others = [], set[str](), iter(_OTHERS * 4)
    for each in content["account"]["constraints"]:
        if each["bit"] is None:
            continue
        own = (_REASONS[role] for role in each["layers"] if role in _REASONS)
        color = next((color for color in own if color not in used), None) or next(others)
        used.add(color)
        style = Style(color, 1, fill=color, fill_opacity=0.55)
        found.append(
            {
                "bit": each["bit"], "title": each["title"]["says"][lang], "style": style.as_options(),
                "area": _area(each["alone_m2"], lang),
            }
        )  # fmt: skip
    return found


def candidate_rows(content: Json, candidate: Json, lang: Lang) -> list[tuple[str, str]]:
    """What is told of a candidate: name and value of each figure that there is."""

    def told(key: str) -> str:
        return say(Message(f"search.column.{key}"), lang)

    rows = [
        (told("score"), f"{candidate['score']:.3f}"),
        (told("planning"), _area(candidate["planning"]["area_m2"], lang)),
    ]
    if candidate["construction"]:
        rows.append((told("construction"), _area(candidate["construction"]["area_m2"], lang)))
    rows.append((told("verdict"), word("verdict", candidate["verdict"], lang)))
    if content["stability"]:
        rows.append((told("stays"), format_unit(candidate["stays"], "share", lang)))
    if candidate["nearest_town_m"] is not None:
        rows.append((told("town"), format_unit(candidate["nearest_town_m"], "distance", lang)))
    return rows


def _area(value: float, lang: Lang) -> str:
    return format_unit(value, "area", lang)


def _outline(shape: shapely.Geometry | None, plane: Plane) -> list[list[list[list[float]]]]:
    """Polygons as Leaflet reads them: latitude before longitude."""
    if shape is None:
        return []
    degrees = plane.lonlat_shapes(shape)
    return [
        [
            np.round(shapely.get_coordinates(ring)[:-1, ::-1], _DIGITS).tolist()
            for ring in shapely.get_rings(part)
        ]
        for part in shapely.get_parts(degrees)
    ]  # fmt: skip
