"""What a vector file gives: shapes, columns, its coordinate system, and what reading assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geoplan.boundary import Repair, Source
from geoplan.crs import Frame
from geoplan.errors import InputRefused
from geoplan.messages import Message

Column = NDArray[np.object_]


@dataclass(frozen=True)
class Table:
    """Rows of one layer of a file: shapes (x = east, y = north, 2-D, may be None) and text or number columns.

    ``rows`` are the row numbers in the file, from 1; ``layer`` the layer's name; ``frame`` none where the file does
    not say its coordinate system. ``repairs`` are what could not be built as it was written, each at its row.
    ``lines_close`` says that the format draws areas as closed lines too (KML, DXF);
    ``area_unit`` is the unit that the format gives its areas (``ha`` in the survey's coordinate TXT).
    """

    shapes: NDArray[np.object_]
    columns: Mapping[str, Column]
    rows: NDArray[np.int64]
    frame: Frame | None
    source: Source
    layer: str
    encoding: str = "utf-8"
    notes: tuple[Message, ...] = field(default=())
    repairs: tuple[Repair, ...] = ()
    lines_close: bool = False
    area_unit: str | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    def where(self, name: str, value: str) -> Table:
        """The rows whose field has that value.

        Raises
        ------
        InputRefused
            No such field, or no row with that value: the message lists what there is.
        """
        column = self.column(name)
        if column is None:
            raise InputRefused(
                "column-unknown", file=self.source.file, where=self.layer, field=name, known=list(self.columns)
            )
        texts = np.array([_text(each) for each in column], dtype=object)
        chosen = texts == value
        if not chosen.any():
            raise InputRefused(
                "value-unknown",
                file=self.source.file,
                where=f"{self.layer}[{name}]",
                value=value,
                known=sorted(set(texts.tolist()))[:12],
            )
        return self.take(chosen)

    def take(self, which: NDArray[np.bool_]) -> Table:
        """Some of the rows."""
        columns = {name: column[which] for name, column in self.columns.items()}
        places = {str(row) for row in self.rows[which]}
        repairs = tuple(each for each in self.repairs if each.message.args.get("place") in places)
        return replace(self, shapes=self.shapes[which], columns=columns, rows=self.rows[which], repairs=repairs)

    def column(self, *names: str) -> Column | None:
        """The first column of these names, upper and lower case alike; none where there is no such column."""
        by_name = {name.upper(): column for name, column in self.columns.items()}
        return next((by_name[name.upper()] for name in names if name.upper() in by_name), None)

    def require_shapes(self) -> None:
        """Refuse rows without geometry: a file cut short gives them without a warning.

        Raises
        ------
        InputRefused
            Names the first such rows.
        """
        missing = shapely.is_missing(self.shapes) | shapely.is_empty(self.shapes)
        if missing.any():
            raise InputRefused(
                "rows-without-geometry",
                file=self.source.file,
                where=self.layer,
                rows=self.rows[missing].tolist()[:20],
                count=int(missing.sum()),
            )

    @property
    def kinds(self) -> frozenset[str]:
        """Geometry types of the rows, without Multi."""
        present = self.shapes[~shapely.is_missing(self.shapes)]
        return frozenset(each.geom_type.removeprefix("Multi") for each in present)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
