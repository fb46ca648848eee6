"""The interactive map of a report: one page, drawn from the report and its overlaps file alone.

The same function makes the exported file, which opens from disk with everything in it, and the page that the
service hands out. Nothing on it is asked of the outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import folium
import shapely
from folium import plugins

from geoplan.messages import Lang, Message, say
from geoplan_web.assets import Mode, localise
from geoplan_web.finding import ICONS, ReportView
from geoplan_web.map_data import map_data
from geoplan_web.map_elements import Caption, Drawing, Furniture, MapPage
from geoplan_web.map_layers import Drawn, MapGroup
from geoplan_web.templating import render
from geoplan_web.wording import Json

_ZOOMS: dict[str, Any] = {"minZoom": 5, "maxZoom": 22, "zoomSnap": 0.25, "zoomDelta": 1}
"""From a province to a sliver; in quarters of a step, so that a boundary fills the page."""


def draw(
    content: Json,
    overlaps: Drawn,
    lang: Lang,
    *,
    mode: Mode = "inline",
    nonce: str | None = None,
    whole: Mapping[str, str] | None = None,
    first: Sequence[MapGroup] = (),
    title: str | None = None,
) -> str:
    """The map of a report as an HTML page.

    Parameters
    ----------
    content
        The report ``geoplan/report/1``; ``invented`` marks demo data on the page.
    overlaps
        Boundaries, evidence by id and surroundings, on the plane of the check (``Overlaps`` of geoplan_layers).
    mode
        ``inline``: one file that opens from disk. ``static``: a page that the service hands out, with its files
        beside it.
    nonce
        Put on every script and style, for `geoplan_web.assets.content_security_policy`.
    whole
        Addresses of the maps of whole layers, by role; a file that opens from disk has none.
    first
        Groups that stand before those of the report; ``title`` names a page that shows them.

    Notes
    -----
    The address chooses what is shown: ``#evidence=ID,ID`` or ``#finding=POLICY--RULE``. In a frame of its own
    origin the map hears ``{geoplan: "show", evidence: [ID, …]}`` and tells ``{geoplan: "pick", id, findings}``.
    Reference layers are shown within 500 m and simplified by up to 1 m; nothing is measured on the page.
    """
    report = ReportView(content, lang)
    page = MapPage(title or say(Message("map.title", {"name": report.name}), lang), lang)
    data = map_data(report, overlaps, whole, first)
    page.add_child(Caption(render("map_caption.html", lang, report=report, findings=data["findings"], icons=ICONS)))
    _map(report, overlaps, data["words"]).add_child(Drawing(data)).add_to(page)
    return localise(page.render(), mode=mode, nonce=nonce)


def _map(report: ReportView, overlaps: Drawn, words: dict[str, str]) -> Any:
    """An empty map with its furniture, in one language; named, so that the same report gives the same page."""
    centre = overlaps.plane.lonlat_shapes(shapely.centroid(overlaps.boundaries["planning"]))
    place = shapely.get_y(centre).item(), shapely.get_x(centre).item()
    made = folium.Map(place, tiles=None, zoom_start=14, zoom_control=False, attributionControl=False, **_ZOOMS)
    made._id = "geoplan"
    made.add_child(Furniture(report.lang, overlaps.plane.central_meridian, words))
    fullscreen: Any = plugins.Fullscreen  # untyped
    whole = fullscreen(title=words["fullscreen"], title_cancel=words["fullscreen-end"])
    whole._id = "geoplan"
    made.add_child(whole)
    return made
