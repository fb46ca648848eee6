"""``/locate/{token}``: where a file without a coordinate system lies, picked on a map, and the check goes on."""

from __future__ import annotations

import shutil

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from geoplan.errors import CallRefused
from geoplan_api.hold import answered, relocated
from geoplan_api.negotiate import HTML
from geoplan_api.respond import lang_of, only, page
from geoplan_api.routes.asked import judged
from geoplan_api.routes.documented import held_as, refusals
from geoplan_api.service import service_of
from geoplan_api.upload import receive
from geoplan_layers.places import prefectures
from geoplan_web import locating

router = APIRouter(tags=["checks"])
_MOST_BYTES = 20_000


@router.get("/locate/{token}", response_class=Response, responses={**held_as(HTML), **refusals(404)})
def show_places(request: Request, token: str) -> Response:
    """在地图上选择位置 / pick where the file lies."""
    only(request, HTML)
    held = service_of(request).holds.look(token)
    cities = [(each.adcode, each.name, each.lon, each.lat, each.radius) for each in prefectures()]
    return page(
        request,
        lambda lang, nonce: locating.locate(token, held.file, held.candidates, cities, lang, nonce=nonce),
        headers={"Cache-Control": "no-store"},
    )


@router.post("/locate/{token}", response_class=Response, responses=refusals(404, 413, 415, 422, 503))
async def settle_place(request: Request, token: str) -> Response:
    """按所选位置继续检查 / go on with the check at the place picked."""
    service = service_of(request)
    service.holds.look(token)
    service.pool.expect_place()
    with service.home.workspace() as folder:
        picked = await receive(request, folder, _MOST_BYTES)
        if not any((picked.texts.get(name) or [""])[0].strip() for name in ("epsg", "place")):
            request.state.locate = f"/locate/{token}"
            raise CallRefused("locate-nothing")
        held = service.holds.take(token)
        form = relocated(answered(held, picked.texts), folder)
        shutil.rmtree(held.folder, ignore_errors=True)
        lang = lang_of(request)
        check, _ = await judged(request, form, folder, lang)
    return RedirectResponse(f"/checks/{check.id}?lang={lang}", 303)
