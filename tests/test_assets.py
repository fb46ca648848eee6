"""Vendored assets: whole, complete, and enough for a map with the network closed."""

from __future__ import annotations

import html
import importlib.util
import json
import math
import mimetypes
import random
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import folium
import pytest
from branca.element import MacroElement
from fastapi.openapi.docs import get_swagger_ui_html
from folium import plugins
from folium.elements import JSCSSMixin
from folium.template import Template
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, Route, sync_playwright
from pyproj import Geod

from geoplan_web import assets, escape
from geoplan_web.assets import UnvendoredAsset, content_security_policy, localise

NONCE = "r4nd0mr4nd0mr4nd0mr4nd"
CGCS2000 = Geod(ellps="GRS80")  # the same axis and, to 1e-16, the same flattening
CENTRE = (30.87, 120.10)  # Huzhou
HOSTILE = (
    "</script><script>window.hit=1</script>`);window.hit=1;//${window.hit=1}"
    "<img src=x onerror='window.hit=1'>\\\n\u2028'\""
)
LEAFLET = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet.js"


# --- Pages ------------------------------------------------------------------------------------------------


PLUGINS: Any = plugins  # untyped


class Own(JSCSSMixin, MacroElement):
    """Our two controls on a folium map, as the map module adds them."""

    _template = Template(
        """{% macro script(this, kwargs) %}
        {%- set options = {"lang": this.lang}|tojson -%}
        window.measure = L.control.geoplanMeasure({{ options }}).addTo({{ this._parent.get_name() }});
        L.control.geoplanNorth({{ options }}).addTo({{ this._parent.get_name() }});
        {% endmacro %}"""
    )
    default_js = [("geoplan-measure", assets.MEASURE_JS), ("geoplan-north", assets.NORTH_JS)]  # noqa: RUF012
    default_css = [("geoplan-map", assets.MAP_CSS)]  # noqa: RUF012

    def __init__(self, lang: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lang = lang


def triangle(name: str) -> dict[str, Any]:
    west, south, east, north = CENTRE[1] - 0.02, CENTRE[0] - 0.01, CENTRE[1] + 0.02, CENTRE[0] + 0.01
    ring = [[west, south], [east, south], [east, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def folium_map(name: str = "永久基本农田", lang: str = "zh") -> folium.Map:
    """A map with the plug-ins and controls that ours use; `name` is told everywhere, unescaped by us."""
    made = folium.Map(CENTRE, zoom_start=14, tiles=None, maxZoom=19)
    stripes = PLUGINS.StripePattern(angle=45, color="#b71c1c").add_to(made)  # before what it fills
    group = folium.FeatureGroup(name=name).add_to(made)
    folium.GeoJson(
        triangle(name),
        style_function=lambda _: {"fillPattern": stripes, "fillOpacity": 1},
        tooltip=folium.GeoJsonTooltip(["name"], aliases=[name]),
    ).add_to(group)
    folium.Marker(CENTRE, tooltip=folium.Tooltip(name)).add_to(group)
    PLUGINS.Fullscreen(title="全屏", title_cancel="退出全屏").add_to(made)
    PLUGINS.MousePosition(empty_string="—").add_to(made)
    PLUGINS.GroupedLayerControl({name: [group]}, exclusive_groups=False, collapsed=False).add_to(made)
    Own(lang).add_to(made)
    return made


def rendered(made: folium.Map) -> str:
    page: str = made.get_root().render()
    return page


def static_page(lang: str = "zh") -> str:
    return localise(rendered(folium_map(lang=lang)), mode="static", nonce=NONCE)


class Addresses(HTMLParser):
    """What a browser would load for a page, and which scripts and styles carry no nonce."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.bare: list[str] = []
        self.open = self.closed = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := held.get(name)) is not None]
        if tag in ("script", "style"):
            self.open += 1
            if held.get("nonce") != NONCE:
                self.bare.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.closed += tag in ("script", "style")


# --- What is vendored -------------------------------------------------------------------------------------


def manifest() -> dict[str, Any]:
    held: dict[str, Any] = json.loads((assets.VENDOR / "manifest.json").read_text(encoding="utf-8"))
    return held


@pytest.fixture
def script() -> ModuleType:
    """The maintainers' script, which is not part of the package."""
    path = Path(__file__).parent.parent / "web" / "vendor_assets.py"
    spec = importlib.util.spec_from_file_location("vendor_assets_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patched:  # dataclasses look their module up
        patched.setitem(__import__("sys").modules, spec.name, module)
        spec.loader.exec_module(module)
        return module


def test_the_vendored_files_are_whole() -> None:
    assert assets.verify() == []


def test_nothing_lies_beside_what_the_manifest_names() -> None:
    there = {p.relative_to(assets.VENDOR).as_posix() for p in assets.VENDOR.rglob("*") if p.is_file()}
    assert there - {"manifest.json", ".gitattributes"} == set(manifest()["files"])


def test_verify_names_what_is_missing_and_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a-1/a.js": {"sha256": "0" * 64}, "b-1/b.js": {"sha256": "0" * 64}}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    (tmp_path / "b-1").mkdir()
    (tmp_path / "b-1" / "b.js").write_text("changed")
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assets._manifest.cache_clear()
    try:
        assert assets.verify() == [
            "static/vendor/a-1/a.js is missing",
            "static/vendor/b-1/b.js is not the file that was vendored (sha256 differs)",
        ]
    finally:
        assets._manifest.cache_clear()


def test_the_manifest_says_what_the_script_says(script: ModuleType) -> None:
    said = manifest()
    leads = {s: f"{p.folder}/{file}" for p in script.PACKAGES for s, file in p.urls.items()}
    left_out = {suffix: None for row in script.DROPPED for suffix in row.urls}
    assert {suffix: row["file"] for suffix, row in said["urls"].items()} == leads | left_out
    assert {p["name"]: p["integrity"] for p in said["packages"].values()} == {
        p.name: p.integrity for p in script.PACKAGES
    }


def test_every_package_ships_its_licence_and_every_gap_its_reason() -> None:
    said = manifest()
    for folder, package in said["packages"].items():
        assert package["license"] in {"BSD-2-Clause", "MIT", "0BSD", "Apache-2.0"}
        text = re.compile(rf"{re.escape(folder)}/(MIT-)?LICEN[CS]E")
        assert any(text.match(name) for name in said["files"]), folder
    assert (assets.VENDOR / "swagger-ui-dist-5.35.0" / "NOTICE").is_file()  # Apache-2.0, 4(d)
    assert all(row["reason"] for row in said["urls"].values() if row["file"] is None)


def test_the_script_refuses_a_tarball_that_is_not_the_pinned_one(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"leaflet@1\.9\.4: the tarball is sha512-other, we pinned sha512-"):
        script.hold_to_pin(script.PACKAGES[0], "the tarball is", "sha512-other")


def test_the_script_refuses_a_patch_that_no_longer_fits(script: ModuleType) -> None:
    (pattern,) = (p for p in script.PACKAGES if p.name == "leaflet.pattern")
    contents = {"dist/leaflet.pattern.js": b"rewritten", "LICENCE.txt": b"BSD"}
    with pytest.raises(SystemExit, match=r"leaflet\.pattern\.js does not hold 'includes:"):
        script.chosen(pattern, contents)


# --- Rewriting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example/npm/unknown@1/unknown.js"></script>',
        '<script src="https://cdn.example/my-leaflet.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/theme.css">',
        '<link rel="shortcut icon" href="https://fastapi.tiangolo.com/img/favicon.png">',
        "<img alt='' src=http://tiles.example/0/0/0.png>",
        '<script src="geoplan:none.js"></script>',
        '<script src="/static/own.js"></script>',
    ],
)
@pytest.mark.parametrize("mode", ["static", "inline"])
def test_an_unknown_address_is_refused(tag: str, mode: assets.Mode) -> None:
    address = re.search(r"""(?:src|href)=["']?([^"'>]+)""", tag)
    assert address is not None
    with pytest.raises(UnvendoredAsset, match=re.escape(address[1])):
        localise(f"<html><head>{tag}</head></html>", mode=mode)


@pytest.mark.parametrize(
    "tag",
    [
        f'<script src="{LEAFLET}"></script>',
        f"<script src='{LEAFLET}' ></script >",
        f"<SCRIPT\n  async crossorigin='anonymous' integrity=\"sha256-x\"\n SRC={LEAFLET}></SCRIPT>",
        f'<script data-note="a > b" src="{LEAFLET}?v=1#x"></script>',
    ],
)
def test_a_script_is_found_however_it_is_written(tag: str) -> None:
    local = localise(tag, mode="static", nonce=NONCE)
    assert Addresses(local).found == ["/static/vendor/leaflet-1.9.4/leaflet.js"]
    assert Addresses(local).bare == []
    assert "integrity" not in local
    assert "L.Icon.Default.mergeOptions" in localise(tag, mode="inline")


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="stylesheet" href="https://x.example/leaflet.css"/>',
        "<link href='https://x.example/leaflet.css' media=print type=text/css rel='Stylesheet'>",
    ],
)
def test_a_style_sheet_is_found_however_it_is_written(tag: str) -> None:
    assert Addresses(localise(tag, mode="static", base="/v")).found == ["/v/leaflet-1.9.4/leaflet.css"]
    inline = localise(tag, mode="inline", nonce=NONCE)
    assert inline.startswith("<style")
    assert "url(data:image/png;base64," in inline
    assert "url(images/" not in inline
    assert ("print" in tag) == ('media="print"' in inline)


