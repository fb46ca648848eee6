"""What a request asks for: a media type by ``Accept`` (RFC 9110, 12.5.1), a language by ``?lang`` or its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from starlette.requests import Request

from geoplan.messages import Lang

HTML, JSON, PROBLEM = "text/html", "application/json", "application/problem+json"
_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def weighed(header: str) -> Iterator[tuple[str, float]]:
    """The items of a header with their weights; a weight that is none counts as 0.

    >>> list(weighed("text/html, */*;q=0.8"))
    [('text/html', 1.0), ('*/*', 0.8)]
    """
    for item in header.split(","):
        name, *parameters = item.split(";")
        weights = [each for each in parameters if each.strip().lower().startswith("q")]
        match = _WEIGHT.fullmatch(weights[-1]) if weights else None
        if name.strip():
            yield name.strip().lower(), float(match[1]) if match else 0.0 if weights else 1.0


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """The media type that a client likes best; of equals the first offered; none when it wants none of them.

    >>> preferred("text/html,application/xml;q=0.9,*/*;q=0.8", [JSON, HTML])
    'text/html'
    >>> preferred("*/*", [JSON, HTML]), preferred("image/png", [JSON, HTML])
    ('application/json', None)
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = dict(weighed(accept))
    best = max(offered, key=lambda kind: _quality(kind, ranges))
    return best if _quality(best, ranges) > 0 else None


def _quality(kind: str, ranges: dict[str, float]) -> float:
    """The weight of the most specific range that holds a media type."""
    for each in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if each in ranges:
            return ranges[each]
    return 0.0


def wants_page(request: Request) -> bool:
    """Whether a person with a browser is asking: a page is liked better than data."""
    return preferred(request.headers.get("accept"), (JSON, PROBLEM, HTML)) == HTML


def language(request: Request, default: Lang) -> Lang:
    """``?lang``, else the best of ``Accept-Language``, else the service's own."""
    asked = request.query_params.get("lang")
    if asked in ("zh", "en"):
        return "en" if asked == "en" else "zh"
    liked: dict[Lang, float] = {}
    for name, weight in weighed(request.headers.get("accept-language", "")):
        for lang in ("zh", "en"):
            if name.partition("-")[0] == lang:
                liked[lang] = max(weight, liked.get(lang, 0.0))
    if not liked:
        return default
    best = max(liked, key=lambda lang: liked[lang])
    return best if liked[best] > 0 else default
