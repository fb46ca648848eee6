"""Every habit of a file that the page of formats lists, over HTTP: the same figures, or the same refusal in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from format_cases import CASES, Case, outcome
from geoplan_layers.formats import format_of
from geoplan_layers.selector import parse_selector
from serving import (  # noqa: F401 - the fixtures are used by name
    Files,
    Running,
    fixture_service,
    fixture_the_service,
)

SENT = [case for case in CASES if not case.layer]


def parts_of(path: Path) -> Files:
    """A file with what belongs to it, as a browser sends several files of one field."""
    format = format_of(path.suffix.lower())
    kept = {path.suffix.lower(), *(format.companions if format else ())}
    beside = [each for each in sorted(path.parent.iterdir()) if each.stem == path.stem and each.suffix.lower() in kept]
    return [("planning", (each.name, each.read_bytes())) for each in beside]


@pytest.mark.parametrize("case", SENT, ids=[f"{case.format}: {case.habit}" for case in SENT])
def test_a_habit_is_read_or_refused_over_http_as_on_the_command_line(
    service: Running, tmp_path: Path, case: Case
) -> None:
    selector = parse_selector(str(case.make(tmp_path)))
    if selector.path.is_dir():
        assert selector.path.suffix == ".gdb", "a browser sends no folders; the same .gdb in a zip is a case of its own"
        return
    texts: dict[str, Any] = {"anywhere": "true", "crs": f"EPSG:{case.crs}" if case.crs else ""}
    if selector.choice:
        texts["select__planning"] = selector.choice
    files = parts_of(selector.path)
    (tmp_path / "again").mkdir()
    expected = outcome(case, tmp_path / "again")
    answered = service.ask(files, None, **texts)
    if expected.word == "refused":
        assert answered.json()["en"] == expected.said
        assert answered.status_code in (422, 413), "refused as it is, or as too large"
    else:
        assert answered.status_code == 201, answered.text
        planning = answered.json()["proposal"]["planning"]
        parts, vertices, crs = expected.said.split(";")[0].split(", ")[:3]
        assert (planning["parts"], planning["vertices"]) == (int(parts.split()[0]), int(vertices.split()[0]))
        assert planning["crs"] == crs
    assert service.left_over == []
