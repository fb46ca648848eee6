"""Why a point is or is not a site, in words: the same for terminal and page."""

from __future__ import annotations

from typing import Any

from geoplan.messages import Lang, Message, say
from geoplan.search.content import SearchContent


def why_lines(why: dict[str, Any], content: SearchContent, lang: Lang) -> list[str]:
    """Why a point is or is not a site, in words."""
    titles = {each.id: each.title.says[lang] for each in content.account.constraints}

    def tell(key: str, **args: Any) -> str:
        return say(Message(f"search.why.{key}", args), lang)

    verdict = why["verdict"]
    if verdict == "outside":
        return [tell("outside")]
    lines = []
    if verdict == "excluded":
        lines.append(tell("excluded", reasons=[titles[each] for each in why["excluded_by"]]))
    elif verdict == "not-known":
        lines.append(tell("not-known", reasons=[titles[each] for each in why["not_known_by"]]))
    else:
        lines.append(tell("eligible", suitability=why["suitability"]))
    lines += [
        "  " + tell("factor", id=each["id"], score=each["score"], weight=each["weight"]) for each in why["factors"]
    ]
    if why["in_candidates"]:
        lines.append(tell("inside", ranks=why["in_candidates"]))
    if verdict == "eligible" and why["region"] is None:
        lines.append(tell("no-region"))
    elif why["region"] is not None:
        score = why["region"]["score"]
        better = why["beaten_by"]
        lines.append(tell("beaten", score=score, ranks=better) if better else tell("unbeaten", score=score))
    return lines
