"""Tables on a terminal that stay readable at 80 columns: figures are never broken, words only between words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

_HAN = 8
"""Cells that a column of Chinese words has at least: four characters; what is longer goes on below."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a column, and whether figures stand in it (to the right, on one line)."""

    text: str
    figures: bool = True


def table(headings: Sequence[Heading], rows: Sequence[Sequence[str]], gap: int = 2) -> Table:
    """A table without lines.

    Parameters
    ----------
    rows
        One text a heading; they are shown as they are, without markup.
    gap
        Cells between two columns.
    """
    made = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False)
    for heading, cells in zip(headings, zip(*rows, strict=True) if rows else [()] * len(headings), strict=True):
        least = max(_widest_part(heading.text, False), *(_widest_part(each, heading.figures) for each in cells), 0)
        wish = max(cell_len(line) for each in (heading.text, *cells) for line in each.split("\n"))
        side: Literal["left", "right"] = "right" if heading.figures else "left"
        made.add_column(escape(heading.text), justify=side, min_width=least, no_wrap=wish <= least, overflow="fold")
    for row in rows:
        made.add_row(*(escape(each) for each in row))
    return made


def _widest_part(text: str, whole: bool) -> int:
    """Cells of the widest part of a text that is to stay on one line."""
    if whole:
        return cell_len(text)
    return max((cell_len(word) if word.isascii() else min(cell_len(word), _HAN) for word in text.split()), default=0)
