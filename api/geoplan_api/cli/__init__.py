"""The command line: ``geoplan check``, ``demo``, ``info``, ``policies``, ``serve``, ``schema``, ``doctor``.

Exit status: 0 nothing failed · 1 a rule failed · 3 something could not be assessed · 2 the input was refused or the
call was wrong · 4 could not finish. Commands import what they need when they run, so that ``geoplan --help`` is quick.
"""

from __future__ import annotations

import os
import sys

from geoplan.errors import CannotFinish, GeoplanError
from geoplan_api.cli.state import REFUSED, UNFINISHED, tell_refused


def main() -> None:
    """Run the command line and end the process with its exit status."""
    from geoplan_api.cli.commands import app

    try:
        app()
    except GeoplanError as refused:
        tell_refused(refused)
        sys.exit(UNFINISHED if isinstance(refused, CannotFinish) else REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNFINISHED)
    except (OSError, MemoryError) as wrong:
        tell_refused(CannotFinish("cannot-finish", detail=str(wrong)))
        sys.exit(UNFINISHED)
