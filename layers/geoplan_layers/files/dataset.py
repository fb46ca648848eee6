"""What a file offers to read: items as they lie on the disk or in an archive, and the data sets in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import shapely

from geoplan.boundary import Source
from geoplan_layers.files.first_look import FirstLook
from geoplan_layers.files.table import Table

if TYPE_CHECKING:
    from geoplan_layers.files.batch import Batch, BatchesFrom

Box = tuple[float, float, float, float]
"""West, south, east, north in the data's own coordinates."""
EMPTY: Box = (math.inf, math.inf, -math.inf, -math.inf)
"""The bounds of nothing."""


def box_of(shapes: Any) -> Box:
    """West, south, east, north of some shapes; not finite where there are none, or none that is drawn."""
    if not len(shapes):
        return EMPTY
    west, south, east, north = (float(each) for each in shapely.total_bounds(shapes))
    return west, south, east, north


@dataclass(frozen=True, slots=True)
class Item:
    """One file, or one .gdb folder, that a format reads.

    ``path`` is where it lies now (a server-made name when it came out of an archive), ``name`` what the user calls it
    (with its folders inside an archive), ``source`` what reports cite. ``companions`` are the files that belong to it,
    by lower-case suffix (``.dbf`` of a .shp, ``.dat`` of a .tab).
    """

    path: Path
    name: str
    source: Source
    companions: Mapping[str, Path] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """Lower-case suffix of the user's name."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """The user's name without folders and suffix: what a data set is called."""
        return PurePosixPath(self.name).stem


@dataclass(frozen=True)
class Dataset:
    """One layer of one file that can be read: its name, and how to read it, wholly or within a box.

    ``path`` is the item's name inside its archive without suffix: it tells two data sets of one name apart.
    ``extent`` gives the bounds without reading, ``look`` what is to be known of all rows before some are read; absent
    where only reading tells them. ``stream`` gives the rows batch by batch where the format can.
    """

    name: str
    source: Source
    read: Callable[[Box | None], Table]
    extent: Callable[[], Box] | None = None
    path: str = ""
    look: Callable[[], FirstLook] | None = None
    stream: BatchesFrom | None = None

    def batches(self, start: int = 0) -> Generator[Batch]:
        """The rows from the n-th on, batch by batch; read whole first where the format gives no stream."""
        from geoplan_layers.files.batches import of_table

        if self.stream is not None:
            yield from self.stream(start)
        else:
            yield from of_table(self.read(None), start)
