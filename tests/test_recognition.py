# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""What a layer is, by its name and its fields: the generations of FACTS' layers, and what is asked rather than guessed."""

from __future__ import annotations

import pytest

from geoplan.errors import InputRefused
from geoplan_layers.recognition import named_as, recognised

SECOND = ["BSM", "YSDM", "TBBH", "DLBM", "DLMC", "QSXZ", "QSDWMC", "ZLDWMC", "TKXS", "TBMJ", "TKMJ", "TBDLMJ"]
THIRD = ["BSM", "YSDM", "TBBH", "DLBM", "DLMC", "QSXZ", "QSDWMC", "ZLDWMC", "TBMJ", "KCDLBM", "KCXS", "KCMJ", "TBDLMJ"]
CHINESE = ["标识码", "图斑编号", "地类编码", "地类名称", "权属性质", "图斑面积", "扣除地类系数", "扣除地类面积"]
PLAN_FARMLAND = ["BSM", "YJJBNTTBBH", "DLBM", "DLMC", "YJJBNTTBMJ", "YJJBNTMJ", "GDPDJB", "SJNF"]


@pytest.mark.parametrize(
    ("role", "file", "fields", "generation", "code", "area"),
    [
        ("land-use", "3306_DLTB.shp", SECOND, "second-survey", "DLBM", "TBMJ"),
        ("land-use", "3306_DLTB.shp", THIRD, "third-survey", "DLBM", "TBMJ"),
        ("land-use", "地类图斑.shp", CHINESE, "third-survey", "地类编码", "图斑面积"),
        ("land-use", "JQDLTB.gpkg", ["BSM", "DLBM", "DLMC", "MJ"], "land-use-plan", "DLBM", "MJ"),
        ("planned-land-use", "TDGHDL.shp", ["BSM", "GHDLDM", "GHDLMC"], "land-use-plan", "GHDLDM", None),
        ("planned-land-use", "YDYHFL.shp", ["BSM", "YDYHFLDM", "YDYHFLMC"], "land-and-sea", "YDYHFLDM", None),
        ("permanent-basic-farmland", "YJJBNTBHTB.shp", PLAN_FARMLAND, None, "DLBM", "YJJBNTTBMJ"),
        ("permanent-basic-farmland", "YJJBNTTB.shp", ["BSM", "JBNTTBBH", "DLBM", "TBMJ"], None, "DLBM", "TBMJ"),
        ("permanent-basic-farmland", "JBNTBHTB.shp", ["BSM", "TBBH", "TBMJ", "GDMJ"], None, None, "TBMJ"),
        ("ecological-redline", "STBHHX.shp", ["BSM", "XJXZQDM", "LHLX", "MJ"], None, "LHLX", "MJ"),
        ("urban-development-boundary", "CZKFBJ.shp", ["BSM", "GHFQDM", "GHFQMC", "MJ"], None, "GHFQDM", "MJ"),
        ("construction-control-zones", "JSYDGZQ.shp", ["BSM", "GZQLXDM", "GZQMJ"], None, "GZQLXDM", "GZQMJ"),
        ("land-use-zones", "TDYTQ.shp", ["BSM", "TDYTQLXDM", "TDYTQMJ"], None, "TDYTQLXDM", "TDYTQMJ"),
    ],
)
def test_layers_of_the_standards_are_recognised(role, file, fields, generation, code, area) -> None:
    found = recognised(role, [(file, file.split(".")[0])], fields, None)
    assert (found.generation, found.fields.get("code"), found.fields.get("area")) == (generation, code, area)
    known = named_as(file, "")
    assert known is not None
    assert known.role == role
    assert found.notes == ()


def test_what_neither_name_nor_fields_decide_is_asked() -> None:
    fields = ["BSM", "DLBM", "DLMC", "TBMJ"]
    with pytest.raises(InputRefused, match="what the codes in DLBM mean is not decided") as refused:
        recognised("land-use", [("DLTB.shp", "DLTB")], fields, None)
    assert refused.value.message.args["choices"][:2] == ["third-survey", "second-survey"]
    assert recognised("land-use", [("DLTB.shp", "DLTB")], fields, "second-survey").generation == "second-survey"
    assert recognised("land-use", [("a.shp", "a")], ["BSM", "MC"], None).coded is False


def test_both_ridge_fields_and_a_name_against_the_fields_are_asked() -> None:
    with pytest.raises(InputRefused, match="what the codes in DLBM mean is not decided"):
        recognised("land-use", [("DLTB.shp", "DLTB")], [*THIRD, "TKXS"], None)
    with pytest.raises(InputRefused, match="speak of different standards"):
        recognised("land-use", [("JQDLTB.shp", "JQDLTB")], THIRD, None)


def test_a_layer_of_another_role_is_refused_and_an_odd_name_is_told() -> None:
    with pytest.raises(InputRefused, match="Register it as construction-control-zones"):
        recognised("land-use-zones", [("zones.shp", "zones")], ["BSM", "GZQLXDM", "GZQMJ"], None)
    with pytest.raises(InputRefused, match="not of basic-farmland|not of permanent basic farmland"):
        recognised("permanent-basic-farmland", [("a.shp", "a")], ["BSM", "TDYTQLXDM"], None)
    found = recognised("permanent-basic-farmland", [("DLTB.shp", "DLTB")], THIRD, None)
    assert [note.id for note in found.notes] == ["read.layer-named-otherwise"]


def test_the_date_comes_from_the_year_of_the_data() -> None:
    found = recognised("land-use", [("DLTB.shp", "DLTB")], [*THIRD, "SJNF"], None, {2021, 2023})
    assert str(found.day) == "2023-12-31"
