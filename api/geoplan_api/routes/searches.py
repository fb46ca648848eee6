"""``/searches``: ask where a town could lie, follow the search, look at what it found, ask why of any point."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, RedirectResponse, Response

from geoplan.errors import CallRefused, GeoplanError, NotFound
from geoplan.messages import LANGUAGES, Lang
from geoplan.plane import Plane
from geoplan_api import problems
from geoplan_api.jobs.table import Job
from geoplan_api.negotiate import HTML, JSON, wants_page
from geoplan_api.respond import FRESH, VARY, as_json, data, lang_of, layers_held, only, page, page_or_data, roles_known
from geoplan_api.routes.documented import documented, held_as, refusals
from geoplan_api.routes.jobs import accepted, as_dict, card
from geoplan_api.search.form import search_form_schema, understand_search
from geoplan_api.search.usual import NUMBERS
from geoplan_api.service import Service, service_of
from geoplan_api.upload import receive
from geoplan_layers.overlaps import read_overlaps
from geoplan_layers.sandbox.session import reading
from geoplan_web import map as web_map
from geoplan_web import pages
from geoplan_web import searches as search_pages
from geoplan_web.search_map import search_map

KIND = "search"
RECORD = "search.json"
SHOWN = 100
_TYPES = {
    ".gpkg": "application/geopackage+sqlite3", ".tif": "image/tiff; application=geotiff", ".json": JSON, ".html": HTML,
}  # fmt: skip
_OF_CANDIDATE = ("report.json", "overlaps.gpkg", "map.html")
router = APIRouter(tags=["searches"])


@router.get("/searches", response_class=Response, responses=held_as(JSON, HTML))
def list_searches(request: Request) -> Response:
    """选址列表 / the newest searches."""
    service = service_of(request)
    jobs = service.jobs.table.newest(SHOWN, KIND)
    if page_or_data(request):
        cards = [card(service, job) for job in jobs]
        return page(request, lambda lang, nonce: search_pages.search_list(cards, lang, nonce=nonce))
    return data(request, as_json({"searches": [as_dict(service, job) for job in jobs]}))


@router.get("/searches/new", response_class=Response, responses=held_as(HTML))
def new_search(request: Request) -> Response:
    """新的选址 / the form of a new search."""
    only(request, HTML)
    return _form(request)


def _form(request: Request, refusal: GeoplanError | None = None) -> Response:
    service = service_of(request)

    def draw(lang: Lang, nonce: str) -> str:
        return search_pages.search_form(
            lang, policies=list(service.book), layers=layers_held(service), roles=roles_known(service),
            numbers=NUMBERS, nonce=nonce, refusal=refusal.as_dict() if refusal else None,
        )  # fmt: skip

    return page(request, draw, problems.kind_of(refusal).status if refusal else 200)


@router.post(
    "/searches",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "任务；Location 为其地址 / the job; Location is its address", "content": {JSON: {}}},
        303: {"description": "浏览器：转到选址页 / for a browser: to the page of the search"},
        **refusals(403, 406, 413, 415, 421, 422, 503),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": search_form_schema()}}}
    },
)
async def make_search(request: Request) -> Response:
    """开始选址 / search: a study area, policies, criteria and layers as one form."""
    service = service_of(request)
    page_or_data(request)
    try:
        with service.home.workspace() as folder:
            inputs = folder / "in"
            inputs.mkdir()
            form = await receive(request, inputs, service.settings.max_upload_bytes)
            if form.texts.get("lang", [""])[0] in LANGUAGES:
                request.state.lang = form.texts["lang"][0]
            lang = lang_of(request)
            asked, name = understand_search(form, inputs, service.book)
            job = await run_in_threadpool(_submitted, service, asked | {"lang": lang}, name, lang, inputs)
    except GeoplanError as refused:
        if wants_page(request) and problems.kind_of(refused).status < 500:
            return _form(request, refused)
        raise
    if wants_page(request):
        return RedirectResponse(f"/searches/{job.id}?lang={lang}", 303)
    return accepted(request, job)


def _submitted(service: Service, asked: dict[str, Any], name: str, lang: Lang, inputs: Path) -> Job:
    return service.jobs.submit(KIND, asked, name=name, lang=lang, inputs=inputs)


@router.get("/searches/{search_id}", response_class=Response, responses=documented(JSON, HTML))
def show_search(request: Request, search_id: str) -> Response:
    """一次选址：进度或结果 / a search: how far it is, or what it found."""
    service = service_of(request)
    job = _job(service, search_id)
    as_page = page_or_data(request)
    if job.status != "done":
        if as_page:
            shown = card(service, job)
            return page(request, lambda lang, nonce: search_pages.search_waiting(shown, lang, nonce=nonce))
        return data(request, as_json(as_dict(service, job)))
    text, content = _record(service, job)
    if not as_page:
        return data(request, text)
    shown = card(service, job)

    def draw(lang: Lang, nonce: str) -> str:
        return search_pages.search_page(shown, content, lang, nonce=nonce, href=lambda name: _href(job, name))

    return page(request, draw)


@router.get("/searches/{search_id}/map", response_class=Response, responses=documented(HTML))
def show_search_map(request: Request, search_id: str) -> Response:
    """选址图 / the map of a search."""
    from geoplan_api.search.ground import ground_in

    only(request, HTML)
    service = service_of(request)
    job = _job(service, search_id)
    _, content = _record(service, job)
    with service.home.workspace() as folder, reading(service.readers, folder):
        ground = ground_in(service.jobs.files(job), content)

    def draw(lang: Lang, nonce: str) -> str:
        base = f"/searches/{job.id}"
        return search_map(
            ground, lang, mode="static", nonce=nonce, why=f"{base}/why",
            report=lambda rank: f"{base}/candidates/{rank}?lang={lang}",
        )  # fmt: skip

    return page(request, draw)


@router.get("/searches/{search_id}/why", response_class=Response, responses=documented(JSON) | refusals(422))
def why_there(request: Request, search_id: str, lon: str = "", lat: str = "") -> Response:
    """某一点为何能选或不能选 / why a point is or is not a site."""
    from geoplan.search.content import SearchContent
    from geoplan_api.search.why import why_at
    from geoplan_api.search.why_words import why_lines

    only(request, JSON)
    service = service_of(request)
    job = _job(service, search_id)
    _, content = _record(service, job)
    point = _degrees(lon, lat)
    with service.home.workspace() as folder, reading(service.readers, folder):
        found = why_at(service.jobs.files(job), *point)
    record = SearchContent.model_validate(content)
    says = {lang: why_lines(found, record, lang) for lang in LANGUAGES}
    return data(request, as_json(found | {"says": says}))


def _degrees(lon: str, lat: str) -> tuple[float, float]:
    try:
        point = float(lon), float(lat)
    except ValueError:
        point = math.nan, math.nan
    if not (-180 <= point[0] <= 180 and -90 <= point[1] <= 90):
        raise CallRefused("search-point", given=f"{lon[:40]}, {lat[:40]}")
    return point


@router.get("/searches/{search_id}/files/{name:path}", response_class=Response, responses=documented(*_TYPES.values()))
def search_file(request: Request, search_id: str, name: str) -> Response:
    """选址的文件 / a file of a search: boundaries, rasters, record, map."""
    service = service_of(request)
    job = _job(service, search_id)
    _, content = _record(service, job)
    if name not in content["files"]:
        raise NotFound("search-file-none", name=name[:80])
    return _sent(service.jobs.files(job) / name)


@router.get("/searches/{search_id}/candidates/{rank}", response_class=Response, responses=documented(JSON, HTML))
def show_candidate(request: Request, search_id: str, rank: str) -> Response:
    """候选的检查报告 / the report of a candidate's check."""
    service = service_of(request)
    folder = _candidate(service, search_id, rank)
    text = (folder / "report.json").read_text(encoding="utf-8")
    if not page_or_data(request):
        return data(request, text)
    base = f"/searches/{search_id}/candidates/{rank}"

    def draw(lang: Lang, nonce: str) -> str:
        links = {
            "page": base, "map": f"{base}/map?lang={lang}", "map_file": f"{base}/map.html",
            "report": f"{base}/report.json", "overlaps": f"{base}/overlaps.gpkg", "repair": "",
        }  # fmt: skip
        return pages.result(json.loads(text), links, lang, nonce=nonce)

    return page(request, draw)


