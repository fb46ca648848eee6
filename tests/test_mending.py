# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Each defect of a boundary is named with its place and its effect on the area, or the boundary is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.crs import recognise
from geoplan.errors import InputRefused
from geoplan.joining import joined
from geoplan.mending import MOST_CHANGED, TOLD, mend
from geoplan.messages import say
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.selector import parse_selector

X, Y = 510_000.0, 3_416_000.0
EDGE = [(0, 0), (1000, 0), (1000, 1000), (0, 1000)]
WGS84 = recognise(4326)


def drawn(ring, *holes) -> shapely.Polygon:
    """A polygon by vertices relative to the test site; holes given clockwise are drawn as holes are."""
    return shapely.Polygon([(X + x, Y + y) for x, y in ring], [[(X + x, Y + y) for x, y in hole] for hole in holes])


def mended(*shapes, frame=None):
    """What mending one row of these polygons gives: the shape, and (kind, place, change) of each repair."""
    shape = shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(list(shapes))
    result, repairs = mend(np.array([shape], dtype=object), frame, "b.gpkg", "layer", ["7"])
    return result[0], [
        (r.message.id.removeprefix("repair."), r.message.args.get("at"), r.message.args["change_m2"]) for r in repairs
    ]


def at(x: float, y: float) -> str:
    """Coordinates as a message spells them."""
    return f"{X + x:g}, {Y + y:.10g}" if X + x == int(X + x) else f"{X + x}, {Y + y:.10g}"


BOW = [(500, 1000), (498, 1002), (500, 1002), (498, 1000)]
CURL = [(500, 1000), (500, 990), (510, 990), (510, 995), (490, 995), (490, 1000)]


@pytest.mark.parametrize(
    ("shapes", "told", "area"),
    [
        ([drawn([*EDGE[:2], (1000, 0), (1000, 0), *EDGE[2:]])], [("duplicates", at(1000, 0), 0)], 1e6),
        ([drawn([*EDGE[:2], (1000, 500), (1005, 500.1), (1000, 500), *EDGE[2:]])], [("spike", None, 0)], 1e6),
        ([drawn([*EDGE[:2], (1000, 1200), *EDGE[2:]])], [("spike", at(1000, 1200), 0)], 1e6),
        (
            [drawn([*EDGE[:2], (1000, 400), (1100, 400), (1200, 400), (1150, 400), (1000, 400), *EDGE[2:]])],
            [("spike", at(1200, 400), 0)],
            1e6,
        ),
        ([drawn([*EDGE[:3], *BOW, EDGE[3]])], [("bow-tie", at(499, 1001), 2)], 1e6 + 2),
        ([drawn([*EDGE[:3], *CURL, EDGE[3]])], [("bow-tie", at(500, 995), -50)], 1e6 - 50),
        (
            [drawn([EDGE[0], (500, 0), (499, 1), (501, 1), (500, 0), *EDGE[1:]])],
            [("ring-touching", at(500, 0), 0)],
            1e6 - 1,
        ),
        ([drawn(EDGE, [(500, 500), (510, 500), (510, 510)])], [("ring-order", at(500, 500), 0)], 1e6 - 50),
        ([drawn(EDGE, [(1110, 10), (1110, 0), (1100, 0)])], [("hole-outside", at(1100, 0), 50)], 1e6),
        ([drawn(EDGE, [(990, 20), (1010, 10), (990, 0)])], [("hole-across", at(1000, 5), 50)], 1e6 - 150),
        ([drawn(EDGE, [(0, 510), (10, 510), (10, 500), (0, 500)])], [("hole-touching", at(0, 500), 0)], 1e6 - 100),
        (
            [drawn(EDGE, [(510, 510), (510, 500), (500, 500)], [(507, 504), (507, 502), (505, 502)])],
            [("holes-overlapping", at(505, 502), 2)],
            1e6 - 50,
        ),
        ([drawn(EDGE), drawn([(5, 5), (10, 5), (10, 10), (5, 10)])], [("nested-parts", at(5, 5), -25)], 1e6),
        (
            [drawn(EDGE), drawn([(999, 0), (1500, 0), (1500, 900), (999, 900)])],
            [("parts-overlapping", None, -900)],
            1e6 + 450_000,
        ),
        (
            [drawn(EDGE), drawn([(1000, 0), (1500, 0), (1500, 900), (1000, 900)])],
            [("parts-touching", None, 0)],
            1e6 + 450_000,
        ),
        ([drawn(EDGE), drawn([(2000, 0), (2001, 0), (2002, 0)])], [("collapsed", at(2000, 0), 0)], 1e6),
    ],
)
def test_each_defect_is_named_with_its_place_and_its_effect(shapes, told, area) -> None:
    shape, found = mended(*shapes)
    assert shape.is_valid
    assert shape.area == pytest.approx(area, abs=1e-3)
    assert [(kind, change) for kind, _, change in found] == [(k, pytest.approx(c, abs=1e-3)) for k, _, c in told]
    assert [place for (_, place, _), (_, wanted, _) in zip(found, told, strict=True) if wanted] == [
        wanted for _, wanted, _ in told if wanted
    ]


