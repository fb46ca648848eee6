"""A check's boundaries and pieces as files, made from its stored report and overlaps file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geoplan.errors import NotFound
from geoplan.messages import Lang, Message
from geoplan_api.service import Service
from geoplan_api.store import StoredCheck
from geoplan_layers.overlaps import Overlaps
from geoplan_layers.writers.deliver import written
from geoplan_layers.writers.formats import WRITERS, Writer, writer_of
from geoplan_layers.writers.prepare import fitted
from geoplan_layers.writers.report_sheets import PARTS, boundary_sheet, overlap_sheet
from geoplan_layers.writers.sheet import Sheet, WriteOptions
from geoplan_web.pages import FileRow

Subject = Literal["boundary", "overlaps"]
NOT_OFFERED = frozenset({".shp", ".zip", ".json"})
"""Suffixes that would do for writing on a disk, but not for one file to take away, or that say less than another."""


@dataclass(frozen=True)
class Download:
    """One file: its name, its bytes, and what writing it changed."""

    name: str
    content: bytes
    media_type: str
    notes: tuple[Message, ...]


def suffixes() -> list[str]:
    """The formats that are offered, as they stand in addresses: ``shp.zip``, ``gpkg`` …"""
    return [each[1:] for writer in WRITERS for each in writer.suffixes if each not in NOT_OFFERED]


def media_types() -> list[str]:
    """The media types of the formats that are offered."""
    return [writer_of(Path(f"x.{suffix}")).media_type for suffix in suffixes()]


def format_named(suffix: str, path: str) -> Writer:
    """The format of an address.

    Raises
    ------
    NotFound
        It is not offered.
    """
    if suffix not in suffixes():
        raise NotFound("page-unknown", path=path[:200])
    return writer_of(Path(f"x.{suffix}"))


def download(
    service: Service, check: StoredCheck, subject: Subject, suffix: str, lang: Lang, part: str | None = None
) -> Download:
    """The boundaries (or one ``part``) or the pieces of a check in a format.

    Raises
    ------
    NotFound
        The check has no such part, or no pieces that the format can hold.
    CannotFinish
        The disk is full.
    """
    _, content = service.report(check)
    overlaps = service.overlaps(check, content)
    name = f"{part or subject}.{suffix}"
    return made_file(service, _sheet(content, overlaps, subject, lang, part), name, content["proposal"]["name"], lang)


def made_file(service: Service, sheet: Sheet, name: str, title: str | None, lang: Lang) -> Download:
    """A sheet in the format that a file name says.

    Raises
    ------
    NotFound
        It has nothing that the format can hold.
    CannotFinish
        The disk is full.
    """
    writer = writer_of(Path(name))
    layers = tuple(layer for layer in sheet.layers if layer.kinds <= writer.holds)
    if not layers:
        raise NotFound("no-pieces")
    held = Sheet(layers, sheet.frame, sheet.colours)
    fitting, changed = fitted(held, writer, None, name, leave_out=True)
    if not any(len(layer.shapes) for layer in fitting.layers):
        raise NotFound("no-pieces")
    with service.home.workspace() as folder:
        made = written(fitting, writer, folder / name, WriteOptions(lang, title or name))
        return Download(name, made.paths[0].read_bytes(), writer.media_type, (*changed, *made.notes))


def _sheet(content: dict[str, Any], overlaps: Overlaps, subject: Subject, lang: Lang, part: str | None) -> Sheet:
    if subject == "boundary":
        return boundary_sheet(content, overlaps, lang, part)
    return overlap_sheet(content, overlaps, lang)


def file_rows(check_id: str, content: dict[str, Any], lang: Lang) -> list[FileRow]:
    """What the page of a check offers: a row for each boundary and one for the pieces."""
    base, made = f"/checks/{check_id}", suffixes()
    rows = [
        FileRow(part, {each: f"{base}/boundary.{each}?part={part}&lang={lang}" for each in made})
        for part in PARTS
        if content["proposal"][part]
    ]
    findings = [finding for policy in content["policies"] for finding in policy["findings"]]
    if any(each["evidence"] for each in (*content["structure"], *findings)):
        rows.append(FileRow("overlaps", {each: f"{base}/overlaps.{each}?lang={lang}" for each in made}))
    return rows
