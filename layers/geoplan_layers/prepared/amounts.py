"""What one shape shares with a prepared layer, measured in bulk: which pieces there are exactly, their areas by kernel.

A kernel's area lies within 1e-3 m² of the cut piece's. Whatever could be a sliver, or could print as 0.00 m², is cut by
GEOS and measured as a report has it, so that no verdict rests on the difference.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import shapely

from geoplan.layer import Amounts, Patches
from geoplan.measure import is_sliver
from geoplan.pieces import cut
from geoplan_layers.prepared.kernel import shared_areas
from geoplan_layers.prepared.pack import Floats, Integers, Pack, ranges

_LEAST = 1e-3
"""m² from which the kernel's pieces are looked at: what prints as 0.01 m² is never below it."""
_SURE = 1.05
"""How far an area lies above what a sliver of that outline could have: the scale of the plane and rounding are less."""


def amounts_of(pack: Pack, shape: shapely.Geometry, accuracy: float) -> Amounts:
    """Pieces that a shape of the layer's own plane shares with its patches, in the order of the layer's file."""
    shared = shared_areas(np.array([shape], dtype=object), pack, least=_LEAST)
    order = np.argsort(pack.rows[shared.patches], kind="stable")
    index, areas, whole = shared.patches[order], shared.areas[order].copy(), shared.whole[order]
    outline = perimeters(pack, index) + np.where(whole, 0.0, float(shapely.length(shape)))
    doubtful = np.flatnonzero(areas < _SURE * accuracy * outline)
    kept, slivers = np.ones(len(index), dtype=bool), np.zeros(len(index), dtype=bool)
    kept[doubtful] = False
    pieces: dict[int, shapely.Geometry] = {}
    if len(doubtful):
        hit, drawn, exact = cut(_bare(pack, index[doubtful]), shape, pack.plane)
        where = doubtful[hit.ids.astype(np.int64)]
        kept[where], areas[where] = True, exact
        slivers[where] = [is_sliver(piece, accuracy) for piece in drawn]
        pieces = dict(zip(index[where].tolist(), drawn, strict=True))
    index = index[kept]

    @cache
    def draw(i: int) -> shapely.Geometry:
        if int(index[i]) in pieces:
            return pieces[int(index[i])]
        piece: shapely.Geometry = cut(_bare(pack, index[i : i + 1]), shape, pack.plane)[1][0]
        return piece

    return Amounts(_named(pack, index), areas[kept], slivers[kept], draw)


def perimeters(pack: Pack, index: Integers) -> Floats:
    """Length of all rings of some patches, m."""
    parts, part_of = ranges(pack.patches, index)
    rings, ring_of = ranges(pack.parts, parts)
    vertices, vertex_of = ranges(pack.rings, rings)
    xy = pack.xy[vertices]
    lengths = np.hypot(*(xy[1:] - xy[:-1]).T)
    same = vertex_of[1:] == vertex_of[:-1]
    owner = part_of[ring_of[vertex_of[1:]]]
    return np.asarray(np.bincount(owner[same], weights=lengths[same], minlength=len(index)), dtype=np.float64)


def _bare(pack: Pack, index: Integers) -> Patches:
    """Some patches to be cut, numbered by their place in ``index``."""
    nothing = np.full(len(index), "", dtype=object)
    return Patches(pack.shapes(index), np.arange(len(index)).astype(object), nothing, nothing, np.ones(len(index)))


def _named(pack: Pack, index: Integers) -> Patches:
    """Some patches without their shapes."""
    ids, codes, names = pack.texts(index)
    shapes = np.full(len(index), None, dtype=object)
    return Patches(shapes, ids, codes, names, pack.net[index].astype(float), pack.attribute_texts(index))
