"""One way from a scene (how fields, villages, rivers and hills lie) to a finished land-use coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geoplan_layers.demo.cells import Cell, Division, Grain, Leaf, divide, in_lengths
from geoplan_layers.demo.classes import CULTIVATED, LANES
from geoplan_layers.demo.mesh import Part, Patch, absorb, bent, coverage
from geoplan_layers.demo.noise import Warp
from geoplan_layers.demo.villages import Village, built, settle

CRUMB = 200.0  # m²; what is smaller goes to any neighbour
UseOf = Callable[[Leaf], str]


@dataclass(frozen=True)
class Scene:
    """How one area is drawn; all sizes in metres, in design coordinates from its south-west corner.

    ``origin`` (m) is where that corner lies on the working plane. ``uses`` makes the rule that gives a field its
    class, ``over`` draws what lies on top of the fields, ``warp`` bends everything. ``ease`` (m) thins vertices.
    """

    seed: int
    width: float
    height: float
    origin: tuple[int, int]
    grain: Grain
    uses: Callable[[np.random.Generator], UseOf]
    garden: Callable[[np.random.Generator], str]
    habitable: Callable[[float, float], bool]
    apart: float
    over: Callable[[np.random.Generator], list[Part]]
    warp: Callable[[np.random.Generator], Warp]
    ease: float


@dataclass(frozen=True)
class Landscape:
    """A finished coverage on the working plane (m, 1 mm grid) and the warp that bent it."""

    patches: list[Patch]
    bend: Warp
    origin: tuple[int, int]


def drawn(scene: Scene) -> Landscape:
    """The land-use coverage of a scene; the same for the same scene on every machine."""
    rng = np.random.Generator(np.random.PCG64(scene.seed))
    division = divide(rng, Cell(0.0, 0.0, scene.width, scene.height), scene.grain)
    villages = settle(rng, division.strips, scene.habitable, scene.apart, (70.0, 190.0))
    ground = _fields(rng, scene, division, villages)
    strips = in_lengths(division.strips, division.leaves, 900.0)
    ground += [Part(strip.cell.polygon(), strip.use, f"strip {i}", strip.unit) for i, strip in enumerate(strips)]
    patches = coverage(scene.over(rng), ground)
    warp = scene.warp(rng)
    patches = absorb(patches, _small, _takes)
    patches = absorb(patches, lambda patch: patch.shape.area < CRUMB, lambda _large, _small: True)
    return Landscape(bent(patches, warp, 45.0, scene.ease, scene.origin), warp, scene.origin)


def _fields(rng: np.random.Generator, scene: Scene, division: Division, villages: list[Village]) -> list[Part]:
    use = scene.uses(rng)
    parts: list[Part] = []
    for leaf in division.leaves:
        housed = built(rng, leaf, villages, use, scene.garden)
        parts += _field(leaf, use(leaf)) if housed is None else housed
    return parts


def _field(leaf: Leaf, use: str) -> list[Part]:
    name = f"{leaf.cell.x0:.1f}/{leaf.cell.y0:.1f}"
    whole = Part(leaf.cell.polygon(), use, name, leaf.unit, leaf.block)
    if use != "1104" or min(leaf.cell.width, leaf.cell.height) < 45.0:
        return [whole]
    dyke = Part(leaf.cell.polygon(), "0204", f"dyke {leaf.block}", leaf.unit, leaf.block)
    return [Part(leaf.cell.polygon(4.5), "1104", name, leaf.unit, leaf.block), dyke]


def _small(patch: Patch) -> bool:
    """Below what a survey would map, or a thread that is neither road nor water."""
    if patch.use in LANES:
        return patch.shape.area < 200.0
    least = 1200.0 if patch.use in CULTIVATED else 2600.0
    return patch.shape.area < least or patch.shape.area < 4.0 * patch.shape.length


def _takes(large: Patch, small: Patch) -> bool:
    return large.unit == small.unit and (large.use not in LANES or small.use in LANES) and large.use != "1102"
