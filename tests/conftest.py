# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Fixtures for all tests; ``builders`` makes boundaries, layers and towns on any plane."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

import geoplan_layers.files.ogr  # noqa: F401 - before anything imports pyogrio

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # no test is asked how fast it is: a busy machine would fail it


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real texts and data, named by GEOPLAN_REAL_DATA; tests that need it skip where it is not set."""
    folder = os.environ.get("GEOPLAN_REAL_DATA")
    if not folder:
        if os.environ.get("CI"):
            pytest.fail("GEOPLAN_REAL_DATA must be set in CI: .ci/run names the folder of real data")
        pytest.skip("GEOPLAN_REAL_DATA is not set: it names the folder that holds the policy texts and real data")
    return Path(folder)
