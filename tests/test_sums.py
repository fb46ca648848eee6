# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Sums of what is taken: by class, ownership, owner and village; every column adds up to the finding's own figure."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import box, checked, farmland, finding, land_use
from geoplan.messages.units import half_up
from geoplan.report import FindingRecord, SumRow
from geoplan_layers.overlaps import write_overlaps

SIDE = 60
OWNERS = ("东升村", "潘杨村", "")


def survey(count: int = 36, *, ownership: str = "") -> dict[str, list[str]]:
    return {
        "ownership": [ownership or ("20", "30", "34", "集体", "", "99")[i % 6] for i in range(count)],
        "owner": [OWNERS[i % 3] for i in range(count)],
        "village": ["东升村"] * count,
    }


def added(rows: list[SumRow], column: str) -> Decimal:
    return sum((Decimal(repr(getattr(row, column))) for row in rows), Decimal(0))


def adds_up(found: FindingRecord, part: str, total: float) -> set[str]:
    tables = [table for table in found.sums if table.part == part]
    for table in tables:
        assert float(added(table.rows, "area_m2")) == total, table.by
        assert added(table.rows, "net_area_m2") == added(tables[0].rows, "net_area_m2"), table.by
        assert sum(row.patches for row in table.rows) == sum(row.patches for row in tables[0].rows)
        assert [row.area_m2 for row in table.rows] == sorted((row.area_m2 for row in table.rows), reverse=True)
    return {table.by for table in tables}


@settings(max_examples=25)
@given(x=st.floats(0, 100), y=st.floats(0, 100), width=st.floats(100, 900), height=st.floats(100, 900))
def test_every_table_adds_up_to_what_was_measured(x: float, y: float, width: float, height: float) -> None:
    shapes = [box(SIDE * (i % 6), SIDE * (i // 6), SIDE, SIDE) for i in range(36)]
    ridges = [0.1 + i / 1000 for i in range(36)]
    layer = farmland(*shapes, ridges=ridges, attributes=survey())
    report = checked(box(-500, -500, 2000, 2000), box(x, y, width, height), ("land-law",), [layer])
    found = finding(report, "land-law", "basic-farmland")
    assert found.measured is not None
    assert found.measured.elsewhere is not None
    assert adds_up(found, "construction", found.measured.value) == {"class", "ownership", "owner", "village"}
    if found.measured.elsewhere:
        assert "ownership" in adds_up(found, "planning", found.measured.elsewhere)


def test_ownership_is_told_in_the_laws_two_kinds_and_what_is_not_said_stays_apart() -> None:
    shapes = [box(SIDE * i, 0, SIDE, SIDE) for i in range(6)]
    layer = farmland(*shapes, attributes=survey(6))
    report = checked(box(-500, -500, 2000, 2000), box(0, 0, 600, 600), ("land-law",), [layer])
    found = finding(report, "land-law", "basic-farmland")
    (ownership,) = [table for table in found.sums if table.by == "ownership"]
    assert {row.key: row.patches for row in ownership.rows} == {"collective": 3, "state": 1, "other": 1, "unsaid": 1}
    (owner,) = [table for table in found.sums if table.by == "owner"]
    assert {row.key: row.patches for row in owner.rows} == {"东升村": 2, "潘杨村": 2, "": 2}


def test_a_layer_without_these_fields_leaves_no_member_behind() -> None:
    layer = land_use([("0101", box(0, 0, 100, 100))])
    content = checked(box(-500, -500, 2000, 2000), box(0, 0, 600, 600), (), [layer]).content.as_dict()
    text = json.dumps(content)
    assert '"sums"' not in text
    assert '"attributes"' not in text


def test_pieces_carry_the_attributes_into_the_overlaps_file(tmp_path: Path) -> None:
    layer = farmland(box(0, 0, SIDE, SIDE), attributes=survey(1, ownership="30"))
    report = checked(box(-500, -500, 2000, 2000), box(0, 0, 600, 600), ("land-law",), [layer])
    write_overlaps(report, tmp_path / "overlaps.gpkg")
    rows = pyogrio.read_dataframe(tmp_path / "overlaps.gpkg", layer="evidence")
    (farm,) = [row for row in rows.itertuples() if row.layer == "permanent-basic-farmland"]
    assert (farm.ownership, farm.owner, farm.village) == ("30", "东升村", "东升村")
    assert half_up(farm.area_m2, 2) == pytest.approx(SIDE * SIDE, rel=1e-3)
