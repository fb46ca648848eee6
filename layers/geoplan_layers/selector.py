"""How a call names a file: ``FILE#LAYER[FIELD=VALUE]`` and ``ROLE=FILE@EPSG:N``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from geoplan.crs import Frame, recognise
from geoplan.errors import CallRefused
from geoplan.landuse import GENERATIONS, Generation
from geoplan.shifted import SHIFTED, Shifted

SWAP_XY = "swap-xy"

_FILTER = re.compile(r"^(?P<rest>.*)\[(?P<field>[^\[\]=]+)=(?P<value>[^\]]*)\]$")


@dataclass(frozen=True, slots=True)
class Selector:
    """A file, the layer in it and the rows of that layer that are meant."""

    path: Path
    layer: str | None = None
    field: str | None = None
    value: str | None = None
    shown: str | None = None

    @property
    def name(self) -> str:
        """The file by the name the user gave it, without its folder."""
        return self.shown or self.path.name

    @property
    def choice(self) -> str:
        """What is chosen from the file, as it is written behind its name; empty for the whole.

        >>> parse_selector("a.gpkg#规划[类型=建设]").choice
        '#规划[类型=建设]'
        """
        layer = f"#{self.layer}" if self.layer is not None else ""
        return f"{layer}[{self.field}={self.value}]" if self.field is not None else layer


def parse_selector(text: str) -> Selector:
    """Read ``FILE``, ``FILE#LAYER``, ``FILE[FIELD=VALUE]`` or ``FILE#LAYER[FIELD=VALUE]``.

    >>> parse_selector("a.gpkg#规划[类型=建设]").field
    '类型'
    """
    field = value = None
    rest = text
    if not Path(text).exists() and (match := _FILTER.match(text)):
        rest, field, value = match["rest"], match["field"].strip(), match["value"].strip()
    file, mark, layer = rest.partition("#") if not Path(rest).exists() else (rest, "", "")
    return Selector(Path(file), layer if mark else None, field, value)


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """A layer as a call gives it: role, file, and what the file does not say itself.

    ``datum`` says that its degrees are shifted, ``swap_xy`` that x and y are to be exchanged.
    """

    role: str
    selector: Selector
    frame: Frame | None = None
    generation: Generation | None = None
    invented: bool = False
    datum: Shifted | None = None
    swap_xy: bool = False


def parse_layer(text: str) -> LayerSpec:
    """Read ``ROLE=FILE``, with ``@EPSG:N``, ``@gcj02``, ``@bd09``, ``@swap-xy`` or ``@GENERATION`` behind it.

    Raises
    ------
    CallRefused
        No role, or an unknown word behind ``@``.
    """
    role, mark, file = text.partition("=")
    if not mark or not role or not file:
        raise CallRefused("layer-spelling", given=text)
    frame: Frame | None = None
    generation: Generation | None = None
    datum: Shifted | None = None
    swap_xy = False
    while "@" in file and not Path(file).exists():
        file, _, word = file.rpartition("@")
        if word in GENERATIONS:
            generation = GENERATIONS[GENERATIONS.index(word)]
        elif word.lower() in SHIFTED:
            datum = SHIFTED[SHIFTED.index(word.lower())]
        elif word.lower() == SWAP_XY:
            swap_xy = True
        elif word.upper().startswith("EPSG:") and (known := recognise(word)):
            frame = known
        else:
            raise CallRefused("layer-suffix", given=text, word=word, known=["EPSG:N", *SHIFTED, SWAP_XY, *GENERATIONS])
    return LayerSpec(role, parse_selector(file), frame, generation, datum=datum, swap_xy=swap_xy)
