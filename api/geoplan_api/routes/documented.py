"""What routes answer, told for the documentation of the interface."""

from __future__ import annotations

from typing import Any

from geoplan.report import Content
from geoplan_api.negotiate import JSON, PROBLEM
from geoplan_api.problems import Problem

Responses = dict[int | str, dict[str, Any]]
_NAMES: dict[int | str, str] = {
    "default": "其他情况 / anything else",
    403: "来自其他网站的页面 / from a page of another site",
    404: "没有 / there is none",
    406: "没有所要的格式 / not to be had in the format asked for",
    413: "过大 / too large",
    415: "不是表单 / not a form",
    421: "主机名不符 / another host is meant",
    422: "输入被拒绝 / the input was refused",
    503: "繁忙或未能完成 / busy, or could not finish",
}


def components() -> dict[str, Any]:
    """The schemas that responses refer to."""
    found: dict[str, Any] = {}
    for model in (Content, Problem):
        schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def refusals(*statuses: int) -> Responses:
    """Refusals as problem documents; any other refusal is one as well."""
    content = {PROBLEM: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    each: tuple[int | str, ...] = (*statuses, "default")
    return {status: {"description": _NAMES[status], "content": content} for status in each}


def as_report(description: str, *others: str) -> dict[str, Any]:
    """A report as JSON, and other formats that may be asked for."""
    schema = {"$ref": f"#/components/schemas/{Content.__name__}"}
    return {"description": description, "content": {JSON: {"schema": schema}, **{kind: {} for kind in others}}}


def held_as(*kinds: str) -> Responses:
    """Something that is always there, in some formats."""
    return {200: {"content": {kind: {} for kind in kinds}}, **refusals(406)}


def documented(*kinds: str) -> Responses:
    """Something that there may not be, in some formats."""
    return {**held_as(*kinds), **refusals(404, 503)}
