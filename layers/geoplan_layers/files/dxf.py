"""DXF drawings from R12 to 2018: the drawing's layers as data sets, closed outlines as polygons.

ezdxf reads them whole, in 2 to 5 processor seconds for 20 MB; GDAL's driver is no choice, for it takes the text
encoding from a header that often lies, gives closed polylines as lines and mixes all layers into one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.candidates import candidates
from geoplan_layers.files.cad import DXFVersionError, read, readfile, recover, uncollected
from geoplan_layers.files.closed_lines import doubled, even_odd, filled
from geoplan_layers.files.dataset import Dataset, Item
from geoplan_layers.files.dxf_curves import SAGITTA
from geoplan_layers.files.dxf_shapes import GAP, Drawing, Outline, collect
from geoplan_layers.files.limits import MB, Limits
from geoplan_layers.files.signature import require
from geoplan_layers.files.table import Column, Table
from geoplan_layers.files.text import CHINESE, decided

MOST_BYTES = 200 * MB
"""A drawing is read whole; past this size it is a survey sheet, not a boundary or a layer of patches."""
_SAMPLES = 20_000
_CODEPAGE = re.compile(rb"\$DWGCODEPAGE\s+3\s+ANSI_(\d+)")
_OTHER_EASTERN = {b"950": "big5", b"932": "cp932", b"949": "cp949"}
_METRES = (0, 6)
_UNITS = {
    1: {"zh": "英寸", "en": "inches"},
    2: {"zh": "英尺", "en": "feet"},
    4: {"zh": "毫米", "en": "millimetres"},
    5: {"zh": "厘米", "en": "centimetres"},
    7: {"zh": "千米", "en": "kilometres"},
}
_FILLS = ("HATCH", "MPOLYGON")
_LISTED = 12


def dxf_datasets(item: Item, limits: Limits) -> list[Dataset]:
    """One data set for each layer of the drawing that holds outlines or solids.

    Raises
    ------
    InputRefused
        Not a DXF, damaged, or drawn in units that are not metres.
    TooLarge
        More bytes or entities than allowed, blocks taken apart.
    """
    shown = item.source.file
    require(item.path, shown, "dxf", item.suffix, "not-a-dxf")
    size = item.path.stat().st_size
    if size > MOST_BYTES:
        raise TooLarge("file-too-large", file=shown, size=size, most=MOST_BYTES)
    document, encoding, notes = _loaded(item.path, shown)
    try:
        with uncollected():
            drawing = collect(document.modelspace(), shown)
    except (InputRefused, MemoryError):
        raise
    except Exception as wrong:  # ezdxf checks values late: hostile ones surface as whatever Python raises for them
        raise _broken(shown, wrong) from None
    notes = (*notes, *_units(int(document.header.get("$INSUNITS", 0)), drawing, shown))
    layers = list(dict.fromkeys([*(each.layer for each in drawing.outlines), *drawing.solids]))
    return [
        Dataset(layer, item.source, partial(_table, drawing, layer, item, limits, encoding, notes)) for layer in layers
    ]


@uncollected()
def _loaded(path: Path, shown: str) -> tuple[Any, str, tuple[Message, ...]]:
    """The document; one whose structure is damaged is read by ezdxf's recovery, and said so."""
    raw = path.read_bytes()
    binary = raw.startswith(b"AutoCAD Binary DXF")
    if not raw.rstrip(b"\x00\x1a \t\r\n").endswith(b"EOF"):
        raise InputRefused("dxf-cut", file=shown)
    encoding = "" if binary else _encoding(raw)
    try:
        if binary:
            document = readfile(str(path))
            return document, str(document.encoding), ()
        return read(io.StringIO(_universal(raw, encoding))), encoding, ()
    except DXFVersionError as wrong:
        raise InputRefused("dxf-version", file=shown, detail=str(wrong)[:120]) from None
    except MemoryError:
        raise
    except Exception:  # damaged structures surface as DXFStructureError or as whatever Python raises for them
        return _recovered(raw, encoding, shown)


def _universal(raw: bytes, encoding: str) -> str:
    text = raw.decode(encoding, errors="surrogateescape")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _recovered(raw: bytes, encoding: str, shown: str) -> tuple[Any, str, tuple[Message, ...]]:
    plain = raw.decode(encoding, errors="replace").encode() if encoding else raw
    try:
        document, auditor = recover(io.BytesIO(plain))
    except MemoryError:
        raise
    except Exception as wrong:  # see above
        raise _broken(shown, wrong) from None
    faults = len(auditor.errors) + len(auditor.fixes)
    return document, encoding or "utf-8", (Message("read.dxf-recovered", {"count": faults}),)


def _broken(shown: str, wrong: Exception) -> InputRefused:
    lines = str(wrong).splitlines() or [type(wrong).__name__]
    return InputRefused("not-a-dxf", file=shown, detail=lines[0][:120])


