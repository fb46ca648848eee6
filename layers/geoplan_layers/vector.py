"""Opening any vector file that the product reads: one way in, whatever the format or the archive around it.

The file is opened by a reader process (`geoplan_layers.sandbox`); this one gets its name, its extent and its tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from geoplan.errors import InputRefused
from geoplan_layers.files.batch import Batch
from geoplan_layers.files.dataset import Box, Dataset
from geoplan_layers.files.first_look import FirstLook
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.table import Table
from geoplan_layers.sandbox.session import Handle, held
from geoplan_layers.sandbox.wire import WireBroken, batch_of, table_of, value_of
from geoplan_layers.selector import Selector


@contextmanager
def opened(selector: Selector, limits: Limits) -> Iterator[Dataset]:
    """The one data set that a selector means; what was unpacked is removed afterwards.

    Raises
    ------
    InputRefused
        No such file, an unknown format, nothing readable in it, several data sets and none named, or the reader
        ended over it (crash, deadline, memory).
    TooLarge
        The file goes past the limits.
    Busy, CannotFinish
        No reader is free, or none can be started.
    """
    if not selector.path.exists():
        raise InputRefused("no-such-file", file=str(selector.path))
    with held(selector.path, selector.name, selector.layer, limits) as handle:
        about = handle.about()
        yield Dataset(
            about["name"],
            value_of(about["source"]),
            lambda box: _read(handle, box, selector.name),
            (lambda: _extent(handle)) if about["extent"] else None,
            about["path"],
            (lambda: _look(handle)) if about["look"] else None,
            lambda start: _batches(handle, selector.name, start),
        )


def read_table(selector: Selector, limits: Limits) -> Table:
    """The rows that a selector means, wholly read."""
    with opened(selector, limits) as dataset:
        return filtered(dataset.read(None), selector)


def read_towns_table(selector: Selector, limits: Limits) -> Table:
    """The rows of a CSV of towns with ``lon`` and ``lat``, which no other table has to have; raises as `opened`."""
    if not selector.path.is_file():
        raise InputRefused("no-such-file", file=str(selector.path))
    with held(selector.path, selector.name, None, limits) as handle:
        return _table(handle, handle.ask("towns"), selector.name)


def filtered(table: Table, selector: Selector) -> Table:
    """The rows of a table that a selector's ``[FIELD=VALUE]`` leaves."""
    if selector.field is None or selector.value is None:
        return table
    return table.where(selector.field, selector.value)


def _read(handle: Handle, box: Box | None, shown: str) -> Table:
    return _table(handle, handle.ask("read", box=list(box) if box else None), shown)


def _table(handle: Handle, answer: tuple[dict[str, Any], memoryview], shown: str) -> Table:
    try:
        return table_of(*answer)
    except WireBroken as wrong:
        handle.distrust()
        raise InputRefused("reader-ended", file=shown, detail=str(wrong)[:120]) from None


def _batches(handle: Handle, shown: str, start: int) -> Iterator[Batch]:
    """The rows from the n-th on; while the caller works on a batch the reader makes the next one."""
    with ThreadPoolExecutor(1, "geoplan-batches") as ahead:
        waiting = ahead.submit(_batch, handle, shown, start)
        while (batch := waiting.result()) is not None:
            start += batch.rows.num_rows
            waiting = ahead.submit(_batch, handle, shown, start)
            yield batch


def _batch(handle: Handle, shown: str, start: int) -> Batch | None:
    header, body = handle.ask("batch", start=start)
    if header.get("kind") == "end":
        return None
    try:
        return batch_of(header, body)
    except WireBroken as wrong:
        handle.distrust()
        raise InputRefused("reader-ended", file=shown, detail=str(wrong)[:120]) from None


def _extent(handle: Handle) -> Box:
    header, _ = handle.ask("extent")
    west, south, east, north = (float(each) for each in header["box"])
    return west, south, east, north


def _look(handle: Handle) -> FirstLook:
    header, _ = handle.ask("look")
    kinds = frozenset(str(each) for each in header["kinds"])
    return FirstLook(kinds, tuple(int(each) for each in header["rows"]), int(header["count"]))
