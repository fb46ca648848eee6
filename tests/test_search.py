# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""A search on ground in memory: what excludes, what candidates keep, what is told, and that it can be stopped."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import X0, Y0, MemoryLayer, boundary, box, farmland, land_use, register, town
from geoplan.boundary import Proposal
from geoplan.check import Options, check
from geoplan.errors import CallRefused
from geoplan.measure import survey_area
from geoplan.policy import PolicyBook
from geoplan.progress import Cancelled, unwatched
from geoplan.prohibition import prohibitions
from geoplan.repair.answer import repair
from geoplan.report import Report
from geoplan.search.assembly import approvals, of_criteria, of_policies, require_layers
from geoplan.search.found import Boundaries, Found, Mend, Study
from geoplan.search.grid import Grid
from geoplan.search.limits import areas
from geoplan.search.parsing import parse_criteria
from geoplan.search.siting import search
from geoplan.search.sources import Sources
from geoplan.site import Site

ON = date(2026, 11, 21)
AREA = box(0, 0, 3000, 3000)
ROAD = MemoryLayer(
    "roads", [shapely.LineString([(X0, Y0 + 1500), (X0 + 3000, Y0 + 1500)])], covers=box(-9e3, -9e3, 2e4, 2e4)
)
RULES = {
    "schema": "geoplan/criteria/1",
    "cell_m": 50,
    "count": 2,
    "factors": [
        {"id": "roads", "distance_to": {"layer": "roads"}, "linear": {"worst": 2000, "best": 0}, "weight": 1},
    ],
    "region": {"target_m2": 1_100_000, "min_m2": 1_000_000, "max_m2": 1_300_000},
    "construction": {"target_m2": 300_000, "min_m2": 250_000, "max_m2": 400_000},
    "outline": {"along": []},
}
REDLINE = MemoryLayer("ecological-redline", [box(2900, 2900, 50, 50)], covers=box(-9e3, -9e3, 2e4, 2e4))
FARM = farmland(box(1200, 0, 300, 1200), box(0, 2000, 700, 300))
LAYERS = (FARM, REDLINE, ROAD)


def study(
    layers: tuple[MemoryLayer, ...] = LAYERS,
    policies: tuple[str, ...] = (),
    towns: Any = None,
    skip: tuple[str, ...] = (),
    **more: Any,
) -> Study:
    """A study of the area under ``land-law`` and some policies."""
    criteria = parse_criteria({**RULES, "policies": {"skip": list(skip)}, **more}, "c.toml")
    site = Site(Proposal(boundary(AREA)), layers, towns, accuracy=0.05, anywhere=False)
    book = PolicyBook()
    chosen = tuple(each for each in book.chosen(policies or ("land-law",)) if policies or each.id == "land-law")
    require_layers(chosen, site, ON, book, criteria.policies.skip)
    rules = prohibitions(chosen, site, ON, book)
    sources = Sources(site)
    reasons = [*of_policies(chosen, rules, criteria.policies.skip, sources), *of_criteria(criteria, sources)]
    return Study(
        Grid.over(site.planning, criteria.cell_m, site.plane),
        site.planning,
        criteria,
        sources,
        reasons,
        approvals(criteria, sources),
        areas("planning", criteria.region, chosen, rules),
        areas("construction", criteria.construction, chosen, rules),
    )


def searched(
    asked: Study,
    policies: tuple[str, ...] = (),
    count: int = 2,
    progress: Any = unwatched,
    mend: Mend | None = None,
) -> Found:
    site = asked.sources.site

    def judge(planning: shapely.Polygon, construction: shapely.Polygon | None, number: int) -> Report:
        inner = None if construction is None else boundary(construction)
        proposal = Proposal(boundary(planning), inner, f"C{number}")
        return check(proposal, policies, site.layers, site.register, Options(ON))

    return search(asked, judge, count, progress, mend)


def ground_of(layer: MemoryLayer) -> shapely.Geometry:
    return shapely.union_all(np.array(layer.shapes, dtype=object))


def test_candidates_keep_what_is_asked_and_no_rule_fails() -> None:
    asked = study(spacing={"between_min_m": 200})
    found = searched(asked)
    assert [each.rank for each in found.candidates] == [1, 2]
    one, two = found.candidates
    assert one.region.score >= two.region.score
    assert shapely.distance(one.planning, two.planning) >= 200
    for each in found.candidates:
        assert each.report.content.verdict != "fail"
        assert asked.planning.low <= survey_area(each.planning, asked.grid.plane) <= asked.planning.high
        assert each.construction is not None
        assert asked.construction.low <= survey_area(each.construction, asked.grid.plane) <= asked.construction.high
        assert shapely.covers(each.planning, each.construction)
        assert shapely.distance(each.planning, ground_of(FARM)) >= 0.002 - 1e-9
        assert shapely.covers(AREA, each.planning)
    assert found.ceiling >= one.region.score
    assert found.stability is not None
    assert len(found.stability.stays) == len(found.candidates) + len(found.runners_up)


