"""The four towns: where their boundaries are sketched, and how the land is made to fit what each is to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geoplan_layers.demo.classes import LANES, is_built, is_farmed
from geoplan_layers.demo.landscape import Landscape
from geoplan_layers.demo.mesh import Patch
from geoplan_layers.demo.outlines import Sketch, outlined, placed

Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Draft:
    """A town before it is drawn: rough rings in design coordinates (m) and the areas wanted (m²)."""

    key: str
    zone: int
    planning: Ring
    planning_area: float
    construction: Ring
    construction_area: float


@dataclass(frozen=True)
class Town:
    """A drawn town: its boundaries on the working plane of its area (m) and the zone that they are handed in."""

    key: str
    zone: int
    planning: Polygon
    construction: Polygon


SILK = Draft(
    "huzhou-silk",
    40,
    [
        (1330, 4900),
        (2100, 4760),
        (2950, 4850),
        (3000, 5600),
        (3020, 6500),
        (2900, 7150),
        (2150, 7200),
        (1950, 6450),
        (1330, 6400),
    ],
    2_970_000.0,
    [(1360, 5000), (2250, 4950), (2300, 5600), (2250, 6080), (1360, 6080)],
    975_000.0,
)
GEAR = Draft(
    "huzhou-gear",
    40,
    [(5910, 1600), (6860, 1350), (7760, 1500), (8010, 2400), (7910, 3150), (6960, 3420), (6010, 3300), (5760, 2500)],
    3_900_000.0,
    [(6500, 1950), (7500, 1850), (7850, 2300), (7700, 2850), (6900, 3000), (6450, 2700)],
    1_250_000.0,
)
TEA = Draft(
    "liuzhou-tea",
    36,
    [(1500, 1100), (2700, 850), (3600, 1000), (3720, 1900), (3620, 2700), (2700, 2800), (1820, 2760), (1560, 1900)],
    3_420_000.0,
    [(2620, 1400), (3440, 1400), (3560, 1900), (3460, 2400), (2700, 2420)],
    950_000.0,
)
ROCK = Draft(
    "liuzhou-rock",
    37,
    [(2450, 6200), (3300, 6150), (4150, 6400), (4250, 7100), (4100, 7850), (3200, 8000), (2500, 7750)],
    2_950_000.0,
    [(2700, 6650), (3500, 6600), (3800, 7000), (3600, 7500), (2750, 7500)],
    950_000.0,
)


def town(land: Landscape, draft: Draft) -> Town:
    """Draw a town's two boundaries; construction lies at least 8 m inside planning."""
    planning = outlined(land.patches, Sketch(placed(draft.planning, land.bend, land.origin), draft.planning_area))
    rough = placed(draft.construction, land.bend, land.origin)
    construction = outlined(land.patches, Sketch(rough, draft.construction_area, planning))
    return Town(draft.key, draft.zone, planning, construction)


def without_farmland(patches: list[Patch], area: Polygon) -> list[Patch]:
    """No cultivated land, and none that can be turned back (K), touches ``area``."""
    instead = {"0101": "0404", "0102": "1206", "0103": "0204", "0201K": "0201"}
    return [
        replace(patch, use=instead[patch.use]) if patch.use in instead and patch.shape.intersects(area) else patch
        for patch in patches
    ]


def with_little_farmland(patches: list[Patch], area: Polygon, most: float) -> list[Patch]:
    """Cultivated land inside ``area`` stays below ``most`` m²; what is over becomes orchard."""
    found, left = list(patches), most
    for index, inside in _overlaps(patches, area, lambda use: is_farmed(use) or use.endswith("K")):
        if inside > left or patches[index].use.endswith("K"):
            found[index] = replace(patches[index], use="0201")
        else:
            left -= inside
    return found


def with_workshops(patches: list[Patch], area: Polygon, least: float) -> list[Patch]:
    """At least ``least`` m² of existing construction land inside ``area``: workshops grow next to the built land."""
    built = [(index, inside) for index, inside in _overlaps(patches, area, is_built)]
    missing = least - sum(inside for _, inside in built)
    quarter = shapely.union_all([patches[index].shape for index, _ in built])
    free = [(i, inside) for i, inside in _overlaps(patches, area, lambda use: not is_built(use) and use not in LANES)]
    found = list(patches)
    for index, inside in sorted(
        free, key=lambda pair: (round(patches[pair[0]].shape.centroid.distance(quarter)), pair[0])
    ):
        if missing <= 0.0:
            break
        found[index] = replace(patches[index], use="0601")
        missing -= inside
    return found


def with_few_buildings(patches: list[Patch], town: Town, most: float) -> list[Patch]:
    """Existing construction land inside planning and outside construction stays below ``most`` m² (roads count)."""
    around = town.planning.difference(town.construction)
    built = list(_overlaps(patches, around, is_built))
    over = sum(inside for _, inside in built) - most
    found = list(patches)
    for index, inside in reversed(built):
        if over <= 0.0:
            break
        if patches[index].use not in LANES and patches[index].shape.intersection(town.construction).area < 1.0:
            found[index] = replace(patches[index], use="0404")
            over -= inside
    return found


def _overlaps(patches: list[Patch], area: BaseGeometry, wanted: Callable[[str], bool]) -> list[tuple[int, float]]:
    """Index and overlap (m²) of the patches of wanted classes that overlap ``area``, smallest overlap first."""
    shapes = np.array([patch.shape for patch in patches], dtype=object)
    inside = shapely.area(shapely.intersection(shapes, area))
    order = [i for i in np.argsort(inside, kind="stable").tolist() if inside[i] > 0.0 and wanted(patches[i].use)]
    return [(i, float(inside[i])) for i in order]


def fitted(land: Landscape, towns: Sequence[Town]) -> list[Patch]:
    """The patches with their classes changed to what the towns are to show."""
    patches = land.patches
    for each in towns:
        if each.key == "huzhou-silk":
            patches = without_farmland(patches, each.construction)
            patches = with_workshops(patches, each.construction, 345_000.0)
            patches = with_few_buildings(patches, each, 55_000.0)
        elif each.key == "liuzhou-tea":
            patches = with_little_farmland(patches, each.construction, 48_000.0)
            patches = with_few_buildings(patches, each, 70_000.0)
        elif each.key == "liuzhou-rock":
            patches = with_few_buildings(patches, each, 80_000.0)
    return patches
