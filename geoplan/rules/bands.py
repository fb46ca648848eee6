"""Holding a value against limits: bands, strengths, error and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from geoplan.policy.rule import AreaReading, Limit
from geoplan.verdict import Verdict, breach, worst

VerdictOf = Callable[[float], Verdict]
_NUDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """Limits of a rule as a function from a value to a verdict, with the values where it changes.

    ``relaxed``: the town's type may go past the upper limit; then the verdict there is attention, since no text
    says how far. It never relaxes the lower limit.
    """

    limits: tuple[Limit, ...]
    strength: str
    reading: AreaReading = field(default_factory=AreaReading)
    relaxed: bool = False

    def verdict(self, value: float) -> Verdict:
        """The verdict of a value that is exactly known."""
        return worst(self._one(limit, value) for limit in self.limits)

    def _one(self, limit: Limit, value: float) -> Verdict:
        strength = limit.strength or self.strength
        about, low, high = limit.bound("about"), limit.bound("min"), limit.bound("max")
        if about is not None:
            return self._about(about, value, strength)
        over, under = limit.bound("above"), limit.bound("below")
        if (low is not None and value < low) or (over is not None and value <= over):
            return breach(strength)
        if (high is not None and value > high) or (under is not None and value >= under):
            return _softened(breach(strength)) if self.relaxed else breach(strength)
        return "pass"

    def _about(self, about: float, value: float, strength: str) -> Verdict:
        reading = self.reading
        low, passing, failing = band(about, reading)
        if value > failing:
            return _softened(breach(strength)) if self.relaxed else breach(strength)
        if value > passing or value < low:
            return "attention"
        return "pass"

    @property
    def turning_values(self) -> tuple[float, ...]:
        """Values where the verdict may change, ascending."""
        found: set[float] = set()
        for limit in self.limits:
            about = limit.bound("about")
            if about is not None:
                found |= set(band(about, self.reading))
            found |= {v for which in ("min", "max", "above", "below") if (v := limit.bound(which)) is not None}
        return tuple(sorted(found))

    def verdicts_between(self, low: float, high: float) -> tuple[Verdict, ...]:
        """Verdicts met on the way from one value to another, in that order, without repetition."""
        inside = [v for v in self.turning_values if low <= v <= high]
        probes = [
            low,
            *(p for v in inside for p in (v * (1 - _NUDGE), v, v * (1 + _NUDGE)) if low <= p <= high),
            high,
        ]
        return distinct(self.verdict(probe) for probe in sorted(probes))


def band(about: float, reading: AreaReading) -> tuple[float, float, float]:
    """The band of 左右 round a figure: where it begins to pass, where it ceases to, where it fails."""
    low, passing, failing = (
        round(factor * about, 6) for factor in (reading.about_low, reading.about_pass, reading.about_fail)
    )
    return low, passing, failing


def _softened(verdict: Verdict) -> Verdict:
    return "attention" if verdict == "fail" else verdict


def distinct(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts in order, runs of the same one taken once."""
    found: list[Verdict] = []
    for verdict in verdicts:
        if not found or found[-1] != verdict:
            found.append(verdict)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Held:
    """A value held against limits: the verdict, whether it is firm, and the verdicts on both sides when not."""

    verdict: Verdict
    firm: bool = True
    sides: tuple[Verdict, Verdict] | None = None


def hold(scale: Scale, value: float, error: float) -> Held:
    """The verdict of a measured value: attention that is not firm where a limit lies within its error."""
    first, *others = scale.verdicts_between(value - error, value + error)
    return Held("attention", False, (first, others[-1])) if others else Held(first)


def hold_between(scale: Scale, low: float, high: float, error: float) -> Held:
    """The verdict of a value known only to lie between two bounds: not assessed unless both give the same.

    Where every possible value breaks a limit the rule fails, whatever the missing data hold; where that rests on a
    bound within its error of the limit, it is not firm.
    """
    if low == high:
        return hold(scale, low, error)
    held = _between(scale, low, high)
    if held.verdict == "not-assessed":
        return held
    below: Verdict = _between(scale, low - error, high - error).verdict
    above: Verdict = _between(scale, low + error, high + error).verdict
    if below == above == held.verdict:
        return held
    return Held("attention", False, (below, above))


def _between(scale: Scale, low: float, high: float) -> Held:
    first, *others = scale.verdicts_between(low, high)
    return Held("not-assessed", sides=(first, others[-1])) if others else Held(first)
