"""What the service holds: start page, policies."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from geoplan.errors import CallRefused, NotFound
from geoplan.policy import Policy
from geoplan_api.facts_template import facts_file
from geoplan_api.negotiate import HTML, JSON
from geoplan_api.respond import as_json, data, home_page, lang_of, only, page, page_or_data
from geoplan_api.routes.documented import documented, held_as
from geoplan_api.service import service_of
from geoplan_web import pages

_SHOWN = {"title", "number", "issuer", "issued", "effective", "until", "status"}
router = APIRouter(tags=["policies"])


@router.get("/", response_class=Response, responses=held_as(HTML))
def home(request: Request) -> Response:
    """首页：上传表单 / the start page with the form."""
    only(request, HTML)
    return page(request, lambda lang, nonce: home_page(service_of(request), lang, nonce))


@router.get("/policies", response_class=Response, responses=held_as(JSON, HTML))
def policies(request: Request) -> Response:
    """政策文件列表 / the policies."""
    book = service_of(request).book
    if page_or_data(request):
        return page(request, lambda lang, nonce: pages.policy_list(list(book), lang, nonce=nonce))
    return data(request, as_json({"policies": [_line(policy) for policy in book]}))


@router.get("/policies/facts.toml", response_class=Response, responses=documented("text/plain"))
def facts_template(request: Request, policy: Annotated[list[str] | None, Query()] = None) -> Response:
    """空白申报表 / a blank facts file for the policies named."""
    ids = (
        each for each in policy or () if each and not each.endswith(".toml")
    )  # a form also names its own file, if any
    text = facts_file(tuple(ids), service_of(request).book, lang_of(request))
    headers = {"Content-Disposition": 'attachment; filename="facts.toml"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/policies/{policy_id}", response_class=Response, responses=documented(JSON, HTML))
def policy(request: Request, policy_id: str) -> Response:
    """一份政策文件：条款与规则 / one policy: clauses, rules, readings."""
    book = service_of(request).book
    try:
        found = book.get(policy_id)
    except CallRefused as unknown:
        raise NotFound(unknown.id, **unknown.message.args) from None
    if page_or_data(request):
        return page(request, lambda lang, nonce: pages.policy_page(found, book, lang, nonce=nonce))
    return data(request, as_json(found.as_dict()))


def _line(policy: Policy) -> dict[str, Any]:
    """A policy in the list."""
    return {
        "id": policy.id,
        "adcode": policy.adcode,
        "place": policy.place.model_dump(),
        **policy.document.model_dump(mode="json", include=_SHOWN),
        "rules": len(policy.rules),
        "href": f"/policies/{policy.id}",
    }
