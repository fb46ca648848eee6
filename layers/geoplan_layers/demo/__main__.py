"""``python -m geoplan_layers.demo [OUT_DIR]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from geoplan_layers.demo import build

_CHECKOUT = Path(__file__).resolve().parents[3]


def main() -> None:
    """Write the demo's data; without a folder, into the checkout that this file lies in."""
    parser = argparse.ArgumentParser(prog="python -m geoplan_layers.demo", description="Write the invented demo data.")
    parser.add_argument("out", nargs="?", type=Path, help="folder to write boundaries/ and layers/ into")
    out: Path | None = parser.parse_args().out
    if out is None and not (_CHECKOUT / "pyproject.toml").is_file():
        parser.error("no checkout around this installation: name the folder to write into")
    build(out if out is not None else _CHECKOUT / "data")


if __name__ == "__main__":
    main()
