"""A reference layer straight from a file: read around the boundary only, on the plane of the check."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Source
from geoplan.crs import Frame, from_lonlat
from geoplan.errors import InputRefused
from geoplan.landuse import Generation
from geoplan.layer import Patches
from geoplan.measure import polygons_of
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan_layers.candidates import Box
from geoplan_layers.fields import attributes_of, column_for, generation_of, net_factors, texts
from geoplan_layers.files.dataset import Dataset
from geoplan_layers.files.first_look import FirstLook
from geoplan_layers.files.limits import LAYER, Limits
from geoplan_layers.files.table import Column, Table
from geoplan_layers.locate import Located, ReadOptions, bounds_of, locate, settle
from geoplan_layers.selector import LayerSpec, Selector
from geoplan_layers.vector import filtered, opened, read_table

LINES_TOO = frozenset({"roads", "water"})
"""Roles whose features may be lines or points as well."""
_MARGIN = 0.02
_DAY = re.compile(r"(20\d\d)[-_年.]?(0[1-9]|1[0-2])[-_月.]?(0[1-9]|[12]\d|3[01])")


class FileLayer:
    """A layer of one role from a file that the user names.

    Parameters
    ----------
    spec
        Role, file and what the file does not say itself (system, generation).
    coverage
        The file of the declared coverage, if any.

    Raises
    ------
    InputRefused
        The file cannot be read, has no coordinate system, or cannot serve the role.
    """

    def __init__(
        self,
        spec: LayerSpec,
        coverage: Selector | None = None,
        *,
        anywhere: bool = False,
        day: date | None = None,
        limits: Limits = LAYER,
        options: ReadOptions | None = None,
    ) -> None:
        self._spec, self._limits, self._anywhere = spec, limits, anywhere
        self._options = of_layer(spec, options or ReadOptions(anywhere=anywhere))
        self._coverage_selector = coverage
        self._given_day = day
        self._within: dict[tuple[float, ...], Patches] = {}
        self._mended: list[Message] = []
        self._year: int | None = None
        with opened(spec.selector, limits) as dataset:
            head = self._wholly(dataset)
            self._whole = head
            box = dataset.extent() if dataset.extent and head is None else _bounds(head)
            west, south = box[:2]
            corner = (west, south, west, south) if np.isfinite(west) else None
            first = head if head is not None else dataset.read(corner)
            self.source: Source = replace(dataset.source, select=spec.selector.choice)
            self._name = dataset.name
        self._fields = tuple(first.columns)
        self._located = settle(box, first.frame, self._options, self.source.file, self._name)
        self._assumed = self._located.told(first.notes)
        self._box = self._located.as_read(box)
        self._check_role(first)

    @property
    def role(self) -> str:
        """The role that the layer serves."""
        return self._spec.role

    @property
    def day(self) -> date | None:
        """The layer's date: given, else the one in its file name, else the end of its 数据年份, else none."""
        if self._given_day:
            return self._given_day
        return day_in(self.source.file) or (date(self._year, 12, 31) if self._year else None)

    @property
    def valid_until(self) -> None:
        """A file says nothing of how long it holds."""
        return None

    @property
    def frame(self) -> Frame:
        """The layer's coordinate system."""
        return self._located.frame

    @property
    def crs(self) -> str:
        """The layer's coordinate system as reports name it."""
        return self.frame.label

    @property
    def box(self) -> Box:
        """West, south, east, north of the layer in its own coordinates; not finite where it is empty."""
        return self._box

    @property
    def read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading it."""
        return self._located.used

    @property
    def invented(self) -> bool:
        """Whether the data are made up, as the demo's are."""
        return self._spec.invented

    @property
    def generation(self) -> Generation | None:
        """The standard of the codes: what the user says, else what the fields decide."""
        return self._spec.generation or generation_of(self._fields, self.role)

    @property
    def coded(self) -> bool:
        """Whether the layer carries a class or zone code, or a zone name."""
        return self._coded

    @property
    def notes(self) -> tuple[Message, ...]:
        """What reading assumed or mended."""
        return (*self._assumed, *self._mended)

    @property
    def coverage_source(self) -> Source | None:
        """The file of the declared coverage."""
        return self._coverage[1] if self._coverage else None

    @property
    def coverage_read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading the declared coverage."""
        return self._coverage[2].used if self._coverage else {}

    def afresh(self) -> FileLayer:
        """The same layer, already opened, without what earlier checks read and noted: for one check after another."""
        layer = copy.copy(self)
        layer._within, layer._mended, layer._year = {}, [], None
        return layer

    def _wholly(self, dataset: Dataset) -> Table | None:
        """The rows where all have to be read: the format says no extent, or the call asks for some rows of the file.

        Refuses rows without geometry, and lines or points where polygons are needed, wherever they lie.
        """
        if dataset.extent is None or self._spec.selector.field is not None:
            table = filtered(dataset.read(None), self._spec.selector)
            table.require_shapes()
            self._require_polygons(table.kinds, dataset.source.file)
            return table
        look = dataset.look() if dataset.look else FirstLook()
        if look.bare_count:
            args = {"rows": list(look.bare_rows), "count": look.bare_count}
            raise InputRefused("rows-without-geometry", file=dataset.source.file, where=dataset.name, **args)
        self._require_polygons(look.kinds, dataset.source.file)
        return None

    def _require_polygons(self, kinds: frozenset[str], file: str) -> None:
        others = kinds - {"Polygon"}
        if others and self.role not in LINES_TOO and not self.role.startswith("custom:"):
            raise InputRefused("layer-without-polygons", file=file, role=self.role, kinds=sorted(others))

    def _check_role(self, first: Table) -> None:
        self._coded = (
            column_for(first, self.role, "code") is not None or column_for(first, self.role, "name") is not None
        )
        west, south, east, north = self._box
        if not all(np.isfinite(self._box)) or (west == east and south == north and not self._coverage_selector):
            if self._coverage_selector is None:
                raise InputRefused("layer-empty", file=self.source.file, role=self.role)
            self._box = (0.0, 0.0, 0.0, 0.0)

    def within(self, window: shapely.Polygon, plane: Plane) -> Patches:
        """The patches that touch a window of the plane, moved there vertex by vertex; invalid ones mended and noted."""
        key = (plane.central_meridian, *shapely.bounds(window))
        if key not in self._within:
            self._within[key] = self._read(window, plane)
        return self._within[key]

    def _read(self, window: shapely.Polygon, plane: Plane) -> Patches:
        box = self._located.as_read(self._window_box(window, plane))
        if self._whole is not None:
            table = self._whole.take(shapely.intersects(shapely.box(*box), self._whole.shapes))
        else:
            with opened(self._spec.selector, self._limits) as dataset:
                table = in_order(dataset.read(box))
        shapes = self._located.shapes(self._usable(table))
        self._year = max([self._year or 0, *_years(column_for(table, self.role, "year"))]) or None
        on_plane = as_patches(plane.bring(shapes, self.frame, anywhere=self._anywhere, file=self.source.file))
        count = len(on_plane)
        patches = Patches(
            on_plane,
            self._ids(table, count),
            texts(column_for(table, self.role, "code"), count),
            texts(column_for(table, self.role, "name"), count),
            net_factors(column_for(table, self.role, "ridge"), count),
            attributes_of(table, self.role),
        )
        return patches.take(np.flatnonzero(shapely.intersects(window, on_plane)))

    def _ids(self, table: Table, count: int) -> np.ndarray:
        ids = texts(column_for(table, self.role, "id"), count)
        return np.array([each or f"#{row}" for each, row in zip(ids, table.rows, strict=True)], dtype=object)

    def _usable(self, table: Table) -> np.ndarray:
        """The shapes of the rows, invalid ones mended and named; rows without geometry refuse the layer."""
        shapes = table.shapes
        if not np.isfinite(shapely.get_coordinates(shapes)).all():
            raise InputRefused("coordinates-not-finite", file=self.source.file, where=self._name)
        table.require_shapes()
        self._require_polygons(table.kinds, self.source.file)
        broken = np.flatnonzero(~shapely.is_valid(shapes))
        if len(broken):
            shapes = shapes.copy()
            for i in broken:
                shapes[i] = polygons_of(shapely.make_valid(shapes[i], method="structure", keep_collapsed=False))
            note = Message(
                "read.layer-mended",
                {"role": self.role, "count": len(broken), "rows": table.rows[broken].tolist()[:20]},
            )
            if note not in self._mended:
                self._mended.append(note)
        return shapes

    def _window_box(self, window: shapely.Polygon, plane: Plane) -> tuple[float, float, float, float]:
        """Bounds in the layer's own coordinates that hold the window, with a margin for the change of projection."""
        outline = shapely.get_coordinates(shapely.segmentize(window, max(window.length / 64, 1.0)))
        lon, lat = plane.to_lonlat(outline[:, 0], outline[:, 1])
        x, y = from_lonlat(self.frame, anywhere=self._anywhere, file=self.source.file)(lon, lat)
        west, south, east, north = float(x.min()), float(y.min()), float(x.max()), float(y.max())
        dx, dy = (east - west) * _MARGIN, (north - south) * _MARGIN
        return west - dx, south - dy, east + dx, north + dy

    @cached_property
    def _coverage(self) -> tuple[shapely.MultiPolygon, Source, Located] | None:
        if self._coverage_selector is None:
            return None
        table = read_table(self._coverage_selector, self._limits)
        if len(table) == 0 or table.kinds != {"Polygon"}:
            raise InputRefused("coverage-without-polygons", file=table.source.file, role=self.role)
        given = self._options
        own = table.frame is not None
        table, located = locate(table, replace(given, frame=None, datum=None, swap_xy=False) if own else given)
        whole = polygons_of(
            shapely.union_all(shapely.make_valid(table.shapes, method="structure", keep_collapsed=False))
        )
        source = replace(table.source, select=self._coverage_selector.choice)
        return whole, source, located

    def declared(self, plane: Plane) -> shapely.Geometry | None:
        """The declared coverage on the plane."""
        if self._coverage is None:
            return None
        area, source, located = self._coverage
        return plane.bring(area, located.frame, anywhere=self._anywhere, file=source.file)

    def extent(self, plane: Plane) -> shapely.Geometry:
        """Bounding box of all patches in the layer's own coordinates, on the plane."""
        return plane.bring(shapely.box(*self._box), self.frame, anywhere=self._anywhere, file=self.source.file)


