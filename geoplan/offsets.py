"""Offsets of one boundary, each made once: outward positive, mitred, within 500 m.

An offset of a thousand ragged vertices by hundreds of metres crosses itself everywhere and takes GEOS most of a second;
every rule asks for some dozens. From one step to the next most of the raggedness is gone, so that an offset made from
the step before it costs what is left of the boundary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import shapely

from geoplan.measure import generalised

MITRE_LIMIT = 5.0
REACH = 500.0
"""Metres around a boundary within which offsets are tried."""
FINE = 0.001
"""Metres to which the offset of a change is found."""
STEPWISE = 200
"""Vertices past which an offset is made from the step before it."""
_STEPS = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 250.0, REACH)

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
        self._stepwise = shapely.get_num_coordinates(self.shape) > STEPWISE
        self._made: dict[float, shapely.Geometry] = {}
        self._end: float | None = None

    def at(self, distance: float) -> shapely.Geometry:
        """The boundary offset by a distance, m: in one go, or past ``STEPWISE`` vertices step by step."""
        if distance == 0.0:
            return self.shape
        if distance not in self._made:
            before = self._before(distance) if self._stepwise else 0.0
            self._made[distance] = offset(self.at(before), distance - before)
        return self._made[distance]

    @staticmethod
    def _before(distance: float) -> float:
        """The last step on the way to a distance, 0 for the boundary itself."""
        step = max((step for step in _STEPS if step < abs(distance)), default=0.0)
        return step if distance > 0 else -step

    def steps(self, sign: float) -> Iterator[float]:
        """Offsets to try one after the other: inward no farther than something of the boundary is left."""
        before = 0.0
        for step in _STEPS:
            there = sign * step
            if sign < 0 and shapely.is_empty(self.at(there)):
                yield self._last_inward(before, there)
                return
            yield there
            before = there

    def _last_inward(self, near: float, far: float) -> float:
        """The last offset at which something is left of the boundary."""
        if self._end is None:
            self._end = self.last_with(lambda shape: not shapely.is_empty(shape), near, far)[0]
        return self._end

    def last_with(self, holds: Holds, near: float, far: float) -> tuple[float, float]:
        """Where what holds at ``near`` and not at ``far`` ceases to: the last offset with it, and the first without.

        By halving to 1 mm; what holds is taken to cease once.
        """
        while abs(far - near) > FINE:
            middle = (near + far) / 2
            near, far = (middle, far) if holds(self.at(middle)) else (near, middle)
        return near, far
