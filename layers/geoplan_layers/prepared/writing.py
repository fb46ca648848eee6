"""The second pass of an import: rows in Hilbert order to the open file and the index beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Frame
from geoplan.layer import ATTRIBUTES
from geoplan.plane import Plane
from geoplan.progress import Progress
from geoplan_layers.layer_file import as_patches
from geoplan_layers.prepared.arrays import PackWriter, areas_of, boxes_of
from geoplan_layers.prepared.columns import net_of, numbers_of, texts_of
from geoplan_layers.prepared.open_format import GROUP_ROWS, OpenFile
from geoplan_layers.prepared.ragged import Ragged, orient, ragged_of
from geoplan_layers.prepared.spill import Spill
from geoplan_layers.prepared.version import INDEX, OPEN

_AHEAD = 3
"""Groups that are worked on at a time: bounds the memory."""


@dataclass(frozen=True)
class Written:
    """What the second pass wrote: the hash of the open file, the words of the index, and what quality looks at.

    ``declared`` are areas by the layer's own column (not a number where it has none), in the order of the index.
    """

    content: str
    words: dict[str, list[str]]
    declared: NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What is to be written where: rows in their order, with their boxes as read and their numbers."""

    folder: Path
    spill: Spill
    order: NDArray[np.int64]
    boxes: NDArray[np.float64]
    rows: NDArray[np.int64]
    frame: Frame
    home: Plane
    kinds: Sequence[str]
    fields: dict[str, str]


@dataclass(frozen=True)
class Group:
    """One row group on the home plane, ready to be written."""

    table: Any
    numbers: NDArray[np.int64]
    source_boxes: NDArray[np.float64]
    shapes: Ragged | list[bytes]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]


def write_rows(plan: Plan, progress: Progress) -> Written:
    """Write the open file and the index.

    Raises
    ------
    Cancelled
        The user stopped it.
    """
    drawn = set(plan.kinds) != {"Polygon"}
    carried = tuple(each for each in ATTRIBUTES if each in plan.fields)
    index = plan.folder / INDEX
    index.mkdir()
    extent = _bounds(plan.boxes[plan.order])
    with (
        PackWriter(index, carried, drawn=drawn) as pack,
        OpenFile(plan.folder / OPEN, plan.spill.schema, plan.frame, plan.kinds, extent) as open_file,
    ):
        declared = []
        for group in _groups(plan, progress, drawn=drawn):
            declared.append(index_group(group, plan.fields, pack, carried))
            open_file.add(group.table, group.numbers, group.source_boxes)
        words = pack.close()
        return Written(open_file.close(), words, np.concatenate(declared) if declared else np.zeros(0))


def _groups(plan: Plan, progress: Progress, *, drawn: bool) -> Iterator[Group]:
    """The row groups in their order, worked on in two threads and a few ahead."""
    count = len(plan.order)
    with ThreadPoolExecutor(2, "geoplan-import") as pool:
        waiting: deque[Future[Group]] = deque()
        for start in range(0, count, GROUP_ROWS):
            which = plan.order[start : start + GROUP_ROWS]
            waiting.append(pool.submit(_of_plan, plan, plan.spill.take(which), which, drawn))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
            plan.spill.let_go()
            progress("indexing", min(start + GROUP_ROWS, count), count)
        while waiting:
            yield waiting.popleft().result()


def _of_plan(plan: Plan, table: Any, which: NDArray[np.int64], drawn: bool) -> Group:
    return group_of(table, plan.rows[which], plan.boxes[which], plan.frame, plan.home, drawn=drawn)


def group_of(
    table: Any,
    numbers: NDArray[np.int64],
    source_boxes: NDArray[np.float64],
    frame: Frame,
    home: Plane,
    *,
    drawn: bool,
) -> Group:
    """Rows (shape, row in their file, fields) brought to the home plane and measured."""
    column = table.column(0).chunk(0)
    if drawn:
        read = shapely.from_wkb(np.asarray(column.to_pylist(), dtype=object))
        shapes = as_patches(home.bring(read, frame, anywhere=True))
        raw = [bytes(each) for each in shapely.to_wkb(shapes, byte_order=1)]
        return Group(table, numbers, source_boxes, raw, shapely.bounds(shapes), np.zeros(len(numbers)))
    rings = ragged_of(column)
    rings = rings._replace(xy=_moved(home, frame, rings.xy))
    orient(rings.xy, rings.rings, rings.parts)
    return Group(table, numbers, source_boxes, rings, boxes_of(rings), areas_of(rings, home))


def _moved(home: Plane, frame: Frame, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertices on the home plane, by the same way as `Plane.bring`."""
    if len(xy) == 0:
        return xy
    line = shapely.linestrings(xy if len(xy) > 1 else np.vstack((xy, xy)))
    moved = home.bring(line, frame, anywhere=True)
    return np.ascontiguousarray(shapely.get_coordinates(moved)[: len(xy)])


def index_group(
    group: Group, fields: Mapping[str, str], pack: PackWriter, carried: tuple[str, ...]
) -> NDArray[np.float64]:
    """Add rows to the index; the areas that the layer's own column declares."""
    count = len(group.numbers)

    def column(meaning: str) -> Any:
        name = fields.get(meaning)
        return group.table.column(f"={name}") if name is not None else None

    given = texts_of(column("id"), count)
    own = group.table.column(1).to_pylist()
    ids = [each or f"#{row}" for each, row in zip(given, own, strict=True)]
    texts = {"codes": texts_of(column("code"), count), "names": texts_of(column("name"), count)}
    texts |= {each: texts_of(column(each), count) for each in carried}
    pack.add(group.shapes, group.boxes, group.areas, net_of(column("ridge"), count), ids, group.numbers, texts)
    area = column("area")
    return np.full(count, np.nan) if area is None else numbers_of(area)


def _bounds(boxes: NDArray[np.float64]) -> tuple[float, ...] | None:
    if len(boxes) == 0:
        return None
    return tuple(float(v) for v in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
