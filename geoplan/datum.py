"""A user's own parameters between two datums (Bursa–Wolf, 3 or 7): applied, never kept.

The parameters between Xian 1980 or Beijing 1954 and CGCS2000 are local and secret in law. They are read from the user's
own file for one run; nothing that this program writes holds more of them than the SHA-256 of that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast

from pyproj import CRS, Transformer

from geoplan.errors import InputRefused

Convention = Literal["position_vector", "coordinate_frame"]
CONVENTIONS: tuple[Convention, ...] = ("position_vector", "coordinate_frame")
OLD_DATUMS = ("xian-1980", "beijing-1954")
NEW_DATUMS = ("cgcs2000", "wgs84")
MOST: Mapping[str, float] = {
    **dict.fromkeys(("x", "y", "z"), 5_000.0),
    **dict.fromkeys(("rx", "ry", "rz"), 60.0),
    "scale": 500.0,
}
"""Past these a value is in another unit than asked for (m, arc seconds, ppm)."""


@dataclass(frozen=True, slots=True, repr=False)
class DatumParameters:
    """Shifts ``x y z`` (m), rotations ``rx ry rz`` (arc seconds) and scale (ppm) from an old datum to CGCS2000.

    ``sha256`` is that of the user's file: all that reports say of it. ``repr`` hides the values, so that no log holds
    them.
    """

    old: str
    values: Mapping[str, float] = field(hash=False)
    convention: Convention | None
    sha256: str

    def __repr__(self) -> str:
        return f"DatumParameters({self.old!r}, sha256={self.sha256[:12]!r})"

    @property
    def count(self) -> int:
        """3 where there is neither rotation nor scale, else 7."""
        return 7 if any(self.values[key] for key in ("rx", "ry", "rz", "scale")) else 3

    def step(self, crs: CRS) -> Transformer:
        """From degrees on the ellipsoid of ``crs`` to CGCS2000 degrees; heights are taken as 0 on both sides."""
        ellipsoid = crs.ellipsoid
        assert ellipsoid is not None, "a system with a datum has an ellipsoid"
        moves = " ".join(f"+{'s' if key == 'scale' else key}={self.values[key]!r}" for key in MOST)
        convention = f"+convention={self.convention or 'position_vector'}"
        return _pipeline(ellipsoid.semi_major_metre, ellipsoid.inverse_flattening, f"{moves} {convention}")


@lru_cache(maxsize=8)
def _pipeline(a: float, rf: float, helmert: str) -> Transformer:
    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 "
        f"+step +proj=cart +a={a!r} +rf={rf!r} +step +proj=helmert {helmert} "
        "+step +inv +proj=cart +ellps=GRS80 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )


def understand(content: Mapping[str, Any], file: str, sha256: str) -> DatumParameters:
    """The parameters that a file's content states.

    Raises
    ------
    InputRefused
        A key that there is not, a value that is no number of its unit, rotations without their sign convention, or
        datums that such parameters do not join. No message holds a value.
    """
    known = ["from", "to", *MOST, "convention"]
    for key in content:
        if key not in known:
            raise InputRefused("parameters-key", file=file, where=str(key)[:40], known=known)
    old, new = content.get("from"), content.get("to")
    if old not in OLD_DATUMS or new not in NEW_DATUMS:
        where = "from" if old not in OLD_DATUMS else "to"
        raise InputRefused("parameters-datum", file=file, where=where, old=list(OLD_DATUMS), new=list(NEW_DATUMS))
    values = {key: _number(content, key, file) for key in MOST}
    convention = content.get("convention")
    asked = any(values[key] for key in ("rx", "ry", "rz"))
    if convention not in CONVENTIONS and (asked or convention is not None):
        raise InputRefused("parameters-convention", file=file, where="convention", known=list(CONVENTIONS))
    return DatumParameters(str(old), values, cast("Convention | None", convention), sha256)


def _number(content: Mapping[str, Any], key: str, file: str) -> float:
    value = content.get(key, None if key in ("x", "y", "z") else 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputRefused("parameters-number", file=file, where=key)
    if not abs(value) <= MOST[key]:
        raise InputRefused("parameters-unit", file=file, where=key, most=MOST[key])
    return float(value)
