"""What holds in every check whatever the policy: construction inside planning, declared areas, whose area it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely

from geoplan.boundary import Boundary
from geoplan.judgement import Evidence, Judgement
from geoplan.measure import PRINTS_AS_ZERO, Measurement, area_error, is_sliver, polygons_of, survey_area
from geoplan.messages import Message
from geoplan.messages.units import floor_to, half_up
from geoplan.policy import Policy
from geoplan.report import CountyShare
from geoplan.site import Site
from geoplan.verdict import Verdict

_UNITS = {"km2": 1e6, "ha": 1e4, "mu": 2000 / 3}
_NEAR = 0.2
"""How near a declared area times another unit must come to the measured one to be told as that unit."""


@dataclass(frozen=True, slots=True)
class Structural:
    """A structural finding: its rule, its title's message id, its answer."""

    rule: str
    answer: Judgement


def structural(site: Site) -> list[Structural]:
    """Structural findings of a site."""
    found = []
    if site.construction is not None:
        found.append(Structural("construction-inside-planning", _inside(site)))
    for part, boundary in (
        ("planning", site.proposal.planning),
        ("construction", site.proposal.construction),
    ):
        if boundary is not None:
            declared = _declared(site, part, boundary)
            if declared is not None:
                found.append(Structural(f"declared-{part}-area", _against_declared(site, part, boundary, declared)))
    return found


def _inside(site: Site) -> Judgement:
    """其中: the construction area lies inside the planning area; slivers alone do not make it fail."""
    assert site.construction is not None
    outside = polygons_of(shapely.difference(site.construction, site.planning))
    parts = [p for p in outside.geoms if p.area >= PRINTS_AS_ZERO]
    area = sum(survey_area(p, site.plane) for p in parts)
    args = {"area": half_up(area, 2), "count": len(parts)}
    if not parts:
        return Judgement("pass", Message("finding.structure.inside", args))
    evidence = tuple(
        Evidence(
            f"structure.outside.{i}",
            "boundary",
            "construction",
            f"{i}",
            "",
            p,
            survey_area(p, site.plane),
            None,
            survey_area(p, site.plane) / site.area("construction"),
            is_sliver(p, site.accuracy),
        )
        for i, p in enumerate(parts, 1)
    )
    firm = not all(e.sliver for e in evidence)
    verdict: Verdict = "fail" if firm else "attention"
    key = "finding.structure.outside" if firm else "finding.structure.outside-slivers"
    if firm and shapely.covers(site.construction, site.planning):
        key = "finding.structure.swapped"
    measured = Measurement(area, "m2", "survey-ellipsoid", site.accuracy * float(shapely.length(outside)))
    return Judgement(verdict, Message(key, args), firm, None if firm else ("pass", "fail"), measured, evidence=evidence)


def _declared(site: Site, part: str, boundary: Boundary) -> float | None:
    given = site.proposal.facts.values.get(f"declared.{part}_area_m2")
    return float(given) if given is not None else boundary.declared_area_m2


def _against_declared(site: Site, part: str, boundary: Boundary, declared: float) -> Judgement:
    """A declared area agrees when it lies within the error of the ellipsoidal or of the planar area."""
    del boundary
    shape = site.planning if part == "planning" else site.construction
    assert shape is not None
    measured, planar, error = (
        survey_area(shape, site.plane),
        float(shapely.area(shape)),
        area_error(shape, site.accuracy),
    )
    agrees = min(abs(declared - measured), abs(declared - planar)) <= error
    args: dict[str, Any] = {
        "part": part,
        "declared": half_up(declared, 2),
        "measured": half_up(measured, 2),
        "planar": half_up(planar, 2),
        "difference": half_up(declared - measured, 2),
        "planar_difference": half_up(declared - planar, 2),
    }
    key = "finding.structure.declared-agrees" if agrees else "finding.structure.declared-differs"
    unit = next((name for name, size in _UNITS.items() if abs(declared * size / measured - 1) <= _NEAR), None)
    if not agrees and unit:
        key, args["unit"] = "finding.structure.declared-unit", unit
    return Judgement(
        "pass" if agrees else "attention",
        Message(key, args),
        measured=Measurement(measured, "m2", "survey-ellipsoid", error),
    )


def county_shares(site: Site) -> list[CountyShare]:
    """Shares of the planning area by county, largest first, where counties are known."""
    if not site.has("counties"):
        return []
    shares: dict[tuple[str, str], float] = {}
    for piece in site.pieces("counties", "planning"):
        key = (piece.code or piece.patch, piece.name)
        shares[key] = shares.get(key, 0.0) + piece.share
    return [
        CountyShare(adcode=code, name=name, share=min(floor_to(share + 5e-5, 4), 1.0))
        for (code, name), share in sorted(shares.items(), key=lambda each: -each[1])
    ]


def applied_outside(policy: Policy, site: Site) -> list[Message]:
    """A warning where a paper is applied outside its own area, as far as counties are known."""
    prefix = policy.adcode.rstrip("0")
    prefix = prefix + "0" * (-len(prefix) % 2)
    if policy.adcode == "100000" or not site.has("counties"):
        return []
    outside = sum(c.share for c in county_shares(site) if not c.adcode.startswith(prefix))
    own = sum(c.share for c in county_shares(site) if c.adcode.startswith(prefix))
    if outside <= 0.0001:
        return []
    place = policy.place.model_dump()
    return [Message("warning.outside-own-area", {"place": place, "share": round(own, 4)})]
