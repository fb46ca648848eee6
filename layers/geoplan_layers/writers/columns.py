"""Attributes as databases keep them: one type a column, and names that a .dbf can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoplan_layers.writers.sheet import Column

LONGEST_NAME = 10
LONGEST_TEXT = 254
"""Bytes of a field's name and of a text in a .dbf."""

OWN_NAMES: Mapping[str, str] = MappingProxyType({"evidence_id": "evid"})
"""Fields of the product itself whose names are too long for a .dbf; fixed, so that scripts can rely on them."""

TRADE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "名称": "MC",
        "项目名称": "XMMC",
        "面积": "MJ",
        "用地面积": "YDMJ",
        "编号": "BH",
        "类型": "LX",
        "备注": "BZ",
        "用途": "YT",
        "地块编号": "DKBH",
        "地块名称": "DKMC",
        "地块用途": "DKYT",
        "地块面积": "DKMJ",
        "图幅号": "TFH",
        "地类编码": "DLBM",
        "地类名称": "DLMC",
        "图斑编号": "TBBH",
        "图斑面积": "TBMJ",
        "图斑地类面积": "TBDLMJ",
        "扣除地类系数": "KCXS",
        "扣除地类面积": "KCMJ",
        "坐落单位代码": "ZLDWDM",
        "坐落单位名称": "ZLDWMC",
        "权属单位代码": "QSDWDM",
        "权属单位名称": "QSDWMC",
        "权属性质": "QSXZ",
        "行政区代码": "XZQDM",
        "行政区名称": "XZQMC",
        "要素代码": "YSDM",
        "标识码": "BSM",
        "数据年份": "SJNF",
    }
)
"""Chinese field names with the abbreviation that the survey's database standards give them (TD/T 1057)."""

_ASCII = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class TypedColumn:
    """One column of one type: 64-bit integers, doubles or text; ``missing`` marks nulls."""

    values: NDArray[Any]
    missing: NDArray[np.bool_]

    @property
    def is_text(self) -> bool:
        """Whether it holds text."""
        return self.values.dtype == object


def typed(column: Column) -> TypedColumn:
    """A column as integers where all its values are, as doubles where all are numbers, else as text; NaN is null.

    >>> typed(np.array([1, None], dtype=object)).values.dtype, typed(np.array(["甲", 2], dtype=object)).values.tolist()
    (dtype('int64'), ['甲', '2'])
    """
    values = [_plain(each) for each in column]
    missing = np.array([each is None for each in values], dtype=bool)
    present = [each for each in values if each is not None]
    if present and all(isinstance(each, int) and abs(each) < 10**18 for each in present):
        return TypedColumn(np.array([each or 0 for each in values], dtype=np.int64), missing)
    if present and all(isinstance(each, float) or (isinstance(each, int) and abs(each) < 2**53) for each in present):
        return TypedColumn(np.array([each or 0.0 for each in values], dtype=np.float64), missing)
    return TypedColumn(np.array(["" if each is None else str(each) for each in values], dtype=object), missing)


def _plain(value: Any) -> int | float | str | None:
    """A value as an integer, a double, text or nothing."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def dbf_names(names: Iterable[str]) -> dict[str, str]:
    """A name of at most ten ASCII characters for each field, each different whatever its case.

    The product's own and the trade's names have fixed short forms; plain names are kept, cut where too long; the
    others are numbered by their place.

    >>> dbf_names(["名称", "TBBH", "area_of_the_piece", "批准文号"])
    {'名称': 'MC', 'TBBH': 'TBBH', 'area_of_the_piece': 'area_of_th', '批准文号': 'F04'}
    """
    wanted = {name: _short(name, place) for place, name in enumerate(names, 1)}
    kept = {name for name, short in wanted.items() if name == short}
    taken = {name.upper() for name in kept}
    found: dict[str, str] = {}
    for name, short in wanted.items():
        if name not in kept:
            short = _free(short, taken)
            taken.add(short.upper())
        found[name] = short
    return found


def _short(name: str, place: int) -> str:
    fixed = OWN_NAMES.get(name) or TRADE_NAMES.get(name)
    if fixed:
        return fixed
    return name[:LONGEST_NAME] if _ASCII.fullmatch(name) else f"F{place:02d}"


def _free(short: str, taken: set[str]) -> str:
    number, free = 1, short
    while free.upper() in taken:
        tail = f"_{number}"
        number, free = number + 1, short[: LONGEST_NAME - len(tail)] + tail
    return free


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """A text in at most so many bytes of UTF-8, cut between characters.

    >>> cut("南通开发区", 8)
    '南通'
    """
    return text.encode()[:most].decode(errors="ignore")
