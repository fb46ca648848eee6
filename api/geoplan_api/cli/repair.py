"""``geoplan repair``: the smallest edit after which no rule fails."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from geoplan.messages import Lang, Message, say, word
from geoplan_api.cli.options import (
    Asked,
    ConstructionOption,
    JsonOption,
    LangOption,
    NameOption,
    OutOption,
    PlanningOption,
    asks,
    console,
    language,
)
from geoplan_api.cli.tables import Heading, table
from geoplan_layers.sandbox.workers import warm

if TYPE_CHECKING:
    from rich.table import Table

    from geoplan.repair.content import AnswerRecord, RepairContent


@asks
def repair(
    planning: PlanningOption,
    asked: Asked,
    construction: ConstructionOption = None,
    name: NameOption = None,
    move_for_readings: Annotated[
        bool,
        typer.Option(
            "--move-for-readings", help="也修复只因口径（如邻近3公里）不通过的 / mend what fails by a reading too"
        ),
    ] = False,
    out: OutOption = None,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """修复：最小的修改，使规则不再不通过 / the smallest edit after which no rule fails."""
    tongue = language(lang)
    warm()
    from geoplan_api.cli.asked import inquiry_of
    from geoplan_api.cli.interrupt import interruptible
    from geoplan_api.cli.progress import ProgressLine
    from geoplan_api.registered import in_home
    from geoplan_api.repairing import Asked as Repair
    from geoplan_api.repairing import mended

    inquiry = in_home(inquiry_of(planning, construction, name, asked))
    line = ProgressLine(tongue)
    done = interruptible(
        lambda progress: mended(Repair(inquiry, move_for_readings), out, tongue, progress=progress), line
    )
    line.end()
    if as_json:
        sys.stdout.write(json.dumps(done.content.as_dict(), ensure_ascii=False, indent=2) + "\n")
    terminal = console(err=as_json)
    print_repair(done.content, tongue, terminal)
    for path in done.paths:
        terminal.print(escape(str(path)), soft_wrap=True)
    raise typer.Exit(done.exit_status)


def print_repair(content: RepairContent, lang: Lang, terminal: Any) -> None:
    """A repair in words and tables."""

    def tell(key: str, **args: Any) -> None:
        terminal.print(escape(say(Message(f"repair.{key}", args), lang)), soft_wrap=True)

    best = content.answers[0] if content.answers else None
    from geoplan.repair.content import named

    rules = named(content.conflict or content.left or content.broken, content.titles, lang)
    tell(content.outcome, rules=rules, area=best.changed_m2 if best else 0.0)
    if best is None or content.outcome != "repaired":
        return
    if content.bound_m2 and best.ratio is not None:
        tell("bound", bound=content.bound_m2, ratio=f"{best.ratio:.3f}")
    if content.left:
        tell("left", rules=named(content.left, content.titles, lang))
    if best.holes:
        tell("holes", holes=best.holes)
    terminal.print(_parts(content.answers, lang))
    tell("disclaimer")


def _parts(answers: list[AnswerRecord], lang: Lang) -> Table:
    def heading(key: str, unit: str = "") -> Heading:
        title = say(Message(f"repair.column.{key}"), lang)
        return Heading(f"{title}\n{word('area-unit', unit, lang)}" if unit else title, figures=bool(unit))

    headings = [
        *(heading(key) for key in ("answer", "kind", "part")),
        *(heading(key, "km2") for key in ("before", "after")),
        *(heading(key, "ha") for key in ("removed", "added")),
        heading("verdict"),
    ]
    rows = [
        (
            "" if i else str(answer.rank),
            "" if i else say(Message(f"repair.kind.{answer.kind}"), lang),
            word("part", part.part, lang),
            f"{part.before_m2 / 1e6:.4f}",
            f"{part.after_m2 / 1e6:.4f}",
            f"{part.removed_m2 / 1e4:.4f}",
            f"{part.added_m2 / 1e4:.4f}",
            "" if i else word("verdict", answer.verdict, lang),
        )
        for answer in answers
        for i, part in enumerate(answer.parts)
    ]
    return table(headings, rows)
