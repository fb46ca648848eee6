"""The shipped demo: invented towns and layers, from the checkout where there is one, else from the package."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from geoplan.errors import CannotFinish
from geoplan_api.inquiry import Inquiry
from geoplan_layers.selector import LayerSpec, Selector, parse_selector


@cache
def data_folder() -> Path:
    """The folder that holds ``boundaries/demo.toml`` and ``layers``.

    Raises
    ------
    CannotFinish
        Neither the checkout nor the package carries the demo data.
    """
    checkout = Path(__file__).resolve().parents[2] / "data"
    packaged = Path(str(files("geoplan_layers"))) / "shipped"
    for folder in (checkout, packaged):
        if (folder / "boundaries" / "demo.toml").is_file():
            return folder
    raise CannotFinish("cannot-finish", detail=f"no demo data in {checkout} or {packaged}")


@dataclass(frozen=True)
class DemoLayer:
    """A layer of the demo with its declared coverage."""

    spec: LayerSpec
    coverage: Selector


@dataclass(frozen=True)
class DemoTown:
    """A town of the demo: what to check it under, and the verdict that it is made to show."""

    key: str
    name: Mapping[str, str]
    content: Mapping[str, Any]

    @property
    def expected(self) -> str:
        """The verdict that the town is made to show."""
        return str(self.content["expected"])

    def inquiry(self) -> Inquiry:
        """The question that ``geoplan demo`` asks of this town."""
        layers = [_layer(each) for each in self.content["layers"]]
        coverage: dict[str, tuple[Selector, ...]] = {}
        for each in layers:
            coverage[each.spec.role] = (*coverage.get(each.spec.role, ()), each.coverage)
        return Inquiry(
            planning=_selector(self.content["planning"]),
            construction=_selector(self.content["construction"]),
            policies=tuple(self.content["policies"]),
            layers=tuple(each.spec for each in layers),
            coverage=coverage,
            towns=_selector(self.content["towns"]),
            facts=_selector(self.content["facts"]),
        )


def _selector(text: str) -> Selector:
    return parse_selector(str(data_folder() / text))


def _layer(given: Mapping[str, str]) -> DemoLayer:
    return DemoLayer(LayerSpec(given["role"], _selector(given["file"]), invented=True), _selector(given["coverage"]))


def manifest() -> Mapping[str, Any]:
    """The demo's manifest as read."""
    return tomllib.loads((data_folder() / "boundaries" / "demo.toml").read_text(encoding="utf-8"))


def towns() -> list[DemoTown]:
    """The towns of the demo in their order."""
    return [DemoTown(each["key"], each["name"], each) for each in manifest()["towns"]]


def layers() -> list[DemoLayer]:
    """Every layer of the demo once, for the service."""
    found = {(each["role"], each["file"]): _layer(each) for town in manifest()["towns"] for each in town["layers"]}
    return list(found.values())
