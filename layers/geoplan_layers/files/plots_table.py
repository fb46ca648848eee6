"""Plots as rows of a table: one row each, with what the file says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geoplan.boundary import Source
from geoplan.crs import Frame
from geoplan.messages import Message
from geoplan_layers.files.plots import PlotRows, shaped
from geoplan_layers.files.table import Column, Table


def table_of(
    plots: Sequence[PlotRows],
    frame: Frame | None,
    source: Source,
    layer: str,
    encoding: str,
    notes: tuple[Message, ...],
    *,
    east_second: bool = True,
) -> Table:
    """The table of some plots; columns are the attributes that any of them has, in the order met.

    Raises
    ------
    InputRefused
        A plot without points, or a ring with too few.
    """
    made = [shaped(plot, order, source.file, east_second=east_second) for order, plot in enumerate(plots, 1)]
    names = dict.fromkeys(name for plot in plots for name in plot.attributes)
    columns = {name: _column([plot.attributes.get(name) for plot in plots]) for name in names}
    shapes = _column([each.geometry for each in made])
    rows = np.arange(1, len(plots) + 1)
    all_notes = (*notes, *(note for each in made for note in each.notes))
    return Table(shapes, columns, rows, frame, source, layer, encoding, all_notes)


def by_numbers(*, east_second: bool) -> Message:
    """The note that the figures decided which column is north."""
    order = {"zh": "北、东", "en": "north, east"} if east_second else {"zh": "东、北", "en": "east, north"}
    return Message("read.columns-by-numbers", {"order": order})


def _column(values: Sequence[Any]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
