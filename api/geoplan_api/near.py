"""Which layers lie near a boundary: what a home holds counts only there.

A layer of another place would turn "no such layer" into "not covered".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geoplan.boundary import Boundary
from geoplan.crs import Frame, to_lonlat

Box = tuple[float, float, float, float]
NEAR = 0.3
"""How far from a layer's extent a boundary may lie for the layer to be used, degrees: about 30 km, beyond the
distances that rules ask for."""


def place_of(boundary: Boundary, *, anywhere: bool) -> Box:
    """Bounds of a boundary, degrees."""
    return degrees_of(shapely.get_coordinates(boundary.polygons), boundary.frame, anywhere=anywhere)


def degrees_of(xy: Any, frame: Frame, *, anywhere: bool) -> Box:
    """Bounds of coordinates of a frame, degrees."""
    lon, lat = to_lonlat(frame, anywhere=anywhere)(xy[:, 0], xy[:, 1])
    return float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat))


def is_near(extent: Box, place: Box) -> bool:
    """Whether two boxes are within `NEAR` degrees of each other.

    >>> is_near((120.0, 30.0, 121.0, 31.0), (121.2, 30.5, 121.3, 30.6))
    True
    >>> is_near((120.0, 30.0, 121.0, 31.0), (109.0, 24.0, 109.1, 24.1))
    False
    """
    apart = (place[0] - extent[2], extent[0] - place[2], place[1] - extent[3], extent[1] - place[3])
    return max(apart) <= NEAR
