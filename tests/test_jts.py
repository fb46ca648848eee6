# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Every case of the JTS test suite through mending and cutting: no crash, and what a case states holds.

The cases are read from the folder of real data (they are EPL/EDL, and not part of this project). Counts are printed
per file: ``pytest -s tests/test_jts.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, parse

import numpy as np
import pytest
import shapely

from geoplan.errors import InputRefused
from geoplan.measure import polygons_of
from geoplan.mending import mend

HARMLESS = {"repair.duplicates", "repair.spike", "repair.ring-order", "repair.more"}
"""Repairs of shapes that are valid as they stand."""
PREDICATES: dict[str, Callable[..., Any]] = {
    "intersects": shapely.intersects,
    "covers": shapely.covers,
    "contains": shapely.contains,
    "within": shapely.within,
    "disjoint": shapely.disjoint,
    "touches": shapely.touches,
}
"""Relations that rules rest on."""
OVERLAYS: dict[str, Callable[..., Any]] = {
    "intersection": shapely.intersection,
    "union": shapely.union,
    "difference": shapely.difference,
    "symdifference": shapely.symmetric_difference,
}
FILES = 58


class Case(NamedTuple):
    """One case: where it stands, its shapes (none where they cannot be built), and what it states."""

    place: str
    shapes: dict[str, shapely.Geometry | None]
    floating: bool
    tests: list[tuple[str, list[str], str]]


def shape_of(text: str) -> shapely.Geometry | None:
    """WKT or hexadecimal WKB; none where it cannot be built (a line of one point, a ring of two)."""
    words = re.sub(r"\s+", " ", text).strip()
    try:
        with np.errstate(invalid="ignore"):
            return shapely.from_wkb(words) if re.fullmatch(r"[0-9A-Fa-f]+", words) else shapely.from_wkt(words)
    except shapely.errors.GEOSException:
        return None


def cases(path: Path) -> Iterator[Case]:
    run = parse(path).getroot()
    model = run.find("precisionModel")
    floating = model is None or model.get("type", "FIXED").upper().startswith("FLOATING")
    for i, case in enumerate(run.iter("case"), 1):
        shapes = {tag: shape_of(node.text) for tag in ("a", "b") if (node := case.find(tag)) is not None and node.text}
        yield Case(f"{path.name} case {i}", shapes, floating, [_test(op) for op in case.iter("op")])


def _test(op: Element) -> tuple[str, list[str], str]:
    arguments = [op.get(f"arg{i}", "") for i in (1, 2, 3)]
    return op.get("name", "").lower(), [a.lower() for a in arguments if a], (op.text or "").strip()


def surfaces(shape: shapely.Geometry | None) -> bool:
    return (
        shape is not None
        and shapely.get_type_id(shape) in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
        and not shapely.is_empty(shape)
    )


def check_repair(case: Case, shape: shapely.Geometry, counts: Counter[str]) -> None:
    """Mending gives something valid or refuses; a valid shape keeps its ground and is told nothing worse than style."""
    try:
        mended, repairs = mend(np.array([shape], dtype=object), None, "jts", "suite", ["1"])
    except InputRefused as refused:
        if refused.id not in ("ring-refused", "coordinates-not-finite") or shapely.is_valid(shape):
            raise
        counts["refused"] += 1
        return
    assert shapely.is_valid(mended[0]), case.place
    told = {repair.message.id for repair in repairs}
    if shapely.is_valid(shape):
        assert told <= HARMLESS, (case.place, told)
        assert shapely.area(shapely.symmetric_difference(mended[0], shape)) <= 1e-4 * max(shapely.length(shape), 1), (
            case.place
        )
    else:
        assert told - {"repair.duplicates", "repair.ring-order"}, (case.place, told)
    counts["mended" if told else "as it was"] += 1


def check_stated(case: Case, test: tuple[str, list[str], str], counts: Counter[str]) -> None:
    """What a case states of validity, of a relation or of an overlay of surfaces."""
    name, arguments, expected = test
    asked = [each for each in arguments[:2] if each in ("a", "b")]
    shapes = [shape for each in asked if (shape := case.shapes.get(each)) is not None]
    if not shapes or len(shapes) < len(asked):
        return
    if name == "isvalid":
        assert bool(shapely.is_valid(shapes[0])) == (expected == "true"), case.place
        if surfaces(shapes[0]):
            assert _is_told_invalid(shapes[0]) == (expected == "false"), case.place
        counts["isValid"] += 1
    elif name in PREDICATES and len(shapes) == 2:
        counts["relations"] += 1
        assert bool(PREDICATES[name](*shapes)) == (expected == "true"), (case.place, name)
    elif case.floating and name.removesuffix("ng") in OVERLAYS and len(shapes) == 2:
        wanted = shape_of(expected)
        if wanted is None or not all(surfaces(each) and shapely.is_valid(each) for each in shapes):
            return
        found = polygons_of(OVERLAYS[name.removesuffix("ng")](*shapes))
        assert found.is_valid, case.place
        assert found.area == pytest.approx(polygons_of(wanted).area, rel=1e-6, abs=1e-9), (case.place, name)
        counts["overlays"] += 1


def _is_told_invalid(shape: shapely.Geometry) -> bool:
    """Whether mending refuses a shape or tells of a defect that makes it invalid."""
    try:
        _, repairs = mend(np.array([shape], dtype=object), None, "jts", "suite", ["1"])
    except InputRefused:
        return True
    return bool({repair.message.id for repair in repairs} - HARMLESS) or not shapely.is_valid(shape)


@pytest.fixture(scope="module")
def files(real_data: Path) -> list[Path]:
    found = sorted((real_data / "data" / "jts").glob("*/*.xml"))
    if not found:
        pytest.skip("the folder of real data holds no data/jts")
    return found


def test_every_case_is_read_mended_and_agrees_with_what_it_states(files: list[Path]) -> None:
    total: Counter[str] = Counter()
    for path in files:
        counts: Counter[str] = Counter()
        for case in cases(path):
            counts["cases"] += 1
            for shape in case.shapes.values():
                counts["shapes"] += 1
                if shape is None:
                    counts["cannot be built"] += 1
                elif surfaces(shape):
                    check_repair(case, shape, counts)
            for test in case.tests:
                check_stated(case, test, counts)
        print(f"{path.parent.name}/{path.name}: {dict(counts)}")
        total += counts
    print(f"all {len(files)} files: {dict(total)}")
    assert len(files) >= FILES
    assert total["isValid"] >= 800
    assert total["relations"] >= 2000
    assert total["overlays"] >= 50
