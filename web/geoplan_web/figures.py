"""The figures of a report as rows whose numbers line up: a finding against its limit, the boundaries, the land."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from geoplan.messages import Message, say, word
from geoplan.messages.units import MU_PER_M2, format_unit, number
from geoplan_web.finding import FindingView, ReportView
from geoplan_web.wording import Json, quantity

_LARGE = {"m2": 100_000.0, "m": 1000.0}
"""Areas from 0.1 km² are told in km², distances from 1 km in km."""
_PLACES = {"km": (1000.0, 3), "m": (1.0, 2)}
"""Size and decimals of the units of distance: always as many, so that figures line up."""


_DECLARED = (
    ("declared", "area_m2"),
    ("declared-difference", "difference_m2"),
    ("declared-planar-difference", "planar_difference_m2"),
)
"""What is told of a declared area, and the member of the report that holds it."""


class FigureRow(NamedTuple):
    """One figure: what it is, its number and unit, and the same in 亩 where it is an area."""

    label: str
    number: str
    unit: str
    mu: str = ""


class Measure(NamedTuple):
    """One measure of each boundary: what it is, its unit, and a cell for each, a number or text."""

    label: str
    unit: str
    cells: tuple[str, ...]
    is_text: bool = False


class LandRow(NamedTuple):
    """One kind of construction land: m², ha, 亩, and its share of the construction area."""

    label: str
    m2: str
    ha: str
    mu: str
    share: str


def finding_figures(finding: FindingView) -> list[FigureRow]:
    """What was measured, how sure it is, and the limits, in one unit where they are areas."""
    measured, limit = finding.record.get("measured"), finding.record.get("limit") or {}
    bounds = {which: limit[which] for which in ("min", "about", "max") if limit.get(which) is not None}
    if measured is None:
        return []
    unit = _unit(finding, [measured["value"], *bounds.values()])
    rows = [_row(finding, _measured_as(finding, measured["method"]), measured["value"], unit)]
    if measured["elsewhere"] is not None:
        rows.append(_row(finding, "elsewhere", measured["elsewhere"], unit))
    if measured["error"]:
        small = measured["unit"] if measured["unit"] in _LARGE else unit
        error = _row(finding, "error", measured["error"], small)
        rows.append(error._replace(number=f"± {error.number}"))
    return [*rows, *(_row(finding, which, value, unit) for which, value in bounds.items())]


def _measured_as(finding: FindingView, method: str) -> str:
    """What a value may be called: where data are missing it is what is known so far, never what was found."""
    if finding.verdict == "not-assessed":
        return "known"
    return "declared" if method in ("declared", "measured-and-declared") else "measured"


def _unit(finding: FindingView, values: list[float]) -> str:
    """The one unit of a finding's figures; areas by class are told in ha, as the law counts them."""
    unit = str(finding.record["measured"]["unit"])
    if finding.record["kind"] == "class-area":
        return "ha"
    return f"k{unit}" if unit in _LARGE and max(values) >= _LARGE[unit] else unit


def _row(finding: FindingView, what: str, value: float, unit: str) -> FigureRow:
    label = say(Message(f"page.figure-{what}"), finding.lang)
    if unit in _PLACES:
        size, decimals = _PLACES[unit]
        return FigureRow(label, number(value / size, decimals), word("unit-short", unit, finding.lang))
    is_area = unit in ("m2", "ha", "km2")
    printed = format_unit(value, unit, finding.lang) if is_area else quantity(value, unit, finding.lang)
    figure, _, its_unit = printed.partition(" ")
    return FigureRow(label, figure, its_unit, _mu(value) if is_area else "")


def _mu(m2: float) -> str:
    return number(Decimal(repr(float(m2))) * MU_PER_M2, 2)


def boundary_measures(report: ReportView) -> tuple[list[str], list[Measure]]:
    """Boundaries in words, and their measures side by side."""
    parts = [part for part in ("planning", "construction") if report.content["proposal"][part]]
    records: list[Json] = [report.content["proposal"][part] for part in parts]

    def row(what: str, unit: str, *cells: str) -> Measure:
        spelt = word("unit-short", unit, report.lang) if unit else ""
        return Measure(say(Message(f"page.measure-{what}"), report.lang), spelt, cells)

    def areas(what: str, key: str, unit: str) -> Measure:
        return row(what, unit, *(_area(record[key], unit) for record in records))

    rows = [
        *(areas("ellipsoidal", "area_m2", unit) for unit in ("m2", "ha", "mu")),
        areas("planar", "planar_area_m2", "m2"),
        row("error", "m2", *(f"± {number(record['error_m2'], 2)}" for record in records)),
        *_declared(records, row),
        row("perimeter", "m", *(number(record["perimeter_m"], 2) for record in records)),
        *(row(key, "", *(number(record[key], 0) for record in records)) for key in ("parts", "holes", "vertices")),
        row("crs", "", *(str(record["crs"]) for record in records))._replace(is_text=True),
        row("file", "", *(str(record["source"]["file"]) for record in records))._replace(is_text=True),
    ]
    return [word("part", part, report.lang) for part in parts], rows


def _declared(records: list[Json], row: Callable[..., Measure]) -> list[Measure]:
    """Each declared area with its differences from both measured ones; a row of dashes where nothing is declared."""
    found: list[Measure] = []
    for source in ("facts", "file"):
        given = [
            next((d for d in record.get("declared_areas", []) if d["source"] == source), None) for record in records
        ]
        if not any(given):
            continue
        for what, key in _DECLARED:
            cells = (_area(None if each is None else each[key], "m2") for each in given)
            found.append(row(f"{what}-{source}", "m2", *cells))
    return found or [row("declared", "m2", *(_area(record["declared_area_m2"], "m2") for record in records))]


def _area(m2: float | None, unit: str) -> str:
    if m2 is None:
        return "—"
    return {"m2": lambda: number(m2, 2), "ha": lambda: number(m2 / 1e4, 4), "mu": lambda: _mu(m2)}[unit]()


def land_rows(report: ReportView) -> list[LandRow]:
    """The account of construction land, whose rows add up; empty where nothing of it is known."""
    proposal = report.content["proposal"]
    whole = (proposal["construction"] or {}).get("area_m2")
    parts = ("new_construction_m2", "existing_construction_m2", "approved_unused_m2")
    land = proposal["construction_land_m2"]
    if land is None and all(proposal[key] is None for key in parts):
        return []
    rest = None if land is None or whole is None else round(land - whole, 2)
    rows = [_land(report, key, proposal[key], whole) for key in parts]
    return [*rows, _land(report, "stock_in_rest_m2", rest, None), _land(report, "construction_land_m2", land, None)]


def _land(report: ReportView, key: str, m2: float | None, whole: float | None) -> LandRow:
    share = format_unit(m2 / whole, "share", report.lang) if m2 is not None and whole else ""
    label = say(Message(f"page.land-{key.removesuffix('_m2').replace('_', '-')}"), report.lang)
    return LandRow(label, _area(m2, "m2"), _area(m2, "ha"), _area(m2, "mu"), share)
