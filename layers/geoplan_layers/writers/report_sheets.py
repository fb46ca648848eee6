"""A stored report as sheets: its boundaries, and its pieces keyed by evidence id; nothing but report and overlaps file.

Everything is on the plane of the check, coordinates as they were judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geoplan.errors import NotFound
from geoplan.layer import ATTRIBUTES
from geoplan.measure import polygons_of
from geoplan.messages import Lang, Message, say, word
from geoplan_layers.overlaps import Overlaps
from geoplan_layers.writers.palette import fixed_colour
from geoplan_layers.writers.sheet import Column, Sheet, SheetLayer
from geoplan_layers.writers.systems import plane_frame

Json = Mapping[str, Any]
PARTS = ("planning", "construction")
PIECES, DISTANCES = "overlaps", "distances"


def boundary_sheet(content: Json, overlaps: Overlaps, lang: Lang, part: str | None = None) -> Sheet:
    """The boundaries of a report, one layer a part; or one of them.

    Raises
    ------
    NotFound
        The report has no such part.
    """
    there = [each for each in PARTS if each in overlaps.boundaries and part in (None, each)]
    if not there:
        raise NotFound("part-unknown", part=part or "—", known=list(overlaps.boundaries))
    layers = tuple(_boundary(content, each, overlaps.boundaries[each], lang) for each in there)
    colours = {word("part", each, lang): fixed_colour(each, 0) for each in there}
    return Sheet(layers, plane_frame(overlaps.plane), colours)


def _boundary(content: Json, part: str, shape: shapely.Geometry, lang: Lang) -> SheetLayer:
    record, title = content["proposal"][part], word("part", part, lang)
    columns = {
        "name": content["proposal"]["name"],
        "part": part,
        "area_m2": record["area_m2"],
        "planar_m2": record["planar_area_m2"],
        "report": content["id"],
    }
    name = " ".join(filter(None, (content["proposal"]["name"], title)))
    named = {key: _column([value]) for key, value in columns.items()}
    return SheetLayer(part, _column([name]), _column([polygons_of(shape)]), named, _column([title]))


def overlap_sheet(content: Json, overlaps: Overlaps, lang: Lang) -> Sheet:
    """The pieces of a report: areas in one layer, lines to neighbours in another; a group for each layer of data.

    Raises
    ------
    NotFound
        The report has no pieces.
    """
    found = list(_evidence(content))
    surfaces: list[tuple[Json, shapely.Geometry]] = []
    lines: list[tuple[Json, shapely.Geometry]] = []
    for record in found:
        shape = overlaps.evidence[record["id"]]
        drawn = polygons_of(shape)
        if not drawn.is_empty:
            surfaces.append((record, drawn))
        elif not shapely.is_empty(shape):
            lines.append((record, shape))
    layers = tuple(_pieces(name, rows, lang) for name, rows in ((PIECES, surfaces), (DISTANCES, lines)) if rows)
    if not layers:
        raise NotFound("no-pieces")
    roles = dict.fromkeys(record["layer"] for record in found)
    colours = {_role(role, lang): fixed_colour(role, number) for number, role in enumerate(roles)}
    return Sheet(layers, plane_frame(overlaps.plane), colours)


def _evidence(content: Json) -> Iterator[Json]:
    """Every piece once, with the findings that cite it, in the order of the report."""
    records: dict[str, dict[str, Any]] = {}
    for cited, pieces in _cited(content):
        for piece in pieces:
            records.setdefault(piece["id"], {**piece, "rules": []})["rules"].append(cited)
    yield from records.values()


def _cited(content: Json) -> Iterator[tuple[str, Sequence[Json]]]:
    for found in content["structure"]:
        yield found["rule"], found["evidence"]
    for policy in content["policies"]:
        for finding in policy["findings"]:
            yield f"{policy['id']}.{finding['rule']}", finding["evidence"]


def _pieces(name: str, rows: Sequence[tuple[Json, shapely.Geometry]], lang: Lang) -> SheetLayer:
    records = [record for record, _ in rows]
    columns = {
        "evidence_id": [each["id"] for each in records],
        "layer": [each["layer"] for each in records],
        "part": [each["part"] for each in records],
        "patch": [each["patch"] for each in records],
        "class": [each["class"] for each in records],
        "name": [each.get("name") or "" for each in records],
        "area_m2": [_number(each["area_m2"]) for each in records],
        "net_m2": [_number(each["net_area_m2"]) for each in records],
        "share": [_number(each["share"]) for each in records],
        "sliver": [int(each["sliver"]) for each in records],
        "dist_m": [_number(each.get("distance_m")) for each in records],
        **_attributes(records),
        "rules": ["; ".join(dict.fromkeys(each["rules"])) for each in records],
    }
    groups = [_role(each["layer"], lang) for each in records]
    names = [f"{group} {each['patch']}".strip() for group, each in zip(groups, records, strict=True)]
    return SheetLayer(
        name,
        _column(names),
        _column([shape for _, shape in rows]),
        {key: _column(values) for key, values in columns.items()},
        _column(groups),
    )


def _attributes(records: Sequence[Json]) -> dict[str, list[str]]:
    """Ownership, owner and village of the pieces, where any of them has it."""
    found = {name: [each.get("attributes", {}).get(name, "") for each in records] for name in ATTRIBUTES}
    return {name: texts for name, texts in found.items() if any(texts)}


def _role(role: str, lang: Lang) -> str:
    return say(Message("write.own-lines"), lang) if role == "boundary" else word("role", role, lang)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _column(values: Sequence[Any]) -> Column:
    """An array of objects, also where they are geometries or all alike."""
    made = np.empty(len(values), dtype=object)
    made[:] = list(values)
    return made
