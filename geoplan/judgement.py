"""What a rule answers: verdict, message, measure, evidence, and how far the boundary is from another verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import shapely

from geoplan.measure import Measurement
from geoplan.messages import Message
from geoplan.pieces import Piece
from geoplan.policy.rule import Limit
from geoplan.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Turn:
    """The nearest mitred offset of the boundary (m, outward positive) that gives another verdict, and its area (m²)."""

    verdict: Verdict
    shift_m: float
    area_m2: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of ground, or a line to a neighbour, that a verdict rests on; drawn on the map by its id.

    ``distance_m`` stands for lines; ``uses`` are the drawn uses that decide about a piece, each with its area;
    ``attributes`` what its layer says of ownership, owner and village.
    """

    id: str
    layer: str
    part: str
    patch: str
    code: str
    shape: shapely.Geometry
    area_m2: float | None = None
    net_area_m2: float | None = None
    share: float | None = None
    sliver: bool = False
    name: str = ""
    distance_m: float | None = None
    uses: tuple[Mapping[str, Any], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, piece: Piece, uses: tuple[Mapping[str, Any], ...] = ()) -> Evidence:
        """A patch that was hit, as evidence."""
        part = "construction" if piece.part == "construction" else "planning"
        return cls(
            piece.id,
            piece.role,
            part,
            piece.patch,
            piece.code,
            piece.shape,
            piece.area,
            piece.net_area,
            piece.share,
            piece.sliver,
            piece.name,
            uses=uses,
            attributes=piece.attributes,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer of one rule to one proposal.

    ``sides`` are the verdicts on both sides of a limit that lies within the error; ``notes`` further sentences
    (what was assumed, what another reading would give); ``change`` what would have to change; ``balance`` the
    account of classes of a minimise rule; ``sums`` what is taken by class, ownership, owner and village.
    """

    verdict: Verdict
    message: Message
    firm: bool = True
    sides: tuple[Verdict, Verdict] | None = None
    measured: Measurement | None = None
    elsewhere: float | None = None
    limit: Limit | None = None
    turns: tuple[Turn, ...] = ()
    coverage: Mapping[str, float] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[Message, ...] = ()
    change: Message | None = None
    balance: tuple[Mapping[str, Any], ...] = ()
    sums: tuple[Mapping[str, Any], ...] = ()
    facts: tuple[Mapping[str, Any], ...] = ()


def not_assessed(
    message: Message, *, layers: tuple[str, ...] = (), coverage: Mapping[str, float] | None = None
) -> Judgement:
    """The answer where something that the rule needs is missing: what it is, and never a pass."""
    return Judgement("not-assessed", message, coverage=coverage or {}, layers=layers)


def needs_layer(role: str, *parts: str) -> Judgement:
    """The answer where a layer was not given: nothing of the boundary's parts is known."""
    coverage = dict.fromkeys(parts, 0.0)
    return not_assessed(Message("finding.needs-layer", {"role": role}), layers=(role,), coverage=coverage)


def not_applicable(message: Message) -> Judgement:
    """The answer where the rule does not bind this proposal, and why."""
    return Judgement("not-applicable", message)
