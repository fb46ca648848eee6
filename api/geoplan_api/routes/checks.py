"""``/checks``: ask, and read what was answered."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from geoplan.messages import Lang
from geoplan_api.downloads import file_rows
from geoplan_api.form import form_schema
from geoplan_api.negotiate import HTML, JSON, wants_page
from geoplan_api.respond import VARY, data, lang_of, only, page, page_or_data
from geoplan_api.routes.asked import judged
from geoplan_api.routes.documented import as_report, documented, refusals
from geoplan_api.routes.tiles import maps_of
from geoplan_api.service import service_of
from geoplan_api.upload import receive
from geoplan_layers.overlaps import Overlaps
from geoplan_web import map as web_map
from geoplan_web import pages

GEOPACKAGE = "application/geopackage+sqlite3"
router = APIRouter(tags=["checks"])


@router.post(
    "/checks",
    status_code=201,
    response_class=Response,
    responses={
        201: as_report("报告；Location 为其地址 / the report; Location is its address"),
        303: {"description": "浏览器：转到结果页 / for a browser: to the page of the result"},
        **refusals(403, 406, 413, 415, 421, 422, 503),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form_schema()}}}},
)
async def make_check(request: Request) -> Response:
    """检查一个方案 / check a proposal: boundaries, policies, layers, facts and towns as one form."""
    service = service_of(request)
    page_or_data(request)
    service.pool.expect_place()
    with service.home.workspace() as folder:
        form = await receive(request, folder, service.settings.max_upload_bytes)
        if form.texts.get("lang", [""])[0] in ("zh", "en"):
            request.state.lang = form.texts["lang"][0]
        lang = lang_of(request)
        check, text = await judged(request, form, folder, lang)
    address = f"/checks/{check.id}"
    if wants_page(request):
        return RedirectResponse(f"{address}?lang={lang}", 303)
    return Response(text, 201, {"Location": address, **VARY}, media_type=JSON)


@router.get(
    "/checks/{check_id}",
    response_class=Response,
    responses={200: as_report("报告或网页 / the report, or its page", HTML), **refusals(404, 406, 503)},
)
def show_check(request: Request, check_id: str) -> Response:
    """一次检查：网页或 JSON / a check, as a page or as JSON by ``Accept``."""
    service = service_of(request)
    check = service.store.get(check_id)
    text, content = service.report(check)
    if not page_or_data(request):
        return data(request, text, check.report_sha256)

    def draw(lang: Lang, nonce: str) -> str:
        files = file_rows(check_id, content, lang)
        links = links_of(check_id, lang) | repair_link(check_id, content)
        return pages.result(content, links, lang, nonce=nonce, files=files)

    return page(request, draw)


@router.get("/checks/{check_id}/report.json", response_class=Response, responses=documented(JSON))
def report_file(request: Request, check_id: str) -> Response:
    """报告 JSON / the report."""
    only(request, JSON)
    service = service_of(request)
    check = service.store.get(check_id)
    return data(request, service.report(check)[0], check.report_sha256)


@router.get("/checks/{check_id}/map", response_class=Response, responses=documented(HTML))
def show_map(request: Request, check_id: str) -> Response:
    """地图页 / the map as a page of the service."""
    only(request, HTML)
    content, overlaps = _geometry(request, check_id)

    def draw(lang: Lang, nonce: str) -> str:
        whole = maps_of(service_of(request).tiles, content, overlaps, lang)
        return web_map.draw(content, overlaps, lang, mode="static", nonce=nonce, whole=whole)

    return page(request, draw)


@router.get("/checks/{check_id}/map.html", response_class=Response, responses=documented(HTML))
def map_file(request: Request, check_id: str) -> Response:
    """单个文件的地图，可离线打开 / the map as one file that opens offline."""
    only(request, HTML)
    content, overlaps = _geometry(request, check_id)
    drawn = web_map.draw(content, overlaps, lang_of(request), mode="inline")
    headers = {**VARY, "Content-Disposition": 'attachment; filename="map.html"', "Content-Security-Policy": "sandbox"}
    return Response(drawn, headers=headers, media_type=HTML)


@router.get("/checks/{check_id}/overlaps.gpkg", response_class=Response, responses=documented(GEOPACKAGE))
def overlaps_file(request: Request, check_id: str) -> Response:
    """重叠图形（GeoPackage）/ the pieces of the findings."""
    only(request, GEOPACKAGE)
    service = service_of(request)
    path = service.objects.path(service.store.get(check_id).overlaps_sha256)
    return FileResponse(path, media_type=GEOPACKAGE, filename="overlaps.gpkg", headers=VARY)


def links_of(check_id: str, lang: str) -> dict[str, str]:
    """Addresses of a check's parts, for its page."""
    base = f"/checks/{check_id}"
    return {
        "page": base,
        "map": f"{base}/map?lang={lang}",
        "map_file": f"{base}/map.html?lang={lang}",
        "report": f"{base}/report.json",
        "overlaps": f"{base}/overlaps.gpkg",
    }


def repair_link(check_id: str, content: dict[str, Any]) -> dict[str, str]:
    """Where a repair is asked for, of a check of whose spatial rules some fails."""
    return {"repair": f"/checks/{check_id}/repair"} if content["verdict"] == "fail" else {}


def _geometry(request: Request, check_id: str) -> tuple[dict[str, Any], Overlaps]:
    """The report of a check as data, and its geometry."""
    service = service_of(request)
    check = service.store.get(check_id)
    _, content = service.report(check)
    return content, service.overlaps(check, content)