def test_the_same_question_has_the_same_answer() -> None:
    one, two = (searched(study()) for _ in range(2))
    assert [shapely.to_wkb(each.planning) for each in one.candidates] == [
        shapely.to_wkb(each.planning) for each in two.candidates
    ]
    assert np.array_equal(one.ground.suitability, two.ground.suitability, equal_nan=True)
    assert one.stability is not None
    assert two.stability is not None
    assert one.stability.stays.tolist() == two.stability.stays.tolist()


def test_towns_of_a_policy_keep_candidates_away_by_its_reading() -> None:
    towns = register(town("A", box(-2500, 1000, 600, 600), id="a"))
    policies = ("land-law", "huzhou-2018")
    asked = study(policies=policies, towns=towns)
    found = searched(asked, policies, count=1)
    [candidate] = found.candidates
    assert shapely.distance(candidate.planning, box(-2500, 1000, 600, 600)) >= 3000
    rules = {each.id: each for each in candidate.report.content.policies}["huzhou-2018"].findings
    near_by = next(each for each in rules if each.rule == "one-per-neighbourhood")
    assert (near_by.verdict, near_by.firm) == ("pass", True)
    near = next(each for each in asked.reasons if each.constraint.id == "huzhou-2018:one-per-neighbourhood")
    assert near.part == "planning"
    cells = found.ground.exclusions.eligible
    rows, columns = np.nonzero(cells)
    west, north = asked.grid.west + columns * 50.0, asked.grid.north - rows * 50.0
    boxes = shapely.box(west, north - 50, west + 50, north)
    assert shapely.distance(boxes, box(-2500, 1000, 600, 600)).min() >= 3000 * (1 - 1e-6)


def test_rules_without_their_layers_are_refused() -> None:
    with pytest.raises(CallRefused, match=r"land-law\.ecological-redline.*ecological-redline"):
        study((FARM, ROAD))


def test_a_skipped_rule_excludes_nothing() -> None:
    with pytest.raises(CallRefused, match=r"policies\.skip names land-law\.no-such-rule"):
        study(skip=("land-law.no-such-rule",))
    asked = study(skip=("land-law.basic-farmland",))
    assert [each.source for each in asked.reasons] == ["land-law.ecological-redline"]


SKIPPED = ("land-law.basic-farmland",)
SMALL = farmland(box(1400, 1450, 120, 100), box(2300, 1450, 120, 100), box(600, 1450, 120, 100))


def test_what_fails_its_check_is_dropped_with_the_rules_and_the_next_best_is_tried() -> None:
    found = searched(study((SMALL, REDLINE, ROAD), skip=SKIPPED), count=1)
    failed = [each for each in found.dropped if each.why.id == "search.dropped.check"]
    assert failed
    assert all("land-law.basic-farmland" in each.why.args["rules"] for each in failed)
    assert all(each.report.content.verdict != "fail" for each in found.candidates)


def test_what_fails_its_check_is_repaired_where_that_keeps_what_was_asked() -> None:
    asked = study((SMALL, REDLINE, ROAD), skip=SKIPPED)
    found = searched(asked, count=1, mend=_repaired(asked))
    assert not found.dropped
    [candidate] = found.candidates
    assert candidate.construction is not None
    assert candidate.report.content.verdict != "fail"
    assert shapely.distance(candidate.construction, ground_of(SMALL)) >= 0.002 - 1e-9
    assert asked.planning.low <= survey_area(candidate.planning, asked.grid.plane) <= asked.planning.high


def _repaired(asked: Study) -> Mend:
    site = asked.sources.site

    def mend(
        planning: shapely.Polygon, construction: shapely.Polygon | None, number: int
    ) -> tuple[Boundaries, Report] | None:
        inner = None if construction is None else boundary(construction)
        proposal = Proposal(boundary(planning), inner, f"C{number}")

        def judged(each: Proposal) -> Report:
            return check(each, (), site.layers, site.register, Options(ON))

        done = repair(proposal, (), site.layers, site.register, Options(ON), PolicyBook(), judged)
        if done.outcome != "repaired":
            return None
        of = done.answers[0].proposal
        assert of.construction is not None
        return (of.planning.polygons.geoms[0], of.construction.polygons.geoms[0]), done.answers[0].report

    return mend


def test_layers_and_counties_that_criteria_name_must_be_there() -> None:
    water = {"id": "water", "features": {"layer": "water"}}
    with pytest.raises(CallRefused, match="water needs the layer water"):
        study(constraints=[water])
    steep = {"id": "steep", "raster": "slope", "above": 15}
    with pytest.raises(CallRefused, match="steep needs the raster elevation"):
        study(constraints=[steep])
    near = {"id": "near", "towns": True, "distance_m": 100}
    with pytest.raises(CallRefused, match="near needs the register of towns"):
        study(constraints=[near])
    local = {"id": "road", "features": {"layer": "roads"}, "distance_m": 10, "local": [{"counties": ["330502"]}]}
    with pytest.raises(CallRefused, match="road needs the layer counties"):
        study(constraints=[local])


