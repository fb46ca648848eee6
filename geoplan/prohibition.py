"""What the rules of a check forbid, as data: the ground that each rule takes out, or the bound that it sets.

A verdict says whether a boundary complies; whoever makes or mends one must know beforehand where it may lie. Each
spatial rule becomes one `Prohibition` or two: its kind, the part of a proposal that it binds, what breaking it gives,
and the ground near a window, worked out when it is asked for. The words of the rules are read by the same functions
as in a check (zones, drawn uses, classes, bands, readings), so what is forbidden here is what fails there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal

import shapely

from geoplan.land import LandAccount
from geoplan.pieces import Part
from geoplan.policy import ALWAYS, Policy, PolicyBook, Rule
from geoplan.policy.rule import (
    AreaRule,
    ClassAreaRule,
    ContiguityRule,
    ExclusionRule,
    ProximityRule,
    SeparationRule,
    WithinRule,
)
from geoplan.prohibited import (
    Ground,
    class_ground,
    layer_ground,
    near_features,
    near_towns,
    outside_zones,
    under_drawn_uses,
)
from geoplan.rules.bands import Scale
from geoplan.rules.case import Case
from geoplan.site import Site
from geoplan.verdict import Verdict, breach

Kind = Literal["exclusion", "within", "separation", "overlap", "nearness", "area", "class-area", "contiguity"]
Of = Literal["planning", "construction", "construction-land"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Values (m², or m) between which a rule does not fail, and between which it passes; none where there is no limit.

    Where no value passes, ``pass_low`` and ``pass_high`` are those of not failing.
    """

    low: float | None
    high: float | None
    pass_low: float | None
    pass_high: float | None

    @classmethod
    def of(cls, scale: Scale) -> Bounds:
        """The bounds of limits and their bands."""
        low, high = _between(scale, frozenset({"fail"}))
        pass_low, pass_high = _between(scale, frozenset({"fail", "attention"}))
        if pass_low is not None and pass_high is not None and pass_low > pass_high:
            pass_low, pass_high = low, high
        return cls(low, high, pass_low, pass_high)


def _between(scale: Scale, worse: frozenset[str]) -> tuple[float | None, float | None]:
    """Lowest and highest turning value beyond which a verdict of ``worse`` begins; crossed where every value is."""
    values = scale.turning_values
    probes = [values[0] / 2, *((a + b) / 2 for a, b in pairwise(values)), values[-1] * 2]
    good = [i for i, probe in enumerate(probes) if scale.verdict(probe) not in worse]
    if not good:
        exact = [v for v in values if scale.verdict(v) not in worse]
        return (exact[0], exact[-1]) if exact else (values[-1], values[0])
    low = values[good[0] - 1] if good[0] > 0 else None
    high = values[good[-1]] if good[-1] < len(values) else None
    return low, high


@dataclass(frozen=True)
class Prohibition:
    """What one rule forbids.

    Parameters
    ----------
    kind
        ``exclusion`` must not touch its ground; ``within`` must not leave what is allowed, its ground being the
        rest; ``separation`` and ``nearness`` must stay ``distance`` metres away from, or come within it of, its
        features; ``overlap`` must not share ground with a town; ``area`` and ``class-area`` keep within ``bounds``;
        ``contiguity`` is one piece, gaps up to ``distance`` not counted.
    part
        The part of the proposal that it binds; ``rest`` is planning without construction.
    breaks_as
        The verdict of breaking it: ``fail`` is hard, ``attention`` soft.
    by_reading
        Whether the figure that decides is the tool's reading and stands in no text (邻近).
    unknown_forbids
        Whether ground that the layer does not know must not be taken as free.
    """

    policy: str
    rule: str
    kind: Kind
    part: Part
    strength: str
    breaks_as: Verdict
    layers: tuple[str, ...] = ()
    by_reading: bool = False
    unknown_forbids: bool = False
    bounds: Bounds | None = None
    of: Of | None = None
    distance: float | None = None
    _ground: Callable[[shapely.Polygon], Ground] | None = field(default=None, repr=False, compare=False)

    @property
    def id(self) -> str:
        """``POLICY.RULE``."""
        return f"{self.policy}.{self.rule}"

    @property
    def is_hard(self) -> bool:
        """Whether breaking it fails."""
        return self.breaks_as == "fail"

    @property
    def has_ground(self) -> bool:
        """Whether it forbids places, and not only sizes."""
        return self._ground is not None

    def ground(self, window: shapely.Polygon) -> Ground:
        """What it forbids within a window of the plane, what it does not know there, and what asks for attention."""
        return Ground() if self._ground is None else self._ground(window)


def prohibitions(
    policies: Sequence[Policy], site: Site, on: date, book: PolicyBook | None = None
) -> tuple[Prohibition, ...]:
    """What the spatial rules of some policies forbid round a site.

    Parameters
    ----------
    policies
        With the readings of the check in place (`geoplan.check.with_readings`). ``land-law`` is taken only if it is
        among them, and binds nothing outside China.
    site
        Gives plane, layers, neighbours and facts. To look for sites, it is made of the study area as planning.
    on
        Civil date: rules that are not in force yet forbid nothing.

    Returns
    -------
    tuple of Prohibition
        In the order of the rules. A rule whose layer was not given forbids nothing: what it could not assess the
        check says. Soft ones (``should``) are among them.

    Raises
    ------
    InputRefused
        When the ground is asked for: a layer without the class field that a rule goes by.
    """
    book = book or PolicyBook()
    found: list[Prohibition] = []
    for policy in policies:
        if policy.id == ALWAYS and not site.in_china:
            continue
        case = Case(site, policy, LandAccount())
        for rule in policy.rules:
            if rule.subject == "proposal" and rule.judged_group == "spatial" and book.decides(policy, rule, on):
                found.extend(_of_rule(rule, case))
    return tuple(found)


