"""Which columns of a table of points hold what: told by their names, or by the figures where there are none.

纵坐标 and 北 are north, 横坐标 and 东 east. A bare X is north in surveying and east in a GIS, so X and Y are decided by
the figures, and refused where those do not decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from geoplan_layers.files.plots import number
from geoplan_layers.files.survey_frame import Stated, datum_of
from geoplan_layers.files.survey_text import HEAD_KEYS

Cell = str | float | None
Row = tuple[int, Sequence[Cell]]
"""A row's number in the file, from 1, and its cells."""

HEAD_ROWS = 40
"""Rows in which the names of the columns are looked for."""
_UNIT = re.compile(r"[(\[](m|米|单位:?米|公顷|hm2|ha|平方米|m2|亩|km2|平方公里|度|°)[)\]]")
_NOISE = re.compile(r"/(m|米)$|坐标|coordinates?|coord|[_\s:'\"-]|值$")
_NAMES: Mapping[str, re.Pattern[str]] = {
    "lon": re.compile(r"经度?|东经|lon|lng|long|longitude|jd"),
    "lat": re.compile(r"纬度?|北纬|lat|latitude|wd"),
    "north": re.compile(r"x?\(?[纵北]\)?|[纵北]\(?x\)?|北\(?x\)?|north(ing)?(\(x\))?|n|x\(n(orth)?\)"),
    "east": re.compile(r"y?\(?[横东]\)?|[横东]\(?y\)?|east(ing)?(\(y\))?|e|y\(e(ast)?\)"),
    "x": re.compile(r"x|pointx|xpoint"),
    "y": re.compile(r"y|pointy|ypoint"),
    "ring": re.compile(r"圈号?|环号?|ring(no|id)?"),
    "plot": re.compile(r"地块编?号|地块|宗地(编?号)?|图斑编?号|plot(no|id)?|parcel(no|id)?|dkbh"),
    "plot-name": re.compile(r"(地块|宗地|项目)名称?|plotname|dkmc"),
    "area": re.compile(r"(地块|宗地|用地)?面积|area|mj"),
    "sheet": re.compile(r"图幅号?"),
    "use": re.compile(r"(地块|土地)用途"),
    "class": re.compile(r"地类编码|dlbm"),
    "epsg": re.compile(r"epsg|crs"),
    "name": re.compile(r"(界址|拐|边界)?点(号|名|编号)?|(拐点|界址点|桩)编?号|point(no|id|name)?|pt|j号"),
    "side": re.compile(r"边长|距离|side(length)?|length"),
    "order": re.compile(r"序号|编号|号|no\.?|id|fid|name|名称?"),
}
PAIRS = (("north", "east"), ("x", "y"), ("lat", "lon"))
"""Coordinate columns in the order of preference: north first, but for X, Y."""
_BY_COUNT: Mapping[int, tuple[str, ...]] = {
    2: ("x", "y"),
    3: ("name", "x", "y"),
    4: ("name", "ring", "x", "y"),
    6: ("order", "plot", "ring", "name", "x", "y"),
}
"""What the columns of a table without names are, by how many there are."""


@dataclass(frozen=True)
class Layout:
    """Where a table's points begin, and what each column holds.

    ``first`` and ``second`` are the coordinate columns, north and east when ``decided``, else X and Y as named;
    ``others`` are further columns by their names, ``area_unit`` what stands behind 面积 in brackets; ``named`` whether
    the table names its columns at all.
    """

    begins: int
    first: int
    second: int
    decided: bool
    columns: Mapping[str, int]
    others: Mapping[str, int] = field(default_factory=dict)
    area_unit: str = ""
    stated: Stated = field(default_factory=Stated)
    named: bool = True


