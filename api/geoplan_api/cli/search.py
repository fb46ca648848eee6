"""``geoplan search``: where a town could lie."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from geoplan.errors import CallRefused
from geoplan.messages import Lang, Message, say, word
from geoplan.messages.units import format_unit
from geoplan_api.cli.options import Asked, JsonOption, LangOption, OutOption, asks, console, language
from geoplan_api.cli.tables import Heading, table
from geoplan_layers.sandbox.workers import warm

if TYPE_CHECKING:
    from rich.table import Table

    from geoplan.search.content import SearchContent
    from geoplan_api.search.run import SearchResult


@asks
def search(
    asked: Asked,
    area: Annotated[str | None, typer.Option(help="研究范围 / study area FILE#LAYER[FIELD=VALUE]")] = None,
    criteria: Annotated[Path | None, typer.Option(help="选址条件 / criteria FILE.toml")] = None,
    count: Annotated[int | None, typer.Option(help="候选个数 / how many candidates")] = None,
    why: Annotated[str | None, typer.Option(metavar="LON,LAT", help="这一点为何能选或不能选 / why a point")] = None,
    criteria_template: Annotated[
        bool, typer.Option("--criteria-template", help="打印一份带说明的条件文件 / print a criteria file to start from")
    ] = False,
    out: OutOption = None,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """选址：哪里可以建小镇 / where a town could lie."""
    tongue = language(lang)
    if criteria_template:
        sys.stdout.write(_template())
        return
    if area is None or criteria is None:
        raise CallRefused("option-missing", option="--area" if area is None else "--criteria")
    point = _point(why)
    warm()
    from geoplan_api.cli.asked import inquiry_of
    from geoplan_api.cli.interrupt import interruptible
    from geoplan_api.cli.progress import ProgressLine
    from geoplan_api.office import home_folder
    from geoplan_api.registered import in_home, rasters_near, store_of
    from geoplan_api.search.request import search_request
    from geoplan_api.search.run import run_search

    request = search_request(in_home(inquiry_of(area, None, None, asked)), criteria, count, tongue)
    held = rasters_near(request.inquiry, store_of(home_folder()), [each.role for each in request.rasters])
    request = replace(request, rasters=(*request.rasters, *held))
    line = ProgressLine(tongue)
    result = interruptible(lambda progress: run_search(request, out, progress, point), line)
    line.end()
    if as_json:
        content = result.content.as_dict() | ({"why": result.why} if result.why else {})
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    _told(result, tongue, console(err=as_json))
    raise typer.Exit(result.exit_status)


def _template() -> str:
    from geoplan_api.demo import data_folder

    return (data_folder() / "search" / "template.criteria.toml").read_text(encoding="utf-8")


def _point(text: str | None) -> tuple[float, float] | None:
    """``LON,LAT`` in degrees."""
    if text is None:
        return None
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise CallRefused("search-why-spelling", given=text) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise CallRefused("search-why-spelling", given=text)
    return lon, lat


def _told(result: SearchResult, lang: Lang, terminal: Any) -> None:
    from geoplan_api.search.why_words import why_lines

    content = result.content
    of = content.account

    def tell(key: str, **args: Any) -> None:
        terminal.print(escape(say(Message(f"search.{key}", args), lang)), soft_wrap=True)

    if content.invented:
        tell("invented")
    if content.outside_china:
        tell("outside-china")
    amounts = {"area": of.area_m2, "excluded": of.excluded_m2, "unknown": of.unknown_m2, "eligible": of.eligible_m2}
    tell("account", **amounts)
    terminal.print(_constraints(content, lang))
    _choice_told(content, lang, terminal, tell)
    for each in content.dropped:
        if each.why:
            where = f"{each.at.lon:.4f}, {each.at.lat:.4f}"
            terminal.print(f"  · {where}  {escape(each.why.says[lang])}", soft_wrap=True)
    for line in why_lines(result.why, content, lang) if result.why else []:
        terminal.print(escape(line), soft_wrap=True)
    if result.folder:
        terminal.print(escape(str(result.folder)), soft_wrap=True)
    tell("disclaimer")


def _choice_told(content: SearchContent, lang: Lang, terminal: Any, tell: Callable[..., None]) -> None:
    if not content.candidates:
        tell("none")
        return
    tell("found", count=len(content.candidates))
    terminal.print(_candidates(content, lang))
    if len(content.candidates) < content.count:
        tell("fewer", wanted=content.count)
    tell("selection", method=content.selection.method, seeds=content.selection.seeds)
    if content.selection.gap is not None:
        tell("gap", ceiling=content.selection.ceiling, gap=content.selection.gap)


def _heading(name: str, lang: Lang, unit: str = "", *, figures: bool = True) -> Heading:
    title = say(Message(f"search.column.{name}"), lang)
    return Heading(f"{title}\n{word('area-unit', unit, lang)}" if unit else title, figures)


def _km2(area: float) -> str:
    return f"{area / 1e6:.4f}"


def _candidates(content: SearchContent, lang: Lang) -> Table:
    headings = [
        _heading("rank", lang),
        _heading("score", lang),
        _heading("planning", lang, "km2"),
        _heading("construction", lang, "km2"),
        _heading("verdict", lang, figures=False),
        _heading("stays", lang),
        _heading("town", lang),
        _heading("place", lang),
    ]
    rows = [
        (
            str(each.rank),
            f"{each.score:.3f}",
            _km2(each.planning.area_m2),
            "—" if each.construction is None else _km2(each.construction.area_m2),
            word("verdict", each.verdict, lang),
            f"{each.stays:.0%}",
            "—" if each.nearest_town_m is None else format_unit(each.nearest_town_m, "distance", lang),
            f"{each.at.lon:.4f}, {each.at.lat:.4f}",
        )
        for each in content.candidates
    ]
    return table(headings, rows, gap=1)


def _constraints(content: SearchContent, lang: Lang) -> Table:
    headings = [
        _heading("constraint", lang, figures=False),
        *(_heading(name, lang, "km2") for name in ("alone", "only", "unknown")),
    ]
    rows = [
        (each.title.says[lang], _km2(each.alone_m2), _km2(each.only_m2), _km2(each.unknown_m2))
        for each in content.account.constraints
    ]
    return table(headings, rows)
