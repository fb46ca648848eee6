# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""The survey's ellipsoidal area, slivers, distances, necks."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HUZHOU, PLACES, box
from geoplan.measure import area_error, is_sliver, nearest, necks, polygons_of, survey_area, survey_areas
from geoplan.messages.units import floor_to, half_up, number
from geoplan.plane import GEOD, Plane


def geodesic_area(shape: shapely.Geometry, plane: Plane) -> float:
    """Area of the outline, densified to 1 m on the plane, by GeographicLib: an independent way to the same figure."""
    total = 0.0
    for part in shapely.get_parts(shape):
        for i, ring in enumerate(shapely.get_rings(part)):
            xy = shapely.get_coordinates(shapely.segmentize(ring, 1.0))
            lon, lat = plane.to_lonlat(xy[:, 0], xy[:, 1])
            area = abs(GEOD.polygon_area_perimeter(lon, lat)[0])
            total += area if i == 0 else -area
    return total


def turned_square(
    plane: Plane, lon: float, lat: float, area: float, angle: float, dx: float, dy: float
) -> shapely.Polygon:
    (x,), (y,) = plane.from_lonlat(np.array([lon]), np.array([lat]))
    half = area**0.5 / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return shapely.Polygon(corners @ turn.T + [x + dx, y + dy])


@pytest.mark.parametrize("place", PLACES)
def test_three_square_kilometres_measure_within_a_hundredth_of_a_square_metre(place: str) -> None:
    lon, lat = PLACES[place]
    plane = Plane.around(lon)
    random = np.random.default_rng(3)
    worst = 0.0
    for i in range(51):
        angle, dx, dy = (0.0, 0.0, 0.0) if i == 0 else (random.uniform(0, np.pi), *random.uniform(-20_000, 20_000, 2))
        shape = turned_square(plane, lon, lat, 3e6, angle, dx, dy)
        worst = max(worst, abs(survey_area(shape, plane) - geodesic_area(shape, plane)))
    assert worst < 0.01


@pytest.mark.parametrize(("place", "excess"), [("huzhou", 5), ("nantong", 488), ("qidong", 1209), ("liuzhou", 1517)])
def test_planar_area_exceeds_the_ellipsoidal_one_by_the_known_amount(place: str, excess: float) -> None:
    """The published excess per 3 km² in each place's own zone; it grows with the square of the offset."""
    lon, lat = {
        "huzhou": (120.09, 30.89),
        "nantong": (120.86, 31.98),
        "qidong": (121.65, 31.81),
        "liuzhou": (109.41, 24.33),
    }[place]
    plane = Plane.around(lon)
    shape = turned_square(plane, lon, lat, 3e6, 0.0, 0.0, 0.0)
    assert shape.area - survey_area(shape, plane) == pytest.approx(excess, rel=0.05, abs=6)


def test_a_map_sheet_agrees_with_the_published_area() -> None:
    """3′45″ × 2′30″ at 28° north: 28,381,103.77 m² by the formula of the notice; edges densified to follow it."""
    lon = (
        np.concatenate(
            [np.linspace(0, 3.75 / 60, 400), np.full(400, 3.75 / 60), np.linspace(3.75 / 60, 0, 400), np.zeros(400)]
        )
        + 120
    )
    lat = (
        np.concatenate(
            [np.zeros(400), np.linspace(0, 2.5 / 60, 400), np.full(400, 2.5 / 60), np.linspace(2.5 / 60, 0, 400)]
        )
        + 28
    )
    x, y = HUZHOU.from_lonlat(lon, lat)
    assert survey_area(shapely.Polygon(np.column_stack([x, y])), HUZHOU) == pytest.approx(28_381_103.77, abs=0.02)


def test_holes_are_subtracted_and_parts_added() -> None:
    whole = box(0, 0, 1000, 1000)
    hole = box(100, 100, 200, 200)
    other = box(3000, 0, 500, 500)
    shape = shapely.MultiPolygon([shapely.Polygon(whole.exterior, [hole.exterior]), other])
    expected = survey_area(whole, HUZHOU) - survey_area(hole, HUZHOU) + survey_area(other, HUZHOU)
    assert survey_area(shape, HUZHOU) == pytest.approx(expected, abs=1e-6)


