"""A service that runs for a test, files to send to it, and fixtures of both."""

from __future__ import annotations

import io
import stat
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import pytest
import shapely
import uvicorn
from fastapi import FastAPI

from builders import box
from geoplan_api.app import create_app
from geoplan_api.serve import listen
from geoplan_api.service import Service
from geoplan_api.settings import read_settings

COMMAND = [sys.executable, "-c", "from geoplan_api.cli import main; main()"]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ON = "2026-11-21"
Files = list[tuple[str, tuple[str, bytes]]]


@dataclass(frozen=True)
class Running:
    """A service that runs, and a client for it."""

    client: httpx.Client
    app: FastAPI
    home: Path
    port: int

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def ask(
        self, files: Files, headers: dict[str, str] | None = None, lang: str = "en", **texts: Any
    ) -> httpx.Response:
        data = {"on": ON, **{name.replace("__", "."): value for name, value in texts.items()}}
        return self.client.post(f"/checks?lang={lang}", files=files, data=data, headers=headers)

    @property
    def left_over(self) -> list[Path]:
        return list((self.home / "tmp").iterdir())

    @property
    def objects(self) -> set[Path]:
        return {path for path in (self.home / "objects").rglob("*") if path.is_file()}


@contextmanager
def running(home: Path, **settings: Any) -> Iterator[Running]:
    app = create_app(read_settings(home=home, **settings))
    bound = listen("127.0.0.1", 0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            yield Running(client, app, home, port)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture(scope="module", name="the_service")
def fixture_the_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home"), workers=2, queue_length=50) as service:
        yield service


@pytest.fixture(name="service")
def fixture_service(the_service: Running) -> Iterator[Running]:
    yield the_service
    assert the_service.left_over == []


def frame(*shapes: shapely.Geometry, crs: int | None = 4549, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns or {"NAME": ["试验小镇"] * len(shapes)}, geometry=list(shapes), crs=crs)


def gpkg(folder: Path, data: gpd.GeoDataFrame, name: str = "planning") -> bytes:
    path = folder / f"{name}.gpkg"
    data.to_file(path, driver="GPKG", layer=name)
    return path.read_bytes()


def shapefile(folder: Path, data: gpd.GeoDataFrame) -> dict[str, bytes]:
    data.to_file(folder / "边界.shp", driver="ESRI Shapefile", encoding="GBK")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.stem == "边界" and path.suffix != ".cpg"}


def zipped(members: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    return out.getvalue()


@pytest.fixture(scope="module", name="planning")
def fixture_planning(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return gpkg(tmp_path_factory.mktemp("planning"), frame(box(0, 0, 1700, 1700)))


@pytest.fixture(scope="module", name="construction")
def fixture_construction(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return gpkg(tmp_path_factory.mktemp("construction"), frame(box(300, 300, 900, 900)))


@pytest.fixture(scope="module", name="farmland")
def fixture_farmland(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    patches = frame(box(1000, 1000, 400, 400), box(5000, 5000, 100, 100), DLBM=["0101", "0103"], TBBH=["1", "2"])
    return gpkg(tmp_path_factory.mktemp("farmland"), patches, "yjjbnttb")


def asked(planning: bytes, name: str = "规划范围.gpkg") -> Files:
    return [("planning", (name, planning))]


@pytest.fixture(scope="module", name="made")
def fixture_made(the_service: Running, planning: bytes, farmland: bytes) -> str:
    answered = the_service.ask([*asked(planning), ("layer.permanent-basic-farmland", ("f.gpkg", farmland))])
    return answered.headers["location"]
