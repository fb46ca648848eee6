"""The towns around: GeoPackage, GeoJSON or any vector format, or CSV with ``lon`` and ``lat``."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import shapely

from geoplan.errors import InputRefused
from geoplan.facts import TOWN_STAGES
from geoplan.register import Register, Town
from geoplan_layers.files.limits import BOUNDARY, Limits
from geoplan_layers.files.table import Table
from geoplan_layers.locate import ReadOptions, locate
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table, read_towns_table

_TEXTS = ("id", "name", "county", "tier", "stage", "listed_on", "leading", "sub_industry")


def read_register(selector: Selector, options: ReadOptions | None = None, limits: Limits = BOUNDARY) -> Register:
    """The register of towns of a file.

    Raises
    ------
    InputRefused
        No shapes, lines, a stage that is none, a CSV without lon and lat.
    """
    table = (
        read_towns_table(selector, limits) if selector.path.suffix.lower() == ".csv" else read_table(selector, limits)
    )
    table.require_shapes()
    others = table.kinds - {"Polygon", "Point"}
    if others:
        raise InputRefused("towns-kinds", file=table.source.file, where=table.layer, kinds=sorted(others))
    table, located = locate(table, options or ReadOptions(anywhere=True, strict=False))
    towns = tuple(_town(table, i) for i in range(len(table)))
    return Register(towns, located.frame, table.source, read_with=located.used)


def _town(table: Table, i: int) -> Town:
    given = {name: _text(column[i]) for name in _TEXTS if (column := table.column(name)) is not None}
    stage = given.get("stage")
    if stage and stage not in TOWN_STAGES:
        raise InputRefused(
            "town-stage",
            file=table.source.file,
            where=f"row {table.rows[i]}",
            stage=stage,
            known=list(TOWN_STAGES),
        )
    classes = {
        name[6:].replace("_", "-"): text
        for name, column in table.columns.items()
        if name.lower().startswith("class_") and (text := _text(column[i]))
    }
    shape = table.shapes[i]
    whole = shape if shapely.is_valid(shape) else shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return Town(shape=whole, classes=classes, **{"id": None, "name": None, **given})


def _text(value: object) -> str | None:
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, datetime | date | np.datetime64):
        return str(value)[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
