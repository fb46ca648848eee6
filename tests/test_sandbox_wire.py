# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""What crosses between a reader process and its parent: everything a table holds, and nothing that is not data."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FRAME, box
from geoplan.boundary import Repair, Source
from geoplan.crs import Frame, recognise
from geoplan.datum import DatumParameters
from geoplan.errors import CannotFinish, GeoplanError, InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.table import Table
from geoplan_layers.sandbox.wire import (
    WireBroken,
    packed_table,
    plain,
    receive,
    refusal,
    refusal_of,
    send,
    table_of,
    value_of,
)

SOURCE = Source("规划.shp", "0" * 64)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=20),
    st.dates(),
    st.datetimes().map(lambda value: value.replace(fold=0)),
    st.times().map(lambda value: value.replace(fold=0)),
)
COLUMNS = st.one_of(
    *(st.lists(st.none() | each, min_size=3, max_size=3) for each in (VALUES, st.integers(), st.floats(), st.text())),
    st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=3, max_size=3),
)


def table(columns: dict[str, list[Any]] | None = None, **more: Any) -> Table:
    shapes = np.array([box(0, 0, 10, 10), None, shapely.MultiPolygon()], dtype=object)
    made = {name: np.fromiter(values, dtype=object, count=3) for name, values in (columns or {}).items()}
    how: dict[str, Any] = {"frame": FRAME, "source": SOURCE, "layer": "边界", "encoding": "gb18030", **more}
    return Table(shapes=shapes, columns=made, rows=np.array([3, 1, 7]), **how)


def crossed(sent: Table) -> Table:
    """A table that went through a pipe."""
    pipe = io.BytesIO()
    send(pipe, *packed_table(sent))
    pipe.seek(0)
    return table_of(*receive(pipe, 10**9))


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=8), COLUMNS, max_size=4))
def test_every_value_of_a_table_comes_back_as_it_was(columns: dict[str, list[Any]]) -> None:
    found = crossed(table(columns))
    assert list(found.columns) == list(columns)
    for name, values in columns.items():
        assert found.columns[name].dtype == object
        assert repr(found.columns[name].tolist()) == repr(values)  # by its text: NaN is no number, 1 is not True
    assert found.rows.tolist() == [3, 1, 7]


def test_shapes_of_every_kind_come_back_to_the_last_bit() -> None:
    ring = box(0.1, 0.2, 10.3, 10.7)
    kinds = [
        ring,
        ring.exterior,
        ring.centroid,
        shapely.MultiPolygon([ring, box(50, 0, 1, 1)]),
        shapely.GeometryCollection([ring, ring.centroid]),
        shapely.Polygon(ring.exterior, [box(2, 2, 1, 1).exterior]),
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
        shapely.Point(float("nan"), 1),
        shapely.Polygon(),
        None,
    ]
    shapes = np.array(kinds, dtype=object)
    rows = np.arange(len(kinds))
    found = crossed(Table(shapes, {}, rows, FRAME, SOURCE, "x"))
    for before, after in zip(kinds[:-1], found.shapes, strict=False):
        assert before is not None
        assert shapely.to_wkb(before) == shapely.to_wkb(after)
    assert found.shapes[-1] is None


@pytest.mark.parametrize("definition", [4490, 4528, 4326, None, "+proj=tmerc +lon_0=119.5 +x_0=500000 +ellps=GRS80"])
def test_the_system_of_a_table_comes_back(definition: int | str | None) -> None:
    frame = recognise(definition) if definition else None
    found = crossed(table(frame=frame)).frame
    assert (found is None) == (frame is None)
    if frame and found:
        assert found.crs == frame.crs
        assert dataclasses.replace(found, crs=frame.crs) == frame


def test_what_the_user_says_of_a_system_never_crosses() -> None:
    values: dict[str, float] = dict.fromkeys(("x", "y", "z", "rx", "ry", "rz", "scale"), 12.345)
    parameters = DatumParameters("xian-1980", values, "position_vector", "0" * 64)
    header, _ = packed_table(table(frame=dataclasses.replace(FRAME, parameters=parameters)))
    assert "parameters" not in json.dumps(header)
    assert "12.345" not in json.dumps(header)
    frame = plain(FRAME)
    for more in ({"parameters": None}, {"parameters": 1}, {"datum": "gcj02"}):
        with pytest.raises(WireBroken, match="no frame of a file"):
            value_of({**frame, "of": {**frame["of"], **more}})


