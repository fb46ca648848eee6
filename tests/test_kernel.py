# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The overlap kernel against GEOS, patch by patch: every pair above 0.01 m², areas within 1e-3 m².

What one run compares (planar / on the ellipsoid): 30 random proposals with holes on 1,000 patches with holes and several
parts; 300 proposals along the edges of their patches; 60 slivers; two zones; long outlines on long
ones. The counts are asserted, so that a test cannot pass by comparing nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FRAME
from geoplan.measure import polygons_of, survey_areas
from geoplan.plane import Plane
from geoplan_layers.prepared import kernel
from geoplan_layers.prepared.pack import Pack

PLANE = Plane(120)
X, Y = 640_000.0, 3_550_000.0
"""140 km east of the central meridian, where the scale of the plane matters most."""
ABOVE = 0.01
WITHIN = 1e-3


def star(random: np.random.Generator, x: float, y: float, radius: float, corners: int, hole: bool) -> shapely.Geometry:
    angle = np.sort(random.uniform(0, 2 * np.pi, corners))
    reach = radius * random.uniform(0.5, 1, corners)
    drawn = shapely.Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)]))
    shape = shapely.make_valid(drawn)
    return polygons_of(shape.difference(shapely.Point(x, y).buffer(radius * 0.2)) if hole else shape)


