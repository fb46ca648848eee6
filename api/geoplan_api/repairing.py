"""From an inquiry to a repair: read once, judged by the same check, re-checked from the file that is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geoplan.boundary import Proposal
from geoplan.check import Options
from geoplan.messages import Lang
from geoplan.policy import Policy
from geoplan.progress import Progress, unwatched
from geoplan.repair.answer import Repaired, repair
from geoplan.report import Report
from geoplan_api.inquiry import Grounds, Inquiry, boundary_of, grounds
from geoplan_api.repair_files import Delivered, deliver_repair
from geoplan_layers.agreement import agree
from geoplan_layers.sandbox.session import reading


@dataclass(frozen=True)
class Asked:
    """A repair asked for: the inquiry as for a check, and whether readings move anything."""

    inquiry: Inquiry
    move_for_readings: bool = False


@reading()
def mended(
    asked: Asked,
    out: Path | None,
    lang: Lang,
    own_policies: tuple[Policy, ...] | None = None,
    progress: Progress = unwatched,
) -> Delivered:
    """Read what an inquiry names, repair it, and write what came of it.

    Raises
    ------
    GeoplanError
        What was refused, with the file, the place and the mend.
    Cancelled
        From ``progress``.
    """
    inquiry = asked.inquiry
    progress("repair-reading", 0, 1)
    basis = grounds(inquiry, own_policies)
    planning = boundary_of(inquiry.planning, inquiry.reading)
    construction = boundary_of(inquiry.construction, inquiry.reading) if inquiry.construction else None
    agree(planning, construction, basis.layers_near(planning), basis.register, anywhere=inquiry.anywhere)
    proposal = Proposal(planning, construction, inquiry.name, basis.facts)
    found = repaired_on(basis, proposal, asked.move_for_readings, progress)
    return deliver_repair(
        basis, proposal, found, out, lang, move_for_readings=asked.move_for_readings, progress=progress
    )


def repaired_on(
    basis: Grounds, proposal: Proposal, move_for_readings: bool = False, progress: Progress = unwatched
) -> Repaired:
    """The repair of a proposal on grounds that are read already."""
    inquiry, layers = basis.inquiry, basis.layers_near(proposal.planning)

    def judge(candidate: Proposal) -> Report:
        return basis.judge(candidate.planning, candidate.construction, candidate.name, turns=False)

    choice = Options(basis.on, inquiry.accuracy, inquiry.anywhere, inquiry.readings)
    return repair(
        proposal,
        basis.policies,
        layers,
        basis.register,
        choice,
        basis.book,
        judge,
        move_for_readings=move_for_readings,
        progress=progress,
    )
