"""Why there is an alarm at all: consequence, expected response, time to respond, owner, and the priority that follows. Pure.

ISA-18.2 calls it rationalisation: an alarm for which nobody can say what it means and what to do is no alarm. A record holds
for a pattern of signals and a kind of trouble; the most specific one that fits counts. The table of priorities is the room's
choice, in the form in which such tables are commonly drawn (consequence by time to respond).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

Consequence = Literal["minor", "major", "severe"]
Priority = Literal["low", "medium", "high"]

KINDS = ("any", "step", "slope", "silence", "variance", "stuck", "drift", "out_of_range")
"""The kinds of trouble for which a record may stand; `any` fits all."""

SOON_S, LATER_S = 300.0, 1800.0

PRIORITY: Mapping[Literal["soon", "later", "at leisure"], Mapping[Consequence, Priority]] = {
    "soon": {"minor": "medium", "major": "high", "severe": "high"},
    "later": {"minor": "low", "major": "medium", "severe": "high"},
    "at leisure": {"minor": "low", "major": "low", "severe": "medium"},
}
"""The priority by the time to respond (soon: less than 5 minutes, later: up to 30, at leisure: more) and the consequence."""

PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high")


class Rationale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an alarm means: `signal` is a pattern ("mill-1/output", "*/absence", a plant alone for its silence).

    `means` says what comes of it if nobody acts, `response` what you would do, `respond_s` within how many seconds, `owner` whose
    task it is. `latched` keeps an alarm that is back to normal until somebody resets it.
    """

    signal: str
    kind: str = "any"
    consequence: Consequence = "minor"
    means: str = ""
    response: str = ""
    respond_s: float = LATER_S
    owner: str = ""
    latched: bool = False

    @property
    def priority(self) -> Priority:
        """The priority that follows from consequence and time to respond.

        >>> Rationale(signal="mill-1/heat", consequence="severe", respond_s=120.0).priority
        'high'
        """
        soon = "soon" if self.respond_s < SOON_S else "later" if self.respond_s <= LATER_S else "at leisure"
        return PRIORITY[soon][self.consequence]  # type: ignore[index] # one of the three words

    @property
    def plant(self) -> str:
        """The plant for which it stands; empty when the pattern spans plants.

        >>> Rationale(signal="mill-1/*").plant, Rationale(signal="*/absence").plant
        ('mill-1', '')
        """
        plant = self.signal.partition("/")[0]
        return "" if any(c in plant for c in "*?[") else plant

    def fits(self, signal: str, kind: str) -> bool:
        """Tell whether it stands for a signal's (or a plant's) trouble of a kind.

        A pattern with a slash never stands for a plant's silence.

        >>> Rationale(signal="*/absence").fits("mill-1/absence", "step"), Rationale(signal="*").fits("mill-1/heat", "step")
        (True, False)
        """
        parts, asked = self.signal.split("/"), signal.split("/")
        if len(parts) != len(asked) or self.kind not in ("any", kind):
            return False
        return all(fnmatchcase(name, pattern) for name, pattern in zip(asked, parts, strict=True))

    @property
    def precision(self) -> tuple[int, int]:
        """How specific it is: literal characters first, then whether it names the kind."""
        return sum(c not in "*?[]" for c in self.signal), int(self.kind != "any")


def rationale(records: Iterable[Rationale], signal: str, kind: str) -> Rationale | None:
    """The most specific record that stands for a signal's trouble; `None` when nobody has thought about it.

    >>> known = [Rationale(signal="*/*"), Rationale(signal="mill-1/*", consequence="major")]
    >>> rationale(known, "mill-1/heat", "step").consequence, rationale(known, "mill-1", "silence")
    ('major', None)
    """
    return max((one for one in records if one.fits(signal, kind)), key=lambda one: one.precision, default=None)
