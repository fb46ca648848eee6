"""Importing a reference layer: files in, a version of the layer out, in use from then on.

Two passes over the rows, neither of which holds the layer in memory: one reads and looks at them (`taking`), one
writes them in Hilbert order (`writing`). Quality is looked at on the index that was written.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import rfc8785
import shapely
from numpy.typing import NDArray

from geoplan import __version__
from geoplan.crs import Frame, to_lonlat
from geoplan.errors import CallRefused, InputRefused
from geoplan.landuse import Generation
from geoplan.measure import polygons_of
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan.progress import Progress, unwatched
from geoplan_layers.files.limits import LAYER
from geoplan_layers.layer_file import day_in
from geoplan_layers.locate import Located, ReadOptions, locate
from geoplan_layers.places import Place
from geoplan_layers.prepared.hilbert import hilbert_keys
from geoplan_layers.prepared.leaving import Left, leave
from geoplan_layers.prepared.quality import look_at
from geoplan_layers.prepared.spill import Spill
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.prepared.taking import Read, Taken, take_in
from geoplan_layers.prepared.version import (
    COVERAGE,
    META,
    UNKNOWN,
    Declared,
    Meta,
    Note,
    Origin,
    Quality,
    Quarantine,
    System,
    Version,
)
from geoplan_layers.prepared.writing import Plan, Written, write_rows
from geoplan_layers.recognition import Recognised, recognised
from geoplan_layers.sandbox.session import reading
from geoplan_layers.selector import LayerSpec, Selector
from geoplan_layers.vector import read_table


@dataclass(frozen=True)
class ImportRequest:
    """What is to be imported: the files of one layer, and what their owner says of it.

    Parameters
    ----------
    files
        Of one role; the generation that a file is given holds for the layer.
    coverage
        The file of the declared coverage.
    day
        Date of the data; else the one in a file's name, else the end of the year of its 数据年份.
    source
        Who gave it, in their own words.
    valid_until
        After which reports say that the layer is out of date.
    invented
        The data are made up.
    """

    role: str
    files: tuple[LayerSpec, ...]
    coverage: Selector | None = None
    day: date | None = None
    source: str | None = None
    valid_until: date | None = None
    place: Place | None = None
    anywhere: bool = False
    invented: bool = False

    @property
    def options(self) -> ReadOptions:
        """How files are read that do not say all themselves."""
        return ReadOptions(None, self.anywhere, place=self.place, strict=False)

    @property
    def generation(self) -> Generation | None:
        """The generation that is given with a file."""
        return next((each.generation for each in self.files if each.generation), None)


def import_layer(request: ImportRequest, store: LayerStore, progress: Progress = unwatched) -> Version:
    """Read the files, look at every patch, write a version of the layer and put it in use.

    Until the last step nothing that checks use has changed.

    Raises
    ------
    InputRefused
        A file cannot be read, none of its rows can be used, or nothing decides what its codes mean: the message names
        the choices.
    CannotFinish
        The disk does not allow it.
    Cancelled
        The user stopped it.
    """
    if not request.files:
        raise CallRefused("layer-without-file", role=request.role)
    with store.building() as folder, reading():
        built, work = folder / "version", folder / "work"
        built.mkdir()
        work.mkdir()
        coverage = _coverage(request)
        with Spill(work) as spill:
            taken, reads = _taken(request, spill, progress)
            meta = _written(request, built, taken, reads, coverage, progress)
        progress("finishing", 0, 0)
        (built / META).write_bytes(meta.model_dump_json(by_alias=True, indent=1).encode())
        return store.put(built, request.role, meta.sha256)


def _taken(request: ImportRequest, spill: Spill, progress: Progress) -> tuple[Taken, list[Read]]:
    """The first pass over all files; the system of the first is that of the layer."""
    taken, reads, first_row = Taken(spill), list[Read](), 0
    for spec in request.files:
        into = reads[0].located.frame if reads else None
        read = take_in(spec, request.options, taken, first_row, into, progress)
        reads.append(read)
        first_row = read.last_row
    spill.finish()
    return taken, reads


def _written(
    request: ImportRequest,
    built: Path,
    taken: Taken,
    reads: Sequence[Read],
    coverage: _Covered | None,
    progress: Progress,
) -> Meta:
    """The second pass, what was left out, and quality: everything that belongs to a version but its own record."""
    located = reads[0].located
    names = list(dict.fromkeys(name for read in reads for name in read.head.fields))
    boxes, rows = np.concatenate(taken.boxes), np.concatenate(taken.rows)
    files = [(read.source.file, read.name) for read in reads]
    found = recognised(request.role, files, names, request.generation, taken.years)
    home = _home(located.frame, boxes, request)
    left = leave(built, taken, boxes, rows, home, located.frame, found.fields)
    order = _hilbert(boxes, left.kept)
    if len(order) == 0 and coverage is None:
        raise InputRefused("layer-nothing-usable", file=reads[0].source.file, role=request.role, reasons=left.reasons)
    kinds = sorted(taken.kinds) or ["Polygon"]
    plan = Plan(built, taken.spill, order, boxes, rows, located.frame, home, kinds, found.fields)
    written = write_rows(plan, progress)
    area = coverage.on(home) if coverage else None
    quality, classes = look_at(built, home, found, written, area, progress)
    _outlines(built, coverage, left)
    return _meta(request, reads, found, plan, taken, left, written, coverage, quality, classes)


@dataclass(frozen=True)
class _Covered:
    """The declared coverage, its file, and how it was read."""

    area: shapely.Geometry
    source: Any
    located: Located

    def on(self, plane: Plane) -> shapely.Geometry:
        """The area on a plane."""
        return plane.bring(self.area, self.located.frame, anywhere=True, file=self.source.file)

    @property
    def record(self) -> Declared:
        """What a version keeps of it."""
        source = self.source
        return Declared(
            file=source.file,
            sha256=source.sha256,
            select=source.select,
            system=System.of(self.located.frame),
            read_with=dict(self.located.used),
        )


def _coverage(request: ImportRequest) -> _Covered | None:
    if request.coverage is None:
        return None
    table = read_table(request.coverage, LAYER)
    if len(table) == 0 or table.kinds != {"Polygon"}:
        raise InputRefused("coverage-without-polygons", file=table.source.file, role=request.role)
    given = request.files[0]
    own = replace(request.options, frame=given.frame, datum=given.datum, swap_xy=given.swap_xy)
    table, located = locate(table, own if table.frame is None else request.options)
    area = polygons_of(shapely.union_all(shapely.make_valid(table.shapes, method="structure", keep_collapsed=False)))
    return _Covered(area, replace(table.source, select=request.coverage.choice), located)


def _hilbert(boxes: NDArray[np.float64], kept: NDArray[np.int64]) -> NDArray[np.int64]:
    middle = (boxes[kept, :2] + boxes[kept, 2:]) / 2
    return np.asarray(kept[np.argsort(hilbert_keys(middle[:, 0], middle[:, 1]), kind="stable")], dtype=np.int64)


def _degrees(frame: Frame, boxes: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees of everything that was read."""
    west, south = np.nanmin(boxes[:, :2], axis=0)
    east, north = np.nanmax(boxes[:, 2:], axis=0)
    outline = shapely.segmentize(shapely.box(west, south, east, north), max((east - west + north - south) / 64, 1e-9))
    xy = shapely.get_coordinates(outline)
    lon, lat = to_lonlat(frame, anywhere=True)(xy[:, 0], xy[:, 1])
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _home(frame: Frame, boxes: NDArray[np.float64], request: ImportRequest) -> Plane:
    """The plane whose meridian is nearest to the middle of the layer."""
    to_lonlat(frame, anywhere=request.anywhere, file=request.files[0].selector.name)
    if not np.isfinite(boxes).any():
        return Plane.around(frame.crs.area_of_use.west if frame.crs.area_of_use else 120.0)
    west, _, east, _ = _degrees(frame, boxes)
    return Plane.around((west + east) / 2)


