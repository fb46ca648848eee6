"""The formats that the product writes: one row each, found by the suffix of the file that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geoplan.crs import Array
from geoplan.errors import CallRefused
from geoplan_layers.writers import dxf, geojson, geopackage, kml, plots, shapefile
from geoplan_layers.writers.sheet import Sheet, WriteOptions, Written

System = Literal["any", "degrees", "metres", "cgcs2000-zone"]
ALL_KINDS = frozenset({"Polygon", "LineString", "LinearRing", "Point", "GeometryCollection"})
SIMPLE = frozenset({"Polygon", "LineString", "Point"})
SURFACES = frozenset({"Polygon"})


@dataclass(frozen=True, slots=True)
class Writer:
    """One format out.

    Parameters
    ----------
    system
        Which coordinates it can hold: any; WGS 84 degrees, as its standard prescribes; metres; metres in a
        numbered zone of CGCS2000.
    holds
        Geometry types, without Multi.
    decimals
        Decimals that its coordinates are rounded to; none where it keeps them as they are.
    coordinates
        Reads back every coordinate of a file that ``write`` made.
    one_kind
        Whether a layer can hold but one geometry type.
    layers
        How many layers a file can hold; none for any number.
    """

    key: str
    suffixes: tuple[str, ...]
    media_type: str
    write: Callable[[Sheet, Path, WriteOptions], Written]
    coordinates: Callable[[Path], Array]
    system: System = "any"
    holds: frozenset[str] = SIMPLE
    decimals: int | None = None
    one_kind: bool = False
    layers: int | None = None


WRITERS: tuple[Writer, ...] = (
    Writer(
        "shapefile", (".shp",), "application/octet-stream", shapefile.write, shapefile.coordinates,
        one_kind=True, layers=1,
    ),
    Writer(
        "shapefile-zip", (".shp.zip", ".zip"), "application/zip", shapefile.write_zip, shapefile.coordinates_zip,
        one_kind=True,
    ),
    Writer(
        "geopackage", (".gpkg",), "application/geopackage+sqlite3", geopackage.write, geopackage.coordinates,
        holds=ALL_KINDS,
    ),
    Writer(
        "kml", (".kml",), "application/vnd.google-earth.kml+xml", kml.write, kml.coordinates,
        system="degrees", holds=ALL_KINDS,
    ),
    Writer("dxf", (".dxf",), "image/vnd.dxf", dxf.write, dxf.coordinates, system="metres"),
    Writer(
        "geojson", (".geojson", ".json"), "application/geo+json", geojson.write, geojson.coordinates,
        system="degrees", holds=ALL_KINDS, decimals=geojson.DECIMALS,
    ),
    Writer(
        "coordinate-text", (".txt",), "text/plain", plots.write_text, plots.text_coordinates,
        system="cgcs2000-zone", holds=SURFACES, decimals=plots.DECIMALS,
    ),
    Writer(
        "point-table", (".xlsx",), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        plots.write_table, plots.table_coordinates,
        system="cgcs2000-zone", holds=SURFACES, decimals=plots.DECIMALS,
    ),
)  # fmt: skip


def known_suffixes() -> list[str]:
    """Every suffix that can be written."""
    return [suffix for each in WRITERS for suffix in each.suffixes]


def writer_of(path: Path) -> Writer:
    """The format of a file that is wanted, by the longest suffix that fits its name.

    Raises
    ------
    CallRefused
        No format of that suffix is written.

    >>> writer_of(Path("a.shp.zip")).key, writer_of(Path("A.DXF")).key
    ('shapefile-zip', 'dxf')
    """
    name = path.name.lower()
    found = next((each for each in WRITERS if any(name.endswith(suffix) for suffix in each.suffixes)), None)
    if found is None:
        raise CallRefused("out-format-unknown", file=path.name, suffix=path.suffix or "—", known=known_suffixes())
    return found


def writers_for(kinds: frozenset[str]) -> list[str]:
    """First suffixes of the formats that can hold some geometry types."""
    return [each.suffixes[0] for each in WRITERS if kinds <= each.holds and not (each.one_kind and len(kinds) > 1)]
