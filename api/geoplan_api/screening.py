"""Screening: the check of every proposal of a file or folder, one after another or in several processes.

Every verdict is what `geoplan.check.check` says of that proposal; layers, policies and register are opened once per
process. Answers come in the order of the proposals, whatever the number of processes.
"""

from __future__ import annotations

import os
import signal
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Thread

import numpy as np

from geoplan.boundary import Boundary
from geoplan.errors import CallRefused, CannotFinish, GeoplanError, InputRefused
from geoplan.messages import Lang
from geoplan.report import Verdicts
from geoplan_api.inquiry import Grounds, Inquiry, grounds
from geoplan_api.screen_rows import Answer, answer_rows, refused_rows
from geoplan_layers.boundary_file import boundary_of
from geoplan_layers.fields import texts
from geoplan_layers.files.limits import BOUNDARY, MB
from geoplan_layers.files.table import Table
from geoplan_layers.formats import known_suffixes
from geoplan_layers.sandbox.session import reading
from geoplan_layers.selector import Selector
from geoplan_layers.vector import read_table

NAME_FIELDS = ("name", "NAME", "MC", "XMMC", "名称")
LIMITS = replace(BOUNDARY, file_bytes=2_000 * MB, unpacked_bytes=4_000 * MB, features=200_000, vertices=100_000_000)
"""Limits on a file of proposals; each proposal has those of any boundary."""
_AHEAD = 4
"""Proposals read ahead of the one whose answer is awaited, for each process."""


@dataclass(frozen=True)
class Item:
    """One proposal: its name, its row as read, and what of the file it is; or why its file was refused."""

    name: str
    row: Table | None
    select: str = ""
    refused: GeoplanError | None = None


def sources(path: Selector) -> list[Selector]:
    """The file, or the files of a folder and of the folders in it that hold boundaries, in the order of their names.

    Raises
    ------
    InputRefused
        There is no such file or folder, or nothing in the folder that can be read.
    """
    if not path.path.is_dir() or path.path.suffix.lower() == ".gdb":
        if not path.path.exists():
            raise InputRefused("no-such-file", file=str(path.path))
        return [path]
    wanted = frozenset(known_suffixes())
    inside = sorted(each for each in path.path.rglob("*") if each.suffix.lower() in wanted)
    databases = {each for each in inside if each.suffix.lower() == ".gdb"}
    found = [each for each in inside if (each.is_file() or each in databases) and not databases & set(each.parents)]
    if not found:
        raise InputRefused("screen-folder-empty", file=str(path.path), known=sorted(wanted))
    return [replace(path, path=each, shown=each.relative_to(path.path).as_posix()) for each in found]


def items(files: Iterable[Selector], field: str | None) -> Iterator[Item]:
    """Every row of every file as a proposal; a file that is refused is one item that says so."""
    given = list(files)
    several = len(given) > 1
    for selector in given:
        try:
            table = read_table(selector, LIMITS)
            if len(table) == 0:
                raise InputRefused("no-features", file=table.source.file, where=table.layer)
            yield from _rows(table, selector, field, several)
        except CannotFinish:
            raise
        except GeoplanError as refused:
            if not several:
                raise
            yield Item(Path(selector.name).stem, None, refused=refused)


def _rows(table: Table, selector: Selector, field: str | None, several: bool) -> Iterator[Item]:
    """The rows of a file with their names: of the field, else the row number (in a folder with the file's name)."""
    given, column = _named(table, field)
    count = Counter(given)
    stem = Path(selector.name).with_suffix("").as_posix() if several else ""
    for i, text in enumerate(given):
        number = str(table.rows[i])
        alone = len(table) == 1
        if text:
            name = text if count[text] == 1 else f"{text} #{number}"
        else:
            name = (stem if alone else f"{stem}#{number}") if stem else number
        select = selector.choice
        if not alone:
            select += f"[{column}={text}]" if text and count[text] == 1 and not selector.field else f"[#{number}]"
        row = table.take(np.arange(len(table)) == i)
        yield Item(name, replace(row, repairs=table.repairs), select)


def _named(table: Table, field: str | None) -> tuple[list[str], str]:
    if field is not None and table.column(field) is None:
        known = list(table.columns)
        raise CallRefused("column-unknown", file=table.source.file, where=table.layer, field=field, known=known)
    for name in (field,) if field else NAME_FIELDS:
        column = table.column(name)
        if column is not None:
            return [str(each) for each in texts(column, len(table))], name
    return [""] * len(table), ""


def _found(ground: Grounds, boundary: Boundary, name: str, *, fast: bool) -> Verdicts:
    """What every rule says; a fast answer stands where all of it is firm, any other is checked as a report is."""
    if fast and (found := ground.verdicts(boundary, name)).all_firm:
        return found
    return ground.judge(boundary, None, name).verdicts


def answered(ground: Grounds, item: Item, lang: Lang, *, fast: bool = False) -> Answer:
    """The rows of one proposal: one for each rule, or one that says why it was refused."""
    try:
        if item.row is None:
            assert item.refused is not None
            raise item.refused
        boundary = boundary_of(item.row, ground.inquiry.reading)
        boundary = replace(boundary, source=replace(boundary.source, select=item.select))
        return answer_rows(item.name, _found(ground, boundary, item.name, fast=fast), lang)
    except CannotFinish:
        raise
    except GeoplanError as refused:
        return refused_rows(item.name, refused, lang)


def answers(
    ground: Grounds, asked: Iterable[Item], lang: Lang, workers: int, *, fast: bool = False
) -> Iterator[Answer]:
    """The answers in the order of the proposals.

    Raises
    ------
    CannotFinish
        A process ended before it answered: what is written stays, and ``--resume`` goes on.
    """
    if workers == 1:
        for item in asked:
            yield answered(ground, item, lang, fast=fast)
        return
    given = (replace(ground.inquiry, on=ground.on), lang, fast)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, given)
    try:
        waiting: deque[Future[Answer]] = deque()
        for item in asked:
            waiting.append(pool.submit(_answer, item))
            if len(waiting) >= workers * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise CannotFinish("screen-process-ended") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_held: list[tuple[Grounds, Lang, bool]] = []
"""What a process of the pool opened when it started; empty in every other process."""


def _start(inquiry: Inquiry, lang: Lang, fast: bool) -> None:
    """Open layers and policies for as long as this process lives; end it when the one that started it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started it hears it too, and ends it
    parent = parent_process()
    assert parent is not None
    Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    open_files = ExitStack()
    Finalize(None, open_files.close, exitpriority=10)
    open_files.enter_context(reading())
    _held.append((grounds(inquiry), lang, fast))


def _end_with(parent: int) -> None:
    wait([parent])
    os._exit(4)


def _answer(item: Item) -> Answer:
    ground, lang, fast = _held[0]
    return answered(ground, item, lang, fast=fast)
