"""A repair as a job: from a stored check, its files and options, to a folder with the answers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoplan.errors import CannotFinish
from geoplan.messages import Lang
from geoplan.policy import PolicyBook
from geoplan.progress import Progress
from geoplan_api.form import understand
from geoplan_api.inquiry import civil_date
from geoplan_api.jobs.kinds import Task
from geoplan_api.objects import Objects
from geoplan_api.office import office_policies
from geoplan_api.registered import registered_layers
from geoplan_api.repairing import Asked, mended
from geoplan_api.store import StoredCheck
from geoplan_api.upload import Submission, Upload
from geoplan_layers.sandbox.session import reading

Json = dict[str, Any]


def asked_of(check: StoredCheck, content: Mapping[str, Any], objects: Objects, inputs: Path) -> Json:
    """What a job is asked for a check; the files of the check are copied into ``inputs``.

    Raises
    ------
    NotFound
        A file of the check is no longer kept.
    CannotFinish
        A file is damaged, or the disk does not take the copy.
    """
    files = []
    for i, each in enumerate(check.request["inputs"]):
        place = inputs / f"{i}{''.join(Path(each['name']).suffixes[-2:]).lower()}"
        try:
            shutil.copyfile(objects.path(each["sha256"]), place)
        except OSError as wrong:
            raise CannotFinish("home-not-writable", path="tmp", detail=wrong.strerror or str(wrong)) from None
        files.append({**each, "file": place.name})
    return {"check": check.id, "files": files, "texts": check.request["texts"], "on": content["checked_on"]}


@reading()
def repair_job(task: Task, progress: Progress) -> Mapping[str, Any]:
    """Repair what a check found failing, as it was judged on its day.

    Returns
    -------
    dict
        ``check`` (the id of the check), ``outcome`` and ``answers`` (how many).

    Raises
    ------
    GeoplanError
        What was refused or could not be finished.
    """
    asked = task.asked
    own = office_policies(task.settings.home)
    question = understand(_form(asked, task.inputs), PolicyBook(own))
    inquiry, _ = registered_layers(task.settings).completed(question.inquiry)
    inquiry = replace(inquiry, on=inquiry.on or civil_date(asked["on"]))
    lang: Lang = "en" if asked.get("lang") == "en" else "zh"
    moves = bool(asked.get("move_for_readings", False))
    done = mended(Asked(inquiry, moves), task.out, lang, (*own, *question.own_policies), progress)
    return {"check": asked["check"], "outcome": done.content.outcome, "answers": len(done.content.answers)}


def _form(asked: Mapping[str, Any], inputs: Path) -> Submission:
    """The form that the check was asked by, with its files where the job has them."""
    form = Submission(texts={name: list(values) for name, values in asked["texts"].items()})
    for each in asked["files"]:
        upload = Upload(inputs / Path(each["file"]).name, each["name"], each["sha256"], each["size"])
        form.files.setdefault(each["field"], []).append(upload)
    return form
