"""The folder of a search: candidates in one GeoPackage, each checked again from it, rasters, record, reports.

candidates.gpkg     layers planning and construction, one row a rank
suitability.tif  exclusion.tif  unknown.tif  usable.tif  factors/ID.tif
search.json  map.html
candidates/RANK/    report.json  overlaps.gpkg  map.html
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from geoplan.boundary import Boundary
from geoplan.crs import Frame, recognise
from geoplan.errors import CannotFinish
from geoplan.messages import Lang, Message, say
from geoplan.plane import Plane
from geoplan.progress import Progress
from geoplan.report import Report
from geoplan.search.content import SearchContent
from geoplan.search.found import Candidate, Found
from geoplan_api.inquiry import Grounds
from geoplan_api.search.ground import ground_in
from geoplan_api.search.study import Prepared, for_candidates
from geoplan_api.search.told import content_of
from geoplan_api.write import write_report
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.rasters import write_cog
from geoplan_layers.selector import Selector
from geoplan_layers.unfinished import building, place
from geoplan_layers.writers.deliver import deliver
from geoplan_layers.writers.formats import writer_of
from geoplan_layers.writers.sheet import Column, Sheet, SheetLayer, WriteOptions
from geoplan_web.search_map import search_map

RECORD, CANDIDATES, MAP = "search.json", "candidates.gpkg", "map.html"


def candidate_name(rank: int, lang: Lang) -> str:
    """The name of a candidate."""
    return say(Message("search.candidate", {"rank": rank}), lang)


def write_results(prepared: Prepared, found: Found, out: Path, progress: Progress) -> SearchContent:
    """Write all files of a search into a folder, whole or not at all; what lay there of an earlier search goes.

    Candidates are checked again from the file that holds them: its reports are those that ``geoplan check`` gives.

    Raises
    ------
    CannotFinish
        The folder cannot be written to, or a candidate read from its file fails: nothing is left.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with building(out) as built:
            content = _build(prepared, found, built, progress)
            _move(built, out)
    except OSError as wrong:
        raise CannotFinish("out-not-writable", path=str(out), detail=wrong.strerror or str(wrong)) from None
    return content


def _move(built: Path, out: Path) -> None:
    """Put what was built in its place; the record last, since it says what belongs together."""
    place()
    for name in ("factors", "candidates"):
        shutil.rmtree(out / name, ignore_errors=True)
    (out / CANDIDATES).unlink(missing_ok=True)
    for each in sorted(built.iterdir(), key=lambda path: (path.name == RECORD, path.name)):
        each.replace(out / each.name)


def _build(prepared: Prepared, found: Found, folder: Path, progress: Progress) -> SearchContent:
    lang = prepared.request.lang
    names = [candidate_name(each.rank, lang) for each in found.candidates]
    files = [*_write_rasters(found, folder, progress)]
    reports: list[Report] = []
    if found.candidates:
        _write_candidates(found, names, folder / CANDIDATES, lang)
        files.append(CANDIDATES)
        held = for_candidates(prepared.grounds)
        for number, candidate in enumerate(found.candidates):
            progress("search-written", number, len(found.candidates))
            report = _checked(held, candidate, names[number], folder / CANDIDATES)
            write_report(report, folder / "candidates" / str(candidate.rank), lang)
            reports.append(report)
    content = content_of(prepared, found, reports, names, [*files, RECORD, MAP])
    text = json.dumps(content.as_dict(), ensure_ascii=False, indent=2) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8")
    progress("search-map", 0, 0)
    drawn = search_map(ground_in(folder, content.as_dict()), lang)
    (folder / MAP).write_text(drawn, encoding="utf-8")
    return content


def _write_rasters(found: Found, folder: Path, progress: Progress) -> list[str]:
    ground, grid = found.ground, found.study.grid
    (folder / "factors").mkdir()
    exclusions = ground.exclusions
    rasters = {
        "suitability.tif": ground.suitability,
        "exclusion.tif": exclusions.reasons,
        "unknown.tif": exclusions.doubts,
        "usable.tif": exclusions.usable,
        **{f"factors/{key}.tif": values for key, values in ground.factors.items()},
    }
    for number, (name, values) in enumerate(rasters.items()):
        progress("search-rasters", number, len(rasters))
        write_cog(folder / name, values, grid, nodata=float("nan") if values.dtype == np.float32 else None)
    return list(rasters)


def _write_candidates(found: Found, names: Sequence[str], path: Path, lang: Lang) -> None:
    plane = found.study.grid.plane
    planning = [(each, each.planning) for each in found.candidates]
    construction = [(each, each.construction) for each in found.candidates if each.construction is not None]
    layers = tuple(
        _layer(key, pairs, names, plane)
        for key, pairs in (("planning", planning), ("construction", construction))
        if pairs
    )
    sheet = Sheet(layers, _frame(plane))
    deliver(sheet, writer_of(path), path, WriteOptions(lang=lang))


def _frame(plane: Plane) -> Frame:
    frame = recognise(plane.epsg or 4490)
    assert frame is not None
    return frame


def _layer(
    name: str, pairs: Sequence[tuple[Candidate, shapely.Polygon]], names: Sequence[str], plane: Plane
) -> SheetLayer:
    shapes = [each if plane.epsg else plane.lonlat_shapes(each) for _, each in pairs]
    own = [names[candidate.rank - 1] for candidate, _ in pairs]
    return SheetLayer(
        name,
        _column(own),
        _column(shapes),
        {
            "rank": _column([candidate.rank for candidate, _ in pairs]),
            "name": _column(own),
            "score": _column([round(candidate.region.score, 6) for candidate, _ in pairs]),
        },
    )


def _column(values: Sequence[object]) -> Column:
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def _checked(held: Grounds, candidate: Candidate, name: str, path: Path) -> Report:
    """The check of a candidate as it stands in its file.

    Raises
    ------
    CannotFinish
        It fails there, though it did not before it was written.
    """
    options = ReadOptions(None, held.inquiry.anywhere, accuracy=held.inquiry.accuracy)

    def boundary(layer: str) -> Boundary:
        selector = Selector(path, layer, "rank", str(candidate.rank))
        read = read_boundary(selector, options)
        return replace(read, source=replace(read.source, select=selector.choice))

    planning = boundary("planning")
    construction = None if candidate.construction is None else boundary("construction")
    report = held.judge(planning, construction, name)
    if report.content.verdict == "fail":
        raise CannotFinish("search-written-fails", file=path.name, rank=candidate.rank)
    return report