def _encoding(raw: bytes) -> str:
    """The encoding by the bytes: R2007 and later are UTF-8 whatever the header says, and some say it and are not."""
    lines = () if raw.isascii() else raw.splitlines()
    samples = list(islice((line for line in lines if not line.isascii()), _SAMPLES))
    found = decided(samples)
    page = _CODEPAGE.search(raw[:20_000])
    other = _OTHER_EASTERN.get(page[1]) if page else None
    if found == CHINESE and other is not None and all(_decodes(each, other) for each in samples):
        return other
    return found


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _units(code: int, drawing: Drawing, shown: str) -> tuple[Message, ...]:
    """Templates say millimetres over coordinates in metres: the numbers decide, and what fits no system is refused."""
    if code in _METRES:
        return ()
    unit = _UNITS.get(code, {"zh": f"INSUNITS {code}", "en": f"INSUNITS {code}"})
    points = [p for each in drawing.outlines for p in (*each.rings, *((each.line,) if each.line is not None else ()))]
    if not points:
        return ()
    west, south = np.min([p.min(axis=0) for p in points], axis=0)
    east, north = np.max([p.max(axis=0) for p in points], axis=0)
    if not any(_plausible(p) for p in points[:1000]):
        raise InputRefused("dxf-units", file=shown, unit=unit, x=float(west), y=float(south))
    return (Message("read.dxf-units", {"unit": unit, "x": float(east), "y": float(north)}),)


def _plausible(points: NDArray[np.float64]) -> bool:
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return bool(candidates((float(west), float(south), float(east), float(north))))


def _table(
    drawing: Drawing,
    layer: str,
    item: Item,
    limits: Limits,
    encoding: str,
    notes: tuple[Message, ...],
    _box: object = None,
) -> Table:
    """The outlines of one layer: polygons first, open lines behind them.

    Raises
    ------
    InputRefused
        The layer holds regions or solids, whose outline cannot be read.
    """
    shown = item.source.file
    if drawing.solids[layer]:
        raise InputRefused("dxf-region", file=shown, where=layer, count=drawing.solids[layer])
    own = [each for each in drawing.outlines if each.layer == layer]
    if len(own) > limits.features:
        raise TooLarge("features", file=shown, count=len(own), most=limits.features)
    hatches = [each for each in own if each.rings and each.entity in _FILLS]
    rings = [each for each in own if each.rings and each.entity not in _FILLS]
    shapes, outlines, more = _areas(rings, hatches)
    lines = [each for each in own if each.line is not None]
    shapes += [shapely.LineString(each.line) for each in lines]
    outlines += lines
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    columns = _columns(found, outlines, drawing)
    said = (*notes, *more, *_said(own, layer), *_passed(drawing, layer))
    rows = np.arange(1, len(shapes) + 1)
    return Table(found, columns, rows, None, item.source, layer, encoding, said, lines_close=True)


def _areas(rings: list[Outline], hatches: list[Outline]) -> tuple[list[shapely.Geometry], list[Outline], list[Message]]:
    """Polygons of the rings of a layer, nested ones as holes, and of its hatches; what is drawn twice counts once."""
    notes: list[Message] = []
    drawn = filled([each.rings[0] for each in rings])
    once = ~doubled(drawn)
    shapes, outer, holes = even_odd(drawn[once])
    kept = [each for each, keep in zip(rings, once, strict=True) if keep]
    outlines = [kept[i] for i in outer]
    if holes:
        notes.append(Message("read.rings-nested", {"layer": rings[0].layer, "count": holes}))
    whole = np.array([*shapes, *_hatched(hatches)], dtype=object)
    again = doubled(whole)
    doubles = int((~once).sum() + again.sum())
    if doubles:
        notes.append(Message("read.drawn-twice", {"layer": (rings + hatches)[0].layer, "count": doubles}))
    keep = np.flatnonzero(~again)
    everything = [*outlines, *hatches]
    return [whole[i] for i in keep], [everything[i] for i in keep], notes


def _hatched(hatches: list[Outline]) -> Iterator[shapely.Geometry]:
    for hatch in hatches:
        rings = filled(hatch.rings)
        parts, _, _ = even_odd(rings[~doubled(rings)])
        yield shapely.MultiPolygon(list(parts)) if len(parts) > 1 else parts[0]


def _columns(shapes: NDArray[np.object_], outlines: list[Outline], drawing: Drawing) -> dict[str, Column]:
    """What is known of each row: kind of entity, handle, and the texts that stand inside it."""
    texts: list[list[str]] = [[] for _ in outlines]
    if drawing.texts and len(shapes):
        places = shapely.points([(x, y) for x, y, _ in drawing.texts])
        which, inside = shapely.STRtree(shapes).query(places, predicate="within")
        for text, row in zip(which, inside, strict=True):
            texts[row].append(drawing.texts[text][2])
    return {
        "entity": np.array([each.entity for each in outlines], dtype=object),
        "handle": np.array([each.handle for each in outlines], dtype=object),
        "text": np.array(["；".join(dict.fromkeys(each)) or None for each in texts], dtype=object),
    }


def _said(own: list[Outline], layer: str) -> list[Message]:
    notes = []
    if curved := sum(each.curved for each in own):
        notes.append(Message("read.curves-stroked", {"layer": layer, "count": curved, "mm": SAGITTA * 1000}))
    if joined := sum(each.joined for each in own):
        notes.append(Message("read.ends-joined", {"layer": layer, "count": joined, "mm": GAP * 1000}))
    return notes


def _passed(drawing: Drawing, layer: str) -> list[Message]:
    found = sorted((kind, count) for (where, kind), count in drawing.passed.items() if where == layer)
    if not found:
        return []
    return [Message("read.dxf-passed-over", {"layer": layer, "kinds": [f"{k} × {n}" for k, n in found[:_LISTED]]})]
