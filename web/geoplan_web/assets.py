"""Script and style files that the package carries, so that a page asks nothing of the outside.

Folium writes addresses of content networks into every page it renders. `localise` replaces them by files of
``static/vendor`` (made by ``web/vendor_assets.py`` from pinned npm packages) and ``static/geoplan`` (ours):

* ``static``: a page that geoplan serves; files stay files, and the page runs under `content_security_policy`;
* ``inline``: one file that opens from disk, with everything in it.

An address that neither folder answers raises `UnvendoredAsset`: a page is never half local. What scripts
fetch later, such as tiles of a base map, is the caller's; `content_security_policy` holds it back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any, Literal

from geoplan_web.escape import embed_json

STATIC = Path(__file__).parent / "static"
"""What the service hands out below ``/static``."""
VENDOR = STATIC / "vendor"

MEASURE_JS = "geoplan:measure.js"
NORTH_JS = "geoplan:north.js"
MAP_CSS = "geoplan:map.css"
"""Addresses of our own files in a folium element's ``default_js`` and ``default_css``."""

VIEWPORT = "width=device-width, initial-scale=1"
"""In place of folium's, which forbids readers to enlarge the page (WCAG 2.2, 1.4.4)."""

Mode = Literal["static", "inline"]


class UnvendoredAsset(Exception):
    """A page asks for a file that the package does not carry, or runs code that needs one left out."""


@cache
def _manifest() -> dict[str, Any]:
    """``manifest.json``: ``urls`` (end of an address -> file), ``files``, ``packages``."""
    held: dict[str, Any] = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    return held


def _row(address: str) -> dict[str, Any]:
    """The manifest's row for an address: the one that shares most whole segments at the end."""
    segments = re.split(r"[?#]", address, maxsplit=1)[0].split("/")
    urls = _manifest()["urls"]
    for first in range(len(segments)):
        row: dict[str, Any] | None = urls.get("/".join(segments[first:]))
        if row is not None:
            return row
    raise UnvendoredAsset(
        f"{address} is not in the package. Add its npm package to web/vendor_assets.py and run it,"
        " or list the address there as dropped."
    )


def _file(address: str) -> Path | None:
    """The local file that an address stands for; None when it is dropped on purpose."""
    if address.startswith("geoplan:"):
        own = STATIC / "geoplan" / address.removeprefix("geoplan:")
        if not own.is_file():
            raise UnvendoredAsset(f"{address}: static/geoplan has no such file.")
        return own
    name = _row(address)["file"]
    return None if name is None else VENDOR / name


@cache
def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _served(file: Path, base: str, own_base: str) -> str:
    """Where a file is served; a version in the path or a hash behind it keeps browsers from old copies."""
    if file.is_relative_to(VENDOR):
        return f"{base.rstrip('/')}/{file.relative_to(VENDOR).as_posix()}"
    return f"{own_base.rstrip('/')}/{file.name}?v={_sha256(file)[:12]}"


def url(address: str, *, base: str = "/static/vendor/", own_base: str = "/static/geoplan/") -> str:
    """Where a file is served, for templates: ``url("htmx.min.js")``, ``url(MAP_CSS)``."""
    file = _file(address)
    if file is None:
        raise UnvendoredAsset(f"{address} is left out on purpose: {_row(address)['reason']}.")
    return _served(file, base, own_base)


def verify() -> list[str]:
    """A line for each vendored file that is missing or changed; empty when all is well."""
    wrong = []
    for name, row in _manifest()["files"].items():
        if not (VENDOR / name).is_file():
            wrong.append(f"static/vendor/{name} is missing")
        elif hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() != row["sha256"]:
            wrong.append(f"static/vendor/{name} is not the file that was vendored (sha256 differs)")
    return wrong


_NONCE = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_SOURCE = re.compile(r"[^\s;,'\"]+")


def _checked_nonce(nonce: str) -> str:
    """A nonce goes into a header and into attributes: base64 alone, and too long to be guessed."""
    if not _NONCE.fullmatch(nonce):
        raise ValueError("A nonce is 16 or more characters of base64, such as secrets.token_urlsafe(16).")
    return nonce


