"""The work of importing a layer: bring it here if it lies outside, then make a version of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geoplan.progress import Progress
from geoplan_api.jobs.kinds import Task
from geoplan_api.layer_asked import LayerAsked
from geoplan_api.settings import Settings
from geoplan_layers.prepared.importing import import_layer
from geoplan_layers.prepared.store import LayerStore
from geoplan_layers.remote.allowed import Table, found
from geoplan_layers.selector import Selector


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
