"""What a report's map shows: layers in groups, each with its styles and rows, in the order of the legend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.context import UNCOVERED
from geoplan.messages import Lang, Message, catalogue, say, word
from geoplan.plane import Plane
from geoplan.report import Context
from geoplan_web import map_style
from geoplan_web.evidence import FARMLAND, Citing, PieceView, figures, lacking, pieces
from geoplan_web.finding import ReportView
from geoplan_web.map_style import Style

REACH = 500.0
"""Metres around the boundaries within which reference layers are shown."""
_SMOOTH = 1.0
"""Metres: how far a reference patch may be simplified, for the eye only."""
_TOWNS = "towns"
_FARMLAND_HITS = {
    f"{FARMLAND}.construction": ("construction", map_style.FARMLAND_HIT),
    f"{FARMLAND}.planning": ("planning", map_style.FARMLAND_HIT),
    f"{FARMLAND}.rest": ("rest", map_style.FARMLAND_REST),
}
"""Kinds of evidence that are farmland itself, with the message and style of each."""
_QUIET = frozenset({"construction-control-zones", "land-use-zones", "counties"})
"""Control lines that begin hidden: they cover everything."""

Pane = Literal["ground", "areas", "unknown", "lines", "inner"]
"""Where a layer lies, from below. Boundaries often share a line: the construction boundary lies on the planning's."""


class Drawn(Protocol):
    """Geometry of a report on its plane: what the overlaps file holds."""

    @property
    def plane(self) -> Plane:
        """The plane of the check."""
        ...

    @property
    def boundaries(self) -> Mapping[str, shapely.Geometry]:
        """Boundaries by part: planning, and construction where it is drawn."""
        ...

    @property
    def evidence(self) -> Mapping[str, shapely.Geometry]:
        """Pieces and lines by their id."""
        ...

    @property
    def context(self) -> tuple[Context, ...]:
        """Patches near by, and neighbours."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One thing on the map: its shape on the plane, its style, and what its popup says.

    ``text`` is written beside it; ``piece`` is the evidence that it is; ``id`` names it to the result page; ``roles``
    are layers that do not know this ground, and ``citing`` the findings that lack them.
    """

    shape: shapely.Geometry
    style: int = 0
    id: str = ""
    patch: str = ""
    label: str = ""
    text: str = ""
    area: tuple[str, str] | None = None
    piece: PieceView | None = None
    roles: tuple[str, ...] = ()
    citing: tuple[Citing, ...] = ()


@dataclass(frozen=True)
class MapLayer:
    """One line of the legend: a title, the styles under it (with their own titles where there are several), rows."""

    title: str
    pane: Pane
    styles: list[tuple[str, Style]]
    rows: list[Row]
    shown: bool = True
    heading: str = ""

    @property
    def told_as(self) -> str:
        """What popups call a thing of this layer."""
        return self.heading or self.title


@dataclass(frozen=True)
class MapGroup:
    """A heading of the legend with its layers."""

    title: str
    layers: list[MapLayer] = field(default_factory=list)


def map_groups(report: ReportView, drawn: Drawn) -> list[MapGroup]:
    """Every group that has something to show: first what is not known, since blank ground there is no clearance."""
    maker = _Maker(report, drawn)
    made = [
        MapGroup(maker.say("no-data"), maker.uncovered()),
        MapGroup(maker.say("boundaries"), maker.boundaries()),
        MapGroup(maker.say("farmland"), maker.farmland()),
        MapGroup(maker.say("evidence"), maker.other_evidence()),
        MapGroup(maker.say("neighbours"), maker.neighbours()),
        MapGroup(maker.say("control"), maker.control()),
        MapGroup(maker.say("near-by", reach=REACH), maker.near_by()),
    ]
    kept = [MapGroup(g.title, [layer for layer in g.layers if layer.rows]) for g in made]
    return [group for group in kept if group.layers]


def missing(report: ReportView) -> list[str]:
    """What the map cannot show: layers that a rule asked for and nobody gave, and layers that do not cover it all."""
    found: dict[str, float] = {}
    for finding in (each for policy in report.policies for each in policy.group("spatial")):
        message = finding.record["message"]
        if message["id"] == "finding.needs-towns":
            found[_TOWNS] = 0.0
        elif message["id"] == "finding.needs-layer":
            found[message["args"]["role"]] = 0.0
        elif finding.verdict == "not-assessed" and finding.record["coverage"]:
            for role in finding.record["layers"][:1]:
                found[role] = min(found.get(role, 1.0), *finding.record["coverage"].values())
    return [_absent(role, share, report.lang) for role, share in found.items() if share < 1]


