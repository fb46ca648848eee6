"""A PostGIS of the benchmark's own: Debian's packages, a cluster in a temporary folder, on loopback only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import shapely

PACKAGE = "postgresql-15-postgis-3"
BINARIES = Path("/usr/lib/postgresql/15/bin")
SETTINGS = (
    "shared_buffers=1GB", "work_mem=256MB", "maintenance_work_mem=512MB", "max_parallel_workers_per_gather=2",
    "max_parallel_workers=2", "max_parallel_maintenance_workers=2", "jit=off", "random_page_cost=1.1", "fsync=off",
)  # fmt: skip


def installed() -> bool:
    """Whether PostGIS is there; installed by apt where this runs as root and it is not."""
    control = Path("/usr/share/postgresql/15/extension/postgis.control")
    if not control.exists() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", PACKAGE], check=False, **quiet)  # type: ignore[call-overload]
    return control.exists() and BINARIES.exists()


@contextmanager
def cluster() -> Iterator[Any]:
    """A connection to a fresh database with the extension, as its superuser; all of it gone afterwards."""
    import psycopg

    folder = Path(mkdtemp(prefix="geoplan-postgis-"))
    data, port = folder / "data", _free_port()
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "postgres")

    def call(*command: str) -> None:
        subprocess.run([*as_other, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    try:
        call(str(BINARIES / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres")
        settings = " ".join(f"-c {each}" for each in SETTINGS)
        given = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} {settings}"
        call(str(BINARIES / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", given, "start")
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True
            ) as open_:
                open_.execute("CREATE EXTENSION postgis")
                yield open_
        finally:
            call(str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loaded(connection: Any, shapes: np.ndarray, srid: int) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
    """The layer in a table with a GiST index; its answer to proposals, patches inside taken by their area."""
    _copied(connection, "farm", shapes, srid)
    connection.execute("CREATE INDEX ON farm USING gist(shape)")
    connection.execute("ANALYZE farm")

    def run(proposals: np.ndarray) -> tuple[np.ndarray, ...]:
        _copied(connection, "asked", proposals, srid)
        connection.execute("ANALYZE asked")
        return timed_part()

    def timed_part() -> tuple[np.ndarray, ...]:
        rows = connection.execute(
            "SELECT p.id, f.id, CASE WHEN ST_Contains(p.shape, f.shape) THEN ST_Area(f.shape) "
            "ELSE ST_Area(ST_Intersection(p.shape, f.shape)) END FROM asked p JOIN farm f ON ST_Intersects(p.shape, f.shape)"
        ).fetchall()
        i, j, area = zip(*rows, strict=True) if rows else ((), (), ())
        return np.array(i, np.int64), np.array(j, np.int64), np.array(area, float)

    run.again = timed_part  # type: ignore[attr-defined]
    return run


def _copied(connection: Any, table: str, shapes: np.ndarray, srid: int) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(f"CREATE UNLOGGED TABLE {table}(id int8, shape geometry(Geometry,{srid}))")
    written = shapely.to_wkb(shapely.set_srid(shapes, srid), include_srid=True)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "bytea"])
        for number, row in enumerate(written):
            copy.write_row((number, row))
