"""From what a user gives to a report: the one assembly behind the command line and the service."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from geoplan.boundary import Boundary, Proposal, Source
from geoplan.check import Options, check, verdicts
from geoplan.crs import Frame, recognise
from geoplan.datum import DatumParameters
from geoplan.errors import CallRefused
from geoplan.facts import Facts
from geoplan.layer_age import MOST_YEARS
from geoplan.measure import DEFAULT_ACCURACY
from geoplan.policy import Policy, PolicyBook
from geoplan.register import Register
from geoplan.report import Report, Verdicts
from geoplan_api.near import is_near, place_of
from geoplan_api.office import named
from geoplan_layers.agreement import agree, read_with
from geoplan_layers.boundary_file import read_boundary
from geoplan_layers.facts_file import read_facts
from geoplan_layers.layer_file import FileLayer
from geoplan_layers.locate import GIVEN_DATUMS, GivenDatum, ReadOptions
from geoplan_layers.places import Place
from geoplan_layers.prepared.layer import PreparedLayer
from geoplan_layers.prepared.version import Version
from geoplan_layers.read_layer import ReadLayer
from geoplan_layers.sandbox.session import reading
from geoplan_layers.selector import LayerSpec, Selector, parse_layer, parse_selector
from geoplan_layers.towns_file import read_register

CHINA_TIME = ZoneInfo("Asia/Shanghai")
ROLES = (
    "permanent-basic-farmland",
    "land-use",
    "planned-land-use",
    "approved-construction-land",
    "inefficient-land",
    "ecological-redline",
    "urban-development-boundary",
    "urban-expansion-boundary",
    "construction-control-zones",
    "land-use-zones",
    "counties",
    "roads",
    "water",
    "elevation",
    "land-cover",
)
RASTERS = frozenset({"elevation", "land-cover"})
"""Roles whose data are grids, of which no rule of these papers asks."""


@dataclass(frozen=True)
class Inquiry:
    """One question: files and how they are to be judged."""

    planning: Selector
    construction: Selector | None = None
    policies: tuple[str, ...] = ()
    layers: tuple[LayerSpec, ...] = ()
    coverage: Mapping[str, tuple[Selector, ...]] = field(default_factory=dict)
    towns: Selector | None = None
    facts: Selector | None = None
    frame: Frame | None = None
    accuracy: float = DEFAULT_ACCURACY
    on: date | None = None
    name: str | None = None
    readings: Mapping[str, Any] = field(default_factory=dict)
    anywhere: bool = False
    datum: GivenDatum | None = None
    place: Place | None = None
    swap_xy: bool = False
    parameters: DatumParameters | None = field(default=None, repr=False)
    layer_max_age_years: int = MOST_YEARS
    registered: tuple[Version, ...] = field(default=(), repr=False)
    """Versions that the home holds of roles that the call leaves out; a check uses those near its boundary."""

    @property
    def reading(self) -> ReadOptions:
        """How the boundary files are to be read."""
        return ReadOptions(
            self.frame,
            self.anywhere,
            self.datum,
            self.place,
            self.swap_xy,
            self.parameters,
            accuracy=self.accuracy,
        )

    @property
    def reading_others(self) -> ReadOptions:
        """How files that are no boundaries are to be read: ``--crs``, ``--datum`` and ``--swap-xy`` are not theirs."""
        return ReadOptions(None, self.anywhere, place=self.place, parameters=self.parameters, strict=False)


def today() -> date:
    """The civil date in China."""
    return datetime.now(CHINA_TIME).date()


@reading()
def answer(inquiry: Inquiry, own_policies: tuple[Policy, ...] | None = None) -> Report:
    """Read what the inquiry names and check it.

    Raises
    ------
    GeoplanError
        What was refused, with the file, the place and the mend.
    """
    policies = _chosen(inquiry, own_policies)
    planning = boundary_of(inquiry.planning, inquiry.reading)
    construction = boundary_of(inquiry.construction, inquiry.reading) if inquiry.construction else None
    return _grounds(inquiry, *policies).judge(planning, construction, inquiry.name)


def _parameters_used(inquiry: Inquiry, read: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse parameters that no file needed: the user believes that they were applied."""
    given = inquiry.parameters
    if given is not None and not any("parameters_sha256" in used for used in read.values()):
        raise CallRefused("parameters-unused", old=given.old)


