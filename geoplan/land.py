"""The account of construction land: new, existing and approved, and the lower bound where land use is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geoplan.measure import PRINTS_AS_ZERO, survey_area
from geoplan.pieces import Part
from geoplan.site import Site


@dataclass(frozen=True, slots=True)
class LandAccount:
    """Areas in m²; none where the land-use layer is missing or does not cover the boundary.

    ``existing``, ``approved`` and ``new`` add up to the construction area as drawn. ``construction_land`` is that
    area plus the existing construction land in the rest of planning; ``at_least`` and ``at_most`` bound it where
    land use is not wholly known.
    """

    existing: float | None = None
    approved: float | None = None
    new: float | None = None
    construction_land: float | None = None
    at_least: float | None = None
    at_most: float | None = None


def account(site: Site) -> LandAccount:
    """Account of construction land of a site.

    Without a construction boundary there is nothing to account for. ``approved`` needs the layer
    ``approved-construction-land``; without one nothing is taken as approved.
    """
    if site.construction is None:
        return LandAccount()
    drawn = site.area("construction")
    everything = drawn + site.area("rest")
    if not site.has("land-use"):
        return LandAccount(at_least=drawn, at_most=everything)
    site.generation("land-use")
    stock_in_rest = _class_area(site, "rest")
    unknown_rest = survey_area(site.known_classes("land-use", "rest").uncovered, site.plane)
    low, high = drawn + stock_in_rest, drawn + stock_in_rest + unknown_rest
    land = low if site.known_classes("land-use", "rest").is_whole else None
    if not site.known_classes("land-use", "construction").is_whole:
        return LandAccount(construction_land=land, at_least=low, at_most=high)
    existing = _class_area(site, "construction")
    approved = survey_area(_approved(site), site.plane)
    left = drawn - existing - approved
    return LandAccount(existing, approved, left if left >= PRINTS_AS_ZERO else 0.0, land, low, high)


def _class_area(site: Site, part: Part) -> float:
    return survey_area(existing_construction(site, part), site.plane)


def existing_construction(site: Site, part: Part) -> shapely.Geometry:
    """Existing construction land of the land-use layer inside a part, on the plane."""
    shapes = [piece.shape for piece in site.pieces("land-use", part) if "construction" in piece.groups]
    return shapely.union_all(np.array(shapes, dtype=object))


def _approved(site: Site) -> shapely.Geometry:
    if not site.has("approved-construction-land"):
        return shapely.Polygon()
    shapes = np.array(
        [piece.shape for piece in site.pieces("approved-construction-land", "construction")], dtype=object
    )
    return shapely.difference(shapely.union_all(shapes), existing_construction(site, "construction"))
