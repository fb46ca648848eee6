"""Versions of layers as pages and data show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from geoplan.layer_age import outdated
from geoplan.messages import Message
from geoplan_api.inquiry import today
from geoplan_api.service import Service
from geoplan_api.settings import Settings
from geoplan_layers.prepared.version import OPEN, QUARANTINE, RASTER, AreaColumn, Meta, Quality, Version
from geoplan_web.layers import ClassRow, LayerSheet, LeftOut, Row, VersionCard

SHOWN = 200
"""Patches put aside that a page lists; the file has all."""


def href(version: Version) -> str:
    """Where a version is shown."""
    return f"/layers/{quote(version.role, safe='')}/{version.id}"


def card_of(service: Service, version: Version) -> VersionCard:
    """A version in the list."""
    meta, used = version.meta, service.layers.in_use(version.role)
    raster = meta.raster
    file = version.folder / (RASTER if raster else OPEN)
    return VersionCard(
        href=href(version),
        role=version.role,
        id=version.id,
        file=version.file,
        source=meta.source,
        day=meta.day.isoformat() if meta.day else None,
        valid_until=meta.valid_until.isoformat() if meta.valid_until else None,
        generation=meta.generation,
        coverage=version.coverage_from,
        patches=meta.patches,
        left_out=meta.quarantine.rows,
        cells=(raster.width, raster.height) if raster else None,
        size=file.stat().st_size if file.is_file() else 0,
        imported_at=datetime.fromisoformat(meta.imported_at),
        in_use=used is not None and used.id == version.id,
        invented=meta.invented,
        old=tuple(outdated([meta], today(), service.settings.layer_max_age_years)),
    )


def layer_cards(service: Service) -> list[VersionCard]:
    """Every version of every role, and the demo's layers where the service holds them."""
    held = [card_of(service, version) for role in service.layers.roles() for version in service.layers.versions(role)]
    shipped = [
        VersionCard(
            href="", role=each.spec.role, id="", file=each.spec.selector.name, source=None,
            day=each.day.isoformat() if each.day else None, valid_until=None, generation=each.spec.generation,
            coverage=each.coverage_from, patches=0, left_out=0, cells=None, size=0, imported_at=None, in_use=True,
            invented=each.invented,
        )
        for each in service.registered.layers
    ]  # fmt: skip
    return [*held, *shipped]


def layers_data(service: Service) -> dict[str, Any]:
    """``GET /layers`` as data: what checks use now, and every version."""
    versions = [version for role in service.layers.roles() for version in service.layers.versions(role)]
    shown = [_line(service, version) for version in versions]
    used = [each for each in shown if each["in_use"]]
    return {"layers": [*used, *(each.as_dict() for each in service.registered.layers)], "versions": shown}


def version_data(service: Service, version: Version) -> dict[str, Any]:
    """A version as data: its record, without the words of its index."""
    meta = version.meta.model_dump(mode="json", by_alias=True, exclude={"words"})
    return {**_line(service, version), "meta": meta}


def _line(service: Service, version: Version) -> dict[str, Any]:
    meta, card = version.meta, card_of(service, version)
    return {
        "role": version.role,
        "version": version.id,
        "sha256": meta.sha256,
        "file": version.file,
        "date": card.day,
        "valid_until": card.valid_until,
        "source": meta.source,
        "generation": meta.generation,
        "coverage_from": version.coverage_from,
        "extent": [round(each, 6) for each in meta.degrees],
        "invented": meta.invented,
        "in_use": card.in_use,
        "imported_at": meta.imported_at,
        "patches": meta.patches,
        "left_out": meta.quarantine.rows,
        "raster": meta.raster.model_dump(mode="json") if meta.raster else None,
        "href": card.href,
    }


def sheet_of(service: Service, version: Version) -> LayerSheet:
    """Everything that the page of a version shows."""
    meta, card = version.meta, card_of(service, version)
    others = [each for each in service.layers.versions(version.role) if each.id != version.id]
    return LayerSheet(
        card=card,
        facts=_facts(version),
        classes=_classes(meta),
        quality=quality_rows(meta.quality),
        origins=[(each.file, each.sha256, each.rows) for each in meta.origins],
        notes=[*card.old, *(each.message for each in meta.notes)],
        reasons=meta.quarantine.reasons,
        left_out_area=meta.quarantine.area_m2,
        left_out_shown=_left_out(version),
        files=_files(version, card),
        others=[card_of(service, each) for each in others],
        map=f"{card.href}/map" if meta.raster is None and meta.patches else None,
    )


