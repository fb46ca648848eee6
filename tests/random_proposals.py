# mypy: disable-error-code="no-untyped-def,attr-defined,operator,arg-type,union-attr,misc"
"""Random proposals on invented ground, seeded: outlines, farmland, land use, zones, drawn uses, a neighbour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import affinity

from builders import EVERYWHERE, ON, X0, Y0, MemoryLayer, boundary, box, farmland, land_use, register, town
from geoplan.boundary import Proposal
from geoplan.check import Options, check
from geoplan.measure import polygons_of
from geoplan.policy import Policy, PolicyBook
from geoplan.register import Register
from geoplan.repair.answer import Repaired, repair
from geoplan.report import Report

POLICIES = (
    ("state-council-2020",),
    ("nantong-2017",),
    ("liuzhou-2018", "state-council-2020"),
    ("zhejiang-2015", "state-council-2020"),
    ("huzhou-2018", "state-council-2020"),
)
CLASSES = ("0101", "0103", "0301", "0702", "0404", "1001")


@dataclass(frozen=True)
class Case:
    """A proposal with all that it is judged on."""

    planning: shapely.Polygon
    construction: shapely.Polygon
    policies: tuple[str, ...]
    layers: tuple[MemoryLayer, ...]
    towns: Register | None
    own: tuple[Policy, ...] = ()

    @property
    def proposal(self) -> Proposal:
        return Proposal(boundary(self.planning), boundary(self.construction), "试验小镇")

    def judge(self, proposal: Proposal) -> Report:
        options = Options(on=ON, turns=False)
        return check(proposal, self.policies, self.layers, self.towns, options, PolicyBook(self.own))

    def repaired(self, proposal: Proposal | None = None, **options) -> Repaired:
        its = proposal or self.proposal
        book = PolicyBook(self.own)
        return repair(its, self.policies, self.layers, self.towns, Options(on=ON), book, self.judge, **options)


def outline(rng: np.random.Generator, x: float, y: float, area: float, corners: int = 9) -> shapely.Polygon:
    """A star-shaped outline of an area round a point of the test site, vertices on the millimetre."""
    while True:
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius = rng.uniform(0.6, 1.4, corners)
        shape = shapely.Polygon(np.column_stack((X0 + x + radius * np.cos(angle), Y0 + y + radius * np.sin(angle))))
        if shape.is_valid and shape.area > 0.3:
            break
    scaled = affinity.scale(shape, (area / shape.area) ** 0.5, (area / shape.area) ** 0.5, origin=(X0 + x, Y0 + y))
    return shapely.transform(scaled, lambda xy: np.round(xy, 3))


def construction_within(
    planning: shapely.Polygon, rng: np.random.Generator, area: tuple[float, float] = (0.3e6, 1.6e6)
) -> shapely.Polygon:
    """A construction area drawn round a point of planning and cut to it; drawn anew while the two do not meet."""
    while True:
        part = _largest(_round_a_point_of(planning, rng, area).intersection(planning))
        if part is not None:
            return part


def _round_a_point_of(
    planning: shapely.Polygon, rng: np.random.Generator, area: tuple[float, float]
) -> shapely.Polygon:
    """An outline of seven corners; the point may lie outside it, so it need not meet planning."""
    middle = planning.representative_point()
    return outline(rng, middle.x - X0, middle.y - Y0, rng.uniform(*area), 7)


def _largest(shape: shapely.Geometry) -> shapely.Polygon | None:
    """The largest polygon of a shape; none where it has no area."""
    return max(polygons_of(shape).geoms, key=lambda p: p.area, default=None)


def _spot(rng: np.random.Generator, reach: float) -> tuple[float, float]:
    """A point within a square round the test site."""
    x, y = rng.uniform(-reach, reach, 2).tolist()
    return x, y


def case(seed: int) -> Case:
    """The case of a seed."""
    rng = np.random.default_rng(seed)
    planning = outline(rng, 0, 0, rng.uniform(0.7e6, 6.5e6))
    construction = _round_a_point_of(planning, rng, (0.3e6, 1.6e6))
    if rng.random() < 0.7:
        construction = _largest(construction.intersection(planning)) or construction_within(planning, rng)
    radius = (planning.area / np.pi) ** 0.5
    layers = [_fields(rng, radius)]
    if rng.random() < 0.8:
        layers.append(_squares(rng, radius))
    policies = POLICIES[int(rng.integers(len(POLICIES)))]
    if rng.random() < 0.5:
        zone = outline(rng, *_spot(rng, 0.3 * radius), rng.uniform(1.2, 4) * construction.area, 8)
        layers.append(MemoryLayer("urban-development-boundary", [zone], ["010"], ["集中建设区"], covers=EVERYWHERE))
    if rng.random() < 0.3:
        drawn = outline(rng, *_spot(rng, 0.5 * radius), rng.uniform(0.1, 0.6) * planning.area, 8)
        layers.append(MemoryLayer("planned-land-use", [drawn], ["0701"], covers=EVERYWHERE, generation="land-and-sea"))
    towns = None
    if rng.random() < 0.4:
        towns = register(town("邻镇", outline(rng, *_spot(rng, 1.6 * radius), rng.uniform(0.1e6, 1e6))))
    return Case(planning, construction, policies, tuple(layers), towns)


def _fields(rng: np.random.Generator, radius: float) -> MemoryLayer:
    """Basic farmland: a few fields, sometimes a strip right across."""
    shapes = [
        outline(rng, *_spot(rng, 1.3 * radius), rng.uniform(5e3, 2.5e5), int(rng.integers(5, 9)))
        for _ in range(int(rng.integers(0, 6)))
    ]
    if rng.random() < 0.3:
        shapes.append(box(-3 * radius, rng.uniform(-0.6, 0.6) * radius, 6 * radius, rng.uniform(8, 60)))
    parts = [p for p in shapely.get_parts(shapely.union_all(np.array(shapes, dtype=object))) if p.area > 0]
    return farmland(*(parts or [box(-9000, -9000, 1, 1)]))


def _squares(rng: np.random.Generator, radius: float) -> MemoryLayer:
    """Land use in squares."""
    size = rng.uniform(120, 300)
    count = int(4 * radius / size) + 2
    codes = rng.choice(CLASSES, (count, count))
    return land_use(
        [
            (str(codes[i, j]), box(-2 * radius + i * size, -2 * radius + j * size, size, size))
            for i in range(count)
            for j in range(count)
        ]
    )
