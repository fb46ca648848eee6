"""The one way from a request to a folder of results."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoplan.progress import Progress
from geoplan.search.content import SearchContent
from geoplan.search.siting import search
from geoplan_api.search.request import SearchRequest
from geoplan_api.search.results import candidate_name, write_results
from geoplan_api.search.study import judge, mender, prepare
from geoplan_api.search.why import why_at
from geoplan_layers.sandbox.session import reading
from geoplan_layers.unfinished import building


@dataclass(frozen=True)
class SearchResult:
    """The record of a search, its folder if one was asked for, and why a point is or is not a site."""

    content: SearchContent
    folder: Path | None
    why: dict[str, Any] | None = None

    @property
    def exit_status(self) -> int:
        """0 with candidates, 1 without."""
        return 0 if self.content.candidates else 1


@reading()
def run_search(
    request: SearchRequest, out: Path | None, progress: Progress, why: tuple[float, float] | None = None
) -> SearchResult:
    """Search, and write the results.

    Parameters
    ----------
    out
        The folder of the results, made where it is missing; none keeps nothing but the record.
    why
        Longitude and latitude of a point to be explained.

    Raises
    ------
    GeoplanError
        What was refused or could not be finished; nothing is left half written.
    Cancelled
        ``progress`` says that the user asked for it.
    """
    prepared = prepare(request, progress)

    def name(number: int) -> str:
        return candidate_name(number, request.lang)

    found = search(prepared.study, judge(prepared, name), request.wanted, progress, mender(prepared, name, progress))
    with nullcontext(out) if out else building(None, "geoplan-search-") as folder:
        content = write_results(prepared, found, folder, progress)
        explained = None if why is None else why_at(folder, *why)
    return SearchResult(content, out, explained)
