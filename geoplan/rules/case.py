"""What a rule is judged on: the site, the facts, the policy and the options of one check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from geoplan.facts import Facts, Ledger
from geoplan.land import LandAccount
from geoplan.measure import area_error
from geoplan.policy import Policy, Rule
from geoplan.site import Site


@dataclass(frozen=True)
class Case:
    """One check under one policy."""

    site: Site
    policy: Policy
    land: LandAccount

    @property
    def facts(self) -> Facts:
        """The declared facts of the proposal."""
        return self.site.proposal.facts

    @cached_property
    def ledger(self) -> Ledger:
        """Declared and measured figures."""
        has_construction = self.site.construction is not None
        measured = {
            "measured.planning_area_m2": self.site.area("planning"),
            "measured.construction_area_m2": self.site.area("construction") if has_construction else None,
            "measured.construction_land_m2": self.land.construction_land,
            "measured.new_construction_m2": self.land.new,
        }
        planning = area_error(self.site.planning, self.site.accuracy)
        construction = area_error(self.site.shape("construction"), self.site.accuracy) if has_construction else 0.0
        errors = {name: planning if "planning" in name else construction for name in measured}
        return Ledger(self.facts, measured, errors)

    def town_types(self) -> frozenset[str] | None:
        """The town's types with its class under this policy; none where neither is given."""
        own = self.facts.classes.get(self.policy.id)
        if self.facts.types is None and own is None:
            return None
        return (self.facts.types or frozenset()) | ({own} if own else frozenset())

    def is_of(self, types: tuple[str, ...]) -> bool | None:
        """Whether the town is of one of these types; none where that is not given."""
        if set(types) <= set(self.policy.classes):
            own = self.facts.classes.get(self.policy.id)
            return None if own is None else own in types
        known = self.town_types()
        return None if known is None else bool(known & set(types))

    def replaced_by(self, rule: Rule) -> Rule | None:
        """The rule that stands instead of this one for the town's type, or none."""
        return next((r for r in self.policy.rules if r.instead_of == rule.id and self.is_of(r.types)), None)
