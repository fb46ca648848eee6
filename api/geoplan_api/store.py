"""The database of the service: which check asked what, when, and which report answered it (jobs: `jobs.table`).

SQLite through SQLAlchemy; tables are made and changed by the migrations alone (`geoplan_api.migrations`), which run
when the store is opened, under a lock and inside one transaction, so that two processes that start at once do not
collide.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import JSON, URL, Connection, DateTime, Dialect, Engine, MetaData, String, create_engine, event, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from geoplan.errors import CannotFinish, NotFound
from geoplan.messages import Lang
from geoplan_api.home import locked

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 10_000
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_ID_LENGTH = 14
_WRITES = "geoplan_writes"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC; SQLite itself would give back a time without zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant as SQLite keeps it."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant with its zone."""
        del dialect
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """Tables of the service; the names of constraints are fixed so that a migration can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class StoredCheck(Base):
    """One check: what ``/checks/{id}`` names.

    ``verdict`` is of the spatial rules, ``application`` of what was declared (none for checks made before it was kept).
    ``request`` says what was asked: every uploaded file by field, name and SHA-256, and the options, so that the
    report can be replayed. ``report_sha256`` and ``overlaps_sha256`` are objects.
    """

    __tablename__ = "checks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    report_id: Mapped[str] = mapped_column(String(71), index=True)
    report_sha256: Mapped[str] = mapped_column(String(64))
    overlaps_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(300))
    verdict: Mapped[str] = mapped_column(String(20))
    application: Mapped[str | None] = mapped_column(String(20))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    lang: Mapped[Lang] = mapped_column(String(8))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)


def new_id() -> str:
    """A short random name for a check: url-safe, without letters that are taken for one another, about 69 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


class Store:
    """The checks of a home folder.

    Raises
    ------
    CannotFinish
        The database cannot be opened, or was made by a newer release.
    """

    def __init__(self, database: Path) -> None:
        self._engine = _engine(database)
        try:
            with _told(), locked(database.with_name(".migrating")):
                migrate(self._engine)
        except CannotFinish:
            self._engine.dispose()
            raise

    def add(self, check: StoredCheck) -> None:
        """Keep a check; its objects are stored already, so that a row never names what is not there."""
        with self.session(writes=True) as session:
            session.add(check)

    def get(self, check_id: str) -> StoredCheck:
        """The check of that id.

        Raises
        ------
        NotFound
            There is none.
        """
        with self.session() as session:
            found = session.get(StoredCheck, check_id)
        if found is None:
            raise NotFound("check-unknown", id=check_id[:40])
        return found

    def of_report(self, report_id: str) -> list[StoredCheck]:
        """Every check that gave this report, newest first."""
        asked = select(StoredCheck).where(StoredCheck.report_id == report_id).order_by(StoredCheck.made_at.desc())
        with self.session() as session:
            return list(session.scalars(asked))

    def recent(self, count: int) -> list[StoredCheck]:
        """The newest checks, newest first."""
        newest = select(StoredCheck).order_by(StoredCheck.made_at.desc(), StoredCheck.id).limit(count)
        with self.session() as session:
            return list(session.scalars(newest))

    def is_writable(self) -> bool:
        """Whether the database takes a write now."""
        try:
            with self.session(writes=True):
                return True
        except CannotFinish:
            return False

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[Session]:
        """One transaction; a writer waits for its turn at once.

        Raises
        ------
        CannotFinish
            The database fails.
        """
        engine = self._engine.execution_options(**{_WRITES: True}) if writes else self._engine
        with _told(), Session(engine, expire_on_commit=False) as session, session.begin():
            session.connection()
            yield session


def migrate(engine: Engine) -> None:
    """Bring a database to the newest schema; nothing happens where it has it already.

    Raises
    ------
    CannotFinish
        The database has a schema that this release does not know.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as wrong:
            raise CannotFinish("database-unknown", detail=str(wrong)) from None


def _engine(database: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(database)),
        connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False},
        json_serializer=partial(json.dumps, ensure_ascii=False),
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, entry: ConnectionPoolEntry) -> None:
    """Wait for writers first, then WAL; transactions are begun by `_on_begin`, never by the driver."""
    del entry
    connection.isolation_level = None
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    """A writer takes its lock at once: one that only read before could not be made to wait (SQLITE_BUSY_SNAPSHOT)."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DBAPIError as wrong:
        raise CannotFinish("database-failed", detail=str(wrong.orig)) from None
