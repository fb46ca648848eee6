"""The ground that rules forbid near a window of the plane, worked out from layers and the register of towns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely

from geoplan.landuse import groups
from geoplan.layer import Objects, Patches
from geoplan.measure import polygons_of
from geoplan.plane import FALSE_EASTING
from geoplan.policy.rule import ClassAreaRule, ExclusionRule, ProximityRule, WithinRule
from geoplan.rules.exclusion import breaks
from geoplan.rules.planned import PLANNED
from geoplan.rules.size import counts
from geoplan.rules.within import zone_verdict
from geoplan.site import Site

SEGMENTS = 64
"""Segments of a quarter circle in buffers by a distance."""
_EARTH = 6_371_000.0
_SNAP = 1e-4


@dataclass(frozen=True, slots=True)
class Ground:
    """Ground of the plane, as polygons.

    ``forbidden`` breaks the rule; ``unknown`` is not known, so nobody may take it as free; ``cautioned`` asks for
    attention and forbids nothing.
    """

    forbidden: shapely.MultiPolygon = field(default_factory=shapely.MultiPolygon)
    unknown: shapely.MultiPolygon = field(default_factory=shapely.MultiPolygon)
    cautioned: shapely.MultiPolygon = field(default_factory=shapely.MultiPolygon)


def union(shapes: Objects) -> shapely.MultiPolygon:
    """The polygons of many shapes as one; what is no polygon counts nothing."""
    try:
        return polygons_of(shapely.union_all(shapes))
    except shapely.errors.GEOSException:
        return polygons_of(
            shapely.union_all(np.array([_sound(each) for each in shapes], dtype=object), grid_size=_SNAP)
        )


def less(shape: shapely.Geometry, taken: shapely.Geometry) -> shapely.MultiPolygon:
    """A shape without another, as polygons."""
    return _overlaid(shapely.difference, shape, taken)


def shared(a: shapely.Geometry, b: shapely.Geometry) -> shapely.MultiPolygon:
    """What two shapes share, as polygons."""
    return _overlaid(shapely.intersection, a, b)


def _sound(shape: shapely.Geometry) -> shapely.MultiPolygon:
    return polygons_of(shapely.make_valid(polygons_of(shape)))


def _overlaid(
    operation: Callable[..., shapely.Geometry], a: shapely.Geometry, b: shapely.Geometry
) -> shapely.MultiPolygon:
    """An overlay; of lines so nearly the same that GEOS finds no consistent one, that on a grid of a tenth of a mm."""
    try:
        return polygons_of(operation(a, b))
    except shapely.errors.GEOSException:
        return polygons_of(operation(_sound(a), _sound(b), grid_size=_SNAP))


def _near(site: Site, role: str, window: shapely.Polygon) -> Patches:
    """Patches of a role in a window: those at hand where it lies in the site's own."""
    return site.patches(role) if shapely.covers(site.window, window) else site.near(role, window)


def layer_ground(role: str, site: Site, window: shapely.Polygon) -> Ground:
    """Every patch of a layer."""
    unknown = polygons_of(site.known_in(role, window).uncovered)
    return Ground(shared(union(_near(site, role, window).shapes), window), unknown)


def under_drawn_uses(rule: ExclusionRule, site: Site, window: shapely.Polygon) -> Ground:
    """Ground of the layer with a drawn use that breaks the rule."""
    generation = site.generation(PLANNED)
    uses = _near(site, PLANNED, window)
    wanted = np.array([_is_barred(rule, groups(str(code), generation)) for code in uses.codes], dtype=bool)
    layer = union(_near(site, rule.layer, window).shapes)
    return Ground(shared(shared(layer, union(uses.shapes[wanted])), window))


def _is_barred(rule: ExclusionRule, use: frozenset[str]) -> bool:
    return bool(use & set(rule.planned)) if rule.planned else breaks(rule, use)


