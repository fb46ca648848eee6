"""Doing a check again from its report: the same id, or what differs and which findings changed with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pydantic

from geoplan.boundary import Source
from geoplan.check import software
from geoplan.datum import DatumParameters
from geoplan.errors import CallRefused, InputRefused, NotFound
from geoplan.identity import report_id, unnamed
from geoplan.landuse import GENERATIONS
from geoplan.layer_age import MOST_YEARS
from geoplan.policy import ALWAYS, Policy, shipped
from geoplan.report import Content, FindingRecord, LayerRecord, Report, SourceFile
from geoplan_api import demo
from geoplan_api.inquiry import Inquiry, answer
from geoplan_api.kept import lay_out
from geoplan_api.office import home_folder, office_policies, read_policy
from geoplan_api.read_again import of_call, of_layers, parameters_hash, readings_of
from geoplan_api.registered import store_of
from geoplan_layers.found import Match, Shelf
from geoplan_layers.prepared.version import Version
from geoplan_layers.selector import LayerSpec, Selector, parse_selector

SCHEMA = "geoplan/replay/1"
PARAMETERS = "--datum-parameters"
"""What the user's own parameters are called among what is missing: their file's name is recorded nowhere."""
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not what the report names: a file, a policy, a part of the software, the report itself."""

    what: str
    name: str
    recorded: str
    found: str


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that came out otherwise: its verdict and measured value before and now."""

    policy: str
    rule: str
    verdict: tuple[str | None, str | None]
    measured: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of doing a check again."""

    recorded: str
    recomputed: str | None
    missing: tuple[Source, ...]
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether the check gave the same report."""
        return self.recomputed == self.recorded and not any(d.what == "report" for d in self.differences)

    @property
    def exit_status(self) -> int:
        """0 the same · 1 it differs · 3 an input is missing."""
        return 3 if self.missing else 0 if self.same else 1

    def as_dict(self) -> dict[str, Any]:
        """The replay as plain data."""
        return {
            "schema": SCHEMA,
            "recorded": self.recorded,
            "recomputed": self.recomputed,
            "same": self.same,
            "missing": [{"file": each.file, "sha256": each.sha256} for each in self.missing],
            "differences": [
                {"what": d.what, "name": d.name, "recorded": d.recorded, "found": d.found} for d in self.differences
            ],
            "findings": [
                {"policy": c.policy, "rule": c.rule, "verdict": list(c.verdict), "measured": list(c.measured)}
                for c in self.changes
            ],
        }


def replay(path: Path, folders: Sequence[Path], parameters: DatumParameters | None = None) -> Replay:
    """Do the check of a report again with the inputs that it names, found by hash.

    Inputs are looked for in ``folders`` and all below them, beside the report, in the working folder, among what the
    service kept in its home, and among the demo's data. A file of the right name and another content is used, and
    told as a difference. ``parameters`` are kept nowhere: where they were used they have to be given again.

    Raises
    ------
    InputRefused
        The file is no report of this schema, or an input can no longer be read.
    """
    content, told = _read(path)
    report = pydantic.TypeAdapter(Content).validate_python(content)
    held = _versions(report)
    sources = [source for _, source in _sources(report, held)]
    with TemporaryDirectory(prefix="geoplan-") as temporary:
        kept = Path(temporary)
        lay_out(home_folder(), report.id, ((each.sha256, each.file) for each in sources), kept)
        near = [(folder, True) for folder in folders]
        near += [(path.absolute().parent, False), (Path.cwd(), False), (kept, True)]
        if report.invented:
            near.append((demo.data_folder(), True))
        shelf = Shelf(near)
        matches = {source: shelf.find(source) for source in sources}
        lacking = [source for source, match in matches.items() if match is None]
        missing = tuple(dict.fromkeys([*lacking, *_parameters_lacking(report, parameters)]))
        found = {source: match for source, match in matches.items() if match is not None}
        if missing:
            return Replay(report.id, None, missing, (*told, *_other_software(report)), ())
        policies = _own_policies(report, [folder for folder, _ in near])
        again = answer(_inquiry(report, found, held, parameters), policies)
    told = (*told, *_other_parameters(report, parameters))
    differences = (*told, *_other_files(report, again), *_other_policies(report, again), *_other_software(report))
    return Replay(report.id, again.id, (), differences, tuple(_changes(report, again.content)))


def _read(path: Path) -> tuple[dict[str, Any], tuple[Difference, ...]]:
    """The report as data; a report whose own hash is wrong was changed after it was made."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRefused("not-a-report", file=path.name, detail=f"{path.stat().st_size} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict) or content.get("schema") != "geoplan/report/1":
            raise InputRefused("not-a-report", file=path.name, detail="schema")
        readings_of(pydantic.TypeAdapter(Content).validate_python(content).options)
        recomputed = report_id(content)
    except FileNotFoundError:
        raise NotFound("no-such-file", file=str(path)) from None
    except pydantic.ValidationError as wrong:
        place = ".".join(str(part) for part in wrong.errors()[0]["loc"])
        raise InputRefused("not-a-report", file=path.name, where=place, detail=wrong.errors()[0]["msg"]) from None
    except (ValueError, RecursionError) as wrong:
        raise InputRefused("not-a-report", file=path.name, detail=str(wrong)[:120]) from None
    if recomputed != content["id"]:
        return content, (Difference("report", path.name, content["id"], recomputed),)
    return content, ()


