"""The kinds of jobs: one row each, from its name to the function that does the work.

A function is named, not imported: it runs in a process of its own, and what it imports takes seconds. The command line
calls the same function in the foreground.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from geoplan.progress import Progress
from geoplan_api.settings import Settings

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """What a piece of work is given.

    Parameters
    ----------
    asked
        The request, plain data; names of files in it are relative to ``inputs``.
    inputs
        The folder of the user's files.
    out
        An empty folder: what is in it when the work ends well becomes the job's own, all at once.
    tmp
        A folder for what is in between, on the file system of the home; it is removed, however the work ends.
    settings
        Those of the service or of the command line; ``settings.home`` is the home folder.
    """

    id: str
    asked: Mapping[str, Any]
    inputs: Path
    out: Path
    tmp: Path
    settings: Settings


Work = Callable[[Task, Progress], Result]
"""Gives plain data that JSON can hold. It raises `GeoplanError` for what it refuses and lets `Cancelled` through."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    target
        ``module:function``, a `Work`.
    address
        Where the result is shown; ``{id}`` is the job's, other names are members of the result.
    asks
        Whether a refusal that names choices keeps the inputs, so that the job can go on with an answer.
    """

    target: str
    address: str = "/jobs/{id}"
    asks: bool = False


KINDS: Mapping[str, Kind] = {
    "layer-import": Kind("geoplan_api.layer_import:run", "/layers/{role}/{version}", asks=True),
    "repair": Kind("geoplan_api.repair_job:repair_job", "/repairs/{id}"),
    "search": Kind("geoplan_api.search.job:search_job", "/searches/{id}"),
}


def work_at(target: str) -> Work:
    """The function that ``module:function`` names."""
    module, _, name = target.partition(":")
    work: Work = getattr(import_module(module), name)
    return work
