"""Which systems bare coordinates may be in: shown with a refusal, never chosen in silence."""

from __future__ import annotations

_DEGREES = (4490, 4326, 4610, 4214)
_THREE_DEGREE = {"CGCS2000": 4488, "Xian 1980": 2324, "Beijing 1954": 2376}
_SIX_DEGREE = {"CGCS2000": 4478, "Xian 1980": 2314, "Beijing 1954": 21400}

Box = tuple[float, float, float, float]


def candidates(box: Box) -> list[str]:
    """EPSG codes that coordinates within ``box`` (west, south, east, north as read) may be in.

    Degrees could be any of four systems; eight digits of easting carry a zone prefix (25–45: 3-degree, 13–23:
    6-degree; Web Mercator of eastern China looks like zones 13–15); six digits leave the central meridian open.

    >>> candidates((40520000.0, 3400000.0, 40523000.0, 3403000.0))
    ['EPSG:4528', 'EPSG:2364', 'EPSG:2416']
    >>> candidates((120.1, 30.7, 120.2, 30.8))
    ['EPSG:4490', 'EPSG:4326', 'EPSG:4610', 'EPSG:4214']
    """
    west, south, east, north = box
    if west >= 73 and east <= 136 and south >= 3 and north <= 54:
        return [f"EPSG:{code}" for code in _DEGREES]
    if _is_northing(west, east) and (_has_prefix(south, north) or _is_bare(south, north)):
        return ["X/Y swapped"]
    if not _is_northing(south, north):
        return []
    if _has_prefix(west, east):
        zone = int(west // 1e6)
        table = _THREE_DEGREE if zone >= 25 else _SIX_DEGREE
        codes = [f"EPSG:{base + zone}" for base in table.values()]
        return [*codes, "EPSG:3857"] if zone <= 15 else codes
    if _is_bare(west, east):
        return [f"EPSG:{code}" for code in range(4534, 4555)]
    return []


def _is_northing(low: float, high: float) -> bool:
    return low >= 3.0e5 and high <= 6.0e6 and low >= 1.8e6


def _has_prefix(low: float, high: float) -> bool:
    zone = int(low // 1e6)
    return zone == int(high // 1e6) and (25 <= zone <= 45 or 13 <= zone <= 23)


def _is_bare(low: float, high: float) -> bool:
    return low >= 1e5 and high <= 9e5


def described(box: Box) -> list[dict[str, str]]:
    """The candidates with what each is, in both languages; legacy datums say that they must be converted first.

    >>> described((40520000.0, 3400000.0, 40523000.0, 3403000.0))[0]["en"]
    'EPSG:4528 (CGCS2000, 3-degree zone 40)'
    """
    found = candidates(box)
    return [_described(each) for each in found] if found else [{"zh": "—", "en": "—"}]


def _described(candidate: str) -> dict[str, str]:
    if not candidate.startswith("EPSG:"):
        return {"zh": "东、北坐标颠倒", "en": "east and north swapped"}
    zh, en = _said(int(candidate[5:]))
    return {"zh": f"{candidate}（{zh}）", "en": f"{candidate} ({en})"}


def _said(code: int) -> tuple[str, str]:
    degrees = {4490: "CGCS2000", 4326: "WGS 84", 4610: "Xian 1980", 4214: "Beijing 1954"}
    if code in degrees:
        chinese = {4610: "1980西安，须先转换", 4214: "1954北京，须先转换"}
        return f"{chinese.get(code, degrees[code])} 经纬度", f"{degrees[code]} degrees"
    if code == 3857:
        return "Web 墨卡托", "Web Mercator"
    if 4534 <= code <= 4554:
        return f"中央经线{3 * (code - 4509)}°", f"central meridian {3 * (code - 4509)}°"
    for tables, zh, en in ((_THREE_DEGREE, "3度带", "3-degree zone"), (_SIX_DEGREE, "6度带", "6-degree zone")):
        for datum, base in tables.items():
            if 13 <= code - base <= 45:
                name = {"Xian 1980": "1980西安", "Beijing 1954": "1954北京"}.get(datum)
                legacy = "，须先转换" if name else ""
                return f"{name or datum} {zh} {code - base}带{legacy}", f"{datum}, {en} {code - base}"
    return "", ""
