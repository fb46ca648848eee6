"""Ground whose class nobody knows: a code that is missing, or that its generation does not have."""

from __future__ import annotations

from geoplan.messages import Message
from geoplan.messages.units import half_up
from geoplan.pieces import Part
from geoplan.site import Site


def class_notes(site: Site, role: str, part: Part) -> tuple[Message, ...]:
    """A note on patches without a known class, or none where every code means something."""
    strange = [p for p in site.amounts(role, part) if not p.groups and not p.sliver]
    if not strange:
        return ()
    codes = sorted({p.code or "—" for p in strange})
    area = half_up(sum(p.area for p in strange), 2)
    return (Message("note.class-unknown", {"role": role, "count": len(strange), "area": area, "codes": codes}),)
