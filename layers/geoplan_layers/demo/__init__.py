"""The demo's data: two invented areas, four invented towns, drawn from fixed seeds.

``python -m geoplan_layers.demo [OUT_DIR]`` writes ``boundaries/`` and ``layers/`` below ``OUT_DIR`` (default: the
``data`` folder of the checkout). Nothing in it shows a real place: rivers, parcels, towns, counties and figures are
made up, only the field names, class codes, file habits and coordinate systems are those that land bureaus use.
"""

from __future__ import annotations

from geoplan_layers.demo.build import build

__all__ = ["build"]
