"""Attribute tables as land bureaus deliver them (field names of FACTS section 4); every row says it is invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely import Geometry, Polygon

from geoplan_layers.demo.classes import PLANNED, SURVEY, is_built, is_farmed
from geoplan_layers.demo.measure import ellipsoidal_areas, half_up
from geoplan_layers.demo.mesh import Patch

INVENTED = "演示数据，虚构"
YEAR = 2025
_RIDGES = (0.08, 0.09, 0.1, 0.12)  # 扣除系数 of sloped dry land, by village unit

Columns = Mapping[str, Sequence[str] | Sequence[float] | Sequence[int]]


@dataclass(frozen=True)
class Table:
    """A layer of a GeoPackage: file below the data folder, layer name, EPSG code, columns, shapes in that CRS."""

    file: str
    layer: str
    epsg: int
    columns: Columns
    shapes: Sequence[Geometry]


@dataclass(frozen=True)
class Source:
    """Where the rows of an area come from: folder, the county code in identifiers, its villages."""

    folder: str
    county: str
    district: str
    villages: tuple[str, ...]

    def village(self, unit: int) -> str:
        """The name of a village unit."""
        return self.villages[unit % len(self.villages)]

    def numbers(self, layer: int, count: int) -> list[str]:
        """标识码 (BSM, 18 characters): county, layer number, running number."""
        return [f"{self.county}{layer:02d}{number:010d}" for number in range(1, count + 1)]


def ridge_share(patch: Patch) -> float:
    """扣除系数 KCXS (0..1): part of a dry field taken by its ridges."""
    return _RIDGES[patch.unit % len(_RIDGES)] if patch.use == "0103" else 0.0


def _owner(use: str) -> str:
    return "20" if use[:2] in {"05", "06", "08"} or use in {"0701", "1001", "1003", "1101", "1102"} else "30"


def land_use(source: Source, file: str, epsg: int, patches: Sequence[Patch], shapes: Sequence[Polygon]) -> Table:
    """地类图斑 DLTB of the third survey."""
    areas = ellipsoidal_areas(shapes, epsg)
    ridges = [ridge_share(patch) for patch in patches]
    taken = [half_up(area * share) for area, share in zip(areas, ridges, strict=True)]
    villages = [source.village(patch.unit) for patch in patches]
    columns: Columns = {
        "BSM": source.numbers(epsg - 4488, len(patches)),
        "YSDM": ["2001010100"] * len(patches),
        "TBBH": [f"{number:04d}" for number in range(1, len(patches) + 1)],
        "DLBM": [patch.use for patch in patches],
        "DLMC": [SURVEY[patch.use] for patch in patches],
        "QSXZ": [_owner(patch.use) for patch in patches],
        "QSDWMC": villages,
        "ZLDWMC": villages,
        "TBMJ": areas,
        "KCDLBM": ["1203" if share else "" for share in ridges],
        "KCXS": ridges,
        "KCMJ": taken,
        "TBDLMJ": [half_up(area - less) for area, less in zip(areas, taken, strict=True)],
        "SJNF": [YEAR] * len(patches),
        "BZ": [INVENTED] * len(patches),
    }
    return Table(file, "DLTB", epsg, columns, shapes)


def basic_farmland(source: Source, file: str, land: Table, rows: Sequence[int], patches: Sequence[Patch]) -> Table:
    """永久基本农田图斑 YJJBNTTB: rows of the land-use table, same outlines and patch numbers."""
    areas = [float(land.columns["TBMJ"][i]) for i in rows]
    shares = [ridge_share(patches[i]) for i in rows]
    columns: Columns = {
        "BSM": source.numbers(50 + land.epsg - 4488, len(rows)),
        "YSDM": ["2005010300"] * len(rows),
        "YJJBNTTBBH": [f"{source.county}YJ{number:05d}" for number in range(1, len(rows) + 1)],
        "TBBH": [str(land.columns["TBBH"][i]) for i in rows],
        "DLBM": [patches[i].use for i in rows],
        "DLMC": [SURVEY[patches[i].use] for i in rows],
        "QSXZ": ["30"] * len(rows),
        "KCXS": shares,
        "YJJBNTTBMJ": areas,
        "YJJBNTMJ": [half_up(area - half_up(area * share)) for area, share in zip(areas, shares, strict=True)],
        "BHKSSJ": ["20221001"] * len(rows),
        "BZ": [INVENTED] * len(rows),
    }
    return Table(file, "YJJBNTTB", land.epsg, columns, [land.shapes[i] for i in rows])


def planned_uses(source: Source, epsg: int, codes: Sequence[str], shapes: Sequence[Polygon]) -> Table:
    """规划用地布局 GHYT with 用地用海 codes of 2023."""
    columns: Columns = {
        "BSM": source.numbers(1, len(codes)),
        "YDYHFLDM": list(codes),
        "YDYHFLMC": [PLANNED[code] for code in codes],
        "MJ": ellipsoidal_areas(shapes, epsg),
        "BZ": [INVENTED] * len(codes),
    }
    return Table(f"{source.folder}/ghyt.gpkg", "GHYT", epsg, columns, shapes)


def red_line(source: Source, epsg: int, shapes: Sequence[Polygon], kind: str) -> Table:
    """生态保护红线 STBHHX."""
    columns: Columns = {
        "BSM": source.numbers(2, len(shapes)),
        "YSDM": ["2003010100"] * len(shapes),
        "MC": [f"示例{kind}生态保护红线{number}号（演示）" for number in range(1, len(shapes) + 1)],
        "LXDM": ["11"] * len(shapes),
        "MJ": ellipsoidal_areas(shapes, epsg),
        "BZ": [INVENTED] * len(shapes),
    }
    return Table(f"{source.folder}/stbhhx.gpkg", "STBHHX", epsg, columns, shapes)


def control_zones(source: Source, epsg: int, codes: Sequence[str], shapes: Sequence[Polygon]) -> Table:
    """建设用地管制区 JSYDGZQ."""
    names = {"010": "允许建设区", "020": "有条件建设区", "030": "限制建设区", "040": "禁止建设区"}
    columns: Columns = {
        "BSM": source.numbers(3, len(codes)),
        "XZQMC": [source.district] * len(codes),
        "GZQLXDM": list(codes),
        "GZQLXMC": [names[code] for code in codes],
        "GZQMJ": ellipsoidal_areas(shapes, epsg),
    }
    return Table(f"{source.folder}/jsydgzq.gpkg", "JSYDGZQ", epsg, columns, shapes)


def urban_boundary(source: Source, epsg: int, names: Sequence[str], shapes: Sequence[Polygon]) -> Table:
    """城镇开发边界 CZKFBJ and its three zones."""
    codes = {"城镇集中建设区": "010", "城镇弹性发展区": "020", "特别用途区": "030"}
    columns: Columns = {
        "BSM": source.numbers(4, len(names)),
        "XZQMC": [source.district] * len(names),
        "GHFQDM": [codes[name] for name in names],
        "GHFQMC": list(names),
        "MJ": ellipsoidal_areas(shapes, epsg),
    }
    return Table(f"{source.folder}/czkfbj.gpkg", "CZKFBJ", epsg, columns, shapes)


def approved_land(source: Source, epsg: int, shapes: Sequence[Polygon]) -> Table:
    """批而未用 construction land PWHY."""
    numbers = range(1, len(shapes) + 1)
    columns: Columns = {
        "BSM": source.numbers(5, len(shapes)),
        "XMMC": [f"示例项目{number}（演示）" for number in numbers],
        "PZWH": [f"示例批〔2024〕{number}号" for number in numbers],
        "DLBZ": ["10"] * len(shapes),
        "MJ": ellipsoidal_areas(shapes, epsg),
        "BZ": [INVENTED] * len(shapes),
    }
    return Table(f"{source.folder}/pwhy.gpkg", "PWHY", epsg, columns, shapes)


def inefficient_land(source: Source, epsg: int, shapes: Sequence[Polygon]) -> Table:
    """低效用地 DXYD: old works for redevelopment."""
    columns: Columns = {
        "BSM": source.numbers(6, len(shapes)),
        "DXLX": ["低效工业用地"] * len(shapes),
        "MJ": ellipsoidal_areas(shapes, epsg),
        "BZ": [INVENTED] * len(shapes),
    }
    return Table(f"{source.folder}/dxyd.gpkg", "DXYD", epsg, columns, shapes)


def free_to_build(patch: Patch) -> bool:
    """Whether a patch may be an approved plot that nothing stands on yet."""
    return not is_built(patch.use) and not is_farmed(patch.use) and patch.use in {"1206", "0404", "0204"}
