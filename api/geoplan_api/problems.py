"""Refusals over HTTP: one table from the class of an error to its status, and its problem document (RFC 9457).

``detail`` is what the command line says of the same refusal, in the language asked for; ``zh`` and ``en`` carry both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from geoplan.errors import Busy, CallRefused, CannotFinish, GeoplanError, InputRefused, NotFound, TooLarge
from geoplan.messages import Lang, Message, say
from geoplan_api.negotiate import PROBLEM


class MethodWrong(GeoplanError):
    """The address does not know the method."""


class NotAcceptable(GeoplanError):
    """The client wants a media type that there is not."""


class MediaTypeWrong(GeoplanError):
    """The body is of a type that is not read."""


class Forbidden(GeoplanError):
    """The request comes from where none may come from."""


class Misdirected(GeoplanError):
    """The request names a host that this service is not."""


class Fault(GeoplanError):
    """Something that should not happen; the log has it under the number that the message names."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a class of errors is told: status and problem type."""

    status: int
    slug: str

    @property
    def type(self) -> str:
        """The problem type, a name and no address: nothing has to be fetched to know it."""
        return f"urn:geoplan:problem:{self.slug}"


KINDS: Mapping[type[GeoplanError], Kind] = {
    TooLarge: Kind(413, "too-large"),
    InputRefused: Kind(422, "input-refused"),
    CallRefused: Kind(422, "call-refused"),
    NotFound: Kind(404, "not-found"),
    Busy: Kind(503, "busy"),
    CannotFinish: Kind(503, "cannot-finish"),
    MethodWrong: Kind(405, "method-not-allowed"),
    NotAcceptable: Kind(406, "not-acceptable"),
    MediaTypeWrong: Kind(415, "unsupported-media-type"),
    Forbidden: Kind(403, "forbidden"),
    Misdirected: Kind(421, "misdirected"),
    Fault: Kind(500, "fault"),
}


def kind_of(error: GeoplanError) -> Kind:
    """The row of the table for an error: that of its nearest class.

    >>> kind_of(TooLarge("zip-bytes", most=1)).status, kind_of(Busy("busy")).status
    (413, 503)
    """
    return next(KINDS[each] for each in type(error).__mro__ if each in KINDS)


class Problem(BaseModel):
    """A problem document; ``file`` and ``where`` name the place, ``code`` the message of the catalogue.

    ``candidates`` are the coordinate systems that a file without one may be in: code, meaning, where its middle would
    lie in degrees, and what lies there.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    file: str | None
    where: str | None
    zh: str
    en: str
    candidates: list[dict[str, Any]] | None = None
    others: list[dict[str, str | None]] = []
    """Further faults of the same file, each with its own code and place."""


def document(error: GeoplanError, lang: Lang) -> Problem:
    """The problem document of an error."""
    kind = kind_of(error)
    return Problem(
        type=kind.type,
        title=say(Message(f"problem.{kind.slug}"), lang),
        status=kind.status,
        detail=error.say(lang),
        code=error.id,
        file=error.file,
        where=error.where,
        zh=error.say("zh"),
        en=error.say("en"),
        candidates=error.message.args.get("found"),
        others=error.as_dict().get("others", []),
    )


def answer(error: GeoplanError, lang: Lang, headers: Mapping[str, str] | None = None) -> Response:
    """The problem document as a response."""
    problem = document(error, lang)
    return Response(
        problem.model_dump_json(indent=2, exclude=None if problem.candidates else {"candidates"}) + "\n",
        status_code=problem.status,
        headers={**(headers or {}), "Content-Language": lang, "Vary": "Accept, Accept-Language"},
        media_type=PROBLEM,
    )


def from_http(wrong: HTTPException, method: str, path: str) -> GeoplanError:
    """A refusal of the framework as one of ours."""
    if wrong.status_code == 405:
        return MethodWrong("method-wrong", method=method)
    if wrong.status_code in (404, 401, 403):
        return NotFound("page-unknown", path=path[:200])
    if wrong.status_code == 415:
        return MediaTypeWrong("http-refused", status=wrong.status_code)
    if 400 <= wrong.status_code < 500:
        return CallRefused("http-refused", status=wrong.status_code)
    return CannotFinish("http-refused", status=wrong.status_code)
