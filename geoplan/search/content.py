"""The record of a search, ``geoplan/search/1``: what was asked, what it found, and how far that can be trusted.

Areas are in m², lengths in m, shares 0..1; places in degrees. ``/1`` grows by added members only.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geoplan.report import LayerRecord, SaidMessage, SourceFile


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlaceRecord(_Part):
    """A point in degrees (CGCS2000)."""

    lon: float
    lat: float


class GridRecord(_Part):
    """The cells: outer corner of the first one on the plane, edge, rows and columns."""

    west: float
    north: float
    cell_m: float
    rows: int
    columns: int
    central_meridian: int
    epsg: int | None


class AreaRecord(_Part):
    """The study area."""

    source: SourceFile
    area_m2: float
    crs: str


class ConstraintRecord(_Part):
    """One reason why ground is excluded, and how much it takes of the study area.

    ``bit`` is its bit in ``exclusion.tif`` and ``unknown.tif``; those of the part ``construction`` have none, since
    they keep only the construction area off.
    """

    id: str
    bit: int | None
    part: Literal["planning", "construction"]
    title: SaidMessage
    source: str
    layers: list[str]
    coverage_assumed: bool
    alone_m2: float
    only_m2: float
    overlap_m2: float
    unknown_m2: float
    waived_m2: float


class AccountRecord(_Part):
    """The study area: excluded + not known + eligible; ``usable`` is what is left of the eligible cells at least."""

    area_m2: float
    excluded_m2: float
    unknown_m2: float
    eligible_m2: float
    usable_m2: float
    constraints: list[ConstraintRecord]


class FactorRecord(_Part):
    """A factor of suitability and its weight (sum 1)."""

    id: str
    title: dict[str, str] | None
    weight: float


class WeightsRecord(_Part):
    """How the weights came about; ``consistency`` is Saaty's ratio for comparisons."""

    method: str
    consistency: float | None
    join: str


class LimitsRecord(_Part):
    """Area aimed at, and between what a finished boundary must lie, m²."""

    target_m2: float
    low_m2: float
    high_m2: float


class SelectionRecord(_Part):
    """How the candidates were chosen, and how good any others could be.

    ``ceiling``: no region of the wanted area scores more, whatever its shape; ``gap`` is what the best candidate falls
    short of it, as a share.
    """

    method: Literal["exact", "greedy-swaps", "greedy"]
    evaluation: str
    total: float
    bound: float
    ceiling: float | None
    gap: float | None
    seeds: int
    grown: int


class StabilityRecord(_Part):
    """The test of the ranking under other weights, against the next best regions."""

    top: int
    draws: int
    seed: int
    concentration: float
    against: int


class PartRecord(_Part):
    """A boundary of a candidate."""

    area_m2: float
    perimeter_m: float
    vertices: int
    holes: int


class CandidateRecord(_Part):
    """A candidate: ``stays`` is the share of draws in which it stays among the best, ``first`` that in which it leads.

    ``taken_m2`` is the land of each group of ``construction.avoid`` under construction, empty without a land-use layer.
    """

    rank: int
    name: str
    score: float
    at: PlaceRecord
    planning: PartRecord
    construction: PartRecord | None
    figures: dict[str, float]
    factors: dict[str, float]
    taken_m2: dict[str, float]
    stays: float
    first: float
    nearest_candidate_m: float | None
    nearest_town_m: float | None
    verdict: str
    report_id: str
    folder: str


class OtherRecord(_Part):
    """A region that is no candidate: where, how good, and why."""

    at: PlaceRecord
    score: float
    why: SaidMessage | None = None


class SearchContent(_Part):
    """A search as plain data.

    ``outside_china``: the study area lies abroad, where China's land law does not apply and is no rule of the search.
    """

    schema_: Literal["geoplan/search/1"] = Field(default="geoplan/search/1", alias="schema")
    id: str
    made_at: str
    checked_on: str
    title: dict[str, str] | None
    invented: bool
    area: AreaRecord
    criteria: dict[str, Any]
    criteria_file: SourceFile
    count: int
    seed: int
    policies: list[str]
    outside_china: bool = False
    options: dict[str, Any]
    layers: list[LayerRecord]
    rasters: list[dict[str, str]]
    towns: SourceFile | None
    grid: GridRecord
    account: AccountRecord
    factors: list[FactorRecord]
    weights: WeightsRecord
    planning: LimitsRecord
    construction: LimitsRecord
    selection: SelectionRecord
    stability: StabilityRecord | None
    candidates: list[CandidateRecord]
    runners_up: list[OtherRecord]
    dropped: list[OtherRecord]
    files: list[str]
    software: dict[str, str]

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the names of the schema."""
        return self.model_dump(mode="json", by_alias=True)
