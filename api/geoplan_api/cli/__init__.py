"""The command line: ``geoplan check``, ``demo``, ``info``, ``policies``, ``serve``, ``schema``, ``doctor``.

Exit status: 0 nothing failed · 1 a rule failed · 3 something could not be assessed · 2 the input was refused or the
call was wrong · 4 could not finish. Commands import what they need when they run, so that ``geoplan --help`` is quick.
"""

from __future__ import annotations

import os
import sys

import typer

from geoplan.errors import CannotFinish, GeoplanError
from geoplan.messages import Lang
from geoplan_api.cli.state import chosen_language

REFUSED, UNFINISHED = 2, 4


def main() -> None:
    """Run the command line and end the process with its exit status."""
    from geoplan_api.cli.commands import app

    try:
        app()
    except GeoplanError as refused:
        lang: Lang = chosen_language(sys.argv)
        typer.echo(refused.say(lang), err=True)
        sys.exit(UNFINISHED if isinstance(refused, CannotFinish) else REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNFINISHED)
    except (OSError, MemoryError) as wrong:
        lang = chosen_language(sys.argv)
        typer.echo(CannotFinish("cannot-finish", detail=str(wrong)).say(lang), err=True)
        sys.exit(UNFINISHED)
    except KeyboardInterrupt:
        sys.exit(UNFINISHED)
