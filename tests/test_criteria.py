"""The criteria file of a search: what it says, what is refused, and that its schema is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import InputRefused
from geoplan.search.criteria import Criteria
from geoplan.search.parsing import parse_criteria
from geoplan.search.suitability import Classes, Linear
from geoplan_api.demo import data_folder
from geoplan_api.schemas import schema_of
from geoplan_layers.criteria_file import read_criteria

FACTOR = {"id": "roads", "distance_to": {"layer": "roads"}, "linear": {"worst": 3000, "best": 0}, "weight": 1}


def criteria(**more: Any) -> Criteria:
    """Criteria with one factor, and what is said besides."""
    return parse_criteria({"schema": "geoplan/criteria/1", "factors": [FACTOR], **more}, "c.toml")


@pytest.mark.parametrize("name", ["template.criteria.toml", "huzhou.criteria.toml"])
def test_the_shipped_files_are_read(name: str) -> None:
    read, source = read_criteria(data_folder() / "search" / name)
    assert read.factors
    assert len(source.sha256) == 64


def test_what_is_left_out_has_its_usual_value() -> None:
    read = criteria()
    assert (read.cell_m, read.count, read.region.neighbours, read.construction.avoid) == (
        30.0,
        5,
        4,
        ("paddy", "cultivated"),
    )
    assert read.factors[0].transformation == Linear(3000, 0)
    assert read.factors[0].farthest == 3000


def test_classes_of_a_raster_are_its_codes() -> None:
    factor = {"id": "cover", "raster": "land-cover", "classes": {"40": 1.0, "10": 0.2}, "weight": 1}
    read = criteria(factors=[factor])
    assert read.factors[0].transformation == Classes(((10.0, 0.2), (40.0, 1.0)))


@pytest.mark.parametrize(
    ("more", "place", "detail"),
    [
        ({"cells": 30}, "cells", "cell_m"),
        ({"region": {"size": 3}}, "region.size", "target_m2"),
        (
            {"constraints": [{"id": "a", "towns": True, "distance_m": 9, "far": 1}]},
            r"constraints\[1\] \(a\).far",
            "distance_m",
        ),
        ({"constraints": [{"id": "a"}]}, r"constraints\[1\] \(a\)", "exactly one of features, raster and towns"),
        ({"constraints": [{"id": "a", "towns": True}]}, r"constraints\[1\]", "towns need distance_m"),
        ({"constraints": [{"id": "a", "raster": "slope"}]}, r"constraints\[1\]", "needs exactly one of above"),
        (
            {"constraints": [{"id": "a", "raster": "slope", "above": 1, "below": 3}]},
            r"constraints\[1\]",
            "needs exactly one",
        ),
        ({"factors": []}, "factors", "at least 1"),
        ({"factors": [FACTOR, FACTOR]}, "c.toml", "the id roads stands twice"),
        ({"factors": [{**FACTOR, "gaussian": {"middle": 1, "width": 1}}]}, r"factors\[1\]", "exactly one of linear"),
        ({"factors": [{**FACTOR, "raster": "slope"}]}, r"factors\[1\]", "exactly one of distance_to"),
        ({"weights": {"method": "ahp"}}, "weights", "which needs it"),
        ({"weights": {"method": "entropy"}}, "c.toml", "go with weights.method"),
        ({"factors": [{k: v for k, v in FACTOR.items() if k != "weight"}]}, "c.toml", "needs a weight"),
        ({"cell_m": 0.1}, "cell_m", "greater than or equal to 1"),
        (
            {"constraints": [{"id": "a", "features": {"layer": "roads", "groups": ["gold"]}}]},
            "groups",
            "no group of land",
        ),
        ({"constraints": [{"id": "a", "features": {"layer": "streets"}}]}, "layer", "pattern"),
        ({"schema": "geoplan/criteria/2"}, "schema", "geoplan/criteria/1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(more: dict[str, Any], place: str, detail: str) -> None:
    with pytest.raises(InputRefused, match=f"(?s){place}.*{detail}"):
        criteria(**more)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = ", b"x" * 1_000_001])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=r"c\.toml: the criteria file cannot be read"):
        read_criteria(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"nowhere\.toml"):
        read_criteria(tmp_path / "nowhere.toml")


def test_the_schema_is_published() -> None:
    schema = schema_of("criteria")
    assert schema["$id"] == "urn:geoplan:schema:criteria:1"
    assert schema["additionalProperties"] is False
    assert {"cell_m", "constraints", "factors", "region", "spacing"} <= set(schema["properties"])
    assert "candidates" in schema_of("search")["properties"]
