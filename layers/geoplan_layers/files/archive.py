"""Unpacking archives safely: limits counted on real bytes, names decoded, nothing written outside the folder."""

from __future__ import annotations

import errno
import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.text import member_name

WANTED = frozenset(
    {".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".gpkg", ".geojson", ".json", ".csv"}
)
NESTED = frozenset({".zip", ".rar", ".7z", ".gz", ".tar"})
_CHUNK = 1 << 16
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error, lzma.LZMAError, ValueError, OverflowError)
"""What the library raises for archives that are damaged: names, offsets and streams included."""
_RATIO_FROM = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file taken out of an archive: its name there, decoded, and where it lies now."""

    name: str
    path: Path

    @property
    def suffix(self) -> str:
        """Lower-case suffix."""
        return PurePosixPath(self.name).suffix.lower()


def unpack(archive: Path, shown: str, into: Path, limits: Limits) -> list[Member]:
    """Take the files that the product reads out of a zip, under server-made names.

    Raises
    ------
    InputRefused
        Not a zip, encrypted, a link, a path that leaves the archive, two members of one name.
    TooLarge
        More entries or bytes than allowed, counted while unpacking; or a bomb's ratio.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return _taken(opened, shown, into, limits)
    except _BROKEN as wrong:
        raise InputRefused("zip-broken", file=shown, detail=str(wrong)) from None
    except OSError as wrong:
        if wrong.errno != errno.EINVAL:  # an offset before the start of the file; anything else is the disk's
            raise
        raise InputRefused("zip-broken", file=shown, detail=str(wrong)) from None


def _taken(opened: zipfile.ZipFile, shown: str, into: Path, limits: Limits) -> list[Member]:
    entries = [each for each in opened.infolist() if not each.is_dir()]
    if len(entries) > limits.entries:
        raise TooLarge("zip-entries", file=shown, count=len(entries), most=limits.entries)
    names = [_safe_name(each, shown) for each in entries]
    doubled = {name.lower() for name in names if [n.lower() for n in names].count(name.lower()) > 1}
    if doubled:
        raise InputRefused("zip-doubled", file=shown, name=sorted(doubled)[0])
    folders: dict[str, int] = {}
    found: list[Member] = []
    spent = 0
    for entry, name in zip(entries, names, strict=True):
        path = PurePosixPath(name)
        if path.suffix.lower() not in WANTED | NESTED or path.name.startswith("._") or path.parts[0] == "__MACOSX":
            continue
        folder = into / str(folders.setdefault(str(path.parent), len(folders)))
        folder.mkdir(exist_ok=True)
        target = folder / f"{len(found)}{path.suffix.lower()}"
        spent += _write(opened, entry, target, shown, limits, spent)
        found.append(Member(name, target))
    return found


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


def _write(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, shown: str, limits: Limits, spent: int
) -> int:
    count = 0
    with opened.open(entry) as source, target.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            count += len(chunk)
            if spent + count > limits.unpacked_bytes:
                raise TooLarge("zip-bytes", file=shown, most=limits.unpacked_bytes)
            if count > _RATIO_FROM and count > limits.ratio * max(entry.compress_size, 1):
                raise TooLarge("zip-ratio", file=shown, name=entry.filename, ratio=limits.ratio)
            sink.write(chunk)
    return count
