"""The commands and their options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoplan.messages import Lang, Message, say
from geoplan_api.cli.layers import layers_app
from geoplan_api.cli.once import Commands
from geoplan_api.cli.options import (
    AnywhereOption,
    Asked,
    ConstructionOption,
    CrsOption,
    DatumOption,
    FastOption,
    JsonOption,
    LangOption,
    NameOption,
    OutOption,
    ParametersOption,
    PlaceOption,
    PlanningOption,
    SchedulerOption,
    SwapOption,
    asks,
    console,
    language,
)
from geoplan_api.cli.repair import repair
from geoplan_api.cli.search import search
from geoplan_layers.sandbox.workers import warm

if TYPE_CHECKING:
    from geoplan.report import Report

app = Commands(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
policies_app = Commands(no_args_is_help=False, invoke_without_command=True, help="政策文件 / the policies")
app.add_typer(policies_app, name="policies")
app.add_typer(layers_app, name="layers")
app.command()(search)
app.command()(repair)


@app.command()
@asks
def check(
    planning: PlanningOption,
    asked: Asked,
    construction: ConstructionOption = None,
    name: NameOption = None,
    out: OutOption = None,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """检查一个方案 / check a proposal."""
    warm()
    from geoplan_api.cli.asked import inquiry_of
    from geoplan_api.inquiry import answer
    from geoplan_api.registered import in_home

    tongue = language(lang)
    report = answer(in_home(inquiry_of(planning, construction, name, asked)))
    _told(report.content.as_dict(), _written(report, out, tongue), tongue, as_json)
    raise typer.Exit(report.exit_status)


def _written(report: Report, out: Path | None, lang: Lang) -> list[Path]:
    if out is None:
        return []
    from geoplan_api.write import write_report

    return write_report(report, out, lang)


def _told(content: dict[str, Any], written: list[Path], lang: Lang, as_json: bool) -> None:
    from geoplan_api.cli.show import print_report, print_written

    if as_json:
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        print_written(written, lang, console(err=True))
        return
    terminal = console()
    print_report(content, lang, terminal)
    print_written(written, lang, terminal)


@app.command()
@asks
def screen(
    proposals: Annotated[str, typer.Argument(metavar="FILE_OR_FOLDER", help="每行一个方案 / a proposal in each row")],
    out: Annotated[Path, typer.Option(help="FILE.csv | FILE.parquet")],
    asked: Asked,
    name: Annotated[str | None, typer.Option(help="方案名称字段 / field of the names")] = None,
    workers: Annotated[int, typer.Option(help="进程数 / processes", min=1, max=256)] = 1,
    scheduler: SchedulerOption = None,
    fast: FastOption = False,
    resume: Annotated[bool, typer.Option("--resume", help="接续未完成的表格 / go on with an unfinished table")] = False,
    lang: LangOption = "zh",
) -> None:
    """检查许多方案，写成一张表 / check many proposals into one table."""
    warm()
    from geoplan_api.cli.asked import inquiry_of
    from geoplan_api.cli.screen import Screen
    from geoplan_api.cli.screen import screen as screened
    from geoplan_api.registered import in_home

    tongue = language(lang)
    call = Screen(in_home(inquiry_of(proposals, None, None, asked)), out, name, workers, resume, fast, scheduler)
    raise typer.Exit(screened(call, tongue, console()))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="输出目录 / output folder")] = Path("geoplan-demo"),
    lang: LangOption = "zh",
) -> None:
    """检查随附的演示小镇 / check the shipped demo towns."""
    warm()
    from geoplan_api.demo import towns
    from geoplan_api.inquiry import answer
    from geoplan_api.write import write_report

    tongue = language(lang)
    terminal = console()
    terminal.print(say(Message("cli.invented"), tongue))
    for town in towns():
        report = answer(town.inquiry())
        terminal.rule(town.name[tongue])
        _told(report.content.as_dict(), write_report(report, out / town.key, tongue), tongue, as_json=False)


@app.command()
def info(
    file: Annotated[str, typer.Argument(help="FILE#LAYER[FIELD=VALUE]")],
    crs: CrsOption = None,
    datum: DatumOption = None,
    place: PlaceOption = None,
    swap_xy: SwapOption = False,
    datum_parameters: ParametersOption = None,
    anywhere: AnywhereOption = False,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """文件里有什么 / what a file holds: encoding, CRS, parts, repairs, areas."""
    warm()
    from geoplan_api.cli.asked import system_options
    from geoplan_api.cli.info import describe, print_description
    from geoplan_api.inquiry import frame_named
    from geoplan_layers.locate import ReadOptions
    from geoplan_layers.selector import parse_selector

    tongue = language(lang)
    means = system_options(datum, place, swap_xy, datum_parameters)
    found = describe(parse_selector(file), ReadOptions(frame_named(crs), anywhere, **means))
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        print_description(found, tongue, console())


@app.command()
def replay(
    report: Annotated[Path, typer.Argument(metavar="REPORT.json")],
    inputs: Annotated[
        list[Path] | None, typer.Option("--from", help="输入文件所在目录, 可重复 / where inputs lie")
    ] = None,
    datum_parameters: ParametersOption = None,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """按报告重新检查，核对结果是否一致 / do a check again from its report."""
    from geoplan_api.cli.replay import print_replay
    from geoplan_api.replay import replay as done_again
    from geoplan_layers.parameters_file import read_parameters

    tongue = language(lang)
    found = done_again(report, inputs or [], read_parameters(datum_parameters) if datum_parameters else None)
    if as_json:
        sys.stdout.write(json.dumps(found.as_dict(), ensure_ascii=False, indent=2) + "\n")
    print_replay(found, tongue, console(err=as_json))
    raise typer.Exit(found.exit_status)


@app.command()
def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="FILE#LAYER[FIELD=VALUE]")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help=".shp .zip .gpkg .kml .dxf .geojson .txt .xlsx")],
    to_crs: Annotated[str | None, typer.Option(help="输出坐标系 / system of the output, EPSG:N")] = None,
    crs: CrsOption = None,
    datum: DatumOption = None,
    place: PlaceOption = None,
    swap_xy: SwapOption = False,
    anywhere: AnywhereOption = False,
    lang: LangOption = "zh",
) -> None:
    """转换格式与坐标系 / another format or coordinate system."""
    from geoplan_api.cli.asked import system_options
    from geoplan_api.cli.convert import run
    from geoplan_api.inquiry import frame_named
    from geoplan_layers.locate import ReadOptions
    from geoplan_layers.selector import parse_selector

    tongue = language(lang)
    means = ReadOptions(frame_named(crs), anywhere, **system_options(datum, place, swap_xy, None))
    run(parse_selector(source), out, means, frame_named(to_crs), tongue, console())


@policies_app.callback()
def list_policies(context: typer.Context, lang: LangOption = "zh", as_json: JsonOption = False) -> None:
    """列出政策文件 / list the policies."""
    from geoplan_api.cli.policies import print_list

    if context.invoked_subcommand is None:
        print_list(language(lang), as_json, console())


@policies_app.command()
def show(
    policy_id: Annotated[str, typer.Argument(metavar="ID")],
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """一份文件的条款与规则 / one policy: clauses, rules, readings."""
    from geoplan_api.cli.policies import print_policy

    print_policy(policy_id, language(lang), as_json, console())


@policies_app.command()
def lint(file: Annotated[Path, typer.Argument()], lang: LangOption = "zh") -> None:
    """检查一份自编政策文件 / check an office's own policy file."""
    from geoplan_api.cli.policies import lint_file

    lint_file(file, language(lang), console(), console(err=True))


@policies_app.command("facts")
def facts_template(ids: Annotated[list[str], typer.Argument(metavar="ID ...")], lang: LangOption = "zh") -> None:
    """所需申报指标的空白表 / a blank facts file for some policies."""
    from geoplan_api.facts_template import facts_file
    from geoplan_api.office import named

    chosen, book = named(tuple(ids))
    sys.stdout.write(facts_file(chosen, book, language(lang)))


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8000,
    demo_layers: Annotated[bool, typer.Option("--demo", help="带演示图层 / with the demo's layers")] = False,
    lang: LangOption = "zh",
) -> None:
    """启动网页服务 / start the service."""
    from geoplan_api.serve import run

    language(lang)
    run(host, port, demo=demo_layers)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="report | policy | facts | criteria | search | repair")] = "report",
) -> None:
    """JSON Schema."""
    from geoplan_api.schemas import schema_of

    sys.stdout.write(json.dumps(schema_of(what), ensure_ascii=False, indent=2) + "\n")


@app.command()
def doctor(lang: LangOption = "zh") -> None:
    """检查安装 / check the installation."""
    from geoplan_api.cli.doctor import examine

    raise typer.Exit(examine(language(lang), console()))
