"""From criteria and policies to constraints on a grid: what each of them excludes, and what it does not know."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import shapely

from geoplan.errors import CallRefused
from geoplan.measure import polygons_of
from geoplan.messages import Message
from geoplan.policy import ALWAYS, Policy, PolicyBook
from geoplan.policy.rule import ExclusionRule, SeparationRule, WithinRule
from geoplan.prohibition import Prohibition
from geoplan.search.constraint import Approval, Constraint, Land, Local, Raster, Rule
from geoplan.search.criteria import ConstraintCriterion, Criteria, LocalRule
from geoplan.search.sources import Sources
from geoplan.site import Site
from geoplan.verdict import breach

Part = Literal["planning", "construction"]
NEVER = frozenset({"permanent-basic-farmland", "ecological-redline"})
"""Layers over which no approved site wins."""
_PLACES = frozenset({"exclusion", "within", "separation", "overlap"})


@dataclass(frozen=True)
class Reason:
    """A constraint with what people are told of it.

    Parameters
    ----------
    constraint
        On the grid.
    part
        The part of a candidate that it keeps off.
    title
        What it is, in words.
    source
        ``criteria`` or ``POLICY.RULE``.
    layers
        Roles that it rests on.
    exact
        Its ground within a window of the plane, as polygons; none where only its cells are known (rasters).
    assumed
        Whether where its layers know the ground is assumed.
    """

    constraint: Constraint
    part: Part
    title: Message
    source: str
    layers: tuple[str, ...]
    exact: Callable[[shapely.Polygon], shapely.MultiPolygon] | None
    assumed: bool = False


def of_policies(
    policies: Sequence[Policy], rules: Sequence[Prohibition], skip: Sequence[str], sources: Sources
) -> list[Reason]:
    """What the hard rules of policies exclude on the ground.

    A rule that excludes the construction area only through its layer (basic farmland, the redline) keeps the whole
    planning area off it: a candidate that needs no excuse. A rule on zones binds the part that it names.

    Raises
    ------
    CallRefused
        ``skip`` names a rule that the policies do not have.
    """
    unknown = sorted(set(skip) - {rule.id for rule in rules})
    if unknown:
        raise CallRefused("search-skip-unknown", rules=unknown, known=sorted({rule.id for rule in rules}))
    window = sources.around(0.0)
    titles = {f"{policy.id}.{rule.id}": rule.title.model_dump() for policy in policies for rule in policy.rules}
    found: list[tuple[str, Reason]] = []
    for rule in rules:
        if rule.id in skip or not rule.is_hard or rule.kind not in _PLACES or not rule.has_ground:
            continue
        if rule.kind == "exclusion" and rule.part == "rest":
            continue  # its layer is excluded already, whatever is drawn on it
        found.append((rule.kind, _of_rule(rule, titles[rule.id], sources, window)))
    return _without_twins(found)


def require_layers(policies: Sequence[Policy], site: Site, on: date, book: PolicyBook, skip: Sequence[str]) -> None:
    """Refuse a search whose policies exclude ground by layers, or by towns, that were not given.

    Raises
    ------
    CallRefused
        The rules and the layers that they want.
    """
    rules: list[str] = []
    roles: list[str] = []
    for policy in policies:
        for rule in policy.rules:
            name = f"{policy.id}.{rule.id}"
            idle = policy.id == ALWAYS and not site.in_china
            if idle or name in skip or breach(rule.strength) != "fail" or not book.decides(policy, rule, on):
                continue
            wanted = _wanted(rule, site)
            if wanted:
                rules.append(name)
                roles.append(wanted)
    if rules:
        raise CallRefused("search-rules-missing-layers", rules=rules, roles=list(dict.fromkeys(roles)))


def _wanted(rule: object, site: Site) -> str | None:
    """The layer that a rule wants and that is not there."""
    if isinstance(rule, ExclusionRule) and not rule.planned:
        return None if site.has(rule.layer) else rule.layer
    if isinstance(rule, WithinRule):
        return None if site.has(rule.layer) or (rule.stand_in and site.has(rule.stand_in)) else rule.layer
    if isinstance(rule, SeparationRule):
        return None if site.register is not None else "towns"
    return None


def _of_rule(rule: Prohibition, title: dict[str, str], sources: Sources, window: shapely.Polygon) -> Reason:
    ground = rule.ground(window)
    forbidden: shapely.Geometry = ground.forbidden
    if rule.kind == "separation":
        # Far enough that the distance is firm: its error is twice the accuracy of lines.
        forbidden = shapely.buffer(forbidden, 2 * sources.site.accuracy + 0.01)
    unknown = ground.unknown if rule.unknown_forbids else shapely.MultiPolygon()
    coverage = None if shapely.is_empty(unknown) else polygons_of(shapely.difference(window, unknown))
    part: Part = "construction" if rule.part == "construction" and rule.kind != "exclusion" else "planning"
    name = rule.id.replace(".", ":") + (":town" if rule.kind == "overlap" else "")
    # A town's neighbourhood is excluded to the last cell that it touches; ground of polygons by its share of a cell.
    share = 0.0 if rule.kind in ("separation", "overlap") else 0.5

    return Reason(
        Constraint(name, Land.of([forbidden], coverage), Rule(share=share), absolute=bool(NEVER & {*rule.layers})),
        part,
        Message(f"search.reason.{rule.kind}", {"title": title, "policy": rule.policy}),
        rule.id,
        rule.layers,
        _pieces(np.array([forbidden, unknown], dtype=object)),
        any(sources.is_assumed(role) for role in rule.layers if role != "towns"),
    )


def _pieces(ground: np.ndarray) -> Callable[[shapely.Polygon], shapely.MultiPolygon]:
    """The polygons of some ground that touch a window, looked up by an index."""
    parts = shapely.get_parts(ground)
    tree = shapely.STRtree(parts)

    def near(window: shapely.Polygon) -> shapely.MultiPolygon:
        return polygons_of(shapely.union_all(parts[np.sort(tree.query(window, predicate="intersects"))]))

    return near


def _without_twins(found: Sequence[tuple[str, Reason]]) -> list[Reason]:
    """One reason for several rules of one kind over one layer and part: their grounds are the same."""
    kept: dict[tuple[object, ...], Reason] = {}
    for kind, reason in found:
        alike = kind in ("exclusion", "overlap", "separation")
        key = (kind, reason.part, reason.layers, _size(reason)) if alike else (kind, reason.constraint.id)
        kept.setdefault(key, reason)
    return list(kept.values())


def _size(reason: Reason) -> float:
    assert isinstance(reason.constraint.ground, Land)
    features = reason.constraint.ground.features((-np.inf, -np.inf, np.inf, np.inf))
    return float(np.round(features.xy.sum(), 3)) if len(features) else 0.0


def of_criteria(criteria: Criteria, sources: Sources) -> list[Reason]:
    """What the constraints of a criteria file exclude; they bind the planning area.

    Raises
    ------
    CallRefused
        A layer, raster, register or county that a constraint names was not given.
    """
    least = criteria.spacing.towns_min_m
    kept_off = [ConstraintCriterion(id="spacing-towns", towns=True, distance_m=least)] if least else []
    return [_of_criterion(each, sources) for each in (*criteria.constraints, *kept_off)]


def _of_criterion(criterion: ConstraintCriterion, sources: Sources) -> Reason:
    if criterion.raster is not None:
        return _of_raster(criterion, sources)
    widest = max([criterion.distance_m, *(each.distance_m or 0.0 for each in criterion.local)])
    role = "towns" if criterion.features is None else criterion.features.layer
    if criterion.features is None:
        shapes, coverage = sources.towns(criterion.id), None
    else:
        shapes = sources.patches(criterion.features, widest, criterion.id).shapes
        coverage = sources.known(role, widest)
    outside = criterion.side == "outside"
    rule = Rule(distance=criterion.distance_m, share=criterion.share)
    local = tuple(
        Local(sources.counties(each.counties, criterion.id), _local_rule(rule, each)) for each in criterion.local
    )
    ground = Land.of(shapes, coverage, outside=outside)
    constraint = Constraint(criterion.id, ground, rule, local, criterion.absolute or role in NEVER)

    def exact(near: shapely.Polygon) -> shapely.MultiPolygon:
        return _exact(shapes, coverage, constraint, near)

    return Reason(
        constraint,
        "planning",
        _title(criterion),
        "criteria",
        (role,),
        exact,
        role != "towns" and sources.is_assumed(role),
    )


def _exact(
    shapes: np.ndarray, coverage: shapely.Geometry | None, constraint: Constraint, near: shapely.Polygon
) -> shapely.MultiPolygon:
    """The ground of a vector constraint near a window: every rule of it in its own area."""
    assert isinstance(constraint.ground, Land)
    taken: list[shapely.Geometry] = []
    elsewhere: shapely.Geometry = near
    for local in constraint.local:
        taken.append(shapely.intersection(_widened(shapes, local.rule.distance, near), local.area))
        elsewhere = shapely.difference(elsewhere, local.area)
    taken.append(shapely.intersection(_widened(shapes, constraint.rule.distance, near), elsewhere))
    ground = shapely.intersection(shapely.union_all(np.array(taken, dtype=object)), near)
    if constraint.ground.outside:
        ground = shapely.difference(near, ground)
    if coverage is not None:
        widest = max([constraint.rule.distance, *(each.rule.distance for each in constraint.local)])
        unknown = shapely.difference(near, coverage)
        ground = shapely.union(ground, shapely.buffer(unknown, widest, quad_segs=16) if widest else unknown)
    return polygons_of(shapely.intersection(ground, near))


def _widened(shapes: np.ndarray, distance: float, near: shapely.Polygon) -> shapely.Geometry:
    """Features near a window with a distance round them; circles lie outside the true ones, by 0.1 % at most."""
    west, south, east, north = shapely.bounds(near)
    reach = shapely.box(west - distance, south - distance, east + distance, north + distance)
    some = shapes[shapely.intersects(shapes, reach)] if len(shapes) else shapes
    # Ground that no polygon covers is line or point: a metre of it at least, so that it can be cut out at all.
    radius = distance / math.cos(math.pi / 64) if distance else 0.0
    flat = shapely.get_dimensions(some) < 2
    some = some.copy()
    some[flat] = shapely.buffer(some[flat], max(radius, 0.5), quad_segs=16)
    some[~flat] = shapely.buffer(some[~flat], radius, quad_segs=16) if radius else some[~flat]
    return shapely.union_all(some)


def _of_raster(criterion: ConstraintCriterion, sources: Sources) -> Reason:
    assert criterion.raster is not None
    values = Raster(sources.raster(criterion.raster, criterion.id))
    rule = _raster_rule(criterion, criterion.above, criterion.below, criterion.distance_m)
    local = tuple(
        Local(
            sources.counties(each.counties, criterion.id),
            _raster_rule(
                criterion,
                criterion.above if each.above is None else each.above,
                criterion.below if each.below is None else each.below,
                criterion.distance_m if each.distance_m is None else each.distance_m,
            ),
        )
        for each in criterion.local
    )
    constraint = Constraint(criterion.id, values, rule, local, criterion.absolute)
    return Reason(constraint, "planning", _title(criterion), "criteria", (criterion.raster,), None)


def _raster_rule(criterion: ConstraintCriterion, above: float | None, below: float | None, distance: float) -> Rule:
    if criterion.values:
        return Rule(distance=distance, classes=frozenset(criterion.values))
    low = -math.inf if above is None else math.nextafter(above, math.inf)
    high = math.inf if below is None else math.nextafter(below, -math.inf)
    return Rule(distance=distance, low=low, high=high)


def _local_rule(rule: Rule, local: LocalRule) -> Rule:
    return rule if local.distance_m is None else Rule(distance=local.distance_m, share=rule.share)


def _title(criterion: ConstraintCriterion) -> Message:
    if criterion.title:
        return Message("search.reason.titled", {"title": criterion.title.model_dump()})
    return Message("search.reason.criterion", {"id": criterion.id})


def approvals(criteria: Criteria, sources: Sources) -> list[Approval]:
    """The approved sites of a criteria file.

    Raises
    ------
    CallRefused
        Their layer was not given.
    """
    found = []
    for each in criteria.approved:
        shapes = sources.patches(each.features, 0.0, "approved").shapes
        if len(shapes):
            found.append(Approval(shapely.union_all(shapes), frozenset(each.over)))
    return found
