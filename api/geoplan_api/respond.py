"""Responses: pages under a fresh nonce, JSON, and refusals as a page or a problem document by what is asked for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from geoplan.errors import Busy, GeoplanError
from geoplan.messages import Lang
from geoplan.policy import Policy
from geoplan_api import problems
from geoplan_api.inquiry import RASTERS, ROLES
from geoplan_api.negotiate import HTML, JSON, language, preferred, wants_page
from geoplan_api.registered import RegisteredLayer
from geoplan_api.service import Service, service_of
from geoplan_layers.places import by_province
from geoplan_web import pages
from geoplan_web.assets import content_security_policy

FRESH = "private, no-cache"
VARY = {"Vary": "Accept, Accept-Language", "Cache-Control": FRESH}
RECENT = 8


def lang_of(request: Request) -> Lang:
    """The language of a request, or that which its form names."""
    named: Lang | None = getattr(request.state, "lang", None)
    return named or language(request, service_of(request).settings.lang)


def page(
    request: Request, draw: Callable[[Lang, str], str], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A page drawn in the language asked for, under a policy that allows its own scripts alone."""
    lang, nonce = lang_of(request), secrets.token_urlsafe(18)
    told = {"Content-Security-Policy": content_security_policy(nonce), "Content-Language": lang, **VARY}
    return Response(draw(lang, nonce), status, {**told, **(headers or {})}, media_type=HTML)


def data(request: Request, text: bytes | str, tag: str | None = None) -> Response:
    """JSON as it stands; with a tag a client that has it already is told so."""
    headers = dict(VARY)
    if tag:
        headers["ETag"] = f'"{tag}"'
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=JSON)


def as_json(content: Any) -> str:
    """Plain data as JSON text, Chinese readable."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def page_or_data(request: Request) -> bool:
    """Whether to answer with a page; refuses what is neither page nor JSON.

    Raises
    ------
    NotAcceptable
        The client takes neither.
    """
    kind = preferred(request.headers.get("accept"), (JSON, HTML))
    if kind is None:
        raise problems.NotAcceptable("not-acceptable", known=[JSON, HTML])
    return kind == HTML


def only(request: Request, *kinds: str) -> None:
    """Refuse a client that does not take what an address has.

    Raises
    ------
    NotAcceptable
        It takes none of the media types.
    """
    if preferred(request.headers.get("accept"), kinds) is None:
        raise problems.NotAcceptable("not-acceptable", known=list(kinds))


def refused(request: Request, error: GeoplanError, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal: for a browser a page, and the form again where a form was refused; else a problem document."""
    service = service_of(request)
    told = dict(headers or {})
    if isinstance(error, Busy):
        told["Retry-After"] = str(service.settings.retry_after_s)
    lang = lang_of(request)
    if not wants_page(request):
        return problems.answer(error, lang, {**told, "Cache-Control": FRESH})
    problem = problems.document(error, lang)

    told_more: str | None = getattr(request.state, "locate", None)

    def draw(lang: Lang, nonce: str) -> str:
        link = f"{told_more}?lang={lang}" if told_more else None
        if request.method == "POST" and request.url.path == "/checks":
            return home_page(service, lang, nonce, error, link)
        return pages.problem(problem.model_dump(), lang, nonce=nonce, link=link)

    return page(request, draw, problem.status, told)


def home_page(
    service: Service, lang: Lang, nonce: str, refusal: GeoplanError | None = None, link: str | None = None
) -> str:
    """The start page: the form, what the service holds, the newest checks, and why the last form was refused.

    ``link`` leads to where the refusal can be mended.
    """
    layers = layers_held(service)
    recent = [
        pages.CheckCard(each.id, each.name, each.verdict, each.made_at, service.application(each) == "broken")
        for each in service.store.recent(RECENT)
    ]
    policies = list(service.book)
    roles = _roles(policies, RASTERS)
    return pages.home(
        lang, policies=policies, layers=layers, roles=roles, recent=recent, nonce=nonce, cities=by_province(),
        refusal=refusal, link=link,
    )  # fmt: skip


def layers_held(service: Service) -> list[pages.LayerCard]:
    """The layers that answer for what a call leaves out: versions in use of the home, and those of the demo."""
    return [
        *(
            pages.LayerCard(each.role, each.file, _day(each.meta.day), each.coverage_from, each.meta.invented)
            for each in service.layers.current()
        ),
        *(_card(each) for each in service.registered.layers),
    ]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def roles_known(service: Service) -> list[str]:
    """Roles that a layer can be registered for, rasters included."""
    return _roles(list(service.book), frozenset())


def _roles(policies: list[Policy], without: frozenset[str]) -> list[str]:
    """Roles that can be uploaded: all that a file can be read for, and those that an office's own rules name."""
    own = {str(role) for policy in policies for rule in policy.rules if (role := getattr(rule, "layer", None))}
    return [*(role for role in ROLES if role not in without), *sorted(own - set(ROLES))]


def _card(layer: RegisteredLayer) -> pages.LayerCard:
    day = layer.day.isoformat() if layer.day else None
    return pages.LayerCard(layer.spec.role, layer.spec.selector.name, day, layer.coverage_from, layer.invented)


async def on_refusal(request: Request, error: Exception) -> Response:
    """Handler of every `GeoplanError`."""
    assert isinstance(error, GeoplanError)
    return refused(request, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Handler of what the framework refuses: no such address, no such method."""
    assert isinstance(error, HTTPException)
    ours = problems.from_http(error, request.method, request.url.path)
    return refused(request, ours, error.headers)


async def on_disconnect(request: Request, error: Exception) -> Response:
    """Handler of a client that went away in the middle of its upload: nobody reads this answer."""
    del request, error
    return Response(status_code=400)
