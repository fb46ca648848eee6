"""``/checks/{id}/repair`` and ``/repairs/{id}``: ask for a repair, and read what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, Response

from geoplan.messages import Lang
from geoplan_api.downloads import file_rows, format_named, made_file, media_types
from geoplan_api.negotiate import HTML, JSON
from geoplan_api.repair_files import REPAIRED
from geoplan_api.repair_job import asked_of
from geoplan_api.repaired import MadeRepair, repair_made
from geoplan_api.respond import VARY, as_json, data, lang_of, only, page, page_or_data
from geoplan_api.routes.documented import documented, refusals
from geoplan_api.routes.jobs import accepted
from geoplan_api.service import service_of
from geoplan_layers.writers.report_sheets import boundary_sheet
from geoplan_web import pages
from geoplan_web.repair_map import draw_repair
from geoplan_web.repair_page import repair_page

GEOPACKAGE = "application/geopackage+sqlite3"
router = APIRouter(tags=["repairs"])
Rank = Annotated[int, Query(ge=1, le=9)]


@router.post(
    "/checks/{check_id}/repair",
    status_code=202,
    response_class=Response,
    responses={
        202: {"description": "任务；Location 为其地址 / the job; Location is its address", "content": {JSON: {}}},
        303: {"description": "浏览器：转到任务页 / for a browser: to the page of the job"},
        **refusals(404, 406, 503),
    },
)
def ask_repair(request: Request, check_id: str, move_for_readings: Annotated[bool, Query()] = False) -> Response:
    """修复一次检查的边界 / repair the boundaries of a check; ``move_for_readings`` mends what a reading fails too."""
    page_or_data(request)
    service = service_of(request)
    check = service.store.get(check_id)
    _, content = service.report(check)
    lang = lang_of(request)
    with service.home.workspace() as folder:
        inputs = folder / "in"
        inputs.mkdir()
        asked = asked_of(check, content, service.objects, inputs)
        asked |= {"move_for_readings": move_for_readings, "lang": lang}
        job = service.jobs.submit("repair", asked, name=check.name or check.id, lang=lang, inputs=inputs)
    return accepted(request, job)


@router.get("/repairs/{job_id}", response_class=Response, responses=documented(JSON, HTML))
def show_repair(request: Request, job_id: str, answer: Rank = 1) -> Response:
    """一次修复：网页或 JSON / a repair, as a page or as its record."""
    made = repair_made(service_of(request), job_id)
    if not page_or_data(request):
        return data(request, as_json(made.record))

    def draw(lang: Lang, nonce: str) -> str:
        check = str(made.job.asked["check"])
        return repair_page(made.record, job_id, check, answer, _files(made, answer, lang), lang, nonce=nonce)

    return page(request, draw)


def _files(made: MadeRepair, rank: int, lang: Lang) -> list[pages.FileRow]:
    """What the page offers: the boundaries of the answer in every format."""
    if not any(each["rank"] == rank and each["kind"] != "unchanged" for each in made.record["answers"]):
        return []
    base = f"/repairs/{made.job.id}"
    rows = file_rows(made.job.id, made.report(rank), lang)
    own = [row for row in rows if row.subject != "overlaps"]
    return [
        pages.FileRow(
            row.subject,
            {each: f"{base}/boundary.{each}?part={row.subject}&answer={rank}&lang={lang}" for each in row.files},
        )
        for row in own
    ]


@router.get("/repairs/{job_id}/map", response_class=Response, responses=documented(HTML))
def show_map(request: Request, job_id: str, answer: Rank = 1) -> Response:
    """修复前后对比图 / the map of what changes, as a page of the service."""
    only(request, HTML)
    made = repair_made(service_of(request), job_id)
    content = made.report(answer)
    overlaps, changed = made.overlaps(answer, content), made.changed(answer)

    def draw(lang: Lang, nonce: str) -> str:
        return draw_repair(content, overlaps, changed, lang, mode="static", nonce=nonce)

    return page(request, draw)


@router.get("/repairs/{job_id}/check", response_class=Response, responses=documented(JSON, HTML))
def show_check(request: Request, job_id: str, answer: Rank = 1) -> Response:
    """修复后的检查结果 / the check of the repaired boundaries, as a page or as its report."""
    made = repair_made(service_of(request), job_id)
    content = made.report(answer)
    if not page_or_data(request):
        return data(request, as_json(content))

    def draw(lang: Lang, nonce: str) -> str:
        links = {"page": f"/repairs/{job_id}/check", "map": f"/repairs/{job_id}/map?answer={answer}&lang={lang}"}
        return pages.result(content, links, lang, nonce=nonce, files=_files(made, answer, lang))

    return page(request, draw)


@router.get("/repairs/{job_id}/map.html", response_class=Response, responses=documented(HTML))
def map_file(request: Request, job_id: str, answer: Rank = 1) -> Response:
    """单个文件的对比图 / the map of what changes as one file that opens offline."""
    only(request, HTML)
    path = repair_made(service_of(request), job_id).place(answer) / "map.html"
    return _taken(path, HTML, {"Content-Security-Policy": "sandbox"})


@router.get("/repairs/{job_id}/repaired.gpkg", response_class=Response, responses=documented(GEOPACKAGE))
def repaired_file(request: Request, job_id: str, answer: Rank = 1) -> Response:
    """修复后的边界与变化 / the repaired boundaries and what became of those that were drawn."""
    only(request, GEOPACKAGE)
    made = repair_made(service_of(request), job_id)
    unchanged = any(each["kind"] == "unchanged" for each in made.record["answers"])
    return _taken((made.folder if unchanged else made.place(answer)) / REPAIRED, GEOPACKAGE, {})


def _taken(path: Path, kind: str, headers: dict[str, str]) -> Response:
    return FileResponse(path, media_type=kind, filename=path.name, headers={**VARY, **headers})


@router.get("/repairs/{job_id}/boundary.{suffix}", response_class=Response, responses=documented(*media_types()))
def boundary_file(
    request: Request,
    job_id: str,
    suffix: str,
    part: Annotated[Literal["planning", "construction"] | None, Query()] = None,
    answer: Rank = 1,
) -> Response:
    """修复后的边界 / the repaired boundaries in the formats that can be written."""
    writer = format_named(suffix, request.url.path)
    only(request, writer.media_type)
    service, lang = service_of(request), lang_of(request)
    made = repair_made(service, job_id)
    content = made.report(answer)
    sheet = boundary_sheet(content, made.overlaps(answer, content), lang, part)
    file = made_file(service, sheet, f"{part or 'repaired'}.{suffix}", content["proposal"]["name"], lang)
    headers = {**VARY, "Content-Disposition": f'attachment; filename="{file.name}"', "Content-Type": file.media_type}
    return Response(file.content, headers=headers)
