"""Pieces: what the patches of a layer share with a part of the proposal, each cut and measured once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.landuse import Generation, groups
from geoplan.layer import Amounts, Patches
from geoplan.measure import PRINTS_AS_ZERO, polygons_of, survey_areas
from geoplan.plane import Plane

Part = Literal["planning", "construction", "rest"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a patch shares with a part of the proposal; areas in m² by the survey formula."""

    id: str
    role: str
    part: Part
    patch: str
    code: str
    name: str
    groups: frozenset[str]
    drawn: shapely.Geometry | Callable[[], shapely.Geometry]
    area: float
    net_area: float
    share: float
    sliver: bool
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> shapely.Geometry:
        """The piece on the plane of the check."""
        return self.drawn() if callable(self.drawn) else self.drawn


def pieces_of(found: Amounts, role: str, part: Part, whole: float, generation: Generation | None) -> tuple[Piece, ...]:
    """What patches share with a part of so many m², as pieces numbered in their order."""
    patches, areas = found.patches, found.areas
    return tuple(
        Piece(
            id=f"{role}.{part}.{i + 1}",
            role=role,
            part=part,
            patch=str(patches.ids[i]),
            code=str(patches.codes[i]),
            name=str(patches.names[i]),
            groups=groups(str(patches.codes[i]), generation) if generation else frozenset(),
            drawn=partial(found.draw, i),
            area=float(areas[i]),
            net_area=float(areas[i] * patches.net_factor[i]),
            share=float(areas[i] / whole) if whole else 0.0,
            sliver=bool(found.slivers[i]),
            attributes={name: str(texts[i]) for name, texts in patches.attributes.items()},
        )
        for i in range(len(patches))
    )


def cut(
    patches: Patches, shape: shapely.Geometry, plane: Plane
) -> tuple[Patches, NDArray[np.object_], NDArray[np.float64]]:
    """The patches that overlap a shape, what they share with it, and its areas (m², survey formula).

    Patches wholly inside are taken whole, with the area that their layer keeps if it keeps one (the same figure, taken
    once); only those on the border are cut. What prints as 0.00 m² is contact and
    is left out.
    """
    shapely.prepare(shape)
    hit = patches.take(np.flatnonzero(shapely.intersects(shape, patches.shapes)))
    pieces = hit.shapes.copy()
    border = np.flatnonzero(~shapely.covers(shape, pieces))
    pieces[border] = _shared(pieces[border], shape)
    if len(hit.whole_areas):
        areas = hit.whole_areas.copy()
        areas[border] = survey_areas(pieces[border], plane)
    else:
        areas = survey_areas(pieces, plane)
    real = np.flatnonzero(areas >= PRINTS_AS_ZERO)
    return hit.take(real), pieces[real], areas[real]


_FEW_VERTICES, _FEW_PATCHES, _MARGIN = 5_000, 4, 1.0


def _shared(patches: NDArray[np.object_], shape: shapely.Geometry) -> NDArray[np.object_]:
    """What each patch shares with a shape.

    One intersection costs as much as the shape has vertices, so patches are halved by place until each half meets a
    shape of few vertices: the part of it within the half's bounds and a margin, beyond which nothing can be shared.
    """
    if len(patches) <= _FEW_PATCHES or shapely.get_num_coordinates(shape) <= _FEW_VERTICES:
        shared = shapely.intersection(patches, shape)
        return np.array([polygons_of(piece) for piece in shared] + [None], dtype=object)[:-1]
    bounds = shapely.bounds(patches)
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    near = shapely.intersection(shape, shapely.box(*(low - _MARGIN), *(high + _MARGIN)))
    longer = int(np.argmax(high - low))
    middle = bounds[:, longer] + bounds[:, longer + 2]
    order = np.argsort(middle, kind="stable")
    found = np.empty(len(patches), dtype=object)
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        found[half] = _shared(patches[half], near)
    return found
