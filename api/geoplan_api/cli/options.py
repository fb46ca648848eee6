"""Options that commands share, each spelled once.

`Asked` holds what ``check``, ``screen``, ``repair`` and ``search`` are asked alike. A command that takes a parameter
``asked: Asked`` and is decorated with `asks` has every field of it as an option of its own.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from geoplan.errors import CallRefused
from geoplan.messages import Lang

Several = list[str] | None

SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask 调度器地址，如 tcp://host:8786 / address of a Dask scheduler"),
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="面积由内核批量计算（结论不变） / areas by the kernel, the same verdicts")
]
LangOption = Annotated[str, typer.Option("--lang", help="zh | en", envvar="GEOPLAN_LANG")]
JsonOption = Annotated[bool, typer.Option("--json", help="只在标准输出写 JSON / JSON alone on stdout")]
OutOption = Annotated[Path | None, typer.Option(help="输出目录 / output folder")]
NameOption = Annotated[str | None, typer.Option(help="方案名称 / name")]
PlanningOption = Annotated[str, typer.Option(help="规划范围 FILE#LAYER[FIELD=VALUE]")]
ConstructionOption = Annotated[str | None, typer.Option(help="建设范围 FILE#LAYER[FIELD=VALUE]")]
CrsOption = Annotated[
    str | None, typer.Option(help="EPSG:N，文件没有或错写坐标系时 / where a file lacks it or has it wrong")
]
DatumOption = Annotated[str | None, typer.Option(help="cgcs2000 | wgs84 | gcj02 | bd09，经纬度的基准 / of degrees")]
PlaceOption = Annotated[
    str | None,
    typer.Option(metavar="ADCODE", help="所在市县的行政区划代码，用以判断坐标系 / the place decides the system"),
]
SwapOption = Annotated[bool, typer.Option("--swap-xy", help="交换颠倒的东、北坐标 / exchange swapped axes")]
ParametersOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.toml", help="本地的基准转换参数，不保存 / your own datum parameters, never kept"),
]
AnywhereOption = Annotated[bool, typer.Option("--anywhere", help="允许境外数据 / data outside China")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a proposal is judged on, and how its files are read, as written on the command line."""

    policy: Annotated[Several, typer.Option(help="ID | FILE.toml, 可重复 / repeatable")] = None
    layer: Annotated[Several, typer.Option(help="ROLE=FILE[@EPSG:N][@gcj02|@bd09][@swap-xy][@GENERATION]")] = None
    coverage: Annotated[Several, typer.Option(help="ROLE=FILE")] = None
    towns: Annotated[str | None, typer.Option(help="小镇名册 FILE")] = None
    facts: Annotated[Path | None, typer.Option(help="申报指标 FILE.toml")] = None
    crs: CrsOption = None
    datum: DatumOption = None
    place: PlaceOption = None
    swap_xy: SwapOption = False
    datum_parameters: ParametersOption = None
    accuracy: Annotated[float, typer.Option(help="线位精度，米 / accuracy of lines, m")] = 0.05
    on: Annotated[str | None, typer.Option(help="YYYY-MM-DD")] = None
    reading: Annotated[Several, typer.Option(help="POLICY.RULE.KEY=VALUE")] = None
    anywhere: AnywhereOption = False


def asks(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter ``asked: Asked`` stands for the options of `Asked`, in its place among its own."""
    kinds = get_type_hints(Asked, include_extras=True)
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=kinds[each.name],
        )
        for each in fields(Asked)
    ]
    names = [each.name for each in shared]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        asked = Asked(**{name: given.pop(name) for name in names})
        command(asked=asked, **given)

    own = inspect.signature(command, eval_str=True).parameters.values()
    placed = [p for each in own for p in (shared if each.name == "asked" else [_keyword(each)])]
    called.__signature__ = inspect.Signature(placed)  # type: ignore[attr-defined]
    return called


def _keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def language(text: str) -> Lang:
    """``zh`` or ``en``.

    Raises
    ------
    CallRefused
        It is neither.
    """
    if text == "zh":
        return "zh"
    if text == "en":
        return "en"
    raise CallRefused("option-wrong", option="--lang", value=text, wanted="zh | en")


def console(*, err: bool = False) -> Any:
    """Where a command writes for people: stdout, or stderr."""
    from rich.console import Console

    return Console(stderr=err, highlight=False)