def stars(seed: int, count: int, extent: float, radius: tuple[float, float], corners: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = np.empty(count, dtype=object)
    for i in range(count):
        x, y = X + random.uniform(0, extent), Y + random.uniform(0, extent)
        made[i] = star(random, x, y, random.uniform(*radius), int(random.integers(*corners)), random.random() < 0.3)
    return made


def by_geos(
    proposals: np.ndarray, patches: np.ndarray, ellipsoidal: bool, plane: Plane
) -> dict[tuple[int, int], float]:
    first, second = shapely.STRtree(patches).query(proposals, predicate="intersects")
    pieces = np.array([polygons_of(g) for g in shapely.intersection(proposals[first], patches[second])], dtype=object)
    areas = survey_areas(pieces, plane) if ellipsoidal else shapely.area(pieces)
    return {(int(i), int(j)): float(a) for i, j, a in zip(first, second, areas, strict=True) if a > ABOVE}


def compared(
    proposals: np.ndarray, patches: np.ndarray, *, ellipsoidal: bool, plane: Plane = PLANE, within: float = WITHIN
) -> tuple[int, float]:
    """How many pairs agree, and the worst difference of an area; pairs that one side alone has fail the test."""
    expected = by_geos(proposals, patches, ellipsoidal, plane)
    shared = kernel.shared_areas(proposals, kernel.pack_of(patches, plane), ellipsoidal=ellipsoidal)
    listed = zip(shared.proposals, shared.patches, shared.areas, strict=True)
    found = {(int(i), int(j)): float(a) for i, j, a in listed}
    differing = {p for p in expected.keys() ^ found.keys() if abs(expected.get(p, 0) - found.get(p, 0)) > within}
    assert {p for p in differing if max(expected.get(p, 0), found.get(p, 0)) > ABOVE} == set()
    worst = max((abs(expected[p] - found[p]) for p in expected.keys() & found.keys()), default=0.0)
    assert worst < within
    return len(expected.keys() & found.keys()), worst


def mesh(columns: int, rows: int, seed: int) -> np.ndarray:
    """Patches that share their edges exactly, by row and column."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(columns + 1) * 70.0, np.arange(rows + 1) * 70.0)
    x, y = X + x + random.uniform(-20, 20, x.shape), Y + y + random.uniform(-20, 20, y.shape)
    nodes = np.stack([x, y], axis=-1)
    rings = np.stack([nodes[:-1, :-1], nodes[:-1, 1:], nodes[1:, 1:], nodes[1:, :-1]], axis=2)
    return np.asarray(shapely.polygons(rings.reshape(-1, 4, 2)), dtype=object)


@pytest.mark.parametrize("ellipsoidal", [False, True])
def test_random_proposals_and_patches_with_holes_and_several_parts(ellipsoidal: bool) -> None:
    patches = stars(1, 1000, 8_000, (30, 300), (8, 60))
    for i in range(0, 1000, 40):
        away = shapely.transform(patches[i], lambda xy: xy + np.array([700.0, 300.0]))
        patches[i] = polygons_of(shapely.union(patches[i], away))
    pairs, worst = compared(stars(2, 30, 8_000, (900, 1100), (200, 900)), patches, ellipsoidal=ellipsoidal)
    print(f"random: {pairs} pairs, worst {worst:.1e} m2")
    assert pairs > 1500


def test_300_of_300_proposals_that_run_exactly_along_the_edges_of_patches() -> None:
    columns = 60
    patches = mesh(columns, columns, 3)
    random = np.random.default_rng(4)
    proposals = np.empty(300, dtype=object)
    for k in range(300):
        (i, j), (w, h) = random.integers(2, 40, 2), random.integers(3, 15, 2)
        taken = ((np.arange(j, j + h)[:, None]) * columns + np.arange(i, i + w)).ravel()
        union = shapely.coverage_union_all(patches[taken[random.random(len(taken)) < 0.9]])
        proposals[k] = union if k % 2 else shapely.Polygon(max(shapely.get_parts(union), key=lambda p: p.area).exterior)
    pairs, worst = compared(proposals, patches, ellipsoidal=False)
    print(f"along edges: 300 proposals, {pairs} pairs, worst {worst:.1e} m2")
    assert pairs > 20_000


def test_slivers_and_what_prints_as_zero() -> None:
    """Strips of 1 mm to 10 cm along proposals: those above 0.01 m² are there, contact is not."""
    widths = np.geomspace(0.001, 0.1, 60)
    patches = np.array([shapely.box(X, Y + 10 * i - w, X + 300, Y + 10 * i + 5) for i, w in enumerate(widths)])
    proposals = np.array([shapely.box(X - 50, Y + 10 * i - 4, X + 350, Y + 10 * i) for i in range(60)])
    pairs, _ = compared(proposals, patches, ellipsoidal=False)
    assert pairs == 60
    touching = np.array([shapely.box(X, Y, X + 100, Y + 100)])
    beside = np.array([shapely.box(X + 100, Y, X + 200, Y + 100)])
    assert len(kernel.shared_areas(beside, kernel.pack_of(touching, PLANE)).areas) == 0


def test_two_zones_give_the_ground_the_same_area() -> None:
    """The same ground on two planes: each agrees with GEOS on its own plane, and both with each other to 1 in a million."""
    here = stars(5, 300, 4_000, (30, 300), (8, 40))
    proposals = stars(6, 10, 4_000, (900, 1000), (100, 300))

    def moved(shapes: np.ndarray) -> np.ndarray:
        return np.asarray(Plane(123).bring(shapes, FRAME), dtype=object)

    totals = []
    for plane, p, q in ((PLANE, proposals, here), (Plane(123), moved(proposals), moved(here))):
        pairs, _ = compared(p, q, ellipsoidal=True, plane=plane)
        assert pairs > 200
        totals.append(kernel.shared_areas(p, kernel.pack_of(q, plane)).areas.sum())
    assert totals[0] == pytest.approx(totals[1], rel=1e-6)


def test_the_answer_does_not_depend_on_threads() -> None:
    patches, proposals = stars(7, 600, 5_000, (30, 300), (8, 60)), stars(8, 50, 5_000, (400, 900), (50, 300))
    pack = kernel.pack_of(patches, PLANE)
    one, two = (kernel.shared_areas(proposals, pack, threads=n) for n in (1, 2))
    assert len(one.areas) > 1000
    assert np.array_equal(one.areas, two.areas)
    assert np.array_equal(one.patches, two.patches)


def comb(x: float, y: float, teeth: int, depth: float, holes: int = 0) -> shapely.MultiPolygon:
    """A long outline of which much lies in few cells of a grid."""
    at = x + np.arange(2 * teeth + 1) * 0.5
    upper = np.column_stack([at, y + np.where(np.arange(len(at)) % 2, depth, 20.0)])
    shape = shapely.Polygon([*upper, (at[-1], y), (at[0], y)])
    bored = [shapely.Point(x + 8 + 12 * i, y + 9).buffer(4) for i in range(holes)]
    return polygons_of(shapely.difference(shape, shapely.union_all(bored)))


@pytest.mark.parametrize("ellipsoidal", [False, True])
def test_long_outlines_on_long_ones(ellipsoidal: bool) -> None:
    """Outlines of 800 to 8,000 vertices, some with holes and parts, two drawn along each other."""
    made: list[shapely.Geometry] = [comb(X + 7.1 * i, Y + 13.3 * i, 1_000 + 100 * i, 60.0 + i, 20) for i in range(10)]
    low = comb(X + 1.7, Y + 40, 400, 21.0)
    made += [low, shapely.difference(shapely.box(*low.bounds), low)]
    made += [shapely.union(made[2], comb(X - 900, Y, 700, 90))]
    made += list(stars(12, 4, 900, (300, 700), (700, 1_500)))
    shapes = np.array([polygons_of(each) for each in made], dtype=object)
    aside = np.asarray(shapely.transform(shapes, lambda xy: xy + np.array([3.3, 1.9])))
    shifted = float(np.hypot(*kernel.SHIFT)) * shapely.length(shapes).max()
    pairs, worst = compared(shapes, aside, ellipsoidal=ellipsoidal, within=WITHIN + shifted)
    assert compared(shapes[[10]], shapes[[11]], ellipsoidal=ellipsoidal) == (0, 0.0)
    print(f"long: {pairs} pairs, worst {worst:.1e} m2")
    assert pairs > 120


def test_whole_patches_are_told_and_have_the_area_that_was_stored() -> None:
    patches = mesh(10, 10, 9)
    pack = kernel.pack_of(patches, PLANE)
    shared = kernel.shared_areas(np.array([shapely.box(X - 500, Y - 500, X + 2000, Y + 400)]), pack)
    inside = shapely.contains_properly(shapely.box(X - 500, Y - 500, X + 2000, Y + 400), patches)
    assert set(shared.patches[shared.whole]) == set(np.flatnonzero(inside))
    assert np.array_equal(shared.areas[shared.whole], pack.areas[shared.patches[shared.whole]])


def test_arrays_that_the_system_maps_give_the_same_answer(tmp_path: Path) -> None:
    patches, proposals = stars(10, 200, 3_000, (30, 300), (8, 30)), stars(11, 5, 3_000, (500, 900), (50, 200))
    pack = kernel.pack_of(patches, PLANE)
    arrays = {}
    for name in ("xy", "rings", "parts", "patches", "boxes", "groups", "areas"):
        np.save(tmp_path / f"{name}.npy", getattr(pack, name))
        arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    mapped = Pack(**{**vars(pack), **arrays})
    assert np.array_equal(kernel.shared_areas(proposals, mapped).areas, kernel.shared_areas(proposals, pack).areas)


def test_nothing_asked_and_nothing_there() -> None:
    pack = kernel.pack_of(mesh(2, 2, 1), PLANE)
    assert len(kernel.shared_areas(np.array([], dtype=object), pack).areas) == 0
    far = np.array([shapely.box(0, 0, 1, 1)])
    assert len(kernel.shared_areas(far, pack).areas) == 0


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    snapped=st.booleans(),
    corners=st.integers(3, 40),
    ellipsoidal=st.booleans(),
)
def test_any_proposal_on_a_mesh(seed: int, snapped: bool, corners: int, ellipsoidal: bool) -> None:
    """Corners anywhere, or exactly on the mesh's own nodes."""
    patches = mesh(8, 8, seed)
    random = np.random.default_rng(seed)
    nodes = np.unique(shapely.get_coordinates(patches), axis=0)
    chosen = nodes[random.integers(0, len(nodes), corners)] if snapped else X + random.uniform(0, 560, (corners, 2))
    if not snapped:
        chosen[:, 1] += Y - X
    proposal = polygons_of(shapely.make_valid(shapely.Polygon(chosen)))
    if not proposal.is_empty:
        compared(np.array([proposal], dtype=object), patches, ellipsoidal=ellipsoidal)


def test_compiled_code_is_kept_where_the_user_can_write(tmp_path: Path) -> None:
    """Below the home folder; where that cannot be, in a passing folder, and the kernel works all the same."""
    from geoplan_layers.prepared.compiling import kept_in

    assert kept_in(str(tmp_path)).parent == tmp_path / "compiled"
    (tmp_path / "file").write_text("no folder")
    passing = kept_in(str(tmp_path / "file"))
    assert passing.name.startswith("geoplan-compiled-")
    passing.rmdir()


def test_a_check_does_not_load_the_compiler() -> None:
    code = "import geoplan_api.inquiry, geoplan_layers.prepared.pack, sys; sys.exit('numba' in sys.modules)"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


def test_warming_in_the_background_lets_the_caller_go_on() -> None:
    thread = kernel.warm(wait=False)
    thread.join(120)
    assert not thread.is_alive()
