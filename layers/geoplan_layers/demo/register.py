"""Invented counties and invented neighbouring towns, in EPSG:4490 (degrees, 9 decimals)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer
from shapely import Geometry, Point, Polygon

from geoplan_layers.demo.mesh import densified
from geoplan_layers.demo.noise import FloatArray
from geoplan_layers.demo.tables import INVENTED, Table

Ring = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class County:
    """A county: code, name, outline in metres from the area's origin."""

    adcode: str
    name: str
    ring: Ring


@dataclass(frozen=True)
class Neighbour:
    """A town of the register; one point in ``ring`` makes it a point."""

    id: str
    name: str
    county: str
    tier: str
    stage: str
    listed_on: str
    leading: str
    sub_industry: str
    klass: str
    ring: Ring


_HUZHOU_LINE = [(5050, -5000), (5100, -1500), (4900, 900), (5200, 3000), (4800, 5000), (5350, 7900), (5200, 13000)]
HUZHOU_COUNTIES = (
    County("330502", "吴兴区（演示界线，虚构）", [(-6000, -4200), *_HUZHOU_LINE, (-4800, 12300), (-6500, 6000)]),
    County("330521", "德清县（演示界线，虚构）", [*_HUZHOU_LINE, (14300, 11800), (15200, 4300), (14100, -4600)]),
)
_LIUZHOU_LINE = [
    (-6500, 5900),
    (-300, 5650),
    (700, 5250),
    (1500, 4450),
    (2300, 4250),
    (2900, 4800),
    (3700, 5050),
    (4600, 4550),
    (6300, 4350),
    (12500, 4100),
]
LIUZHOU_COUNTIES = (
    County("450206", "柳江区（演示界线，虚构）", [*_LIUZHOU_LINE, (11800, -5200), (3000, -6100), (-5900, -4700)]),
    County(
        "450226",
        "三江侗族自治县（演示界线，虚构）",
        [*reversed(_LIUZHOU_LINE), (-6100, 13600), (2500, 14900), (12200, 13900)],
    ),
)
HUZHOU_TOWNS = (
    Neighbour("hz-demo-01", "示例·漾北渔趣小镇", "330521", "city", "create", "2024-05-20",
              "现代渔业", "渔业休闲", "tourism",
              [(6700, 5360), (7500, 5310), (8150, 5440), (8260, 6280), (7900, 6880), (7000, 6830), (6620, 6180)]),
    Neighbour("hz-demo-02", "示例·旧窑文创小镇（已淘汰）", "330502", "city", "eliminated", "2021-06-30",
              "文化创意", "陶艺", "services",
              [(3850, 5900), (4700, 5750), (5150, 6200), (5000, 7000), (4200, 7150), (3800, 6600)]),
    Neighbour("hz-demo-03", "示例·云仓物流小镇", "330521", "province", "named", "2019-11-08",
              "现代物流", "智慧仓储", "services",
              [(11700, -300), (13000, -500), (13400, 800), (12600, 1500), (11650, 1100)]),
    Neighbour("hz-demo-04", "示例·竹海康养小镇", "330502", "province", "cultivate", "2023-03-15",
              "健康旅游", "森林康养", "tourism",
              [(-4400, 6000), (-3000, 5700), (-2350, 6500), (-2700, 7600), (-4100, 7700)]),
    Neighbour("hz-demo-05", "示例·湖笔匠心小镇", "330502", "city", "plan", "2026-01-20",
              "历史经典", "制笔", "manufacturing", [(3700, -2800)]),
)  # fmt: skip
LIUZHOU_TOWNS = (
    Neighbour("lz-demo-01", "示例·糖韵小镇", "450206", "city", "create", "2024-08-01",
              "制糖", "蔗糖", "heavy-asset",
              [(8300, 2300), (9600, 2100), (10100, 3200), (9300, 3900), (8250, 3500)]),
    Neighbour("lz-demo-02", "示例·侗寨非遗小镇", "450226", "province", "named", "2020-12-18",
              "文化旅游", "民族文化", "light-asset",
              [(-3900, 7200), (-2300, 7000), (-2000, 8300), (-2900, 9000), (-4000, 8400)]),
    Neighbour("lz-demo-03", "示例·江滩露营小镇（已淘汰）", "450206", "city", "eliminated", "2019-07-12",
              "体育", "露营", "light-asset",
              [(1500, 4500), (2300, 4350), (2700, 4900), (2500, 5700), (1700, 5600)]),
    Neighbour("lz-demo-04", "示例·螺香小镇", "450206", "city", "cultivate", "2025-04-10",
              "食品加工", "螺蛳粉", "heavy-asset", [(2400, -3400)]),
)  # fmt: skip


class _Degrees:
    """From metres off an area's origin to degrees."""

    def __init__(self, epsg: int, origin: tuple[int, int]) -> None:
        self._change = Transformer.from_crs(epsg, 4490, always_xy=True)
        self._origin = np.array([origin[0] + (epsg - 4488) * 1_000_000.0, origin[1]])

    def __call__(self, xy: FloatArray) -> FloatArray:
        moved = xy + self._origin
        lon, lat = self._change.transform(moved[:, 0], moved[:, 1])
        degrees: FloatArray = np.stack([lon, lat], axis=1, dtype=np.float64)
        return degrees.round(9)

    def shape(self, ring: Ring, step: float) -> Geometry:
        if len(ring) == 1:
            return shapely.transform(Point(ring[0]), self)
        closed = np.array([*ring, ring[0]], dtype=np.float64)
        return shapely.transform(Polygon(densified(closed, step)), self)


def counties(folder: str, rows: Sequence[County], epsg: int, origin: tuple[int, int]) -> Table:
    """The counties that share an area, as a layer for the role ``counties``."""
    degrees = _Degrees(epsg, origin)
    columns = {
        "adcode": [row.adcode for row in rows],
        "name": [row.name for row in rows],
        "BZ": [INVENTED] * len(rows),
    }
    return Table(
        f"{folder}/counties.gpkg", "counties", 4490, columns, [degrees.shape(row.ring, 1000.0) for row in rows]
    )


def towns(folder: str, policy: str, rows: Sequence[Neighbour], epsg: int, origin: tuple[int, int]) -> Table:
    """The register of towns near an area, for ``--towns``."""
    degrees = _Degrees(epsg, origin)
    columns = {
        "id": [row.id for row in rows],
        "name": [row.name for row in rows],
        "county": [row.county for row in rows],
        "tier": [row.tier for row in rows],
        "stage": [row.stage for row in rows],
        "listed_on": [row.listed_on for row in rows],
        "leading": [row.leading for row in rows],
        "sub_industry": [row.sub_industry for row in rows],
        f"class_{policy}": [row.klass for row in rows],
        "remark": [INVENTED] * len(rows),
    }
    return Table(f"{folder}/towns.gpkg", "towns", 4490, columns, [degrees.shape(row.ring, 600.0) for row in rows])
