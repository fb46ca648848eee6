"""How figures are printed: one place for units, rounding and grouping.

Figures are rounded half up, as the survey asks (四舍五入), never half to even.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, Literal

Lang = Literal["zh", "en"]

_LARGEST = 1e15
"""Beyond this a number is no measure, but what a broken file holds: written with an exponent."""
MU_PER_M2 = Decimal(3) / Decimal(2000)
"""亩 per m²: 1 亩 = 2000/3 m²."""


def half_up(value: float, digits: int) -> float:
    """``value`` rounded half away from zero to ``digits`` decimals.

    >>> half_up(0.125, 2), half_up(-2.5, 0)
    (0.13, -3.0)
    """
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def floor_to(value: float, digits: int) -> float:
    """``value`` rounded down to ``digits`` decimals: how a share of coverage is printed.

    >>> floor_to(0.99999, 4)
    0.9999
    """
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))


_ABSURD = 1e15
"""From here on a number has no decimals that mean anything; damaged files hold such coordinates."""


def number(value: float | Decimal, digits: int, *, trim: bool = False) -> str:
    """``value`` with thousands grouped and ``digits`` decimals, half up.

    >>> number(12345.675, 2), number(0.62, 4, trim=True)
    ('12,345.68', '0.62')
    """
    if not math.isfinite(value):
        return "—"
    if abs(float(value)) >= _ABSURD:
        return f"{value:.6g}"
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    text = f"{exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP):,f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", "-0.00"} else text


def _area(value: float, lang: Lang) -> str:
    """An area at the size people think in: km² from 0.1 km², else m² with 亩."""
    if abs(value) >= 100_000:
        return _km2(value, lang)
    mu = number(Decimal(repr(float(value))) * MU_PER_M2, 2)
    return f"{_m2(value, lang)}（{mu} 亩）" if lang == "zh" else f"{_m2(value, lang)} ({mu} mu)"


def _m2(value: float, lang: Lang) -> str:
    return f"{number(value, 2)} {'平方米' if lang == 'zh' else 'm²'}"


def _km2(value: float, lang: Lang) -> str:
    return f"{number(value / 1e6, 4)} {'平方公里' if lang == 'zh' else 'km²'}"


def _km2_short(value: float, lang: Lang) -> str:
    return f"{number(value / 1e6, 4, trim=True)} {'平方公里' if lang == 'zh' else 'km²'}"


def _ha(value: float, lang: Lang) -> str:
    return f"{number(value / 1e4, 4)} {'公顷' if lang == 'zh' else 'ha'}"


def _ha_short(value: float, lang: Lang) -> str:
    return f"{number(value / 1e4, 4, trim=True)} {'公顷' if lang == 'zh' else 'ha'}"


def _metres(value: float, lang: Lang) -> str:
    return f"{number(value, 2)} {'米' if lang == 'zh' else 'm'}"


def _distance(value: float, lang: Lang) -> str:
    if abs(value) >= 1000:
        return f"{number(value / 1000, 3, trim=True)} {'公里' if lang == 'zh' else 'km'}"
    return f"{number(value, 2, trim=True)} {'米' if lang == 'zh' else 'm'}"


def _share(value: float, _lang: Lang) -> str:
    return f"{number(value * 100, 2, trim=True)} %"


def _yuan(value: float, lang: Lang) -> str:
    if lang == "en":
        return f"{number(value, 0)} yuan"
    if abs(value) >= 1e8:
        return f"{number(value / 1e8, 4, trim=True)} 亿元"
    if abs(value) >= 1e4:
        return f"{number(value / 1e4, 4, trim=True)} 万元"
    return f"{number(value, 2, trim=True)} 元"


def _per(unit: Callable[[float, Lang], str], zh: str, en: str) -> Callable[[float, Lang], str]:
    return lambda value, lang: f"{unit(value, lang)}/{zh if lang == 'zh' else en}"


def _count(value: float, _lang: Lang) -> str:
    return number(value, 4, trim=True)


def _people(value: float, lang: Lang) -> str:
    return f"{_count(value, lang)} {'人' if lang == 'zh' else 'people'}"


def _grade(value: float, _lang: Lang) -> str:
    return f"{_count(value, 'en')}A"


def _years(value: float, lang: Lang) -> str:
    return f"{_count(value, lang)} {'年' if lang == 'zh' else 'years'}"


def _duration(value: float, lang: Lang) -> str:
    """A time in seconds at the precision that people ask for: seconds below two minutes, minutes below two hours."""
    seconds = max(round(value), 1)
    if seconds < 120:
        return f"{seconds} {'秒' if lang == 'zh' else 's'}"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} {'分钟' if lang == 'zh' else 'min'}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} 小时 {minutes} 分钟" if lang == "zh" else f"{hours} h {minutes} min"


UNITS: Mapping[str, Callable[[float, Lang], str]] = {
    "area": _area,
    "m2": _m2,
    "km2": _km2,
    "km2s": _km2_short,
    "ha": _ha,
    "ha_short": _ha_short,
    "m": _metres,
    "distance": _distance,
    "share": _share,
    "yuan": _yuan,
    "yuan_per_km2": _per(_yuan, "平方公里", "km²"),
    "yuan_per_mu": _per(_yuan, "亩", "mu"),
    "yuan_per_mu_year": _per(_per(_yuan, "亩", "mu"), "年", "year"),
    "yuan_per_head": _per(_yuan, "人", "head"),
    "people": _people,
    "people_per_year": _per(_people, "年", "year"),
    "count": _count,
    "points": _count,
    "grade": _grade,
    "years": _years,
    "duration": _duration,
}
"""Unit → how a value in its base unit (m, m², yuan, share 0..1) is printed."""


def format_unit(value: Any, unit: str, lang: Lang) -> str:
    """One value in words: a number by its unit, a date in ISO form, a truth value as yes or no, text as it is.

    >>> format_unit(3_050_000.0, "km2", "en"), format_unit(3e9, "yuan", "zh")
    ('3.0500 km²', '30 亿元')
    """
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not abs(value) < _LARGEST:
        return f"{value:g}"
    if unit in UNITS and isinstance(value, int | float):
        return UNITS[unit](value, lang)
    if isinstance(value, float):
        return number(value, 6, trim=True)
    return str(value)