def test_areas_come_in_the_order_of_the_shapes_and_other_shapes_count_nothing() -> None:
    shapes = np.array([box(0, 0, 10, 10), shapely.Point(0, 0), shapely.Polygon(), box(0, 0, 20, 10)], dtype=object)
    assert survey_areas(shapes, HUZHOU) == pytest.approx([100, 0, 0, 200], rel=1e-5)


@settings(max_examples=60)
@given(
    st.floats(24, 33), st.floats(-1.4, 1.4), st.integers(4, 40), st.integers(0, 10_000), st.floats(200, 4000),
)  # fmt: skip
def test_any_star_measures_like_its_densified_outline(
    lat: float, offset: float, corners: int, seed: int, size: float
) -> None:
    plane = Plane(117)
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, corners))
    radius = size * random.uniform(0.4, 1.0, corners)
    (x,), (y,) = plane.from_lonlat(np.array([117 + offset]), np.array([lat]))
    shape = shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
    if not shape.is_valid or shape.area < 100:
        return
    assert abs(survey_area(shape, plane) - geodesic_area(shape, plane)) < 0.01 + 4e-9 * shape.area


def test_the_plane_is_the_three_degree_zone_in_china_and_works_elsewhere() -> None:
    assert Plane.around(120.1).epsg == 4549
    assert Plane.around(121.65).epsg == 4550
    assert Plane.around(109.499).epsg == 4545
    assert Plane.around(109.501).epsg == 4546
    assert Plane.around(11.4).epsg is None
    assert '"Longitude of natural origin",12' in Plane.around(11.4).crs.to_wkt()


def test_a_sliver_vanishes_within_the_freedom_of_its_lines() -> None:
    assert is_sliver(box(0, 0, 1000, 0.09), 0.05)
    assert not is_sliver(box(0, 0, 1000, 0.11), 0.05)
    assert not is_sliver(shapely.MultiPolygon([box(0, 0, 1000, 0.01), box(0, 500, 20, 20)]), 0.05)


def test_the_error_of_an_area_does_not_grow_with_vertices() -> None:
    plain = box(0, 0, 1000, 1000)
    assert area_error(plain, 0.05) == pytest.approx(200)
    assert area_error(shapely.segmentize(plain, 1.0), 0.05) == pytest.approx(200)


def test_distance_is_the_geodesic_between_the_nearest_points() -> None:
    length, line = nearest(box(0, 0, 100, 100), box(1100, 0, 100, 100), HUZHOU)
    assert length == pytest.approx(1000, abs=0.01)
    assert line.length == pytest.approx(1000)


def test_a_neck_is_named_and_a_broad_passage_is_not() -> None:
    left, right = box(0, 0, 400, 400), box(600, 0, 400, 400)
    narrow = shapely.union_all([left, right, box(400, 190, 200, 20)])
    broad = shapely.union_all([left, right, box(400, 100, 200, 200)])
    (passage,) = necks(narrow, 30)
    assert passage.area == pytest.approx(200 * 20, rel=0.01)
    assert necks(broad, 30) == ()


def test_polygons_are_taken_out_of_any_overlay() -> None:
    mixed = shapely.GeometryCollection(
        [box(0, 0, 10, 10), shapely.Point(0, 0), shapely.MultiPolygon([box(20, 0, 5, 5)])]
    )
    assert len(polygons_of(mixed).geoms) == 2
    assert polygons_of(shapely.LineString([(0, 0), (1, 1)])).is_empty


def test_figures_are_rounded_half_up_and_shares_of_coverage_down() -> None:
    assert half_up(2.675, 2) == 2.68
    assert half_up(0.125, 2) == 0.13
    assert half_up(-0.125, 2) == -0.13
    assert floor_to(0.62999, 4) == 0.6299
    assert number(1234567.891, 2) == "1,234,567.89"
