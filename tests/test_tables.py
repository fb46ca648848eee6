"""Tables on a terminal: every figure stays whole at 80 columns, in both languages."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from rich.console import Console

from geoplan_api.cli.tables import Heading, table

ENGLISH = [
    Heading("rank"), Heading("score"), Heading("planning\nkm²"), Heading("construction\nkm²"),
    Heading("check", figures=False), Heading("stays under other weights"), Heading("nearest town"), Heading("place"),
]  # fmt: skip
CHINESE = [
    Heading("名次"), Heading("评分"), Heading("规划面积\n平方公里"), Heading("建设面积\n平方公里"),
    Heading("检查结论", figures=False), Heading("权重变化下仍入选"), Heading("距最近小镇"), Heading("位置"),
]  # fmt: skip
ROWS = [("1", "0.950", "1.4946", "0.4831", "needs attention", "100%", "3.803 km", "120.0632, 30.7651")]


def printed(headings: list[Heading], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table(headings, rows, gap=1))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("headings", [ENGLISH, CHINESE])
@pytest.mark.parametrize("width", [80, 120])
def test_figures_stay_whole(headings: list[Heading], width: int) -> None:
    lines = printed(headings, ROWS, width)
    assert max(map(cell_len, lines)) <= width
    for figure in ("0.950", "1.4946", "0.4831", "100%", "3.803 km", "120.0632, 30.7651"):
        assert sum(figure in line for line in lines) == 1
    assert "…" not in "".join(lines)


def test_texts_are_shown_as_they_are() -> None:
    assert any("[red]" in line for line in printed([Heading("a", figures=False)], [("[red]",)], 80))
    assert printed([Heading("a"), Heading("b")], [], 80)[0].split() == ["a", "b"]