def _versions(report: Content) -> dict[str, Version]:
    """The versions of the home's layers that a report used, by their hash."""
    store = store_of(home_folder())
    found = {each.sha256: store.by_hash(each.sha256) for each in report.layers}
    return {key: version for key, version in found.items() if version is not None}


def _sources(report: Content, held: Mapping[str, Version] | None = None) -> Iterator[tuple[str, Source]]:
    """Every file that a report names, with what it served as; layers that the home holds are no files."""
    yield "planning", _source(report.proposal.planning.source)
    if report.proposal.construction:
        yield "construction", _source(report.proposal.construction.source)
    for what, file in (("towns", report.towns), ("facts", report.facts)):
        if file:
            yield what, _source(file)
    for layer in report.layers:
        if held and layer.sha256 in held:
            continue
        yield layer.role, Source(layer.file, layer.sha256, layer.select)
        if layer.coverage_source:
            yield f"{layer.role}/coverage", _source(layer.coverage_source)


def _source(file: SourceFile) -> Source:
    return Source(file.file, file.sha256, file.select)


def _selector(source: Source, found: dict[Source, Match]) -> Selector:
    parsed = parse_selector(f"?{source.select}")
    return Selector(found[source].path, parsed.layer, parsed.field, parsed.value, source.file)


def _inquiry(
    report: Content, found: dict[Source, Match], held: Mapping[str, Version], parameters: DatumParameters | None
) -> Inquiry:
    """The question that a report answers, with the files where they lie now."""
    options, proposal = report.options, report.proposal
    read_from_files = [(each, how) for each, how in zip(report.layers, of_layers(report), strict=True)]
    read_from_files = [(each, how) for each, how in read_from_files if each.sha256 not in held]
    coverage: dict[str, tuple[Selector, ...]] = {}
    for layer, _ in read_from_files:
        if layer.coverage_source:
            here = _selector(_source(layer.coverage_source), found)
            coverage[layer.role] = (*coverage.get(layer.role, ()), here)
    unasked = any(warning.id == "warning.common-policy" for warning in report.warnings)
    construction = proposal.construction
    return Inquiry(
        planning=_selector(_source(proposal.planning.source), found),
        construction=_selector(_source(construction.source), found) if construction else None,
        policies=() if unasked else tuple(each for each in options["policies"] if each != ALWAYS),
        layers=tuple(_layer(each, found, how) for each, how in read_from_files),
        coverage=coverage,
        towns=_selector(_source(report.towns), found) if report.towns else None,
        facts=_selector(_source(report.facts), found) if report.facts else None,
        accuracy=options["accuracy_m"],
        on=date.fromisoformat(report.checked_on),
        name=proposal.name,
        readings=options["readings"],
        layer_max_age_years=int(options.get("layer_max_age_years", MOST_YEARS)),
        anywhere=options["anywhere"],
        parameters=parameters,
        registered=tuple(held[each.sha256] for each in report.layers if each.sha256 in held),
        **of_call(readings_of(options)),
    )


