"""A blank facts file for some policies: every figure that their rules ask for, with its unit and name."""

from __future__ import annotations

from geoplan.messages import Lang, Message, say, word
from geoplan.policy import Policy, PolicyBook
from geoplan.policy.figures import Figure, figures
from geoplan.policy.rule import FactsRule

_HEAD = {
    "id": '""',
    "name": '""',
    "county": '"330502"',
    "tier": '"city"  # district | city | province | nation',
    "stage": '"plan"  # plan | cultivate | create | named | eliminated | cancelled',
    "listed_on": "2026-01-31",
}
_ALWAYS = ("declared.planning_area_m2", "declared.construction_area_m2", "industry.types")
_TOWN_TYPES = ("tourism", "culture-tourism", "sports", "agriculture", "three-industries", "advanced-manufacturing")
_BLANKS = {"truth": "true", "text": '""', "choice": '""', "list": '[""]'}


def facts_file(ids: tuple[str, ...], book: PolicyBook, lang: Lang) -> str:
    """The blank file, every line commented out: what is filled in counts, the rest is to be supplied.

    Raises
    ------
    CallRefused
        One of the policies is not in the book.
    """
    policies = book.chosen(ids)
    wanted = {path: figures()[path] for path in _ALWAYS}
    if any(policy.classes for policy in policies):
        wanted["industry.class"] = figures()["industry.class"]
    for policy in policies:
        for rule in policy.rules:
            if isinstance(rule, FactsRule) and rule.subject == "proposal":
                for limit in (*rule.limits, *rule.when):
                    _add(limit.figure, wanted)
    lines = [f"# {say(Message('policies.facts-head', {'ids': list(ids) or [policy.id for policy in policies]}), lang)}"]
    lines += [f"# {key} = {value}" for key, value in _HEAD.items()]
    section = ""
    for path, figure in sorted(wanted.items()):
        head, _, key = path.partition(".")
        if head != section:
            section = head
            lines += ["", f"[{head}]"]
        if path == "industry.class":
            lines += [_class_line(policy, lang) for policy in policies if policy.classes]
        else:
            name = figure.zh if lang == "zh" else figure.en
            lines.append(f"# {key} = {_blank(path, figure)}  # {name}（{word('unit', figure.unit, lang)}）")
    return "\n".join(lines) + "\n"


def _add(path: str, wanted: dict[str, Figure]) -> None:
    figure = figures()[path]
    if figure.derived:
        for each in figure.derived.inputs:
            _add(each, wanted)
    elif not figure.measured:
        wanted[path] = figure


def _blank(path: str, figure: Figure) -> str:
    if path == "industry.types":
        return "[" + ", ".join(f'"{name}"' for name in _TOWN_TYPES) + "]"
    return _BLANKS.get(figure.unit, "0")


def _class_line(policy: Policy, lang: Lang) -> str:
    names = " | ".join(f"{key}（{its.name.model_dump()[lang]}）" for key, its in policy.classes.items())
    return f'# class.{policy.id} = "{next(iter(policy.classes))}"  # {names}'