def test_what_folium_adds_and_our_maps_do_not_use_is_left_out() -> None:
    page = localise(rendered(folium.Map(CENTRE, tiles=None)), mode="static")
    names = [Path(address).name for address in Addresses(page).found]
    assert names == ["leaflet.js", "leaflet.css"]


@pytest.mark.parametrize(
    ("extra", "told"),
    [({"popup": "text"}, r"\$\(, of jquery"), ({"icon": folium.Icon()}, r"L\.AwesomeMarkers, of leaflet")],
    ids=["popup", "icon"],
)
def test_code_that_needs_what_is_left_out_is_refused(extra: dict[str, Any], told: str) -> None:
    made = folium.Map(CENTRE, tiles=None)
    folium.Marker(CENTRE, **extra).add_to(made)
    with pytest.raises(UnvendoredAsset, match=f"The page uses {told}"):
        localise(rendered(made), mode="static")


def test_data_may_look_like_code_or_tags() -> None:
    said = ["$(", "L.AwesomeMarkers", "<script src='http://x/x.js'>", '<link rel="stylesheet" href="//x">']
    page = f"<!-- <script src='http://x.example/x.js'> --><script>\nvar a = {json.dumps(said)};\n</script><p>"
    assert localise(page, mode="static") == page
    assert localise(page, mode="inline") == page


