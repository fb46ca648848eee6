"""What geoplan refuses, and how each refusal is told.

An error of this module is part of the interface: it carries a message of the catalogue (what is wrong and how to
mend it), the file and the place in it. The command line turns it into one line and an exit status, the service
into a problem document (RFC 9457).
"""

from __future__ import annotations

from typing import Any

from geoplan.messages import LANGUAGES, Lang, Message, say


class GeoplanError(Exception):
    """Anything geoplan refuses or cannot do, told by a message of the catalogue.

    Parameters
    ----------
    id
        Message id without the leading ``error.``.
    file
        The file it is about, by the name the user gave it.
    where
        The place in the file: a layer, a row, a coordinate, a key.
    args
        Arguments of the message.
    """

    def __init__(self, id: str, /, *, file: str | None = None, where: str | None = None, **args: Any) -> None:
        self.id = id
        self.file = file
        self.where = where
        self.message = Message(f"error.{id}", args)
        super().__init__(self.say("en"))

    def say(self, lang: Lang) -> str:
        """``file: place: what is wrong and how to mend it`` in one language."""
        joint = "：" if lang == "zh" else ": "
        return joint.join([*(part for part in (self.file, self.where) if part), say(self.message, lang)])

    def as_dict(self) -> dict[str, Any]:
        """The refusal as plain data, in every language."""
        return {
            "code": self.id,
            "file": self.file,
            "where": self.where,
            **{lang: self.say(lang) for lang in LANGUAGES},
        }


class InputRefused(GeoplanError):
    """A file of the user cannot be used as it stands."""


class TooLarge(InputRefused):
    """A file goes past a stated limit on size, entries, features or vertices."""


class PolicyRefused(InputRefused):
    """A policy file does not say what a policy must say; ``others`` are the further faults of the same file."""

    others: tuple[PolicyRefused, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The refusal as plain data, with the further faults."""
        return super().as_dict() | ({"others": [each.as_dict() for each in self.others]} if self.others else {})


class CallRefused(GeoplanError):
    """The call itself is wrong: an unknown policy, a reading that no rule has, two answers to one question."""


class NotFound(GeoplanError):
    """Nothing is stored under that name."""


class CannotFinish(GeoplanError):
    """The work could not be finished for want of disk, time or database; nothing has changed."""


class Busy(CannotFinish):
    """The queue is full; the same call may be made again later."""
