"""The jobs of a reader process: a data set's table, whole or in batches, its extent; a text that a user wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from geoplan_layers.files.batch import Batch
from geoplan_layers.files.dataset import Dataset
from geoplan_layers.files.limits import Limits
from geoplan_layers.files.toml_text import packed_toml
from geoplan_layers.files.towns_table import towns_table
from geoplan_layers.reading import chosen, datasets
from geoplan_layers.sandbox.wire import packed_batch, packed_table, plain

Answer = tuple[dict[str, Any], bytes | memoryview]


class Reader:
    """What this process has open: data sets by the folder that their parent made for them.

    A job carries all that is needed to open its file, so that one process can go on where another ended.
    """

    def __init__(self) -> None:
        self._open: dict[str, list[Dataset]] = {}
        self._streams: dict[str, tuple[int, Iterator[Batch] | None]] = {}

    def answer(self, job: Mapping[str, Any]) -> Answer:
        """Do one job.

        Raises
        ------
        GeoplanError
            What was refused.
        """
        if job["do"] in ("toml", "towns"):
            return _text(job)
        dataset = chosen(self._datasets(job), job["shown"], job["layer"])
        match job["do"]:
            case "open":
                about: dict[str, Any] = {"name": dataset.name, "path": dataset.path}
                about |= {"extent": dataset.extent is not None, "look": dataset.look is not None}
                return {"kind": "opened", "source": plain(dataset.source), **about}, b""
            case "read":
                box = job["box"]
                return packed_table(dataset.read(tuple(box) if box else None))
            case "extent":
                assert dataset.extent is not None, "asked only of data sets that have one"
                return {"kind": "extent", "box": [float(each) for each in dataset.extent()]}, b""
            case "look":
                assert dataset.look is not None, "asked only of data sets that have one"
                look = dataset.look()
                told = {"kinds": sorted(look.kinds), "rows": list(look.bare_rows), "count": look.bare_count}
                return {"kind": "look", **told}, b""
            case "batch":
                return self._batch(job, dataset)
            case other:
                raise ValueError(f"no job {other!r}")

    def _batch(self, job: Mapping[str, Any], dataset: Dataset) -> Answer:
        """The next rows of a data set; the stream begins anew where this process has not given the ones before."""
        folder, start = job["folder"], int(job["start"])
        at, stream = self._streams.pop(folder, (-1, None))
        if stream is None or at != start:
            stream = dataset.batches(start)
        batch = next(stream, None)
        if batch is None:
            return {"kind": "end"}, b""
        self._streams[folder] = (start + batch.rows.num_rows, stream)
        return packed_batch(batch)

    def _datasets(self, job: Mapping[str, Any]) -> list[Dataset]:
        folder = job["folder"]
        if folder not in self._open:
            self._open = {each: found for each, found in self._open.items() if Path(each).is_dir()}
            self._streams = {each: found for each, found in self._streams.items() if Path(each).is_dir()}
            own = Path(mkdtemp(dir=folder))  # another process may have unpacked into this folder before
            found = datasets(Path(job["path"]), job["shown"], Limits(**job["limits"]), own)
            self._open[folder] = found
        return self._open[folder]


def _text(job: Mapping[str, Any]) -> Answer:
    """A file that is no vector file: TOML, or towns as CSV."""
    path, shown = Path(job["path"]), job["shown"]
    if job["do"] == "towns":
        return packed_table(towns_table(path, shown, Limits(**job["limits"])))
    digest, content = packed_toml(path, shown, job["refuse"])
    return {"kind": "toml", "sha256": digest}, content