@router.get("/searches/{search_id}/candidates/{rank}/map", response_class=Response, responses=documented(HTML))
def candidate_map(request: Request, search_id: str, rank: str) -> Response:
    """候选的地图 / the map of a candidate's check."""
    only(request, HTML)
    service = service_of(request)
    folder = _candidate(service, search_id, rank)
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    overlaps = read_overlaps(folder / "overlaps.gpkg", Plane(content["plane"]["central_meridian"]))
    return page(request, lambda lang, nonce: web_map.draw(content, overlaps, lang, mode="static", nonce=nonce))


@router.get(
    "/searches/{search_id}/candidates/{rank}/{name}", response_class=Response, responses=documented(*_TYPES.values())
)
def candidate_file(request: Request, search_id: str, rank: str, name: str) -> Response:
    """候选的文件 / a file of a candidate's check."""
    if name not in _OF_CANDIDATE:
        raise NotFound("search-file-none", name=name[:80])
    return _sent(_candidate(service_of(request), search_id, rank) / name)


def _job(service: Service, search_id: str) -> Job:
    job = service.jobs.table.get(search_id)
    if job.kind != KIND:
        raise NotFound("job-unknown", id=search_id[:40])
    return job


def _record(service: Service, job: Job) -> tuple[str, dict[str, Any]]:
    """The record of a search that is done, as text and as data."""
    if job.status != "done":
        raise NotFound("search-not-done", id=job.id)
    text = (service.jobs.files(job) / RECORD).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return text, content


def _candidate(service: Service, search_id: str, rank: str) -> Path:
    job = _job(service, search_id)
    _, content = _record(service, job)
    if rank not in {str(each["rank"]) for each in content["candidates"]}:
        raise NotFound("search-file-none", name=f"candidates/{rank[:20]}")
    return service.jobs.files(job) / "candidates" / rank


def _href(job: Job, name: str) -> str:
    return f"/searches/{job.id}/files/{quote(name)}"


def _sent(path: Path) -> Response:
    """A file to be saved; a page among them has no rights of the service."""
    headers = {**VARY, "Cache-Control": FRESH}
    if path.suffix == ".html":
        headers["Content-Security-Policy"] = "sandbox"
    return FileResponse(path, media_type=_TYPES[path.suffix], filename=path.name, headers=headers)
