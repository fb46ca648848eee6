"""The land survey's coordinate TXT: 勘测定界界址点坐标交换格式 (部报盘, 电子报盘, 国土TXT).

    file  = { "[" name "]" { key "=" value } } "[地块坐标]" { plot }
    plot  = 界址点数,地块面积(公顷),地块编号,地块名称,点|线|面,图幅号,地块用途,地类编码{,more},@  { point }
    point = 点号,圈号,X(north),Y(east)

and what is met in practice: sections and keys in any order, missing or unknown; full-width punctuation; tabs; headers
of 7, 8 and 13 values; lines ``no,plot,ring,点号,X,Y`` and bare ``X,Y``; ``导出面数据0`` for a header. Nothing is passed
over among the coordinates: a line there that is none of these is refused with its number. 转换参数 are state secrets:
they are never shown, kept or used, only their presence is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from geoplan.boundary import Source
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.plots import FEWEST, PlotRows, number, ring_starts, within_limits
from geoplan_layers.files.plots_table import by_numbers, table_of
from geoplan_layers.files.survey_frame import Stated, frame_of_survey, north_first
from geoplan_layers.files.survey_header import KINDS, header_values, open_plot, plain
from geoplan_layers.files.table import Table

HEAD_KEYS = {
    "坐标系": "system",
    "坐标系统": "system",
    "几度分带": "width",
    "分带": "width",
    "带号": "zone",
    "计量单位": "unit",
}
_STANDARD = {*HEAD_KEYS, "格式版本号", "数据产生单位", "数据产生日期", "投影类型", "精度"}
_SECRET = re.compile(r"参数|平移|旋转|尺度")
_EXPORTED = re.compile(r"导出.{0,2}数据\s*\d*")
LONGEST = 60
PLACEHOLDERS = {"DKBH", "DKMC", "TFH", "DKYT", "DLBM"}
"""Names of fields that an exporter wrote in place of their values."""
_COORDINATES = "地块坐标"
_SNIFFED = 1 << 16


@dataclass
class _Reading:
    """What has been read so far, line by line."""

    file: str
    most: int
    plots: list[PlotRows] = field(default_factory=list)
    title: PlotRows | None = None
    keys: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    passed: list[int] = field(default_factory=list)
    sections: int = 0
    parameters: bool = False
    begun: bool = False
    headed: bool = False
    numbered: bool = False
    values: int = 0
    blank: int | None = None
    group: str | None = None
    points: int = 0
    notes: list[Message] = field(default_factory=list)


def is_survey_text(text: str) -> bool:
    """Whether a text is of this format: one of its sections, or a plot's header."""
    return any(
        _section(line) in (_COORDINATES, "属性描述") or _EXPORTED.fullmatch(line) or header_values(raw) is not None
        for raw, line in _head_lines(text)
    )


def is_points_text(text: str) -> bool:
    """Whether a text is mostly lines of points, without a word of what their columns are."""
    lines = [line for _, line in _head_lines(text) if line and "=" not in line]
    points = sum(_point(_values(line)) is not None for line in lines)
    return points >= FEWEST and 5 * points >= 4 * len(lines)


def _head_lines(text: str) -> list[tuple[str, str]]:
    return [(raw, plain(raw)) for raw in text[:_SNIFFED].splitlines()[:400]]


def _section(line: str) -> str | None:
    return line[1:-1].replace(" ", "") if len(line) > 2 and line[0] == "[" and line[-1] == "]" else None


def read_survey_text(text: str, source: Source, layer: str, limits: Limits, encoding: str = "utf-8") -> Table:
    """One row per plot, with 地块编号, 地块名称, 图幅号, 地块用途, 地类编码, 面积 (hectares) and further values.

    Parameters
    ----------
    text
        The file, decoded.

    Raises
    ------
    InputRefused
        A line that is none of the format (with its number), a ring of fewer than three points, a file cut short,
        header and numbers that contradict each other.
    TooLarge
        More points than allowed.
    """
    reading = _Reading(source.file, limits.vertices)
    for order, line in enumerate(text.splitlines(), 1):
        _read_line(reading, order, line)
    _check_counts(reading)
    first = [value for plot in reading.plots for value in plot.first]
    second = [value for plot in reading.plots for value in plot.second]
    frame, notes = frame_of_survey(_stated(reading), first, second, source.file)
    east_second = True
    if not (reading.headed or reading.sections or reading.numbered) and first:
        east_second = _order(first, second, source.file)
        kept = (note for note in notes if note.id != "read.survey-looks-swapped")
        notes = (by_numbers(east_second=east_second), *kept)
    notes = (*_reading_notes(reading), *notes)
    table = table_of(reading.plots, frame, source, layer, encoding, notes, east_second=east_second)
    return replace(table, area_unit="ha") if reading.headed else table


def _order(first: list[float], second: list[float], file: str) -> bool:
    decided = north_first(np.asarray(first), np.asarray(second))
    if decided is None:
        raise InputRefused("columns-undecided", file=file, where="line 1", first=first[0], second=second[0])
    return decided


def _values(line: str) -> list[str]:
    """The values of a line: between commas, else between blanks and tabs; empty ones at the end left out."""
    values = [each.strip() for each in line.split(",")] if "," in line else line.split()
    while values and not values[-1]:
        values.pop()
    return values


