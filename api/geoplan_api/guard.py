"""The gate before the routes: who may call, what every answer carries, and what happens when something breaks.

The service has no accounts, so whoever reaches the port may use it. What must not reach it through a user's browser
are other sites: their pages may not post here (``Sec-Fetch-Site``, ``Origin``), and a name of theirs that they let
point to this machine is not answered to (``Host``).
"""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geoplan.errors import GeoplanError
from geoplan_api import problems
from geoplan_api.respond import refused

log = logging.getLogger("geoplan")
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer that does not say otherwise; a page brings its own content security policy."""


class Guard:
    """The gate as ASGI middleware.

    Parameters
    ----------
    hosts
        Names, beside the loopback's, by which the service may be called.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = ()) -> None:
        self.app = app
        self.names = LOOPBACK_NAMES | {name.lower() for name in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        try:
            self._admit(request)
            if scope["method"] == "HEAD":  # routes answer GET; the server leaves out the body of an answer to HEAD
                scope = {**scope, "method": "GET"}
            await self.app(scope, receive, send_with_headers)
        except GeoplanError as error:
            await refused(request, error)(scope, receive, send_with_headers)
        except Exception as wrong:
            response = _fault(request, wrong)
            if started:
                raise
            await response(scope, receive, send_with_headers)

    def _admit(self, request: HTTPConnection) -> None:
        """Refuse a strange host, and a browser's request that changes something from another site's page."""
        host = request.headers.get("host", "").lower()
        if _without_port(host) not in self.names:
            raise problems.Misdirected("foreign-host", host=host[:80] or "—")
        if request.scope["method"] in SAFE:
            return
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site:
            from_here = site in ("same-origin", "none")
        else:
            from_here = origin is None or urlsplit(origin).netloc.lower() == host
        if not from_here:
            raise problems.Forbidden("foreign-origin")


def _without_port(host: str) -> str:
    """The name of a ``Host`` header.

    >>> _without_port("localhost:8000"), _without_port("[::1]:80"), _without_port("127.0.0.1")
    ('localhost', '[::1]', '127.0.0.1')
    """
    name, mark, port = host.rpartition(":")
    return name if mark and port.isdecimal() and not (host.startswith("[") and host.endswith("]")) else host


def _fault(request: Request, wrong: Exception) -> Response:
    """What is said of a fault of ours: its number in the log and nothing of its inside."""
    number = secrets.token_hex(4)
    log.error("fault %s at %s %s", number, request.method, request.url.path, exc_info=wrong)
    error = problems.Fault("server-fault", fault=number)
    try:
        return refused(request, error)
    except Exception:  # the page itself may be what broke
        return problems.answer(error, "zh")
