# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Drawings as CAD programs write them, for the tests: one layer 红线 in zone 40, and habits on it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geoplan_layers.files.cad  # noqa: F401 - before ezdxf

from ezdxf.filemanagement import new  # isort: skip

X, Y = 40_500_000.0, 3_400_000.0
LAYER = {"layer": "红线"}
Points = list[tuple[float, float]]


def at(*points: tuple[float, float], scale: float = 1.0) -> Points:
    return [((X + x) * scale, (Y + y) * scale) for x, y in points]


SQUARE = at((0, 0), (1000, 0), (1000, 1000), (0, 1000))
INNER = at((200, 200), (400, 200), (400, 400), (200, 400))


def _outline(space: Any, points: Points, version: str) -> None:
    if version == "R12":
        space.add_polyline2d(points, close=True, dxfattribs=LAYER)
    else:
        space.add_lwpolyline(points, close=True, dxfattribs=LAYER)


def _hatch(space: Any, layer: str = "红线") -> None:
    hatch = space.add_hatch(dxfattribs={"layer": layer})
    edges = hatch.paths.add_edge_path()
    edges.add_line((X, Y), (X + 100, Y))
    edges.add_arc((X + 50, Y), 50, 0, 180)
    hatch.paths.add_edge_path().add_arc((X + 50, Y + 20), 10, 0, 360)


def _filled(space: Any) -> None:
    space.add_hatch(dxfattribs=LAYER).paths.add_polyline_path(SQUARE, is_closed=True)


def _block(space: Any) -> None:
    block = space.doc.blocks.new("B")
    block.add_lwpolyline([(0, 0), (10, 0), (10, 10), (0, 10)], close=True)
    space.add_blockref("B", (X, Y), dxfattribs={**LAYER, "xscale": 20, "yscale": 10, "rotation": 30})


def _bomb(space: Any) -> None:
    space.doc.blocks.new("B0").add_lwpolyline([(0, 0), (10, 0), (10, 10)], close=True)
    for level in range(1, 8):
        block = space.doc.blocks.new(f"B{level}")
        for i in range(10):
            block.add_blockref(f"B{level - 1}", (i, 0))
    space.add_blockref("B7", (X, Y), dxfattribs=LAYER)


def _habit(habit: str, space: Any, version: str) -> None:
    adders: dict[str, Callable[[], object]] = {
        "closed": lambda: space.add_text("某某小镇", dxfattribs={"insert": (X + 500, Y + 500), "layer": "红线"}),
        "bulges": lambda: space.add_lwpolyline(
            [(X, Y, 0), (X + 1000, Y, math.tan(math.pi / 8)), (X + 500, Y + 500, 0)],
            "xyb",
            close=True,
            dxfattribs=LAYER,
        ),
        "nested": lambda: _outline(space, INNER, version),
        "twice": lambda: _outline(space, SQUARE[2:] + SQUARE[:2], version),
        "filled": lambda: _filled(space),
        "hatch": lambda: _hatch(space),
        "circle": lambda: space.add_circle((X + 50, Y + 50), 50, dxfattribs=LAYER),
        "ellipse": lambda: space.add_ellipse((X, Y), (100, 0), 0.5, dxfattribs=LAYER),
        "spline": lambda: space.add_spline([*INNER, INNER[0]], dxfattribs=LAYER),
        "block": lambda: _block(space),
        "mirrored": lambda: space.add_lwpolyline(
            [(-X, Y, 1.0), (-X - 100, Y, 1.0)], "xyb", close=True, dxfattribs={**LAYER, "extrusion": (0, 0, -1)}
        ),
        "meeting": lambda: space.add_lwpolyline([*SQUARE, (X, Y + 0.0005)], dxfattribs=LAYER),
        "open": lambda: space.add_lwpolyline(SQUARE, dxfattribs=LAYER),
        "region": lambda: None,
        "millimetres": lambda: space.add_lwpolyline(
            at((0, 0), (9, 0), (9, 9), scale=1e3), close=True, dxfattribs=LAYER
        ),
        "bomb": lambda: _bomb(space),
        "all": lambda: _hatch(space, "填充"),
    }
    adders[habit]()


_OUTLINED = frozenset({"closed", "nested", "twice", "filled", "region", "all"})
_REGION = "  0\nREGION\n  5\nFFF0\n100\nAcDbEntity\n  8\n红线\n100\nAcDbModelerGeometry\n 70\n     1\n  1\nklmnop\n"


def drawing(
    version: str, habit: str, chosen: str = "", page: str = "ANSI_936", units: int = 6, binary: bool = False
) -> Callable[[Path], str]:
    """A maker of a drawing with a habit; the text is in the encoding of the version, the code page is what is said."""

    def make(folder: Path) -> str:
        document = new(version)
        document.encoding = "gbk"
        document.header["$INSUNITS"] = units
        space = document.modelspace()
        if habit in _OUTLINED:
            _outline(space, SQUARE, version)
        _habit(habit, space, version)
        path = folder / "总图.dxf"
        document.saveas(path, fmt="bin" if binary else "asc")
        if not binary:
            encoding = "utf-8" if version >= "R2007" else "gbk"
            text = path.read_text(encoding=encoding).replace("\\U+7ea2\\U+7ebf", "红线")
            text = re.sub(r"(\$DWGCODEPAGE\s+3\s+)ANSI_\d+", rf"\g<1>{page}", text)
            if habit == "region":
                head, mark, tail = text.partition("ENTITIES\n")
                text = f"{head}{mark}{_REGION}{tail}"
            path.write_bytes(text.encode(encoding))
        return f"{path}{chosen}"

    return make
