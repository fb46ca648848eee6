"""The index of a version made anew from its open file, row by row in the same order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geoplan.errors import CannotFinish
from geoplan.layer import ATTRIBUTES
from geoplan.plane import Plane
from geoplan_layers.files.batch import ROW as OWN_ROW
from geoplan_layers.files.batch import SHAPE
from geoplan_layers.prepared.arrays import PackWriter
from geoplan_layers.prepared.open_format import BOX, GEOMETRY, ROW
from geoplan_layers.prepared.version import INDEX, OPEN, Meta, Version
from geoplan_layers.prepared.writing import group_of, index_group

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def rebuild_index(version: Version) -> None:
    """Make the index of a version anew and put it in the place of the old one.

    Raises
    ------
    CannotFinish
        The open file is damaged, or is not the one that the version was made with.
    """
    meta, fresh = version.meta, version.folder / f".{INDEX}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        words = _written(version.folder / OPEN, fresh, meta)
        if words != meta.words:
            raise CannotFinish("layer-damaged", path=str(version.folder), detail=OPEN)
        shutil.rmtree(version.folder / INDEX, ignore_errors=True)
        fresh.rename(version.folder / INDEX)
    except (pa.ArrowException, OSError) as wrong:
        raise CannotFinish("layer-damaged", path=str(version.folder), detail=str(wrong)[:160]) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _written(path: Path, folder: Path, meta: Meta) -> dict[str, list[str]]:
    carried = tuple(each for each in ATTRIBUTES if each in meta.fields)
    drawn, home, frame = set(meta.kinds) != {"Polygon"}, Plane(meta.central_meridian), meta.system.frame
    with pq.ParquetFile(path) as opened, PackWriter(folder, carried, drawn=drawn) as pack:
        for i in range(opened.metadata.num_row_groups):
            rows = opened.read_row_group(i)
            numbers = rows.column(ROW).to_numpy()
            table = _table(rows, numbers, meta)
            group = group_of(table, numbers, _boxes(rows), frame, home, drawn=drawn)
            index_group(group, meta.fields, pack, carried)
        return pack.close()


def _table(rows: Any, numbers: NDArray[np.int64], meta: Meta) -> Any:
    """The rows as an import has them: shape, row in their own file, the fields that mean something."""
    firsts = np.array([each.first for each in meta.origins])
    own = numbers - firsts[np.searchsorted(firsts, numbers, side="left") - 1]
    columns = {SHAPE: rows.column(GEOMETRY).cast(pa.large_binary()), OWN_ROW: pa.array(own)}
    for name in set(meta.fields.values()):
        kept = f"{name}_" if name in {GEOMETRY, BOX, ROW} else name
        columns[f"={name}"] = rows.column(kept)
    return pa.table(columns).combine_chunks()


def _boxes(rows: Any) -> NDArray[np.float64]:
    box = rows.column(BOX).combine_chunks()
    return np.column_stack([box.field(each).to_numpy() for each in _CORNERS])
