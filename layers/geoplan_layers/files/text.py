"""Text of Chinese files: UTF-8 or GB18030, decided by the bytes and never by a .cpg alone."""

from __future__ import annotations

from collections.abc import Iterable

CHINESE = "gb18030"


def decided(samples: Iterable[bytes]) -> str:
    """The encoding of one file's texts: UTF-8 where more of them are valid UTF-8, else GB18030.

    A value may be cut in mid-character by the width of its field, so a few bytes at the end do not count.

    >>> decided(["南通".encode("gbk"), b"abc"]), decided(["南通".encode(), "开发区".encode()[:8]])
    ('gb18030', 'utf-8')
    """
    utf8 = other = 0
    for raw in samples:
        if raw.isascii():
            continue
        if _is_utf8(raw):
            utf8 += 1
        else:
            other += 1
    return CHINESE if other > utf8 else "utf-8"


def _is_utf8(raw: bytes) -> bool:
    for cut in range(4):
        try:
            raw[: len(raw) - cut].decode("utf-8")
        except UnicodeDecodeError as wrong:
            if wrong.end < len(raw) - cut:
                return False
            continue
        return True
    return False


def decode(raw: bytes, encoding: str) -> str:
    """One text; a character cut off at the end is dropped, other bad bytes are shown as U+FFFD."""
    return raw.decode(encoding, errors="replace").rstrip("\ufffd\x00 ")


def member_name(name: str, is_utf8: bool) -> str:
    """The name of an archive's member: UTF-8 where flagged, else UTF-8 if it is that, else GB18030.

    ``zipfile`` reads an unflagged name as CP437; its bytes are taken back from there.

    >>> member_name("边界.shp".encode("gbk").decode("cp437"), False)
    '边界.shp'
    """
    if is_utf8:
        return name
    raw = name.encode("cp437", errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(CHINESE, errors="replace")
