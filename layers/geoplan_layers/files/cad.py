"""ezdxf, imported without its side effects: it would scan the fonts and write a cache into the user's home."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_NO_FONTS = '{"version": 2, "font-faces": []}'

if "ezdxf" not in sys.modules:
    kept = {name: os.environ.get(name) for name in _FOLDERS}
    with TemporaryDirectory(prefix="geoplan-") as folder:
        (Path(folder) / "ezdxf").mkdir()
        (Path(folder) / "ezdxf" / "font_manager_cache.json").write_text(_NO_FONTS, encoding="utf-8")
        os.environ.update(dict.fromkeys(_FOLDERS, folder))
        try:
            import ezdxf  # noqa: F401
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


from ezdxf.filemanagement import read, readfile  # noqa: E402 - the folders above must come first
from ezdxf.lldxf.const import DXFVersionError  # noqa: E402
from ezdxf.recover import read as recover  # noqa: E402


@contextmanager
def uncollected() -> Iterator[None]:
    """Read a drawing without searching its objects for cycles again and again: a third to two fifths of the time.

    Nothing of a drawing can be let go before it is read to its end; memory is bounded by the reader's limit.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


logging.getLogger("ezdxf").setLevel(logging.CRITICAL)

__all__ = ["DXFVersionError", "read", "readfile", "recover", "uncollected"]
