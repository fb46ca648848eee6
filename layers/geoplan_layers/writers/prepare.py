"""Making a sheet fit its format: geometry that it can hold, its system, its decimals; each change is noted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geoplan.crs import Frame
from geoplan.errors import CallRefused, InputRefused
from geoplan.mending import DEGREE
from geoplan.messages import Message
from geoplan.plane import Plane
from geoplan_layers.writers.formats import Writer, writers_for
from geoplan_layers.writers.rounding import Rounded, on_grid
from geoplan_layers.writers.sheet import Sheet, SheetLayer
from geoplan_layers.writers.systems import degrees_frame, moved, numbered_zone, same_system, set_right, suggested

Fitted = tuple[Sheet, tuple[Message, ...]]


def fitted(sheet: Sheet, writer: Writer, target: Frame | None, file: str, *, leave_out: bool = False) -> Fitted:
    """The sheet as a format can hold it, and what had to be changed.

    Parameters
    ----------
    target
        The system asked for; none keeps the sheet's own, where the format does not prescribe one.
    file
        The file that it comes from, for refusals.
    leave_out
        Leave features out, with a note, of which rounding leaves nothing; they are refused otherwise.

    Raises
    ------
    InputRefused
        Geometry that the format cannot hold, or a change of datum that would be a guess.
    CallRefused
        A system that the format cannot hold.
    """
    _held(sheet, writer, file)
    frame = _system(sheet, writer, target, file)
    notes: tuple[Message, ...] = ()
    if not same_system(sheet.frame, frame):
        notes = _change_notes(sheet.frame, frame)
        sheet = sheet.with_shapes([moved(each.shapes, sheet.frame, frame, file) for each in sheet.layers], frame)
    if writer.decimals is None:
        return sheet, notes
    sheet, told = _rounded(sheet, writer.decimals, file, leave_out=leave_out)
    return sheet, (*notes, *told)


def _change_notes(source: Frame, target: Frame) -> tuple[Message, ...]:
    changed = Message("write.system-changed", {"source": source.label, "target": target.label})
    plain = source.datum == target.datum or source.is_shifted
    return (changed,) if plain else (changed, Message("write.datum-step"))


def _held(sheet: Sheet, writer: Writer, file: str) -> None:
    for layer in sheet.layers:
        if not layer.kinds <= writer.holds or (writer.one_kind and len(layer.kinds) > 1):
            raise InputRefused(
                "format-cannot-hold",
                file=file,
                where=layer.name,
                kinds=sorted(layer.kinds),
                suffix=writer.suffixes[0],
                others=writers_for(layer.kinds) or ["—"],
            )
    if writer.layers is not None and len(sheet.layers) > writer.layers:
        raise CallRefused("format-one-layer", file=file, suffix=writer.suffixes[0])


def _system(sheet: Sheet, writer: Writer, target: Frame | None, file: str) -> Frame:
    if writer.system == "degrees":
        degrees = degrees_frame()
        if target is not None and not same_system(target, degrees):
            raise CallRefused("format-prescribes", suffix=writer.suffixes[0], crs=degrees.label, given=target.label)
        return degrees
    frame = target or set_right(sheet.frame)
    if writer.system == "any":
        return frame
    if not _metres(frame):
        raise CallRefused(
            "metres-needed", file=file, suffix=writer.suffixes[0], crs=frame.label, near=_near(sheet, file)
        )
    if writer.system == "cgcs2000-zone":
        numbered = numbered_zone(frame)
        if numbered is None:
            near = _near(sheet, file)
            raise CallRefused("cgcs2000-needed", file=file, suffix=writer.suffixes[0], crs=frame.label, near=near)
        return numbered
    return frame


def _metres(frame: Frame) -> bool:
    return bool(frame.crs.is_projected and all(axis.unit_conversion_factor == 1.0 for axis in frame.crs.axis_info))


def _near(sheet: Sheet, file: str) -> str:
    """A metre system that suits the place: what to write behind ``--to-crs``."""
    try:
        centre = shapely.box(*shapely.total_bounds(sheet.shapes)).centroid
        degrees = moved(np.array([centre], dtype=object), sheet.frame, degrees_frame(), file)
    except InputRefused:
        return "EPSG:N"
    return suggested(Plane.around(float(shapely.get_x(degrees[0]))))


def _rounded(sheet: Sheet, decimals: int, file: str, *, leave_out: bool) -> Fitted:
    found = [on_grid(layer.shapes, decimals) for layer in sheet.layers]
    lost = [(layer, int(row)) for layer, each in zip(sheet.layers, found, strict=True) for row in each.lost]
    if lost and not leave_out:
        rows = [row + 1 for _, row in lost]
        raise InputRefused("thinner-than-grid", file=file, where=lost[0][0].name, rows=rows[:20], decimals=decimals)
    layers = tuple(_kept(layer, each) for layer, each in zip(sheet.layers, found, strict=True))
    return replace(sheet, layers=layers), _rounding_notes(sheet.frame, found, decimals, len(lost))


def _kept(layer: SheetLayer, rounded: Rounded) -> SheetLayer:
    """A layer with its rounded shapes, without those of which nothing is left."""
    keep = np.setdiff1d(np.arange(len(layer.shapes)), rounded.lost)
    return replace(
        layer,
        names=layer.names[keep],
        shapes=rounded.shapes[keep],
        columns={name: column[keep] for name, column in layer.columns.items()},
        groups=None if layer.groups is None else layer.groups[keep],
    )


def _rounding_notes(frame: Frame, found: list[Rounded], decimals: int, lost: int) -> tuple[Message, ...]:
    """What rounding did, in metres and m²."""
    notes: list[Message] = []
    metre = DEGREE if frame.is_geographic else 1.0
    if any(each.changed for each in found):
        args = {
            "decimals": decimals,
            "unit": Message(f"word.coordinate-unit.{'degree' if frame.is_geographic else 'metre'}"),
            "shift_mm": round(max(each.shift for each in found) * metre * 1000, 2),
            "area_m2": round(max(each.area for each in found) * metre**2, 3),
        }
        notes.append(Message("write.rounded", args))
    mended = sum(len(each.mended) for each in found)
    if mended:
        notes.append(Message("write.rounding-mended", {"count": mended}))
    if lost:
        notes.append(Message("write.left-out", {"count": lost, "decimals": decimals}))
    return tuple(notes)
