"""What is taken, summed by class, ownership, owner and village where the layer has the field; every table adds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geoplan.balance import adding_up
from geoplan.layer import ATTRIBUTES
from geoplan.ownership import ownership_of
from geoplan.pieces import Piece


def sums_of(pieces: Sequence[Piece], *, classes: bool) -> tuple[Mapping[str, Any], ...]:
    """One table for each part and each thing that is known of its pieces.

    Parameters
    ----------
    classes
        Sum by class too: left out where a balance of classes says it already.

    Returns
    -------
    tuple
        ``by`` (``class``, ``ownership``, ``owner``, ``village``), ``part``, and ``rows`` of ``key``, ``name``,
        ``patches``, ``area_m2``, ``net_area_m2``; largest first. Each column sums to the total of the part, rounded
        (largest remainder). ``key`` is '' where the file says nothing.
    """
    tables = []
    for part in dict.fromkeys(piece.part for piece in pieces):
        here = [piece for piece in pieces if piece.part == part]
        shown = "construction" if part == "construction" else "planning"
        if classes and any(piece.code for piece in here):
            tables.append({"by": "class", "part": shown, "rows": _rows(here, lambda piece: piece.code, named=True)})
        for name in ATTRIBUTES:
            if all(name in piece.attributes for piece in here):
                tables.append({"by": name, "part": shown, "rows": _rows(here, _KEYS[name])})
    return tuple(tables)


_KEYS: Mapping[str, Callable[[Piece], str]] = {
    "ownership": lambda piece: ownership_of(piece.attributes["ownership"]),
    "owner": lambda piece: piece.attributes["owner"],
    "village": lambda piece: piece.attributes["village"],
}


def _rows(pieces: Sequence[Piece], key: Callable[[Piece], str], *, named: bool = False) -> list[dict[str, Any]]:
    groups: dict[str, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(key(piece), []).append(piece)
    listed = sorted(groups.items(), key=lambda item: (-sum(p.area for p in item[1]), item[0]))
    areas = adding_up([sum(p.area for p in several) for _, several in listed], total=sum(p.area for p in pieces))
    nets = adding_up([sum(p.net_area for p in several) for _, several in listed], total=sum(p.net_area for p in pieces))
    return [
        {
            "key": name,
            "name": several[0].name if named else "",
            "patches": len(several),
            "area_m2": area,
            "net_area_m2": net,
        }
        for (name, several), area, net in zip(listed, areas, nets, strict=True)
    ]