@given(st.text())
def test_a_script_of_the_page_is_never_touched(said: str) -> None:
    page = f"<p><script>var a = {escape.embed_json(said)};</script></p>"
    assert localise(page, mode="static") == page


@pytest.mark.parametrize("mode", ["static", "inline"])
def test_every_script_and_style_carries_the_nonce(mode: assets.Mode) -> None:
    page = Addresses(localise(rendered(folium_map()), mode=mode, nonce=NONCE))
    assert page.bare == []
    assert page.open == page.closed >= 8


def test_an_inline_page_names_no_address_and_is_small() -> None:
    page = localise(rendered(folium_map()), mode="inline")
    assert Addresses(page).found == []
    assert "sourceMappingURL" not in page
    assert len(page.encode()) < 250_000
    assert page.index("charset=UTF-8") < 1024  # where browsers look for it (HTML 4.2.5.5)


def test_readers_may_enlarge_the_page() -> None:
    page = localise(rendered(folium.Map(CENTRE, tiles=None)), mode="static")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "user-scalable" not in page


def test_an_embedded_script_cannot_end_its_element(tmp_path: Path) -> None:
    file = tmp_path / "x.js"
    file.write_text("var a = '</script>', b = /<!--/, c = '</SCRIPT ';\n//# sourceMappingURL=x.js.map\n")
    text = assets._embedded_js(file)
    assert text == r"var a = '<\/script>', b = /<\!--/, c = '<\/SCRIPT ';"


def test_a_style_sheet_with_a_missing_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("a { background: url('none.png?x') }")
    with pytest.raises(UnvendoredAsset, match=r"none\.png\?x of x\.css is not in the package"):
        assets._embedded_css(tmp_path / "x.css")


def test_templates_ask_for_files_by_name() -> None:
    assert assets.url("htmx.min.js") == "/static/vendor/htmx.org-2.0.11/htmx.min.js"
    assert re.fullmatch(r"/g/map\.css\?v=[0-9a-f]{12}", assets.url(assets.MAP_CSS, own_base="/g"))
    with pytest.raises(UnvendoredAsset, match="left out on purpose: about 270 kB"):
        assets.url("css/bootstrap.min.css")


