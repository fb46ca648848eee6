"""Layers and towns that a home or the demo holds: they answer for every role that a call leaves out.

A layer counts only where it lies near the boundary in question (`near`): a province's layers may be of several places,
the demo's are of two.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from geoplan.progress import Progress
from geoplan_api import demo
from geoplan_api.home import Home
from geoplan_api.inquiry import Inquiry
from geoplan_api.near import Box, degrees_of, is_near, place_of
from geoplan_api.office import home_folder
from geoplan_api.settings import CONFIG, Settings, read_settings
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.files.dataset import box_of
from geoplan_layers.files.limits import LAYER
from geoplan_layers.layer_file import FileLayer, of_layer
from geoplan_layers.locate import ReadOptions, settle
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.prepared.version import RASTER, Version
from geoplan_layers.selector import LayerSpec, Selector
from geoplan_layers.vector import opened

if TYPE_CHECKING:
    from geoplan_layers.prepared.importing import ImportRequest


AGE_VARIABLE = "GEOPLAN_LAYER_MAX_AGE_YEARS"


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
    """Everything that the service holds for checks: the versions in use of the home, and the demo's data."""

    layers: tuple[RegisteredLayer, ...] = ()
    towns: tuple[RegisteredTowns, ...] = ()
    store: LayerStore | None = None

    def completed(self, inquiry: Inquiry) -> tuple[Inquiry, list[dict[str, Any]]]:
        """An inquiry with the service's layers for the roles that it leaves out, and its towns if it has none.

        The layers that were added come with it, as plain data.

        Raises
        ------
        InputRefused
            The planning boundary cannot be read.
        """
        inquiry = with_registered(inquiry, self.store)
        if not self.layers and not self.towns and not inquiry.registered:
            return inquiry, []
        place = _place(inquiry)
        versions = tuple(each for each in inquiry.registered if is_near(each.meta.degrees, place))
        given = {spec.role for spec in inquiry.layers} | {each.role for each in versions}
        near = [each for each in self.layers if each.spec.role not in given and is_near(each.extent, place)]
        coverage = dict(inquiry.coverage)
        for each in near:
            if each.coverage:
                coverage[each.spec.role] = (*coverage.get(each.spec.role, ()), each.coverage)
        towns = inquiry.towns or next((t.selector for t in self.towns if is_near(t.extent, place)), None)
        layers = (*inquiry.layers, *(each.spec for each in near))
        inquiry = replace(inquiry, layers=layers, coverage=coverage, towns=towns, registered=versions)
        return inquiry, [*(version_as_dict(each) for each in versions), *(each.as_dict() for each in near)]


def with_registered(inquiry: Inquiry, store: LayerStore | None) -> Inquiry:
    """An inquiry with the versions in use of the roles that it leaves out: each check uses those near its boundary."""
    if store is None:
        return inquiry
    given = {spec.role for spec in inquiry.layers}
    held = (each for each in store.current() if each.role not in given and each.meta.raster is None)
    return replace(inquiry, registered=tuple(held))


def rasters_near(inquiry: Inquiry, store: LayerStore, given: Collection[str]) -> tuple[LayerSpec, ...]:
    """The registered rasters of the roles that a search leaves out, where they lie near its study area."""
    held = [each for each in store.current() if each.meta.raster is not None and each.role not in given]
    if not held:
        return ()
    place = _place(inquiry)
    return tuple(
        LayerSpec(each.role, Selector(each.folder / RASTER, shown=each.file), invented=each.meta.invented)
        for each in held
        if is_near(each.meta.degrees, place)
    )


def store_of(home: Path) -> LayerStore:
    """The prepared layers of a home folder."""
    return LayerStore(home / "layers", home / "tmp")


def in_home(inquiry: Inquiry) -> Inquiry:
    """An inquiry of the command line with the layers of the home for the roles that it leaves out, and its settings."""
    home = home_folder()
    if (home / CONFIG).is_file() or AGE_VARIABLE in os.environ:
        inquiry = replace(inquiry, layer_max_age_years=read_settings().layer_max_age_years)
    return with_registered(inquiry, store_of(home))


def import_here(request: ImportRequest, progress: Progress) -> Version:
    """Import a layer into the home, in this process."""
    from geoplan_layers.prepared import raster
    from geoplan_layers.prepared.importing import import_layer

    make = raster.import_raster if request.role in raster.ROLES else import_layer
    home = Home(home_folder())
    try:
        return make(request, store_of(home.root), progress)
    finally:
        home.close()


def version_as_dict(version: Version) -> dict[str, Any]:
    """A version for ``GET /layers``."""
    meta = version.meta
    return {
        "role": version.role,
        "version": version.id,
        "sha256": meta.sha256,
        "file": version.file,
        "date": meta.day.isoformat() if meta.day else None,
        "coverage_from": version.coverage_from,
        "extent": [round(each, 6) for each in meta.degrees],
        "invented": meta.invented,
    }


def registered_layers(settings: Settings) -> Registered:
    """What the settings let the service hold: the demo's invented layers and towns, or nothing.

    Raises
    ------
    GeoplanError
        The demo's data are missing or cannot be read.
    """
    store = store_of(settings.home)
    if not settings.demo_layers:
        return Registered(store=store)
    layers = tuple(_invented(each.spec, each.coverage) for each in demo.layers())
    registers = dict.fromkeys(towns for town in demo.towns() if (towns := town.inquiry().towns))
    held = tuple(RegisteredTowns(each, _extent(LayerSpec("towns", each))) for each in registers)
    return Registered(layers, held, store)


def _invented(spec: LayerSpec, coverage: Selector) -> RegisteredLayer:
    return RegisteredLayer(spec, coverage, _extent(spec, coverage), FileLayer(spec).day, invented=True)


def _place(inquiry: Inquiry) -> Box:
    """Bounds of the planning boundary, degrees."""
    boundary = read_boundary(inquiry.planning, inquiry.reading)
    boundary.central_longitude(anywhere=inquiry.anywhere)
    return place_of(boundary, anywhere=inquiry.anywhere)


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
    return degrees_of(shapely.get_coordinates(outline), frame, anywhere=True)
