"""Areas shared by many polygons and a prepared layer, in bulk: which are in, out or cut, and how much is shared.

Proposals often run exactly along parcel edges, where "inside" is undecided. Every proposal is therefore shifted by
less than half a micrometre in a fixed direction, which removes all coincidences; the effect on an area is below
4e-7 m × the length of the outline.

Figures of reports never come from here: they are GEOS's cut pieces measured by the survey formula. Importing this
module loads numba, and the first call compiles or loads what was compiled before (`warm`); ``geoplan check`` does
neither. Patches are valid: what is not is quarantined when a layer is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.measure import PRINTS_AS_ZERO, survey_areas
from geoplan.plane import Plane
from geoplan_layers.prepared.green import Patchwork, candidates, measured, ring_sums
from geoplan_layers.prepared.grid import Outlines
from geoplan_layers.prepared.pack import Floats, Integers, Pack, group_boxes, ranges

METHOD = "kernel"
"""The method of measurement that a figure from here is marked with."""
SHIFT = np.array([3.1e-7, 1.7e-7])
"""Metres by which proposals are shifted, so that no edge of theirs lies exactly on a parcel's."""
_AT_ONCE = 16
"""Proposals that a thread takes at a time."""
_A, _E2 = 6378137.0, 0.00669438002290
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Shared:
    """What proposals share with patches: arrays of equal length, by proposal and then by patch.

    ``areas`` in m² (``method: kernel``); ``whole`` says that the patch lies wholly inside.
    """

    proposals: Integers
    patches: Integers
    areas: Floats
    whole: NDArray[np.bool_]


def shared_areas(
    proposals: Objects,
    pack: Pack,
    *,
    ellipsoidal: bool = True,
    threads: int = 1,
    least: float = PRINTS_AS_ZERO,
) -> Shared:
    """Area that each proposal shares with each patch.

    Parameters
    ----------
    proposals
        Valid polygons or multipolygons on the pack's plane.
    ellipsoidal
        Areas on the CGCS2000 ellipsoid, else on the plane.
    threads
        Threads to use. The answer does not depend on it.
    least
        m² below which what is shared is contact and left out.

    Returns
    -------
    Shared
        Pairs that share at least ``least``. Within 1e-3 m² of GEOS's cut piece
        measured by the survey formula.
    """
    if len(proposals) == 0 or len(pack) == 0:
        nothing = np.empty(0, np.int64)
        return Shared(nothing, nothing, np.empty(0), np.empty(0, np.bool_))
    outlines = _outlines(proposals)
    centres = shapely.get_coordinates(shapely.centroid(proposals))
    densities = _densities(centres, pack.plane) if ellipsoidal else np.zeros(len(proposals))
    work = patchwork(pack, ellipsoidal=ellipsoidal)
    count = len(proposals)
    counts = np.zeros(count + 1, np.int64)
    _divided(lambda a, b: candidates(outlines, work, a, b, counts, np.empty(0, np.int64)), count, threads)
    base = np.concatenate(([0], np.cumsum(counts[:-1])))
    which, found, whole = np.zeros(base[-1], np.int64), np.zeros(base[-1]), np.zeros(base[-1], np.bool_)
    if len(which):
        _divided(lambda a, b: candidates(outlines, work, a, b, base, which), count, threads)
        _divided(lambda a, b: measured(outlines, work, densities, a, b, base, which, found, whole), count, threads)
    kept = found >= least
    return Shared(np.repeat(np.arange(count), counts[:-1])[kept], which[kept], found[kept], whole[kept])


def areas_of_pairs(pack: Pack, work: Patchwork, asked: Integers, base: Integers, others: Integers) -> Floats:
    """Area on the ellipsoid that patches of a pack share with others of it, m².

    Parameters
    ----------
    asked
        Patches; the q-th is held against ``others[base[q]:base[q + 1]]``.

    Returns
    -------
    Floats
        One area for each of ``others``, as `shared_areas` gives it.
    """
    parts, part_of = ranges(pack.patches, asked)
    rings, ring_of = ranges(pack.parts, parts)
    vertices, vertex_of = ranges(pack.rings, rings)
    offsets = np.searchsorted(vertex_of, np.arange(len(rings) + 1)).astype(np.int64)
    owners = np.searchsorted(part_of[ring_of], np.arange(len(asked) + 1)).astype(np.int64)
    outlines = Outlines(np.ascontiguousarray(pack.xy[vertices] + SHIFT), offsets, owners)
    boxes = pack.boxes[asked]
    densities = _densities((boxes[:, :2] + boxes[:, 2:]) / 2, pack.plane)
    found, whole = np.zeros(len(others)), np.zeros(len(others), np.bool_)
    measured(outlines, work, densities, 0, len(asked), base, others, found, whole)
    return found


