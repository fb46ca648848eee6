"""Commands that refuse an option given twice (where it can have one value the second would silently win) and say so
where Ctrl-C ends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from geoplan.errors import CallRefused
from geoplan.progress import Cancelled


class OnceCommand(TyperCommand):
    """A command whose options with one value are given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual, after looking how often each option stands there.

        Raises
        ------
        CallRefused
            An option of one value is given twice.
        """
        _require_once(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises
        ------
        Cancelled
            Ctrl-C was pressed.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Cancelled from None


class OnceGroup(TyperGroup):
    """A group of commands whose own options are given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual, after looking how often each option stands there; raises as `OnceCommand` does."""
        _require_once(self, ctx, args)
        return super().parse_args(ctx, args)


class Commands(typer.Typer):
    """Commands of a program, each an `OnceCommand`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(cls=OnceGroup, **given)

    def command(self, name: str | None = None, **given: Any) -> Callable[[Any], Any]:
        """Register a command as `typer.Typer.command` does."""
        return super().command(name, **{"cls": OnceCommand, **given})


def _require_once(command: Any, ctx: Any, args: list[str]) -> None:
    if ctx.resilient_parsing or not args:
        return
    _, _, order = command.make_parser(ctx).parse_args(args=list(args))
    single = [each for each in order if isinstance(each, TyperOption) and not each.multiple and not each.is_flag]
    for option, count in Counter(single).items():
        if count > 1:
            raise CallRefused("option-twice", option=option.opts[0])
