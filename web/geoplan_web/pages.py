"""The pages of the service: start page, result, policies, and what is told when something is refused.

Every function gives a whole page that runs under `geoplan_web.assets.content_security_policy` with the nonce that
it is given. Pages work without scripts; scripts add drag and drop, and join the findings with the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, NamedTuple

from geoplan.errors import GeoplanError
from geoplan.messages import Lang, Message, say
from geoplan.policy import ALWAYS, Policy, PolicyBook
from geoplan_web.evidence import farmland_tables, shown_by
from geoplan_web.figures import boundary_measures, finding_figures, land_rows
from geoplan_web.finding import ICONS, ReportView
from geoplan_web.policy import PolicySheet
from geoplan_web.summary import summary
from geoplan_web.templating import render
from geoplan_web.wording import Json

CHINA_TIME = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class LayerCard:
    """A registered layer on the start page; ``day`` in ISO form, ``coverage`` declared or assumed."""

    role: str
    file: str
    day: str | None
    coverage: str
    invented: bool = False


@dataclass(frozen=True)
class CheckCard:
    """An earlier check on the start page: when it was made, and whether what was declared breaks a paper."""

    id: str
    name: str | None
    verdict: str
    made_at: datetime
    breaks: bool = False

    @property
    def tone(self) -> str:
        """Verdict id whose colour and sign it is shown in: a pass with broken requirements never looks like a pass."""
        return "fail" if self.breaks else self.verdict

    @property
    def made_on(self) -> str:
        """When it was made, as clocks in China show it."""
        return self.made_at.replace(tzinfo=self.made_at.tzinfo or UTC).astimezone(CHINA_TIME).strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class FileRow:
    """Files of one content on the result page: ``planning``, ``construction`` or ``overlaps``; addresses by suffix."""

    subject: str
    files: Mapping[str, str]


class Told(NamedTuple):
    """A refusal in one language: the file and the place in it, then what is wrong and how to mend it."""

    file: str | None
    where: str | None
    text: str
    others: tuple[Told, ...] = ()
    """Further faults of the same file."""
    link: str | None = None
    """Where it can be mended."""


class _Place(NamedTuple):
    """A place with its policies."""

    name: str
    policies: list[PolicySheet]


def home(
    lang: Lang,
    *,
    policies: Sequence[Policy],
    layers: Sequence[LayerCard],
    roles: Sequence[str],
    recent: Sequence[CheckCard],
    nonce: str,
    cities: Mapping[str, Sequence[tuple[str, str]]] = MappingProxyType({}),
    refusal: GeoplanError | Mapping[str, Any] | None = None,
    link: str | None = None,
) -> str:
    """The start page: the form for ``POST /checks``, the layers that will be used, and the newest checks.

    Parameters
    ----------
    policies
        All that may be chosen; ``land-law`` is shown as always checked.
    layers, roles
        What is registered, and every role that a layer can be uploaded for.
    cities
        Where a file may lie: by province, code and name of each city.
    refusal
        Why the form that was just sent was refused: the error, or its problem document.
    link
        Where it can be mended without sending the form again.
    """
    problem = refusal.as_dict() if isinstance(refusal, GeoplanError) else refusal
    return render(
        "home.html", lang,
        nonce=nonce, here="/", places=places_of(policies, lang), always=ALWAYS, layers=layers_by_role(layers),
        recent=recent, icons=ICONS, roles=roles, cities=cities, told=told_of(problem, lang, link) if problem else None,
    )  # fmt: skip


def result(content: Json, links: Mapping[str, str], lang: Lang, *, nonce: str, files: Sequence[FileRow] = ()) -> str:
    """The page of a check: verdict, what to change, findings beside the map, measures, data, downloads.

    Parameters
    ----------
    content
        The report ``geoplan/report/1``; ``invented`` marks demo data on the page.
    links
        Addresses: ``map`` (the page shown in a frame), and for downloads ``map_file``, ``report``, ``overlaps``.
    files
        Boundaries and pieces in the formats that can be written.
    """
    report = ReportView(content, lang)
    parts, measures = boundary_measures(report)
    return render(
        "result.html", lang,
        nonce=nonce, here="", report=report, links=links, summary=summary(report), icons=ICONS,
        shown_by=shown_by, figures=finding_figures, parts_drawn=parts, measures=measures, land=land_rows(report),
        farmland=farmland_tables(report), files=files,
    )  # fmt: skip


def policy_list(policies: Sequence[Policy], lang: Lang, *, nonce: str) -> str:
    """All policies by place."""
    return render("policies.html", lang, nonce=nonce, here="/policies", places=places_of(policies, lang))


def policy_page(policy: Policy, book: PolicyBook, lang: Lang, *, nonce: str) -> str:
    """One policy to read: each clause in the paper's words, and beside it how the tool judges it."""
    sheet = PolicySheet(policy, book, lang)
    return render("policy.html", lang, nonce=nonce, here=f"/policies/{policy.id}", sheet=sheet)


def problem(problem: Mapping[str, Any], lang: Lang, *, nonce: str, link: str | None = None) -> str:
    """What is told when a page cannot be given: the problem document (RFC 9457) in words, and a link to its mend."""
    return render("problem.html", lang, nonce=nonce, here="/", problem=problem, told=told_of(problem, lang, link))


def layers_by_role(layers: Sequence[LayerCard]) -> dict[str, list[LayerCard]]:
    """Registered layers by role: a service may hold a role for many places."""
    found: dict[str, list[LayerCard]] = {}
    for layer in layers:
        found.setdefault(layer.role, []).append(layer)
    return found


def told_of(problem: Mapping[str, Any], lang: Lang, link: str | None = None) -> Told:
    """A problem without the file and place that its text begins with: they are shown by themselves."""
    text = str(problem.get(lang) or problem.get("detail") or problem.get("title") or "")
    file, where = problem.get("file"), problem.get("where")
    for part in filter(None, (file, where)):
        text = text.removeprefix(f"{part}{say(Message('page.colon'), lang)}")
    return Told(file, where, text, tuple(told_of(each, lang) for each in problem.get("others", ())), link)


def places_of(policies: Sequence[Policy], lang: Lang) -> list[_Place]:
    """Policies by place: the whole country first, then by administrative code; what is always checked stands first."""
    book, found = PolicyBook(), dict[str, _Place]()

    def order(policy: Policy) -> tuple[object, ...]:
        compiled = policy.document.status == "compiled"
        return policy.adcode != "100000", policy.adcode, policy.id != ALWAYS, compiled

    for policy in sorted(policies, key=order):
        sheet = PolicySheet(policy, book, lang)
        found.setdefault(sheet.place, _Place(sheet.place, [])).policies.append(sheet)
    return list(found.values())
