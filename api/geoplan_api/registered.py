"""Layers and towns that the service holds itself: they answer for every role that an upload leaves out.

A layer counts only where it lies near the boundary in question: the demo's layers are of two areas far apart, and a
layer of another place would turn "no such layer" into "not covered".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import shapely

from geoplan.crs import Frame, to_lonlat
from geoplan_api import demo
from geoplan_api.inquiry import Inquiry
from geoplan_api.settings import Settings
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.files.dataset import box_of
from geoplan_layers.files.limits import LAYER
from geoplan_layers.layer_file import FileLayer, of_layer
from geoplan_layers.locate import ReadOptions, settle
from geoplan_layers.selector import LayerSpec, Selector
from geoplan_layers.vector import opened

Box = tuple[float, float, float, float]
NEAR = 0.3
"""How far from a layer's extent a boundary may lie for the layer to be used, degrees: about 30 km, beyond the
distances that rules ask for."""


@dataclass(frozen=True)
class RegisteredLayer:
    """A layer of the service: file and declared coverage, date, and the extent of both in degrees."""

    spec: LayerSpec
    coverage: Selector | None
    extent: Box
    day: date | None
    invented: bool

    @property
    def coverage_from(self) -> str:
        """Whether the coverage is declared or has to be assumed."""
        return "declared" if self.coverage else "assumed"

    def as_dict(self) -> dict[str, Any]:
        """The layer for ``GET /layers``."""
        return {
            "role": self.spec.role,
            "file": self.spec.selector.name,
            "date": self.day.isoformat() if self.day else None,
            "coverage_from": self.coverage_from,
            "extent": [round(each, 6) for each in self.extent],
            "invented": self.invented,
        }


@dataclass(frozen=True)
class RegisteredTowns:
    """A register of towns of the service, and its extent in degrees."""

    selector: Selector
    extent: Box


@dataclass(frozen=True)
class Registered:
    """Everything that the service holds for checks."""

    layers: tuple[RegisteredLayer, ...] = ()
    towns: tuple[RegisteredTowns, ...] = ()

    def completed(self, inquiry: Inquiry) -> tuple[Inquiry, list[RegisteredLayer]]:
        """An inquiry with the service's layers for the roles that it leaves out, and its towns if it has none.

        The layers that were added come with it.

        Raises
        ------
        InputRefused
            The planning boundary cannot be read.
        """
        if not self.layers and not self.towns:
            return inquiry, []
        place = _place(inquiry)
        given = {spec.role for spec in inquiry.layers}
        near = [each for each in self.layers if each.spec.role not in given and _is_near(each.extent, place)]
        coverage = dict(inquiry.coverage)
        for each in near:
            if each.coverage:
                coverage[each.spec.role] = (*coverage.get(each.spec.role, ()), each.coverage)
        towns = inquiry.towns or next((t.selector for t in self.towns if _is_near(t.extent, place)), None)
        layers = (*inquiry.layers, *(each.spec for each in near))
        return replace(inquiry, layers=layers, coverage=coverage, towns=towns), near


def registered_layers(settings: Settings) -> Registered:
    """What the settings let the service hold: the demo's invented layers and towns, or nothing.

    Raises
    ------
    GeoplanError
        The demo's data are missing or cannot be read.
    """
    if not settings.demo_layers:
        return Registered()
    layers = tuple(_invented(each.spec, each.coverage) for each in demo.layers())
    registers = dict.fromkeys(towns for town in demo.towns() if (towns := town.inquiry().towns))
    return Registered(layers, tuple(RegisteredTowns(each, _extent(LayerSpec("towns", each))) for each in registers))


def _invented(spec: LayerSpec, coverage: Selector) -> RegisteredLayer:
    return RegisteredLayer(spec, coverage, _extent(spec, coverage), FileLayer(spec).day, invented=True)


def _place(inquiry: Inquiry) -> Box:
    """Bounds of the planning boundary, degrees."""
    boundary = read_boundary(inquiry.planning, inquiry.reading)
    boundary.central_longitude(anywhere=inquiry.anywhere)
    return _degrees(shapely.get_coordinates(boundary.polygons), boundary.frame, anywhere=inquiry.anywhere)


def _extent(spec: LayerSpec, coverage: Selector | None = None) -> Box:
    """What a layer or its declared coverage reaches, degrees: a place without patches may well be covered."""
    boxes = [_box(each, spec) for each in (spec.selector, coverage) if each]
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _box(selector: Selector, spec: LayerSpec) -> Box:
    with opened(selector, LAYER) as dataset:
        if dataset.extent:
            west, south, east, north = dataset.extent()
            table = dataset.read((west, south, west, south))
        else:
            table = dataset.read(None)
            west, south, east, north = box_of(table.shapes)
        options = of_layer(spec, ReadOptions(anywhere=True))
        frame = settle((west, south, east, north), table.frame, options, dataset.source.file, dataset.name).frame
    outline = shapely.segmentize(shapely.box(west, south, east, north), max((east - west + north - south) / 64, 1e-9))
    return _degrees(shapely.get_coordinates(outline), frame, anywhere=True)


def _degrees(xy: Any, frame: Frame, *, anywhere: bool) -> Box:
    lon, lat = to_lonlat(frame, anywhere=anywhere)(xy[:, 0], xy[:, 1])
    return float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat))


def _is_near(extent: Box, place: Box) -> bool:
    """Whether two boxes are within `NEAR` degrees of each other.

    >>> _is_near((120.0, 30.0, 121.0, 31.0), (121.2, 30.5, 121.3, 30.6))
    True
    >>> _is_near((120.0, 30.0, 121.0, 31.0), (109.0, 24.0, 109.1, 24.1))
    False
    """
    apart = (place[0] - extent[2], extent[0] - place[2], place[1] - extent[3], extent[1] - place[3])
    return max(apart) <= NEAR
