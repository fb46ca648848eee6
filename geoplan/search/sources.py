"""What a search reads: features of layers round the study area, rasters, towns; on the plane of its grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.errors import CallRefused
from geoplan.layer import UNION_ROLES, Patches
from geoplan.measure import polygons_of
from geoplan.search.constraint import Values
from geoplan.search.criteria import SLOPE, Features
from geoplan.search.grid import Grid
from geoplan.search.slope import slope_of
from geoplan.site import Site

RasterValues = Callable[[Grid], Values]
_ELEVATION = "elevation"


@dataclass(frozen=True)
class Sources:
    """Layers, towns and rasters of a search.

    Parameters
    ----------
    site
        The study area as planning, with the layers and towns of the call.
    rasters
        Values on any grid of the plane, by role.
    """

    site: Site
    rasters: Mapping[str, RasterValues] = field(default_factory=dict)
    _held: dict[str, Patches] = field(default_factory=dict, repr=False, compare=False)

    def near(self, role: str, window: shapely.Polygon) -> Patches:
        """Patches of a layer that touch a window inside the study area's bounds; the layer is read once."""
        if role not in self._held:
            self._held[role] = self.site.near(role, self.around(0.0))
        held = self._held[role]
        return held.take(np.flatnonzero(shapely.intersects(shapely.box(*shapely.bounds(window)), held.shapes)))

    def around(self, distance: float) -> shapely.Polygon:
        """Bounds of the study area with a distance on all sides."""
        west, south, east, north = shapely.bounds(self.site.planning)
        window: shapely.Polygon = shapely.box(west - distance, south - distance, east + distance, north + distance)
        return window

    def raster(self, role: str, asked_by: str) -> RasterValues:
        """The values of a raster; ``slope`` is made from elevation.

        Raises
        ------
        CallRefused
            No such raster was given.
        """
        wanted = _ELEVATION if role == SLOPE else role
        if wanted not in self.rasters:
            raise CallRefused("search-raster-missing", id=asked_by, role=wanted)
        return slope_of(self.rasters[wanted]) if role == SLOPE else self.rasters[wanted]

    def patches(self, chosen: Features, distance: float, asked_by: str) -> Patches:
        """The features that a criterion means, within a distance of the study area's bounds.

        Raises
        ------
        CallRefused
            No layer of that role was given.
        InputRefused
            The layer has no class field, or nothing decides the generation of its codes.
        """
        if not self.site.has(chosen.layer):
            raise CallRefused("search-layer-missing", id=asked_by, role=chosen.layer)
        patches = self.site.near(chosen.layer, self.around(distance))
        if not chosen.chooses:
            return patches
        wanted = _is_among(patches.codes, chosen.classes) | np.isin(patches.names.astype(str), list(chosen.names))
        if chosen.groups:
            of = patches.of(chosen.groups, self.site.generation(chosen.layer))
            wanted |= np.isin(patches.ids.astype(str), of.ids.astype(str)) & _is_in(patches, of)
        return patches.take(wanted)

    def known(self, role: str, distance: float = 0.0) -> shapely.MultiPolygon | None:
        """Where a layer knows the ground within a distance of the study area's bounds; none where everywhere."""
        window, plane = self.around(distance), self.site.plane
        areas = []
        for layer in (each for each in self.site.layers if each.role == role):
            declared = layer.declared(plane)
            if declared is None and role in UNION_ROLES:
                declared = shapely.union_all(layer.within(window, plane).shapes)
            areas.append(layer.extent(plane) if declared is None else declared)
        known = shapely.union_all(np.array(areas, dtype=object))
        return None if shapely.covers(known, window) else polygons_of(shapely.intersection(known, window))

    def is_assumed(self, role: str) -> bool:
        """Whether where the layer knows the ground is assumed, not declared."""
        return any(layer.declared(self.site.plane) is None for layer in self.site.layers if layer.role == role)

    def counties(self, codes: tuple[str, ...], asked_by: str) -> shapely.Geometry:
        """The counties of some codes.

        Raises
        ------
        CallRefused
            No counties were given, or none of these codes.
        """
        if not self.site.has("counties"):
            raise CallRefused("search-layer-missing", id=asked_by, role="counties")
        patches = self.site.near("counties", self.around(0.0))
        chosen = patches.shapes[np.isin(patches.codes.astype(str), list(codes))]
        if not len(chosen):
            raise CallRefused("search-county-unknown", id=asked_by, codes=list(codes), known=_codes(patches))
        return shapely.union_all(chosen)

    def towns(self, asked_by: str) -> NDArray[np.object_]:
        """Live towns on the plane.

        Raises
        ------
        CallRefused
            No register was given.
        """
        if self.site.register is None:
            raise CallRefused("search-towns-missing", id=asked_by)
        return np.array([each.shape for each in self.site.neighbours] + [None], dtype=object)[:-1]


def _codes(patches: Patches) -> list[str]:
    return sorted({str(code) for code in patches.codes})[:20]


def _is_among(codes: NDArray[np.object_], classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Codes that begin with one of some classes."""
    return np.array([bool(classes) and str(code).startswith(classes) for code in codes], dtype=bool)


def _is_in(patches: Patches, some: Patches) -> NDArray[np.bool_]:
    """Which patches are among some of them, by the geometry objects themselves."""
    held = {id(shape) for shape in some.shapes}
    return np.array([id(shape) in held for shape in patches.shapes], dtype=bool)