def test_several_defects_of_one_ring_are_each_told() -> None:
    ring = [*EDGE[:2], EDGE[1], (1000, 400), (1005, 400), (1000, 400), (1000, 500), (1002, 502), (1002, 500)]
    shape, found = mended(drawn([*ring, (1000, 502), EDGE[2], *BOW, EDGE[3]]))
    assert sorted(kind for kind, _, _ in found) == ["bow-tie", "bow-tie", "duplicates", "spike"]
    assert {place for kind, place, _ in found if kind == "bow-tie"} == {at(1001, 501), at(499, 1001)}
    assert shape.area == pytest.approx(1e6 + 4)


@pytest.mark.parametrize(
    "shape",
    [
        drawn(EDGE),
        drawn([*EDGE, EDGE[0], EDGE[0]]),
        drawn(EDGE, [(0, 500), (10, 510), (10, 490)]),
        shapely.MultiPolygon([drawn(EDGE), drawn([(1000, 1000), (1100, 1000), (1100, 1100)])]),
    ],
    ids=["valid", "closing vertex twice", "hole touching at a point", "parts touching at a point"],
)
def test_what_is_no_defect_is_not_told(shape) -> None:
    result, found = mended(shape)
    assert found == []
    assert result.equals(shape)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([drawn([EDGE[0], EDGE[2], EDGE[1], EDGE[3]])], "bow-tie: the line crosses itself at 510500, 3416500"),
        ([drawn(EDGE, [(1200, 100), (1200, 0), (1100, 0)])], "a hole outside its shell at 511100, 3416000"),
        ([drawn(EDGE), drawn([(5, 5), (510, 5), (510, 510)])], "a part inside another part at 510005, 3416005"),
        ([drawn([(0, 0), (1, 0), (2, 0)])], "a ring that encloses nothing at 510000, 3416000"),
    ],
)
def test_a_repair_that_changes_too_much_is_refused_with_its_place(shapes, words) -> None:
    with pytest.raises(InputRefused, match=rf"b\.gpkg: layer 7: the ring is invalid \({words}\)"):
        mended(*shapes)


def test_effects_are_told_in_square_metres_where_coordinates_are_degrees() -> None:
    ring = [(120.1, 30.0), (120.11, 30.0), (120.11, 30.01), (120.105, 30.01), (120.10498, 30.01002)]
    shape = shapely.Polygon([*ring, (120.105, 30.01002), (120.10498, 30.01), (120.1, 30.01)])
    _, found = mended(shape, frame=WGS84)
    (bow_tie,) = found
    assert bow_tie[0] == "bow-tie"
    assert bow_tie[2] == pytest.approx(2 * 0.5 * 0.00002 * 0.00001 * 111_320**2 * np.cos(np.radians(30)), rel=0.01)


def test_many_defects_of_a_kind_are_summed_up() -> None:
    teeth = [p for i in range(30) for p in ((1000, 10 + i * 20), (1001, 10 + i * 20), (1000, 10 + i * 20))]
    _, found = mended(drawn([*EDGE[:2], *teeth, *EDGE[2:]]))
    assert [kind for kind, _, _ in found] == ["spike"] * TOLD + ["more"]