def _read_line(reading: _Reading, order: int, raw: str) -> None:
    line = plain(raw)
    if not line:
        reading.blank = order
        return
    values = _values(line)
    if (point := _point(values)) is not None and reading.values in (0, len(values)):
        reading.values = len(values)
        _add_point(reading, order, point)
    elif (section := _section(line)) is not None:
        reading.sections += 1
        reading.begun = section == _COORDINATES
    elif (header := header_values(raw)) is not None:
        _open_plot(reading, order, header)
    elif _EXPORTED.fullmatch(line):
        _begin(reading, PlotRows(order))
        reading.title = reading.plots[-1]
    elif not _read_key(reading, line):
        if reading.begun:
            raise InputRefused("survey-line", file=reading.file, where=f"line {order}", count=len(values))
        reading.passed.append(order)


def _begin(reading: _Reading, plot: PlotRows) -> None:
    reading.plots.append(plot)
    reading.begun = reading.headed = True
    reading.group = None


def _open_plot(reading: _Reading, order: int, values: list[str]) -> None:
    plot = open_plot(order, values)
    if plot is None:
        given = (values[4:5] or ["—"])[0][:LONGEST]
        raise InputRefused("survey-kind", file=reading.file, where=f"line {order}", given=given)
    if not any(value.upper() in KINDS for value in values):
        reading.notes.append(Message("read.survey-kind-empty", {"line": order}))
    if reading.title is not None and reading.title is reading.plots[-1] and not len(reading.title):
        reading.plots.pop()  # a title above the header of one and the same plot
    _begin(reading, plot)


def _point(values: list[str]) -> tuple[str | None, str, str | None, float, float] | None:
    """Plot, name, ring and the two coordinates of a point's line; none where it is no such line."""
    count = len(values)
    if count not in (2, 3, 4, 6):
        return None
    first, second = number(values[-2]), number(values[-1])
    if first is None or second is None:
        return None
    if count == 2:
        return None, "", None, first, second
    if count == 3:
        return None, values[0], None, first, second
    ring = values[1] if count == 4 else values[2]
    if "." in ring or len(ring) > 8:
        return None
    if count == 4:
        return None, values[0], ring, first, second
    return values[1], values[3], ring, first, second


def _add_point(reading: _Reading, order: int, point: tuple[str | None, str, str | None, float, float]) -> None:
    group, name, ring, first, second = point
    if not reading.plots or (group is not None and group != reading.group and len(reading.plots[-1])):
        plot = PlotRows(order)
        if group is not None:
            plot.attributes = {"地块编号": group}
        reading.plots.append(plot)
    plot = reading.plots[-1]
    reading.group, reading.begun = group, True
    reading.numbered = reading.numbered or ring is not None
    if reading.blank is not None and ring is None and len(plot) and reading.blank > plot.lines[-1]:
        plot.breaks.append(len(plot))
    reading.points += 1
    if reading.points > reading.most:
        within_limits(reading.points, reading.most, reading.file)
    plot.add(order, name, ring, first, second)


def _read_key(reading: _Reading, line: str) -> bool:
    """Take a line ``key=value``; among the coordinates only the keys of the format are."""
    key, mark, value = (each.strip() for each in line.partition("="))
    key = key.replace(" ", "")
    if not mark or not key:
        return False
    if _SECRET.search(key):
        reading.parameters = reading.parameters or bool(re.search(r"[1-9]", value))
        return True
    if key in HEAD_KEYS:
        name = HEAD_KEYS[key]
        if value and reading.keys.get(name, value) != value:
            raise InputRefused(
                "survey-two-systems", file=reading.file, where=key, key=key, one=reading.keys[name], other=value
            )
        reading.keys[name] = value or reading.keys.get(name, "")
    elif key not in _STANDARD:
        if reading.begun:
            return False
        reading.unknown[key[:LONGEST]] = value[:LONGEST]
    return True


def _stated(reading: _Reading) -> Stated:
    return Stated(**reading.keys)


def _check_counts(reading: _Reading) -> None:
    """Note counts that differ; refuse what is torn or cut short, for its area would be made up."""
    for order, plot in enumerate(reading.plots, 1):
        torn = sorted(set(plot.breaks) - set(ring_starts(plot))) if plot.breaks else []
        if torn:
            raise InputRefused("survey-blank", file=reading.file, where=f"line {plot.lines[torn[0]] - 1}")
        if plot.stated is None or plot.stated == len(plot) or not len(plot):
            continue
        args = {"plot": plot.label(order), "stated": plot.stated, "count": len(plot)}
        if plot.kind == "面" and plot.stated > len(plot) + 1 and plot.unfinished:
            raise InputRefused("survey-cut-short", file=reading.file, where=f"line {plot.lines[-1]}", **args)
        reading.notes.append(Message("read.survey-count", args))


def _reading_notes(reading: _Reading) -> Iterable[Message]:
    yield from reading.notes
    if reading.unknown:
        yield Message("read.survey-keys", {"keys": [f"{k}={v}" for k, v in list(reading.unknown.items())[:12]]})
    if reading.passed:
        yield Message("read.survey-lines-passed", {"lines": reading.passed[:12], "count": len(reading.passed)})
    if reading.parameters:
        yield Message("read.survey-parameters", {})
    placeholders = sorted(
        {str(v) for plot in reading.plots for v in plot.attributes.values() if str(v) in PLACEHOLDERS}
    )
    if placeholders:
        yield Message("read.survey-placeholders", {"names": placeholders})
        for plot in reading.plots:
            plot.attributes = {k: v for k, v in plot.attributes.items() if str(v) not in PLACEHOLDERS}
