"""Opening any vector file that the product reads: one way in, whatever the format or the archive around it."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from geoplan.boundary import Source
from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.archive import Member, unpack
from geoplan_layers.files.dataset import Dataset, Item
from geoplan_layers.files.gdal_formats import sha256, shapefile_hash
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.table import Table
from geoplan_layers.formats import ARCHIVES, EXPORT_INSTEAD, Format, format_of, known_suffixes, wanted_suffixes
from geoplan_layers.selector import Selector

_DATABASE = ".gdb"


@contextmanager
def opened(selector: Selector, limits: Limits) -> Iterator[Dataset]:
    """The one data set that a selector means; what was unpacked is removed afterwards.

    Raises
    ------
    InputRefused
        No such file, an unknown format, nothing readable in it, or several data sets and none named.
    TooLarge
        The file goes past the limits.
    """
    folder = Path(mkdtemp(prefix="geoplan-"))
    try:
        yield _the_one(_datasets(selector.path, selector.name, limits, folder), selector)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_table(selector: Selector, limits: Limits) -> Table:
    """The rows that a selector means, wholly read."""
    with opened(selector, limits) as dataset:
        return filtered(dataset.read(None), selector)


def filtered(table: Table, selector: Selector) -> Table:
    """The rows of a table that a selector's ``[FIELD=VALUE]`` leaves."""
    if selector.field is None or selector.value is None:
        return table
    return table.where(selector.field, selector.value)


def _datasets(path: Path, shown: str, limits: Limits, folder: Path) -> list[Dataset]:
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
        raise _not_read(suffix, shown)
    companions = _beside(path, format) if format.companions else {}
    if database:
        source = Source(shown, _folder_hash(path))
    elif companions:
        source = Source(shown, shapefile_hash({suffix: path, **companions}))
    else:
        source = Source(shown, sha256(path))
    return _named(format.datasets(Item(path, shown, source, companions), limits), PurePosixPath(shown).stem)


def _beside(path: Path, format: Format) -> dict[str, Path]:
    """The files that belong to one on the disk: of its name, whatever the case of their suffixes."""
    beside = {each.suffix.lower(): each for each in path.parent.iterdir() if each.stem == path.stem}
    return {suffix: beside[suffix] for suffix in format.companions if suffix in beside}


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for each in sorted(folder.iterdir()):
        if each.is_file() and each.suffix.lower() != ".lock":
            digest.update(each.name.encode() + bytes.fromhex(sha256(each)))
    return digest.hexdigest()


def _not_read(suffix: str, shown: str) -> InputRefused:
    if suffix in EXPORT_INSTEAD:
        return InputRefused(f"export-instead.{EXPORT_INSTEAD[suffix]}", file=shown, suffix=suffix)
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
            raise _not_read(refused.suffix, f"{shown}/{refused.name}")
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


def _the_one(found: list[Dataset], selector: Selector) -> Dataset:
    names = [each.name for each in found]
    if selector.layer is not None:
        chosen = [each for each in found if each.name == selector.layer] or [
            each for each in found if each.path == selector.layer
        ]
        if len(chosen) != 1:
            raise InputRefused("layer-unknown", file=selector.name, layer=selector.layer, known=names)
        return chosen[0]
    if len(found) != 1:
        raise (
            InputRefused("layer-ambiguous", file=selector.name, known=names)
            if found
            else InputRefused("no-layers", file=selector.name)
        )
    return found[0]
