"""How large a town may be: the areas that policies set, and those of the criteria within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geoplan.errors import CallRefused
from geoplan.policy import Policy
from geoplan.policy.rule import AreaRule
from geoplan.prohibition import Prohibition
from geoplan.search.criteria import ConstructionCriterion, RegionCriterion

USUAL = {"planning": 3_000_000.0, "construction": 1_000_000.0}
"""Areas where neither policy nor criteria say any, m²: 规划面积3平方公里左右，建设用地1平方公里左右."""
_WITHOUT_LIMITS = 0.2
_MARGIN = 0.02
"""Room for what cutting along exact lines takes from an area of cells, as a share."""


@dataclass(frozen=True, slots=True)
class Areas:
    """Target, least and greatest area of a part, m², and between what a finished boundary must lie."""

    target: float
    minimum: float
    maximum: float
    low: float
    high: float

    def holds(self, area: float) -> bool:
        """Whether a finished boundary of this area keeps the limits."""
        return self.low <= area <= self.high


def areas(
    part: str, asked: RegionCriterion | ConstructionCriterion, policies: Sequence[Policy], rules: Sequence[Prohibition]
) -> Areas:
    """The areas of one part: within all policies' limits, at the figure of 左右 or the middle where nobody asks.

    Raises
    ------
    CallRefused
        The policies' limits do not meet, or what the criteria ask lies outside them.

    >>> areas("planning", RegionCriterion(), (), ()).target
    3000000.0
    """
    bounds = [rule.bounds for rule in rules if rule.kind == "area" and rule.of == part and rule.bounds is not None]
    low = max((each.pass_low for each in bounds if each.pass_low is not None), default=0.0)
    high = min((each.pass_high for each in bounds if each.pass_high is not None), default=float("inf"))
    if low > high:
        raise CallRefused("search-policy-areas", part=part, low=low, high=high)
    target = asked.target_m2 or _target(part, low, high, policies)
    if not low <= target <= high:
        raise CallRefused("search-target-outside", part=part, target=target, low=low, high=high)
    least = max(low, asked.min_m2 or target * (1 - _WITHOUT_LIMITS))
    most = min(high, asked.max_m2 or target * (1 + _WITHOUT_LIMITS))
    if not least <= target <= most:
        raise CallRefused("search-areas", minimum=least, target=target, maximum=most)
    inner = max(min(least * (1 + _MARGIN), target), least), min(max(most * (1 - _MARGIN), target), most)
    return Areas(target, *inner, least, most)


def _target(part: str, low: float, high: float, policies: Sequence[Policy]) -> float:
    about = [
        value
        for policy in policies
        for rule in policy.rules
        if isinstance(rule, AreaRule) and rule.of == part
        for limit in rule.limits
        if (value := limit.bound("about")) is not None and low <= value <= high
    ]
    if about:
        return about[0]
    usual = USUAL[part]
    if low <= usual <= high:
        return usual
    return (low + high) / 2 if high < float("inf") else low * 1.1
