"""From the files of a request to the study: plane, grid, layers, rasters, rules, reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from geoplan.boundary import Boundary, Proposal, Source
from geoplan.check import Options, check, with_readings
from geoplan.crs import recognise
from geoplan.measure import survey_area
from geoplan.plane import Plane
from geoplan.policy import Policy
from geoplan.progress import Progress
from geoplan.prohibition import prohibitions
from geoplan.repair.answer import repair
from geoplan.report import Report
from geoplan.search.assembly import approvals, of_criteria, of_policies, require_layers
from geoplan.search.constraint import Values
from geoplan.search.found import Boundaries, Judge, Mend, Study
from geoplan.search.grid import Grid
from geoplan.search.limits import areas
from geoplan.search.sources import Sources
from geoplan.site import Site
from geoplan_api.inquiry import Grounds, grounds
from geoplan_api.search.request import SearchRequest
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.rasters import read_raster
from geoplan_layers.selector import LayerSpec

_MEASURES = frozenset({"elevation"})
"""Roles whose values lie between those of their neighbours; all others are codes."""
_UNREAD = "0" * 64
_DEGREES = 4490


@dataclass(frozen=True)
class Prepared:
    """A study with what it was made of."""

    request: SearchRequest
    study: Study
    grounds: Grounds
    policies: tuple[Policy, ...]
    area: Boundary
    area_m2: float
    rasters: tuple[tuple[str, Source], ...]


def prepare(request: SearchRequest, progress: Progress) -> Prepared:
    """Read what a request names.

    Raises
    ------
    GeoplanError
        What was refused, with the file, the place and the mend.
    """
    asked = request.inquiry
    progress("search-reading", 0, 0)
    ground = grounds(asked)
    area = replace(read_boundary(asked.planning, asked.reading), name=None)
    layers = ground.layers_near(area)
    site = Site(Proposal(area), layers, ground.register, accuracy=asked.accuracy, anywhere=asked.anywhere)
    sources = Sources(site, _rasters(request))
    policies = with_readings(ground.book.chosen(ground.policies), asked.readings)
    if not site.in_china and not asked.policies:
        policies = ()  # no paper of China binds there, and none was asked for
    require_layers(policies, site, ground.on, ground.book, request.criteria.policies.skip)
    rules = prohibitions(policies, site, ground.on, ground.book)
    criteria = request.criteria
    progress("search-reading", 1, 2)
    reasons = [*of_policies(policies, rules, criteria.policies.skip, sources), *of_criteria(criteria, sources)]
    study = Study(
        Grid.over(site.planning, criteria.cell_m, site.plane),
        site.planning,
        criteria,
        sources,
        reasons,
        approvals(criteria, sources),
        areas("planning", criteria.region, policies, rules),
        areas("construction", criteria.construction, policies, rules),
    )
    files = tuple((each.role, _source(each)) for each in request.rasters)
    return Prepared(request, study, ground, policies, area, survey_area(site.planning, site.plane), files)


def _rasters(request: SearchRequest) -> dict[str, Callable[[Grid], Values]]:
    roles = dict.fromkeys(each.role for each in request.rasters)
    return {role: _mosaic([each for each in request.rasters if each.role == role], request) for role in roles}


def _mosaic(specs: list[LayerSpec], request: SearchRequest) -> Callable[[Grid], Values]:
    """Values of several files of one role: of each cell those of the first file that knows it."""

    def values(grid: Grid) -> Values:
        found: Values | None = None
        for spec in specs:
            read = read_raster(
                spec.selector.path,
                grid,
                resampling="bilinear" if spec.role in _MEASURES else "nearest",
                anywhere=request.inquiry.anywhere,
            )
            found = read if found is None else np.where(np.isnan(found), read, found)
        assert found is not None
        return found

    return values


def _source(spec: LayerSpec) -> Source:
    with spec.selector.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(spec.selector.name, digest)


def made_boundary(shape: shapely.Polygon, plane: Plane, source: Source) -> Boundary:
    """A boundary that the product made, in the system in which it is written.

    The plane itself where a code names it; else degrees, since the plane of a place outside China has no code.
    """
    frame = recognise(plane.epsg or _DEGREES)
    assert frame is not None
    found = shape if plane.epsg else plane.lonlat_shapes(shape)
    return Boundary(shapely.MultiPolygon([found]), frame, source)


def judge(prepared: Prepared, name: Callable[[int], str]) -> Judge:
    """The check of a boundary under what the search was asked for, as a trial: what is kept is checked again."""
    held = for_candidates(prepared.grounds)
    plane = prepared.study.grid.plane

    def judged(planning: shapely.Polygon, construction: shapely.Polygon | None, number: int) -> Report:
        source = Source("candidate", _UNREAD)
        inner = None if construction is None else made_boundary(construction, plane, source)
        return held.judge(made_boundary(planning, plane, source), inner, name(number), turns=False)

    return judged


def mender(prepared: Prepared, name: Callable[[int], str], progress: Progress) -> Mend:
    """The repair of a boundary that fails, under what the search was asked for."""
    held, plane = for_candidates(prepared.grounds), prepared.study.grid.plane
    asked = held.inquiry
    options = Options(held.on, asked.accuracy, asked.anywhere, asked.readings, turns=False)

    def mended(
        planning: shapely.Polygon, construction: shapely.Polygon | None, number: int
    ) -> tuple[Boundaries, Report] | None:
        source = Source("candidate", _UNREAD)
        outer = made_boundary(planning, plane, source)
        inner = None if construction is None else made_boundary(construction, plane, source)
        layers = held.layers_near(outer)

        def judged(proposal: Proposal) -> Report:
            return check(proposal, held.policies, layers, held.register, options, held.book)

        proposal = Proposal(outer, inner, name(number), held.facts)
        found = repair(
            proposal, held.policies, layers, held.register, options, held.book, judged,
            move_for_readings=True, progress=progress,
        )  # fmt: skip
        if found.outcome != "repaired" or found.left:
            return None
        answer = found.answers[0]
        shapes = [
            None if each is None else shapely.get_parts(each.on(plane, anywhere=asked.anywhere))
            for each in (answer.proposal.planning, answer.proposal.construction)
        ]
        if any(each is not None and len(each) != 1 for each in shapes) or shapes[0] is None:
            return None
        return (shapes[0][0], None if shapes[1] is None else shapes[1][0]), answer.report

    return mended


def for_candidates(held: Grounds) -> Grounds:
    """The grounds of a search for the checks of what it makes: how its study area was read is not theirs."""
    return replace(
        held,
        inquiry=replace(held.inquiry, frame=None, datum=None, place=None, swap_xy=False, parameters=None),
    )
