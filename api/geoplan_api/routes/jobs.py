"""``/jobs``: what runs in the background, how far it is, and its end if it is asked for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from geoplan.messages import Message, both
from geoplan_api.jobs.pace import pace_of
from geoplan_api.jobs.table import Job
from geoplan_api.negotiate import HTML, JSON, wants_page
from geoplan_api.respond import as_json, data, lang_of, page, page_or_data
from geoplan_api.routes.documented import documented, held_as
from geoplan_api.service import Service, service_of
from geoplan_web import jobs as pages
from geoplan_web.questions import question_of

SHOWN = 100
router = APIRouter(tags=["jobs"])


@router.get("/jobs", response_class=Response, responses=held_as(JSON, HTML))
def list_jobs(request: Request) -> Response:
    """任务列表 / the newest jobs."""
    service = service_of(request)
    jobs = service.jobs.table.newest(SHOWN)
    if page_or_data(request):
        return page(request, lambda lang, nonce: pages.job_list([card(service, j) for j in jobs], lang, nonce=nonce))
    return data(request, as_json({"jobs": [as_dict(service, job) for job in jobs]}))


@router.get("/jobs/{job_id}", response_class=Response, responses=documented(JSON, HTML))
def show_job(request: Request, job_id: str) -> Response:
    """一项任务的进度与结果 / a job: how far it is, how it ended."""
    service = service_of(request)
    job = service.jobs.table.get(job_id)
    if page_or_data(request):
        return page(request, lambda lang, nonce: pages.job_page(card(service, job), lang, nonce=nonce))
    return data(request, as_json(as_dict(service, job)))


@router.post("/jobs/{job_id}/cancel", response_class=Response, responses=documented(JSON, HTML))
def cancel_job(request: Request, job_id: str) -> Response:
    """停止一项任务 / ask for the end of a job."""
    service = service_of(request)
    job = service.jobs.cancel(job_id)
    if wants_page(request):
        return RedirectResponse(f"/jobs/{job.id}?lang={lang_of(request)}", 303)
    return data(request, as_json(as_dict(service, job)))


def accepted(request: Request, job: Job) -> Response:
    """The answer to a request that became a job: for a browser its page, else 202 with its address."""
    service = service_of(request)
    address = f"/jobs/{job.id}"
    if wants_page(request):
        return RedirectResponse(f"{address}?lang={lang_of(request)}", 303)
    return Response(as_json(as_dict(service, job)), 202, {"Location": address}, media_type=JSON)


def card(service: Service, job: Job) -> pages.JobCard:
    """A job as its page shows it."""
    pace = pace_of(job)
    return pages.JobCard(
        id=job.id,
        kind=job.kind,
        name=job.name,
        status=job.status,
        stopping=job.cancel,
        share=pace.share if pace else None,
        steps=tuple(pace.messages()) if pace else (),
        made_at=job.made_at,
        begun_at=job.begun_at,
        ended_at=job.ended_at,
        result=service.jobs.address(job) if job.status == "done" else None,
        error=job.error,
        question=question_of(job.error) if service.jobs.can_go_on(job) else None,
        again=job.result.get("again") if job.status == "failed" and job.result else None,
    )


def as_dict(service: Service, job: Job) -> dict[str, Any]:
    """A job as plain data; ``says`` is how far it is, in words."""
    pace = pace_of(job)
    instants = {"made_at": job.made_at, "begun_at": job.begun_at, "ended_at": job.ended_at}
    return {
        "id": job.id,
        "kind": job.kind,
        "name": job.name,
        "status": job.status,
        "cancel": job.cancel,
        "progress": pace.as_dict() | {"says": both(Message("jobs.says", {"parts": pace.messages()}))} if pace else None,
        "result": job.result,
        "error": {key: value for key, value in job.error.items() if key != "class"} if job.error else None,
        **{name: at.isoformat().replace("+00:00", "Z") if at else None for name, at in instants.items()},
        "links": {
            "self": f"/jobs/{job.id}",
            "cancel": f"/jobs/{job.id}/cancel" if job.is_open else None,
            "answer": f"/jobs/{job.id}/answer" if service.jobs.can_go_on(job) else None,
            "result": service.jobs.address(job) if job.status == "done" else None,
        },
    }
