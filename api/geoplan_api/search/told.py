"""What a search found as the record of ``search.json``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from geoplan.check import software
from geoplan.identity import report_id
from geoplan.measure import nearest, polygons_of, survey_area
from geoplan.messages.units import half_up
from geoplan.record import layer_records, said, source_file
from geoplan.report import Report
from geoplan.search.content import (
    AccountRecord,
    AreaRecord,
    CandidateRecord,
    ConstraintRecord,
    FactorRecord,
    GridRecord,
    LimitsRecord,
    OtherRecord,
    PartRecord,
    PlaceRecord,
    SearchContent,
    SelectionRecord,
    StabilityRecord,
    WeightsRecord,
)
from geoplan.search.exclusion import Exclusions
from geoplan.search.found import Candidate, Found
from geoplan.search.limits import Areas
from geoplan_api.search.study import Prepared


def content_of(
    prepared: Prepared, found: Found, reports: Sequence[Report], names: Sequence[str], files: Sequence[str]
) -> SearchContent:
    """The record of a search whose candidates were checked again from their file."""
    study, request = found.study, prepared.request
    site = study.sources.site
    record = SearchContent(
        id="",
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        checked_on=prepared.grounds.on.isoformat(),
        title=study.criteria.title.model_dump() if study.criteria.title else None,
        invented=any(layer.invented for layer in site.layers),
        area=AreaRecord(
            source=source_file(prepared.area.source),
            area_m2=half_up(prepared.area_m2, 2),
            crs=prepared.area.frame.label,
        ),
        criteria=study.criteria.model_dump(mode="json", by_alias=True, exclude_none=True),
        criteria_file=source_file(request.criteria_source),
        count=request.wanted,
        seed=study.criteria.seed,
        policies=[policy.id for policy in prepared.policies],
        outside_china=not site.in_china,
        options={
            "accuracy_m": request.inquiry.accuracy,
            "anywhere": request.inquiry.anywhere,
            "readings": dict(request.inquiry.readings),
        },
        layers=layer_records(site),
        rasters=[{"role": role, "file": each.file, "sha256": each.sha256} for role, each in prepared.rasters],
        towns=source_file(site.register.source) if site.register else None,
        grid=_grid(found),
        account=_account(found),
        factors=[
            FactorRecord(id=each.id, title=each.title.model_dump() if each.title else None, weight=_share(weight))
            for each, weight in zip(study.criteria.factors, found.ground.weights.values.tolist(), strict=True)
        ],
        weights=WeightsRecord(
            method=study.criteria.weights.method,
            consistency=found.ground.weights.consistency,
            join=study.criteria.weights.join,
        ),
        planning=_limits(study.planning),
        construction=_limits(study.construction),
        selection=_selection(found),
        stability=_stability(found),
        candidates=[
            _candidate(found, each, report, name)
            for each, report, name in zip(found.candidates, reports, names, strict=True)
        ],
        runners_up=[
            OtherRecord(at=_place(found, _centre(found, each.cells)), score=_share(each.score))
            for each in found.runners_up
        ],
        dropped=[
            OtherRecord(at=_place(found, each.at), score=_share(each.score), why=said(each.why))
            for each in found.dropped
        ],
        files=list(files),
        software=software(),
    )
    return record.model_copy(update={"id": report_id(record.as_dict())})


def _grid(found: Found) -> GridRecord:
    grid = found.study.grid
    return GridRecord(
        west=grid.west,
        north=grid.north,
        cell_m=grid.cell,
        rows=grid.rows,
        columns=grid.columns,
        central_meridian=grid.plane.central_meridian,
        epsg=grid.plane.epsg,
    )


def _account(found: Found) -> AccountRecord:
    of, building = found.ground.exclusions, found.ground.building
    constraints = [*_constraints(found, "planning", of)]
    if building is not None:
        constraints += _constraints(found, "construction", building)
    return AccountRecord(
        area_m2=half_up(of.area, 2),
        excluded_m2=half_up(of.excluded_area, 2),
        unknown_m2=half_up(of.unknown_area, 2),
        eligible_m2=half_up(of.eligible_area, 2),
        usable_m2=half_up(of.usable_area, 2),
        constraints=constraints,
    )


def _constraints(found: Found, part: str, exclusions: Exclusions) -> list[ConstraintRecord]:
    reasons = [each for each in found.study.reasons if each.part == part]
    return [
        ConstraintRecord(
            id=reason.constraint.id,
            bit=bit if part == "planning" else None,
            part=reason.part,
            title=said(reason.title),
            source=reason.source,
            layers=list(reason.layers),
            coverage_assumed=reason.assumed,
            alone_m2=half_up(taking.alone, 2),
            only_m2=half_up(taking.only, 2),
            overlap_m2=half_up(taking.overlap, 2),
            unknown_m2=half_up(taking.unknown, 2),
            waived_m2=half_up(taking.waived, 2),
        )
        for bit, (reason, taking) in enumerate(zip(reasons, exclusions.takings, strict=True))
    ]


def _limits(areas: Areas) -> LimitsRecord:
    return LimitsRecord(target_m2=areas.target, low_m2=areas.low, high_m2=areas.high)


def _selection(found: Found) -> SelectionRecord:
    bounded = np.isfinite(found.ceiling)
    best = found.candidates[0].region.score if found.candidates else None
    gap = (found.ceiling - best) / abs(found.ceiling) if bounded and best is not None and found.ceiling else None
    return SelectionRecord(
        method=found.method,
        evaluation=found.rules.evaluation,
        total=_share(found.total),
        bound=_share(found.bound),
        ceiling=_share(found.ceiling) if bounded else None,
        gap=None if gap is None else _share(gap),
        seeds=found.seeds,
        grown=found.grown,
    )


def _stability(found: Found) -> StabilityRecord | None:
    of = found.stability
    if of is None:
        return None
    return StabilityRecord(
        top=of.top, draws=of.draws, seed=of.seed, concentration=of.concentration, against=len(found.runners_up)
    )


def _candidate(found: Found, candidate: Candidate, report: Report, name: str) -> CandidateRecord:
    place = candidate.rank - 1
    stability = found.stability
    assert stability is not None, "there are candidates"
    others = [each.planning for each in found.candidates if each is not candidate]
    towns = [each.shape for each in found.study.sources.site.neighbours]
    of = candidate.figures
    return CandidateRecord(
        rank=candidate.rank,
        name=name,
        score=_share(candidate.region.score),
        at=_place(found, _inside(candidate.planning)),
        planning=_part(found, candidate.planning),
        construction=None if candidate.construction is None else _part(found, candidate.construction),
        figures={key: _share(float(getattr(of, key))) for key in of.__dataclass_fields__},
        factors={key: _share(mean) for key, mean in candidate.means.items()},
        taken_m2=_taken(found, candidate),
        stays=float(stability.stays[place]),
        first=float(stability.first[place]),
        nearest_candidate_m=_nearest(found, candidate.planning, others),
        nearest_town_m=_nearest(found, candidate.planning, towns),
        verdict=report.content.verdict,
        report_id=report.content.id,
        folder=f"candidates/{candidate.rank}",
    )


def _taken(found: Found, candidate: Candidate) -> dict[str, float]:
    """The land under construction that was to be spared, m² by group."""
    sources, built = found.study.sources, candidate.construction
    if built is None or not sources.site.has("land-use"):
        return {}
    generation = sources.site.generation("land-use")
    patches = sources.near("land-use", shapely.box(*shapely.bounds(built)))
    taken = {}
    for group in found.study.criteria.construction.avoid:
        land = shapely.union_all(patches.of((group,), generation).shapes)
        shared = polygons_of(shapely.intersection(built, land))
        taken[group] = half_up(survey_area(shared, found.study.grid.plane), 2)
    return taken


def _part(found: Found, shape: shapely.Polygon) -> PartRecord:
    return PartRecord(
        area_m2=half_up(survey_area(shape, found.study.grid.plane), 2),
        perimeter_m=half_up(float(shape.length), 2),
        vertices=int(shapely.get_num_coordinates(shape)) - 1 - len(shape.interiors),
        holes=len(shape.interiors),
    )


def _nearest(found: Found, shape: shapely.Polygon, others: Sequence[shapely.Geometry]) -> float | None:
    if not others:
        return None
    plane = found.study.grid.plane
    return half_up(min(nearest(shape, each, plane)[0] for each in others), 2)


def _inside(shape: shapely.Polygon) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return float(point.x), float(point.y)


def _centre(found: Found, cells: Any) -> tuple[float, float]:
    rows, columns = np.divmod(cells, found.study.grid.columns)
    x, y = found.study.grid.centres(rows, columns).mean(axis=0)
    return float(x), float(y)


def _place(found: Found, at: tuple[float, float]) -> PlaceRecord:
    lon, lat = found.study.grid.plane.to_lonlat(np.array([at[0]]), np.array([at[1]]))
    return PlaceRecord(lon=round(float(lon[0]), 6), lat=round(float(lat[0]), 6))


def _share(value: float) -> float:
    return round(float(value), 6)
