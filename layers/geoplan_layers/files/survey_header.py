"""The header of a plot in the survey's coordinate TXT: the values before ``@``, by their names."""

from __future__ import annotations

import re
import unicodedata

from geoplan_layers.files.plots import Kind, PlotRows, number

HECTARE = 1e4
PLOT_FIELDS = ("图幅号", "地块用途", "地类编码")
"""Header values behind 点|线|面."""
_MORE_FIELDS = ("TBLX", "DL", "GZQ", "GZH", "BZ")
"""The five further values of headers of 13."""
KINDS: dict[str, Kind] = {
    "面": "面",
    "面状": "面",
    "多边形": "面",
    "POLYGON": "面",
    "MULTIPOLYGON": "面",
    "线": "线",
    "线状": "线",
    "LINE": "线",
    "POLYLINE": "线",
    "LINESTRING": "线",
    "点": "点",
    "点状": "点",
    "POINT": "点",
}
_UNITS = {"": 1.0, "公顷": 1.0, "HA": 1.0, "平方米": 1e-4, "M2": 1e-4, "亩": 2000 / 3 / HECTARE, "平方公里": 100.0}
_UNITS |= {"KM2": 100.0, "平方千米": 100.0}
_AREA = re.compile(r"([\d.]+(?:E[+-]?\d+)?)\s*(\D*)")
_BRACKETS = str.maketrans({"【": "[", "】": "]", "［": "[", "］": "]"})


def plain(line: str) -> str:
    """A line with ASCII punctuation and digits, without blanks around it."""
    if line.isascii():
        return line.strip()
    return unicodedata.normalize("NFKC", line.translate(_BRACKETS)).strip()


def header_values(raw: str) -> list[str] | None:
    """The values of a plot's header without its ``@``; none for other lines.

    A name may hold a full-width comma, so the line is first cut at ASCII commas alone; tabs part values only where
    there are no commas.
    """
    line = raw.strip().removesuffix("＠").removesuffix("@")
    closed = len(line) < len(raw.strip())
    values: list[str] = []
    tabs = "\t" in line and "," not in plain(line)
    for text in (line, line.replace("\t", ",") if tabs else plain(line)):
        values = [each.strip() for each in text.split(",")]
        if closed and len(values) > 1 and not values[-1]:
            values.pop()
        kind = _kind_place(values)
        if kind is not None and (closed or (kind == 4 and plain(values[0]).isdecimal())):
            return values
    return values if closed and len(values) >= 5 else None


def _kind_place(values: list[str]) -> int | None:
    return next((i for i in (4, 3, 5, 2, 6) if i < len(values) and values[i].upper() in KINDS), None)


def open_plot(order: int, values: list[str]) -> PlotRows | None:
    """A plot by its header's values (line ``order``); none where none says 点, 线 or 面 nor is left empty for it."""
    at = _kind_place(values)
    if at is None:
        if values[4:5] != [""]:
            return None
        at = 4
    kind = KINDS[values[at].upper() or "面"]
    count = plain(values[0])
    plot = PlotRows(order, kind, int(count) if count.isdecimal() and len(count) < 10 else None)
    plot.attributes = _attributes(values, at, kind)
    return plot


def _attributes(values: list[str], at: int, kind: str) -> dict[str, object]:
    """A header's values by their names. Where 点|线|面 stands elsewhere, the values before it keep their ends."""
    lead, rest = values[:at], values[at + 1 :]
    named: dict[str, object] = {
        "地块编号": lead[2] if at >= 4 else "",
        "地块名称": lead[-1] if at >= 3 else "",
        "图形类型": kind,
        "面积": hectares(lead[1]),
    }
    names = [*PLOT_FIELDS, *_MORE_FIELDS] if len(values) == 13 else list(PLOT_FIELDS)
    names += [f"附加{i}" for i in range(1, len(rest) - len(names) + 1)]
    named.update(zip(names, rest, strict=False))
    return {name: value for name, value in named.items() if value not in ("", None)}


def hectares(text: str) -> float | str | None:
    """An area in hectares, which is what the format means; another unit behind the number is heeded.

    >>> hectares("0.7655公顷"), hectares("12247.1平方米"), hectares("90.0000"), hectares("约3"), hectares("")
    (0.7655, 1.22471, 90.0, '约3', None)
    """
    plain = unicodedata.normalize("NFKC", text).upper().strip()
    found = _AREA.fullmatch(plain)
    unit = found[2].strip() if found else None
    value = number(found[1]) if found else None
    if value is None or unit not in _UNITS:
        return text.strip() or None
    return round(value * _UNITS[unit], 10)
