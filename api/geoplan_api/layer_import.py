"""The work of importing a layer: bring it here if it lies outside, then make a version of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoplan.landuse import GENERATIONS
from geoplan.progress import Progress
from geoplan.shifted import SHIFTED
from geoplan_api.inquiry import layer_spec
from geoplan_api.jobs.kinds import Task
from geoplan_api.layer_asked import LayerAsked
from geoplan_api.settings import Settings
from geoplan_layers.prepared.importing import import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.remote.allowed import Table, found, is_remote
from geoplan_layers.selector import SWAP_XY, LayerSpec, Selector

_WORDS = re.compile(rf"(?:@(?:{'|'.join([*GENERATIONS, *SHIFTED, SWAP_XY])}|EPSG:\d+))+$", re.IGNORECASE)


def run(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Import what a task asks for (`LayerAsked`); role and id of the version that is in use now.

    Raises
    ------
    GeoplanError
        What was refused.
    """
    asked = LayerAsked.model_validate(task.asked).checked()
    brought = bring(asked.address, task.settings, task.tmp, progress) if asked.address else ()
    request = asked.request(task.inputs, brought)
    store = LayerStore(task.settings.home / "layers", task.tmp)
    from geoplan_layers.prepared import raster  # GDAL once more: only where a raster is imported

    make = raster.import_raster if request.role in raster.ROLES else import_layer
    version = make(request, store, progress)
    return {"role": version.role, "version": version.id, "sha256": version.meta.sha256}


def specs_of(
    role: str, names: Sequence[str], settings: Settings, into: Path, progress: Progress
) -> tuple[LayerSpec, ...]:
    """Files and places outside as a command line names them, the places copied into a folder.

    Raises
    ------
    GeoplanError
        A name is misspelt, a place is not allowed or cannot be read.
    """
    found: list[LayerSpec] = []
    for i, name in enumerate(names):
        if not is_remote(name):
            found.append(layer_spec(f"{role}={name}"))
            continue
        address, words = split_words(name)
        spec = layer_spec(f"{role}=outside{words}")
        folder = into / str(i)
        folder.mkdir()
        found += [replace(spec, selector=each) for each in bring(address, settings, folder, progress)]
    return tuple(found)


def split_words(name: str) -> tuple[str, str]:
    """An address and the words behind it, which say what a layer does not say itself.

    >>> split_words("postgresql://db/land#survey.dltb@third-survey@EPSG:4528")
    ('postgresql://db/land#survey.dltb', '@third-survey@EPSG:4528')
    """
    match = _WORDS.search(name)
    return (name[: match.start()], match.group()) if match else (name, "")


def bring(address: str, settings: Settings, into: Path, progress: Progress) -> tuple[Selector, ...]:
    """Copy a layer from a place outside that the operator allows into a folder.

    Raises
    ------
    CallRefused
        It is not allowed.
    GeoplanError
        It cannot be read there.
    """
    place = found(address, settings.databases, settings.buckets)
    folder = into / "brought"
    folder.mkdir()
    copied: Sequence[tuple[Path, str]]
    if isinstance(place, Table):
        from geoplan_layers.remote.postgis import fetch_table

        copied = [(fetch_table(place, folder, progress), place.shown)]
    else:
        from geoplan_layers.remote.object_store import fetch_folder

        copied = fetch_folder(place, folder, progress)
    return tuple(Selector(path, shown=shown) for path, shown in copied)
