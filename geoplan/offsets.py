"""Offsets of one boundary, each made once: outward positive, mitred, within 500 m.

An offset of a thousand vertices by hundreds of metres takes as long as everything else of a check, and every rule asks
for the same few. Where what is asked can only change once on the way out (or in), most need not be made at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import shapely

from geoplan.measure import generalised

MITRE_LIMIT = 5.0
REACH = 500.0
"""Metres around a boundary within which offsets are tried."""
FINE = 0.001
"""Metres to which the offset of a change is found."""
_STEPS = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 250.0, REACH)
_BACK = (0.004, 0.03, 0.2)
"""Metres to go back by when a place was told too far, one after the other."""
_MANY_VERTICES = 300
"""Vertices from which two offsets are made side by side: GEOS lets go of the interpreter."""

Holds = Callable[[shapely.Geometry], bool]


def offset(shape: shapely.Geometry, distance: float) -> shapely.Geometry:
    """The mitred offset of a boundary by a distance in metres, outward positive."""
    return shapely.buffer(shape, distance, join_style="mitre", mitre_limit=MITRE_LIMIT)


class Offsets:
    """The offsets of one boundary, for one check at a time.

    Parameters
    ----------
    drawn
        The boundary on the plane of the check.
    accuracy
        How far any line may lie from the truth, m.
    wanted
        Whether anybody asks how far the boundary is from another verdict; rules try no offset otherwise.
    """

    def __init__(self, drawn: shapely.Geometry, accuracy: float, *, wanted: bool = True) -> None:
        self.drawn = drawn
        self.wanted = wanted
        self.shape = generalised(drawn, accuracy)
        self._made: dict[float, shapely.Geometry] = {}
        self._steps: dict[float, list[float]] = {}

    def at(self, distance: float) -> shapely.Geometry:
        """The boundary offset by a distance, m."""
        if distance == 0.0:
            return self.shape
        if distance not in self._made:
            self._made[distance] = offset(self.shape, distance)
        return self._made[distance]

    def _ahead(self, distances: Sequence[float]) -> None:
        """Make several offsets at once, where they take their time."""
        missing = [each for each in dict.fromkeys(distances) if each and each not in self._made]
        if len(missing) > 1 and shapely.get_num_coordinates(self.shape) >= _MANY_VERTICES:
            with ThreadPoolExecutor(2) as pool:
                self._made |= zip(missing, pool.map(partial(offset, self.shape), missing), strict=True)

    def furthest(self, sign: float) -> float | None:
        """The last step of a direction if something of the boundary is left there; else none."""
        last = sign * _STEPS[-1]
        return last if sign > 0 or not shapely.is_empty(self.at(last)) else None

    def steps(self, sign: float) -> list[float]:
        """Offsets to try one after the other: inward no farther than something of the boundary is left."""
        if sign not in self._steps:
            self._steps[sign] = self._tried(sign)
        return self._steps[sign]

    def _tried(self, sign: float) -> list[float]:
        steps = [sign * step for step in _STEPS]
        self._ahead(steps[::-1])
        if self.furthest(sign) is not None:
            return steps
        gone = next(i for i, step in enumerate(steps) if shapely.is_empty(self.at(step)))
        near, far = steps[gone - 1] if gone else 0.0, steps[gone]
        return [*steps[:gone], self.last_with(lambda shape: not shapely.is_empty(shape), near, far)[0]]

    def last_with(self, holds: Holds, near: float, far: float) -> tuple[float, float]:
        """Where what holds at ``near`` and not at ``far`` ceases to: the last offset with it, and the first without.

        That is by halving to 1 mm, what holds taken to cease once. The offset of an offset tells nearly where, at the
        cost of the few vertices that are left; only what lies beside that place is made from the boundary itself.
        """
        low, high, guess = near, far, self._halved(holds, near, far)
        for back in _BACK:
            last, first = _lattice(near, far, guess, guess, _never)
            self._ahead([each for each in (last, first) if each not in (near, far)])
            lasts, ends = last == near or holds(self.at(last)), first == far or not holds(self.at(first))
            if lasts and ends:
                return last, first
            if lasts:
                low = first
                guess = self._halved(holds, low, high)
            else:
                high = last
                guess = max(high - back, low) if far > near else min(high + back, low)
        return _lattice(near, far, low, high, lambda distance: holds(self.at(distance)))

    def _halved(self, holds: Holds, near: float, far: float) -> float:
        """Where something ceases to hold, by offsets of the offset at ``near``."""
        base = self.at(near)
        low, high = 0.0, far - near
        while abs(high - low) > FINE / 4:
            middle = (low + high) / 2
            if holds(offset(base, middle)):
                low = middle
            else:
                high = middle
        return near + high


def _never(distance: float) -> bool:
    """For a lattice of which all is known."""
    raise AssertionError(f"nothing lies between what holds and what does not, but {distance}")


def _lattice(near: float, far: float, low: float, high: float, holds: Callable[[float], bool]) -> tuple[float, float]:
    """Halve between two offsets; between ``near`` and ``low`` it is known to hold, from ``high`` on not to."""
    sign = 1.0 if far > near else -1.0
    while abs(far - near) > FINE:
        middle = (near + far) / 2
        if sign * (middle - low) <= 0 or (sign * (middle - high) < 0 and holds(middle)):
            near = middle
        else:
            far = middle
    return near, far
