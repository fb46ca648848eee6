"""What ``geoplan demo`` reads: which files belong to which town, and what the check should say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A demo town: key, names, the area whose layers it uses, its policies and the verdict that is expected."""

    key: str
    zh: str
    en: str
    area: str
    policies: tuple[str, ...]
    expected: str


_ABOVE = ("state-council-2020", "national-2021")
ENTRIES = (
    Entry(
        "huzhou-silk", "示例·丝创小镇", "Silk (example)", "huzhou", ("huzhou-2018", "zhejiang-2015", *_ABOVE), "pass"
    ),
    Entry(
        "huzhou-gear", "示例·齿轮小镇", "Gear (example)", "huzhou", ("huzhou-2018", "zhejiang-2015", *_ABOVE), "fail"
    ),
    Entry("liuzhou-tea", "示例·茶旅小镇", "Tea (example)", "liuzhou", ("liuzhou-2018", *_ABOVE), "attention"),
    Entry("liuzhou-rock", "示例·奇石小镇", "Rock (example)", "liuzhou", ("liuzhou-2018", *_ABOVE), "not-assessed"),
)

_ONE_FILE = (
    ("ecological-redline", "stbhhx"),
    ("planned-land-use", "ghyt"),
    ("construction-control-zones", "jsydgzq"),
    ("urban-development-boundary", "czkfbj"),
    ("approved-construction-land", "pwhy"),
    ("inefficient-land", "dxyd"),
    ("counties", "counties"),
)
_BY_ZONE = (("land-use", "dltb"), ("permanent-basic-farmland", "yjjbnttb"))


def roles(area: str) -> list[tuple[str, str]]:
    """(role, file below ``data/``) of every layer of an area; a role with two files stands twice."""
    ends = {"huzhou": ("",), "liuzhou": ("-36", "-37")}[area]
    split = [(role, f"layers/{area}/{name}{end}.gpkg") for role, name in _BY_ZONE for end in ends]
    return [*split, *((role, f"layers/{area}/{name}.gpkg") for role, name in _ONE_FILE)]


def manifest(entries: Sequence[Entry] = ENTRIES) -> str:
    """``boundaries/demo.toml``; paths are relative to the data folder."""
    lines = [
        "# 演示数据清单：全部虚构。Manifest of the demo: everything in it is invented.",
        "# Paths are relative to the folder that holds boundaries/ and layers/. A coverage belongs to its role.",
        'schema = "geoplan/demo/1"',
        "invented = true",
    ]
    for entry in entries:
        start = f"boundaries/{entry.key}"
        lines += [
            "",
            "[[towns]]",
            f'key = "{entry.key}"',
            f'name = {{ zh = "{entry.zh}", en = "{entry.en}" }}',
            f'planning = "{start}-planning.zip"',
            f'construction = "{start}-construction.zip"',
            f'facts = "{start}.facts.toml"',
            f'towns = "layers/{entry.area}/towns.gpkg"',
            "policies = [" + ", ".join(f'"{policy}"' for policy in entry.policies) + "]",
            f'expected = "{entry.expected}"',
            "layers = [",
            *(
                f'  {{ role = "{role}", file = "{file}", coverage = "layers/{entry.area}/coverage.gpkg#{role}" }},'
                for role, file in roles(entry.area)
            ),
            "]",
        ]
    return "\n".join(lines) + "\n"
