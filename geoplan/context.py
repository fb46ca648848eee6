"""What is shown around a boundary: patches, neighbours, control lines, and ground that a layer does not know."""

from __future__ import annotations

import numpy as np
import shapely

from geoplan.landuse import groups
from geoplan.offsets import REACH
from geoplan.report import Context
from geoplan.site import Site

UNCOVERED = "uncovered"
"""The group of ground that a layer does not know, of which its patches therefore say nothing."""


def around(site: Site) -> tuple[Context, ...]:
    """Patches of every layer within 500 m of the boundaries, and all neighbours, on the plane."""
    both = shapely.union_all([site.planning, site.construction] if site.construction is not None else [site.planning])
    shapely.prepare(both)
    found: list[Context] = []
    for role in dict.fromkeys(layer.role for layer in site.layers):
        generations = {layer.generation for layer in site.layers if layer.role == role}
        generation = generations.pop() if len(generations) == 1 else None
        patches = site.patches(role)
        for i in np.flatnonzero(shapely.dwithin(both, patches.shapes, REACH)):
            code = str(patches.codes[i])
            kinds = tuple(sorted(groups(code, generation))) if generation else ()
            found.append(Context(role, str(patches.ids[i]), code, str(patches.names[i]), patches.shapes[i], kinds))
    found.extend(_uncovered(site))
    found.extend(Context("towns", n.town.label, n.town.stage or "", n.town.label, n.shape) for n in site.neighbours)
    return tuple(found)


def _uncovered(site: Site) -> list[Context]:
    """Ground of the boundaries that a layer asked by some rule does not cover: drawn, so that it can be asked for."""
    by_role: dict[str, list[shapely.Geometry]] = {}
    for role, _, known in site.coverage_asked:
        if not known.is_whole:
            by_role.setdefault(role, []).append(known.uncovered)
    return [Context(role, "", "", "", shapely.union_all(found), (UNCOVERED,)) for role, found in by_role.items()]
