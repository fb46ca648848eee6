"""What geoplan adds to a folium map, as folium elements.

Folium reads what an element's macros have written *once more as a Jinja template*, so that ``{{ … }}`` in a
village's name would run on the server. Our elements therefore hand their text on as it is (`Plain`), and hold no
foreign text in scripts at all: data stands in one JSON document, words in escaped HTML.
"""

from __future__ import annotations

from typing import Any

from branca.element import Element, Figure, MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

from geoplan_web.assets import MAP_CSS, MEASURE_JS, NORTH_JS
from geoplan_web.escape import embed_json, text


class MapPage(Figure):
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


class Plain(Element):
    """Text that is rendered as it stands, and never read as a template."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.written = written

    def render(self, **_: Any) -> str:
        """The text."""
        return self.written


class Own(JSCSSMixin, MacroElement):
    """An element of ours: named, so that the same report always gives the same page."""

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self._id = "geoplan", name

    def html(self) -> str:
        """Markup of the page's body, escaped."""
        return ""

    def script(self) -> str:
        """Script that runs after the map is there; it holds no foreign text."""
        return ""

    def render(self, **kwargs: Any) -> Any:
        """Hand scripts, style sheets, markup and script to the page."""
        super().render(**kwargs)  # type: ignore[no-untyped-call]
        page: Any = self.get_root()
        page.html.add_child(Plain(self.html()), name=self.get_name())
        page.script.add_child(Plain(self.script()), name=self.get_name())

    @property
    def map_name(self) -> str:
        """The variable that holds the map."""
        parent: Any = self._parent
        return str(parent.get_name())


def data_element(data: dict[str, Any]) -> str:
    """The map's data, as a script element that does not run."""
    return f'<script type="application/json" id="geoplan-data">{embed_json(data)}</script>'


class Caption(Own):
    """What stands above the map: markup that a template has escaped."""

    def __init__(self, markup: str) -> None:
        super().__init__("caption")
        self.markup = markup

    def html(self) -> str:
        """The markup."""
        return self.markup


class Drawing(Own):
    """The report's layers with legend, popups and choice of finding."""

    default_js = [  # noqa: RUF012 - folium declares it so
        ("pattern", "https://teastman.github.io/Leaflet.pattern/leaflet.pattern.js"),
        ("geoplan-labels", "geoplan:labels.js"),
        ("geoplan-drawing", "geoplan:drawing.js"),
        ("geoplan-legend", "geoplan:legend.js"),
        ("geoplan-selection", "geoplan:selection.js"),
    ]
    default_css = [("geoplan-drawing-css", "geoplan:drawing.css")]  # noqa: RUF012

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__("drawing")
        self.data = data

    def html(self) -> str:
        """The data, as a script element that does not run."""
        return data_element(self.data)

    def script(self) -> str:
        """Draw the layers, then choose what the address says."""
        return f"""
const drawing = L.geoplanDrawing(JSON.parse(document.getElementById("geoplan-data").textContent));
drawing.addTo({self.map_name});
const selection = L.control.geoplanSelection(drawing).addTo({self.map_name});
L.control.geoplanLegend(drawing).addTo({self.map_name});
selection.start();
"""


class Furniture(Own):
    """What every map sheet has: north arrow, scale, position, measures, and buttons in the reader's language."""

    default_js = [  # noqa: RUF012 - folium declares it so
        ("geoplan-measure", MEASURE_JS),
        ("geoplan-north", NORTH_JS),
        ("geoplan-position", "geoplan:position.js"),
    ]
    default_css = [("geoplan-map-css", MAP_CSS)]  # noqa: RUF012

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
        """Each control with its options: words of ours and numbers."""
        made = ((name, embed_json(options)) for name, options in self.controls.items())
        return "\n".join(f"L.control.{name}({options}).addTo({self.map_name});" for name, options in made)
