"""What every way of reading a layer gives beyond what the domain asks: where it lies, and how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from geoplan.crs import Frame
from geoplan.layer import Layer
from geoplan_layers.candidates import Box


class ReadLayer(Layer, Protocol):
    """A layer out of a file or out of the store."""

    @property
    def frame(self) -> Frame:
        """Its coordinate system."""
        ...

    @property
    def box(self) -> Box:
        """West, south, east, north in its own coordinates; not finite where it is empty."""
        ...

    @property
    def read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading it."""
        ...

    @property
    def coverage_read_with(self) -> Mapping[str, Any]:
        """The options that counted in reading its declared coverage."""
        ...

    def afresh(self) -> Self:
        """The same layer without what earlier checks read and noted."""
        ...
