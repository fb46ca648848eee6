"""Receiving a form: every file straight into a folder of ``tmp`` under a name of our own, hashed on the way.

Nothing is spooled elsewhere, and a body that grows past the limit is cut off there. The name that the user's file
has is shown and never used; only its suffix, if it is a plain one, is kept for the readers.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO

import anyio.to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from geoplan.errors import CallRefused, CannotFinish, TooLarge
from geoplan_api.problems import MediaTypeWrong
from geoplan_layers.formats import FORMATS

MOST_PARTS = 200
MOST_TEXT = 10_000
SIDECARS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        part: frozenset(each.suffixes[0] for each in FORMATS if part in each.companions)
        for part in sorted({part for each in FORMATS for part in each.companions})
    }
)
"""What may come beside a main file and belongs to it, with that one's suffix: .dbf of a .shp, .map of a .tab."""
_BATCH = 1 << 18
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")
_LONGEST_NAME = 120
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it arrived: where it lies, the name the user gave it, its hash and size in bytes."""

    path: Path
    shown: str
    sha256: str
    size: int


@dataclass
class Submission:
    """A form: files and texts by field, in the order in which they came."""

    files: dict[str, list[Upload]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """Names of all fields that hold something."""
        return [*self.files, *self.texts]


def shown_name(given: str) -> str:
    r"""A user's file name fit to be shown: no folder, no control or direction marks, not endless.

    >>> shown_name("../../etc/规划\u202e.zip"), shown_name("C:\\gis\\a.shp")
    ('规划.zip', 'a.shp')
    """
    plain = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2])
    kept = "".join(c for c in plain if unicodedata.category(c) not in _UNSEEN).strip()
    path = PurePosixPath(kept or "?")
    if len(path.name) <= _LONGEST_NAME:
        return path.name or "?"
    return path.stem[: _LONGEST_NAME - 20] + "…" + path.suffix[:12]


async def receive(request: Request, folder: Path, most_bytes: int) -> Submission:
    """Read a multipart form into a folder.

    Raises
    ------
    TooLarge
        More bytes than allowed, as declared or as counted.
    MediaTypeWrong
        The body is no multipart form.
    CallRefused
        The form is cut short, malformed, or has too many parts.
    CannotFinish
        The disk does not take it.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise MediaTypeWrong("form-expected", given=kind.decode("latin-1")[:80] or "—")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise TooLarge("body-too-large", most=most_bytes)
    parts = _Parts(folder)
    try:
        parser = MultipartParser(parameters[b"boundary"], parts.callbacks())  # type: ignore[arg-type]
        async for batch in _batches(request, most_bytes):
            await anyio.to_thread.run_sync(parser.write, batch)
        parser.finalize()
    except FormParserError as wrong:
        raise CallRefused("form-broken", detail=str(wrong)[:200]) from None
    except OSError as wrong:
        raise CannotFinish("home-not-writable", path="tmp", detail=wrong.strerror or str(wrong)) from None
    finally:
        parts.close()
    if not parts.ended:
        raise CallRefused("form-broken", detail="no end")
    return parts.submission


async def _batches(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """The body in pieces worth a thread; counted, since a chunked body declares no length."""
    held, count = bytearray(), 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > most_bytes:
            raise TooLarge("body-too-large", most=most_bytes)
        held += chunk
        if len(held) >= _BATCH:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


class _Parts:
    """What the parser calls: one part of the form after another, files to the disk and texts to memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.submission = Submission()
        self.ended = False
        self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._field, self._shown = "", ""
        self._text = bytearray()
        self._file: IO[bytes] | None = None
        self._path = folder
        self._digest = hashlib.sha256()
        self._size = 0

    def callbacks(self) -> dict[str, object]:
        """The parser's calls by its names for them."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def close(self) -> None:
        """Close a file that was left open."""
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise CallRefused("form-parts", most=MOST_PARTS)
        self._headers = {}

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise CallRefused("form-broken", detail="Content-Disposition")
        self._field, self._text = _decoded(options[b"name"]), bytearray()
        self._digest, self._size = hashlib.sha256(), 0
        if b"filename" in options:
            given = _decoded(options[b"filename"])
            self._shown = shown_name(given) if given.strip() else ""
            suffix = PurePosixPath(self._shown).suffix.lower()
            self._path = self._folder / f"{self._count}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
            self._file = self._path.open("xb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._file is not None:
            self._file.write(piece)
            self._digest.update(piece)
            self._size += len(piece)
        elif len(self._text) + len(piece) > MOST_TEXT:
            raise CallRefused("field-too-long", field=self._field[:80], most=MOST_TEXT)
        else:
            self._text.extend(piece)

    def _end(self) -> None:
        if self._file is None:
            self.submission.texts.setdefault(self._field, []).append(_decoded(bytes(self._text)))
            return
        self._file.close()
        self._file = None
        if not self._shown and not self._size:  # how a browser sends a file input that was left empty
            self._path.unlink()
            return
        arrived = Upload(self._path, self._shown or "?", self._digest.hexdigest(), self._size)
        self.submission.files.setdefault(self._field, []).append(arrived)

    def _all(self) -> None:
        self.ended = True


def _decoded(text: bytes) -> str:
    """UTF-8, as browsers send it; else GB 18030, as old Chinese programs do."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("gb18030", errors="replace")


def sets(uploads: list[Upload]) -> list[list[Upload]]:
    """Files of one field as data sets: a .shp, .tab or .mif with its companions of one name is one, as is any other.

    The companions are renamed on disk after their main file, so that readers find them.

    >>> from pathlib import Path
    >>> [len(each) for each in sets([Upload(Path("1.gpkg"), "a.gpkg", "", 0), Upload(Path("2.gpkg"), "b.gpkg", "", 0)])]
    [1, 1]
    """
    found = [[each] for each in uploads if PurePosixPath(each.shown).suffix.lower() not in SIDECARS]
    for each in uploads:
        shown = PurePosixPath(each.shown)
        if shown.suffix.lower() not in SIDECARS:
            continue
        owner = next((one for one in found if is_main_of(one[0], shown)), None)
        if owner is None:
            found.append([each])
            continue
        beside = owner[0].path.with_suffix(shown.suffix.lower())
        if beside.exists():
            raise CallRefused("field-twice", file=each.shown, field=each.shown)
        owner.append(Upload(each.path.rename(beside), each.shown, each.sha256, each.size))
    return found


def is_main_of(upload: Upload, companion: PurePosixPath) -> bool:
    """Whether a companion, by its name as shown, belongs to this file."""
    shown = PurePosixPath(upload.shown)
    mains = SIDECARS.get(companion.suffix.lower(), frozenset())
    return shown.suffix.lower() in mains and shown.stem.lower() == companion.stem.lower()
