"""Reading the numbers of a quote: 3平方公里, 30亿元, 70%, 1/2平方公里, 三十五公顷, 1—5平方公里.

Every figure of a rule must stand in its clause. This module says which figures a text states, each in its base
unit, so that a test and ``geoplan policies lint`` can hold the rule to its clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000.0, "亿": 100_000_000.0}

_NUMBER = r"(?:\d+/\d+|\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百千]+)"
_RANGE = re.compile(
    rf"(?P<a>{_NUMBER})(?:(?P<am>[万亿])?\s*[-—–~～至、]+\s*(?P<b>{_NUMBER}))?\s*(?P<m>[万亿])?\s*(?P<u>%|[^\d\s，。、；,;.（(）)]{{0,7}})"
)

_UNITS: tuple[tuple[str, str, float], ...] = (
    ("元/每平方公里", "yuan_per_km2", 1.0),
    ("元/平方公里", "yuan_per_km2", 1.0),
    ("元/亩", "yuan_per_mu", 1.0),
    ("元/年", "yuan_per_mu_year", 1.0),
    ("元/人", "yuan_per_head", 1.0),
    ("人次/年", "people_per_year", 1.0),
    ("人次", "people_per_year", 1.0),
    ("人", "people", 1.0),
    ("元", "yuan", 1.0),
    ("平方公里", "m2", 1e6),
    ("公顷", "m2", 1e4),
    ("平方米", "m2", 1.0),
    ("公里", "m", 1e3),
    ("米", "m", 1.0),
    ("%", "share", 0.01),
    ("A级", "grade", 1.0),
    ("年", "years", 1.0),
    ("个百分点", "points", 1.0),
)


def chinese_number(text: str) -> int:
    """An integer written in Chinese numerals.

    >>> chinese_number("三十五"), chinese_number("七十"), chinese_number("十"), chinese_number("二十五")
    (35, 70, 10, 25)
    """
    if not any(sign in _PLACES for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, digit = 0, 0
    for sign in text:
        if sign in _PLACES:
            total += (digit or 1) * _PLACES[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def _value(text: str) -> float:
    if "/" in text:
        above, below = text.split("/")
        return int(above) / int(below)
    return float(text) if text[0].isdigit() else float(chinese_number(text))


def _unit(text: str) -> tuple[str, float]:
    for sign, unit, factor in _UNITS:
        if text.startswith(sign):
            return unit, factor
    return "count", 1.0


def stated_figures(text: str) -> frozenset[tuple[float, str]]:
    """Every figure that a text states, as (value in its base unit, unit); a bare number counts as ``count``.

    >>> sorted(stated_figures("原则上规划面积控制在3-5平方公里"))
    [(3000000.0, 'm2'), (5000000.0, 'm2')]
    >>> stated_figures("项目投资30亿元") == {(3e9, "yuan")}
    True
    >>> (350000.0, "m2") in stated_figures("永久基本农田以外的耕地超过三十五公顷的")
    True
    >>> (5e8, "yuan_per_km2") in stated_figures("社会投入要达到5亿元/每平方公里及以上")
    True
    >>> (0.1, "share") in stated_figures("财政总收入保持两位数增长")
    True
    """
    return frozenset(_figures(text))


def _figures(text: str) -> Iterator[tuple[float, str]]:
    if "两位数" in text:  # growth in two digits is growth of 10 % or more
        yield 0.1, "share"
    for hit in _RANGE.finditer(text):
        unit, factor = _unit(hit["u"])
        scale = _MYRIADS.get(hit["m"] or "", 1.0)
        ends = [(hit["a"], _MYRIADS.get(hit["am"] or "", scale))]
        if hit["b"]:
            ends.append((hit["b"], scale))
        for digits, size in ends:
            yield round(_value(digits) * size * factor, 9), unit
