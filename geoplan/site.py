"""The site of a check: the proposal and its layers on one plane, cut and measured once for all rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import shapely

from geoplan.boundary import Proposal
from geoplan.crs import lies_in_china
from geoplan.errors import InputRefused
from geoplan.landuse import Generation
from geoplan.layer import UNION_ROLES, Amounts, Coverage, Layer, MeasuredInBulk, Patches
from geoplan.measure import PRINTS_AS_ZERO, is_sliver, polygons_of, survey_area
from geoplan.messages import Message
from geoplan.messages.units import floor_to
from geoplan.offsets import REACH, Offsets
from geoplan.pieces import Part, Piece, cut, pieces_of
from geoplan.plane import Plane
from geoplan.register import Neighbour, Register, neighbours


@dataclass(frozen=True, slots=True)
class Known:
    """How much of a part a layer knows: the share (rounded down to 4 decimals), by whom, and what is not known."""

    share: float
    origin: Literal["declared", "assumed"]
    uncovered: shapely.Geometry

    @property
    def is_whole(self) -> bool:
        """Whether nothing but slivers is unknown."""
        return self.share == 1.0


class Site:
    """A proposal with its layers and neighbours on the plane of the check.

    Parameters
    ----------
    accuracy
        How far any line may lie from the truth, m.
    anywhere
        Allow data outside China.
    turns
        Whether offsets of the boundary are to be tried, to tell how far it is from another verdict.
    fast
        Areas in bulk where the layer gives them and no verdict rests on them; no offsets are tried.

    Raises
    ------
    InputRefused
        A boundary or layer does not fit its coordinate system, or lies outside China without ``anywhere``.
    """

    def __init__(
        self,
        proposal: Proposal,
        layers: Sequence[Layer],
        register: Register | None,
        *,
        accuracy: float,
        anywhere: bool,
        turns: bool = True,
        fast: bool = False,
    ) -> None:
        self.proposal = proposal
        self.accuracy = accuracy
        self.anywhere = anywhere
        self.fast = fast
        self.register = register
        self.plane = Plane.around(proposal.planning.central_longitude(anywhere=anywhere))
        self.planning: shapely.Geometry = proposal.planning.on(self.plane, anywhere=anywhere)
        self.construction: shapely.Geometry | None = None
        if proposal.construction is not None:
            proposal.construction.central_longitude(anywhere=anywhere)
            self.construction = proposal.construction.on(self.plane, anywhere=anywhere)
        self._layers: dict[str, list[Layer]] = {}
        for layer in layers:
            self._layers.setdefault(layer.role, []).append(layer)
        self._patches: dict[str, Patches] = {}
        self._pieces: dict[tuple[str, Part], tuple[Piece, ...]] = {}
        self._amounts: dict[tuple[str, Part], tuple[Piece, ...] | None] = {}
        self._known: dict[tuple[str, Part], Known] = {}
        self._offsets: dict[Part, Offsets] = {}
        self._turns = turns

    @cached_property
    def window(self) -> shapely.Polygon:
        """Bounds of everything that an offset of the boundaries by ``REACH`` can touch."""
        parts: tuple[Part, ...] = ("planning",) if self.construction is None else ("planning", "construction")
        return shapely.box(*shapely.total_bounds([self.offsets(part).at(REACH) for part in parts]))

    @cached_property
    def in_china(self) -> bool:
        """Whether the planning area lies in the range of degrees that holds China."""
        xy = shapely.get_coordinates(self.plane.lonlat_shapes(self.planning))
        return lies_in_china(xy[:, 0], xy[:, 1])

    @cached_property
    def rest(self) -> shapely.Geometry:
        """The planning area without the construction area."""
        if self.construction is None:
            return self.planning
        return polygons_of(shapely.difference(self.planning, self.construction))

    def shape(self, part: Part) -> shapely.Geometry:
        """A part of the proposal on the plane."""
        if part == "construction":
            assert self.construction is not None, "the rule asks for a construction boundary that is not there"
            return self.construction
        return self.planning if part == "planning" else self.rest

    def offsets(self, part: Part) -> Offsets:
        """The offsets of a part as drawn, which all rules share."""
        if part not in self._offsets:
            self._offsets[part] = Offsets(self.shape(part), self.accuracy, wanted=self._turns and not self.fast)
        return self._offsets[part]

    def area(self, part: Part) -> float:
        """Ellipsoidal area of a part, m²."""
        return self._areas[part]

    @cached_property
    def _areas(self) -> dict[Part, float]:
        drawn: tuple[Part, ...] = (
            ("planning", "rest") if self.construction is None else ("planning", "construction", "rest")
        )
        return {part: survey_area(self.shape(part), self.plane) for part in drawn}

    @property
    def judged(self) -> Part:
        """The part that occupation is judged on: construction, or planning in its place."""
        return "planning" if self.construction is None else "construction"

    def has(self, role: str) -> bool:
        """Whether a layer of that role was given."""
        return role in self._layers

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers given, in the order of their roles."""
        return tuple(layer for several in self._layers.values() for layer in several)

    def patches(self, role: str) -> Patches:
        """Patches of a role near the site, in the order of the files."""
        if role not in self._patches:
            near = [layer.within(self.window, self.plane) for layer in self._layers.get(role, [])]
            self._patches[role] = Patches.together(near)
        return self._patches[role]

    def near(self, role: str, window: shapely.Polygon) -> Patches:
        """Patches of a role in a window of the plane larger than the site's own."""
        return Patches.together([layer.within(window, self.plane) for layer in self._layers.get(role, [])])

    def generation(self, role: str) -> Generation:
        """The standard that gives a role's codes their meaning.

        Raises
        ------
        InputRefused
            The layer has no class field, or nothing decides the generation: a rule's verdict depends on it.
        """
        found: set[Generation] = set()
        for layer in self._layers[role]:
            if not layer.coded:
                raise InputRefused("layer-without-class", file=layer.source.file, role=role)
            if layer.generation is None:
                raise InputRefused("generation-undecided", file=layer.source.file, role=role)
            found.add(layer.generation)
        if len(found) > 1:
            raise InputRefused(
                "generations-differ", file=self._layers[role][0].source.file, role=role, found=sorted(found)
            )
        return found.pop()

    def require_codes(self, role: str) -> None:
        """Refuse a layer without a class or zone field where a rule judges by it."""
        for layer in self._layers[role]:
            if not layer.coded:
                raise InputRefused("layer-without-class", file=layer.source.file, role=role)

    def pieces(self, role: str, part: Part) -> tuple[Piece, ...]:
        """Every patch of a role that shares ground with a part; contact (0.00 m²) is not overlap."""
        key = (role, part)
        if key not in self._pieces:
            self._pieces[key] = self._cut(role, part)
        return self._pieces[key]

    def amounts(self, role: str, part: Part) -> tuple[Piece, ...]:
        """The same pieces, for rules that ask which there are, whether they are slivers, and report their areas.

        In a fast check the areas are a kernel's (`method`), and a piece is cut when its shape is asked for.
        """
        found = self._in_bulk(role, part)
        return self.pieces(role, part) if found is None else found

    def method(self, role: str, part: Part) -> str:
        """How the areas of `amounts` were measured."""
        return "survey-ellipsoid" if self._in_bulk(role, part) is None else "kernel"

    def _in_bulk(self, role: str, part: Part) -> tuple[Piece, ...] | None:
        key = (role, part)
        if key not in self._amounts:
            given = self._layers.get(role, [])
            layer = given[0] if self.fast and len(given) == 1 else None
            found = (
                layer.amounts(self.shape(part), self.plane, self.accuracy)
                if isinstance(layer, MeasuredInBulk)
                else None
            )
            self._amounts[key] = None if found is None else self._as_pieces(role, part, found)
        return self._amounts[key]

    def _cut(self, role: str, part: Part) -> tuple[Piece, ...]:
        patches, shapes, areas = cut(self.patches(role), self.shape(part), self.plane)
        slivers = np.array([is_sliver(shape, self.accuracy) for shape in shapes], dtype=bool)
        return self._as_pieces(role, part, Amounts(patches, areas, slivers, shapes.__getitem__))

    def _as_pieces(self, role: str, part: Part, found: Amounts) -> tuple[Piece, ...]:
        generations: set[Generation | None] = {layer.generation for layer in self._layers.get(role, [])}
        generation = generations.pop() if len(generations) == 1 else None
        return pieces_of(found, role, part, self.area(part), generation)

    def known(self, role: str, part: Part) -> Known:
        """The coverage of a part by a role."""
        key = (role, part)
        if key not in self._known:
            self._known[key] = self.known_in(role, self.shape(part))
        return self._known[key]

    @property
    def coverage_asked(self) -> list[tuple[str, Part, Known]]:
        """Coverage of each role and part that some rule has asked for, planning before its rest."""
        asked: dict[tuple[str, Part], Known] = dict(self._known)
        return [
            (role, part, known)
            for (role, part), known in asked.items()
            if part != "rest" or (role, "planning") not in asked
        ]

    def known_in(self, role: str, shape: shapely.Geometry, *, slivers: bool = False) -> Known:
        """The coverage of any area of the plane by a role; uncovered slivers do not count unless they are asked for."""
        given = self._layers.get(role, [])
        declared = [area for layer in given if (area := layer.declared(self.plane)) is not None]
        left = self._uncovered(shape, declared, slivers)
        origin: Literal["declared", "assumed"] = "declared"
        if not shapely.is_empty(left) or not declared:
            assumed = [self._assumed(layer, role, left).area for layer in given if layer.declared(self.plane) is None]
            if assumed:
                origin = "assumed"
                left = self._uncovered(left, assumed, slivers)
        return Known(self._share(left, shape), origin, left)

    def known_classes(self, role: str, part: Part) -> Known:
        """The coverage of a part by a role's classes: ground whose code its generation does not know is not known."""
        return self._with_classes(self.known(role, part), role, part, self.shape(part))

    def known_classes_in(self, role: str, part: Part, shape: shapely.Geometry) -> Known:
        """The same for ground inside a part."""
        return self._with_classes(self.known_in(role, shape), role, part, shape)

    def _with_classes(self, known: Known, role: str, part: Part, shape: shapely.Geometry) -> Known:
        strange = [p.shape for p in self.amounts(role, part) if not p.groups and not p.sliver]
        if not strange:
            return known
        nameless = shapely.intersection(shapely.union_all(np.array(strange, dtype=object)), shape)
        uncovered = self._uncovered(shapely.union(known.uncovered, nameless), [], False)
        return Known(self._share(uncovered, shape), known.origin, uncovered)

    def _share(self, uncovered: shapely.Geometry, shape: shapely.Geometry) -> float:
        """The share of a shape that is known, rounded down; 1 only where nothing is missing."""
        missing, whole = survey_area(uncovered, self.plane), survey_area(shape, self.plane)
        return 1.0 if missing == 0 or whole == 0 else max(min(floor_to(1 - missing / whole, 4), 0.9999), 0.0)

    def _assumed(self, layer: Layer, role: str, near: shapely.Geometry) -> Coverage:
        if role not in UNION_ROLES:
            return Coverage(layer.extent(self.plane), "assumed")
        shapes = self.patches(role).shapes
        shapely.prepare(near)
        return Coverage(shapely.union_all(shapes[shapely.intersects(near, shapes)]), "assumed")

    def _uncovered(
        self, shape: shapely.Geometry, known: Sequence[shapely.Geometry], slivers: bool
    ) -> shapely.MultiPolygon:
        left = polygons_of(shapely.difference(shape, shapely.union_all(np.array(known, dtype=object))))
        if slivers:
            return left
        real = [p for p in left.geoms if not is_sliver(p, self.accuracy) and p.area >= PRINTS_AS_ZERO]
        return shapely.MultiPolygon(real)

    @cached_property
    def _neighbourhood(self) -> tuple[tuple[Neighbour, ...], tuple[Message, ...]]:
        if self.register is None:
            return (), ()
        facts = self.proposal.facts
        return neighbours(
            self.register, self.planning, self.plane, facts.id, self.proposal.title, anywhere=self.anywhere
        )

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """Live towns of the register other than the proposal."""
        return self._neighbourhood[0]

    @property
    def left_out(self) -> tuple[Message, ...]:
        """Towns of the register that do not count, with the reason."""
        return self._neighbourhood[1]
