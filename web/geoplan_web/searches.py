"""The pages of searches: those that were asked, the form of a new one, how far one is, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geoplan.messages import Lang
from geoplan.policy import ALWAYS, Policy
from geoplan_web.finding import ICONS
from geoplan_web.jobs import SIGNS, JobCard, clock
from geoplan_web.pages import LayerCard, layers_by_role, places_of, told_of
from geoplan_web.search_map import reason_rows
from geoplan_web.templating import render
from geoplan_web.wording import Json


def search_list(jobs: Sequence[JobCard], lang: Lang, *, nonce: str) -> str:
    """All searches, newest first; the page follows those that run."""
    return render("searches.html", lang, nonce=nonce, here="/searches", jobs=jobs, signs=SIGNS, clock=clock)


def search_form(
    lang: Lang,
    *,
    policies: Sequence[Policy],
    layers: Sequence[LayerCard],
    roles: Sequence[str],
    numbers: Mapping[str, Any],
    nonce: str,
    refusal: Mapping[str, Any] | None = None,
) -> str:
    """The form for ``POST /searches``.

    Parameters
    ----------
    layers, roles
        What is registered, and every role that a file can be given for.
    numbers
        Fields of the usual criteria by name, with ``low``, ``high`` and ``default``.
    refusal
        Why the form that was just sent was refused: its problem document.
    """
    return render(
        "search_new.html", lang,
        nonce=nonce, here="/searches/new", places=places_of(policies, lang), always=ALWAYS,
        layers=layers_by_role(layers), roles=roles, numbers=numbers, told=told_of(refusal, lang) if refusal else None,
    )  # fmt: skip


def search_waiting(job: JobCard, lang: Lang, *, nonce: str) -> str:
    """A search that is not done: how far it is, or why there is no answer."""
    told = told_of(job.error, lang) if job.error else None
    here = f"/searches/{job.id}"
    return render("search_waiting.html", lang, nonce=nonce, here=here, job=job, signs=SIGNS, clock=clock, told=told)


def search_page(job: JobCard, content: Json, lang: Lang, *, nonce: str, href: Callable[[str], str]) -> str:
    """What a search found: map, candidates, what was excluded, what was dropped, downloads.

    Parameters
    ----------
    content
        The record ``geoplan/search/1``.
    href
        Address of a file of the search by its name.
    """
    title = (content.get("title") or {}).get(lang) or job.name
    return render(
        "search.html", lang,
        nonce=nonce, here=f"/searches/{job.id}", job=job, search=content, title=title, icons=ICONS, href=href,
        colors={row["bit"]: row["style"]["fillColor"] for row in reason_rows(content, lang)},
    )  # fmt: skip
