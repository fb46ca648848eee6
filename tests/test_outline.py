# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""From cells to boundaries: one piece, clear of what is excluded, on the grid, along lines, without steps."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.measure import necks, polygons_of
from geoplan.search.criteria import OutlineCriterion
from geoplan.search.outline import boundary_of, faces, keeps_clear
from geoplan.shaping.clear import CLEARANCE

CELL = 30.0
RULES = OutlineCriterion(neck_m=30.0, edge_m=5.0, along=())
NOTHING = np.array([], dtype=object)
ROOM = shapely.box(-500, -500, 2500, 2500)


def disc(radius: float = 700.0, x: float = 1000.0, y: float = 1000.0) -> shapely.Polygon:
    """The cells of 30 m whose centre lies in a circle."""
    at = np.arange(0, 2000, CELL)
    west, south = (each.ravel() for each in np.meshgrid(at, at))
    inside = np.hypot(west + 15 - x, south + 15 - y) <= radius
    cells = shapely.union_all(shapely.box(west[inside], south[inside], west[inside] + CELL, south[inside] + CELL))
    assert isinstance(cells, shapely.Polygon)
    return cells


def test_steps_of_cells_are_gone_and_the_area_stays() -> None:
    cells = disc()
    found = boundary_of(cells, ROOM, NOTHING, RULES, CELL)
    assert found is not None
    edges = np.hypot(*np.diff(np.asarray(found.exterior.coords), axis=0).T)
    assert len(edges) < 40 < len(cells.exterior.coords)
    assert edges.min() > CELL
    assert abs(found.area / cells.area - 1) < 0.03


def test_small_patches_go_in_or_stay_out_whole() -> None:
    at = np.arange(0, 2000, 100.0)
    west, south = (each.ravel() for each in np.meshgrid(at, at))
    patches = shapely.box(west, south, west + 100, south + 100)
    found = boundary_of(disc(), ROOM, patches, RULES, CELL)
    assert found is not None
    steps = np.asarray(found.exterior.coords) % 100
    on_a_line = np.minimum(steps, 100 - steps) <= 0.0011
    assert on_a_line.any(axis=1).all()


def test_a_boundary_may_run_along_a_road() -> None:
    road = np.array([shapely.LineString([(0, 1602), (2000, 1602)])], dtype=object)
    pieces = faces(NOTHING, road, shapely.box(0, 0, 2000, 2000))
    assert len(pieces) == 2
    assert np.isclose(shapely.area(pieces).sum(), 4e6)


def test_excluded_ground_inside_stays_a_hole_and_other_holes_are_filled() -> None:
    ring = shapely.difference(disc(), shapely.box(900, 900, 1080, 1080))
    pond = shapely.box(700, 700, 800, 800)
    found = boundary_of(ring, shapely.difference(ROOM, pond), NOTHING, RULES, CELL)
    assert found is not None
    assert len(found.interiors) == 1
    assert shapely.distance(found, pond) >= CLEARANCE
    assert shapely.contains(found, shapely.Point(990, 990))


def test_nothing_of_the_width_asked_for_is_no_boundary() -> None:
    strip = shapely.box(0, 1000, 2000, 1020)
    assert boundary_of(disc(), strip, NOTHING, RULES, CELL) is None
    assert boundary_of(disc(), shapely.Polygon(), NOTHING, RULES, CELL) is None


@st.composite
def excluded(draw) -> shapely.Geometry:
    """Some farmland: rectangles at any angle and a circle, overlapping or not."""
    shapes = []
    for _ in range(draw(st.integers(1, 12))):
        x, y = draw(st.floats(100, 1900)), draw(st.floats(100, 1900))
        wide, high = draw(st.floats(5, 500)), draw(st.floats(5, 500))
        angle = draw(st.floats(0, 90))
        shapes.append(shapely.affinity.rotate(shapely.box(x, y, x + wide, y + high), angle))
    shapes.append(shapely.Point(draw(st.floats(0, 2000)), draw(st.floats(0, 2000))).buffer(draw(st.floats(1, 400))))
    return shapely.union_all(np.array(shapes, dtype=object))


@settings(max_examples=60)
@given(excluded())
def test_whatever_is_excluded_a_boundary_keeps_clear_of_it(ground: shapely.Geometry) -> None:
    free = polygons_of(shapely.difference(ROOM, ground))
    found = boundary_of(disc(), free, NOTHING, RULES, CELL)
    if found is None:
        return
    assert found.geom_type == "Polygon"
    assert found.is_valid
    assert shapely.area(shapely.intersection(found, ground)) == 0
    assert shapely.distance(found, ground) >= CLEARANCE - 1e-9
    assert keeps_clear(found, free)
    xy = shapely.get_coordinates(found)
    assert np.abs(xy - np.round(xy, 3)).max() < 1e-9
    assert all(neck.area < 1 for neck in necks(found, RULES.neck_m / 2))
