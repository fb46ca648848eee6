"""The criteria file of a search, ``geoplan/criteria/1``: what excludes, what attracts, what a region must be.

Everything is in metres, square metres, degrees of slope and shares. Layers are named by their role; which files serve
a role is said in the call. Rasters are the roles ``elevation``, ``land-cover`` and ``custom:NAME``; ``slope`` is made
from ``elevation``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from geoplan.policy.document import Slug, Strict, Words
from geoplan.policy.rule import Land, Role
from geoplan.search.regions import Evaluation, RegionRules, Shape
from geoplan.search.suitability import Classes, Gaussian, Linear, Logistic, Piecewise, Transformation

SCHEMA = "geoplan/criteria/1"
SLOPE = "slope"
_Metres = Annotated[float, Field(ge=0, le=100_000)]
_Area = Annotated[float, Field(gt=0, le=1e9)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Finite = Annotated[float, AfterValidator(lambda value: _finite(value))]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


class Features(Strict):
    """Features of a vector layer: all, or those of some groups of land, classes (by prefix) or names.

    ``groups`` are those of ``landuse.toml`` and need a layer whose generation is known; ``classes`` and ``names`` are
    compared with what the layer itself says.
    """

    layer: Role
    groups: tuple[Land, ...] = ()
    classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def chooses(self) -> bool:
        """Whether only some of the features are meant."""
        return bool(self.groups or self.classes or self.names)


class LocalRule(Strict):
    """Another distance or limit in some counties (their codes in the layer ``counties``)."""

    counties: tuple[str, ...] = Field(min_length=1)
    distance_m: _Metres | None = None
    above: _Finite | None = None
    below: _Finite | None = None


class ConstraintCriterion(Strict):
    """One reason why ground is excluded: features of a layer, values of a raster, or the towns of the register.

    Parameters
    ----------
    features
        Ground of these features; lines and points exclude every cell that they touch.
    side
        ``outside`` excludes what does not lie in the features.
    raster, above, below, values
        Values above or below a limit, or codes of a raster.
    towns
        Live towns of the register.
    distance_m
        Ground within this distance as well.
    share
        A cell is excluded when polygons cover more than this share of it; cells covered less stay, with what is left.
    absolute
        No approved site wins over it.
    """

    id: Slug
    title: Words | None = None
    features: Features | None = None
    side: Literal["inside", "outside"] = "inside"
    raster: str | None = None
    above: _Finite | None = None
    below: _Finite | None = None
    values: tuple[int, ...] = ()
    towns: bool = False
    distance_m: _Metres = 0.0
    share: _Share = 0.5
    absolute: bool = False
    local: tuple[LocalRule, ...] = ()

    @model_validator(mode="after")
    def _one_ground(self) -> Self:
        if sum((self.features is not None, self.raster is not None, self.towns)) != 1:
            raise ValueError("give exactly one of features, raster and towns")
        limited = self.above is not None or self.below is not None or bool(self.values)
        if (self.raster is not None) != limited or sum((self.above is not None, self.below is not None)) > 1:
            raise ValueError("a raster needs exactly one of above, below and values, which go with nothing else")
        if self.values and (self.above is not None or self.below is not None):
            raise ValueError("a raster needs exactly one of above, below and values")
        if self.side == "outside" and (self.features is None or self.distance_m):
            raise ValueError("side = 'outside' goes with features, without a distance")
        if self.towns and not self.distance_m:
            raise ValueError("towns need distance_m: how far from them")
        return self


class Approved(Strict):
    """Approved sites (已批准用地): ground of these features wins over named constraints, never absolute ones."""

    features: Features
    over: tuple[str, ...] = Field(min_length=1)


class LinearShape(Strict):
    """0 at ``worst``, 1 at ``best``, straight between."""

    worst: _Finite
    best: _Finite


class GaussianShape(Strict):
    """1 at ``middle``, e^(−1/2) at ``width`` to either side."""

    middle: _Finite
    width: Annotated[float, Field(gt=0)]


class LogisticShape(Strict):
    """1/2 at ``middle``, rising by steepness/4 a unit there, falling with a negative one."""

    middle: _Finite
    steepness: _Finite


class FactorCriterion(Strict):
    """One factor of suitability, brought to 0..1 by exactly one transformation.

    Parameters
    ----------
    distance_to
        Metres to the nearest of these features, taken up to ``up_to_m``.
    share_of
        Share of the cell that these polygons cover.
    raster
        Values of a raster, ``slope`` included.
    classes
        Suitability of each code of a raster; a code that is not listed is not known.
    """

    id: Slug
    title: Words | None = None
    weight: Annotated[float, Field(ge=0)] | None = None
    distance_to: Features | None = None
    share_of: Features | None = None
    raster: str | None = None
    up_to_m: Annotated[float, Field(gt=0, le=50_000)] | None = None
    linear: LinearShape | None = None
    piecewise: tuple[tuple[_Finite, _Share], ...] = ()
    gaussian: GaussianShape | None = None
    logistic: LogisticShape | None = None
    classes: Mapping[str, _Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if sum(each is not None for each in (self.distance_to, self.share_of, self.raster)) != 1:
            raise ValueError("give exactly one of distance_to, share_of and raster")
        given = (self.linear, self.piecewise, self.gaussian, self.logistic, self.classes)
        if sum(bool(each) for each in given) != 1:
            raise ValueError("give exactly one of linear, piecewise, gaussian, logistic and classes")
        if self.classes and self.raster is None:
            raise ValueError("classes go with raster")
        if any(not _is_number(code) for code in self.classes):
            raise ValueError("the keys of classes are the codes of the raster, whole numbers")
        if self.up_to_m is not None and self.distance_to is None:
            raise ValueError("up_to_m goes with distance_to")
        return self

    @property
    def transformation(self) -> Transformation:
        """From the factor's figures to suitability.

        Raises
        ------
        CallRefused
            Figures that make no transformation (a linear one between equal ends).
        """
        if self.linear:
            return Linear(self.linear.worst, self.linear.best)
        if self.gaussian:
            return Gaussian(self.gaussian.middle, self.gaussian.width)
        if self.logistic:
            return Logistic(self.logistic.middle, self.logistic.steepness)
        if self.piecewise:
            return Piecewise(self.piecewise)
        return Classes(tuple(sorted((float(code), score) for code, score in self.classes.items())))

    @property
    def farthest(self) -> float:
        """Metres beyond which a distance changes nothing, or is taken as this much."""
        if self.up_to_m is not None:
            return self.up_to_m
        if self.linear:
            return max(self.linear.worst, self.linear.best, 1.0)
        if self.piecewise:
            return max(self.piecewise[-1][0], 1.0)
        return 10_000.0


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


class WeightsCriterion(Strict):
    """How factors are weighed and joined. ``comparison`` is Saaty's matrix in the order of the factors."""

    method: Literal["given", "ahp", "entropy"] = "given"
    comparison: tuple[tuple[Annotated[float, Field(gt=0)], ...], ...] = ()
    accept_inconsistent: bool = False
    join: Literal["sum", "topsis"] = "sum"

    @model_validator(mode="after")
    def _with_its_matrix(self) -> Self:
        if bool(self.comparison) != (self.method == "ahp"):
            raise ValueError("comparison goes with method = 'ahp', which needs it")
        return self


