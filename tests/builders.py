# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Small builders: boundaries, layers, towns and checks on the plane around a place, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Boundary, Proposal, Source
from geoplan.check import Options, check
from geoplan.crs import Frame, recognise
from geoplan.facts import Facts
from geoplan.landuse import Generation
from geoplan.layer import Patches
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan.policy import Policy, PolicyBook
from geoplan.register import Register, Town
from geoplan.report import FindingRecord, Report

ON = date(2026, 11, 21)
PLACES = {"huzhou": (120.1, 30.87), "nantong": (120.86, 32.01), "qidong": (121.65, 31.81), "liuzhou": (109.41, 24.32)}
HUZHOU = Plane(120)
EPSG_4549 = recognise(4549)
assert EPSG_4549 is not None
FRAME: Frame = EPSG_4549
X0, Y0 = 510_000.0, 3_416_000.0
"""South-west corner of the usual test site, EPSG:4549, near Huzhou."""


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    """A rectangle by its south-west corner relative to the test site, metres."""
    return shapely.box(X0 + x, Y0 + y, X0 + x + width, Y0 + y + height)


def boundary(*shapes: shapely.Geometry, frame: Frame = FRAME, name: str | None = None) -> Boundary:
    """A boundary of polygons in a frame."""
    parts = [p for shape in shapes for p in shapely.get_parts(shape)]
    return Boundary(shapely.MultiPolygon(parts), frame, Source("boundary.shp", "0" * 64), name=name)


@dataclass(frozen=True)
class MemoryLayer:
    """A layer held in memory, in any frame; satisfies the protocol of the domain."""

    role: str
    shapes: Sequence[shapely.Geometry]
    codes: Sequence[str] = ()
    names: Sequence[str] = ()
    ridges: Sequence[float] = ()
    covers: shapely.Geometry | None = None
    generation: Generation | None = "third-survey"
    coded: bool = True
    invented: bool = False
    frame: Frame = FRAME
    day: date | None = date(2025, 12, 31)
    valid_until: date | None = None
    source: Source = field(default=Source("layer.gpkg", "1" * 64))
    notes: tuple[Message, ...] = ()
    coverage_source: Source | None = None
    crs: str = "EPSG:4549"
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def within(self, window: shapely.Polygon, plane: Plane) -> Patches:
        shapes = plane.bring(np.array(self.shapes, dtype=object), self.frame, anywhere=True)
        count = len(shapes)
        patches = Patches(
            shapes,
            np.array([f"P{i:03d}" for i in range(count)], dtype=object),
            np.array(list(self.codes) or [""] * count, dtype=object),
            np.array(list(self.names) or [""] * count, dtype=object),
            1.0 - np.array(list(self.ridges) or [0.0] * count, dtype=float),
            {name: np.array(list(texts), dtype=object) for name, texts in self.attributes.items()},
        )
        return patches.take(np.flatnonzero(shapely.intersects(window, shapes)))

    def declared(self, plane: Plane) -> shapely.Geometry | None:
        return None if self.covers is None else plane.bring(self.covers, self.frame, anywhere=True)

    def extent(self, plane: Plane) -> shapely.Geometry:
        return plane.bring(
            shapely.box(*shapely.total_bounds(np.array(self.shapes, dtype=object))), self.frame, anywhere=True
        )


EVERYWHERE = box(-20_000, -20_000, 40_000, 40_000)


def farmland(*shapes: shapely.Geometry, covers: shapely.Geometry | None = EVERYWHERE, **more: Any) -> MemoryLayer:
    """Permanent basic farmland."""
    return MemoryLayer("permanent-basic-farmland", shapes, ["0101"] * len(shapes), covers=covers, **more)


def land_use(
    pairs: Sequence[tuple[str, shapely.Geometry]], covers: shapely.Geometry | None = EVERYWHERE, **more: Any
) -> MemoryLayer:
    """Land use by class code."""
    return MemoryLayer("land-use", [s for _, s in pairs], [c for c, _ in pairs], covers=covers, **more)


def town(name: str, shape: shapely.Geometry, **more: Any) -> Town:
    """A town of the register."""
    return Town(id=more.pop("id", None), name=name, shape=shape, stage=more.pop("stage", "named"), **more)


def register(*towns: Town) -> Register:
    """A register in the frame of the test site."""
    return Register(towns, FRAME, Source("towns.gpkg", "2" * 64))


def checked(
    planning: shapely.Geometry,
    construction: shapely.Geometry | None = None,
    policies: tuple[str, ...] = (),
    layers: Sequence[MemoryLayer] = (),
    towns: Register | None = None,
    facts: Facts | None = None,
    own: tuple[Policy, ...] = (),
    **options: Any,
) -> Report:
    """A check of shapes on the test site."""
    frame = options.pop("frame", FRAME)
    proposal = Proposal(
        boundary(planning, frame=frame),
        boundary(construction, frame=frame) if construction is not None else None,
        options.pop("name", "试验小镇"),
        facts or Facts(),
    )
    choice = Options(**{"on": ON, **options})
    return check(proposal, policies, layers, towns, choice, PolicyBook(own))


def finding(report: Report, policy: str, rule: str) -> FindingRecord:
    """One finding of a report."""
    record = next(p for p in report.content.policies if p.id == policy)
    return next(f for f in record.findings if f.rule == rule)


def square(area_m2: float, x: float = 0.0, y: float = 0.0) -> shapely.Polygon:
    """A square of a planar area at the test site."""
    side = area_m2**0.5
    return box(x, y, side, side)


def policy_text(
    rules: str,
    clauses: str = '[clauses.c]\nat = "一"\nquote = "相距不小于500米，不超过3平方公里，占比不低于30%。"\ntrust = "A"\n',
) -> str:
    """A small policy of an office's own."""
    head = (
        'schema = "geoplan/policy/1"\nid = "office"\nadcode = "330500"\nplace = { zh = "某地", en = "somewhere" }\n'
        '[document]\ntitle = "某办公室规定"\nstatus = "in-force"\n'
    )
    return head + clauses + rules


def answers_of(report: Report) -> Mapping[str, str]:
    """Verdict of every spatial finding, by ``policy.rule``."""
    return {f"{p.id}.{f.rule}": f.verdict for p in report.content.policies for f in p.findings if f.group == "spatial"}
