"""Why a point is or is not a site, from the folder of a search alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.errors import CallRefused, InputRefused
from geoplan.plane import Plane
from geoplan.search.content import CandidateRecord, SearchContent
from geoplan.search.criteria import Criteria
from geoplan.search.grid import Grid
from geoplan.search.parsing import parse_criteria
from geoplan.search.regions import Field, RegionRules, radius, region_from
from geoplan_api.search.results import CANDIDATES, RECORD
from geoplan_layers.files.limits import BOUNDARY
from geoplan_layers.rasters import read_own
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table


def why_at(folder: Path, lon: float, lat: float) -> dict[str, Any]:
    """What excludes a point, or its scores and the candidates that beat it.

    Returns
    -------
    dict
        ``inside`` the study area; ``excluded_by`` and ``not_known_by`` (ids of constraints); ``usable`` percent of the
        cell; ``factors`` with score, weight and contribution; ``suitability``; ``region`` (score and area of the best
        region grown from the point, none where there is none); ``in_candidates`` and ``beaten_by`` (ranks).

    Raises
    ------
    InputRefused
        The folder holds no search.
    CallRefused
        The point is no point of the earth.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise CallRefused("option-wrong", option="--why", value=f"{lon},{lat}", wanted="LON,LAT")
    content = _content(folder)
    grid = _grid(content)
    x, y = grid.plane.from_lonlat(np.array([lon]), np.array([lat]))
    at = {"lon": lon, "lat": lat}
    cell = grid.cell_of(float(x[0]), float(y[0])) if np.isfinite(x[0]) and np.isfinite(y[0]) else None
    if cell is None:
        return {**at, "inside": False, "verdict": "outside"}
    reasons, doubts = (_cell(folder / name, cell) for name in ("exclusion.tif", "unknown.tif"))
    listed = [each for each in content.account.constraints if each.bit is not None]
    if int(reasons) >> len(listed) & 1:
        return {**at, "inside": False, "verdict": "outside"}
    by = [each.id for each in listed if each.bit is not None and int(reasons) >> each.bit & 1]
    unknown = [each.id for each in listed if each.bit is not None and int(doubts) >> each.bit & 1]
    verdict = "excluded" if by else "not-known" if unknown else "eligible"
    point = shapely.Point(float(x[0]), float(y[0]))
    return {
        **at,
        "inside": True,
        "verdict": verdict,
        "excluded_by": by,
        "not_known_by": unknown,
        "usable": int(_cell(folder / "usable.tif", cell)),
        "factors": _factors(folder, content, cell),
        "suitability": _number(_cell(folder / "suitability.tif", cell)),
        **_compared(folder, content, grid, cell, point, eligible=verdict == "eligible"),
    }


def _content(folder: Path) -> SearchContent:
    try:
        return SearchContent.model_validate(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputRefused("no-such-file", file=str(folder / RECORD)) from None
    except ValueError:
        raise InputRefused("search-record-unreadable", file=str(folder / RECORD)) from None


def _grid(content: SearchContent) -> Grid:
    of = content.grid
    return Grid(Plane(of.central_meridian), of.west, of.north, of.cell_m, of.rows, of.columns)


def _cell(path: Path, cell: tuple[int, int]) -> Any:
    return read_own(path, *cell, 1, 1)[0, 0]


def _number(value: Any) -> float | None:
    return None if value != value else round(float(value), 6)


def _factors(folder: Path, content: SearchContent, cell: tuple[int, int]) -> list[dict[str, Any]]:
    found = []
    for factor in content.factors:
        score = _number(_cell(folder / "factors" / f"{factor.id}.tif", cell))
        part = None if score is None else round(score * factor.weight, 6)
        found.append({"id": factor.id, "score": score, "weight": factor.weight, "contribution": part})
    return found


def _compared(
    folder: Path, content: SearchContent, grid: Grid, cell: tuple[int, int], point: shapely.Point, *, eligible: bool
) -> dict[str, Any]:
    """The region grown from the point beside the candidates."""
    region = _region(folder, content, grid, cell) if eligible else None
    score = None if region is None else region["score"]
    return {
        "region": region,
        "in_candidates": _holding(folder, content, grid, point),
        "beaten_by": [each.rank for each in content.candidates if score is None or _beats(each, score)],
    }


def _beats(candidate: CandidateRecord, score: float) -> bool:
    return candidate.score > score


def _region(folder: Path, content: SearchContent, grid: Grid, cell: tuple[int, int]) -> dict[str, Any] | None:
    criteria: Criteria = parse_criteria(content.criteria, content.criteria_file.file)
    limits = content.planning
    rules: RegionRules = criteria.region.rules(limits.target_m2, limits.low_m2, limits.high_m2)
    empty = Field(np.zeros((1, 1), np.float32), None, grid.cell)
    reach = int(np.ceil(rules.reach * radius(empty, rules))) + 2
    first, left = max(0, cell[0] - reach), max(0, cell[1] - reach)
    rows, columns = min(grid.rows, cell[0] + reach + 1) - first, min(grid.columns, cell[1] + reach + 1) - left
    window = (first, left, rows, columns)
    free = (read_own(folder / "exclusion.tif", *window) == 0) & (read_own(folder / "unknown.tif", *window) == 0)
    share = read_own(folder / "usable.tif", *window).astype(np.float32) / 100
    field = Field.of(read_own(folder / "suitability.tif", *window), free, grid.cell, share)
    seed = (cell[0] - first) * columns + cell[1] - left
    if not field.eligible.ravel()[seed]:
        return None
    found = region_from(field, rules, seed)
    return None if found is None else {"score": round(found.score, 6), "area_m2": round(found.area, 2)}


def _holding(folder: Path, content: SearchContent, grid: Grid, point: shapely.Point) -> list[int]:
    if not content.candidates:
        return []
    table = read_table(Selector(folder / CANDIDATES, "planning"), BOUNDARY)
    assert table.frame is not None
    shapes = grid.plane.bring(table.shapes, table.frame, anywhere=True)
    ranks = table.column("rank")
    assert ranks is not None
    return sorted(int(rank) for rank, shape in zip(ranks, shapes, strict=True) if shapely.intersects(shape, point))
