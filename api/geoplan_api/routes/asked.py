"""A form that was sent, judged: reading stops when its client hangs up, and a form without a system is held."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from geoplan.errors import InputRefused
from geoplan.messages import Lang
from geoplan_api.negotiate import wants_page
from geoplan_api.service import service_of
from geoplan_api.store import StoredCheck
from geoplan_api.upload import Submission
from geoplan_layers.sandbox.workers import Cancellation


async def judged(request: Request, form: Submission, folder: Path, lang: Lang) -> tuple[StoredCheck, bytes]:
    """The check that a form asks for, stored, and its report.

    Raises
    ------
    GeoplanError
        What was refused; where a browser's user can say where the file lies, the form is held for that.
    """
    service = service_of(request)
    cancellation = Cancellation()
    watch = asyncio.create_task(_cancel_when_gone(request, cancellation))
    try:
        return await service.pool.run(partial(service.check, form, folder, lang, cancellation))
    except InputRefused as refusal:
        _hold(request, form, refusal)
        raise
    finally:
        watch.cancel()


def _hold(request: Request, form: Submission, refusal: InputRefused) -> None:
    """Hold a browser's form that lacks a system, so that its refusal can lead to the map."""
    if wants_page(request) and refusal.message.args.get("found"):
        token = service_of(request).holds.keep(form, refusal)
        request.state.locate = f"/locate/{token}" if token else None


async def _cancel_when_gone(request: Request, cancellation: Cancellation) -> None:
    """Stop reading the files of a client that has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    await run_in_threadpool(cancellation.cancel)
