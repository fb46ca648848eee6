"""What is asked of an import: files or a place outside, and what their owner says of them; plain data that a job keeps.

The form of ``POST /layers``, a question that an import came back with, and the work itself share it, so that what was
not understood is refused before anything is queued.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from geoplan.crs import Frame
from geoplan.errors import CallRefused
from geoplan.landuse import GENERATIONS, Generation
from geoplan.shifted import SHIFTED, Shifted
from geoplan_api.inquiry import ROLES, civil_date, frame_named
from geoplan_layers.places import Place, place_named
from geoplan_layers.prepared.importing import ImportRequest
from geoplan_layers.selector import LayerSpec, Selector, parse_selector

_SELECT = re.compile(r"(#[^#\[\]@]+)?(\[[^\[\]=]+=[^\[\]]*\])?")
_SRTM = re.compile(r"[NS]\d{2}[EW]\d{3}\.hgt", re.IGNORECASE)
LONGEST = 300


class GivenFile(BaseModel):
    """A file that was sent: its path below the folder of inputs, and the name that its owner gave it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    shown: str


class LayerAsked(BaseModel):
    """One import, as asked.

    Parameters
    ----------
    files, address
        One of them: what was sent, or a place outside that the operator allows.
    select
        What stands behind a file's name on the command line: ``#LAYER[FIELD=VALUE]``.
    day, valid_until
        Dates in ISO form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    files: tuple[GivenFile, ...] = ()
    address: str | None = None
    coverage: GivenFile | None = None
    select: str | None = None
    day: str | None = None
    source: str | None = None
    valid_until: str | None = None
    generation: str | None = None
    crs: str | None = None
    datum: str | None = None
    place: str | None = None
    swap_xy: bool = False
    anywhere: bool = False
    invented: bool = False

    def checked(self) -> LayerAsked:
        """The same, once everything in it is known to be a value of its kind.

        Raises
        ------
        CallRefused
            Something is not.
        """
        if self.role not in ROLES and not (self.role.startswith("custom:") and self.role != "custom:"):
            raise CallRefused("layer-role-unknown", role=self.role[:80], known=list(ROLES))
        if bool(self.files) == bool(self.address):
            raise CallRefused("layer-file-or-address")
        if self.select and not _SELECT.fullmatch(self.select):
            raise CallRefused("select-spelling", field="select", given=self.select[:80], known=list(GENERATIONS))
        self.request(Path(), ())
        return self

    def request(self, inputs: Path, brought: tuple[Selector, ...] = ()) -> ImportRequest:
        """The request for `import_layer`: of what was sent, or of what was brought from outside."""
        sent = tuple(parse_selector(f"upload{self.select or ''}") for _ in self.files)
        files = tuple(
            Selector(inputs / file.path, select.layer, select.field, select.value, file.shown)
            for file, select in zip(self.files, sent, strict=True)
        )
        covered = self.coverage
        return ImportRequest(
            role=self.role,
            files=tuple(self._spec(each) for each in (*files, *brought)),
            coverage=Selector(inputs / covered.path, shown=covered.shown) if covered else None,
            day=civil_date(self.day, "day"),
            source=self.source,
            valid_until=civil_date(self.valid_until, "valid_until"),
            place=self._place,
            anywhere=self.anywhere,
            invented=self.invented,
        )

    @property
    def name(self) -> str:
        """What people know the layer by: its file, or the place that it comes from."""
        if not self.files:
            return self.address or "—"
        return self.files[0].shown + (f" +{len(self.files) - 1}" if len(self.files) > 1 else "")

    def _spec(self, selector: Selector) -> LayerSpec:
        return LayerSpec(
            self.role, selector, self._frame, self._generation, self.invented, self._datum, swap_xy=self.swap_xy
        )

    @property
    def _frame(self) -> Frame | None:
        return frame_named(self.crs)

    @property
    def _place(self) -> Place | None:
        return place_named(self.place) if self.place else None

    @property
    def _generation(self) -> Generation | None:
        if self.generation is None:
            return None
        if self.generation not in GENERATIONS:
            known = " | ".join(GENERATIONS)
            raise CallRefused("option-wrong", option="generation", value=self.generation[:80], wanted=known)
        return GENERATIONS[GENERATIONS.index(self.generation)]

    @property
    def _datum(self) -> Shifted | None:
        if self.datum is None or self.datum in ("cgcs2000", "wgs84"):
            return None
        if self.datum not in SHIFTED:
            raise CallRefused("option-wrong", option="datum", value=self.datum[:80], wanted=" | ".join(SHIFTED))
        return SHIFTED[SHIFTED.index(self.datum)]


def stored_name(path: Path, shown: str) -> str:
    """The name under which a file is kept among the inputs: an SRTM tile says by its name where it lies.

    >>> stored_name(Path("tmp/3.hgt"), "N30E119.hgt"), stored_name(Path("tmp/3.hgt"), "height.hgt")
    ('N30E119.hgt', '3.hgt')
    """
    return shown if _SRTM.fullmatch(shown) else path.name


def plain_text(text: str, field: str) -> str | None:
    """A text of a form on one line; none where it is empty.

    Raises
    ------
    CallRefused
        It is too long.
    """
    if len(text) > LONGEST:
        raise CallRefused("field-too-long", field=field, most=LONGEST)
    kept = "".join(" " if unicodedata.category(each).startswith("C") else each for each in text)
    return " ".join(kept.split()) or None


def answered(asked: Mapping[str, Any], answers: Mapping[str, str | None]) -> LayerAsked:
    """An import that came back with a question, with the answer: a generation, or a system, place or datum.

    Raises
    ------
    CallRefused
        Nothing was chosen, or what was chosen is none of its kind.
    """
    given = {name: text for name in ("generation", "crs", "place", "datum") if (text := answers.get(name))}
    if not given:
        raise CallRefused("layer-nothing-chosen")
    if answers.get("swap_xy"):
        given["swap_xy"] = "true"
    return LayerAsked.model_validate({**asked, **given}).checked()