# --- The security policy ----------------------------------------------------------------------------------


def test_the_policy_is_strict() -> None:
    assert content_security_policy(NONCE) == (
        f"default-src 'none'; script-src 'self' 'nonce-{NONCE}'; style-src 'self' 'nonce-{NONCE}';"
        " img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )


def test_the_operators_base_map_is_let_in() -> None:
    policy = content_security_policy(NONCE, img=["https://t.example"], connect=["https://v.example:8443"])
    assert "img-src 'self' data: blob: https://t.example;" in policy
    assert "connect-src 'self' https://v.example:8443;" in policy


@pytest.mark.parametrize("source", ["https://x; script-src *", "a b", "", "'unsafe-inline'"])
def test_a_source_cannot_break_out_of_its_directive(source: str) -> None:
    with pytest.raises(ValueError, match="is not one source of a content security policy"):
        content_security_policy(NONCE, img=[source])


@pytest.mark.parametrize("nonce", ["", "short", 'x" onload="alert(1)">', "r4nd0mr4nd0mr4nd0m'; *"])
def test_a_nonce_is_base64(nonce: str) -> None:
    with pytest.raises(ValueError, match="16 or more characters of base64"):
        content_security_policy(nonce)
    with pytest.raises(ValueError, match="16 or more characters of base64"):
        localise("<p>", mode="static", nonce=nonce)


# --- Escaping ---------------------------------------------------------------------------------------------

DOCUMENT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(DOCUMENT)
def test_text_can_be_read_back(value: str) -> None:
    assert html.unescape(escape.text(value)) == value


@given(st.text(st.characters()) | st.text("<>&\"'`$\\{}\n\r\u2028\u2029\x00\x7f\ud800;#x0123"))
def test_text_holds_nothing_that_html_or_a_script_reads(value: str) -> None:
    said = escape.text(value)
    assert not set(said) & set("<>\"'`$\\{}\n\r\u2028\u2029\x00\x7f\ud800")
    assert re.fullmatch(r"(?:[^&]|&(?:lt|gt|amp|quot|#[0-9a-fx]+);)*", said)
    said.encode()


def test_text_of_nothing_is_empty_and_of_a_number_is_the_number() -> None:
    assert escape.text(None) == ""
    assert escape.text(12.5) == "12.5"
    assert escape.text("\x00\ud800") == "\ufffd\ufffd"


@given(JSON)
def test_embedded_json_can_be_read_back(value: object) -> None:
    said = escape.embed_json(value)
    assert json.loads(said) == value
    assert not set(said) & set("<>&\u2028\u2029")
    said.encode()


@given(st.text("<>&\u2028\u2029\ud83d\udc00/!-script"))
def test_embedded_json_writes_dangerous_characters_as_escapes(value: str) -> None:
    said = escape.embed_json([value, {value: 1}])
    assert not set(said) & set("<>&\u2028\u2029")
    said.encode()
    assert json.loads(said)[0].encode("utf-16", "surrogatepass") == value.encode("utf-16", "surrogatepass")


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": -math.inf}])
def test_json_has_no_word_for_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        escape.embed_json(value)


# --- In the browser ---------------------------------------------------------------------------------------

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield opened
        opened.close()


class Site(ThreadingHTTPServer):
    """Pages under the strict policy, and ``/static``, on the loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.pages: dict[str, tuple[str, str]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, content: str, kind: str = "text/html; charset=utf-8") -> str:
        self.pages[path] = (content, kind)
        return self.address + path


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = self.server
        assert isinstance(site, Site)
        path = urlsplit(self.path).path
        file = assets.STATIC / path.removeprefix("/static/")
        if path in site.pages:
            content, kind = site.pages[path]
            self.answer(200, content.encode(), kind)
        elif path.startswith("/static/") and file.is_file():
            self.answer(200, file.read_bytes(), mimetypes.guess_type(path)[0] or "")
        else:
            self.answer(204 if path == "/favicon.ico" else 404, b"", "text/plain")

    def answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", content_security_policy(NONCE))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


@dataclass
class Visit:
    """A page opened with the network closed, and all that it complained of or asked for."""

    page: Page
    within: str
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self.requested)
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("console", self.logged)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.context.route(re.compile(r"^(?!file:)"), self.routed)
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('policy', e.violatedDirective))"
        )

    def local(self, url: str) -> bool:
        return url.startswith((self.within, "data:", "blob:"))

    def requested(self, request: Request) -> None:
        if not self.local(request.url):
            self.outside.append(request.url)

    def routed(self, route: Route) -> None:
        route.continue_() if self.local(route.request.url) else route.abort()

    def logged(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def complaints(self) -> list[str]:
        return self.outside + self.failed + self.said


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts = []

    def opened(url: str, within: str, size: tuple[int, int] = (1440, 900), ready: str = "") -> Visit:
        touch = size[0] < 500
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=touch)
        contexts.append(context)
        visit = Visit(context.new_page(), within)
        visit.page.goto(url)
        visit.page.wait_for_selector(ready or ".geoplan-measure", state="attached")
        return visit

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(params=["static", "inline"])
def opened_map(request: pytest.FixtureRequest, site: Site, open_page: Any, tmp_path: Path) -> Any:
    """A function that opens a folium map in one of the two modes."""

    def opened(made: folium.Map, size: tuple[int, int] = (1440, 900)) -> Visit:
        if request.param == "static":
            page = localise(rendered(made), mode="static", nonce=NONCE)
            visit: Visit = open_page(site.put("/map", page), site.address, size)
        else:
            file = tmp_path / "map.html"
            file.write_text(localise(rendered(made), mode="inline"), encoding="utf-8")
            visit = open_page(file.as_uri(), file.as_uri(), size)
        visit.page.evaluate(f"window.map = window['{made.get_name()}']")
        return visit

    return opened


@pytest.mark.browser
def test_a_map_needs_nothing_from_outside(opened_map: Any) -> None:
    visit = opened_map(folium_map())
    page = visit.page
    for control in (
        ".leaflet-control-zoom-fullscreen",
        ".leaflet-control-mouseposition",
        ".leaflet-control-layers-group-name",
        ".geoplan-measure-toggle",
        ".geoplan-north-arrow",
        ".geoplan-north .leaflet-control-scale-line",
    ):
        assert page.locator(control).first.is_visible(), control
    assert page.locator("path.leaflet-interactive").first.get_attribute("fill") in page.evaluate(
        "[...document.querySelectorAll('pattern')].map(p => `url(#${p.id})`)"
    )
    assert page.evaluate("document.querySelector('.leaflet-marker-icon').naturalWidth") == 25
    assert "永久基本农田" in page.locator(".leaflet-control-layers-group-name").inner_text()
    page.mouse.move(700, 400)
    assert re.search(r"30\.\d+ : 120\.\d+", page.locator(".leaflet-control-mouseposition").inner_text())
    page.locator(".leaflet-control-zoom-fullscreen").click()
    page.wait_for_function("document.fullscreenElement !== null")
    assert visit.complaints() == []


@pytest.mark.browser
def test_escaped_text_is_shown_and_never_run(opened_map: Any) -> None:
    visit = opened_map(folium_map(escape.text(HOSTILE)))
    page = visit.page
    page.mouse.move(900, 430)
    page.wait_for_selector(".leaflet-tooltip")
    shown = page.locator(".leaflet-control-layers-group-name").evaluate("e => e.textContent")
    assert shown == HOSTILE
    assert page.locator(".leaflet-tooltip td").first.evaluate("e => e.textContent").strip() == HOSTILE.strip()
    assert page.evaluate("window.hit") is None
    assert visit.complaints() == []


# The measure control


def geodesic(points: list[dict[str, float]]) -> tuple[float, float, float]:
    """Length, perimeter and area of clicked points, by GeographicLib."""
    lons, lats = [p["lng"] for p in points], [p["lat"] for p in points]
    area, perimeter = CGCS2000.polygon_area_perimeter(lons, lats)
    return CGCS2000.line_length(lons, lats), perimeter, abs(area)


def figures(page: Page) -> dict[str, float]:
    """The numbers on the panel, by the name of their place."""
    shown = page.locator("[data-figure]").evaluate_all("es => es.map(e => [e.dataset.figure, e.textContent])")
    return {name: float(text.split()[0].replace(",", "")) for name, text in shown if not text.startswith("—")}


def listen(page: Page) -> None:
    page.evaluate("map.on('geoplan:measure', e => { window.last = e; })")


def last(page: Page) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate(
        "(({points, finished, length, perimeter, area}) =>"
        " ({points: points.map(({lat, lng}) => ({lat, lng})), finished, length, perimeter, area}))(last)"
    )
    return told


@pytest.mark.browser
@pytest.mark.parametrize(("lang", "size"), [("zh", (1440, 900)), ("en", (390, 844))], ids=["wide", "narrow"])
def test_a_measurement_agrees_with_geographiclib(opened_map: Any, lang: str, size: tuple[int, int]) -> None:
    visit = opened_map(folium_map(lang=lang), size)
    page = visit.page
    listen(page)
    page.get_by_role("button", name={"zh": "量测长度和面积", "en": "Measure length and area"}[lang]).click()
    x, y = size[0] / 2, size[1] - 60
    corners = [(x - 120, y - 90), (x + 110, y - 80), (x + 80, y), (x - 90, y - 10)]
    touch = size[0] < 500
    for corner in corners[: 4 if touch else 3]:
        (page.touchscreen.tap if touch else page.mouse.click)(*corner)
        page.wait_for_timeout(250)
    if touch:
        page.get_by_role("button", name="Finish").tap()
    else:
        page.mouse.dblclick(*corners[3])
    told = last(page)
    assert told["finished"]
    assert len(told["points"]) == 4  # the second click of the double click adds none
    length, perimeter, area = geodesic(told["points"])
    assert told["length"] == pytest.approx(length, abs=1e-5)
    assert told["perimeter"] == pytest.approx(perimeter, abs=1e-5)
    assert told["area"] == pytest.approx(area, rel=1e-7)
    shown = figures(page)
    assert shown == {
        "length-m": pytest.approx(length, abs=0.051),
        "length-km": pytest.approx(length / 1e3, abs=0.00051),
        "perimeter-m": pytest.approx(perimeter, abs=0.051),
        "perimeter-km": pytest.approx(perimeter / 1e3, abs=0.00051),
        "area-m2": pytest.approx(area, abs=0.1),
        "area-ha": pytest.approx(area / 1e4, abs=0.000051),
        "area-mu": pytest.approx(area * 15 / 1e4, abs=0.0051),
        "area-km2": pytest.approx(area / 1e6, abs=0.000051),
    }
    assert "公顷" in page.locator(".geoplan-measure-panel").inner_text() or lang == "en"
    assert page.locator(".leaflet-tooltip").count() == 0  # layers below heard no mouse
    assert visit.complaints() == []


@pytest.mark.browser
def test_geodesy_agrees_with_geographiclib_at_every_size(site: Site, open_page: Any) -> None:
    page = open_page(site.put("/map", static_page()), site.address).page
    dice = random.Random(5)
    for size in (20.0, 200.0, 2e3, 2e4, 2e5, 1e6):
        for _ in range(40):
            lon, lat, n = dice.uniform(70, 140), dice.uniform(-10, 55), dice.randint(3, 9)
            turns = [360 * (i + dice.uniform(-0.3, 0.3)) / n for i in range(n)]
            ends = [CGCS2000.fwd(lon, lat, turn, size * dice.uniform(0.4, 1)) for turn in turns]
            points = [{"lng": end[0], "lat": end[1]} for end in ends]
            length, perimeter, area = geodesic(points)
            found = page.evaluate("points => L.Control.GeoplanMeasure.figures(points)", points)
            assert found["length"] == pytest.approx(length, abs=1e-5, rel=1e-11)
            assert found["perimeter"] == pytest.approx(perimeter, abs=1e-5, rel=1e-11)
            assert found["area"] == pytest.approx(area, abs=0.05, rel=1e-7)


@pytest.mark.browser
def test_special_lines_are_measured(site: Site, open_page: Any) -> None:
    page = open_page(site.put("/map", static_page()), site.address).page
    measured = "points => L.Control.GeoplanMeasure.figures(points).length"
    for west, south, east, north in [
        (0.0, 0.0, 1.0, 0.0),  # along the equator
        (120.0, 0.0, 120.0, 45.0),  # along a meridian
        (120.0, 30.0, 120.0, 30.0),  # nowhere
        (179.5, 30.0, -179.5, 30.0),  # over the date line
    ]:
        found = page.evaluate(measured, [{"lng": west, "lat": south}, {"lng": east, "lat": north}])
        assert found == pytest.approx(CGCS2000.line_length([west, east], [south, north]), abs=1e-5)
    assert math.isnan(page.evaluate(measured, [{"lng": 0, "lat": 0}, {"lng": 179.9, "lat": 0.1}]))


@pytest.mark.browser
def test_the_measure_control_works_by_keyboard(opened_map: Any) -> None:
    visit = opened_map(folium_map())
    page = visit.page
    listen(page)
    toggle = page.locator(".geoplan-measure-toggle")
    toggle.focus()
    page.keyboard.press("Enter")
    assert toggle.get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement === map.getContainer()")
    for arrow in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        page.keyboard.press("Space")
        page.keyboard.press(arrow)
        page.wait_for_timeout(400)
    assert len(last(page)["points"]) == 4
    page.keyboard.press("Backspace")
    assert len(last(page)["points"]) == 3
    page.keyboard.press("Enter")
    told = last(page)
    assert told["finished"]
    assert told["area"] == pytest.approx(geodesic(told["points"])[2], rel=1e-7)
    page.keyboard.press("Escape")
    assert toggle.get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement === document.querySelector('.geoplan-measure-toggle')")
    assert not page.locator(".geoplan-measure-panel").is_visible()
    assert page.locator(".leaflet-geoplan-measure-pane path").count() == 0
    assert page.evaluate("map.doubleClickZoom.enabled()")
    assert visit.complaints() == []


@pytest.mark.browser
def test_a_crossed_outline_has_no_area(opened_map: Any) -> None:
    visit = opened_map(folium_map())
    page = visit.page
    listen(page)
    page.locator(".geoplan-measure-toggle").click()
    for x, y in [(500, 500), (800, 700), (800, 500), (500, 700)]:
        page.mouse.click(x, y)
        page.wait_for_timeout(250)
    assert last(page)["area"] is None
    assert last(page)["perimeter"] > 0
    assert "边线自相交" in page.locator(".geoplan-measure-warning").inner_text()
    assert "area-ha" not in figures(page)
    page.get_by_role("button", name="撤销").click()
    assert last(page)["area"] > 0
    page.get_by_role("button", name="结束").click()
    assert last(page)["finished"]
    page.get_by_role("button", name="退出").click()
    assert visit.complaints() == []


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (320, 480)])
def test_the_controls_fit_and_can_be_hit(site: Site, open_page: Any, size: tuple[int, int]) -> None:
    page = open_page(site.put("/map", static_page("en")), site.address, size).page
    page.locator(".geoplan-measure-toggle").click()
    boxes = [b.bounding_box() for b in page.locator(".geoplan-measure button").all()]
    assert len(boxes) == 4
    assert all(box and box["width"] >= 30 and box["height"] >= 30 for box in boxes)
    page.evaluate(  # a whole county: the longest figures
        "[[30, 119], [30, 121], [31, 121]].forEach(([lat, lng]) => measure.add(L.latLng(lat, lng)))"
    )
    assert page.locator(".geoplan-measure-panel").evaluate("e => e.scrollWidth <= e.clientWidth")
    panel = page.locator(".geoplan-measure-panel").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= size[0]
    assert panel["y"] + panel["height"] <= size[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.browser
def test_the_page_of_the_interface_runs_under_the_policy(site: Site, open_page: Any) -> None:
    described = {
        "openapi": "3.1.0",
        "info": {"title": "geoplan", "version": "1"},
        "paths": {"/checks": {"post": {"summary": "检查", "responses": {"201": {"description": "made"}}}}},
    }
    site.put("/openapi.json", json.dumps(described), "application/json")
    made = get_swagger_ui_html(openapi_url="/openapi.json", title="geoplan", swagger_favicon_url="data:,")
    page = localise(bytes(made.body).decode(), mode="static", nonce=NONCE)
    visit = open_page(site.put("/docs", page), site.address, ready=".opblock")
    visit.page.locator(".opblock-summary-control").first.click()
    visit.page.wait_for_selector(".responses-table")
    assert visit.complaints() == []


@pytest.mark.browser
def test_these_tests_would_hear_of_a_request_or_a_breach(open_page: Any, site: Site) -> None:
    visit = open_page(site.put("/raw", rendered(folium_map())), site.address, ready=".folium-map")
    assert LEAFLET in visit.outside
    assert any("policy" in said for said in visit.said)  # folium's own script has no nonce
    with pytest.raises(Error, match="net::ERR"):
        visit.page.goto("https://cdn.jsdelivr.net/")
