"""Unpacking archives safely: limits counted on real bytes, names decoded, nothing written outside the folder."""

from __future__ import annotations

import errno
import hashlib
import lzma
import re
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.text import member_name

DEPTH = 3
"""How many archives may lie one in another: a zip in a zip in a zip."""
_CHUNK = 1 << 16
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error, lzma.LZMAError, ValueError, OverflowError)
"""What the library raises for archives that are damaged: names, offsets and streams included."""
_RATIO_FROM = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@dataclass(frozen=True, slots=True)
class Member:
    """A file taken out of an archive: its name there, decoded, with its folders, and where it lies now.

    Files of one ``.gdb`` folder keep their own names, in a folder with that suffix; all others get names of our own.
    """

    name: str
    path: Path

    @property
    def suffix(self) -> str:
        """Lower-case suffix."""
        return PurePosixPath(self.name).suffix.lower()


@dataclass
class _Unpacking:
    """What one archive and those inside it have used up so far."""

    shown: str
    limits: Limits
    wanted: frozenset[str]
    archives: frozenset[str]
    entries: int = 0
    spent: int = 0
    made: int = 0


def unpack(
    archive: Path, shown: str, into: Path, limits: Limits, wanted: frozenset[str], archives: frozenset[str]
) -> list[Member]:
    """Take the files that the product reads out of a zip and of the zips inside it, under server-made names.

    Parameters
    ----------
    wanted
        Lower-case suffixes worth taking; the rest is passed over. Files below a ``.gdb`` folder are all taken.
    archives
        Those that are archives themselves, unpacked in turn to ``DEPTH``.

    Raises
    ------
    InputRefused
        Not a zip, encrypted, a link, a path that leaves the archive, two members of one name, nested too deep.
    TooLarge
        More entries or bytes than allowed, counted over all archives while unpacking; or a bomb's ratio.
    """
    return _opened(archive, "", into, _Unpacking(shown, limits, wanted, archives), 1)


def _opened(archive: Path, inside: str, into: Path, work: _Unpacking, depth: int) -> list[Member]:
    where = inside or None
    try:
        with zipfile.ZipFile(archive) as opened:
            return _taken(opened, inside, into, work, depth)
    except _BROKEN as wrong:
        raise InputRefused("zip-broken", file=work.shown, where=where, detail=str(wrong)) from None
    except OSError as wrong:
        if wrong.errno != errno.EINVAL:  # an offset before the start of the file; anything else is the disk's
            raise
        raise InputRefused("zip-broken", file=work.shown, where=where, detail=str(wrong)) from None


def _taken(opened: zipfile.ZipFile, inside: str, into: Path, work: _Unpacking, depth: int) -> list[Member]:
    entries = [each for each in opened.infolist() if not each.is_dir()]
    work.entries += len(entries)
    if work.entries > work.limits.entries:
        raise TooLarge("zip-entries", file=work.shown, count=work.entries, most=work.limits.entries)
    names = [_safe_name(each, work.shown) for each in entries]
    lowered = Counter(name.lower() for name in names)
    doubled = sorted(name for name, count in lowered.items() if count > 1)
    if doubled:
        raise InputRefused("zip-doubled", file=work.shown, name=doubled[0])
    found: list[Member] = []
    for entry, name in zip(entries, names, strict=True):
        path = PurePosixPath(name)
        database = _database(path)
        unwanted = path.suffix.lower() not in work.wanted and not database
        if unwanted or path.name.startswith("._") or path.parts[0] == "__MACOSX":
            continue
        target = _target(path, database, inside, into, work)
        _write(opened, entry, target, work)
        if path.suffix.lower() in work.archives and not database:
            if depth == DEPTH:
                raise InputRefused("zip-too-deep", file=work.shown, where=name, depth=DEPTH)
            found.extend(_opened(target, f"{inside}{name}/", into, work, depth + 1))
            target.unlink()
        else:
            found.append(Member(inside + name, target))
    return found


def _database(path: PurePosixPath) -> str:
    """The ``.gdb`` folder that a member lies in; empty where it lies in none."""
    folders = [str(each) for each in path.parents if each.suffix.lower() == ".gdb"]
    return folders[0] if folders and _PLAIN.fullmatch(path.name) else ""


def _target(path: PurePosixPath, database: str, inside: str, into: Path, work: _Unpacking) -> Path:
    """Where a member goes: a name of our own; within a .gdb folder its own name, which is plain ASCII."""
    work.made += 1
    if not database:
        return into / f"{work.made}{path.suffix.lower()}"
    folder = into / (hashlib.sha256(f"{inside}{database}".encode()).hexdigest()[:16] + ".gdb")
    folder.mkdir(exist_ok=True)
    return folder / path.name


def _safe_name(entry: zipfile.ZipInfo, shown: str) -> str:
    name = member_name(entry.orig_filename, bool(entry.flag_bits & 0x800)).replace("\\", "/")
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ":" in parts[0] or ".." in parts or "\0" in name:
        raise InputRefused("zip-escape", file=shown, name=name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InputRefused("zip-link", file=shown, name=name)
    if entry.flag_bits & 1:
        raise InputRefused("zip-encrypted", file=shown, name=name)
    return name


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, work: _Unpacking) -> None:
    count, limits = 0, work.limits
    with opened.open(entry) as source, target.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            count += len(chunk)
            work.spent += len(chunk)
            if work.spent > limits.unpacked_bytes:
                raise TooLarge("zip-bytes", file=work.shown, most=limits.unpacked_bytes)
            if count > _RATIO_FROM and count > limits.ratio * max(entry.compress_size, 1):
                raise TooLarge("zip-ratio", file=work.shown, name=entry.filename, ratio=limits.ratio)
            sink.write(chunk)
