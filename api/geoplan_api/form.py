"""From a form to a question: the fields of ``POST /checks`` and what each may hold.

``select.FIELD`` says what the command line writes behind a file's name, ``#LAYER[FIELD=VALUE]``, and for a layer also
``@EPSG:N``, ``@gcj02``, ``@bd09``, ``@swap-xy`` or ``@GENERATION``. A policy is named by id or uploaded; a path in a
text field is never opened.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from geoplan.errors import CallRefused
from geoplan.landuse import GENERATIONS
from geoplan.measure import DEFAULT_ACCURACY
from geoplan.policy import Policy, PolicyBook
from geoplan_api.inquiry import ROLES, Inquiry, civil_date, datum_named, frame_named, readings_of
from geoplan_api.office import read_policy
from geoplan_api.upload import Submission, Upload, sets
from geoplan_layers.places import Place, place_named
from geoplan_layers.selector import LayerSpec, Selector, parse_layer

FILES = ("planning", "construction", "facts", "towns")
TEXTS = ("crs", "datum", "place", "swap_xy", "name", "accuracy", "on", "anywhere", "lang")
REPEATED = ("policy", "reading")
PREFIXES = ("layer.", "coverage.", "select.")
SECRET = frozenset({"datum_parameters", "datum-parameters", "parameters"})
"""Fields that are refused whatever they hold: such parameters may not leave the user's machine."""
MOST_ACCURACY = 10.0
_LONGEST = 200
_SELECT = re.compile(
    r"(?:#(?P<layer>[^#\[\]@]+))?(?:\[(?P<field>[^\[\]=]+)=(?P<value>[^\[\]]*)\])?(?P<words>(?:@[A-Za-z0-9:-]+)*)"
)
_TRUE, _FALSE = frozenset({"1", "true", "on", "yes"}), frozenset({"", "0", "false", "off", "no"})


@dataclass(frozen=True)
class Question:
    """A form understood: the inquiry, the policies uploaded with it, and what the store keeps of the request."""

    inquiry: Inquiry
    own_policies: tuple[Policy, ...]
    inputs: tuple[tuple[str, Upload], ...]
    request: dict[str, Any]


def understand(form: Submission, book: PolicyBook) -> Question:
    """The question that a form puts.

    Raises
    ------
    CallRefused
        An unknown field, a text that is no value for its field, an unknown policy or role, no planning boundary.
    PolicyRefused
        An uploaded policy is not written as a policy is.
    """
    reader = _Reader(form)
    own = tuple(read_policy(each.path, each.shown) for each in form.files.get("policy", ()))
    policies = (*reader.many("policy"), *(policy.id for policy in own))
    for policy_id in policies[: -len(own) or None]:
        book.get(policy_id)
    planning = reader.selector("planning")
    if planning is None:
        raise CallRefused("no-planning")
    layers, coverage = reader.layers()
    inquiry = Inquiry(
        planning=planning,
        construction=reader.selector("construction", otherwise=planning),
        policies=policies,
        layers=layers,
        coverage=coverage,
        towns=reader.selector("towns"),
        facts=reader.selector("facts"),
        frame=frame_named(reader.one("crs")),
        accuracy=reader.accuracy(),
        on=civil_date(reader.one("on"), "on"),
        name=reader.one("name"),
        readings=readings_of(reader.many("reading")),
        anywhere=reader.flag("anywhere"),
        datum=datum_named(reader.one("datum"), "datum"),
        place=reader.place(),
        swap_xy=reader.flag("swap_xy"),
    )
    reader.all_selects_used()
    inputs = reader.inputs
    return Question(inquiry, own, inputs, _summary(form, inputs))


def _summary(form: Submission, inputs: tuple[tuple[str, Upload], ...]) -> dict[str, Any]:
    """What was asked, as the store keeps it: inputs by hash and the texts as given."""
    files = [{"field": name, "name": each.shown, "sha256": each.sha256, "size": each.size} for name, each in inputs]
    return {
        "inputs": files,
        "texts": {name: values for name, values in form.texts.items() if any(values)},
    }


