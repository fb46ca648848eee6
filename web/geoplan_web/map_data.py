"""The map's data as one JSON document: words, findings, layers and the vertices that their shapes share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geoplan.messages import Message, catalogue, say, word
from geoplan.plane import Plane
from geoplan_web.evidence import Citing, Figures, decisive
from geoplan_web.finding import ICONS, ReportView
from geoplan_web.map_layers import Drawn, MapGroup, MapLayer, Row, map_groups, missing
from geoplan_web.map_points import PRECISION, PointTable, vlq

_SCRIPT = "map.script."
"""Messages that scripts of the map say."""


def map_data(
    report: ReportView, drawn: Drawn, whole: Mapping[str, str] | None = None, first: Sequence[MapGroup] = ()
) -> dict[str, Any]:
    """Everything that the map's scripts need.

    A layer's ``rows`` are columns: one list for each property that a row of the layer has, or where few values stand
    in many rows those values ``of`` it and the place ``at`` which each row has its own (`vlq`); areas in m² and 亩 are
    ``hundredths``, one row after the other. ``shape`` is written by
    `PointTable`; ``patch`` and ``id`` go without the beginning that all of them share; ``label`` and ``findings``
    are places in ``labels`` and in the page's ``findings``. A finding with ``shows`` is shown by those rows alone.
    ``whole`` are addresses of the maps of whole layers, by role; ``first`` are groups before the report's own.
    """
    table, cited = PointTable(), _Numbered()
    decided = {f.anchor: ids for policy in report.policies for f in policy.findings if (ids := decisive(f))}
    groups = [_group(group, drawn.plane, table, cited) for group in (*first, *map_groups(report, drawn))]
    return {
        "lang": report.lang,
        "words": {
            key.removeprefix(_SCRIPT): say(Message(key), report.lang) for key in catalogue() if key.startswith(_SCRIPT)
        },
        "icons": ICONS,
        "precision": PRECISION,
        "meridian": drawn.plane.central_meridian,
        "missing": missing(report),
        "whole": [{"title": word("role", role, report.lang), "href": href} for role, href in (whole or {}).items()],
        "findings": [
            {
                "anchor": c.anchor,
                "title": c.title,
                "paper": c.paper,
                "verdict": c.verdict,
                "shows": decided.get(c.anchor),
            }
            for c in cited.found
        ],
        "groups": groups,
        "points": table.text(),
    }


class _Numbered:
    """Findings in the order in which the map first needs them."""

    def __init__(self) -> None:
        self.found: list[Citing] = []
        self._numbers: dict[str, int] = {}

    def number(self, cited: Citing) -> int:
        """The place of a finding, given at its first call."""
        if cited.anchor not in self._numbers:
            self._numbers[cited.anchor] = len(self.found)
            self.found.append(cited)
        return self._numbers[cited.anchor]


def _group(group: MapGroup, plane: Plane, table: PointTable, cited: _Numbered) -> dict[str, Any]:
    return {"title": group.title, "layers": [_layer(layer, plane, table, cited) for layer in group.layers]}


def _layer(layer: MapLayer, plane: Plane, table: PointTable, cited: _Numbered) -> dict[str, Any]:
    used = sorted({row.style for row in layer.rows})
    labels = list(dict.fromkeys(["", *(row.label for row in layer.rows)]))
    starts = {key: _shared_start([getattr(row, key) for row in layer.rows]) for key in ("patch", "id")}
    shapes = plane.lonlat_shapes(np.array([row.shape for row in layer.rows], dtype=object))
    columns: dict[str, list[Any]] = {
        "shape": [table.write(shape) for shape in shapes],
        "style": [used.index(row.style) for row in layer.rows],
        "label": [labels.index(row.label) for row in layer.rows],
        **{key: [getattr(row, key)[len(start) :] for row in layer.rows] for key, start in starts.items()},
        **_told(layer.rows, cited),
    }
    return {
        "title": layer.title,
        "heading": layer.told_as,
        "pane": layer.pane,
        "shown": layer.shown,
        "styles": [{"title": layer.styles[i][0], **layer.styles[i][1].as_options()} for i in used],
        "labels": labels,
        "starts": {key: start for key, start in starts.items() if start},
        "rows": {"shape": columns.pop("shape")} | {k: _column(v) for k, v in columns.items() if any(v)},
    }


def _column(values: Sequence[Any]) -> Any:
    """A column of rows as it is, or its few values and the place of each row's own, or its areas as hundredths.

    >>> _column(["a", "b", "a", "a", "b"])
    {'of': ['a', 'b'], 'at': 'ACAAC'}
    >>> _column(["a", "b"])
    ['a', 'b']
    >>> _column([Figures("1,085.83", "1.63"), Figures("9.81", "0.01")])
    {'hundredths': 'ui0GmKq9BC'}
    """
    if hundredths := _hundredths(values):
        return {"hundredths": hundredths}
    keys = [repr(value) for value in values]
    different = dict(zip(keys, values, strict=True))
    if 2 * len(different) > len(keys):
        return list(values)
    places = {key: i for i, key in enumerate(different)}
    return {"of": list(different.values()), "at": vlq(places[key] for key in keys)}


def _hundredths(values: Sequence[Any]) -> str:
    """Areas as printed in both units as whole numbers of hundredths (`vlq`); empty where they are none."""
    if not all(isinstance(value, Figures) for value in values):
        return ""
    texts = [text for value in values for text in value]
    numbers = [int(text.replace(",", "").replace(".", "")) for text in texts]
    printed_alike = all(f"{number / 100:,.2f}" == text for number, text in zip(numbers, texts, strict=True))
    return vlq(numbers) if printed_alike else ""


def _shared_start(texts: Sequence[str]) -> str:
    """The longest beginning that all texts share.

    >>> _shared_start(["330502YJ00224", "330502YJ00235"])
    '330502YJ002'
    """
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _told(rows: Sequence[Row], cited: _Numbered) -> dict[str, list[Any]]:
    """What popups tell of evidence."""
    some = [row.piece for row in rows]
    return {
        "text": [row.text for row in rows],
        "area": [row.area for row in rows],
        "net": [piece and piece.net for piece in some],
        "share": [piece and piece.share for piece in some],
        "distance": [piece and piece.distance for piece in some],
        "part": [piece and piece.part for piece in some],
        "uses": [piece and piece.uses for piece in some],
        "roles": [row.roles for row in rows],
        "findings": [
            [cited.number(c) for c in (row.piece.citing if row.piece else row.citing)] or None for row in rows
        ],
    }
