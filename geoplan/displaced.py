"""A boundary that looks shifted as a whole against a reference layer: found by votes, told, and never moved.

Boundaries follow the edges of land use in part, so many of their vertices are vertices of patches. Where the whole
drawing is shifted (a KML from a shifted map, another datum), the differences between its vertices and those of the
layer pile up at that shift, while all others scatter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.crs import Array
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan.shifted import FORWARD, SHIFTED
from geoplan.site import Site

REACH = 1500.0
"""Largest shift looked for, m east or north: BD-09 is 0.9 to 1.3 km off."""
LEAST = 2.0
"""Shifts below this are drawing, not datum, m."""
_BIN = 5.0
_RADII = (0.3, 2.5)
"""How near a moved vertex must come to be met, m: for copies, and for shifts that vary over a town as GCJ-02 does."""
_MOST_OWN, _MOST_OTHERS = 128, 40_000
_FEWEST, _SHARE = 8, 0.15
_RIVAL = 0.6
"""A second shift that meets this share of what the best one meets makes both a regular pattern, and none a shift."""
_SURE = np.log(1e-6)
_PEAKS = 6
_NEVER = ("counties", "roads", "water")
_FIRST = ("land-use", "planned-land-use")
_AS_PREDICTED = (10.0, 0.03)


@dataclass(frozen=True, slots=True)
class Displacement:
    """By how much a boundary lies off: metres east and north, and how many of its vertices say so."""

    east: float
    north: float
    matched: int
    vertices: int

    @property
    def distance(self) -> float:
        """Length of the shift, m."""
        return float(np.hypot(self.east, self.north))

    @property
    def azimuth(self) -> float:
        """Direction of the shift, degrees from north over east."""
        return float(np.degrees(np.arctan2(self.east, self.north)) % 360)


def displacement(own: Array, others: Array) -> Displacement | None:
    """The constant shift of one set of vertices against another, if there is one beyond chance.

    Parameters
    ----------
    own, others
        Vertices of the boundary and of the layer, metres on one plane, shape (n, 2). Past 128 and 40,000 they are
        thinned evenly, which bounds the time.

    Returns
    -------
    The shift of ``own``, to a centimetre where its vertices are copies of the others'; none where they meet as they
    are, where too few agree, where a pattern agrees with several shifts, or where chance would do as well (the Chernoff
    bound of the binomial tail, over all shifts tried, above one in a million).
    """
    own = _distinct(own)
    if len(own):
        low, high = own.min(axis=0) - REACH, own.max(axis=0) + REACH
        others = others[((others >= low) & (others <= high)).all(axis=1)]
    own, others = _thinned(own, _MOST_OWN), _thinned(_distinct(others), _MOST_OTHERS)
    if len(own) < _FEWEST or len(others) < _FEWEST:
        return None
    zero = [_met(own, np.zeros(2), others, radius) for radius in _RADII]
    if zero[0] >= max(_FEWEST, len(own) / 4):
        return None
    found = [_refined(own, others, peak) for peak in _peaks(own, others)]
    for radius, still in zip(_RADII, zero, strict=True):
        best = _beyond_chance(own, others, found, radius, still)
        if best is not None:
            return best
    return None


def _distinct(xy: Array) -> Array:
    """Different vertices to the millimetre, by x and then y."""
    kept = xy[np.isfinite(xy).all(axis=1)]
    if len(kept) == 0:
        return kept.reshape(0, 2)
    whole = np.rint(kept * 1000).astype(np.int64)
    low = whole.min(axis=0)
    rows = int(whole[:, 1].max() - low[1]) + 1
    keys = np.unique((whole[:, 0] - low[0]) * rows + (whole[:, 1] - low[1]))
    return np.asarray((np.column_stack(np.divmod(keys, rows)) + low) / 1000, dtype=np.float64)


def _thinned(xy: Array, most: int) -> Array:
    return xy if len(xy) <= most else xy[np.linspace(0, len(xy) - 1, most).astype(int)]


def _near(points: Array, others: Array, radius: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of places in two sets of vertices, the second by ascending x, that lie within a radius of each other."""
    first = np.searchsorted(others[:, 0], points[:, 0] - radius)
    count = np.searchsorted(others[:, 0], points[:, 0] + radius, side="right") - first
    point = np.repeat(np.arange(len(points)), count)
    other = np.arange(len(point)) + np.repeat(first - np.cumsum(count) + count, count)
    close = np.hypot(*(others[other] - points[point]).T) <= radius
    return point[close], other[close]


def _met(own: Array, move: Array, others: Array, radius: float) -> int:
    """How many vertices, moved, have one of the others within a radius."""
    return len(np.unique(_near(own + move, others, radius)[0]))


def _peaks(own: Array, others: Array) -> list[Array]:
    """The moves on which most vertices agree: each votes once for a cell of a grid of moves, cells joined in fours."""
    side = int(2 * REACH / _BIN)
    votes = np.zeros(side * side, dtype=np.int32)
    across, up = ((others + REACH) / _BIN).T
    for east, north in own / _BIN:
        i, j = np.floor(across - east), np.floor(up - north)
        inside = (i >= 0) & (i < side) & (j >= 0) & (j < side)
        hit = np.zeros(side * side, dtype=bool)
        hit[(i[inside] * side + j[inside]).astype(np.int64)] = True
        votes += hit
    grid = votes.reshape(side, side)
    joined = grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:]
    found = []
    for _ in range(_PEAKS):
        i, j = np.unravel_index(int(np.argmax(joined)), joined.shape)
        found.append(np.array([i + 1, j + 1]) * _BIN - REACH)
        joined[max(i - 3, 0) : i + 4, max(j - 3, 0) : j + 4] = -1
    return found


