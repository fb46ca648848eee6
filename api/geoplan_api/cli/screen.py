"""``geoplan screen``: many proposals to one table, with progress and a summary."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from geoplan import __version__
from geoplan.errors import CannotFinish
from geoplan.messages import Lang, Message, say, word
from geoplan.progress import Progress, unwatched
from geoplan_api.cli.interrupt import interruptible
from geoplan_api.inquiry import Grounds, Inquiry, civil_date, grounds
from geoplan_api.screen_rows import REFUSED, Answer, worst_status
from geoplan_api.screen_table import Journal, date_of
from geoplan_api.screening import Item, answers, items, sources
from geoplan_layers.reading import fingerprint
from geoplan_layers.sandbox.session import reading
from geoplan_layers.selector import Selector

_EVERY = 2.0
_VERDICTS = ("fail", "not-assessed", "attention", "pass", "not-applicable")
_LISTED = 20


@dataclass(frozen=True)
class Screen:
    """One call: the proposals (``inquiry.planning``), what they are judged on, and where the table goes."""

    inquiry: Inquiry
    out: Path
    field: str | None = None
    workers: int = 1
    resume: bool = False
    fast: bool = False
    scheduler: str | None = None


def screen(call: Screen, lang: Lang, console: Console) -> int:
    """Check every proposal, write the table, say what it holds; the exit status of its worst row.

    Raises
    ------
    CannotFinish
        A signal ended it: what is done is kept for ``--resume``.
    """
    return interruptible(
        lambda watched: _screened(call, lang, console, watched), unwatched, lambda: CannotFinish("screen-stopped")
    )


def _screened(call: Screen, lang: Lang, console: Console, watched: Progress) -> int:
    inquiry = call.inquiry
    if call.resume and inquiry.on is None:
        inquiry = replace(inquiry, on=civil_date(date_of(call.out)))
    with reading():
        files = sources(inquiry.planning)
        ground = grounds(inquiry)
        journal = Journal(call.out, _question(call, ground, files, lang), resume=call.resume)
        try:
            already = journal.done
            asked = islice(items(files, call.field), already, None)
            progress = _Progress(already, lang)
            for answer in _answers(call, ground, asked, lang):
                journal.add(answer)
                progress.tell(journal.done, answer)
                watched("screen", journal.done, 0)
            progress.end(journal.done)
            _summary(call.out, journal, lang, console)
            journal.finish()
        finally:
            journal.close()
    return worst_status(journal.statuses)


def _answers(call: Screen, ground: Grounds, asked: Iterator[Item], lang: Lang) -> Iterator[Answer]:
    if call.scheduler is None:
        return answers(ground, asked, lang, call.workers, fast=call.fast)
    from geoplan_api.screen_cluster import answers_of_cluster

    return answers_of_cluster(call.scheduler, ground, asked, lang, fast=call.fast)


def _question(call: Screen, ground: Grounds, files: list[Selector], lang: Lang) -> dict[str, Any]:
    """Everything that the table depends on, by hash where it is a file."""
    inquiry = ground.inquiry
    layers = [
        [each.role, each.source.sha256, each.source.select, each.crs, each.generation]
        + ([each.coverage_source.sha256] if each.coverage_source else [])
        for each in ground.layers
    ]
    return {
        "screen": 1,
        "on": ground.on.isoformat(),
        "version": __version__,
        "lang": lang,
        "proposals": [[each.name, each.choice, fingerprint(each.path)] for each in files],
        "name": call.field,
        "fast": call.fast,
        "registered": sorted(each.meta.sha256 for each in inquiry.registered),
        "crs": inquiry.frame.label if inquiry.frame else None,
        "datum": inquiry.datum,
        "place": inquiry.place.adcode if inquiry.place else None,
        "swap_xy": inquiry.swap_xy,
        "parameters": inquiry.parameters.sha256 if inquiry.parameters else None,
        "policies": [[each.id, each.sha256] for each in ground.book.chosen(ground.policies)],
        "layers": layers,
        "towns": ground.register.source.sha256 if ground.register and ground.register.source else None,
        "facts": ground.facts_source.sha256 if ground.facts_source else None,
        "accuracy": inquiry.accuracy,
        "anywhere": inquiry.anywhere,
        "readings": dict(inquiry.readings),
        "layer_max_age_years": inquiry.layer_max_age_years,
    }


class _Progress:
    """Lines for people on stderr, at most one every two seconds."""

    def __init__(self, already: int, lang: Lang) -> None:
        self._lang: Lang = lang
        self._already = already
        self._begun = self._last = time.monotonic()
        if already:
            self._say(Message("screen.resumed", {"count": already}))

    def tell(self, done: int, answer: Answer) -> None:
        """A proposal is done; a refused one is always told."""
        if answer.verdict == REFUSED:
            self._say(Message("screen.refused", {"name": answer.name, "why": answer.rows[0]["message"]}))
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            rate = (done - self._already) / max(self._last - self._begun, 1e-3)
            args = {"count": done, "rate": round(rate, 2), "name": answer.name}
            self._say(Message("screen.progress", args))

    def end(self, done: int) -> None:
        """All are done."""
        seconds = round(time.monotonic() - self._begun, 1)
        self._say(Message("screen.done", {"count": done, "seconds": seconds}))

    def _say(self, message: Message) -> None:
        sys.stderr.write(say(message, self._lang) + "\n")
        sys.stderr.flush()


def _summary(out: Path, journal: Journal, lang: Lang, console: Console) -> None:
    """How many proposals have which verdict, which rules they break, and those that were refused with the reason."""
    verdicts: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    refused: list[Answer] = []
    for answer in journal.answers():
        verdicts[answer.verdict] += 1
        broken.update(f"{r['policy']}.{r['rule']}" for r in answer.rows if r["verdict"] == "fail")
        if answer.verdict == REFUSED:
            refused.append(answer)
    console.print(say(Message("screen.table", {"count": journal.done, "path": str(out)}), lang), soft_wrap=True)
    for verdict in (v for v in _VERDICTS if verdicts[v]):
        console.print(f"  {word('verdict', verdict, lang)}  {verdicts[verdict]}")
    if broken:
        console.print(say(Message("screen.broken"), lang))
    for rule, count in broken.most_common():
        console.print(f"  {count:6d}  {escape(rule)}")
    if refused:
        console.print(say(Message("screen.refused-count", {"count": len(refused)}), lang))
    for answer in refused[:_LISTED]:
        console.print(f"  {escape(answer.name)}  {escape(str(answer.rows[0]['message']))}", soft_wrap=True)
