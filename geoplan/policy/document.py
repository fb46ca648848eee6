"""What a policy file says of its paper: the document, its standing and dates, and its clauses word for word."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Status = Literal["in-force", "draft", "expired", "replaced", "not-verified", "compiled"]
Trust = Literal["A", "A-", "B", "B-", "C"]
AmountUnit = Literal[
    "m2", "m", "yuan", "yuan_per_km2", "yuan_per_mu", "yuan_per_mu_year", "yuan_per_head", "share", "count",
    "people", "people_per_year", "grade", "years", "points",
]  # fmt: skip
"""Units of amounts: of limits in policy files and of declared figures."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
ClauseKey = Annotated[str, StringConstraints(pattern=r"^(?:[a-z0-9-]+:)?[a-z0-9]+(?:-[a-z0-9]+)*$")]


class Strict(BaseModel):
    """A part of a file that people write: unknown keys are refused, values are not coerced, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def frozen(value: Any) -> Any:
    """TOML content with every list as a tuple, as the strict models of this package take it."""
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    if isinstance(value, list):
        return tuple(frozen(each) for each in value)
    return value


class Words(Strict):
    """One text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Document(Strict):
    """The paper: what is known of it, and nothing that is not.

    ``number``, ``title``, ``issuer``, ``issued`` and ``effective`` are absent where the text held does not give
    them. ``until`` stands only where the text itself ends (goals to 2020); it never means repealed.
    """

    number: str | None = None
    title: str = Field(min_length=1)
    issuer: str | None = None
    issued: date | None = None
    effective: date | None = None
    until: date | None = None
    superseded_by: str | None = None
    status: Status
    note: Words | None = None


class Clause(Strict):
    """A place in a paper and its words.

    ``quote`` holds the paper's own words (omissions marked …); ``summary`` stands where the wording was not seen,
    and reports mark it 摘要，非原文. ``paper`` names another paper than the profile's own. An ``announced`` clause
    decides nothing before it is in force and confirmed.
    """

    at: str = Field(min_length=1)
    quote: str | None = Field(default=None, min_length=1)
    summary: str | None = Field(default=None, min_length=1)
    trust: Trust
    paper: str | None = None
    effective: date | None = None
    announced: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Clause:
        if self.quote is None and self.summary is None:
            raise ValueError("give the clause a quote, or a summary where its wording was not seen")
        return self

    def decides_on(self, day: date) -> bool:
        """Whether the clause counts on ``day``: announced clauses only once confirmed and in force."""
        return not self.announced and (self.effective is None or self.effective <= day)


class TownClass(Strict):
    """A class of town that the paper itself names, with the sub-industries that it lists."""

    name: Words
    sub_industries: tuple[str, ...] = ()
    open_list: bool = True
