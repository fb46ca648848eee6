"""Plots of a coordinate table: rows of points → rings → polygons.

Shared by the land-survey TXT (勘测定界界址点坐标交换格式) and tables of points (CSV, XLSX). Exporters number all rings
of a plot 1, 2, 3 …, so that ring 2 may be a hole or a second outer part: containment decides (even-odd), never the
number.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Array
from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message

Kind = Literal["面", "线", "点"]
"""What a plot's points draw: an area, a line, single points."""
FEWEST = 3
"""Different points that a ring needs."""
_LARGEST = 1e9
_POINT_MARKS = str.maketrans({"。": ".", "，": ",", "−": "-", "－": "-"})


@dataclass
class PlotRows:
    """The points of one plot in the order of the file, and what the file says of it.

    ``rings`` are the ring numbers as written, None where the file numbers no rings; ``first`` and ``second`` are the
    two coordinate columns as the file has them; ``lines`` the line or row of each point, ``place`` that of the plot;
    ``breaks`` the points that follow a blank line where no ring numbers tell what it parts.
    """

    place: int
    kind: Kind = "面"
    stated: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rings: list[str | None] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.first)

    def add(self, line: int, name: str, ring: str | None, first: float, second: float) -> None:
        """One more point."""
        self.lines.append(line)
        self.names.append(name)
        self.rings.append(ring)
        self.first.append(first)
        self.second.append(second)

    def label(self, order: int) -> str:
        """What messages call the plot: its name or number, else its place in the order of the file (from 1)."""
        given = self.attributes.get("地块名称") or self.attributes.get("地块编号")
        return str(given) if given else f"#{order}"

    @property
    def unfinished(self) -> bool:
        """Whether the last ring does not come back to its first point."""
        starts = ring_starts(self)
        return bool(starts) and not _returns(self, starts[-1], len(self) - 1)


@dataclass(frozen=True)
class Shaped:
    """A plot's geometry (x, y as the columns were taken) and what making it assumed."""

    geometry: shapely.Geometry
    notes: tuple[Message, ...] = ()


