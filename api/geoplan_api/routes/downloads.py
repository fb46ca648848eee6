"""``/checks/{id}/boundary.*`` and ``/checks/{id}/overlaps.*``: files to take into a GIS, a CAD or an office."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from geoplan.messages import say
from geoplan_api.downloads import Subject, download, format_named, media_types
from geoplan_api.respond import VARY, lang_of, only
from geoplan_api.routes.documented import documented
from geoplan_api.service import service_of

router = APIRouter(tags=["checks"])


@router.get("/checks/{check_id}/boundary.{suffix}", response_class=Response, responses=documented(*media_types()))
def boundary_file(
    request: Request,
    check_id: str,
    suffix: str,
    part: Annotated[Literal["planning", "construction"] | None, Query()] = None,
) -> Response:
    """规划与建设范围 / the boundaries as shp.zip, gpkg, kml, dxf, geojson, txt or xlsx; ``part`` takes one of them."""
    return _file(request, check_id, "boundary", suffix, part)


@router.get("/checks/{check_id}/overlaps.{suffix}", response_class=Response, responses=documented(*media_types()))
def pieces_file(request: Request, check_id: str, suffix: str) -> Response:
    """重叠图斑 / the pieces of the findings, keyed by evidence id, in the same formats (overlaps.gpkg: as stored)."""
    return _file(request, check_id, "overlaps", suffix, None)


def _file(request: Request, check_id: str, subject: Subject, suffix: str, part: str | None) -> Response:
    writer = format_named(suffix, request.url.path)
    only(request, writer.media_type)
    service = service_of(request)
    made = download(service, service.store.get(check_id), subject, suffix, lang_of(request), part)
    headers = {**VARY, "Content-Disposition": f'attachment; filename="{made.name}"', "Content-Type": made.media_type}
    if made.notes:
        told = " | ".join(say(note, "en") for note in made.notes)
        headers["Geoplan-Notes"] = told.encode("ascii", "backslashreplace").decode()[:4000]
    return Response(made.content, headers=headers)  # a media type given apart would get charset=utf-8; TXT is GBK
