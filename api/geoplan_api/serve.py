"""``geoplan serve``: one process on an address of the loopback."""

from __future__ import annotations

import ipaddress
import socket
import sys
import tempfile
from contextlib import suppress
from typing import Any

from geoplan.errors import CallRefused, CannotFinish

_BACKLOG = 2048
_GRACE_S = 20
_QUIET: dict[str, Any] = {
    "log_level": "warning", "access_log": False, "server_header": False, "proxy_headers": False, "ws": "none",
}  # fmt: skip


def run(host: str, port: int, *, demo: bool) -> None:
    """Serve until interrupted; the address is printed on stderr once it is bound.

    Raises
    ------
    CallRefused
        The address is not of the loopback (there are no accounts), or a setting is wrong.
    CannotFinish
        The port is taken, or the home folder cannot be used.
    """
    bound = listen(host, port)
    import uvicorn  # these take seconds; an address that is refused is told at once

    from geoplan_api.app import create_app
    from geoplan_api.service import Service
    from geoplan_api.settings import read_settings

    try:
        name, place, *_ = bound.getsockname()
        address = f"[{name}]" if ":" in name else name
        settings = read_settings(**({"demo_layers": True} if demo else {}))
        app = create_app(settings.model_copy(update={"hosts": (*settings.hosts, address)}))
        service: Service = app.state.service
        tempfile.tempdir = str(service.home.tmp)  # what readers unpack is swept with it after a crash
        sys.stderr.write(f"geoplan: http://{address}:{place}/\n")
        sys.stderr.flush()
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=_GRACE_S, **_QUIET))
        try:
            with suppress(KeyboardInterrupt):  # the usual way to end it
                server.run([bound])
        finally:
            service.close()
    finally:
        bound.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address of the loopback; raises as `run` does."""
    family, address = _loopback(host, port)
    try:
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as wrong:
        raise CannotFinish("address-unusable", host=host, port=port, detail=wrong.strerror or str(wrong)) from None


def _loopback(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    """Family and address of a host that means this machine alone, whatever name it is given by."""
    if not 0 <= port <= 65535:
        raise CallRefused("option-wrong", option="--port", value=port, wanted="0–65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM) if host else []
    except (OSError, UnicodeError):
        found = []
    addresses = [(family, str(where[0])) for family, _, _, _, where in found]
    if not addresses or not all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for _, each in addresses):
        raise CallRefused("not-loopback", host=host or "—")
    return min(addresses, key=lambda each: each[0] != socket.AF_INET)
