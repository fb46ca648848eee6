# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The page of formats says what reading each habit gives: made from the cases, and held to them.

``.venv/bin/python tests/test_formats_page.py`` writes ``docs/formats.md`` anew (GEOPLAN_REAL_DATA must name the folder
of real data, for the rows that come from it).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import geoplan_layers.files.ogr  # noqa: F401 - before anything imports pyogrio

import pytest

from format_cases import CASES, Case, Outcome, real_cases, told_in_a_folder
from test_register_areas import REGISTERS, WHY

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
_HEAD = """# What is read, mended and refused

Made by `.venv/bin/python tests/test_formats_page.py` from `tests/format_cases.py`; the tests hold it to what the
readers do. *Read*: nothing had to be assumed. *Mended*: read, and the report says what was assumed or repaired.
*Refused*: exit status 2, with this message. Boundaries are read as `--planning` reads them; a CRS in brackets is what
the user gives by `--crs`.

| format | habit | outcome | what is said |
|---|---|---|---|
"""
_REAL = """
## Real files

The same for the files of the shared data, which are not part of the project (`boundary-files` as boundaries, `fields`
as reference layers); the tests need `GEOPLAN_REAL_DATA` for them.

| folder | file | outcome | what is said |
|---|---|---|---|
"""
_AREAS = """
## Areas beside the authority's own column

Median difference from the column over parcels of more than 1,000 m², in percent (`tests/test_register_areas.py`).

| register | column | ellipsoidal | planar, as read | why |
|---|---|---|---|---|
"""


def area_rows() -> list[str]:
    return [
        f"| {folder} | {column} | {survey:+.4f} | {'degrees' if planar is None else f'{planar:+.4f}'} | {WHY[folder]} |"
        for folder, _, column, _, survey, planar in REGISTERS
    ]


def row(case: Case, found: Outcome) -> str:
    given = f" [{case.crs}]" if case.crs else ""
    cells = [case.format, f"{case.habit}{given}", found.word, found.said]
    return "| " + " | ".join(" ".join(each.split()).replace("|", "\\|") for each in cells) + " |"


def rows(cases: Iterable[Case]) -> list[str]:
    return [row(case, told_in_a_folder(case)) for case in cases]


def _written() -> tuple[list[str], list[str]]:
    made, _, rest = PAGE.read_text(encoding="utf-8").partition("## Real files")
    real, _, _ = rest.partition(_AREAS)
    return [re.findall(r"^\| (?!format|folder).*\|$", part, re.MULTILINE) for part in (made, real)]  # type: ignore[return-value]


@pytest.mark.parametrize("case", CASES, ids=[f"{c.format}: {c.habit}" for c in CASES])
def test_each_habit_gives_what_the_page_says(case: Case, tmp_path: Path) -> None:
    made, _ = _written()
    assert row(case, told_in_a_folder(case)) in made


def test_the_page_holds_these_cases_in_their_order_and_no_others() -> None:
    made, _ = _written()
    starts = [row(case, Outcome("", "")).removesuffix("|  |  |") for case in CASES]
    assert len(made) == len(starts)
    assert all(line.startswith(start) for line, start in zip(made, starts, strict=True))


def test_each_real_file_gives_what_the_page_says(real_data: Path) -> None:
    _, real = _written()
    assert rows(real_cases(real_data)) == real


def test_the_page_states_the_areas_that_the_tests_hold() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(_AREAS + "\n".join(area_rows()) + "\n")


def test_no_message_shows_a_path_of_our_own(real_data: Path) -> None:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        assert "/tmp" not in line
        assert str(real_data) not in line


if __name__ == "__main__":
    real = rows(real_cases(Path(os.environ["GEOPLAN_REAL_DATA"])))
    parts = [_HEAD, *rows(CASES), _REAL, *real, _AREAS, *area_rows()]
    PAGE.write_text("\n".join(parts).replace("|\n\n|", "|\n|") + "\n", encoding="utf-8")
