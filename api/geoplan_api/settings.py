"""Settings of the service: environment over ``config.toml`` of the home folder over defaults.

They are read when an app is made (`create_app`), never at import. ``GEOPLAN_HOME`` names the home folder, every other
setting is ``GEOPLAN_`` and its name in capitals; a key that is no setting is refused.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from geoplan.errors import CallRefused
from geoplan.layer_age import MOST_YEARS
from geoplan.messages import Lang
from geoplan_api.office import home_folder
from geoplan_layers.files.limits import MB
from geoplan_layers.remote.allowed import OPEN, Bucket, Database
from geoplan_layers.sandbox.rules import Rules

CONFIG = "config.toml"


def cores() -> int:
    """Processor cores that this process may use: checks run in as many threads, since GEOS releases the GIL."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """What an operator may set.

    ``max_upload_bytes`` bounds one whole request, ``max_layer_bytes`` one that brings a layer to be registered;
    ``queue_length`` is how many checks may wait while ``workers`` run, further ones are told to come back after
    ``retry_after_s`` seconds. ``hosts`` are names, beside those of the loopback, by which browsers may call the
    service.

    ``job_workers`` is how many long jobs (imports, searches) run at one time, each in a process of its own.
    ``databases`` and ``buckets`` are the places outside the machine that layers may be imported from; nothing else is.

    Reports say of a land-use or farmland layer that it is old after ``layer_max_age_years``.

    Files are read in ``readers`` processes: one boundary file may take ``reader_memory_mb`` of memory, one layer
    ``layer_memory_mb`` (0: three quarters of the machine's), and ``reader_seconds`` for every 20 MB or part of it.
    """

    model_config = SettingsConfigDict(env_prefix="GEOPLAN_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=home_folder)
    max_upload_bytes: int = Field(default=200_000_000, gt=0)
    max_layer_bytes: int = Field(default=20_000_000_000, gt=0)
    workers: int = Field(default_factory=cores, ge=1, le=256)
    queue_length: int = Field(default=16, ge=0, le=10_000)
    retry_after_s: int = Field(default=10, ge=1)
    lang: Lang = "zh"
    demo_layers: bool = False
    hosts: tuple[str, ...] = ()
    layer_max_age_years: int = Field(default=MOST_YEARS, ge=1, le=100)
    readers: int = Field(default_factory=cores, ge=1, le=256)
    reader_memory_mb: int = Field(default=2_000, ge=100)
    layer_memory_mb: int = Field(default=0, ge=0)
    reader_seconds: float = Field(default=20.0, gt=0, le=3_600)
    job_workers: int = Field(default=2, ge=1, le=64)
    databases: tuple[Database, ...] = ()
    buckets: tuple[Bucket, ...] = ()

    def reader_rules(self) -> Rules:
        """The limits of the processes that read files; as many may wait for one as checks can run or wait."""
        return Rules(
            workers=self.readers,
            waiting=self.workers + self.queue_length,
            memory=self.reader_memory_mb * MB,
            layer_memory=self.layer_memory_mb * MB,
            seconds=self.reader_seconds,
        )

    def plain(self) -> dict[str, Any]:
        """Every setting as plain data: `read_settings` of it gives the same settings in another process."""
        return self.model_dump(mode="json", context=OPEN)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then ``config.toml`` of the home that either of them names."""
        del dotenv_settings, file_secret_settings
        home = Path(init_settings().get("home") or home_folder())
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=home / CONFIG)


def read_settings(**given: Any) -> Settings:
    """The settings, with what is given put over environment and file.

    Raises
    ------
    CallRefused
        ``config.toml`` is no TOML, holds an unknown key, or a value is wrong.
    """
    try:
        return Settings(**given)
    except tomllib.TOMLDecodeError as wrong:
        raise CallRefused("facts-not-toml", file=CONFIG, detail=str(wrong)) from None
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        known = sorted(Settings.model_fields)
        raise CallRefused("setting-wrong", where=where, detail=first["msg"], known=known) from None
