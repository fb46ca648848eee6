"""``geoplan convert``: what was written, and what it changed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from geoplan.crs import Frame
from geoplan.messages import Lang, say
from geoplan_api.cli.show import print_written
from geoplan_layers.locate import ReadOptions
from geoplan_layers.selector import Selector
from geoplan_layers.writers.convert import convert
from geoplan_layers.writers.sheet import WriteOptions


def run(source: Selector, out: Path, given: ReadOptions, target: Frame | None, lang: Lang, console: Console) -> None:
    """Convert, and say which files were made and what was renamed, cut, rounded or assumed."""
    made = convert(source, out, WriteOptions(lang, out.name.partition(".")[0]), given, target)
    print_written(made.paths, lang, console)
    for note in made.notes:
        console.print(f"  · {escape(say(note, lang))}", soft_wrap=True)
