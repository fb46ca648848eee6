"""The overlaps file of a report: evidence, boundaries and surroundings as one GeoPackage, and its reading back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.layer import ATTRIBUTES
from geoplan.plane import Plane
from geoplan.report import Context, Report
from geoplan_layers.files.ogr import pyogrio

LAYERS = ("boundaries", "evidence", "context")


@dataclass(frozen=True)
class Overlaps:
    """Geometry of a report on its plane: boundaries by part, evidence by id, context patches."""

    plane: Plane
    boundaries: Mapping[str, shapely.Geometry]
    evidence: Mapping[str, shapely.Geometry]
    context: tuple[Context, ...]


def of_report(report: Report) -> Overlaps:
    """The geometry of a report that was just made."""
    return Overlaps(report.plane, report.boundaries, {e.id: e.shape for e in report.evidence}, report.context)


def write_overlaps(report: Report, path: Path) -> None:
    """Write ``overlaps.gpkg``: layers ``boundaries``, ``evidence`` (keyed by evidence id) and ``context``."""
    path.unlink(missing_ok=True)
    plane = report.plane
    parts = list(report.boundaries)
    _write(path, "boundaries", plane, [report.boundaries[p] for p in parts], {"part": parts})
    shown = report.evidence
    _write(
        path,
        "evidence",
        plane,
        [e.shape for e in shown],
        {
            "evidence_id": [e.id for e in shown],
            "layer": [e.layer for e in shown],
            "part": [e.part for e in shown],
            "patch": [e.patch for e in shown],
            "class": [e.code for e in shown],
            "name": [e.name for e in shown],
            "area_m2": [_number(e.area_m2) for e in shown],
            "net_m2": [_number(e.net_area_m2) for e in shown],
            "dist_m": [_number(e.distance_m) for e in shown],
            "sliver": [int(e.sliver) for e in shown],
            **{name: [e.attributes.get(name, "") for e in shown] for name in ATTRIBUTES},
        },
    )
    near = report.context
    _write(
        path,
        "context",
        plane,
        [c.shape for c in near],
        {
            "role": [c.role for c in near],
            "patch": [c.patch for c in near],
            "class": [c.code for c in near],
            "name": [c.name for c in near],
            "groups": [" ".join(c.groups) for c in near],
        },
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else round(value, 2)


def _write(
    path: Path, layer: str, plane: Plane, shapes: Sequence[shapely.Geometry], columns: Mapping[str, list[Any]]
) -> None:
    arrays = [
        np.array(values, dtype=object if not values or isinstance(values[0], str) else None)
        for values in columns.values()
    ]
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, dtype=object)),
        arrays,
        np.array(list(columns)),
        layer=layer,
        driver="GPKG",
        geometry_type="Unknown",
        crs=plane.crs.to_wkt(),
        append=path.exists(),
        geometry_name="geom",
    )


def read_overlaps(path: Path, plane: Plane) -> Overlaps:
    """Read an overlaps file back."""
    read = {layer: _rows(path, layer) for layer in LAYERS}
    boundaries = {row["part"]: shape for row, shape in read["boundaries"]}
    evidence = {row["evidence_id"]: shape for row, shape in read["evidence"]}
    context = tuple(
        Context(row["role"], row["patch"], row["class"], row["name"], shape, tuple(row["groups"].split()))
        for row, shape in read["context"]
    )
    return Overlaps(plane, boundaries, evidence, context)


def _rows(path: Path, layer: str) -> list[tuple[dict[str, Any], shapely.Geometry]]:
    meta, _, wkb, columns = pyogrio.raw.read(path, layer=layer)
    shapes = shapely.from_wkb(wkb)
    names = [str(name) for name in meta["fields"]]
    return [
        ({name: column[i] for name, column in zip(names, columns, strict=True)}, shape)
        for i, shape in enumerate(shapes)
    ]