@settings(max_examples=40)
@given(
    vertices=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=4, max_size=14),
    base=st.booleans(),
)
def test_whatever_is_drawn_is_mended_to_what_the_repairs_account_for_or_refused(vertices, base) -> None:
    ring = [*EDGE[:3], *((500 - x, 1000 + y) for x, y in vertices), EDGE[3]] if base else [(x, y) for x, y in vertices]
    shape = drawn(ring)
    try:
        result, found = mended(shape)
    except InputRefused as refused:
        if refused.id != "ring-refused" or shape.is_valid:
            raise
        return
    assert result.is_valid
    before = abs(shapely.get_coordinates(shape)[:-1].shape[0] and _shoelace(shape))
    assert result.area - before == pytest.approx(sum(change for _, _, change in found), abs=0.02)
    assert abs(result.area - before) <= MOST_CHANGED * max(before, result.area) + 1e-6
    assert found or shape.is_valid


def _shoelace(shape) -> float:
    x, y = (shapely.get_coordinates(shape) - (X, Y)).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def together(*shapes, accuracy=0.05):
    rows = [f"row {i}" for i in range(1, len(shapes) + 1)]
    whole, repairs = joined(np.array(shapes, dtype=object), None, "b.gpkg", "layer", rows, accuracy)
    return whole, [(r.message.id.removeprefix("repair."), r.message.args) for r in repairs]


def test_small_overlaps_of_features_are_told_and_large_ones_refused() -> None:
    whole, ((kind, args),) = together(shapely.box(0, 0, 100, 100), shapely.box(99.99, 0, 300, 100))
    assert (kind, args["place"], args["other"]) == ("features-overlapping", "row 1", "row 2")
    assert args["change_m2"] == pytest.approx(-1)
    assert whole.area == pytest.approx(30_000)
    with pytest.raises(InputRefused, match=r"features of one boundary overlap by 100\.00 m²"):
        together(shapely.box(0, 0, 100, 100), shapely.box(99, 0, 300, 100))


@settings(max_examples=30)
@given(gap=st.floats(0.001, 0.2), shift=st.floats(-50, 50), turn=st.floats(0, 6.28))
def test_a_gap_is_closed_if_it_is_no_wider_than_the_accuracy(gap: float, shift: float, turn: float) -> None:
    both = [shapely.box(0, 0, 100, 100), shapely.box(100 + gap, shift, 220, 100 + shift)]
    cos, sin = np.cos(turn), np.sin(turn)
    shapes = [shapely.transform(s, lambda xy: xy @ np.array([[cos, sin], [-sin, cos]])) for s in both]
    whole, found = together(*shapes)
    before = sum(s.area for s in shapes)
    if gap < 0.049:
        assert len(whole.geoms) == 1
        assert sum(args["change_m2"] for _, args in found) == pytest.approx(whole.area - before, abs=0.01)
        assert {kind for kind, _ in found} == {"gap"}
    elif gap > 0.051:
        assert found == []
        assert whole.area == pytest.approx(before)


def test_a_slit_between_features_that_meet_at_both_ends_is_closed() -> None:
    slit = shapely.Polygon([(100, 0), (300, 0), (300, 100), (100, 100), (100.02, 50)])
    whole, found = together(shapely.box(0, 0, 100, 100), slit)
    assert (len(whole.geoms), len(whole.geoms[0].interiors)) == (1, 0)
    assert [kind for kind, _ in found] == ["gap"]
    ((_, args),) = found
    assert args["change_m2"] == pytest.approx(1, abs=0.01)


