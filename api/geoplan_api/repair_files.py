"""The folder of a repair: boundaries, record and maps, and the check of every answer from the file that was written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely

from geoplan.boundary import Proposal
from geoplan.errors import CannotFinish
from geoplan.messages import Lang, Message, say
from geoplan.progress import Progress, unwatched
from geoplan.repair.answer import Answer, Repaired, failing
from geoplan.repair.change import Change
from geoplan.repair.content import AnswerRecord, RepairContent, content_of, record_of, unchanged_record
from geoplan.report import Report
from geoplan_api.inquiry import Grounds, boundary_of
from geoplan_api.write import write_report
from geoplan_layers.locate import ReadOptions
from geoplan_layers.overlaps import of_report
from geoplan_layers.selector import parse_selector
from geoplan_layers.unfinished import building, place
from geoplan_layers.writers.deliver import written
from geoplan_layers.writers.formats import writer_of
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions
from geoplan_web.repair_map import draw_repair

REPAIRED = "repaired.gpkg"
RECORD = "repair.json"


@dataclass(frozen=True)
class Delivered:
    """A repair with its record and the files that hold it."""

    content: RepairContent
    paths: tuple[Path, ...] = ()

    @property
    def exit_status(self) -> int:
        """0 where an answer was written (or nothing need change), 1 where none exists."""
        return 0 if self.content.answers else 1


def deliver_repair(
    basis: Grounds,
    proposal: Proposal,
    found: Repaired,
    out: Path | None,
    lang: Lang,
    *,
    move_for_readings: bool = False,
    progress: Progress = unwatched,
) -> Delivered:
    """Write a repair, read every answer back and check it, and move all of it into place, or nothing.

    Parameters
    ----------
    out
        The folder, made where it is missing; none writes to a folder that is removed again, for the checks alone.

    Raises
    ------
    CannotFinish
        The folder cannot be written to.
    """
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        with building(out) as built:
            records = _answers(basis, proposal, found, built, lang, progress)
            content = content_of(found, records, move_for_readings=move_for_readings)
            text = json.dumps(content.as_dict(), ensure_ascii=False, indent=2) + "\n"
            (built / RECORD).write_text(text, encoding="utf-8")
            return Delivered(content, () if out is None else _moved(built, out))
    except OSError as wrong:
        raise CannotFinish("out-not-writable", path=str(out), detail=wrong.strerror or str(wrong)) from None


def _moved(built: Path, out: Path) -> tuple[Path, ...]:
    """Everything that was built, in its place; folders of an earlier repair go."""
    place()
    moved = []
    for old in out.glob("alternative-*"):
        shutil.rmtree(old, ignore_errors=True)
    for each in sorted(built.iterdir()):
        target = out / each.name
        if target.is_dir():
            shutil.rmtree(target)
        each.replace(target)
        moved.append(target)
    return tuple(moved)


def _answers(
    basis: Grounds, proposal: Proposal, found: Repaired, folder: Path, lang: Lang, progress: Progress
) -> list[AnswerRecord]:
    """The records of the answers that hold from their written files, the least first."""
    if found.outcome in ("unchanged", "no-edit"):
        _write_boundaries(proposal, None, folder / REPAIRED, lang)
        return [unchanged_record(found.before)]
    records: list[AnswerRecord] = []
    allowed = {rule for answer in found.answers for rule in failing(answer.report)}
    for i, answer in enumerate(found.answers):
        progress("repair-writing", i, len(found.answers))
        rank = len(records) + 1
        name = "" if rank == 1 else f"alternative-{rank}"
        place = folder / name
        place.mkdir(exist_ok=True)
        report = _written_and_checked(basis, answer, place, lang)
        if set(failing(report)) - allowed:
            continue
        write_report(report, place / "check", lang)
        _write_map(report, answer.change, place / "map.html", lang)
        records.append(record_of(answer, report, found.bound_m2, rank, name))
    return records


def _written_and_checked(basis: Grounds, answer: Answer, place: Path, lang: Lang) -> Report:
    """The report on an answer as it can be read from its file."""
    path = place / REPAIRED
    _write_boundaries(answer.proposal, answer.change, path, lang)
    options = ReadOptions(None, basis.inquiry.anywhere, accuracy=basis.inquiry.accuracy)
    planning = boundary_of(parse_selector(f"{path}#planning"), options)
    construction = None
    if answer.proposal.construction is not None:
        construction = boundary_of(parse_selector(f"{path}#construction"), options)
    plain = replace(basis, inquiry=replace(basis.inquiry, parameters=None))
    return plain.judge(planning, construction, answer.proposal.title)


def _write_boundaries(proposal: Proposal, change: Change | None, path: Path, lang: Lang) -> None:
    """``repaired.gpkg``: the boundaries in one system, and what became of those that were drawn."""
    path.unlink(missing_ok=True)
    title = proposal.title or say(Message("repair.title"), lang)
    frame = proposal.planning.frame
    layers = [_boundary_layer("planning", proposal.planning.polygons, title)]
    if proposal.construction is not None and proposal.construction.frame == frame:
        layers.append(_boundary_layer("construction", proposal.construction.polygons, title))
    if change is not None:
        layers.append(_difference_layer(change))
    written(Sheet(tuple(layers), frame), writer_of(path), path, WriteOptions(lang, title))


def _boundary_layer(name: str, shape: shapely.MultiPolygon, title: str) -> SheetLayer:
    shapes = np.empty(1, dtype=object)
    shapes[0] = shape
    return SheetLayer(name, np.array([title], dtype=object), shapes, {"part": np.array([name], dtype=object)})


def _difference_layer(change: Change) -> SheetLayer:
    shapes = np.empty(len(change.grounds), dtype=object)
    shapes[:] = [ground.shape for ground in change.grounds]
    columns = {
        "part": [g.part for g in change.grounds],
        "did": [g.did for g in change.grounds],
        "area_m2": [round(g.area, 2) for g in change.grounds],
    }
    names = np.array([f"{g.part} {g.did}" for g in change.grounds], dtype=object)
    return SheetLayer(
        "difference", names, shapes, {key: np.array(value, dtype=object) for key, value in columns.items()}
    )


def _write_map(report: Report, change: Change, path: Path, lang: Lang) -> None:
    drawn = draw_repair(report.content.as_dict(), of_report(report), changed_of(change), lang)
    path.write_text(drawn, encoding="utf-8")


def changed_of(change: Change) -> Mapping[tuple[str, str], shapely.Geometry]:
    """Ground by part and by what was done, for the map."""
    return {(g.part, g.did): g.shape for g in change.grounds}
