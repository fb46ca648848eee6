"""What an import leaves out: listed with the reason in a file of its own, its ground counted as not known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Frame
from geoplan.measure import polygons_of, survey_area
from geoplan.plane import Plane
from geoplan_layers.files.rings import built as closed
from geoplan_layers.prepared.columns import texts_of
from geoplan_layers.prepared.open_format import OpenFile
from geoplan_layers.prepared.taking import LeftOut, Taken
from geoplan_layers.prepared.version import QUARANTINE

REASON, DETAIL = "geoplan_reason", "geoplan_detail"
_TWICE = "duplicate"


@dataclass(frozen=True)
class Left:
    """What was left out and what stays.

    ``kept`` are the places of the rows that stay, among all rows. ``ground`` is on the home plane, ``area`` its m².
    ``placeless`` counts rows of which nothing says where they lie.
    """

    kept: NDArray[np.int64]
    count: int
    reasons: dict[str, int]
    placeless: int
    ground: shapely.Geometry
    area: float
    hash: str


def leave(
    folder: Path,
    taken: Taken,
    boxes: NDArray[np.float64],
    rows: NDArray[np.int64],
    home: Plane,
    frame: Frame,
    fields: dict[str, str],
) -> Left:
    """Write the rows that cannot be used, or that say the same twice, and count what is not known for want of them."""
    twice = _duplicates(taken, boxes, fields)
    out = sorted([*taken.left_out, *twice], key=lambda each: each.at)
    stays = np.ones(taken.count, dtype=bool)
    stays[[each.at for each in out]] = False
    kept = np.flatnonzero(stays).astype(np.int64)
    if not out:
        return Left(kept, 0, {}, 0, shapely.MultiPolygon(), 0.0, "")
    table = taken.spill.take(np.array([each.at for each in out], dtype=np.int64))
    grounds, placeless = _grounds(table.column(0).to_pylist(), out)
    whole = _union(grounds, home, frame)
    digest = _write(folder / QUARANTINE, table, out, rows, frame)
    reasons = dict(sorted(Counter(each.reason for each in out).items()))
    return Left(kept, len(out), reasons, placeless, whole, survey_area(whole, home), digest)


def _duplicates(taken: Taken, boxes: NDArray[np.float64], fields: dict[str, str]) -> list[LeftOut]:
    """Rows whose shape, class and name an earlier row has already; of another class they stay, and overlap."""
    keys = np.concatenate(taken.keys)
    usable = np.flatnonzero(np.isfinite(boxes[:, 0]))
    order = usable[np.argsort(keys[usable], kind="stable")]
    alike = np.zeros(len(order), dtype=bool)
    alike[1:] = keys[order[1:]] == keys[order[:-1]]
    alike[:-1] |= alike[1:]
    again = np.sort(order[alike])
    if len(again) == 0:
        return []
    table = taken.spill.take(again.astype(np.int64))
    codes, names = (texts_of(_column(table, fields, each), len(again)) for each in ("code", "name"))
    seen: dict[tuple[bytes, str, str], int] = {}
    found = []
    for at, raw, code, name in zip(again.tolist(), table.column(0).to_pylist(), codes, names, strict=True):
        first = seen.setdefault((raw, code, name), at)
        if first != at:
            found.append(LeftOut(at, _TWICE, f"#{first + 1}"))
    return found


def _column(table: Any, fields: dict[str, str], meaning: str) -> Any:
    return table.column(f"={fields[meaning]}") if meaning in fields else None


def _grounds(raw: list[bytes | None], out: list[LeftOut]) -> tuple[list[shapely.Geometry], int]:
    """The ground of each row as far as it can be told, and how many lie nowhere."""
    found, placeless = [], 0
    for each, left in zip(raw, out, strict=True):
        if left.reason == _TWICE:
            continue
        ground = _ground(each)
        if ground is None or shapely.is_empty(ground):
            placeless += 1
        else:
            found.append(ground)
    return found, placeless


def _ground(raw: bytes | None) -> shapely.Geometry | None:
    """All ground that a broken shape may mean: what its lines enclose, by either way of reading them."""
    if raw is None:
        return None
    try:
        shape = closed([raw])[0][0]
    except (shapely.errors.GEOSException, ValueError, IndexError):
        return None
    xy = shapely.get_coordinates(shape)
    if len(xy) == 0 or not np.isfinite(xy).all():
        return None
    by_lines = polygons_of(shapely.make_valid(shape))
    by_rings = polygons_of(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    return polygons_of(shapely.union(by_lines, by_rings)) if len(xy) else None


def _union(grounds: list[shapely.Geometry], home: Plane, frame: Frame) -> shapely.Geometry:
    if not grounds:
        return shapely.MultiPolygon()
    moved = home.bring(np.array(grounds, dtype=object), frame, anywhere=True)
    return polygons_of(shapely.union_all(shapely.make_valid(moved, method="structure", keep_collapsed=False)))


def _write(path: Path, table: Any, out: list[LeftOut], rows: NDArray[np.int64], frame: Frame) -> str:
    boxes = np.full((len(out), 4), np.nan)
    numbers = rows[[each.at for each in out]]
    with OpenFile(path, table.schema, frame, (), None, (REASON, DETAIL)) as file:
        file.add(table, numbers, boxes, [each.reason for each in out], [each.detail for each in out])
        return file.close()
