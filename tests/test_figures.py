# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Figures that stand up: units, methods and errors, balance tables that add up, ridges, slivers, declared areas."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ON, MemoryLayer, boundary, box, checked, farmland, finding, land_use, register, town
from geoplan.balance import adding_up
from geoplan.boundary import Proposal
from geoplan.check import Options, check
from geoplan.facts import Facts
from geoplan.layer import Patches
from geoplan.messages.units import half_up
from geoplan.pieces import cut
from geoplan.plane import Plane
from geoplan.report import Report
from geoplan_web.figures import boundary_measures
from geoplan_web.finding import ReportView

PLANNING, CONSTRUCTION = box(0, 0, 1700, 1700), box(100, 100, 1000, 1000)
POLICIES = ("huzhou-2018", "nantong-2017", "yushui-2017", "liuzhou-2018", "common", "state-council-2020")


@given(values=st.lists(st.floats(0, 1e7), min_size=1, max_size=40), digits=st.sampled_from([0, 2, 4]))
def test_a_table_adds_up_and_no_figure_is_a_unit_from_its_own_rounding(values: list[float], digits: int) -> None:
    rounded = adding_up(values, digits)
    units = [round(each * 10**digits) for each in rounded]
    own = [round(half_up(value, digits) * 10**digits) for value in values]
    assert sum(units) == round(half_up(math.fsum(values), digits) * 10**digits)
    assert all(abs(each - single) <= 1 for each, single in zip(units, own, strict=True))


def test_what_is_missing_goes_to_those_that_lost_most_and_cannot_be_made_up() -> None:
    assert adding_up([0.333, 0.333, 0.334]) == [0.33, 0.33, 0.34]
    assert adding_up([0.335, 0.335, 0.33]) == [0.34, 0.33, 0.33]
    assert adding_up([]) == []
    with pytest.raises(ValueError, match=r"the parts sum to 2\.0, not to 3"):
        adding_up([1.0, 1.0], total=3)


@settings(max_examples=15)
@given(
    widths=st.lists(st.floats(3, 120), min_size=1, max_size=6),
    ridges=st.lists(st.floats(0, 0.3), min_size=6, max_size=6),
)
def test_gross_and_net_of_ridges_sum_to_the_same_figure(widths: list[float], ridges: list[float]) -> None:
    """The ridge row takes what 扣除系数 takes off: both columns of the table are the measured area."""
    edges = np.cumsum([150.0, *widths])
    codes = ["0101", "0102", "0103", "0101", "0103", "0102"]
    strips = [box(west, 300.7, east - west, 333.3) for west, east in itertools.pairwise(edges)]
    uses = land_use(list(zip(codes, strips, strict=False)), ridges=ridges[: len(strips)])
    found = finding(checked(PLANNING, CONSTRUCTION, ("liuzhou-2018",), [uses]), "liuzhou-2018", "cultivated-land")
    assert found.measured is not None
    gross = round(sum(row["area_m2"] for row in found.balance), 2)
    net = round(sum(row["net_area_m2"] for row in found.balance), 2)
    assert gross == net == found.measured.value
    own = [row for row in found.balance if row["class"] == "1203"]
    taken = sum(e.area_m2 - e.net_area_m2 for e in found.evidence if e.area_m2 and e.net_area_m2)
    assert sum(row["net_area_m2"] for row in own) == pytest.approx(taken, abs=0.01 * (2 + len(strips)))
    assert all(row["name"] == "田坎" and row["area_m2"] == 0 for row in own)


def test_zones_and_construction_land_add_up() -> None:
    zones = [
        ("010", box(0, 0, 733.33, 1200)),
        ("020", box(733.33, 0, 100.11, 1200)),
        ("030", box(833.44, 0, 900, 1200)),
    ]
    layer = MemoryLayer(
        "construction-control-zones", [s for _, s in zones], [c for c, _ in zones], covers=None, generation=None
    )
    uses = land_use([("0702", box(0, 0, 333.33, 2000)), ("0101", box(333.33, 0, 3000, 2000))])
    report = checked(PLANNING, CONSTRUCTION, ("yushui-2017",), [layer, uses])
    found = finding(report, "yushui-2017", "land-use-plan")
    drawn = report.content.proposal.construction
    assert drawn is not None
    assert round(sum(row["area_m2"] for row in found.balance), 2) == drawn.area_m2
    land = report.content.proposal
    parts = (land.new_construction_m2, land.existing_construction_m2, land.approved_unused_m2)
    assert round(sum(each or 0.0 for each in parts), 2) == drawn.area_m2


def everything() -> Report:
    layers = [
        farmland(box(200, 200, 100, 50), box(1300, 1300, 50, 50)),
        land_use([("0101", box(0, 0, 800, 1700)), ("0702", box(800, 0, 900, 1700))]),
    ]
    values = {
        "declared.planning_area_m2": 2_890_000.0,
        "features.scenic_standard": 3.0,
        "investment.non_government": 2e9,
    }
    towns = register(town("近镇", box(3700, 0, 1000, 1000)))
    return checked(
        PLANNING, CONSTRUCTION, POLICIES, layers, towns, Facts(values=values, classes={"liuzhou-2018": "light-asset"})
    )


