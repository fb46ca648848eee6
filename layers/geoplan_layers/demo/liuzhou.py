"""Area B, near Liuzhou: karst towers over a basin of dry fields, paddies and tea, cut by a wide river.

Design coordinates are metres from the south-west corner of a rectangle of 6,000 m x 9,000 m across 109.5E, near
24.35N; the finished coverage lies in CGCS2000 / 3-degree Gauss-Kruger zone 36 (EPSG:4524, eastings here without
the 36 in front) before it is cut at the border of the zones. Everything is invented.
"""

from __future__ import annotations

import numpy as np
from shapely import Polygon

from geoplan_layers.demo.cells import Grain, Leaf
from geoplan_layers.demo.landscape import Scene
from geoplan_layers.demo.mesh import Part
from geoplan_layers.demo.noise import Amplitude, Field, Warp, Wave, bumps
from geoplan_layers.demo.shapes import blob, hillside, ribbon, shrunk, whole

WIDTH, HEIGHT = 6000.0, 9000.0

RIVER = [
    (-300.0, 5650.0),
    (700.0, 5200.0),
    (1300.0, 4350.0),
    (2300.0, 4150.0),
    (2900.0, 4750.0),
    (3700.0, 5100.0),
    (4500.0, 4600.0),
    (5200.0, 4050.0),
    (6300.0, 4350.0),
]
STREAMS = [
    [(1500.0, -200.0), (1750.0, 700.0), (1350.0, 1500.0), (1900.0, 2400.0), (1700.0, 3300.0), (2050.0, 4150.0)],
    [(4700.0, -200.0), (4450.0, 800.0), (4900.0, 1700.0), (4500.0, 2600.0), (4750.0, 3500.0), (4600.0, 4500.0)],
    [(3600.0, 5100.0), (3350.0, 5900.0), (3800.0, 6700.0), (3300.0, 7500.0), (3600.0, 8400.0), (3400.0, 9200.0)],
    [(700.0, 5200.0), (1100.0, 6000.0), (850.0, 6900.0), (1400.0, 7700.0), (1100.0, 9200.0)],
]
SHOALS = [
    (1190.0, 4790.0, 90.0, 330.0),
    (1700.0, 4340.0, 320.0, 85.0),
    (2960.0, 4640.0, 230.0, 70.0),
    (4180.0, 4760.0, 330.0, 95.0),
]
TEA_HILLS = [(2350.0, 2350.0, 420.0), (3950.0, 1350.0, 380.0), (2450.0, 900.0, 330.0)]


def market(x: float, y: float) -> float:
    """0 in the middle of the southern market town, 1 at its edge."""
    u, v = (x - 3100.0) / 420.0, (y - 1900.0) / 380.0
    return u * u + v * v


def stoneyards(x: float, y: float) -> float:
    """0 in the middle of the northern town of stone workshops, 1 at its edge."""
    u, v = (x - 3150.0) / 430.0, (y - 7050.0) / 360.0
    return u * u + v * v


def slopes(x: float, y: float) -> float:
    """0 to 1 in the ground around the two towns that a plan may take: waste grass, tea, bare soil."""
    return min(
        ((x - 3050.0) / 700.0) ** 2 + ((y - 1850.0) / 640.0) ** 2,
        ((x - 3250.0) / 700.0) ** 2 + ((y - 7050.0) / 600.0) ** 2,
    )


def _leaf_area(x: float, y: float) -> float:
    if min(market(x, y), stoneyards(x, y)) < 1.0:
        return 15_000.0
    return 22_000.0 if slopes(x, y) < 2.0 else 44_000.0


def _strip(rng: np.random.Generator, side: float, x: float, y: float) -> tuple[str, float] | None:
    chance, width = float(rng.random()), float(rng.random())
    if min(market(x, y), stoneyards(x, y)) < 1.0:
        return ("1004", 9.0 + 7.0 * width) if 170.0 < side < 900.0 else None
    if side > 1100.0:
        return "1006", 6.0 + 2.0 * width
    if side > 700.0:
        return ("1006", 4.0 + 2.0 * width) if chance < 0.7 else ("1107", 3.5 + 3.0 * width)
    return None