def content_security_policy(nonce: str, *, img: Iterable[str] = (), connect: Iterable[str] = ()) -> str:
    """The ``Content-Security-Policy`` header of a page whose scripts and styles carry `nonce`.

    `nonce` is fresh for every answer; `img` and `connect` are hosts of the operator's base map, for images
    and data. A nonce that is not base64, or a source that would break out of its directive, is a ValueError.

    >>> content_security_policy("A" * 22, img=["https://tiles.example.cn"]).split("; ")[3]
    "img-src 'self' data: blob: https://tiles.example.cn"
    """
    own = f"'self' 'nonce-{_checked_nonce(nonce)}'"
    images, data = ["'self' data: blob:", *img], ["'self'", *connect]
    for source in (*images[1:], *data[1:]):
        if not _SOURCE.fullmatch(source):
            raise ValueError(f"{source!r} is not one source of a content security policy.")
    return (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src {' '.join(images)}; font-src 'self';"
        f" connect-src {' '.join(data)}; frame-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'self'"
    )


_CSS_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\"'\s]*))\s*\)")
_SOURCE_MAP = re.compile(r"\s*(?://[#@] ?sourceMappingURL=\S*|/\*[#@] ?sourceMappingURL=[^*]*\*/)\s*\Z")


def _text(file: Path) -> str:
    """A script or style sheet without the address of its source map, which a browser would ask for."""
    return _SOURCE_MAP.sub("", file.read_text(encoding="utf-8"))


def _data_uri(file: Path) -> str:
    """A file as an address that holds it."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


@cache
def _embedded_css(file: Path) -> str:
    """A style sheet with its images and fonts inside, fit to stand between style tags."""

    def embed(found: re.Match[str]) -> str:
        target = found[1] or found[2] or found[3] or ""
        if not target or target.startswith(("data:", "#")):
            return found[0]
        held = file.parent / re.split(r"[?#]", target, maxsplit=1)[0]
        if not held.is_file():
            raise UnvendoredAsset(f"{target} of {file.name} is not in the package.")
        return f"url({_data_uri(held)})"

    return re.sub(r"</(?=style)", r"<\\/", _CSS_URL.sub(embed, _text(file)), flags=re.IGNORECASE)


@cache
def _embedded_js(file: Path) -> str:
    """A script fit to stand between script tags.

    ``</script`` would end it and ``<!--`` would change how its end is found (HTML 4.12.1.3); with a backslash
    both mean the same in strings and regular expressions, the only places where code can hold either.
    """
    text = _text(file) + (_marker_icons(file.parent / "images") if file.name == "leaflet.js" else "")
    return re.sub(r"<(?=!--|/script)", r"<\\", text, flags=re.IGNORECASE)


def _marker_icons(images: Path) -> str:
    """Script that gives Leaflet its marker's pictures; it would look for them beside its style sheet."""
    names = {"iconUrl": "marker-icon", "iconRetinaUrl": "marker-icon-2x", "shadowUrl": "marker-shadow"}
    icons = embed_json({option: _data_uri(images / f"{name}.png") for option, name in names.items()})
    return f"\n;delete L.Icon.Default.prototype._getIconUrl;L.Icon.Default.mergeOptions({icons});"