class RegionCriterion(Strict):
    """What a region must be; areas that are not given come from the policies' ``area`` rules.

    The policies' limits hold whatever is written here.
    """

    target_m2: _Area | None = None
    min_m2: _Area | None = None
    max_m2: _Area | None = None
    shape: Shape = "circle"
    tradeoff: Annotated[int, Field(ge=0, le=100)] = 40
    neighbours: Literal[4, 8] = 4
    islands: Literal["filled", "kept"] = "filled"
    evaluation: Evaluation = "mean"
    reach: Annotated[float, Field(ge=1.5, le=10)] = 3.0

    def rules(self, target: float, minimum: float, maximum: float) -> RegionRules:
        """The rules of growth for some areas, m²."""
        more: dict[str, Any] = self.model_dump(
            include={"shape", "tradeoff", "neighbours", "islands", "evaluation", "reach"}
        )
        return RegionRules(target, minimum, maximum, **more)


class ConstructionCriterion(Strict):
    """The construction area inside each region: on land that may be built on, land of ``avoid`` taken last.

    ``avoid`` is in the order of how much it is to be spared; groups of ``landuse.toml`` in the layer ``land-use``.
    """

    target_m2: _Area | None = None
    min_m2: _Area | None = None
    max_m2: _Area | None = None
    shape: Shape = "circle"
    tradeoff: Annotated[int, Field(ge=0, le=100)] = 30
    avoid: tuple[Land, ...] = ("paddy", "cultivated")


class SpacingCriterion(Strict):
    """Distances in metres: between candidates, and from them to the live towns of the register."""

    between_min_m: _Metres = 0.0
    between_max_m: _Metres | None = None
    towns_min_m: _Metres = 0.0
    towns_max_m: _Metres | None = None


class OutlineCriterion(Strict):
    """How regions become boundaries: least width of passages and length of edges, lines to follow."""

    neck_m: Annotated[float, Field(ge=0, le=1000)] = 30.0
    edge_m: Annotated[float, Field(ge=0, le=1000)] = 5.0
    along: tuple[Role, ...] = ("land-use",)


class PoliciesCriterion(Strict):
    """Which rules of the policies exclude: all that a verdict could fail by, but those named ``POLICY.RULE``."""

    skip: tuple[str, ...] = ()


class StabilityCriterion(Strict):
    """The test of the ranking under other weights."""

    draws: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    concentration: Annotated[float, Field(gt=0)] = 50.0


class Criteria(Strict):
    """A criteria file."""

    format: Literal["geoplan/criteria/1"] = Field(alias="schema")
    title: Words | None = None
    cell_m: Annotated[float, Field(ge=1, le=1000)] = 30.0
    count: Annotated[int, Field(ge=1, le=100)] = 5
    seed: Annotated[int, Field(ge=0)] = 2026
    policies: PoliciesCriterion = PoliciesCriterion()
    constraints: tuple[ConstraintCriterion, ...] = ()
    approved: tuple[Approved, ...] = ()
    factors: tuple[FactorCriterion, ...] = Field(min_length=1)
    weights: WeightsCriterion = WeightsCriterion()
    region: RegionCriterion = RegionCriterion()
    construction: ConstructionCriterion = ConstructionCriterion()
    spacing: SpacingCriterion = SpacingCriterion()
    outline: OutlineCriterion = OutlineCriterion()
    stability: StabilityCriterion = StabilityCriterion()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for what in (self.constraints, self.factors):
            ids = [each.id for each in what]
            twice = sorted({each for each in ids if ids.count(each) > 1})
            if twice:
                raise ValueError(f"the id {twice[0]} stands twice")
        if self.weights.method == "given" and any(each.weight is None for each in self.factors):
            raise ValueError("each factor needs a weight, or weights.method = 'ahp' or 'entropy'")
        if self.weights.method != "given" and any(each.weight is not None for each in self.factors):
            raise ValueError("weights of factors go with weights.method = 'given'")
        return self
