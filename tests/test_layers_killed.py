"""A service killed in the middle of an import: the version in use stays, and nothing else does."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import shapely

from serving import COMMAND, frame, running

PATCHES = 40_000
WAIT_S = 180.0


def many(tmp_path: Path, count: int) -> bytes:
    side = int(np.ceil(np.sqrt(count)))
    x, y = np.divmod(np.arange(count), side)
    shapes = shapely.box(500_000 + 100 * x, 3_400_000 + 100 * y, 500_090 + 100 * x, 3_400_090 + 100 * y)
    path = tmp_path / "yjjbnt.fgb"
    frame(*shapes, DLBM=np.where(x % 2, "0101", "0103")).to_file(path, driver="FlatGeobuf")
    return path.read_bytes()


def sent(client: httpx.Client, content: bytes) -> str:
    files: Any = [("file", ("YJJBNT.fgb", content)), ("role", (None, b"permanent-basic-farmland"))]
    answer = client.post("/layers", files=files)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def until(client: httpx.Client, job: str, is_so: Any) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_S
    while True:
        told: dict[str, Any] = client.get(job).json()
        if is_so(told):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


def test_a_service_killed_while_it_imports_leaves_the_version_in_use_and_no_debris(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = os.environ | {"GEOPLAN_HOME": str(home)}
    serving = subprocess.Popen([*COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment)
    assert serving.stderr is not None
    address = re.search(r"http://\S+:\d+", serving.stderr.readline())
    assert address
    content = many(tmp_path, PATCHES)
    with serving, httpx.Client(base_url=address.group(), timeout=60, trust_env=False) as client:
        first = until(client, sent(client, many(tmp_path, 100)), lambda told: told["status"] == "done")
        job = sent(client, content)
        at = until(client, job, lambda told: told["progress"] and told["status"] == "running")
        waits = time.monotonic()
        assert client.get("/healthz").status_code == 200
        print(f"healthz took {time.monotonic() - waits:.3f} s while {at['progress']['stage']} ran")
        serving.kill()
    with running(home) as service:
        lost = service.client.get(job).json()
        assert (lost["status"], lost["error"]["code"]) == ("failed", "job-lost")
        assert lost["result"] is None
        held = service.client.get("/layers").json()["versions"]
        assert [(each["version"], each["in_use"]) for each in held] == [(first["result"]["version"], True)]
        assert service.left_over == []
        assert [each.name for each in (home / "jobs").iterdir()] == []
        again = until(service.client, sent(service.client, content), lambda told: told["status"] == "done")
        held = service.client.get("/layers").json()["versions"]
        assert {each["version"]: each["in_use"] for each in held} == {
            first["result"]["version"]: False, again["result"]["version"]: True,
        }  # fmt: skip
        assert [each["patches"] for each in held if each["in_use"]] == [PATCHES]
