"""The map of a repair: ground kept, removed and added, above all that the map of a check shows."""

from __future__ import annotations

from collections.abc import Mapping

import shapely

from geoplan.messages import Lang, Message, say
from geoplan_web import map_style
from geoplan_web.assets import Mode
from geoplan_web.evidence import figures
from geoplan_web.map import draw
from geoplan_web.map_layers import Drawn, MapGroup, MapLayer, Row
from geoplan_web.map_style import Hatch, Style
from geoplan_web.wording import Json

Changed = Mapping[tuple[str, str], shapely.Geometry]
"""Ground by part (planning, construction) and by what was done (kept, removed, added), on the plane of the check."""
_KEPT = {
    "planning": Style(map_style.GREEN, 1.0, fill=map_style.GREEN, fill_opacity=0.12),
    "construction": Style(map_style.BLUE, 1.0, fill=map_style.BLUE, fill_opacity=0.18),
}
_REMOVED = {
    "planning": Style(
        map_style.VERMILION, 1.6, fill=map_style.VERMILION, fill_opacity=0.2, hatch=Hatch(map_style.VERMILION, 45)
    ),
    "construction": Style(
        map_style.VERMILION, 1.6, dash="5 3", fill=map_style.ORANGE, fill_opacity=0.25,
        hatch=Hatch(map_style.VERMILION, 135),
    ),
}  # fmt: skip
_ADDED = {
    "planning": Style(map_style.GREEN, 2.0, fill=map_style.GREEN, fill_opacity=0.3, hatch=Hatch(map_style.GREEN, 0)),
    "construction": Style(map_style.BLUE, 2.0, fill=map_style.SKY, fill_opacity=0.4, hatch=Hatch(map_style.BLUE, 90)),
}
_SHOWN = 1.0
"""m²: less is dust of rounding."""
_STYLES = {"removed": _REMOVED, "added": _ADDED, "kept": _KEPT}


def draw_repair(
    content: Json, overlaps: Drawn, changed: Changed, lang: Lang, *, mode: Mode = "inline", nonce: str | None = None
) -> str:
    """The difference map of one answer as an HTML page.

    Parameters
    ----------
    content, overlaps
        The report on the answer and its geometry: the repaired boundaries and what lies round them.
    changed
        What became of the boundaries as drawn.
    mode, nonce
        As for `geoplan_web.map.draw`.
    """
    title = say(Message("repair.map-title", {"name": content["proposal"]["name"] or ""}), lang)
    return draw(content, overlaps, lang, mode=mode, nonce=nonce, first=[_group(changed, lang)], title=title)


def _group(changed: Changed, lang: Lang) -> MapGroup:
    layers = []
    for did, styles in _STYLES.items():
        for part, style in styles.items():
            shape = changed.get((part, did))
            if shape is None or shapely.area(shape) < _SHOWN:
                continue
            told = say(Message(f"repair.did.{did}", {"part": part}), lang)
            rows = [Row(piece, area=figures(float(shapely.area(piece)))) for piece in shapely.get_parts(shape)]
            layers.append(MapLayer(told, "areas", [("", style)], rows, shown=did != "kept"))
    return MapGroup(say(Message("repair.map-group"), lang), layers)
