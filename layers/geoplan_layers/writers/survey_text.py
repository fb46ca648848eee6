"""Writing the land survey's coordinate TXT (勘测定界界址点坐标交换格式) so that strict readers take it.

Exactly the ten keys, 转换参数 always empty; CRLF; 3 decimals; the closing point repeated and counted; hectares to 4
decimals; no two headers alike, since some readers keep plots by their header.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from geoplan.crs import Frame
from geoplan.errors import InputRefused
from geoplan.messages import Message
from geoplan_layers.writers.numbered import AreaMethod, NumberedPlot, Parcel, Zone, clean, metres, numbered, zone_of

Encoding = Literal["gbk", "utf-8"]
_NEW_LINE = "\r\n"


@dataclass(frozen=True, slots=True)
class SurveyTextOptions:
    """How to write: GBK is what the authorities' systems expect; areas are planar by custom.

    ``producer`` and ``day`` fill 数据产生单位 and 数据产生日期, which may stay empty.
    """

    encoding: Encoding = "gbk"
    area: AreaMethod = "planar"
    producer: str = ""
    day: date | None = None


def write_survey_text(
    parcels: Sequence[Parcel], frame: Frame, path: Path, options: SurveyTextOptions | None = None
) -> tuple[Message, ...]:
    """Write plots as a coordinate TXT.

    Parameters
    ----------
    parcels
        Polygons in ``frame``, metres, x = east, y = north; each part becomes a plot, holes its rings 2, 3 ….
    frame
        CGCS2000 in a 3- or 6-degree zone; eastings without the zone number get it.

    Returns
    -------
    tuple of Message
        What writing changed or chose: the prefix, the method of areas, names mended for the grammar.

    Raises
    ------
    InputRefused
        Another system; a name that GBK cannot hold (told with its characters, nothing is written); a polygon that
        rounding to 1 mm makes invalid.
    """
    options = options or SurveyTextOptions()
    plots, notes = numbered(parcels, frame, path.name, options.area)
    lines = ["[属性描述]", *_head(zone_of(frame, path.name), options), "[地块坐标]"]
    for plot in plots:
        lines += _plot_lines(plot)
    path.write_bytes(_encoded(_NEW_LINE.join([*lines, ""]), options.encoding, path.name))
    mended = sorted({plot.parcel.name for plot in plots if _value(plot.name) != plot.parcel.name})
    return (*notes, Message("write.survey-names", {"names": mended})) if mended else notes


def _head(zone: Zone, options: SurveyTextOptions) -> list[str]:
    """The ten keys, 转换参数 without values."""
    keys = {
        "格式版本号": "1.01版本",
        "数据产生单位": clean(options.producer),
        "数据产生日期": f"{options.day.year}-{options.day.month}-{options.day.day}" if options.day else "",
        "坐标系": "2000国家大地坐标系",
        "几度分带": str(zone.width),
        "投影类型": "高斯克吕格",
        "计量单位": "米",
        "带号": str(zone.number),
        "精度": "0.001",
        "转换参数": ",,,,,,",
    }
    return [f"{key}={value}" for key, value in keys.items()]


def _plot_lines(plot: NumberedPlot) -> list[str]:
    lines = [_header(plot)]
    for ring in plot.rings:
        for name, (north, east) in zip(ring.names, ring.millimetres.tolist(), strict=True):
            lines.append(f"{name},{ring.number},{metres(north)},{metres(east)}")
    return lines


def _header(plot: NumberedPlot) -> str:
    parcel = plot.parcel
    values = [plot.number, plot.name, "面", parcel.sheet, parcel.use, parcel.class_code]
    return ",".join([str(plot.points), str(plot.hectares), *(_value(each) for each in values), "@"])


def _value(text: str) -> str:
    """A header's value: a comma would begin the next one, so it becomes the full-width comma."""
    return clean(text).replace(",", "，")


def _encoded(text: str, encoding: Encoding, file: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        lacking = sorted({c for c in text if not _fits(c, encoding)})
        raise InputRefused("write-survey-encoding", file=file, characters=lacking[:20]) from None


def _fits(character: str, encoding: Encoding) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
