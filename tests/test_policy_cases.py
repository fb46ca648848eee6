# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Cases that a planner can read (``cases/*.toml``): an area, a paper, a verdict."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from builders import checked, finding, square
from geoplan.facts import Facts

CASES = tomllib.loads((Path(__file__).parent / "cases" / "sizes.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=[c["say"] for c in CASES])
def test_sizes(case: dict[str, Any]) -> None:
    policy, rule = case["rule"].split(".")
    facts = Facts(values={"industry.types": (case["type"],)} if "type" in case else {})
    construction = square(case["construction"] * 1e6, 50, 50) if "construction" in case else None
    report = checked(square(case["planning"] * 1e6), construction, (policy,), facts=facts)
    found = finding(report, policy, rule)
    assert found.verdict == case["expect"], found.says["zh"]
    assert found.waivable is case.get("waivable", False)
    assert found.clause.quote is not None
