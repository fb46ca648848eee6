"""Text of Chinese files: UTF-8 or GB18030, decided by the bytes and never by a .cpg alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

CHINESE = "gb18030"
WESTERN = "cp1252"
_HIGH = re.compile(rb"[\x80-\xff]+")


def decided(samples: Iterable[bytes]) -> str:
    """The encoding of one file's texts: UTF-8 where most of them are valid UTF-8, else GB18030.

    A value may be cut in mid-character by the width of its field, so a few bytes at the end do not count. Where the
    bytes beyond ASCII mostly stand alone, as accents between plain letters do and Chinese never does, the text is
    Western.

    >>> decided(["南通".encode("gbk"), b"abc"]), decided(["南通".encode(), "开发区".encode()[:8]])
    ('gb18030', 'utf-8')
    >>> decided(["Græs og kløver".encode("cp1252")])
    'cp1252'
    """
    utf8 = other = single = runs = 0
    for raw in samples:
        if raw.isascii():
            continue
        if _is_utf8(raw):
            utf8 += 1
            continue
        other += 1
        lengths = [len(run) for run in _HIGH.findall(raw)]
        single += lengths.count(1)
        runs += len(lengths)
    if other <= utf8:
        return "utf-8"
    return WESTERN if 2 * single > runs else CHINESE


def decide_on(samples: Iterable[bytes]) -> str | None:
    """The encoding as `decided`, or none where every sample is plain ASCII: nothing has been seen that decides.

    >>> decide_on([b"DLBM", b"0101"]), decide_on(["水田".encode("gbk")])
    (None, 'gb18030')
    """
    seen = [raw for raw in samples if not raw.isascii()]
    return decided(seen) if seen else None


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


def whole_text(raw: bytes) -> tuple[str, str]:
    """A text file and its encoding: UTF-16 by its mark or by its zero bytes, else UTF-8 or GB18030 by its bytes.

    >>> whole_text("边界,1".encode("utf-16-le")), whole_text("边界".encode("gbk"))
    (('边界,1', 'utf-16-le'), ('边界', 'gb18030'))
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        return decode(raw[3:], "utf-8"), "utf-8"
    encoding = _wide(raw)
    if encoding:
        return decode(raw, encoding).lstrip("\ufeff"), encoding
    encoding = decided(raw.splitlines())
    return decode(raw, encoding), encoding


def _wide(raw: bytes) -> str | None:
    """UTF-16 in either order: told by its mark, else by the zero bytes that digits and line ends have in it."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16-le" if raw[:1] == b"\xff" else "utf-16-be"
    head = raw[: 1 << 16]
    high, low = head[1::2].count(0), head[0::2].count(0)
    if 8 * max(high, low) < len(head) or not head:
        return None
    return "utf-16-le" if high > low else "utf-16-be"
