"""Reports on a terminal: a verdict table per policy with each clause quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geoplan.messages import Lang, Message, say, word
from geoplan_web.finding import FindingView, PolicyView, ReportView

_COLOURS = {
    "pass": "green",
    "attention": "yellow",
    "fail": "red",
    "not-assessed": "magenta",
    "not-applicable": "dim",
}


def print_report(content: dict[str, Any], lang: Lang, console: Console) -> None:
    """The report as tables: verdict sentence, warnings, then each policy with findings and clauses."""
    view = ReportView(content, lang)
    console.print(f"[bold {_COLOURS[view.tone]}]{view.icon} {escape(view.sentence)}[/]")
    for warning in view.warnings:
        console.print(f"  [dim]· {escape(warning)}[/]")
    for record in view.structure:
        console.print(f"  [{_COLOURS[record['verdict']]}]{escape(record['says'][lang])}[/]")
    for policy in view.policies:
        _print_policy(policy, lang, console)
    console.print(f"[dim]{escape(say(Message('cli.disclaimer'), lang))}[/]")


def _print_policy(policy: PolicyView, lang: Lang, console: Console) -> None:
    args = {
        "icon": policy.icon,
        "verdict": policy.badge,
        "id": policy.id,
        "title": policy.title,
        "standing": [each for each in (policy.standing, None if policy.breaks else policy.application) if each],
    }
    console.print()
    console.print(f"[bold {_COLOURS[policy.tone]}]{escape(say(Message('cli.policy-line', args), lang))}[/]")
    for warning in policy.warnings:
        console.print(f"  [dim]· {escape(warning)}[/]")
    table = Table(show_edge=False, pad_edge=False, box=None, padding=(0, 2, 0, 0))
    for key in ("column-verdict", "column-rule", "column-finding"):
        table.add_column(say(Message(f"cli.{key}"), lang), overflow="fold", no_wrap=key == "column-verdict")
    broken = [f for f in policy.group("application") if f.verdict in ("fail", "attention")]
    for finding in [*policy.group("spatial"), *broken]:
        colour = _COLOURS[finding.verdict]
        table.add_row(
            f"[{colour}]{finding.icon} {escape(word('verdict', finding.verdict, lang))}[/]",
            escape(finding.title),
            _finding_text(finding, lang),
        )
    if table.row_count:
        console.print(table)
    for line in _other_groups(policy, lang):
        console.print(f"  [dim]{escape(line)}[/]")


def _finding_text(finding: FindingView, lang: Lang) -> str:
    lines = [escape(finding.sentence), *(escape(note) for note in finding.notes)]
    if finding.flags:
        lines.append(escape(" · ".join(finding.flags)))
    if finding.change:
        lines.append(escape(say(Message("cli.change", {"change": finding.change}), lang)))
    for clause in (finding.clause, *finding.also):
        mark = say(Message("view.quote" if clause.is_quote else "view.summary"), lang)
        at = f"{clause.paper} {clause.at}"
        lines.append(
            f"[dim]{escape(say(Message('cli.clause', {'at': at, 'mark': mark, 'words': clause.words}), lang))}[/]"
        )
    return "\n".join(lines)


def _other_groups(policy: PolicyView, lang: Lang) -> list[str]:
    lines: list[str] = []
    application = policy.group("application")
    still_open = [f.title for f in application if f.verdict == "not-assessed"]
    met = sum(f.verdict == "pass" for f in application)
    if met:
        lines.append(say(Message("cli.application-met", {"count": met}), lang))
    if still_open:
        lines.append(say(Message("cli.application-open", {"count": len(still_open), "rules": still_open}), lang))
    city = policy.group("city")
    if city:
        lines.append(say(Message("cli.city-group", {"count": len(city)}), lang))
    return lines


def print_written(paths: list[Path], lang: Lang, console: Console) -> None:
    """The names of the files that were written."""
    for path in paths:
        console.print(escape(say(Message("cli.wrote", {"path": str(path)}), lang)), soft_wrap=True)
