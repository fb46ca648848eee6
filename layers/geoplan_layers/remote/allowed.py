"""What an operator allows to be imported from: tables of databases, folders of object storage, and how to get in.

A user names a place; host, name and secrets come from the settings alone, and no secret is ever part of a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, SecretStr, SerializationInfo

from geoplan.errors import CallRefused

POSTGRESQL, S3 = "postgresql", "s3"
SCHEMES = (POSTGRESQL, S3)
_PORT = 5432
OPEN = {"secrets": "open"}
"""Context in which settings are written with their secrets: to a process of our own, never to a file or a page."""


def _database(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != POSTGRESQL or not parts.hostname or parts.path in ("", "/") or parts.fragment or parts.query:
        raise ValueError("postgresql://USER@HOST:PORT/DATABASE")
    if parts.password is not None:
        raise ValueError("the password stands in its own key, password")
    return address


def _bucket(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != S3 or not parts.netloc or "@" in parts.netloc or parts.fragment or parts.query:
        raise ValueError("s3://BUCKET/PREFIX")
    return address


def _secret(value: SecretStr | None, info: SerializationInfo) -> str | None:
    opened = value is not None and info.context == OPEN
    return value.get_secret_value() if opened and value else None if value is None else str(value)


Secret = Annotated[SecretStr | None, PlainSerializer(_secret, when_used="json")]


class Database(BaseModel):
    """A database: ``postgresql://USER@HOST:PORT/DATABASE``, the user's password, and the tables that may be imported.

    ``tables`` are names or patterns, ``schema.table`` or ``schema.*``. ``tls`` is libpq's ``sslmode``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(_database)]
    password: Secret = None
    tables: tuple[str, ...] = Field(min_length=1)
    tls: str = Field(default="prefer", pattern="^(disable|allow|prefer|require|verify-ca|verify-full)$")

    @property
    def place(self) -> tuple[str, int, str]:
        """Host, port, name of the database."""
        return _place(urlsplit(self.address))

    @property
    def user(self) -> str | None:
        """Who reads."""
        name = urlsplit(self.address).username
        return unquote(name) if name else None

    def allows(self, schema: str, table: str) -> bool:
        """Whether a table may be imported."""
        return any(fnmatchcase(f"{schema}.{table}", each) for each in self.tables)


class Bucket(BaseModel):
    """A folder of object storage, ``s3://BUCKET/PREFIX``, below which GeoParquet may be imported, and its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(_bucket)]
    endpoint: str | None = Field(default=None, pattern=r"^https?://[^/\s@]+/?$")
    region: str = "us-east-1"
    access_key: Secret = None
    secret_key: Secret = None

    @property
    def path(self) -> str:
        """Bucket and prefix, ``BUCKET/PREFIX``."""
        return _path(urlsplit(self.address))

    def allows(self, path: str) -> bool:
        """Whether a folder lies in this one.

        >>> Bucket(address="s3://land/layers").allows("land/layers/dltb"), Bucket(address="s3://a/b").allows("a/bc")
        (True, False)
        """
        return path == self.path or path.startswith(f"{self.path}/")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a user names it, and the database that it is in; ``column`` where it has several geometries."""

    database: Database
    schema: str
    name: str
    column: str | None = None

    @property
    def shown(self) -> str:
        """The table as reports name it: without user and password."""
        host, port, name = self.database.place
        column = f".{self.column}" if self.column else ""
        return f"{POSTGRESQL}://{host}:{port}/{name}#{self.schema}.{self.name}{column}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of object storage as a user names it, ``BUCKET/PREFIX``, and the settings that allow it."""

    bucket: Bucket
    path: str

    @property
    def shown(self) -> str:
        """The folder as reports name it."""
        return f"{S3}://{self.path}"


def is_remote(text: str) -> bool:
    """Whether a call names a place outside the machine instead of a file.

    >>> is_remote("s3://land/layers"), is_remote("layers.gpkg"), is_remote("https://a.cn/b.gpkg")
    (True, False, True)
    """
    return "://" in text


def found(text: str, databases: Sequence[Database], buckets: Sequence[Bucket]) -> Table | Folder:
    """The place that a user names, if the operator allows it.

    Raises
    ------
    CallRefused
        It is no such place, carries a password, or is not allowed. What is allowed elsewhere is not told.
    """
    parts = urlsplit(text)
    if parts.scheme not in SCHEMES:
        raise CallRefused("remote-unknown", given=_without_secret(parts), known=[f"{each}://" for each in SCHEMES])
    if parts.password is not None or parts.query or (parts.scheme == S3 and "@" in parts.netloc):
        raise CallRefused("remote-with-password", given=_without_secret(parts))
    return _table(parts, databases) if parts.scheme == POSTGRESQL else _folder(parts, buckets)


def _table(parts: SplitResult, databases: Sequence[Database]) -> Table:
    names = [unquote(each) for each in parts.fragment.split(".")]
    if not parts.hostname or len(names) not in (2, 3) or not all(names):
        raise CallRefused("remote-table-spelling", given=_without_secret(parts))
    here = [each for each in databases if each.place == _place(parts) and each.allows(names[0], names[1])]
    if not here:
        raise CallRefused("remote-not-allowed", given=_without_secret(parts), key="databases")
    return Table(here[0], names[0], names[1], names[2] if len(names) == 3 else None)


def _folder(parts: SplitResult, buckets: Sequence[Bucket]) -> Folder:
    path = _path(parts)
    here = [each for each in buckets if each.allows(path)]
    if not here or ".." in PurePosixPath(path).parts:
        raise CallRefused("remote-not-allowed", given=_without_secret(parts), key="buckets")
    return Folder(max(here, key=lambda each: len(each.path)), path)


def _place(parts: SplitResult) -> tuple[str, int, str]:
    try:
        port = parts.port or _PORT
    except ValueError:
        raise CallRefused("remote-table-spelling", given=_without_secret(parts)) from None
    return (parts.hostname or "").lower(), port, unquote(parts.path.strip("/"))


def _path(parts: SplitResult) -> str:
    return f"{parts.netloc}/{unquote(parts.path).strip('/')}".rstrip("/")


def _without_secret(parts: SplitResult) -> str:
    """An address to be shown: everything before the host is left out."""
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="").geturl()[:200]
