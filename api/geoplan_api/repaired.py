"""A repair that a job made, read back from its folder for pages and downloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from geoplan.errors import NotFound
from geoplan.plane import Plane
from geoplan_api.jobs.table import Job
from geoplan_api.repair_files import RECORD, REPAIRED
from geoplan_api.service import Service
from geoplan_layers.files.ogr import pyogrio
from geoplan_layers.overlaps import Overlaps, read_overlaps


@dataclass(frozen=True)
class MadeRepair:
    """The folder of a repair with its record."""

    job: Job
    folder: Path
    record: Mapping[str, Any]

    def place(self, rank: int) -> Path:
        """The folder of one answer.

        Raises
        ------
        NotFound
            There is no answer of that rank with files of its own.
        """
        for answer in self.record["answers"]:
            if answer["rank"] == rank and answer["kind"] != "unchanged":
                return self.folder / str(answer["folder"])
        raise NotFound("page-unknown", path=f"/repairs/{self.job.id}")

    def report(self, rank: int) -> dict[str, Any]:
        """The report on an answer."""
        content: dict[str, Any] = json.loads((self.place(rank) / "check" / "report.json").read_text(encoding="utf-8"))
        return content

    def overlaps(self, rank: int, content: Mapping[str, Any]) -> Overlaps:
        """The geometry of the report on an answer."""
        return read_overlaps(self.place(rank) / "check" / "overlaps.gpkg", Plane(content["plane"]["central_meridian"]))

    def changed(self, rank: int) -> dict[tuple[str, str], shapely.Geometry]:
        """Ground by part and by what was done."""
        meta, _, wkb, columns = pyogrio.raw.read(self.place(rank) / REPAIRED, layer="difference")
        names = [str(name) for name in meta["fields"]]
        part, did = (columns[names.index(name)] for name in ("part", "did"))
        shapes = shapely.from_wkb(wkb)
        return {(str(p), str(d)): shape for p, d, shape in zip(part, did, shapes, strict=True)}


def repair_made(service: Service, job_id: str) -> MadeRepair:
    """The repair of a job that ended well.

    Raises
    ------
    NotFound
        There is no such repair, or it has not ended.
    """
    job = service.jobs.table.get(job_id)
    if job.kind != "repair":
        raise NotFound("page-unknown", path=f"/repairs/{job_id[:40]}")
    folder = service.jobs.files(job)
    return MadeRepair(job, folder, json.loads((folder / RECORD).read_text(encoding="utf-8")))
