"""``geoplan repair``: the smallest edit after which no rule fails."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from geoplan.messages import Lang, Message, say, word
from geoplan.messages.units import format_unit
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
from geoplan_layers.sandbox.workers import warm

if TYPE_CHECKING:
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
    from geoplan_api.registered import in_home
    from geoplan_api.repairing import Asked as Repair
    from geoplan_api.repairing import mended

    inquiry = in_home(inquiry_of(planning, construction, name, asked))
    done = mended(Repair(inquiry, move_for_readings), out, tongue)
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
    table = Table(box=None, padding=(0, 2, 0, 0))
    for key in ("answer", "kind", "part", "before", "after", "removed", "added", "verdict"):
        side = "right" if key in ("before", "after", "removed", "added") else "left"
        table.add_column(say(Message(f"repair.column.{key}"), lang), justify=side)  # type: ignore[arg-type]
    for answer in answers:
        kind = say(Message(f"repair.kind.{answer.kind}"), lang)
        for i, part in enumerate(answer.parts):
            areas = (part.before_m2, part.after_m2, part.removed_m2, part.added_m2)
            table.add_row(
                "" if i else str(answer.rank),
                "" if i else kind,
                word("part", part.part, lang),
                *(
                    format_unit(area, "km2s", lang) if n < 2 else format_unit(area, "ha_short", lang)
                    for n, area in enumerate(areas)
                ),
                "" if i else word("verdict", answer.verdict, lang),
            )
    return table