def meaning(cell: Cell) -> str | None:
    """What a column's name says it holds.

    >>> [meaning(t) for t in ("X坐标(m)", "纵坐标X", "横坐标", "经度", "northing", "界址点号", "圈号", "边长")]
    ['x', 'north', 'east', 'lon', 'north', 'name', 'ring', 'side']
    """
    if not isinstance(cell, str):
        return None
    text = unicodedata.normalize("NFKC", cell).strip().lower().replace(" ", "")
    if text in ("坐标系", "坐标系统"):
        return "epsg"
    text = _NOISE.sub("", _UNIT.sub("", text))
    return next((key for key, pattern in _NAMES.items() if pattern.fullmatch(text)), None)


def layout_of(rows: Sequence[Row]) -> Layout | None:
    """The layout of a table by its first rows; none where no coordinates are found.

    Names may stand in two rows (点号 over a merged cell, X and Y below 坐标); titles above are passed over, what they
    say of the system is kept.
    """
    above: Sequence[Cell] = ()
    for at, (_, cells) in enumerate(rows[:HEAD_ROWS]):
        named = _named(cells, above)
        pair = next((p for p in PAIRS if p[0] in named and p[1] in named), None)
        if pair is not None:
            return _layout(at + 1, named, pair, cells, _stated(rows[:at]))
        above = cells
    return _unnamed(rows)


def _named(cells: Sequence[Cell], above: Sequence[Cell]) -> dict[str, int]:
    """Meaning → column; a column without a name here takes that of the row above."""
    found: dict[str, int] = {}
    for column, cell in enumerate(cells):
        blank = cell is None or cell == ""
        key = meaning(above[column]) if blank and column < len(above) else meaning(cell)
        if key is not None:
            found.setdefault(key, column)
    return found


def _layout(begins: int, named: dict[str, int], pair: tuple[str, str], cells: Sequence[Cell], stated: Stated) -> Layout:
    used = {named[each] for each in named if each not in ("order", "name")}
    others = {
        str(cell).strip(): column
        for column, cell in enumerate(cells)
        if isinstance(cell, str) and cell.strip() and column not in used and meaning(cell) not in ("order", "name")
    }
    first, second = (named[each] for each in pair)
    return Layout(begins, first, second, pair != ("x", "y"), named, others, _area_unit(named, cells), stated)


def _area_unit(named: dict[str, int], cells: Sequence[Cell]) -> str:
    column = named.get("area")
    title = cells[column] if column is not None and column < len(cells) else None
    unit = _UNIT.search(unicodedata.normalize("NFKC", title).lower()) if isinstance(title, str) else None
    return {"hm2": "公顷"}.get(unit[1], unit[1]) if unit else ""


def _unnamed(rows: Sequence[Row]) -> Layout | None:
    """The layout of a table without names: by the number of its columns, behind titles of one cell."""
    for at, (_, cells) in enumerate(rows[:HEAD_ROWS]):
        filled = [cell for cell in cells if cell not in (None, "")]
        names = _BY_COUNT.get(len(filled))
        if names is not None and len(filled) == len(trimmed(cells)) and all(map(_is_number, filled[-2:])):
            columns = {name: i for i, name in enumerate(names)}
            return Layout(at, columns["x"], columns["y"], False, columns, stated=_stated(rows[:at]), named=False)
        if len(filled) > 1:
            return None
    return None


def trimmed(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Cells without the empty ones at the end."""
    end = len(cells)
    while end and cells[end - 1] in (None, ""):
        end -= 1
    return cells[:end]


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) or (isinstance(cell, str) and number(cell) is not None)


def _stated(rows: Sequence[Row]) -> Stated:
    """What the rows above the names say of the system: ``坐标系`` and its value side by side, or ``坐标系：…``."""
    found: dict[str, str] = {}
    for _, cells in rows:
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                text = unicodedata.normalize("NFKC", cell).strip()
                key, mark, value = (each.strip() for each in re.sub("=", ":", text).partition(":"))
                beside = cells[column + 1] if column + 1 < len(cells) else None
                if key in HEAD_KEYS and (given := value if mark else _written(beside)):
                    found.setdefault(HEAD_KEYS[key], given)
                elif "坐标系" in text and datum_of(text):
                    found.setdefault("system", text)
    return Stated(**found)


def _written(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
