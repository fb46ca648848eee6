"""How a finding is told: the one renderer behind page, map, printed report and command line.

It reads only the report's JSON, so a report that was stored last year is shown as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from geoplan.messages import Lang, Message, say, word
from geoplan.messages.units import format_unit
from geoplan.verdict import WORST_FIRST
from geoplan_web.headline import headline, proposal_name
from geoplan_web.wording import ClauseView, Json, limit_line, quantity, reading_lines, turn_line

ICONS = {"pass": "✓", "attention": "!", "fail": "✗", "not-assessed": "?", "not-applicable": "–"}
"""A sign for each verdict, so that colour is never the only carrier."""
_ORDER: dict[str, int] = {verdict: i for i, verdict in enumerate((*WORST_FIRST, "not-applicable"))}


class Judged:
    """Something that has a verdict, in one language."""

    lang: Lang

    @property
    def verdict(self) -> str:
        """Verdict id."""
        raise NotImplementedError

    @property
    def verdict_word(self) -> str:
        """Verdict in words."""
        return word("verdict", self.verdict, self.lang)

    @property
    def icon(self) -> str:
        """Sign of the tone."""
        return ICONS[self.tone]

    @property
    def breaks(self) -> bool:
        """Whether application requirements are broken, of which the spatial verdict says nothing."""
        return False

    @property
    def tone(self) -> str:
        """Verdict id whose colour and sign it is shown in: a pass with broken requirements never looks like a pass."""
        return "fail" if self.breaks else self.verdict

    @property
    def badge(self) -> str:
        """Verdict in words, with the application requirements where they are broken."""
        if not self.breaks:
            return self.verdict_word
        return say(Message("view.badge-broken", {"verdict": self.verdict}), self.lang)


class Recorded(Judged):
    """What a rule found, as the report records it."""

    record: Json

    @property
    def title(self) -> str:
        """Name of the rule."""
        return str(self.record["title"][self.lang])

    @property
    def verdict(self) -> str:
        """Verdict id."""
        return str(self.record["verdict"])

    @property
    def sentence(self) -> str:
        """What is so, against what."""
        return str(self.record["says"][self.lang])

    @property
    def evidence(self) -> list[Json]:
        """Patches and lines that the verdict rests on."""
        return list(self.record["evidence"])


@dataclass(frozen=True)
class FindingView(Recorded):
    """One finding in one language."""

    policy: str
    record: Json
    lang: Lang

    @property
    def rule(self) -> str:
        """Rule id."""
        return str(self.record["rule"])

    @property
    def anchor(self) -> str:
        """Id of the finding on a page."""
        return f"{self.policy}--{self.rule}"

    @property
    def flags(self) -> list[str]:
        """What is to be known of the verdict: not firm (with both sides), waivable."""
        found = []
        if not self.record["firm"]:
            found.append(say(Message("view.not-firm", {"sides": self.record["sides"]}), self.lang))
        if self.record.get("waivable"):
            found.append(say(Message("view.waivable"), self.lang))
        return found

    @property
    def notes(self) -> list[str]:
        """Further sentences: what was assumed, what another reading would give."""
        return [str(note["says"][self.lang]) for note in self.record.get("notes", [])]

    @property
    def change(self) -> str | None:
        """What would have to change, or none."""
        change = self.record.get("change")
        return str(change["says"][self.lang]) if change else None

    @property
    def strength(self) -> str:
        """Wording of the rule: must, in principle …"""
        return word("strength", str(self.record["strength"]), self.lang)

    @property
    def clause(self) -> ClauseView:
        """The clause that decides."""
        return ClauseView.of(self.record["clause"])

    @property
    def also(self) -> list[ClauseView]:
        """Further clauses that say the same."""
        return [ClauseView.of(each) for each in self.record.get("also", [])]

    @property
    def measured(self) -> str | None:
        """The measured figure with its unit."""
        found = self.record.get("measured")
        if not found:
            return None
        return quantity(found["value"], found["unit"], self.lang)

    @property
    def elsewhere(self) -> str | None:
        """The figure for the rest of planning."""
        found = self.record.get("measured")
        if not found or found.get("elsewhere") is None:
            return None
        return quantity(found["elsewhere"], found["unit"], self.lang)

    @property
    def error(self) -> str | None:
        """The bound on the error of the measure."""
        found = self.record.get("measured")
        return f"± {quantity(found['error'], found['unit'], self.lang)}" if found and found["error"] else None

    @property
    def method(self) -> str | None:
        """How it was measured."""
        found = self.record.get("measured")
        return word("method", found["method"], self.lang) if found else None

    @property
    def limit(self) -> str | None:
        """The limit in words."""
        limit = self.record.get("limit")
        return limit_line(limit, self.lang) if limit else None

    @property
    def readings(self) -> list[tuple[str, str]]:
        """The tool's own reading: key and value in words."""
        return reading_lines(self.record["reading"], self.lang)

    @property
    def reading_note(self) -> str | None:
        """The profile's remark on its reading."""
        note = self.record.get("reading_note")
        return str(note[self.lang]) if note else None

    @property
    def coverage(self) -> list[tuple[str, str]]:
        """Share of each boundary that the layer knows."""
        shares = self.record["coverage"].items()
        return [(word("part", part, self.lang), format_unit(share, "share", self.lang)) for part, share in shares]

    @property
    def sums(self) -> list[tuple[str, list[Json]]]:
        """Tables of what is taken, by part: by class, ownership, owner and village, where the layer has the field."""
        found: dict[str, list[Json]] = {}
        for table in self.record.get("sums", []):
            found.setdefault(table["part"], []).append(table)
        return list(found.items())

    @property
    def sums_total(self) -> dict[str, Json]:
        """What the tables of each part add up to: patches, gross and net area."""
        return {
            part: {
                "patches": sum(row["patches"] for row in tables[0]["rows"]),
                "area_m2": float(sum(Decimal(repr(row["area_m2"])) for row in tables[0]["rows"])),
                "net_area_m2": float(sum(Decimal(repr(row["net_area_m2"])) for row in tables[0]["rows"])),
            }
            for part, tables in self.sums
        }

    @property
    def turns(self) -> list[str]:
        """How far the boundary is from another verdict."""
        return [turn_line(turn, self.lang) for turn in self.record["turns_at"]]


