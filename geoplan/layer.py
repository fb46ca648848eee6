"""Reference layers as the domain sees them: patches on the plane of a check, and where the layer knows the ground."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Source
from geoplan.crs import Array
from geoplan.landuse import Generation, groups
from geoplan.messages import Message
from geoplan.plane import Plane

Objects = NDArray[np.object_]

UNION_ROLES = frozenset(
    {"land-use", "planned-land-use", "construction-control-zones", "land-use-zones", "counties", "land-cover"}
)
"""Roles whose undeclared coverage is assumed to be the union of their patches; for all others their bounding box."""
ATTRIBUTES = ("ownership", "owner", "village")
"""What patches may carry besides a class: 权属性质 (QSXZ), 权属单位名称 (QSDWMC), 坐落单位名称 (ZLDWMC)."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Patches of a layer near a boundary: arrays of equal length, geometries on the plane of the check.

    ``codes`` are class or zone codes as written, ``names`` their written names, ``net_factor`` the share that is
    not ridge (1 − 扣除系数). ``attributes`` are further texts as written, of `ATTRIBUTES`: only those whose field the
    layer has. ``whole_areas`` are the survey areas of whole patches (m², unrounded, on the same plane) where the layer
    keeps them; empty where it does not.
    """

    shapes: Objects
    ids: Objects
    codes: Objects
    names: Objects
    net_factor: Array
    attributes: Mapping[str, Objects] = field(default_factory=dict)
    whole_areas: Array = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.shapes)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Patches:
        """Some of the patches, by index or mask."""
        return Patches(
            self.shapes[which],
            self.ids[which],
            self.codes[which],
            self.names[which],
            self.net_factor[which],
            {name: texts[which] for name, texts in self.attributes.items()},
            self.whole_areas[which] if len(self.whole_areas) else self.whole_areas,
        )

    def of(self, classes: Iterable[str], generation: Generation) -> Patches:
        """The patches whose code belongs to one of the groups of land, in the generation of their layer."""
        wanted = frozenset(classes)
        return self.take(np.array([bool(groups(str(code), generation) & wanted) for code in self.codes], dtype=bool))

    @classmethod
    def none(cls) -> Patches:
        """No patches."""
        empty = np.array([], dtype=object)
        return cls(empty, empty, empty, empty, np.array([], dtype=float))

    @classmethod
    def together(cls, several: list[Patches]) -> Patches:
        """Patches of several layers of one role; an attribute that one of them lacks is '' there."""
        if not several:
            return cls.none()
        names = [name for name in ATTRIBUTES if any(name in each.attributes for each in several)]
        return cls(
            np.concatenate([each.shapes for each in several]),
            np.concatenate([each.ids for each in several]),
            np.concatenate([each.codes for each in several]),
            np.concatenate([each.names for each in several]),
            np.concatenate([each.net_factor for each in several]),
            {name: np.concatenate([each.attribute(name) for each in several]) for name in names},
            np.concatenate([each.whole_areas for each in several])
            if all(len(each.whole_areas) == len(each) for each in several)
            else np.zeros(0),
        )

    def attribute(self, name: str) -> Objects:
        """One of `ATTRIBUTES` for each patch; '' where the layer has no such field."""
        found = self.attributes.get(name)
        return np.full(len(self), "", dtype=object) if found is None else found


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where a layer knows the ground: declared by its owner, or assumed from its patches."""

    area: shapely.Geometry
    origin: Literal["declared", "assumed"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a shape shares with patches of a layer, measured in bulk: no piece is drawn before somebody asks for it.

    ``patches`` stand without their shapes; ``areas`` in m²; ``slivers`` are known exactly; ``draw`` gives a piece.
    """

    patches: Patches
    areas: Array
    slivers: NDArray[np.bool_]
    draw: Callable[[int], shapely.Geometry]


@runtime_checkable
class MeasuredInBulk(Protocol):
    """A layer that can say what a shape shares with its patches without cutting them."""

    def amounts(self, shape: shapely.Geometry, plane: Plane, accuracy: float) -> Amounts | None:
        """What prints as more than 0.00 m², in the order of the layer; none where the plane is not the layer's."""
        ...


class Layer(Protocol):
    """A reference layer: a role, a version (hash), a date, and its patches.

    ``coded`` says that the patches carry a class or zone code; ``generation`` which standard gives the codes their
    meaning, none where neither fields nor the user decide it.
    """

    @property
    def role(self) -> str:
        """Which layer it serves as."""
        ...

    @property
    def source(self) -> Source:
        """The file and its hash."""
        ...

    @property
    def day(self) -> date | None:
        """Date of the data."""
        ...

    @property
    def valid_until(self) -> date | None:
        """The last day on which the layer is said to hold, where its owner says so."""
        ...

    @property
    def invented(self) -> bool:
        """Whether the data are made up."""
        ...

    @property
    def generation(self) -> Generation | None:
        """Standard of the codes."""
        ...

    @property
    def coded(self) -> bool:
        """Whether patches carry a class or zone."""
        ...

    @property
    def notes(self) -> tuple[Message, ...]:
        """What reading assumed or mended."""
        ...

    @property
    def coverage_source(self) -> Source | None:
        """File of the declared coverage."""
        ...

    @property
    def crs(self) -> str:
        """Coordinate system of the file, as reports name it."""
        ...

    def within(self, window: shapely.Polygon, plane: Plane) -> Patches:
        """The patches that touch ``window`` (a polygon of ``plane``), on the plane."""
        ...

    def declared(self, plane: Plane) -> shapely.Geometry | None:
        """The declared coverage on the plane, or none."""
        ...

    def extent(self, plane: Plane) -> shapely.Geometry:
        """Bounding box of all patches of the layer, on the plane."""
        ...
