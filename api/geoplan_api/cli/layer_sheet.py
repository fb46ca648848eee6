"""What the command line shows of a layer version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from geoplan.messages import Lang, Message, say, word
from geoplan_layers.prepared.version import Version

_MOST_CLASSES = 12


def print_versions(versions: Sequence[Version], used: Iterable[str], lang: Lang, console: Console) -> None:
    """One line for each version, those in use marked."""
    if not versions:
        console.print(say(_line("none"), lang))
        return
    in_use = set(used)
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key in ("role", "version", "date", "patches", "coverage", "file"):
        grid.add_column(say(Message(f"layer-sheet.column-{key}"), lang), overflow="fold")
    for each in versions:
        mark = "●" if each.id in in_use else "○"
        name = f"{mark} {word('role', each.role, lang)}"
        day = each.meta.day.isoformat() if each.meta.day else "—"
        coverage = word("coverage", each.coverage_from, lang)
        count = f"{each.meta.patches:,}"
        grid.add_row(escape(name), each.id, day, count, coverage, escape(each.file))
    console.print(grid)


def print_version(version: Version, lang: Lang, console: Console) -> None:
    """All that is known of one version."""
    for message in sheet(version):
        console.print(escape(say(message, lang)), soft_wrap=True)
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key in ("code", "name", "patches", "area"):
        grid.add_column(
            say(Message(f"layer-sheet.column-{key}"), lang), justify="left" if key in ("code", "name") else "right"
        )
    for each in version.meta.classes[:_MOST_CLASSES]:
        area = say(_line("area", {"area": each.area_m2}), lang)
        mark = "" if each.known else " ?"
        grid.add_row(escape(each.code + mark) or "—", escape(each.name) or "—", f"{each.patches:,}", area)
    if version.meta.classes:
        console.print(grid)
    left = len(version.meta.classes) - _MOST_CLASSES
    if left > 0:
        console.print(say(_line("more-classes", {"count": left}), lang))


def sheet(version: Version) -> list[Message]:
    """A version in sentences: what it is, where it lies, and of which quality it is."""
    meta = version.meta
    west, south, east, north = (round(each, 4) for each in meta.degrees)
    told = [
        _line("head", {"role": version.role, "version": version.id, "file": version.file}),
        Message(
            "layer-sheet.about",
            {
                "patches": meta.patches,
                "vertices": meta.vertices,
                "crs": meta.crs,
                "generation": _generation(version),
                "date": meta.day.isoformat() if meta.day else None,
                "source": meta.source,
                "until": meta.valid_until.isoformat() if meta.valid_until else None,
            },
        ),
        _line("extent", {"west": west, "south": south, "east": east, "north": north}),
        _line("coverage", {"coverage": version.coverage_from}),
    ]
    return [*told, *_left_out(version), *_quality(version), *(each.message for each in meta.notes)]


def _line(name: str, args: Mapping[str, Any] | None = None) -> Message:
    return Message(f"layer-sheet.{name}", args or {})


def _generation(version: Version) -> Message | None:
    return Message(f"word.generation.{version.meta.generation}") if version.meta.generation else None


def _left_out(version: Version) -> list[Message]:
    left = version.meta.quarantine
    if not left.rows:
        return [_line("nothing-left-out")]
    reasons = [_line("reason", {"reason": reason, "count": count}) for reason, count in left.reasons.items()]
    path = str(version.folder / "quarantine.parquet")
    return [_line("left-out", {"count": left.rows, "area": left.area_m2, "reasons": reasons, "path": path})]


def _quality(version: Version) -> list[Message]:
    quality, told = version.meta.quality, []
    if quality.unknown_codes:
        unknown = [each.code or "—" for each in version.meta.classes if not each.known]
        told.append(_line("unknown-codes", {"count": quality.unknown_codes, "codes": unknown[:20]}))
    if quality.areas is not None and quality.areas.unit is None:
        told.append(_line("area-unit-unknown", {"field": quality.areas.field}))
    elif quality.areas is not None:
        column = quality.areas
        args = {"field": column.field, "unit": Message(f"word.area-unit.{column.unit}"), "count": column.compared}
        args |= {"beyond": column.beyond, "apart": column.declared_m2 - column.measured_m2}
        told.append(_line("area-column", args))
        told += [_line("area-worst", each.model_dump()) for each in column.worst[:3] if abs(each.difference_m2) > 1]
    if quality.overlaps is not None:
        over = quality.overlaps
        told.append(_line("overlaps", {"pairs": over.pairs, "area": over.area_m2, "slivers": over.slivers}))
        told += [_line("overlap-worst", each.model_dump()) for each in over.worst[:3]]
    if quality.gaps is not None:
        holes = quality.gaps
        told.append(_line("gaps", {"count": holes.count, "area": holes.area_m2, "slivers": holes.slivers}))
        told += [_line("gap-worst", each.model_dump()) for each in holes.worst[:3]]
    return told
