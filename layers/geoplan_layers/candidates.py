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
