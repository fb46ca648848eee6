"""The page on which a user picks where a file without a coordinate system lies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from geoplan.messages import Lang
from geoplan_web.templating import render

_DEGREES = frozenset({4490, 4326})
City = tuple[str, str, float, float, float]
"""Code, name, longitude and latitude in degrees, radius in km."""


def locate(
    token: str, file: str, candidates: Sequence[Mapping[str, Any]], cities: Sequence[City], lang: Lang, *, nonce: str
) -> str:
    """The candidates of a file in a list and on a map; one is confirmed, by itself or by the city that is picked.

    Parameters
    ----------
    candidates
        ``epsg``, ``zh`` and ``en`` (what it is), ``lon`` and ``lat`` in degrees, ``swapped``, and ``place`` with its
        ``adcode`` and ``name``.
    """
    drawn = {"candidates": list(candidates), "cities": [list(each) for each in cities]}
    return render(
        "locate.html", lang,
        nonce=nonce, here=f"/locate/{token}", file=file, candidates=candidates, cities=cities,
        drawn=json.dumps(drawn, ensure_ascii=False, separators=(",", ":")),
        swapped=any(each["swapped"] for each in candidates),
        degrees=any(each["epsg"] in _DEGREES for each in candidates),
    )  # fmt: skip
