"""Reading through GDAL: one layer of a file whose first bytes have been looked at, with failures told as refusals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.errors import InputRefused, TooLarge
from geoplan.messages import Message
from geoplan_layers.files.dataset import EMPTY, Box
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.files.rings import built

_UNSAID = ("Measured (M)", "Non closed ring detected")


@contextmanager
def heard(path: Path, shown: str) -> Iterator[list[Message]]:
    """What GDAL warns of while reading, as notes under the user's name of the file, once each.

    That M values are dropped is not said: measures are taken on the plane. Open rings are told by their rows.
    """
    notes: list[Message] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield notes
    for text in dict.fromkeys(str(each.message).replace(str(path), shown) for each in said):
        if not text.startswith(_UNSAID):
            notes.append(Message("read.gdal-said", {"detail": " ".join(text.split())[:200]}))


def read_rows(
    path: Path,
    layer: str | None,
    shown: str,
    limits: Limits,
    *,
    box: Box | None = None,
    encoding: str | None = None,
    columns: Sequence[str] | None = None,
) -> tuple[Any, Any, Any, Any]:
    """A layer wholly or within a box: GDAL's description, row numbers, 2-D shapes and raw columns.

    The description's ``notes`` are what GDAL warned of, its ``open`` the rings that were not closed.

    Raises
    ------
    InputRefused
        GDAL cannot read it.
    TooLarge
        More features than allowed.
    """
    wanted = {"bbox": box, "encoding": encoding, "columns": columns}
    how = {key: value for key, value in wanted.items() if value is not None}
    try:
        with heard(path, shown) as notes:
            count = pyogrio.read_info(path, layer=layer, encoding=encoding)["features"]
            if count > limits.features:
                raise TooLarge("features", file=shown, count=int(count), most=limits.features)
            meta, rows, wkb, raw = pyogrio.raw.read(path, layer=layer, force_2d=True, return_fids=True, **how)
        shapes, meta["open"] = built(wkb)
    except Exception as wrong:
        raise told(wrong, shown, path) from None
    return {**meta, "notes": tuple(notes)}, np.asarray(rows, dtype=np.int64), shapes, raw


def layer_names(path: Path, shown: str) -> list[str]:
    """Names of the layers with geometry."""
    try:
        with heard(path, shown):
            found = pyogrio.list_layers(path)
    except Exception as wrong:
        raise told(wrong, shown, path) from None
    return [str(name) for name, kind in found if kind is not None]


def extent_of(path: Path, layer: str | None, shown: str) -> Box:
    """Bounds of a layer by its index or its features; inverted infinities when empty."""
    try:
        with heard(path, shown):
            info = pyogrio.read_info(path, layer=layer, force_total_bounds=True, encoding="ISO-8859-1")
    except Exception as wrong:
        raise told(wrong, shown, path) from None
    bounds = info["total_bounds"]
    if bounds is None:
        return EMPTY
    return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])


def told(wrong: Exception, shown: str, path: Path) -> Exception:
    """GDAL's failure as a refusal, under the user's name of the file; anything that is not GDAL's is passed on.

    pyogrio 0.13 itself stumbles (UnboundLocalError) over a coordinate system that GDAL cannot write as WKT, over names
    that are not in the encoding they are said to be in, and (IndexError) over files without any layer.
    """
    if isinstance(wrong, InputRefused):
        return wrong
    stumbled = isinstance(wrong, shapely.errors.GEOSException | UnboundLocalError | UnicodeDecodeError | IndexError)
    if stumbled or type(wrong).__module__.startswith("pyogrio"):
        lines = str(wrong).splitlines() or [type(wrong).__name__]
        return InputRefused("cannot-be-read", file=shown, detail=lines[0].replace(str(path), shown)[:200])
    return wrong
