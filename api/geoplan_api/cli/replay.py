"""``geoplan replay``: what came of doing a check again, in words."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geoplan.messages import Lang, Message, say, word
from geoplan_api.replay import PARAMETERS, Change, Replay

_HASH = 12


def print_replay(found: Replay, lang: Lang, console: Console) -> None:
    """One sentence, then what is missing, what differs, and which findings changed."""
    key = "missing" if found.missing else "same" if found.same else "differs"
    colour = {"same": "green", "differs": "red", "missing": "magenta"}[key]
    alone = found.missing and all(each.file == PARAMETERS for each in found.missing)
    told = say(Message("replay.missing-parameters" if alone else f"replay.{key}"), lang)
    console.print(f"[bold {colour}]{escape(told)}[/]")
    console.print(f"  {found.recorded}", soft_wrap=True)
    if found.recomputed and found.recomputed != found.recorded:
        console.print(f"  {found.recomputed}", soft_wrap=True)
    for source in found.missing:
        args = {"file": source.file, "sha256": source.sha256}
        lacks = Message("replay.lacks-parameters" if source.file == PARAMETERS else "replay.lacks", args)
        console.print(f"  · {escape(say(lacks, lang))}", soft_wrap=True)
    if found.differences:
        console.print(
            _grid([(_what(d.what, lang), d.name, _short(d.recorded), _short(d.found)) for d in found.differences])
        )
    if found.changes:
        console.print(escape(say(Message("replay.findings", {"count": len(found.changes)}), lang)))
        console.print(_grid([_changed(change, lang) for change in found.changes]))


def _what(what: str, lang: Lang) -> str:
    role, _, number = what.partition("#")
    role, _, part = role.partition("/")
    known = {"planning", "construction", "towns", "facts", "policy", "software", "report", "parameters"}
    name = say(Message(f"replay.what.{role}"), lang) if role in known else word("role", role, lang)
    told = f"{name} {say(Message('replay.what.coverage'), lang)}" if part else name
    return f"{told} {number}" if number else told


def _changed(change: Change, lang: Lang) -> tuple[str, str, str, str]:
    def told(i: int) -> str:
        verdict, value = change.verdict[i], change.measured[i]
        words = word("verdict", verdict, lang) if verdict else "—"
        return words if value is None else f"{words} {value:.2f}"

    return change.policy, change.rule, told(0), told(1)


def _short(text: str) -> str:
    return f"{text[:_HASH]}…" if len(text) == 64 else text or "—"


def _grid(rows: list[tuple[str, str, str, str]]) -> Table:
    grid = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for what, name, before, after in rows:
        grid.add_row(f"  {escape(what)}", escape(name), escape(before), "→", escape(after))
    return grid
