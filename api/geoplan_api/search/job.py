"""A search as a job: from plain data and a folder of files to a folder of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoplan.errors import CallRefused
from geoplan.messages import Lang
from geoplan.progress import Progress
from geoplan_api import inquiry as ask
from geoplan_api.inquiry import Inquiry
from geoplan_api.jobs.kinds import Task
from geoplan_api.registered import rasters_near, registered_layers
from geoplan_api.search.request import SearchRequest, search_request
from geoplan_api.search.run import run_search
from geoplan_layers.sandbox.session import reading
from geoplan_layers.selector import LayerSpec, Selector, parse_selector


@reading()
def search_job(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Search as ``task.asked`` says, with the layers and towns that the service holds for what is left out.

    ``asked``, file names relative to the job's inputs::

        {"area": "FILE#LAYER[FIELD=VALUE]", "criteria": "FILE.toml", "policies": ["ID"], "layers": ["ROLE=FILE"],
         "coverage": ["ROLE=FILE"], "towns": "FILE", "crs": "EPSG:N", "datum": "…", "on": "YYYY-MM-DD",
         "anywhere": false, "count": 5, "lang": "zh"}

    All but the first two may be left out.

    Returns
    -------
    dict
        ``search`` (id of the record), ``candidates`` (how many) and ``title``.

    Raises
    ------
    GeoplanError
        What was refused or could not be finished.
    """
    request = request_of(task.asked, task.inputs)
    held = registered_layers(task.settings)
    inquiry, _ = held.completed(request.inquiry)
    rasters = rasters_near(request.inquiry, held.store, [each.role for each in request.rasters]) if held.store else ()
    asked = replace(request, inquiry=inquiry, rasters=(*request.rasters, *rasters))
    result = run_search(asked, task.out, progress)
    content = result.content
    return {"search": content.id, "candidates": len(content.candidates), "title": content.title}


def request_of(asked: Mapping[str, Any], inputs: Path) -> SearchRequest:
    """The request that plain data spell.

    Raises
    ------
    CallRefused
        ``area`` or ``criteria`` is missing, or an option is misspelt.
    """
    for key in ("area", "criteria"):
        if not asked.get(key):
            raise CallRefused("option-missing", option=key)
    lang: Lang = "en" if asked.get("lang") == "en" else "zh"
    criteria = _within(parse_selector(str(asked["criteria"])), inputs)
    return search_request(_inquiry(asked, inputs), criteria.path, asked.get("count"), lang, criteria.name)


def _inquiry(asked: Mapping[str, Any], inputs: Path) -> Inquiry:
    coverage = ask.coverage_specs([str(each) for each in asked.get("coverage", ())])
    return Inquiry(
        planning=_within(parse_selector(str(asked["area"])), inputs),
        policies=tuple(str(each) for each in asked.get("policies", ())),
        layers=tuple(_layer(str(each), inputs) for each in asked.get("layers", ())),
        coverage={role: tuple(_within(each, inputs) for each in given) for role, given in coverage.items()},
        towns=_within(parse_selector(str(asked["towns"])), inputs) if asked.get("towns") else None,
        frame=ask.frame_named(asked.get("crs")),
        datum=ask.datum_named(asked.get("datum")),
        on=ask.civil_date(asked.get("on")),
        anywhere=bool(asked.get("anywhere", False)),
    )


def _layer(text: str, inputs: Path) -> LayerSpec:
    spec = ask.layer_spec(text)
    return replace(spec, selector=_within(spec.selector, inputs))


def _within(selector: Selector, inputs: Path) -> Selector:
    """The file of that name among the job's inputs, whatever folder the name goes by."""
    return replace(selector, path=inputs / selector.path.name, shown=selector.shown or selector.path.name)
