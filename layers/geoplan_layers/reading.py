"""Finding the data sets of a file, whatever its format or the archive around it.

This runs in a reader process alone (`geoplan_layers.sandbox`); everybody else opens files by `geoplan_layers.vector`.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from geoplan.boundary import Source
from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.archive import Member, unpack
from geoplan_layers.files.dataset import Dataset, Item
from geoplan_layers.files.digests import sha256, shapefile_hash
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.signature import recognised
from geoplan_layers.formats import ARCHIVES, EXPORT_INSTEAD, Format, format_of, known_suffixes, wanted_suffixes

_DATABASE = ".gdb"


def datasets(path: Path, shown: str, limits: Limits, folder: Path) -> list[Dataset]:
    """Every data set of a file, told apart by name; what has to be unpacked goes into ``folder``.

    Raises
    ------
    InputRefused
        No such file, an unknown format, or nothing readable in it.
    TooLarge
        The file goes past the limits.
    """
    suffix = path.suffix.lower()
    database = suffix == _DATABASE and path.is_dir() and format_of(_DATABASE) is not None
    if not database and not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    size = sum(each.stat().st_size for each in path.iterdir()) if database else path.stat().st_size
    if size > limits.file_bytes:
        raise TooLarge("file-too-large", file=shown, size=size, most=limits.file_bytes)
    if suffix in ARCHIVES:
        return _in_archive(path, shown, limits, folder)
    format = format_of(suffix)
    if format is None:
        raise _not_read(suffix, shown, path)
    companions = _beside(path, format) if format.companions else {}
    source = Source(shown, fingerprint(path))
    staged = _staged({suffix: path, **companions}, folder)
    item = Item(staged.pop(suffix), shown, source, staged)
    return _named(format.open(item, limits), PurePosixPath(shown).stem)


def _staged(parts: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Links of our own naming to a file and what belongs to it.

    GDAL never sees a name that the user chose, finds nothing beside the file but what was meant, and writes nothing
    there.
    """
    links = {suffix: folder / f"0{suffix}" for suffix in parts}
    try:
        for suffix, link in links.items():
            link.symlink_to(parts[suffix].resolve(), target_is_directory=parts[suffix].is_dir())
    except OSError:
        if sys.platform != "win32":  # where links need a right that few have
            raise
        return dict(parts)
    return links


def _beside(path: Path, format: Format) -> dict[str, Path]:
    """The files that belong to one on the disk: of its name, whatever the case of their suffixes."""
    beside = {each.suffix.lower(): each for each in path.parent.iterdir() if each.stem == path.stem}
    return {suffix: beside[suffix] for suffix in format.companions if suffix in beside}


def fingerprint(path: Path) -> str:
    """The SHA-256 by which a report names a file: of its bytes, of a shapefile's parts, of a .gdb folder's files.

    It only reads bytes, so any process may call it.
    """
    if path.is_dir():
        return _folder_hash(path)
    format = format_of(path.suffix.lower())
    companions = _beside(path, format) if format and format.companions else {}
    return shapefile_hash({path.suffix.lower(): path, **companions}) if companions else sha256(path)


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for each in sorted(folder.iterdir()):
        if each.is_file() and each.suffix.lower() != ".lock":
            digest.update(each.name.encode() + bytes.fromhex(sha256(each)))
    return digest.hexdigest()


def _not_read(suffix: str, shown: str, path: Path) -> InputRefused:
    kind = recognised(path) or EXPORT_INSTEAD.get(suffix)
    if kind is not None:
        return InputRefused(f"export-instead.{kind}", file=shown, suffix=suffix or "—")
    return InputRefused("format-unknown", file=shown, suffix=suffix or "—", known=known_suffixes())


def _in_archive(path: Path, shown: str, limits: Limits, folder: Path) -> list[Dataset]:
    source = Source(shown, sha256(path))
    members = unpack(path, shown, folder, limits, wanted_suffixes(), frozenset(ARCHIVES))
    found: list[Dataset] = []
    items = list(_items(members, source))
    stems = Counter(item.name[: -len(item.suffix)] for item, _ in items)
    for item, format in items:
        stem = item.name[: -len(item.suffix)]
        found.extend(_named(format.datasets(item, limits), stem if stems[stem] == 1 else item.name))
    if not found:
        refused = next((m for m in members if m.suffix in EXPORT_INSTEAD), None)
        if refused is not None:
            raise _not_read(refused.suffix, f"{shown}/{refused.name}", refused.path)
        raise InputRefused("zip-without-data", file=shown, known=known_suffixes())
    return _told_apart(found)


def _items(members: Iterable[Member], source: Source) -> Iterator[tuple[Item, Format]]:
    """The main files of an archive's members, each with what belongs to it."""
    stems: dict[str, dict[str, Member]] = {}
    databases: dict[str, Member] = {}
    for member in members:
        parts = PurePosixPath(member.name).parts
        inside = next((i for i, part in enumerate(parts[:-1]) if part.lower().endswith(_DATABASE)), None)
        if inside is None:
            stems.setdefault(member.name[: -len(member.suffix)].lower(), {})[member.suffix] = member
        else:
            databases.setdefault("/".join(parts[: inside + 1]), member)
    for name, member in databases.items():
        if (format := format_of(_DATABASE)) is not None:
            yield Item(member.path.parent, name, source), format
    for parts_of_one in stems.values():
        for suffix, member in parts_of_one.items():
            format = format_of(suffix)
            if format is not None:
                companions = {s: parts_of_one[s].path for s in format.companions if s in parts_of_one}
                yield Item(member.path, member.name, source, companions), format


def _named(found: list[Dataset], path: str) -> list[Dataset]:
    own = {PurePosixPath(path).name, PurePosixPath(path).stem}
    return [replace(each, path=path if each.name in own else f"{path}/{each.name}") for each in found]


def _told_apart(found: list[Dataset]) -> list[Dataset]:
    """Data sets of one name in several folders or files get their paths for names."""
    count = Counter(each.name for each in found)
    return [replace(each, name=each.path) if count[each.name] > 1 else each for each in found]


def chosen(found: list[Dataset], shown: str, layer: str | None) -> Dataset:
    """The one data set that a name means, by its name or its path; without a name the only one.

    Raises
    ------
    InputRefused
        There is none, or there are several and none is named.
    """
    names = [each.name for each in found]
    if layer is not None:
        named = [each for each in found if each.name == layer] or [each for each in found if each.path == layer]
        if len(named) != 1:
            raise InputRefused("layer-unknown", file=shown, layer=layer, known=names)
        return named[0]
    if len(found) != 1:
        raise (
            InputRefused("layer-ambiguous", file=shown, known=names) if found else InputRefused("no-layers", file=shown)
        )
    return found[0]