def test_what_a_table_says_of_itself_comes_back() -> None:
    """Fields that `Table` or `Frame` may get later are carried, or the packing fails here; the user's own stay."""
    notes = (Message("read.prj-by-numbers", {"crs": "EPSG:4528", "also": [Message("read.prj-unreadable")]}),)
    sent = table(notes=notes)
    found = crossed(sent)
    for each in dataclasses.fields(Table):
        if each.name not in ("shapes", "columns", "rows", "frame"):
            assert getattr(found, each.name) == getattr(sent, each.name)
    assert {each.name for each in dataclasses.fields(Frame)} - {"parameters"} == set(plain(FRAME)["of"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, 2.5, "边界", True, None],
        (1, ("a", [])),
        {"a": (1,), 3: None, "$": "map"},
        frozenset({"a", "b"}),
        b"\x00\xff",
        date(2026, 11, 21),
        datetime(2026, 11, 21, 8, 30),
        time(8, 30),
        Message("read.prj-by-numbers", {"crs": "EPSG:4528"}),
        Repair(Message("repair.ring", {"place": "a 1"})),
        SOURCE,
        box(0, 0, 1, 1),
    ],
)
def test_values_come_back(value: Any) -> None:
    assert value_of(json.loads(json.dumps(plain(value)))) == value


def test_numpy_values_come_as_python_values() -> None:
    assert plain(np.float64(1.5)) == 1.5
    assert plain(np.int32(2)) == 2
    assert plain(np.bool_(True)) is True
    assert value_of(plain(np.datetime64("2026-11-21T08:30", "ns"))) == datetime(2026, 11, 21, 8, 30)
    assert plain(np.datetime64("NaT")) is None
    assert value_of(plain(np.array([[1.0, 2.0]]))).tolist() == [[1.0, 2.0]]


def test_what_no_reader_sends_is_not_packed() -> None:
    with pytest.raises(TypeError, match="a reader sends no object"):
        plain(object())


@pytest.mark.parametrize(
    "error",
    [
        InputRefused("crs-missing", file="a.zip", where="边界", candidates=[{"zh": "甲", "en": "a"}], x=1.0, y=2.0),
        TooLarge("features", file="a.zip", count=np.int64(30), most=10),
        CannotFinish("cannot-finish", detail="No space left on device"),
    ],
)
def test_a_refusal_comes_back_with_its_words(error: GeoplanError) -> None:
    found = refusal_of(json.loads(json.dumps(refusal(error))))
    assert type(found) is type(error)
    assert (found.say("zh"), found.say("en")) == (error.say("zh"), error.say("en"))
    assert found.as_dict() == error.as_dict()


class Hostile:
    """A pickle that runs a command where it is unpacked."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize(
    "change",
    [
        {"class": "SystemExit"},
        {"class": "Hostile"},
        {"id": "no-such-message"},
        {"args": [["a", {"$": "call", "of": "os.system"}]]},
        {"args": [["a", {"$": "message", "of": ["no-such", []]}]]},
        {"args": [["a", {"$": "shape", "of": "AAAA"}]]},
        {"args": 3},
    ],
)
def test_a_refusal_that_no_reader_sends_is_broken(change: dict[str, Any]) -> None:
    header = refusal(InputRefused("no-layers", file="a.zip")) | change
    with pytest.raises(WireBroken, match="."):
        refusal_of(header)


@pytest.mark.parametrize(
    "raw",
    [
        pickle.dumps(Hostile()) + b"\0" * 16,
        (10**12).to_bytes(8, "big") + (0).to_bytes(8, "big"),
        (2).to_bytes(8, "big") + (10**12).to_bytes(8, "big") + b"{}",
        (2).to_bytes(8, "big") + (0).to_bytes(8, "big") + b"[]",
        (4).to_bytes(8, "big") + (0).to_bytes(8, "big") + b"\xff\xff\xff\xff",
    ],
)
def test_a_message_that_is_none_or_too_long_is_broken(raw: bytes) -> None:
    with pytest.raises(WireBroken, match="message|header"):
        receive(io.BytesIO(raw), 1000)
    with pytest.raises(EOFError, match="has gone"):
        receive(io.BytesIO(raw[:9]), 1000)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_table_is_broken_or_a_table(data: st.DataObject) -> None:
    header, body = packed_table(table({"A": ["甲", None, "丙"], "B": [1, 2, 3], "C": [1, "x", None]}))
    raw = bytearray(body)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = table_of(header, memoryview(raw))
    except WireBroken:
        return
    assert len(found.shapes) == len(found.rows) == len(found.columns["A"])


@pytest.mark.parametrize(
    "change",
    [
        {"columns": ["A"]},
        {"columns": ["A", "A"]},
        {"kinds": ["plain", "pickle"]},
        {"about": {"frame": None}},
        {"about": {"extra": 1}},
    ],
)
def test_a_table_with_a_header_of_another_is_broken(change: dict[str, Any]) -> None:
    header, body = packed_table(table({"A": ["甲", None, "丙"], "B": [1, 2, 3]}))
    with pytest.raises(WireBroken, match="."):
        table_of(header | change, body)
