"""What is written is read back: same coordinates, same areas within what rounding can cause, same verdicts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import shapely

from builders import EVERYWHERE, FRAME, HUZHOU, ON, answers_of, boundary, box, farmland
from geoplan.boundary import Boundary, Proposal
from geoplan.check import Options, check
from geoplan.policy import PolicyBook
from geoplan.report import Report
from geoplan_layers.boundary_file import ReadOptions, read_boundary
from geoplan_layers.formats import ARCHIVES, format_of
from geoplan_layers.selector import Selector
from geoplan_layers.writers.deliver import deliver
from geoplan_layers.writers.formats import WRITERS, Writer
from geoplan_layers.writers.prepare import fitted
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions
from geoplan_layers.writers.systems import moved
from outlines import random_boundary

COUNT = 200
JUDGED = 10
"""How many of them are judged as well: a check takes longer than a file."""
MILLIMETRE = 0.001
FORMATS = [pytest.param(writer, id=writer.key) for writer in WRITERS]


def sheet_of(shape: shapely.MultiPolygon, name: str = "试验小镇") -> Sheet:
    def column(value: object) -> np.ndarray:
        return np.array([value], dtype=object)

    return Sheet((SheetLayer("planning", column(name), column(shape), {"name": column(name)}),), FRAME)


def round_trip(shape: shapely.MultiPolygon, writer: Writer, folder: Path) -> Boundary | None:
    """Write a boundary and read it as any user's file; none where the product does not read the format."""
    out = folder / f"试验{writer.suffixes[0]}"
    sheet, _ = fitted(sheet_of(shape), writer, None, "试验")
    deliver(sheet, writer, out, WriteOptions())
    if out.suffix not in ARCHIVES and format_of(out.suffix) is None:
        return None
    given = FRAME if writer.system == "metres" else None
    return read_boundary(Selector(out), ReadOptions(given))


def on_plane(read: Boundary) -> shapely.Geometry:
    return read.on(HUZHOU)


@cache
def boundaries() -> tuple[shapely.MultiPolygon, ...]:
    return tuple(random_boundary(seed) for seed in range(COUNT))


def test_the_boundaries_have_holes_and_several_parts() -> None:
    holes = [sum(len(part.interiors) for part in shape.geoms) for shape in boundaries()]
    parts = [len(shape.geoms) for shape in boundaries()]
    assert sum(each > 0 for each in holes) > COUNT / 2
    assert {1, 2, 3, 4} == set(parts)


@pytest.mark.parametrize("writer", FORMATS)
def test_boundaries_come_back_to_the_millimetre(writer: Writer, tmp_path: Path) -> None:
    for shape in boundaries():
        read = round_trip(shape, writer, tmp_path)
        if read is None:
            pytest.skip(f"{writer.suffixes[0]} is written and compared on writing, but not read as a boundary")
        found = on_plane(read)
        assert len(shapely.get_parts(found)) == len(shape.geoms)
        assert int(shapely.get_num_interior_rings(shapely.get_parts(found)).sum()) == sum(
            len(part.interiors) for part in shape.geoms
        )
        was, now = shapely.get_coordinates(shape), shapely.get_coordinates(found)
        assert farthest(was, now) <= MILLIMETRE
        assert farthest(now, was) <= MILLIMETRE
        assert abs(shapely.area(found) - shape.area) <= MILLIMETRE * shape.length


def farthest(points: np.ndarray, others: np.ndarray) -> float:
    away = shapely.distance(shapely.points(points), shapely.MultiPoint(others))
    return float(np.max(away))


def judged(planning: Boundary) -> Report:
    """A check with farmland that the proposal overlaps, and farmland that lies 2 mm and more from its outline."""
    patches = [box(0, -200, 150, 400), box(2900, -900, 80, 90), EVERYWHERE.difference(box(-5000, -5000, 25000, 10000))]
    layers = [farmland(*patches)]
    options = Options(ON)
    return check(Proposal(planning), ("common", "huzhou-2018"), layers, None, options, PolicyBook())


@pytest.mark.parametrize("writer", FORMATS)
def test_verdicts_are_those_of_what_was_written(writer: Writer, tmp_path: Path) -> None:
    for shape in boundaries()[:JUDGED]:
        read = round_trip(shape, writer, tmp_path)
        if read is None:
            pytest.skip(f"{writer.suffixes[0]} is not read as a boundary")
        was, now = judged(boundary(shape)), judged(read)
        assert answers_of(now) == answers_of(was)
        assert now.verdict == was.verdict
        area = was.content.proposal.planning.area_m2
        assert now.content.proposal.planning.area_m2 == pytest.approx(area, abs=MILLIMETRE * shape.length + 0.01)


def test_a_shared_edge_stays_shared_where_coordinates_are_kept(tmp_path: Path) -> None:
    """Farmland that touches the outline exactly: formats that keep every digit make no overlap of it."""
    shape = boundaries()[0]
    beside = EVERYWHERE.difference(shape)
    for writer in WRITERS:
        read = None if writer.decimals is not None else round_trip(shape, writer, tmp_path)
        if read is None:
            continue
        layers = [farmland(beside)]
        report = check(Proposal(read), ("common",), layers, None, Options(ON), PolicyBook())
        was = check(Proposal(boundary(shape)), ("common",), layers, None, Options(ON), PolicyBook())
        assert answers_of(report) == answers_of(was), writer.key


@pytest.mark.parametrize("code", [4490, 4528, 4326, 3857, 4527])
def test_changing_the_system_and_back_gives_the_same_coordinates(code: int) -> None:
    from geoplan.crs import recognise

    frame = recognise(code)
    assert frame is not None
    shapes = np.array(boundaries()[:20], dtype=object)
    back = moved(moved(shapes, FRAME, frame, None), frame, FRAME, None)
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(shapes)).max() < 1e-6