_OPENING = re.compile(
    r"<!--|<(?P<tag>script|style|link|meta|img|iframe|embed|object|source|audio|video|track|input)(?=[\s/>])"
    r"(?P<attributes>(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
_CLOSING = {tag: re.compile(rf"</{tag}(?=[\s/>])[^>]*>", re.IGNORECASE) for tag in ("script", "style")}
_OUTSIDE = re.compile(r"\s*(?:https?:|ftp:)?//", re.IGNORECASE)


def _attributes(written: str) -> dict[str, str]:
    """Attributes of a tag by lower-case name, entities resolved; of one name the first counts."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        found.setdefault(name.lower(), unescape(double or single or bare))
    return found


def _without(attributes: dict[str, str], *names: str) -> dict[str, str]:
    """Attributes of a script or link but for some names, and for those that speak of the network's file."""
    gone = {*names, "integrity", "crossorigin", "referrerpolicy"}
    return {name: value for name, value in attributes.items() if name not in gone}


def _tag(name: str, attributes: dict[str, str]) -> str:
    """A tag written anew."""
    written = (f' {key}="{escape(value)}"' if value else f" {key}" for key, value in attributes.items())
    return f"<{name}{''.join(written)}>"


def _extent(html: str, opening: re.Match[str]) -> tuple[str, int]:
    """The raw text that belongs to an opening, and where the page goes on.

    The text of a script, a style or a comment is never read as HTML: map data may hold anything.
    """
    if opening["tag"] is None:
        end = html.find("-->", opening.start() + 2)  # "<!-->" is a whole comment
        return "", len(html) if end < 0 else end + 3
    closing = _CLOSING.get(opening["tag"].lower())
    if closing is None:
        return "", opening.end()
    found = closing.search(html, opening.end())
    return (html[opening.end() : found.start()], found.end()) if found else (html[opening.end() :], len(html))


def _refuse_dropped_code(script: str) -> None:
    """Raise if a page's own script calls on something left out, which would stop it half-way.

    Quoted text is data: folium quotes all data, and quotes nothing before a call on the same line.
    """
    for address, row in _manifest()["urls"].items():
        for code in row.get("needed_by", ()):
            if code in script and re.search(rf"^[^\"'`\n]*{re.escape(code)}", script, re.MULTILINE):
                raise UnvendoredAsset(f"The page uses {code}, of {address}, left out: {row['reason']}.")


@dataclass(frozen=True)
class _Page:
    """How one page is rewritten."""

    mode: Mode
    nonce: str | None
    base: str
    own_base: str

    def rewritten(self, html: str) -> Iterator[str]:
        """The page, piece by piece."""
        position = 0
        while opening := _OPENING.search(html, position):
            yield html[position : opening.start()]
            text, position = _extent(html, opening)
            attributes = _attributes(opening["attributes"] or "")
            new = self._element((opening["tag"] or "").lower(), attributes, text)
            yield html[opening.start() : position] if new is None else new
        yield html[position:]

    def _element(self, tag: str, attributes: dict[str, str], text: str) -> str | None:
        """What stands in place of an element; None leaves it as it was written."""
        if tag == "script" and "src" in attributes:
            return self._script(attributes)
        if tag == "link" and "stylesheet" in attributes.get("rel", "").lower().split():
            return self._sheet(attributes)
        if tag == "script":
            _refuse_dropped_code(text)
        if tag in _CLOSING and self.nonce is not None:
            return self._with_nonce(tag, attributes, text)
        if tag == "meta" and attributes.get("name", "").lower() == "viewport":
            return _tag("meta", attributes | {"content": VIEWPORT})
        for name in attributes.keys() & {"src", "href", "data", "poster"}:
            if _OUTSIDE.match(attributes[name]):
                raise UnvendoredAsset(f"<{tag}> loads {attributes[name]}, which is not in the package.")
        return None

    def _script(self, attributes: dict[str, str]) -> str:
        """A script of a file: its local address, its text, or nothing when it is dropped."""
        file = _file(attributes["src"])
        if file is None:
            return ""
        if self.mode == "static":
            local = {"src": _served(file, self.base, self.own_base)}
            return self._with_nonce("script", local | _without(attributes, "src"), "")
        return self._with_nonce("script", _without(attributes, "src", "async", "defer"), _embedded_js(file))

    def _sheet(self, attributes: dict[str, str]) -> str:
        """A style sheet: its local address, its text, or nothing when it is dropped."""
        file = _file(attributes.get("href", ""))
        if file is None:
            return ""
        if self.mode == "static":
            href = {"href": _served(file, self.base, self.own_base)}
            return _tag("link", _without(attributes, "href") | href)
        return self._with_nonce("style", _without(attributes, "href", "rel", "type"), _embedded_css(file))

    def _with_nonce(self, tag: str, attributes: dict[str, str], text: str) -> str:
        """A whole script or style element, with the page's nonce when there is one."""
        mark = {} if self.nonce is None else {"nonce": self.nonce}
        return f"{_tag(tag, attributes | mark)}{text}</{tag}>"


def localise(
    html: str,
    *,
    mode: Mode,
    nonce: str | None = None,
    base: str = "/static/vendor/",
    own_base: str = "/static/geoplan/",
) -> str:
    """A rendered page with every script and style sheet from the package.

    Parameters
    ----------
    html
        What folium's ``map.get_root().render()`` gives, or FastAPI's page of ``/docs``.
    mode
        ``static`` for a page that geoplan serves, ``inline`` for one file that opens from disk.
    nonce
        Put on every script and style, for `content_security_policy`; None puts none.
    base, own_base
        Where ``static/vendor`` and ``static/geoplan`` are served.

    Raises
    ------
    UnvendoredAsset
        The page loads a file that the package does not carry, or its script uses one that is left out on
        purpose (``folium.Popup`` needs jQuery, ``folium.Icon`` its own library).

    Notes
    -----
    Folium's viewport is replaced: it forbids enlarging. Its ``<meta http-equiv="content-type">`` stays: it is
    the page's only word on its encoding, first in the head, and a file on disk has no header to say it.

    Examples
    --------
    >>> localise('<script src="https://cdn.example/leaflet@1.9.3/leaflet.js"></script>', mode="static")
    '<script src="/static/vendor/leaflet-1.9.4/leaflet.js"></script>'
    """
    page = _Page(mode, None if nonce is None else _checked_nonce(nonce), base, own_base)
    return "".join(page.rewritten(html))