def test_a_local_rule_holds_in_its_county_alone() -> None:
    counties = MemoryLayer("counties", [box(0, 0, 1500, 3000), box(1500, 0, 1500, 3000)], codes=["330502", "330503"])
    rule = {
        "id": "road",
        "features": {"layer": "roads"},
        "distance_m": 100,
        "local": [{"counties": ["330503"], "distance_m": 600}],
    }
    asked = study((*LAYERS, counties), constraints=[rule])
    found = searched(asked, count=1)
    ground = found.ground.exclusions
    at = asked.grid.cell_of
    here, there = at(X0 + 900, Y0 + 1800), at(X0 + 2400, Y0 + 1800)
    assert here is not None
    assert there is not None
    assert ground.why(*here)[0] == ()
    assert ground.why(*there)[0] == ("road",)
    [candidate] = found.candidates
    road = ROAD.shapes[0]
    assert shapely.distance(candidate.planning, road) >= 100
    assert shapely.distance(shapely.intersection(candidate.planning, box(1500, 0, 1500, 3000)), road) >= 600


def test_an_approved_site_wins_over_what_it_names_and_never_over_farmland() -> None:
    belt = MemoryLayer("custom:belt", [box(0, 1000, 3000, 1000)], covers=box(-9e3, -9e3, 2e4, 2e4))
    site = MemoryLayer("approved-construction-land", [box(600, 800, 1500, 1400)], covers=box(-9e3, -9e3, 2e4, 2e4))
    rule = {"id": "belt", "features": {"layer": "custom:belt"}}
    over = [{"features": {"layer": "approved-construction-land"}, "over": ["belt"]}]
    layers = (REDLINE, ROAD, farmland(box(2800, 0, 50, 50)), belt, site)
    [candidate] = searched(study(layers, constraints=[rule], approved=over), count=1).candidates
    inside = shapely.intersection(candidate.planning, belt.shapes[0])
    assert shapely.area(inside) > 100_000
    assert shapely.covers(site.shapes[0], inside)
    with pytest.raises(CallRefused, match="no approved site wins over land-law:basic-farmland"):
        searched(study(layers, approved=[{**over[0], "over": ["land-law:basic-farmland"]}]))


def test_cultivated_land_is_built_on_last() -> None:
    paddy = box(0, 0, 1150, 700)
    use = land_use([("0101", paddy), ("0602", shapely.difference(AREA, paddy))])
    found = searched(study((*LAYERS, use)), count=1)
    [candidate] = found.candidates
    assert candidate.construction is not None
    taken = shapely.area(shapely.intersection(candidate.construction, paddy)) / candidate.construction.area
    held = shapely.area(shapely.intersection(candidate.planning, paddy)) / candidate.planning.area
    assert taken <= held
    assert taken < 0.01


def test_a_target_outside_the_limits_of_a_policy_is_refused() -> None:
    with pytest.raises(CallRefused, match="outside the policies"):
        study(policies=("land-law", "state-council-2020"), region={"target_m2": 500_000}, **_with_zone())


def _with_zone() -> dict[str, Any]:
    zone = MemoryLayer("urban-development-boundary", [AREA], names=["集中建设区"], covers=box(-9e3, -9e3, 2e4, 2e4))
    return {"layers": (*LAYERS, zone)}


def test_a_search_is_stopped_where_its_progress_raises() -> None:
    stages: list[str] = []

    def stop_at(stage: str, done: float, total: float) -> None:
        stages.append(stage)
        if stage == "search-regions" and total and done > 0:
            raise Cancelled

    with pytest.raises(Cancelled, match="stopped as asked"):
        searched(study(), progress=stop_at)
    assert stages[0].startswith("search-exclusions")
    assert stages[-1] == "search-regions"


def test_ground_that_is_not_known_is_never_free() -> None:
    half = farmland(box(1200, 0, 300, 1200), covers=box(0, 0, 1600, 3000))
    asked = study((half, REDLINE, ROAD))
    found = searched(asked, count=1)
    assert found.ground.exclusions.unknown_area == pytest.approx(1400 * 3000, rel=0.02)
    for each in found.candidates:
        assert shapely.covers(box(0, 0, 1600, 3000), each.planning)


@settings(max_examples=12)
@given(st.data())
def test_no_candidate_overlaps_an_exclusion(data) -> None:
    number = st.floats(0, 2900)
    patches = [
        box(data.draw(number), data.draw(number), data.draw(st.floats(20, 600)), data.draw(st.floats(20, 600)))
        for _ in range(data.draw(st.integers(1, 8)))
    ]
    farm = farmland(shapely.union_all(np.array(patches, dtype=object)))
    road = {"id": "road", "features": {"layer": "roads"}, "distance_m": data.draw(st.floats(1, 200))}
    asked = study((farm, REDLINE, ROAD), constraints=[road])
    found = searched(asked, count=2)
    for each in found.candidates:
        assert shapely.area(shapely.intersection(each.planning, ground_of(farm))) < 0.01
        assert shapely.distance(each.planning, ROAD.shapes[0]) >= road["distance_m"]
        assert asked.planning.low <= survey_area(each.planning, asked.grid.plane) <= asked.planning.high
        assert each.planning.geom_type == "Polygon"
        assert each.report.content.verdict != "fail"
