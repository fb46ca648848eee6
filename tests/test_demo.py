# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The shipped demo: every town gets the verdict that it is made to show, with every figure resting on evidence."""

from __future__ import annotations

import pytest
import shapely

from geoplan.report import Report
from geoplan_api.demo import DemoTown, layers, towns
from geoplan_api.inquiry import answer

TOWNS = {town.key: town for town in towns()}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {key: answer(town.inquiry()) for key, town in TOWNS.items()}


@pytest.mark.parametrize("town", TOWNS.values(), ids=list(TOWNS))
def test_each_town_gets_its_verdict(town: DemoTown, reports: dict[str, Report]) -> None:
    assert reports[town.key].verdict == town.expected


def test_the_four_towns_show_the_four_verdicts() -> None:
    assert [town.expected for town in TOWNS.values()] == ["pass", "fail", "attention", "not-assessed"]


def found(report: Report, rule: str) -> set[str]:
    return {f.verdict for p in report.content.policies for f in p.findings if f.rule == rule and f.group == "spatial"}


def test_the_failing_town_fails_by_farmland_by_size_and_by_its_neighbour(reports: dict[str, Report]) -> None:
    report = reports["huzhou-gear"]
    assert found(report, "basic-farmland") == {"fail"}
    assert "fail" in found(report, "planning-area")
    assert found(report, "one-per-neighbourhood") == {"fail"}


def test_the_town_of_the_band_crosses_the_border_of_two_zones(reports: dict[str, Report]) -> None:
    report = reports["liuzhou-tea"]
    west, _, east, _ = shapely.bounds(report.plane.lonlat_shapes(report.boundaries["planning"]))
    assert west < 109.5 < east
    planning = next(
        f for p in report.content.policies if p.id == "liuzhou-2018" for f in p.findings if f.rule == "planning-area"
    )
    assert planning.verdict == "attention"
    assert planning.measured is not None
    assert 3.3e6 < planning.measured.value < 3.6e6


def test_the_town_that_cannot_be_assessed_says_how_much_is_covered(reports: dict[str, Report]) -> None:
    report = reports["liuzhou-rock"]
    law = next(f for f in report.content.policies[0].findings if f.rule == "basic-farmland")
    assert law.verdict == "not-assessed"
    assert law.coverage["planning"] == pytest.approx(0.62, abs=0.01)


def test_the_passing_towns_application_is_complete_and_no_supplied_fact_breaks_a_rule(
    reports: dict[str, Report],
) -> None:
    assert {p.application for p in reports["huzhou-silk"].content.policies} == {"complete"}
    for report in reports.values():
        assert "broken" not in {p.application for p in report.content.policies}


def test_every_layer_is_there_once_for_the_service() -> None:
    given = layers()
    assert len({(d.spec.role, d.spec.selector.path) for d in given}) == len(given)
    assert all(d.coverage.path.is_file() for d in given)
