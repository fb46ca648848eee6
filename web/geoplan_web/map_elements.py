"""What geoplan adds to a folium map, as folium elements.

Folium reads what an element's macros have written *once more as a Jinja template*, so that ``{{ … }}`` in a
village's name would run on the server. Our elements therefore hand their text on as it is (`_Plain`), and hold no
foreign text in scripts at all: data stands in one JSON document, words in escaped HTML.
"""

from __future__ import annotations

from typing import Any, ClassVar

from branca.element import Element, Figure, MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

from geoplan_web.assets import MAP_CSS, MEASURE_JS, NORTH_JS
from geoplan_web.escape import embed_json, text

Links = ClassVar[list[tuple[str, str]]]


class MapPage(Figure):  # type: ignore[misc]
    """The page around a map; folium's own says neither its language nor escapes its title."""

    _template = Template(
        "<!DOCTYPE html>\n"
        '<html lang="{{ this.lang }}">\n'
        "<head>\n"
        "{{ this.header.render(**kwargs) }}\n"
        "<title>{{ this.title }}</title>\n"
        "</head>\n"
        "<body>\n"
        "{{ this.html.render(**kwargs) }}\n"
        "<script>\n{{ this.script.render(**kwargs) }}\n</script>\n"
        "</body>\n"
        "</html>\n"
    )

    def __init__(self, title: str, lang: str) -> None:
        super().__init__(title=text(title))
        self.lang = "zh-CN" if lang == "zh" else "en"


class _Plain(Element):  # type: ignore[misc]
    """Text that is rendered as it stands, and never read as a template."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.written = written

    def render(self, **_: Any) -> str:
        return self.written


class _Own(JSCSSMixin, MacroElement):  # type: ignore[misc]
    """An element of ours: named, so that the same report always gives the same page."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._id = "geoplan", name

    def html(self) -> str:
        """Markup of the page's body, escaped."""
        return ""

    def script(self) -> str:
        """Script that runs after the map is there; it holds no foreign text."""
        return ""

    def render(self, **kwargs: Any) -> None:
        super().render(**kwargs)
        page = self.get_root()
        page.html.add_child(_Plain(self.html()), name=self.get_name())
        page.script.add_child(_Plain(self.script()), name=self.get_name())

    @property
    def map_name(self) -> str:
        """The variable that holds the map."""
        name: str = self._parent.get_name()
        return name


class Caption(_Own):
    """What stands above the map: markup that a template has escaped."""

    def __init__(self, markup: str) -> None:
        super().__init__("caption")
        self.markup = markup

    def html(self) -> str:
        return self.markup


class Drawing(_Own):
    """The report's layers with legend, popups and choice of finding."""

    default_js: Links = [
        ("pattern", "https://teastman.github.io/Leaflet.pattern/leaflet.pattern.js"),
        ("geoplan-drawing", "geoplan:drawing.js"),
        ("geoplan-legend", "geoplan:legend.js"),
        ("geoplan-selection", "geoplan:selection.js"),
    ]
    default_css: Links = [("geoplan-drawing-css", "geoplan:drawing.css")]

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__("drawing")
        self.data = data

    def html(self) -> str:
        return f'<script type="application/json" id="geoplan-data">{embed_json(self.data)}</script>'

    def script(self) -> str:
        return f"""
const drawing = L.geoplanDrawing(JSON.parse(document.getElementById("geoplan-data").textContent));
drawing.addTo({self.map_name});
const selection = L.control.geoplanSelection(drawing).addTo({self.map_name});
L.control.geoplanLegend(drawing).addTo({self.map_name});
selection.start();
"""


class Furniture(_Own):
    """What every map sheet has: north arrow, scale, position, measures, and buttons in the reader's language."""

    default_js: Links = [
        ("geoplan-measure", MEASURE_JS),
        ("geoplan-north", NORTH_JS),
        ("geoplan-position", "geoplan:position.js"),
    ]
    default_css: Links = [("geoplan-map-css", MAP_CSS)]

    def __init__(self, lang: str, meridian: int, words: dict[str, str]) -> None:
        super().__init__("furniture")
        zoom = {"zoomInTitle": words["zoom-in"], "zoomOutTitle": words["zoom-out"]}
        position = {"meridian": meridian, "words": {key: words[key] for key in ("east", "north", "plane")}}
        self.controls = {
            "zoom": zoom,
            "geoplanMeasure": {"lang": lang},
            "geoplanNorth": {"lang": lang},
            "geoplanPosition": position,
        }

    def script(self) -> str:
        return "\n".join(
            f"L.control.{name}({embed_json(options)}).addTo({self.map_name});" for name, options in self.controls.items()
        )
