"""Writing a report's files: all of them, or none."""

from __future__ import annotations

import json
from pathlib import Path

from geoplan.errors import CannotFinish
from geoplan.messages import Lang
from geoplan.report import Report
from geoplan_layers.overlaps import of_report, write_overlaps
from geoplan_layers.unfinished import building
from geoplan_web.map import draw

FILES = ("report.json", "map.html", "overlaps.gpkg")


def write_report(report: Report, folder: Path, lang: Lang) -> list[Path]:
    """Write ``report.json``, ``map.html`` and ``overlaps.gpkg`` into a folder, made where it is missing.

    The files are built beside it and moved in whole, so that nothing half written is left.

    Raises
    ------
    CannotFinish
        The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with building(folder) as built:
            content = report.content.as_dict()
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            (built / "report.json").write_text(text, encoding="utf-8")
            write_overlaps(report, built / "overlaps.gpkg")
            (built / "map.html").write_text(draw(content, of_report(report), lang), encoding="utf-8")
            for name in FILES:
                (built / name).replace(folder / name)
    except OSError as wrong:
        raise CannotFinish("out-not-writable", path=str(folder), detail=wrong.strerror or str(wrong)) from None
    return [folder / name for name in FILES]
