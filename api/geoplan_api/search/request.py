"""What a search is asked: the study area with policies, layers and towns as in a check, and a criteria file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geoplan.boundary import Source
from geoplan.errors import CallRefused
from geoplan.messages import Lang
from geoplan.search.criteria import Criteria
from geoplan_api.inquiry import RASTERS, Inquiry
from geoplan_layers.criteria_file import read_criteria
from geoplan_layers.rasters import DRIVERS
from geoplan_layers.selector import LayerSpec

MOST = 100


@dataclass(frozen=True)
class SearchRequest:
    """One search.

    Parameters
    ----------
    inquiry
        As of a check, the study area in the place of ``planning``; layers without rasters.
    criteria, criteria_source
        What is looked for, and its file.
    rasters
        Files of the raster roles, in the order of the call.
    count
        How many candidates; by default what the criteria say.
    """

    inquiry: Inquiry
    criteria: Criteria
    criteria_source: Source
    rasters: tuple[LayerSpec, ...] = ()
    count: int | None = None
    lang: Lang = "zh"

    @property
    def wanted(self) -> int:
        """How many candidates are wanted."""
        return self.count or self.criteria.count


def search_request(
    inquiry: Inquiry, criteria: Path, count: int | None = None, lang: Lang = "zh", shown: str | None = None
) -> SearchRequest:
    """A search by a criteria file; raster files among the layers of the inquiry are told apart.

    Raises
    ------
    InputRefused
        The criteria file cannot be read.
    CallRefused
        ``count`` is out of range, or a construction boundary was given.
    """
    if count is not None and not 1 <= count <= MOST:
        raise CallRefused("option-wrong", option="--count", value=count, wanted=f"1 … {MOST}")
    read, source = read_criteria(criteria, shown)
    rasters = tuple(each for each in inquiry.layers if is_raster(each))
    vectors = tuple(each for each in inquiry.layers if not is_raster(each))
    _no_facts(inquiry)
    return SearchRequest(replace(inquiry, layers=vectors), read, source, rasters, count, lang)


def _no_facts(inquiry: Inquiry) -> None:
    if inquiry.construction is not None:
        raise CallRefused("search-no-construction")


def is_raster(spec: LayerSpec) -> bool:
    """Whether a layer of a call is a raster: by its role, or by its file."""
    path = spec.selector.path
    suffix = path.suffix.lower()
    if spec.role in RASTERS or suffix in DRIVERS:
        return True
    return suffix == ".zip" and path.is_file() and _holds_raster(path)


def _holds_raster(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names: Sequence[str] = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
    return any(Path(name).suffix.lower() in DRIVERS for name in names) and not any(
        Path(name).suffix.lower() in (".shp", ".gpkg", ".gdbtable") for name in names
    )