def _of_rule(rule: Rule, case: Case) -> list[Prohibition]:
    if isinstance(rule, ExclusionRule):
        return _exclusion(rule, case)
    if isinstance(rule, WithinRule):
        return _within(rule, case)
    if isinstance(rule, SeparationRule):
        return _separation(rule, case)
    if isinstance(rule, ProximityRule):
        return _proximity(rule, case)
    if isinstance(rule, AreaRule):
        relaxed = bool(case.is_of(rule.relaxed)) if rule.relaxed and rule.of == "planning" else False
        bounds = Bounds.of(Scale(rule.limits, rule.strength, rule.reading, relaxed))
        part: Part = "planning" if rule.of == "planning" else "construction"
        return [_plain(rule, case, "area", part, bounds=bounds, of=rule.of)]
    if isinstance(rule, ClassAreaRule):
        return _class_area(rule, case)
    if isinstance(rule, ContiguityRule):
        return [_plain(rule, case, "contiguity", "planning", distance=rule.reading.gap_m)]
    return []


def _plain(
    rule: Rule,
    case: Case,
    kind: Kind,
    part: Part,
    *,
    layers: tuple[str, ...] = (),
    by_reading: bool = False,
    unknown_forbids: bool = False,
    bounds: Bounds | None = None,
    of: Of | None = None,
    distance: float | None = None,
    ground: Callable[[shapely.Polygon], Ground] | None = None,
) -> Prohibition:
    verdict: Verdict = breach(rule.strength)
    if bounds is not None:
        verdict = "fail" if bounds.low is not None or bounds.high is not None else verdict
    return Prohibition(
        case.policy.id, rule.id, kind, part, rule.strength, verdict, layers, by_reading, unknown_forbids, bounds, of,
        distance, None if ground is None else _remembering(ground),
    )  # fmt: skip


def _remembering(ground: Callable[[shapely.Polygon], Ground]) -> Callable[[shapely.Polygon], Ground]:
    """The ground of the window last asked for is worked out once."""
    known: list[tuple[shapely.Polygon, Ground]] = []

    def asked(window: shapely.Polygon) -> Ground:
        if not known or known[0][0] != window:
            known[:] = [(window, ground(window))]
        return known[0][1]

    return asked


def _exclusion(rule: ExclusionRule, case: Case) -> list[Prohibition]:
    """Its layer under construction; in the rest only where a drawn use breaks the rule."""
    site = case.site
    if not site.has(rule.layer):
        return []
    drawn = ("planned-land-use",) if site.has("planned-land-use") else ()
    used = _plain(
        rule,
        case,
        "exclusion",
        "planning" if rule.planned else "rest",
        layers=(rule.layer, *drawn),
        unknown_forbids=bool(drawn),
        ground=lambda window: under_drawn_uses(rule, site, window),
    )
    if rule.planned:
        return [used] if drawn else []
    taken = _plain(
        rule,
        case,
        "exclusion",
        "construction",
        layers=(rule.layer,),
        unknown_forbids=True,
        ground=lambda window: layer_ground(rule.layer, site, window),
    )
    return [taken, used] if drawn else [taken]


def _within(rule: WithinRule, case: Case) -> list[Prohibition]:
    site = case.site
    role = rule.layer if site.has(rule.layer) or not rule.stand_in or not site.has(rule.stand_in) else rule.stand_in
    if not site.has(role):
        return []
    part: Part = "planning" if rule.of == "planning" else "construction"
    return [
        _plain(
            rule,
            case,
            "within",
            part,
            layers=(role,),
            unknown_forbids=True,
            ground=lambda window: outside_zones(rule, role, site, window),
        )
    ]


def _separation(rule: SeparationRule, case: Case) -> list[Prohibition]:
    """The neighbourhood, a reading; and the town itself, which lies in every neighbourhood whatever the reading."""
    site, near = case.site, rule.reading.near_m
    if site.register is None:
        return []
    return [
        _plain(rule, case, "overlap", "planning", layers=("towns",), ground=lambda window: near_towns(site, 0, window)),
        _plain(
            rule,
            case,
            "separation",
            "planning",
            layers=("towns",),
            by_reading=True,
            distance=near,
            ground=lambda window: near_towns(site, near, window),
        ),
    ]


def _proximity(rule: ProximityRule, case: Case) -> list[Prohibition]:
    site, bounds = case.site, Bounds.of(Scale(rule.limits, rule.strength))
    if not site.has(rule.layer):
        return []
    found = []
    if bounds.pass_low is not None:
        away = bounds.low if bounds.low is not None else bounds.pass_low
        verdict: Kind = "separation"
        found.append(
            _plain(
                rule,
                case,
                verdict,
                rule.of,
                layers=(rule.layer,),
                unknown_forbids=True,
                distance=away,
                ground=lambda window: near_features(rule, site, away, window),
            )
        )
    if bounds.pass_high is not None:
        within = bounds.high if bounds.high is not None else bounds.pass_high
        found.append(_plain(rule, case, "nearness", rule.of, layers=(rule.layer,), distance=within))
    return found


def _class_area(rule: ClassAreaRule, case: Case) -> list[Prohibition]:
    """Limits on the area of some land; its ground is that land, forbidden only as far as the bounds go."""
    site = case.site
    if not site.has(rule.layer):
        return []
    return [
        _plain(
            rule,
            case,
            "class-area",
            "construction",
            layers=(rule.layer, *((rule.outside,) if rule.outside else ())),
            bounds=Bounds.of(Scale(rule.limits, rule.strength)),
            ground=lambda window: class_ground(rule, site, window),
        )
    ]