def day_in(name: str) -> date | None:
    """The date in a file's name.

    >>> day_in("DLTB_20231231.shp"), day_in("地类图斑2023年12月31日.gpkg"), day_in("DLTB.shp"), day_in("D20230231.shp")
    (datetime.date(2023, 12, 31), datetime.date(2023, 12, 31), None, None)
    """
    match = _DAY.search(Path(name).stem)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:  # 31 February
        return None


def in_order(table: Table) -> Table:
    """Rows in the order of the file, whatever order its spatial index gives them in."""
    order = np.argsort(table.rows, kind="stable")
    columns = {name: column[order] for name, column in table.columns.items()}
    return replace(table, shapes=table.shapes[order], rows=table.rows[order], columns=columns)


def as_patches(shapes: np.ndarray) -> np.ndarray:
    """Shapes in one form whatever their file's: shells counterclockwise, a polygon where there is one part only."""
    turned = shapely.orient_polygons(shapes, exterior_cw=False)
    single = (shapely.get_type_id(turned) == shapely.GeometryType.MULTIPOLYGON) & (
        shapely.get_num_geometries(turned) == 1
    )
    if single.any():
        turned[single] = shapely.get_geometry(turned[single], 0)
    return np.asarray(turned, dtype=object)


def of_layer(spec: LayerSpec, options: ReadOptions) -> ReadOptions:
    """The options of a call as they hold for one of its layers: system and datum are those behind the layer's name."""
    return replace(options, frame=spec.frame, datum=spec.datum, swap_xy=spec.swap_xy, strict=False)


def _bounds(table: Table | None) -> Box:
    assert table is not None, "what has no extent was read wholly"
    return bounds_of(table)


def _years(column: Column | None) -> list[int]:
    """Plausible years of a 数据年份 column."""
    if column is None:
        return []
    return [int(v) for v in set(column) if isinstance(v, int | float) and v == v and 1990 <= v <= 2100]
