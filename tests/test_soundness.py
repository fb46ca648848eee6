# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""What the compiled look of an import calls valid is valid by GEOS, with the box that GEOS gives."""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geoplan_layers.prepared.soundness import look

numbers = st.one_of(
    st.integers(-4, 4).map(float), st.floats(-1e7, 1e7), st.sampled_from([np.nan, np.inf, 1e-300, -0.0])
)
points = st.tuples(numbers, numbers)
rings = st.lists(points, min_size=2, max_size=12)


def binary(*parts: list[list[tuple[float, float]]]) -> bytes:
    """Rings as they are, closed or not, as a polygon or a multipolygon."""
    made = [
        struct.pack("<BII", 1, 3, len(rings))
        + b"".join(struct.pack("<I", len(ring)) + struct.pack(f"<{2 * len(ring)}d", *sum(ring, ())) for ring in rings)
        for rings in parts
    ]
    return made[0] if len(made) == 1 else struct.pack("<BII", 1, 6, len(made)) + b"".join(made)


def seen(*rows: bytes | None):
    return look(pa.array(list(rows), pa.large_binary()))


@given(st.lists(st.tuples(rings, st.booleans()), min_size=1, max_size=8))
@settings(max_examples=400, deadline=None)
@example([([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (1.0, 0.0), (0.0, 2.0)], True)])  # touches itself at a vertex
@example([([(0.0, 0.0), (2.0, 0.0), (1.0, 0.0), (1.0, 1.0)], True)])  # goes back along its own line
@example([([(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)], True)])  # bow tie
def test_what_is_called_valid_is_valid(drawn) -> None:
    rows = [binary([ring + ring[:1] if close else ring]) for ring, close in drawn]
    found = seen(*rows)
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(rows, on_invalid="ignore")
    valid = shapely.is_valid(shapes) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    assert not (found.sound & ~valid).any()
    assert (found.boxes[found.sound] == shapely.bounds(shapes[found.sound])).all()
    assert np.isnan(found.boxes[~found.sound]).all()
    assert found.vertices.tolist() == [len(ring) + close for ring, close in drawn]


@given(st.integers(0, 2**32 - 1), st.integers(4, 150), st.sampled_from([1.0, 1e-5]))
@settings(max_examples=60, deadline=None)
def test_a_ring_that_stays_clear_of_itself_needs_no_second_look(seed, count, size) -> None:
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    reach = size * random.uniform(0.6, 1.0, count)[:, None]
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * reach + [120.0, 30.0]
    shape = shapely.Polygon(ring)
    found = seen(shapely.to_wkb(shape, byte_order=1), shapely.to_wkb(shape.reverse(), byte_order=1))
    assert found.sound.all()
    moved = ring.copy()
    moved[[1, count // 2 + 1]] = moved[[count // 2 + 1, 1]]
    crossed = shapely.Polygon(moved)
    assert not (seen(shapely.to_wkb(crossed, byte_order=1)).sound & ~shapely.is_valid(crossed)).any()


def test_everything_else_is_left_to_geos() -> None:
    square = [(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0), (0.0, 0.0)]
    hole = [(2.0, 2.0), (2.0, 4.0), (4.0, 4.0), (2.0, 2.0)]
    far = [(x + 20, y) for x, y in square]
    turned = shapely.to_wkb(shapely.Polygon(square), byte_order=0)
    high = shapely.to_wkb(shapely.Polygon([(x, y, 1.0) for x, y in square]), byte_order=1, output_dimension=3)
    line = shapely.to_wkb(shapely.LineString(square), byte_order=1)
    rows = [binary([square]), None, b"", binary([square])[:-1], binary([square, hole]), binary([square], [far])]
    found = seen(*rows, turned, high, line, binary([square]) + b"\0", binary([square]))
    assert found.sound.tolist() == [True, *([False] * 9), True]
    assert found.plain.tolist() == [True, False, False, False, True, True, False, False, False, False, True]
    assert found.keys[0] == found.keys[-1]
    assert len(set(found.keys[2:].tolist())) == len(found.keys) - 2


def test_long_rings_are_left_to_geos() -> None:
    circle = shapely.Point(0, 0).buffer(10, quad_segs=100)
    assert not seen(shapely.to_wkb(circle, byte_order=1)).sound.any()
