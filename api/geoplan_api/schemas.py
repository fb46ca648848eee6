"""JSON Schema (2020-12) of the files that others write and read: report, policy, facts, criteria, search, repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from geoplan.errors import CallRefused
from geoplan.facts import ANSWERS, TOWN_STAGES
from geoplan.policy import Policy
from geoplan.policy.figures import Figure, figures
from geoplan.policy.rule import Tier
from geoplan.repair.content import RepairContent
from geoplan.report import Content
from geoplan.search.content import SearchContent
from geoplan.search.criteria import Criteria

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_DATE: Schema = {"type": "string", "format": "date", "description": "TOML date, YYYY-MM-DD"}
_MOST_SHARE = 10


def schema_of(what: str) -> Schema:
    """The schema of ``report``, ``policy``, ``facts``, ``criteria``, ``search`` or ``repair``.

    Raises
    ------
    CallRefused
        There is no schema of that name.

    >>> schema_of("facts")["additionalProperties"]
    False
    """
    if what not in _SCHEMAS:
        raise CallRefused("schema-unknown", name=what, known=list(_SCHEMAS))
    return {"$schema": DIALECT, "$id": f"urn:geoplan:schema:{what}:1", **_SCHEMAS[what]()}


def _report() -> Schema:
    """A report of any release of ``/1``: members that later releases added are not required."""
    return Content.model_json_schema(by_alias=True, mode="validation")


def _policy() -> Schema:
    return Policy.model_json_schema(by_alias=True, mode="validation")


def _facts() -> Schema:
    """A facts file, from the catalogue of figures: what is derived or measured cannot be declared."""
    properties: Schema = {
        "id": _TEXT,
        "name": _TEXT,
        "county": _TEXT,
        "tier": {"enum": list(get_args(Tier))},
        "listed_on": _DATE,
        "stage": {"enum": list(TOWN_STAGES)},
    }
    for path, figure in figures().items():
        if figure.derived or figure.measured:
            continue
        section, _, key = path.partition(".")
        held = properties.setdefault(section, _closed({}))
        held["properties"][key] = _classes() if path == "industry.class" else _figure(figure)
    rule = {"pattern": r"^[^.]+\.[^.]+$"}
    properties["answers"] = {"type": "object", "propertyNames": rule, "additionalProperties": _answer()}
    return {"title": "geoplan facts", **_closed(properties)}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _figure(figure: Figure) -> Schema:
    named = {"title": figure.en, "description": f"{figure.zh} ({figure.unit})"}
    if figure.unit == "truth":
        return {"type": "boolean", **named}
    if figure.unit == "list":
        return {"type": "array", "items": _TEXT, **named}
    if figure.unit in ("text", "choice"):
        return {**_TEXT, **named}
    most = {"maximum": _MOST_SHARE} if figure.unit == "share" else {}
    return {"type": "number", "minimum": 0, **most, **named}


def _classes() -> Schema:
    return {"type": "object", "additionalProperties": _TEXT, "description": "class by policy id"}


def _answer() -> Schema:
    properties = {
        "verdict": {"enum": list(ANSWERS)},
        "by": _TEXT,
        "on": _DATE,
        "reason": _TEXT,
        "number": _TEXT,
        "type": _TEXT,
        "area_m2": {"type": "number"},
    }
    return {**_closed(properties), "required": ["verdict", "by", "on", "reason"]}


def _criteria() -> Schema:
    return Criteria.model_json_schema(by_alias=True, mode="validation")


def _search() -> Schema:
    """The record of a search of any release of ``/1``."""
    return SearchContent.model_json_schema(by_alias=True, mode="validation")


def _repair() -> Schema:
    """The record of a repair of any release of ``/1``."""
    return RepairContent.model_json_schema(by_alias=True, mode="validation")


_SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "report": _report,
    "policy": _policy,
    "facts": _facts,
    "criteria": _criteria,
    "search": _search,
    "repair": _repair,
}
