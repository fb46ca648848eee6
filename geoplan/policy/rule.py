"""Rules as data: what each kind of rule may say in a policy file.

The kinds are the words of the files; the code judges in five ways (size, pieces, nearest, figure, state), plus
questions for a person. A figure of the paper is a *limit*; a meaning that the paper does not give is a *reading*.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from geoplan.landuse import known_groups
from geoplan.policy.document import AmountUnit, ClauseKey, Slug, Strict, Words

Subject = Literal["proposal", "town", "county", "city"]
Stage = Literal["siting", "application", "yearly", "acceptance"]
Strength = Literal["must", "strict", "in-principle", "generally", "should", "may"]
Group = Literal["spatial", "application", "city"]
Tier = Literal["district", "city", "province", "nation"]
Role = Annotated[
    str,
    StringConstraints(
        pattern=r"^(permanent-basic-farmland|land-use|planned-land-use|approved-construction-land|"
        r"inefficient-land|ecological-redline|urban-development-boundary|urban-expansion-boundary|"
        r"construction-control-zones|land-use-zones|counties|roads|water|elevation|land-cover|custom:.+)$"
    ),
]

UNITS: tuple[str, ...] = get_args(AmountUnit)


class Limit(Strict):
    """One figure of a clause: ``{figure, min_m2 | about_m2 | max_m2 …}``, the unit in the key.

    ``figure`` names what is held against it (a key of ``figures.toml`` or of the rule's kind). ``strength`` stands
    where one sentence holds figures of different strength (不超过30%、鼓励控制在25%以下).
    A truth value (``is``) or a choice (``one_of``) is a limit too; ``given`` asks only that the figure be supplied.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    figure: str = Field(min_length=1)
    strength: Strength | None = None
    is_: bool | None = Field(default=None, alias="is")
    one_of: tuple[str, ...] | None = Field(default=None)
    given: Literal[True] | None = None

    _KEYS: ClassVar[frozenset[str]] = frozenset(
        f"{w}_{u}" for w in ("min", "about", "max", "above", "below") for u in UNITS
    )

    @model_validator(mode="after")
    def _one_unit(self) -> Limit:
        extra = dict(self.model_extra or {})
        for key, value in extra.items():
            if key not in self._KEYS:
                raise ValueError(
                    f"unknown key {key!r}: a limit is written min_, about_, max_, above_ or below_ with a unit, "
                    f"as in max_m2; the units are {', '.join(UNITS)}"
                )
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{key} must be a number")
        units = {key.split("_", 1)[1] for key in extra}
        if len(units) > 1:
            raise ValueError(f"one limit has one unit, not {', '.join(sorted(units))}")
        if not extra and self.is_ is None and self.one_of is None and self.given is None:
            raise ValueError("give the limit a figure to hold against: min_…, about_…, max_…, is, one_of or given")
        return self

    @property
    def unit(self) -> str | None:
        """Unit of the bounds; none for a truth value, a choice or ``given``."""
        return next((key.split("_", 1)[1] for key in self.model_extra or {}), None)

    def bound(self, which: Literal["min", "about", "max", "above", "below"]) -> float | None:
        """One bound in its base unit (m², m, yuan, share), or none."""
        value = (self.model_extra or {}).get(f"{which}_{self.unit}")
        return None if value is None else float(value)

    @property
    def figures(self) -> tuple[tuple[float, str], ...]:
        """Every number of the limit with its unit: what must stand in the quote."""
        return tuple((float(v), k.split("_", 1)[1]) for k, v in (self.model_extra or {}).items())


def _known_land(group: str) -> str:
    if group not in known_groups():
        raise ValueError(f"{group!r} is no group of land; there are: {', '.join(sorted(known_groups()))}")
    return group


Land = Annotated[str, AfterValidator(_known_land)]
"""A group of ``landuse.toml``."""


class _Rule(Strict):
    id: Slug
    title: Words
    clause: ClauseKey
    also: tuple[ClauseKey, ...] = Field(default=())
    subject: Subject = "proposal"
    stage: Stage = "siting"
    strength: Strength
    group: Group | None = None
    tiers: tuple[Tier, ...] = Field(default=())
    types: tuple[str, ...] = Field(default=())
    instead_of: Slug | None = None
    scope: Words | None = None
    note: Words | None = None

    DEFAULT_GROUP: ClassVar[Group] = "spatial"

    @property
    def judged_group(self) -> Group:
        """Spatial compliance, application requirements or effect on the city."""
        if self.group is not None:
            return self.group
        return self.DEFAULT_GROUP


class AreaReading(Strict):
    """The band of 左右 and the area that decides; a reading, since no text gives it."""

    about_low: float = Field(default=0.80, gt=0, le=1)
    about_pass: float = Field(default=1.10, ge=1)
    about_fail: float = Field(default=1.20, ge=1)
    decides: Literal["ellipsoidal", "planar"] = "ellipsoidal"

    @model_validator(mode="after")
    def _in_order(self) -> AreaReading:
        if self.about_pass > self.about_fail:
            raise ValueError("about_pass must not be above about_fail")
        return self


class AreaRule(_Rule):
    """``area``: one of three areas against min, about or max. ``relaxed``: town types whose upper limit may rise."""

    kind: Literal["area"]
    of: Literal["planning", "construction", "construction-land"]
    limits: tuple[Limit, ...] = Field(min_length=1)
    relaxed: tuple[str, ...] = Field(default=())
    relaxed_clause: ClauseKey | None = None
    reading: AreaReading = AreaReading()

    @field_validator("limits")
    @classmethod
    def _areas(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        for limit in limits:
            if limit.unit != "m2":
                raise ValueError("an area rule holds limits in m2: min_m2, about_m2 or max_m2")
        return limits

    @model_validator(mode="after")
    def _named_for_what_is_measured(self) -> AreaRule:
        wanted = "planning-area" if self.of == "planning" else "construction-area"
        for limit in self.limits:
            if limit.figure != wanted:
                raise ValueError(f"a rule of the {self.of} area limits the figure {wanted!r}, not {limit.figure!r}")
        return self


class ContiguityReading(Strict):
    """A gap up to ``gap_m`` between parts does not break contiguity; a passage under ``neck_m`` is named."""

    gap_m: float = Field(default=30.0, ge=0)
    neck_m: float = Field(default=30.0, ge=0)


class ContiguityRule(_Rule):
    """``contiguity``: the planning space is one piece."""

    kind: Literal["contiguity"]
    of: Literal["planning"] = "planning"
    reading: ContiguityReading = ContiguityReading()


class Zones(Strict):
    """Zone codes or names of a layer by the verdict that each gives; sub-codes go with their parent."""

    passes: tuple[str, ...] = Field(default=(), alias="pass")
    attention: tuple[str, ...] = Field(default=())
    fail: tuple[str, ...] = Field(default=())


class NoReading(Strict):
    """A kind without readings."""


class WithinRule(_Rule):
    """``within``: one area inside the patches (or the passing zones) of a layer.

    ``of = "new-construction"`` judges new construction land: what lies outside on existing construction land gives
    ``stock_outside`` instead of failing. ``stand_in`` names the layer that may take the place of a missing one.
    """

    kind: Literal["within"]
    of: Literal["planning", "construction", "new-construction"]
    layer: Role
    stand_in: Role | None = None
    zones: Zones | None = None
    stock_outside: Literal["attention"] | None = None
    reading: NoReading = NoReading()


class ExclusionRule(_Rule):
    """``exclusion``: no overlap with a layer.

    Construction on it fails. The rest of the planning area fails where a drawn use (planned-land-use) is of
    ``rest_fails``, else asks for attention. With ``planned`` only overlap under planned uses of these classes
    counts, over the whole planning area, and the rule passes at once where the layer lies nowhere inside.
    ``exception``: a written exception of that name may stand against a failure.
    """

    kind: Literal["exclusion"]
    layer: Role
    planned: tuple[Land, ...] = Field(default=())
    rest_fails: Literal["not-farming", "construction"] = "construction"
    exception: Words | None = None
    reading: NoReading = NoReading()


class MinimiseReading(Strict):
    """A rule that wants more of a land passes above ``least_share`` of the construction area."""

    least_share: float = Field(default=0.0, ge=0, le=1)


class MinimiseRule(_Rule):
    """``minimise``: overlap with classes of a layer, gross and net; it never fails.

    ``classes`` are groups of ``landuse.toml``; without them every patch of the layer counts. ``worst`` are named
    apart. ``careful`` are classes that count only with attention. ``wants = "more"`` turns the rule round.
    """

    kind: Literal["minimise"]
    layer: Role
    classes: tuple[Land, ...] = Field(default=())
    worst: tuple[Land, ...] = Field(default=())
    careful: tuple[Land, ...] = Field(default=())
    wants: Literal["less", "more"] = "less"
    reading: MinimiseReading = MinimiseReading()


class ClassAreaReading(Strict):
    """Whether existing construction land counts among the land to be taken."""

    existing_construction: Literal["counts", "does-not-count"] = "does-not-count"


class ClassAreaRule(_Rule):
    """``class-area``: the area of named classes inside construction; ``outside`` takes away what lies on a layer."""

    kind: Literal["class-area"]
    layer: Role = "land-use"
    classes: tuple[Land, ...] = Field(default=())
    all_but: tuple[Land, ...] = Field(default=())
    outside: Role | None = None
    limits: tuple[Limit, ...] = Field(min_length=1)
    reading: ClassAreaReading = ClassAreaReading()


class SeparationReading(Strict):
    """邻近: how near is a neighbourhood, between boundaries."""

    near_m: float = Field(default=3000.0, gt=0)


class SeparationRule(_Rule):
    """``separation``: distance from the planning area to other live towns."""

    kind: Literal["separation"]
    reading: SeparationReading = SeparationReading()


class ProximityRule(_Rule):
    """``proximity``: distance to the features of a layer, at least or at most so many metres."""

    kind: Literal["proximity"]
    of: Literal["planning", "construction"] = "planning"
    layer: Role
    classes: tuple[Land, ...] = Field(default=())
    limits: tuple[Limit, ...] = Field(min_length=1)
    reading: NoReading = NoReading()

    @field_validator("limits")
    @classmethod
    def _distances(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        for limit in limits:
            if limit.unit != "m" or limit.bound("about") is not None or limit.figure != "distance":
                raise ValueError("a proximity rule limits the figure 'distance' by min_m or max_m")
        return limits


class FactsRule(_Rule):
    """``facts``: declared (or measured) figures against limits; ``when`` says in which case it applies at all."""

    kind: Literal["facts"]
    stage: Stage = "application"
    limits: tuple[Limit, ...] = Field(default=())
    when: tuple[Limit, ...] = Field(default=())
    reading: NoReading = NoReading()
    DEFAULT_GROUP: ClassVar[Group] = "application"


class ManualRule(_Rule):
    """``manual``: a question for the reviewer. ``settled_by`` names what the tool can settle by itself."""

    kind: Literal["manual"]
    stage: Stage = "application"
    question: Words
    settled_by: Literal["construction-boundary"] | None = None
    shows: tuple[str, ...] = Field(default=())
    reading: NoReading = NoReading()
    DEFAULT_GROUP: ClassVar[Group] = "application"


class RegisterRule(_Rule):
    """``rivalry``, ``portfolio``, ``schedule``, ``lifecycle``: judged against the register of towns."""

    kind: Literal["rivalry", "portfolio", "schedule", "lifecycle"]
    stage: Stage = "application"
    limits: tuple[Limit, ...] = Field(default=())
    reading: dict[str, Any] = Field(default_factory=dict)
    DEFAULT_GROUP: ClassVar[Group] = "city"


Rule = Annotated[
    AreaRule
    | ContiguityRule
    | WithinRule
    | ExclusionRule
    | MinimiseRule
    | ClassAreaRule
    | SeparationRule
    | ProximityRule
    | FactsRule
    | ManualRule
    | RegisterRule,
    Field(discriminator="kind"),
]

KINDS: tuple[str, ...] = (
    "area", "contiguity", "within", "exclusion", "minimise", "class-area", "separation", "proximity", "rivalry",
    "portfolio", "facts", "schedule", "lifecycle", "manual",
)  # fmt: skip
