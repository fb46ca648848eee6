# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Real field registers in their own formats and systems: our areas beside the authority's own column.

The survey's ellipsoidal area must agree with the authority's figure as far as the two measure the same thing: a
register that states plane areas of its own projection differs by that projection's scale, which the planar area of the
coordinates as read shows. Units: Austria, Flanders and Denmark state hectares in the column's definition, California
acres; the unit of India's column is not documented, m² fits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from geoplan.measure import survey_area
from geoplan.plane import Plane
from geoplan_layers.files.limits import LAYER
from geoplan_layers.files.table import Table
from geoplan_layers.selector import parse_selector
from geoplan_layers.vector import read_table

HECTARE, ACRE = 1e4, 4046.8564224
_FLANDERS = "Landbouwgebruikspercelen_2023_-_Definitief_(extractie_28-03-2024)_GPKG.zip"
REGISTERS = (
    ("at", "inspire_schlaege_2025-1_polygon.gpkg.zip", "SL_FLAECHE_BRUTTO_HA", HECTARE, 0.0497, 0.0000),
    ("be_vlg", _FLANDERS, "GRAF_OPP", HECTARE, 0.0032, 0.0004),
    ("dk", "Marker_2026.zip", "IMK_areal", HECTARE, 0.3175, 0.2455),
    ("india_10k", "india_10k.zip", "area", 1.0, -0.1862, None),
    ("us_ca_scm", "i15_crop_mapping_2023_provisional_20241127.gdb.zip", "ACRES", ACRE, 0.0004, None),
)
"""Folder, file, area column, its unit in m², and the median difference of our ellipsoidal area and of the planar area
of the coordinates as read from the column, in percent; parcels over 1,000 m². None where coordinates are degrees."""
WHY = {
    "at": "the register states plane areas of its Lambert projection, whose scale the ellipsoidal area leaves out",
    "be_vlg": "the register states plane areas of its Lambert projection, in hectares to four decimals",
    "dk": "hectares to two decimals, the authority's own control area: 0.25 % below the drawn one",
    "india_10k": "the column's unit and method are not documented; m² fits, on another figure of the earth",
    "us_ca_scm": "ellipsoidal acres",
}


def areas(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Ellipsoidal area of each row on a plane of its own, m², and the planar area of its coordinates as read."""
    assert table.frame is not None
    ellipsoidal = []
    for shape in table.shapes:
        lon = shapely.get_x(shapely.centroid(Plane(0).lonlat_shapes(Plane(0).bring(shape, table.frame, anywhere=True))))
        plane = Plane.around(float(lon))
        ellipsoidal.append(survey_area(plane.bring(shape, table.frame, anywhere=True), plane))
    return np.array(ellipsoidal), shapely.area(table.shapes)


@pytest.mark.parametrize(("folder", "file", "column", "unit", "survey", "planar"), REGISTERS)
def test_areas_agree_with_the_authority(
    real_data: Path, folder: str, file: str, column: str, unit: float, survey: float, planar: float | None
) -> None:
    table = read_table(parse_selector(str(real_data / "data" / "fields" / folder / file)), LAYER)
    ours, flat = areas(table)
    stated = np.array([float(v) for v in table.columns[column]]) * unit
    large = stated > 1000
    assert large.sum() >= 60
    assert np.median(ours[large] / stated[large] - 1) * 100 == pytest.approx(survey, abs=2e-4)
    if planar is not None:
        assert np.median(flat[large] / stated[large] - 1) * 100 == pytest.approx(planar, abs=2e-4)