class _Fields:
    """What grows where: the class of a field outside villages and hills."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._crop = Field(rng, WIDTH, HEIGHT, 560.0)
        self._plot = Field(rng, WIDTH, HEIGHT, 230.0)
        self._rng = rng

    def __call__(self, leaf: Leaf) -> str:
        x, y = leaf.cell.centre
        dice, plot = float(self._rng.random()), self._plot.at(x, y)
        if market(x, y) < 1.0:
            return _street_use(market(x, y), dice)
        if stoneyards(x, y) < 1.0:
            return "0601" if dice < 0.5 else _street_use(stoneyards(x, y), dice * 2.0 - 1.0)
        if slopes(x, y) < 1.0:
            return _slope_use(plot, dice, y < 4500.0)
        return self._farm_use(self._crop.at(x, y), plot, dice)

    @staticmethod
    def _farm_use(crop: float, plot: float, dice: float) -> str:
        if crop > 0.3:
            return "0101" if dice < 0.88 else "1104" if dice < 0.96 else "0102"
        if crop < -0.4:
            return "0201" if plot > -0.05 else "0307" if dice < 0.55 else "0301" if dice < 0.95 else "0201K"
        if dice < 0.03:
            return "1202" if plot > 0.0 else "1104"
        return "0103" if dice < 0.86 else "0102" if dice < 0.92 else "0404"


def _street_use(middle: float, dice: float) -> str:
    if middle < 0.15:
        return "05H1" if dice < 0.5 else "0701" if dice < 0.8 else "08H2"
    return (
        "0701" if dice < 0.5 else "05H1" if dice < 0.62 else "0601" if dice < 0.8 else "0810" if dice < 0.88 else "1206"
    )


def _slope_use(plot: float, dice: float, tea: bool) -> str:
    if plot > 0.2:
        return "0202" if tea else "0404"
    if plot < -0.3:
        return "0301" if dice < 0.5 else "0305"
    return (
        "0404"
        if dice < 0.35
        else "1206"
        if dice < 0.55
        else "0201"
        if dice < 0.75
        else "0103"
        if dice < 0.9
        else "0101"
    )


def _garden(rng: np.random.Generator) -> str:
    return ("0201", "0102", "0103", "0302", "0404", "1202")[int(rng.choice(6, p=[0.3, 0.15, 0.2, 0.2, 0.1, 0.05]))]


def _towers(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Karst towers in loose clusters, off the river and the towns: (x, y, radius) in m."""
    found: list[tuple[float, float, float]] = []
    belt = Field(rng, WIDTH, HEIGHT, 1100.0)
    line = ribbon(RIVER, [520.0, 520.0])
    for _ in range(1500):
        x, y, size = (float(value) for value in rng.random(3) * np.array([WIDTH, HEIGHT, 1.0]))
        radius = 105.0 + 190.0 * size * size
        kept = slopes(x, y) < 2.1 or line.contains(Polygon([(x, y), (x + 1, y), (x, y + 1)]))
        if (
            kept
            or belt.at(x, y) < -0.12
            or any((x - a) ** 2 + (y - b) ** 2 < (0.86 * (r + radius)) ** 2 for a, b, r in found)
        ):
            continue
        found.append((x, y, radius))
    return found


def _tower(rng: np.random.Generator, number: int, x: float, y: float, radius: float) -> list[Part]:
    outline = blob(rng, (x, y), (radius, radius * (0.75 + 0.5 * float(rng.random()))), 0.32)
    top = shrunk(outline, 0.5)
    crown = "1207" if float(rng.random()) < 0.3 else "0305"
    parts = [Part(top, crown, f"crown {number}")] if radius > 150.0 else []
    for i, cell in enumerate(hillside(rng, outline, max(150.0, 0.95 * radius))):
        dice = float(rng.random())
        parts.append(Part(cell, "0305" if dice < 0.62 else "0301", f"tower {number} {i % 3}"))
    return parts


