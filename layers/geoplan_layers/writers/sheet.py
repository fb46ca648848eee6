"""What is written: a sheet of layers in one coordinate system, and what writing it made.

Every format has one function ``write(sheet, path, options) -> Written``. It writes ``path`` (and what belongs to it)
and nothing else; `geoplan_layers.writers.deliver` gives it a folder of its own, reads the result back and moves it to
where the user wants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoplan.crs import Frame
from geoplan.messages import Lang, Message

Column = NDArray[np.object_]


@dataclass(frozen=True)
class SheetLayer:
    """Features of one layer.

    Parameters
    ----------
    name
        What a data set is called in files that hold several: plain ASCII for what the product itself makes.
    names
        One text a feature: the title of a placemark, of a plot (地块名称), of a CAD label.
    shapes
        Shapely geometries, x = east, y = north, 2-D, none missing or empty; polygons or multipolygons, and lines or
        points where a format can hold them.
    columns
        Attributes: one array a field, as long as ``shapes``; text, numbers, dates or None.
    groups
        One text a feature: the folder (KML) or CAD layer (DXF) that it goes into. Absent: ``name`` for all.
    """

    name: str
    names: Column
    shapes: NDArray[np.object_]
    columns: Mapping[str, Column] = field(default_factory=dict)
    groups: Column | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.names), len(self.shapes), *(len(column) for column in self.columns.values())}
        if self.groups is not None:
            lengths.add(len(self.groups))
        if len(lengths) != 1:
            raise ValueError(f"layer {self.name!r}: names, shapes and columns are of different lengths")

    @property
    def group_of(self) -> Column:
        """The group of each feature."""
        return np.full(len(self.shapes), self.name, dtype=object) if self.groups is None else self.groups

    @property
    def kinds(self) -> frozenset[str]:
        """Geometry types, without Multi."""
        return frozenset(each.geom_type.removeprefix("Multi") for each in self.shapes)


@dataclass(frozen=True)
class Sheet:
    """Layers in one coordinate system; ``frame`` is that of every coordinate.

    ``colours`` are those of groups, ``rrggbb``; a drawing gives the others colours in turn.
    """

    layers: tuple[SheetLayer, ...]
    frame: Frame
    colours: Mapping[str, str] = field(default_factory=dict)

    @property
    def shapes(self) -> NDArray[np.object_]:
        """The shapes of all layers."""
        found = [each.shapes for each in self.layers]
        return np.concatenate(found) if found else np.array([], dtype=object)

    @property
    def kinds(self) -> frozenset[str]:
        """Geometry types of all layers, without Multi."""
        return frozenset(kind for layer in self.layers for kind in layer.kinds)

    def with_shapes(self, shapes: Sequence[NDArray[np.object_]], frame: Frame) -> Sheet:
        """The same sheet with other geometry, one array a layer, in another system."""
        layers = (replace(each, shapes=new) for each, new in zip(self.layers, shapes, strict=True))
        return replace(self, layers=tuple(layers), frame=frame)


@dataclass(frozen=True)
class WriteOptions:
    """How to write: the language of labels, and a title for the whole."""

    lang: Lang = "zh"
    title: str = "geoplan"


@dataclass(frozen=True)
class Written:
    """The files that a format made, main file first, and what it renamed, cut or rounded."""

    paths: list[Path]
    notes: tuple[Message, ...] = ()
