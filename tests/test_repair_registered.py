"""A repair goes by the layers of the home as a check does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
LAYERS = DATA / "layers" / "huzhou"


def geoplan(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "geoplan_api", *arguments]
    environment = {**os.environ, "GEOPLAN_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)


def test_a_repair_moves_off_the_farmland_that_the_home_holds(tmp_path: Path) -> None:
    home, out, role = tmp_path / "home", tmp_path / "out", "permanent-basic-farmland"
    coverage = f"{LAYERS / 'coverage.gpkg'}#{role}"
    added = geoplan(home, "layers", "add", role, str(LAYERS / "yjjbnttb.gpkg"), "--coverage", coverage)
    assert added.returncode == 0, added.stderr
    boundaries = [
        *("--planning", str(DATA / "boundaries" / "huzhou-gear-planning.zip")),
        *("--construction", str(DATA / "boundaries" / "huzhou-gear-construction.zip")),
        *("--policy", "state-council-2020", "--lang", "en"),
    ]
    done = geoplan(home, "repair", *boundaries, "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert "land-law.basic-farmland" in record["broken"]
    assert record["outcome"] == "repaired"
    checked = json.loads((out / "check" / "report.json").read_text(encoding="utf-8"))
    assert [layer["role"] for layer in checked["layers"]] == [role]
    findings = {f["rule"]: f for policy in checked["policies"] for f in policy["findings"]}
    assert findings["basic-farmland"]["verdict"] != "fail"
    assert findings["basic-farmland"]["measured"]["value"] == 0
    again = geoplan(home, "check", "--planning", f"{out / 'repaired.gpkg'}#planning", "--construction",
                    f"{out / 'repaired.gpkg'}#construction", "--policy", "state-council-2020", "--json")  # fmt: skip
    assert again.returncode in (0, 3), again.stderr
