"""From a form to a search: the fields of ``POST /searches``, and the job's request that they make."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import Any

from geoplan.errors import CallRefused
from geoplan.policy import PolicyBook
from geoplan_api.inquiry import ROLES, civil_date, datum_named, frame_named
from geoplan_api.search.request import MOST
from geoplan_api.search.usual import NUMBERS, usual_criteria
from geoplan_api.upload import Submission, Upload, sets

FILES = ("area", "criteria", "towns")
TEXTS = ("crs", "datum", "on", "count", "name", "anywhere", "lang")
REPEATED = ("policy",)
PREFIXES = ("layer.", "coverage.", "select.")
USUAL = "criteria.toml"
_SELECT = re.compile(r"(?:#[^#\[\]@=]{1,100})?(?:\[[^\[\]=]{1,100}=[^\[\]]{0,100}\])?(?:@[A-Za-z0-9:-]{1,40})*")
_TRUE = frozenset({"1", "true", "on", "yes"})
_LONGEST = 200
_NOT_A_NAME = frozenset("#[]=@%/\\:*?\"<>|~$`;&'")


def understand_search(form: Submission, folder: Path, book: PolicyBook) -> tuple[dict[str, Any], str]:
    """The request of a search job (`geoplan_api.search.job`) and the name that people know it by.

    Files are given the user's names, made fit to be names, in the folder where they lie; a form without a criteria
    file is made one of the usual criteria.

    Raises
    ------
    CallRefused
        A field that there is not, a value that is none of its kind, no study area.
    """
    _all_known(form)
    files = _Files(form, folder)
    area = files.one("area")
    if area is None:
        raise CallRefused("no-search-area")
    for policy in form.texts.get("policy", ()):
        book.get(policy)
    asked: dict[str, Any] = {
        "area": area,
        "criteria": files.one("criteria") or _usual(form, folder),
        "policies": [each for each in form.texts.get("policy", ()) if each],
        "layers": files.of_roles("layer."),
        "coverage": files.of_roles("coverage."),
        "towns": files.one("towns"),
        "count": _count(_text(form, "count")),
        "anywhere": (_text(form, "anywhere") or "").lower() in _TRUE,
        "lang": "en" if _text(form, "lang") == "en" else "zh",
        "name": _text(form, "name"),
    }
    asked |= {key: _text(form, key) for key in ("crs", "datum", "on")}
    frame_named(asked["crs"])
    datum_named(asked["datum"], "datum")
    civil_date(asked["on"], "on")
    return asked, asked["name"] or files.shown("area")


def _all_known(form: Submission) -> None:
    roles = {f"{prefix}{role}" for prefix in PREFIXES[:2] for role in ROLES}
    for name in form.fields:
        prefix = next((each for each in PREFIXES if name.startswith(each)), None)
        known = name in (*FILES, *TEXTS, *REPEATED, *NUMBERS) or prefix == "select." or name in roles
        if not known and not (prefix and name.removeprefix(prefix).startswith("custom:")):
            raise CallRefused("field-unknown", field=name[:80], known=[*FILES, *TEXTS, *REPEATED, *NUMBERS])
    for name in form.files:
        if name not in FILES and not name.startswith(PREFIXES[:2]):
            raise CallRefused("field-wants-text", field=name)
    for name, values in form.texts.items():
        if any(values) and (name in FILES or name.startswith(PREFIXES[:2])):
            raise CallRefused("field-wants-file", field=name)


def _text(form: Submission, name: str) -> str | None:
    """The one text of a field; an empty one is none."""
    values = [each.strip() for each in form.texts.get(name, ()) if each.strip()]
    if len(set(values)) > 1:
        raise CallRefused("field-twice", file=name, field=name)
    if values and len(values[0]) > _LONGEST:
        raise CallRefused("option-wrong", option=name, value=values[0][:40], wanted=f"≤ {_LONGEST}")
    return values[0] if values else None


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST:
        raise CallRefused("option-wrong", option="count", value=text[:40], wanted=f"1 … {MOST}")
    return int(text)


def _usual(form: Submission, folder: Path) -> str:
    fields = {name: _text(form, name) or "" for name in NUMBERS if name in form.texts}
    (folder / USUAL).write_text(usual_criteria(fields), encoding="utf-8")
    return USUAL


class _Files:
    """The files of a form, under names that a job's request can hold."""

    def __init__(self, form: Submission, folder: Path) -> None:
        self._form, self._folder = form, folder
        self._sets = {name: sets(uploads) for name, uploads in form.files.items()}
        self._taken = {USUAL}

    def one(self, field: str) -> str | None:
        """The one file of a field with what chooses in it; none where there is none.

        Raises
        ------
        CallRefused
            There are several.
        """
        several = self._sets.get(field, [])
        if len(several) > 1:
            raise CallRefused("field-twice", file=several[1][0].shown, field=field)
        return self._named(several[0]) + self._select(field) if several else None

    def of_roles(self, prefix: str) -> list[str]:
        """``ROLE=FILE`` of each file of some fields."""
        fields = [name for name in self._sets if name.startswith(prefix)]
        return [
            f"{name.removeprefix(prefix)}={self._named(each)}{self._select(name)}"
            for name in fields
            for each in self._sets[name]
        ]

    def shown(self, field: str) -> str:
        """The user's name of a file."""
        return self._sets[field][0][0].shown

    def _select(self, field: str) -> str:
        text = _text(self._form, f"select.{field}") or ""
        if not _SELECT.fullmatch(text):
            raise CallRefused("option-wrong", option=f"select.{field}", value=text[:40], wanted="#LAYER[FIELD=VALUE]")
        return text

    def _named(self, files: list[Upload]) -> str:
        """Rename a file and its companions; they keep their suffixes and one stem."""
        shown = PurePosixPath(files[0].shown)
        plain = unicodedata.normalize("NFC", shown.stem)
        stem = "".join("_" if each in _NOT_A_NAME or not each.isprintable() else each for each in plain)[:60].strip(
            " ."
        )
        suffix = files[0].path.suffix
        name, number = f"{stem or 'file'}{suffix}", 2
        while name.lower() in self._taken:
            name, number = f"{stem or 'file'}_{number}{suffix}", number + 1
        self._taken.add(name.lower())
        for each in files:
            each.path.rename((self._folder / name).with_suffix(each.path.suffix))
        return name


def search_form_schema() -> dict[str, Any]:
    """The form for the documentation of the interface."""
    file, text = {"type": "string", "contentMediaType": "application/octet-stream"}, {"type": "string"}
    properties: dict[str, Any] = {name: file for name in FILES} | {name: text for name in TEXTS}
    properties |= {name: {"type": "number"} for name in NUMBERS} | {"policy": {"type": "array", "items": text}}
    properties |= {f"{kind}.{role}": file for kind in ("layer", "coverage") for role in ROLES}
    return {"type": "object", "required": ["area"], "properties": properties}
