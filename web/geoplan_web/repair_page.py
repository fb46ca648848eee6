"""The page of a repair: what came of it, the map of what changes, figures, the balance of classes, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geoplan.messages import Lang, Message, say
from geoplan.repair.content import named
from geoplan_web.pages import FileRow
from geoplan_web.templating import render
from geoplan_web.wording import Json


def repair_page(
    record: Json, repair_id: str, check_id: str, rank: int, files: Sequence[FileRow], lang: Lang, *, nonce: str
) -> str:
    """The page of a repair.

    Parameters
    ----------
    record
        ``geoplan/repair/1``.
    repair_id, check_id
        Its own id, and that of the check that it mends.
    rank
        The answer that is shown.
    files
        Boundaries of that answer in the formats that can be written.
    """
    answers = record["answers"]
    shown = next((each for each in answers if each["rank"] == rank), answers[0] if answers else None)
    titles = record.get("titles", {})
    rules = named(record["conflict"] or record["left"] or record["broken"], titles, lang)
    area = shown["changed_m2"] if shown else 0.0
    sentence = say(Message(f"repair.{record['outcome']}", {"rules": rules, "area": area}), lang)
    return render(
        "repair.html", lang,
        nonce=nonce, here=f"/repairs/{repair_id}", record=record, shown=shown, sentence=sentence,
        answers=answers, check_id=check_id, files=files, mapped=shown is not None and shown["kind"] != "unchanged",
        balance=_balance(shown) if shown else [], tone=_tone(record),
        left=named(record["left"], titles, lang), broken=named(record["broken"], titles, lang),
    )  # fmt: skip


def _tone(record: Json) -> str:
    """The verdict whose colour the answer is shown in."""
    if record["outcome"] in ("unchanged", "repaired"):
        return "attention" if record["left"] else "pass"
    return "attention" if record["outcome"] == "no-edit" else "fail"


def _balance(answer: Json) -> list[dict[str, Any]]:
    """Classes that a part has before or after, with the difference; a total for each part."""
    found: list[dict[str, Any]] = []
    for part in dict.fromkeys(row["part"] for row in answer["balance"]):
        rows = [row for row in answer["balance"] if row["part"] == part]
        found += [{**row, "change": row["after_m2"] - row["before_m2"], "total": False} for row in rows]
        before, after = (round(sum(row[key] for row in rows), 2) for key in ("before_m2", "after_m2"))
        total = {"part": part, "code": "", "name": "", "before_m2": before, "after_m2": after}
        found.append({**total, "change": after - before, "total": True})
    return found
