"""``geoplan policies``: list, show, lint, and a blank facts file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from geoplan.errors import PolicyRefused
from geoplan.messages import Lang, Message, say, word
from geoplan.policy import Policy, PolicyBook, misquotes
from geoplan.policy.figures import Figure, figures
from geoplan.policy.rule import FactsRule
from geoplan_api.office import book_for, home_folder, office_policies, read_policy
from geoplan_web.policy import PolicySheet, RuleSheet


def print_list(lang: Lang, as_json: bool, console: Console) -> None:
    """Every shipped policy: id, place, paper, standing, dates, number of rules."""
    policies = list(PolicyBook(office_policies(home_folder())))
    if as_json:
        sys.stdout.write(json.dumps([_head(p) for p in policies], ensure_ascii=False, indent=2) + "\n")
        return
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key in ("id", "place", "paper", "standing", "issued", "rules"):
        grid.add_column(
            say(Message(f"policies.{key}"), lang),
            overflow="fold",
            justify="right" if key == "rules" else "left",
        )
    for policy in policies:
        sheet = PolicySheet(policy, PolicyBook(), lang)
        grid.add_row(policy.id, sheet.place, escape(sheet.title), sheet.standing, sheet.issued, str(len(policy.rules)))
    console.print(grid)


def _head(policy: Policy) -> dict[str, Any]:
    return {k: v for k, v in policy.as_dict().items() if k in ("id", "adcode", "place", "document")} | {
        "rules": len(policy.rules)
    }


def print_policy(policy_id: str, lang: Lang, as_json: bool, console: Console) -> None:
    """One policy so that a planner can read it: each rule with its clause, limits and reading."""
    book = book_for((policy_id,))
    policy = book.get(policy_id)
    if as_json:
        sys.stdout.write(json.dumps(policy.as_dict(), ensure_ascii=False, indent=2) + "\n")
        return
    sheet = PolicySheet(policy, book, lang)
    console.print(f"[bold]{escape(policy.id)}  {escape(sheet.title)}[/]")
    console.print(escape(f"{sheet.place} · {sheet.standing} · {sheet.issued}"))
    if sheet.note:
        console.print(f"[dim]{escape(sheet.note)}[/]")
    for group in ("spatial", "application", "city"):
        rules = sheet.group(group)
        if rules:
            console.print(f"\n[bold]{escape(word('group', group, lang))}[/]")
        for rule in rules:
            _print_rule(rule, console)


def _print_rule(rule: RuleSheet, console: Console) -> None:
    about = " · ".join((rule.id, rule.kind, rule.strength, rule.subject, rule.stage))
    console.print(f"\n[bold]{escape(rule.title)}[/]  [dim]{escape(about)}[/]")
    if rule.question:
        console.print(f"  {escape(rule.question)}")
    for clause in rule.clauses:
        console.print(f"  {escape(clause.line)}")
    for line in (*rule.limits, *rule.readings):
        console.print(f"  [cyan]{escape(line)}[/]")
    if rule.note:
        console.print(f"  [dim]{escape(rule.note)}[/]")


def lint_file(path: Path, lang: Lang, console: Console) -> None:
    """Read an office's own policy strictly and hold its figures to its quotes.

    Raises
    ------
    PolicyRefused
        The first thing that is wrong, with the place and how to mend it.
    """
    policy = read_policy(path)
    book = PolicyBook((policy,))
    wrong = misquotes(policy, book)
    if wrong:
        first = wrong[0]
        raise PolicyRefused(
            "policy-misquoted",
            file=path.name,
            where=f"rules[{first.rule}].limits",
            rule=first.rule,
            figure=first.figure,
            unit=first.unit,
            words=first.words,
        )
    console.print(escape(say(Message("policies.lint-good", {"file": path.name, "rules": len(policy.rules)}), lang)))


def facts_file(ids: tuple[str, ...], lang: Lang) -> str:
    """A blank facts file that asks for what the facts rules of some policies need."""
    book = book_for(ids)
    wanted: dict[str, Figure] = {}
    for policy in book.chosen(ids):
        for rule in policy.rules:
            if isinstance(rule, FactsRule) and rule.subject == "proposal":
                for limit in (*rule.limits, *rule.when):
                    _add(limit.figure, wanted)
    lines = [
        f"# {say(Message('policies.facts-head', {'ids': list(ids)}), lang)}",
        '# id = ""',
        '# name = ""',
        '# tier = "city"',
    ]
    section = ""
    for path, figure in sorted(wanted.items()):
        head, _, key = path.partition(".")
        if head != section:
            section = head
            lines += ["", f"[{head}]"]
        if path == "industry.class":
            lines += [f'# class.{policy_id} = ""' for policy_id in ids]
            continue
        lines.append(f"# {key} = {_blank(figure)}  # {figure.zh if lang == 'zh' else figure.en} ({figure.unit})")
    return "\n".join(lines) + "\n"


def _add(path: str, wanted: dict[str, Figure]) -> None:
    figure = figures()[path]
    if figure.derived:
        for each in figure.derived.inputs:
            _add(each, wanted)
    elif not figure.measured:
        wanted[path] = figure


def _blank(figure: Figure) -> str:
    return {"truth": "true", "text": '""', "choice": '""', "list": '[""]'}.get(figure.unit, "0")
