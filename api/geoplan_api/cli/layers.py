"""``geoplan layers``: import, list, show and remove the reference layers of the home."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoplan.errors import CallRefused
from geoplan.messages import Lang, Message, say
from geoplan_api.cli.once import Commands
from geoplan_api.cli.options import AnywhereOption, JsonOption, LangOption, PlaceOption, console, language

if TYPE_CHECKING:
    from geoplan.progress import Progress
    from geoplan_layers.prepared.importing import ImportRequest
    from geoplan_layers.prepared.store import LayerStore
    from geoplan_layers.prepared.version import Version
    from geoplan_layers.selector import LayerSpec

layers_app = Commands(no_args_is_help=True, help="登记的图层 / the reference layers of this computer")
Role = Annotated[str, typer.Argument(metavar="ROLE", help="land-use | permanent-basic-farmland | custom:NAME …")]
Which = Annotated[str | None, typer.Argument(metavar="VERSION", help="版本号或其开头 / id, or how it begins")]


@layers_app.command()
def add(
    role: Role,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="FILE#LAYER[FIELD=VALUE][@EPSG:N][@GENERATION] | postgresql://… | s3://…"
        ),
    ],
    coverage: Annotated[str | None, typer.Option(help="声明的覆盖范围 FILE / declared coverage")] = None,
    date: Annotated[str | None, typer.Option(help="数据日期 YYYY-MM-DD / of the data")] = None,
    source: Annotated[str | None, typer.Option(help="来源 / who gave it")] = None,
    valid_until: Annotated[str | None, typer.Option(help="有效期至 YYYY-MM-DD / valid until")] = None,
    place: PlaceOption = None,
    anywhere: AnywhereOption = False,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """登记图层 / import a layer: check it, index it, use it from now on."""
    from geoplan_api.cli.layer_sheet import print_version
    from geoplan_api.cli.progress import ProgressLine
    from geoplan_api.registered import import_here

    tongue = language(lang)
    line = ProgressLine(tongue)
    try:
        with TemporaryDirectory(prefix="geoplan-") as folder:
            specs = _specs(role, files, Path(folder), line)
            request = _request(role, specs, coverage, (date, valid_until), source, place, anywhere)
            version = import_here(request, line)
    finally:
        line.end()
    if as_json:
        _json(version.as_dict())
    else:
        print_version(version, tongue, console())


def _specs(role: str, files: list[str], folder: Path, line: Progress) -> tuple[LayerSpec, ...]:
    """The files of a call; what lies in a database or object storage is copied into a folder first."""
    from geoplan_api.layer_import import specs_of
    from geoplan_api.settings import read_settings

    return specs_of(role, files, read_settings(), folder, line)


def _request(
    role: str,
    files: tuple[LayerSpec, ...],
    coverage: str | None,
    dates: tuple[str | None, str | None],
    source: str | None,
    place: str | None,
    anywhere: bool,
) -> ImportRequest:
    from geoplan_api.inquiry import civil_date
    from geoplan_layers.places import place_named
    from geoplan_layers.prepared.importing import ImportRequest
    from geoplan_layers.selector import parse_selector

    return ImportRequest(
        role,
        files,
        coverage=parse_selector(coverage) if coverage else None,
        day=civil_date(dates[0], "--date"),
        source=source,
        valid_until=civil_date(dates[1], "--valid-until"),
        place=place_named(place) if place else None,
        anywhere=anywhere,
    )


@layers_app.command("list")
def list_(lang: LangOption = "zh", as_json: JsonOption = False) -> None:
    """列出登记的图层及各版本 / the layers and their versions."""
    from geoplan_api.cli.layer_sheet import print_versions

    store = _store()
    used = {each.id for each in store.current()}
    found = [each for role in store.roles() for each in store.versions(role)]
    if as_json:
        _json([{"in_use": each.id in used, **_brief(each)} for each in found])
    else:
        print_versions(found, used, language(lang), console())


@layers_app.command()
def info(
    role: Role,
    version: Which = None,
    picture: Annotated[Path | None, typer.Option(help="小图 FILE.png / a small picture")] = None,
    lang: LangOption = "zh",
    as_json: JsonOption = False,
) -> None:
    """图层的地类、覆盖、质量 / classes, coverage, quality of a layer."""
    from geoplan_api.cli.layer_sheet import print_version

    store, tongue = _store(), language(lang)
    found = store.version(role, version)
    if as_json:
        _json(found.as_dict())
    else:
        print_version(found, tongue, console())
    if picture is not None:
        _draw(store, found, picture, tongue)


def _draw(store: LayerStore, version: Version, path: Path, lang: Lang) -> None:
    from geoplan_api.layer_picture import classes

    made = classes(store.open(version.role, version.id))
    if made is None:
        raise CallRefused("layer-without-picture", role=version.role)
    path.write_bytes(made)
    sys.stderr.write(say(Message("layer-sheet.picture", {"path": str(path)}), lang) + "\n")


@layers_app.command()
def remove(role: Role, version: Which = None, lang: LangOption = "zh", as_json: JsonOption = False) -> None:
    """删除一个版本，或图层的全部版本 / remove one version, or all of a layer."""
    gone = _store().remove(role, version)
    if as_json:
        _json([_brief(each) for each in gone])
        return
    for each in gone:
        args = {"role": each.role, "version": each.id}
        console().print(say(Message("layer-sheet.removed", args), language(lang)))


def _store() -> LayerStore:
    from geoplan_api.office import home_folder
    from geoplan_api.registered import store_of

    return store_of(home_folder())


def _brief(version: Version) -> dict[str, Any]:
    from geoplan_api.registered import version_as_dict

    meta = version.meta
    return version_as_dict(version) | {
        "patches": meta.patches,
        "quarantined": meta.quarantine.rows,
        "generation": meta.generation,
        "source": meta.source,
        "valid_until": meta.valid_until.isoformat() if meta.valid_until else None,
        "imported_at": meta.imported_at,
    }


def _json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
