"""The pages of reference layers: what is held, how good it is, and the form that adds one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from geoplan.landuse import GENERATIONS
from geoplan.messages import Lang, Message
from geoplan_web.jobs import SIGNS, JobCard, clock
from geoplan_web.templating import render


@dataclass(frozen=True)
class VersionCard:
    """A version of a layer in the list.

    Parameters
    ----------
    day, valid_until
        In ISO form.
    coverage
        ``declared`` or ``assumed``.
    patches, left_out
        How many are used, and how many were put aside with a reason.
    cells
        ``columns × rows`` of a raster; none for patches.
    size
        Bytes of the file.
    old
        Why checks call it out of date today.
    """

    href: str
    role: str
    id: str
    file: str
    source: str | None
    day: str | None
    valid_until: str | None
    generation: str | None
    coverage: str
    patches: int
    left_out: int
    cells: tuple[int, int] | None
    size: int
    imported_at: datetime | None
    in_use: bool
    invented: bool = False
    old: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Row:
    """A line of a table of figures: words of the catalogue, a value and its unit, or words."""

    label: Message
    value: float | str | Message | None
    unit: str = "count"


@dataclass(frozen=True)
class ClassRow:
    """A class of a layer: code and name as written, patches (cells of a raster), area in m²."""

    code: str
    name: str
    patches: int
    area_m2: float | None
    share: float | None
    known: bool


@dataclass(frozen=True)
class LeftOut:
    """A patch that was put aside: its row in the file, why, and what it says of itself."""

    row: int
    reason: str
    detail: str
    code: str


@dataclass(frozen=True)
class LayerSheet:
    """Everything that the page of a version shows.

    Parameters
    ----------
    facts
        What it is: dates, system, coverage, extent.
    quality
        Tables of what was found at import, each under its message.
    origins
        Files that it came from: name, SHA-256, rows.
    left_out, left_out_shown
        All reasons with their counts, and the first patches with them.
    files
        Addresses by what they hold.
    """

    card: VersionCard
    facts: Sequence[Row]
    classes: Sequence[ClassRow]
    quality: Sequence[tuple[Message, Sequence[Row]]]
    origins: Sequence[tuple[str, str, int]]
    notes: Sequence[Message]
    reasons: Mapping[str, int]
    left_out_area: float
    left_out_shown: Sequence[LeftOut]
    files: Mapping[str, str]
    others: Sequence[VersionCard]
    map: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def layer_list(
    cards: Sequence[VersionCard],
    lang: Lang,
    *,
    nonce: str,
    roles: Sequence[str],
    imports: Sequence[JobCard],
    places: Sequence[str],
) -> str:
    """All layers by role, the imports that run or failed lately, and the form for ``POST /layers``.

    Parameters
    ----------
    places
        Addresses outside that the operator allows to import from, without their secrets; the field for one is shown
        where there are such.
    """
    by_role: dict[str, list[VersionCard]] = {}
    for card in cards:
        by_role.setdefault(card.role, []).append(card)
    return render(
        "layers.html", lang,
        nonce=nonce, here="/layers", by_role=by_role, roles=roles, imports=imports, places=places, signs=SIGNS,
        clock=clock, generations=GENERATIONS, size=size,
    )  # fmt: skip


def layer_page(sheet: LayerSheet, lang: Lang, *, nonce: str) -> str:
    """One version: picture, facts, classes, quality, what was put aside, files."""
    return render(
        "layer.html", lang, nonce=nonce, here=sheet.card.href, sheet=sheet, card=sheet.card, clock=clock, size=size
    )


def size(count: int) -> str:
    """A number of bytes.

    >>> size(900), size(5_300_000), size(12_400_000_000)
    ('1 kB', '5.3 MB', '12.4 GB')
    """
    for limit, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{max(round(count / 1e3), 1)} kB"