def outside_zones(rule: WithinRule, role: str, site: Site, window: shapely.Polygon) -> Ground:
    """What lies in no allowed zone of the layer; for new construction land, existing land is not barred by zones."""
    if rule.zones:
        site.require_codes(role)
    patches = _near(site, role, window)
    verdicts = np.array(
        [zone_verdict(rule, str(code), str(name)) for code, name in zip(patches.codes, patches.names, strict=True)],
        dtype=object,
    )
    zones = {each: union(patches.shapes[verdicts == each]) for each in ("attention", "fail", "unknown")}
    outside = less(window, union(patches.shapes))
    unknown = site.known_in(role, outside).uncovered
    outside = less(outside, unknown)
    stock = _stock(rule, site, window)
    barred = less(zones["fail"], stock)
    cautioned = less(zones["attention"], stock)
    if rule.stock_outside:
        cautioned = union(np.array([cautioned, shared(outside, stock)], dtype=object))
        outside = less(outside, stock)
    forbidden = union(np.array([barred, outside], dtype=object))
    return Ground(
        shared(forbidden, window),
        shared(union(np.array([unknown, zones["unknown"]], dtype=object)), window),
        shared(cautioned, window),
    )


def _stock(rule: WithinRule, site: Site, window: shapely.Polygon) -> shapely.MultiPolygon:
    """Existing construction land, where the rule judges new construction land only."""
    if rule.of != "new-construction" or not site.has("land-use"):
        return shapely.MultiPolygon()
    return construction_stock(site, window)


def construction_stock(site: Site, window: shapely.Polygon) -> shapely.MultiPolygon:
    """Existing construction land of the land-use layer in a window."""
    return union(_near(site, "land-use", window).of(("construction",), site.generation("land-use")).shapes)


def near_towns(site: Site, distance: float, window: shapely.Polygon) -> Ground:
    """Ground nearer than ``distance`` metres to a live town other than the proposal; with 0 the towns themselves."""
    reach = shapely.box(*(np.array(shapely.bounds(window)) + distance * 1.001 * np.array([-1, -1, 1, 1])))
    towns = [each.shape for each in site.neighbours if shapely.intersects(each.shape, reach)]
    shapes = np.array(towns, dtype=object)
    if distance:
        shapes = away_from(shapes, distance, window)
    return Ground(shared(union(shapes), window))


def near_features(rule: ProximityRule, site: Site, distance: float, window: shapely.Polygon) -> Ground:
    """Ground nearer than ``distance`` metres to a feature of the layer, or to ground that may hold one."""
    low_x, low_y, high_x, high_y = shapely.bounds(window)
    margin = distance * 1.001
    reach = shapely.box(low_x - margin, low_y - margin, high_x + margin, high_y + margin)
    patches = _near(site, rule.layer, reach)
    if rule.classes:
        patches = patches.of(rule.classes, site.generation(rule.layer))
    unknown = site.known_in(rule.layer, reach).uncovered
    doubtful = away_from(np.array([unknown], dtype=object), distance, window)
    near = away_from(patches.shapes, distance, window)
    return Ground(shared(union(near), window), shared(union(doubtful), window))


def away_from(shapes: Objects, distance: float, window: shapely.Polygon) -> Objects:
    """Buffers that hold every point nearer than ``distance`` metres, measured by the geodesic, to the shapes.

    A polygonal circle lies inside the true one, and lengths on the plane are longer than geodesics away from its
    central meridian: the radius makes up for both, at most 0.1 %.
    """
    low_x, _, high_x, _ = shapely.bounds(window)
    off = max(abs(low_x - FALSE_EASTING), abs(high_x - FALSE_EASTING)) + distance
    radius = distance * (1 + (off / _EARTH) ** 2 / 2) / np.cos(np.pi / (4 * SEGMENTS))
    return np.asarray(shapely.buffer(shapes, radius, quad_segs=SEGMENTS), dtype=object)


def class_ground(rule: ClassAreaRule, site: Site, window: shapely.Polygon) -> Ground:
    """The land that a rule counts, without what lies on the layer that it sets apart."""
    generation = site.generation(rule.layer)
    patches: Patches = _near(site, rule.layer, window)
    counted = np.array([counts(rule, groups(str(code), generation)) for code in patches.codes], dtype=bool)
    land = union(patches.shapes[counted])
    if rule.outside and site.has(rule.outside):
        land = less(land, union(_near(site, rule.outside, window).shapes))
    return Ground(shared(land, window))
