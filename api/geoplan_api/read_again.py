"""How the files of a report were read: the options that counted, as they are to be given again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from geoplan.report import Content, LayerRecord
from geoplan.shifted import SHIFTED
from geoplan_api.inquiry import frame_named
from geoplan_layers.locate import GivenDatum
from geoplan_layers.places import Place, place_named


class ReadWith(BaseModel):
    """The options that counted in reading one file; parameters by the hash of their file alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    crs: str | None = None
    datum: GivenDatum | None = None
    place: str | None = None
    swap_xy: bool = False
    parameters_sha256: str | None = None


Option = TypeVar("Option")
Readings = Mapping[str, ReadWith]
_READINGS = TypeAdapter(dict[str, ReadWith])


def readings_of(options: Mapping[str, Any]) -> Readings:
    """The options of each file that was not read as it is, by what the file served as.

    Raises
    ------
    pydantic.ValidationError
        They are not what a report records.
    """
    return _READINGS.validate_python(options.get("read", {}))


def of_call(read: Readings) -> dict[str, Any]:
    """The fields of an inquiry: system, datum and axes as the boundaries were read, the place of whichever file."""
    boundaries = [read[name] for name in ("planning", "construction") if name in read]
    return {
        "frame": frame_named(_first(each.crs for each in boundaries)),
        "datum": _first(each.datum for each in boundaries),
        "swap_xy": any(each.swap_xy for each in boundaries),
        "place": _place(read),
    }


def of_layers(report: Content) -> list[dict[str, Any]]:
    """The fields of each layer in the order of the report: system, shifted degrees, axes."""
    read = readings_of(report.options)
    count: dict[str, int] = {}
    found = []
    for record in report.layers:
        n = count[record.role] = count.get(record.role, 0) + 1
        names = (f"layer.{record.role}.{n}", f"coverage.{record.role}.{n}")
        found.append(_of_layer(record, [read[name] for name in names if name in read]))
    return found


def parameters_hash(read: Readings) -> str | None:
    """The SHA-256 of the file of datum parameters that were used; none where none were."""
    return _first(each.parameters_sha256 for each in read.values())


def _of_layer(record: LayerRecord, used: list[ReadWith]) -> dict[str, Any]:
    """A layer that was read as it is has its own system, so that naming it again changes nothing."""
    own = record.crs if not used and record.crs.startswith("EPSG:") else None
    datum = _first(each.datum for each in used)
    return {
        "frame": frame_named(own or _first(each.crs for each in used)),
        "datum": datum if datum in SHIFTED else None,
        "swap_xy": any(each.swap_xy for each in used),
    }


def _place(read: Readings) -> Place | None:
    adcode = _first(each.place for each in read.values())
    return place_named(adcode) if adcode else None


def _first(values: Iterable[Option | None]) -> Option | None:
    return next((each for each in values if each is not None), None)