def _layer(record: LayerRecord, found: dict[Source, Match], how: dict[str, Any]) -> LayerSpec:
    generation = GENERATIONS[GENERATIONS.index(record.generation)] if record.generation in GENERATIONS else None
    selector = _selector(Source(record.file, record.sha256, record.select), found)
    return LayerSpec(record.role, selector, generation=generation, invented=record.invented, **how)


def _parameters_lacking(report: Content, given: DatumParameters | None) -> Iterator[Source]:
    used = parameters_hash(readings_of(report.options))
    if used is not None and given is None:
        yield Source(PARAMETERS, used)


def _other_parameters(report: Content, given: DatumParameters | None) -> Iterator[Difference]:
    used = parameters_hash(readings_of(report.options))
    if used is not None and given is not None and given.sha256 != used:
        yield Difference("parameters", PARAMETERS, used, given.sha256)


def _own_policies(report: Content, folders: Sequence[Path]) -> tuple[Policy, ...]:
    """The policies of the report that are not shipped, from the office's folder or from a file beside the inputs."""
    wanted = {each.id: each.sha256 for each in report.policies if each.id not in shipped()}
    if not wanted:
        return ()
    held = {each.id: each for each in office_policies(home_folder())}
    for folder in folders:
        for path in sorted(folder.rglob("*.toml")):
            policy = _as_policy(path)
            if (
                policy is not None
                and policy.id in wanted
                and (policy.id not in held or policy.sha256 == wanted[policy.id])
            ):
                held[policy.id] = policy
    lacking = [each for each in wanted if each not in held]
    if lacking:
        raise CallRefused("policy-unknown", policy=lacking[0], known=[*shipped(), *held])
    return tuple(policy for policy in held.values() if policy.id in wanted)


def _as_policy(path: Path) -> Policy | None:
    """A TOML file as a policy; none where it is something else, such as a facts file."""
    try:
        return read_policy(path)
    except (InputRefused, CallRefused, OSError):
        return None


def _other_files(report: Content, again: Report) -> Iterator[Difference]:
    now = dict(_numbered(again.content))
    for key, source in _numbered(report):
        if key in now and now[key].sha256 != source.sha256:
            yield Difference(key, source.file, source.sha256, now[key].sha256)


def _numbered(report: Content) -> Iterator[tuple[str, Source]]:
    """Sources by what they served as, further ones of one role by number."""
    count: dict[str, int] = {}
    for what, source in _sources(report):
        count[what] = count.get(what, 0) + 1
        yield what if count[what] == 1 else f"{what}#{count[what]}", source


def _other_policies(report: Content, again: Report) -> Iterator[Difference]:
    now = {each.id: each.sha256 for each in again.content.policies}
    for policy in report.policies:
        if now.get(policy.id) != policy.sha256:
            yield Difference("policy", policy.id, policy.sha256, now.get(policy.id, ""))


def _other_software(report: Content) -> Iterator[Difference]:
    now = software()
    for name in sorted({*report.software, *now}):
        if report.software.get(name) != now.get(name):
            yield Difference("software", name, report.software.get(name, ""), now.get(name, ""))


def _changes(report: Content, again: Content) -> Iterator[Change]:
    before, after = _findings(report), _findings(again)
    for policy, rule in [*before, *(key for key in after if key not in before)]:
        was, now = before.get((policy, rule)), after.get((policy, rule))
        change = Change(policy, rule, (_verdict(was), _verdict(now)), (_value(was), _value(now)))
        if _content(was) != _content(now):
            yield change


def _content(finding: FindingRecord | None) -> Any:
    return unnamed(finding.model_dump(mode="json")) if finding else None


def _findings(report: Content) -> dict[tuple[str, str], FindingRecord]:
    return {(policy.id, finding.rule): finding for policy in report.policies for finding in policy.findings}


def _verdict(finding: FindingRecord | None) -> str | None:
    return finding.verdict if finding else None


def _value(finding: FindingRecord | None) -> float | None:
    return finding.measured.value if finding and finding.measured else None
