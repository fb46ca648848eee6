"""The HTTP service: ``create_app(settings)``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from geoplan import __version__
from geoplan.errors import GeoplanError
from geoplan_api.guard import Guard
from geoplan_api.respond import on_disconnect, on_http_error, on_refusal
from geoplan_api.routes import (
    about,
    checks,
    documented,
    downloads,
    held,
    jobs,
    layers,
    locate,
    repairs,
    searches,
    tiles,
)
from geoplan_api.service import open_service
from geoplan_api.settings import Settings

_SILENT = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class Interface(FastAPI):
    """The app with the schemas of reports and problem documents in its documentation."""

    def openapi(self) -> dict[str, Any]:
        """The documentation as OpenAPI."""
        if not self.openapi_schema:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            schemas |= documented.components()
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(settings: Settings) -> FastAPI:
    """The service on a home folder; the home is opened, and its database brought up to date, here.

    The body limit is not FastAPI's ``max_body_size``, which answers in plain text: `upload.receive` counts, and tells
    a refusal as every other one. No other route reads a body.

    Raises
    ------
    GeoplanError
        The home or something in it cannot be used.
    """
    service = open_service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        await run_in_threadpool(service.close)

    app = Interface(
        title="geoplan",
        version=__version__,
        summary="Checks boundaries of characteristic towns against planning policies.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=_SILENT,  # type: ignore[arg-type]
    )
    app.state.service = service
    for routes in (checks, repairs, locate, downloads, held, jobs, layers, tiles, searches, about):
        app.include_router(routes.router)
    app.mount("/static", about.CachedFiles(), name="static")
    app.add_exception_handler(GeoplanError, on_refusal)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    app.add_middleware(Guard, hosts=settings.hosts)
    return app
