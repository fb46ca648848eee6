"""``geoplan convert``: any file that can be read as any format that can be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from geoplan.crs import Frame
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.boundary_file import NAME_FIELDS
from geoplan_layers.fields import texts
from geoplan_layers.files.limits import LAYER
from geoplan_layers.files.table import Table
from geoplan_layers.locate import ReadOptions, locate
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table
from geoplan_layers.writers.deliver import deliver
from geoplan_layers.writers.formats import writer_of
from geoplan_layers.writers.prepare import fitted
from geoplan_layers.writers.sheet import Column, Sheet, SheetLayer, WriteOptions, Written


def convert(
    source: Selector, out: Path, options: WriteOptions, given: ReadOptions | None = None, target: Frame | None = None
) -> Written:
    """Write the rows that a selector means as ``out``; coordinates as read, but for what is noted.

    Parameters
    ----------
    given
        What the user says of the file: its system where it lacks one, that its degrees are shifted, axes to exchange.
    target
        The system wanted; none keeps the file's, where the format does not prescribe one.

    Raises
    ------
    InputRefused
        The file cannot be read, has no system or one that it does not fit, holds geometry that the format cannot, or
        the datum would change by guess.
    CallRefused
        An unknown format out, a system that it cannot hold, or ``out`` is the input.
    CannotFinish
        It could not be written.
    """
    writer = writer_of(out)
    table = read_table(source, LAYER)
    if len(table) == 0:
        raise InputRefused("no-features", file=table.source.file, where=table.layer)
    table.require_shapes()
    table, located = locate(table, replace(given or ReadOptions(), strict=False))
    sheet, notes = fitted(sheet_of(table, located.frame), writer, target, table.source.file)
    made = deliver(sheet, writer, out, options, [source.path])
    return Written(made.paths, (*table.notes, *_invalid(table), *notes, *made.notes))


def sheet_of(table: Table, frame: Frame) -> Sheet:
    """The rows of a table as a sheet of one layer."""
    return Sheet((SheetLayer(table.layer, _names(table), table.shapes, table.columns),), frame)


def _names(table: Table) -> Column:
    """What each row is called: its name, else its number."""
    given = texts(table.column(*NAME_FIELDS), len(table))
    return np.array([name or str(row) for name, row in zip(given, table.rows, strict=True)], dtype=object)


def _invalid(table: Table) -> tuple[Message, ...]:
    """Rings that cross are written as they were read: mending is for a check, where it is named and judged."""
    broken = np.flatnonzero(~shapely.is_valid(table.shapes))
    if len(broken) == 0:
        return ()
    return (Message("write.invalid-kept", {"count": len(broken), "rows": table.rows[broken].tolist()[:20]}),)