def test_many_features_with_hairline_gaps_are_one_and_contact_is_not_told() -> None:
    cells = [shapely.box(i * 30, j * 30, i * 30 + 30, j * 30 + 30) for i in range(6) for j in range(6)]
    whole, found = together(*(shapely.segmentize(shapely.transform(c, _turned), 1.7) for c in cells))
    assert (len(whole.geoms), found) == (1, [])
    assert whole.area == pytest.approx(180**2)
    whole, found = together(*shapely.buffer(cells, -0.003, join_style="mitre"))
    assert len(whole.geoms) == 1
    assert [kind for kind, _ in found][-1] in ("gap", "more")
    assert len(found) <= TOLD + 1
    drawn_area = float(shapely.area(shapely.buffer(cells, -0.003, join_style="mitre")).sum())
    assert sum(args["change_m2"] for _, args in found) == pytest.approx(whole.area - drawn_area, abs=0.01)


def _turned(xy):
    return xy @ np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])


def shapefile_bytes(ring: list[tuple[float, float]]) -> bytes:
    """A .shp of one polygon whose ring stands exactly as given."""
    xs, ys = zip(*ring, strict=True)
    box = struct.pack("<4d", min(xs), min(ys), max(xs), max(ys))
    record = struct.pack("<i", 5) + box + struct.pack("<iii", 1, len(ring), 0)
    record += b"".join(struct.pack("<2d", *point) for point in ring)
    body = struct.pack(">ii", 1, len(record) // 2) + record
    head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + len(body)) // 2) + struct.pack("<ii", 1000, 5)
    return head + box + struct.pack("<4d", 0, 0, 0, 0) + body


def read(path: Path):
    found = read_boundary(parse_selector(str(path)), ReadOptions(recognise(4549)))
    return found, [r.message.id for r in found.repairs], [say(r.message, "en") for r in found.repairs]


def test_a_ring_that_is_not_closed_is_closed_and_told(tmp_path: Path) -> None:
    ring = [(X + x, Y + y) for x, y in EDGE][::-1]
    (tmp_path / "open.shp").write_bytes(shapefile_bytes(ring))
    found, ids, words = read(tmp_path / "open.shp")
    assert ids == ["repair.unclosed"]
    assert "it ends at 510000, 3416000, 1,000.00 m from its start" in words[0]
    assert found.polygons.area == 1e6
    degrees = [[120.1, 30.8], [120.11, 30.8], [120.11, 30.81], [120.1, 30.81]]
    content = {"type": "Polygon", "coordinates": [degrees]}
    (tmp_path / "open.geojson").write_text(json.dumps(content), encoding="utf-8")
    found = read_boundary(parse_selector(str(tmp_path / "open.geojson")), ReadOptions())
    (repair,) = found.repairs
    assert repair.message.id == "repair.unclosed"
    assert repair.message.args["at"] == "120.1, 30.81"
    assert found.vertices == 4


def test_the_ring_order_of_a_shapefile_is_told(tmp_path: Path) -> None:
    ring = [(X + x, Y + y) for x, y in EDGE]
    (tmp_path / "ccw.shp").write_bytes(shapefile_bytes([*ring, ring[0]]))
    found, ids, _ = read(tmp_path / "ccw.shp")
    assert ids == ["repair.shell-order"]
    assert found.polygons.area == 1e6
    (tmp_path / "cw.shp").write_bytes(shapefile_bytes([*ring, ring[0]][::-1]))
    assert read(tmp_path / "cw.shp")[1] == []


def test_repairs_of_rows_that_were_not_chosen_are_not_told(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"A": ["x", "y"]},
        geometry=[drawn(EDGE), drawn([(p[0] + 2000, p[1]) for p in [*EDGE[:2], *EDGE[1:]]])],
        crs=4549,
    )
    frame.to_file(tmp_path / "two.gpkg", driver="GPKG")
    assert read(tmp_path / "two.gpkg")[1] == ["repair.duplicates"]
    chosen = read_boundary(parse_selector(f"{tmp_path / 'two.gpkg'}#two[A=x]"), ReadOptions())
    assert chosen.repairs == ()


def test_every_repair_has_words_in_both_languages() -> None:
    _, found = mend(np.array([drawn([*EDGE[:3], *BOW, EDGE[3]])], dtype=object), None, "b.gpkg", "layer", ["1"])
    assert say(found[0].message, "zh") == (
        "第 1 行：边界在 510499, 3417001 自相交（蝴蝶结），已在该点切分，面积变化 2.00 平方米"
    )
