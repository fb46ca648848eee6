"""The patches that an import put aside, to be listed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from geoplan_layers.prepared.leaving import DETAIL, REASON
from geoplan_layers.prepared.open_format import ROW


def listed(path: Path, code: str | None, most: int) -> list[tuple[int, str, str, str]]:
    """The first patches that were put aside: row in the file (from 1), reason, detail, and code as written.

    Parameters
    ----------
    path
        ``quarantine.parquet`` of a version; written by this program, so it is read in this process.
    code
        The field that holds the class, if any.
    """
    names = [ROW, REASON, DETAIL, *([code] if code else [])]
    with pq.ParquetFile(path) as file:
        known = set(file.schema_arrow.names)
        batches = file.iter_batches(batch_size=most, columns=[each for each in names if each in known])
        batch = next(batches, None)
    if batch is None:
        return []
    rows = batch.to_pylist()[:most]
    return [
        (int(each[ROW]) + 1, str(each[REASON]), str(each[DETAIL] or ""), str(each.get(code or "") or ""))
        for each in rows
    ]
