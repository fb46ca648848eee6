"""Files where the user wants them: written beside, read back, compared, and only then moved into place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from geoplan.crs import Array
from geoplan.errors import CallRefused, CannotFinish
from geoplan_layers.formats import format_of
from geoplan_layers.unfinished import building
from geoplan_layers.writers.formats import Writer
from geoplan_layers.writers.shapefile import FIELDS_SUFFIX, STALE
from geoplan_layers.writers.sheet import Sheet, WriteOptions, Written

SAME_METRES, SAME_DEGREES = 1e-6, 1e-11
"""How far a coordinate may be read back from what was written: a micrometre, which only the text of numbers takes."""


def deliver(sheet: Sheet, writer: Writer, out: Path, options: WriteOptions, inputs: Sequence[Path] = ()) -> Written:
    """Write a sheet that fits its format as ``out`` and what belongs to it: whole, checked, or not at all.

    Parameters
    ----------
    inputs
        Files that are read for it and must not be written over.

    Raises
    ------
    CallRefused
        ``out`` would be written over an input.
    CannotFinish
        The folder is missing or takes no file, the disk is full, or what was read back differs.
    """
    _not_an_input(out, inputs)
    folder = out.parent
    try:
        with building(folder) as built:
            made = written(sheet, writer, built / out.name, options)
            targets = [folder / each.name for each in made.paths]
            for target in targets:
                _not_an_input(target, inputs)
            if writer.key == "shapefile":
                _remove_stale(out, targets)
            for each, target in zip(made.paths, targets, strict=True):
                each.replace(target)
    except OSError as wrong:
        raise CannotFinish("out-not-writable", path=str(folder), detail=wrong.strerror or str(wrong)) from None
    return Written(targets, made.notes)


def written(sheet: Sheet, writer: Writer, path: Path, options: WriteOptions) -> Written:
    """Write a sheet to a folder of our own and compare what can be read from it.

    Raises
    ------
    CannotFinish
        GDAL could not write it (a full disk), or what was read back differs.
    """
    try:
        made = writer.write(sheet, path, options)
    except Exception as wrong:
        if not type(wrong).__module__.startswith("pyogrio"):
            raise
        raise CannotFinish("not-written", file=path.name, detail=str(wrong).splitlines()[0][:200]) from None
    _compare(sheet, path, writer.coordinates(path))
    return made


def _compare(sheet: Sheet, path: Path, found: Array) -> None:
    wanted = np.unique(shapely.get_coordinates(sheet.shapes), axis=0)
    found = np.unique(found, axis=0)
    if np.array_equal(wanted, found):
        return
    within = SAME_DEGREES if sheet.frame.is_geographic else SAME_METRES
    away = max(_farthest(wanted, found), _farthest(found, wanted))
    if not away <= within:
        raise CannotFinish("written-differs", file=path.name, away=f"{away:.3g}")


def _farthest(points: Array, others: Array) -> float:
    """The largest distance from any of some points to the nearest of others."""
    if len(points) == 0 or len(others) == 0:
        return 0.0 if len(points) == len(others) else float("inf")
    tree = shapely.STRtree([shapely.Point(xy) for xy in others])
    _, distance = tree.query_nearest(shapely.points(points), return_distance=True, all_matches=False)
    return float(distance.max())


def _not_an_input(target: Path, inputs: Sequence[Path]) -> None:
    if not target.exists():
        return
    for each in inputs:
        format = format_of(each.suffix.lower())
        belonging = [each, *(each.with_suffix(suffix) for suffix in (format.companions if format else ()))]
        if any(part.exists() and part.samefile(target) for part in belonging):
            raise CallRefused("out-is-input", file=str(target))


def _remove_stale(out: Path, targets: Sequence[Path]) -> None:
    """Indexes of a shapefile that lay there before: they belong to another one."""
    for suffix in (*STALE, FIELDS_SUFFIX):
        stale = out.with_name(out.stem + suffix)
        if stale not in targets:
            stale.unlink(missing_ok=True)
