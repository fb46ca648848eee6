"""The catalogue of figures that a proposal declares, or that follow from them (``figures.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field, model_validator

from geoplan.policy.document import AmountUnit, Strict, frozen

FigureUnit = AmountUnit | Literal["truth", "text", "list", "choice", "date"]


class Derived(Strict):
    """How a figure follows from others: a difference, a ratio, or an amount per measured area."""

    minus: tuple[str, str] | None = Field(default=None)
    ratio: tuple[str, str] | None = Field(default=None)
    per_km2: tuple[str, str] | None = Field(default=None)
    per_mu: tuple[str, str] | None = Field(default=None)
    count_of: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Derived:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("a derived figure follows in exactly one way")
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The figures that it is computed from."""
        pair = self.minus or self.ratio or self.per_km2 or self.per_mu
        return pair if pair else (self.count_of or "",)


class Figure(Strict):
    """A figure: its unit and its names; ``derived`` where it follows from others, ``measured`` where we measure it.

    ``most`` is what a declared share may be at most.
    """

    unit: FigureUnit
    zh: str
    en: str
    derived: Derived | None = None
    measured: bool = False
    most: float = 1.0


@cache
def figures() -> Mapping[str, Figure]:
    """All figures by their path in a facts file (``investment.total``)."""
    text = files("geoplan").joinpath("figures.toml").read_text(encoding="utf-8")
    return {key: Figure.model_validate(value) for key, value in frozen(tomllib.loads(text)["figures"]).items()}


@cache
def figure_names() -> frozenset[str]:
    """Paths of all figures, with ``industry.class.POLICY`` for any policy."""
    return frozenset(figures())
