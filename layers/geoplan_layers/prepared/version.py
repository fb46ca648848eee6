"""One version of a prepared layer: what is known of it, and where it lies.

layers/<role>/current                the version in use
layers/<role>/<version>/meta.json    this
layer.parquet        every patch with its attributes, GeoParquet 1.1
index/*.npy          the same on the home plane, mapped into memory
quarantine.parquet   what was left out, with the reason; where there is such
coverage.wkb         the declared coverage in its own system; where there is one
unknown.wkb          the ground of what was left out, on the home plane; where there is such
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pyproj import CRS

from geoplan.boundary import Source
from geoplan.crs import Datum, Frame
from geoplan.landuse import Generation
from geoplan.messages import Message

SCHEMA: Literal["geoplan/layer/1"] = "geoplan/layer/1"
META, OPEN, INDEX, QUARANTINE = "meta.json", "layer.parquet", "index", "quarantine.parquet"
RASTER = "layer.tif"
COVERAGE, UNKNOWN = "coverage.wkb", "unknown.wkb"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class System(_Part):
    """A coordinate system: its code, else its full description, and the datum that was recognised."""

    epsg: int | None
    datum: Datum
    guessed: bool = False
    crs: dict[str, Any] | None = None

    @classmethod
    def of(cls, frame: Frame) -> System:
        """What has to be kept of a frame."""
        described = None if frame.epsg else frame.crs.to_json_dict()
        return cls(epsg=frame.epsg, datum=frame.datum, guessed=frame.guessed, crs=described)

    @property
    def frame(self) -> Frame:
        """The frame again."""
        crs = CRS.from_epsg(self.epsg) if self.epsg else CRS.from_json_dict(self.crs or {})
        return Frame(crs, self.epsg, self.datum, self.guessed)


class Origin(_Part):
    """A file that the layer came from: ``first`` is added to the numbers of its rows, ``crs`` its own system."""

    file: str
    sha256: str
    select: str = ""
    rows: int
    first: int = 0
    encoding: str = "utf-8"
    crs: str | None = None


class Declared(_Part):
    """The file of the declared coverage, its system, and the options that counted in reading it."""

    file: str
    sha256: str
    select: str = ""
    system: System
    read_with: dict[str, Any] = {}


class ClassCount(_Part):
    """Patches and area (m², survey formula) of one class."""

    code: str
    name: str
    patches: int
    area_m2: float
    known: bool = True


class Place(_Part):
    """A piece of ground: its area, and a point in it, degrees."""

    area_m2: float
    lon: float
    lat: float


class Shared(Place):
    """Ground that two patches share."""

    ids: list[str]


class OverlapList(_Part):
    """Pairs of patches that share ground, and the ten that share most; slivers vanish within 0.05 m of the lines."""

    pairs: int
    area_m2: float
    slivers: int
    worst: list[Shared] = []


class GapList(_Part):
    """Ground of the declared coverage that no patch covers, and the ten largest pieces."""

    count: int
    area_m2: float
    slivers: int
    worst: list[Place] = []


class AreaDifference(_Part):
    """A patch whose declared area is not the measured one."""

    id: str
    declared_m2: float
    measured_m2: float
    difference_m2: float


AreaUnit = Literal["m2", "ha", "mu", "km2"]


class AreaColumn(_Part):
    """The layer's own area column: the unit that it seems to be in (none: it fits none), and how far it is off.

    ``beyond`` counts patches that differ by more than 1 m² and 1 ‰; the worst ten are listed.
    """

    field: str
    unit: AreaUnit | None
    compared: int
    missing: int = 0
    beyond: int = 0
    declared_m2: float = 0.0
    measured_m2: float = 0.0
    worst: list[AreaDifference] = []


class Quality(_Part):
    """What was found of a layer's quality; parts that were not looked at are none."""

    unknown_codes: int = 0
    areas: AreaColumn | None = None
    overlaps: OverlapList | None = None
    gaps: GapList | None = None


class Quarantine(_Part):
    """What was left out: rows by reason, how many of them lie nowhere, and the ground of the others (m²)."""

    rows: int = 0
    reasons: dict[str, int] = {}
    placeless: int = 0
    area_m2: float = 0.0


class RasterAbout(_Part):
    """What is known of the cells of a raster: columns, rows, their size (units of the system), type, and values.

    ``valid`` counts the cells that have a value; ``bands`` those of the file, of which the first is kept.
    """

    width: int
    height: int
    cell: tuple[float, float]
    dtype: str
    nodata: float | None
    valid: int
    minimum: float
    maximum: float
    mean: float
    bands: int


class Note(_Part):
    """A message of the catalogue."""

    id: str
    args: dict[str, Any]

    @property
    def message(self) -> Message:
        """The message itself."""
        return Message(self.id, self.args)


class Meta(_Part):
    """``meta.json`` of a version: schema ``geoplan/layer/1``; grows by added members only."""

    schema_: Literal["geoplan/layer/1"] = Field(default=SCHEMA, alias="schema")
    role: str
    sha256: str
    content: str
    imported_at: str
    day: date | None
    source: str | None
    valid_until: date | None
    invented: bool = False
    generation: Generation | None
    coded: bool
    system: System
    crs: str
    central_meridian: int
    read_with: dict[str, Any] = {}
    patches: int
    vertices: int
    kinds: list[str]
    box: tuple[float, float, float, float]
    degrees: tuple[float, float, float, float]
    fields: dict[str, str]
    coverage: Declared | None
    origins: list[Origin]
    classes: list[ClassCount]
    quarantine: Quarantine
    quality: Quality
    notes: list[Note]
    words: dict[str, list[str]]
    software: dict[str, str]
    raster: RasterAbout | None = None


@dataclass(frozen=True)
class Version:
    """A version in the store."""

    folder: Path
    meta: Meta

    @property
    def id(self) -> str:
        """The name of its folder: the first 16 digits of its hash."""
        return self.folder.name

    @property
    def role(self) -> str:
        """The role that the layer serves."""
        return self.meta.role

    @property
    def file(self) -> str:
        """The layer by the name of the file it came from."""
        first, count = self.meta.origins[0], len(self.meta.origins)
        return first.file if count == 1 else f"{first.file} +{count - 1}"

    @property
    def reference(self) -> Source:
        """The version as a report names it."""
        return Source(self.file, self.meta.sha256)

    @property
    def coverage_from(self) -> Literal["declared", "assumed"]:
        """Whether somebody declared where the layer knows the ground."""
        return "declared" if self.meta.coverage and not self.meta.quarantine.placeless else "assumed"

    def as_dict(self) -> dict[str, Any]:
        """The version as plain data, without the words of its index."""
        about = self.meta.model_dump(mode="json", by_alias=True, exclude={"words"})
        return {"version": self.id, "coverage_from": self.coverage_from, **about}