class _Reader:
    """The fields of one form; every field is known and of its kind, or the form is refused."""

    def __init__(self, form: Submission) -> None:
        self._form = form
        self._selects = {name.removeprefix("select.") for name in form.texts if name.startswith("select.")}
        for name in form.fields:
            _known(name)
        for name in form.files:
            if name in TEXTS or name == "reading" or name.startswith("select."):
                raise CallRefused("field-wants-text", field=name)
        for name, values in form.texts.items():
            if any(values) and (name in FILES or name.startswith(("layer.", "coverage."))):
                raise CallRefused("field-wants-file", field=name)
        self._sets = {name: sets(uploads) for name, uploads in form.files.items()}

    @property
    def inputs(self) -> tuple[tuple[str, Upload], ...]:
        """Every file with its field, where it lies now."""
        return tuple((name, each) for name, found in self._sets.items() for one in found for each in one)

    def many(self, name: str) -> list[str]:
        """The texts of a repeated field, empty ones left out."""
        return [text.strip() for text in self._form.texts.get(name, ()) if text.strip()]

    def one(self, name: str) -> str | None:
        """The text of a field, on one line, or none."""
        texts = self.many(name)
        if len(texts) > 1:
            raise CallRefused("field-twice", field=name)
        if texts and len(texts[0]) > _LONGEST:
            raise CallRefused("field-too-long", field=name, most=_LONGEST)
        return " ".join("".join(c if c.isprintable() else " " for c in texts[0]).split()) if texts else None

    def flag(self, name: str) -> bool:
        """A box that is ticked or not."""
        text = (self.one(name) or "").lower()
        if text not in _TRUE | _FALSE:
            raise CallRefused("option-wrong", option=name, value=text, wanted="true | false")
        return text in _TRUE

    def accuracy(self) -> float:
        """Accuracy of lines, m."""
        text = self.one("accuracy")
        try:
            value = DEFAULT_ACCURACY if text is None else float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= MOST_ACCURACY:
            raise CallRefused("option-wrong", option="accuracy", value=text, wanted=f"0 < m ≤ {MOST_ACCURACY:g}")
        return value

    def place(self) -> Place | None:
        """The place that decides the system of files that lack one."""
        adcode = self.one("place")
        return place_named(adcode) if adcode else None

    def selector(self, name: str, otherwise: Selector | None = None) -> Selector | None:
        """The one file of a field with its select; ``otherwise`` its select alone chooses from another file."""
        found = self._sets.get(name, [])
        if len(found) > 1:
            raise CallRefused("field-twice", field=name)
        select = self._select(name, 0)
        if not found:
            if select is None or otherwise is None:
                return None
            self._selects.discard(name)
            return replace(select.selector, path=otherwise.path, shown=otherwise.shown)
        self._selects.discard(name)
        file = found[0][0]
        if select is None:
            return Selector(file.path, shown=file.shown)
        if select != LayerSpec(select.role, select.selector):
            raise _misspelt(name, self._form.texts[f"select.{name}"][0])
        return replace(select.selector, path=file.path, shown=file.shown)

    def layers(self) -> tuple[tuple[LayerSpec, ...], dict[str, tuple[Selector, ...]]]:
        """Layers in the order of the form, and the coverages declared for them."""
        specs: list[LayerSpec] = []
        coverage: dict[str, tuple[Selector, ...]] = {}
        for name, found in self._sets.items():
            kind, mark, role = name.partition(".")
            for i, (file, *_) in enumerate(found if mark else ()):
                spec = self._select(name, i) or LayerSpec(role, Selector(file.path))
                placed = replace(spec, role=role, selector=replace(spec.selector, path=file.path, shown=file.shown))
                if kind == "layer":
                    specs.append(placed)
                else:
                    coverage[role] = (*coverage.get(role, ()), placed.selector)
            self._selects.discard(name)
        return tuple(specs), coverage

    def _select(self, name: str, i: int) -> LayerSpec | None:
        """The n-th select of a field, read as the command line reads what stands behind a file's name."""
        texts = self._form.texts.get(f"select.{name}", ())
        text = texts[i].strip() if i < len(texts) else ""
        if not text:
            return None
        match = _SELECT.fullmatch(text)
        if match is None:
            raise _misspelt(name, text)
        spec = parse_layer(f"role=upload{match['words']}")
        rows = Selector(spec.selector.path, match["layer"], match["field"], match["value"])
        return replace(spec, selector=rows)

    def all_selects_used(self) -> None:
        """Refuse a select whose field has no file."""
        for name in self._selects:
            if any(self._form.texts[f"select.{name}"]):
                raise CallRefused("select-without-file", field=f"select.{name}")


def _known(name: str) -> None:
    """Refuse a field that there is not, or a role that there is not."""
    kind, mark, rest = name.partition(".")
    if name in SECRET:
        raise CallRefused("parameters-not-uploaded")
    if name in (*FILES, *TEXTS, *REPEATED):
        return
    if mark and f"{kind}." in PREFIXES and rest:
        role = rest.partition(".")[2] if kind == "select" and rest not in (*FILES, *REPEATED) else rest
        if kind == "select" and (rest in FILES or not role):
            return
        if role not in ROLES and not (role.startswith("custom:") and len(role) > len("custom:")):
            raise CallRefused("layer-role-unknown", role=role[:80], known=list(ROLES))
        return
    known = [*FILES, *REPEATED, *TEXTS, *(f"{each}…" for each in PREFIXES)]
    raise CallRefused("field-unknown", field=name[:80], known=known)


def _misspelt(name: str, text: str) -> CallRefused:
    return CallRefused("select-spelling", field=f"select.{name}", given=text[:80], known=list(GENERATIONS))


def form_schema() -> dict[str, Any]:
    """The form for the documentation of the interface; roles of ``custom:NAME`` are not listed."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    text = {"type": "string"}
    properties: dict[str, Any] = {name: file for name in FILES}
    properties |= {name: {"type": "array", "items": text} for name in REPEATED}
    properties |= {name: text for name in TEXTS}
    properties |= {f"select.{name}": text for name in FILES if name != "facts"}
    for role in ROLES:
        properties |= {f"layer.{role}": file, f"coverage.{role}": file, f"select.layer.{role}": text}
    return {"type": "object", "required": ["planning"], "properties": properties, "additionalProperties": False}