def _absent(role: str, share: float, lang: Lang) -> str:
    name = word("role", role, lang)
    return say(Message("map.covers-only", {"role": name, "share": share}), lang) if share else name


class _Maker:
    """Makes the layers of one report."""

    def __init__(self, report: ReportView, drawn: Drawn) -> None:
        self.report = report
        self.drawn = drawn
        self.pieces = {key: piece for key, piece in pieces(report).items() if key in drawn.evidence}
        self.by_role: dict[str, list[Context]] = {}
        for each in drawn.context:
            if UNCOVERED not in each.groups:
                self.by_role.setdefault(each.role, []).append(each)
        self.ground = shapely.buffer(shapely.union_all(list(drawn.boundaries.values())), REACH)
        shapely.prepare(self.ground)

    def say(self, key: str, **args: object) -> str:
        return say(Message(f"map.{key}", args), self.report.lang)

    def word(self, kind: str, name: str) -> str:
        return word(kind, name, self.report.lang)

    # --- What is not known ---------------------------------------------------------------------------------------

    def uncovered(self) -> list[MapLayer]:
        """Ground that a layer asked by some rule does not know; layers that nobody gave know none of it, together."""
        cited = lacking(self.report)
        partly = {each.role: each.shape for each in self.drawn.context if UNCOVERED in each.groups}
        missing = [role for role in cited if role not in partly]
        grounds = [(missing, self.drawn.boundaries["planning"])] if missing else []
        rows = [
            Row(
                shape,
                id=f"uncovered.{roles[0]}",
                roles=tuple(self.word("role", role) for role in roles),
                citing=tuple(finding for role in roles for finding in cited.get(role, ())),
            )
            for roles, shape in (*grounds, *(([role], shape) for role, shape in partly.items()))
        ]
        return [MapLayer(self.say("uncovered"), "unknown", [("", map_style.UNCOVERED)], rows)]

    # --- What is judged ------------------------------------------------------------------------------------------

    def boundaries(self) -> list[MapLayer]:
        styles: dict[str, tuple[Pane, Style]] = {
            "planning": ("lines", map_style.PLANNING),
            "construction": ("inner", map_style.CONSTRUCTION),
        }
        found = []
        for part, shape in self.drawn.boundaries.items():
            record = self.report.content["proposal"][part] or {}
            row = Row(shape, id=f"boundary.{part}", area=figures(record.get("area_m2")))
            pane, style = styles[part]
            found.append(MapLayer(self.word("part", part), pane, [("", style)], [row]))
        return found

    def farmland(self) -> list[MapLayer]:
        """Hits by part, slivers apart, and the farmland near by that is not hit."""
        hit = [piece for piece in self.pieces.values() if piece.kind in _FARMLAND_HITS]
        return [
            *(
                self._farmland(part, style, [piece for piece in hit if piece.kind == kind and not piece.is_sliver])
                for kind, (part, style) in _FARMLAND_HITS.items()
            ),
            self._farmland("slivers", map_style.FARMLAND_SLIVER, [piece for piece in hit if piece.is_sliver]),
            MapLayer(
                self.say("farmland-near"), "areas", [("", map_style.FARMLAND_NEAR)], self._near(FARMLAND),
                heading=self.say("farmland"),
            ),
        ]  # fmt: skip

    def _farmland(self, key: str, style: Style, several: list[PieceView]) -> MapLayer:
        title, rows = self.say(f"farmland-{key}"), [self._row(piece) for piece in several]
        return MapLayer(title, "areas", [("", style)], rows, heading=f"{self.say('farmland')} · {title}")

    def other_evidence(self) -> list[MapLayer]:
        """Evidence of the other layers, by layer; drawn uses on farmland apart from the farmland itself."""
        found: dict[str, list[PieceView]] = {}
        for piece in self.pieces.values():
            if piece.kind not in _FARMLAND_HITS and piece.distance is None:
                found.setdefault(piece.kind if piece.layer == FARMLAND else piece.layer, []).append(piece)
        return [self._evidence(kind, several) for kind, several in found.items()]

    def _evidence(self, kind: str, several: list[PieceView]) -> MapLayer:
        """Pieces by what is said of them. Land that is only counted, and ground shown already, begin hidden."""
        styles = [
            (self.word("verdict", "fail"), map_style.HIT),
            (self.word("verdict", "attention"), map_style.TAKEN),
            (self.say("unknown"), map_style.UNKNOWN),
            (self.say("slivers"), map_style.SLIVER),
        ]
        rows = [self._row(piece, _evidence_style(piece)) for piece in several]
        own = f"map.evidence-{kind.replace('.', '-')}"
        title = say(Message(own), self.report.lang) if own in catalogue() else self.word("role", kind)
        layer, weighs = several[0].layer, any(row.style in (0, 2) for row in rows)
        return MapLayer(title, "areas", styles, rows, shown=layer != FARMLAND and (layer != "land-use" or weighs))

    def neighbours(self) -> list[MapLayer]:
        """Towns and distances, whole: they lie far outside what is shown of other layers."""
        lines = [self._row(piece) for piece in self.pieces.values() if piece.distance is not None]
        towns = [
            Row(each.shape, patch=each.name, label=self.word("town-stage", each.code), text=each.name)
            for each in self.by_role.get(_TOWNS, [])
        ]
        return [
            MapLayer(self.say("towns"), "areas", [("", map_style.TOWN)], towns),
            MapLayer(self.say("distances"), "lines", [("", map_style.DISTANCE)], lines),
        ]

    def _row(self, piece: PieceView, style: int = 0) -> Row:
        shape = self.drawn.evidence[piece.id]
        beside = f"{piece.patch} {piece.distance}" if piece.distance else ""
        return Row(shape, style, piece.id, piece.patch, piece.label, beside, piece.area, piece)

    # --- What lies around ----------------------------------------------------------------------------------------

    def control(self) -> list[MapLayer]:
        """Lines that plans and the law draw, as far as they lie near."""
        return [
            MapLayer(self.word("role", role), "areas", [("", style)], self._near(role), shown=role not in _QUIET)
            for role, style in map_style.CONTROL.items()
        ]

    def near_by(self) -> list[MapLayer]:
        """Land use by class, drawn uses (one or the other is enough to look at), and any other layer."""
        told = {FARMLAND, _TOWNS, "land-use", "planned-land-use", *map_style.CONTROL}
        return [
            self._cover("land-use", map_style.land, shown=True),
            self._cover("planned-land-use", map_style.planned, shown=False),
            *(self._plain(role) for role in self.by_role if role not in told),
        ]

    def _plain(self, role: str) -> MapLayer:
        styles = [("", map_style.OTHER)]
        return MapLayer(self.word("role", role), "ground", styles, self._near(role), shown=False)

    def _cover(self, role: str, style: Callable[[str], Style], *, shown: bool) -> MapLayer:
        groups = list(map_style.LAND)

        def group(patch: Context) -> int:
            return next((i for i, each in enumerate(groups) if each in patch.groups), len(groups) - 1)

        styles = [(ground_title(each, self.report.lang), style(each)) for each in groups]
        return MapLayer(self.word("role", role), "ground", styles, self._near(role, group), shown)

    def _near(self, role: str, style: Callable[[Context], int] = lambda _: 0) -> list[Row]:
        """Patches of a role as far as they lie near, simplified for the eye without tearing shared sides apart."""
        patches = self.by_role.get(role, [])
        if not patches:
            return []
        whole = np.array([each.shape for each in patches], dtype=object)
        cut = shapely.intersection(_smooth(whole), self.ground)
        kept = shapely.get_dimensions(cut) == shapely.get_dimensions(whole)  # not what only touches the rim
        return [
            Row(shape, style(patch), patch=patch.patch, label=_label(patch))
            for patch, shape, keep in zip(patches, cut, kept, strict=True)
            if keep and not shape.is_empty
        ]


def ground_title(group: str, lang: Lang) -> str:
    """A group of land in words; those that hold what no group before them took are "other"."""
    own = f"map.ground-{group}"
    return say(Message(own), lang) if own in catalogue() else word("class", group, lang)


def _smooth(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes with fewer vertices; polygons keep the sides that they share."""
    areas = shapely.get_dimensions(shapes) == 2
    found = shapes.copy()
    found[areas] = shapely.coverage_simplify(shapes[areas], _SMOOTH)
    found[~areas] = shapely.simplify(shapes[~areas], _SMOOTH)
    return np.where(shapely.is_valid(found), found, shapes)  # patches that overlap are no coverage


def _label(patch: Context) -> str:
    return " ".join(dict.fromkeys(filter(None, (patch.code, patch.name))))


def _evidence_style(piece: PieceView) -> int:
    if piece.is_sliver:
        return 3
    if piece.record["patch"] == "unknown" or piece.verdict == "not-assessed":
        return 2
    return 0 if piece.verdict == "fail" else 1