def _outlines(built: Path, coverage: _Covered | None, left: Left) -> None:
    if coverage is not None:
        (built / COVERAGE).write_bytes(shapely.to_wkb(coverage.area, byte_order=1))
    if not shapely.is_empty(left.ground):
        (built / UNKNOWN).write_bytes(shapely.to_wkb(left.ground, byte_order=1))


def _meta(
    request: ImportRequest,
    reads: Sequence[Read],
    found: Recognised,
    plan: Plan,
    taken: Taken,
    left: Left,
    written: Written,
    coverage: _Covered | None,
    quality: Quality,
    classes: list[Any],
) -> Meta:
    first = reads[0]
    notes = [*(note for read in reads for note in read.located.told(read.head.notes)), *found.notes]
    kept = plan.boxes[plan.order]
    box = _box(kept) if len(kept) else (0.0, 0.0, 0.0, 0.0)
    day = request.day or next((each for read in reads if (each := day_in(read.source.file))), None) or found.day
    about: dict[str, Any] = {
        "role": request.role,
        "content": written.content,
        "day": day,
        "source": request.source,
        "valid_until": request.valid_until,
        "invented": request.invented,
        "generation": found.generation,
        "coded": found.coded,
        "system": System.of(first.located.frame),
        "crs": first.located.frame.label,
        "central_meridian": plan.home.central_meridian,
        "read_with": dict(first.located.used),
        "fields": found.fields,
        "coverage": coverage.record if coverage else None,
        "quarantine": Quarantine(
            rows=left.count, reasons=left.reasons, placeless=left.placeless, area_m2=round(left.area, 2)
        ),
        "origins": [_origin(each) for each in reads],
    }
    return Meta(
        sha256=_hash(about, left),
        imported_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        patches=len(plan.order),
        vertices=taken.vertices,
        kinds=list(plan.kinds),
        box=box,
        degrees=_degrees(first.located.frame, kept) if len(kept) else (0.0, 0.0, 0.0, 0.0),
        classes=classes,
        quality=quality,
        notes=[_note(each) for each in _once(notes)],
        words=written.words,
        software={"geoplan": __version__, "python": platform.python_version(), "pyarrow": pyarrow.__version__},
        **about,
    )


def _once(notes: Sequence[Message]) -> list[Message]:
    return [each for i, each in enumerate(notes) if each not in notes[:i]]


def _note(message: Message) -> Note:
    return Note(id=message.id, args=dict(message.args))


def _origin(read: Read) -> Origin:
    source = read.source
    return Origin(
        file=source.file,
        sha256=source.sha256,
        select=source.select,
        rows=read.count,
        first=read.first_row,
        encoding=read.head.encoding,
        crs=read.located.frame.label,
    )


def _box(boxes: NDArray[np.float64]) -> tuple[float, float, float, float]:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _hash(about: dict[str, Any], left: Left) -> str:
    """The hash that names a version: of its rows, of what was left out, and of all that its owner says of it."""
    plain = Meta.model_construct(**about).model_dump(mode="json", include=set(about) - {"origins"})
    return hashlib.sha256(rfc8785.dumps({**plain, "left_out": left.hash})).hexdigest()
