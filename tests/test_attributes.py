# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""What patches carry besides their class: ownership, owner and village, from a file and from an index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from builders import HUZHOU, box
from geoplan.layer import Patches
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.prepared import kernel
from geoplan_layers.prepared.pack import ARRAYS, ATTRIBUTE_FILE, Words, open_pack
from geoplan_layers.selector import parse_layer

SHAPES = [box(0, 0, 50, 50), box(50, 0, 50, 50), box(100, 0, 50, 50)]


def read(path: Path, **columns: list[str]) -> Patches:
    gpd.GeoDataFrame({"TBBH": ["1", "2", "3"], **columns}, geometry=SHAPES, crs=4549).to_file(path, encoding="GBK")
    return FileLayer(parse_layer(f"land-use={path}")).within(box(0, 0, 500, 500), HUZHOU)


def test_a_survey_file_gives_ownership_owner_and_village_as_written(tmp_path: Path) -> None:
    found = read(
        tmp_path / "DLTB.shp",
        DLBM=["0101", "0301", "0702"],
        QSXZ=["30", "20", "30"],
        QSDWMC=["东升村", "国有林场", "东升村"],
        ZLDWMC=["东升村", "东升村", "潘杨村"],
    )
    assert found.attribute("ownership").tolist() == ["30", "20", "30"]
    assert found.attribute("owner").tolist() == ["东升村", "国有林场", "东升村"]
    assert found.take(np.array([2])).attribute("village").tolist() == ["潘杨村"]


def test_a_field_that_is_not_there_is_no_attribute_and_joins_as_nothing(tmp_path: Path) -> None:
    bare, full = read(tmp_path / "a.shp"), read(tmp_path / "b.shp", 权属性质=["国有"] * 3)
    assert dict(bare.attributes) == {}
    both = Patches.together([bare, full])
    assert set(both.attributes) == {"ownership"}
    assert both.attribute("ownership").tolist() == ["", "", "", "国有", "国有", "国有"]


def test_an_index_gives_the_attributes_that_it_was_written_with(tmp_path: Path) -> None:
    words = {"ownership": ("20", "30"), "village": ("东升村",)}
    index = {"ownership": np.array([1, 0, 1], np.int32), "village": np.zeros(3, np.int32)}
    pack = kernel.pack_of(SHAPES, HUZHOU)
    pack = replace(pack, ids=np.frombuffer(b"abc", np.uint8), id_ends=np.arange(1, 4))
    for name in ARRAYS:
        np.save(tmp_path / f"{name}.npy", getattr(pack, name))
    for name, each in index.items():
        np.save(tmp_path / f"{ATTRIBUTE_FILE.format(name)}.npy", each)
    opened = open_pack(tmp_path, HUZHOU, ("",), ("",), words)
    assert opened.attributes["village"].of(np.array([0, 2])).tolist() == ["东升村", "东升村"]
    assert opened.attribute_texts(np.array([1, 2]))["ownership"].tolist() == ["20", "30"]
    assert shapely.equals(opened.shapes(np.array([1])), [SHAPES[1]]).all()
    assert Words(index["ownership"], words["ownership"]).of(np.array([], dtype=np.int64)).tolist() == []
