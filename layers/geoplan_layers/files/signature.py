"""What a file's first bytes show it to be: no reader opens what only claims to be its format.

Sources of the signatures: OGC GeoPackage (SQLite), ESRI Shapefile Technical Description, FlatGeobuf and Parquet
specifications, AutoCAD DXF Reference; AC10xx is how every DWG since R13 begins, WMAP every MapGIS 6 file,
``HeadBegin`` or ``DataMark`` the 地球空间数据交换格式 (VCT, GB/T 17798).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from geoplan.errors import InputRefused

_HEAD = 4096
_DXF_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:999\s*[\r\n]+[^\r\n]*[\r\n]+\s*)*0[ \t]*[\r\n]+\s*SECTION\b")
_VCT_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:HeadBegin|DataMark\s*:)", re.IGNORECASE)
_TAB_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*!table\b", re.IGNORECASE)
_MIF_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*version\s+\d+\s+(?:charset|delimiter|unique|index|coordsys|transform|columns)\b",
    re.IGNORECASE,
)
_DWG_START = re.compile(rb"AC10[0-9]{2}(?![\w,;:\t\r\n ])")
_JET = (b"Standard Jet DB", b"Standard ACE DB")
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"GIF8")


def _starts(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(heads)


_KINDS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("shapefile", _starts(b"\x00\x00\x27\x0a")),
    ("geopackage", _starts(b"SQLite format 3\x00")),
    ("flatgeobuf", _starts(b"fgb\x03fgb")),
    ("geoparquet", _starts(b"PAR1")),
    ("dxf", lambda head: head.startswith(b"AutoCAD Binary DXF") or bool(_DXF_START.match(head))),
    ("tab", lambda head: bool(_TAB_START.match(head))),
    ("mif", lambda head: bool(_MIF_START.match(head))),
    ("dwg", lambda head: _DWG_START.match(head) is not None),
    ("mapgis", _starts(b"WMAP")),
    ("vct", lambda head: bool(_VCT_START.match(head))),
    ("mdb", lambda head: head[:4] == b"\x00\x01\x00\x00" and head[4:19] in _JET),
    ("sketchup", _starts(b"\xff\xfe\xff\x0eS\x00k\x00e\x00t\x00c\x00h")),
    ("dgn", _starts(b"\x08\x09\xfe\x02", b"\xc8\x09\xfe\x02")),
    ("pdf", _starts(b"%PDF-")),
    ("image", lambda head: head.startswith(_IMAGES) or (head[:2] == b"BM" and head[6:10] == bytes(4))),
    ("archive", _starts(b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b")),
    ("zip", _starts(b"PK\x03\x04", b"PK\x05\x06")),
    ("office", _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
)
_EXPORTED = frozenset({"dwg", "mapgis", "vct", "mdb", "sketchup", "dgn", "pdf", "image", "archive"})
"""Kinds that are recognised and refused with what to export instead."""

_NAMES = {
    "shapefile": {"zh": "shapefile（.shp）", "en": "a shapefile (.shp)"},
    "geopackage": {"zh": "SQLite 或 GeoPackage（.gpkg）", "en": "SQLite or GeoPackage (.gpkg)"},
    "flatgeobuf": {"zh": "FlatGeobuf（.fgb）", "en": "FlatGeobuf (.fgb)"},
    "geoparquet": {"zh": "Parquet（.parquet）", "en": "Parquet (.parquet)"},
    "dxf": {"zh": "CAD 交换文件（.dxf）", "en": "a DXF drawing (.dxf)"},
    "tab": {"zh": "MapInfo 表（.tab）", "en": "a MapInfo table (.tab)"},
    "mif": {"zh": "MapInfo 交换文件（.mif）", "en": "a MapInfo interchange file (.mif)"},
    "zip": {"zh": "压缩包（.zip；.kmz、.xlsx 也是）", "en": "a zip archive (.zip; .kmz and .xlsx are that too)"},
    "office": {
        "zh": "旧版 Office 文档或 DGN V8（.xls、.doc、.dgn）",
        "en": "an old Office document or DGN V8 (.xls, .doc, .dgn)",
    },
}


def kind_of(head: bytes) -> str | None:
    r"""The kind of file that these first bytes begin; none for text of no special start, and what is not known.

    >>> kind_of(b"AC1032"), kind_of(b"PK\x03\x04"), kind_of(b"  0\r\nSECTION\r\n"), kind_of(b"{}")
    ('dwg', 'zip', 'dxf', None)
    """
    return next((kind for kind, is_it in _KINDS if is_it(head)), None)


def head_of(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as opened:
        return opened.read(_HEAD)


def recognised(path: Path) -> str | None:
    """The kind that a file's first bytes show, where it is one to be exported to another format; else none."""
    kind = kind_of(head_of(path))
    return kind if kind in _EXPORTED else None


def not_disguised(path: Path, shown: str, suffix: str) -> None:
    """Refuse a file that is really of a kind to be exported to another format, whatever its suffix.

    Raises
    ------
    InputRefused
        Says what to export instead.
    """
    kind = recognised(path) if path.is_file() else None
    if kind is not None:
        instead = {"id": f"error.export-instead.{kind}", "args": {"suffix": suffix}}
        raise InputRefused("really-unread", file=shown, suffix=suffix, instead=instead)


def require(path: Path, shown: str, kind: str | None, suffix: str, refusal: str) -> None:
    """Refuse a file whose first bytes are not those of the kind that its suffix says.

    Parameters
    ----------
    kind
        The kind it must be; none for text formats that have no signature, which must be of no other kind.
    refusal
        Message id of "not a valid …" where the bytes are of no known kind.

    Raises
    ------
    InputRefused
        Says what the file really is, and what to do with it.
    """
    found = kind_of(head_of(path))
    if found == kind:
        return
    if found is None:
        raise InputRefused(refusal, file=shown, detail="—")
    not_disguised(path, shown, suffix)
    raise InputRefused("really", file=shown, suffix=suffix, kind=_NAMES[found])