@dataclass(frozen=True)
class StructureView(Recorded):
    """What holds in every check whatever the policy, in one language."""

    record: Json
    lang: Lang

    @property
    def anchor(self) -> str:
        """Id of the finding on a page."""
        return f"structure--{self.record['rule']}"


@dataclass(frozen=True)
class PolicyView(Judged):
    """One policy's findings in one language, by group and worst first."""

    record: Json
    lang: Lang

    @property
    def id(self) -> str:
        """Policy id."""
        return str(self.record["id"])

    @property
    def title(self) -> str:
        """Number and title of the paper."""
        return " ".join(filter(None, (self.record.get("number"), self.record["title"])))

    @property
    def short(self) -> str:
        """Number of the paper, or its title where it has none."""
        return str(self.record.get("number") or self.record["title"])

    @property
    def place(self) -> str:
        """Whose paper it is."""
        return str(self.record.get("place", {}).get(self.lang, ""))

    @property
    def standing(self) -> str:
        """Standing of the paper."""
        return word("standing", self.record["status"], self.lang)

    @property
    def verdict(self) -> str:
        """Verdict of the spatial group."""
        return str(self.record["verdict"])

    @property
    def breaks(self) -> bool:
        """Whether the paper's application requirements are broken."""
        return bool(self.record["application"] == "broken")

    @property
    def application(self) -> str | None:
        """State of the application requirements in words, or none where the paper has none."""
        if not self.group("application"):
            return None
        return say(Message(f"view.application-{self.record['application']}"), self.lang)

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the paper before its findings."""
        return [str(w["says"][self.lang]) for w in self.record.get("warnings", [])]

    @cached_property
    def findings(self) -> list[FindingView]:
        """All findings, worst first, else in the paper's order."""
        found = [FindingView(self.id, record, self.lang) for record in self.record["findings"]]
        return sorted(found, key=lambda each: _ORDER[each.verdict])

    def group(self, name: str) -> list[FindingView]:
        """The findings of one group: spatial, application or city."""
        return [each for each in self.findings if each.record["group"] == name]


@dataclass(frozen=True)
class ReportView(Judged):
    """A report in one language, in the order in which people ask."""

    content: Json
    lang: Lang

    @property
    def verdict(self) -> str:
        """The report's verdict."""
        return str(self.content["verdict"])

    @property
    def name(self) -> str:
        """The proposal's name, else its file's, or that it has none."""
        return proposal_name(self.content["proposal"]) or say(Message("view.unnamed"), self.lang)

    @property
    def invented(self) -> bool:
        """Whether the layers it rests on are made up, as the demo's are."""
        return bool(self.content.get("invented"))

    @cached_property
    def policies(self) -> list[PolicyView]:
        """Every policy, the land law first."""
        return [PolicyView(record, self.lang) for record in self.content["policies"]]

    @property
    def structure(self) -> list[Json]:
        """Structural findings as recorded."""
        return list(self.content["structure"])

    @property
    def structural(self) -> list[StructureView]:
        """What holds in every check: construction inside planning, declared areas."""
        return [StructureView(record, self.lang) for record in self.structure]

    @property
    def breaks(self) -> bool:
        """Whether the application requirements of any paper are broken."""
        return any(policy.breaks for policy in self.policies)

    @property
    def sentence(self) -> str:
        """The whole verdict in one sentence, with the application requirements where they are broken."""
        spatial = [f.verdict for p in self.policies for f in p.group("spatial")]
        verdicts = [*spatial, *(found.verdict for found in self.structural)]
        broken = [f for p in self.policies for f in p.group("application") if f.verdict == "fail"]
        args = {"name": self.name, "policies": len(self.policies)}
        return headline(self.verdict, verdicts, len(broken), args, self.lang)

    @property
    def caveat(self) -> str | None:
        """What belongs beside the verdict: that no policy was named, so that what papers share was checked."""
        said = (w["says"][self.lang] for w in self.content["warnings"] if w["id"] == "warning.common-policy")
        return next(said, None)

    @property
    def warnings(self) -> list[str]:
        """Warnings of the whole check."""
        return [str(w["says"][self.lang]) for w in self.content["warnings"]]
