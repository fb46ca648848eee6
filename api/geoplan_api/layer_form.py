"""The form of ``POST /layers``: its fields, and what it asks for."""

from __future__ import annotations

from typing import Any

from geoplan.errors import CallRefused
from geoplan.landuse import GENERATIONS
from geoplan_api.inquiry import ROLES
from geoplan_api.layer_asked import GivenFile, LayerAsked, plain_text, stored_name
from geoplan_api.upload import Submission, Upload, sets

FILES = ("file", "coverage")
TEXTS = (
    "role", "address", "select", "day", "source", "valid_until", "generation", "crs", "datum", "place",
)  # fmt: skip
FLAGS = ("swap_xy", "anywhere", "invented")
_TRUE = frozenset({"1", "true", "on", "yes"})


def understand_layer(form: Submission) -> LayerAsked:
    """What a form asks for; files are kept under names of our own in the folder where they lie.

    Raises
    ------
    CallRefused
        A field that there is not, a value that is none of its kind, no file or several.
    """
    for name in form.fields:
        if name not in (*FILES, *TEXTS, *FLAGS, "lang"):
            raise CallRefused("field-unknown", field=name[:80], known=[*FILES, *TEXTS, *FLAGS])
        if name in form.files and name not in FILES:
            raise CallRefused("field-wants-text", field=name)
        if any(form.texts.get(name, ())) and name in FILES:
            raise CallRefused("field-wants-file", field=name)
    texts = {name: plain_text((form.texts.get(name) or [""])[0], name) for name in TEXTS}
    flags = {name: (form.texts.get(name) or [""])[0].lower() in _TRUE for name in FLAGS}
    if texts["role"] is None:
        raise CallRefused("layer-role-unknown", role="—", known=list(ROLES))
    coverage = _given(form.files.get("coverage", []))
    if len(coverage) > 1:
        raise CallRefused("field-twice", field="coverage")
    given: dict[str, Any] = {**texts, **flags, "files": _given(form.files.get("file", []))}
    return LayerAsked(**given, coverage=coverage[0] if coverage else None).checked()


def _given(uploads: list[Upload]) -> tuple[GivenFile, ...]:
    """The files of a field: a .shp stands for what came with it."""
    return tuple(_kept(each[0]) for each in sets(uploads))


def _kept(upload: Upload) -> GivenFile:
    target = upload.path.with_name(stored_name(upload.path, upload.shown))
    if target.exists():
        target = upload.path
    else:
        upload.path.rename(target)
    return GivenFile(path=target.name, shown=upload.shown)


def layer_form_schema() -> dict[str, Any]:
    """The form for the documentation of the interface."""
    file, text = {"type": "string", "contentMediaType": "application/octet-stream"}, {"type": "string"}
    properties: dict[str, Any] = {name: text for name in TEXTS} | {name: {"type": "boolean"} for name in FLAGS}
    properties |= {"file": {"type": "array", "items": file}, "coverage": file}
    properties["role"] = {"type": "string", "examples": list(ROLES)}
    properties["generation"] = {"type": "string", "enum": list(GENERATIONS)}
    return {"type": "object", "required": ["role"], "properties": properties, "additionalProperties": False}
