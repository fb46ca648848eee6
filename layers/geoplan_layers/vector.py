"""Opening any vector file that the product reads: one way in, whatever the format or the archive around it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import mkdtemp

from geoplan.boundary import Source
from geoplan.errors import InputRefused, TooLarge
from geoplan_layers.files.archive import NESTED, Member, unpack
from geoplan_layers.files.gdal_formats import (
    Box,
    geopackage_extent,
    geopackage_layers,
    read_geopackage,
    read_shapefile,
    sha256,
    shapefile_extent,
    shapefile_hash,
    shapefile_parts,
)
from geoplan_layers.files.geojson import read_geojson
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.table import Table
from geoplan_layers.selector import Selector

FORMATS = (".zip", ".shp", ".gpkg", ".geojson", ".json")
"""Suffixes that are read; each new format adds one row to ``_datasets``."""


@dataclass(frozen=True)
class Dataset:
    """One layer of one file that can be read: its name, and how to read it, wholly or within a box."""

    name: str
    source: Source
    read: Callable[[Box | None], Table]
    extent: Callable[[], Box] | None = None


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
    if not path.is_file():
        raise InputRefused("no-such-file", file=str(path))
    if path.stat().st_size > limits.file_bytes:
        raise TooLarge("file-too-large", file=shown, size=path.stat().st_size, most=limits.file_bytes)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        source = Source(shown, sha256(path))
        found = _in_archive(unpack(path, shown, folder, limits), source, limits)
        if not found:
            raise InputRefused("zip-without-data", file=shown, known=list(FORMATS[1:]))
        return found
    if suffix == ".shp":
        parts = shapefile_parts(path)
        return [_shapefile(parts, Source(shown, shapefile_hash(parts)), PurePath(shown).stem, limits)]
    if suffix in (".gpkg", ".geojson", ".json"):
        return _single(path, Source(shown, sha256(path)), PurePath(shown).stem, limits)
    raise InputRefused("format-unknown", file=shown, suffix=suffix or "—", known=list(FORMATS))


def _single(path: Path, source: Source, stem: str, limits: Limits) -> list[Dataset]:
    if path.suffix.lower() == ".gpkg":
        return [_geopackage(path, layer, source, limits) for layer in geopackage_layers(path, source.file)]

    def read(box: Box | None) -> Table:
        del box
        return replace(read_geojson(path, source, limits), layer=stem)

    return [Dataset(stem, source, read)]


def _geopackage(path: Path, layer: str, source: Source, limits: Limits) -> Dataset:
    return Dataset(
        layer,
        source,
        lambda box: read_geopackage(path, layer, source, limits, box),
        lambda: geopackage_extent(path, layer, source.file),
    )


def _shapefile(parts: dict[str, Path], source: Source, stem: str, limits: Limits) -> Dataset:
    return Dataset(
        stem,
        source,
        lambda box: read_shapefile(parts, source, stem, limits, box),
        lambda: shapefile_extent(parts[".shp"], source.file),
    )


def _in_archive(members: list[Member], source: Source, limits: Limits) -> list[Dataset]:
    stems: dict[str, dict[str, Path]] = {}
    found: list[Dataset] = []
    for member in members:
        stem = member.name[: -len(member.suffix)]
        if member.suffix in (".gpkg", ".geojson", ".json"):
            found.extend(_single(member.path, source, stem.rpartition("/")[2], limits))
        elif member.suffix not in NESTED:
            stems.setdefault(stem.lower(), {})[member.suffix] = member.path
    names = {m.name[: -len(m.suffix)].lower(): m.name[: -len(m.suffix)] for m in members}
    found.extend(
        _shapefile(parts, source, names[stem].rpartition("/")[2], limits)
        for stem, parts in stems.items()
        if ".shp" in parts
    )
    if not found and any(m.suffix in NESTED for m in members):
        raise InputRefused("zip-nested", file=source.file)
    return found


def _the_one(found: list[Dataset], selector: Selector) -> Dataset:
    names = [each.name for each in found]
    if selector.layer is not None:
        chosen = [each for each in found if each.name == selector.layer]
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