@dataclass(frozen=True)
class Grounds:
    """What proposals are judged on, read once: policies, layers, register, facts and the date."""

    inquiry: Inquiry
    policies: tuple[str, ...]
    book: PolicyBook
    layers: tuple[FileLayer, ...]
    register: Register | None
    facts: Facts
    facts_source: Source | None
    on: date
    prepared: dict[str, PreparedLayer] = field(default_factory=dict, repr=False)

    def judge(
        self, planning: Boundary, construction: Boundary | None, name: str | None, *, turns: bool = True
    ) -> Report:
        """The check of one proposal; nothing of earlier ones reaches its report.

        Without ``turns`` the report serves to try a boundary, and is not kept.

        Raises
        ------
        GeoplanError
            The files contradict each other, or what was said of them was not needed.
        """
        proposal, layers, choice = self._asked(planning, construction, name)
        choice = replace(choice, turns=turns)
        return check(proposal, self.policies, layers, self.register, choice, self.book, facts_source=self.facts_source)

    def verdicts(self, planning: Boundary, name: str | None) -> Verdicts:
        """The verdicts of that check by the short way (`geoplan.check.verdicts`); raises as `judge` does."""
        proposal, layers, choice = self._asked(planning, None, name)
        return verdicts(proposal, self.policies, layers, self.register, choice, self.book)

    def _asked(
        self, planning: Boundary, construction: Boundary | None, name: str | None
    ) -> tuple[Proposal, list[ReadLayer], Options]:
        asked, layers = self.inquiry, self.layers_near(planning)
        agree(planning, construction, layers, self.register, anywhere=asked.anywhere)
        read = read_with(planning, construction, layers, self.register)
        _parameters_used(asked, read)
        age = asked.layer_max_age_years
        choice = Options(self.on, asked.accuracy, asked.anywhere, asked.readings, read, layer_max_age_years=age)
        return Proposal(planning, construction, name, self.facts), layers, choice

    def layers_near(self, planning: Boundary) -> list[ReadLayer]:
        """The layers of the call as freshly opened, and the registered ones near a boundary."""
        return [*(each.afresh() for each in self.layers), *self._near(planning)]

    def _near(self, planning: Boundary) -> list[PreparedLayer]:
        """The registered layers near a boundary, opened once."""
        if not self.inquiry.registered:
            return []
        place = place_of(planning, anywhere=self.inquiry.anywhere)
        return [self._opened(each) for each in self.inquiry.registered if is_near(each.meta.degrees, place)]

    def _opened(self, version: Version) -> PreparedLayer:
        if version.meta.sha256 not in self.prepared:
            self.prepared[version.meta.sha256] = PreparedLayer(version)
        return self.prepared[version.meta.sha256]


def grounds(inquiry: Inquiry, own_policies: tuple[Policy, ...] | None = None) -> Grounds:
    """All that an inquiry names but its boundaries, opened for many checks.

    Raises
    ------
    GeoplanError
        What was refused, with the file, the place and the mend.
    """
    return _grounds(inquiry, *_chosen(inquiry, own_policies))


def _chosen(inquiry: Inquiry, own_policies: tuple[Policy, ...] | None) -> tuple[tuple[str, ...], PolicyBook]:
    """The policies asked for, known to exist before any file is read."""
    ids, book = named(inquiry.policies, own_policies)
    book.chosen(ids)
    return ids, book


def _grounds(inquiry: Inquiry, ids: tuple[str, ...], book: PolicyBook) -> Grounds:
    facts, facts_source = _facts(inquiry.facts)
    register = _register(inquiry.towns, inquiry.reading_others)
    layers = tuple(_layers(inquiry))
    for layer in layers:
        layer.coverage_source  # noqa: B018 - read now, so that every check finds it read
    return Grounds(inquiry, ids, book, layers, register, facts, facts_source, inquiry.on or today())


