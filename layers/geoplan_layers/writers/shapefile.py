"""Shapefile: ASCII names, UTF-8 text with its .cpg, the .prj in ESRI's spelling; one set of files a layer, or a zip."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely

from geoplan.crs import Array, Frame
from geoplan.messages import Message
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.writers.columns import LONGEST_TEXT, TypedColumn, cut, dbf_names, typed
from geoplan_layers.writers.sheet import Sheet, SheetLayer, WriteOptions, Written

FIELDS_SUFFIX = ".fields.csv"
"""The table that tells which field became which; written where any was renamed."""
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
STALE = (".sbn", ".sbx", ".qix", ".fbn", ".fbx", ".ain", ".aih", ".idm", ".ind", ".shp.xml")
"""Indexes and metadata of a shapefile that was there before: they would describe another one."""
_DAY = "1980-01-01"
_MOMENT = (1980, 1, 1, 0, 0, 0)
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


def write(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """The first layer as ``path`` (.shp) and its companions.

    Shape type and ring order (outline clockwise) are GDAL's; the date in the .dbf is fixed, so the same sheet gives
    the same bytes.
    """
    del options
    notes = _write_layer(sheet.layers[0], sheet.frame, path.parent, path.stem)
    fields = path.with_name(path.stem + FIELDS_SUFFIX)
    made = [path.with_suffix(suffix) for suffix in PARTS]
    return Written([*made, fields] if fields.exists() else made, notes)


def write_zip(sheet: Sheet, path: Path, options: WriteOptions) -> Written:
    """All layers as shapefiles in one zip; names of members are UTF-8 and flagged so, times fixed."""
    del options
    notes: tuple[Message, ...] = ()
    stems = _stems([layer.name for layer in sheet.layers])
    with TemporaryDirectory(prefix="geoplan-") as folder:
        for layer, stem in zip(sheet.layers, stems, strict=True):
            notes += _write_layer(layer, sheet.frame, Path(folder), stem)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(Path(folder).iterdir()):
                entry = zipfile.ZipInfo(each.name, _MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, each.read_bytes())
    return Written([path], notes)


def coordinates(path: Path) -> Array:
    """Every coordinate of a shapefile."""
    _, _, shapes, _ = pyogrio.raw.read(path, columns=[])
    return np.asarray(shapely.get_coordinates(shapely.from_wkb(shapes)), dtype=np.float64)


def coordinates_zip(path: Path) -> Array:
    """Every coordinate of the shapefiles in a zip that the product made."""
    with TemporaryDirectory(prefix="geoplan-") as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return np.vstack([coordinates(each) for each in sorted(Path(folder).glob("*.shp"))])


def _stems(names: Sequence[str]) -> list[str]:
    """File names for layers: without what a file system forbids, each different whatever its case."""
    found: list[str] = []
    for name in names:
        stem = _FORBIDDEN.sub("_", name).strip(". ") or "layer"
        taken = {each.lower() for each in found}
        number, free = 1, stem
        while free.lower() in taken:
            number, free = number + 1, f"{stem}_{number}"
        found.append(free)
    return found


def _write_layer(layer: SheetLayer, frame: Frame, folder: Path, stem: str) -> tuple[Message, ...]:
    """One shapefile, made under an ASCII name and renamed when whole."""
    short = dbf_names(layer.columns)
    columns = {short[name]: typed(column) for name, column in layer.columns.items()}
    cut_rows = {name: _cut(column) for name, column in columns.items()}
    with TemporaryDirectory(prefix=".geoplan-", dir=folder) as made:
        pyogrio.raw.write(
            Path(made) / "data.shp",
            shapely.to_wkb(layer.shapes),
            [column.values for column in columns.values()],
            np.array(list(columns)),
            [column.missing for column in columns.values()],
            driver="ESRI Shapefile",
            geometry_type=_shape_type(layer),
            encoding="UTF-8",
            crs=frame.crs.to_wkt(),
            layer_options={"DBF_DATE_LAST_UPDATE": _DAY},
        )
        (Path(made) / "data.prj").write_text(frame.crs.to_wkt("WKT1_ESRI"), encoding="utf-8")
        (Path(made) / "data.cpg").write_text("UTF-8", encoding="ascii")
        for suffix in PARTS:
            (Path(made) / f"data{suffix}").replace(folder / f"{stem}{suffix}")
    renamed = {name: new for name, new in short.items() if name != new}
    if renamed:
        _write_fields(folder / f"{stem}{FIELDS_SUFFIX}", short)
    return _notes(layer, renamed, {name: rows for name, rows in cut_rows.items() if rows})


def _shape_type(layer: SheetLayer) -> str:
    kind = next(iter(layer.kinds))
    return "MultiPoint" if kind == "Point" and any(s.geom_type == "MultiPoint" for s in layer.shapes) else kind


def _cut(column: TypedColumn) -> list[int]:
    """Shorten the texts that a .dbf cannot hold, in place; the rows that were."""
    if not column.is_text:
        return []
    rows = [row for row, text in enumerate(column.values) if len(text.encode()) > LONGEST_TEXT]
    for row in rows:
        column.values[row] = cut(column.values[row])
    return [row + 1 for row in rows]


def _write_fields(path: Path, short: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as opened:
        table = csv.writer(opened, lineterminator="\r\n")
        table.writerow(["field", "original"])
        table.writerows([new, name] for name, new in short.items())


def _notes(layer: SheetLayer, renamed: dict[str, str], cut_rows: dict[str, list[int]]) -> tuple[Message, ...]:
    notes: list[Message] = []
    if renamed:
        pairs = [f"{name} → {new}" for name, new in renamed.items()]
        notes.append(Message("write.fields-renamed", {"layer": layer.name, "fields": pairs}))
    for name, rows in cut_rows.items():
        args = {"field": name, "count": len(rows), "rows": rows[:20], "most": LONGEST_TEXT}
        notes.append(Message("write.text-cut", args))
    return tuple(notes)
