"""The interface as documented, the published schemas, and ``geoplan serve`` as a command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import fastapi.openapi.models as openapi
import httpx
import jsonschema
import pytest

from geoplan.errors import CallRefused, CannotFinish
from geoplan_api import demo
from geoplan_api.schemas import schema_of
from geoplan_api.serve import listen, run
from serving import (  # noqa: F401 - the fixtures are used by name
    BROWSER,
    COMMAND,
    Running,
    fixture_service,
    fixture_the_service,
)


def test_the_interface_is_documented_and_the_document_is_valid(service: Running) -> None:
    document = service.client.get("/openapi.json").json()
    openapi.OpenAPI.model_validate(document)
    text = json.dumps(document)
    for reference in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        jsonschema.Draft202012Validator.check_schema(document["components"]["schemas"][reference])
    form = document["paths"]["/checks"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"planning", "construction", "policy", "crs", "datum", "facts", "towns", "layer.land-use"} <= set(
        form["properties"]
    )
    assert set(document["paths"]) >= {
        "/checks",
        "/checks/{check_id}",
        "/checks/{check_id}/map",
        "/policies",
        "/layers",
        "/healthz",
    }


def test_the_documentation_page_asks_only_this_service(service: Running) -> None:
    page = service.client.get("/docs", headers=BROWSER).text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert address.startswith(("/static/", "data:"))
        if address.startswith("/"):
            assert service.client.get(address).status_code == 200


@pytest.mark.parametrize("what", ["report", "policy", "facts"])
def test_a_schema_is_one(what: str) -> None:
    schema = schema_of(what)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_a_schema_that_there_is_not_is_refused() -> None:
    with pytest.raises(CallRefused, match="there is no schema moon. There are: report, policy, facts"):
        schema_of("moon")


def test_the_shipped_files_fit_their_schemas_and_misspelt_ones_do_not() -> None:
    def plain(path: Path) -> Any:
        return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))

    facts = jsonschema.Draft202012Validator(schema_of("facts"))
    for path in (demo.data_folder() / "boundaries").glob("*.facts.toml"):
        facts.validate(plain(path))
    for wrong in (
        {"moon": 1},
        {"investment": {"totl": 1}},
        {"investment": {"total": "1"}},
        {"answers": {"a.b": {"verdict": "pass"}}},
    ):
        assert not facts.is_valid(wrong)
    policy = jsonschema.Draft202012Validator(schema_of("policy"))
    for path in (Path(__file__).parents[1] / "geoplan/policies").glob("*.toml"):
        policy.validate(plain(path))
    assert not policy.is_valid({"schema": "geoplan/policy/1", "id": "x"})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "", "no-such-host.invalid"])
def test_an_address_off_the_loopback_is_refused(host: str) -> None:
    with pytest.raises(CallRefused, match="binds to the loopback only"):
        run(host, 0, demo=False)


def test_a_port_that_is_taken_or_none_is_told() -> None:
    says = r"cannot bind to 127.0.0.1 port \d+ .*--port"
    with listen("127.0.0.1", 0) as taken, pytest.raises(CannotFinish, match=says):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(CallRefused, match="70000 is no value for --port"):
        listen("127.0.0.1", 70_000)


def test_serve_refuses_and_serves_as_a_command(tmp_path: Path) -> None:
    environment = {**os.environ, "GEOPLAN_HOME": str(tmp_path)}
    refused = subprocess.run(
        [*COMMAND, "serve", "--host", "0.0.0.0"], env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "127.0.0.1" in refused.stderr
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as served:
        assert served.stderr is not None
        address = re.fullmatch(r"geoplan: (http://127\.0\.0\.1:\d+/)\n", served.stderr.readline())
        assert address is not None
        assert httpx.get(f"{address[1]}healthz", trust_env=False).json()["status"] == "ok"
        again = subprocess.run(
            [*COMMAND, "serve", "--port", address[1].split(":")[2].rstrip("/")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 4
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0
        assert served.stderr.read() == ""