def boundary_of(selector: Selector, options: ReadOptions) -> Boundary:
    """The boundary that a selector names, with what it chose from the file."""
    found = read_boundary(selector, options)
    return replace(found, source=replace(found.source, select=selector.choice))


def _register(selector: Selector | None, options: ReadOptions) -> Register | None:
    if selector is None:
        return None
    found = read_register(selector, options)
    return replace(found, source=replace(found.source, select=selector.choice)) if found.source else found


def _facts(selector: Selector | None) -> tuple[Facts, Source | None]:
    return read_facts(selector.path, selector.shown) if selector else (Facts(), None)


def _layers(inquiry: Inquiry) -> list[FileLayer]:
    """The layers with their declared coverage: the n-th coverage of a role goes with its n-th file, or one with all."""
    given = [spec.role for spec in inquiry.layers]
    for role, declared in inquiry.coverage.items():
        if role not in given:
            raise CallRefused("coverage-without-layer", role=role)
        if len(declared) not in (1, given.count(role)):
            raise CallRefused("coverage-count", role=role, count=len(declared), files=given.count(role))
    count: dict[str, int] = {}
    found: list[FileLayer] = []
    for spec in inquiry.layers:
        declared = inquiry.coverage.get(spec.role, ())
        i = count.setdefault(spec.role, 0)
        count[spec.role] += 1
        selector = declared[i] if i < len(declared) else declared[-1] if declared else None
        found.append(FileLayer(spec, selector, anywhere=inquiry.anywhere, options=inquiry.reading_others))
    return found


def layer_spec(text: str) -> LayerSpec:
    """``ROLE=FILE`` with a known role."""
    spec = parse_layer(text)
    if spec.role not in ROLES and not spec.role.startswith("custom:"):
        raise CallRefused("layer-role-unknown", role=spec.role, known=list(ROLES))
    return spec


def coverage_specs(given: list[str]) -> dict[str, tuple[Selector, ...]]:
    """``ROLE=FILE`` of declared coverages, by role."""
    found: dict[str, tuple[Selector, ...]] = {}
    for text in given:
        role, mark, file = text.partition("=")
        if not mark or not file:
            raise CallRefused("coverage-spelling", given=text)
        found[role] = (*found.get(role, ()), parse_selector(file))
    return found


def frame_named(text: str | None) -> Frame | None:
    """``EPSG:N`` as a frame."""
    if text is None:
        return None
    frame = recognise(text)
    if frame is None or frame.epsg is None:
        raise CallRefused("crs-unknown", crs=text)
    return frame


def datum_named(text: str | None, option: str = "--datum") -> GivenDatum | None:
    """``cgcs2000``, ``wgs84``, ``gcj02`` or ``bd09``."""
    if text is None:
        return None
    name = text.strip().lower().replace("-", "")
    if name not in GIVEN_DATUMS:
        raise CallRefused("option-wrong", option=option, value=text, wanted=" | ".join(GIVEN_DATUMS))
    return GIVEN_DATUMS[GIVEN_DATUMS.index(name)]


def readings_of(given: list[str]) -> dict[str, Any]:
    """``POLICY.RULE.KEY=VALUE``: numbers as numbers, words as they are."""
    found: dict[str, Any] = {}
    for text in given:
        key, mark, value = text.partition("=")
        if not mark or key.count(".") != 2:
            raise CallRefused("reading-spelling", given=text)
        if key in found:
            raise CallRefused("reading-twice", reading=key)
        try:
            found[key] = float(value)
        except ValueError:
            found[key] = value
            continue
        if not math.isfinite(found[key]):
            raise CallRefused("reading-spelling", given=text)
    return found


def civil_date(text: str | None, option: str = "--on") -> date | None:
    """A date in ISO form."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallRefused("option-wrong", option=option, value=text, wanted="YYYY-MM-DD") from None
