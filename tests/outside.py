"""A PostGIS of one's own and an object storage of one's own, both on the loopback, for tests that import from them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest

PASSWORD = "g3hEim-密码"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that runs; ``owner`` may do everything, ``reader`` has a password and what it is granted."""

    port: int

    @property
    def address(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}/land"

    @property
    def reader_address(self) -> str:
        return f"postgresql://reader@127.0.0.1:{self.port}/land"

    def run(self, *statements: str) -> None:
        with self.owner() as connection:
            for each in statements:
                connection.execute(each)

    def owner(self, database: str = "land") -> Any:
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user="owner", autocommit=True)


def binaries() -> Path:
    """The newest PostgreSQL that Debian installed (``make system``)."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[4]))
    assert found, "PostgreSQL and PostGIS are missing: make system installs them"
    return found[-1].parent


@pytest.fixture(scope="session", name="cluster")
def fixture_cluster() -> Iterator[Cluster]:
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())  # never as root
    folder = Path(mkdtemp(prefix="geoplan-postgres-"))
    port = free_port()
    os.chown(folder, user.pw_uid, user.pw_gid)
    as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid} if os.geteuid() == 0 else {}
    as_user |= {"cwd": folder, "env": {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}}
    init: list[str | Path] = [
        binaries() / "initdb",
        "-D",
        folder / "data",
        "-U",
        "owner",
        "-E",
        "UTF8",
        "--auth=trust",
        "--no-sync",
    ]
    subprocess.run(init, check=True, capture_output=True, **as_user)
    rules = "host all reader 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
    (folder / "data" / "pg_hba.conf").write_text(rules)
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [binaries() / "postgres", "-D", folder / "data", *options.split()], stdout=log, stderr=log, **as_user
        )
    cluster = Cluster(port)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                cluster.owner("postgres").close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
        with cluster.owner("postgres") as connection:
            connection.execute("CREATE DATABASE land")
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        cluster.run("CREATE EXTENSION postgis", "CREATE SCHEMA survey", "GRANT USAGE ON SCHEMA survey TO reader")
        yield cluster
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Storage:
    """An object storage that runs, with a bucket ``land``, and who may read it."""

    endpoint: str
    client: Any

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket="land", Key=key, Body=content)


@pytest.fixture(scope="session", name="storage")
def fixture_storage() -> Iterator[Storage]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key=PASSWORD
    )
    client.create_bucket(Bucket="land")
    yield Storage(endpoint, client)
    client.close()
    server.stop()
