"""``/layers``: the layers that the service holds, their versions, and how one is imported, used and removed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, RedirectResponse, Response

from geoplan.errors import NotFound
from geoplan.messages import Lang
from geoplan_api.jobs.table import Job
from geoplan_api.layer_asked import LayerAsked, answered, plain_text
from geoplan_api.layer_form import layer_form_schema, understand_layer
from geoplan_api.layer_views import card_of, layer_cards, layers_data, places_of, sheet_of, version_data
from geoplan_api.negotiate import HTML, JSON
from geoplan_api.respond import VARY, as_json, data, lang_of, only, page, page_or_data, roles_known
from geoplan_api.routes.documented import documented, held_as, refusals
from geoplan_api.routes.jobs import accepted, card
from geoplan_api.service import Service, service_of
from geoplan_api.upload import receive
from geoplan_layers.prepared.version import OPEN, QUARANTINE, RASTER, Version
from geoplan_layers.remote.allowed import found
from geoplan_web import layers as pages

KIND = "layer-import"
PARQUET, TIFF, PNG = "application/vnd.apache.parquet", "image/tiff; application=geotiff", "image/png"
_RECENT = 5
_MOST_BYTES = 20_000
router = APIRouter(tags=["layers"])


@router.get("/layers", response_class=Response, responses=held_as(JSON, HTML))
def layers(request: Request) -> Response:
    """服务所带的图层 / the layers that the service holds, with all versions."""
    service = service_of(request)
    if not page_or_data(request):
        return data(request, as_json(layers_data(service)))
    imports = [card(service, job) for job in service.jobs.table.newest(_RECENT, KIND)]

    def draw(lang: Lang, nonce: str) -> str:
        return pages.layer_list(
            layer_cards(service), lang, nonce=nonce, roles=roles_known(service),
            imports=[each for each in imports if each.status != "done"], places=places_of(service.settings),
        )  # fmt: skip

    return page(request, draw)


@router.post(
    "/layers",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "任务；Location 为其地址 / the job; Location is its address", "content": {JSON: {}}},
        303: {"description": "浏览器：转到任务页 / for a browser: to the page of the job"},
        **refusals(403, 406, 413, 415, 421, 422, 503),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": layer_form_schema()}}}
    },
)
async def add_layer(request: Request) -> Response:
    """登记一个图层 / import a layer for a role: files, or a place outside that the operator allows."""
    service = service_of(request)
    page_or_data(request)
    with service.home.workspace() as folder:
        inputs = folder / "in"
        inputs.mkdir()
        form = await receive(request, inputs, service.settings.max_layer_bytes)
        if form.texts.get("lang", [""])[0] in ("zh", "en"):
            request.state.lang = form.texts["lang"][0]
        asked = understand_layer(form)
        if asked.address:
            found(asked.address, service.settings.databases, service.settings.buckets)
        job = await run_in_threadpool(_submitted, service, asked, lang_of(request), inputs)
    return accepted(request, job)


def _submitted(service: Service, asked: LayerAsked, lang: Lang, inputs: Any) -> Job:
    return service.jobs.submit(KIND, asked.model_dump(mode="json"), name=asked.name, lang=lang, inputs=inputs)


@router.post("/jobs/{job_id}/answer", response_class=Response, responses=documented(JSON, HTML))
async def answer_job(request: Request, job_id: str) -> Response:
    """回答导入所问，继续导入 / answer what an import asked; it goes on as a new job."""
    service = service_of(request)
    job = service.jobs.table.get(job_id)
    if job.kind != KIND or not service.jobs.can_go_on(job):
        raise NotFound("job-no-question", id=job.id)
    with service.home.workspace() as folder:
        form = await receive(request, folder, _MOST_BYTES)
    given = {name: plain_text(texts[0], name) for name, texts in form.texts.items()}
    asked = answered(job.asked, given).model_dump(mode="json")
    return accepted(request, await run_in_threadpool(service.jobs.again, job, asked))


@router.get("/layers/{role}/{version}", response_class=Response, responses=documented(JSON, HTML))
def show_layer(request: Request, role: str, version: str) -> Response:
    """一个图层版本 / a version of a layer: what it holds and how good it is."""
    service = service_of(request)
    held = _version(service, role, version)
    if not page_or_data(request):
        return data(request, as_json(version_data(service, held)))
    return page(request, lambda lang, nonce: pages.layer_page(sheet_of(service, held), lang, nonce=nonce))


@router.get("/layers/{role}/{version}/picture.png", response_class=Response, responses=documented(PNG))
def show_picture(request: Request, role: str, version: str) -> Response:
    """图层略图 / a small picture of a version."""
    only(request, PNG)
    from geoplan_api.layer_picture import picture

    held = _version(service_of(request), role, version)
    return Response(picture(held), media_type=PNG, headers={"Cache-Control": "private, max-age=86400"})


@router.get("/layers/{role}/{version}/layer.parquet", response_class=Response, responses=documented(PARQUET))
def layer_file(request: Request, role: str, version: str) -> Response:
    """图层文件（GeoParquet）/ every patch with its attributes."""
    return _file(request, role, version, OPEN, PARQUET)


@router.get("/layers/{role}/{version}/layer.tif", response_class=Response, responses=documented("image/tiff"))
def raster_file(request: Request, role: str, version: str) -> Response:
    """栅格文件（COG）/ the cells of a raster."""
    return _file(request, role, version, RASTER, TIFF)


@router.get("/layers/{role}/{version}/quarantine.parquet", response_class=Response, responses=documented(PARQUET))
def quarantine_file(request: Request, role: str, version: str) -> Response:
    """未采用的图斑（GeoParquet）/ what was left out, with the reasons."""
    return _file(request, role, version, QUARANTINE, PARQUET)


@router.post("/layers/{role}/{version}/use", response_class=Response, responses=documented(JSON, HTML))
def use_layer(request: Request, role: str, version: str) -> Response:
    """使用这一版本 / let checks use this version from now on."""
    service = service_of(request)
    held = _version(service, role, version)
    service.layers.use(role, held.id)
    return _settled(request, card_of(service, held).href)


@router.post("/layers/{role}/{version}/remove", response_class=Response, responses=documented(JSON, HTML))
def remove_layer(request: Request, role: str, version: str) -> Response:
    """删除这一版本 / remove this version."""
    service = service_of(request)
    service.layers.remove(role, _version(service, role, version).id)
    return _settled(request, "/layers")


def _settled(request: Request, address: str) -> Response:
    if page_or_data(request):
        return RedirectResponse(f"{address}?lang={lang_of(request)}", 303)
    return data(request, as_json(layers_data(service_of(request))))


def _version(service: Service, role: str, version: str) -> Version:
    """A version by its whole id: the beginning of one is not taken in an address."""
    held = service.layers.version(role, version)
    if held.id != version:
        raise NotFound("layer-version-unknown", role=role, version=version, known=[held.id])
    return held


def _file(request: Request, role: str, version: str, name: str, kind: str) -> Response:
    only(request, kind.partition(";")[0])
    held = _version(service_of(request), role, version)
    path = held.folder / name
    if not path.is_file():
        raise NotFound("layer-without-that-file", role=role, version=held.id, missing=name)
    shown = f"{role.replace(':', '-')}-{held.id}-{name}"
    return FileResponse(path, media_type=kind, filename=shown, headers=VARY)
