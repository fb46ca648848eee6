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
from geoplan.policy import Misquote, Policy, PolicyBook, misquotes
from geoplan_api.office import home_folder, named, office_policies, read_policy
from geoplan_web.policy import PolicySheet, RuleSheet


def print_list(lang: Lang, as_json: bool, console: Console) -> None:
    """Every policy: its id, and its paper with place, standing, date of issue and number of rules below it."""
    policies = list(PolicyBook(office_policies(home_folder())))
    if as_json:
        sys.stdout.write(json.dumps([_head(p) for p in policies], ensure_ascii=False, indent=2) + "\n")
        return
    grid = Grid(box=None, pad_edge=False, padding=(0, 3, 1, 0))
    grid.add_column(say(Message("policies.id"), lang), no_wrap=True)
    grid.add_column(say(Message("policies.paper"), lang), overflow="fold")
    for policy in policies:
        sheet = PolicySheet(policy, PolicyBook(), lang)
        rules = say(Message("page.policies-rules", {"count": len(policy.rules)}), lang)
        about = " · ".join((sheet.place, sheet.standing, sheet.issued, rules))
        grid.add_row(policy.id, f"{escape(sheet.title)}\n[dim]{escape(about)}[/]")
    console.print(grid)


def _head(policy: Policy) -> dict[str, Any]:
    return {k: v for k, v in policy.as_dict().items() if k in ("id", "adcode", "place", "document")} | {
        "rules": len(policy.rules)
    }


def print_policy(policy_id: str, lang: Lang, as_json: bool, console: Console) -> None:
    """One policy so that a planner can read it: each rule with its clause, limits and reading."""
    (found,), book = named((policy_id,))
    policy = book.get(found)
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


def lint_file(path: Path, lang: Lang, console: Console, faults: Console) -> None:
    """Read an office's own policy strictly and hold its figures to its quotes; every fault is told, one line each.

    Raises
    ------
    PolicyRefused
        The first thing that is wrong, with the place and how to mend it, after the others were told.
    """
    try:
        policy = read_policy(path)
        wrong = [_misquote(path, each) for each in misquotes(policy, PolicyBook((policy,)))]
        if wrong:
            wrong[0].others = tuple(wrong[1:])
            raise wrong[0]
    except PolicyRefused as first:
        for other in first.others:
            faults.print(escape(other.say(lang)), soft_wrap=True)
        raise
    console.print(escape(say(Message("policies.lint-good", {"file": path.name, "rules": len(policy.rules)}), lang)))


def _misquote(path: Path, wrong: Misquote) -> PolicyRefused:
    return PolicyRefused(
        "policy-misquoted",
        file=path.name,
        where=f"rules[{wrong.rule}].limits",
        rule=wrong.rule,
        figure=wrong.figure,
        unit=wrong.unit,
        words=wrong.words,
    )