def test_every_measure_has_value_unit_method_and_error() -> None:
    found = [
        (finding_.rule, finding_.measured)
        for policy in everything().content.policies
        for finding_ in policy.findings
        if finding_.measured is not None
    ]
    kinds = {measured.method for _, measured in found if measured is not None}
    assert kinds >= {"survey-ellipsoid", "geodesic", "count", "measured-and-declared"}
    for rule, measured in found:
        assert measured is not None
        assert measured.unit, rule
        assert measured.error >= 0, rule
        if measured.method in ("survey-ellipsoid", "planar", "measured-and-declared", "geodesic") and measured.value:
            assert measured.error > 0, rule


def test_errors_are_bounds_by_the_perimeter_and_twice_the_accuracy() -> None:
    report = checked(PLANNING, CONSTRUCTION, ("nantong-2017",), accuracy=0.2)
    area = finding(report, "nantong-2017", "planning-area").measured
    assert area is not None
    assert area.error == pytest.approx(0.2 * 4 * 1700)
    assert report.content.proposal.planning.error_m2 == area.error


@settings(max_examples=15)
@given(width=st.floats(0.011, 0.3), depth=st.floats(60, 900))
def test_slivers_are_listed_apart_counted_and_leave_the_verdict_on_both_sides(width: float, depth: float) -> None:
    """A strip vanishes within the accuracy when 2·area/perimeter < 2a: here when it is narrower than about 0.1 m."""
    strip = box(1100 - width, 150, 300, depth)
    found = finding(checked(PLANNING, CONSTRUCTION, (), [farmland(strip)]), "land-law", "basic-farmland")
    inside = next(e for e in found.evidence if e.part == "construction")
    is_sliver = 2 * width * depth / (2 * (width + depth)) < 2 * 0.05
    assert inside.sliver == is_sliver
    assert found.measured is not None
    assert found.measured.value == inside.area_m2 == pytest.approx(width * depth, rel=1e-3, abs=0.01)
    if is_sliver:
        assert (found.verdict, found.firm, found.sides) == ("attention", False, ["attention", "fail"])
        assert found.slivers is not None
        assert (found.slivers.pieces, found.slivers.area_m2) == (1, inside.area_m2)
    else:
        assert (found.verdict, found.firm, found.slivers) == ("fail", True, None)


def test_slivers_beside_real_pieces_are_told_and_stay_in_the_sum() -> None:
    uses = land_use(
        [("0101", box(200, 200, 100, 100)), ("0103", box(1099.96, 200, 500, 100)), ("0301", box(300, 200, 799.96, 100))]
    )
    found = finding(checked(PLANNING, CONSTRUCTION, ("liuzhou-2018",), [uses]), "liuzhou-2018", "cultivated-land")
    assert (found.verdict, found.firm) == ("attention", True)
    assert found.slivers is not None
    assert found.slivers.pieces == 1
    assert found.slivers.area_m2 == pytest.approx(4, abs=0.01)
    assert "note.slivers" in {note.id for note in found.notes}
    assert found.measured is not None
    assert found.measured.value == pytest.approx(10_004, abs=1)


def test_every_declared_area_stands_beside_both_measures_with_the_differences() -> None:
    drawn = replace(boundary(PLANNING), declared_area_m2=2_890_000.0)
    proposal = Proposal(drawn, None, "某镇", Facts(values={"declared.planning_area_m2": 2_889_000.0}))
    report = check(proposal, (), [], None, Options(ON))
    record = report.content.proposal.planning
    assert record.declared_area_m2 == 2_889_000
    facts, file = record.declared_areas
    assert (facts.source, file.source) == ("facts", "file")
    assert facts.difference_m2 == pytest.approx(2_889_000 - record.area_m2)
    assert file.planar_difference_m2 == pytest.approx(2_890_000 - record.planar_area_m2)
    assert file.planar_difference_m2 == 0
    assert file.difference_m2 > 1
    _, rows = boundary_measures(ReportView(report.content.as_dict(), "en"))
    cells = {row.label: row.cells for row in rows}
    assert cells["Declared, in the facts"] == ("2,889,000.00",)
    assert cells["Declared, in the file"] == ("2,890,000.00",)
    assert cells["File less planar"] == ("0.00",)
    assert cells["Facts less ellipsoidal"] == (f"{facts.difference_m2:,.2f}",)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), vertices=st.integers(5_100, 9_000))
def test_a_boundary_of_many_vertices_is_cut_as_one_of_few(seed: int, vertices: int) -> None:
    """Cutting near the patches alone gives the same pieces as cutting with the whole boundary."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = 900 + 60 * np.sin(7 * angle) + random.normal(0, 0.05, vertices)
    shape = shapely.Polygon(
        np.column_stack([510_000 + radius * np.cos(angle), 3_416_000 + radius * np.sin(angle)]),
        [shapely.Point(510_000, 3_416_000).buffer(50).exterior.coords],
    )
    centres = random.uniform(-1000, 1000, (120, 2)) + np.array([510_000, 3_416_000])
    shapes = np.array([shapely.Point(c).buffer(random.uniform(5, 90)) for c in centres], dtype=object)
    names = np.array([str(i) for i in range(len(shapes))], dtype=object)
    hit, pieces, areas = cut(Patches(shapes, names, names, names, np.ones(len(shapes))), shape, Plane(120))
    assert len(hit) == len(pieces) == len(areas) > 40
    for name, piece in zip(hit.ids, pieces, strict=True):
        plain = shapely.intersection(shapes[int(name)], shape)
        assert shapely.area(shapely.symmetric_difference(piece, plain)) < 1e-4