def _divided(run: Callable[[int, int], object], count: int, threads: int) -> None:
    """Run over ``0:count`` in slices, in several threads: the compiled functions let go of the GIL."""
    if threads <= 1 or count <= _AT_ONCE:
        run(0, count)
        return
    starts = range(0, count, _AT_ONCE)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda a: run(a, min(a + _AT_ONCE, count)), starts))


def _outlines(proposals: Objects) -> Outlines:
    turned = shapely.orient_polygons(proposals, exterior_cw=False)
    parts, part_of = shapely.get_parts(turned, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    xy, vertex_of = shapely.get_coordinates(rings, return_index=True)
    offsets = np.searchsorted(vertex_of, np.arange(len(rings) + 1))
    owners = np.searchsorted(part_of[ring_of], np.arange(len(proposals) + 1))
    return Outlines(np.ascontiguousarray(xy + SHIFT), offsets.astype(np.int64), owners.astype(np.int64))


def _densities(centres: Floats, plane: Plane) -> Floats:
    """1 / (M·N) at the latitude of each centre, m⁻²: what the scale of the plane depends on."""
    _, latitude = plane.to_lonlat(centres[:, 0], centres[:, 1])
    bent = 1 - _E2 * np.sin(np.radians(latitude)) ** 2
    return np.asarray(bent**2 / (_A**2 * (1 - _E2)))


def patchwork(pack: Pack, *, ellipsoidal: bool = True) -> Patchwork:
    """The arrays of a pack, all read-only, so that mapped ones and others are one type to the compiler."""
    upper, areas = group_boxes(pack.groups), pack.areas
    arrays = (pack.xy, pack.rings, pack.parts, pack.patches, pack.boxes, pack.groups, upper, areas)
    work = Patchwork(*(_read_only(each) for each in arrays))
    return work if ellipsoidal else work._replace(areas=_read_only(ring_sums(work)))


def _read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    view = np.ascontiguousarray(array).view(np.ndarray)
    view = view[:]
    view.flags.writeable = False
    return view


def warm(*, wait: bool = True) -> Thread:
    """Compile everything, or load it from the disk, in a thread of its own: what services and workers call on starting.

    Parameters
    ----------
    wait
        Return when it is done; otherwise at once, and `Thread.join` waits.
    """
    thread = Thread(target=_compile, name="geoplan-kernel", daemon=True)
    thread.start()
    if wait:
        thread.join()
    return thread


def _compile() -> None:
    pack = pack_of([shapely.box(0, 0, 1, 1)], Plane(120))
    shared_areas(np.array([shapely.box(0.5, 0.5, 2, 2)], dtype=object), pack, ellipsoidal=False)


def pack_of(shapes: Sequence[shapely.Geometry] | Objects, plane: Plane) -> Pack:
    """A pack in memory of some valid polygons on a plane, without codes: for layers too small to be prepared."""
    turned = shapely.orient_polygons(np.array(list(shapes), dtype=object), exterior_cw=False)
    parts, part_of = shapely.get_parts(turned, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    xy, vertex_of = shapely.get_coordinates(rings, return_index=True)
    boxes, count = np.ascontiguousarray(shapely.bounds(turned)), len(turned)
    nothing = np.zeros(count, np.int32)
    return Pack(
        plane,
        np.ascontiguousarray(xy),
        np.searchsorted(vertex_of, np.arange(len(rings) + 1)).astype(np.int64),
        np.searchsorted(ring_of, np.arange(len(parts) + 1)).astype(np.int64),
        np.searchsorted(part_of, np.arange(count + 1)).astype(np.int64),
        boxes,
        group_boxes(boxes),
        survey_areas(turned, plane),
        np.ones(count),
        nothing,
        nothing,
        np.zeros(0, np.uint8),
        np.zeros(count, np.int64),
        ("",),
        ("",),
        rows=np.arange(count),
    )