def _facts(version: Version) -> list[Row]:
    meta = version.meta
    west, south, east, north = meta.degrees
    said: list[tuple[str, float | str | None, str]] = [
        ("day", meta.day.isoformat() if meta.day else "—", ""),
        ("valid-until", meta.valid_until.isoformat() if meta.valid_until else "—", ""),
        ("source", meta.source or "—", ""),
        ("system", meta.crs, ""),
        ("extent", f"{west:.4f}, {south:.4f} – {east:.4f}, {north:.4f}", ""),
    ]
    if meta.raster is None:
        said += [("patch-count", meta.patches, "count"), ("vertices", meta.vertices, "count")]
        said += [("whole-area", sum(each.area_m2 for each in meta.classes) or None, "km2")]
    else:
        said += _cells(meta)
    said += [("sha256", meta.sha256, "")]
    return [Row(Message(f"layers.fact-{name}", {}), value, unit) for name, value, unit in said]


def _cells(meta: Meta) -> list[tuple[str, float | str | None, str]]:
    raster = meta.raster
    assert raster is not None
    in_degrees = meta.system.frame.crs.is_geographic
    across, down = raster.cell
    size = f"{across * 3600:.4g}″ × {down * 3600:.4g}″" if in_degrees else f"{across:.6g} × {down:.6g} m"
    said: list[tuple[str, float | str | None, str]] = [
        ("cells", f"{raster.width:,} × {raster.height:,}", ""),
        ("cell", size, ""),
        ("type", raster.dtype, ""),
        ("known", raster.valid / (raster.width * raster.height), "share"),
    ]
    if not meta.classes:
        said += [("minimum", raster.minimum, "m"), ("mean", raster.mean, "m"), ("maximum", raster.maximum, "m")]
    return said


def _classes(meta: Meta) -> list[ClassRow]:
    whole = sum(each.patches if meta.raster else each.area_m2 for each in meta.classes) or None
    return [
        ClassRow(
            each.code, each.name, each.patches, None if meta.raster else each.area_m2,
            (each.patches if meta.raster else each.area_m2) / whole if whole else None, each.known,
        )
        for each in meta.classes
    ]  # fmt: skip


def _left_out(version: Version) -> list[LeftOut]:
    """The first patches that were put aside; our own file, so it is read here."""
    path = version.folder / QUARANTINE
    if not path.is_file():
        return []
    from geoplan_layers.prepared.aside import listed

    return [LeftOut(*each) for each in listed(path, version.meta.fields.get("code"), SHOWN)]


def _files(version: Version, card: VersionCard) -> dict[str, str]:
    names = {"raster": RASTER} if version.meta.raster else {"patches": OPEN, "aside": QUARANTINE}
    return {what: f"{card.href}/{name}" for what, name in names.items() if (version.folder / name).is_file()}


Table = tuple[Message, Sequence[Row]]


def quality_rows(quality: Quality) -> Sequence[Table]:
    """The record of quality as tables: what was looked at, how much was found, and the worst of it."""
    found: list[Table] = []
    if quality.areas is not None:
        found.append(_area_rows(quality.areas))
    if quality.overlaps is not None:
        over = quality.overlaps
        rows = [_row("pairs", over.pairs), _row("area", over.area_m2, "area"), _row("slivers", over.slivers)]
        worst = [_row("pair", e.area_m2, "m2", ids=e.ids, lon=e.lon, lat=e.lat) for e in over.worst]
        found.append((Message("layers.quality-overlaps"), [*rows, *worst]))
    if quality.gaps is not None:
        gaps = quality.gaps
        rows = [_row("gaps", gaps.count), _row("area", gaps.area_m2, "area"), _row("slivers", gaps.slivers)]
        worst = [_row("gap", each.area_m2, "m2", lon=each.lon, lat=each.lat) for each in gaps.worst]
        found.append((Message("layers.quality-gaps"), [*rows, *worst]))
    if quality.unknown_codes:
        found.append((Message("layers.quality-codes"), [_row("unknown-codes", quality.unknown_codes)]))
    return found


def _area_rows(column: AreaColumn) -> Table:
    """The layer's own area column beside the measured areas."""
    title = Message("layers.quality-areas", {"field": column.field})
    if column.unit is None:
        return title, [_row("unit-unknown", "—")]
    rows = [
        Row(Message("layers.q-unit"), Message(f"word.area-unit.{column.unit}")),
        _row("compared", column.compared),
        _row("missing", column.missing),
        _row("beyond", column.beyond),
        _row("apart", column.declared_m2 - column.measured_m2, "m2"),
    ]
    worst = [_row("patch", each.difference_m2, "m2", id=each.id) for each in column.worst if each.difference_m2]
    return title, [*rows, *worst]


def _row(name: str, value: float | str, unit: str = "count", **args: Any) -> Row:
    return Row(Message(f"layers.q-{name}", args), value, unit)


def places_of(settings: Settings) -> list[str]:
    """Where layers may be imported from, as its user writes it: databases without their users, and folders."""
    tables = [
        f"postgresql://{host}:{port}/{name}#{pattern}"
        for each in settings.databases
        for host, port, name in [each.place]
        for pattern in each.tables
    ]
    return [*tables, *(each.address for each in settings.buckets)]
