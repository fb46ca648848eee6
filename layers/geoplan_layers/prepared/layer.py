"""A prepared layer as checks see it: patches from the mapped index, on the plane of the check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import Frame, recognise
from geoplan.landuse import Generation
from geoplan.layer import ATTRIBUTES, Amounts, Patches
from geoplan.measure import polygons_of
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan_layers.candidates import Box
from geoplan_layers.prepared.pack import Pack, open_pack
from geoplan_layers.prepared.version import COVERAGE, INDEX, UNKNOWN, Version

_MARGIN = 1.0
"""Metres around a window of another plane: edges straight there are not straight on the home plane."""
_STEPS = 64


class PreparedLayer:
    """A version of a layer, open: its arrays stay mapped for as long as this lives, whatever becomes of its folder.

    Figures equal those of the file it was made of: the vertices are the same, moved once where the planes agree.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        meta = version.meta
        self.home = Plane(meta.central_meridian)
        self.pack: Pack = pack_in(version.folder / INDEX, self.home, meta.words)
        self.frame: Frame = meta.system.frame
        self._coverage = _shape(version.folder / COVERAGE)
        self._unknown = _shape(version.folder / UNKNOWN)
        self._known: dict[int, shapely.Geometry] = {}
        self._notes = self._told()

    @property
    def home_frame(self) -> Frame:
        """The home plane as a coordinate system."""
        frame = recognise(self.home.crs)
        assert frame is not None, "a plane has a system"
        return frame

    @property
    def role(self) -> str:
        """The role that the layer serves."""
        return self.version.meta.role

    @property
    def source(self) -> Source:
        """The version by its file's name and its own hash."""
        return self.version.reference

    @property
    def day(self) -> date | None:
        """Date of the data."""
        return self.version.meta.day

    @property
    def valid_until(self) -> date | None:
        """The last day on which it is said to hold."""
        return self.version.meta.valid_until

    @property
    def invented(self) -> bool:
        """Whether the data are made up."""
        return self.version.meta.invented

    @property
    def generation(self) -> Generation | None:
        """The standard of the codes."""
        return self.version.meta.generation

    @property
    def coded(self) -> bool:
        """Whether patches carry a class or zone."""
        return self.version.meta.coded

    @property
    def crs(self) -> str:
        """Coordinate system of the file it came from."""
        return self.version.meta.crs

    @property
    def box(self) -> Box:
        """West, south, east, north in its own coordinates."""
        return self.version.meta.box

    @property
    def read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading the files."""
        return self.version.meta.read_with

    @property
    def notes(self) -> tuple[Message, ...]:
        """What reading assumed, and what was left out."""
        return self._notes

    def _told(self) -> tuple[Message, ...]:
        found = [each.message for each in self.version.meta.notes]
        left = self.version.meta.quarantine
        if left.rows:
            args = {"role": self.role, "count": left.rows, "area": left.area_m2, "version": self.version.id}
            found.append(Message("layer.quarantined", args))
        if left.placeless:
            found.append(Message("layer.placeless", {"role": self.role, "count": left.placeless}))
        return tuple(found)

    @property
    def coverage_source(self) -> Source | None:
        """The file of the declared coverage."""
        given = self.version.meta.coverage
        return Source(given.file, given.sha256, given.select) if given else None

    @property
    def coverage_read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading the declared coverage."""
        return self.version.meta.coverage.read_with if self.version.meta.coverage else {}

    def afresh(self) -> PreparedLayer:
        """The layer itself: it notes nothing while it is read."""
        return self

    def within(self, window: shapely.Polygon, plane: Plane) -> Patches:
        """The patches that touch a window of the plane, in the order of their file."""
        index = self.index_within(window, plane)
        shapes = self.pack.shapes(index)
        if plane != self.home and len(index):
            shapes = _between(shapes, self.home, plane)
        touching = np.flatnonzero(shapely.intersects(window, shapes))
        index, shapes = index[touching], shapes[touching]
        ids, codes, names = self.pack.texts(index)
        net = np.array(self.pack.net[index], dtype=np.float64)
        kept = plane == self.home and self.pack.drawn is None
        areas = np.array(self.pack.areas[index], dtype=np.float64) if kept else np.zeros(0)
        return Patches(shapes, ids, codes, names, net, self.pack.attribute_texts(index), areas)

    def amounts(self, shape: shapely.Geometry, plane: Plane, accuracy: float) -> Amounts | None:
        """What a shape shares with the patches, in bulk; none on another plane than the home one."""
        if plane != self.home:
            return None
        from geoplan_layers.prepared.amounts import amounts_of  # it loads the compiler

        return amounts_of(self.pack, shape, accuracy)

    def index_within(self, window: shapely.Geometry, plane: Plane) -> np.ndarray:
        """Patches whose box touches that of a window, as indices of the pack in the order of their file."""
        box = shapely.bounds(window)
        if plane != self.home:
            outline = shapely.segmentize(shapely.box(*box), max((box[2] - box[0] + box[3] - box[1]) / _STEPS, 1.0))
            moved = shapely.bounds(_between(outline, plane, self.home))
            box = moved + np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN])
        index = self.pack.near(tuple(float(each) for each in box))
        return np.asarray(index[np.argsort(self.pack.rows[index], kind="stable")])

    def declared(self, plane: Plane) -> shapely.Geometry | None:
        """The declared coverage on the plane without the ground of what was left out.

        None is declared where a row that was left out lies nowhere: it may be missing anywhere.
        """
        given = self.version.meta.coverage
        if given is None or self._coverage is None or self.version.meta.quarantine.placeless:
            return None
        if plane.central_meridian not in self._known:
            area = plane.bring(self._coverage, given.system.frame, anywhere=True, file=given.file)
            self._known[plane.central_meridian] = self._without_unknown(area, plane)
        return self._known[plane.central_meridian]

    def extent(self, plane: Plane) -> shapely.Geometry:
        """Bounding box of all patches in the layer's own coordinates, on the plane, without what was left out."""
        area = plane.bring(shapely.box(*self.box), self.frame, anywhere=True, file=self.source.file)
        return self._without_unknown(area, plane)

    def _without_unknown(self, area: shapely.Geometry, plane: Plane) -> shapely.Geometry:
        if self._unknown is None:
            return area
        unknown = self._unknown if plane == self.home else self._unknown_on(plane)
        return polygons_of(shapely.difference(area, unknown))

    def _unknown_on(self, plane: Plane) -> shapely.Geometry:
        moved: shapely.Geometry = shapely.make_valid(_between(self._unknown, self.home, plane))
        return moved

    @cached_property
    def unknown(self) -> shapely.Geometry:
        """The ground of what was left out, on the home plane."""
        return self._unknown if self._unknown is not None else shapely.MultiPolygon()


def _between(shapes: Any, one: Plane, other: Plane) -> Any:
    """Shapes of one plane on another, vertex by vertex."""

    def move(x: Any, y: Any) -> tuple[Any, Any]:
        return other.from_lonlat(*one.to_lonlat(x, y))

    return shapely.transform(shapes, move, interleaved=False)  # type: ignore[arg-type]


def pack_in(folder: Path, home: Plane, words: Mapping[str, Sequence[str]]) -> Pack:
    """The index of a version, mapped."""
    attributes = {key: words[key] for key in ATTRIBUTES if key in words}
    return open_pack(folder, home, words["codes"], words["names"], attributes)


def _shape(path: Path) -> shapely.Geometry | None:
    return shapely.from_wkb(path.read_bytes()) if path.exists() else None
