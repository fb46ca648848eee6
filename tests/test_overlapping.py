# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Overlaps within a layer against the plain way: every two patches whose boxes touch, cut by GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.measure import DEFAULT_ACCURACY, PRINTS_AS_ZERO, is_sliver, polygons_of, survey_areas
from geoplan.progress import Cancelled
from geoplan_layers.prepared.edges import Edges
from geoplan_layers.prepared.kernel import SHIFT, pack_of
from geoplan_layers.prepared.overlapping import Overlapping, overlapping
from test_kernel import PLANE, X, Y, comb, mesh, star


def plain_way(shapes: np.ndarray, unsure: float) -> tuple[dict[tuple[int, int], float], int, int, int]:
    """Area of each pair that prints as 0.01 m² or more beyond the shift of a common line; how many of them are slivers.

    And how many pairs, and of them slivers, lie so near to the limit that either answer is right.
    """
    first, second = shapely.STRtree(shapes).query(shapes)
    once = first < second
    first, second = first[once], second[once]
    pieces = np.array([polygons_of(each) for each in shapely.intersection(shapes[first], shapes[second])], dtype=object)
    areas = survey_areas(pieces, PLANE)
    beyond = areas - PRINTS_AS_ZERO - 4e-7 * np.minimum(shapely.length(shapes[first]), shapely.length(shapes[second]))
    real, near = np.flatnonzero(beyond >= unsure), np.flatnonzero(np.abs(beyond) < unsure)
    slivers = sum(is_sliver(each, DEFAULT_ACCURACY) for each in pieces[real])
    return {(int(first[i]), int(second[i])): float(areas[i]) for i in [*real, *near]}, slivers, len(real), len(near)


def looked(shapes: np.ndarray) -> Overlapping:
    pack = pack_of(shapes, PLANE)
    steps: list[tuple[float, float]] = []

    def progress(stage: str, done: float, total: float) -> None:
        assert stage == "overlaps"
        steps.append((done, total))

    found = overlapping(pack, Edges(pack), progress)
    assert steps == sorted(steps)
    assert all(done <= total for done, total in steps)
    assert not steps or steps[-1][0] == steps[-1][1]
    return found


def agrees(shapes: np.ndarray) -> int:
    """How many pairs both ways find."""
    within = 1e-3 + float(np.hypot(*SHIFT)) * float(shapely.length(shapes).max())
    expected, slivers, pairs, near = plain_way(shapes, within)
    found = looked(shapes)
    assert 0 <= found.pairs - pairs <= near
    assert 0 <= found.slivers - slivers <= near
    assert abs(found.area_m2 - sum(expected.values())) <= within * len(expected) + 0.02 * near
    for area, one, other, lon, lat in found.worst:
        assert abs(expected[min(one, other), max(one, other)] - area) <= within
        place = shapely.Point(*(v[0] for v in PLANE.from_lonlat(np.array([lon]), np.array([lat]))))
        assert shapely.dwithin(shapely.intersection(shapes[one], shapes[other]), place, 0.01)
    largest = sorted(expected.values(), reverse=True)[: len(found.worst)]
    assert np.allclose([each[0] for each in found.worst], largest, rtol=0, atol=within)
    return found.pairs


def moved(shapes: np.ndarray, x: float, y: float) -> np.ndarray:
    return np.asarray(shapely.transform(shapes, lambda xy: xy + np.array([x, y])), dtype=object)


def test_a_clean_mesh_has_none_and_only_its_rim_is_looked_at() -> None:
    shapes = mesh(30, 30, 1)
    assert agrees(shapes) == 0
    pack = pack_of(shapes, PLANE)
    assert 0 < (Edges(pack).alone > 0).sum() < 130


def test_ground_covered_twice_is_followed_to_its_end() -> None:
    """Two clean meshes over each other: inside both, every edge is shared and nothing but the rim stands out."""
    one = mesh(24, 18, 2)
    assert agrees(np.concatenate([one, moved(mesh(20, 20, 3), 400.0, 300.0)])) > 700
    assert agrees(np.concatenate([one, one])) == len(one)
    assert agrees(np.concatenate([one, shapely.box(*shapely.bounds(one[200:203]).T)])) > 20


def test_a_large_patch_over_many_and_one_that_leaves_them_out() -> None:
    shapes = mesh(40, 40, 4)
    ground = shapely.union_all(shapes)
    over = polygons_of(shapely.intersection(comb(X + 500, Y + 700, 900, 900.0), ground))
    assert shapely.get_num_coordinates(over) > 1_500
    assert agrees(np.concatenate([shapes, np.array([over], dtype=object)])) > 80
    kept = shapes[~shapely.intersects(shapes, over)]
    around = shapely.difference(ground, shapely.coverage_union_all(kept))
    assert agrees(np.concatenate([kept, np.array([polygons_of(around)], dtype=object)])) == 0


def test_slivers_are_told_apart() -> None:
    strips: list[shapely.Geometry] = [
        shapely.box(X + 20 * i, Y, X + 20 * i + 20 + w, Y + 200) for i, w in enumerate(np.geomspace(0.001, 2, 12))
    ]
    strips += [shapely.box(X + 300, Y - 50, X + 400, Y + 0.04), comb(X, Y + 199.97, 600, 250.0)]
    assert agrees(np.array(strips, dtype=object)) > 15


@given(seed=st.integers(0, 2**31), count=st.integers(0, 12), grown=st.integers(0, 8), doubled=st.integers(0, 60))
@settings(max_examples=25, deadline=None)
def test_any_layer(seed: int, count: int, grown: int, doubled: int) -> None:
    """A mesh with patches grown over their neighbours, patches drawn twice, and shapes thrown over it."""
    random = np.random.default_rng(seed)
    shapes = mesh(9, 9, seed)
    for i in random.integers(0, len(shapes), grown):
        shapes[i] = shapely.buffer(shapes[i], random.choice([0.02, 1.0, 25.0]), join_style="mitre")
    thrown = [
        star(
            random, X + random.uniform(0, 630), Y + random.uniform(0, 630), random.uniform(5, 300), 14, hole=bool(k % 2)
        )
        for k in range(count)
    ]
    begin = int(random.integers(0, 20))
    agrees(np.concatenate([shapes, shapes[begin : begin + doubled], np.array(thrown, dtype=object)]))


def test_it_stops_when_asked() -> None:
    pack = pack_of(np.concatenate([mesh(9, 9, 5), mesh(9, 9, 6)]), PLANE)

    def stopping(stage: str, done: float, total: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled, match="stopped as asked"):
        overlapping(pack, Edges(pack), stopping)


def test_one_patch_alone() -> None:
    assert looked(np.array([shapely.box(X, Y, X + 1, Y + 1)], dtype=object)).pairs == 0
