"""What heads a report: the proposal's name, the verdict in one sentence, and what has to be said in the same breath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from geoplan.messages import Lang, Message, say

_SUFFIXES = frozenset({".zip", ".shp", ".gpkg", ".geojson", ".json", ".kml", ".dxf"})


def proposal_name(proposal: Mapping[str, Any]) -> str | None:
    """The proposal's name, else the planning file's without its ending: for the eye only.

    A report keeps the name that was given or none, since its id and the register's namesakes must not turn on how
    somebody called a file.

    >>> proposal_name({"name": None, "planning": {"source": {"file": "南浔丝路小镇.shp.zip"}}})
    '南浔丝路小镇'
    """
    if proposal["name"]:
        return str(proposal["name"])
    path = PurePath(str(proposal["planning"]["source"]["file"]))
    while path.suffix.lower() in _SUFFIXES:
        path = path.with_suffix("")
    return path.name if any(each.isalnum() for each in path.name) else None


def headline(verdict: str, spatial: Sequence[str], broken: int, args: dict[str, Any], lang: Lang) -> str:
    """The whole verdict in one sentence, or two where the application requirements tell something else.

    Parameters
    ----------
    verdict
        Of the report.
    spatial
        Verdicts of all spatial findings, for the counts.
    broken
        How many application requirements fail: a boundary that passes is then no reason to rejoice.
    args
        ``name`` of the proposal, ``policies`` checked.
    """
    counts = {each: spatial.count(each) for each in ("attention", "not-assessed")}
    others = [
        Message(f"view.sentence-others-{each}", {"count": count}).as_dict()
        for each, count in counts.items()
        if each != verdict and count
    ]
    told = say(Message(f"view.sentence-{verdict}", {**args, "count": spatial.count(verdict)}), lang)
    if verdict == "fail" and others:
        told += say(Message("view.sentence-others", {"others": others}), lang)
    return told + say(Message("view.sentence-broken", {"count": broken}), lang) if broken else told