def _over(rng: np.random.Generator) -> list[Part]:
    parts = _roads() + _waters(rng)
    for number, (x, y, radius) in enumerate(_towers(rng)):
        parts += _tower(rng, number, x, y, radius)
    for number, (x, y, radius) in enumerate(TEA_HILLS):
        hill = blob(rng, (x, y), (radius, radius * 0.8), 0.3)
        for i, cell in enumerate(hillside(rng, hill, 150.0)):
            dice = float(rng.random())
            parts.append(Part(cell, "0202" if dice < 0.7 else "0301" if dice < 0.9 else "0404", f"tea {number} {i}"))
    return parts


def _waters(rng: np.random.Generator) -> list[Part]:
    shoals = [Part(blob(rng, (x, y), (a, b), 0.3), "1106", f"shoal {i}") for i, (x, y, a, b) in enumerate(SHOALS)]
    river = ribbon(RIVER, [190.0, 170.0, 230.0, 180.0, 240.0, 190.0, 210.0])
    bank = ribbon(RIVER, [250.0, 215.0, 300.0, 260.0, 320.0, 230.0, 270.0])
    beaches = [Part(whole(part.shape.intersection(bank)), "1106", part.group) for part in shoals]
    return [
        *beaches,
        Part(river, "1101", "river", crosses=True),
        *(
            Part(ribbon(s, [15.0, 11.0, 17.0, 13.0], 70.0), "1101", f"stream {i}", crosses=True)
            for i, s in enumerate(STREAMS)
        ),
        Part(bank, "0302", "bank", crosses=True),
    ]


def _roads() -> list[Part]:
    lines = {
        "highway": (
            [
                (2650.0, -300.0),
                (2600.0, 900.0),
                (2580.0, 1900.0),
                (2350.0, 3200.0),
                (2650.0, 4450.0),
                (2550.0, 5600.0),
                (2620.0, 7100.0),
                (2500.0, 9300.0),
            ],
            20.0,
        ),
        "east road": ([(2580.0, 1900.0), (3600.0, 2080.0), (4600.0, 2400.0), (6300.0, 2200.0)], 14.0),
        "north road": ([(2620.0, 7100.0), (3700.0, 7150.0), (4700.0, 6700.0), (6300.0, 6900.0)], 14.0),
        "west road": ([(-300.0, 1300.0), (900.0, 1500.0), (1800.0, 1250.0), (2600.0, 1300.0)], 12.0),
    }
    rail = [(5500.0, -300.0), (5350.0, 2000.0), (5600.0, 4200.0), (5300.0, 6500.0), (5500.0, 9300.0)]
    parts = [
        Part(ribbon(line, [width, width], 100.0), "1003", name, crosses=True) for name, (line, width) in lines.items()
    ]
    return [*parts, Part(ribbon(rail, [26.0, 26.0], 140.0), "1001", "railway", crosses=True)]


def _habitable(x: float, y: float) -> bool:
    return slopes(x, y) > 1.9


def _warp(rng: np.random.Generator) -> Warp:
    def wave(spacing: float, amplitude: float | Amplitude) -> Wave:
        return Wave(Field(rng, WIDTH, HEIGHT, spacing), Field(rng, WIDTH, HEIGHT, spacing), amplitude)

    towns = [(3100.0, 1900.0, 700.0), (3150.0, 7050.0, 700.0)]
    return Warp((wave(2600.0, 300.0), wave(620.0, 75.0), wave(230.0, bumps(towns, 21.0, 9.0)), wave(95.0, 4.5)))


SCENE = Scene(
    seed=20180621,
    width=WIDTH,
    height=HEIGHT,
    origin=(649_200, 2_690_400),
    grain=Grain(_leaf_area, _strip, unit_side=1900.0, block_side=420.0),
    uses=_Fields,
    garden=_garden,
    habitable=_habitable,
    apart=680.0,
    over=_over,
    warp=_warp,
    ease=3.5,
)
