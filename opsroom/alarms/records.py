"""What the room keeps beside alarms.

Signals out of service, groups of one cause, asked time, proposed records of meaning. Frozen.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.alarms.deadlines import Due
from opsroom.alarms.group_events import Candidate
from opsroom.alarms.rationale import Rationale
from opsroom.room.thing import Thing


class LaidOut(Thing, frozen=True, kw_only=True):
    """A signal (or a plant's silence) whose alarms are out of service; `next_at` is its end, or its next review."""

    signal: str
    reason: str
    by: str
    since: float
    next_at: float
    returns: bool
    reviews: int = 0
    ended_at: float | None = None

    def clocks(self) -> tuple[Due, ...]:
        """Come back by itself, or be asked about."""
        return () if self.ended_at is not None else (Due(self.next_at, "review-service", self.id),)

    def over(self) -> bool:
        """In service again."""
        return self.ended_at is not None


class Group(Thing, frozen=True, kw_only=True):
    """Alarms of one cause: `members` in the order of their onsets, the likeliest `origin` and why.

    `fixed_by` is who said which the origin is; `joined` are the members that somebody put there.
    """

    members: tuple[str, ...]
    origin: str
    sentence: str
    candidates: tuple[Candidate, ...] = ()
    since: float = 0.0
    fixed_by: str = ""
    joined: tuple[str, ...] = ()
    ended_at: float | None = None

    def over(self) -> bool:
        """All its alarms are closed, or it has fewer than two."""
        return self.ended_at is not None


class TimeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """More time that the unit where an alarm stands has asked `of` the next level."""

    of: str
    seconds: float
    reason: str
    by: str
    at: float


class RationaleProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed record of what an alarm means, which waits for the other side."""

    id: str
    rationale: Rationale
    side: Literal["unit", "room"]
    by: str
    reason: str
    at: float
