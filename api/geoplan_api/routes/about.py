"""What the service says of itself: its health, its documentation, its static files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from geoplan import __version__
from geoplan_api.negotiate import HTML
from geoplan_api.respond import only, page
from geoplan_api.routes.documented import held_as
from geoplan_api.service import service_of
from geoplan_web.assets import STATIC, localise

FOREVER = "public, max-age=31536000, immutable"
router = APIRouter(tags=["service"])


class Health(BaseModel):
    """Whether the service can do its work."""

    status: Literal["ok", "failing"]
    version: str
    store: Literal["writable", "failing"]
    home: Literal["writable", "failing"]


@router.get("/healthz", response_model=Health, responses={503: {"model": Health}})
def health(request: Request) -> Response:
    """服务状态 / whether database and home folder can be written to."""
    service = service_of(request)
    store, home = service.store.is_writable(), service.home.is_writable()
    said = Health(
        status="ok" if store and home else "failing",
        version=__version__,
        store="writable" if store else "failing",
        home="writable" if home else "failing",
    )
    return JSONResponse(said.model_dump(), 200 if store and home else 503, {"Cache-Control": "no-store"})


@router.get("/docs", response_class=Response, responses=held_as(HTML))
def docs(request: Request) -> Response:
    """接口文档 / this interface, documented; scripts and styles are the service's own."""
    only(request, HTML)
    quiet = {"validatorUrl": None}  # it would ask a validator on the network
    drawn = get_swagger_ui_html(
        openapi_url="/openapi.json", title="geoplan", swagger_favicon_url="data:,", swagger_ui_parameters=quiet
    )
    text = bytes(drawn.body).decode()
    return page(request, lambda _, nonce: localise(text, mode="static", nonce=nonce))


class CachedFiles(StaticFiles):
    """Static files; those with a version in their path or a hash behind it never change and are kept for good."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file with the word on how long it may be kept."""
        response = await super().get_response(path, scope)
        parts = PurePath(path).parts
        versioned = (parts[0] == "vendor" and len(parts) > 2) or scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = FOREVER if versioned else "no-cache"
        return response