def _refined(own: Array, others: Array, peak: Array) -> Array:
    """The middle of the differences around a peak, in ever smaller circles as long as most of them stay inside."""
    mine, theirs = _near(own + peak, others, 1.5 * _BIN)
    apart = others[theirs] - own[mine]
    if len(apart) == 0:
        return peak
    apart = _thinned(apart, 1500)
    for radius in reversed(_RADII):
        near = np.hypot(*(apart[:, None, :] - apart[None, :, :]).transpose(2, 0, 1)) <= radius
        centre = np.median(apart[near[int(np.argmax(near.sum(axis=1)))]], axis=0)
        inside = apart[np.hypot(*(apart - centre).T) <= radius]
        if len(inside) < 3:
            break
        peak, apart = np.median(inside, axis=0), inside
    return np.asarray(peak, dtype=np.float64)


def _beyond_chance(own: Array, others: Array, moves: list[Array], radius: float, still: int) -> Displacement | None:
    """The best of some moves, if it meets more vertices than chance, than no move, and than any rival does."""
    met = [_met(own, move, others, radius) for move in moves]
    order = np.argsort(met)[::-1]
    best, count = moves[order[0]], met[order[0]]
    rivals = [met[i] for i in order[1:] if np.hypot(*(moves[i] - best)) > 2 * _BIN]
    if count < max(_FEWEST, _SHARE * len(own)) or np.hypot(*best) < LEAST:
        return None
    if max([still, *rivals]) >= _RIVAL * count:
        return None
    chance = np.mean([_met(own, move, others, radius) for move in _elsewhere(best)]) / len(own)
    tried = np.log((2 * REACH / radius) ** 2)
    if tried - len(own) * _divergence(count / len(own), float(np.clip(chance, 1e-4, 1 - 1e-9))) > _SURE:
        return None
    return Displacement(-float(best[0]), -float(best[1]), count, len(own))


def _elsewhere(best: Array) -> NDArray[np.float64]:
    """Moves spread evenly over the reach, away from the one in question: what they meet, chance meets."""
    i = np.arange(64)
    away = REACH * np.sqrt((i + 0.5) / 64)
    angle = i * np.pi * (3 - np.sqrt(5))
    spread = np.column_stack([away * np.cos(angle), away * np.sin(angle)])
    return np.asarray(spread[np.hypot(*(spread - best).T) > 4 * _BIN], dtype=np.float64)


def _divergence(share: float, chance: float) -> float:
    """Kullback–Leibler divergence of two coins; 0 where the share is no more than chance."""
    if share <= chance:
        return 0.0
    rest = 0.0 if share >= 1 else (1 - share) * np.log((1 - share) / (1 - chance))
    return float(share * np.log(share / chance) + rest)


def looks_displaced(site: Site) -> list[Message]:
    """A warning where the planning boundary looks shifted against a reference layer; nothing is moved by it."""
    role = _reference(site)
    if role is None:
        return []
    own = shapely.get_coordinates(site.planning)
    window = shapely.box(*shapely.bounds(shapely.buffer(site.window, REACH, join_style="mitre")))
    shapes = site.near(role, window).shapes
    surfaces = shapes[np.isin(shapely.get_type_id(shapes), (3, 6))]
    found = displacement(own, shapely.get_coordinates(surfaces))
    if found is None:
        return []
    args = {
        "role": role,
        "distance": round(found.distance, 1),
        "azimuth": round(found.azimuth),
        "matched": found.matched,
        "vertices": found.vertices,
    }
    for datum in SHIFTED:
        if _as_predicted(found, own, site.plane, datum):
            shown = {"gcj02": "GCJ-02", "bd09": "BD-09"}[datum]
            return [Message("warning.looks-shifted-as", {**args, "datum": shown, "option": datum})]
    return [Message("warning.looks-shifted", args)]


def _reference(site: Site) -> str | None:
    """The role whose patches a boundary follows most likely: land use, else any other layer of polygons."""
    roles = [role for role in dict.fromkeys(layer.role for layer in site.layers) if role not in _NEVER]
    return next((role for role in (*_FIRST, *roles) if role in roles), None)


def _as_predicted(found: Displacement, own: Array, plane: Plane, datum: str) -> bool:
    """Whether a shift is the one that shifted degrees have there."""
    true = own.mean(axis=0) - np.array([found.east, found.north])
    lon, lat = plane.to_lonlat(true[:1], true[1:])
    x, y = plane.from_lonlat(*FORWARD[SHIFTED[SHIFTED.index(datum)]](lon, lat))
    off = np.hypot(x[0] - true[0] - found.east, y[0] - true[1] - found.north)
    metres, share = _AS_PREDICTED
    return bool(off <= max(metres, share * found.distance))