def number(text: str) -> float | None:
    """A coordinate as written, full-width digits and points included; none where it is no plain number.

    >>> number("3544000．125"), number("1_000"), number("nan"), number("120°30′")
    (3544000.125, None, None, None)
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_POINT_MARKS)
    if "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < _LARGEST else None


def ring_starts(plot: PlotRows) -> list[int]:
    """Where rings begin: a new ring number, the point after a closing point, numbering that starts anew.

    A ring that touches itself in its first point is cut there into two, which encloses the same area by even-odd.
    """
    if not len(plot):
        return []
    rings, names, x, y = plot.rings, plot.names, plot.first, plot.second
    starts, start, last = [0], 0, len(plot) - 1
    for i in range(1, len(plot)):
        if rings[i] == rings[i - 1]:
            if i - start < FEWEST or (x[i] == x[start] and y[i] == y[start]):
                continue
            anew = rings[i] is None and i < last and bool(names[i]) and names[i] == names[start]
            if not anew and not _returns(plot, start, i - 1):
                continue
        start = i
        starts.append(i)
    return starts


def _returns(plot: PlotRows, start: int, end: int) -> bool:
    closes = plot.first[start] == plot.first[end] and plot.second[start] == plot.second[end]
    return closes and end - start >= FEWEST


def shaped(plot: PlotRows, order: int, file: str, *, east_second: bool = True) -> Shaped:
    """The geometry of a plot.

    Parameters
    ----------
    order
        Its place in the file, from 1, for messages.
    east_second
        Whether the second column is x (east), as the survey's X, Y are north, east.

    Raises
    ------
    InputRefused
        No points, or a ring with fewer than three different ones: names its line.
    """
    label = plot.label(order)
    if not len(plot):
        raise InputRefused("plot-without-points", file=file, where=f"line {plot.place}", plot=label)
    columns = (plot.second, plot.first) if east_second else (plot.first, plot.second)
    xy = np.column_stack([np.asarray(each, dtype=np.float64) for each in columns])
    if plot.kind == "点":
        return Shaped(shapely.MultiPoint(xy) if len(xy) > 1 else shapely.Point(xy[0]))
    if plot.kind == "线":
        return Shaped(_lines(plot, xy, label, file))
    return _area(plot, xy, label, file)


def _lines(plot: PlotRows, xy: Array, label: str, file: str) -> shapely.Geometry:
    changes = [i for i in range(1, len(plot)) if plot.rings[i] != plot.rings[i - 1]]
    pieces = np.split(xy, changes)
    for start, piece in zip([0, *changes], pieces, strict=True):
        if len(piece) < 2:
            raise InputRefused(
                "ring-too-few", file=file, where=f"line {plot.lines[start]}", plot=label, count=len(piece), needed=2
            )
    lines = [shapely.LineString(piece) for piece in pieces]
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def _area(plot: PlotRows, xy: Array, label: str, file: str) -> Shaped:
    notes: list[Message] = []
    rings: list[Array] = []
    starts = ring_starts(plot)
    for start, stop in zip(starts, [*starts[1:], len(plot)], strict=True):
        ring = xy[start:stop]
        count = len(np.unique(ring, axis=0)) if len(ring) < 10 else len(ring)
        if count < FEWEST:
            raise InputRefused(
                "ring-too-few", file=file, where=f"line {plot.lines[start]}", plot=label, count=count, needed=FEWEST
            )
        if not np.array_equal(ring[0], ring[-1]):
            notes.append(_closing(plot, start, stop - 1, label))
            ring = np.vstack([ring, ring[:1]])
        rings.append(ring)
    polygon, holes = even_odd(rings)
    parts = shapely.get_num_geometries(polygon)
    if parts > 1:
        notes.append(Message("read.plot-parts", {"plot": label, "parts": int(parts), "holes": holes}))
    return Shaped(polygon, tuple(notes))


def _closing(plot: PlotRows, start: int, end: int, label: str) -> Message:
    args = {"plot": label, "ring": plot.rings[start] or "—", "line": plot.lines[end], "name": plot.names[end] or "—"}
    if plot.names[end] and plot.names[end] == plot.names[start] and end > start:
        gap = math.hypot(plot.first[end] - plot.first[start], plot.second[end] - plot.second[start])
        return Message("read.ring-ends-apart", {**args, "gap": round(gap, 4)})
    return Message("read.ring-closed", args)


def even_odd(rings: Sequence[Array]) -> tuple[shapely.Geometry, int]:
    """One polygon, or several, from closed rings: what lies in an odd number of others is a hole of the innermost.

    Returns
    -------
    tuple
        A polygon or multipolygon, not yet checked for validity, and the number of holes.
    """
    areas = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    if len(areas) == 1:
        return shapely.Polygon(rings[0]), 0
    parents = _containers(areas)
    depth = [len(each) for each in parents]
    holes: dict[int, list[Array]] = {}
    outer = []
    for i, inside in enumerate(parents):
        innermost = max(inside, key=lambda j: depth[j]) if depth[i] % 2 else None
        if innermost is None or depth[innermost] % 2:  # the latter where rings cross: invalid, mended or refused
            outer.append(i)
        else:
            holes.setdefault(innermost, []).append(rings[i])
    parts = [shapely.Polygon(rings[i], holes.get(i, [])) for i in outer]
    count = sum(len(each) for each in holes.values())
    return (parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)), count


def _containers(areas: NDArray[np.object_]) -> list[list[int]]:
    """For each ring, the rings around it: those larger that hold a point of its inside."""
    sound = areas.copy()
    broken = np.flatnonzero(~shapely.is_valid(areas))
    sound[broken] = shapely.make_valid(areas[broken])
    inner = shapely.point_on_surface(sound)
    size = shapely.area(sound)
    x, y = shapely.get_x(inner), shapely.get_y(inner)
    around: list[list[int]] = [[] for _ in areas]
    tree = shapely.STRtree(inner)
    for j, area in enumerate(sound):
        near = np.asarray(tree.query(shapely.box(*shapely.bounds(area))), dtype=np.int64)
        near = near[size[near] < size[j]]
        if len(near):
            shapely.prepare(area)
            for i in near[shapely.contains_xy(area, x[near], y[near])]:
                around[int(i)].append(j)
    return around


def within_limits(count: int, most: int, file: str) -> None:
    """Refuse more points than allowed.

    Raises
    ------
    TooLarge
        With both numbers.
    """
    if count > most:
        raise TooLarge("vertices", file=file, count=count, most=most)
