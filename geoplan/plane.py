"""The one plane of a check: where boundary and layers meet.

Transverse Mercator on the CGCS2000 ellipsoid, scale 1, false easting 500 km, central meridian the multiple of 3°
nearest to the centroid of the planning area: in China exactly the 3-degree Gauss–Krüger zone (EPSG:4534–4554).
Geometries come to it by their vertices only; an edge is straight on this plane, so the same data in any system of
one datum give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

from geoplan.crs import Array, Frame, to_lonlat
from geoplan.errors import InputRefused

FALSE_EASTING = 500_000.0
GEOD = Geod(ellps="GRS80")
"""Geodesics on the CGCS2000 ellipsoid (PROJ's GRS80 has the same figures to 0.02 mm)."""

_GAUSS_KRUGER = ((4534, 75, 3, 0), (4513, 75, 3, 25), (4502, 75, 6, 0), (4491, 75, 6, 13))
"""CGCS2000 Gauss–Krüger families: first EPSG code, its meridian, the step, the first zone number before eastings."""

Shape = TypeVar("Shape", bound="shapely.Geometry | NDArray[np.object_]")


@dataclass(frozen=True, slots=True)
class Plane:
    """A Gauss–Krüger plane on the CGCS2000 ellipsoid, metres, x = east, y = north.

    Parameters
    ----------
    central_meridian
        Degrees east, a multiple of 3.
    """

    central_meridian: int

    @classmethod
    def around(cls, longitude: float) -> Plane:
        """The plane whose central meridian is the multiple of 3° nearest to ``longitude`` (degrees).

        >>> Plane.around(109.41).central_meridian, Plane.around(109.6).central_meridian
        (108, 111)
        >>> Plane.around(109.41).epsg
        4545
        """
        return cls(3 * int(np.floor(longitude / 3 + 0.5)))

    @property
    def epsg(self) -> int | None:
        """EPSG code of this plane where China has one (4534 + zone − 25), else none."""
        zone = self.central_meridian // 3
        return 4509 + zone if 25 <= zone <= 45 else None

    @property
    def crs(self) -> CRS:
        """The plane as a pyproj CRS, for files that geoplan writes."""
        return CRS.from_epsg(self.epsg) if self.epsg else CRS.from_user_input(self._proj)

    @property
    def _proj(self) -> str:
        return (
            f"+proj=tmerc +lat_0=0 +lon_0={self.central_meridian} +k=1 +x_0={FALSE_EASTING:.0f} +y_0=0 "
            "+ellps=GRS80 +units=m +no_defs"
        )

    def from_lonlat(self, lon: Array, lat: Array) -> tuple[Array, Array]:
        """Degrees to metres on the plane."""
        return _step(self._proj).transform(lon, lat)

    def to_lonlat(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Metres on the plane to degrees."""
        return _step(self._proj).transform(x, y, direction="INVERSE")

    def bring(self, shapes: Shape, frame: Frame, *, anywhere: bool = False, file: str | None = None) -> Shape:
        """Shapes of another frame on this plane, moved vertex by vertex.

        Where the frame is this plane but for its false easting (a zone number before it), coordinates stay as read:
        the way over degrees would give the same to a nanometre.

        Raises
        ------
        InputRefused
            The datum may not be changed, or coordinates do not fit their system (degrees in a metre system).
        """
        inverse = to_lonlat(frame, anywhere=anywhere, file=file)
        easting = self._false_easting(frame)

        def move(x: Array, y: Array) -> tuple[Array, Array]:
            east, north = (x - easting, y) if easting is not None else self.from_lonlat(*inverse(x, y))
            if not (np.all(np.isfinite(east)) and np.all(np.isfinite(north))):
                raise InputRefused("coordinates-do-not-fit", file=file, crs=frame.label)
            return east, north

        return _moved(shapes, move)

    def _false_easting(self, frame: Frame) -> float | None:
        """What a frame of this very plane has before its eastings, m: 0 or the zone in millions; none for others."""
        if frame.epsg is None or frame.datum != "cgcs2000":
            return None
        for first, meridian, step, zone in _GAUSS_KRUGER:
            number = frame.epsg - first
            if 0 <= number < (21 if step == 3 else 11) and meridian + step * number == self.central_meridian:
                return (zone + number) * 1e6 if zone else 0.0
        return None

    def lonlat_shapes(self, shapes: Shape) -> Shape:
        """Shapes of this plane in degrees (for display only: measures are taken on the plane)."""
        return _moved(shapes, self.to_lonlat)


def _moved(shapes: Shape, move: Callable[[Array, Array], tuple[Array, Array]]) -> Shape:
    return shapely.transform(shapes, move, interleaved=False)  # type: ignore[arg-type, type-var]


@lru_cache(maxsize=16)
def _step(proj: str) -> Transformer:
    return Transformer.from_pipeline(f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step {proj}")
