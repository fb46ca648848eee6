"""Criteria from the content of a file: strict, each fault told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from geoplan.errors import InputRefused
from geoplan.policy.document import Strict, frozen
from geoplan.search.criteria import Criteria


def parse_criteria(content: Mapping[str, Any], file: str) -> Criteria:
    """Criteria of the content of a file; an unknown key or a wrong value is refused with its place.

    Raises
    ------
    InputRefused
        The first fault: its key and what is wrong.
    """
    try:
        return Criteria.model_validate(frozen(dict(content)))
    except pydantic.ValidationError as wrong:
        first = wrong.errors()[0]
        place = _place(first["loc"], content)
        known = ", ".join(_known_keys(first["loc"][:-1])) if first["type"] == "extra_forbidden" else ""
        if known:
            raise InputRefused("criteria-unknown-key", file=file, where=place, known=known) from None
        detail = first["msg"].removeprefix("Value error, ")
        raise InputRefused("criteria-wrong", file=file, where=place or None, detail=detail) from None


def _place(where: tuple[int | str, ...], content: Mapping[str, Any]) -> str:
    """``constraints[2].distance_m``, with the id of the entry where it has one."""
    text = ""
    at: Any = content
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
        at = at[part] if _holds(at, part) else {}
        if isinstance(part, int) and isinstance(at, Mapping) and isinstance(at.get("id"), str):
            text += f" ({at['id']})"
    return text


def _holds(content: Any, part: int | str) -> bool:
    if isinstance(part, int):
        return isinstance(content, list | tuple) and part < len(content)
    return isinstance(content, Mapping) and part in content


def _known_keys(where: tuple[int | str, ...]) -> list[str]:
    """The keys that belong at a place of the file."""
    model: Any = Criteria
    for part in where:
        if isinstance(part, int):
            continue
        model = _model_in(model.model_fields[part].annotation)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """The model that a field holds: itself, one of several, or that of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    for each in getattr(annotation, "__args__", ()):
        if (found := _model_in(each)) is not None:
            return found
    return None
