"""An option of one value that stands twice on the command line is refused, whichever command it is."""

from __future__ import annotations

import subprocess

import pytest

from serving import COMMAND


def told(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("check", "--planning", "a.shp", "--planning", "b.shp"), "--planning"),
        (("check", "--planning", "a.shp", "--crs", "EPSG:4528", "--crs=EPSG:4549"), "--crs"),
        (("screen", "a.gpkg", "--out", "a.csv", "--out", "b.csv"), "--out"),
        (("convert", "a.shp", "b.dxf", "--to-crs", "EPSG:4528", "--to-crs", "EPSG:4549"), "--to-crs"),
        (("info", "a.shp", "--place", "330500", "--place", "360500"), "--place"),
        (("policies", "--lang", "en", "--lang", "zh"), "--lang"),
    ],
)
def test_a_second_value_is_refused(arguments: tuple[str, ...], option: str) -> None:
    lang = () if "--lang" in arguments else ("--lang", "en")
    status, stdout, stderr = told(*arguments, *lang)
    assert (status, stdout) == (2, "")
    assert f"{option}" in stderr
    assert stderr.count("\n") == 0
    if lang:
        assert stderr == f"{option} takes one value and is given twice. Give it once."


def test_repeatable_options_and_flags_may_stand_again() -> None:
    status, _, stderr = told(
        "check", "--planning", "none.shp", "--policy", "common", "--policy", "land-law", "--json", "--json", "--lang", "en"
    )  # fmt: skip
    assert (status, stderr) == (2, "none.shp: there is no such file. Check the path.")
