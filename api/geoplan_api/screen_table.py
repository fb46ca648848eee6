"""The screen table on disk: a journal while it grows, and the table itself when it is whole.

Each proposal is one line of ``TABLE.part``, written and flushed when its answer is there; a process that is killed
leaves at most a torn last line, which is cut off before the next one goes on. The table is made from the journal and
moved to its place whole, so it is the same however often it was interrupted.
"""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from geoplan.errors import CallRefused, CannotFinish
from geoplan_api.screen_rows import Answer, Row, columns
from geoplan_layers.unfinished import building, place

SUFFIXES = (".csv", ".parquet")
_PART = ".part"
_ROWS_AT_ONCE = 20_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Journal:
    """The answers so far, in the order of the proposals.

    Parameters
    ----------
    table
        Where the table goes when it is whole.
    question
        What is asked, as plain data: a journal of another question is not gone on with.
    resume
        Go on with a journal that is there; otherwise it is begun anew.

    Raises
    ------
    CallRefused
        ``table`` is no CSV or Parquet file, or the journal answers another question.
    CannotFinish
        It cannot be written, or another process writes it.
    """

    def __init__(self, table: Path, question: dict[str, Any], *, resume: bool) -> None:
        self.table, self.path = table, _journal_of(table)
        self._columns = columns(fast=bool(question.get("fast")))
        self._file = _locked(self.path)
        self.done = 0
        self.statuses: set[int] = set()
        try:
            if resume and (header := self._header()) is not None:
                if header != question:
                    differing = sorted(key for key in question if header.get(key) != question[key])
                    raise CallRefused("screen-resume-differs", file=str(self.path), what=differing)
                self._take_up()
            else:
                self._file.truncate(0)
                self._append(question)
        except BaseException:
            self._file.close()
            raise

    def _header(self) -> dict[str, Any] | None:
        self._file.seek(0)
        line = self._file.readline()
        found: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return found

    def _take_up(self) -> None:
        """Count the whole lines and cut off what a killed process left of the last one."""
        whole = self._file.tell()
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self.done += 1
            self.statuses.add(int(json.loads(line)["status"]))
        self._file.truncate(whole)

    def add(self, answer: Answer) -> None:
        """Write the answer to the next proposal."""
        self._append(asdict(answer))
        self.done += 1
        self.statuses.add(answer.status)

    def _append(self, line: dict[str, Any]) -> None:
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as wrong:
            raise _not_written(self.path, wrong) from None

    def answers(self) -> Iterator[Answer]:
        """Every answer so far."""
        self._file.seek(0)
        next(self._file)
        for line in self._file:
            yield Answer(**json.loads(line))

    def finish(self) -> None:
        """Make the table and remove the journal."""
        try:
            with building(self.table.parent) as folder:
                path = folder / self.table.name
                write = _write_parquet if self.table.suffix.lower() == ".parquet" else _write_csv
                write(path, self.answers(), self._columns)
                with path.open("rb") as whole:
                    os.fsync(whole.fileno())
                place()
                path.replace(self.table)
            self.path.unlink()
        except OSError as wrong:
            raise _not_written(self.table, wrong) from None

    def close(self) -> None:
        """Let go of the journal; what is in it stays, and one without an answer is removed."""
        if self.done == 0:
            self.path.unlink(missing_ok=True)
        self._file.close()


def date_of(table: Path) -> str | None:
    """The date for which an unfinished table is made, so that going on another day changes nothing."""
    try:
        with _journal_of(table).open("rb") as journal:
            line = journal.readline()
    except OSError:
        return None
    return str(json.loads(line)["on"]) if line.endswith(b"\n") else None


def _journal_of(table: Path) -> Path:
    if table.suffix.lower() not in SUFFIXES:
        raise CallRefused(
            "option-wrong", option="--out", value=str(table), wanted=" | ".join(f"FILE{s}" for s in SUFFIXES)
        )
    return table.with_name(table.name + _PART)


def _locked(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
    except OSError as wrong:
        raise _not_written(path, wrong) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CannotFinish("screen-table-in-use", file=str(path)) from None
    return file


def _not_written(path: Path, wrong: OSError) -> CannotFinish:
    return CannotFinish("out-not-writable", path=str(path), detail=wrong.strerror or str(wrong))


def _write_csv(path: Path, answers: Iterator[Answer], columns: Mapping[str, str]) -> None:
    """UTF-8 with a mark that spreadsheets need; a name that a spreadsheet would compute stays a text."""
    with path.open("w", encoding="utf-8-sig", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(columns)
        for answer in answers:
            table.writerows([_cell(row[column]) for column in columns] for row in answer.rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _write_parquet(path: Path, answers: Iterator[Answer], columns: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "truth": pa.bool_(), "number": pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _batches(answers):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _batches(answers: Iterator[Answer]) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for answer in answers:
        rows.extend(answer.rows)
        if len(rows) >= _ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows
