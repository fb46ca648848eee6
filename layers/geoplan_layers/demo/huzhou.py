"""Area A, near Huzhou: a Jiangnan plain of polders, canals, fish ponds and a market town under low hills.

Design coordinates are metres from the south-west corner of a rectangle of 8,700 m x 7,700 m near 120.1E 30.75N;
the finished coverage lies in CGCS2000 / 3-degree Gauss-Kruger zone 40 (EPSG:4528, eastings here without the 40
in front). Everything is invented.
"""

from __future__ import annotations

import numpy as np

from geoplan_layers.demo.cells import Grain, Leaf
from geoplan_layers.demo.landscape import Scene
from geoplan_layers.demo.mesh import Part
from geoplan_layers.demo.noise import Amplitude, Field, Warp, Wave, bumps
from geoplan_layers.demo.shapes import blob, hillside, ribbon

WIDTH, HEIGHT = 8700.0, 7700.0

HILLS = [(700.0, 600.0, 1850.0), (2500.0, 6750.0, 420.0), (8500.0, 7300.0, 750.0)]
CREEKS = [
    [
        (3000.0, 4150.0),
        (3080.0, 3500.0),
        (2700.0, 2900.0),
        (3050.0, 2200.0),
        (2550.0, 1500.0),
        (2900.0, 700.0),
        (2750.0, -200.0),
    ],
    [
        (6300.0, 4300.0),
        (6650.0, 3700.0),
        (6200.0, 3050.0),
        (6450.0, 2300.0),
        (6050.0, 1500.0),
        (6400.0, 700.0),
        (6150.0, -200.0),
    ],
    [(7000.0, 6500.0), (7700.0, 6650.0), (8050.0, 6100.0), (8600.0, 6250.0), (9250.0, 5900.0)],
    [(6900.0, 4250.0), (7150.0, 5000.0), (6800.0, 5600.0), (6700.0, 6400.0)],
    [(-250.0, 6900.0), (600.0, 7050.0), (1300.0, 6800.0), (2000.0, 7400.0), (3100.0, 7200.0), (4450.0, 7300.0)],
    [(1200.0, 4050.0), (900.0, 3400.0), (1500.0, 2950.0), (2000.0, 2500.0), (2700.0, 2700.0)],
]


def town(x: float, y: float) -> float:
    """0 in the middle of the market town, 1 at its edge."""
    u, v = (x - 800.0) / 950.0, (y - 5450.0) / 800.0
    return u * u + v * v


def works(x: float, y: float) -> float:
    """0 in the middle of the industrial estate in the south-east, 1 at its edge."""
    u, v = (x - 7250.0) / 560.0, (y - 2350.0) / 330.0
    return u * u + v * v


def fallow(x: float, y: float) -> float:
    """0 in the middle of the cleared land east of the market town, 1 at its edge."""
    u, v = (x - 2050.0) / 600.0, (y - 5450.0) / 760.0
    return u * u + v * v


def _leaf_area(x: float, y: float) -> float:
    if min(town(x, y), works(x, y)) < 1.0:
        return 17_000.0
    if fallow(x, y) < 1.2:
        return 22_000.0
    near = min((x - 1900.0) ** 2 + (y - 5700.0) ** 2, (x - 6900.0) ** 2 + (y - 2500.0) ** 2)
    return 26_000.0 if near < 1250.0**2 else 50_000.0


def _strip(rng: np.random.Generator, side: float, x: float, y: float) -> tuple[str, float] | None:
    chance, width = float(rng.random()), float(rng.random())
    if side > 1700.0:
        return "1107", 14.0 + 8.0 * width
    if min(town(x, y), works(x, y)) < 1.0:
        return ("1004", 11.0 + 9.0 * width) if side > 170.0 else None
    if side > 1000.0:
        return ("1107", 9.0 + 4.0 * width) if chance < 0.6 else ("1006", 5.0 + 2.0 * width)
    if side > 900.0:
        return ("1006", 4.0 + 2.0 * width) if chance < 0.55 else ("1107", 5.0 + 4.0 * width)
    return None


class _Fields:
    """What grows where: the class of a field outside villages."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._crop = Field(rng, WIDTH, HEIGHT, 620.0)
        self._plot = Field(rng, WIDTH, HEIGHT, 210.0)
        self._rng = rng

    def __call__(self, leaf: Leaf) -> str:
        x, y = leaf.cell.centre
        dice = float(self._rng.random())
        if town(x, y) < 1.0:
            return _street_use(town(x, y), dice)
        if works(x, y) < 1.0:
            return "0601" if dice < 0.75 else "0602" if dice < 0.8 else "05H1" if dice < 0.88 else "1206"
        if fallow(x, y) < 1.0:
            return _fallow_use(self._plot.at(x, y), dice)
        return self._farm_use(x, y, dice)

    def _farm_use(self, x: float, y: float, dice: float) -> str:
        crop, plot = self._crop.at(x, y), self._plot.at(x, y)
        if crop > 0.42:
            return "1104" if dice < 0.8 else "0204"
        if crop < -0.5:
            return "0201" if plot > 0.1 else "0204" if dice < 0.7 else "0201K" if dice < 0.74 else "0301"
        if plot > 0.62:
            return "0102" if dice < 0.7 else "1202"
        if dice < 0.035:
            return "1104"
        if any((x - a) ** 2 + (y - b) ** 2 < (r + 350.0) ** 2 for a, b, r in HILLS):
            return "0103" if dice < 0.75 else "0307"
        return "0101" if dice < 0.91 else "0103" if dice < 0.95 else "0307"


def _street_use(middle: float, dice: float) -> str:
    if middle < 0.12:
        return "05H1" if dice < 0.5 else "08H2" if dice < 0.65 else "0701"
    if middle < 0.55:
        return "0701" if dice < 0.74 else "08H2" if dice < 0.84 else "0810" if dice < 0.93 else "05H1"
    return (
        "0601" if dice < 0.5 else "0701" if dice < 0.74 else "0809" if dice < 0.8 else "1206" if dice < 0.9 else "0404"
    )


def _fallow_use(plot: float, dice: float) -> str:
    if plot > 0.25:
        return "1104" if dice < 0.55 else "0204"
    if plot < -0.35:
        return "0404" if dice < 0.7 else "0301"
    return (
        "1206"
        if dice < 0.45
        else "0204"
        if dice < 0.7
        else "0404"
        if dice < 0.85
        else "1202"
        if dice < 0.92
        else "0301"
    )


def _garden(rng: np.random.Generator) -> str:
    return ("0204", "0102", "0201", "0301", "0404", "1202")[int(rng.choice(6, p=[0.3, 0.25, 0.15, 0.15, 0.1, 0.05]))]


def _waters() -> list[Part]:
    main = [
        (-300.0, 4150.0),
        (900.0, 4000.0),
        (2000.0, 4250.0),
        (3100.0, 4100.0),
        (4200.0, 4450.0),
        (5300.0, 4150.0),
        (6400.0, 4350.0),
        (7600.0, 4000.0),
        (9300.0, 4300.0),
    ]
    north = [(4700.0, 8300.0), (4500.0, 7300.0), (4750.0, 6400.0), (4350.0, 5500.0), (4250.0, 4450.0)]
    south = [(5250.0, 4150.0), (5150.0, 3000.0), (5350.0, 1900.0), (5100.0, 900.0), (5200.0, -300.0)]
    return [
        Part(ribbon(main, [62.0, 70.0, 58.0, 80.0, 66.0, 74.0]), "1101", "main river", crosses=True),
        Part(ribbon(north, [36.0, 30.0, 42.0, 34.0]), "1101", "north river", crosses=True),
        *(
            Part(ribbon(line, [17.0, 13.0, 18.0, 12.0, 16.0], 75.0), "1101", f"creek {i}", crosses=True)
            for i, line in enumerate(CREEKS)
        ),
        Part(ribbon(south, [44.0, 44.0, 40.0, 46.0]), "1101", "south canal", crosses=True),
    ]


def _lakes(rng: np.random.Generator) -> list[Part]:
    shapes = [
        blob(rng, (6350.0, 6800.0), (900.0, 560.0), 0.3),
        blob(rng, (2560.0, 5750.0), (230.0, 330.0), 0.25),
        blob(rng, (3350.0, 5100.0), (240.0, 170.0), 0.3),
        blob(rng, (4050.0, 850.0), (640.0, 520.0), 0.3),
        blob(rng, (8150.0, 5350.0), (420.0, 380.0), 0.3),
    ]
    return [Part(shape, "1102", f"lake {i}") for i, shape in enumerate(shapes)]


def _roads() -> list[Part]:
    express = [
        (-300.0, 2500.0),
        (1800.0, 3050.0),
        (3900.0, 3350.0),
        (5900.0, 1500.0),
        (7600.0, 900.0),
        (9300.0, 1100.0),
    ]
    county = [
        (-300.0, 4800.0),
        (1300.0, 4760.0),
        (2700.0, 4640.0),
        (4000.0, 4800.0),
        (5600.0, 3800.0),
        (6900.0, 3230.0),
        (8000.0, 3020.0),
        (9300.0, 3150.0),
    ]
    north = [(1280.0, 4760.0), (1240.0, 5600.0), (1330.0, 6500.0), (1250.0, 8300.0)]
    works_road = [(6900.0, 3230.0), (6750.0, 2700.0), (6820.0, 1200.0), (6600.0, -300.0)]
    rail = [(2900.0, -300.0), (3350.0, 2000.0), (3500.0, 4000.0), (3750.0, 6000.0), (3800.0, 8300.0)]
    return [
        Part(ribbon(express, [44.0, 44.0], 110.0), "1003", "expressway", crosses=True),
        Part(ribbon(rail, [24.0, 24.0], 140.0), "1001", "railway", crosses=True),
        Part(ribbon(county, [22.0, 22.0], 110.0), "1003", "county road", crosses=True),
        Part(ribbon(north, [18.0, 18.0], 110.0), "1003", "north road", crosses=True),
        Part(ribbon(works_road, [18.0, 18.0], 110.0), "1003", "works road", crosses=True),
    ]


def _hills(rng: np.random.Generator) -> list[Part]:
    parts: list[Part] = []
    for number, (x, y, radius) in enumerate(HILLS):
        hill = blob(rng, (x, y), (radius, radius * 0.85), 0.35)
        for i, cell in enumerate(hillside(rng, hill, 330.0 if radius > 600.0 else 200.0)):
            px, py = cell.centroid.x - x, cell.centroid.y - y
            rim = (px * px + py * py) / (radius * radius)
            dice = float(rng.random())
            use = (
                ("0202" if dice < 0.6 else "0201")
                if rim > 0.62
                else "0302"
                if dice < 0.55
                else "0301"
                if dice < 0.9
                else "0305"
            )
            parts.append(Part(cell, use, f"hill {number} {i}"))
    return parts


def _habitable(x: float, y: float) -> bool:
    """Whether a village may stand here: off the hills, the towns and the land kept free around them."""
    on_hill = any((x - a) ** 2 + (y - b) ** 2 < (r + 60.0) ** 2 for a, b, r in HILLS)
    kept = 1100.0 < x < 2900.0 and 4700.0 < y < 7000.0
    return not on_hill and not kept and min(town(x, y), works(x, y)) > 1.15


def _over(rng: np.random.Generator) -> list[Part]:
    return [*_roads(), *_waters(), *_lakes(rng), *_hills(rng)]


def _warp(rng: np.random.Generator) -> Warp:
    def wave(spacing: float, amplitude: float | Amplitude) -> Wave:
        return Wave(Field(rng, WIDTH, HEIGHT, spacing), Field(rng, WIDTH, HEIGHT, spacing), amplitude)

    return Warp((wave(3000.0, 420.0), wave(800.0, 70.0), wave(120.0, bumps(HILLS, 2.2, 13.0))))


SCENE = Scene(
    seed=20180341,
    width=WIDTH,
    height=HEIGHT,
    origin=(505_000, 3_399_200),
    grain=Grain(_leaf_area, _strip),
    uses=_Fields,
    garden=_garden,
    habitable=_habitable,
    apart=620.0,
    over=_over,
    warp=_warp,
    ease=4.5,
)
